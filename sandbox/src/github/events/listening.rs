//! Which events a workflow file listens to.
//!
//! Source: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#on>. Path filters are not
//! judged: a file that has one listens.

use chartflow_core::domain::event::Event;
use chartflow_core::domain::ruleset::covers;
use gix::ObjectId;
use serde_yaml::Value;

use super::DIRECTORY;
use crate::github::state::State;
use crate::github::tokens;

/// Larger workflow files are taken for files that listen to nothing.
const SIZE_LIMIT: usize = 512 * 1024;

/// The value of `on:`; null for what is no workflow.
fn triggers(state: &mut State, blob: ObjectId) -> &Value {
    let store = &state.store;
    state.events.triggers.entry(blob).or_insert_with(|| {
        let text = store.blob(blob).filter(|bytes| bytes.len() <= SIZE_LIMIT).unwrap_or_default();
        let document: Value = serde_yaml::from_slice(&text).unwrap_or_default();
        document.get("on").cloned().unwrap_or_default()
    })
}

/// What `on:` says about an event: `None` when it does not name it.
fn about<'a>(on: &'a Value, name: &str) -> Option<&'a Value> {
    match on {
        Value::String(one) if one == name => Some(&Value::Null),
        Value::Sequence(several) if several.iter().any(|one| one.as_str() == Some(name)) => Some(&Value::Null),
        Value::Mapping(map) => map.get(name),
        _ => None,
    }
}

fn words<'a>(filter: &'a Value, key: &str) -> Option<Vec<&'a str>> {
    match filter.get(key)? {
        Value::String(one) => Some(vec![one]),
        Value::Sequence(several) => Some(several.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

/// Whether the last pattern that covers a name is not one with `!`.
fn selected(patterns: &[&str], name: &str) -> bool {
    patterns.iter().fold(false, |selected, pattern| match pattern.strip_prefix('!') {
        Some(pattern) => selected && !covers(pattern, name),
        None => selected || covers(pattern, name),
    })
}

/// Whether `KEY` and `KEY-ignore` let a name pass; `None` when neither is there.
fn passes(filter: &Value, key: &str, name: &str) -> Option<bool> {
    words(filter, key).map(|patterns| selected(&patterns, name)).or_else(|| words(filter, &format!("{key}-ignore")).map(|patterns| !selected(&patterns, name)))
}

fn pushes(filter: &Value, reference: &str) -> bool {
    let of = |key: &str| words(filter, key).is_some() || words(filter, &format!("{key}-ignore")).is_some();
    match (reference.strip_prefix("refs/heads/"), reference.strip_prefix("refs/tags/")) {
        (Some(branch), _) => passes(filter, "branches", branch).unwrap_or_else(|| !of("tags")),
        (_, Some(tag)) => passes(filter, "tags", tag).unwrap_or_else(|| !of("branches")),
        _ => false,
    }
}

/// Whether a workflow file listens to an event.
pub(super) fn matches(state: &mut State, name: &str, blob: ObjectId, event: &Event) -> bool {
    let Some(filter) = about(triggers(state, blob), event.name()) else { return false };
    match event {
        Event::PullRequestTarget(pull) | Event::PullRequest(pull) => {
            let types = words(filter, "types").unwrap_or_else(|| vec!["opened", "synchronize", "reopened"]);
            types.contains(&pull.action.as_str()) && passes(filter, "branches", &pull.base).unwrap_or(true)
        }
        Event::Push { reference, .. } => pushes(filter, reference),
        Event::RepositoryDispatch { kind, .. } => words(filter, "types").is_none_or(|types| types.contains(&kind.as_str())),
        Event::WorkflowDispatch { workflow, .. } => *workflow == format!("{DIRECTORY}/{name}"),
        Event::Schedule => true,
    }
}

/// Whether a commit has a workflow file of this name.
pub(crate) fn has_workflow(state: &State, commit: ObjectId, name: &str) -> bool {
    tokens::workflow_files(state, commit).contains_key(name)
}

/// Whether a commit's workflow file of this name listens to events of this name.
pub(crate) fn listens(state: &mut State, commit: ObjectId, name: &str, event: &str) -> bool {
    let blob = tokens::workflow_files(state, commit).get(name).copied();
    blob.is_some_and(|blob| about(triggers(state, blob), event).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let filter = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
        for (text, reference, expected) in [
            ("", "refs/heads/x", true),
            ("branches: [main]", "refs/heads/main", true),
            ("branches: [main]", "refs/heads/integration", false),
            ("branches: [main]", "refs/tags/main", false),
            ("tags: ['*-v*']", "refs/tags/a-v1.0.0", true),
            ("tags: ['*-v*']", "refs/heads/main", false),
            ("branches: ['**', '!release/**']", "refs/heads/release/x", false),
            ("branches-ignore: [main]", "refs/heads/main", false),
            ("branches-ignore: [main]", "refs/heads/other", true),
        ] {
            assert_eq!(pushes(&filter(text), reference), expected, "{text} {reference}");
        }
        for (text, named) in [("push", true), ("[push, schedule]", true), ("{push: {branches: [x]}}", true), ("{pull_request: }", false), ("7", false)] {
            assert_eq!(about(&filter(text), "push").is_some(), named, "{text}");
        }
    }
}
