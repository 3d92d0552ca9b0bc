//! Stands between a stage and GitHub: stops between two requests when the run is cancelled, notes what is written, and
//! asks for no git object twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::step::{Step, describe};
use crate::domain::digest::Sha256;
use crate::domain::statement::{Statement, StatementDigest};
use crate::flow::OpenBundle;
use crate::port::registry::{Descriptor, PushedManifest, Registry, RegistryError};
use crate::port::signer::{SignError, Signer};
use crate::port::transport::{Body, Method, Request, Response, Transport, TransportError};

/// Objects longer than this are not remembered, and no more than so many of them.
const REMEMBERED: (usize, usize) = (1 << 20, 4096);

/// A statement that a run signed, or read with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The digest of the payload.
    pub digest: StatementDigest,
    /// What it says.
    pub statement: Statement,
    /// Whether this run signed it.
    pub signed: bool,
    /// GitHub's number, where it was posted there.
    pub number: Option<u64>,
}

/// What one run did, shared by everything that stands between a stage and the world.
#[derive(Default)]
pub struct Watch {
    stopped: AtomicBool,
    stop: Notify,
    steps: Mutex<Vec<Step>>,
    statements: Mutex<Vec<Known>>,
    /// The newest commit of the store.
    stored: Mutex<Option<String>>,
    objects: Mutex<BTreeMap<String, Response>>,
    /// What a dry run would have pushed, by reference and by digest.
    pushed: Mutex<BTreeMap<String, Vec<u8>>>,
    dry: bool,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// A watch over a run that writes, or that only plans.
    #[must_use]
    pub fn new(dry: bool) -> Arc<Self> {
        Arc::new(Self { dry, ..Self::default() })
    }

    /// Sends nothing any more; waits that are under way end.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.stop.notify_waiters();
    }

    /// Whether the run was told to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Whether the run only plans.
    #[must_use]
    pub fn is_dry(&self) -> bool {
        self.dry
    }

    /// What was written, or would have been, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        held(&self.steps).clone()
    }

    /// The statements that were signed or read, each once, in order.
    #[must_use]
    pub fn statements(&self) -> Vec<Known> {
        held(&self.statements).clone()
    }

    /// Takes bundles apart as `inner` does, and notes what they say.
    #[must_use]
    pub fn opening(self: &Arc<Self>, inner: Arc<OpenBundle>) -> Arc<OpenBundle> {
        let watch = self.clone();
        Arc::new(move |text| {
            let payload = inner(text)?;
            watch.know(&payload, false);
            Some(payload)
        })
    }

    /// The newest commit of the store that this run wrote.
    #[must_use]
    pub fn stored(&self) -> Option<String> {
        held(&self.stored).clone()
    }

    pub(super) fn note(&self, step: Step) {
        held(&self.steps).push(step);
    }

    /// Notes what a request has brought about.
    pub(super) fn done(&self, request: &Request, response: &Response) {
        if let Some(step) = describe(request) {
            let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let url = answer["html_url"].as_str().filter(|url| url.starts_with("https://") || url.starts_with("http://")).map(str::to_owned);
            self.note(Step { url, ..step });
        }
        let Body::Json(body) = &request.body else { return };
        if request.target.contains("/git/refs") && (request.target.ends_with("/chartflow/attestations") || body["ref"] == "refs/chartflow/attestations") {
            *held(&self.stored) = body["sha"].as_str().map(str::to_owned);
        }
        if request.target.ends_with("/attestations")
            && let Some(payload) = body.pointer("/bundle/dsseEnvelope/payload").and_then(serde_json::Value::as_str)
            && let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&response.body)
        {
            self.numbered(payload, answer["id"].as_u64());
        }
    }

    fn numbered(&self, payload: &str, number: Option<u64>) {
        use base64::Engine as _;
        let Ok(payload) = base64::engine::general_purpose::STANDARD.decode(payload) else { return };
        let digest = StatementDigest::of(&payload);
        for known in held(&self.statements).iter_mut().filter(|known| known.digest == digest) {
            known.number = number;
        }
    }

    fn know(&self, payload: &[u8], signed: bool) {
        let digest = StatementDigest::of(payload);
        let mut statements = held(&self.statements);
        if statements.iter().any(|known| known.digest == digest) {
            return;
        }
        if let Ok(statement) = Statement::parse(payload) {
            statements.push(Known { digest, statement, signed, number: None });
        }
    }

    fn refuse(&self, request: &Request) -> Result<(), TransportError> {
        if self.is_stopped() { Err(TransportError::Stopped { method: request.method.as_str(), target: request.target.clone() }) } else { Ok(()) }
    }
}

/// Git objects are their ids, so an answer holds for ever.
fn immutable(request: &Request) -> bool {
    let path = request.target.split('?').next().unwrap_or_default();
    let object = ["/git/commits/", "/git/trees/", "/git/blobs/"].into_iter().find_map(|kind| path.split_once(kind));
    request.method == Method::Get && object.is_some_and(|(_, id)| id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// GitHub under a watch.
pub struct WatchedTransport {
    inner: Arc<dyn Transport>,
    watch: Arc<Watch>,
}

impl WatchedTransport {
    /// Sends through `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }
}

#[async_trait]
impl Transport for WatchedTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.watch.refuse(&request)?;
        if immutable(&request) {
            let key = format!("{} {}", request.accept, request.target);
            if let Some(known) = held(&self.watch.objects).get(&key).filter(|known| known.body.len() <= request.limit) {
                return Ok(known.clone());
            }
            let response = self.read(request).await?;
            let mut objects = held(&self.watch.objects);
            if response.status == 200 && response.body.len() <= REMEMBERED.0 && objects.len() < REMEMBERED.1 {
                objects.insert(key, response.clone());
            }
            return Ok(response);
        }
        if request.method == Method::Get {
            return self.read(request).await;
        }
        // A write that has begun is waited for: whether it had its effect must not be in doubt.
        let response = self.inner.send(request.clone()).await?;
        if (200..300).contains(&response.status) {
            self.watch.done(&request, &response);
        }
        Ok(response)
    }
}

impl WatchedTransport {
    /// Reading changes nothing, so it is given up at once.
    async fn read(&self, request: Request) -> Result<Response, TransportError> {
        let stopped = TransportError::Stopped { method: request.method.as_str(), target: request.target.clone() };
        let stop = self.watch.stop.notified();
        tokio::pin!(stop);
        stop.as_mut().enable();
        self.watch.refuse(&request)?;
        tokio::select! {
            answer = self.inner.send(request) => answer,
            () = stop => Err(stopped),
        }
    }
}

/// A registry under a watch: with a run that only plans, it takes nothing.
pub struct WatchedRegistry {
    inner: Arc<dyn Registry>,
    watch: Arc<Watch>,
}

/// The cause of a refused registry call.
#[derive(Debug, thiserror::Error)]
#[error("stopped before it was sent")]
struct Stopped;

impl WatchedRegistry {
    /// Speaks to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Registry>, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }

    fn going(&self, registry: &str, operation: &str) -> Result<(), RegistryError> {
        if self.watch.is_stopped() {
            return Err(RegistryError::Failed { registry: registry.to_owned(), operation: operation.to_owned(), source: Box::new(Stopped) });
        }
        Ok(())
    }
}

#[async_trait]
impl Registry for WatchedRegistry {
    async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Result<Sha256, RegistryError> {
        self.going(repository, "pushing a blob")?;
        if self.watch.dry {
            let digest = Sha256::of(bytes);
            held(&self.watch.pushed).insert(digest.prefixed(), bytes.to_vec());
            return Ok(digest);
        }
        self.inner.push_blob(repository, bytes).await
    }

    async fn push_manifest(&self, repository: &str, tag: Option<&str>, media_type: &str, bytes: &[u8]) -> Result<PushedManifest, RegistryError> {
        self.going(repository, "pushing a manifest")?;
        let digest = Sha256::of(bytes);
        let name = tag.map_or_else(|| format!("{repository}@{}", digest.prefixed()), |tag| format!("{repository}:{tag}"));
        let step = Step { does: "push to the registry".to_owned(), method: "PUT", target: name, detail: digest.prefixed(), url: None };
        if self.watch.dry {
            let mut pushed = held(&self.watch.pushed);
            pushed.insert(format!("{repository}@{}", digest.prefixed()), bytes.to_vec());
            pushed.insert(step.target.clone(), bytes.to_vec());
            drop(pushed);
            self.watch.note(step);
            return Ok(PushedManifest { digest, referrers_kept: true });
        }
        let pushed = self.inner.push_manifest(repository, tag, media_type, bytes).await?;
        self.watch.note(step);
        Ok(pushed)
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        self.going(repository, "reading a manifest")?;
        let separator = if reference.starts_with("sha256:") { '@' } else { ':' };
        if let Some(bytes) = held(&self.watch.pushed).get(&format!("{repository}{separator}{reference}")) {
            return Ok(Some(bytes.clone()));
        }
        self.inner.manifest(repository, reference).await
    }

    async fn blob(&self, repository: &str, digest: &Sha256, limit: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        self.going(repository, "reading a blob")?;
        if let Some(bytes) = held(&self.watch.pushed).get(&digest.prefixed()) {
            return Ok(Some(bytes.clone()));
        }
        self.inner.blob(repository, digest, limit).await
    }

    async fn referrers(&self, repository: &str, digest: &Sha256) -> Result<Vec<Descriptor>, RegistryError> {
        self.going(repository, "reading referrers")?;
        self.inner.referrers(repository, digest).await
    }
}

/// A signer under a watch.
pub struct WatchedSigner {
    inner: Arc<dyn Signer>,
    watch: Arc<Watch>,
}

impl WatchedSigner {
    /// Signs by `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Signer>, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }
}

#[async_trait]
impl Signer for WatchedSigner {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    async fn sign(&self, payload: &[u8]) -> Result<String, SignError> {
        let bundle = self.inner.sign(payload).await?;
        self.watch.know(payload, true);
        Ok(bundle)
    }
}
