//! Opening a pull request.

use std::collections::BTreeSet;

use gix::ObjectId;
use serde_json::json;

use super::mergeability::State as Merging;
use super::model::fork_reference;
use super::{Pull, body_fits, pull, render};
use crate::github::actor::Actor;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::occurrence::Happening;
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::tokens;
use crate::github::update::broken;

/// The longest title, in characters.
pub(super) const TITLE_LIMIT: usize = 256;

#[derive(serde::Deserialize)]
struct NewPull {
    title: Option<String>,
    head: String,
    base: String,
    body: Option<String>,
    #[serde(default)]
    draft: bool,
}

/// 422 `Validation Failed` with GitHub's reasons: an unknown head or base, the same pull request again, nothing to
/// merge, histories without a common commit.
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let new: NewPull = context.body()?;
    tokens::may_handle_pulls(context.state, context.caller)?;
    let title =
        new.title.as_deref().map(str::trim).filter(|title| !title.is_empty()).ok_or_else(|| ApiError::field("PullRequest", "title", "missing_field"))?;
    title_fits(title)?;
    body_fits(new.body.as_deref())?;
    let state = &mut *context.state;
    let (fork, head) = match new.head.split_once(':') {
        Some((owner, branch)) if owner.eq_ignore_ascii_case(&state.settings.owner) => (None, branch.to_owned()),
        Some((owner, branch)) => (Some(owner.to_owned()), branch.to_owned()),
        None => (None, new.head.clone()),
    };
    let tip = |fork: Option<&String>, branch: &str| {
        state.store.reference(&fork.map_or_else(|| format!("refs/heads/{branch}"), |owner| fork_reference(owner, branch)))
    };
    let (head_sha, base_sha) = (tip(fork.as_ref(), &head), tip(None, &new.base));
    let (Some(head_sha), Some(base_sha)) = (head_sha, base_sha) else {
        let mut refusal = ApiError::new(422, "Validation Failed");
        for (field, commit) in [("head", head_sha), ("base", base_sha)] {
            if commit.is_none() {
                refusal = refusal.with_error(json!({"resource": "PullRequest", "field": field, "code": "invalid"}));
            }
        }
        return Err(refusal);
    };
    if state.pulls.values().any(|pull| pull.open && pull.head == head && pull.fork == fork && pull.base == new.base) {
        let owner = fork.as_ref().unwrap_or(&state.settings.owner);
        return Err(ApiError::validation("PullRequest", format!("A pull request already exists for {owner}:{head}.")));
    }
    something_to_merge(state, &new.base, base_sha, &head, head_sha)?;

    let title = title.to_owned();
    let number = add(state, context.caller.actor.clone(), NewPull { title: Some(title), head, ..new }, fork, head_sha, base_sha);
    state.store.set_reference(&format!("refs/pull/{number}/head"), head_sha).map_err(broken)?;
    state.happened(context.caller, Happening::PullRequest { action: "opened", number, merged: false });
    let body = render::full(state, pull(state, number)?, Merging::Unknown, "unknown")?;
    let location = state.url(&format!("/pulls/{number}"));
    Ok(ApiResponse::json(201, &body).with_header("location", location))
}

/// Numbers a pull request and keeps it.
fn add(state: &mut State, author: Actor, new: NewPull, fork: Option<String>, head_sha: ObjectId, base_sha: ObjectId) -> u64 {
    let number = state.pulls.keys().next_back().map_or(1, |last| last + 1);
    let now = state.clock.now();
    let made = Pull {
        number,
        id: state.number(),
        title: new.title.unwrap_or_default(),
        body: new.body,
        author,
        head: new.head,
        fork,
        head_sha,
        base: new.base,
        base_sha,
        open: true,
        draft: new.draft,
        merged: None,
        labels: BTreeSet::new(),
        reviews: Vec::new(),
        comments: Vec::new(),
        requested: BTreeSet::new(),
        mergeability: None,
        created: now,
        updated: now,
        closed: None,
    };
    state.pulls.insert(number, made);
    number
}

pub(super) fn title_fits(title: &str) -> Result<(), ApiError> {
    if title.chars().count() <= TITLE_LIMIT {
        return Ok(());
    }
    let message = format!("title is too long (maximum is {TITLE_LIMIT} characters)");
    Err(ApiError::new(422, "Validation Failed").with_error(json!({"resource": "Issue", "code": "custom", "field": "title", "message": message})))
}

/// 422 when the head brings no commit, or none that has anything to do with the base.
fn something_to_merge(state: &State, base: &str, base_sha: ObjectId, head: &str, head_sha: ObjectId) -> Result<(), ApiError> {
    if state.store.is_ancestor(head_sha, base_sha) {
        return Err(ApiError::validation("PullRequest", format!("No commits between {base} and {head}")));
    }
    if state.store.merge_base(base_sha, head_sha).is_none() {
        return Err(ApiError::validation("PullRequest", format!("The {head} branch has no history in common with {base}")));
    }
    Ok(())
}
