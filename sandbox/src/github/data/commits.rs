//! Commit objects.

use gix::objs::Kind;

use super::{GivenPerson, created, not_empty, object};
use crate::github::actor::Actor;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render;
use crate::github::route::Context;
use crate::github::store::{Commit, Signature};
use crate::github::update::broken;

/// Whom GitHub names as committer of what it commits and signs itself.
pub(crate) const GITHUB: (&str, &str) = ("GitHub", "noreply@github.com");

#[derive(serde::Deserialize)]
struct NewCommit {
    message: String,
    tree: String,
    #[serde(default)]
    parents: Vec<String>,
    author: Option<GivenPerson>,
    committer: Option<GivenPerson>,
    signature: Option<String>,
}

/// Source for authors and signatures: <https://docs.github.com/rest/git/commits#create-a-commit> and
/// <https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots>:
/// a bot's commit is signed by GitHub when neither author, committer nor signature is given.
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let new: NewCommit = context.body()?;
    let now = context.state.clock.now();
    let store = &context.state.store;
    let known = |sha: &str, kind: Kind| (sha.len() == 40).then(|| store.object(sha)).flatten().filter(|id| store.kind(*id) == Some(kind));
    let tree = known(&new.tree, Kind::Tree).ok_or_else(|| ApiError::unprocessable("Tree SHA does not exist"))?;
    let parents = new
        .parents
        .iter()
        .map(|sha| known(sha, Kind::Commit).ok_or_else(|| ApiError::unprocessable("Parent SHA does not exist or is not a commit object")))
        .collect::<Result<Vec<_>, _>>()?;
    if new.message.contains('\0') {
        return Err(ApiError::unprocessable("a NUL byte in commit log message not allowed"));
    }
    let actor = &context.caller.actor;
    let signed = actor.is_bot() && new.author.is_none() && new.committer.is_none() && new.signature.is_none();
    let author = match &new.author {
        Some(person) => person.signature(now)?,
        None => by(actor, now),
    };
    let committer = match &new.committer {
        Some(person) => person.signature(now)?,
        None if signed => Signature { name: GITHUB.0.to_owned(), email: GITHUB.1.to_owned(), seconds: now, offset: 0 },
        None => author.clone(),
    };
    let commit = Commit { tree, parents, author, committer, message: new.message };
    let id = store.write_commit_with(&commit, new.signature.as_deref()).map_err(broken)?;
    if signed {
        context.state.signed.insert(id);
    }
    Ok(created(&render::git_commit(context.state, id, &commit)))
}

/// An account as author of something now.
pub(crate) fn by(actor: &Actor, now: i64) -> Signature {
    Signature { name: actor.name.clone(), email: actor.email.clone(), seconds: now, offset: 0 }
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = object(context, "commit_sha")?;
    let commit = context.state.store.commit(id).ok_or_else(ApiError::not_found)?;
    Ok(ApiResponse::json(200, &render::git_commit(context.state, id, &commit)))
}
