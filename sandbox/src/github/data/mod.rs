//! The Git Data API: blobs, trees, commits, tags and refs.

mod blobs;
mod commits;
mod refs;
mod tags;
mod tree_edit;
mod trees;

use chartflow_core::port::transport::Method;
use gix::ObjectId;

use super::http::{ApiError, ApiResponse};
use super::route::{Context, Route, read, write};
use super::state::State;
use super::store::Signature;

pub(crate) use blobs::{decode as decode_base64, encode as blob_base64};
pub(crate) use commits::{GITHUB, by};
pub(crate) use tree_edit::{Change as TreeChange, Edits};

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/git/blobs",
        operation: "git/create-blob",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/blobs#create-a-blob",
        handler: blobs::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/git/blobs/{file_sha}",
        operation: "git/get-blob",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/blobs#get-a-blob",
        handler: blobs::get,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/git/trees",
        operation: "git/create-tree",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/trees#create-a-tree",
        handler: trees::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/git/trees/{tree_sha}",
        operation: "git/get-tree",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/trees#get-a-tree",
        handler: trees::get,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/git/commits",
        operation: "git/create-commit",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/commits#create-a-commit",
        handler: commits::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/git/commits/{commit_sha}",
        operation: "git/get-commit",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/commits#get-a-commit-object",
        handler: commits::get,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/git/tags",
        operation: "git/create-tag",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/tags#create-a-tag-object",
        handler: tags::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/git/tags/{tag_sha}",
        operation: "git/get-tag",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/tags#get-a-tag",
        handler: tags::get,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/git/refs",
        operation: "git/create-ref",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/git/refs#create-a-reference",
        handler: refs::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/git/ref/{ref}",
        operation: "git/get-ref",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/refs#get-a-reference",
        handler: refs::get,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/git/matching-refs/{ref}",
        operation: "git/list-matching-refs",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/refs#list-matching-references",
        handler: refs::matching,
    },
    Route {
        method: Method::Patch,
        template: "/repos/{owner}/{repo}/git/refs/{ref}",
        operation: "git/update-ref",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/refs#update-a-reference",
        handler: refs::update,
    },
    Route {
        method: Method::Delete,
        template: "/repos/{owner}/{repo}/git/refs/{ref}",
        operation: "git/delete-ref",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/git/refs#delete-a-reference",
        handler: refs::delete,
    },
];

/// 409 while the repository has no branch.
///
/// Source: <https://docs.github.com/rest/git> ("If you use the Git database on an empty repository, you get 409").
fn not_empty(state: &State) -> Result<(), ApiError> {
    let default = format!("refs/heads/{}", state.settings.default_branch);
    if state.store.reference(&default).is_some() || !state.store.references("refs/heads/").map_err(super::update::broken)?.is_empty() {
        return Ok(());
    }
    Err(ApiError::new(409, "Git Repository is empty."))
}

/// The object whose id is a path parameter; 404 when there is none.
fn object(context: &Context<'_>, parameter: &'static str) -> Result<ObjectId, ApiError> {
    not_empty(context.state)?;
    context.state.store.object(context.parameter(parameter)?).ok_or_else(ApiError::not_found)
}

/// A name, address and date as requests give them.
#[derive(Debug, Clone, serde::Deserialize)]
struct GivenPerson {
    name: String,
    email: String,
    date: Option<String>,
}

impl GivenPerson {
    /// The signature; the date defaults to now and keeps its offset.
    ///
    /// 422 for a date that is not ISO 8601.
    fn signature(&self, now: i64) -> Result<Signature, ApiError> {
        let (seconds, offset) = match self.date.as_deref() {
            None => (now, 0),
            Some(text) => moment(text).ok_or_else(|| ApiError::unprocessable(format!("Invalid request.\n\n{text:?} is not a valid date-time.")))?,
        };
        Ok(Signature { name: self.name.clone(), email: self.email.clone(), seconds, offset })
    }
}

/// Seconds since 1970-01-01T00:00:00Z and seconds east of UTC.
fn moment(text: &str) -> Option<(i64, i32)> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    let offset = jiff::fmt::temporal::Pieces::parse(text).ok().and_then(|pieces| pieces.to_numeric_offset()).map_or(0, |offset| offset.seconds());
    Some((timestamp.as_second(), offset))
}

/// 201 with the address of what was made.
fn created(body: &serde_json::Value) -> ApiResponse {
    let location = body.get("url").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    ApiResponse::json(201, body).with_header("location", location)
}
