//! What the descriptions of pull requests say when all is done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::pull::AttestationMap;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::people::NewCommit;
use chartflow_tests::world::{Step, World};

/// Brings a contribution through the whole train.
fn released(world: &mut World, commits: &[NewCommit]) {
    let number = world.contribute(commits);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Squash), "{}", world.told());
    world.finish();
}

/// The bodies of the merged pull requests whose heads begin so.
fn merged(world: &World, head: &str) -> Vec<String> {
    let pulls = world.hub.pulls().into_iter().filter(|pull| pull.merged.is_some() && pull.head.starts_with(head));
    pulls.map(|pull| pull.body.unwrap_or_default()).collect()
}

/// The lines of the checklists that have no tick.
fn unticked(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("- [ ]")).collect()
}

#[test]
fn no_merged_pull_request_awaits_what_is_signed() {
    let mut world = World::new(601);
    let value = |chart: &str, kind: &str| NewCommit::new(chart, &format!("{kind}({chart}): more")).value("more: 1");
    // Two charts, one of them needed by a third; a content that is not packaged; a removal.
    released(&mut world, &[value("app", "feat"), value("base", "feat")]);
    released(&mut world, &[NewCommit::new("cron", "docs(cron): notes").edit("notes.ignored", |_| Some("x\n".to_owned()))]);
    let gone = ["Chart.yaml", "values.yaml", "templates/deployment.yaml", "CHANGELOG.md", ".helmignore"];
    released(&mut world, &[gone.iter().fold(NewCommit::new("lib", "feat(lib)!: gone"), |commit, file| commit.edit(file, |_| None))]);
    for (head, expected) in
        [("feature-", 3), ("chartflow-promote-", 4), ("chartflow-bump-", 2), ("integration-", 4), ("chartflow-back", 1), ("chartflow-release-", 2)]
    {
        let bodies = merged(&world, head);
        assert!(bodies.len() >= expected, "{head}: {} {}", bodies.len(), world.told());
        for body in bodies {
            assert_eq!(unticked(&body), [""; 0], "{head}: {body}");
        }
    }
    for body in merged(&world, "chartflow-promote-") {
        let map = AttestationMap::read(&body).unwrap().unwrap();
        assert!(map.get("enforce/gate").is_some(), "{body}");
    }
}
