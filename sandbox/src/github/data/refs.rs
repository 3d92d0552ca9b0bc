//! Refs. A non-forced update is the only compare-and-swap there is: it must be a fast forward.

use gix::ObjectId;
use gix::objs::Kind;
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use super::{created, not_empty};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render::{node_id, target};
use crate::github::repository::PATH;
use crate::github::route::Context;
use crate::github::rules::Via;
use crate::github::state::State;
use crate::github::update::{Update, broken, update as change};

#[derive(serde::Deserialize)]
struct NewRef {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
}

#[derive(serde::Deserialize)]
struct Move {
    sha: String,
    #[serde(default)]
    force: bool,
}

/// 422 `Reference already exists`, `Object does not exist`, `Reference update failed` (a directory in the way, or a ref
/// GitHub keeps for itself).
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let new: NewRef = context.body()?;
    let valid = new.name.starts_with("refs/") && new.name.matches('/').count() >= 2 && gix::validate::reference::name(new.name.as_str().into()).is_ok();
    if !valid {
        return Err(ApiError::unprocessable(format!("{} is not a valid ref name.", new.name)));
    }
    let id = existing_object(context.state, &new.sha)?;
    writable(&new.name)?;
    points_well(context.state, &new.name, id)?;
    if context.state.store.reference(&new.name).is_some() {
        return Err(ApiError::unprocessable("Reference already exists"));
    }
    change(context.state, context.caller, Update { reference: &new.name, after: Some(id), via: Via::Push })?;
    Ok(created(&render(context.state, &new.name, id)))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let name = full_name(context)?;
    let id = context.state.store.reference(&name).ok_or_else(ApiError::not_found)?;
    Ok(ApiResponse::json(200, &render(context.state, &name, id)))
}

pub(super) fn matching(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let prefix = full_name(context)?;
    let found = context.state.store.references(&prefix).map_err(broken)?;
    let body: Vec<Value> = found.iter().map(|(name, id)| render(context.state, name, *id)).collect();
    Ok(ApiResponse::json(200, &Value::Array(body)))
}

/// 422 `Reference does not exist` (not 404), `Object does not exist`, `Update is not a fast forward`.
pub(super) fn update(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let moved: Move = context.body()?;
    let name = full_name(context)?;
    let before = context.state.store.reference(&name).ok_or_else(|| ApiError::unprocessable("Reference does not exist"))?;
    let after = existing_object(context.state, &moved.sha)?;
    writable(&name)?;
    points_well(context.state, &name, after)?;
    if !moved.force && before != after && !context.state.store.is_ancestor(before, after) {
        return Err(ApiError::unprocessable("Update is not a fast forward"));
    }
    change(context.state, context.caller, Update { reference: &name, after: Some(after), via: Via::Push })?;
    Ok(ApiResponse::json(200, &render(context.state, &name, after)))
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let name = full_name(context)?;
    if context.state.store.reference(&name).is_none() {
        return Err(ApiError::unprocessable("Reference does not exist"));
    }
    writable(&name)?;
    if name.strip_prefix("refs/heads/") == Some(context.state.settings.default_branch.as_str()) {
        // `receive.denyDeleteCurrent` of git: HEAD's branch stays.
        return Err(ApiError::unprocessable("Reference update failed"));
    }
    change(context.state, context.caller, Update { reference: &name, after: None, via: Via::Push })?;
    Ok(ApiResponse::empty(204))
}

/// The path has the name without `refs/`.
fn full_name(context: &Context<'_>) -> Result<String, ApiError> {
    Ok(format!("refs/{}", context.parameter("ref")?))
}

fn existing_object(state: &State, sha: &str) -> Result<ObjectId, ApiError> {
    if sha.len() != 40 {
        return Err(ApiError::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f]."));
    }
    state.store.object(sha).ok_or_else(|| ApiError::unprocessable("Object does not exist"))
}

/// GitHub keeps `refs/pull/*` for itself.
///
/// Source: <https://docs.github.com/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally#error-failed-to-push-some-refs>
fn writable(name: &str) -> Result<(), ApiError> {
    if name.starts_with("refs/pull/") { Err(ApiError::unprocessable("Reference update failed")) } else { Ok(()) }
}

/// git lets branches point at commits only.
fn points_well(state: &State, name: &str, id: ObjectId) -> Result<(), ApiError> {
    let commit = state.store.kind(id) == Some(Kind::Commit);
    if name.starts_with("refs/heads/") && !commit { Err(ApiError::unprocessable("Reference update failed")) } else { Ok(()) }
}

fn render(state: &State, name: &str, id: ObjectId) -> Value {
    let kind = state.store.kind(id).unwrap_or(Kind::Commit);
    let url = state.url(&format!("/git/{}", utf8_percent_encode(name, PATH)));
    json!({"ref": name, "node_id": node_id("Ref", name), "url": url, "object": target(state, id, kind)})
}
