//! Titles and messages of the machine's commits and tags, and what a changelog gains.

use semver::Version;

use super::{counted, links};
use crate::domain::changelog;
use crate::domain::commit::Author;
use crate::domain::commit::range::Counted;
use crate::domain::markdown::Links;
use crate::domain::names::{ChartName, TagName};
use crate::domain::pull::{message, title};
use crate::domain::statement::{CommitRecord, Promotion, StatementDigest};
use crate::flow::back::Way;
use crate::flow::bump::Derived;
use crate::flow::judge::Chain;
use crate::flow::{FlowError, Train, parse_version};
use crate::port::github::Pull;

/// What a commit costs in statements: its record, the line in the changelog and the one for Artifact Hub, all of which
/// the bump holds.
pub(crate) fn weight(chart: &ChartName, links: &Links, record: &CommitRecord) -> usize {
    let entry = changelog::Entry::new(chart, Version::new(0, 0, 0), None, 0, &counted(std::slice::from_ref(record)));
    serde_json::to_vec(record).map_or(0, |json| json.len()) + entry.markdown(links).len() + entry.artifact_hub_changes(links).len()
}

/// The title of a merge commit.
pub(crate) fn merge_title(pull: &Pull) -> String {
    title::merged(&pull.title, pull.number)
}

/// Who wrote commits, co-authors among them, oldest first.
pub(crate) fn authors(counted: &[Counted]) -> Vec<Author> {
    counted.iter().rev().flat_map(Counted::people).collect()
}

/// The message of the commit that carries a chart.
pub(crate) fn promotion_message(chart: &ChartName, promotion: &Promotion, authors: &[Author]) -> String {
    message::promotion(chart, promotion.removed, &promotion.commit, authors)
}

/// The title of the pull request that brings the version in.
pub(crate) fn bump_title(chart: &ChartName, derived: &Derived) -> Result<String, FlowError> {
    let from = derived.from.as_deref().map(parse_version).transpose()?;
    Ok(title::bump(chart, from.as_ref(), &parse_version(&derived.to)?))
}

/// The message of the commit that brings the version in.
pub(crate) fn bump_message(chart: &ChartName, promotion: &Promotion, derived: &Derived) -> Result<String, FlowError> {
    Ok(message::bump(chart, &parse_version(&derived.to)?, &promotion.commit, &derived.authors))
}

/// What follows the title of a merge into a chart's branch.
pub(crate) fn merge_message(chart: &ChartName, chain: Option<&Chain>) -> String {
    chain.and_then(Chain::promotion).map(|promotion| message::merge(&[chart], &promotion.commit)).unwrap_or_default()
}

/// The message of an annotated tag.
pub(crate) fn tag_message(chart: &ChartName, name: &TagName, chain: &Chain, gate: StatementDigest) -> String {
    chain.promotion().map(|promotion| message::tag(name, chart, &promotion.commit, gate)).unwrap_or_default()
}

/// The message of the way back's commit.
pub(crate) fn back_message(way: &Way) -> String {
    let charts: Vec<&ChartName> = way.charts.iter().map(|one| &one.chart).collect();
    let [_, main] = &way.parents;
    message::way_back(&charts, main)
}

pub(crate) fn changelog_entry(train: &Train, chart: &ChartName, promotion: &Promotion, version: &Version, tag: Option<TagName>, date: i64) -> String {
    let entry = changelog::Entry::new(chart, version.clone(), tag, date, &counted(&promotion.commits));
    entry.markdown(&links(train))
}

pub(crate) fn artifact_hub_changes(train: &Train, chart: &ChartName, promotion: &Promotion, version: &Version, date: i64) -> String {
    changelog::Entry::new(chart, version.clone(), None, date, &counted(&promotion.commits)).artifact_hub_changes(&links(train))
}
