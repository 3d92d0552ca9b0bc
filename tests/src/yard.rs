//! An embedded GitHub and registry that listen, with an adopted repository, for programs that run outside of the test:
//! containers, and the workflow runner `act`. Names, accounts and content are a rehearsal's, so that both can be compared.

use std::collections::VecDeque;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use chartflow_core::domain::configuration::Configuration;
use chartflow_core::domain::digest::{CommitId, Sha256};
use chartflow_core::domain::event::{Event, Job, Permissions, StageName, StageStart, app_permissions, job_permissions};
use chartflow_core::domain::policy::{Policy, Repository, ReviewRules};
use chartflow_core::domain::ruleset::{Mode, Tiers, desired};
use chartflow_core::domain::workflow::{self, workflows};
use chartflow_core::io::signing::KeySigner;
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::actor::{Actor, Caller, Level, Role, TokenKind};
use chartflow_sandbox::github::events::{Outcome, StartedEvent};
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_sandbox::github::server::Server;
use chartflow_sandbox::github::{Hub, HubOptions};
use chartflow_sandbox::registry::{Options as RegistryOptions, Registry, RegistryServer};
use chartflow_sandbox::rehearsal::{self, Head, Origin, Summary};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::adoption::name_imported;
use crate::container::Step;
use crate::identities::{APP, KEY, install, issue_workflow_token};

/// The repository.
pub const REPOSITORY: &str = "rehearsal/charts";
/// The server that links name.
pub const SERVER: &str = "https://github.localhost";
/// Who contributes.
pub const CONTRIBUTOR: &str = "contributor";
/// Who approves and merges.
pub const REVIEWER: &str = "reviewer";
/// Who set the repository up.
pub const ADMIN: &str = "administrator";
/// The contribution's branch and the title of its pull request.
pub const FEATURE: (&str, &str) = ("feature", "feat(ticker): a second hand");
const BEGAN: i64 = 1_767_225_600;
/// After so many rounds of people acting, something goes in circles.
const ROUNDS: u32 = 60;

/// A stage that an event has started.
#[derive(Debug, Clone)]
pub struct Due {
    /// The event, and whose workflow files it read.
    pub started: StartedEvent,
    /// The stage.
    pub start: StageStart,
}

/// What was released of a chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Released {
    /// The chart.
    pub chart: String,
    /// Its version.
    pub version: String,
    /// The SHA-1 id of its tree.
    pub tree: String,
    /// The SHA-256 of its package.
    pub package: String,
}

/// What a run of a workflow file sees, by name.
pub struct Given {
    /// The secrets.
    pub secrets: Vec<(&'static str, String)>,
    /// The variables.
    pub variables: Vec<(&'static str, String)>,
}

/// Everything.
pub struct Yard {
    /// GitHub.
    pub hub: Arc<Hub>,
    /// The commit on main before adoption.
    pub base: String,
    /// The contribution's tip.
    pub head: String,
    mode: Mode,
    tiers: Tiers,
    server: Server,
    registry: RegistryServer,
    signer: KeySigner,
    policy: Policy,
    jobs: AtomicU32,
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

fn person(login: &str, id: u64, role: Role) -> Actor {
    Actor { login: login.to_owned(), id, name: login.to_owned(), email: format!("{login}@example.com"), role, app: None }
}

/// Runs git away from anybody's configuration; what it printed.
///
/// # Panics
/// When it fails.
pub fn git(directory: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .current_dir(directory)
        .args(arguments)
        .env_remove("GIT_DIR")
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}

fn line(directory: &Path, arguments: &[&str]) -> String {
    String::from_utf8(git(directory, arguments, b"")).unwrap().trim().to_owned()
}

/// A commit for `git fast-import`.
fn commit(stream: &mut Vec<u8>, reference: &str, from: Option<&str>, time: i64, message: &str, changes: &[(String, Vec<u8>)]) {
    write!(stream, "commit {reference}\ncommitter {CONTRIBUTOR} <{CONTRIBUTOR}@example.com> {time} +0000\ndata {}\n{message}\n", message.len()).unwrap();
    if let Some(from) = from {
        writeln!(stream, "from {from}").unwrap();
    }
    for (path, bytes) in changes {
        write!(stream, "M 100644 inline {path}\ndata {}\n", bytes.len()).unwrap();
        stream.extend_from_slice(bytes);
        stream.push(b'\n');
    }
    stream.push(b'\n');
}

/// Every file below a folder.
fn files(top: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![top.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push((path.strip_prefix(top).unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// A person's repository: the example charts on main, and a contribution to two of them.
fn origin(folder: &Path) -> (String, String) {
    git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", "origin-of-all.git"], b"");
    let repository = folder.join("origin-of-all.git");
    let charts = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/repository"));
    let more = |path: &str, text: &str| {
        let mut bytes = charts.iter().find(|(name, _)| name == path).unwrap().1.clone();
        bytes.extend_from_slice(text.as_bytes());
        vec![(path.to_owned(), bytes)]
    };
    let mut stream = Vec::new();
    commit(&mut stream, "refs/heads/main", None, BEGAN - 7200, "feat: charts", &charts);
    let feature = format!("refs/heads/{}", FEATURE.0);
    commit(&mut stream, &feature, Some("refs/heads/main"), BEGAN - 3600, FEATURE.1, &more("charts/ticker/values.yaml", "\n# There is a second hand too.\n"));
    commit(&mut stream, &feature, None, BEGAN - 3000, "fix(cache): say what is kept", &more("charts/cache/README.md", "\nNothing is kept.\n"));
    git(&repository, &["fast-import", "--quiet"], &stream);
    (line(&repository, &["rev-parse", "main"]), line(&repository, &["rev-parse", FEATURE.0]))
}

impl Yard {
    /// An adopted repository with the train's workflow files, in which it works as an App.
    #[must_use]
    pub fn new() -> Self {
        Self::with("")
    }

    /// The same with more lines of configuration. Whoever verifies does not ask for outside checks.
    #[must_use]
    pub fn with(more: &str) -> Self {
        Self::working_as(Mode::App { id: APP }, more)
    }

    /// The same with the rules and workflow files of another identity.
    #[must_use]
    pub fn working_as(mode: Mode, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (base, head) = origin(folder.path());
        let objects = folder.path().join("origin-of-all.git/objects");
        // An App's key speaks for a few minutes by the clock of those who run for real.
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let options = HubOptions { objects_from: Some(objects), epoch: now, ..HubOptions::new("rehearsal", "charts") };
        let hub = Arc::new(Hub::create(folder.path(), options).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let registry = Registry::open(&folder.path().join("registry"), RegistryOptions::default()).unwrap();
        let registry = runtime.block_on(RegistryServer::start(Arc::new(registry))).unwrap();
        let server = runtime.block_on(Server::start(Arc::clone(&hub), 0)).unwrap();
        let tiers = Tiers::from(&Configuration::default());
        for (login, id, role) in [(ADMIN, 1, Role::Admin), (CONTRIBUTOR, 2, Role::Write), (REVIEWER, 3, Role::Maintain)] {
            hub.add_actor(person(login, id, role));
        }
        hub.let_actions_handle_pulls(true);
        install(&hub, &app_permissions());
        let signer = KeySigner::generate().unwrap();
        let required = ["helm-lint", "artifact-hub", "schema", "commits", "changelog", "version", "layout"].map(ToOwned::to_owned).to_vec();
        let repository = Repository { name: REPOSITORY.parse().unwrap(), id: Some(1001), owner_id: None };
        let from = jiff::Timestamp::UNIX_EPOCH;
        let policy = Policy::for_rehearsal(
            repository,
            "{chart}-v{version}",
            signer.public_key_der(),
            from,
            required,
            Vec::new(),
            ReviewRules { integration: 1, main: 1 },
        );
        let yard = Self { hub, base, head, mode, tiers, server, registry, signer, policy, jobs: AtomicU32::new(0), folder, runtime };
        yard.adopt(more);
        drop(yard.hub.take_occurrences());
        yard
    }

    /// The files that adoption brings to main.
    fn adoption(&self, more: &str) -> Vec<(String, Vec<u8>)> {
        let options = workflow::Options { signing_key: true, ..workflow::Options::new(self.tiers.clone(), self.mode) };
        let mut brought: Vec<_> = workflows(&options).into_iter().map(|file| (file.path, file.text.into_bytes())).collect();
        let configuration = format!("{}registry: {}/charts\nprofile: key\n{more}", workflow::configuration(&["charts/*"]), self.registry.host());
        brought.push((workflow::CONFIGURATION_PATH.to_owned(), configuration.into_bytes()));
        brought.push((workflow::CODE_OWNERS_PATH.to_owned(), workflow::code_owners(&format!("@{REVIEWER}")).into_bytes()));
        brought
    }

    fn adopt(&self, more: &str) {
        let directory = self.hub.git_directory();
        let mut stream = Vec::new();
        commit(&mut stream, "refs/import/main", Some(&self.base), BEGAN - 1000, "chore: adopt chartflow", &self.adoption(more));
        let index = b"apiVersion: v1\nentries: {}\ngenerated: \"1970-01-01T00:00:00Z\"\n".to_vec();
        commit(&mut stream, "refs/import/release", None, BEGAN - 1000, "chore: an empty Helm repository", &[("index.yaml".to_owned(), index)]);
        commit(&mut stream, "refs/import/marker", None, BEGAN - 1000, "chore: adoption baseline", &[]);
        // The line break that ended the commit.
        stream.pop();
        let charts = line(directory, &["rev-parse", &format!("{}:charts", self.base)]);
        writeln!(stream, "M 040000 {charts} charts\n").unwrap();
        git(directory, &["fast-import", "--quiet"], &stream);
        name_imported(&self.hub);
        for ruleset in desired(&self.tiers, self.mode) {
            self.call(ADMIN, Method::Post, "/rulesets", &ruleset);
        }
    }

    /// Calls GitHub as a person.
    pub fn call(&self, login: &str, method: Method, path: &str, body: &Value) -> Value {
        self.hub.person(login).unwrap().call(method, path, body).unwrap_or_else(|error| panic!("{method:?} {path}: {error}"))
    }

    /// The address of the API.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The key that signs, as the input `signing-key` takes it.
    #[must_use]
    pub fn signing_key(&self) -> String {
        self.signer.to_pkcs8_pem()
    }

    /// The policy with which a stranger accepts what was released.
    #[must_use]
    pub fn policy(&self) -> Vec<u8> {
        self.policy.to_json()
    }

    /// Pushes the contribution and opens its pull request.
    pub fn contribute(&self) -> u64 {
        self.offer(FEATURE.0, &self.head, FEATURE.1)
    }

    /// Pushes a commit to a branch and opens a pull request to integration.
    pub fn offer(&self, branch: &str, commit: &str, title: &str) -> u64 {
        let contributor = self.hub.person(CONTRIBUTOR).unwrap();
        contributor.push(branch, commit, true).unwrap();
        contributor.open(branch, "integration", title, "").unwrap()
    }

    /// An installation token with these permissions, as a step before the action makes one for a job.
    #[must_use]
    pub fn token(&self, permissions: &Permissions) -> String {
        let secret = format!("ghs_of-job-{}", self.jobs.fetch_add(1, Ordering::Relaxed));
        let level = |access: &str| if access == "write" { Level::Write } else { Level::Read };
        let permissions = permissions.iter().map(|(permission, access)| (permission.api_key().to_owned(), level(access.as_str()))).collect();
        let actor = Actor { app: Some(APP), ..person("chartflow[bot]", 9_001, Role::Write) };
        self.hub.issue_token(&secret, Caller { actor, kind: TokenKind::Installation, label: secret.clone(), permissions: Some(permissions) });
        secret
    }

    /// The secrets and variables that a run of a stage's workflow file sees. The runner has one token for all jobs of a run:
    /// where the App does the work, it is the one that the job without secrets gets.
    ///
    /// # Panics
    /// For a train that works by a token given by hand.
    #[must_use]
    pub fn given(&self, stage: StageName) -> Given {
        let job = match self.mode {
            Mode::App { .. } => Job::Check,
            Mode::WorkflowToken => Job::Act,
            Mode::PersonalToken => panic!("nobody is asked for a token here"),
        };
        let token = format!("ghs_of-run-{}", self.jobs.fetch_add(1, Ordering::Relaxed));
        issue_workflow_token(&self.hub, &token, &job_permissions(stage, job, self.mode));
        let mut secrets = vec![("GITHUB_TOKEN", token), (workflow::SIGNING_KEY_SECRET, self.signing_key())];
        let mut variables = Vec::new();
        if let Mode::App { id } = self.mode {
            secrets.push((workflow::APP_KEY_SECRET, KEY.0.clone()));
            variables.push((workflow::APP_ID_VARIABLE, id.to_string()));
        }
        Given { secrets, variables }
    }

    /// A step of a run in this repository.
    #[must_use]
    pub fn step(&self, action: &str) -> Step {
        Step::new(action, &self.url(), REPOSITORY).variable("GITHUB_SERVER_URL", SERVER).variable("GITHUB_SHA", &self.tip("main"))
    }

    /// Where a branch points.
    #[must_use]
    pub fn tip(&self, branch: &str) -> String {
        self.hub.reference(&format!("refs/heads/{branch}")).unwrap().to_string()
    }

    /// The document that GitHub sends with an event.
    #[must_use]
    pub fn document(&self, event: &Event) -> Value {
        let repository = self.call(REVIEWER, Method::Get, "", &Value::Null);
        let mut document = match event {
            Event::PullRequestTarget(pull) | Event::PullRequest(pull) => {
                let whole = self.call(REVIEWER, Method::Get, &format!("/pulls/{}", pull.number), &Value::Null);
                json!({ "action": pull.action, "number": pull.number, "pull_request": whole })
            }
            Event::Push { reference, deleted } => json!({ "ref": reference, "deleted": deleted }),
            Event::RepositoryDispatch { kind, payload } => json!({ "action": kind, "branch": "main", "client_payload": payload }),
            Event::WorkflowDispatch { workflow, reference } => json!({ "workflow": workflow, "ref": reference, "inputs": {} }),
            Event::Schedule => json!({ "schedule": "17 */3 * * *" }),
        };
        document["repository"] = repository;
        document["sender"] = json!({ "login": CONTRIBUTOR, "id": 2, "type": "User" });
        document
    }

    /// The stages that events have started since this was last asked.
    #[must_use]
    pub fn due(&self) -> Vec<Due> {
        let mut due = Vec::new();
        for started in self.hub.take_events(&self.tiers) {
            for run in started.runs.clone() {
                if let (Outcome::Started, Some(start)) = (run.outcome, run.stage) {
                    due.push(Due { started: started.clone(), start });
                }
            }
        }
        due
    }

    /// Runs what is due and lets people approve and merge what is green, until nothing happens any more.
    pub fn settle(&self, run: &mut dyn FnMut(&Due)) {
        for _ in 0..ROUNDS {
            let mut queue = VecDeque::from(self.due());
            while let Some(due) = queue.pop_front() {
                run(&due);
                queue.extend(self.due());
            }
            if !self.act() {
                return;
            }
        }
        panic!("the train does not come to rest");
    }

    /// Approves and merges the next pull request that waits for a person; whether there was one.
    pub fn act(&self) -> bool {
        let open = self.hub.pulls().into_iter().filter(|pull| pull.open);
        let next = open.filter_map(|pull| {
            let (context, method) = match pull.base.as_str() {
                // The way back too: where a token is all the train is given a person merges it, as a merge commit.
                "integration" => ("chartflow/validate", MergeMethod::Merge),
                "main" => ("chartflow/main", MergeMethod::Squash),
                _ => return None,
            };
            self.green(&pull.head_sha.to_string(), context).then_some((pull.number, method))
        });
        let Some((number, method)) = next.into_iter().next() else { return false };
        let reviewer = self.hub.person(REVIEWER).unwrap();
        reviewer.approve(number).unwrap();
        reviewer.merge(number, method).unwrap();
        true
    }

    /// Whether the newest status of a context is green.
    #[must_use]
    pub fn green(&self, commit: &str, context: &str) -> bool {
        self.status(commit, context).is_some_and(|status| status["state"] == "success")
    }

    /// The newest status of a context.
    #[must_use]
    pub fn status(&self, commit: &str, context: &str) -> Option<Value> {
        let answer = self.call(REVIEWER, Method::Get, &format!("/commits/{commit}/status"), &Value::Null);
        answer["statuses"].as_array().unwrap().iter().find(|status| status["context"] == context).cloned()
    }

    /// A file of a branch.
    #[must_use]
    pub fn file(&self, branch: &str, path: &str) -> Vec<u8> {
        git(self.hub.git_directory(), &["cat-file", "blob", &format!("refs/heads/{branch}:{path}")], b"")
    }

    /// What was released.
    #[must_use]
    pub fn released(&self) -> Vec<Released> {
        let directory = self.hub.git_directory();
        let tags = line(directory, &["for-each-ref", "--format=%(refname:strip=2)", "refs/tags"]);
        let one = |tag: &str| {
            let (chart, version) = tag.rsplit_once("-v").unwrap();
            Released {
                chart: chart.to_owned(),
                version: version.to_owned(),
                tree: line(directory, &["rev-parse", &format!("refs/tags/{tag}^{{commit}}:charts/{chart}")]),
                package: Sha256::of(&self.file("release", &format!("charts/{chart}-{version}.tgz"))).to_string(),
            }
        };
        let mut released: Vec<_> = tags.lines().map(one).collect();
        released.sort();
        released
    }

    /// Verifies a package as a stranger who has the policy, with the command that users have.
    ///
    /// # Panics
    /// When it is refused.
    pub fn verified(&self, chart: &str, version: &str) {
        let folder = TempDir::new_in(self.folder.path()).unwrap();
        let package = folder.path().join(format!("{chart}-{version}.tgz"));
        for (path, bytes) in [
            (package.clone(), self.file("release", &format!("charts/{chart}-{version}.tgz"))),
            (package.with_extension("lineage.jsonl"), self.file("release", &format!("charts/{chart}-{version}.lineage.jsonl"))),
            (folder.path().join("trust/policy.json"), self.policy()),
        ] {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        // Beside the folder of this test's own program.
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("chartflow");
        let output = Command::new(program).arg("verify").arg(&package).arg("--trust").arg(folder.path().join("trust")).output().unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }

    /// The same contribution by rehearsal.
    #[must_use]
    pub fn rehearsed(&self) -> (Summary, Vec<Released>) {
        let out = self.folder.path().join("rehearsal");
        rehearsal::prepare(&out).unwrap();
        let id = |text: &str| CommitId::new(text).unwrap();
        let head = Head { branch: FEATURE.0.to_owned(), title: FEATURE.1.to_owned(), commit: id(&self.head) };
        let origin = Origin::Repository { git_directory: self.folder.path().join("origin-of-all.git"), base: id(&self.base), heads: vec![head] };
        let options = rehearsal::Options { origin, out, keep_key: None };
        let rehearsed = self.runtime.block_on(rehearsal::rehearse(&options, &mut |_| {})).unwrap();
        let rows = rehearsed.summary.charts.iter();
        let released =
            rows.map(|row| Released { chart: row.chart.clone(), version: row.to.clone(), tree: row.tree.sha1.clone(), package: row.package.sha256.clone() });
        let mut released: Vec<_> = released.collect();
        released.sort();
        (rehearsed.summary, released)
    }

    /// A folder for a test's own files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Default for Yard {
    fn default() -> Self {
        Self::new()
    }
}
