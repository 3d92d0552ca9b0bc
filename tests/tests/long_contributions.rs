//! Contributions of more commits than GitHub lists for a pull request: 250.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::sync::Arc;

use chartflow_core::domain::statement::Predicate;
use chartflow_core::flow::filter;
use chartflow_core::port::github::GitHubObjects;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::brakes::Brakes;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{Step, World, block_on};

/// More than GitHub lists, with what decides the version among the last.
const COMMITS: usize = 258;
const DECISIVE: usize = 255;

fn value(kind: &str, number: usize) -> NewCommit {
    NewCommit::new("app", &format!("{kind}(app): n{number}")).value(&format!("n{number}: 1"))
}

/// A world in which the contribution was merged, the pull request's number with it.
fn merged(seed: u64, method: MergeMethod) -> (World, u64) {
    let mut world = World::new(seed);
    let commits: Vec<NewCommit> = (0..COMMITS).map(|number| value(if number == DECISIVE { "feat" } else { "fix" }, number)).collect();
    let number = world.contribute(&commits);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, method), "{}", world.told());
    (world, number)
}

#[test]
fn a_squash_of_many_commits_counts_them_all() {
    for method in [MergeMethod::Squash, MergeMethod::Rebase] {
        let (mut world, _) = merged(101, method);
        world.finish();
        assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{method:?} {}", world.told());
        assert_eq!(world.check(Counting::AtMostOnce), 1, "{method:?} {}", world.told());
        // A statement lists as many as it has room for, and says how many more there are.
        let listed = world.statements().into_iter().find_map(|line| match line.statement.predicate {
            Predicate::Promotion(promotion) => Some(promotion.commits.len() as u64 + promotion.omitted.map_or(0, |omitted| omitted.count)),
            _ => None,
        });
        assert_eq!(listed, Some(COMMITS as u64), "{method:?}");
    }
}

#[test]
fn what_no_clone_holds_is_read_in_pages() {
    let (world, _) = merged(102, MergeMethod::Squash);
    let mut train = world.train(&Brakes::none());
    train.objects = Arc::new(GitHubObjects::new(train.github.clone()));
    let report = block_on(filter::run(&train)).unwrap();
    assert_eq!(report.entries.len(), 1, "{report:?}");
    assert!(world.pull_from("chartflow-promote-app").is_some(), "{report:?}");
}
