//! The merge of one branch into another without a pull request.

use crate::github::data::{GITHUB, by};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render;
use crate::github::route::Context;
use crate::github::rules::Via;
use crate::github::store::{Commit, Merge, Signature};
use crate::github::update::{Update, broken, update};

#[derive(serde::Deserialize)]
struct NewMerge {
    base: String,
    head: String,
    commit_message: Option<String>,
}

/// 201 with the merge commit, 204 when there is nothing to merge, 404 for a missing side, 409 for a conflict.
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let new: NewMerge = context.body()?;
    let state = &*context.state;
    let reference = format!("refs/heads/{}", new.base);
    let base = state.store.reference(&reference).ok_or_else(|| ApiError::new(404, "Base does not exist"))?;
    let head = state.store.commitish(&new.head).ok_or_else(|| ApiError::new(404, "Head does not exist"))?;
    if state.store.is_ancestor(head, base) {
        return Ok(ApiResponse::empty(204));
    }
    let conflict = || ApiError::new(409, "Merge conflict");
    state.store.merge_base(base, head).ok_or_else(conflict)?;
    let Merge::Clean(tree) = state.store.merge(base, head).map_err(broken)? else { return Err(conflict()) };
    let now = state.clock.now();
    let message = new.commit_message.unwrap_or_else(|| format!("Merge {} into {}", new.head, new.base));
    let committer = Signature { name: GITHUB.0.to_owned(), email: GITHUB.1.to_owned(), seconds: now, offset: 0 };
    let commit = Commit { tree, parents: vec![base, head], author: by(&context.caller.actor, now), committer, message };
    let id = state.store.write_commit(&commit).map_err(broken)?;
    update(context.state, context.caller, Update { reference: &reference, after: Some(id), via: Via::Push })?;
    context.state.signed.insert(id);
    Ok(ApiResponse::json(201, &render::commit(context.state, id, &commit)))
}
