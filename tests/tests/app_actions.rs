//! The actions as a GitHub App, through their own code: from the key to a token for one stage, and back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use chartflow_core::action::Verb;
use chartflow_core::domain::event::{Access, Permission, Permissions, StageName, app_permissions, installation_permissions};
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::limits::Fault;
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::identities::{APP, app_key, install};
use chartflow_tests::people::NewCommit;
use chartflow_tests::recorder::Recorder;
use chartflow_tests::runner::{Ran, Runner};
use chartflow_tests::world::{ADMIN, World};
use serde_json::{Value, json};

struct Case {
    world: World,
    runner: Runner,
    recorder: Recorder,
}

const VALIDATE: Verb = Verb::Stage(StageName::Validate);

impl Case {
    fn new(seed: u64, permissions: &Permissions) -> Self {
        let world = World::configured(seed, CONFIGURATION);
        // What the App signs of itself is judged by GitHub's clock, and made by this machine's.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        world.hub.pass_time(u32::try_from(now - u64::try_from(world.hub.now()).unwrap()).unwrap());
        install(&world.hub, permissions);
        let mut runner = Runner::new(&world);
        let recorder = Recorder::new(&runner.server.url());
        runner.through = Some(recorder.url().to_owned());
        Self { world, runner, recorder }
    }

    /// Runs a step as the App; the job's own token may do nothing.
    fn step(&self, verb: Verb, event: (&str, Value), more: &[(&str, &str)]) -> Ran {
        let app = APP.to_string();
        let inputs: Vec<(&str, &str)> = [("app-id", app.as_str()), ("private-key", app_key())].into_iter().chain(more.iter().copied()).collect();
        self.runner.step(&self.world, verb, event, &inputs, Some(Permissions::new()))
    }

    fn validate(&mut self) -> Ran {
        let number = self.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
        let event = ("pull_request_target", self.runner.pull_event(&self.world, "opened", number));
        let key = self.runner.key.to_pkcs8_pem();
        self.step(VALIDATE, event, &[("signing-key", &key)])
    }

    /// The one token that was given, after everything that has to hold of it was looked at.
    fn one_token(&self, ran: &Ran, permissions: &Permissions) {
        let asked = self.recorder.asked();
        let given: Vec<usize> = (0..asked.len()).filter(|place| asked[*place].line() == "POST /app/installations/88/access_tokens").collect();
        assert_eq!(given.len(), 1, "{:#?}", asked.iter().map(chartflow_tests::tiny_http::Asked::line).collect::<Vec<_>>());
        let wanted: serde_json::Map<String, Value> =
            permissions.iter().map(|(permission, access)| (permission.api_key().to_owned(), json!(access.as_str()))).collect();
        let body = asked[given[0]].json();
        assert_eq!((&body["permissions"], &body["repositories"]), (&Value::from(wanted), &json!(["charts"])));
        // Before it the App spoke for itself; from it on nothing but this token was used, and it was given back last.
        let (before, after) = asked.split_at(given[0] + 1);
        let tokens: BTreeSet<&str> = after.iter().map(chartflow_tests::tiny_http::Asked::token).collect();
        assert_eq!(tokens.len(), 1, "{tokens:?}");
        let token = *tokens.first().unwrap();
        assert!(token.starts_with("ghs_") && !token.starts_with("ghs_step"), "{token}");
        assert_eq!(after.last().unwrap().line(), "DELETE /installation/token");
        assert_eq!(after.iter().filter(|one| one.line().starts_with("DELETE /installation")).count(), 1);
        assert_eq!(status(&self.runner.server.url(), token), "401", "it opens nothing any more");
        masked(ran, before.iter().map(chartflow_tests::tiny_http::Asked::token).chain([token]));
    }
}

/// What GitHub answers whoever comes with this token.
fn status(url: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    write!(stream, "GET /repos/acme/charts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// Every secret is masked, before anything else is printed that it could stand in.
fn masked<'a>(ran: &Ran, tokens: impl Iterator<Item = &'a str>) {
    let lines: Vec<&str> = ran.log.lines().collect();
    let first = lines.iter().position(|line| !line.starts_with("::add-mask::")).unwrap_or(lines.len());
    let key: Vec<&str> = app_key().lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(key.iter().all(|line| lines[..first].contains(&format!("::add-mask::{line}").as_str())), "{}", ran.log);
    for secret in tokens.chain(key) {
        let mask = format!("::add-mask::{secret}");
        let place = lines.iter().position(|line| *line == mask);
        assert!(place.is_some_and(|place| lines[..place].iter().all(|line| !line.contains(secret))), "{secret} is not masked: {}", ran.log);
        let shown = lines.iter().filter(|line| line.contains(secret) && **line != mask).count();
        assert_eq!(shown, 0, "{secret} is shown: {}", ran.log);
        assert!(!ran.summary.contains(secret) && ran.outputs.values().all(|value| !value.contains(secret)));
    }
}

#[test]
fn a_stage_works_as_the_app_and_with_no_more_than_it_declares() {
    let mut case = Case::new(91, &app_permissions());
    let ran = case.validate();
    assert_eq!((ran.code, ran.output("result")), (0, "done"), "{ran:#?}");
    case.one_token(&ran, &installation_permissions(StageName::Validate));
    let number = case.world.hub.pulls().into_iter().next_back().unwrap();
    assert!(case.world.green(&number.head_sha.to_string(), "chartflow/validate"), "it could do what the stage does");
}

#[test]
fn a_stage_that_fails_gives_the_token_back() {
    let mut case = Case::new(92, &app_permissions());
    // The App's own two questions, and the first one as its installation.
    let number = case.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let event = ("pull_request_target", case.runner.pull_event(&case.world, "opened", number));
    case.world.hub.inject(4, Fault::Refuse { status: 400, message: "no".to_owned() });
    let key = case.runner.key.to_pkcs8_pem();
    let ran = case.step(VALIDATE, event, &[("signing-key", &key)]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    case.one_token(&ran, &installation_permissions(StageName::Validate));
}

#[test]
fn an_app_without_a_permission_says_where_it_is_given() {
    let mut permissions = app_permissions();
    permissions.remove(&Permission::Statuses);
    let mut case = Case::new(93, &permissions);
    let ran = case.validate();
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(ran.log.contains("lacks statuses: write on acme/charts: set Commit statuses to \"Read and write\" at"), "{}", ran.log);
    assert!(case.recorder.asked().iter().all(|asked| !asked.line().contains("access_tokens")), "no token was asked for");
}

#[test]
fn detect_reads_as_the_app() {
    let mut case = Case::new(94, &app_permissions());
    let number = case.world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let event = ("pull_request_target", case.runner.pull_event(&case.world, "opened", number));
    let ran = case.step(Verb::Detect, event, &[("dry-run", "true"), ("signing-key", "anything")]);
    assert_eq!((ran.code, ran.output("count"), ran.output("attestation-id")), (0, "1", ""), "{ran:#?}");
    assert_eq!(ran.json("plan"), json!({ "dryRun": true, "complete": true, "steps": [] }));
    case.one_token(&ran, &Permissions::from([(Permission::Contents, Access::Read)]));
}

#[test]
fn rulesets_are_brought_about_by_an_app_that_may() {
    let by_hand = || ("workflow_dispatch", json!({}));
    let case = Case::new(95, &app_permissions());
    let ids = |case: &Case| {
        let listed = case.world.call(ADMIN, Method::Get, "/rulesets", &Value::Null);
        listed.as_array().unwrap().iter().map(|ruleset| ruleset["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = ids(&case)[0];
    case.world.call(ADMIN, Method::Delete, &format!("/rulesets/{first}"), &Value::Null);
    let before = ids(&case);
    let plan = case.step(Verb::Rulesets, by_hand(), &[]);
    assert_eq!((plan.code, plan.output("result"), plan.output("drift")), (1, "refused", "true"), "{plan:#?}");
    case.one_token(&plan, &Permissions::from([(Permission::Contents, Access::Read)]));
    let dry = case.step(Verb::Rulesets, by_hand(), &[("mode", "apply"), ("dry-run", "true")]);
    assert_eq!((dry.code, dry.output("result"), dry.output("plan")), (0, "done", plan.output("plan")), "{dry:#?}");
    let lacking = case.step(Verb::Rulesets, by_hand(), &[("mode", "apply")]);
    assert!(lacking.code == 2 && lacking.log.contains("lacks administration: write on acme/charts: set Administration to \"Read and write\""), "{lacking:#?}");
    assert_eq!(ids(&case), before, "nothing was changed so far");
    let mut permissions = app_permissions();
    permissions.insert(Permission::Administration, Access::Write);
    install(&case.world.hub, &permissions);
    let applied = case.step(Verb::Rulesets, by_hand(), &[("mode", "apply")]);
    assert_eq!((applied.code, applied.output("result"), applied.output("charts")), (0, "done", "[]"), "{applied:#?}");
    let again = case.step(Verb::Rulesets, by_hand(), &[]);
    assert_eq!((again.code, again.output("result")), (0, "nothing to do"), "{again:#?}");
}
