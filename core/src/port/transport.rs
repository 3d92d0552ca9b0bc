//! One HTTP exchange with a GitHub server.
//!
//! An implementation sends the credentials, waits out rate limits, repeats what is safe to repeat (never a POST) and
//! counts; it does not interpret status codes otherwise.

use std::collections::BTreeMap;

use async_trait::async_trait;

/// The methods of GitHub's REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Create, or an action.
    Post,
    /// Replace, or an action.
    Put,
    /// Change.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The method as it stands in a request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// A JSON document.
    Json(serde_json::Value),
    /// Raw bytes of a media type (release assets).
    Bytes {
        /// The `content-type`.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// A request to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// A path below the API's base URL, percent-encoded, beginning with `/`, with its query; or the absolute URL that
    /// the server itself named (release uploads).
    pub target: String,
    /// The `accept` header, e.g. `application/vnd.github+json`.
    pub accept: &'static str,
    /// What it carries.
    pub body: Body,
    /// The answer is refused when it is longer than this many bytes.
    pub limit: usize,
}

/// An answer of the API, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The server could not be reached, or the connection broke.
    #[error("{method} {target}: no answer from the server")]
    Unreachable {
        /// The method.
        method: &'static str,
        /// The request's target, without credentials.
        target: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is longer than was asked for.
    #[error("{method} {target}: the answer is longer than {limit} bytes")]
    TooLong {
        /// The method.
        method: &'static str,
        /// The request's target.
        target: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The process is stopping and sends nothing any more.
    #[error("{method} {target}: stopped before it was sent")]
    Stopped {
        /// The method.
        method: &'static str,
        /// The request's target.
        target: String,
    },
}

/// Sends requests to one GitHub server as one identity.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and waits for the whole answer.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}
