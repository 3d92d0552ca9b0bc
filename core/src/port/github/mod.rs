//! The typed GitHub client: one method per REST operation that chartflow uses, over a [`Transport`].
//!
//! It builds requests and reads answers and is pure apart from the transport. Each method names its operation as the
//! REST reference does; "absent" (404) is an `Option`, distinct from "failed".

mod apps;
mod content;
mod error;
mod git;
mod objects;
mod pulls;
mod releases;
mod repository;
mod statuses;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use apps::{App, AppOwner, Installation, InstallationToken};
pub use content::Comparison;
pub use error::GitHubError;
pub(in crate::port) use error::speaks_of_permission;
pub use git::{NewContent, NewEntry, RefTarget, TagObject};
pub use objects::GitHubObjects;
pub use pulls::{Account, End, Label, Merge, MergeMethod, NewPull, Pull, PullFilter, PullState, Review, ReviewState};
pub use releases::{Asset, NewRelease, Release};
pub use repository::{DeploymentPattern, Environment, RepositoryFacts, WorkflowPermissions};
pub use statuses::{Status, StatusState};

use super::transport::{Body, Method, Request, Response, Transport};
use crate::domain::names::RepositoryName;

/// The media type of GitHub's JSON.
const JSON: &str = "application/vnd.github+json";
/// The media type that answers a file's bytes instead of JSON about it.
const RAW: &str = "application/vnd.github.raw+json";
/// Answers in JSON are refused beyond this many bytes (the largest, a recursive tree, is at most 7 MB).
const JSON_LIMIT: usize = 16 << 20;
/// The most pages read of one listing: 5,000 entries, far beyond any list chartflow asks for.
const PAGE_LIMIT: usize = 50;

/// A client for one repository as one identity. Cloning shares the transport.
#[derive(Clone)]
pub struct GitHub {
    transport: Arc<dyn Transport>,
    repository: RepositoryName,
    /// Answers about what is over and does not change while a job runs: merged pull requests.
    remembered: Arc<Mutex<BTreeMap<String, Vec<Value>>>>,
}

impl GitHub {
    /// A client for a repository.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, repository: RepositoryName) -> Self {
        Self { transport, repository, remembered: Arc::default() }
    }

    /// The repository.
    #[must_use]
    pub fn repository_name(&self) -> &RepositoryName {
        &self.repository
    }

    fn target(&self, path: &str) -> String {
        if path.is_empty() { format!("/repos/{}", self.repository) } else { format!("/repos/{}/{path}", self.repository) }
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> Result<Response, GitHubError> {
        self.send_to(method, self.target(path), JSON, body, JSON_LIMIT).await
    }

    async fn send_to(&self, method: Method, target: String, accept: &'static str, body: Body, limit: usize) -> Result<Response, GitHubError> {
        let response = self.transport.send(Request { method, target: target.clone(), accept, body, limit }).await?;
        if (200..300).contains(&response.status) { Ok(response) } else { Err(GitHubError::from_answer(method, &target, &response)) }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, GitHubError> {
        let response = self.send(Method::Get, path, Body::Empty).await?;
        read(Method::Get, &self.target(path), &response)
    }

    async fn get_optional<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, GitHubError> {
        absent(self.get(path).await)
    }

    async fn write<T: DeserializeOwned>(&self, method: Method, path: &str, body: Value) -> Result<T, GitHubError> {
        let response = self.send(method, path, Body::Json(body)).await?;
        read(method, &self.target(path), &response)
    }

    /// All pages of a listing that does not change while this client lives: asked for once.
    async fn pages_once<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, GitHubError> {
        let known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let items = match known {
            Some(items) => items,
            None => self.pages::<Value>(path).await?,
        };
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), items.clone());
        serde_json::from_value(Value::Array(items)).map_err(|source| GitHubError::Garbled { operation: operation(Method::Get, &self.target(path)), source })
    }

    /// All pages of a listing; `path` has no query or ends in one without `page`.
    async fn pages<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, GitHubError> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut all = Vec::new();
        for page in 1..=PAGE_LIMIT {
            let target = if page == 1 { format!("{path}{separator}per_page=100") } else { format!("{path}{separator}per_page=100&page={page}") };
            let response = self.send(Method::Get, &target, Body::Empty).await?;
            let items: Vec<T> = read(Method::Get, &self.target(&target), &response)?;
            let full = items.len() == 100;
            all.extend(items);
            let more = response.headers.get("link").map_or(full, |link| link.contains("rel=\"next\""));
            if !more {
                return Ok(all);
            }
        }
        Err(GitHubError::TooManyPages { target: path.to_owned(), pages: PAGE_LIMIT })
    }
}

fn read<T: DeserializeOwned>(method: Method, target: &str, response: &Response) -> Result<T, GitHubError> {
    serde_json::from_slice(&response.body).map_err(|source| GitHubError::Garbled { operation: operation(method, target), source })
}

fn absent<T>(answer: Result<T, GitHubError>) -> Result<Option<T>, GitHubError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(GitHubError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn operation(method: Method, target: &str) -> String {
    format!("{} {target}", method.as_str())
}

/// Percent-encodes what is not unreserved (RFC 3986 §2.3), keeping `/` where the text is a path or ref.
fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_refs_and_queries() {
        assert_eq!(encode("heads/a#b c%", true), "heads/a%23b%20c%25");
        assert_eq!(encode("o:a/b+é", false), "o%3Aa%2Fb%2B%C3%A9");
    }
}
