//! The words of the train: what the stages know, put into the titles, messages and descriptions of
//! [`crate::domain::pull`].

mod back;
mod carried;
mod contribution;
mod message;
mod publication;

use std::collections::BTreeMap;

use semver::Version;

use super::judge::Chain;
use super::listing::file;
use super::store::Signed;
use super::tips::{Tips, YAML_LIMIT};
use super::{FlowError, Train, release_version};
use crate::domain::branch::Names;
use crate::domain::commit::Author;
use crate::domain::commit::range::Counted;
use crate::domain::configuration::Versions;
use crate::domain::markdown::Links;
use crate::domain::names::ChartName;
use crate::domain::pull::body::{CheckLine, CheckState, State};
use crate::domain::pull::{AttestationId, AttestationMap, DescriptionError};
use crate::domain::statement::{CommitRecord, Level, Predicate, Row, StatementDigest};
use crate::plan;

pub(crate) use contribution::Judgement;
pub(crate) use message::{
    artifact_hub_changes, authors, back_message, bump_message, bump_title, changelog_entry, merge_message, merge_title, promotion_message, tag_message, weight,
};
pub(crate) use publication::Listed;

#[cfg(test)]
mod tests;

/// The full name of the ref of the store, as addresses name it.
const STORE: &str = "refs/chartflow/attestations";

/// GitHub's numbers of the statements it keeps, as far as they are known.
pub(crate) type Numbers = BTreeMap<StatementDigest, u64>;

/// A chart on both sides of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) before: Option<State>,
    pub(crate) after: Option<State>,
}

/// What the texts of one repository have in common.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    links: Links,
    names: Names,
    hold_label: String,
    versions: Versions,
    /// Whether an App merges the way back.
    app: bool,
}

impl Words {
    pub(crate) fn new(train: &Train, tips: &Tips) -> Self {
        let configuration = &tips.configuration.configuration;
        Self {
            links: links(train),
            names: tips.names.clone(),
            hold_label: configuration.hold_label.clone(),
            versions: configuration.versions,
            app: train.home.app,
        }
    }

    /// One line a check, in the order of the stages, and those awaited that are not there.
    fn checklist(&self, lines: &[Signed], numbers: &Numbers, expected: &[&str]) -> Vec<CheckLine> {
        let mut list = Vec::new();
        for line in lines {
            for (key, state) in keys(line) {
                let number = numbers.get(&line.digest).copied();
                let id = number.map_or(AttestationId::Payload(line.digest.0), AttestationId::Number);
                let url = number.map_or_else(|| self.stored(line), |number| self.links.attestation(number));
                list.push(CheckLine { key, state, message: None, attestation: Some(id), url: Some(url) });
            }
        }
        let missing = expected.iter().filter(|key| list.iter().all(|line| line.key != **key)).map(|key| awaited(key)).collect::<Vec<_>>();
        list.extend(missing);
        list
    }

    /// Where a statement stands in the store.
    fn stored(&self, line: &Signed) -> String {
        self.links.file(STORE, &line.file())
    }
}

/// A check that has not been made.
fn awaited(key: &str) -> CheckLine {
    CheckLine { key: key.to_owned(), state: CheckState::Pending, message: None, attestation: None, url: None }
}

/// The keys a statement stands under: one for each check.
fn keys(line: &Signed) -> Vec<(String, CheckState)> {
    let one = |key: &str| vec![(key.to_owned(), CheckState::Passed)];
    match (line.row(), &line.statement.predicate) {
        (Some(Row::Checks | Row::OutsideCheck), Predicate::Checks(checks)) => {
            let passed = checks.passed.iter().chain(&checks.warned).map(|check| (check, CheckState::Passed));
            let failed = checks.failed.iter().map(|check| (check, CheckState::Failed));
            passed.chain(failed).map(|(check, state)| (format!("validate/{check}"), state)).collect()
        }
        (Some(Row::Promotion), _) => one("filter/promotion"),
        (Some(Row::Enforce), _) => one("enforce/gate"),
        (Some(Row::Bump), _) => one("bump/version"),
        (Some(Row::ReleaseGate), _) => one("bump/release-gate"),
        (Some(Row::Tag), _) => one("tag/tag"),
        (Some(Row::Build), _) => one("package/build"),
        (Some(Row::Root), _) => one("package/root"),
        (Some(Row::Published), _) => one("publish/published"),
        _ => Vec::new(),
    }
}

/// The map of the checks of each chart.
fn map_of<'a>(charts: impl IntoIterator<Item = (&'a ChartName, &'a [CheckLine])>) -> AttestationMap {
    let charts: Vec<_> = charts.into_iter().collect();
    let several = charts.len() > 1;
    let mut map = AttestationMap::new();
    for (chart, line) in charts.into_iter().flat_map(|(chart, lines)| lines.iter().map(move |line| (chart, line))) {
        // The contract's keys name no chart; where there are several, one chart's would replace the other's.
        let key = if several { format!("{}/{chart}", line.key) } else { line.key.clone() };
        line.attestation.map(|id| map.insert(key, id));
    }
    map
}

/// A description with section and map, or that what people wrote leaves no room for the map.
pub(crate) type Described = Result<String, DescriptionError>;

/// What to do about a description that is full.
pub(crate) const FULL_HINT: &str = "shorten what was written into the description by hand; the map is brought in when the pull request is looked at again";

/// The word for a level.
pub(crate) const fn level(level: Level) -> &'static str {
    level.as_str()
}

/// `1 chart`, `2 charts`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The commits of a statement, newest first.
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

/// Addresses of the train's repository.
pub(crate) fn links(train: &Train) -> Links {
    Links::new(&train.home.server, train.github.repository_name().clone())
}

/// The word of the configuration for who decides versions.
pub(crate) const fn versions(versions: Versions) -> &'static str {
    match versions {
        Versions::Commits => "commits",
        Versions::Contributed => "contributed",
        Versions::Higher => "higher",
    }
}

/// The version at a place; `None` where there is none that can be read.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn version_at(train: &Train, place: &plan::Place) -> Result<Option<Version>, FlowError> {
    let bytes = file(&*train.objects, &place.tree, "Chart.yaml", YAML_LIMIT).await?;
    Ok(bytes.and_then(|bytes| release_version(&place.path, &bytes).ok()))
}

/// The chart at a place, with the version that is known or else read.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn state_at(train: &Train, place: Option<&plan::Place>, known: Option<&str>) -> Result<Option<State>, FlowError> {
    let Some(place) = place else { return Ok(None) };
    let version = match known.and_then(|text| Version::parse(text).ok()) {
        Some(version) => Some(version),
        None => version_at(train, place).await?,
    };
    Ok(Some(State { version, content: place.tree.clone() }))
}

/// What a chain carries, against main. The signed bump says the versions; before it they are read.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn sides(train: &Train, chain: &Chain, before: Option<&plan::Place>, after: Option<&plan::Place>) -> Result<Sides, FlowError> {
    let bump = chain.bump();
    let removed = chain.promotion().is_some_and(|promotion| promotion.removed);
    Ok(Sides {
        before: state_at(train, before, bump.and_then(|bump| bump.from.as_deref())).await?,
        after: state_at(train, after.filter(|_| !removed), bump.map(|bump| bump.to.as_str())).await?,
    })
}
