//! Every stage without each permission it declares: it says which, changes nothing that a run with it does not finish.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::event::{Permission, StageName, token_permissions};
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::identities::{Identity, Station};
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;

/// The stages of the train, and `reconcile`, which runs them all.
const STAGES: [StageName; 9] = StageName::ALL;

fn contribute(station: &mut Station, text: &str) {
    station.world.contribute(&[NewCommit::new("app", &format!("feat(app): {text}")).value(&format!("{text}: 1"))]);
}

/// A contribution whose train has come to a stage.
fn before(identity: Identity, stage: StageName) -> Station {
    let mut station = Station::new(identity);
    contribute(&mut station, "more");
    if stage == StageName::Reconcile {
        return left_to_reconcile(station);
    }
    station.work_until(stage);
    station
}

/// Nobody started what is due; the schedule comes round.
fn left_to_reconcile(mut station: Station) -> Station {
    station.listen();
    station.forget();
    station.schedule();
    station
}

/// The same where the stage needs a permission.
fn needing(identity: Identity, stage: StageName, permission: Permission) -> Station {
    match (stage, permission) {
        // A promotion that integration has overtaken turns main's check red.
        (StageName::Filter, Permission::Statuses) => overtaken(identity),
        // Statements about real bytes are the package's.
        (StageName::Reconcile, Permission::Attestations) => left_to_reconcile(before(identity, StageName::Package)),
        // The head with the version is the first that is judged.
        (StageName::Bump, Permission::Statuses) => {
            let mut station = before(identity, stage);
            let permissions = station.permissions(stage);
            station.work_with(&permissions).unwrap();
            station.work_until(stage);
            station
        }
        _ => before(identity, stage),
    }
}

fn overtaken(identity: Identity) -> Station {
    let mut station = before(identity, StageName::Format);
    station.work();
    contribute(&mut station, "overtaking");
    station.work();
    let overtaking = station.world.mergeable();
    assert!(station.world.merge(overtaking[0], MergeMethod::Merge), "{}", station.world.told());
    station.work_until(StageName::Filter);
    station
}

/// Whatever was stopped comes to its end.
fn finished(mut station: Station, told: &str) {
    station.settle();
    station.schedule();
    station.settle();
    assert_eq!(station.world.check(Counting::ExactlyOnce), 1, "{told}");
    assert_eq!(station.world.verify("app", "1.1.0"), Ok(8), "{told}");
}

#[test]
fn a_permission_that_the_workflow_does_not_give_is_named() {
    let mut unneeded = Vec::new();
    for stage in STAGES {
        for (permission, access) in token_permissions(stage) {
            let mut station = needing(Identity::WorkflowToken, stage, permission);
            let mut permissions = station.permissions(stage);
            permissions.remove(&permission);
            let case = format!("{stage} without {}", permission.workflow_key());
            let Err(problem) = station.work_with(&permissions) else {
                unneeded.push(format!("{case}\n{}", station.world.told()));
                continue;
            };
            let lines = format!("\nadd to the workflow's job:\npermissions:\n  {}: {}", permission.workflow_key(), access.as_str());
            assert!(problem.ends_with(&lines), "{case}: {problem}");
            assert!(problem.starts_with(&format!("the token lacks {}: {} (", permission.api_key(), access.as_str())), "{case}: {problem}");
            finished(station, &case);
        }
    }
    assert_eq!(unneeded, [""; 0], "declared and not needed");
}

#[test]
fn a_permission_that_the_app_was_not_given_is_named() {
    for stage in STAGES {
        for (permission, access) in token_permissions(stage) {
            let mut station = before(Identity::App, stage);
            let all = chartflow_core::domain::event::app_permissions();
            let mut less = all.clone();
            less.remove(&permission);
            station.install(&less);
            let requests = station.world.hub.calls();
            let case = format!("{stage} without {}", permission.api_key());
            let problem = station.work_with(&station.permissions(stage)).unwrap_err();
            let expected = format!("App chartflow lacks {}: {} on acme/charts: set {} to ", permission.api_key(), access.as_str(), permission.setting());
            assert!(problem.starts_with(&expected), "{case}: {problem}");
            assert_eq!(station.world.hub.calls() - requests, 2, "{case}: nothing but the App was asked about");
            station.install(&all);
            finished(station, &case);
        }
    }
}

/// Workflow files are moved by stages that move branches, and the App's token may.
#[test]
fn main_s_workflow_files_change_under_way() {
    for identity in [Identity::App, Identity::WorkflowToken] {
        let mut station = before(identity, StageName::Format);
        let edit = |old: Option<&str>| Some(format!("{}# mended\n", old.unwrap()));
        let path = StageName::Validate.workflow_path();
        let commit = NewCommit { charts: Vec::new(), ..NewCommit::new("app", "ci: mended").at(path, edit) };
        station.world.hotfix(&commit);
        station.settle();
        assert_eq!(station.world.verify("app", "1.1.0"), Ok(8), "{identity:?}\n{}", station.world.told());
        // The workflow token may not move them, so integration keeps its own until a person brings main's.
        let same = station.world.read("integration", path) == station.world.read("main", path);
        assert_eq!(same, identity == Identity::App, "{}", station.world.told());
    }
    assert!(chartflow_core::domain::event::installation_permissions(StageName::Tag).contains_key(&Permission::Workflows));
}
