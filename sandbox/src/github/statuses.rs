//! Commit statuses.
//!
//! Source: <https://docs.github.com/rest/commits/statuses>

use std::collections::BTreeMap;

use chartflow_core::port::transport::Method;
use gix::ObjectId;
use serde_json::{Value, json};

use super::actor::Actor;
use super::clock::timestamp;
use super::http::{ApiError, ApiResponse};
use super::occurrence::Happening;
use super::render::{node_id, repository, user};
use super::route::{Context, Route, read, write};
use super::state::State;

/// The longest description, in characters.
const DESCRIPTION_LIMIT: usize = 140;

/// The most statuses of one context on one commit.
const STATUS_LIMIT: usize = 1000;

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Statuses {
    /// Oldest first.
    by_commit: BTreeMap<ObjectId, Vec<Status>>,
}

#[derive(Debug, Clone)]
struct Status {
    id: u64,
    context: String,
    state: &'static str,
    description: Option<String>,
    target_url: Option<String>,
    creator: Actor,
    created: i64,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/statuses/{sha}",
        operation: "repos/create-commit-status",
        needs: &[write("statuses")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/commits/statuses#create-a-commit-status",
        handler: create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/commits/{ref}/status",
        operation: "repos/get-combined-status-for-ref",
        needs: &[read("statuses")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/commits/statuses#get-the-combined-status-for-a-specific-reference",
        handler: combined,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/commits/{ref}/statuses",
        operation: "repos/list-commit-statuses-for-ref",
        needs: &[read("statuses")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/commits/statuses#list-commit-statuses-for-a-reference",
        handler: list,
    },
];

impl Statuses {
    fn of(&self, commit: ObjectId) -> &[Status] {
        self.by_commit.get(&commit).map_or(&[], Vec::as_slice)
    }

    /// The newest state of a context on a commit; with an App's number, of those that this App set.
    pub(crate) fn newest(&self, commit: ObjectId, context: &str, app: Option<u64>) -> Option<&'static str> {
        let counts = |status: &&Status| status.context == context && app.is_none_or(|app| status.creator.app == Some(app));
        self.of(commit).iter().rev().find(counts).map(|status| status.state)
    }
}

#[derive(serde::Deserialize)]
struct NewStatus {
    state: String,
    target_url: Option<String>,
    description: Option<String>,
    context: Option<String>,
}

fn state_word(text: &str) -> Option<&'static str> {
    ["error", "failure", "pending", "success"].into_iter().find(|word| *word == text)
}

/// 422 for an unknown commit or state, a description of more than 140 characters, and the 1001st status of a context.
fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let text = context.parameter("sha")?.to_owned();
    let new: NewStatus = context.body()?;
    let state = &mut *context.state;
    let commit = state.store.object(&text).filter(|_| text.len() == 40).and_then(|id| state.store.commit(id).map(|_| id));
    let commit = commit.ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {text}")))?;
    let word = state_word(&new.state).ok_or_else(|| ApiError::field("Status", "state", "invalid"))?;
    if new.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_LIMIT) {
        return Err(ApiError::validation("Status", format!("description is too long (maximum is {DESCRIPTION_LIMIT} characters)")));
    }
    let name = new.context.filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned());
    if state.statuses.of(commit).iter().filter(|status| status.context == name).count() >= STATUS_LIMIT {
        return Err(ApiError::validation("Status", "This SHA and context has reached the maximum number of statuses."));
    }
    let status = Status {
        id: state.number(),
        context: name.clone(),
        state: word,
        description: new.description,
        target_url: new.target_url,
        creator: context.caller.actor.clone(),
        created: state.clock.now(),
    };
    let body = render(state, commit, &status);
    state.statuses.by_commit.entry(commit).or_default().push(status);
    state.happened(context.caller, Happening::Status { sha: commit, context: name, state: word.to_owned() });
    Ok(ApiResponse::json(201, &body))
}

/// The entry of the combined status (schema `simple-commit-status`).
fn simple(state: &State, commit: ObjectId, status: &Status) -> Value {
    json!({
        "url": state.url(&format!("/statuses/{commit}")), "avatar_url": user(state, &status.creator).get("avatar_url"), "id": status.id,
        "node_id": node_id("StatusContext", status.id), "state": status.state, "description": status.description,
        "target_url": status.target_url, "context": status.context, "created_at": timestamp(status.created),
        "updated_at": timestamp(status.created),
    })
}

/// A status (schema `status`).
fn render(state: &State, commit: ObjectId, status: &Status) -> Value {
    let mut body = simple(state, commit, status);
    body["creator"] = user(state, &status.creator);
    body
}

fn commit(context: &Context<'_>) -> Result<ObjectId, ApiError> {
    let text = context.parameter("ref")?;
    context.state.store.commitish(text).ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {text}")))
}

/// The newest status of each context, and the worst of them: `failure` for an error or failure, `pending` for one that is
/// pending or where there is none, else `success`.
fn combined(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let commit = commit(context)?;
    let state = &*context.state;
    let mut newest: BTreeMap<&str, &Status> = BTreeMap::new();
    for status in state.statuses.of(commit) {
        newest.insert(&status.context, status);
    }
    let mut newest: Vec<&Status> = newest.into_values().collect();
    newest.sort_by_key(|status| std::cmp::Reverse(status.id));
    let any = |words: &[&str]| newest.iter().any(|status| words.contains(&status.state));
    let word = if any(&["error", "failure"]) {
        "failure"
    } else if newest.is_empty() || any(&["pending"]) {
        "pending"
    } else {
        "success"
    };
    let page = context.page();
    let shown: Vec<Value> = newest.iter().skip(page.size.saturating_mul(page.number - 1)).take(page.size).map(|status| simple(state, commit, status)).collect();
    let body = json!({
        "state": word, "statuses": shown, "sha": commit.to_string(), "total_count": newest.len(), "repository": repository(state),
        "commit_url": state.url(&format!("/commits/{commit}")), "url": state.url(&format!("/commits/{commit}/status")),
    });
    Ok(context.linked(ApiResponse::json(200, &body), page, newest.len()))
}

/// All statuses, newest first.
fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let commit = commit(context)?;
    let state = &*context.state;
    let newest: Vec<&Status> = state.statuses.of(commit).iter().rev().collect();
    Ok(context.paged(&newest, |status| render(state, commit, status)))
}
