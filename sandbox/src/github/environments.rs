//! Deployment environments: which refs get at an environment's secrets.
//!
//! Source: <https://docs.github.com/rest/deployments/environments>

use std::collections::BTreeMap;

use chartflow_core::domain::ruleset::covers;
use chartflow_core::port::transport::Method;
use serde_json::{Value, json};

use super::Hub;
use super::clock::timestamp;
use super::http::{ApiError, ApiResponse};
use super::render::node_id;
use super::route::{Context, Route, read, write};
use super::rules;
use super::state::State;

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Environments {
    by_name: BTreeMap<String, Environment>,
}

#[derive(Debug, Clone)]
struct Environment {
    id: u64,
    policy: Policy,
    patterns: Vec<Pattern>,
    created: i64,
    updated: i64,
}

/// Which refs may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Every,
    Protected,
    Custom,
}

#[derive(Debug, Clone)]
struct Pattern {
    id: u64,
    name: String,
    tag: bool,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/environments",
        operation: "repos/get-all-environments",
        needs: &[read("actions")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/deployments/environments#list-environments",
        handler: list,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/environments/{environment_name}",
        operation: "repos/get-environment",
        needs: &[read("actions")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/deployments/environments#get-an-environment",
        handler: get,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/environments/{environment_name}",
        operation: "repos/create-or-update-environment",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/deployments/environments#create-or-update-an-environment",
        handler: put,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies",
        operation: "repos/list-deployment-branch-policies",
        needs: &[read("actions")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/deployments/branch-policies#list-deployment-branch-policies",
        handler: list_policies,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/environments/{environment_name}/deployment-branch-policies",
        operation: "repos/create-deployment-branch-policy",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/deployments/branch-policies#create-a-deployment-branch-policy",
        handler: add_policy,
    },
];

impl Hub {
    /// Whether a job that runs on a ref gets an environment's secrets. A pull request's runs are on
    /// `refs/pull/N/merge`, which no branch policy names.
    ///
    /// Source: <https://docs.github.com/actions/deployment/targeting-different-environments/using-environments-for-deployment#deployment-branches-and-tags>
    #[must_use]
    pub fn environment_admits(&self, name: &str, reference: &str) -> bool {
        let state = self.lock();
        let Some(environment) = state.environments.by_name.get(name) else { return false };
        let branch = reference.strip_prefix("refs/heads/");
        match environment.policy {
            Policy::Every => true,
            Policy::Protected => branch.is_some_and(|branch| rules::protects(&state, branch)),
            Policy::Custom => environment.patterns.iter().any(|pattern| {
                let short = if pattern.tag { reference.strip_prefix("refs/tags/") } else { branch };
                short.is_some_and(|short| covers(&pattern.name, short))
            }),
        }
    }
}

fn render(state: &State, name: &str, environment: &Environment) -> Value {
    let id = environment.id;
    let policy = match environment.policy {
        Policy::Every => Value::Null,
        policy => json!({"protected_branches": policy == Policy::Protected, "custom_branch_policies": policy == Policy::Custom}),
    };
    let rules =
        if environment.policy == Policy::Every { json!([]) } else { json!([{"id": id + 1, "node_id": node_id("GateRule", id + 1), "type": "branch_policy"}]) };
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    json!({
        "id": id, "node_id": node_id("Environment", id), "name": name, "url": state.url(&format!("/environments/{encoded}")),
        "html_url": state.html_url(&format!("/deployments/activity_log?environments_filter={encoded}")),
        "created_at": timestamp(environment.created), "updated_at": timestamp(environment.updated),
        "protection_rules": rules, "deployment_branch_policy": policy,
    })
}

fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let all: Vec<Value> = state.environments.by_name.iter().map(|(name, environment)| render(state, name, environment)).collect();
    let page = context.page();
    let shown: Vec<&Value> = all.iter().skip(page.size.saturating_mul(page.number - 1)).take(page.size).collect();
    let body = json!({"total_count": all.len(), "environments": shown});
    Ok(context.linked(ApiResponse::json(200, &body), page, all.len()))
}

fn found<'a>(context: &'a Context<'_>) -> Result<(&'a str, &'a Environment), ApiError> {
    let name = context.parameter("environment_name")?;
    context.state.environments.by_name.get(name).map(|environment| (name, environment)).ok_or_else(ApiError::not_found)
}

fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let (name, environment) = found(context)?;
    Ok(ApiResponse::json(200, &render(context.state, name, environment)))
}

#[derive(serde::Deserialize)]
struct Asked {
    deployment_branch_policy: Option<AskedPolicy>,
}

#[derive(serde::Deserialize)]
struct AskedPolicy {
    protected_branches: bool,
    custom_branch_policies: bool,
}

/// 422 when the two kinds of branch policies are not opposites.
fn put(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let name = context.parameter("environment_name")?.to_owned();
    let asked: Asked = context.body()?;
    let policy = match asked.deployment_branch_policy {
        None => Policy::Every,
        Some(AskedPolicy { protected_branches: true, custom_branch_policies: false }) => Policy::Protected,
        Some(AskedPolicy { protected_branches: false, custom_branch_policies: true }) => Policy::Custom,
        Some(_) => return Err(ApiError::unprocessable("'protected_branches' and 'custom_branch_policies' cannot have the same value")),
    };
    let state = &mut *context.state;
    let now = state.clock.now();
    let id = state.number();
    // The number after it is the rule's.
    state.number();
    let environment = state.environments.by_name.entry(name.clone()).or_insert(Environment { id, policy, patterns: Vec::new(), created: now, updated: now });
    (environment.policy, environment.updated) = (policy, now);
    if policy != Policy::Custom {
        environment.patterns.clear();
    }
    let environment = environment.clone();
    Ok(ApiResponse::json(200, &render(state, &name, &environment)))
}

fn pattern(pattern: &Pattern) -> Value {
    json!({
        "id": pattern.id, "node_id": node_id("DeploymentBranchPolicy", pattern.id), "name": pattern.name,
        "type": if pattern.tag { "tag" } else { "branch" },
    })
}

fn list_policies(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let (_, environment) = found(context)?;
    let shown: Vec<Value> = environment.patterns.iter().map(pattern).collect();
    Ok(ApiResponse::json(200, &json!({"total_count": shown.len(), "branch_policies": shown})))
}

#[derive(serde::Deserialize)]
struct NewPolicy {
    name: String,
    #[serde(default, rename = "type")]
    kind: PolicyKind,
}

#[derive(Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum PolicyKind {
    #[default]
    Branch,
    Tag,
}

/// 303 for one that is there; 404 unless the environment has custom branch policies.
fn add_policy(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let name = context.parameter("environment_name")?.to_owned();
    let new: NewPolicy = context.body()?;
    let id = context.state.number();
    let environment = context.state.environments.by_name.get_mut(&name).filter(|environment| environment.policy == Policy::Custom);
    let environment = environment.ok_or_else(ApiError::not_found)?;
    let tag = new.kind == PolicyKind::Tag;
    if environment.patterns.iter().any(|pattern| pattern.name == new.name && pattern.tag == tag) {
        return Ok(ApiResponse::empty(303));
    }
    let added = Pattern { id, name: new.name, tag };
    let body = pattern(&added);
    environment.patterns.push(added);
    Ok(ApiResponse::json(200, &body))
}
