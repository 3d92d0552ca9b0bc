//! The check `changelog`: shows what CHANGELOG.md will gain. It never fails.

use super::rules::CHANGELOG_PREVIEW;
use super::{CheckId, CheckResult, Finding};

/// Runs the check with the entry that the bump would write, if it would write one.
#[must_use]
pub fn check(entry: Option<&str>) -> CheckResult {
    let finding = entry.map(|entry| Finding::new(&CHANGELOG_PREVIEW, format!("CHANGELOG.md will gain:\n\n{}", entry.trim_end())));
    CheckResult::new(CheckId::Changelog, finding.into_iter().collect())
}
