//! The one way a ref changes: rules, tokens, git, what follows for pull requests, and the record of it.

use gix::ObjectId;

use super::actor::Caller;
use super::http::ApiError;
use super::occurrence::Happening;
use super::pulls;
use super::rules::{self, Attempt, Via};
use super::state::State;
use super::tokens;

/// A ref that is about to change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update<'a> {
    /// The ref's full name.
    pub(crate) reference: &'a str,
    /// Where it shall point; `None` deletes it.
    pub(crate) after: Option<ObjectId>,
    /// How.
    pub(crate) via: Via,
}

/// Changes a ref for a caller after the rules were asked.
///
/// 422 `Reference update failed` when a ref of a longer or shorter path is in the way; 422 (a merge: 405)
/// `Repository rule violations found` when a rule is broken; 403 when the token may not move workflow files.
pub(crate) fn update(state: &mut State, caller: &Caller, update: Update<'_>) -> Result<(), ApiError> {
    let before = state.store.reference(update.reference);
    if before == update.after {
        return Ok(());
    }
    let forced = match (before, update.after) {
        (Some(before), Some(after)) => !state.store.is_ancestor(before, after),
        _ => false,
    };
    let attempt = Attempt { reference: update.reference, before, after: update.after, forced, via: update.via };
    refuse(&rules::violations(state, caller, &attempt), update.via)?;
    if let Some(after) = update.after {
        tokens::may_move_workflows(state, caller, before, after)?;
        if before.is_none() && state.store.colliding(update.reference).map_err(broken)?.is_some() {
            return Err(ApiError::unprocessable("Reference update failed"));
        }
        state.store.set_reference(update.reference, after).map_err(broken)?;
    } else {
        state.store.delete_reference(update.reference).map_err(broken)?;
    }
    state.happened(caller, Happening::Push { reference: update.reference.to_owned(), before, after: update.after, forced });
    match update.reference.strip_prefix("refs/heads/") {
        Some(branch) => pulls::follow(state, caller, branch, update.after, update.via),
        None => Ok(()),
    }
}

/// The refusal of a change that breaks rules.
///
/// Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets>
pub(crate) fn refuse(violations: &[String], via: Via) -> Result<(), ApiError> {
    if violations.is_empty() {
        return Ok(());
    }
    let status = if matches!(via, Via::Merge { .. }) { 405 } else { 422 };
    Err(ApiError::new(status, format!("Repository rule violations found\n\n{}", violations.join("\n\n"))))
}

/// The server's own failure: 500 with the causes.
pub(crate) fn broken(error: impl std::error::Error) -> ApiError {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    ApiError::new(500, message)
}
