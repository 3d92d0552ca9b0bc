//! Pull requests, their reviews, comments and merges.

mod branch;
mod create;
mod edit;
mod follow;
mod list;
mod merge;
mod merge_calls;
mod mergeability;
mod model;
mod render;
mod reviews;

use chartflow_core::port::transport::Method;
use gix::ObjectId;
use serde_json::json;

use super::http::ApiError;
use super::route::{Context, Route, read, write};
use super::state::State;
use super::update::broken;

pub(crate) use follow::{follow, follow_fork};
pub(crate) use merge_calls::{AsyncMerge, settle};
pub(crate) use model::fork_reference;
pub use model::{Comment, Mergeability, Merged, Pull, Review, ReviewState};
pub(crate) use render::{label, short as render_short};

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/pulls",
        operation: "pulls/create",
        needs: &[write("pull_requests")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/pulls/pulls#create-a-pull-request",
        handler: create::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls",
        operation: "pulls/list",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#list-pull-requests",
        handler: list::list,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}",
        operation: "pulls/get",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#get-a-pull-request",
        handler: list::get,
    },
    Route {
        method: Method::Patch,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}",
        operation: "pulls/update",
        needs: &[write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#update-a-pull-request",
        handler: edit::update,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/commits",
        operation: "pulls/list-commits",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request",
        handler: list::commits,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/files",
        operation: "pulls/list-files",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#list-pull-requests-files",
        handler: list::files,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
        operation: "pulls/list-requested-reviewers",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/review-requests#get-all-requested-reviewers-for-a-pull-request",
        handler: reviews::requested,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
        operation: "pulls/request-reviewers",
        needs: &[write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/review-requests#request-reviewers-for-a-pull-request",
        handler: reviews::request,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        operation: "pulls/create-review",
        needs: &[write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/reviews#create-a-review-for-a-pull-request",
        handler: reviews::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        operation: "pulls/list-reviews",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/reviews#list-reviews-for-a-pull-request",
        handler: reviews::list,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals",
        operation: "pulls/dismiss-review",
        needs: &[write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/reviews#dismiss-a-review-for-a-pull-request",
        handler: reviews::dismiss,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
        operation: "pulls/merge",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/pulls/pulls#merge-a-pull-request",
        handler: merge_calls::now,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
        operation: "pulls/check-if-merged",
        needs: &[read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#check-if-a-pull-request-has-been-merged",
        handler: merge_calls::check,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge-async",
        operation: "pulls/merge-async",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/pulls/pulls#merge-a-pull-request-asynchronously",
        handler: merge_calls::later,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge-async/{uuid}",
        operation: "pulls/get-merge-async-result",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#get-the-result-of-an-asynchronous-merge",
        handler: merge_calls::result,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/update-branch",
        operation: "pulls/update-branch",
        needs: &[write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/pulls/pulls#update-a-pull-request-branch",
        handler: branch::update_branch,
    },
];

/// The longest description or comment, in characters.
///
/// GitHub does not document it; its answer names it (<https://github.com/renovatebot/renovate/issues/2032>).
const BODY_LIMIT: usize = 65_536;

/// The number of the pull request that the path names; 404 when there is none.
fn existing(context: &Context<'_>) -> Result<u64, ApiError> {
    let number = context.number("pull_number")?;
    pull(context.state, number).map(|pull| pull.number)
}

/// A pull request; 404 when there is none.
pub(crate) fn pull(state: &State, number: u64) -> Result<&Pull, ApiError> {
    state.pulls.get(&number).ok_or_else(ApiError::not_found)
}

/// A pull request to be changed, which is noted as changed now; 404 when there is none.
pub(crate) fn pull_mut(state: &mut State, number: u64) -> Result<&mut Pull, ApiError> {
    let now = state.clock.now();
    let pull = state.pulls.get_mut(&number).ok_or_else(ApiError::not_found)?;
    pull.updated = now;
    Ok(pull)
}

/// 422 for a description or comment that is too long.
pub(crate) fn body_fits(body: Option<&str>) -> Result<(), ApiError> {
    // Counting characters only where the bytes could exceed the limit.
    if body.is_none_or(|body| body.len() <= BODY_LIMIT || body.chars().count() <= BODY_LIMIT) {
        return Ok(());
    }
    let message = format!("body is too long (maximum is {BODY_LIMIT} characters)");
    Err(ApiError::new(422, "Validation Failed").with_error(json!({"resource": "Issue", "code": "custom", "field": "body", "message": message})))
}

/// The commits a pull request holds beyond its base, oldest first.
fn commits(state: &State, pull: &Pull) -> Result<Vec<ObjectId>, ApiError> {
    let mut commits = state.store.history(pull.head_sha, Some(pull.base_sha), usize::MAX).map_err(broken)?;
    commits.reverse();
    Ok(commits)
}
