//! Commits: Conventional Commits, and which commits count for a release.

pub mod conventional;

use serde::{Deserialize, Serialize};

/// Who wrote a commit, as git records it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}
