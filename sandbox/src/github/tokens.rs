//! Tokens: who calls, and what the call may do.

use std::collections::{BTreeMap, BTreeSet};

use chartflow_core::port::transport::Method;
use gix::ObjectId;
use serde_json::json;

use super::Hub;
use super::actor::{Caller, Level, Role, TokenKind};
use super::apps;
use super::http::{ApiError, ApiRequest, ApiResponse};
use super::route::{Context, Need, Route, read, write};
use super::state::State;

/// The directory whose files only a token with `workflows: write` may create or change.
const WORKFLOWS: &str = ".github/workflows";

/// The tokens there are, and what the repository lets the workflow token do.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_secret: BTreeMap<String, Issued>,
    /// "Allow GitHub Actions to create and approve pull requests": off unless switched on.
    actions_handle_pulls: bool,
    /// Whether a job without `permissions:` gets a token that may write.
    default_write: bool,
}

/// A caller, and when its token ends.
#[derive(Debug)]
struct Issued {
    caller: Caller,
    ends: Option<i64>,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/actions/permissions/workflow",
        operation: "actions/get-github-actions-default-workflow-permissions-repository",
        needs: &[read("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/actions/permissions#get-default-workflow-permissions-for-a-repository",
        handler: get_settings,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/actions/permissions/workflow",
        operation: "actions/set-github-actions-default-workflow-permissions-repository",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/actions/permissions#set-default-workflow-permissions-for-a-repository",
        handler: set_settings,
    },
];

impl Tokens {
    /// Lets `secret` speak for a caller.
    pub(crate) fn issue(&mut self, secret: &str, caller: Caller) {
        self.by_secret.insert(secret.to_owned(), Issued { caller, ends: None });
    }

    /// Lets `secret` speak for a caller until a moment, in seconds since 1970-01-01T00:00:00Z.
    pub(crate) fn issue_until(&mut self, secret: &str, caller: Caller, ends: i64) {
        self.by_secret.insert(secret.to_owned(), Issued { caller, ends: Some(ends) });
    }

    /// Takes a token back.
    pub(crate) fn revoke(&mut self, secret: &str) {
        self.by_secret.remove(secret);
    }
}

impl Hub {
    /// Takes a token back, as when the job it was made for has ended. It is answered with 401 from now on.
    pub fn revoke_token(&self, secret: &str) {
        self.lock().tokens.revoke(secret);
    }

    /// Switches "Allow GitHub Actions to create and approve pull requests".
    pub fn let_actions_handle_pulls(&self, allowed: bool) {
        self.lock().tokens.actions_handle_pulls = allowed;
    }
}

/// The caller behind the `authorization` header (`Bearer X` or `token X`).
///
/// 401 `Bad credentials` for an unknown token and 401 `Requires authentication` without one.
/// Source: <https://docs.github.com/rest/authentication/authenticating-to-the-rest-api#failed-login-limit>
pub(crate) fn authenticate(state: &State, request: &ApiRequest) -> Result<Caller, ApiError> {
    let header = request.header("authorization").ok_or_else(|| ApiError::new(401, "Requires authentication"))?;
    let secret = header.split_once(' ').map_or(header, |(_, secret)| secret.trim());
    if apps::is_jwt(secret) {
        return apps::identify(state, secret);
    }
    let valid = state.tokens.by_secret.get(secret).filter(|issued| issued.ends.is_none_or(|ends| state.clock.now() < ends));
    valid.map(|issued| issued.caller.clone()).ok_or_else(|| ApiError::new(401, "Bad credentials"))
}

/// Whether the caller may use the operation.
///
/// A bot's token needs one of the operation's permissions, else 403 `Resource not accessible by integration` with the
/// permissions that would do. A person is judged by role: 403 where an administrator is needed, 404 where write access
/// is.
/// Sources: <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible>,
/// <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource>
pub(crate) fn authorize(state: &State, caller: &Caller, route: &Route) -> Result<(), ApiError> {
    apps::authorize(caller, route)?;
    let Some(permissions) = &caller.permissions else {
        return person_may(state, caller, route);
    };
    // Every installation can read metadata.
    let granted = |need: &Need| *need == read("metadata") || permissions.get(need.permission).is_some_and(|level| *level >= need.level);
    if route.needs.is_empty() || route.needs.iter().any(granted) {
        return Ok(());
    }
    let names: Vec<String> =
        route.needs.iter().map(|need| format!("{}={}", need.permission, if need.level == Level::Write { "write" } else { "read" })).collect();
    let refusal = ApiError::new(403, "Resource not accessible by integration");
    Err(if state.settings.enterprise { refusal } else { refusal.with_header("x-accepted-github-permissions", names.join("; ")) })
}

/// The lowest role that satisfies a need.
///
/// Source: <https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization#permissions-for-each-role>
fn role_for(need: &Need) -> Role {
    match (need.permission, need.level) {
        ("administration", _) => Role::Admin,
        // Anybody may open pull requests and comment.
        ("pull_requests" | "issues", _) | (_, Level::Read) => Role::Read,
        (_, Level::Write) => Role::Write,
    }
}

fn person_may(state: &State, caller: &Caller, route: &Route) -> Result<(), ApiError> {
    let role = state.actors.get(&caller.actor.login).map_or(caller.actor.role, |actor| actor.role);
    match route.needs.iter().map(role_for).min() {
        None => Ok(()),
        Some(needed) if role >= needed => Ok(()),
        Some(Role::Admin) => Err(ApiError::new(403, "Must have admin rights to Repository.")),
        Some(_) => Err(ApiError::not_found()),
    }
}

/// Whether the caller may write contents: drafts of releases are shown to nobody else.
pub(crate) fn may_write_contents(state: &State, caller: &Caller) -> bool {
    match &caller.permissions {
        Some(permissions) => permissions.get("contents").is_some_and(|level| *level == Level::Write),
        None => state.actors.get(&caller.actor.login).map_or(caller.actor.role, |actor| actor.role) >= Role::Write,
    }
}

/// Whether the caller's token may change workflow files. A workflow token can never get that permission.
pub(crate) fn may_write_workflows(caller: &Caller) -> bool {
    match (&caller.permissions, caller.kind) {
        (_, TokenKind::Workflow) => false,
        (None, _) => true,
        (Some(permissions), _) => permissions.get("workflows").is_some_and(|level| *level == Level::Write),
    }
}

/// The workflow files of a commit: name and blob.
pub(crate) fn workflow_files(state: &State, commit: ObjectId) -> BTreeMap<String, ObjectId> {
    let commit = state.store.peel(commit).and_then(|(commit, _)| state.store.commit(commit));
    commit.map(|commit| workflow_files_in(state, commit.tree)).unwrap_or_default()
}

/// The workflow files of a commit's tree: name and blob.
pub(crate) fn workflow_files_in(state: &State, tree: ObjectId) -> BTreeMap<String, ObjectId> {
    let found = state.store.at_path(tree, WORKFLOWS);
    let entries = found.and_then(|(_, tree)| state.store.tree(tree)).map(|tree| tree.entries).unwrap_or_default();
    entries.into_iter().filter(|entry| entry.mode.is_blob()).map(|entry| (entry.filename.to_string(), entry.oid)).collect()
}

/// Whether the caller's token may move a ref from `before` to `after` as far as `.github/workflows` is concerned.
///
/// What counts is what is new: commits that a branch has already change nothing. A fast forward is compared with where
/// the ref was; a new or rewritten ref with every branch. 403 in the words that GitHub answers a push and a merge with.
/// Source: <https://docs.github.com/rest/git/refs#create-a-reference> (`workflows` permission); reported as
/// <https://github.com/KeisukeYamashita/auto-pull-request-merge/issues/481>
pub(crate) fn may_move_workflows(state: &State, caller: &Caller, before: Option<ObjectId>, after: ObjectId) -> Result<(), ApiError> {
    if may_write_workflows(caller) {
        return Ok(());
    }
    let new = workflow_files(state, after);
    let changed =
        |known: &BTreeSet<(String, ObjectId)>| new.iter().find(|(name, blob)| !known.contains(&((*name).clone(), **blob))).map(|(name, _)| name.clone());
    let mut known: BTreeSet<(String, ObjectId)> = before.map(|before| workflow_files(state, before)).unwrap_or_default().into_iter().collect();
    if changed(&known).is_none() {
        return Ok(());
    }
    let branches: Vec<ObjectId> = state.store.references("refs/heads/").unwrap_or_default().into_iter().map(|(_, tip)| tip).collect();
    let commit = state.store.peel(after).map_or(after, |(commit, _)| commit);
    let forward = before.is_some_and(|before| state.store.is_ancestor(before, commit));
    if !forward {
        if branches.iter().any(|tip| state.store.is_ancestor(commit, *tip)) {
            return Ok(());
        }
        known.extend(branches.iter().flat_map(|tip| workflow_files(state, *tip)));
    }
    match changed(&known) {
        None => Ok(()),
        Some(name) => {
            let message = format!("refusing to allow a GitHub App to create or update workflow `{WORKFLOWS}/{name}` without `workflows` permission");
            Err(ApiError::new(403, message))
        }
    }
}

/// Whether the caller may open or approve pull requests: 403 `GitHub Actions is not permitted to create or approve pull
/// requests.` for the workflow token unless the setting is on.
///
/// Source: <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/enabling-features-for-your-repository/managing-github-actions-settings-for-a-repository>
pub(crate) fn may_handle_pulls(state: &State, caller: &Caller) -> Result<(), ApiError> {
    if caller.kind == TokenKind::Workflow && !state.tokens.actions_handle_pulls {
        return Err(ApiError::new(403, "GitHub Actions is not permitted to create or approve pull requests."));
    }
    Ok(())
}

fn get_settings(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let tokens = &context.state.tokens;
    let default = if tokens.default_write { "write" } else { "read" };
    Ok(ApiResponse::json(200, &json!({"default_workflow_permissions": default, "can_approve_pull_request_reviews": tokens.actions_handle_pulls})))
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum DefaultPermissions {
    Read,
    Write,
}

#[derive(serde::Deserialize)]
struct Settings {
    default_workflow_permissions: Option<DefaultPermissions>,
    can_approve_pull_request_reviews: Option<bool>,
}

fn set_settings(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let settings: Settings = context.body()?;
    let tokens = &mut context.state.tokens;
    if let Some(default) = settings.default_workflow_permissions {
        tokens.default_write = matches!(default, DefaultPermissions::Write);
    }
    if let Some(allowed) = settings.can_approve_pull_request_reviews {
        tokens.actions_handle_pulls = allowed;
    }
    Ok(ApiResponse::empty(204))
}
