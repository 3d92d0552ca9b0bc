//! Runs one step of a container action exactly as GitHub's runner does, on the Docker engine that `docker` reaches.
//!
//! The command line, mounts and variables are those of actions/runner v2.336.0 (`Container/DockerCommandManager.cs`,
//! `Handlers/ContainerActionHandler.cs`, `Handlers/Handler.cs`, `GitHubContext.cs`), but for the network: containers use
//! the host's, on whose loopback the embedded GitHub listens.

mod files;
mod log;
mod metadata;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use files::values;
pub use log::{Annotation, Log};
pub use metadata::Metadata;

/// The runner sends SIGINT, after this long SIGTERM, and kills 2.5 seconds later (`ProcessInvoker.cs`).
pub const UNTIL_SIGTERM: Duration = Duration::from_millis(7500);
/// No step of a test takes longer.
const LIMIT: Duration = Duration::from_secs(120);

static STARTED: AtomicU32 = AtomicU32::new(0);

/// The image of all actions, which `scripts/test` builds and names.
#[must_use]
pub fn image() -> String {
    std::env::var("CHARTFLOW_IMAGE").expect("CHARTFLOW_IMAGE names the image of all actions, as `scripts/images` prints it")
}

/// A step of a job.
pub struct Step {
    action: String,
    inputs: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    /// What the job's token is.
    token: String,
    event: Vec<u8>,
    files: Vec<(String, Vec<u8>)>,
    mounts: Vec<String>,
}

impl Step {
    /// A step that uses an action of this repository, for a run in `acme/charts` on a server.
    #[must_use]
    pub fn new(action: &str, api: &str, repository: &str) -> Self {
        let mut step = Self {
            action: action.to_owned(),
            inputs: BTreeMap::new(),
            variables: BTreeMap::new(),
            token: String::new(),
            event: b"{}".to_vec(),
            files: Vec::new(),
            mounts: Vec::new(),
        };
        let (owner, _) = repository.split_once('/').unwrap();
        for (name, value) in [
            ("GITHUB_ACTION", "__self"),
            ("GITHUB_ACTION_PATH", "/github/workspace/actions"),
            ("GITHUB_ACTOR", "carol"),
            ("GITHUB_ACTOR_ID", "11"),
            ("GITHUB_API_URL", api),
            ("GITHUB_BASE_REF", ""),
            ("GITHUB_EVENT_PATH", "/github/workflow/event.json"),
            ("GITHUB_GRAPHQL_URL", &format!("{api}/graphql")),
            ("GITHUB_HEAD_REF", ""),
            ("GITHUB_JOB", action),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_REF_NAME", "main"),
            ("GITHUB_REF_PROTECTED", "true"),
            ("GITHUB_REF_TYPE", "branch"),
            ("GITHUB_REPOSITORY", repository),
            ("GITHUB_REPOSITORY_ID", "1001"),
            ("GITHUB_REPOSITORY_OWNER", owner),
            ("GITHUB_REPOSITORY_OWNER_ID", "2001"),
            ("GITHUB_RETENTION_DAYS", "90"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_RUN_ID", "7001"),
            ("GITHUB_RUN_NUMBER", "1"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_TRIGGERING_ACTOR", "carol"),
            ("GITHUB_WORKFLOW", action),
            ("GITHUB_WORKSPACE", "/github/workspace"),
            ("HOME", "/github/home"),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_ENVIRONMENT", "github-hosted"),
            ("RUNNER_NAME", "GitHub Actions 1"),
            ("RUNNER_OS", "Linux"),
            ("RUNNER_TEMP", "/github/runner_temp"),
            ("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache"),
        ] {
            step.variables.insert(name.to_owned(), value.to_owned());
        }
        step.event("workflow_dispatch", &serde_json::json!({ "ref": "refs/heads/main", "workflow": format!(".github/workflows/chartflow-{action}.yml") }))
    }

    /// The job's token, which the input `token` is unless it is given.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = token.to_owned();
        self
    }

    /// A value of `with:`.
    #[must_use]
    pub fn with(mut self, input: &str, value: &str) -> Self {
        self.inputs.insert(input.to_owned(), value.to_owned());
        self
    }

    /// A variable of the job.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The event that started the run.
    #[must_use]
    pub fn event(self, name: &str, document: &Value) -> Self {
        let bytes = document.to_string().into_bytes();
        self.raw_event(name, bytes)
    }

    /// The event that started the run, with whatever stands in its file.
    #[must_use]
    pub fn raw_event(mut self, name: &str, bytes: Vec<u8>) -> Self {
        self.event = bytes;
        self.variable("GITHUB_EVENT_NAME", name)
    }

    /// A file of the workspace, as a step before this one left it.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.push((path.to_owned(), bytes.to_vec()));
        self
    }

    /// Runs the step to its end.
    #[must_use]
    pub fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts the step.
    #[must_use]
    pub fn start(self) -> Running {
        let metadata = Metadata::read(&self.action);
        let folder = TempDir::new().unwrap();
        let place = |name: &str| folder.path().join(name);
        for name in ["_temp", "_github_home", "_github_workflow", "_runner_file_commands", "workspace"] {
            fs::create_dir(place(name)).unwrap();
        }
        fs::write(place("_github_workflow").join("event.json"), &self.event).unwrap();
        for (path, bytes) in &self.files {
            let at = place("workspace").join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, bytes).unwrap();
        }
        let mut variables = self.variables.clone();
        for name in files::COMMANDS {
            fs::write(place("_runner_file_commands").join(name), "").unwrap();
            variables.insert(format!("GITHUB_{name}"), format!("/github/file_commands/{name}"));
        }
        variables.extend(metadata.inputs(&self.inputs, &self.token));
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("chartflow-test-{}-{number}-{}", std::process::id(), self.action);
        let mut arguments: Vec<String> =
            ["run", "--name", &name, "--label", "chartflow-test", "--workdir", "/github/workspace", "--rm"].map(ToOwned::to_owned).to_vec();
        // By name, as the runner does, with the values in the client's own environment. Its home stays what it is.
        let home = variables.remove("HOME").unwrap();
        arguments.extend(["-e".to_owned(), format!("HOME={home}")]);
        arguments.extend(variables.keys().flat_map(|name| ["-e".to_owned(), name.clone()]));
        arguments.extend(["-e", "GITHUB_ACTIONS=true", "-e", "CI=true", "--entrypoint", &metadata.entrypoint, "--network", "host"].map(ToOwned::to_owned));
        let mounts = [
            (PathBuf::from("/var/run/docker.sock"), "/var/run/docker.sock"),
            (place("_temp"), "/github/runner_temp"),
            (place("_github_home"), "/github/home"),
            (place("_github_workflow"), "/github/workflow"),
            (place("_runner_file_commands"), "/github/file_commands"),
            (place("workspace"), "/github/workspace"),
        ];
        // The socket of an engine elsewhere is not handed in: what is mounted and absent would be made as a folder.
        let mounts = mounts.into_iter().filter(|(from, _)| from.exists());
        arguments.extend(mounts.flat_map(|(from, to)| ["-v".to_owned(), format!("{}:{to}", from.display())]));
        arguments.extend(self.mounts.iter().flat_map(|mount| ["-v".to_owned(), mount.clone()]));
        arguments.push(image());
        let mut command = Command::new("docker");
        command.args(&arguments).envs(&variables).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let readers = [reader(child.stdout.take().unwrap()), reader(child.stderr.take().unwrap())];
        Running { name, child, readers, folder, began }
    }

    /// Mounts a file of this machine in addition: a certificate, as a runner of one's own has it.
    #[must_use]
    pub fn mount(mut self, from: &Path, to: &str) -> Self {
        self.mounts.push(format!("{}:{to}:ro", from.display()));
        self
    }
}

fn reader(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A step that runs.
pub struct Running {
    name: String,
    child: Child,
    readers: [JoinHandle<String>; 2],
    folder: TempDir,
    began: Instant,
}

impl Running {
    /// Waits for the step's end.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        let Some(code) = self.ends_within(LIMIT) else {
            self.signal("KILL");
            panic!("{} still ran after {LIMIT:?}", self.name);
        };
        let milliseconds = self.began.elapsed().as_millis();
        let [output, errors] = self.readers.map(|reader| reader.join().unwrap());
        let file = |name: &str| fs::read_to_string(self.folder.path().join("_runner_file_commands").join(name)).unwrap();
        Ended {
            container: self.name,
            code,
            milliseconds,
            outputs: values(&file("OUTPUT")).unwrap_or_else(|problem| panic!("GITHUB_OUTPUT: {problem}\n{}", file("OUTPUT"))),
            state: values(&file("STATE")).unwrap(),
            environment: values(&file("ENV")).unwrap(),
            path: file("PATH"),
            summary: file("STEP_SUMMARY"),
            log: Log::read(&output),
            text: format!("{output}{errors}"),
        }
    }

    /// Cancels the step as the runner does: SIGINT to the client, which hands it on, and after a while SIGTERM. How long
    /// it took to end, and how it ended.
    #[must_use]
    pub fn cancel(mut self) -> (Duration, Ended) {
        let asked = Instant::now();
        self.signal("INT");
        if self.ends_within(UNTIL_SIGTERM).is_none() {
            self.signal("TERM");
        }
        self.ends_within(Duration::from_millis(2500));
        let took = asked.elapsed();
        (took, self.wait())
    }

    /// Sends the client a signal.
    pub fn signal(&self, signal: &str) {
        Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status().unwrap();
    }

    fn ends_within(&mut self, limit: Duration) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status.code().unwrap_or(-1));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

/// A step that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The name of its container.
    pub container: String,
    /// The exit code.
    pub code: i32,
    /// How long it ran, `docker run` included.
    pub milliseconds: u128,
    /// What it wrote to GITHUB_OUTPUT.
    pub outputs: BTreeMap<String, String>,
    /// What it wrote to GITHUB_STATE.
    pub state: BTreeMap<String, String>,
    /// What it wrote to GITHUB_ENV.
    pub environment: BTreeMap<String, String>,
    /// What it wrote to GITHUB_PATH.
    pub path: String,
    /// What it wrote to GITHUB_STEP_SUMMARY.
    pub summary: String,
    /// What it printed, as the runner reads it.
    pub log: Log,
    /// What it printed, as it is.
    pub text: String,
}

impl Ended {
    /// The result, where the step succeeded.
    #[must_use]
    pub fn result(&self) -> &str {
        assert_eq!(self.code, 0, "{}", self.text);
        self.outputs.get("result").map_or("", String::as_str)
    }

    /// Whether nothing is left of its container.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let name = format!("name={}", self.container);
        Command::new("docker").args(["ps", "--all", "--quiet", "--filter", &name]).output().unwrap().stdout.is_empty()
    }

    /// An output that is a JSON document.
    #[must_use]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.outputs[name]).unwrap()
    }
}
