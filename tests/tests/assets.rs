//! `packages: assets`: packages and lineages are files of the GitHub Releases, and release holds the index alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::index::Index;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{Step, World};

/// More changes than any stage makes for one chart.
const CHANGES: u32 = 40;

fn merged(world: &mut World, chart: &str, text: &str) {
    let number = world.contribute(&[NewCommit::new(chart, &format!("feat({chart}): {text}")).value(&format!("{text}: 1"))]);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Squash), "{}", world.told());
}

/// A world whose next stage is `package`.
fn tagged(seed: u64) -> World {
    let mut world = World::configured(seed, &format!("{CONFIGURATION}packages: assets\n"));
    merged(&mut world, "app", "x");
    for step in [Step::Filter, Step::Enforce, Step::Format, Step::Bump, Step::Enforce, Step::Format, Step::Bump] {
        world.stage(step, None);
    }
    assert_eq!(world.release(), 1, "{}", world.told());
    world.stage(Step::Tag, None);
    world
}

/// Everything that the served index names can be downloaded, and is what the index says.
fn whole(world: &World) {
    let index = Index::parse(world.read("release", "index.yaml").unwrap().as_bytes()).unwrap();
    for (chart, entry) in index.entries.iter().flat_map(|(chart, entries)| entries.iter().map(move |entry| (chart, entry))) {
        for url in entry.urls.iter().flatten() {
            let path = url.strip_prefix("https://github.com").unwrap_or_else(|| panic!("{chart}: {url}"));
            let bytes = world.hub.download(path).unwrap_or_else(|| panic!("{url} cannot be downloaded\n{}", world.told()));
            assert_eq!(chartflow_core::domain::digest::Sha256::of(&bytes).to_string(), entry.digest, "{url}");
        }
    }
}

#[test]
fn release_holds_the_index_alone() {
    let mut world = tagged(201);
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 1, "{}", world.told());
    assert_eq!(world.files(&world.tip("release").unwrap(), ""), ["index.yaml"], "{}", world.told());
    whole(&world);
    // The next release names the root of this one, which is read from its release.
    merged(&mut world, "app", "y");
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 2, "{}", world.told());
    let lineage = String::from_utf8(world.served("app", "1.2.0", ".lineage.jsonl").unwrap()).unwrap();
    assert!(world.verify("app", "1.2.0").is_ok(), "{lineage}");
}

#[test]
fn a_stop_after_any_effect_is_made_good_and_the_index_names_nothing_that_is_missing() {
    let mut stopped = 0;
    for changes in 1..CHANGES {
        let mut world = tagged(202);
        let through = world.stage(Step::Package, Some(changes)).is_some();
        whole(&world);
        world.stage(Step::Publish, Some(changes));
        whole(&world);
        world.finish();
        assert_eq!(world.check(Counting::ExactlyOnce), 1, "stopped after {changes}\n{}", world.told());
        whole(&world);
        if through {
            break;
        }
        stopped += 1;
    }
    assert!(stopped > 8 && stopped < CHANGES - 1, "{stopped}");
}

#[test]
fn a_release_that_holds_something_else_is_not_named() {
    let mut world = tagged(203);
    // Somebody publishes a release of that tag first.
    let body = serde_json::json!({"tag_name": "app-v1.1.0", "name": "mine"});
    world.call(chartflow_tests::world::REVIEWER, chartflow_core::port::transport::Method::Post, "/releases", &body);
    let report = world.stage(Step::Package, None).unwrap();
    let rules: Vec<_> = report.entries.iter().filter_map(|entry| entry.rule.clone()).collect();
    assert_eq!(rules, ["publish/not-what-was-published"], "{}", world.told());
    assert!(!world.read("release", "index.yaml").unwrap().contains("1.1.0"), "{}", world.told());
}
