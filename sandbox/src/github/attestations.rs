//! Attestations.
//!
//! Source: <https://docs.github.com/rest/repos/attestations>

use std::collections::BTreeSet;

use base64::Engine as _;
use chartflow_core::port::transport::Method;
use serde_json::{Value, json};

use super::http::{ApiError, ApiResponse};
use super::route::{Context, Route, read, write};

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Attestations {
    /// Oldest first.
    all: Vec<Attestation>,
}

#[derive(Debug, Clone)]
struct Attestation {
    id: u64,
    /// `sha256:…` of its subjects.
    subjects: BTreeSet<String>,
    predicate_type: String,
    bundle: Value,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/attestations",
        operation: "repos/create-attestation",
        needs: &[write("attestations")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/repos/attestations#create-an-attestation",
        handler: create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/attestations/{subject_digest}",
        operation: "repos/list-attestations",
        needs: &[read("attestations")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/attestations#list-attestations",
        handler: list,
    },
];

#[derive(serde::Deserialize)]
struct New {
    bundle: Value,
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The statement inside a bundle: its subjects' digests and its predicate type.
fn statement(bundle: &Value) -> Option<(BTreeSet<String>, String)> {
    let payload = bundle.pointer("/dsseEnvelope/payload")?.as_str()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(payload).ok()?;
    let statement: Value = serde_json::from_slice(&bytes).ok()?;
    let predicate_type = statement.get("predicateType")?.as_str()?.to_owned();
    let subjects = statement.get("subject")?.as_array()?;
    let digests: Option<BTreeSet<String>> = subjects
        .iter()
        .map(|subject| subject.pointer("/digest/sha256").and_then(Value::as_str).filter(|digest| is_sha256(digest)).map(|digest| format!("sha256:{digest}")))
        .collect();
    Some((digests.filter(|digests| !digests.is_empty())?, predicate_type))
}

/// 422 for what is no bundle with a statement about SHA-256 digests; 403 in a private repository, which needs a plan this
/// one does not have.
///
/// Source of the plan: <https://docs.github.com/actions/security-for-github-actions/using-artifact-attestations/using-artifact-attestations-to-establish-provenance-for-builds>
fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let New { bundle } = context.body()?;
    let settings = &context.state.settings;
    if settings.private {
        let message = format!(
            "Feature not available for the {} organization. To enable this feature, please upgrade the billing plan, or make this repository public.",
            settings.owner
        );
        return Err(ApiError::new(403, message));
    }
    let known = bundle.get("mediaType").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("application/vnd.dev.sigstore.bundle"));
    let (subjects, predicate_type) = statement(&bundle)
        .filter(|_| known && bundle.get("verificationMaterial").is_some())
        .ok_or_else(|| ApiError::new(422, "Validation Failed").with_error(json!({"resource": "Attestation", "field": "bundle", "code": "invalid"})))?;
    let id = context.state.number();
    context.state.attestations.all.push(Attestation { id, subjects, predicate_type, bundle });
    Ok(ApiResponse::json(201, &json!({ "id": id })))
}

/// Whether a predicate type is meant by the short or full name in a query.
fn is_of_type(attestation: &Attestation, wanted: &str) -> bool {
    let kind = attestation.predicate_type.as_str();
    match wanted {
        "provenance" => kind.starts_with("https://slsa.dev/provenance/"),
        "sbom" => kind.starts_with("https://spdx.dev/") || kind.starts_with("https://cyclonedx.org/"),
        "release" => kind.starts_with("https://in-toto.io/attestation/release/"),
        full => kind == full,
    }
}

/// Those about a digest, newest first; 404 when there are none. Pages are asked for by `before` and `after`.
fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let digest = context.parameter("subject_digest")?;
    let state = &*context.state;
    let cursor = |name: &str| context.request.query(name).and_then(|text| text.parse::<u64>().ok());
    let (after, before, wanted) = (cursor("after"), cursor("before"), context.request.query("predicate_type"));
    let matching: Vec<&Attestation> = state
        .attestations
        .all
        .iter()
        .rev()
        .filter(|one| one.subjects.contains(digest) && wanted.is_none_or(|wanted| is_of_type(one, wanted)))
        .filter(|one| after.is_none_or(|after| one.id < after) && before.is_none_or(|before| one.id > before))
        .collect();
    if matching.is_empty() {
        return Err(ApiError::not_found());
    }
    let size = context.page().size;
    let shown: Vec<Value> = matching
        .iter()
        .take(size)
        .map(|one| {
            let url = state.url(&format!("/attestations/{}/bundle", one.id));
            json!({"bundle": one.bundle, "repository_id": state.settings.id, "bundle_url": url, "initiator": "user"})
        })
        .collect();
    let mut response = ApiResponse::json(200, &json!({ "attestations": shown }));
    if let Some(last) = matching.get(size - 1).filter(|_| matching.len() > size) {
        let next = format!("{}{}?after={}&per_page={size}", state.base_url, context.request.path, last.id);
        response = response.with_header("link", format!("<{next}>; rel=\"next\""));
    }
    Ok(response)
}
