//! The embedded GitHub: the operations chartflow calls, with GitHub's answers, over a real bare git repository.
//!
//! [`Hub`] answers requests in process and without sockets; [`server`] puts it on a loopback port. Every operation is a
//! row of [`route::table`], and every row names the page its behaviour comes from.

pub mod actor;
pub mod apps;
mod attestations;
pub mod clock;
pub mod contract;
mod data;
mod dispatches;
mod enterprise;
mod environments;
pub mod events;
pub mod http;
pub mod in_process;
mod issues;
pub mod limits;
pub mod occurrence;
pub mod persons;
pub mod pulls;
mod releases;
mod render;
mod repository;
pub mod route;
pub mod rules;
pub mod server;
mod state;
mod statuses;
mod store;
mod tokens;
mod update;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chartflow_core::port::transport::Method;

use actor::{Actor, Caller};
use clock::Clock;
use contract::Contract;
use http::{ApiError, ApiRequest, ApiResponse};
use occurrence::Occurrence;
use route::{Context, Route};
pub use state::Settings;
use state::State;
use store::Store;
pub use store::StoreError;

/// The operations, one slice a module.
pub(crate) const ROUTES: &[&[Route]] = &[
    apps::ROUTES,
    data::ROUTES,
    issues::ROUTES,
    pulls::ROUTES,
    repository::ROUTES,
    rules::ROUTES,
    tokens::ROUTES,
    limits::ROUTES,
    events::ROUTES,
    statuses::ROUTES,
    releases::ROUTES,
    attestations::ROUTES,
    dispatches::ROUTES,
    environments::ROUTES,
];

/// Why the embedded GitHub cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// Its git repository cannot be made or written.
    #[error("the embedded GitHub's repository in {path}")]
    Repository {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: StoreError,
    },
}

/// How the embedded GitHub starts.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// The repository's settings.
    pub settings: Settings,
    /// The object directory of a repository whose objects are borrowed (git alternates).
    pub objects_from: Option<PathBuf>,
    /// What the clock shows at first, in seconds since 1970-01-01T00:00:00Z.
    pub epoch: i64,
    /// Moves the numbers GitHub gives, so that nothing comes to depend on them.
    pub seed: u64,
}

impl HubOptions {
    /// A public repository `owner/name` of an organisation with the default branch `main`, every merge method allowed.
    #[must_use]
    pub fn new(owner: &str, name: &str) -> Self {
        let settings = Settings {
            owner: owner.to_owned(),
            owner_id: 2001,
            organization: true,
            name: name.to_owned(),
            id: 1001,
            default_branch: "main".to_owned(),
            allow_merge_commit: true,
            allow_squash_merge: true,
            allow_rebase_merge: true,
            delete_branch_on_merge: false,
            private: false,
            enterprise: false,
        };
        Self { settings, objects_from: None, epoch: 1_767_225_600, seed: 0 }
    }
}

/// How often one caller called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// All requests.
    pub total: u64,
    /// Those that made a ref, pull request, status, comment, release, asset, attestation, dispatch or merge.
    pub creating: u64,
    /// All requests by OpenAPI operation id.
    pub operations: BTreeMap<&'static str, u64>,
}

/// The embedded GitHub.
pub struct Hub {
    state: Mutex<State>,
    git_directory: PathBuf,
}

impl Hub {
    /// Makes `dir/origin.git` and an empty GitHub around it.
    ///
    /// # Errors
    /// [`HubError::Repository`] when the repository cannot be made.
    pub fn create(dir: &Path, options: HubOptions) -> Result<Self, HubError> {
        let git_directory = dir.join("origin.git");
        let store = Store::create(&git_directory, &options.settings.default_branch, options.objects_from.as_deref())
            .map_err(|source| HubError::Repository { path: git_directory.clone(), source })?;
        let state = State::new(options.settings, "http://github.localhost".to_owned(), Clock::new(options.epoch), store, options.seed);
        Ok(Self { state: Mutex::new(state), git_directory })
    }

    /// Answers one request.
    #[must_use]
    pub fn handle(&self, request: &ApiRequest) -> ApiResponse {
        let mut state = self.lock();
        match tokens::authenticate(&state, request) {
            Ok(caller) => dispatch(&mut state, &caller, request, true),
            Err(refusal) => refusal.response("https://docs.github.com/rest"),
        }
    }

    /// The bare repository.
    #[must_use]
    pub fn git_directory(&self) -> &Path {
        &self.git_directory
    }

    /// The address every `url` in answers begins with.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.lock().base_url.clone()
    }

    /// Sets the address every `url` in answers begins with; a server does this once it knows its port.
    pub fn set_base_url(&self, url: &str) {
        self.lock().base_url = url.trim_end_matches('/').to_owned();
    }

    /// Gives somebody an account.
    pub fn add_actor(&self, actor: Actor) {
        self.lock().actors.insert(actor.login.clone(), actor);
    }

    /// Lets a token speak for a caller, who gets an account when there is none.
    pub fn issue_token(&self, secret: &str, caller: Caller) {
        let mut state = self.lock();
        state.actors.entry(caller.actor.login.clone()).or_insert_with(|| caller.actor.clone());
        state.tokens.issue(secret, caller);
    }

    /// How often each caller called, by the label of its token.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, Count> {
        self.lock().counts.clone()
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.lock().clock.now()
    }

    /// What happened since the last call, in order. Merges that wait in the background happen now at the latest.
    #[must_use]
    pub fn take_occurrences(&self) -> Vec<Occurrence> {
        let mut state = self.lock();
        pulls::settle(&mut state);
        std::mem::take(&mut state.occurrences)
    }

    /// How many polls of an asynchronous merge are answered with `pending` before it runs; 0 at first.
    pub fn set_merge_delay(&self, polls: u32) {
        self.lock().merge_delay = polls;
    }

    /// Puts refs into place as they were before anything happened: no rule is asked, nothing is recorded. None of them
    /// may exist.
    ///
    /// # Errors
    /// [`HubError::Repository`] when they cannot be written.
    pub fn import_references(&self, references: &[(String, gix::ObjectId)]) -> Result<(), HubError> {
        let failed = |source| HubError::Repository { path: self.git_directory.clone(), source };
        self.lock().store.import_references(references).map_err(failed)
    }

    /// Where a ref points.
    #[must_use]
    pub fn reference(&self, name: &str) -> Option<gix::ObjectId> {
        self.lock().store.reference(name)
    }

    /// The files of the published releases, as everybody may download them: tag, name, bytes.
    #[must_use]
    pub fn released_files(&self) -> Vec<(String, String, Vec<u8>)> {
        self.lock().releases.files().map(|(tag, name, bytes)| (tag.to_owned(), name.to_owned(), bytes.to_vec())).collect()
    }

    /// The bytes of a file of a published release, by the path of its address
    /// (`/OWNER/NAME/releases/download/TAG/FILE`). GitHub redirects to where it lies; here it is.
    ///
    /// Source: <https://docs.github.com/repositories/releasing-projects-on-github/linking-to-releases>
    #[must_use]
    pub fn download(&self, path: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        let below = path.strip_prefix('/')?.strip_prefix(&state.settings.full_name())?.strip_prefix("/releases/download/")?;
        let (tag, name) = below.split_once('/')?;
        let read = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned).ok();
        let (tag, name) = (read(tag)?, read(name)?);
        state.releases.files().find(|file| (file.0, file.1) == (&*tag, &*name)).map(|file| file.2.to_vec())
    }

    /// The pull requests, by number.
    #[must_use]
    pub fn pulls(&self) -> Vec<pulls::Pull> {
        self.lock().pulls.values().cloned().collect()
    }

    /// Changes the repository's settings.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.lock().settings);
    }

    /// Holds every request and answer from now on against GitHub's description.
    pub fn hold_to(&self, contract: Arc<Contract>) {
        self.lock().contract = Some(contract);
    }

    /// What broke GitHub's description since [`Hub::hold_to`], one line each.
    #[must_use]
    pub fn breaches(&self) -> Vec<String> {
        self.lock().breaches.clone()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs one request of a known caller. Requests that change something move the clock.
fn dispatch(state: &mut State, caller: &Caller, request: &ApiRequest, counted: bool) -> ApiResponse {
    let Some((route, parameters)) = route::find(request.method, &request.segments()) else {
        return ApiError::not_found().response("https://docs.github.com/rest");
    };
    if state.settings.enterprise && enterprise::lacks(route.operation) {
        return ApiError::not_found().response(route.documentation);
    }
    if counted {
        let count = state.counts.entry(caller.label.clone()).or_default();
        count.total += 1;
        count.creating += u64::from(route.creates_content);
        *count.operations.entry(route.operation).or_default() += 1;
        if let Err(refusal) = limits::admit(state, caller, route) {
            return limits::mark(state, caller, refusal.response(route.documentation));
        }
    }
    let response = answer(state, caller, request, route, parameters).unwrap_or_else(|refusal| refusal.response(route.documentation));
    if let Some(contract) = &state.contract {
        let breaches = contract.breaches(route, request, &response).unwrap_or_else(|unusable| vec![unusable.to_string()]);
        state.breaches.extend(breaches);
    }
    if counted { limits::mark(state, caller, response) } else { response }
}

fn answer(
    state: &mut State,
    caller: &Caller,
    request: &ApiRequest,
    route: &'static Route,
    parameters: BTreeMap<&'static str, String>,
) -> Result<ApiResponse, ApiError> {
    let same = |name: &str, value: &str| parameters.get(name).is_none_or(|given| given.eq_ignore_ascii_case(value));
    if !same("owner", &state.settings.owner) || !same("repo", &state.settings.name) {
        return Err(ApiError::not_found());
    }
    tokens::authorize(state, caller, route)?;
    if request.method != Method::Get {
        state.clock.tick();
    }
    (route.handler)(&mut Context { state, caller, request, parameters })
}

#[cfg(test)]
mod tests;
