//! What a pull request is.

use std::collections::BTreeSet;

use gix::ObjectId;

use crate::github::actor::Actor;
use crate::github::rules::MergeMethod;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number in the repository.
    pub number: u64,
    /// Its number across repositories.
    pub id: u64,
    /// The title.
    pub title: String,
    /// The description.
    pub body: Option<String>,
    /// Who opened it.
    pub author: Actor,
    /// The head branch, without `refs/heads/`.
    pub head: String,
    /// Whose fork the head branch is in; `None` for a branch of the repository itself.
    pub fork: Option<String>,
    /// The head's commit: as pushed last while open, as merged or closed afterwards.
    pub head_sha: ObjectId,
    /// The base branch, without `refs/heads/`.
    pub base: String,
    /// The base's commit: the branch's tip while open, as merged or closed afterwards.
    pub base_sha: ObjectId,
    /// Whether it is open.
    pub open: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// How it was merged.
    pub merged: Option<Merged>,
    /// Its labels.
    pub labels: BTreeSet<String>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
    /// Its comments, oldest first.
    pub comments: Vec<Comment>,
    /// Logins whose review was asked for.
    pub requested: BTreeSet<String>,
    /// What is known about merging it.
    pub mergeability: Option<Mergeability>,
    /// When it was opened, in seconds since 1970-01-01T00:00:00Z.
    pub created: i64,
    /// When it was changed last.
    pub updated: i64,
    /// When it was closed or merged.
    pub closed: Option<i64>,
}

/// Where the branches of a fork are kept here. On GitHub they are in the fork, which shares the objects.
pub(crate) fn fork_reference(owner: &str, branch: &str) -> String {
    format!("refs/forks/{owner}/{branch}")
}

impl Pull {
    /// Whether it comes from this branch of the repository itself.
    #[must_use]
    pub fn is_from(&self, branch: &str) -> bool {
        self.fork.is_none() && self.head == branch
    }

    /// The ref its head follows.
    pub(crate) fn head_reference(&self) -> String {
        match &self.fork {
            None => format!("refs/heads/{}", self.head),
            Some(owner) => fork_reference(owner, &self.head),
        }
    }

    /// Whether another one comes from the same branch.
    pub(crate) fn same_head(&self, other: &Self) -> bool {
        (&self.fork, &self.head) == (&other.fork, &other.head)
    }
}

/// Whether a head can be merged into a base. GitHub finds out in the background: whoever asks first learns nothing.
///
/// Source: <https://docs.github.com/rest/guides/using-the-rest-api-to-interact-with-your-git-database#checking-mergeability-of-pull-requests>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mergeability {
    /// The head it holds for.
    pub head: ObjectId,
    /// The base it holds for.
    pub base: ObjectId,
    /// The test merge; `None` for a conflict.
    pub test_merge: Option<ObjectId>,
}

/// How a pull request was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: i64,
    /// The commit the base branch got (for rebase the last one).
    pub commit: ObjectId,
    /// How.
    pub method: MergeMethod,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// It may be merged.
    Approved,
    /// It may not.
    ChangesRequested,
    /// A remark.
    Commented,
    /// It said something that does not hold any more.
    Dismissed,
}

impl ReviewState {
    /// As GitHub's JSON writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Commented => "COMMENTED",
            Self::Dismissed => "DISMISSED",
        }
    }
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub author: Actor,
    /// What it says.
    pub state: ReviewState,
    /// Its text.
    pub body: String,
    /// The head it was made on.
    pub commit: ObjectId,
    /// When.
    pub submitted: i64,
}

/// A comment on the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub author: Actor,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created: i64,
    /// When it was changed last.
    pub updated: i64,
}
