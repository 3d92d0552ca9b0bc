//! Signing as a workflow run (profiles `public` and `github`): a key that lives for minutes, and a certificate that says
//! which workflow held it.
//!
//! The run's identity token opens nothing but this; it is asked for anew for each certificate and never printed. What is
//! sent to a log of the profile `public` is public for ever, so which services are used is the caller's word alone.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::Deserialize;
use sigstore_bundle::BundleV03;
use sigstore_crypto::KeyPair;
use sigstore_fulcio::{FulcioClient, reqwest};
use sigstore_oidc::IdentityToken;
use sigstore_rekor::{HashedRekordV2, RekorV2Client, RekorV2KeyDetails};
use sigstore_tsa::TimestampClient;
use sigstore_types::{DerCertificate, DsseEnvelope, DsseSignature, KeyId, PayloadBytes};
use tokio::sync::Mutex;

use crate::domain::lineage::bundle::signed_bytes;
use crate::domain::statement::PAYLOAD_TYPE;
use crate::io::github::Clock;
use crate::io::secret::Secret;
use crate::port::signer::{SignError, Signer};

/// The audience that Fulcio expects.
const AUDIENCE: &str = "sigstore";
/// Fulcio's certificates hold for ten minutes; a new one is asked for after half of that.
const CERTIFICATE_AGE: Duration = Duration::from_secs(300);
/// How often a service is asked. Asking twice leaves at most a certificate, timestamp or log entry that nobody uses.
const ATTEMPTS: u32 = 3;
/// A log answers when it has integrated the entry, which takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Longer answers with an identity token are refused.
const TOKEN_LIMIT: usize = 64 << 10;

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

/// Where the run's identity token is asked for: what GitHub puts into a job with `id-token: write`.
#[derive(Debug, Clone)]
pub struct Ambient {
    url: String,
    token: Secret,
}

impl Ambient {
    /// From the values of `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    ///
    /// # Errors
    /// [`KeylessError::NoIdentity`] without them, [`KeylessError::Address`] for a URL that is neither https nor on this
    /// machine.
    pub fn new(url: Option<&str>, token: Option<&str>) -> Result<Self, KeylessError> {
        match (url.map(str::trim).filter(|url| !url.is_empty()), token.map(Secret::new).filter(|token| !token.is_empty())) {
            (Some(url), Some(token)) => Ok(Self { url: checked(url)?, token }),
            _ => Err(KeylessError::NoIdentity),
        }
    }
}

/// An address that may be given secrets: https, or this machine.
fn checked(url: &str) -> Result<String, KeylessError> {
    let parsed = url.parse::<http::Uri>().ok();
    let host = parsed.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match parsed.as_ref().and_then(http::Uri::scheme_str) {
        Some("https") => Ok(url.to_owned()),
        Some("http") if here => Ok(url.to_owned()),
        _ => Err(KeylessError::Address { url: url.chars().take(200).collect() }),
    }
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
        let separator = if self.ambient.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}audience={AUDIENCE}", self.ambient.url);
        let failed = |error: reqwest::Error| KeylessError::Service {
            service: "the identity provider",
            url: self.ambient.url.split('?').next().unwrap_or_default().to_owned(),
            // Its text holds the whole URL.
            source: error.without_url().into(),
        };
        let request = self.http.get(&url).bearer_auth(self.ambient.token.expose()).header("accept", "application/json");
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(failed)?;
        let refused = |message: String| KeylessError::Identity { status, message: message.chars().take(200).collect() };
        if status != 200 {
            return Err(refused(String::from_utf8_lossy(&body).into_owned()));
        }
        #[derive(Deserialize)]
        struct Answer {
            value: String,
        }
        if body.len() > TOKEN_LIMIT {
            return Err(refused(format!("a token of {} bytes", body.len())));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| refused("no token".to_owned()))?;
        let secret = Secret::new(answer.value);
        (self.on_secret)(&secret);
        IdentityToken::from_jwt(secret.expose()).map_err(|_| refused("no token that can be read".to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_identity_says_which_lines_to_add() {
        for (url, token) in [(None, None), (Some("https://x"), None), (None, Some("y")), (Some(""), Some("y")), (Some("https://x"), Some(" \n"))] {
            assert!(matches!(Ambient::new(url, token), Err(KeylessError::NoIdentity)));
        }
        insta::assert_snapshot!(KeylessError::NoIdentity, @"
        the run has no identity to sign with (ACTIONS_ID_TOKEN_REQUEST_URL is not set): add to the workflow's job:
        permissions:
          id-token: write
        ");
    }

    #[test]
    fn tokens_go_to_encrypted_addresses_alone() {
        for url in ["https://pipelines.actions.example/token?api-version=2", "http://127.0.0.1:80/token", "http://[::1]:1/x", "http://localhost/x"] {
            assert!(Ambient::new(Some(url), Some("secret")).is_ok(), "{url}");
        }
        for url in ["http://example.com/token", "ftp://127.0.0.1", "token", "https//x"] {
            let refused = Ambient::new(Some(url), Some("secret")).unwrap_err().to_string();
            assert!(refused.ends_with("is no https address") && !refused.contains("secret"), "{refused}");
        }
        let ambient = Ambient::new(Some("https://x"), Some("secret")).unwrap();
        assert!(!format!("{ambient:?}").contains("secret"));
    }
}
