//! The `pull_request` rule on a merge.

use std::collections::BTreeMap;

use chartflow_core::domain::ruleset::GITHUB_ACTIONS_APP;
use gix::ObjectId;

use super::MergeMethod;
use super::model::PullRequestParameters;
use super::owners;
use crate::github::actor::{Actor, Role};
use crate::github::pulls::{Pull, ReviewState};
use crate::github::state::State;

/// A merge that is judged.
pub(super) struct Review {
    pub(super) number: u64,
    pub(super) method: MergeMethod,
    pub(super) head: ObjectId,
}

/// Whether a reviewer's word counts: write access, and not the author. An App's approval does not count; that of the
/// workflow token does, which is why repositories can forbid it.
///
/// Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches#require-pull-request-reviews-before-merging>
fn counts(state: &State, pull: &Pull, reviewer: &Actor) -> bool {
    let role = state.actors.get(&reviewer.login).map_or(reviewer.role, |actor| actor.role);
    role >= Role::Write && reviewer.login != pull.author.login && reviewer.app.is_none_or(|app| app == GITHUB_ACTIONS_APP)
}

/// The last word of each reviewer whose word counts, and the commit it was said about. A remark takes nothing back.
fn last_words<'a>(state: &State, pull: &'a Pull) -> BTreeMap<&'a str, (ReviewState, ObjectId)> {
    let mut words = BTreeMap::new();
    for review in pull.reviews.iter().filter(|review| review.state != ReviewState::Commented && counts(state, pull, &review.author)) {
        words.insert(review.author.login.as_str(), (review.state, review.commit));
    }
    words
}

pub(super) fn broken(state: &State, parameters: &PullRequestParameters, review: &Review) -> Vec<String> {
    let Some(pull) = state.pulls.get(&review.number) else { return Vec::new() };
    let mut found = Vec::new();
    if !parameters.allowed_merge_methods.contains(&review.method) {
        // GitHub's words for this one are not published.
        let method = match review.method {
            MergeMethod::Merge => "Merge commits",
            MergeMethod::Squash => "Squash merges",
            MergeMethod::Rebase => "Rebase merges",
        };
        found.push(format!("{method} are not allowed on this branch."));
    }
    let words = last_words(state, pull);
    let approvals: Vec<&str> = words.iter().filter(|(_, (word, _))| *word == ReviewState::Approved).map(|(login, _)| *login).collect();
    let needed = parameters.required_approving_review_count;
    if approvals.len() < needed {
        let reviews = if needed == 1 { "review is" } else { "reviews are" };
        found.push(format!("At least {needed} approving {reviews} required by reviewers with write access."));
    }
    let against = words.values().filter(|(word, _)| *word == ReviewState::ChangesRequested).count();
    if needed > 0 && against > 0 {
        let reviews = if against == 1 { "review" } else { "reviews" };
        found.push(format!("{against} {reviews} requesting changes by reviewers with write access."));
    }
    // Who pushed last is not kept here, so an approval of the present head stands for it: nobody approves a head that
    // is still to be pushed.
    let of_head = words.values().any(|(word, commit)| *word == ReviewState::Approved && *commit == review.head);
    if parameters.require_last_push_approval && !of_head {
        found.push("New changes require approval from someone other than the last pusher.".to_owned());
    }
    if parameters.require_code_owner_review {
        found.extend(owners::missing(state, pull, &approvals));
    }
    found
}
