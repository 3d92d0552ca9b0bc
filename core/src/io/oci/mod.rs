//! OCI registries, through oci-client (Cargo name `oci-distribution`).
//!
//! Registries on this machine (`localhost`, 127.0.0.0/8) are spoken to over plain HTTP and past any proxy, all others
//! over HTTPS. Credentials belong to one host and are sent to no other.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use http_body_util::{BodyDataStream, BodyExt as _, Full};
use oci_distribution::Reference;
use oci_distribution::client::{Certificate, CertificateEncoding, Client, ClientConfig, ClientProtocol};
use oci_distribution::errors::{OciDistributionError, OciErrorCode};
use oci_distribution::manifest::{ImageIndexEntry, OciImageIndex};
use oci_distribution::secrets::RegistryAuth;
use tokio::io::AsyncWrite;

use crate::domain::digest::Sha256;
use crate::io::tls::Roots;
use crate::port::registry::{Descriptor, PushedManifest, Registry, RegistryError};

#[cfg(test)]
mod tests;

/// The media types a manifest is asked for as.
const MANIFEST_TYPES: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The longest silence in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// As whom a registry is spoken to.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// As nobody.
    #[default]
    Anonymous,
    /// With a user name and password; also what is exchanged for a token where the registry wants one.
    Basic {
        /// The user name. `ghcr.io` takes any.
        username: String,
        /// The password or token.
        password: String,
    },
    /// With a bearer token as it is.
    Bearer {
        /// The token.
        token: String,
    },
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Basic { username, .. } => write!(f, "Basic {{ username: {username:?}, password: … }}"),
            Self::Bearer { .. } => f.write_str("Bearer { token: … }"),
        }
    }
}

impl From<&Credentials> for RegistryAuth {
    fn from(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::Anonymous => Self::Anonymous,
            Credentials::Basic { username, password } => Self::Basic(username.clone(), password.clone()),
            Credentials::Bearer { token } => Self::Bearer(token.clone()),
        }
    }
}

/// Registries over the network.
#[derive(Default)]
pub struct OciRegistry {
    credentials: BTreeMap<String, Credentials>,
    // One client for loopback (`true`) and one for the rest: their proxies differ. Each is made when it is needed, since
    // that loads certificates.
    clients: Mutex<HashMap<bool, Client>>,
}

impl std::fmt::Debug for OciRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OciRegistry").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

/// The cause of a refused reference.
#[derive(Debug, thiserror::Error)]
enum ReferenceProblem {
    #[error("it begins with no host: a host holds a '.' or a port, or is localhost")]
    Host,
    #[error("it holds a tag or digest, where only the repository is asked for")]
    Tagged,
}

/// One repository and the client that reaches it.
struct Target {
    client: Client,
    registry: String,
    path: String,
    whole: String,
}

impl OciRegistry {
    /// Speaks to every registry anonymously.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// The same, with credentials for one registry (`host[:port]`).
    #[must_use]
    pub fn with_credentials(mut self, host: impl Into<String>, credentials: Credentials) -> Self {
        self.credentials.insert(host.into(), credentials);
        self
    }

    fn client(&self, loopback: bool) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&loopback) {
            return Ok(client.clone());
        }
        let client = Client::try_from(config(loopback, &Roots::load()?))?;
        clients.insert(loopback, client.clone());
        Ok(client)
    }

    async fn target(&self, repository: &str) -> Result<Target, RegistryError> {
        let refused = |source: Box<dyn std::error::Error + Send + Sync>| RegistryError::Reference { reference: repository.to_owned(), source };
        let Some((host, path)) = repository.split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost") else {
            return Err(refused(Box::new(ReferenceProblem::Host)));
        };
        if path.contains([':', '@']) {
            return Err(refused(Box::new(ReferenceProblem::Tagged)));
        }
        let parsed: Reference = repository.parse().map_err(|error: oci_distribution::ParseError| refused(Box::new(error)))?;
        let client = self.client(is_loopback(host)).map_err(|source| RegistryError::Failed {
            registry: repository.to_owned(),
            operation: "preparing the connection".to_owned(),
            source,
        })?;
        let auth = self.credentials.get(host).map_or(RegistryAuth::Anonymous, RegistryAuth::from);
        client.store_auth_if_needed(parsed.resolve_registry(), &auth).await;
        Ok(Target { client, registry: parsed.registry().to_owned(), path: parsed.repository().to_owned(), whole: repository.to_owned() })
    }
}

/// How a registry is spoken to.
fn config(loopback: bool, roots: &Roots) -> ClientConfig {
    let certificate = |der: &[u8]| Certificate { encoding: CertificateEncoding::Der, data: der.to_vec() };
    let mut config = ClientConfig {
        use_monolithic_push: true,
        connect_timeout: Some(CONNECT_TIMEOUT),
        read_timeout: Some(READ_TIMEOUT),
        // Without any, the client asks the machine for its certificates and fails where there is none.
        tls_certs_only: roots.certificates().map(certificate).collect(),
        ..ClientConfig::default()
    };
    if loopback {
        config.protocol = ClientProtocol::Http;
        // Naming any proxy switches off the one in the environment, which could not reach this machine's ports; one for
        // HTTPS is never used here.
        config.https_proxy = Some("http://127.0.0.1:9".to_owned());
    }
    config
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    name == "localhost" || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn failed(repository: &str, operation: impl Into<String>, source: OciDistributionError) -> RegistryError {
    RegistryError::Failed { registry: repository.to_owned(), operation: operation.into(), source: Box::new(source) }
}

/// Whether an error is the registry's way to say that something is not there.
fn is_absent(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::ServerError { code, .. } => *code == 404,
        OciDistributionError::RegistryError { envelope, .. } => envelope
            .errors
            .iter()
            .any(|error| matches!(error.code, OciErrorCode::BlobUnknown | OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound)),
        _ => false,
    }
}

impl Target {
    fn reference(&self, text: &str) -> Reference {
        if text.starts_with("sha256:") { Reference::with_digest(self.registry.clone(), self.path.clone(), text.to_owned()) } else { self.tag(text) }
    }

    fn tag(&self, text: &str) -> Reference {
        Reference::with_tag(self.registry.clone(), self.path.clone(), text.to_owned())
    }

    async fn manifest(&self, reference: &str) -> Result<Option<Bytes>, RegistryError> {
        let image = self.reference(reference);
        // The authentication was stored with the target; what is passed here is ignored.
        match self.client.pull_manifest_raw(&image, &RegistryAuth::Anonymous, &MANIFEST_TYPES).await {
            Ok((bytes, _)) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(OciDistributionError::DigestError(_)) => Err(RegistryError::Content { registry: self.whole.clone(), digest: reference.to_owned() }),
            Err(error) => Err(failed(&self.whole, format!("reading manifest {reference}"), error)),
        }
    }

    async fn referrers(&self, digest: &Sha256) -> Result<Vec<Descriptor>, RegistryError> {
        let digest = digest.prefixed();
        let operation = || format!("listing what refers to {digest}");
        let entries = match self.client.pull_referrers(&self.reference(&digest), None).await {
            Ok(index) => index.manifests,
            // A registry without the API may answer other things than 404: a page for people, 405, a redirect.
            Err(
                OciDistributionError::ManifestParsingError(_)
                | OciDistributionError::RegistryError { .. }
                | OciDistributionError::ServerError { code: 400..=499, .. },
            ) => match self.manifest(&digest.replace(':', "-")).await? {
                None => Vec::new(),
                Some(bytes) => serde_json::from_slice::<OciImageIndex>(&bytes).map_err(|error| failed(&self.whole, operation(), error.into()))?.manifests,
            },
            Err(error) => return Err(failed(&self.whole, operation(), error)),
        };
        Ok(entries.into_iter().map(descriptor).collect())
    }
}

fn descriptor(entry: ImageIndexEntry) -> Descriptor {
    Descriptor {
        media_type: entry.media_type,
        digest: entry.digest,
        size: u64::try_from(entry.size).unwrap_or_default(),
        artifact_type: entry.artifact_type,
        annotations: entry.annotations.unwrap_or_default(),
    }
}

/// The digest of a manifest's `subject`.
fn subject(manifest: &[u8]) -> Option<Sha256> {
    let value: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    Sha256::from_prefixed(value.get("subject")?.get("digest")?.as_str()?).ok()
}

/// Takes bytes up to a limit.
struct Capped {
    bytes: Vec<u8>,
    limit: usize,
    exceeded: bool,
}

impl AsyncWrite for Capped {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, part: &[u8]) -> Poll<io::Result<usize>> {
        if part.len() > self.limit - self.bytes.len() {
            self.exceeded = true;
            return Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()));
        }
        self.bytes.extend_from_slice(part);
        Poll::Ready(Ok(part.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Registry for OciRegistry {
    async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Result<Sha256, RegistryError> {
        let target = self.target(repository).await?;
        let digest = Sha256::of(bytes);
        let text = digest.prefixed();
        let error = |source| failed(repository, format!("uploading blob {text}"), source);
        let image = target.reference(&text);
        if target.client.blob_exists(&image, &text).await.map_err(error)? {
            return Ok(digest);
        }
        // In one piece, as helm uploads, and as a stream, because only that way does oci-client survive a garbled
        // `Location` without a panic.
        let stream = BodyDataStream::new(Full::new(Bytes::copy_from_slice(bytes)).map_err(|never| match never {}));
        target.client.push_blob_stream(&image, stream, &text, Some(bytes.len() as u64)).await.map_err(error)?;
        Ok(digest)
    }

    /// `referrers_kept` is found by asking: oci-client does not hand on the `OCI-Subject` header, so the referrers of
    /// the subject are listed, and the registry keeps them when this manifest is among them. Without a subject there is
    /// nothing to keep and it is true.
    async fn push_manifest(&self, repository: &str, tag: Option<&str>, media_type: &str, bytes: &[u8]) -> Result<PushedManifest, RegistryError> {
        let target = self.target(repository).await?;
        let digest = Sha256::of(bytes);
        let name = tag.map_or_else(|| digest.prefixed(), ToOwned::to_owned);
        let operation = format!("uploading manifest {name}");
        let content_type = HeaderValue::from_str(media_type).map_err(|error| RegistryError::Failed {
            registry: repository.to_owned(),
            operation: operation.clone(),
            source: Box::new(error),
        })?;
        // A digest goes in as if it were a tag: the path is the same, and oci-client's way around a registry that
        // answers without `Location` panics for references with a digest.
        target
            .client
            .push_manifest_raw(&target.tag(&name), Bytes::copy_from_slice(bytes), content_type)
            .await
            .map_err(|source| failed(repository, operation, source))?;
        let referrers_kept = match subject(bytes) {
            None => true,
            Some(subject) => target.referrers(&subject).await?.iter().any(|entry| entry.digest == digest.prefixed()),
        };
        Ok(PushedManifest { digest, referrers_kept })
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        Ok(self.target(repository).await?.manifest(reference).await?.map(Vec::from))
    }

    async fn blob(&self, repository: &str, digest: &Sha256, limit: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        let target = self.target(repository).await?;
        let text = digest.prefixed();
        let mut out = Capped { bytes: Vec::new(), limit, exceeded: false };
        match target.client.pull_blob(&target.reference(&text), text.as_str(), &mut out).await {
            Ok(()) => Ok(Some(out.bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(OciDistributionError::DigestError(_)) => Err(RegistryError::Content { registry: repository.to_owned(), digest: text }),
            Err(_) if out.exceeded => Err(RegistryError::Content { registry: repository.to_owned(), digest: text }),
            Err(error) => Err(failed(repository, format!("reading blob {text}"), error)),
        }
    }

    async fn referrers(&self, repository: &str, digest: &Sha256) -> Result<Vec<Descriptor>, RegistryError> {
        self.target(repository).await?.referrers(digest).await
    }
}
