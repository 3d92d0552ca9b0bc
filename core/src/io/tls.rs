//! Whom an encrypted connection believes.
//!
//! Mozilla's certificate authorities are compiled in, so that a program in an image without any file reaches public
//! servers. The machine's own are believed in addition, as are those in the file that `SSL_CERT_FILE` names and in the
//! folders of `SSL_CERT_DIR` (OpenSSL's variables, `openssl-env(7)`), for servers whose authority is a private one.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::CertificateResult;

/// The variables that name certificates.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Why it is not known whom to believe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A variable names certificates, and there is none.
    #[error("{variables} is set, but no PEM certificate could be read from there")]
    Empty {
        /// The variables that are set.
        variables: String,
        /// The first thing that went wrong.
        source: Option<rustls_native_certs::Error>,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Setup {
        /// The cause.
        source: rustls::Error,
    },
}

/// The certificate authorities that are believed.
#[derive(Debug, Clone)]
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Those compiled in, the machine's, and those that the environment names.
    ///
    /// # Errors
    /// [`TlsError::Empty`] when the environment names certificates of which none can be read.
    pub fn load() -> Result<Self, TlsError> {
        let named: Vec<_> = VARIABLES.into_iter().filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())).collect();
        Self::with(rustls_native_certs::load_native_certs(), &named)
    }

    /// Those compiled in and those that were found. A machine without a store is fine, one store of several that cannot
    /// be read as well; what was named must be there.
    fn with(found: CertificateResult, named: &[&str]) -> Result<Self, TlsError> {
        if found.certs.is_empty() && !named.is_empty() {
            return Err(TlsError::Empty { variables: named.join(" or "), source: found.errors.into_iter().next() });
        }
        let mut roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec();
        roots.extend(found.certs);
        roots.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
        roots.dedup();
        Ok(Self(roots))
    }

    /// How rustls connects to a server as nobody in particular.
    ///
    /// # Errors
    /// [`TlsError::Setup`].
    pub fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let mut store = RootCertStore::empty();
        // Machines keep certificates that no longer parse; they vouch for nobody.
        store.add_parsable_certificates(self.0.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|source| TlsError::Setup { source })?;
        Ok(builder.with_root_certificates(store).with_no_client_auth())
    }

    /// The certificates, as DER; those that rustls would refuse left out.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(|certificate| RootCertStore::empty().add((*certificate).clone()).is_ok()).map(AsRef::as_ref)
    }
}

#[cfg(test)]
pub(in crate::io) mod tests;
