//! What can be wrong with a Chart.yaml.

use crate::domain::names::NameError;
use crate::domain::yaml::YamlError;

/// Why a Chart.yaml cannot be used. Lines count from 1.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ChartError {
    /// It is not YAML, or too much of it.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It is YAML, but no mapping.
    #[error("{path}: holds {found} where a mapping with name and version is expected")]
    NotAMapping {
        /// The file.
        path: String,
        /// What it holds.
        found: &'static str,
    },
    /// A value of the wrong type.
    #[error("{path}:{line}: {key} is {found}, {expected} is expected")]
    Type {
        /// The file.
        path: String,
        /// The line of the value.
        line: u32,
        /// The key, with the keys it lies in.
        key: String,
        /// What it is.
        found: &'static str,
        /// What helm reads there.
        expected: &'static str,
    },
    /// A key that every chart needs.
    #[error("{path}: {key} is missing; add a line such as `{example}`")]
    Missing {
        /// The file.
        path: String,
        /// The key.
        key: &'static str,
        /// A line that would do.
        example: &'static str,
    },
    /// A name that helm refuses.
    #[error("{path}:{line}: name {value:?} is a path; a chart's name has no directory")]
    NameIsPath {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The name.
        value: String,
    },
    /// A name that cannot travel: git refs and OCI repositories are made from it.
    #[error("{path}:{line}: the name cannot be released; use lower-case letters, digits and '-'")]
    Name {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The rule it breaks.
        source: NameError,
    },
    /// A version that not even helm reads.
    #[error("{path}:{line}: version {value:?} is not a version; write it as \"1.2.3\"")]
    Version {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The version as written.
        value: String,
    },
    /// A version that helm reads, but that is not Semantic Versioning 2.
    #[error("{path}:{line}: version {value} is not a semantic version; write {fix}")]
    ReleaseVersion {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The version as written.
        value: String,
        /// The nearest version that would do.
        fix: String,
        /// The cause.
        source: std::sync::Arc<semver::Error>,
    },
    /// A type of chart that helm does not know.
    #[error("{path}:{line}: type {value:?} is unknown; use application or library")]
    Kind {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The type.
        value: String,
    },
    /// A list item without a value.
    #[error("{path}:{line}: {key} holds an empty item; remove it")]
    EmptyItem {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// `maintainers` or `dependencies`.
        key: &'static str,
    },
    /// An alias with characters that helm refuses.
    #[error("{path}:{line}: the alias {value:?} of dependency {dependency:?} may hold letters, digits, '-' and '_' only")]
    Alias {
        /// The file.
        path: String,
        /// The line.
        line: u32,
        /// The dependency's name.
        dependency: String,
        /// The alias.
        value: String,
    },
    /// Two dependencies that would have one name.
    #[error("{path}:{line}: two dependencies are called {name:?}; give one of them an alias")]
    SameDependency {
        /// The file.
        path: String,
        /// The line of the second.
        line: u32,
        /// The name or alias.
        name: String,
    },
}

impl ChartError {
    /// The line, where the error has one.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Yaml(source) => source.line(),
            Self::NotAMapping { .. } | Self::Missing { .. } => None,
            Self::Type { line, .. }
            | Self::NameIsPath { line, .. }
            | Self::Name { line, .. }
            | Self::Version { line, .. }
            | Self::ReleaseVersion { line, .. }
            | Self::Kind { line, .. }
            | Self::EmptyItem { line, .. }
            | Self::Alias { line, .. }
            | Self::SameDependency { line, .. } => Some(*line),
        }
    }
}
