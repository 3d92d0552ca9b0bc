//! The built-in checks of a contribution, each a pure function of what it looks at.

pub mod artifact_hub;
mod buildable;
pub mod changelog;
pub mod commits;
pub mod helm_lint;
mod image;
pub mod layout;
mod rules;
pub mod schema;
mod schema_dependencies;
mod schema_values;
pub mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use rules::{RULES, Rule};

use crate::domain::content::Files;
use crate::domain::digest::Sha256;
use crate::domain::names::RepoPath;

/// A built-in check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// `helm lint` finds no error.
    HelmLint,
    /// Artifact Hub can read the annotations.
    ArtifactHub,
    /// Chart.yaml has the right keys and types; values.yaml fits values.schema.json.
    Schema,
    /// Every commit is a Conventional Commit.
    Commits,
    /// What CHANGELOG.md will gain; it never fails.
    Changelog,
    /// The version is not lower than what is out.
    Version,
    /// The files are where and what a chart's files must be.
    Layout,
}

impl CheckId {
    /// Every check, in the order in which they are told.
    pub const ALL: [Self; 7] = [Self::HelmLint, Self::ArtifactHub, Self::Schema, Self::Commits, Self::Changelog, Self::Version, Self::Layout];

    /// The key: how configuration, statements and pull requests name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HelmLint => "helm-lint",
            Self::ArtifactHub => "artifact-hub",
            Self::Schema => "schema",
            Self::Commits => "commits",
            Self::Changelog => "changelog",
            Self::Version => "version",
            Self::Layout => "layout",
        }
    }

    /// What the check demands. The number goes up whenever it demands something else, so that a statement says what was
    /// demanded when it was signed.
    #[must_use]
    pub const fn definition(self) -> &'static str {
        match self {
            Self::HelmLint => "helm-lint/1: helm lint exits with 0",
            Self::ArtifactHub => "artifact-hub/1: the errors of ah lint --kind helm about annotations",
            Self::Schema => "schema/2: Chart.yaml keys and types, semantic version, constraints of dependencies, values.yaml against values.schema.json",
            Self::Commits => "commits/2: Conventional Commits 1.0.0 or git's Revert; Release-As names a version",
            Self::Changelog => "changelog/1: preview",
            Self::Version => "version/2: not lower than the floor, and a higher one can be given",
            Self::Layout => "layout/2: Chart.yaml, name and directory, symbolic links, submodules; the package can be built",
        }
    }

    /// The SHA-256 of [`CheckId::definition`].
    #[must_use]
    pub fn definition_digest(self) -> Sha256 {
        Sha256::of(self.definition().as_bytes())
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no built-in check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is no built-in check")]
pub struct CheckIdError {
    /// The text.
    pub value: String,
}

impl FromStr for CheckId {
    type Err = CheckIdError;
    fn from_str(text: &str) -> Result<Self, CheckIdError> {
        Self::ALL.into_iter().find(|check| check.as_str() == text).ok_or_else(|| CheckIdError { value: text.chars().take(80).collect() })
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing speaks against the contribution; warnings may.
    Passed,
    /// There is an error.
    Failed,
    /// It could not run here.
    Skipped,
}

impl Outcome {
    /// `passed`, `failed` or `skipped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Worth mending.
    Warning,
    /// The check fails.
    Error,
}

/// One thing a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The stable id of the rule, such as `schema/unknown-key`.
    pub rule: Cow<'static, str>,
    /// How much it weighs.
    pub severity: Severity,
    /// The file, from the top of the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, with the value.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// A finding of a rule's own severity.
    #[must_use]
    pub fn new(rule: &Rule, message: impl Into<String>) -> Self {
        Self { rule: Cow::Borrowed(rule.id), severity: rule.severity, file: None, line: None, message: message.into(), hint: None }
    }

    /// Where it was found.
    #[must_use]
    pub fn at(self, file: impl Into<String>, line: Option<u32>) -> Self {
        Self { file: Some(file.into()), line, ..self }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With another severity than the rule's own.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.message)
    }
}

/// As many findings of one check are told; more would only bury them.
pub const FINDINGS_LIMIT: usize = 50;

/// What one check says about one chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check.
    pub check: CheckId,
    /// How it ended.
    pub outcome: Outcome,
    /// What it found, the errors first.
    pub findings: Vec<Finding>,
}

impl CheckResult {
    /// A result: failed when a finding is an error.
    #[must_use]
    pub fn new(check: CheckId, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.truncate(FINDINGS_LIMIT);
        let failed = findings.first().is_some_and(|finding| finding.severity == Severity::Error);
        Self { check, outcome: if failed { Outcome::Failed } else { Outcome::Passed }, findings }
    }

    /// A check that could not run, and why.
    #[must_use]
    pub fn skipped(check: CheckId, why: Finding) -> Self {
        Self { check, outcome: Outcome::Skipped, findings: vec![why] }
    }

    /// The findings that make it fail.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Whether it passed with warnings.
    #[must_use]
    pub fn warned(&self) -> bool {
        self.outcome == Outcome::Passed && self.findings.iter().any(|finding| finding.severity == Severity::Warning)
    }

    /// The result in one line: the first error, else the first warning, else how it ended.
    #[must_use]
    pub fn message(&self) -> String {
        let first = self.findings.iter().find(|finding| finding.severity > Severity::Notice || self.outcome == Outcome::Skipped);
        first.map_or_else(|| self.outcome.as_str().to_owned(), ToString::to_string)
    }
}

/// A chart's directory and its files.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The directory, from the top of the repository.
    pub directory: &'a RepoPath,
    /// Its files, by path relative to it.
    pub files: &'a Files,
}

impl Subject<'_> {
    /// A file's path from the top of the repository.
    #[must_use]
    pub fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.directory)
    }
}

/// The checks that need no pull request, on one chart: layout, schema and Artifact Hub, and what became of `helm lint`.
#[must_use]
pub fn lint(subject: &Subject<'_>, layout: &layout::Surroundings<'_>, helm: CheckResult) -> Vec<CheckResult> {
    vec![layout::check(subject, layout), schema::check(subject), artifact_hub::check(subject), helm]
}
