//! A check that runs outside chartflow enters the lineage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::collections::BTreeMap;

use chartflow_core::domain::digest::Sha256;
use chartflow_core::domain::ruleset::Tiers;
use chartflow_core::domain::statement::{CheckResult, Row};
use chartflow_core::flow::attest::{self, Request};
use chartflow_core::flow::{Outcome, Report};
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::brakes::Brakes;
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{Step, World, block_on};

fn world(seed: u64) -> World {
    World::configured(seed, &format!("{CONFIGURATION}  outside:\n    scan: {{workflow: .github/workflows/scan.yml}}\n"))
}

/// A contribution to `app` that is merged into integration.
fn merged(world: &mut World) {
    let number = world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
}

fn attest(world: &World, check: &str, path: &str, result: CheckResult) -> Report {
    attest_at(world, check, path, result, "integration", None)
}

fn attest_at(world: &World, check: &str, path: &str, result: CheckResult, branch: &str, pull: Option<u64>) -> Report {
    let request = Request {
        check: check.to_owned(),
        result,
        path: path.parse().unwrap(),
        commit: world.tip(branch).unwrap(),
        definitions: BTreeMap::from([("scan".to_owned(), Sha256::of(b"scanner 1.0, rules 7"))]),
        pull,
    };
    let train = world.train(&Brakes::none());
    block_on(attest::run(&train, &request)).unwrap()
}

fn outcome(report: &Report) -> (Outcome, &str) {
    let entry = &report.entries[0];
    (entry.outcome, entry.rule.as_deref().unwrap_or_default())
}

#[test]
fn filter_waits_for_an_outside_check_and_the_lineage_holds_it() {
    let mut world = world(31);
    merged(&mut world);
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_none(), "{}", world.told());

    let failed = attest(&world, "scan", "charts/app", CheckResult::Failed);
    assert_eq!(outcome(&failed), (Outcome::Done, ""), "{failed:?}");
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_none(), "{}", world.told());

    for expected in [Outcome::Done, Outcome::Nothing] {
        let passed = attest(&world, "scan", "charts/app", CheckResult::Passed);
        assert_eq!(outcome(&passed), (expected, ""), "{passed:?}");
    }
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_some(), "{}", world.told());
    world.finish();
    // The world's policy demands the check: what was published was verified with it, as a stranger would.
    assert_eq!(world.check(Counting::ExactlyOnce), 1, "{}", world.told());
    let lineage = world.read("release", "charts/app-1.1.0.lineage.jsonl").unwrap();
    let train = world.train(&Brakes::none());
    let rows = lineage.lines().filter(|line| train.read_line(line).and_then(|line| line.row()) == Some(Row::OutsideCheck));
    assert_eq!(rows.count(), 1, "{lineage}");
}

#[test]
fn a_contribution_shows_an_outside_check_that_came_later() {
    let mut world = world(35);
    let number = world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let line = |world: &World| {
        let pull = world.hub.pulls().into_iter().find(|pull| pull.number == number).unwrap();
        let body = pull.body.unwrap_or_default();
        (pull.head, body.lines().find(|line| line.contains("validate/scan")).unwrap().split(" · ").next().unwrap().to_owned())
    };
    world.stage(Step::Validate, None);
    let (head, before) = line(&world);
    assert_eq!(before, "- [ ] validate/scan awaited");
    let tiers = Tiers::from(&world.names);
    let _ = world.hub.take_events(&tiers);
    attest_at(&world, "scan", "charts/app", CheckResult::Failed, &head, Some(number));
    let started = |world: &World| {
        let runs = world.hub.take_events(&tiers).into_iter().flat_map(|event| event.runs);
        runs.filter_map(|run| run.stage).map(|start| (start.stage, start.pull)).collect::<Vec<_>>()
    };
    assert_eq!(started(&world), [(Step::Validate, Some(number))]);
    world.stage(Step::Validate, None);
    assert_eq!(line(&world).1, "- [ ] validate/scan **failed**");
    attest_at(&world, "scan", "charts/app", CheckResult::Passed, &head, Some(number));
    assert_eq!(started(&world), [(Step::Validate, Some(number)), (Step::Filter, None)]);
    world.stage(Step::Validate, None);
    assert_eq!(line(&world).1, "- [x] validate/scan passed");
}

#[test]
fn the_newest_word_of_a_check_counts() {
    let mut world = world(32);
    merged(&mut world);
    for result in [CheckResult::Passed, CheckResult::Failed] {
        attest(&world, "scan", "charts/app", result);
    }
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_none(), "{}", world.told());
    attest(&world, "scan", "charts/app", CheckResult::Passed);
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_some(), "{}", world.told());
}

#[test]
fn what_cannot_be_attested_is_refused() {
    let mut world = world(33);
    merged(&mut world);
    let before = world.reference("refs/chartflow/attestations");
    assert_eq!(outcome(&attest(&world, "scam", "charts/app", CheckResult::Passed)), (Outcome::Refused, "attest/unknown-check"));
    assert_eq!(outcome(&attest(&world, "scan", "charts/none", CheckResult::Passed)), (Outcome::Refused, "attest/no-chart"));
    assert_eq!(outcome(&attest(&world, "scan", "charts", CheckResult::Passed)), (Outcome::Refused, "attest/no-chart"));
    assert_eq!(world.reference("refs/chartflow/attestations"), before);
}
