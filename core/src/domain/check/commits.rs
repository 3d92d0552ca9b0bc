//! The check `commits`: every commit that touches the chart is a Conventional Commit, and its footers can be acted on.

use super::rules::{COMMITS_CONVENTION, COMMITS_RELEASE_AS};
use super::{CheckId, CheckResult, Finding};
use crate::domain::commit::conventional::{changes, parse};
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
        let Err(error) = parse(&commit.message) else { return release_as(commit) };
        let hint = "write the title as `<type>(<scope>): <description>`, for example `fix: restart the pod when the secret changes`; `git commit --amend` or `git rebase -i` changes it";
        Some(Finding::new(&COMMITS_CONVENTION, format!("commit {}: {error}", commit.id.short())).hint(hint))
    };
    CheckResult::new(CheckId::Commits, commits.iter().filter(|commit| !commit.is_merge).filter_map(finding).collect())
}

/// A footer `Release-As` that would be passed over: whoever wrote it means a version.
fn release_as(commit: &Commit) -> Option<Finding> {
    let error = changes(&commit.message).iter().find_map(|change| change.release_as()?.err())?;
    let hint = "write the whole version, such as `Release-As: 2.0.0`; `git commit --amend` or `git rebase -i` changes it";
    Some(Finding::new(&COMMITS_RELEASE_AS, format!("commit {}: {error}", commit.id.short())).hint(hint))
}
