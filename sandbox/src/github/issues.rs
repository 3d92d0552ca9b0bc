//! The conversation of a pull request: comments and labels. There are no issues that are not pull requests.

use std::collections::BTreeSet;

use chartflow_core::port::transport::Method;
use serde_json::{Value, json};

use super::clock::timestamp;
use super::http::{ApiError, ApiResponse};
use super::occurrence::Happening;
use super::pulls::{Comment, Pull, body_fits, label, pull, pull_mut};
use super::render::{association, node_id, user};
use super::route::{Context, Route, read, write};
use super::state::State;

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        operation: "issues/create-comment",
        needs: &[write("issues"), write("pull_requests")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/issues/comments#create-an-issue-comment",
        handler: create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        operation: "issues/list-comments",
        needs: &[read("issues"), read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/issues/comments#list-issue-comments",
        handler: list,
    },
    Route {
        method: Method::Patch,
        template: "/repos/{owner}/{repo}/issues/comments/{comment_id}",
        operation: "issues/update-comment",
        needs: &[write("issues"), write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/issues/comments#update-an-issue-comment",
        handler: update,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/issues/{issue_number}/labels",
        operation: "issues/add-labels",
        needs: &[write("issues"), write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/issues/labels#add-labels-to-an-issue",
        handler: add_labels,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/issues/{issue_number}/labels",
        operation: "issues/list-labels-on-issue",
        needs: &[read("issues"), read("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/issues/labels#list-labels-for-an-issue",
        handler: list_labels,
    },
    Route {
        method: Method::Delete,
        template: "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
        operation: "issues/remove-label",
        needs: &[write("issues"), write("pull_requests")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/issues/labels#remove-a-label-from-an-issue",
        handler: remove_label,
    },
];

#[derive(serde::Deserialize)]
struct Text {
    body: String,
}

fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = context.number("issue_number")?;
    pull(context.state, number)?;
    let text: Text = context.body()?;
    if text.body.trim().is_empty() {
        return Err(ApiError::field("IssueComment", "body", "missing_field"));
    }
    body_fits(Some(&text.body))?;
    let (id, now) = (context.state.number(), context.state.clock.now());
    let comment = Comment { id, author: context.caller.actor.clone(), body: text.body, created: now, updated: now };
    let body = render(context.state, number, &comment);
    pull_mut(context.state, number)?.comments.push(comment);
    context.state.happened(context.caller, Happening::Comment { number, comment: id });
    Ok(ApiResponse::json(201, &body))
}

fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = context.number("issue_number")?;
    let pull = pull(context.state, number)?;
    Ok(context.paged(&pull.comments, |comment| render(context.state, number, comment)))
}

fn update(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = context.number("comment_id")?;
    let text: Text = context.body()?;
    body_fits(Some(&text.body))?;
    let now = context.state.clock.now();
    let mut comments = context.state.pulls.values_mut().flat_map(|pull| {
        let number = pull.number;
        pull.comments.iter_mut().map(move |comment| (number, comment))
    });
    let (number, comment) = comments.find(|(_, comment)| comment.id == id).ok_or_else(ApiError::not_found)?;
    comment.body = text.body;
    comment.updated = now;
    let comment = comment.clone();
    Ok(ApiResponse::json(200, &render(context.state, number, &comment)))
}

fn render(state: &State, number: u64, comment: &Comment) -> Value {
    json!({
        "id": comment.id, "node_id": node_id("IssueComment", comment.id), "url": state.url(&format!("/issues/comments/{}", comment.id)),
        "html_url": state.html_url(&format!("/pull/{number}#issuecomment-{}", comment.id)), "issue_url": state.url(&format!("/issues/{number}")),
        "user": user(state, &comment.author), "created_at": timestamp(comment.created), "updated_at": timestamp(comment.updated),
        "body": comment.body, "author_association": association(state, &comment.author), "performed_via_github_app": null,
    })
}

#[derive(serde::Deserialize)]
struct NewLabels {
    labels: Vec<NewLabel>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum NewLabel {
    Name(String),
    Object { name: String },
}

fn add_labels(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = context.number("issue_number")?;
    pull(context.state, number)?;
    let new: NewLabels = context.body()?;
    for new in new.labels {
        let (NewLabel::Name(name) | NewLabel::Object { name }) = new;
        if name.trim().is_empty() {
            return Err(ApiError::field("Label", "name", "missing_field"));
        }
        if pull_mut(context.state, number)?.labels.insert(name) {
            context.state.happened(context.caller, Happening::PullRequest { action: "labeled", number, merged: false });
        }
    }
    listed(context.state, pull(context.state, number)?)
}

fn list_labels(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    listed(context.state, pull(context.state, context.number("issue_number")?)?)
}

fn remove_label(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = context.number("issue_number")?;
    let name = context.parameter("name")?.to_owned();
    if !pull_mut(context.state, number)?.labels.remove(&name) {
        return Err(ApiError::new(404, "Label does not exist"));
    }
    context.state.happened(context.caller, Happening::PullRequest { action: "unlabeled", number, merged: false });
    listed(context.state, pull(context.state, number)?)
}

fn listed(state: &State, pull: &Pull) -> Result<ApiResponse, ApiError> {
    let labels: &BTreeSet<String> = &pull.labels;
    Ok(ApiResponse::json(200, &Value::Array(labels.iter().map(|name| label(state, name)).collect())))
}
