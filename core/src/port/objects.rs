//! Read access to git objects by id: from a local repository where it holds them, otherwise from GitHub.
//!
//! Ids are content, so whoever answers, and from whatever cache, the answer is the same. Refs move and are therefore
//! not here: they are always asked of GitHub.

use async_trait::async_trait;

use crate::domain::content::Files;
use crate::domain::digest::{BlobId, CommitId, TreeId};
use crate::domain::tree::Tree;

/// Who did something, as git records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// A commit object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents, the first first.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Person,
    /// When it was committed, in seconds since 1970-01-01T00:00:00Z.
    pub committed: i64,
    /// The whole message.
    pub message: String,
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// No source has it.
    #[error("{kind} {id} is not in the repository")]
    Missing {
        /// `commit`, `tree` or `blob`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The repository is shallow, and what was asked for lies behind its boundary.
    #[error("{kind} {id} lies behind the boundary of this shallow clone")]
    Shallow {
        /// `commit`, `tree` or `blob`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// The object is not what its id or kind promises.
    #[error("{kind} {id} cannot be read")]
    Garbled {
        /// `commit`, `tree` or `blob`.
        kind: &'static str,
        /// The id.
        id: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A directory holds what a chart may not hold.
    #[error("{path}: {problem}")]
    Refused {
        /// Where.
        path: String,
        /// Why, as a clause.
        problem: String,
    },
    /// The source failed.
    #[error("{kind} {id}: the source of objects failed")]
    Source {
        /// `commit`, `tree` or `blob`.
        kind: &'static str,
        /// The id.
        id: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ObjectError {
    /// A name that is not UTF-8, in a directory that may hold none; the name as [`crate::domain::tree::shown`].
    #[must_use]
    pub fn not_utf8(directory: &str, name: &str) -> Self {
        let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
        Self::Refused { path, problem: "the name is not UTF-8".to_owned() }
    }
}

/// Read access to the objects of one repository.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Whether what lies below a commit can be read without asking a server.
    fn holds(&self, commit: &CommitId) -> bool {
        let _ = commit;
        false
    }

    /// A commit.
    async fn commit(&self, id: &CommitId) -> Result<Commit, ObjectError>;

    /// One directory. Names that are not UTF-8 stand apart in it ([`Tree::raw_entries`]).
    async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError>;

    /// A file's bytes, at most `limit` of them (more is [`ObjectError::Refused`]).
    async fn blob(&self, id: &BlobId, limit: usize) -> Result<Vec<u8>, ObjectError>;

    /// All files below a directory. Submodules and names that are not UTF-8 are [`ObjectError::Refused`].
    async fn files(&self, id: &TreeId) -> Result<Files, ObjectError>;

    /// The best common ancestor; of several, the first that `git merge-base` prints; `None` for unrelated histories.
    async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, ObjectError>;

    /// The commits reachable from `tip` and from none of `hidden` (`git rev-list TIP --not HIDDEN…`), newest first.
    async fn history(&self, tip: &CommitId, hidden: &[CommitId]) -> Result<Vec<Commit>, ObjectError>;
}
