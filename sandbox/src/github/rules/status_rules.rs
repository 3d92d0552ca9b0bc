//! The `required_status_checks` rule. It is about the ref, so it holds for pushes and for merges.

use super::model::{RequiredStatus, StatusParameters};
use super::{Attempt, Via};
use crate::github::state::State;

/// What is wrong with one required status, as GitHub's sentence ends.
fn problem(state: &State, required: &RequiredStatus, commit: gix::ObjectId) -> Option<&'static str> {
    match state.statuses.newest(commit, &required.context, required.integration_id) {
        None => Some("expected"),
        Some("success") => None,
        Some("pending") => Some("pending"),
        Some(_) => Some("failing"),
    }
}

/// A head that does not contain the base's tip counts as one whose checks are still expected (as reported: "2 of 2
/// required status checks are expected" for a green, outdated head).
///
/// Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets#require-status-checks-to-pass-before-merging>
pub(super) fn broken(state: &State, parameters: &StatusParameters, attempt: &Attempt<'_>) -> Vec<String> {
    let Some(after) = attempt.after else { return Vec::new() };
    if attempt.before.is_none() && parameters.do_not_enforce_on_create {
        return Vec::new();
    }
    let commit = match attempt.via {
        Via::Merge { head, .. } => head,
        Via::Push => after,
    };
    let outdated = parameters.strict_required_status_checks_policy
        && matches!(attempt.via, Via::Merge { .. })
        && attempt.before.is_some_and(|base| !state.store.is_ancestor(base, commit));
    let problems: Vec<(&str, &'static str)> = parameters
        .required_status_checks
        .iter()
        .filter_map(|required| {
            let problem = if outdated { Some("expected") } else { problem(state, required, commit) };
            problem.map(|problem| (required.context.as_str(), problem))
        })
        .collect();
    let total = parameters.required_status_checks.len();
    match problems[..] {
        [] => Vec::new(),
        [(context, problem)] if total == 1 => vec![format!("Required status check \"{context}\" is {problem}.")],
        ref several if several.iter().all(|(_, problem)| *problem == "expected") => {
            vec![format!("{} of {total} required status checks are expected.", several.len())]
        }
        ref several => {
            let count = |wanted: &str| several.iter().filter(|(_, problem)| *problem == wanted).count();
            let parts: Vec<String> =
                ["expected", "pending", "failing"].iter().filter(|wanted| count(wanted) > 0).map(|wanted| format!("{} {wanted}", count(wanted))).collect();
            vec![format!("{} of {total} required status checks have not succeeded: {}.", several.len(), parts.join(" and "))]
        }
    }
}
