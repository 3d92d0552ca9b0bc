//! The stages: each gathers facts, asks for a plan and applies it.
//!
//! What an event carries is at most a hint (a pull request's number). Running any stage at any time, twice, after a
//! crash or a lost event leads to the same state.

pub mod back;
pub mod bump;
pub mod compose;
pub mod enforce;
mod error;
pub mod filter;
pub mod format;
mod judge;
pub mod listing;
pub mod package;
pub mod publish;
mod pulls;
pub mod reconcile;
pub mod store;
pub mod tag;
pub mod tips;
pub mod validate;

use std::sync::Arc;

use serde::Serialize;

pub use error::FlowError;

use crate::domain::names::{BranchName, ChartName};
use crate::domain::statement::Stage;
use crate::port::github::GitHub;
use crate::port::helm::Helm;
use crate::port::objects::Objects;
use crate::port::registry::Registry;
use crate::port::signer::Signer;

/// Takes a bundle apart: the payload bytes when its signature is valid and its signer may sign for this repository,
/// otherwise nothing.
pub type OpenBundle = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

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
    /// Whether the identity is an App installation; otherwise it is the workflow's own token, whose events start nothing.
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
        self.entries.push(Entry { chart: chart.cloned(), outcome, message: message.into(), rule: None, hint: None });
    }

    pub(crate) fn refuse(&mut self, chart: Option<&ChartName>, rule: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.entries.push(Entry { chart: chart.cloned(), outcome: Outcome::Refused, message: message.into(), rule: Some(rule.to_owned()), hint: Some(hint.into()) });
    }
}
