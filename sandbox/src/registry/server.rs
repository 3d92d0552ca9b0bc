//! The registry on a loopback port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use bytes::Bytes;

use super::Registry;
use super::answer::{Answer, Code};

/// A registry that listens; it stops when this value is dropped.
#[derive(Debug)]
pub struct RegistryServer {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl RegistryServer {
    /// Listens on a free port of 127.0.0.1. Needs a running tokio.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(registry: Arc<Registry>) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(serve).with_state(registry);
        let task = tokio::spawn(async move {
            // Serving ends only with the task: axum waits out errors of `accept`.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `127.0.0.1:PORT`, with which a repository's name begins.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for RegistryServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(registry): State<Arc<Registry>>, request: http::Request<Body>) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let head = parts.method == http::Method::HEAD;
    let refuse = |status, code, message: &str| Answer::refusal(status, code, message).into_response(head).map(Body::from);
    let Ok(body) = to_bytes(body, registry.body_limit()).await else {
        return refuse(413, Code::SizeInvalid, "the body broke off or is too long");
    };
    let request: http::Request<Bytes> = http::Request::from_parts(parts, body);
    // Hashing and files take time, which the sockets must not wait for.
    match tokio::task::spawn_blocking(move || registry.handle(&request)).await {
        Ok(response) => response.map(Body::from),
        Err(_) => refuse(500, Code::Unsupported, "the registry failed"),
    }
}
