//! What a ruleset is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MergeMethod;

/// The rulesets of the repository.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(super) rulesets: BTreeMap<u64, Ruleset>,
}

/// A ruleset.
#[derive(Debug, Clone)]
pub(super) struct Ruleset {
    pub(super) id: u64,
    pub(super) body: Body,
    pub(super) created: i64,
    pub(super) updated: i64,
}

/// What a caller writes of a ruleset.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    pub(super) name: String,
    #[serde(default)]
    pub(super) target: Target,
    pub(super) enforcement: Enforcement,
    #[serde(default)]
    pub(super) bypass_actors: Vec<Bypass>,
    #[serde(default)]
    pub(super) conditions: Conditions,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
}

/// What kind of refs a ruleset is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Target {
    #[default]
    Branch,
    Tag,
}

/// Whether a ruleset is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Enforcement {
    Disabled,
    Active,
    Evaluate,
}

/// Who may do what the rules forbid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bypass {
    #[serde(default)]
    pub(super) actor_id: Option<u64>,
    pub(super) actor_type: ActorType,
    #[serde(default)]
    pub(super) bypass_mode: BypassMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ActorType {
    Integration,
    OrganizationAdmin,
    RepositoryRole,
    Team,
    DeployKey,
    User,
}

/// When.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BypassMode {
    /// On merges of pull requests alone.
    PullRequest,
    /// Always, with an entry in the audit log.
    #[default]
    Always,
    /// Always, without.
    Exempt,
}

/// Which refs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Conditions {
    #[serde(default)]
    pub(super) ref_name: RefName,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct RefName {
    #[serde(default)]
    pub(super) include: Vec<String>,
    #[serde(default)]
    pub(super) exclude: Vec<String>,
}

/// The rules that are enforced here. A rule of another type is refused when it is created: none is accepted and then
/// ignored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", content = "parameters", rename_all = "snake_case")]
pub(super) enum Rule {
    Creation,
    Update(Option<UpdateParameters>),
    Deletion,
    RequiredLinearHistory,
    NonFastForward,
    PullRequest(PullRequestParameters),
    RequiredStatusChecks(StatusParameters),
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct UpdateParameters {
    #[serde(default)]
    pub(super) update_allows_fetch_and_merge: bool,
}

fn every_method() -> Vec<MergeMethod> {
    vec![MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PullRequestParameters {
    #[serde(default = "every_method")]
    pub(super) allowed_merge_methods: Vec<MergeMethod>,
    pub(super) dismiss_stale_reviews_on_push: bool,
    pub(super) require_code_owner_review: bool,
    pub(super) require_last_push_approval: bool,
    pub(super) required_approving_review_count: usize,
    pub(super) required_review_thread_resolution: bool,
    #[serde(default)]
    pub(super) required_reviewers: Vec<Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StatusParameters {
    #[serde(default)]
    pub(super) do_not_enforce_on_create: bool,
    pub(super) required_status_checks: Vec<RequiredStatus>,
    pub(super) strict_required_status_checks_policy: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RequiredStatus {
    pub(super) context: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) integration_id: Option<u64>,
}

impl Body {
    /// Whether it is in force and about a ref.
    pub(super) fn covers(&self, reference: &str, default_branch: &str) -> bool {
        let Ok(ruleset) = serde_json::to_value(self) else { return false };
        self.enforcement == Enforcement::Active && chartflow_core::domain::ruleset::applies(&ruleset, reference, default_branch)
    }
}
