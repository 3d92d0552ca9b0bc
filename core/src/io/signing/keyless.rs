//! Signing as a workflow run (profiles `public` and `github`): a key that lives for minutes, and a certificate that says
//! which workflow held it.
//!
//! The run's identity token opens nothing but this; it is asked for anew for each certificate and never printed. What is
//! sent to a log of the profile `public` is public for ever, so which services are used is the caller's word alone.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sigstore_bundle::BundleV03;
use sigstore_crypto::KeyPair;
use sigstore_fulcio::{FulcioClient, reqwest};
use sigstore_oidc::IdentityToken;
use sigstore_rekor::{HashedRekordV2, RekorV2Client, RekorV2KeyDetails};
use sigstore_tsa::TimestampClient;
use sigstore_types::{DerCertificate, DsseEnvelope, DsseSignature, KeyId, PayloadBytes};
use tokio::sync::Mutex;

use super::token::{self, checked};
use crate::domain::lineage::bundle::signed_bytes;
use crate::domain::statement::PAYLOAD_TYPE;
use crate::io::github::Clock;
use crate::io::secret::Secret;
use crate::port::signer::{SignError, Signer};

/// Fulcio's certificates hold for ten minutes; a new one is asked for after half of that.
const CERTIFICATE_AGE: Duration = Duration::from_secs(300);
/// How often a service is asked. Asking twice leaves at most a certificate, timestamp or log entry that nobody uses.
const ATTEMPTS: u32 = 3;
/// A log answers when it has integrated the entry, which takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

pub use super::token::{Ambient, RunClaims};

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeylessError {
    /// The run has no identity.
    #[error("the run has no identity to sign with (ACTIONS_ID_TOKEN_REQUEST_URL is not set): add to the workflow's job:\npermissions:\n  id-token: write")]
    NoIdentity,
    /// The address of the identity provider, or of a service, cannot be used.
    #[error("{url:?} is no https address")]
    Address {
        /// The address.
        url: String,
    },
    /// No HTTP client, key or request could be made.
    #[error("{what} could not be made")]
    Setup {
        /// What.
        what: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The identity provider did not give a token.
    #[error("the identity provider of the workflow run answered {status}: {message}")]
    Identity {
        /// The status code.
        status: u16,
        /// Its words, at most 200 characters.
        message: String,
    },
    /// A service refused or could not be reached.
    #[error("{service} at {url} failed")]
    Service {
        /// Which.
        service: &'static str,
        /// Where.
        url: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The services of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// Fulcio, which gives certificates.
    pub fulcio: String,
    /// The timestamp authority's whole endpoint.
    pub timestamps: String,
    /// The log (Rekor v2) that each signature is entered in; none in profile `github`.
    pub log: Option<String>,
}

impl Services {
    /// The public-good instance: certificates and signatures are logged for everybody to see, for ever.
    #[must_use]
    pub fn public() -> Self {
        Self {
            fulcio: "https://fulcio.sigstore.dev".to_owned(),
            timestamps: "https://timestamp.sigstore.dev/api/v1/timestamp".to_owned(),
            log: Some("https://log2025-1.rekor.sigstore.dev".to_owned()),
        }
    }

    /// GitHub's own instance, for private repositories: nothing is logged.
    #[must_use]
    pub fn github() -> Self {
        Self { fulcio: "https://fulcio.githubapp.com".to_owned(), timestamps: "https://timestamp.githubapp.com/api/v1/timestamp".to_owned(), log: None }
    }

    /// GitHub's own instance of an enterprise on `SUBDOMAIN.ghe.com`.
    #[must_use]
    pub fn enterprise(subdomain: &str) -> Self {
        let host = |service: &str| format!("https://{service}.{subdomain}.ghe.com");
        Self { fulcio: host("fulcio"), timestamps: format!("{}/api/v1/timestamp", host("timestamp")), log: None }
    }
}

/// A key and the certificate for it.
struct Credential {
    pair: KeyPair,
    certificate: DerCertificate,
    since: SystemTime,
}

/// Signs as a workflow run.
pub struct KeylessSigner {
    ambient: Ambient,
    services: Services,
    workflow: String,
    clock: Arc<dyn Clock>,
    on_secret: Arc<dyn Fn(&Secret) + Send + Sync>,
    http: reqwest::Client,
    fulcio: FulcioClient,
    timestamps: TimestampClient,
    log: Option<RekorV2Client>,
    credential: Mutex<Option<Arc<Credential>>>,
}

impl fmt::Debug for KeylessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeylessSigner").field("workflow", &self.workflow).field("services", &self.services).finish_non_exhaustive()
    }
}

impl KeylessSigner {
    /// A signer. `workflow` names the run's workflow for people; what certificates say is decided by the identity
    /// provider. `on_secret` is told each identity token before it is used, so that it can be masked.
    ///
    /// # Errors
    /// [`KeylessError::Address`] for services that are neither https nor on this machine, [`KeylessError::Setup`].
    pub fn new(
        ambient: Ambient,
        services: Services,
        workflow: &str,
        clock: Arc<dyn Clock>,
        on_secret: Arc<dyn Fn(&Secret) + Send + Sync>,
    ) -> Result<Self, KeylessError> {
        let setup = |source: Box<dyn std::error::Error + Send + Sync>| KeylessError::Setup { what: "a client for the signing services", source };
        for url in [Some(&services.fulcio), Some(&services.timestamps), services.log.as_ref()].into_iter().flatten() {
            checked(url)?;
        }
        let agent = concat!("chartflow/", env!("CARGO_PKG_VERSION"));
        // A redirect would carry the identity token elsewhere.
        let http = reqwest::Client::builder().timeout(TIMEOUT).user_agent(agent).redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| setup(error.into()))?;
        let fulcio = FulcioClient::builder(&services.fulcio).with_http_client(http.clone()).build().map_err(|error| setup(error.into()))?;
        let timestamps = TimestampClient::builder(&services.timestamps).with_http_client(http.clone()).build().map_err(|error| setup(error.into()))?;
        let log = services.log.as_ref().map(|url| RekorV2Client::builder(url).with_http_client(http.clone()).build()).transpose();
        let log = log.map_err(|error| setup(error.into()))?;
        Ok(Self { ambient, services, workflow: workflow.to_owned(), clock, on_secret, http, fulcio, timestamps, log, credential: Mutex::default() })
    }

    /// Asks the identity provider for a token.
    async fn identity_token(&self) -> Result<IdentityToken, KeylessError> {
        let secret = self.ambient.ask(&self.http).await?;
        (self.on_secret)(&secret);
        IdentityToken::from_jwt(secret.expose()).map_err(|_| token::unreadable())
    }

    /// What certificates of this run will say, by a token that is asked for and thrown away. Nothing is signed or logged.
    ///
    /// # Errors
    /// See [`KeylessError`].
    pub async fn claims(&self) -> Result<RunClaims, KeylessError> {
        let secret = self.attempts(|| self.ambient.ask(&self.http)).await?;
        (self.on_secret)(&secret);
        RunClaims::read(secret.expose()).ok_or_else(token::unreadable)
    }

    /// The key and certificate of these minutes.
    async fn credential(&self) -> Result<Arc<Credential>, KeylessError> {
        let mut held = self.credential.lock().await;
        let now = self.clock.now();
        if let Some(credential) = held.as_ref().filter(|credential| now.duration_since(credential.since).is_ok_and(|age| age < CERTIFICATE_AGE)) {
            return Ok(Arc::clone(credential));
        }
        let pair = KeyPair::generate_ecdsa_p256().map_err(|error| KeylessError::Setup { what: "a signing key", source: error.into() })?;
        let token = self.attempts(|| self.identity_token()).await?;
        let certificate = self
            .attempts(|| async {
                let answer = self.fulcio.create_signing_certificate(&token, &pair).await;
                answer.map_err(|error| self.service("Fulcio", &self.services.fulcio, error.into()))
            })
            .await?;
        let credential = Arc::new(Credential { pair, certificate: certificate.leaf_certificate().clone(), since: now });
        *held = Some(Arc::clone(&credential));
        Ok(credential)
    }

    fn service(&self, service: &'static str, url: &str, source: Box<dyn std::error::Error + Send + Sync>) -> KeylessError {
        KeylessError::Service { service, url: url.to_owned(), source }
    }

    /// Asks again when a service fails, a second later each time. What the identity provider refuses is final.
    async fn attempts<T, F: Future<Output = Result<T, KeylessError>>>(&self, ask: impl Fn() -> F) -> Result<T, KeylessError> {
        let mut attempt = 1;
        loop {
            match ask().await {
                Err(KeylessError::Service { .. }) if attempt < ATTEMPTS => {
                    self.clock.sleep(Duration::from_secs(u64::from(attempt))).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn bundle(&self, payload: &[u8]) -> Result<String, KeylessError> {
        let failed = |what: &'static str| move |source: Box<dyn std::error::Error + Send + Sync>| KeylessError::Setup { what, source };
        let credential = self.credential().await?;
        let signed = signed_bytes(payload);
        let signature = credential.pair.sign(&signed).map_err(|error| failed("a signature")(error.into()))?;
        let timestamp = self
            .attempts(|| async {
                let answer = self.timestamps.timestamp_signature(&signature).await;
                answer.map_err(|error| self.service("the timestamp authority", &self.services.timestamps, error.into()))
            })
            .await?;
        let entry = match (&self.log, &self.services.log) {
            (Some(log), Some(url)) => {
                let digest = sigstore_crypto::sha256(&signed);
                let entry = HashedRekordV2::new_with_certificate(&digest, &signature, &credential.certificate, RekorV2KeyDetails::PkixEcdsaP256Sha256);
                let ask = || async { log.create_entry(entry.clone()).await.map_err(|error| self.service("the log", url, error.into())) };
                Some(self.attempts(ask).await?)
            }
            _ => None,
        };
        let envelope = DsseEnvelope::new(PAYLOAD_TYPE, PayloadBytes::new(payload.to_vec()), DsseSignature::new(signature, KeyId::default()));
        let mut bundle = BundleV03::with_certificate_and_dsse(credential.certificate.clone(), envelope).with_rfc3161_timestamp(timestamp);
        if let Some(entry) = entry {
            bundle = bundle.with_tlog_entry(entry);
        }
        bundle.into_bundle().to_json().map_err(|error| failed("a bundle")(error.into()))
    }
}

#[async_trait]
impl Signer for KeylessSigner {
    fn identity(&self) -> String {
        self.workflow.clone()
    }

    async fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        self.bundle(payload).await.map_err(|source| SignError::Failed { identity: self.identity(), source: Box::new(source) })
    }
}
