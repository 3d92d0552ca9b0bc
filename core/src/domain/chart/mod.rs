//! A chart's own description: Chart.yaml (and requirements.yaml of v1 charts), read as helm reads it, and edited in place.

mod decode;
pub mod edit;

mod error;
mod metadata;
#[cfg(test)]
mod tests;

pub mod version;

pub(in crate::domain) use decode::sanitize;
pub use decode::{DEPENDENCY_KEYS, MAINTAINER_KEYS, METADATA_KEYS, decode, examine};
pub use error::ChartError;
pub use metadata::{Dependency, Maintainer, Metadata, Origin};

/// The file that makes a directory a chart.
pub const CHART_FILE: &str = "Chart.yaml";
/// Where charts of apiVersion v1 name their dependencies.
pub const REQUIREMENTS_FILE: &str = "requirements.yaml";
/// The default values.
pub const VALUES_FILE: &str = "values.yaml";
/// The JSON Schema of the values.
pub const VALUES_SCHEMA_FILE: &str = "values.schema.json";
/// The annotation in which Artifact Hub looks for the changes of a version.
pub const CHANGES_ANNOTATION: &str = "artifacthub.io/changes";
