//! `detect`: the charts that differ, as a matrix.

use std::collections::BTreeMap;

use super::super::declaration::Verb;
use super::super::error::ActionError;
use super::super::outcome::Ending;
use super::super::stage::{Connection, Context};
use crate::domain::configuration::{CONFIGURATION_FILE, Configuration};
use crate::domain::detection::{Detection, Globs};
use crate::domain::digest::CommitId;
use crate::domain::event::Event;
use crate::domain::markdown::escape;
use crate::flow::detect::{DetectError, Request, detect};
use crate::flow::listing::{file, root};
use crate::port::github::RefTarget;

/// Longer configurations are refused.
const CONFIGURATION_LIMIT: usize = 1 << 20;
/// What a push of a new branch says it moved from.
const NOWHERE: &str = "0000000000000000000000000000000000000000";

pub(in super::super) async fn run(context: &Context) -> Result<Ending, ActionError> {
    let connection = context.connect(context.identify(Verb::Detect.permissions()).await?).await?;
    let head = match context.inputs.text("head") {
        Some(reference) => resolve(&connection, "head", reference).await?,
        None => {
            let head = context.event.text("/pull_request/head/sha").or(context.environment.sha.as_deref());
            commit("head", head.unwrap_or_default())?
        }
    };
    let base = base(context, &connection).await?;
    let bytes = file(&*connection.objects, &root(&*connection.objects, &base).await?, CONFIGURATION_FILE, CONFIGURATION_LIMIT).await?;
    let configuration = Configuration::read(&bytes.unwrap_or_default())?;
    let globs = Globs::new(&configuration.charts).map_err(|error| ActionError::Unusable {
        what: format!("`charts` in {CONFIGURATION_FILE}"),
        hint: "globs name directories, such as charts/*".to_owned(),
        source: Some(Box::new(error)),
    })?;
    let map = configuration.directories.into_iter().map(|(chart, directory)| (directory, chart)).collect::<BTreeMap<_, _>>();
    // A push compares what was with what is; its commits may have been taken back.
    let pushed = context.inputs.text("base").is_none() && matches!(context.event.event, Some(Event::Push { .. }));
    let exact = context.inputs.flag("exact") || pushed;
    let request = Request { base, head, exact, dependents: context.inputs.flag("dependents"), globs, map };
    let (detection, notices) = detect(&*connection.objects, &request).await.map_err(|error| match error {
        DetectError::Unrelated { .. } => {
            ActionError::Unusable { what: "base".to_owned(), hint: "exact: true compares the two commits themselves".to_owned(), source: Some(Box::new(error)) }
        }
        error => error.into(),
    })?;
    notices.iter().for_each(|notice| context.console.say(&notice.to_string()));
    Ok(ending(&detection))
}

async fn base(context: &Context, connection: &Connection) -> Result<CommitId, ActionError> {
    if let Some(reference) = context.inputs.text("base") {
        return resolve(connection, "base", reference).await;
    }
    let event = &context.event;
    let before = event.text("/before").filter(|before| *before != NOWHERE && matches!(event.event, Some(Event::Push { .. })));
    match event.text("/pull_request/base/sha").or(before) {
        Some(id) => commit("base", id),
        None => resolve(connection, "base", connection.default_branch.as_str()).await,
    }
}

fn commit(input: &str, id: &str) -> Result<CommitId, ActionError> {
    CommitId::new(id).map_err(|error| ActionError::Unusable {
        what: format!("the event's {input}"),
        hint: format!("name a branch, tag or commit as {input}"),
        source: Some(Box::new(error)),
    })
}

/// A branch, a tag or a whole commit id, by asking GitHub.
async fn resolve(connection: &Connection, input: &str, reference: &str) -> Result<CommitId, ActionError> {
    if let Ok(id) = CommitId::new(reference) {
        return Ok(id);
    }
    let name = reference.strip_prefix("refs/").unwrap_or(reference);
    for name in [name.to_owned(), format!("heads/{name}"), format!("tags/{name}")] {
        match connection.github.get_ref(&name).await? {
            Some(RefTarget::Commit(id)) => return Ok(id),
            Some(RefTarget::Tag(id)) => {
                if let Some(tag) = connection.github.get_tag(&id).await? {
                    return Ok(tag.commit);
                }
            }
            None => {}
        }
    }
    Err(ActionError::Unusable { what: format!("{input}: {reference:?}"), hint: "name a branch, a tag or the 40 digits of a commit".to_owned(), source: None })
}

fn ending(detection: &Detection) -> Ending {
    let matrix = serde_json::to_value(detection.matrix()).unwrap_or_default();
    let count = matrix["include"].as_array().map_or(0, Vec::len);
    let json = |value: &serde_json::Value| value.to_string();
    let charts = serde_json::to_value(&detection.charts).unwrap_or_default();
    let mut summary = String::from("# chartflow detect\n\n");
    let mut log = String::new();
    if detection.charts.is_empty() {
        summary.push_str("No chart differs.\n");
    } else {
        summary.push_str("| change | chart | directory |\n|---|---|---|\n");
    }
    for change in &detection.charts {
        summary.push_str(&format!("| {} | {} | {} |\n", change.kind.as_str(), change.chart, escape(change.path.as_str())));
        log.push_str(&format!("{:<9}  {}  {}\n", change.kind.as_str(), change.chart, change.path));
    }
    let result = if detection.charts.is_empty() { "nothing to do" } else { "done" };
    let outputs = vec![("matrix", json(&matrix)), ("count", count.to_string()), ("charts", json(&charts)), ("result", result.to_owned())];
    Ending { outputs, summary, annotations: Vec::new(), log: vec![(format!("{count} charts"), log)], refused: false }
}
