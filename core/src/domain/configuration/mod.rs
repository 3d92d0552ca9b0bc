//! The configuration, `.chartflow.yaml` at the top of main. Every key is optional; unknown keys are refused.

mod address;
mod read;
#[cfg(test)]
mod reference_tests;
mod sigstore;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use read::nearest;
pub use read::{ConfigurationError, ReadConfiguration, line_of, schema};
pub use sigstore::Sigstore;
pub use types::{Age, Artifacthub, Branches, Changelog, Checks, Configuration, Index, Merge, MergeMethod, OutsideCheck, Packages, Profile, Versions};

/// Where the configuration stands in a repository.
pub const CONFIGURATION_FILE: &str = ".chartflow.yaml";
