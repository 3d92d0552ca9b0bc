//! GitHub over HTTPS, through octocrab.
//!
//! octocrab carries the requests. Credentials, limits, redirects and repetition are decided here: its own retry repeats
//! POSTs, its own client follows redirects for every method and cannot be given another user agent.

mod app;
mod count;
mod jwt;
mod patience;
mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Uri};
use http_body_util::BodyExt as _;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use tokio::sync::Mutex;

use crate::io::secret::Secret;
use crate::io::tls::{Roots, TlsError};
use crate::port::transport::{Body, Method, Request, Response, Transport, TransportError};

pub use app::{AppError, AppOptions, AppTransport};
pub use count::{RequestCounter, creates_content};
pub use jwt::{AppKey, AppKeyError};
pub use patience::{Clock, Reason, SystemClock, Wait};
pub use server::{Server, ServerError};

/// The API version whose answers chartflow reads; 2026-03-10 leaves out fields it needs.
const API_VERSION: &str = "2022-11-28";
/// Between two writes of one identity ("Best practices for using the REST API": at least one second).
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
const AGENT: &str = concat!("chartflow/", env!("CARGO_PKG_VERSION"));
/// More redirects than this are not followed.
const REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Without a byte for this long, a connection is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A whole exchange, uploads included, takes at most this long.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(600);

/// Why a connection to GitHub cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// It is not known which certificates to believe.
    #[error("no connection to GitHub can be set up")]
    Client {
        /// The cause.
        #[from]
        source: TlsError,
    },
    /// The token holds characters that no HTTP header may hold.
    #[error("the token holds characters that cannot be sent")]
    Token,
}

/// What a transport needs to know.
#[derive(Clone)]
pub struct Options {
    /// Where the API is.
    pub server: Server,
    /// The token that is sent; `None` asks as anybody.
    pub token: Option<Secret>,
    /// Counts what is sent.
    pub counter: Arc<RequestCounter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The longest that all waits of one request may take together; what would take longer is answered at once.
    pub patience: Duration,
    /// Is told of every wait.
    pub on_wait: Arc<dyn Fn(&Wait) + Send + Sync>,
}

impl Options {
    /// The machine's clock, a quarter of an hour of patience and nobody who is told.
    #[must_use]
    pub fn new(server: Server, token: Option<Secret>) -> Self {
        Self { server, token, counter: Arc::default(), clock: Arc::new(SystemClock), patience: Duration::from_secs(900), on_wait: Arc::new(|_| {}) }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("server", &self.server).field("token", &self.token).field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// Sends requests to one GitHub server as one identity.
pub struct OctocrabTransport {
    client: Octocrab,
    options: Options,
    authorization: RwLock<Option<HeaderValue>>,
    /// When the last write ended. Held while writing, because writes are to be sent one after the other.
    last_write: Mutex<Option<SystemTime>>,
}

impl std::fmt::Debug for OctocrabTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OctocrabTransport").field("options", &self.options).finish_non_exhaustive()
    }
}

impl OctocrabTransport {
    /// A transport; must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(options: Options) -> Result<Self, SetupError> {
        Self::believing(options, &Roots::load()?)
    }

    /// The same, with the certificates to believe.
    fn believing(options: Options, roots: &Roots) -> Result<Self, SetupError> {
        let client = client(roots)?;
        let authorization = options.token.as_ref().filter(|token| !token.is_empty()).map(bearer).transpose()?;
        Ok(Self { client, options, authorization: RwLock::new(authorization), last_write: Mutex::new(None) })
    }

    /// Sends another token from now on.
    pub(super) fn set_token(&self, token: &Secret) -> Result<(), SetupError> {
        *self.authorization.write().unwrap_or_else(PoisonError::into_inner) = Some(bearer(token)?);
        Ok(())
    }

    /// What was sent so far.
    #[must_use]
    pub fn counter(&self) -> &Arc<RequestCounter> {
        &self.options.counter
    }

    async fn send_patiently(&self, request: &Request, url: &Uri, renewal: &dyn Renewal) -> Result<Response, TransportError> {
        let mut left = self.options.patience;
        let mut attempt = 0;
        loop {
            renewal.renew(request).await?;
            let answer = self.follow(request, url).await;
            let Some((reason, duration)) = self.wait_after(request, &answer, attempt).filter(|(_, duration)| *duration <= left) else {
                return answer;
            };
            left -= duration;
            attempt += 1;
            let until = self.options.clock.now().checked_add(duration).unwrap_or(SystemTime::UNIX_EPOCH);
            (self.options.on_wait)(&Wait { reason, duration, until, method: request.method, target: request.target.clone() });
            self.options.clock.sleep(duration).await;
        }
    }

    /// Whether to send again. An answer that names a rate limit says that nothing was done, so every method may be
    /// repeated; after anything else a request may have had its effect, so only a GET may.
    fn wait_after(&self, request: &Request, answer: &Result<Response, TransportError>, attempt: u32) -> Option<(Reason, Duration)> {
        let repeatable = request.method == Method::Get && attempt + 1 < patience::ATTEMPTS;
        match answer {
            Ok(response) => match patience::rate_limit(response, attempt, self.options.clock.now()) {
                Some(duration) => Some((Reason::RateLimit, duration)),
                None if repeatable && matches!(response.status, 500 | 502 | 503 | 504) => Some((Reason::ServerError, patience::back_off(attempt))),
                None => None,
            },
            Err(TransportError::Unreachable { .. }) if repeatable => Some((Reason::NoAnswer, patience::back_off(attempt))),
            Err(_) => None,
        }
    }

    /// Sends, and follows redirects of a GET: to the new name of a repository, or to where an asset is stored.
    async fn follow(&self, request: &Request, url: &Uri) -> Result<Response, TransportError> {
        let mut url = url.clone();
        for _ in 0..REDIRECTS {
            let response = self.exchange(request, &url).await?;
            match redirect(&url, &response).filter(|_| request.method == Method::Get) {
                Some(next) => url = next,
                None => return Ok(response),
            }
        }
        self.exchange(request, &url).await
    }

    async fn exchange(&self, request: &Request, url: &Uri) -> Result<Response, TransportError> {
        let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| TransportError::Unreachable {
            method: request.method.as_str(),
            target: request.target.clone(),
            source,
        };
        let outgoing = self.outgoing(request, url).map_err(|source| unreachable(source.into()))?;
        if self.options.server.owns(url) {
            self.options.counter.count(request.method, &request.target);
        }
        let answer = async {
            let response = self.client.send(outgoing).await.map_err(|source| unreachable(source.into()))?;
            let status = response.status().as_u16();
            let headers = headers(response.headers());
            let mut stream = response.into_body();
            let mut body = Vec::new();
            while let Some(frame) = stream.frame().await {
                if let Ok(data) = frame.map_err(|source| unreachable(source.into()))?.into_data() {
                    if body.len() + data.len() > request.limit {
                        return Err(TransportError::TooLong { method: request.method.as_str(), target: request.target.clone(), limit: request.limit });
                    }
                    body.extend_from_slice(&data);
                }
            }
            Ok(Response { status, headers, body })
        };
        tokio::time::timeout(EXCHANGE_TIMEOUT, answer).await.unwrap_or_else(|elapsed| Err(unreachable(elapsed.into())))
    }

    fn outgoing(&self, request: &Request, url: &Uri) -> http::Result<http::Request<OctoBody>> {
        let mut outgoing = http::Request::builder()
            .method(request.method.as_str())
            .uri(url.clone())
            .header(ACCEPT, request.accept)
            .header(USER_AGENT, AGENT)
            .header("x-github-api-version", API_VERSION);
        if self.options.server.owns(url)
            && let Some(authorization) = self.authorization.read().unwrap_or_else(PoisonError::into_inner).clone()
        {
            outgoing = outgoing.header(AUTHORIZATION, authorization);
        }
        match &request.body {
            Body::Empty if request.method == Method::Get => outgoing.body(OctoBody::empty()),
            Body::Empty => outgoing.body(OctoBody::from(Bytes::new())),
            Body::Json(value) => outgoing.header(CONTENT_TYPE, "application/json").body(OctoBody::from(value.to_string())),
            Body::Bytes { content_type, bytes } => outgoing.header(CONTENT_TYPE, content_type).body(OctoBody::from(bytes.clone())),
        }
    }
}

/// octocrab over a connection that follows no redirect by itself.
fn client(roots: &Roots) -> Result<Octocrab, TlsError> {
    // That http:// is for this machine alone is decided where a server or a redirect is accepted.
    let connector = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(roots.client_config()?).https_or_http().enable_http1().build();
    let mut connector = hyper_timeout::TimeoutConnector::new(connector);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_read_timeout(Some(IDLE_TIMEOUT));
    connector.set_write_timeout(Some(IDLE_TIMEOUT));
    let service = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build::<_, OctoBody>(connector);
    let Ok(client) = OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
    Ok(client)
}

/// Where a redirect leads: an absolute URL or a path on the same host; never from an encrypted connection to an open one.
fn redirect(from: &Uri, response: &Response) -> Option<Uri> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers.get("location")?;
    let to: Uri = if location.starts_with('/') && !location.starts_with("//") {
        format!("{}://{}{location}", from.scheme_str()?, from.authority()?).parse().ok()?
    } else {
        location.parse().ok()?
    };
    let downgrade = from.scheme_str() == Some("https") && to.scheme_str() != Some("https");
    (to.authority().is_some() && !downgrade).then_some(to)
}

/// A write to a host that is not this server's.
#[derive(Debug, thiserror::Error)]
#[error("{host} is not the GitHub server that was asked for, so nothing is sent there")]
struct Foreign {
    host: String,
}

/// Makes sure, before a request is sent and after every wait, that the token is still good.
#[async_trait]
trait Renewal: Send + Sync {
    async fn renew(&self, request: &Request) -> Result<(), TransportError>;
}

/// A token that nobody can renew.
struct Given;

#[async_trait]
impl Renewal for Given {
    async fn renew(&self, _request: &Request) -> Result<(), TransportError> {
        Ok(())
    }
}

#[async_trait]
impl Transport for OctocrabTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_renewing(request, &Given).await
    }
}

impl OctocrabTransport {
    async fn send_renewing(&self, request: Request, renewal: &dyn Renewal) -> Result<Response, TransportError> {
        let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| TransportError::Unreachable {
            method: request.method.as_str(),
            target: request.target.clone(),
            source,
        };
        let url = self.options.server.url(&request.target).map_err(|source| unreachable(source.into()))?;
        if request.method == Method::Get {
            return self.send_patiently(&request, &url, renewal).await;
        }
        if !self.options.server.owns(&url) {
            return Err(unreachable(Foreign { host: url.host().unwrap_or_default().to_owned() }.into()));
        }
        if self.options.server.is_loopback() {
            return self.send_patiently(&request, &url, renewal).await;
        }
        let mut last_write = self.last_write.lock().await;
        if let Some(last) = *last_write {
            let since = self.options.clock.now().duration_since(last).unwrap_or_default();
            if let Some(rest) = BETWEEN_WRITES.checked_sub(since).filter(|rest| !rest.is_zero()) {
                self.options.clock.sleep(rest).await;
            }
        }
        let answer = self.send_patiently(&request, &url, renewal).await;
        *last_write = Some(self.options.clock.now());
        answer
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, SetupError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| SetupError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Headers with values that are text; of a repeated one the last.
fn headers(headers: &http::HeaderMap) -> BTreeMap<String, String> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests;
