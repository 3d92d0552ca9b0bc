//! Events made from occurrences, and the workflows they start.
//!
//! Sources: <https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows> (which commit's
//! files run), <https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow#triggering-a-workflow-from-a-workflow>
//! (what the workflow token starts).

mod listening;
mod started;

use std::collections::BTreeMap;

use chartflow_core::domain::digest::CommitId;
use chartflow_core::domain::event::{Event, PullEvent, WorkflowSource, stages_for};
use chartflow_core::domain::ruleset::Tiers;
use gix::ObjectId;

use super::Hub;
use super::actor::TokenKind;
use super::occurrence::{Happening, Occurrence};
use super::route::Route;
use super::state::State;
use super::store::Merge;
use super::tokens;
use super::update::broken;

pub(crate) use listening::{has_workflow, listens};
pub use started::{NotStarted, Outcome, Run, StartedEvent};

/// Where workflow files lie.
const DIRECTORY: &str = ".github/workflows";

/// The triggers of workflow files read so far, by blob.
#[derive(Debug, Default)]
pub(crate) struct Events {
    triggers: BTreeMap<ObjectId, serde_yaml::Value>,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];

impl Hub {
    /// The events that have happened since the last call (of this or [`Hub::take_occurrences`]) and concern a workflow:
    /// each with the commit whose workflow files it reads and what it starts, or why it does not.
    #[must_use]
    pub fn take_events(&self, tiers: &Tiers) -> Vec<StartedEvent> {
        let occurrences = self.take_occurrences();
        let mut state = self.lock();
        let tips = default_tips(&state, &occurrences);
        let mut started = Vec::new();
        for (occurrence, tip) in occurrences.iter().zip(tips) {
            for event in events_of(&state, occurrence) {
                let found = start(&mut state, tiers, event, tip, Some(occurrence));
                started.extend(found.filter(|event| !event.runs.is_empty()));
            }
        }
        started
    }

    /// What a schedule starts now.
    #[must_use]
    pub fn schedule_event(&self, tiers: &Tiers) -> Option<StartedEvent> {
        let mut state = self.lock();
        let tip = state.store.reference(&format!("refs/heads/{}", state.settings.default_branch));
        start(&mut state, tiers, Event::Schedule, tip, None)
    }
}

/// Where the default branch pointed after each occurrence.
fn default_tips(state: &State, occurrences: &[Occurrence]) -> Vec<Option<ObjectId>> {
    let default = format!("refs/heads/{}", state.settings.default_branch);
    let mut tip = state.store.reference(&default);
    let mut tips: Vec<Option<ObjectId>> = Vec::with_capacity(occurrences.len());
    for occurrence in occurrences.iter().rev() {
        tips.push(tip);
        if let Happening::Push { reference, before, .. } = &occurrence.what
            && *reference == default
        {
            tip = *before;
        }
    }
    tips.reverse();
    tips
}

/// The events of an occurrence. Refs beside branches and tags raise none; reviews, comments, statuses and releases start
/// no stage.
fn events_of(state: &State, occurrence: &Occurrence) -> Vec<Event> {
    match &occurrence.what {
        Happening::Push { reference, after, .. } if reference.starts_with("refs/heads/") || reference.starts_with("refs/tags/") => {
            vec![Event::Push { reference: reference.clone(), deleted: after.is_none() }]
        }
        Happening::PullRequest { action, number, merged } => {
            let Some(pull) = state.pulls.get(number) else { return Vec::new() };
            let event = PullEvent { action: (*action).to_owned(), number: *number, base: pull.base.clone(), head: pull.head.clone(), merged: *merged };
            vec![Event::PullRequestTarget(event.clone()), Event::PullRequest(event)]
        }
        Happening::RepositoryDispatch { event_type, payload } => {
            vec![Event::RepositoryDispatch { kind: event_type.clone(), payload: payload.clone() }]
        }
        Happening::WorkflowDispatch { workflow, reference, .. } => {
            vec![Event::WorkflowDispatch { workflow: format!("{DIRECTORY}/{workflow}"), reference: reference.clone() }]
        }
        _ => Vec::new(),
    }
}

/// The commit and workflow files an event reads. The outer `None` is for a pull request in conflict, whose `pull_request`
/// event runs nothing.
fn source(state: &State, event: &Event, tip: Option<ObjectId>, occurrence: Option<&Occurrence>) -> Option<(Option<ObjectId>, BTreeMap<String, ObjectId>)> {
    let at = |commit: Option<ObjectId>| Some((commit, commit.map(|commit| tokens::workflow_files(state, commit)).unwrap_or_default()));
    match (event.workflow_source(), event, occurrence.map(|occurrence| &occurrence.what)) {
        // Before 3.20 it is the base branch's file that runs.
        (WorkflowSource::DefaultBranch, Event::PullRequestTarget(pull), _) if state.settings.enterprise => {
            at(state.store.reference(&format!("refs/heads/{}", pull.base)))
        }
        // The run of a deletion is the default branch's.
        (WorkflowSource::PushedCommit, _, Some(Happening::Push { after: Some(after), .. })) => at(Some(*after)),
        (WorkflowSource::TestMerge, Event::PullRequest(pull), _) => {
            let pull = state.pulls.get(&pull.number)?;
            let Merge::Clean(tree) = state.store.merge(pull.base_sha, pull.head_sha).map_err(broken).ok()? else { return None };
            Some((state.store.reference(&format!("refs/pull/{}/merge", pull.number)), tokens::workflow_files_in(state, tree)))
        }
        (WorkflowSource::NamedRef, Event::WorkflowDispatch { reference, .. }, _) => {
            at(state.store.reference(reference).and_then(|id| state.store.peel(id)).map(|(commit, _)| commit))
        }
        _ => at(tip),
    }
}

/// Whether the newest commit asks for no runs.
///
/// Source: <https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs>
fn asks_to_skip(state: &State, event: &Event, occurrence: Option<&Occurrence>) -> bool {
    let commit = match (event, occurrence.map(|occurrence| &occurrence.what)) {
        (Event::Push { .. }, Some(Happening::Push { after, .. })) => *after,
        (Event::PullRequest(pull), _) => state.pulls.get(&pull.number).map(|pull| pull.head_sha),
        _ => None,
    };
    let message = commit.and_then(|id| state.store.peel(id)).and_then(|(id, _)| state.store.commit(id)).map(|commit| commit.message).unwrap_or_default();
    let words = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"];
    words.iter().any(|word| message.contains(word))
        || message.lines().rev().take(2).any(|line| line.trim() == "skip-checks: true" || line.trim() == "skip-checks:true")
}

/// What the workflow token lets an event do: a dispatch always starts, a pull request it opened or moved waits for a
/// person's approval on `pull_request` (on Enterprise Server it does not), and everything else starts nothing.
fn token_outcome(event: &Event, token: Option<TokenKind>, enterprise: bool) -> Outcome {
    if token != Some(TokenKind::Workflow) {
        return Outcome::Started;
    }
    match event {
        Event::RepositoryDispatch { .. } | Event::WorkflowDispatch { .. } => Outcome::Started,
        Event::PullRequest(pull) if !enterprise && matches!(pull.action.as_str(), "opened" | "synchronize" | "reopened") => Outcome::AwaitsApproval,
        _ => Outcome::NotStarted(NotStarted::WorkflowToken),
    }
}

fn start(state: &mut State, tiers: &Tiers, event: Event, tip: Option<ObjectId>, occurrence: Option<&Occurrence>) -> Option<StartedEvent> {
    let (commit, files) = source(state, &event, tip, occurrence)?;
    let token = occurrence.map(|occurrence| occurrence.token);
    let outcome = if asks_to_skip(state, &event, occurrence) {
        Outcome::NotStarted(NotStarted::SkipRequested)
    } else {
        token_outcome(&event, token, state.settings.enterprise)
    };
    let workflow_commit = commit.and_then(|id| CommitId::new(id.to_string()).ok());
    let listening: Vec<String> =
        files.iter().filter(|(name, blob)| listening::matches(state, name, **blob, &event)).map(|(name, _)| format!("{DIRECTORY}/{name}")).collect();
    let mut runs: Vec<Run> = Vec::new();
    for start in stages_for(&event, tiers) {
        let workflow = start.stage.workflow_path().to_owned();
        let there = files.keys().any(|name| format!("{DIRECTORY}/{name}") == workflow);
        let outcome = match &outcome {
            Outcome::Started if !there => Outcome::NotStarted(NotStarted::NoWorkflowFile { path: workflow.clone(), commit: workflow_commit.clone() }),
            Outcome::Started if !listening.contains(&workflow) => Outcome::NotStarted(NotStarted::NotListening { path: workflow.clone(), event: event.name() }),
            other => other.clone(),
        };
        runs.push(Run { workflow, stage: Some(start), outcome });
    }
    let stages: Vec<&str> = chartflow_core::domain::event::StageName::ALL.iter().map(|stage| stage.workflow_path()).collect();
    for workflow in listening.into_iter().filter(|path| !stages.contains(&path.as_str())) {
        runs.push(Run { workflow, stage: None, outcome: outcome.clone() });
    }
    Some(StartedEvent {
        sequence: occurrence.map(|occurrence| occurrence.sequence),
        time: occurrence.map_or_else(|| state.clock.now(), |occurrence| occurrence.time),
        actor: occurrence.map(|occurrence| occurrence.actor.login.clone()),
        token,
        event,
        workflow_commit,
        workflow_files: files.into_keys().map(|name| format!("{DIRECTORY}/{name}")).collect(),
        runs,
    })
}
