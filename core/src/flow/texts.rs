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
use crate::domain::markdown::{Links, escape, one_line};
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
        // The statement keeps the name alone, so the name stands for the address that tells people apart.
        author: Author { name: commit.author.clone().unwrap_or_default(), email: commit.author.clone().unwrap_or_default() },
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

pub(crate) fn back_body(way: &Way, old: &str) -> String {
    let list = way.charts.iter().map(|chart| format!("- `{chart}`\n")).collect::<String>();
    let text = format!("Main's released content returns. It is computed and not merged: what integration holds beyond it stays.\n\n{list}");
    section(old, &text, &BTreeMap::new())
}

pub(crate) fn bump_title(chart: &ChartName, derived: &Derived) -> String {
    format!("chore({chart}): {}", derived.to)
}

pub(crate) fn bump_message(chart: &ChartName, derived: &Derived) -> String {
    format!("chore({chart}): {}\n\nChartflow-Chart: {chart}\n", derived.to)
}

pub(crate) fn bump_body(train: &Train, chart: &ChartName, derived: &Derived, old: &str) -> String {
    let from = derived.from.as_deref().unwrap_or("new");
    let text = format!("`{chart}` {from} → **{}** ({}): {}.\n\n{}", derived.to, level(derived.level), derived.reason, commits(train, &derived.commits));
    section(old, &text, &BTreeMap::new())
}

pub(crate) fn promotion_body(train: &Train, chart: &ChartName, promotion: &Promotion, lines: &[Signed], old: &str) -> String {
    let text = format!("Carries `{chart}` alone from integration at `{}`.\n\n{}", promotion.commit.short(), commits(train, &promotion.commits));
    section(old, &text, &map_of(lines))
}

pub(crate) fn release_title(chart: &ChartName, chain: &Chain) -> String {
    match chain.bump() {
        Some(bump) => format!("release({chart}): {}", bump.to),
        None => format!("release({chart})"),
    }
}

pub(crate) fn release_body(train: &Train, chart: &ChartName, chain: &Chain, old: &str) -> String {
    let list = chain.promotion().map(|promotion| commits(train, &promotion.commits)).unwrap_or_default();
    let head = match chain.bump() {
        Some(bump) => format!("`{chart}` {} → **{}** ({})", bump.from.as_deref().unwrap_or("new"), bump.to, level(bump.level)),
        None => format!("`{chart}`: the version is being derived"),
    };
    section(old, &format!("{head}\n\n{list}"), &map_of(&chain.lines()))
}

pub(crate) fn publish_title(chart: &ChartName, version: &Version) -> String {
    format!("release: {chart} {version}")
}

pub(crate) fn publish_message(chart: &ChartName, version: &Version) -> String {
    format!("release: {chart} {version}\n\nChartflow-Chart: {chart}\n")
}

pub(crate) fn publish_body(train: &Train, chart: &ChartName, built: &Built, old: &str) -> String {
    let _ = train;
    let text = format!("Package `{}` of `{chart}` with its index entry and lineage.\n\n`sha256:{}`", built.package.file_name, built.package.sha256);
    section(old, &text, &BTreeMap::new())
}

pub(crate) fn release_notes(train: &Train, chart: &ChartName, built: &Built, chain: &Chain) -> String {
    let list = chain.promotion().map(|promotion| commits(train, &promotion.commits)).unwrap_or_default();
    format!("{chart} {}\n\n{list}", built.package.version)
}

pub(crate) fn contribution_body(
    train: &Train,
    difference: &Difference,
    signed: &BTreeMap<ChartName, Signed>,
    checks: &[CheckEntry],
    entries: &[Entry],
    old: &str,
) -> String {
    let _ = (train, difference);
    let mut text = String::new();
    for check in checks {
        text.push_str(&format!("- `{}` {}: {}\n", check.chart, check.check, check.outcome));
    }
    for entry in entries.iter().filter(|entry| entry.rule.is_some()) {
        text.push_str(&format!("- refused ({}): {}\n", entry.rule.as_deref().unwrap_or_default(), entry.message));
    }
    let lines: Vec<Signed> = signed.values().cloned().collect();
    section(old, &text, &map_of(&lines))
}

pub(crate) fn changelog_entry(train: &Train, chart: &ChartName, promotion: &Promotion, version: &Version, tag: Option<TagName>, date: i64) -> String {
    let entry = changelog::Entry::new(chart, version.clone(), tag, date, &counted(&promotion.commits));
    entry.markdown(&links(train))
}

pub(crate) fn artifact_hub_changes(train: &Train, chart: &ChartName, promotion: &Promotion, version: &Version, date: i64) -> String {
    changelog::Entry::new(chart, version.clone(), None, date, &counted(&promotion.commits)).artifact_hub_changes(&links(train))
}

fn links(train: &Train) -> Links {
    Links::new(&train.home.server, train.github.repository_name().clone())
}

fn commits(train: &Train, commits: &[CommitRecord]) -> String {
    let links = links(train);
    commits.iter().rev().map(|commit| format!("- {} ({})\n", escape(&one_line(&commit.message, 200)), links.commit_link(&commit.id))).collect()
}

fn map_of(lines: &[Signed]) -> BTreeMap<String, String> {
    lines.iter().map(|line| (line.statement.name(), format!("sha256:{}", line.digest))).collect()
}

fn section(old: &str, text: &str, map: &BTreeMap<String, String>) -> String {
    let _ = (old, map);
    text.to_owned()
}

/// The word of the configuration for who decides versions.
pub(crate) const fn versions(versions: crate::domain::configuration::Versions) -> &'static str {
    use crate::domain::configuration::Versions;
    match versions {
        Versions::Commits => "commits",
        Versions::Contributed => "contributed",
        Versions::Higher => "higher",
    }
}
