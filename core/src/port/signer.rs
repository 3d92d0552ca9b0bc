//! Signing in-toto statements.

use async_trait::async_trait;

/// Why a statement could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key or the signing service failed.
    #[error("signing as {identity} failed")]
    Failed {
        /// Who signs.
        identity: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// One signing identity.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Who signs, for people: a key's id or a workflow.
    fn identity(&self) -> String;

    /// Signs the payload (canonical statement bytes) in a DSSE envelope of type `application/vnd.in-toto+json` and
    /// returns the Sigstore bundle (v0.3) as one line of JSON, without a line end.
    async fn sign(&self, payload: &[u8]) -> Result<String, SignError>;
}
