//! The job `check`: runs helm on contributed content and says what it found, for the job that signs.
//!
//! It runs with `contents: read` alone, so what it looks at comes from the event and from git's refs and objects. What
//! it leaves out counts as not checked: a mistake here can hold a chart up, and never let one through.

use std::collections::BTreeMap;

use super::checked::Checked;
use super::error::ActionError;
use super::event_file::Start;
use super::heads::{by_refs, left_out};
use super::outcome::Ending;
use super::protocol::command::{Annotation, Level};
use super::signing::{Prepared, Signing};
use super::stage::Context;
use crate::domain::content::Files;
use crate::domain::digest::{CommitId, Sha256};
use crate::domain::event::{Event, StageName};
use crate::domain::markdown::escape;
use crate::domain::names::ChartName;
use crate::domain::ruleset::Tiers;
use crate::flow::check::{Subject, changed, contributed, pending};
use crate::flow::tips::Tips;
use crate::flow::{FlowError, Train};
use crate::port::github::{PullFilter, RefTarget};
use crate::port::helm::Helm as _;
use std::sync::Arc;

/// Runs the job.
///
/// # Errors
/// See [`ActionError`].
pub(super) async fn run(context: &Context, stage: StageName) -> Result<Ending, ActionError> {
    let connection = context.connect(context.identify_the_workflow()?).await?;
    // Nothing is signed here, and what is read decides nothing but what helm is run on.
    let (train, names) = context.train(&connection, Prepared::Key(Signing::fleeting(Vec::new())?), Arc::new(context.helm())).await?;
    let start = context.event.start(stage, &Tiers::from(&names))?;
    let subjects = match &start {
        Start::Nothing { why } => {
            context.console.say(why);
            Vec::new()
        }
        start => subjects(context, &train, stage, start).await?,
    };
    let (checked, failed) = lint(context, subjects).await?;
    Ok(ending(stage, &checked, failed))
}

async fn subjects(context: &Context, train: &Train, stage: StageName, start: &Start) -> Result<Vec<Subject>, ActionError> {
    let tips = Tips::read(train).await?;
    let mut subjects = Vec::new();
    if matches!(stage, StageName::Validate | StageName::Reconcile) {
        for (head, base) in heads(context, train, &tips, start).await? {
            subjects.extend(match base {
                Some(base) => changed(train, &tips, &base, &head).await?,
                None => contributed(train, &tips, &head).await?,
            });
        }
    }
    if matches!(stage, StageName::Filter | StageName::Reconcile) {
        subjects.extend(pending(train, &tips).await?);
    }
    Ok(subjects)
}

/// The heads of the contributions to look at, with where they left integration as far as that is known already.
async fn heads(context: &Context, train: &Train, tips: &Tips, start: &Start) -> Result<Vec<(CommitId, Option<CommitId>)>, ActionError> {
    let unknown = |heads: Vec<CommitId>| heads.into_iter().map(|head| (head, None)).collect();
    if let Start::Pull { number, .. } = start {
        if let (Some(Event::PullRequestTarget(_)), Some(head)) = (&context.event.event, context.event.text("/pull_request/head/sha")) {
            return Ok(unknown(vec![CommitId::new(head).map_err(FlowError::from)?]));
        }
        let head = train.github.get_ref(&format!("pull/{number}/head")).await?.and_then(RefTarget::commit);
        return Ok(unknown(head.into_iter().collect()));
    }
    let filter = PullFilter { base: Some(tips.names.integration().to_string()), ..PullFilter::default() };
    match train.github.list_pulls(&filter).await {
        Ok(pulls) => Ok(unknown(pulls.into_iter().map(|pull| pull.head.sha).collect())),
        Err(error) if matches!(error.status(), Some(403 | 404)) => {
            let found = by_refs(train, tips).await?;
            left_out(&found.left).into_iter().for_each(|said| context.console.say(&said));
            Ok(found.heads.into_iter().map(|(head, base)| (head, Some(base))).collect())
        }
        Err(error) => Err(error.into()),
    }
}

/// Runs helm on each content once.
async fn lint(context: &Context, subjects: Vec<Subject>) -> Result<(Checked, Vec<(ChartName, String)>), ActionError> {
    let helm = context.helm();
    let mut checked = Checked { helm: helm.version().await.map_err(FlowError::from)?, results: BTreeMap::new() };
    let mut failed = Vec::new();
    if checked.helm.is_none() {
        return Ok((checked, failed));
    }
    for Subject { chart, files } in subjects {
        let Some(content) = content(&files).filter(|content| !checked.results.contains_key(content)) else { continue };
        if context.watch.is_stopped() {
            break;
        }
        match helm.lint(chart.as_str(), &files).await {
            Ok(output) => {
                context.console.group(&format!("helm lint {chart}"), &output.text);
                checked.insert(content, chart.as_str(), &output);
            }
            // It stays without a result, and the job that signs says that it has none.
            Err(error) => failed.push((chart, crate::domain::causes(&error))),
        }
    }
    Ok((checked, failed))
}

fn content(files: &Files) -> Option<Sha256> {
    files.content_id().ok().map(|id| id.sha256)
}

fn ending(stage: StageName, checked: &Checked, failed: Vec<(ChartName, String)>) -> Ending {
    let (text, dropped) = checked.to_json();
    let mut annotations = Vec::new();
    let mut annotate = |level, title: &str, message: String| annotations.push(Annotation { level, title: title.to_owned(), message, file: None, line: None });
    if checked.helm.is_none() {
        annotate(Level::Warning, "helm", "there is no helm here, so nothing was rendered; a check that requires it fails".to_owned());
    }
    if dropped > 0 {
        annotate(Level::Warning, "checks", format!("{dropped} results do not fit into an output; these charts fail: contribute fewer at once"));
    }
    for (chart, problem) in &failed {
        annotate(Level::Warning, "helm", format!("{chart}: {problem}"));
    }
    let mut summary = format!("# chartflow {stage}: helm\n\n");
    if checked.results.is_empty() {
        summary.push_str("No chart was to be rendered.\n");
    } else {
        summary.push_str("| | chart | |\n|---|---|---|\n");
        for lint in checked.results.values() {
            let last = lint.text.lines().next_back().unwrap_or_default();
            summary.push_str(&format!("| {} | {} | {} |\n", if lint.success { "✅" } else { "❌" }, escape(&lint.chart), escape(last)));
        }
    }
    let result = if checked.results.is_empty() { "nothing to do" } else { "done" };
    let outputs = vec![("result", result.to_owned()), ("checks", text)];
    Ending { outputs, summary, annotations, log: Vec::new(), refused: false }
}
