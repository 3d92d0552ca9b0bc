//! Rulesets over the API.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::judge;
use super::model::{ActorType, Body, Rule, Ruleset, Target};
use crate::github::actor::{Caller, Level, Role};
use crate::github::clock::timestamp;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render::node_id;
use crate::github::route::Context;
use crate::github::state::State;

/// GitHub Actions' own App.
const ACTIONS: u64 = chartflow_core::domain::ruleset::GITHUB_ACTIONS_APP;

/// Whether a caller may write rulesets; only then it is shown who may bypass them.
///
/// Source: <https://docs.github.com/rest/repos/rules#get-a-repository-ruleset>
fn may_write(caller: &Caller) -> bool {
    match &caller.permissions {
        Some(permissions) => permissions.get("administration").is_some_and(|level| *level == Level::Write),
        None => caller.actor.role == Role::Admin,
    }
}

/// The entry of a list: without conditions, rules and bypass list.
fn short(state: &State, caller: &Caller, ruleset: &Ruleset) -> Value {
    let id = ruleset.id;
    json!({
        "id": id, "name": ruleset.body.name, "target": ruleset.body.target, "source_type": "Repository",
        "source": state.settings.full_name(), "enforcement": ruleset.body.enforcement, "node_id": node_id("RepositoryRuleset", id),
        "current_user_can_bypass": judge::own_bypass(caller, &ruleset.body),
        "_links": {
            "self": {"href": state.url(&format!("/rulesets/{id}"))},
            "html": {"href": state.html_url(&format!("/rules/{id}"))},
        },
        "created_at": timestamp(ruleset.created), "updated_at": timestamp(ruleset.updated),
    })
}

/// A rule as GitHub writes it: without `parameters` where there are none.
fn rule(rule: &Rule) -> Value {
    let value = serde_json::to_value(rule).unwrap_or_default();
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into(),
        other => other,
    }
}

fn full(state: &State, caller: &Caller, ruleset: &Ruleset) -> Value {
    let mut body = short(state, caller, ruleset);
    body["conditions"] = json!(ruleset.body.conditions);
    body["rules"] = ruleset.body.rules.iter().map(rule).collect();
    if may_write(caller) {
        body["bypass_actors"] = json!(ruleset.body.bypass_actors);
    }
    body
}

/// 422 for what GitHub does not take.
fn check(state: &State, id: Option<u64>, body: &Body) -> Result<(), ApiError> {
    let refuse = |message: &str| Err(ApiError::validation("RepositoryRuleset", message));
    if body.name.trim().is_empty() {
        return refuse("Name can't be blank");
    }
    if state.rules.rulesets.values().any(|other| Some(other.id) != id && other.body.name == body.name) {
        return refuse("Name must be unique");
    }
    for actor in &body.bypass_actors {
        // Reported for repositories that a person owns.
        if !state.settings.organization && actor.actor_type == ActorType::Integration && actor.actor_id == Some(ACTIONS) {
            return refuse("Actor GitHub Actions integration must be part of the ruleset source or owner organization");
        }
    }
    if body.target == Target::Tag && body.rules.iter().any(|rule| matches!(rule, Rule::PullRequest(_))) {
        return refuse("Invalid rule 'pull_request': Rule is not applicable to tags");
    }
    let kinds: HashSet<_> = body.rules.iter().map(std::mem::discriminant).collect();
    if kinds.len() != body.rules.len() {
        return refuse("Rules must be unique");
    }
    Ok(())
}

pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let rulesets: Vec<&Ruleset> = state.rules.rulesets.values().collect();
    Ok(context.paged(&rulesets, |ruleset| short(state, context.caller, ruleset)))
}

fn found<'a>(context: &'a Context<'_>) -> Result<&'a Ruleset, ApiError> {
    let id = context.number("ruleset_id")?;
    context.state.rules.rulesets.get(&id).ok_or_else(ApiError::not_found)
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let ruleset = found(context)?;
    Ok(ApiResponse::json(200, &full(context.state, context.caller, ruleset)))
}

fn stored(context: &mut Context<'_>, status: u16, ruleset: Ruleset) -> ApiResponse {
    let answer = full(context.state, context.caller, &ruleset);
    context.state.rules.rulesets.insert(ruleset.id, ruleset);
    ApiResponse::json(status, &answer)
}

/// 422 for a name that is taken, a rule that is not enforced here, and a body of the wrong shape.
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let body: Body = context.body()?;
    check(context.state, None, &body)?;
    let now = context.state.clock.now();
    let ruleset = Ruleset { id: context.state.number(), body, created: now, updated: now };
    Ok(stored(context, 201, ruleset))
}

/// What is not given stays as it is.
pub(super) fn update(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut ruleset = found(context)?.clone();
    let given: Map<String, Value> = context.body()?;
    let mut whole = serde_json::to_value(&ruleset.body).unwrap_or_default();
    for (key, value) in given {
        whole[key] = value;
    }
    ruleset.body = serde_json::from_value(whole).map_err(|problem| ApiError::unprocessable(format!("Invalid request.\n\n{problem}.")))?;
    check(context.state, Some(ruleset.id), &ruleset.body)?;
    ruleset.updated = context.state.clock.now();
    Ok(stored(context, 200, ruleset))
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = found(context)?.id;
    context.state.rules.rulesets.remove(&id);
    Ok(ApiResponse::empty(204))
}

/// The rules in force for a branch, whether it exists or not, whoever may bypass them.
pub(super) fn branch(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let reference = format!("refs/heads/{}", context.parameter("branch")?);
    let state = &*context.state;
    let mut rules = Vec::new();
    for ruleset in state.rules.rulesets.values().filter(|ruleset| ruleset.body.covers(&reference, &state.settings.default_branch)) {
        for one in &ruleset.body.rules {
            let mut entry = rule(one);
            entry["ruleset_source_type"] = json!("Repository");
            entry["ruleset_source"] = json!(state.settings.full_name());
            entry["ruleset_id"] = json!(ruleset.id);
            rules.push(entry);
        }
    }
    Ok(context.paged(&rules, Clone::clone))
}
