//! Bringing a head branch up to date with its base.

use serde_json::json;

use super::{existing, pull};
use crate::github::data::{GITHUB, by};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::route::Context;
use crate::github::rules::Via;
use crate::github::store::{Commit, Merge, Signature, is};
use crate::github::update::{Update, broken, update};

#[derive(serde::Deserialize)]
struct Asked {
    expected_head_sha: Option<String>,
}

/// 202 after a merge commit of base into head; 422 for another head, a conflict, or nothing to bring in.
pub(super) fn update_branch(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let number = existing(context)?;
    let asked: Asked = context.body()?;
    let state = &*context.state;
    let pull = pull(state, number)?;
    let refuse = |message: &str| Err(ApiError::unprocessable(message));
    if !pull.open {
        return refuse("Pull request is closed.");
    }
    if pull.fork.is_some() {
        // Its owner did not allow edits by maintainers.
        return Err(ApiError::new(403, "Resource not accessible by integration"));
    }
    if asked.expected_head_sha.is_some_and(|sha| !is(pull.head_sha, &sha)) {
        return refuse("expected head sha didn’t match current head ref.");
    }
    if state.store.is_ancestor(pull.base_sha, pull.head_sha) {
        return refuse("There are no new commits on the base branch.");
    }
    let Merge::Clean(tree) = state.store.merge(pull.head_sha, pull.base_sha).map_err(broken)? else {
        return refuse("merge conflict between base and head");
    };
    let now = state.clock.now();
    let commit = Commit {
        tree,
        parents: vec![pull.head_sha, pull.base_sha],
        author: by(&context.caller.actor, now),
        committer: Signature { name: GITHUB.0.to_owned(), email: GITHUB.1.to_owned(), seconds: now, offset: 0 },
        message: format!("Merge branch '{}' into {}", pull.base, pull.head),
    };
    let id = state.store.write_commit(&commit).map_err(broken)?;
    let reference = format!("refs/heads/{}", pull.head);
    update(context.state, context.caller, Update { reference: &reference, after: Some(id), via: Via::Push })?;
    context.state.signed.insert(id);
    let url = context.state.url(&format!("/pulls/{number}"));
    Ok(ApiResponse::json(202, &json!({"message": "Updating pull request branch.", "url": url})))
}
