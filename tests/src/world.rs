//! One embedded GitHub with an adopted chart repository, people with accounts, and the train as one job sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chartflow_core::domain::branch::Names;
use chartflow_core::domain::configuration::{self, Configuration};
use chartflow_core::domain::content::Files;
use chartflow_core::domain::digest::{CommitId, TreeId};
pub use chartflow_core::domain::event::StageName as Step;
use chartflow_core::domain::event::app_permissions;
use chartflow_core::domain::lineage::bundle::Line;
use chartflow_core::domain::lineage::{Artifact, anchor, verify};
use chartflow_core::domain::policy::{Format, OutsideCheck, Policy, Repository, ReviewRules};
use chartflow_core::domain::ruleset::{Mode, Tiers, desired};
use chartflow_core::flow::{self, FlowError, Home, Report, Train, listing};
use chartflow_core::io::git::{LocalRepository, ready};
use chartflow_core::io::signing::KeySigner;
use chartflow_core::port::github::GitHub;
use chartflow_core::port::helm::{Helm, HelmError, LintOutput};
use chartflow_core::port::objects::Objects as _;
use chartflow_core::port::signer::Signer;
use chartflow_core::port::transport::{Method, Transport};
use chartflow_sandbox::github::actor::{Actor, Caller, Level, Role, TokenKind};
use chartflow_sandbox::github::in_process::InProcess;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_sandbox::github::{Hub, HubOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::adoption::adopt;
use crate::brakes::{Braked, Brakes};
use crate::charts;
use crate::registry::{MemoryRegistry, Shelf};

/// The number of the App that the train works as.
const APP: u64 = 424_242;
const APP_TOKEN: &str = "token-of-the-app";
const SERVER: &str = "https://github.com";
/// Who contributes.
pub const CONTRIBUTOR: &str = "carol";
/// Who approves and merges.
pub const REVIEWER: &str = "rita";
/// Who may do everything.
pub const ADMIN: &str = "ada";
/// The first moment.
pub const EPOCH: i64 = 1_767_225_600;

/// Runs a stage over everything there is, without any hint of what happened.
///
/// # Errors
/// What stops the stage.
pub async fn run(step: Step, train: &Train) -> Result<Report, FlowError> {
    let mut reports = flow::run(train, step, None, None).await?;
    Ok(reports.pop().unwrap())
}

struct NoHelm;

#[async_trait]
impl Helm for NoHelm {
    async fn version(&self) -> Result<Option<String>, HelmError> {
        Ok(None)
    }

    async fn lint(&self, _: &str, _: &Files) -> Result<LintOutput, HelmError> {
        Err(HelmError::Timeout { seconds: 0 })
    }
}

/// Everything of one test.
pub struct World {
    /// GitHub.
    pub hub: Arc<Hub>,
    /// Its objects, read past it.
    pub objects: Arc<LocalRepository>,
    /// The registry.
    pub shelf: Arc<Shelf>,
    /// The names of branches.
    pub names: Names,
    /// What happened, for whoever has to understand a failure.
    pub story: Vec<String>,
    /// The commit on main that the train started from.
    pub baseline: CommitId,
    /// How people merge into main.
    pub main_method: MergeMethod,
    /// How many things people made, for names that are never used twice.
    pub made: u32,
    /// What each contribution is expected to be counted for.
    pub counted: crate::ledger::Expected,
    /// Whether packages are files of the GitHub Releases.
    pub assets: bool,
    signer: Arc<dyn Signer>,
    policy: Arc<Policy>,
    trusted_root: Option<String>,
    home: Home,
    _dir: TempDir,
}

fn person(login: &str, id: u64, role: Role) -> Actor {
    Actor { login: login.to_owned(), id, name: login.to_owned(), email: format!("{login}@example.com"), role, app: None }
}

impl World {
    /// An adopted repository under the train's rulesets.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::configured(seed, charts::CONFIGURATION)
    }

    /// The same with a configuration of its own. Whoever verifies demands the outside checks that it names.
    #[must_use]
    pub fn configured(seed: u64, text: &str) -> Self {
        Self::founded(seed, text, Mode::App { id: APP }, &[])
    }

    /// The same under the rulesets of another identity, with more files that adoption brings.
    #[must_use]
    pub fn founded(seed: u64, text: &str, mode: Mode, files: &[(String, String)]) -> Self {
        // A repository in memory, where there is such a place: the tests write many small files.
        let dir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        let options = HubOptions { epoch: EPOCH, seed, ..HubOptions::new("acme", "charts") };
        let hub = Arc::new(Hub::create(dir.path(), options).unwrap());
        let configuration = Configuration::read(text.as_bytes()).unwrap();
        let baseline = adopt(&hub, text, files);
        for (login, id, role) in [(CONTRIBUTOR, 11, Role::Write), (REVIEWER, 12, Role::Write), (ADMIN, 13, Role::Admin)] {
            hub.add_actor(person(login, id, role));
        }
        let permissions = app_permissions();
        let level = |access: &str| if access == "write" { Level::Write } else { Level::Read };
        let permissions = permissions.iter().map(|(permission, access)| (permission.api_key().to_owned(), level(access.as_str()))).collect();
        let bot = Actor { app: Some(APP), ..person("chartflow[bot]", 9001, Role::Write) };
        hub.issue_token(APP_TOKEN, Caller { actor: bot, kind: TokenKind::Installation, label: "app".to_owned(), permissions: Some(permissions) });
        let names = Names::new(&configuration);
        for ruleset in desired(&Tiers::from(&configuration), mode) {
            hub.person(ADMIN).unwrap().call(Method::Post, "/rulesets", &ruleset).unwrap();
        }
        let signer = Arc::new(KeySigner::generate().unwrap());
        let repository = Repository { name: "acme/charts".parse().unwrap(), id: Some(1001), owner_id: None };
        let required = configuration.checks.required.iter().map(ToString::to_string).collect();
        let reviews = ReviewRules { integration: 1, main: 1 };
        let mut policy = Policy::for_rehearsal(repository, &configuration.tag, signer.public_key_der(), jiff(EPOCH - 1_000_000), required, Vec::new(), reviews);
        let outside = configuration.checks.outside.keys().map(|check| (check.clone(), OutsideCheck::default()));
        policy.epochs[0].checks.outside = outside.collect();
        let home = Home {
            server: SERVER.to_owned(),
            id: 1001,
            default_branch: names.main().clone(),
            builder: format!("{SERVER}/acme/charts/.github/workflows/chartflow-{{stage}}.yml"),
            oci_prefix: "registry.example/acme/charts".to_owned(),
            skips: Vec::new(),
            app: matches!(mode, Mode::App { .. }),
        };
        let objects = Arc::new(LocalRepository::open(hub.git_directory()).unwrap());
        let policy = Arc::new(policy);
        Self {
            hub,
            objects,
            shelf: Arc::default(),
            names,
            story: Vec::new(),
            baseline,
            main_method: match configuration.merge.main {
                configuration::MergeMethod::Squash => MergeMethod::Squash,
                configuration::MergeMethod::Merge => MergeMethod::Merge,
                configuration::MergeMethod::Rebase => MergeMethod::Rebase,
            },
            made: 0,
            counted: crate::ledger::Expected::new(),
            assets: configuration.packages == configuration::Packages::Assets,
            signer,
            policy,
            trusted_root: None,
            home,
            _dir: dir,
        }
    }

    /// The train as one job sees it.
    #[must_use]
    pub fn train(&self, brakes: &Arc<Brakes>) -> Train {
        self.train_by(Arc::new(Braked::new(InProcess::new(self.hub.clone(), APP_TOKEN), brakes.clone())), brakes)
    }

    /// The train whose requests are sent like this.
    #[must_use]
    pub fn train_by(&self, transport: Arc<dyn Transport>, brakes: &Arc<Brakes>) -> Train {
        let anchor = Arc::new(anchor(&self.policy, self.trusted_root.as_deref()).unwrap());
        let (opening, judging, policy) = (anchor.clone(), anchor, self.policy.clone());
        Train {
            github: GitHub::new(transport, "acme/charts".parse().unwrap()),
            objects: self.objects.clone(),
            registry: Arc::new(MemoryRegistry::new(self.shelf.clone(), brakes.clone())),
            signer: self.signer.clone(),
            open: Arc::new(move |text| {
                let line = Line::read(text).ok()?;
                line.verify(&opening).ok()?;
                Some(line.payload().to_vec())
            }),
            verify: Arc::new(move |bytes, lineage, repository| {
                let report = verify(&Artifact::Package { bytes }, lineage, &policy, &judging, repository);
                if report.verified() {
                    return Ok(());
                }
                Err(report.refused.iter().map(|refusal| format!("{:?}: {}", refusal.rule, refusal.message)).collect::<Vec<_>>().join("; "))
            }),
            helm: Arc::new(NoHelm),
            home: self.home.clone(),
        }
    }

    /// A file of a version, from where the index says that packages are: the release branch or the GitHub Releases.
    #[must_use]
    pub fn served(&self, chart: &str, version: &str, suffix: &str) -> Option<Vec<u8>> {
        let file = format!("{chart}-{version}{suffix}");
        if self.assets {
            return self.hub.download(&format!("/acme/charts/releases/download/{chart}-v{version}/{file}"));
        }
        let release = self.root(&self.tip("release").unwrap());
        ready(listing::file(&*self.objects, &release, &format!("charts/{file}"), 1 << 24)).unwrap().unwrap()
    }

    /// What a stranger with this repository's policy says of a release: the lineage's lines, or why it is refused.
    ///
    /// # Errors
    /// What was refused.
    pub fn verify(&self, chart: &str, version: &str) -> Result<usize, String> {
        let bytes = |suffix: &str| self.served(chart, version, suffix).unwrap_or_default();
        let (package, lineage) = (bytes(".tgz"), bytes(".lineage.jsonl"));
        let anchor = anchor(&self.policy, self.trusted_root.as_deref()).unwrap();
        let report = verify(&Artifact::Package { bytes: &package }, &lineage, &self.policy, &anchor, None);
        if report.verified() { Ok(report.chain.len()) } else { Err(format!("{:?}", report.refused)) }
    }

    /// Signs by another signer from now on, which a policy of another profile accepts.
    pub fn sign_with(&mut self, signer: Arc<dyn Signer>, change: impl FnOnce(&mut Policy), trusted_root: Option<String>) {
        let mut policy = Policy::clone(&self.policy);
        change(&mut policy);
        // It holds together as one that is read.
        let policy = Policy::read(&policy.to_json(), Format::Json).unwrap();
        (self.signer, self.policy, self.trusted_root) = (signer, Arc::new(policy), trusted_root);
    }

    /// Says something in the story.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.story.push(text.into());
    }

    /// Runs a stage, and says how it went. What is no stop and no stale state fails the test.
    pub fn stage(&mut self, step: Step, stop_after: Option<u32>) -> Option<Report> {
        let brakes = stop_after.map_or_else(Brakes::none, Brakes::after);
        let train = self.train(&brakes);
        let outcome = block_on(run(step, &train));
        self.after(step, &outcome, brakes.changes())
    }

    /// Runs two stages at once, request by request in turns.
    pub fn race(&mut self, one: Step, other: Step) {
        let brakes = [Brakes::none(), Brakes::none()];
        let trains = [self.train(&brakes[0]), self.train(&brakes[1])];
        self.tell(format!("race of {one:?} and {other:?}"));
        let (first, second) = block_on(async { tokio::join!(run(one, &trains[0]), run(other, &trains[1])) });
        self.after(one, &first, brakes[0].changes());
        self.after(other, &second, brakes[1].changes());
    }

    fn after(&mut self, step: Step, outcome: &Result<Report, FlowError>, changes: u32) -> Option<Report> {
        // Merges that wait in the background happen whether anybody asks or not.
        drop(self.hub.take_occurrences());
        match outcome {
            Ok(report) => {
                let words = report.entries.iter().map(|entry| {
                    let chart = entry.chart.as_ref().map(|chart| format!("{chart}: ")).unwrap_or_default();
                    let rule = entry.rule.as_ref().map(|rule| format!(" [{rule}]")).unwrap_or_default();
                    format!("\n      {chart}{}{rule}", entry.message)
                });
                self.tell(format!("{step:?} ({changes} changes){}", words.collect::<String>()));
                Some(report.clone())
            }
            Err(error) if error.is_stale() => {
                self.tell(format!("{step:?} found the state moved: {}", causes(error)));
                None
            }
            Err(error) if causes(error).contains("stopped") => {
                self.tell(format!("{step:?} stopped after {changes} changes: {}", causes(error)));
                None
            }
            Err(error) => panic!("{step:?} failed: {}\n{}", causes(error), self.told()),
        }
    }

    /// The story so far, one action a line.
    #[must_use]
    pub fn told(&self) -> String {
        let mut told: String = self.story.iter().enumerate().map(|(n, line)| format!("{n:4}  {line}\n")).collect();
        if let Ok(chart) = std::env::var("CHARTFLOW_CHART") {
            told.push_str(&self.statements_about(&chart));
        }
        told
    }

    /// Where a ref below `refs/heads/` points.
    #[must_use]
    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        self.reference(&format!("refs/heads/{branch}"))
    }

    /// Where a ref points, as a commit.
    #[must_use]
    pub fn reference(&self, name: &str) -> Option<CommitId> {
        self.hub.reference(name).map(|id| CommitId::new(id.to_string()).unwrap())
    }

    /// The tree of a commit.
    #[must_use]
    pub fn root(&self, commit: &CommitId) -> TreeId {
        ready(self.objects.commit(commit)).unwrap().unwrap().tree
    }

    /// The directory at a path of a commit.
    #[must_use]
    pub fn subtree(&self, commit: &CommitId, path: &str) -> Option<TreeId> {
        ready(listing::subtree(&*self.objects, &self.root(commit), path)).unwrap().unwrap()
    }

    /// A file at a commit.
    #[must_use]
    pub fn file(&self, commit: &CommitId, path: &str) -> Option<String> {
        let bytes = ready(listing::file(&*self.objects, &self.root(commit), path, 1 << 24)).unwrap().unwrap()?;
        Some(String::from_utf8(bytes).unwrap())
    }

    /// The charts of a commit by name: path and tree.
    #[must_use]
    pub fn charts(&self, commit: &CommitId) -> BTreeMap<String, (String, TreeId)> {
        let mut found = BTreeMap::new();
        for top in charts::TOPS {
            let Some(directory) = self.subtree(commit, top) else { continue };
            let tree = ready(self.objects.tree(&directory)).unwrap().unwrap();
            let charts = tree.entries().iter().filter_map(|entry| Some((entry.name.clone(), (format!("{top}/{}", entry.name), entry.as_tree()?))));
            found.extend(charts);
        }
        found
    }

    /// Whether a commit has a chart.
    #[must_use]
    pub fn has(&self, branch: &str, chart: &str) -> bool {
        self.charts(&self.tip(branch).unwrap()).contains_key(chart)
    }

    /// The paths of the files below a directory.
    #[must_use]
    pub fn files(&self, commit: &CommitId, path: &str) -> Vec<String> {
        let Some(tree) = self.subtree(commit, path) else { return Vec::new() };
        let files = ready(self.objects.files(&tree)).unwrap().unwrap();
        files.iter().map(|(path, _)| path.to_owned()).collect()
    }

    /// A commit some steps back on the first-parent line, or the first one.
    #[must_use]
    pub fn first_parents(&self, from: &CommitId, steps: usize) -> CommitId {
        let mut at = from.clone();
        for _ in 0..steps {
            match ready(self.objects.commit(&at)).unwrap().unwrap().parents.first() {
                Some(parent) => at = parent.clone(),
                None => break,
            }
        }
        at
    }

    /// Calls GitHub as a person.
    pub fn call(&self, login: &str, method: Method, path: &str, body: &Value) -> Value {
        match self.hub.person(login).unwrap().call(method, path, body) {
            Ok(value) => value,
            Err(error) => panic!("{method:?} {path}: {error}\n{}", self.told()),
        }
    }

    /// A branch's file.
    #[must_use]
    pub fn read(&self, branch: &str, path: &str) -> Option<String> {
        self.file(&self.tip(branch)?, path)
    }

    /// The version of a chart on a branch.
    #[must_use]
    pub fn version(&self, branch: &str, chart: &str) -> Option<String> {
        self.version_at(&self.tip(branch)?, chart)
    }

    /// The version of a chart at a commit.
    #[must_use]
    pub fn version_at(&self, commit: &CommitId, chart: &str) -> Option<String> {
        let (path, _) = self.charts(commit).get(chart)?.clone();
        let yaml = self.file(commit, &format!("{path}/Chart.yaml"))?;
        yaml.lines().find_map(|line| line.strip_prefix("version: ").map(str::to_owned))
    }
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// An error with its causes.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

fn jiff(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}
