//! A whole train on an Enterprise Server, which lacks attestations, asynchronous merges and immutable releases, and where
//! `pull_request_target` runs the base branch's workflow file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::event::{Permission, StageName};
use chartflow_tests::identities::{Identity, Station};
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;

fn check(identity: Identity) -> Station {
    let mut station = Station::on_enterprise_server(identity);
    station.world.contribute(&[NewCommit::new("app", "feat(app): more").value("more: 1")]);
    station.settle();
    // The release branch has no workflow files, so that nothing starts by a pull request to it: the schedule finds it.
    station.schedule();
    station.settle();
    assert_eq!(station.world.check(Counting::ExactlyOnce), 1, "{}", station.world.told());
    assert_eq!(station.world.verify("app", "1.1.0"), Ok(8), "{}", station.world.told());
    for (label, count) in station.world.hub.counts() {
        for absent in ["pulls/merge-async", "repos/create-attestation", "repos/check-immutable-releases"] {
            assert!(!count.operations.contains_key(absent), "{label}: {absent}");
        }
    }
    station
}

#[test]
fn as_an_app() {
    let station = check(Identity::App);
    let publish = station.ran.iter().filter(|ran| ran.stage == StageName::Publish).count();
    assert_eq!(publish, 0, "its workflow file is not on the release branch; reconcile did its work");
}

#[test]
fn with_the_workflow_token_alone() {
    let station = check(Identity::WorkflowToken);
    let publish: Vec<&str> = station.ran.iter().filter(|ran| ran.stage == StageName::Publish).map(|ran| ran.event).collect();
    assert_eq!(publish, ["repository_dispatch"], "dispatches run the default branch's file everywhere");
}

#[test]
fn with_a_token_given_by_hand() {
    check(Identity::PersonalToken);
}

/// It does not name the permissions that would have done, so they are known by the call.
#[test]
fn a_missing_permission_is_named() {
    let mut station = Station::on_enterprise_server(Identity::WorkflowToken);
    station.world.contribute(&[NewCommit::new("app", "feat(app): more").value("more: 1")]);
    station.work_until(StageName::Validate);
    let mut permissions = station.permissions(StageName::Validate);
    permissions.remove(&Permission::Statuses);
    let problem = station.work_with(&permissions).unwrap_err();
    assert!(problem.ends_with("\nadd to the workflow's job:\npermissions:\n  statuses: write"), "{problem}");
}
