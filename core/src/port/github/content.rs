//! Files at a commit, and comparing commits.

use serde::Deserialize;

use super::{Body, GitHub, GitHubError, Method, RAW, absent, encode};
use crate::domain::digest::CommitId;

/// What "Compare two commits" says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The merge base.
    pub merge_base: CommitId,
    /// Commits of the head that the base has not.
    pub ahead_by: u64,
    /// Commits of the base that the head has not.
    pub behind_by: u64,
}

impl GitHub {
    /// "Get repository content" of a file as bytes, at most `limit` (GitHub's own bound is 100 MB).
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn get_file(&self, path: &str, commit: &CommitId, limit: usize) -> Result<Option<Vec<u8>>, GitHubError> {
        let target = self.target(&format!("contents/{}?ref={commit}", encode(path, true)));
        Ok(absent(self.send_to(Method::Get, target, RAW, Body::Empty, limit).await)?.map(|response| response.body))
    }

    /// "Compare two commits" (three dots): their merge base and distances. `None` when they have no history in common
    /// or one is unknown (404).
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn compare(&self, base: &CommitId, head: &CommitId) -> Result<Option<Comparison>, GitHubError> {
        #[derive(Deserialize)]
        struct Raw {
            merge_base_commit: RawCommit,
            ahead_by: u64,
            behind_by: u64,
        }
        #[derive(Deserialize)]
        struct RawCommit {
            sha: CommitId,
        }
        let raw: Option<Raw> = self.get_optional(&format!("compare/{base}...{head}?per_page=1")).await?;
        Ok(raw.map(|raw| Comparison { merge_base: raw.merge_base_commit.sha, ahead_by: raw.ahead_by, behind_by: raw.behind_by }))
    }

    /// "List pull requests associated with a commit". Asked for once a job.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn pulls_of_commit(&self, commit: &CommitId) -> Result<Vec<super::Pull>, GitHubError> {
        self.pages_once(&format!("commits/{commit}/pulls")).await
    }
}
