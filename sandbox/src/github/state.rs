//! Everything the embedded GitHub knows beside what is in the git repository.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gix::ObjectId;

use super::actor::{Actor, Caller};
use super::clock::Clock;
use super::contract::Contract;
use super::occurrence::{Happening, Occurrence};
use super::pulls::{AsyncMerge, Pull};
use super::store::Store;
use super::{Count, apps, attestations, environments, events, limits, releases, rules, statuses, tokens};

/// The repository's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The owner's login.
    pub owner: String,
    /// The owner's number.
    pub owner_id: u64,
    /// Whether the owner is an organisation.
    pub organization: bool,
    /// The repository's name.
    pub name: String,
    /// The repository's number.
    pub id: u64,
    /// The default branch.
    pub default_branch: String,
    /// Whether merge commits are allowed.
    pub allow_merge_commit: bool,
    /// Whether squash merges are allowed.
    pub allow_squash_merge: bool,
    /// Whether rebase merges are allowed.
    pub allow_rebase_merge: bool,
    /// Whether the head branch of a merged pull request is deleted.
    pub delete_branch_on_merge: bool,
    /// Whether the repository is private.
    pub private: bool,
    /// Whether the server answers as Enterprise Server 3.17 to 3.19 does.
    pub enterprise: bool,
}

impl Settings {
    /// `OWNER/NAME`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// The whole state; one lock guards it.
pub(crate) struct State {
    /// The address of the server, without a slash at its end.
    pub(crate) base_url: String,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    /// Whoever has an account, by login.
    pub(crate) actors: BTreeMap<String, Actor>,
    /// Pull requests by number.
    pub(crate) pulls: BTreeMap<u64, Pull>,
    /// Asynchronous merges, oldest first.
    pub(crate) merges: Vec<AsyncMerge>,
    /// How many polls of an asynchronous merge are answered with `pending` before it runs.
    pub(crate) merge_delay: u32,
    /// Commits and tags that GitHub signed because a bot made them through the API without naming an author.
    pub(crate) signed: BTreeSet<ObjectId>,
    /// What happened and was not taken yet.
    pub(crate) occurrences: Vec<Occurrence>,
    pub(crate) sequence: u64,
    /// Requests by the caller's label.
    pub(crate) counts: BTreeMap<String, Count>,
    /// What GitHub's description says, when answers are held against it.
    pub(crate) contract: Option<Arc<Contract>>,
    /// What broke it.
    pub(crate) breaches: Vec<String>,
    next_id: u64,

    pub(crate) apps: apps::Apps,
    pub(crate) tokens: tokens::Tokens,
    pub(crate) rules: rules::Rules,
    pub(crate) statuses: statuses::Statuses,
    pub(crate) releases: releases::Releases,
    pub(crate) attestations: attestations::Attestations,
    pub(crate) environments: environments::Environments,
    pub(crate) events: events::Events,
    pub(crate) limits: limits::Limits,
}

impl State {
    pub(crate) fn new(settings: Settings, base_url: String, clock: Clock, store: Store, seed: u64) -> Self {
        Self {
            base_url,
            settings,
            clock,
            store,
            actors: BTreeMap::new(),
            pulls: BTreeMap::new(),
            merges: Vec::new(),
            merge_delay: 0,
            signed: BTreeSet::new(),
            occurrences: Vec::new(),
            sequence: 0,
            counts: BTreeMap::new(),
            contract: None,
            breaches: Vec::new(),
            next_id: 1000 + seed,
            apps: apps::Apps::default(),
            tokens: tokens::Tokens::default(),
            rules: rules::Rules::default(),
            statuses: statuses::Statuses::default(),
            releases: releases::Releases::default(),
            attestations: attestations::Attestations::default(),
            environments: environments::Environments::default(),
            events: events::Events::default(),
            limits: limits::Limits::default(),
        }
    }

    /// The next number for anything that GitHub numbers across repositories (reviews, comments, releases, accounts, …).
    pub(crate) const fn number(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Records that something happened.
    pub(crate) fn happened(&mut self, caller: &Caller, what: Happening) {
        self.sequence += 1;
        let (sequence, time) = (self.sequence, self.clock.now());
        self.occurrences.push(Occurrence { sequence, time, actor: caller.actor.clone(), token: caller.kind, what });
    }

    /// An API address below this repository: `url("/pulls/1")`.
    pub(crate) fn url(&self, rest: &str) -> String {
        let prefix = if self.settings.enterprise { "/api/v3" } else { "" };
        format!("{}{prefix}/repos/{}{rest}", self.base_url, self.settings.full_name())
    }

    /// A page's address below this repository.
    pub(crate) fn html_url(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.base_url, self.settings.full_name())
    }
}
