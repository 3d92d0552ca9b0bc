//! Branches.

use percent_encoding::utf8_percent_encode;
use serde_json::json;

use super::PATH;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render;
use crate::github::route::Context;
use crate::github::rules;
use crate::github::update::broken;

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let name = context.parameter("branch")?;
    let not_found = || ApiError::new(404, "Branch not found");
    let id = state.store.reference(&format!("refs/heads/{name}")).ok_or_else(not_found)?;
    let commit = state.store.commit(id).ok_or_else(not_found)?;
    let encoded = utf8_percent_encode(name, PATH);
    let url = state.url(&format!("/branches/{encoded}"));
    Ok(ApiResponse::json(
        200,
        &json!({
            "name": name, "commit": render::commit(state, id, &commit), "_links": {"self": url, "html": state.html_url(&format!("/tree/{encoded}"))},
            "protected": rules::protects(state, name), "protection": {"enabled": false, "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []}},
            "protection_url": format!("{url}/protection"),
        }),
    ))
}

pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let branches = state.store.references("refs/heads/").map_err(broken)?;
    Ok(context.paged(&branches, |(name, id)| {
        let short = name.trim_start_matches("refs/heads/");
        json!({
            "name": short, "commit": {"sha": id.to_string(), "url": state.url(&format!("/commits/{id}"))}, "protected": rules::protects(state, short),
        })
    }))
}
