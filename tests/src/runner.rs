//! A runner of actions: variables, files and a token for each step, as GitHub's runner gives them, and the embedded
//! GitHub and registry on loopback ports.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chartflow_core::action::console::Console;
use chartflow_core::action::{self, Stop, Verb};
use chartflow_core::domain::event::{Permissions, StageName};
use chartflow_core::io::signing::KeySigner;
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::actor::{Actor, Caller, Level, Role, TokenKind};
use chartflow_sandbox::github::server::Server;
use chartflow_sandbox::registry::{Options, Registry, RegistryServer};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{REVIEWER, World};

/// The App whose statuses the rulesets of [`World`] ask for.
const APP: u64 = 424_242;

/// What a step left.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code.
    pub code: u8,
    /// What it printed.
    pub log: String,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// Its page.
    pub summary: String,
}

impl Ran {
    /// An output that has to be there.
    #[must_use]
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("no output {name}: {self:#?}"))
    }

    /// An output as JSON.
    #[must_use]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.output(name)).unwrap_or_else(|error| panic!("output {name}: {error}: {self:#?}"))
    }
}

/// Runs actions.
pub struct Runner {
    runtime: tokio::runtime::Runtime,
    /// The embedded GitHub's port.
    pub server: Server,
    registry: RegistryServer,
    /// The train's key.
    pub key: KeySigner,
    /// Files of the runner, the workspace among them.
    pub folder: TempDir,
    /// Where actions find GitHub's API, if not at the server itself.
    pub through: Option<String>,
    /// What jobs that may sign as their run are given to ask for their identity.
    pub identity: Vec<(String, String)>,
    steps: Mutex<u32>,
}

/// Standard output, kept.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads outputs as the runner does: `NAME=VALUE`, or `NAME<<DELIMITER`, lines, the delimiter.
pub(crate) fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (name, delimiter) = line.split_once("<<").unwrap_or_else(|| panic!("no delimiter: {line}"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        found.insert(name.to_owned(), value.join("\n"));
    }
    found
}

impl Runner {
    /// A runner for a world.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self::pushing_to(world, Options::default())
    }

    /// The same with another registry.
    #[must_use]
    pub fn pushing_to(world: &World, registry: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::open(&folder.path().join("registry"), registry).unwrap();
        let server = runtime.block_on(Server::start(world.hub.clone(), 0)).unwrap();
        let registry = runtime.block_on(RegistryServer::start(Arc::new(registry))).unwrap();
        for name in ["workspace", "temporary", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { runtime, server, registry, key: KeySigner::generate().unwrap(), folder, through: None, identity: Vec::new(), steps: Mutex::default() }
    }

    /// Where the registry takes charts.
    #[must_use]
    pub fn registry(&self) -> String {
        format!("{}/acme/charts", self.registry.host())
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// Installs a helm that is a shell script; `lint` runs when a chart is linted.
    pub fn install_helm(&self, lint: &str) {
        let program = self.folder.path().join("bin/helm");
        fs::write(&program, format!("#!/bin/sh\ncase $1 in version) echo v4.0.0;; *) {lint};; esac\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The document of an event about a pull request.
    #[must_use]
    pub fn pull_event(&self, world: &World, action: &str, number: u64) -> Value {
        let pull = world.call(REVIEWER, Method::Get, &format!("/pulls/{number}"), &Value::Null);
        json!({ "action": action, "number": number, "pull_request": pull, "repository": repository() })
    }

    /// Runs a step of a job whose token may do what `permissions` say, or what the action declares.
    #[must_use]
    pub fn step(&self, world: &World, verb: Verb, event: (&str, Value), inputs: &[(&str, &str)], permissions: Option<Permissions>) -> Ran {
        let number = {
            let mut steps = self.steps.lock().unwrap();
            *steps += 1;
            *steps
        };
        let files = self.folder.path().join(format!("step-{number}"));
        fs::create_dir(&files).unwrap();
        let file = |name: &str, text: &str| {
            let path = files.join(name);
            fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let token = format!("ghs_step{number}");
        let permissions = permissions.unwrap_or_else(|| verb.permissions());
        let level = |access: &str| if access == "write" { Level::Write } else { Level::Read };
        let permissions = permissions.iter().map(|(permission, access)| (permission.api_key().to_owned(), level(access.as_str()))).collect();
        world.hub.issue_token(&token, Caller { actor: bot(), kind: TokenKind::Installation, label: verb.as_str().to_owned(), permissions: Some(permissions) });
        let mut variables: BTreeMap<String, String> = [
            ("GITHUB_API_URL", self.through.clone().unwrap_or_else(|| self.server.url())),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_REPOSITORY", "acme/charts".to_owned()),
            ("GITHUB_REPOSITORY_ID", "1001".to_owned()),
            ("GITHUB_ACTOR", "carol".to_owned()),
            ("GITHUB_RUN_ID", number.to_string()),
            ("GITHUB_SHA", world.tip("main").unwrap().to_string()),
            ("GITHUB_EVENT_NAME", event.0.to_owned()),
            ("GITHUB_EVENT_PATH", file("event.json", &event.1.to_string())),
            ("GITHUB_OUTPUT", file("output", "")),
            ("GITHUB_STATE", file("state", "")),
            ("GITHUB_STEP_SUMMARY", file("summary", "")),
            ("GITHUB_WORKSPACE", self.workspace().to_string_lossy().into_owned()),
            ("RUNNER_TEMP", self.folder.path().join("temporary").to_string_lossy().into_owned()),
            ("PATH", self.folder.path().join("bin").to_string_lossy().into_owned()),
            ("INPUT_TOKEN", token.clone()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        if verb.declaration().input("token").is_none() {
            variables.remove("INPUT_TOKEN");
        }
        // `format` signs nothing, and no check runs where something could be signed.
        if verb != Verb::Stage(StageName::Format) && !inputs.contains(&("job", "check")) {
            variables.extend(self.identity.iter().cloned());
        }
        for (name, value) in inputs {
            variables.insert(format!("INPUT_{}", name.to_ascii_uppercase()), (*value).to_owned());
        }
        let kept = Kept::default();
        let console = Console::new(Box::new(kept.clone()), &variables);
        let code = self.runtime.block_on(action::run(verb, &variables, &console, std::future::pending::<Stop>()));
        world.hub.revoke_token(&token);
        let read = |name: &str| fs::read_to_string(files.join(name)).unwrap();
        Ran { code, log: kept.text(), outputs: outputs(&read("output")), summary: read("summary") }
    }

    /// Puts a file into the workspace.
    pub fn place(&self, name: &str, bytes: &[u8]) {
        let path = self.workspace().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// The repository as events describe it.
#[must_use]
pub fn repository() -> Value {
    json!({ "id": 1001, "full_name": "acme/charts", "default_branch": "main" })
}

fn bot() -> Actor {
    Actor {
        login: "chartflow[bot]".to_owned(),
        id: 9001,
        name: "chartflow[bot]".to_owned(),
        email: "9001+chartflow[bot]@users.noreply.github.com".to_owned(),
        role: Role::Write,
        app: Some(APP),
    }
}
