//! Rulesets: what may happen to which ref.

use gix::ObjectId;

use super::actor::Caller;
use super::route::Route;
use super::state::State;

/// The rulesets of the repository.
#[derive(Debug, Default)]
pub(crate) struct Rules {}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];

/// How a ref is about to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// A git push or one of the refs operations.
    Push,
    /// The merge of a pull request.
    Merge {
        /// The pull request.
        number: u64,
        /// How.
        method: MergeMethod,
        /// Its head.
        head: ObjectId,
    },
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMethod {
    /// A commit with two parents.
    Merge,
    /// One commit with one parent.
    Squash,
    /// Every commit again.
    Rebase,
}

/// A change of a ref that is about to happen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The ref's full name.
    pub(crate) reference: &'a str,
    /// Where it points; `None` when it does not exist.
    pub(crate) before: Option<ObjectId>,
    /// Where it will point; `None` when it will be deleted. For a merge that is only being judged (not done), the head.
    pub(crate) after: Option<ObjectId>,
    /// Whether `after` does not descend from `before`.
    pub(crate) forced: bool,
    /// How.
    pub(crate) via: Via,
}

/// The rules that a change breaks, in GitHub's words; empty when it may happen.
///
/// A ref operation answers 422, a merge 405, both with `Repository rule violations found` and one line each.
pub(crate) fn violations(_state: &State, _caller: &Caller, _attempt: &Attempt<'_>) -> Vec<String> {
    Vec::new()
}

/// Whether a push to the head of a pull request into `base` dismisses its approvals
/// (`dismiss_stale_reviews_on_push`).
pub(crate) fn dismisses_stale_reviews(_state: &State, _base: &str) -> bool {
    false
}

/// Whether any active rule speaks about a branch (`protected` in the branches operations).
pub(crate) fn protects(_state: &State, _branch: &str) -> bool {
    false
}
