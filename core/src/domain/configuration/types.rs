//! The keys, their types and defaults. Their descriptions are those of the JSON Schema.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sigstore::Sigstore;
use crate::domain::check::CheckId;
use crate::domain::names::{BranchName, ChartName, EnvironmentName, RepoPath, RepositoryName};
use crate::domain::workflow::ENVIRONMENT;

/// How chartflow releases the charts of a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Configuration {
    /// Globs of the directories that hold charts; `*` does not cross a slash.
    pub charts: Vec<String>,
    /// The directory of each chart whose name is not its directory's.
    #[schemars(with = "BTreeMap<String, String>")]
    pub directories: BTreeMap<ChartName, RepoPath>,
    /// The names of the branches.
    pub branches: Branches,
    /// The name of a version's tag, with {chart} and {version}.
    pub tag: String,
    /// Where the next version comes from.
    pub versions: Versions,
    /// What is written about the changes of a version.
    pub changelog: Changelog,
    /// What a contribution must pass.
    pub checks: Checks,
    /// Where the packages are served from.
    pub packages: Packages,
    /// The Helm repository index.
    pub index: Index,
    /// The OCI repository below which the charts are pushed; {owner} and {repository} are GitHub's, in lower case.
    pub registry: String,
    /// How pull requests are merged.
    pub merge: Merge,
    /// The label that keeps a pull request as it is.
    pub hold_label: String,
    /// Who signs; absent: Sigstore's public instance for a public repository, GitHub's own for a private one.
    pub profile: Option<Profile>,
    /// The GitHub environment that holds the secrets.
    #[schemars(with = "String")]
    pub environment: EnvironmentName,
    /// The repository whose reusable workflows sign, such as chartflow/chartflow, where the workflow files of this one only
    /// call them; absent: the workflow files themselves sign.
    #[schemars(with = "Option<String>")]
    pub reusable_workflows: Option<RepositoryName>,
    /// A Sigstore of your own, in place of the public one or GitHub's.
    pub sigstore: Option<Sigstore>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            charts: vec!["charts/*".to_owned()],
            directories: BTreeMap::new(),
            branches: Branches::default(),
            tag: "{chart}-v{version}".to_owned(),
            versions: Versions::default(),
            changelog: Changelog::default(),
            checks: Checks::default(),
            packages: Packages::default(),
            index: Index::default(),
            registry: "ghcr.io/{owner}/charts".to_owned(),
            merge: Merge::default(),
            hold_label: "hold".to_owned(),
            profile: None,
            environment: EnvironmentName::literal(ENVIRONMENT),
            reusable_workflows: None,
            sigstore: None,
        }
    }
}

impl Configuration {
    /// The OCI repository below which this repository's charts are pushed: `host/path`, without the chart's name.
    /// Lower case, because registries refuse anything else (OCI Distribution 1.1, "Pulling manifests").
    #[must_use]
    pub fn registry_of(&self, repository: &RepositoryName) -> String {
        let (owner, name) = (repository.owner().to_ascii_lowercase(), repository.name().to_ascii_lowercase());
        self.registry.replace("{owner}", &owner).replace("{repository}", &name)
    }
}

/// Names and templates of branches. A template holds {chart}, and `publish` {version} as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Branches {
    /// The default branch: reviewed, releasable charts.
    #[schemars(with = "String")]
    pub main: BranchName,
    /// Where contributions are collected.
    #[schemars(with = "String")]
    pub integration: BranchName,
    /// The branch of one chart on its way to main.
    pub chart: String,
    /// The branch that is served.
    #[schemars(with = "String")]
    pub release: BranchName,
    /// The head that promotes a chart.
    pub promote: String,
    /// The head that brings a chart's version.
    pub bump: String,
    /// The head of the way back from main to integration.
    #[schemars(with = "String")]
    pub back: BranchName,
    /// The head that brings a package.
    pub publish: String,
}

impl Default for Branches {
    fn default() -> Self {
        Self {
            main: BranchName::literal("main"),
            integration: BranchName::literal("integration"),
            chart: "integration-{chart}".to_owned(),
            release: BranchName::literal("release"),
            promote: "chartflow-promote-{chart}".to_owned(),
            bump: "chartflow-bump-{chart}".to_owned(),
            back: BranchName::literal("chartflow-back"),
            publish: "chartflow-release-{chart}-{version}".to_owned(),
        }
    }
}

/// Where the next version comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Versions {
    /// The commits alone.
    Commits,
    /// The Chart.yaml of the contribution alone.
    Contributed,
    /// Whichever of the two is higher.
    #[default]
    Higher,
}

/// What is written about the changes of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Changelog {
    /// Whether the annotation artifacthub.io/changes is kept in step.
    pub artifacthub: Artifacthub,
}

/// Whether the annotation artifacthub.io/changes is kept in step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Artifacthub {
    /// Where a chart has it already.
    #[default]
    Auto,
    /// In every chart.
    Always,
    /// Nowhere.
    Never,
}

/// What a contribution must pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Checks {
    /// The built-in checks that must pass.
    pub required: Vec<CheckId>,
    /// Checks of your own workflows, which must have attested the content.
    pub outside: BTreeMap<String, OutsideCheck>,
    /// How old the result of a check may be when it counts; absent: any age.
    pub max_age: Option<Age>,
}

impl Default for Checks {
    fn default() -> Self {
        Self { required: CheckId::ALL.to_vec(), outside: BTreeMap::new(), max_age: None }
    }
}

/// A check of your own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OutsideCheck {
    /// The path of the workflow that runs and attests it, such as .github/workflows/scan.yml.
    pub workflow: String,
    /// The ref the workflow must have run on, such as refs/heads/main; absent: the main branch.
    #[serde(default)]
    pub r#ref: Option<String>,
    /// How old its result may be; absent: what `checks.max-age` says.
    #[serde(default)]
    pub max_age: Option<Age>,
}

/// Where the packages are served from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Packages {
    /// The release branch.
    #[default]
    Branch,
    /// The files of the GitHub Releases, with their lineage; the release branch holds the index alone.
    Assets,
}

/// The Helm repository index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Index {
    /// What stands before a package's path in the index; absent: nothing, so that addresses are relative.
    pub url: Option<String>,
}

/// How pull requests are merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Merge {
    /// Into main.
    pub main: MergeMethod,
}

/// A merge method of GitHub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MergeMethod {
    /// One commit.
    #[default]
    Squash,
    /// A merge commit.
    Merge,
    /// The commits on top. [`Configuration::read`] refuses it: main would hold a content between two releases that was never
    /// released.
    #[schemars(skip)]
    Rebase,
}

impl MergeMethod {
    /// The method as GitHub's API and the configuration write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Squash => "squash",
            Self::Merge => "merge",
            Self::Rebase => "rebase",
        }
    }
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Sigstore's public instance, whose logs keep every signature for all to see; refused for a private repository.
    Public,
    /// GitHub's own instance, which keeps no log.
    Github,
    /// A key.
    Key,
}

/// A span of time, written as a whole number and s, m, h, d or w. Never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(u64);

impl Age {
    /// The span in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// A text that is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a span of time; write a number and s, m, h, d or w, such as 30d")]
pub struct AgeError {
    /// The text, shortened.
    pub value: String,
}

impl FromStr for Age {
    type Err = AgeError;
    fn from_str(text: &str) -> Result<Self, AgeError> {
        let error = || AgeError { value: text.chars().take(40).collect() };
        let unit = text.chars().next_back().ok_or_else(error)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(error()),
        };
        let number = text.get(..text.len() - 1).filter(|number| number.bytes().all(|b| b.is_ascii_digit())).ok_or_else(error)?;
        let span = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds)).filter(|span| *span > 0);
        span.map(Self).ok_or_else(error)
    }
}

impl std::fmt::Display for Age {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [(604_800, 'w'), (86_400, 'd'), (3600, 'h'), (60, 'm')];
        let (seconds, unit) = units.into_iter().find(|(seconds, _)| self.0.is_multiple_of(*seconds)).unwrap_or((1, 's'));
        write!(f, "{}{unit}", self.0 / seconds)
    }
}

impl Serialize for Age {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Age {
    fn schema_name() -> Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]*[1-9][0-9]*[smhdw]$", "description": "A span of time, such as 12h or 30d." })
    }
}
