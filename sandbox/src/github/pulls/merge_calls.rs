//! The two ways to ask for a merge: at once, and in the background.

use serde_json::{Value, json};

use super::merge::{Wish, merge};
use super::{existing, pull};
use crate::github::actor::Caller;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::route::Context;
use crate::github::rules::MergeMethod;
use crate::github::state::State;

/// Seconds for which the result of an asynchronous merge can be read.
///
/// Source: <https://docs.github.com/rest/pulls/pulls#get-the-result-of-an-asynchronous-merge>
const KEPT: i64 = 24 * 60 * 60;

/// A merge asked for in the background.
#[derive(Debug, Clone)]
pub(crate) struct AsyncMerge {
    uuid: String,
    number: u64,
    caller: Caller,
    wish: Wish,
    action: String,
    asked: i64,
    polls_left: u32,
    outcome: Option<Result<gix::ObjectId, String>>,
}

#[derive(serde::Deserialize)]
struct Asked {
    commit_title: Option<String>,
    commit_message: Option<String>,
    sha: Option<String>,
    merge_method: Option<String>,
    merge_action: Option<String>,
}

impl Asked {
    fn wish(self) -> Result<Wish, ApiError> {
        let method = match self.merge_method.as_deref() {
            None => None,
            Some("merge") => Some(MergeMethod::Merge),
            Some("squash") => Some(MergeMethod::Squash),
            Some("rebase") => Some(MergeMethod::Rebase),
            Some(other) => {
                return Err(ApiError::unprocessable(format!("Invalid request.\n\n{other} is not a member of [\"merge\", \"squash\", \"rebase\"].")));
            }
        };
        Ok(Wish { method, sha: self.sha, title: self.commit_title, message: self.commit_message })
    }
}

/// 200, or 405, 409, 422 as [`merge`] says.
pub(super) fn now(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let wish = context.body::<Asked>()?.wish()?;
    let sha = merge(context.state, context.caller, number, &wish)?;
    Ok(ApiResponse::json(200, &json!({"sha": sha.to_string(), "merged": true, "message": "Pull Request successfully merged"})))
}

pub(super) fn check(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let merged = pull(context.state, existing(context)?)?.merged.is_some();
    if merged { Ok(ApiResponse::empty(204)) } else { Err(ApiError::not_found()) }
}

/// 202 with the id to ask for; 200 when it is merged already, 400 when it is closed or a draft, 409 when a merge is
/// pending. Rules and conflicts are judged when it runs.
pub(super) fn later(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let asked: Asked = context.body()?;
    let action = asked.merge_action.clone().unwrap_or_else(|| "default".to_owned());
    if !matches!(action.as_str(), "default" | "direct_merge" | "merge_queue") {
        let message = format!("Invalid request.\n\n{action} is not a member of [\"default\", \"direct_merge\", \"merge_queue\"].");
        return Err(ApiError::unprocessable(message));
    }
    let mut wish = asked.wish()?;
    let state = &mut *context.state;
    let pull = pull(state, number)?;
    if let Some(merged) = &pull.merged {
        let details = json!({"message": "Pull request is already merged.", "sha": merged.commit.to_string()});
        return Ok(ApiResponse::json(200, &json!({"status": "merged", "details": details})));
    }
    let not_ready = if !pull.open { Some("Pull request is closed.") } else { pull.draft.then_some("Pull request is still a draft.") };
    if let Some(message) = not_ready {
        return Ok(ApiResponse::json(400, &json!({"status": "failed", "details": {"message": message}})));
    }
    if let Some(pending) = state.merges.iter().find(|merge| merge.number == number && merge.outcome.is_none()) {
        return Ok(ApiResponse::json(409, &pending.pending("A merge request already exists for this pull request.")));
    }
    // Without a head of the caller's choice, the present one is meant.
    wish.sha.get_or_insert_with(|| pull.head_sha.to_string());
    let merge = AsyncMerge {
        uuid: uuid(state, number),
        number,
        caller: context.caller.clone(),
        wish,
        action,
        asked: state.clock.now(),
        polls_left: state.merge_delay,
        outcome: None,
    };
    let body = merge.pending("Merge request enqueued.");
    state.merges.push(merge);
    Ok(ApiResponse::json(202, &body))
}

/// The state of an asynchronous merge, which runs when enough polls were answered with `pending`.
pub(super) fn result(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let uuid = context.parameter("uuid")?.to_owned();
    let state = &mut *context.state;
    let now = state.clock.now();
    let wanted = |merge: &AsyncMerge| merge.number == number && merge.uuid == uuid && merge.asked + KEPT >= now;
    let position = state.merges.iter().position(wanted).ok_or_else(ApiError::not_found)?;
    let waiting = state.merges.get_mut(position).filter(|merge| merge.outcome.is_none() && merge.polls_left > 0);
    if let Some(merge) = waiting {
        merge.polls_left -= 1;
        return Ok(ApiResponse::json(200, &merge.pending("Merge request is in progress.")));
    }
    run(state, position);
    let merge = state.merges.get(position).ok_or_else(ApiError::not_found)?;
    let body = match &merge.outcome {
        None => merge.pending("Merge request is in progress."),
        Some(Ok(sha)) => json!({"status": "merged", "details": {"message": "Pull request was merged.", "sha": sha.to_string()}}),
        Some(Err(message)) => json!({"status": "failed", "details": {"message": message}}),
    };
    Ok(ApiResponse::json(200, &body))
}

/// Runs every asynchronous merge that still waits, as GitHub would whether anybody polls or not.
pub(crate) fn settle(state: &mut State) {
    for position in 0..state.merges.len() {
        run(state, position);
    }
}

fn run(state: &mut State, position: usize) {
    let Some(waiting) = state.merges.get(position).filter(|merge| merge.outcome.is_none()).cloned() else { return };
    state.clock.tick();
    let outcome = merge(state, &waiting.caller, waiting.number, &waiting.wish).map_err(|refusal| match refusal.message.as_str() {
        "Pull Request is not mergeable" => "Merge conflict: the pull request could not be merged.".to_owned(),
        _ => refusal.message,
    });
    if let Some(merge) = state.merges.get_mut(position) {
        merge.outcome = Some(outcome);
    }
}

impl AsyncMerge {
    fn pending(&self, message: &str) -> Value {
        let method = self.wish.method.unwrap_or(MergeMethod::Merge);
        json!({"status": "pending", "details": {
            "message": message, "uuid": self.uuid, "merge_method": method, "merge_action": self.action, "expected_head_sha": self.wish.sha,
        }})
    }
}

/// An id in the form of a UUID, made of what the hub counts.
fn uuid(state: &mut State, number: u64) -> String {
    use sha2::Digest as _;
    let count = state.number();
    let digest = hex::encode(sha2::Sha256::digest(format!("merge {number} {count}")));
    format!("{}-{}-4{}-8{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}
