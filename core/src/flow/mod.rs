//! The stages: each gathers facts, asks for a plan and applies it.
//!
//! What an event carries is at most a hint (a pull request's number). Running any stage at any time, twice, after a
//! crash or a lost event leads to the same state.

pub mod adoption;
pub mod attest;
pub mod back;
pub mod bump;
pub mod check;
mod checks;
pub mod compose;
mod dependents;
pub mod detect;
pub(crate) mod directories;
pub mod enforce;
mod error;
pub mod filter;
pub mod format;
mod history;
mod judge;
pub mod lineage;
pub mod listing;
mod nesting;
mod outside;
pub mod package;
pub mod preflight;
mod preview;
mod previous;
pub mod publish;
mod pulls;
pub mod reconcile;
pub mod rules;
pub mod rulesets;
mod served;
pub mod store;
mod succession;
pub mod tag;
mod texts;
pub mod tips;
pub mod validate;

use std::sync::Arc;

use serde::Serialize;

pub use error::FlowError;

use crate::domain::chart::Metadata;
use crate::domain::check::Finding;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::event::StageName;
use crate::domain::lineage::RepositoryFacts;
use crate::domain::names::{BranchName, ChartName, RepoPath};
use crate::domain::statement::{CheckResult, Predicate, Stage};
use crate::plan::{Carried, Place};
use crate::port::github::GitHub;
use crate::port::helm::Helm;
use crate::port::objects::Objects;
use crate::port::registry::Registry;
use crate::port::signer::Signer;

/// Takes a bundle apart: the payload bytes when its signature is valid and its signer may sign for this repository,
/// otherwise nothing.
pub type OpenBundle = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// Verifies a package and its lineage as a stranger with this repository's policy would, one who has a clone where there
/// are facts of it; a text says what was refused.
pub type VerifyPackage = dyn Fn(&[u8], &[u8], Option<&RepositoryFacts>) -> Result<(), String> + Send + Sync;

/// Everything a stage works with. All of it is handed in; a stage reads no clock and no environment.
#[derive(Clone)]
pub struct Train {
    /// The repository on GitHub, as the identity of this job.
    pub github: GitHub,
    /// Its git objects.
    pub objects: Arc<dyn Objects>,
    /// The OCI registry that packages go to.
    pub registry: Arc<dyn Registry>,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
    /// Whose signatures count.
    pub open: Arc<OpenBundle>,
    /// How a stranger would judge a package.
    pub verify: Arc<VerifyPackage>,
    /// The helm of this machine.
    pub helm: Arc<dyn Helm>,
    /// Where and what the repository is.
    pub home: Home,
}

/// Where and what the repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The server, such as `https://github.com`, without a slash at its end.
    pub server: String,
    /// The repository's number.
    pub id: u64,
    /// The default branch, which must be main.
    pub default_branch: BranchName,
    /// The workflow that signs, as statements name it.
    pub builder: String,
    /// Where packages are pushed: `host/path`, without the chart's name.
    pub oci_prefix: String,
    /// Required checks that this machine cannot run and that are left out here: only ever on a laptop.
    pub skips: Vec<String>,
    /// Whether the identity is an App installation. Otherwise it is the workflow's own token, whose events start nothing,
    /// or a person's, which is treated alike: then stages start each other besides, which changes nothing.
    pub app: bool,
}

/// How a stage ended for one chart, or for the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There was nothing to do.
    #[serde(rename = "nothing to do")]
    Nothing,
    /// Something else has to happen first.
    Waiting,
    /// It did what was due.
    Done,
    /// It said no.
    Refused,
}

/// What a stage did about one chart, or about the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The chart.
    pub chart: Option<ChartName>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was done or why not, in words.
    pub message: String,
    /// For a refusal: the stable id of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// For a refusal: what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// For a refusal: the file that is at fault, from the top of the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What one check said about one chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckEntry {
    /// The check's key.
    pub check: String,
    /// The chart.
    pub chart: ChartName,
    /// `passed`, `failed` or `skipped`.
    pub outcome: &'static str,
    /// In words.
    pub message: String,
}

/// What one run of a stage did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The stage.
    pub stage: Stage,
    /// By chart.
    pub entries: Vec<Entry>,
    /// The checks it ran.
    pub checks: Vec<CheckEntry>,
}

impl Report {
    /// A report without entries.
    #[must_use]
    pub fn new(stage: Stage) -> Self {
        Self { stage, entries: Vec::new(), checks: Vec::new() }
    }

    /// The strongest outcome of its entries.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.entries.iter().map(|entry| entry.outcome).max().unwrap_or(Outcome::Nothing)
    }

    pub(crate) fn add(&mut self, chart: Option<&ChartName>, outcome: Outcome, message: impl Into<String>) {
        self.entries.push(Entry { chart: chart.cloned(), outcome, message: message.into(), rule: None, hint: None, file: None, line: None });
    }

    pub(crate) fn refuse(&mut self, chart: Option<&ChartName>, rule: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.entries.push(Entry {
            chart: chart.cloned(),
            outcome: Outcome::Refused,
            message: message.into(),
            rule: Some(rule.to_owned()),
            hint: Some(hint.into()),
            file: None,
            line: None,
        });
    }

    /// Refuses for a file.
    pub(crate) fn refuse_file(&mut self, rule: &str, message: impl Into<String>, hint: impl Into<String>, file: Option<String>) {
        self.refuse(None, rule, message, hint);
        if let Some(entry) = self.entries.last_mut() {
            entry.file = file;
        }
    }

    /// Refuses for what a check found.
    pub(crate) fn refuse_finding(&mut self, chart: &ChartName, finding: &Finding) {
        self.entries.push(Entry {
            chart: Some(chart.clone()),
            outcome: Outcome::Refused,
            message: finding.to_string(),
            rule: Some(finding.rule.to_string()),
            hint: Some(finding.hint.clone().unwrap_or_default()),
            file: finding.file.clone(),
            line: finding.line,
        });
    }
}

/// Runs a stage. What an event names is a hint to it: the pull request by its number, and the branch that it aims at.
///
/// # Errors
/// See [`FlowError`].
pub async fn run(train: &Train, stage: StageName, pull: Option<u64>, base: Option<&BranchName>) -> Result<Vec<Report>, FlowError> {
    let report = match stage {
        StageName::Validate => validate::run(train, pull).await,
        StageName::Filter => filter::run(train).await,
        StageName::Enforce => enforce::run(train, pull).await,
        StageName::Format => format::run(train, base).await,
        StageName::Bump => bump::run(train, pull).await,
        StageName::Tag => tag::run(train).await,
        StageName::Package => package::run(train, pull).await,
        StageName::Publish => publish::run(train).await,
        StageName::Reconcile => return reconcile::run(train).await,
    };
    Ok(vec![report?])
}

/// The tree a chart's statements are about: its directory's, or git's empty one where nothing is left.
pub(crate) fn content_tree(place: Option<&Place>) -> Result<TreeId, FlowError> {
    match place {
        Some(place) => Ok(place.tree.clone()),
        None => Ok(TreeId::new(compose::EMPTY_TREE)?),
    }
}

/// What a chain of statements carried onto the chart's branch.
pub(crate) fn carried(chain: &judge::Chain) -> Option<Carried> {
    let promotion = chain.promotion()?;
    let statement = &chain.promotion.statement;
    let tree = &statement.subject.content()?.sha1;
    let source = (!promotion.removed || tree.as_str() != compose::EMPTY_TREE).then(|| Place { path: statement.source.path.clone(), tree: tree.clone() });
    Some(Carried { source, commit: promotion.commit.clone(), bumped: chain.bump.is_some() })
}

/// Whether the checks of a chain are all that the configuration requires, on the same base and configuration.
pub(crate) fn checks_complete(train: &Train, tips: &tips::Tips, chain: &judge::Chain, base: Option<&Place>) -> bool {
    let configuration = &tips.configuration.configuration;
    let mut passed: Vec<&str> = Vec::new();
    for line in &chain.checks {
        let Predicate::Checks(checks) = &line.statement.predicate else { return false };
        let same_base = checks.base.as_ref().map(|id| &id.sha1) == base.map(|place| &place.tree);
        if checks.result == CheckResult::Failed || !same_base || checks.configuration != tips.configuration.digest {
            return false;
        }
        passed.extend(checks.passed.iter().chain(&checks.warned).map(String::as_str));
    }
    let removed = chain.promotion().is_some_and(|promotion| promotion.removed);
    removed
        || (configuration
            .checks
            .required
            .iter()
            .map(|check| check.as_str())
            .all(|check| passed.contains(&check) || train.home.skips.iter().any(|skipped| skipped == check))
            && configuration.checks.outside.keys().all(|check| passed.contains(&check.as_str()) || train.home.skips.contains(check)))
}

/// The version in a Chart.yaml, as the train needs it.
pub(crate) fn release_version(path: &RepoPath, bytes: &[u8]) -> Result<semver::Version, FlowError> {
    let failed = |source| FlowError::Chart { chart: path.to_string(), what: "reading Chart.yaml", source: Box::new(source) };
    Metadata::read(&format!("{path}/Chart.yaml"), bytes).and_then(|metadata| metadata.release_version()).map_err(failed)
}

pub(crate) fn parse_version(text: &str) -> Result<semver::Version, FlowError> {
    semver::Version::parse(text).map_err(|source| FlowError::Chart { chart: text.to_owned(), what: "reading a version", source: Box::new(source) })
}

/// Stores a statement about real bytes with GitHub, where GitHub takes it: the git ref has it in any case.
pub(crate) async fn attestation(train: &Train, line: &store::Signed) -> Result<Option<u64>, FlowError> {
    let Ok(bundle) = serde_json::from_str(&line.bundle) else { return Ok(None) };
    match train.github.create_attestation(&bundle).await {
        Ok(id) => Ok(Some(id)),
        // Of these alone the first can be mended: others mean that this repository or server has no attestations.
        Err(error) if error.lacks_permission() => Err(error.into()),
        Err(error) if matches!(error.status(), Some(403 | 404 | 422)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Train {
    /// `git+<server>/<repository>@<ref>#<path>`: what a gate's decision is about.
    #[must_use]
    pub fn resource(&self, reference: &str, path: &RepoPath) -> String {
        format!("git+{}/{}@{reference}#{path}", self.home.server, self.github.repository_name())
    }

    /// The page of a commit.
    #[must_use]
    pub fn commit_page(&self, commit: &CommitId) -> String {
        format!("{}/{}/commit/{commit}", self.home.server, self.github.repository_name())
    }
}
