//! A contributor's repository and a GitHub that borrows its objects.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, LazyLock};

use chartflow_core::port::transport::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::github::actor::{Actor, Caller, Level, Role, TokenKind};
use crate::github::contract::Contract;
use crate::github::http::{ApiRequest, ApiResponse};
use crate::github::{Hub, HubOptions};

pub(super) const APP: &str = "token-of-the-app";
pub(super) const ALICE: &str = "token-of-alice";
pub(super) const BOB: &str = "token-of-bob";

/// Moments of the fixture's commits begin here.
const EPOCH: i64 = 1_700_000_000;

pub(super) struct World {
    pub(super) hub: Arc<Hub>,
    pub(super) dir: TempDir,
    ticks: std::cell::Cell<i64>,
}

fn person(login: &str, id: u64) -> Actor {
    Actor { login: login.to_owned(), id, name: login.to_owned(), email: format!("{login}@example.com"), role: Role::Write, app: None }
}

/// GitHub's description of its API.
pub(super) fn contract() -> Arc<Contract> {
    static CONTRACT: LazyLock<Arc<Contract>> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/github.json");
        Arc::new(Contract::new(&std::fs::read_to_string(path).unwrap()).unwrap())
    });
    Arc::clone(&CONTRACT)
}

impl World {
    /// `main` holds one commit with `charts/a/Chart.yaml`, `charts/b/Chart.yaml` and `README.md`.
    pub(super) fn new() -> Self {
        let world = Self::empty();
        world.commit("main", None, &[("charts/a/Chart.yaml", Some("name: a\n")), ("charts/b/Chart.yaml", Some("name: b\n")), ("README.md", Some("hello\n"))]);
        let main = world.rev("main");
        world.hub.import_references(&[("refs/heads/main".to_owned(), main.parse().unwrap())]).unwrap();
        world
    }

    /// A GitHub without any branch.
    pub(super) fn empty() -> Self {
        let dir = TempDir::new().unwrap();
        git(dir.path(), &["init", "-q", "-b", "main", "user"], 0);
        let options = HubOptions { objects_from: Some(dir.path().join("user/.git/objects")), epoch: EPOCH + 10_000, ..HubOptions::new("acme", "charts") };
        let hub = Arc::new(Hub::create(dir.path(), options).unwrap());
        hub.hold_to(contract());
        let bot = Actor {
            login: "chartflow[bot]".to_owned(),
            id: 77,
            name: "chartflow[bot]".to_owned(),
            email: "77+chartflow[bot]@users.noreply.github.com".to_owned(),
            role: Role::Write,
            app: Some(4711),
        };
        let permissions = ["contents", "pull_requests", "issues"].map(|name| (name.to_owned(), Level::Write)).into();
        hub.issue_token(APP, Caller { actor: bot, kind: TokenKind::Installation, label: "app".to_owned(), permissions: Some(permissions) });
        for (secret, login, id) in [(ALICE, "alice", 11), (BOB, "bob", 12)] {
            hub.issue_token(secret, Caller { actor: person(login, id), kind: TokenKind::Person, label: login.to_owned(), permissions: None });
        }
        Self { hub, dir, ticks: std::cell::Cell::new(0) }
    }

    /// Commits files (`None` removes one) on a branch of the contributor's repository, which starts at `from` when it
    /// is new, and answers the commit.
    pub(super) fn commit(&self, branch: &str, from: Option<&str>, files: &[(&str, Option<&str>)]) -> String {
        self.commit_as("carol", branch, from, files, &format!("change {branch}"))
    }

    pub(super) fn commit_as(&self, author: &str, branch: &str, from: Option<&str>, files: &[(&str, Option<&str>)], message: &str) -> String {
        let user = self.dir.path().join("user");
        let exists = Command::new("git").arg("-C").arg(&user).args(["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}")]).output().unwrap();
        let at = EPOCH + self.ticks.replace(self.ticks.get() + 1);
        match (exists.status.success(), from) {
            (true, _) => drop(git(&user, &["checkout", "-q", branch], at)),
            (false, Some(from)) => drop(git(&user, &["checkout", "-q", "-b", branch, from], at)),
            (false, None) => drop(git(&user, &["checkout", "-q", "--orphan", branch], at)),
        }
        for (path, content) in files {
            let file = user.join(path);
            match content {
                Some(content) => {
                    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                    std::fs::write(&file, content).unwrap();
                }
                None => std::fs::remove_file(&file).unwrap(),
            }
        }
        git(&user, &["add", "-A"], at);
        git(&user, &["commit", "-q", "--allow-empty", "--author", &format!("{author} <{author}@example.com>"), "-m", message], at);
        self.rev("HEAD")
    }

    /// A commit of the contributor's repository.
    pub(super) fn rev(&self, name: &str) -> String {
        git(&self.dir.path().join("user"), &["rev-parse", name], 0)
    }

    /// What git says about the GitHub side.
    pub(super) fn origin(&self, arguments: &[&str]) -> String {
        git(self.hub.git_directory(), arguments, 0)
    }

    pub(super) fn call(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> ApiResponse {
        self.call_with(token, method, path, body, "application/vnd.github+json")
    }

    pub(super) fn call_with(&self, token: &str, method: Method, path: &str, body: Option<Value>, accept: &str) -> ApiResponse {
        let mut request = ApiRequest::new(method, &format!("/repos/acme/charts{path}"))
            .with_header("authorization", &format!("Bearer {token}"))
            .with_header("accept", accept);
        if let Some(body) = &body {
            request = request.with_json(body);
        }
        let response = self.hub.handle(&request);
        assert!(response.status < 500, "{method:?} {path}: {}", response.value());
        response
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let response = self.call(APP, Method::Get, path, None);
        assert_eq!(response.status, 200, "GET {path}: {}", response.value());
        response.value()
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Value {
        self.done(APP, Method::Post, path, body)
    }

    pub(super) fn put(&self, path: &str, body: Value) -> Value {
        self.done(APP, Method::Put, path, body)
    }

    pub(super) fn done(&self, token: &str, method: Method, path: &str, body: Value) -> Value {
        let response = self.call(token, method, path, Some(body));
        assert!((200..300).contains(&response.status), "{method:?} {path}: {} {}", response.status, response.value());
        response.value()
    }

    /// Calls, and says `status message: details`.
    pub(super) fn answer(&self, token: &str, method: Method, path: &str, body: Value) -> String {
        let response = self.call(token, method, path, Some(body).filter(|body| !body.is_null()));
        let value = response.value();
        if (200..300).contains(&response.status) {
            return response.status.to_string();
        }
        assert_eq!(value["status"].as_str(), Some(response.status.to_string().as_str()), "{value}");
        assert!(value["documentation_url"].as_str().is_some_and(|url| url.starts_with("https://docs.github.com/rest")), "{value}");
        let mut text = format!("{} {}", response.status, value["message"].as_str().unwrap().replace('\n', " "));
        for error in value["errors"].as_array().into_iter().flatten() {
            let detail = match (error["message"].as_str(), error["field"].as_str()) {
                (Some(message), _) => message.to_owned(),
                (None, Some(field)) => format!("{field} {}", error["code"].as_str().unwrap()),
                _ => error.as_str().unwrap().to_owned(),
            };
            text.push_str(&format!(": {detail}"));
        }
        text
    }

    /// Opens a pull request from a branch that is pushed first.
    pub(super) fn open(&self, head: &str, base: &str) -> u64 {
        self.hub.person("alice").unwrap().push(head, &self.rev(head), true).unwrap();
        self.hub.person("alice").unwrap().open(head, base, &format!("Bring {head}"), "words").unwrap()
    }

    /// Makes a branch on the GitHub side.
    pub(super) fn branch(&self, name: &str, sha: &str) {
        self.post("/git/refs", json!({"ref": format!("refs/heads/{name}"), "sha": sha}));
    }

    pub(super) fn tip(&self, branch: &str) -> String {
        self.hub.reference(&format!("refs/heads/{branch}")).map(|id| id.to_string()).unwrap_or_default()
    }

    /// What happened since the last call, one word or two each.
    pub(super) fn story(&self) -> Vec<String> {
        use crate::github::occurrence::Happening;
        let told = |what: Happening| match what {
            Happening::Push { reference, before, after, forced } => {
                let kind = match (before, after) {
                    (None, _) => "create",
                    (_, None) => "delete",
                    _ if forced => "force",
                    _ => "push",
                };
                format!("{kind} {}", reference.trim_start_matches("refs/heads/"))
            }
            Happening::PullRequest { action, number, merged } => format!("{action}{} #{number}", if merged { " merged" } else { "" }),
            Happening::Review { action, number, .. } => format!("review {action} #{number}"),
            Happening::Comment { number, .. } => format!("comment #{number}"),
            other => format!("{other:?}"),
        };
        self.hub.take_occurrences().into_iter().map(|occurrence| told(occurrence.what)).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.hub.breaches(), [""; 0], "GitHub's description is kept");
            // Whatever was done, the repository is one git has nothing to say against.
            self.origin(&["fsck", "--strict", "--no-dangling"]);
        }
    }
}

fn git(directory: &Path, arguments: &[&str], at: i64) -> String {
    let date = format!("{at} +0000");
    let output = Command::new("git")
        .current_dir(directory)
        .args(arguments)
        .env_remove("GIT_DIR")
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .envs([("GIT_COMMITTER_NAME", "carol"), ("GIT_COMMITTER_EMAIL", "carol@example.com")])
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(super) const ADMIN: &str = "token-of-ada";
pub(super) const READER: &str = "token-of-rita";
pub(super) const JOB: &str = "token-of-a-job";

impl World {
    /// Lets the App do everything it is installed for, and adds an administrator, a reader, and a workflow token with
    /// some permissions.
    pub(super) fn with_everybody(self, job: &[&str]) -> Self {
        let write = |names: &[&str]| Some(names.iter().map(|name| ((*name).to_owned(), Level::Write)).collect());
        let bot = |login: &str, id, app| Actor { app: Some(app), role: Role::Write, ..person(login, id) };
        let rights = ["contents", "pull_requests", "issues", "statuses", "attestations", "workflows"];
        let app = Caller { actor: bot("chartflow[bot]", 77, 4711), kind: TokenKind::Installation, label: "app".to_owned(), permissions: write(&rights) };
        let run = Caller { actor: bot("github-actions[bot]", 41_898_282, 15_368), kind: TokenKind::Workflow, label: "job".to_owned(), permissions: write(job) };
        self.hub.issue_token(APP, app);
        self.hub.issue_token(JOB, run);
        for (secret, login, id, role) in [(ADMIN, "ada", 13, Role::Admin), (READER, "rita", 14, Role::Read)] {
            let caller = Caller { actor: Actor { role, ..person(login, id) }, kind: TokenKind::Person, label: login.to_owned(), permissions: None };
            self.hub.issue_token(secret, caller);
        }
        self
    }

    /// Puts branches into place that no rule is asked about.
    pub(super) fn import(&self, branches: &[(&str, &str)]) {
        let references: Vec<_> = branches.iter().map(|(name, sha)| (format!("refs/heads/{name}"), sha.parse().unwrap())).collect();
        self.hub.import_references(&references).unwrap();
    }

    /// Posts a commit status.
    pub(super) fn status(&self, token: &str, sha: &str, context: &str, state: &str) {
        self.done(token, Method::Post, &format!("/statuses/{sha}"), json!({"context": context, "state": state}));
    }
}
