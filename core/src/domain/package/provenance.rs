//! The text that a provenance file holds (helm `pkg/provenance`): whoever signs it as cleartext OpenPGP makes what
//! `helm verify` checks.

use super::emit::to_yaml;
use super::{Package, PackageError};

/// The chart's description and the package's digest, apart as YAML documents are in a text that is signed.
///
/// # Errors
/// [`PackageError::Write`] when the description cannot be written, which no package's is.
pub fn provenance_text(package: &Package) -> Result<String, PackageError> {
    let metadata = serde_json::to_value(&package.metadata).map_err(|source| PackageError::Write { source: source.into() })?;
    let files = serde_json::json!({ "files": { package.file_name.clone(): format!("sha256:{}", package.sha256) } });
    Ok(format!("{}\n...\n{}", to_yaml(&metadata), to_yaml(&files)))
}
