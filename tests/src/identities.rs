//! The train as GitHub Actions would run it: events start stages, each with a token of its own that can do no more than
//! the stage declares, and people merge what is green.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use chartflow_core::domain::event::{Event, Job, Permission, Permissions, StageName, StageStart, app_permissions, installation_permissions, job_permissions};
use chartflow_core::domain::names::BranchName;
use chartflow_core::domain::ruleset::{Mode, Tiers};
use chartflow_core::domain::workflow::{Options as WorkflowOptions, workflows};
use chartflow_core::flow::{self, FlowError, Report, Train};
use chartflow_core::io::github::{AppKey, AppOptions, AppTransport, OctocrabTransport, Options, Server as Address};
use chartflow_core::io::secret::Secret;
use chartflow_core::port::transport::Transport;
use chartflow_sandbox::github::Hub;
use chartflow_sandbox::github::actor::{Actor, Caller, Level, Role, TokenKind};
use chartflow_sandbox::github::apps::{App, Installed};
use chartflow_sandbox::github::clock::HubClock;
use chartflow_sandbox::github::events::{Outcome, StartedEvent};
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_sandbox::github::server::Server;

use crate::brakes::Brakes;
use crate::charts;
use crate::world::{World, causes};

/// The App's number.
pub const APP: u64 = 424_242;
const INSTALLATION: u64 = 88;
/// Whose token is given by hand.
pub const MACHINE: &str = "charts-machine";
const PERSONAL_TOKEN: &str = "ghp_of-the-machine-user";
/// How often a stage looks again when the state moved under it.
const ATTEMPTS: u32 = 4;

/// The App's private key in PEM, and its public half.
pub(crate) static KEY: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let digits = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    (format!("-----BEGIN PRIVATE KEY-----\n{digits}\n-----END PRIVATE KEY-----\n"), pair.public_key().as_ref().to_vec())
});

/// As whom the train works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// As a GitHub App, by its key.
    App,
    /// With the token of each workflow run alone.
    WorkflowToken,
    /// With a token of a person who may write.
    PersonalToken,
}

impl Identity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::App, Self::WorkflowToken, Self::PersonalToken];

    /// What rulesets and workflow files are written for.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self {
            Self::App => Mode::App { id: APP },
            Self::WorkflowToken => Mode::WorkflowToken,
            Self::PersonalToken => Mode::PersonalToken,
        }
    }
}

/// A stage that ran.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Which.
    pub stage: StageName,
    /// The event that started it.
    pub event: &'static str,
    /// With whose kind of token that event was made; `None` for a schedule.
    pub by: Option<TokenKind>,
    /// The commit whose workflow file ran.
    pub workflow_commit: Option<String>,
}

/// A stage that is to run.
struct Due {
    started: StartedEvent,
    start: StageStart,
}

/// A world in which events start stages.
pub struct Station {
    /// The world.
    pub world: World,
    /// What ran, in order.
    pub ran: Vec<Ran>,
    /// The branches.
    pub tiers: Tiers,
    identity: Identity,
    due: VecDeque<Due>,
    server: Server,
    jobs: u32,
    runtime: tokio::runtime::Runtime,
}

/// Registers the App and installs it with these permissions.
pub fn install(hub: &Hub, permissions: &Permissions) {
    hub.register_app(App {
        id: APP,
        client_id: "Iv23liTheTrain".to_owned(),
        slug: "chartflow".to_owned(),
        public_key: KEY.1.clone(),
        installation: Some(Installed { id: INSTALLATION, permissions: levels(permissions), suspended: false }),
    });
}

/// Issues the token of a workflow run's job.
pub(crate) fn issue_workflow_token(hub: &Hub, secret: &str, permissions: &Permissions) {
    let actor = Actor {
        login: "github-actions[bot]".to_owned(),
        id: 41_898_282,
        name: "github-actions[bot]".to_owned(),
        email: "41898282+github-actions[bot]@users.noreply.github.com".to_owned(),
        role: Role::Write,
        app: Some(15_368),
    };
    hub.issue_token(secret, Caller { actor, kind: TokenKind::Workflow, label: "workflow".to_owned(), permissions: Some(levels(permissions)) });
}

impl Station {
    /// An adopted repository with the train's workflow files, rulesets and tokens of an identity.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let names = chartflow_core::domain::branch::Names::new(&chartflow_core::domain::configuration::Configuration::default());
        let tiers = Tiers::from(&names);
        let mode = identity.mode();
        let options = WorkflowOptions { signing_key: true, ..WorkflowOptions::new(tiers.clone(), mode) };
        let files: Vec<_> = workflows(&options).into_iter().map(|file| (file.path, file.text)).collect();
        let world = World::founded(0, charts::CONFIGURATION, mode, &files);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(Arc::clone(&world.hub), 0)).unwrap();
        let station = Self { world, ran: Vec::new(), tiers, identity, due: VecDeque::new(), server, jobs: 0, runtime };
        let machine =
            Actor { login: MACHINE.to_owned(), id: 31, name: MACHINE.to_owned(), email: format!("{MACHINE}@example.com"), role: Role::Write, app: None };
        station.world.hub.issue_token(PERSONAL_TOKEN, Caller { actor: machine, kind: TokenKind::Person, label: MACHINE.to_owned(), permissions: None });
        station.world.hub.let_actions_handle_pulls(true);
        station.install(&app_permissions());
        drop(station.world.hub.take_occurrences());
        station
    }

    /// The same on an Enterprise Server.
    #[must_use]
    pub fn on_enterprise_server(identity: Identity) -> Self {
        let station = Self::new(identity);
        station.world.hub.configure(|settings| settings.enterprise = true);
        station
    }

    /// What the runner calls `GITHUB_API_URL`.
    fn api_url(&self) -> String {
        let mut enterprise = false;
        self.world.hub.configure(|settings| enterprise = settings.enterprise);
        format!("{}{}", self.server.url(), if enterprise { "/api/v3" } else { "" })
    }

    /// Installs the App with these permissions.
    pub fn install(&self, permissions: &Permissions) {
        install(&self.world.hub, permissions);
    }

    fn options(&self, token: Option<Secret>) -> Options {
        Options { clock: Arc::new(HubClock(Arc::clone(&self.world.hub))), ..Options::new(Address::new(&self.api_url()).unwrap(), token) }
    }

    /// The App's session for one job, with no more than these permissions.
    fn app(&self, permissions: Permissions) -> Result<AppTransport, String> {
        let options = AppOptions {
            base: self.options(None),
            app: APP.to_string(),
            key: AppKey::from_pem(&KEY.0).unwrap(),
            repository: "acme/charts".parse().unwrap(),
            permissions,
            on_secret: Arc::new(|_| {}),
        };
        self.runtime.block_on(AppTransport::open(options)).map_err(|error| causes(&error))
    }

    /// A workflow token for one job.
    fn workflow_token(&mut self, permissions: &Permissions) -> String {
        self.jobs += 1;
        let secret = format!("ghs_of-job-{}", self.jobs);
        issue_workflow_token(&self.world.hub, &secret, permissions);
        secret
    }

    /// What a job of a stage is given.
    #[must_use]
    pub fn permissions(&self, stage: StageName) -> Permissions {
        match self.identity {
            Identity::App => installation_permissions(stage),
            _ => job_permissions(stage, Job::Act, Mode::WorkflowToken),
        }
    }

    /// Runs a stage as a job with these permissions.
    ///
    /// # Errors
    /// What stopped it, with what to do about it.
    pub fn job(&mut self, start: &StageStart, event: Option<&Event>, permissions: &Permissions) -> Result<Vec<Report>, String> {
        let handle = self.runtime.handle().clone();
        let _within = handle.enter();
        let (mode, stage) = (self.identity.mode(), start.stage);
        let explained = |error: FlowError| match flow::preflight::missing_permission_of(stage, &error, mode) {
            Some(finding) => format!("{finding}\n{}", finding.hint.clone().unwrap_or_default()),
            None => causes(&error),
        };
        match self.identity {
            Identity::App => {
                let transport = Arc::new(self.app(permissions.clone())?);
                let outcome = self.attempts(start, event, transport.clone());
                self.runtime.block_on(transport.close()).unwrap();
                outcome.map_err(explained)
            }
            Identity::WorkflowToken => {
                let secret = self.workflow_token(permissions);
                let transport = OctocrabTransport::new(self.options(Some(Secret::new(secret.clone())))).unwrap();
                let outcome = self.attempts(start, event, Arc::new(transport));
                self.world.hub.revoke_token(&secret);
                outcome.map_err(explained)
            }
            Identity::PersonalToken => {
                let transport = OctocrabTransport::new(self.options(Some(Secret::new(PERSONAL_TOKEN)))).unwrap();
                self.attempts(start, event, Arc::new(transport)).map_err(explained)
            }
        }
    }

    fn attempts(&self, start: &StageStart, event: Option<&Event>, transport: Arc<dyn Transport>) -> Result<Vec<Report>, FlowError> {
        let train = self.world.train_by(transport, &Brakes::none());
        let mut attempt = 1;
        loop {
            match self.runtime.block_on(run(&train, start, event)) {
                Err(error) if error.is_stale() && attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// Takes over what has happened: the stages that it starts are due.
    pub fn listen(&mut self) {
        for started in self.world.hub.take_events(&self.tiers) {
            for run in started.runs.clone() {
                if let (Outcome::Started, Some(start)) = (run.outcome, run.stage) {
                    self.due.push_back(Due { started: started.clone(), start });
                }
            }
        }
    }

    /// The stages that are due.
    #[must_use]
    pub fn due(&self) -> Vec<StageName> {
        self.due.iter().map(|due| due.start.stage).collect()
    }

    /// Nobody starts what failed again.
    pub fn forget(&mut self) {
        self.due.clear();
    }

    /// The schedule comes round.
    pub fn schedule(&mut self) {
        let started = self.world.hub.schedule_event(&self.tiers).unwrap();
        for run in started.runs.clone() {
            if let (Outcome::Started, Some(start)) = (run.outcome, run.stage) {
                self.due.push_back(Due { started: started.clone(), start });
            }
        }
    }

    /// Runs what is due until a stage comes next; people merge what is green.
    pub fn work_until(&mut self, stage: StageName) {
        self.listen();
        for _ in 0..300 {
            match self.due.front() {
                Some(due) if due.start.stage == stage => return,
                Some(_) => self.one(),
                None => assert!(self.people(), "{stage} never came\n{}", self.world.told()),
            }
            self.listen();
        }
        panic!("{stage} never came\n{}", self.world.told());
    }

    fn one(&mut self) {
        let Some(due) = self.due.pop_front() else { return };
        let permissions = self.permissions(due.start.stage);
        match self.job(&due.start, Some(&due.started.event), &permissions) {
            Ok(reports) => self.note(&due, &reports),
            Err(problem) => panic!("{:?} failed: {problem}\n{}", due.start.stage, self.world.told()),
        }
    }

    /// Runs what is due, and what that starts, with the permissions that each stage declares.
    pub fn work(&mut self) {
        self.listen();
        while !self.due.is_empty() {
            self.one();
            self.listen();
            assert!(self.ran.len() < 300, "it goes in circles\n{}", self.world.told());
        }
    }

    /// Runs the first stage that is due with other permissions than it declares.
    ///
    /// # Errors
    /// What stopped it.
    pub fn work_with(&mut self, permissions: &Permissions) -> Result<Vec<Report>, String> {
        self.listen();
        let due = self.due.pop_front().unwrap();
        let outcome = self.job(&due.start, Some(&due.started.event), permissions);
        match &outcome {
            Ok(reports) => self.note(&due, reports),
            // A failed run is started again by hand.
            Err(_) => self.due.push_front(due),
        }
        outcome
    }

    fn note(&mut self, due: &Due, reports: &[Report]) {
        let words: Vec<String> = reports
            .iter()
            .flat_map(|report| &report.entries)
            .map(|entry| format!("\n      {}{}", entry.chart.as_ref().map(|chart| format!("{chart}: ")).unwrap_or_default(), entry.message))
            .collect();
        self.world.tell(format!("{} by {}{}", due.start.stage, due.started.event.name(), words.concat()));
        self.ran.push(Ran {
            stage: due.start.stage,
            event: due.started.event.name(),
            by: due.started.token,
            workflow_commit: due.started.workflow_commit.as_ref().map(ToString::to_string),
        });
    }

    /// Works until people have nothing to merge any more.
    pub fn settle(&mut self) {
        loop {
            self.work();
            if !self.people() {
                return;
            }
        }
    }

    /// People merge one pull request that is green: contributions, what goes to main, and without an App the way back.
    fn people(&mut self) -> bool {
        if let Some(number) = self.world.mergeable().first().copied() {
            assert!(self.world.merge(number, MergeMethod::Merge), "{}", self.world.told());
            return true;
        }
        let back = self.world.pull_from("chartflow-back").filter(|_| self.identity != Identity::App);
        let green = |station: &Self, number: u64| {
            let pull = station.world.hub.pulls().into_iter().find(|pull| pull.number == number).unwrap();
            station.world.green(&pull.head_sha.to_string(), "chartflow/validate")
        };
        if let Some(number) = back.filter(|number| green(self, *number)) {
            assert!(self.world.merge(number, MergeMethod::Merge), "{}", self.world.told());
            return true;
        }
        self.world.release() > 0
    }

    /// The stages that ran.
    #[must_use]
    pub fn stages(&self) -> BTreeSet<StageName> {
        self.ran.iter().map(|ran| ran.stage).collect()
    }
}

/// The App's private key in PEM.
#[must_use]
pub fn app_key() -> &'static str {
    &KEY.0
}

fn levels(permissions: &Permissions) -> BTreeMap<String, Level> {
    let level = |access: &str| if access == "write" { Level::Write } else { Level::Read };
    // What identifies the run, and what opens the registry, is not the API's.
    let asked = permissions.iter().filter(|(permission, _)| !matches!(permission, Permission::IdToken | Permission::Packages));
    asked.map(|(permission, access)| (permission.api_key().to_owned(), level(access.as_str()))).collect()
}

async fn run(train: &Train, start: &StageStart, event: Option<&Event>) -> Result<Vec<Report>, FlowError> {
    let base = match event {
        Some(Event::PullRequestTarget(pull)) => BranchName::new(pull.base.clone()).ok(),
        _ => None,
    };
    flow::run(train, start.stage, start.pull, base.as_ref()).await
}
