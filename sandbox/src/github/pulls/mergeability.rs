//! Whether a pull request can be merged, found out in the background.

use gix::ObjectId;

use super::{Mergeability, pull, pull_mut};
use crate::github::actor::Caller;
use crate::github::data::GITHUB;
use crate::github::http::ApiError;
use crate::github::rules::{self, Attempt, MergeMethod, Via};
use crate::github::state::State as Hub;
use crate::github::store::{Commit, Merge, Signature};
use crate::github::update::broken;

/// What a reader of a pull request learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing yet, or it is closed.
    Unknown,
    /// It can be merged as far as git is concerned.
    Clean,
    /// It cannot.
    Conflict,
}

/// What is known when somebody asks. Asking starts the search, so the first answer after a change is
/// [`State::Unknown`] and the next is not.
pub(super) fn ask(state: &mut Hub, number: u64) -> Result<State, ApiError> {
    let pull = pull(state, number)?;
    if !pull.open {
        return Ok(State::Unknown);
    }
    match &pull.mergeability {
        Some(known) if known.head == pull.head_sha && known.base == pull.base_sha => {
            Ok(if known.test_merge.is_some() { State::Clean } else { State::Conflict })
        }
        _ => {
            find_out(state, number)?;
            Ok(State::Unknown)
        }
    }
}

/// Makes the test merge and `refs/pull/N/merge`.
fn find_out(state: &mut Hub, number: u64) -> Result<(), ApiError> {
    let pull = pull(state, number)?;
    let (head, base) = (pull.head_sha, pull.base_sha);
    let test_merge = match state.store.merge(base, head).map_err(broken)? {
        Merge::Conflict => None,
        Merge::Clean(tree) => {
            let signature = Signature { name: GITHUB.0.to_owned(), email: GITHUB.1.to_owned(), seconds: state.clock.now(), offset: 0 };
            let message = format!("Merge {head} into {base}");
            let commit = Commit { tree, parents: vec![base, head], author: signature.clone(), committer: signature, message };
            let id = state.store.write_commit(&commit).map_err(broken)?;
            state.store.set_reference(&format!("refs/pull/{number}/merge"), id).map_err(broken)?;
            Some(id)
        }
    };
    // What GitHub finds out by itself is no change of the pull request, so `updated` stays.
    let updated = state.pulls.get(&number).map(|pull| pull.updated);
    let pull = pull_mut(state, number)?;
    pull.mergeability = Some(Mergeability { head, base, test_merge });
    pull.updated = updated.unwrap_or(pull.updated);
    Ok(())
}

/// `mergeable_state`: `unknown`, `dirty` (a conflict), `draft`, `blocked` (by a rule) or `clean`.
pub(super) fn description(state: &Hub, caller: &Caller, number: u64, merging: State) -> Result<&'static str, ApiError> {
    let pull = pull(state, number)?;
    Ok(match merging {
        State::Unknown => "unknown",
        State::Conflict => "dirty",
        State::Clean if pull.draft => "draft",
        State::Clean => {
            let blocked = !violations(state, caller, number, pull.head_sha, MergeMethod::Merge)?.is_empty();
            if blocked { "blocked" } else { "clean" }
        }
    })
}

/// The rules that the merge of a pull request would break now.
pub(super) fn violations(state: &Hub, caller: &Caller, number: u64, head: ObjectId, method: MergeMethod) -> Result<Vec<String>, ApiError> {
    let pull = pull(state, number)?;
    let reference = format!("refs/heads/{}", pull.base);
    let via = Via::Merge { number, method, head };
    let attempt = Attempt { reference: &reference, before: state.store.reference(&reference), after: Some(head), forced: false, via };
    Ok(rules::violations(state, caller, &attempt))
}
