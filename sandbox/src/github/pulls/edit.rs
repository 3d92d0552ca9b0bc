//! Changing a pull request: title, description, state, base. There is no compare-and-swap on any of them.

use super::create::title_fits;
use super::list::current;
use super::{body_fits, existing, pull, pull_mut};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::occurrence::Happening;
use crate::github::route::Context;
use crate::github::update::broken;

#[derive(serde::Deserialize)]
struct Changes {
    title: Option<String>,
    body: Option<String>,
    state: Option<String>,
    base: Option<String>,
}

pub(super) fn update(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let changes: Changes = context.body()?;
    check(&changes)?;
    let (state, caller) = (&mut *context.state, context.caller);
    let mut edited = false;
    if let Some(base) = &changes.base
        && *base != pull(state, number)?.base
    {
        let base_sha = new_base(state, number, base)?;
        let pull = pull_mut(state, number)?;
        (pull.base, pull.base_sha) = (base.clone(), base_sha);
        edited = true;
    }
    let pull = pull_mut(state, number)?;
    if let Some(title) = changes.title.filter(|title| *title != pull.title) {
        pull.title = title.trim().to_owned();
        edited = true;
    }
    if let Some(body) = changes.body.filter(|body| pull.body.as_ref() != Some(body)) {
        pull.body = Some(body);
        edited = true;
    }
    if edited {
        state.happened(caller, Happening::PullRequest { action: "edited", number, merged: false });
    }
    match changes.state.as_deref() {
        Some("closed") if state.pulls.get(&number).is_some_and(|pull| pull.open) => close(state, caller, number)?,
        Some("open") if state.pulls.get(&number).is_some_and(|pull| !pull.open) => reopen(context, number)?,
        _ => {}
    }
    Ok(ApiResponse::json(200, &current(context, number)?))
}

fn check(changes: &Changes) -> Result<(), ApiError> {
    if let Some(title) = &changes.title {
        if title.trim().is_empty() {
            return Err(ApiError::field("PullRequest", "title", "missing_field"));
        }
        title_fits(title)?;
    }
    body_fits(changes.body.as_deref())?;
    if changes.state.as_deref().is_some_and(|state| !matches!(state, "open" | "closed")) {
        return Err(ApiError::field("PullRequest", "state", "invalid"));
    }
    Ok(())
}

/// The tip of a base that a pull request may move to.
fn new_base(state: &crate::github::state::State, number: u64, base: &str) -> Result<gix::ObjectId, ApiError> {
    let pull = pull(state, number)?;
    if !pull.open {
        return Err(ApiError::validation("PullRequest", "Cannot change the base branch of a closed pull request."));
    }
    let missing = || ApiError::validation("PullRequest", format!("Proposed base branch '{base}' was not found"));
    let base_sha = state.store.reference(&format!("refs/heads/{base}")).ok_or_else(missing)?;
    if state.store.is_ancestor(pull.head_sha, base_sha) {
        let message = format!("There are no new commits between base branch '{base}' and head branch '{}'", pull.head);
        return Err(ApiError::validation("PullRequest", message));
    }
    if state.pulls.values().any(|other| other.open && other.same_head(pull) && other.base == base) {
        let message = format!("A pull request already exists for base branch '{base}' and head branch '{}'", pull.head);
        return Err(ApiError::validation("PullRequest", message));
    }
    Ok(base_sha)
}

/// Closes an open pull request without merging it.
pub(super) fn close(state: &mut crate::github::state::State, caller: &crate::github::actor::Caller, number: u64) -> Result<(), ApiError> {
    let now = state.clock.now();
    let pull = pull_mut(state, number)?;
    (pull.open, pull.closed, pull.mergeability) = (false, Some(now), None);
    drop_test_merge(state, number)?;
    state.happened(caller, Happening::PullRequest { action: "closed", number, merged: false });
    Ok(())
}

/// Removes `refs/pull/N/merge`.
pub(super) fn drop_test_merge(state: &crate::github::state::State, number: u64) -> Result<(), ApiError> {
    let name = format!("refs/pull/{number}/merge");
    if state.store.reference(&name).is_some() { state.store.delete_reference(&name).map_err(broken) } else { Ok(()) }
}

/// 422 when it was merged, when a branch is gone, or when the head was replaced meanwhile.
fn reopen(context: &mut Context<'_>, number: u64) -> Result<(), ApiError> {
    let state = &mut *context.state;
    let closed = pull(state, number)?;
    let refuse = |reason: String| ApiError::validation("PullRequest", format!("state cannot be changed. {reason}"));
    if closed.merged.is_some() {
        return Err(refuse("The pull request cannot be reopened.".to_owned()));
    }
    let tip = |branch: &str| state.store.reference(&format!("refs/heads/{branch}"));
    let head = state.store.reference(&closed.head_reference()).ok_or_else(|| refuse(format!("The {} branch has been deleted.", closed.head)))?;
    let base = tip(&closed.base).ok_or_else(|| refuse(format!("The {} branch has been deleted.", closed.base)))?;
    if !state.store.is_ancestor(closed.head_sha, head) {
        return Err(refuse(format!("The {} branch was force-pushed or recreated.", closed.head)));
    }
    if state.store.is_ancestor(head, base) {
        return Err(refuse(format!("There are no new commits on the {} branch.", closed.head)));
    }
    if state.pulls.values().any(|other| other.open && other.same_head(closed) && other.base == closed.base) {
        return Err(refuse(format!("There is already an open pull request from {} to {}.", closed.head, closed.base)));
    }
    let pull = pull_mut(state, number)?;
    (pull.open, pull.closed, pull.head_sha, pull.base_sha) = (true, None, head, base);
    state.store.set_reference(&format!("refs/pull/{number}/head"), head).map_err(broken)?;
    state.happened(context.caller, Happening::PullRequest { action: "reopened", number, merged: false });
    Ok(())
}
