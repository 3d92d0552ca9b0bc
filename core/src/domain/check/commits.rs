//! The check `commits`: every commit that touches the chart is a Conventional Commit.

use super::rules::COMMITS_CONVENTION;
use super::{CheckId, CheckResult, Finding};
use crate::domain::commit::conventional::parse;
use crate::domain::digest::CommitId;

/// A commit of the contribution that touches the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Its whole message.
    pub message: String,
    /// Whether it has more than one parent; merges may be called anything.
    pub is_merge: bool,
}

/// Runs the check on the commits of a contribution that touch the chart.
#[must_use]
pub fn check(commits: &[Commit]) -> CheckResult {
    let finding = |commit: &Commit| {
        let error = parse(&commit.message).err()?;
        let hint = "write the title as `<type>(<scope>): <description>`, for example `fix: restart the pod when the secret changes`; `git commit --amend` or `git rebase -i` changes it";
        Some(Finding::new(&COMMITS_CONVENTION, format!("commit {}: {error}", commit.id.short())).hint(hint))
    };
    CheckResult::new(CheckId::Commits, commits.iter().filter(|commit| !commit.is_merge).filter_map(finding).collect())
}
