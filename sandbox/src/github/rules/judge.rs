//! Which rules a change breaks.

use chartflow_core::domain::ruleset::ADMIN_ROLE;

use super::model::{ActorType, Body, Bypass, BypassMode, Rule};
use super::pull_rules::{self, Review};
use super::status_rules;
use super::{Attempt, MergeMethod, Via};
use crate::github::actor::{Caller, Role, TokenKind};
use crate::github::state::State;

/// The rules that a change breaks, in GitHub's words; empty when it may happen.
///
/// A ref operation answers 422, a merge 405, both with `Repository rule violations found` and one line each. Every
/// ruleset that covers the ref is judged by itself, so that the strictest of several rules of one kind decides.
pub(crate) fn violations(state: &State, caller: &Caller, attempt: &Attempt<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for ruleset in state.rules.rulesets.values() {
        if !ruleset.body.covers(attempt.reference, &state.settings.default_branch) || bypasses(caller, &ruleset.body, attempt.via) {
            continue;
        }
        for rule in &ruleset.body.rules {
            for violation in broken(state, attempt, rule) {
                if !found.contains(&violation) {
                    found.push(violation);
                }
            }
        }
    }
    if let Some(violation) = frozen(state, attempt) {
        found.push(violation);
    }
    found
}

/// The tag of an immutable release cannot move or go, whoever asks.
///
/// Source: <https://docs.github.com/code-security/supply-chain-security/understanding-your-software-supply-chain/immutable-releases>
fn frozen(state: &State, attempt: &Attempt<'_>) -> Option<String> {
    let tag = attempt.reference.strip_prefix("refs/tags/")?;
    (attempt.before.is_some() && state.releases.freezes(tag)).then(|| format!("Cannot update or delete tag {tag}: it belongs to an immutable release"))
}

fn is_actor(caller: &Caller, bypass: &Bypass) -> bool {
    let person = caller.kind == TokenKind::Person;
    match bypass.actor_type {
        ActorType::Integration => !person && caller.actor.app.is_some() && caller.actor.app == bypass.actor_id,
        ActorType::User => caller.actor.id == bypass.actor_id.unwrap_or_default(),
        ActorType::OrganizationAdmin => person && caller.actor.role == Role::Admin,
        // Source of the numbers: REST API, "Create a repository ruleset", `actor_id`.
        ActorType::RepositoryRole => {
            person
                && match bypass.actor_id {
                    Some(ADMIN_ROLE) => caller.actor.role >= Role::Admin,
                    Some(2) => caller.actor.role >= Role::Maintain,
                    Some(4) => caller.actor.role >= Role::Write,
                    _ => false,
                }
        }
        // Nobody here belongs to a team or uses a deploy key.
        ActorType::Team | ActorType::DeployKey => false,
    }
}

fn bypass_mode(caller: &Caller, body: &Body) -> Option<BypassMode> {
    body.bypass_actors.iter().filter(|bypass| is_actor(caller, bypass)).map(|bypass| bypass.bypass_mode).max()
}

/// Whether a caller may do what the rules forbid: `pull_request` holds for direct merges alone.
///
/// Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/creating-rulesets-for-a-repository#granting-bypass-permissions-for-your-branch-or-tag-ruleset>
fn bypasses(caller: &Caller, body: &Body, via: Via) -> bool {
    match bypass_mode(caller, body) {
        Some(BypassMode::Always | BypassMode::Exempt) => true,
        Some(BypassMode::PullRequest) => matches!(via, Via::Merge { .. }),
        None => false,
    }
}

/// `current_user_can_bypass` of a ruleset.
pub(super) fn own_bypass(caller: &Caller, body: &Body) -> &'static str {
    match bypass_mode(caller, body) {
        Some(BypassMode::Always) => "always",
        Some(BypassMode::Exempt) => "exempt",
        Some(BypassMode::PullRequest) => "pull_requests_only",
        None => "never",
    }
}

fn broken(state: &State, attempt: &Attempt<'_>, rule: &Rule) -> Vec<String> {
    let kind = if attempt.reference.starts_with("refs/tags/") { "tag" } else { "branch" };
    let (created, deleted) = (attempt.before.is_none(), attempt.after.is_none());
    let says = |holds: bool, text: &str| if holds { vec![text.to_owned()] } else { Vec::new() };
    match rule {
        Rule::Creation => says(created, "Cannot create ref due to creations being restricted."),
        Rule::Update(_) => match attempt.via {
            // Without a bypass the rule refuses merges too (reported: "The base branch does not allow updates").
            Via::Merge { .. } => says(true, "The base branch does not allow updates."),
            Via::Push => says(!created && !deleted, "Cannot update this protected ref."),
        },
        Rule::Deletion => says(deleted, &format!("Cannot delete this {kind}")),
        Rule::NonFastForward => says(attempt.forced, &format!("Cannot force-push to this {kind}")),
        Rule::RequiredLinearHistory => says(brings_merges(state, attempt), "This branch must not contain merge commits."),
        Rule::PullRequest(parameters) => match attempt.via {
            // Creating and deleting the branch are rules of their own.
            Via::Push => says(!created && !deleted, "Changes must be made through a pull request."),
            Via::Merge { number, method, head } => pull_rules::broken(state, parameters, &Review { number, method, head }),
        },
        Rule::RequiredStatusChecks(parameters) => status_rules::broken(state, parameters, attempt),
    }
}

fn brings_merges(state: &State, attempt: &Attempt<'_>) -> bool {
    match attempt.via {
        Via::Merge { method, .. } => method == MergeMethod::Merge,
        Via::Push => attempt.after.is_some_and(|after| {
            let new = state.store.history(after, attempt.before, 250).unwrap_or_default();
            new.iter().filter_map(|id| state.store.commit(*id)).any(|commit| commit.parents.len() > 1)
        }),
    }
}

fn rules_of<'a>(state: &'a State, branch: &str) -> impl Iterator<Item = &'a Rule> {
    let reference = format!("refs/heads/{branch}");
    state.rules.rulesets.values().filter(move |ruleset| ruleset.body.covers(&reference, &state.settings.default_branch)).flat_map(|ruleset| &ruleset.body.rules)
}

/// Whether a push to the head of a pull request into `base` dismisses its approvals
/// (`dismiss_stale_reviews_on_push`).
pub(crate) fn dismisses_stale_reviews(state: &State, base: &str) -> bool {
    rules_of(state, base).any(|rule| matches!(rule, Rule::PullRequest(parameters) if parameters.dismiss_stale_reviews_on_push))
}

/// Whether any active rule speaks about a branch (`protected` in the branches operations).
pub(crate) fn protects(state: &State, branch: &str) -> bool {
    rules_of(state, branch).next().is_some()
}
