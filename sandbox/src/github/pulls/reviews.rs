//! Reviews.

use serde_json::{Value, json};

use super::list::current;
use super::{Review, ReviewState, body_fits, existing, pull, pull_mut};
use crate::github::clock::timestamp;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::occurrence::Happening;
use crate::github::render::{association, node_id, user};
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::tokens;

#[derive(serde::Deserialize)]
struct NewReview {
    body: Option<String>,
    event: Option<String>,
    commit_id: Option<String>,
}

/// 422 for a review of one's own work that says more than a comment, and for an empty text where one is needed.
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let new: NewReview = context.body()?;
    let body = new.body.unwrap_or_default();
    body_fits(Some(&body))?;
    let own = pull(context.state, number)?.author.login == context.caller.actor.login;
    let refuse = |message: &str| Err(ApiError::new(422, "Unprocessable Entity").with_error(json!(message)));
    let state = match new.event.as_deref() {
        Some("APPROVE") if own => return refuse("Can not approve your own pull request"),
        Some("REQUEST_CHANGES") if own => return refuse("Can not request changes on your own pull request"),
        Some("APPROVE") => {
            tokens::may_handle_pulls(context.state, context.caller)?;
            ReviewState::Approved
        }
        Some("REQUEST_CHANGES") => ReviewState::ChangesRequested,
        Some("COMMENT") => ReviewState::Commented,
        // A review without an event waits for its author to submit it; nobody here does that.
        _ => return refuse("Variable $event of type PullRequestReviewEvent was provided invalid value"),
    };
    if state != ReviewState::Approved && body.trim().is_empty() {
        return refuse("Body can't be blank");
    }
    let commit = match &new.commit_id {
        None => pull(context.state, number)?.head_sha,
        Some(sha) => context.state.store.object(sha).filter(|_| sha.len() == 40).ok_or_else(|| ApiError::unprocessable("Unprocessable Entity"))?,
    };
    let (id, submitted) = (context.state.number(), context.state.clock.now());
    let review = Review { id, author: context.caller.actor.clone(), state, body, commit, submitted };
    let rendered = render(context.state, number, &review);
    let pull = pull_mut(context.state, number)?;
    pull.requested.remove(&review.author.login);
    pull.reviews.push(review);
    context.state.happened(context.caller, Happening::Review { action: "submitted", number, review: id });
    Ok(ApiResponse::json(200, &rendered))
}

pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let pull = pull(context.state, number)?;
    Ok(context.paged(&pull.reviews, |review| render(context.state, number, review)))
}

#[derive(serde::Deserialize)]
struct Dismissal {
    message: String,
}

pub(super) fn dismiss(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let id = context.number("review_id")?;
    let dismissal: Dismissal = context.body()?;
    let review = pull_mut(context.state, number)?.reviews.iter_mut().find(|review| review.id == id).ok_or_else(ApiError::not_found)?;
    if !matches!(review.state, ReviewState::Approved | ReviewState::ChangesRequested) || dismissal.message.trim().is_empty() {
        return Err(ApiError::new(422, "Unprocessable Entity").with_error(json!("Can not dismiss a commented pull request review")));
    }
    review.state = ReviewState::Dismissed;
    let review = review.clone();
    context.state.happened(context.caller, Happening::Review { action: "dismissed", number, review: id });
    Ok(ApiResponse::json(200, &render(context.state, number, &review)))
}

pub(super) fn requested(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let pull = pull(state, existing(context)?)?;
    let users: Vec<Value> = pull.requested.iter().filter_map(|login| state.actors.get(login)).map(|actor| user(state, actor)).collect();
    Ok(ApiResponse::json(200, &json!({"users": users, "teams": []})))
}

#[derive(serde::Deserialize)]
struct Requested {
    #[serde(default)]
    reviewers: Vec<String>,
}

pub(super) fn request(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let asked: Requested = context.body()?;
    for login in &asked.reviewers {
        if pull(context.state, number)?.author.login == *login {
            return Err(ApiError::unprocessable("Review cannot be requested from pull request author."));
        }
        if !context.state.actors.contains_key(login) {
            let message = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator";
            return Err(ApiError::unprocessable(format!("{message} of the {} repository.", context.state.settings.full_name())));
        }
    }
    pull_mut(context.state, number)?.requested.extend(asked.reviewers);
    Ok(ApiResponse::json(201, &current(context, number)?))
}

fn render(state: &State, number: u64, review: &Review) -> Value {
    let page = state.html_url(&format!("/pull/{number}#pullrequestreview-{}", review.id));
    let pull = state.url(&format!("/pulls/{number}"));
    json!({
        "id": review.id, "node_id": node_id("PullRequestReview", review.id), "user": user(state, &review.author), "body": review.body,
        "state": review.state.as_str(), "html_url": page, "pull_request_url": pull, "submitted_at": timestamp(review.submitted),
        "commit_id": review.commit.to_string(), "author_association": association(state, &review.author),
        "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
    })
}
