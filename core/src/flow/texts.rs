//! The words of the train: titles, messages and descriptions, from what the stages know.

use super::back::Way;
use super::bump::Derived;
use super::judge::Chain;
use super::package::Built;
use super::store::Signed;
use super::tips::Difference;
use super::{CheckEntry, Entry, Train};
use crate::domain::changelog;
use crate::domain::commit::Author;
use crate::domain::commit::range::Counted;
use crate::domain::names::{BranchName, ChartName, TagName};
use crate::domain::statement::{CommitRecord, Level, Promotion, StatementDigest};
use crate::port::github::Pull;
use semver::Version;
use std::collections::BTreeMap;

/// The word for a level.
pub(crate) fn level(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::Initial => "initial",
        Level::Patch => "patch",
        Level::Minor => "minor",
        Level::Major => "major",
    }
}

/// `1 chart`, `2 charts`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

pub(crate) fn counted(commits: &[CommitRecord]) -> Vec<Counted> {
    let one = |commit: &CommitRecord| Counted {
        id: commit.id.clone(),
        author: Author { name: commit.author.clone().unwrap_or_default(), email: String::new() },
        committed: 0,
        message: commit.message.clone(),
        pull: commit.pull,
    };
    commits.iter().rev().map(one).collect()
}

pub(crate) fn merge_title(pull: &Pull) -> String {
    format!("{} (#{})", pull.title, pull.number)
}

pub(crate) fn merge_message(chart: &ChartName) -> String {
    format!("Chartflow-Chart: {chart}")
}

pub(crate) fn closed(rule: &str, reason: &str, integration: &BranchName) -> String {
    format!("Closed by chartflow (`{rule}`): {reason}.\n\nOnly the content of `{integration}` travels on this branch.")
}

pub(crate) fn promotion_title(chart: &ChartName, promotion: &Promotion) -> String {
    format!("chore({chart}): promote {}", &promotion.commit.short())
}

pub(crate) fn promotion_message(chart: &ChartName, promotion: &Promotion) -> String {
    format!("{}\n\nChartflow-Chart: {chart}\nChartflow-Source: {}\n", promotion_title(chart, promotion), promotion.commit)
}

pub(crate) fn tag_message(chart: &ChartName, name: &TagName, gate: StatementDigest) -> String {
    format!("{name}\n\nChartflow-Chart: {chart}\nChartflow-Release-Gate: sha256:{gate}\n")
}

pub(crate) fn back_title(way: &Way) -> String {
    let _ = way;
    "chore: bring main back into integration".to_owned()
}

pub(crate) fn back_message(way: &Way) -> String {
    format!("{}\n\n{}\n", back_title(way), way.charts.iter().map(|chart| format!("Chartflow-Chart: {chart}")).collect::<Vec<_>>().join("\n"))
}
