//! Commits, and the pull requests they belong to.

use gix::ObjectId;
use serde_json::{Value, json};

use super::file;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::pulls::{self, Pull};
use crate::github::render;
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::update::broken;

/// The commit a path parameter means; 422 when there is none.
fn commit(context: &Context<'_>, parameter: &'static str) -> Result<ObjectId, ApiError> {
    let text = context.parameter(parameter)?;
    context.state.store.commitish(text).ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {text}")))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = commit(context, "ref")?;
    let state = &*context.state;
    if context.request.header("accept").is_some_and(|accept| accept.contains("vnd.github.sha")) {
        return Ok(ApiResponse::bytes(200, "application/vnd.github.sha; charset=utf-8", id.to_string().into_bytes()));
    }
    let found = state.store.commit(id).ok_or_else(ApiError::not_found)?;
    let parent = found.parents.first().and_then(|parent| state.store.commit(*parent)).map(|parent| parent.tree);
    let before = parent.unwrap_or_else(|| ObjectId::empty_tree(id.kind()));
    let changes = state.store.diff(before, found.tree).map_err(broken)?;
    let (additions, deletions) = changes.iter().fold((0, 0), |(a, d), change| (a + change.additions, d + change.deletions));
    let mut body = render::commit(state, id, &found);
    body["stats"] = json!({"additions": additions, "deletions": deletions, "total": additions + deletions});
    // Up to 300 files on each page, 3000 in all.
    let page = context.page_of(300, 300);
    let shown: Vec<Value> =
        changes.iter().take(3000).skip((page.number - 1).saturating_mul(page.size)).take(page.size).map(|change| file(state, change, id)).collect();
    body["files"] = Value::Array(shown);
    Ok(context.linked(ApiResponse::json(200, &body), page, changes.len().min(3000)))
}

pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let start = context.request.query("sha").filter(|text| !text.is_empty()).unwrap_or(&state.settings.default_branch);
    let tip = state.store.commitish(start).ok_or_else(ApiError::not_found)?;
    let page = context.page();
    // One more than is shown tells whether there is a next page; the total is never computed.
    let limit = page.number.saturating_mul(page.size).saturating_add(1);
    let found = match context.request.query("path").filter(|path| !path.is_empty()) {
        Some(path) => state.store.history_of(tip, path, limit).map_err(broken)?,
        None => state.store.history(tip, None, limit).map_err(broken)?,
    };
    let shown: Vec<Value> = found
        .iter()
        .skip((page.number - 1).saturating_mul(page.size))
        .take(page.size)
        .filter_map(|id| state.store.commit(*id).map(|commit| render::commit(state, *id, &commit)))
        .collect();
    Ok(context.linked(ApiResponse::json(200, &Value::Array(shown)), page, found.len()))
}

/// For a commit on the default branch the merged pull request that brought it there, otherwise the open and merged ones
/// whose commits hold it.
///
/// Source: <https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit>
pub(super) fn pulls(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = commit(context, "commit_sha")?;
    let state = &*context.state;
    let default = state.store.reference(&format!("refs/heads/{}", state.settings.default_branch));
    let on_default = default.is_some_and(|tip| state.store.is_ancestor(id, tip));
    let found: Vec<&Pull> = state
        .pulls
        .values()
        .filter(|pull| if on_default { pull.base == state.settings.default_branch && introduced(state, pull, id) } else { holds(state, pull, id) })
        .collect();
    Ok(context.paged(&found, |pull| pulls::render_short(state, pull)))
}

/// Whether the merge of a pull request brought a commit to its base.
fn introduced(state: &State, pull: &Pull, id: ObjectId) -> bool {
    pull.merged
        .as_ref()
        .is_some_and(|merged| merged.commit == id || (state.store.is_ancestor(id, merged.commit) && !state.store.is_ancestor(id, pull.base_sha)))
}

/// Whether a commit is one of a pull request's own, or came of its merge.
fn holds(state: &State, pull: &Pull, id: ObjectId) -> bool {
    let own = state.store.is_ancestor(id, pull.head_sha) && !state.store.is_ancestor(id, pull.base_sha);
    (pull.open && own) || (pull.merged.is_some() && (own || introduced(state, pull, id)))
}
