//! An OCI registry (Distribution 1.1), as far as charts and their lineage need it.

use async_trait::async_trait;

use crate::domain::digest::Sha256;
pub use crate::domain::oci::Descriptor;

/// Why a registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The reference is not one.
    #[error("{reference:?} is not a repository of an OCI registry")]
    Reference {
        /// The text.
        reference: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The registry refused or failed.
    #[error("{registry}: {operation} failed")]
    Failed {
        /// The registry and repository.
        registry: String,
        /// What was tried.
        operation: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What came back is not what its digest promises, or longer than allowed.
    #[error("{registry}: {digest} was answered with other or too many bytes")]
    Content {
        /// The registry and repository.
        registry: String,
        /// The digest asked for.
        digest: String,
    },
}

/// The outcome of pushing a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedManifest {
    /// The digest the registry answered with.
    pub digest: Sha256,
    /// Whether the registry said (`OCI-Subject`) that it keeps referrers itself; otherwise the fallback tag is ours to write.
    pub referrers_kept: bool,
}

/// One registry. `repository` is `host[:port]/path/to/repository`.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Uploads a blob unless it is there.
    async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Result<Sha256, RegistryError>;

    /// Uploads a manifest under a tag or, with `None`, by its digest alone. The bytes are stored as they are.
    async fn push_manifest(&self, repository: &str, tag: Option<&str>, media_type: &str, bytes: &[u8]) -> Result<PushedManifest, RegistryError>;

    /// A manifest by tag or `sha256:…`; `None` when there is none.
    async fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, RegistryError>;

    /// A blob, at most `limit` bytes long, checked against its digest; `None` when there is none.
    async fn blob(&self, repository: &str, digest: &Sha256, limit: usize) -> Result<Option<Vec<u8>>, RegistryError>;

    /// What refers to a manifest: by the referrers API, or where it is absent by the fallback tag.
    async fn referrers(&self, repository: &str, digest: &Sha256) -> Result<Vec<Descriptor>, RegistryError>;
}
