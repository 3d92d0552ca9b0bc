//! Running the checks on one chart's content and saying the outcome in a statement (rows 1 and 1k).

use std::collections::BTreeMap;

use super::listing::Listing;
use super::package::local_dependencies;
use super::preview::{Contribution, Preview, preview};
use super::store::{Signed, Store};
use super::texts::links;
use super::tips::{Difference, Pair, Tips, chart_name};
use super::{CheckEntry, FlowError, Train, release_version};
use crate::domain::check::{self, CheckId, CheckResult, Finding, Subject};
use crate::domain::commit::range::Counted;
use crate::domain::content::{ContentId, Files};
use crate::domain::digest::TreeId;
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::package::{declared, dependency_path, vendored};
use crate::domain::statement::{CheckResult as Verdict, Checks, DependencyContent, Predicate, Row, Source, Stage, Statement};
use crate::plan::Place;
use crate::port::helm::HelmError;
use semver::Version;

/// What the checks of one content need beside the content.
pub(crate) struct Judging<'a> {
    /// The whole tree it stands in: its `file://` dependencies are taken from there.
    pub(crate) root: &'a TreeId,
    /// The commits that brought it, newest first.
    pub(crate) commits: &'a [Counted],
    /// The directories that hold charts of its name, where there are several.
    pub(crate) doubles: Vec<RepoPath>,
    /// Where a contribution started from: a branch from an old commit has an old version without having lowered it.
    pub(crate) started: Option<Place>,
}

/// What the checks said about one content.
pub(crate) struct Judged {
    pub(crate) entries: Vec<CheckEntry>,
    pub(crate) content: ContentId,
    /// What its release would be.
    pub(crate) preview: Preview,
    /// Row 1, when every check that is required passed.
    pub(crate) statement: Statement,
    results: Vec<CheckResult>,
}

impl Judged {
    /// The chart's content on main beside which the checks ran.
    pub(crate) fn base(&self) -> Option<&ContentId> {
        match &self.statement.predicate {
            Predicate::Checks(checks) => checks.base.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.results.iter().all(|result| result.outcome != check::Outcome::Failed)
    }

    pub(crate) fn failures(&self) -> Vec<&Finding> {
        self.results.iter().filter(|result| result.outcome == check::Outcome::Failed).flat_map(CheckResult::errors).collect()
    }
}

/// The commits that count, as the check of commits reads them.
fn messages(counted: &[Counted]) -> Vec<check::commits::Commit> {
    counted.iter().map(|commit| check::commits::Commit { id: commit.id.clone(), message: commit.message.clone(), is_merge: false }).collect()
}

/// Runs the required checks on a chart's content and compares it with its content on main (`pair.old`).
///
/// # Errors
/// When an object cannot be read or helm cannot be run.
pub(crate) async fn judge(train: &Train, tips: &Tips, chart: &ChartName, pair: &Pair, listing: &Listing, judging: Judging<'_>) -> Result<Judged, FlowError> {
    let path = pair.path().cloned().ok_or_else(|| FlowError::NoBranch { branch: chart.to_string() })?;
    let files = match &pair.new {
        Some(new) => train.objects.files(&new.tree).await?,
        None => Files::new(),
    };
    let content = files.content_id()?;
    let base = match &pair.old {
        Some(old) => Some(train.objects.files(&old.tree).await?),
        None => None,
    };
    let dependencies = local_dependencies(&*train.objects, judging.root, &path, &files).await?;
    let subject = Subject { directory: &path, files: &files };
    let started = match &judging.started {
        Some(started) => super::listing::file(&*train.objects, &started.tree, "Chart.yaml", super::tips::YAML_LIMIT).await?,
        None => None,
    };
    let started = started.and_then(|bytes| release_version(&path, &bytes).ok());
    let mut results = Vec::new();
    let contribution = Contribution {
        chart,
        path: &path,
        base: base.as_ref(),
        files: Some(&files).filter(|_| !pair.removed),
        commits: judging.commits,
        versions: tips.configuration.configuration.versions,
    };
    let preview = preview(&contribution, &links(train));
    if !pair.removed {
        let input = Input {
            train,
            tips,
            chart,
            subject: &subject,
            base: base.as_ref(),
            listing,
            commits: judging.commits,
            preview: &preview,
            started,
            doubles: &judging.doubles,
            dependencies: &dependencies,
        };
        for check in tips.configuration.configuration.checks.required.clone() {
            results.push(input.run(check).await?);
        }
    }
    let predicate = Predicate::Checks(Checks {
        result: if results.iter().any(CheckResult::warned) { Verdict::Warned } else { Verdict::Passed },
        passed: keys(&results, |result| result.outcome == check::Outcome::Passed && !result.warned()),
        warned: keys(&results, CheckResult::warned),
        failed: keys(&results, |result| result.outcome == check::Outcome::Failed),
        definitions: results
            .iter()
            .filter(|result| result.outcome != check::Outcome::Skipped)
            .map(|result| (result.check.to_string(), result.check.definition_digest()))
            .collect(),
        base: match &base {
            Some(base) => Some(base.content_id()?),
            None => None,
        },
        dependencies: dependency_contents(&dependencies)?,
        configuration: tips.configuration.digest,
        outside: None,
    });
    let source = Source {
        server: train.home.server.clone(),
        repository: train.github.repository_name().clone(),
        id: train.home.id,
        chart: chart.clone(),
        path: path.clone(),
    };
    let subject = super::bump::content_subject(&path, &content);
    let statement = Statement { stage: Stage::Validate, source, subject, inputs: Vec::new(), predicate };
    let entries = results
        .iter()
        .map(|result| CheckEntry { check: result.check.to_string(), chart: chart.clone(), outcome: result.outcome.as_str(), message: result.message() })
        .collect();
    Ok(Judged { entries, content, preview, statement, results })
}

fn keys(results: &[CheckResult], wanted: impl Fn(&CheckResult) -> bool) -> Vec<String> {
    results.iter().filter(|result| wanted(result)).map(|result| result.check.to_string()).collect()
}

pub(crate) fn dependency_contents(dependencies: &BTreeMap<String, Files>) -> Result<Vec<DependencyContent>, FlowError> {
    let mut contents = Vec::new();
    for (path, files) in dependencies {
        let (Ok(path), Some(bytes)) = (RepoPath::new(path.clone()), files.bytes("Chart.yaml")) else { continue };
        let Ok(chart) = crate::domain::chart::Metadata::read(path.as_str(), bytes).and_then(|metadata| metadata.chart_name()) else { continue };
        contents.push(DependencyContent { chart, path, content: files.content_id()? });
    }
    contents.sort();
    Ok(contents)
}

struct Input<'a> {
    train: &'a Train,
    tips: &'a Tips,
    chart: &'a ChartName,
    subject: &'a Subject<'a>,
    base: Option<&'a Files>,
    listing: &'a Listing,
    commits: &'a [Counted],
    preview: &'a Preview,
    started: Option<Version>,
    doubles: &'a [RepoPath],
    dependencies: &'a BTreeMap<String, Files>,
}

impl Input<'_> {
    async fn run(&self, check: CheckId) -> Result<CheckResult, FlowError> {
        let configuration = &self.tips.configuration.configuration;
        let base_yaml = self.base.and_then(|files| files.bytes("Chart.yaml"));
        Ok(match check {
            CheckId::HelmLint => self.helm_lint().await?,
            CheckId::ArtifactHub => check::artifact_hub::check(self.subject),
            CheckId::Schema => check::schema::check(self.subject),
            CheckId::Commits => check::commits::check(&messages(self.commits)),
            CheckId::Changelog => check::changelog::check(self.preview.entry.as_deref()),
            CheckId::Version => {
                let floor = base_yaml.and_then(|bytes| release_version(self.subject.directory, bytes).ok());
                let floor = floor.map(|floor| self.started.clone().map_or(floor.clone(), |started| floor.min(started)));
                check::version::check(self.subject, floor.as_ref(), configuration.versions, self.preview.next())
            }
            CheckId::Layout => {
                let before = base_yaml.and_then(|bytes| crate::domain::chart::Metadata::read("Chart.yaml", bytes).ok());
                let mut twins = self.doubles.to_vec();
                for (path, tree) in self.listing.iter().filter(|(path, _)| path.base_name() == self.chart.as_str() && *path != self.subject.directory) {
                    if chart_name(self.train, path, tree).await?.ok().flatten().as_ref() == Some(self.chart) {
                        twins.push(path.clone());
                    }
                }
                let around = check::layout::Surroundings {
                    directories: Some(&configuration.directories),
                    name_before: before.as_ref().map(|metadata| metadata.name.as_str()),
                    doubles: &twins,
                    dependencies: Some(self.dependencies),
                };
                check::layout::check(self.subject, &around)
            }
        })
    }

    /// `helm lint` on the chart with its `file://` dependencies put into `charts/`.
    async fn helm_lint(&self) -> Result<CheckResult, FlowError> {
        if self.train.helm.version().await?.is_none() {
            let skipped = check::helm_lint::check(self.subject, None);
            return Ok(if self.train.home.skips.iter().any(|check| check == CheckId::HelmLint.as_str()) {
                skipped
            } else {
                // A required check that cannot run is no passed one.
                CheckResult::new(CheckId::HelmLint, skipped.findings.into_iter().map(|finding| finding.severity(check::Severity::Error)).collect())
            });
        }
        let files = vendored(self.subject.directory.as_str(), self.subject.files, self.dependencies);
        match self.train.helm.lint(self.chart.as_str(), &files).await {
            Ok(output) => Ok(check::helm_lint::check(self.subject, Some(&output))),
            // Files that cannot be laid out for helm, such as a link out of the chart, are the content's fault.
            // So is what helm does not come to an end with; and what the other job left out counts as not checked.
            Err(error @ (HelmError::Content { .. } | HelmError::Timeout { .. } | HelmError::NotRun { .. })) => {
                Ok(check::helm_lint::unable(&crate::domain::causes(&error)))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The outside checks that have passed on a content beside main's (`old`) under the configuration in force: their names
/// and statements. The newest word of each check counts.
pub(crate) async fn outside(store: &mut Store, tips: &Tips, chart: &ChartName, tree: &TreeId, old: Option<&Place>) -> Result<Vec<(String, Signed)>, FlowError> {
    let failed = |line: &Signed| matches!(&line.statement.predicate, Predicate::Checks(checks) if checks.result == Verdict::Failed);
    Ok(reported(store, tips, chart, tree, old).await?.into_iter().filter(|(_, line)| !failed(line)).collect())
}

/// The newest word of each outside check, those that failed included.
pub(crate) async fn reported(
    store: &mut Store,
    tips: &Tips,
    chart: &ChartName,
    tree: &TreeId,
    old: Option<&Place>,
) -> Result<Vec<(String, Signed)>, FlowError> {
    let mut found: BTreeMap<String, Signed> = BTreeMap::new();
    for line in store.about(chart, tree).await? {
        let Predicate::Checks(checks) = &line.statement.predicate else { continue };
        let Some(name) = checks.outside.as_ref().filter(|_| line.row() == Some(Row::OutsideCheck)) else { continue };
        let same_base = checks.base.as_ref().map(|id| &id.sha1) == old.map(|place| &place.tree);
        if !same_base || checks.configuration != tips.configuration.digest {
            continue;
        }
        found.insert(name.clone(), line.clone());
    }
    found.retain(|name, _| tips.configuration.configuration.checks.outside.contains_key(name));
    Ok(found.into_iter().collect())
}

/// The charts a chart depends on through `file://` whose content on integration is not main's.
pub(crate) async fn pending_dependencies(train: &Train, difference: &Difference, pair: &Pair) -> Result<Vec<ChartName>, FlowError> {
    let Some(new) = &pair.new else { return Ok(Vec::new()) };
    let only = super::listing::declaring(&*train.objects, &new.tree).await?;
    let mut pending = Vec::new();
    for dependency in declared(new.path.as_str(), &only) {
        let Some(at) = dependency_path(new.path.as_str(), &dependency).and_then(|at| RepoPath::new(at).ok()) else { continue };
        let differs = difference.charts.iter().find(|(_, pair)| pair.path() == Some(&at) && pair.new != pair.old);
        if let Some((chart, _)) = differs {
            pending.push(chart.clone());
        }
    }
    Ok(pending)
}
