//! The rules of the four tiers and the release tags, as GitHub rulesets.
//!
//! GitHub keeps one bypass list per ruleset, so a tier whose rules are bypassed by different people is several
//! rulesets here. Shapes: REST API, "Rules" (`repos/{owner}/{repo}/rulesets`), API version 2022-11-28.

mod pattern;
mod plan;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::branch::Names;
use super::configuration::{Configuration, MergeMethod};
use super::names::BranchName;

pub use pattern::{applies, covers};
pub use plan::{Change, Difference, drifted, plan, report};

/// What every ruleset of ours is called first; a ruleset of another name is never touched.
pub const NAME_PREFIX: &str = "chartflow: ";

/// The App id of GitHub Actions, as whom the workflow token sets statuses (documented value of `integration_id`).
pub const GITHUB_ACTIONS_APP: u64 = 15_368;

/// The id of the repository role "admin" among a ruleset's bypass actors (REST API, "Create a repository ruleset").
pub const ADMIN_ROLE: u64 = 5;

/// As whom the train works on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An installed GitHub App: its statuses cannot be forged, and what it does starts workflows.
    App {
        /// The App's id, which status checks are pinned to.
        id: u64,
    },
    /// The token of the workflow run alone: every writer of the repository can set its statuses.
    WorkflowToken,
    /// A token given by hand, which is a person's: what it does starts workflows, and every writer can set its statuses.
    PersonalToken,
}

impl Mode {
    /// The App that a required status is pinned to; none can be for a person.
    #[must_use]
    pub const fn status_app(self) -> Option<u64> {
        match self {
            Self::App { id } => Some(id),
            Self::WorkflowToken => Some(GITHUB_ACTIONS_APP),
            Self::PersonalToken => None,
        }
    }
}

/// The branches and tags that rules and events speak about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    /// The default branch.
    pub main: BranchName,
    /// Where contributions are collected.
    pub integration: BranchName,
    /// The pattern of the branches that carry one chart each, e.g. `integration-*`.
    pub charts: String,
    /// The served Helm repository.
    pub release: BranchName,
    /// The pattern of the release tags, e.g. `*-v*`.
    pub tags: String,
    /// How pull requests are merged into main.
    pub main_method: MergeMethod,
}

/// One of the four branches a pull request of the train can aim at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Contributions.
    Integration,
    /// One chart's own branch.
    Chart,
    /// The default branch.
    Main,
    /// The served repository.
    Release,
}

impl Tier {
    /// All of them, in the order a change passes them.
    pub const ALL: [Self; 4] = [Self::Integration, Self::Chart, Self::Main, Self::Release];

    /// The commit status that this tier demands of a pull request's head.
    #[must_use]
    pub const fn required_status(self) -> &'static str {
        match self {
            Self::Integration => "chartflow/validate",
            Self::Chart => "chartflow/enforce",
            Self::Main => "chartflow/main",
            Self::Release => "chartflow/release",
        }
    }
}

impl From<&Configuration> for Tiers {
    fn from(configuration: &Configuration) -> Self {
        Self { main_method: configuration.merge.main, ..Self::from(&Names::new(configuration)) }
    }
}

/// The names alone, for events, which do not ask how pull requests are merged: the merge method is the default one.
impl From<&Names> for Tiers {
    fn from(names: &Names) -> Self {
        Self {
            main: names.main().clone(),
            integration: names.integration().clone(),
            charts: names.chart_pattern(),
            release: names.release().clone(),
            tags: names.tag_pattern(),
            main_method: MergeMethod::default(),
        }
    }
}

impl Tiers {
    /// The branch name or pattern of a tier.
    #[must_use]
    pub fn pattern(&self, tier: Tier) -> &str {
        match tier {
            Tier::Integration => self.integration.as_str(),
            Tier::Chart => &self.charts,
            Tier::Main => self.main.as_str(),
            Tier::Release => self.release.as_str(),
        }
    }

    /// The tier a branch (without `refs/heads/`) belongs to. The three fixed names win over the pattern.
    #[must_use]
    pub fn tier(&self, branch: &str) -> Option<Tier> {
        [Tier::Integration, Tier::Main, Tier::Release]
            .into_iter()
            .find(|tier| self.pattern(*tier) == branch)
            .or_else(|| covers(&self.charts, branch).then_some(Tier::Chart))
    }
}

fn rule(kind: &str) -> Value {
    json!({ "type": kind })
}

/// The `pull_request` rule: what "nobody pushes" is; an `update` rule without bypass would refuse merges too.
fn pull_request(approvals: u64, methods: &[&str]) -> Value {
    json!({
        "type": "pull_request",
        "parameters": {
            "allowed_merge_methods": methods,
            "dismiss_stale_reviews_on_push": false,
            "require_code_owner_review": false,
            "require_last_push_approval": false,
            "required_approving_review_count": approvals,
            "required_review_thread_resolution": false,
        }
    })
}

fn required_status(tier: Tier, mode: Mode, strict: bool, free_creation: bool) -> Value {
    let mut check = json!({ "context": tier.required_status() });
    if let Some(app) = mode.status_app() {
        check["integration_id"] = json!(app);
    }
    json!({
        "type": "required_status_checks",
        "parameters": {
            "do_not_enforce_on_create": free_creation,
            "required_status_checks": [check],
            "strict_required_status_checks_policy": strict,
        }
    })
}

fn ruleset(name: &str, target: &str, include: &str, bypass: &[Value], rules: &[Value]) -> Value {
    let prefix = if target == "tag" { "refs/tags/" } else { "refs/heads/" };
    json!({
        "name": format!("{NAME_PREFIX}{name}"),
        "target": target,
        "enforcement": "active",
        "bypass_actors": bypass,
        "conditions": { "ref_name": { "include": [format!("{prefix}{include}")], "exclude": [] } },
        "rules": rules,
    })
}

/// The rulesets a repository should have, each as the body of `POST /repos/{owner}/{repo}/rulesets`.
#[must_use]
pub fn desired(tiers: &Tiers, mode: Mode) -> Vec<Value> {
    let admin = json!({ "actor_id": ADMIN_ROLE, "actor_type": "RepositoryRole", "bypass_mode": "always" });
    let app = |bypass_mode: &str| match mode {
        Mode::App { id } => Some(json!({ "actor_id": id, "actor_type": "Integration", "bypass_mode": bypass_mode })),
        Mode::WorkflowToken | Mode::PersonalToken => None,
    };
    let every_method = ["merge", "squash", "rebase"];
    let mut main_review = pull_request(1, &[tiers.main_method.as_str()]);
    main_review["parameters"]["dismiss_stale_reviews_on_push"] = json!(true);
    // `.github/**` and the configuration decide who signs; CODEOWNERS names who may change them.
    main_review["parameters"]["require_code_owner_review"] = json!(true);
    let integration = tiers.integration.as_str();
    let main = tiers.main.as_str();

    let mut rulesets = vec![
        ruleset(
            "integration",
            "branch",
            integration,
            std::slice::from_ref(&admin),
            &[rule("deletion"), rule("non_fast_forward"), pull_request(0, &every_method), required_status(Tier::Integration, mode, false, false)],
        ),
        // Apart, so that the App can merge the way back, which no person needs to read, without being able to push.
        ruleset(
            "integration review",
            "branch",
            integration,
            &std::iter::once(admin.clone()).chain(app("pull_request")).collect::<Vec<_>>(),
            &[pull_request(1, &every_method)],
        ),
        ruleset("chart branches", "branch", &tiers.charts, &[], &[pull_request(0, &["merge"]), required_status(Tier::Chart, mode, true, true)]),
        ruleset("main", "branch", main, &[admin], &[rule("non_fast_forward"), main_review, required_status(Tier::Main, mode, false, false)]),
        ruleset("main deletion", "branch", main, &[], &[rule("deletion")]),
        ruleset(
            "release",
            "branch",
            tiers.release.as_str(),
            &[],
            &[rule("deletion"), rule("non_fast_forward"), pull_request(0, &["merge"]), required_status(Tier::Release, mode, true, false)],
        ),
        ruleset("tags", "tag", &tiers.tags, &[], &[rule("update"), rule("deletion"), rule("non_fast_forward")]),
    ];
    // Without an App nobody could be let through a creation rule; a taken tag name is then skipped with a warning.
    if let Some(app) = app("always") {
        rulesets.push(ruleset("tag creation", "tag", &tiers.tags, &[app], &[rule("creation")]));
    }
    rulesets
}
