//! What can go wrong between chartflow and GitHub.

use serde_json::Value;

use super::{Method, Response, operation};
use crate::port::rate_limit::RateLimit;
use crate::port::transport::TransportError;

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitHubError {
    /// There was no answer.
    #[error("GitHub did not answer")]
    Transport {
        /// The cause.
        #[from]
        source: TransportError,
    },
    /// GitHub answered that it will not do it.
    #[error("GitHub answered {status} to {operation}: {message}")]
    Refused {
        /// Method and path.
        operation: String,
        /// The status code.
        status: u16,
        /// GitHub's message and the messages of its `errors`, joined by `; `.
        message: String,
        /// The permissions that would have done, where GitHub names them (`x-accepted-github-permissions`): `;` between
        /// alternatives, `,` between what is needed together.
        accepted: Option<String>,
    },
    /// GitHub's rate limit is reached, and what it takes to wait for it is more than there is patience.
    #[error("GitHub's rate limit is reached ({operation}), and {limit}: {message}")]
    RateLimited {
        /// Method and path.
        operation: String,
        /// When it ends.
        limit: RateLimit,
        /// GitHub's message.
        message: String,
    },
    /// The answer is not what the API describes.
    #[error("GitHub's answer to {operation} could not be read")]
    Garbled {
        /// Method and path.
        operation: String,
        /// The cause.
        source: serde_json::Error,
    },
    /// A value inside the answer is not what the API describes.
    #[error("GitHub's answer to {operation} holds an unusable {what}: {value:?}")]
    Value {
        /// Method and path.
        operation: String,
        /// What the value should have been.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A merge that GitHub was asked for did not come to an end.
    #[error("pull request {number} is still being merged after {polls} looks")]
    MergePending {
        /// The pull request.
        number: u64,
        /// How often its state was asked for.
        polls: u32,
    },
    /// A listing has more pages than are ever needed.
    #[error("GitHub's list at {target} has more than {pages} pages")]
    TooManyPages {
        /// The path.
        target: String,
        /// The most pages read.
        pages: usize,
    },
}

impl GitHubError {
    pub(super) fn from_answer(method: Method, target: &str, response: &Response) -> Self {
        let accepted = response.headers.get("x-accepted-github-permissions").filter(|text| !text.is_empty()).cloned();
        let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        let mut parts: Vec<String> = body["message"].as_str().map(str::to_owned).into_iter().collect();
        for error in body["errors"].as_array().into_iter().flatten() {
            if let Some(text) = error.as_str().or_else(|| error["message"].as_str()) {
                parts.push(text.to_owned());
            } else if let (Some(field), Some(code)) = (error["field"].as_str(), error["code"].as_str()) {
                parts.push(format!("{field}: {code}"));
            }
        }
        if parts.is_empty() {
            parts.push("no message".to_owned());
        }
        let (operation, message) = (operation(method, target), parts.join("; "));
        match RateLimit::of(response) {
            Some(limit) => Self::RateLimited { operation, limit, message },
            None => Self::Refused { operation, status: response.status, message, accepted },
        }
    }

    /// The status code of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether GitHub refused because the state is another than was thought (405, 409, 422): looking again and
    /// planning anew is the right reaction.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self.status(), Some(405 | 409 | 422))
    }

    /// Whether GitHub refused because the token lacks a permission, or a setting keeps the workflow token from it.
    #[must_use]
    pub fn lacks_permission(&self) -> bool {
        self.status() == Some(403) && speaks_of_permission(self.message())
    }

    /// GitHub's own words of a refusal.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Refused { message, .. } => message,
            _ => "",
        }
    }
}

/// Whether GitHub's words say that a permission is missing.
pub(in crate::port) fn speaks_of_permission(message: &str) -> bool {
    // "Resource not accessible by integration" or "by personal access token", "Must have admin rights to Repository",
    // "GitHub Actions is not permitted to create …", "refusing to allow a GitHub App to create or update workflow …".
    ["not accessible", "Must have admin rights", "is not permitted to", "refusing to allow"].iter().any(|words| message.contains(words))
}
