//! What a moved branch means for pull requests.

use gix::ObjectId;

use super::edit::{close, drop_test_merge};
use super::{Merged, ReviewState, pull_mut};
use crate::github::actor::Caller;
use crate::github::http::ApiError;
use crate::github::occurrence::Happening;
use crate::github::rules::{self, MergeMethod, Via};
use crate::github::state::State;
use crate::github::update::broken;

/// Carries on after `branch` moved to `after` (`None`: was deleted).
///
/// The head of an open pull request follows its branch (`synchronize`); a pull request whose head or base is deleted is
/// closed; one whose commits reach the base by a push counts as merged.
/// Source: <https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges#indirect-merges>
pub(crate) fn follow(state: &mut State, caller: &Caller, branch: &str, after: Option<ObjectId>, via: Via) -> Result<(), ApiError> {
    let merging = if let Via::Merge { number, .. } = via { Some(number) } else { None };
    let open: Vec<(u64, bool, bool)> = state
        .pulls
        .values()
        .filter(|pull| pull.open && Some(pull.number) != merging)
        .map(|pull| (pull.number, pull.is_from(branch), pull.base == branch))
        .filter(|(_, head, base)| *head || *base)
        .collect();
    for (number, is_head, _) in open {
        match after {
            None => close(state, caller, number)?,
            Some(after) if is_head => synchronize(state, caller, number, after)?,
            Some(after) => base_moved(state, caller, number, after)?,
        }
    }
    Ok(())
}

/// Carries on after a branch of a fork moved.
pub(crate) fn follow_fork(state: &mut State, caller: &Caller, owner: &str, branch: &str, after: ObjectId) -> Result<(), ApiError> {
    let moved = |pull: &&super::Pull| pull.open && pull.fork.as_deref() == Some(owner) && pull.head == branch;
    let open: Vec<u64> = state.pulls.values().filter(moved).map(|pull| pull.number).collect();
    open.into_iter().try_for_each(|number| synchronize(state, caller, number, after))
}

fn synchronize(state: &mut State, caller: &Caller, number: u64, head: ObjectId) -> Result<(), ApiError> {
    state.store.set_reference(&format!("refs/pull/{number}/head"), head).map_err(broken)?;
    let pull = pull_mut(state, number)?;
    (pull.head_sha, pull.mergeability) = (head, None);
    let base = pull.base.clone();
    state.happened(caller, Happening::PullRequest { action: "synchronize", number, merged: false });
    if rules::dismisses_stale_reviews(state, &base) {
        let mut dismissed = Vec::new();
        for review in pull_mut(state, number)?.reviews.iter_mut().filter(|review| review.state == ReviewState::Approved) {
            review.state = ReviewState::Dismissed;
            dismissed.push(review.id);
        }
        for review in dismissed {
            state.happened(caller, Happening::Review { action: "dismissed", number, review });
        }
    }
    Ok(())
}

fn base_moved(state: &mut State, caller: &Caller, number: u64, base: ObjectId) -> Result<(), ApiError> {
    let head = super::pull(state, number)?.head_sha;
    if !state.store.is_ancestor(head, base) {
        // `updated_at` tells of the pull request, not of its base.
        if let Some(pull) = state.pulls.get_mut(&number) {
            pull.base_sha = base;
        }
        return Ok(());
    }
    let now = state.clock.now();
    let pull = pull_mut(state, number)?;
    pull.merged = Some(Merged { by: caller.actor.clone(), at: now, commit: base, method: MergeMethod::Merge });
    (pull.open, pull.closed, pull.mergeability) = (false, Some(now), None);
    drop_test_merge(state, number)?;
    state.happened(caller, Happening::PullRequest { action: "closed", number, merged: true });
    Ok(())
}
