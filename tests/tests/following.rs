//! What one release says about another: a dependency's new version is followed, and a range begins where the one before
//! ended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_core::domain::chart::{Dependency, Metadata};
use chartflow_core::domain::lineage::{Ending, Questions, TagFact, questions};
use chartflow_core::domain::package::lock::Lock;
use chartflow_core::flow::lineage::{Refs, facts};
use chartflow_core::io::git::ready;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{Step, World};

/// Opens a pull request, has it checked, and merges it.
fn merged(world: &mut World, commits: &[NewCommit]) {
    let number = world.contribute(commits);
    world.stage(Step::Validate, None);
    assert_eq!(world.mergeable(), [number], "{}", world.told());
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
}

fn value(chart: &str, kind: &str, text: &str) -> NewCommit {
    NewCommit::new(chart, &format!("{kind}({chart}): {text}")).value(&format!("{}: 1", text.replace(' ', "_")))
}

/// The version of `base` that `web` wants on a branch, and the one that its Chart.lock has.
fn wanted(world: &World, branch: &str) -> (String, String) {
    let wanted = Metadata::read("Chart.yaml", world.read(branch, "charts/web/Chart.yaml").unwrap().as_bytes()).unwrap().dependencies;
    let lock = Lock::read("Chart.lock", world.read(branch, "charts/web/Chart.lock").unwrap().as_bytes()).unwrap().unwrap();
    let locked = lock.dependencies.unwrap();
    assert_eq!(lock.digest, Lock::digest_of(&wanted, &locked).unwrap(), "{}", world.told());
    (wanted[0].version.clone(), locked[0].version.clone())
}

/// `web` wants `base` in exactly this version, and has a Chart.lock that says so.
fn pinned(version: &'static str) -> NewCommit {
    let dependency = Dependency { name: "base".to_owned(), version: version.to_owned(), repository: "file://../base".to_owned(), ..Dependency::default() };
    let digest = Lock::digest_of(std::slice::from_ref(&dependency), std::slice::from_ref(&dependency)).unwrap();
    let lock = Lock { generated: "2026-01-01T00:00:00Z".to_owned(), digest, dependencies: Some(vec![dependency]) }.to_yaml();
    value("web", "feat", "pinned")
        .edit("Chart.yaml", move |old| Some(old?.replace("\">=0.1.0\"", &format!("\"{version}\""))))
        .edit("Chart.lock", move |_| Some(lock.clone()))
}

#[test]
fn the_bump_follows_a_dependency_and_the_way_back_carries_that_on() {
    let mut world = World::new(20);
    merged(&mut world, &[value("base", "feat", "x"), pinned("0.3.0")]);
    assert_eq!(wanted(&world, "integration"), ("0.3.0".to_owned(), "0.3.0".to_owned()));
    // Until the release of `web` is ready, which waits for that of `base`.
    let mut ready = None;
    for _ in 0..12 {
        world.round();
        ready = world.pull_from("integration-web").filter(|number| world.releasable().contains(number));
        if ready.is_some() {
            break;
        }
        world.release();
    }
    assert!(world.merge(ready.unwrap(), MergeMethod::Squash), "{}", world.told());
    assert_eq!(world.version("main", "base").as_deref(), Some("0.4.0"), "{}", world.told());
    assert_eq!(wanted(&world, "main"), ("0.4.0".to_owned(), "0.4.0".to_owned()), "{}", world.told());
    // Integration moves on before main is back, so the bump is replayed there.
    merged(&mut world, &[value("web", "fix", "later")]);
    world.stage(Step::Tag, None);
    world.stage(Step::Validate, None);
    assert!(world.read("integration", "charts/web/values.yaml").unwrap().contains("later"), "{}", world.told());
    assert_eq!(world.version("integration", "web").as_deref(), Some("4.1.0"), "{}", world.told());
    assert_eq!(wanted(&world, "integration"), ("0.4.0".to_owned(), "0.4.0".to_owned()), "{}", world.told());
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 3, "{}", world.told());
    assert_eq!(world.version("main", "web").as_deref(), Some("4.1.1"), "{}", world.told());
}

/// What the repository says about the lineage of one release of `app`.
fn asked(world: &World, version: &str) -> (Questions, chartflow_core::domain::lineage::RepositoryFacts) {
    let lineage = world.read("release", &format!("charts/app-{version}.lineage.jsonl")).unwrap();
    let questions = questions(lineage.as_bytes()).unwrap();
    let tag = |name: &str| world.objects.resolve(&format!("refs/tags/{name}")).unwrap();
    let refs = Refs {
        tag: Some(TagFact { object: None, commit: tag(questions.tag.as_str()) }),
        previous: questions.previous.as_ref().map(|name| tag(name.as_str())),
        main: world.tip("main"),
        release: world.tip("release"),
    };
    let facts = ready(facts(&*world.objects, &questions, &refs)).unwrap().unwrap();
    (questions, facts)
}

#[test]
fn a_range_begins_where_the_release_before_ended() {
    let mut world = World::new(21);
    merged(&mut world, &[value("app", "fix", "one")]);
    world.finish();
    let (first, facts) = asked(&world, "1.0.1");
    assert_eq!((&first.from, &facts.previous_end), (&None, &Ending::Unknown));
    merged(&mut world, &[value("app", "fix", "two")]);
    world.finish();
    let (second, facts) = asked(&world, "1.0.2");
    assert_eq!(facts.previous_end, Ending::At(first.source.clone()), "{}", world.told());
    assert_eq!((second.from, facts.from_is_contained), (Some(first.source), Some(true)), "{}", world.told());
    // What has no version is no release, but it was carried: the next range begins behind it.
    merged(&mut world, &[NewCommit::new("app", "feat(app): notes").edit("notes.ignored", |_| Some("words\n".to_owned()))]);
    world.finish();
    merged(&mut world, &[value("app", "fix", "three")]);
    world.finish();
    let (mut third, facts) = asked(&world, "1.0.3");
    assert_eq!(facts.previous_end, Ending::At(second.source.clone()), "{}", world.told());
    assert_ne!(third.from, Some(second.source), "{}", world.told());
    assert_eq!((facts.from_is_contained, facts.from_was_carried), (Some(true), Some(true)), "{}", world.told());
    // A range that begins at the contribution itself leaves its commit out.
    third.from = Some(third.source.clone());
    let previous = world.objects.resolve("refs/tags/app-v1.0.2").unwrap();
    let refs = Refs { previous: Some(previous), release: world.tip("release"), ..Refs::default() };
    let forged = ready(chartflow_core::flow::lineage::facts(&*world.objects, &third, &refs)).unwrap().unwrap();
    assert_eq!(forged.from_was_carried, Some(false), "{}", world.told());
}
