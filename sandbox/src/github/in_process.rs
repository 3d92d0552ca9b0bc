//! chartflow's client straight on the embedded GitHub, without sockets.

use std::sync::Arc;

use async_trait::async_trait;
use chartflow_core::port::transport::{Body, Request, Response, Transport, TransportError};

use super::Hub;
use super::http::ApiRequest;

/// A transport that answers in process, as one token.
#[derive(Clone)]
pub struct InProcess {
    hub: Arc<Hub>,
    token: String,
}

impl InProcess {
    /// A transport that sends `token` with every request.
    #[must_use]
    pub fn new(hub: Arc<Hub>, token: &str) -> Self {
        Self { hub, token: token.to_owned() }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let (method, target) = (request.method.as_str(), request.target.clone());
        let path = match target.strip_prefix(&self.hub.base_url()) {
            Some(path) => path.to_owned(),
            None if target.starts_with('/') => target.clone(),
            None => {
                let source = "the embedded GitHub has another address".into();
                return Err(TransportError::Unreachable { method, target, source });
            }
        };
        let mut sent = ApiRequest::new(request.method, &path)
            .with_header("accept", request.accept)
            .with_header("authorization", &format!("Bearer {}", self.token))
            .with_header("x-github-api-version", "2022-11-28");
        match request.body {
            Body::Empty => {}
            Body::Json(value) => sent = sent.with_json(&value),
            Body::Bytes { content_type, bytes } => {
                sent = sent.with_header("content-type", &content_type);
                sent.body = bytes;
            }
        }
        let response = self.hub.handle(&sent);
        if response.body.len() > request.limit {
            return Err(TransportError::TooLong { method, target, limit: request.limit });
        }
        Ok(Response { status: response.status, headers: response.headers, body: response.body })
    }
}
