//! What must be true of a repository before the train can run: one finding for each thing that is not, with the click
//! or the line that mends it.

use serde::Serialize;

use crate::domain::branch::Collision;
use crate::domain::check::{Finding, Rule, Severity};
use crate::domain::configuration::MergeMethod;
use crate::domain::event::{Access, StageName, token_permissions};
use crate::domain::names::{BranchName, EnvironmentName};
use crate::domain::ruleset::{Change, Mode, drifted};

const DEFAULT_BRANCH: Rule =
    Rule { id: "preflight/default-branch", severity: Severity::Error, about: "The default branch, whose workflow files sign, is not the configured main." };
const BRANCH: Rule = Rule { id: "preflight/branch", severity: Severity::Error, about: "A branch of the train does not exist." };
const NAMES: Rule = Rule { id: "preflight/names", severity: Severity::Error, about: "Configured names cannot live side by side, or name nothing." };
const MERGE_METHODS: Rule =
    Rule { id: "preflight/merge-methods", severity: Severity::Error, about: "The repository does not allow a merge method that the train uses." };
const PERMISSION: Rule = Rule { id: "preflight/permission", severity: Severity::Error, about: "The token lacks a permission." };
const ENVIRONMENT: Rule = Rule {
    id: "preflight/environment",
    severity: Severity::Warning,
    about: "The environment that holds the secrets is missing or not limited to main, so every writer can sign.",
};
const ACTIONS_PULLS: Rule =
    Rule { id: "preflight/actions-pull-requests", severity: Severity::Error, about: "GitHub Actions may not create pull requests, and there is no App." };
const RULESETS: Rule = Rule { id: "preflight/rulesets", severity: Severity::Error, about: "The rules of branches and tags are not what they should be." };
/// The rule about workflow files, without which nothing starts. It is seen where events are: in a rehearsal.
pub const WORKFLOW: Rule = Rule {
    id: "preflight/workflow",
    severity: Severity::Error,
    about: "A stage does not start, because main lacks its workflow file or that file does not listen to the event.",
};
const UNKNOWN: Rule = Rule { id: "preflight/unknown", severity: Severity::Notice, about: "The token is not shown something, so it was not looked at." };

/// Every rule of the preflight.
pub const RULES: &[Rule] = &[DEFAULT_BRANCH, BRANCH, NAMES, MERGE_METHODS, PERMISSION, ENVIRONMENT, ACTIONS_PULLS, RULESETS, WORKFLOW, UNKNOWN];

/// Something GitHub was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen<T> {
    /// It answered.
    Is(T),
    /// It does not show it to this token.
    Hidden,
}

/// Which refs get at the secrets of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// There is none of this name.
    Absent,
    /// Every ref.
    Open,
    /// Every branch that some rule protects.
    Protected,
    /// The refs of these patterns.
    Patterns(Vec<String>),
}

/// What was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// As whom the train works.
    pub mode: Mode,
    /// `https://HOST/OWNER/NAME`: where people click.
    pub page: String,
    /// The default branch.
    pub default_branch: String,
    /// The configured main.
    pub main: BranchName,
    /// Branches of the train that do not exist, of integration and release.
    pub absent: Vec<String>,
    /// What the configuration's names run into.
    pub collisions: Vec<Collision>,
    /// How pull requests to main are merged.
    pub main_method: MergeMethod,
    /// Whether merge commits are allowed.
    pub merge_commits: Seen<bool>,
    /// Whether squash merges are allowed.
    pub squash_merges: Seen<bool>,
    /// The configured name of the environment.
    pub environment_name: EnvironmentName,
    /// The environment.
    pub environment: Seen<Environment>,
    /// Whether "Allow GitHub Actions to create and approve pull requests" is set.
    pub actions_may_open_pulls: Seen<bool>,
    /// The rulesets against what they should be.
    pub rulesets: Seen<Vec<Change>>,
    /// What GitHub refused for want of a permission.
    pub refused: Vec<Denied>,
}

/// A call that GitHub refused because the token may not make it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denied {
    /// Method and path, as the error names it.
    pub operation: String,
    /// GitHub's words.
    pub message: String,
    /// The permissions that would have done, where GitHub named them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// What is wrong, the worst first.
#[must_use]
pub fn plan(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    default_branch(facts, &mut findings);
    branches(facts, &mut findings);
    merge_methods(facts, &mut findings);
    findings.extend(facts.refused.iter().map(|denied| permission(denied, facts.mode)));
    environment(facts, &mut findings);
    actions(facts, &mut findings);
    rulesets(facts, &mut findings);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn default_branch(facts: &Facts, findings: &mut Vec<Finding>) {
    let (is, main) = (&facts.default_branch, &facts.main);
    if is != main.as_str() {
        let message = format!("the default branch is {is}, not {main}: whoever can push to {is} could sign as the train");
        let hint = format!("set it at {}/settings (General, Default branch), or write `branches: {{main: {is}}}` into .chartflow.yaml", facts.page);
        findings.push(Finding::new(&DEFAULT_BRANCH, message).hint(hint));
    }
}

fn branches(facts: &Facts, findings: &mut Vec<Finding>) {
    for collision in &facts.collisions {
        findings.push(Finding::new(&NAMES, collision.to_string()).at(".chartflow.yaml", None).hint(collision.hint()));
    }
    for branch in &facts.absent {
        let finding = Finding::new(&BRANCH, format!("branch {branch} does not exist"));
        findings.push(finding.hint(format!("`chartflow init` makes the branches of the train, or make it at {}/branches", facts.page)));
    }
}

fn merge_methods(facts: &Facts, findings: &mut Vec<Finding>) {
    let mut need = |seen: &Seen<bool>, what: &str, why: &str, box_name: &str| match seen {
        Seen::Is(true) => {}
        Seen::Is(false) => {
            let hint = format!("tick \"Allow {box_name}\" at {}/settings (General, Pull Requests)", facts.page);
            findings.push(Finding::new(&MERGE_METHODS, format!("{what} are not allowed, but {why}")).hint(hint));
        }
        Seen::Hidden => findings.push(Finding::new(&UNKNOWN, format!("whether {what} are allowed was not shown")).hint("ask with a token that may push")),
    };
    need(&facts.merge_commits, "merge commits", "promotions, the way back and releases are merged so", "merge commits");
    if facts.main_method == MergeMethod::Squash {
        need(&facts.squash_merges, "squash merges", "pull requests to main are merged so", "squash merging");
    }
}

/// A refused call, as the permission that is missing and where to give it.
#[must_use]
pub fn permission(denied: &Denied, mode: Mode) -> Finding {
    permission_of(None, denied, mode)
}

/// The same for a stage, which may need more of a permission than the refused call.
#[must_use]
pub fn permission_of(stage: Option<StageName>, denied: &Denied, mode: Mode) -> Finding {
    let Denied { operation, message, .. } = denied;
    if message.contains("is not permitted to") {
        let text = format!("{message} ({operation})");
        return Finding::new(&PERMISSION, text).hint(
            "tick \"Allow GitHub Actions to create and approve pull requests\" in the repository's settings (Actions, General), or give the train an App",
        );
    }
    let mut needs = needs(denied);
    let declared = stage.map(token_permissions).unwrap_or_default();
    for (key, access) in &mut needs {
        let whole = declared.iter().find(|(permission, _)| permission.api_key() == key).map(|(_, whole)| *whole);
        *access = (*access).max(whole.unwrap_or(*access));
    }
    if needs.is_empty() {
        return Finding::new(&PERMISSION, format!("GitHub refused {operation}: {message}"))
            .hint("give the token the permission that GitHub names for this call");
    }
    let listed: Vec<String> = needs.iter().map(|(key, access)| format!("{key}: {}", access.as_str())).collect();
    let text = format!("the token lacks {} ({operation}: {message})", listed.join(" and "));
    let clicks: Vec<String> = needs.iter().map(|(key, access)| format!("{} to \"{}\"", words(key), access.setting())).collect();
    let any = |keys: &[&str]| needs.iter().any(|(key, _)| keys.contains(&key.as_str()));
    let hint = match mode {
        Mode::App { id } if !any(&["administration"]) => {
            format!("set Repository permissions, {} in the settings of App {id}, and accept the change where it is installed", clicks.join(" and "))
        }
        Mode::WorkflowToken if any(&["workflows"]) => {
            "a workflow's own token can never move workflow files: bring them to the branch by a pull request of a person, or give the train an App".to_owned()
        }
        Mode::WorkflowToken if !any(&["administration"]) => {
            let lines: Vec<String> = needs.iter().map(|(key, access)| format!("  {}: {}", key.replace('_', "-"), access.as_str())).collect();
            format!("add to the workflow's job:\npermissions:\n{}", lines.join("\n"))
        }
        Mode::PersonalToken if !any(&["administration"]) => {
            format!("set Repository permissions, {} in the settings of the token, or use a classic token with the scope repo", clicks.join(" and "))
        }
        _ => format!("use a token of somebody who administers the repository, or a fine-grained token with {}", clicks.join(" and ")),
    };
    Finding::new(&PERMISSION, text).hint(hint)
}

/// A push that GitHub's container registry refused, as the permission that is missing. `said` are its words. `None` for
/// another registry and for other failures.
///
/// It takes the workflow's own token alone, whoever the train works as (GitHub documentation, "Working with the Container
/// registry"); a package that is there already must be linked to the repository besides.
#[must_use]
pub fn registry(repository: &str, said: &str) -> Option<Finding> {
    let host = repository.split('/').next().unwrap_or(repository);
    let words = said.to_lowercase();
    // The last are its own words, under whatever name it is reached.
    let ours = host == "ghcr.io" || host.starts_with("containers.") || words.contains("write_package");
    let denied = ["denied", "not authorized", "unauthorized", "authentication failure", "code: 401", "code: 403"].iter().any(|word| words.contains(word));
    (ours && denied).then(|| {
        let text = format!("the token lacks packages: write ({repository}: {said})");
        let hint = format!("add to the workflow's job:\npermissions:\n  packages: write\nand give the repository access in the settings of the package {repository}, if it is there already");
        Finding::new(&PERMISSION, text).hint(hint)
    })
}

/// What would have been needed: as GitHub named it with its answer (the first of its alternatives), else by the call.
fn needs(denied: &Denied) -> Vec<(String, Access)> {
    if denied.message.contains("`workflows` permission") {
        return vec![("workflows".to_owned(), Access::Write)];
    }
    let named = denied.accepted.as_deref().and_then(|accepted| accepted.split(';').next()).unwrap_or_default();
    let named: Vec<(String, Access)> = named
        .split(',')
        .filter_map(|one| one.trim().split_once('='))
        .filter(|(key, _)| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .map(|(key, access)| (key.to_owned(), if access == "read" { Access::Read } else { Access::Write }))
        .collect();
    if named.is_empty() { needed(&denied.operation).map(|(key, access)| (key.to_owned(), access)).into_iter().collect() } else { named }
}

/// What GitHub's settings call a permission.
fn words(key: &str) -> String {
    match key {
        "statuses" => "Commit statuses".to_owned(),
        key => {
            let mut text = key.replace('_', " ");
            if let Some(first) = text.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            text
        }
    }
}

/// The permission that a call needs, by its key in the REST API ("Permissions required for GitHub Apps").
#[must_use]
pub fn needed(operation: &str) -> Option<(&'static str, Access)> {
    let (method, target) = operation.split_once(' ')?;
    let access = if method == "GET" { Access::Read } else { Access::Write };
    let path = target.split('?').next().unwrap_or(target);
    let mut parts = path.trim_start_matches('/').split('/');
    // Calls are named with their repository or without.
    let mut first = parts.next()?;
    if first == "repos" {
        first = parts.nth(2)?;
    }
    let second = parts.next().unwrap_or_default();
    Some(match first {
        // A merge writes the base branch; updating a head branch does not need it.
        "pulls" if path.ends_with("/merge") || path.contains("/merge-async") => ("contents", access),
        "pulls" | "issues" => ("pull_requests", access),
        "commits" if path.ends_with("/pulls") => ("pull_requests", access),
        "commits" if path.ends_with("/status") => ("statuses", access),
        "statuses" => ("statuses", access),
        "attestations" => ("attestations", access),
        "git" | "contents" | "merges" | "compare" | "commits" | "releases" | "dispatches" => ("contents", access),
        "rulesets" if access == Access::Write => ("administration", access),
        "environments" if access == Access::Read => ("actions", access),
        "environments" => ("administration", access),
        "actions" if second == "permissions" => ("administration", access),
        "actions" => ("actions", access),
        _ => return None,
    })
}

fn environment(facts: &Facts, findings: &mut Vec<Finding>) {
    let (name, main, page) = (&facts.environment_name, &facts.main, &facts.page);
    let limit = format!("set its deployment branches to \"Selected branches and tags\" with the one pattern {main} at {page}/settings/environments");
    let (problem, hint) = match &facts.environment {
        Seen::Is(Environment::Patterns(patterns)) if patterns == std::slice::from_ref(&main.to_string()) => return,
        Seen::Hidden => {
            let finding = Finding::new(&UNKNOWN, format!("environment {name} was not shown"));
            findings.push(finding.hint(format!("see {page}/settings/environments, or ask with a token that has Actions: Read-only")));
            return;
        }
        Seen::Is(Environment::Absent) => ("does not exist".to_owned(), format!("make it at {page}/settings/environments, limited to the branch {main}")),
        Seen::Is(Environment::Open) => ("is open to every branch".to_owned(), limit),
        Seen::Is(Environment::Protected) => ("is open to every protected branch".to_owned(), limit),
        Seen::Is(Environment::Patterns(patterns)) if patterns.is_empty() => ("is open to no branch, so the train cannot sign".to_owned(), limit),
        Seen::Is(Environment::Patterns(patterns)) => (format!("is open to {}", patterns.join(", ")), limit),
    };
    let message = if problem.contains("cannot sign") {
        format!("environment {name} {problem}")
    } else {
        format!("environment {name} {problem}: every writer of the repository can sign as the train")
    };
    findings.push(Finding::new(&ENVIRONMENT, message).hint(hint));
}

fn actions(facts: &Facts, findings: &mut Vec<Finding>) {
    if facts.mode != Mode::WorkflowToken {
        return;
    }
    let box_name = "\"Allow GitHub Actions to create and approve pull requests\"";
    let place = format!("{}/settings/actions (Workflow permissions)", facts.page);
    match facts.actions_may_open_pulls {
        Seen::Is(true) => {}
        Seen::Is(false) => {
            let finding = Finding::new(&ACTIONS_PULLS, "GitHub Actions may not create pull requests, and every move of the train is one");
            findings.push(finding.hint(format!("tick {box_name} at {place}, or give the train an App")));
        }
        Seen::Hidden => {
            let finding = Finding::new(&UNKNOWN, "whether GitHub Actions may create pull requests was not shown");
            findings.push(finding.hint(format!("see that {box_name} is ticked at {place}")));
        }
    }
}

fn rulesets(facts: &Facts, findings: &mut Vec<Finding>) {
    let Seen::Is(changes) = &facts.rulesets else {
        findings.push(Finding::new(&UNKNOWN, "the rulesets were not shown").hint("ask with a token that may read the repository"));
        return;
    };
    if !drifted(changes) {
        return;
    }
    let names: Vec<&str> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Create { name, .. } | Change::Update { name, .. } | Change::Remove { name, .. } => Some(name.as_str()),
            Change::Unchanged { .. } | Change::Foreign { .. } => None,
        })
        .collect();
    let message = format!("these rulesets are not as they should be: {}", names.join(", "));
    findings.push(Finding::new(&RULESETS, message).hint("`chartflow rulesets apply` mends them"));
}

#[cfg(test)]
mod tests;
