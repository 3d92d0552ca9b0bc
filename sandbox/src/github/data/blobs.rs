//! Blobs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{created, not_empty, object};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render::node_id;
use crate::github::route::Context;
use crate::github::update::broken;

/// The largest blob: 100 MB.
///
/// Source: <https://docs.github.com/rest/git/blobs#get-a-blob>
pub(crate) const BLOB_LIMIT: usize = 100 * 1024 * 1024;

#[derive(serde::Deserialize)]
struct NewBlob {
    content: String,
    encoding: Option<String>,
}

pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let new: NewBlob = context.body()?;
    let bytes = match new.encoding.as_deref().unwrap_or("utf-8") {
        "utf-8" => new.content.into_bytes(),
        "base64" => decode(&new.content).ok_or_else(|| ApiError::unprocessable("content is not valid Base64"))?,
        other => {
            return Err(ApiError::unprocessable(format!(
                "Invalid request.\n\nNo subschema in \"anyOf\" matched.\n{other} is not a member of [\"utf-8\", \"base64\"]."
            )));
        }
    };
    if bytes.len() > BLOB_LIMIT {
        return Err(ApiError::unprocessable("Sorry, your input was too large to process."));
    }
    let id = context.state.store.write_blob(&bytes).map_err(broken)?;
    Ok(created(&json!({"sha": id.to_string(), "url": context.state.url(&format!("/git/blobs/{id}"))})))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = object(context, "file_sha")?;
    let bytes = context.state.store.blob(id).ok_or_else(ApiError::not_found)?;
    if context.request.header("accept").is_some_and(|accept| accept.contains("raw")) {
        return Ok(ApiResponse::bytes(200, "application/vnd.github.raw; charset=utf-8", bytes));
    }
    Ok(ApiResponse::json(
        200,
        &json!({
            "sha": id.to_string(), "node_id": node_id("Blob", id), "size": bytes.len(), "url": context.state.url(&format!("/git/blobs/{id}")),
            "content": encode(&bytes), "encoding": "base64",
        }),
    ))
}

/// Base64 as GitHub writes it: a line break after every 60 characters and at the end.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / 60 + 1);
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % 60 == 0 {
            lines.push('\n');
        }
        lines.push(character);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

/// Base64 with line breaks anywhere.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).ok()
}
