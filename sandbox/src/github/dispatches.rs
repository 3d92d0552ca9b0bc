//! `repository_dispatch` and `workflow_dispatch`.

use chartflow_core::port::transport::Method;
use serde_json::{Map, Value, json};

use super::events;
use super::http::{ApiError, ApiResponse};
use super::occurrence::Happening;
use super::route::{Context, Route, write};

/// The longest `event_type`, in characters.
const TYPE_LIMIT: usize = 100;
/// The most top-level properties of a `client_payload`.
const PROPERTY_LIMIT: usize = 10;
/// A `client_payload` must be smaller than this many bytes.
const PAYLOAD_LIMIT: usize = 64 * 1024;
/// The most inputs of a `workflow_dispatch`.
const INPUT_LIMIT: usize = 25;
/// The longest inputs of a `workflow_dispatch` together, in characters.
const INPUTS_LIMIT: usize = 65_535;

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/dispatches",
        operation: "repos/create-dispatch-event",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event",
        handler: repository,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
        operation: "actions/create-workflow-dispatch",
        needs: &[write("actions")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/actions/workflows#create-a-workflow-dispatch-event",
        handler: workflow,
    },
];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryDispatch {
    event_type: String,
    #[serde(default)]
    client_payload: Map<String, Value>,
}

/// 422 for a type of more than 100 characters and a payload of more than 10 properties or 64 KB.
fn repository(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let RepositoryDispatch { event_type, client_payload } = context.body()?;
    let length = event_type.chars().count();
    if length == 0 || length > TYPE_LIMIT {
        return Err(ApiError::unprocessable(format!("Invalid request.\n\nevent_type must be between 1 and {TYPE_LIMIT} characters.")));
    }
    if client_payload.len() > PROPERTY_LIMIT {
        let message = format!("Invalid request.\n\nNo more than {PROPERTY_LIMIT} properties are allowed; {} were supplied.", client_payload.len());
        return Err(ApiError::unprocessable(message));
    }
    let payload = Value::Object(client_payload);
    if payload.to_string().len() >= PAYLOAD_LIMIT {
        return Err(ApiError::unprocessable("client_payload is too large."));
    }
    context.state.happened(context.caller, Happening::RepositoryDispatch { event_type, payload });
    Ok(ApiResponse::empty(204))
}

#[derive(serde::Deserialize)]
struct WorkflowDispatch {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    inputs: Map<String, Value>,
    #[serde(default)]
    return_run_details: bool,
}

/// 404 for a workflow that the default branch does not have; 422 for an unknown ref, a file there that does not listen to
/// `workflow_dispatch`, and too many or too long inputs.
fn workflow(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let name = context.parameter("workflow_id")?.to_owned();
    let asked: WorkflowDispatch = context.body()?;
    let state = &mut *context.state;
    let default = state.store.reference(&format!("refs/heads/{}", state.settings.default_branch));
    if !default.is_some_and(|tip| events::has_workflow(state, tip, &name)) {
        return Err(ApiError::not_found());
    }
    let short = asked.reference.strip_prefix("refs/").unwrap_or(&asked.reference);
    let candidates = [format!("refs/heads/{short}"), format!("refs/tags/{short}"), format!("refs/{short}")];
    let found = candidates.iter().find_map(|name| state.store.reference(name).map(|id| (name.clone(), id)));
    let Some((reference, commit)) = found else {
        return Err(ApiError::unprocessable(format!("No ref found for: {}", asked.reference)));
    };
    if !events::listens(state, commit, &name, "workflow_dispatch") {
        return Err(ApiError::unprocessable("Workflow does not have 'workflow_dispatch' trigger"));
    }
    if asked.inputs.len() > INPUT_LIMIT {
        return Err(ApiError::unprocessable(format!("you may only define up to {INPUT_LIMIT} `inputs` for a `workflow_dispatch` event")));
    }
    let inputs = Value::Object(asked.inputs);
    if inputs.to_string().chars().count() > INPUTS_LIMIT {
        return Err(ApiError::unprocessable("inputs are too large."));
    }
    state.happened(context.caller, Happening::WorkflowDispatch { workflow: name, reference, inputs });
    if !asked.return_run_details {
        return Ok(ApiResponse::empty(204));
    }
    let run = state.number();
    let url = format!("/actions/runs/{run}");
    Ok(ApiResponse::json(200, &json!({"workflow_run_id": run, "run_url": state.url(&url), "html_url": state.html_url(&url)})))
}
