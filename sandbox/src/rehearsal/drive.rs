//! The train in motion: events start stages by the table, people act when nothing else happens, until all is at rest.

use std::collections::VecDeque;
use std::time::Instant;

use chartflow_core::domain::event::{Event, StageName, StageStart};
use chartflow_core::domain::names::BranchName;
use chartflow_core::flow::{self, FlowError, Outcome, Report};
use chartflow_core::plan::preflight::WORKFLOW;

use super::people::act;
use super::summary::{CheckRow, RefusedRow, StageRow};
use super::world::World;
use super::{Progress, RehearsalError, Step};
use crate::github::events::{NotStarted, Outcome as Start, StartedEvent};

/// After so many rounds of people acting, something goes in circles.
const ROUNDS: u32 = 2000;

/// Runs until nothing happens any more.
pub(crate) async fn drive(world: &mut World, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(), RehearsalError> {
    let mut queue: VecDeque<(Event, StageStart)> = VecDeque::new();
    let mut reconciled = false;
    for _ in 0..ROUNDS {
        while let Some((event, start)) = queue.pop_front() {
            stage(world, &event, &start, progress).await?;
            let events = world.hub.take_events(&world.tiers);
            queue.extend(started(world, events, progress));
        }
        let acted = act(world, progress)?;
        let events = world.hub.take_events(&world.tiers);
        queue.extend(started(world, events, progress));
        if acted || !queue.is_empty() {
            reconciled = false;
            continue;
        }
        if reconciled || !unfinished(world) {
            return Ok(());
        }
        // What an event did not bring about, `reconcile` finds.
        reconciled = true;
        let events = world.hub.schedule_event(&world.tiers).into_iter().collect();
        queue.extend(started(world, events, progress));
    }
    Err(RehearsalError::Restless { rounds: ROUNDS })
}

/// Whether something of the train is still under way.
fn unfinished(world: &World) -> bool {
    world.hub.pulls().iter().any(|pull| pull.open && !world.contributions.contains(&pull.number))
}

/// The stages that events start. One that cannot, because main lacks its workflow file, is refused until it turns out that
/// another event did its work (see [`forgive`]).
fn started(world: &mut World, events: Vec<StartedEvent>, progress: &mut (dyn FnMut(Progress) + Send)) -> Vec<(Event, StageStart)> {
    let mut starts = Vec::new();
    for event in events {
        for run in event.runs {
            match (run.outcome, run.stage) {
                (Start::Started, Some(stage)) => starts.push((event.event.clone(), stage)),
                (Start::NotStarted(why @ (NotStarted::NoWorkflowFile { .. } | NotStarted::NotListening { .. })), Some(stage)) => {
                    absent(world, stage.stage, &why)
                }
                (Start::NotStarted(why), Some(stage)) => progress(Progress::Notice { text: format!("{} does not start: {why}", stage.stage) }),
                (Start::AwaitsApproval, Some(stage)) => progress(Progress::Notice { text: format!("{} waits for somebody to approve its run", stage.stage) }),
                (_, None) => {}
            }
        }
    }
    starts
}

fn absent(world: &mut World, stage: StageName, why: &NotStarted) {
    let hint = "bring what `chartflow init` writes to main (`chartflow init --force` where the file was changed); where that is merged already, the local main is older: git pull, and rehearse again";
    let (stage, rule) = (stage.to_string(), WORKFLOW.id.to_owned());
    if !world.refused.iter().any(|row| row.stage == stage && row.rule == rule) {
        world.refused.push(RefusedRow {
            chart: None,
            file: None,
            line: None,
            message: format!("{stage} does not start: {why}"),
            stage,
            rule,
            hint: hint.to_owned(),
        });
    }
}

/// What did not start at one event was no loss where the stage worked at another and every contribution was merged: that is
/// told, and refuses nothing.
pub(super) fn forgive(world: &mut World, progress: &mut (dyn FnMut(Progress) + Send)) {
    let missing = |row: &RefusedRow| row.rule == WORKFLOW.id;
    let merged = world.heads.is_empty() && !world.hub.pulls().iter().any(|pull| pull.open && world.contributions.contains(&pull.number));
    if !merged || !world.refused.iter().all(|row| missing(row) && world.acted.contains(&row.stage)) {
        return;
    }
    for row in std::mem::take(&mut world.refused) {
        progress(Progress::Notice { text: format!("{}; {}", row.message, row.hint) });
    }
}

async fn stage(world: &mut World, event: &Event, start: &StageStart, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<(), RehearsalError> {
    let label = format!("run-{}", world.stages.len() + 1);
    let train = world.train(&label)?;
    let began = Instant::now();
    let reports = run(&train, event, start).await;
    let milliseconds = began.elapsed().as_millis();
    let count = world.hub.counts().get(&label).cloned().unwrap_or_default();
    let reports = match reports {
        Ok(reports) => reports,
        Err(error) if error.is_stale() => {
            let mut row = StageRow::new(start.stage, event.name(), milliseconds, count.total, count.creating);
            row.outcome = "nothing to do".to_owned();
            world.stages.push(row);
            progress(Progress::Notice { text: format!("{}: the state moved; it is looked at again", start.stage) });
            return Ok(());
        }
        Err(source) => return Err(RehearsalError::Stage { stage: start.stage.to_string(), source }),
    };
    record(world, event, start.stage, reports, milliseconds, (count.total, count.creating), progress);
    Ok(())
}

async fn run(train: &flow::Train, event: &Event, start: &StageStart) -> Result<Vec<Report>, FlowError> {
    let base = match event {
        Event::PullRequestTarget(pull) => BranchName::new(pull.base.clone()).ok(),
        _ => None,
    };
    flow::run(train, start.stage, start.pull, base.as_ref()).await
}

fn record(
    world: &mut World,
    event: &Event,
    stage: StageName,
    reports: Vec<Report>,
    milliseconds: u128,
    requests: (u64, u64),
    progress: &mut (dyn FnMut(Progress) + Send),
) {
    let mut row = StageRow::new(stage, event.name(), milliseconds, requests.0, requests.1);
    // A run is about the charts for which it did something; one that did nothing is about those that wait.
    let acted = reports.iter().flat_map(|report| &report.entries).any(|entry| entry.chart.is_some() && entry.outcome > Outcome::Waiting);
    for report in reports {
        for check in &report.checks {
            let new =
                CheckRow { check: check.check.clone(), chart: check.chart.to_string(), outcome: check.outcome.to_owned(), message: check.message.clone() };
            world.checks.retain(|old| (&old.check, &old.chart) != (&new.check, &new.chart));
            world.checks.push(new);
        }
        for entry in &report.entries {
            let chart = entry.chart.as_ref().map(ToString::to_string);
            if entry.outcome > Outcome::Waiting || (!acted && entry.outcome == Outcome::Waiting) {
                row.charts.extend(chart.clone());
            }
            let stage = report.stage.to_string();
            world.refused.retain(|old| old.rule == WORKFLOW.id || (&old.stage, &old.chart) != (&stage, &chart) || entry.outcome == Outcome::Refused);
            if let (Outcome::Refused, Some(rule)) = (entry.outcome, &entry.rule) {
                let (message, hint) = (entry.message.clone(), entry.hint.clone().unwrap_or_default());
                let new = RefusedRow { chart, stage, rule: rule.clone(), message, hint, file: entry.file.clone(), line: entry.line };
                if !world.refused.contains(&new) {
                    world.refused.push(new);
                }
            }
        }
        if report.outcome() == Outcome::Done {
            world.acted.insert(report.stage.to_string());
        }
        row.outcome = word(report.outcome().max(row.worst)).to_owned();
        row.worst = report.outcome().max(row.worst);
        let entries = report.entries.iter().filter(|entry| entry.outcome != Outcome::Nothing);
        let steps: Vec<Step> = entries
            .map(|entry| Step {
                outcome: word(entry.outcome).to_owned(),
                text: entry.chart.as_ref().map_or_else(|| entry.message.clone(), |chart| format!("{chart}: {}", entry.message)),
            })
            .collect();
        row.messages.extend(steps.iter().map(|step| step.text.clone()));
        progress(Progress::Stage { stage: report.stage.to_string(), outcome: word(report.outcome()).to_owned(), steps });
    }
    row.charts.sort();
    row.charts.dedup();
    row.chart = if let [chart] = row.charts.as_slice() { Some(chart.clone()) } else { None };
    world.stages.push(row);
}

/// The words of `summary.json`: what waits has not done anything, and is run again when that has happened.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Nothing | Outcome::Waiting => "nothing to do",
        Outcome::Done => "done",
        Outcome::Refused => "refused",
    }
}
