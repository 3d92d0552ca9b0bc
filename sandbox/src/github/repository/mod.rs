//! The repository itself: settings, branches, contents, commits, comparisons.

mod branches;
mod commits;
mod compare;
mod contents;
mod merges;

use chartflow_core::port::transport::Method;
use serde_json::{Value, json};

use super::http::{ApiError, ApiResponse};
use super::render;
use super::route::{Context, Route, read, write};
use super::state::State;
use super::store::FileChange;

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}",
        operation: "repos/get",
        needs: &[],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/repos#get-a-repository",
        handler: get,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/branches",
        operation: "repos/list-branches",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/branches/branches#list-branches",
        handler: branches::list,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/branches/{branch}",
        operation: "repos/get-branch",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/branches/branches#get-a-branch",
        handler: branches::get,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/contents/{path}",
        operation: "repos/get-content",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/contents#get-repository-content",
        handler: contents::get,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/contents/{path}",
        operation: "repos/create-or-update-file-contents",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/contents#create-or-update-file-contents",
        handler: contents::put,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/commits",
        operation: "repos/list-commits",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/commits/commits#list-commits",
        handler: commits::list,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/commits/{ref}",
        operation: "repos/get-commit",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/commits/commits#get-a-commit",
        handler: commits::get,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        operation: "repos/list-pull-requests-associated-with-commit",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit",
        handler: commits::pulls,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/compare/{basehead}",
        operation: "repos/compare-commits-with-basehead",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/commits/commits#compare-two-commits",
        handler: compare::get,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/merges",
        operation: "repos/merge",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/branches/branches#merge-a-branch",
        handler: merges::create,
    },
];

fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut body = render::repository(context.state);
    let role = context.caller.actor.role;
    use super::actor::Role;
    body["permissions"] = json!({
        "admin": role >= Role::Admin, "maintain": role >= Role::Maintain, "push": role >= Role::Write, "triage": role >= Role::Triage, "pull": true,
    });
    Ok(ApiResponse::json(200, &body))
}

/// A changed file (schema `diff-entry`), without the optional `patch`.
pub(crate) fn file(state: &State, change: &FileChange, at: gix::ObjectId) -> Value {
    let path = percent_encoding::utf8_percent_encode(&change.path, PATH).to_string();
    let mut body = json!({
        "sha": change.blob, "filename": change.path, "status": change.status, "additions": change.additions, "deletions": change.deletions,
        "changes": change.additions + change.deletions, "blob_url": state.html_url(&format!("/blob/{at}/{path}")),
        "raw_url": state.html_url(&format!("/raw/{at}/{path}")), "contents_url": state.url(&format!("/contents/{path}?ref={at}")),
    });
    if let Some(previous) = &change.previous {
        body["previous_filename"] = json!(previous);
    }
    body
}

/// What has to be encoded in a path, `/` apart.
pub(crate) const PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
