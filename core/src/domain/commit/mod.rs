//! Commits: Conventional Commits, and which commits count for a release.

pub mod conventional;
pub mod range;

use serde::{Deserialize, Serialize};

use super::digest::CommitId;

/// Who wrote a commit, as git records it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// A commit, as far as counting needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its parents, the first first.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Author,
    /// When it was committed, in seconds since 1970-01-01T00:00:00Z.
    pub committed: i64,
    /// The whole message.
    pub message: String,
}
