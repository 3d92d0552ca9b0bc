//! The merge itself.

use gix::ObjectId;

use super::edit::drop_test_merge;
use super::mergeability::violations;
use super::{Merged, Pull, commits, pull, pull_mut};
use crate::github::actor::Caller;
use crate::github::data::{GITHUB, by};
use crate::github::http::ApiError;
use crate::github::occurrence::Happening;
use crate::github::rules::{MergeMethod, Via};
use crate::github::state::State;
use crate::github::store::{Commit, Merge, Signature, is};
use crate::github::update::{Update, broken, refuse, update};

/// What a caller wants merged, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub(super) method: Option<MergeMethod>,
    /// The head it was decided on.
    pub(super) sha: Option<String>,
    pub(super) title: Option<String>,
    pub(super) message: Option<String>,
}

/// Merges a pull request and says which commit its base has now.
///
/// 405 when it is closed, a draft, in conflict, or against a rule or setting; 409 when the head is another.
/// Source: <https://docs.github.com/rest/pulls/pulls#merge-a-pull-request>
pub(super) fn merge(state: &mut State, caller: &Caller, number: u64, wish: &Wish) -> Result<ObjectId, ApiError> {
    let pull = pull(state, number)?;
    let method = wish.method.unwrap_or(MergeMethod::Merge);
    if !pull.open {
        return Err(not_mergeable());
    }
    if pull.draft {
        return Err(ApiError::new(405, "Pull Request is still a draft"));
    }
    if wish.sha.as_ref().is_some_and(|sha| !is(pull.head_sha, sha)) {
        return Err(ApiError::new(409, "Head branch was modified. Review and try the merge again."));
    }
    allowed(state, method)?;
    let (head, base_name, head_name) = (pull.head_sha, format!("refs/heads/{}", pull.base), pull.fork.is_none().then(|| pull.head.clone()));
    let via = Via::Merge { number, method, head };
    refuse(&violations(state, caller, number, head, method)?, via)?;
    let base = state.store.reference(&base_name).ok_or_else(not_mergeable)?;
    let result = match method {
        MergeMethod::Merge => merge_commit(state, caller, pull, base, wish)?,
        MergeMethod::Squash => squash(state, pull, base, wish)?,
        MergeMethod::Rebase => rebase(state, caller, pull, base)?,
    };
    update(state, caller, Update { reference: &base_name, after: Some(result), via })?;
    if method != MergeMethod::Rebase {
        state.signed.insert(result);
    }
    let now = state.clock.now();
    let merged = pull_mut(state, number)?;
    merged.merged = Some(Merged { by: caller.actor.clone(), at: now, commit: result, method });
    (merged.open, merged.closed, merged.base_sha, merged.mergeability) = (false, Some(now), base, None);
    drop_test_merge(state, number)?;
    state.happened(caller, Happening::PullRequest { action: "closed", number, merged: true });
    if let Some(head) = head_name.filter(|_| state.settings.delete_branch_on_merge) {
        delete_head(state, caller, &head, number);
    }
    Ok(result)
}

fn not_mergeable() -> ApiError {
    ApiError::new(405, "Pull Request is not mergeable")
}

/// 405 for a method that the repository's settings turn off.
fn allowed(state: &State, method: MergeMethod) -> Result<(), ApiError> {
    let (allowed, name) = match method {
        MergeMethod::Merge => (state.settings.allow_merge_commit, "Merge commits"),
        MergeMethod::Squash => (state.settings.allow_squash_merge, "Squash merges"),
        MergeMethod::Rebase => (state.settings.allow_rebase_merge, "Rebase merges"),
    };
    if allowed { Ok(()) } else { Err(ApiError::new(405, format!("{name} are not allowed on this repository."))) }
}

fn clean(state: &State, base: ObjectId, head: ObjectId) -> Result<ObjectId, ApiError> {
    match state.store.merge(base, head).map_err(broken)? {
        Merge::Clean(tree) => Ok(tree),
        Merge::Conflict => Err(not_mergeable()),
    }
}

fn github(state: &State) -> Signature {
    Signature { name: GITHUB.0.to_owned(), email: GITHUB.1.to_owned(), seconds: state.clock.now(), offset: 0 }
}

fn text(title: &str, message: &str) -> String {
    if message.is_empty() { title.to_owned() } else { format!("{title}\n\n{message}") }
}

/// Source of the default texts:
/// <https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges>
fn merge_commit(state: &State, caller: &Caller, pull: &Pull, base: ObjectId, wish: &Wish) -> Result<ObjectId, ApiError> {
    let title = wish
        .title
        .clone()
        .unwrap_or_else(|| format!("Merge pull request #{} from {}/{}", pull.number, pull.fork.as_ref().unwrap_or(&state.settings.owner), pull.head));
    let message = wish.message.clone().unwrap_or_else(|| pull.title.clone());
    let commit = Commit {
        tree: clean(state, base, pull.head_sha)?,
        parents: vec![base, pull.head_sha],
        author: by(&caller.actor, state.clock.now()),
        committer: github(state),
        message: text(&title, &message),
    };
    state.store.write_commit(&commit).map_err(broken)
}

fn squash(state: &State, pull: &Pull, base: ObjectId, wish: &Wish) -> Result<ObjectId, ApiError> {
    let tree = clean(state, base, pull.head_sha)?;
    let squashed: Vec<Commit> = commits(state, pull)?.into_iter().filter_map(|id| state.store.commit(id)).filter(|commit| commit.parents.len() < 2).collect();
    let (default_title, default_message) = squash_texts(pull, &squashed);
    let title = wish.title.clone().unwrap_or(default_title);
    let message = wish.message.clone().unwrap_or(default_message);
    let author = by(&pull.author, state.clock.now());
    let commit = Commit { tree, parents: vec![base], author, committer: github(state), message: text(&title, &message) };
    state.store.write_commit(&commit).map_err(broken)
}

/// One commit gives its own text, several give the pull request's title and the list of their messages; other authors
/// are named in trailers.
fn squash_texts(pull: &Pull, commits: &[Commit]) -> (String, String) {
    let split = |message: &str| {
        let (title, body) = message.trim().split_once('\n').unwrap_or((message.trim(), ""));
        (title.to_owned(), body.trim().to_owned())
    };
    let (title, mut message) = match commits {
        [only] => split(&only.message),
        several => {
            let items: Vec<String> = several.iter().map(|commit| format!("* {}", commit.message.trim())).collect();
            (pull.title.clone(), items.join("\n\n"))
        }
    };
    let mut others: Vec<String> = Vec::new();
    for author in commits.iter().map(|commit| &commit.author).filter(|author| author.email != pull.author.email) {
        let trailer = format!("Co-authored-by: {} <{}>", author.name, author.email);
        if !others.contains(&trailer) && !message.contains(&trailer) {
            others.push(trailer);
        }
    }
    if !others.is_empty() {
        let separator = if message.is_empty() { "" } else { "\n\n" };
        message = format!("{message}{separator}{}", others.join("\n"));
    }
    (format!("{title} (#{})", pull.number), message)
}

/// Every commit but merges again on the base, with its author and a new committer, even where a fast forward would do.
///
/// Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/about-merge-methods-on-github#rebasing-and-merging-your-commits>
fn rebase(state: &State, caller: &Caller, pull: &Pull, base: ObjectId) -> Result<ObjectId, ApiError> {
    let mut tip = base;
    for id in commits(state, pull)? {
        let commit = state.store.commit(id).ok_or_else(not_mergeable)?;
        if commit.parents.len() > 1 {
            continue;
        }
        let Merge::Clean(tree) = state.store.pick(&commit, id, tip).map_err(broken)? else {
            return Err(ApiError::new(405, "This branch can't be rebased"));
        };
        let again = Commit { tree, parents: vec![tip], committer: by(&caller.actor, state.clock.now()), ..commit };
        tip = state.store.write_commit(&again).map_err(broken)?;
    }
    if tip == base { Err(not_mergeable()) } else { Ok(tip) }
}

/// Deletes the head branch after a merge, where no rule and no other pull request keeps it. Pull requests onto it move
/// to the merged one's base.
///
/// Source: <https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-the-automatic-deletion-of-branches>
fn delete_head(state: &mut State, caller: &Caller, head: &str, number: u64) {
    let used = state.pulls.values().any(|pull| pull.open && pull.is_from(head));
    if used || head == state.settings.default_branch {
        return;
    }
    let Some((base, base_sha)) = state.pulls.get(&number).and_then(|pull| pull.merged.as_ref().map(|merged| (pull.base.clone(), merged.commit))) else {
        return;
    };
    for pull in state.pulls.values_mut().filter(|pull| pull.open && pull.base == head) {
        (pull.base, pull.base_sha) = (base.clone(), base_sha);
    }
    // A rule that forbids the deletion keeps the branch; the merge stands.
    let _ = update(state, caller, Update { reference: &format!("refs/heads/{head}"), after: None, via: Via::Push });
}
