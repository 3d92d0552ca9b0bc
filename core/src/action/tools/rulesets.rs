//! `rulesets`: the branch and tag rules.

use serde_json::{Value, json};

use super::super::declaration::Verb;
use super::super::error::ActionError;
use super::super::identity::Identity;
use super::super::outcome::Ending;
use super::super::protocol::command::{Annotation, Level};
use super::super::stage::Context;
use crate::domain::branch::Names;
use crate::domain::configuration::{CONFIGURATION_FILE, Configuration};
use crate::domain::event::{Access, Permission};
use crate::domain::markdown::escape;
use crate::domain::ruleset::{Change, Mode, Tiers, drifted, report};
use crate::flow::rulesets;
use crate::port::github::RefTarget;

/// Longer configurations are refused.
const CONFIGURATION_LIMIT: usize = 1 << 20;

pub(in super::super) async fn run(context: &Context) -> Result<Ending, ActionError> {
    let applies = context.inputs.text("mode") == Some("apply");
    let writes = applies && !context.watch.is_dry();
    let identity = match context.inputs.text("private-key") {
        Some(_) => {
            // Rules can be read by everybody who sees the repository.
            let mut permissions = Verb::Rulesets.permissions();
            permissions.extend(writes.then_some((Permission::Administration, Access::Write)));
            context.identify(permissions).await?
        }
        None => context.identify_the_workflow()?,
    };
    connected(context, identity, applies, writes).await
}

async fn connected(context: &Context, identity: Identity, applies: bool, writes: bool) -> Result<Ending, ActionError> {
    // The rules are made for whom the train works as, which need not be who makes them.
    let mode = context.inputs.number("app-id").map_or(Mode::WorkflowToken, |id| Mode::App { id });
    let _ = context.mode.set(mode);
    let connection = context.connect(identity).await?;
    let github = &connection.github;
    let tip = github.get_ref(&format!("heads/{}", connection.default_branch)).await?.and_then(RefTarget::commit);
    let bytes = match &tip {
        Some(tip) => github.get_file(CONFIGURATION_FILE, tip, CONFIGURATION_LIMIT).await?,
        None => None,
    };
    let tiers = Tiers::from(&Names::new(&Configuration::read(&bytes.unwrap_or_default())?));
    let changes = if writes { rulesets::apply(github, &tiers, mode).await? } else { rulesets::plan(github, &tiers, mode).await? };
    // A dry run of either fails no step.
    Ok(ending(&changes, applies || context.watch.is_dry()))
}

fn ending(changes: &[Change], applied: bool) -> Ending {
    let drift = drifted(changes);
    let refused = drift && !applied;
    let result = if refused {
        "refused"
    } else if drift {
        "done"
    } else {
        "nothing to do"
    };
    let plan: Vec<Value> = changes.iter().map(described).collect();
    let mut summary = format!("# chartflow rulesets: {result}\n\n| ruleset | |\n|---|---|\n");
    for change in &plan {
        let text = |key: &str| escape(change[key].as_str().unwrap_or_default());
        summary.push_str(&format!("| {} | {} |\n", text("name"), text("change")));
    }
    let mut annotations = Vec::new();
    if refused {
        let message = "the rulesets are not what the train needs\nWhat to do: run this action with mode: apply, or chartflow rulesets apply".to_owned();
        annotations.push(Annotation { level: Level::Error, title: "preflight/rulesets".to_owned(), message, file: None, line: None });
    }
    let outputs = vec![("result", result.to_owned()), ("drift", drift.to_string()), ("plan", Value::from(plan).to_string())];
    Ending { outputs, summary, annotations, log: vec![("rulesets".to_owned(), report(changes))], refused }
}

fn described(change: &Change) -> Value {
    let (name, word) = match change {
        Change::Create { name, .. } => (name, "create"),
        Change::Update { name, .. } => (name, "update"),
        Change::Unchanged { name, .. } => (name, "none"),
        Change::Remove { name, .. } => (name, "remove"),
        Change::Foreign { name, .. } => (name, "foreign"),
    };
    json!({ "name": name, "change": word })
}
