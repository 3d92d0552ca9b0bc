//! The embedded GitHub on a loopback port: the API, and reading access to the repository by git.

mod git;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use chartflow_core::port::transport::Method;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Hub;
use super::http::{ApiRequest, ApiResponse};

/// The longest request: a blob of 100 MB in Base64.
const BODY_LIMIT: usize = 140 * 1024 * 1024;

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The loopback port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for; 0 is any.
        port: u16,
        /// The cause.
        source: std::io::Error,
    },
    /// The server ended by itself.
    #[error("the embedded GitHub's server failed")]
    Failed {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A running server. Dropping it stops it without waiting; [`Server::stop`] waits.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Serves a hub on `127.0.0.1:port` (0: any free port) and makes its addresses point there.
    ///
    /// # Errors
    /// [`ServerError::Listen`].
    pub async fn start(hub: Arc<Hub>, port: u16) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        hub.set_base_url(&format!("http://{address}"));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(answer).with_state(hub);
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            // A dropped sender means the same as a sent word.
            let _ = stopped.await;
        });
        Ok(Self { address, stop, task: tokio::spawn(serving.into_future()) })
    }

    /// The address of the API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops listening, lets running requests finish, and waits for that.
    ///
    /// # Errors
    /// [`ServerError::Failed`].
    pub async fn stop(self) -> Result<(), ServerError> {
        // The server may have ended before; then there is nobody to tell.
        let _ = self.stop.send(());
        let ended = self.task.await.map_err(|source| ServerError::Failed { source: Box::new(source) })?;
        ended.map_err(|source| ServerError::Failed { source: Box::new(source) })
    }
}

async fn answer(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else { return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too long") };
    if let Some(service) = git::Service::of(&hub, &head) {
        return service.answer(&hub, &head, body).await;
    }
    if head.method == http::Method::GET
        && let Some(bytes) = hub.download(head.uri.path())
    {
        return Response::new(Body::from(bytes));
    }
    let method = match head.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return plain(StatusCode::METHOD_NOT_ALLOWED, "GitHub's API has no such method"),
    };
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut call = ApiRequest::new(method, target);
    for (name, value) in &head.headers {
        call.headers.insert(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    call.body = body.into();
    match tokio::task::spawn_blocking(move || hub.handle(&call)).await {
        Ok(response) => on_the_wire(response),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the embedded GitHub failed"),
    }
}

fn on_the_wire(response: ApiResponse) -> Response {
    let mut builder = Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "the answer has a header that HTTP cannot carry"))
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
