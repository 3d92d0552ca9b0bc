//! Reading pull requests.

use std::sync::Arc;

use serde_json::Value;

use super::{Pull, commits as own_commits, existing, mergeability, pull, render};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render as shared;
use crate::github::repository::file;
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::store::FileChange;
use crate::github::update::broken;

/// The most commits the commits operation lists.
const COMMIT_LIMIT: usize = 250;
/// The most files the files operation lists.
const FILE_LIMIT: usize = 3000;

/// A `head` without `OWNER:` before it is no filter.
pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let query = |name| context.request.query(name);
    let wanted = query("state").unwrap_or("open");
    if !matches!(wanted, "open" | "closed" | "all") {
        return Err(ApiError::field("PullRequest", "state", "invalid"));
    }
    let head = query("head").and_then(|text| text.split_once(':'));
    let mut found: Vec<&Pull> = state
        .pulls
        .values()
        .filter(|pull| wanted == "all" || pull.open == (wanted == "open"))
        .filter(|pull| query("base").is_none_or(|base| pull.base == base))
        .filter(|pull| {
            head.is_none_or(|(owner, branch)| owner.eq_ignore_ascii_case(pull.fork.as_ref().unwrap_or(&state.settings.owner)) && pull.head == branch)
        })
        .collect();
    let by_update = query("sort") == Some("updated");
    found.sort_by_key(|pull| (if by_update { pull.updated } else { pull.created }, pull.number));
    // The default order is descending by creation, and ascending for anything else.
    if query("direction").map_or(!by_update, |direction| direction == "desc") {
        found.reverse();
    }
    Ok(context.paged(&found, |pull| render::short(state, pull)))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    Ok(ApiResponse::json(200, &current(context, number)?))
}

/// The whole pull request as its reader sees it now.
pub(super) fn current(context: &mut Context<'_>, number: u64) -> Result<Value, ApiError> {
    let merging = mergeability::ask(context.state, number)?;
    let description = mergeability::description(context.state, context.caller, number, merging)?;
    render::full(context.state, pull(context.state, number)?, merging, description)
}

pub(super) fn commits(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let ids = own_commits(state, pull(state, existing(context)?)?)?;
    let listed = &ids[..ids.len().min(COMMIT_LIMIT)];
    Ok(context.paged(listed, |id| state.store.commit(*id).map_or(Value::Null, |commit| shared::commit(state, *id, &commit))))
}

pub(super) fn files(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let pull = pull(state, existing(context)?)?;
    let changes = changes(state, pull)?;
    let listed = &changes[..changes.len().min(FILE_LIMIT)];
    Ok(context.paged(listed, |change| file(state, change, pull.head_sha)))
}

/// The files that differ between the merge base and the head.
pub(super) fn changes(state: &State, pull: &Pull) -> Result<Arc<Vec<FileChange>>, ApiError> {
    let base = state.store.merge_base(pull.base_sha, pull.head_sha).unwrap_or(pull.base_sha);
    let tree = |id| state.store.commit(id).map(|commit| commit.tree).ok_or_else(ApiError::not_found);
    state.store.diff(tree(base)?, tree(pull.head_sha)?).map_err(broken)
}
