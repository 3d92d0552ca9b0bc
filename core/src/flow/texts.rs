//! The words of the train: what the stages know, put into the titles, messages and descriptions of
//! [`crate::domain::pull`].

use std::collections::{BTreeMap, BTreeSet};

use super::back::Way;
use super::bump::Derived;
use super::judge::Chain;
use super::listing::file;
use super::package::Built;
use super::preview::{Preview, policy};
use super::store::Signed;
use super::tips::{Tips, YAML_LIMIT};
use super::{CheckEntry, Entry, FlowError, Train, release_version};
use crate::domain::branch::Names;
use crate::domain::changelog;
use crate::domain::chart::Metadata;
use crate::domain::commit::Author;
use crate::domain::commit::conventional::changes;
use crate::domain::commit::range::Counted;
use crate::domain::configuration::Versions;
use crate::domain::digest::TreeId;
use crate::domain::markdown::Links;
use crate::domain::names::{ChartName, TagName};
use crate::domain::pull::body::{self, Carried, CheckLine, CheckState, Contributed, Lineage, Place, Published, Refusal, Returned, State};
use crate::domain::pull::{AttestationId, AttestationMap, DescriptionError, describe, message, title};
use crate::domain::statement::{Bump, CommitRecord, Level, Predicate, Promotion, Row, StatementDigest};
use crate::domain::version;
use crate::plan;
use crate::port::github::Pull;
use semver::Version;

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

/// One chart of a contribution, judged.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) chart: ChartName,
    pub(crate) preview: Preview,
    pub(crate) checks: Vec<CheckEntry>,
    /// The statement, when all passed.
    pub(crate) signed: Option<Signed>,
    /// Outside checks that are known, and the names of all that are asked for.
    pub(crate) outside: Vec<Signed>,
    pub(crate) asked: Vec<String>,
}

/// What the texts of one repository have in common.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    links: Links,
    names: Names,
    hold_label: String,
    /// Whether an App merges the way back.
    app: bool,
}

impl Words {
    pub(crate) fn new(train: &Train, tips: &Tips) -> Self {
        Self { links: links(train), names: tips.names.clone(), hold_label: tips.configuration.configuration.hold_label.clone(), app: train.home.app }
    }

    /// Stage 1: the description of a contribution.
    pub(crate) fn contribution_body(&self, charts: &[Judgement], entries: &[Entry], old: &str) -> Described {
        let several = charts.len() > 1;
        let mut map = AttestationMap::new();
        let mut contributed = Vec::new();
        for one in charts {
            let checks = self.judged(one);
            for line in &checks {
                // The contract's keys name no chart; where there are several, one chart's would replace the other's.
                let key = if several { format!("{}/{}", line.key, one.chart) } else { line.key.clone() };
                line.attestation.map(|id| map.insert(key, id));
            }
            let (after, level) = one.preview.decision.clone().unzip();
            contributed.push(Contributed {
                chart: one.chart.clone(),
                before: one.preview.before.clone(),
                after,
                level,
                checks,
                entry: one.preview.entry.clone(),
            });
        }
        let refusals = entries
            .iter()
            .filter_map(|entry| Some(Refusal { rule: entry.rule.clone()?, message: entry.message.clone(), hint: entry.hint.clone().unwrap_or_default() }));
        describe(old, &body::contribution(&contributed, &refusals.collect::<Vec<_>>()), &map)
    }

    fn judged(&self, one: &Judgement) -> Vec<CheckLine> {
        let signed = one.signed.as_ref().map(|line| (AttestationId::Payload(line.digest.0), self.stored(line)));
        let mut lines: Vec<CheckLine> = one
            .checks
            .iter()
            .map(|check| {
                let state = match check.outcome {
                    "passed" => CheckState::Passed,
                    "skipped" => CheckState::Skipped,
                    _ => CheckState::Failed,
                };
                let (attestation, url) = signed.clone().filter(|_| state == CheckState::Passed).unzip();
                let message = (check.message != check.outcome).then(|| check.message.clone());
                CheckLine { key: format!("validate/{}", check.check), state, message, attestation, url }
            })
            .collect();
        let known = self.checklist(&one.outside, &Numbers::new(), &[]);
        let awaited = one.asked.iter().map(|check| awaited(&format!("validate/{check}"))).filter(|line| known.iter().all(|known| known.key != line.key));
        lines.extend(awaited.collect::<Vec<_>>());
        lines.extend(known);
        lines
    }

    /// Stage 2: the description of the pull request that carries one chart.
    pub(crate) fn promotion_body(&self, chart: &ChartName, promotion: &Promotion, sides: &Sides, lines: &[Signed], old: &str) -> Described {
        let carried =
            Carried { checks: self.checklist(lines, &Numbers::new(), &["enforce/gate"]), ..carried(chart, promotion, sides.clone(), Place::Integration) };
        let section = body::promotion(&carried, &promotion.commit, &promotion.branch, &self.links);
        describe(old, &section, &map_of(&carried.checks))
    }

    /// Stage 5: the description of the pull request that brings the version in.
    pub(crate) fn bump_body(&self, chart: &ChartName, chain: &Chain, derived: &Derived, bump: &Signed, old: &str) -> Described {
        let Some(promotion) = chain.promotion() else { return Ok(old.to_owned()) };
        let state = |text: &str, content: &TreeId| State { version: Version::parse(text).ok(), content: content.clone() };
        let before = derived.from.as_deref().zip(base(chain)).map(|(from, content)| state(from, &content));
        let sides = Sides { before, after: Some(state(&derived.to, &derived.content.sha1)) };
        let mut lines = chain.lines();
        lines.push(bump.clone());
        let mut carried = Carried {
            decision: Some((derived.level, derived.reason.clone())),
            checks: self.checklist(&lines, &Numbers::new(), &[]),
            ..carried(chart, promotion, sides, Place::Promoted)
        };
        carried.lineage.version = Version::parse(&derived.to).ok();
        describe(old, &body::bump(&carried, &promotion.branch, &self.links), &map_of(&carried.checks))
    }

    /// Stage 4: title and description of the pull request to main.
    pub(crate) fn to_main(&self, chart: &ChartName, chain: &Chain, sides: &Sides, old: &str) -> (String, Described) {
        let Some(promotion) = chain.promotion() else { return (title::to_main(chart, None, false), Ok(old.to_owned())) };
        let bump = chain.bump();
        let version = bump.filter(|bump| bump.level != Level::None).and_then(|bump| Version::parse(&bump.to).ok());
        let expected: &[&str] = if promotion.removed { &["enforce/gate", "bump/release-gate"] } else { &["enforce/gate", "bump/version", "bump/release-gate"] };
        let mut carried = Carried {
            decision: bump.map(|bump| (bump.level, reason(bump))),
            checks: self.checklist(&chain.lines(), &Numbers::new(), expected),
            ..carried(chart, promotion, sides.clone(), if bump.is_some() { Place::Bumped } else { Place::Promoted })
        };
        carried.lineage.tag = version.as_ref().and_then(|version| self.names.tag(chart, version).ok());
        carried.lineage.version.clone_from(&version);
        let section = body::to_main(&carried, &self.hold_label, &self.links);
        (title::to_main(chart, version.as_ref(), promotion.removed), describe(old, &section, &map_of(&carried.checks)))
    }

    /// Stage 6: title and description of the way back.
    pub(crate) fn way_back(&self, way: &Way, returned: &[Returned], old: &str) -> (String, Described) {
        let charts: Vec<(ChartName, Option<Version>)> = returned.iter().map(|one| (one.chart.clone(), one.version.clone())).collect();
        let [_, main] = &way.parents;
        let section = body::way_back(returned, main, self.app, &self.links);
        (title::way_back(&charts), describe(old, &section, &AttestationMap::new()))
    }

    /// Stage 7: the description of the pull request to release. A number that an earlier run was given and that GitHub
    /// does not tell again stays.
    pub(crate) fn publication_body(&self, chart: &ChartName, chain: &Chain, built: &Built, lines: &[Signed], numbers: &Numbers, old: &str) -> Described {
        let Some((promotion, version)) = chain.promotion().zip(Version::parse(&built.package.version).ok()) else { return Ok(old.to_owned()) };
        let Ok(tag) = self.names.tag(chart, &version) else { return Ok(old.to_owned()) };
        let known = AttestationMap::read(old).ok().flatten().unwrap_or_default();
        let mut numbers = numbers.clone();
        for line in lines.iter().filter(|line| line.statement.subject.content().is_none()) {
            for (key, _) in keys(line) {
                if let Some(AttestationId::Number(number)) = known.get(&key) {
                    numbers.entry(line.digest).or_insert(*number);
                }
            }
        }
        let Carried { mut lineage, commits, .. } = carried(chart, promotion, Sides::default(), Place::Tag);
        lineage.version = Some(version.clone());
        lineage.tag = Some(tag.clone());
        let published = Published {
            chart: chart.clone(),
            version,
            tag,
            file: built.package.file_name.clone(),
            package: built.package.sha256,
            image: Some((format!("{}:{}", built.repository, built.image.tag), built.image.manifest.digest)),
            attestations: lines.len(),
            commits,
            checks: self.checklist(lines, &numbers, &[]),
            lineage,
        };
        describe(old, &body::publication(&published, &self.links), &map_of(&published.checks))
    }

    /// The text of the GitHub Release.
    pub(crate) fn release_notes(&self, chart: &ChartName, built: &Built, chain: &Chain) -> String {
        let Ok(version) = Version::parse(&built.package.version) else { return String::new() };
        let bump = chain.bump();
        let entry = bump.and_then(|bump| bump.witness.changelog_entry.clone()).or_else(|| {
            let commits = counted(&chain.promotion()?.commits);
            Some(changelog::Entry::new(chart, version.clone(), None, bump?.date, &commits).markdown(&self.links))
        });
        body::release_notes(&body::Notes {
            chart,
            version: &version,
            file: &built.package.file_name,
            package: built.package.sha256,
            image: &built.repository,
            repository: self.links.repository(),
            entry: entry.as_deref().unwrap_or_default(),
        })
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

fn map_of(checks: &[CheckLine]) -> AttestationMap {
    let mut map = AttestationMap::new();
    for line in checks {
        line.attestation.map(|id| map.insert(line.key.clone(), id));
    }
    map
}

/// A description with section and map, or that what people wrote leaves no room for the map.
pub(crate) type Described = Result<String, DescriptionError>;

/// What to do about a description that is full.
pub(crate) const FULL_HINT: &str = "shorten what was written into the description by hand; the map is brought in when the pull request is looked at again";

fn carried(chart: &ChartName, promotion: &Promotion, sides: Sides, at: Place) -> Carried {
    let pulls: BTreeSet<u64> = promotion.contributions.iter().map(|pull| pull.pull).chain(promotion.commits.iter().filter_map(|commit| commit.pull)).collect();
    let omitted = promotion.omitted.iter().map(|omitted| {
        let number = usize::try_from(omitted.count).unwrap_or(usize::MAX);
        format!("Not listed: {}, none of which decides the version.", count(number, "more commit"))
    });
    Carried {
        chart: chart.clone(),
        before: sides.before,
        after: sides.after,
        decision: None,
        commits: counted(&promotion.commits),
        checks: Vec::new(),
        lineage: Lineage {
            pulls: pulls.into_iter().collect(),
            source: Some(promotion.commit.clone()),
            branch: promotion.branch.clone(),
            version: None,
            tag: None,
            at,
        },
        notices: omitted.collect(),
    }
}

/// Main's content beside which the checks of a chain ran.
fn base(chain: &Chain) -> Option<TreeId> {
    chain.checks.iter().find_map(|line| match &line.statement.predicate {
        Predicate::Checks(checks) => checks.base.as_ref().map(|base| base.sha1.clone()),
        _ => None,
    })
}

/// Why a signed bump has its version: decided again from what the statement says.
fn reason(bump: &Bump) -> String {
    let decide = || {
        let parse = |text: &Option<String>| text.as_deref().map(Version::parse).transpose().ok();
        let versions = match bump.versions.as_str() {
            "commits" => Versions::Commits,
            "contributed" => Versions::Contributed,
            _ => Versions::Higher,
        };
        let messages = bump.commits.iter().rev().map(|commit| commit.message.as_str());
        let facts = version::Facts {
            main: parse(&bump.from)?,
            contributed: Metadata::read("Chart.yaml", &bump.witness.chart_yaml).and_then(|metadata| metadata.release_version()).ok()?,
            floor: parse(&bump.floor)?,
            level: bump.level,
            policy: policy(versions),
            release_as: messages.flat_map(changes).find_map(|change| change.release_as()?.ok()),
        };
        version::decide(&facts).ok().filter(|decision| decision.version.to_string() == bump.to)
    };
    decide().map_or_else(|| "as the bump says".to_owned(), |decision| decision.reason.to_string())
}

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
    let from = derived.from.as_deref().map(super::parse_version).transpose()?;
    Ok(title::bump(chart, from.as_ref(), &super::parse_version(&derived.to)?))
}

/// The message of the commit that brings the version in.
pub(crate) fn bump_message(chart: &ChartName, promotion: &Promotion, derived: &Derived) -> Result<String, FlowError> {
    Ok(message::bump(chart, &super::parse_version(&derived.to)?, &promotion.commit, &derived.authors))
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

/// A chart's branch against main. The signed bump says the versions; before it they are read.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn sides(train: &Train, chain: &Chain, branch: &plan::Branch) -> Result<Sides, FlowError> {
    let bump = chain.bump();
    let state = async |place: Option<&plan::Place>, known: Option<&str>| -> Result<Option<State>, FlowError> {
        let Some(place) = place else { return Ok(None) };
        let version = match known.and_then(|text| Version::parse(text).ok()) {
            Some(version) => Some(version),
            None => version_at(train, place).await?,
        };
        Ok(Some(State { version, content: place.tree.clone() }))
    };
    let removed = chain.promotion().is_some_and(|promotion| promotion.removed);
    Ok(Sides {
        before: state(branch.base.as_ref(), bump.and_then(|bump| bump.from.as_deref())).await?,
        after: if removed { None } else { state(branch.place.as_ref(), bump.map(|bump| bump.to.as_str())).await? },
    })
}
