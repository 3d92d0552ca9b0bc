//! `chartflow rulesets`, against the embedded GitHub.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod common;

use std::sync::Arc;

use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::actor::{Actor, Caller, Role, TokenKind};
use chartflow_sandbox::github::server::Server;
use chartflow_sandbox::github::{Hub, HubOptions};
use common::{Ran, TestEnvironment};
use serde_json::{Value, json};

struct World {
    test: TestEnvironment,
    hub: Arc<Hub>,
    server: Server,
    // The server runs on it.
    _runtime: tokio::runtime::Runtime,
}

fn account(login: &str, id: u64, role: Role) -> Actor {
    Actor { login: login.to_owned(), id, name: login.to_owned(), email: format!("{login}@example.com"), role, app: None }
}

fn world() -> World {
    let test = TestEnvironment::new();
    let hub = Arc::new(Hub::create(&test.path(""), HubOptions::new("acme", "charts")).unwrap());
    for (login, id, role) in [("ada", 1, Role::Admin), ("rita", 2, Role::Write)] {
        let actor = account(login, id, role);
        hub.add_actor(actor.clone());
        hub.issue_token(&format!("token-of-{login}"), Caller { actor, kind: TokenKind::Person, label: login.to_owned(), permissions: None });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(hub.clone(), 0)).unwrap();
    World { test, hub, server, _runtime: runtime }
}

impl World {
    fn ask(&self, login: &str, arguments: &[&str]) -> Ran {
        let token = format!("token-of-{login}");
        let url = self.server.url();
        let all = [&["rulesets"], arguments, &["--repository", "acme/charts", "--app-id", "7", "--api-url", &url]].concat();
        let mut done = self.test.chartflow_with("", &all, &[("GH_TOKEN", &token)]);
        done.stdout = done.stdout.replace(&self.server.url(), "$SERVER");
        done.stderr = done.stderr.replace(&self.server.url(), "$SERVER");
        done
    }

    fn administer(&self, method: Method, path: &str, body: &Value) -> Value {
        self.hub.person("ada").unwrap().call(method, path, body).unwrap()
    }
}

fn parsed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn rules_are_applied_and_drift_is_told_and_mended() {
    let world = world();
    let plan = world.ask("ada", &["plan", "--format", "json"]);
    assert_eq!((plan.exit, &parsed(&plan)["drift"]), (Some(1), &json!(true)), "{plan}");
    insta::assert_snapshot!(world.ask("ada", &["apply"]), @r"
    created chartflow: integration
    created chartflow: integration review
    created chartflow: chart branches
    created chartflow: main
    created chartflow: main deletion
    created chartflow: release
    created chartflow: tags
    created chartflow: tag creation
    -- exit 0
    ");
    let again = world.ask("ada", &["apply"]);
    assert_eq!((again.stdout.as_str(), again.exit), ("nothing to do\n", Some(0)), "{again}");
    let plan = world.ask("ada", &["plan"]);
    assert!(plan.stdout.contains("nothing to do\n"), "{plan}");

    let list = world.administer(Method::Get, "/rulesets", &Value::Null);
    let main = list.as_array().unwrap().iter().find(|ruleset| ruleset["name"] == "chartflow: main").unwrap()["id"].as_u64().unwrap();
    let mut changed = world.administer(Method::Get, &format!("/rulesets/{main}"), &Value::Null);
    let rule = changed["rules"].as_array_mut().unwrap().iter_mut().find(|rule| rule["type"] == "pull_request").unwrap();
    rule["parameters"]["required_approving_review_count"] = json!(0);
    let body = json!({ "name": changed["name"], "target": "branch", "enforcement": "active", "bypass_actors": changed["bypass_actors"],
        "conditions": changed["conditions"], "rules": changed["rules"] });
    world.administer(Method::Put, &format!("/rulesets/{main}"), &body);
    let plan = world.ask("ada", &["plan"]);
    assert_eq!(plan.exit, Some(1), "{plan}");
    let told: Vec<&str> = plan.stdout.lines().filter(|line| line.contains("differs") || line.starts_with("  rules")).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    chartflow: main: differs
      rules.pull_request.required_approving_review_count is not set, should be 1
    ");
    let mended = world.ask("ada", &["apply"]);
    assert_eq!((mended.stdout.as_str(), mended.exit), ("mended chartflow: main\n", Some(0)), "{mended}");
}

#[test]
fn who_may_not_is_told_what_is_missing() {
    let world = world();
    let refused = world.ask("rita", &["apply"]);
    assert_eq!(refused.exit, Some(2), "{refused}");
    assert!(refused.stderr.contains("the token lacks administration: write"), "{refused}");
    let unknown = world.ask("nobody", &["plan"]);
    assert_eq!(unknown.exit, Some(2), "{unknown}");
    insta::assert_snapshot!(world.test.chartflow("", &["rulesets", "plan", "--repository", "acme/charts"]), @r"
    -- stderr
    error: there is no token for GitHub
    hint: set GH_TOKEN, for example: GH_TOKEN=$(gh auth token) chartflow rulesets …
    -- exit 2
    ");
}

#[test]
fn the_preflight_is_part_of_the_plan() {
    let world = world();
    world.ask("ada", &["apply"]);
    world.hub.configure(|settings| settings.allow_merge_commit = false);
    let plan = parsed(&world.ask("ada", &["plan", "--format", "json"]));
    let rules: Vec<&str> = plan["preflight"].as_array().unwrap().iter().filter_map(|finding| finding["rule"].as_str()).collect();
    insta::assert_snapshot!(rules.join(" "), @"preflight/branch preflight/branch preflight/merge-methods preflight/environment");
}
