//! A whole train as each identity it may work as, from a contribution to verified packages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::event::{Access, Permissions, StageName};
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::actor::{Actor, Role, TokenKind};
use chartflow_tests::identities::{Identity, MACHINE, Station};
use chartflow_tests::ledger::{Contribution, Token};
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{CONTRIBUTOR, REVIEWER};
use serde_json::Value;

fn value(chart: &str, kind: &str, text: &str) -> NewCommit {
    NewCommit::new(chart, &format!("{kind}({chart}): {text}")).value(&format!("{text}: 1"))
}

/// The schedule comes round and removes the head branch of the way back that a person merged.
fn swept(station: &mut Station) {
    station.schedule();
    station.settle();
}

/// Two charts of one contribution, and one more while they are on their way, become packages that a stranger accepts.
fn check(identity: Identity) -> Station {
    let mut station = Station::new(identity);
    station.world.contribute(&[value("app", "feat", "one"), value("cron", "fix", "two")]);
    station.settle();
    station.world.contribute(&[value("app", "fix", "three")]);
    station.settle();
    let told = station.world.told();
    assert_eq!(station.stages().len(), StageName::ALL.len() - 1, "every stage ran, reconcile was not needed\n{told}");
    swept(&mut station);
    assert_eq!(station.world.check(Counting::ExactlyOnce), 3, "{told}");
    for (chart, version) in [("app", "1.1.0"), ("cron", "2.1.1"), ("app", "1.1.1")] {
        assert_eq!(station.world.verify(chart, version), Ok(8), "{chart} {version}\n{told}");
    }
    let main = station.world.hub.reference("refs/heads/main").unwrap().to_string();
    assert!(station.ran.iter().any(|ran| ran.workflow_commit.as_ref() == Some(&main)));
    station
}

#[test]
fn as_an_app() {
    let station = check(Identity::App);
    let counts = station.world.hub.counts();
    let (asked, taken_back) = (
        counts["app 424242"].operations["apps/create-installation-access-token"],
        counts["installation 88"].operations["apps/revoke-installation-access-token"],
    );
    assert_eq!((asked, taken_back), (station.ran.len() as u64, station.ran.len() as u64), "each job has a token of its own, and gives it back");
}

#[test]
fn with_the_workflow_token_alone() {
    let station = check(Identity::WorkflowToken);
    for ran in &station.ran {
        match ran.by {
            Some(TokenKind::Workflow) => assert_eq!(ran.event, "repository_dispatch", "nothing else that the token does starts {}", ran.stage),
            Some(by) => assert_eq!(by, TokenKind::Person, "{}", ran.stage),
            None => assert_eq!(ran.stage, StageName::Reconcile),
        }
    }
    assert!(!station.world.hub.counts().contains_key(MACHINE));
}

#[test]
fn with_a_token_given_by_hand() {
    let station = check(Identity::PersonalToken);
    assert!(station.world.hub.counts()[MACHINE].total > 100, "it did all the work");
}

/// Somebody without any right in the repository, and what their pull request brings.
fn from_a_fork(station: &mut Station, login: &str, id: u64, commit: &NewCommit) -> u64 {
    let world = &mut station.world;
    world.hub.add_actor(Actor { login: login.to_owned(), id, name: login.to_owned(), email: format!("{login}@example.com"), role: Role::Read, app: None });
    let start = world.tip("integration").unwrap();
    let head = world.commit(CONTRIBUTOR, &[start], commit).unwrap();
    let person = world.hub.person(login).unwrap();
    person.push_to_fork("feature", head.as_str()).unwrap();
    let number = person.open(&format!("{login}:feature"), "integration", &commit.message, "").unwrap();
    let tokens = commit.charts.iter().map(|chart| Token { chart: chart.clone(), message: commit.message.clone(), counts: true }).collect();
    world.counted.insert(number, Contribution { tokens });
    world.tell(format!("{login} opens #{number} from a fork: {}", commit.message));
    number
}

/// What a status of the head of a pull request says.
fn status(station: &Station, number: u64, context: &str) -> Option<String> {
    let pull = station.world.hub.pulls().into_iter().find(|pull| pull.number == number).unwrap();
    let answer = station.world.call(REVIEWER, Method::Get, &format!("/commits/{}/status", pull.head_sha), &Value::Null);
    let statuses = answer["statuses"].as_array().cloned().unwrap_or_default();
    statuses.iter().find(|status| status["context"] == context).map(|status| format!("{}: {}", status["state"], status["description"]).replace('"', ""))
}

/// Main's workflow files, and those alone, ran for everything that has happened.
fn nothing_of_theirs_ran(station: &Station) {
    let main = chartflow_core::domain::digest::CommitId::new(station.ran[0].workflow_commit.clone().unwrap()).unwrap();
    for ran in &station.ran {
        let commit = chartflow_core::domain::digest::CommitId::new(ran.workflow_commit.clone().unwrap()).unwrap();
        assert_eq!(station.world.subtree(&commit, ".github/workflows"), station.world.subtree(&main, ".github/workflows"), "{:?}", ran);
        assert_ne!(ran.event, "pull_request", "{:?}", ran);
    }
}

#[test]
fn a_pull_request_from_a_fork() {
    for identity in Identity::ALL {
        let mut station = Station::new(identity);
        let number = from_a_fork(&mut station, "mallory", 41, &value("app", "feat", "from_outside"));
        station.work();
        assert_eq!(status(&station, number, "chartflow/validate").as_deref(), Some("success: 1 chart checked"), "{}", station.world.told());
        // The same commit gets the same answer wherever it comes from, and a worse one what it deserves.
        let world = &mut station.world;
        let head = world.hub.pulls().into_iter().find(|pull| pull.number == number).unwrap().head_sha.to_string().parse().unwrap();
        let worse = world.commit(CONTRIBUTOR, &[head], &NewCommit::new("app", "no conventional commit").value("x: 1")).unwrap();
        world.hub.person("mallory").unwrap().push_to_fork("feature", worse.as_str()).unwrap();
        station.work();
        let said = status(&station, number, "chartflow/validate").unwrap();
        assert!(said.starts_with("failure: "), "{said}\n{}", station.world.told());
        let head = station.world.commit(CONTRIBUTOR, &[station.world.tip("integration").unwrap()], &value("app", "feat", "from_outside")).unwrap();
        station.world.hub.person("mallory").unwrap().push_to_fork("feature", head.as_str()).unwrap();
        station.settle();
        swept(&mut station);
        assert_eq!(station.world.check(Counting::ExactlyOnce), 1, "{}", station.world.told());
        assert_eq!(station.world.verify("app", "1.1.0"), Ok(8));
        nothing_of_theirs_ran(&station);
    }
}

#[test]
fn a_fork_brings_workflows_of_its_own() {
    let mut station = Station::new(Identity::App);
    let evil = "on: [pull_request, pull_request_target, push]\njobs: {}\n";
    let commit = value("app", "feat", "harmless")
        .at(".github/workflows/chartflow-validate.yml", move |_| Some(evil.to_owned()))
        .at(".github/workflows/theirs.yml", move |_| Some(evil.to_owned()));
    let number = from_a_fork(&mut station, "mallory", 41, &commit);
    station.work();
    let said = status(&station, number, "chartflow/validate").unwrap();
    assert_eq!(
        said,
        format!("failure: pull request {number} changes files outside the charts: .github/workflows/chartflow-validate.yml, .github/workflows/theirs.yml")
    );
    assert_eq!(station.ran.iter().map(|ran| (ran.stage, ran.event)).collect::<Vec<_>>(), [(StageName::Validate, "pull_request_target")]);
    nothing_of_theirs_ran(&station);
}

/// GitHub may give the runs of a Dependabot pull request a token that can only read, and no secrets. Such a run says so,
/// changes nothing, and the next schedule does what it could not.
#[test]
fn a_pull_request_whose_runs_may_only_read() {
    let mut station = Station::new(Identity::WorkflowToken);
    let number = station.world.contribute(&[value("app", "fix", "bumped")]);
    let reading: Permissions = station.permissions(StageName::Validate).into_keys().map(|permission| (permission, Access::Read)).collect();
    // Looking at a pull request lets GitHub try to merge it.
    let look = |station: &Station| station.world.call(REVIEWER, Method::Get, &format!("/pulls/{number}"), &Value::Null);
    look(&station);
    let before = station.world.fingerprint();
    let problem = station.work_with(&reading).unwrap_err();
    assert!(problem.contains("permissions:\n  ") && problem.contains(": write"), "{problem}");
    assert_eq!(station.world.fingerprint(), before, "nothing was changed");
    assert_eq!(status(&station, number, "chartflow/validate"), None);
    station.forget();
    swept(&mut station);
    swept(&mut station);
    assert_eq!(station.world.check(Counting::ExactlyOnce), 1, "{}", station.world.told());
    assert_eq!(station.world.verify("app", "1.0.1"), Ok(8));
}
