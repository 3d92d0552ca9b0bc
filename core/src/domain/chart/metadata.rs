//! The types of Chart.yaml.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;
use serde::{Deserialize, Serialize};

use super::{ChartError, decode, version};
use crate::domain::names::ChartName;
use crate::domain::yaml::{self, Duplicates, Limits};

/// Where a [`Metadata`] was read. It is for messages only: two descriptions are equal wherever they stand.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The file, as the reader named it.
    pub path: String,
    /// The line of `name`.
    pub name_line: u32,
    /// The line of `version`.
    pub version_line: u32,
    /// The line of `apiVersion`; 0 when the file names none.
    pub api_version_line: u32,
    /// The version as it is written, before helm's reading made a number of it.
    pub version_text: String,
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Somebody who keeps a chart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintainer {
    /// Person or organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Address for mail.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// A page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// Another chart that a chart contains. Serialises in the order and with the omissions of helm's `chart.Dependency`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Dependency {
    /// The other chart's name.
    pub name: String,
    /// A version or a range of versions.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where it comes from: a URL, `oci://…`, `file://…`, `@name` or nothing.
    pub repository: String,
    /// The path of the value that switches it on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Groups that can be switched together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it is loaded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Values taken over from it: texts or pairs of child and parent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<serde_json::Value>,
    /// The name it has within the chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

impl Dependency {
    /// The directory of a dependency in the same repository, relative to the chart: the part behind `file://`.
    #[must_use]
    pub fn local_path(&self) -> Option<&str> {
        self.repository.strip_prefix("file://")
    }

    /// The name it goes by within the chart.
    #[must_use]
    pub fn name_or_alias(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

/// The content of a Chart.yaml. Serialises in the order and with the omissions of helm's `chart.Metadata`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// The chart's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The project's page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where the sources are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The chart's version, as helm reads it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// The URL of an icon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// `v1` or `v2`; `v1` when the file names none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The path of the value that switches the chart on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Tags that switch the chart on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of the software inside.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether nobody should use it any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Notes for other programs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The Kubernetes versions it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts it contains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// `application` (also when empty) or `library`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Where it was read.
    #[serde(skip)]
    pub origin: Origin,
}

impl Metadata {
    /// Reads a Chart.yaml as helm does: keys in any case, numbers and booleans as text where text is wanted, the last of
    /// duplicate keys, `v1` when no apiVersion is named; then validates it as helm does (`Metadata.Validate`).
    /// `path` is for messages only.
    ///
    /// # Errors
    /// See [`ChartError`].
    pub fn read(path: &str, bytes: &[u8]) -> Result<Self, ChartError> {
        Self::read_with_requirements(path, bytes, None)
    }

    /// As [`Metadata::read`], with the path and bytes of a requirements.yaml, whose keys count over those of Chart.yaml.
    ///
    /// # Errors
    /// See [`ChartError`].
    pub fn read_with_requirements(path: &str, bytes: &[u8], requirements: Option<(&str, &[u8])>) -> Result<Self, ChartError> {
        let limits = Limits::default();
        let root = yaml::parse(path, bytes, &limits, Duplicates::Keep)?.root;
        let requirements = match requirements {
            Some((path, bytes)) => Some((path, yaml::parse(path, bytes, &limits, Duplicates::Keep)?.root)),
            None => None,
        };
        let (metadata, problems) = decode::examine(path, &root, requirements.as_ref().map(|(path, root)| (*path, root)));
        problems.into_iter().next().map_or(Ok(metadata), Err)
    }

    /// The name, when it can travel through git refs and OCI registries.
    ///
    /// # Errors
    /// [`ChartError::Name`].
    pub fn chart_name(&self) -> Result<ChartName, ChartError> {
        ChartName::new(self.name.clone()).map_err(|source| ChartError::Name { path: self.origin.path.clone(), line: self.origin.name_line, source })
    }

    /// The version, when it is Semantic Versioning 2, as everything that the train releases must be.
    ///
    /// # Errors
    /// [`ChartError::ReleaseVersion`], with the version as it is written and one that would do.
    pub fn release_version(&self) -> Result<Version, ChartError> {
        let text = &self.origin.version_text;
        let text = if text.is_empty() { &self.version } else { text };
        Version::parse(text).map_err(|source| {
            let fix = version::nearest_version(text).to_string();
            ChartError::ReleaseVersion { path: self.origin.path.clone(), line: self.origin.version_line, value: text.clone(), fix, source: Arc::new(source) }
        })
    }

    /// Whether it is a library: a chart for other charts, which renders nothing itself.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.kind == "library"
    }
}
