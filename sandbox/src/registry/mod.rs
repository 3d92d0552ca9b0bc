//! An embedded OCI registry: Distribution 1.1 with referrers, kept on disk as an OCI image layout.
//!
//! [`Registry::handle`] answers one request and knows no sockets; [`RegistryServer`] puts it on a loopback port.
//! Behaviour is the distribution specification's (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>,
//! quoted by the names of its headings) unless a [`Flavour`] says otherwise.

mod answer;
mod auth;
mod blobs;
mod layout;
mod manifest;
mod manifests;
mod name;
mod server;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Method;

use answer::{Answer, Code};
use auth::Tokens;
use blobs::Uploads;
use layout::Layout;
use name::is_repository;

pub use layout::{LayoutError, REPOSITORY_ANNOTATION, TAG_ANNOTATION};
pub use server::RegistryServer;

/// The largest number of open uploads; each is held in memory.
const UPLOAD_LIMIT: usize = 64;

/// As which registry this one answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Flavour {
    /// By the specification: referrers API, chunks of any size, no credentials.
    #[default]
    Distribution,
    /// As `ghcr.io` does: no referrers API, at most 4 MiB a chunk (more is 416: rust-oci-client issues 35 and 37), a
    /// bearer token for every request, which anybody gets for reading and only a password from this list for writing.
    Ghcr {
        /// The passwords that may write, with any user name.
        writers: Vec<String>,
    },
}

/// How long what is pushed may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest. The specification wants at least 4 MiB ("Pushing Manifests").
    pub manifest: usize,
    /// Bytes of a blob.
    pub blob: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { manifest: 4 << 20, blob: 256 << 20 }
    }
}

/// How a registry behaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whom it imitates.
    pub flavour: Flavour,
    /// What it refuses as too long.
    pub limits: Limits,
}

impl Options {
    /// The largest chunk of an upload, in bytes.
    const fn chunk_limit(&self) -> usize {
        match self.flavour {
            Flavour::Distribution => usize::MAX,
            Flavour::Ghcr { .. } => 4 << 20,
        }
    }

    const fn referrers(&self) -> bool {
        matches!(self.flavour, Flavour::Distribution)
    }
}

/// A registry over one folder.
#[derive(Debug)]
pub struct Registry {
    options: Options,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    layout: Layout,
    uploads: Uploads,
    tokens: Tokens,
}

/// One request, taken apart.
struct Call<'a> {
    method: &'a Method,
    query: BTreeMap<String, String>,
    headers: &'a http::HeaderMap,
    body: &'a Bytes,
    options: &'a Options,
}

impl Call<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

impl Registry {
    /// Opens the layout in a folder, or makes an empty one there.
    ///
    /// # Errors
    /// When the folder cannot be written, or holds something other than a layout written by a registry like this.
    pub fn open(root: &Path, options: Options) -> Result<Self, LayoutError> {
        let layout = Layout::open(root)?;
        Ok(Self { options, state: Mutex::new(State { layout, uploads: Uploads::default(), tokens: Tokens::default() }) })
    }

    /// The longest body this registry reads, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        self.options.limits.blob.max(self.options.limits.manifest)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held leaves at worst an upload that is never finished.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request.
    #[must_use]
    pub fn handle(&self, request: &http::Request<Bytes>) -> http::Response<Bytes> {
        let head = request.method() == Method::HEAD;
        let answer = self.answer(request).unwrap_or_else(|refused| refused);
        answer.into_response(head)
    }

    fn answer(&self, request: &http::Request<Bytes>) -> Result<Answer, Answer> {
        let query = axum::extract::Query::<BTreeMap<String, String>>::try_from_uri(request.uri())
            .map_err(|error| Answer::refusal(400, Code::Unsupported, &error.to_string()))?
            .0;
        let call = Call { method: request.method(), query, headers: request.headers(), body: request.body(), options: &self.options };
        let mut state = self.state();
        let path = request.uri().path();
        if path == "/token" && !self.options.referrers() {
            return auth::token(&call, &mut state.tokens);
        }
        let Some(rest) = path.strip_prefix("/v2").filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
            return Err(Answer::refusal(404, Code::Unsupported, "only /v2/ is served here"));
        };
        let rest = rest.trim_start_matches('/');
        auth::permit(&call, &state.tokens, rest)?;
        if rest.is_empty() {
            return Ok(Answer::new(200).json(b"{}".to_vec()));
        }
        if rest == "_catalog" {
            return manifests::catalog(&call, &state.layout);
        }
        route(&call, &mut state, rest)
    }
}

/// Where the repository's name ends and the request begins: the last of the words that separate them, since a name
/// may itself hold a component called `blobs`.
fn split(path: &str) -> Option<(&str, &'static str, &str)> {
    ["/blobs/uploads", "/blobs/", "/manifests/", "/referrers/", "/tags/list"]
        .into_iter()
        .filter_map(|word| path.rfind(word).map(|at| (at, word)))
        .max_by_key(|(at, word)| (*at, word.len()))
        .map(|(at, word)| (&path[..at], word, &path[at + word.len()..]))
}

fn route(call: &Call<'_>, state: &mut State, path: &str) -> Result<Answer, Answer> {
    let Some((name, word, rest)) = split(path) else {
        return Err(Answer::refusal(404, Code::Unsupported, "there is no such endpoint"));
    };
    if !is_repository(name) {
        return Err(Answer::refusal(400, Code::NameInvalid, &format!("{name:?} is not the name of a repository")));
    }
    match (word, call.method.as_str()) {
        ("/blobs/uploads", "POST") if matches!(rest, "" | "/") => blobs::start(call, state, name),
        ("/blobs/uploads", "GET" | "PATCH" | "PUT" | "DELETE") => blobs::session(call, state, name, rest.trim_start_matches('/')),
        ("/blobs/", "GET" | "HEAD") => blobs::get(call, &state.layout, name, rest),
        ("/manifests/", "GET" | "HEAD") => manifests::get(&state.layout, name, rest),
        ("/manifests/", "PUT") => manifests::put(call, &mut state.layout, name, rest),
        ("/referrers/", "GET") if call.options.referrers() => manifests::referrers(call, &state.layout, name, rest),
        ("/referrers/", _) if !call.options.referrers() => Err(Answer::refusal(404, Code::Unsupported, "there is no such endpoint")),
        ("/tags/list", "GET") if rest.is_empty() => manifests::tags(call, &state.layout, name),
        // Deletion is optional ("Content Management"); what a train has published stays.
        _ => Err(Answer::refusal(405, Code::Unsupported, &format!("{} is not offered here", call.method))),
    }
}
