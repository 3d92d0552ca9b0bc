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

/// Where `web` declares and locks its dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// In Chart.yaml and Chart.lock, as charts of apiVersion v2 do.
    Chart,
    /// In requirements.yaml and requirements.lock, as those of v1 do.
    Requirements,
}

impl Layout {
    const fn files(self) -> (&'static str, &'static str) {
        match self {
            Self::Chart => ("Chart.yaml", "Chart.lock"),
            Self::Requirements => ("requirements.yaml", "requirements.lock"),
        }
    }

    /// The version of `base` that `web` wants on a branch, and the one that its lock has.
    fn wanted(self, world: &World, branch: &str) -> (String, String) {
        let (declaring, locking) = self.files();
        let read = |name: &str| world.read(branch, &format!("charts/web/{name}")).unwrap();
        let declared = read(declaring);
        let requirements = Some((declaring, declared.as_bytes())).filter(|_| self == Self::Requirements);
        let wanted = Metadata::read_with_requirements("Chart.yaml", read("Chart.yaml").as_bytes(), requirements).unwrap().dependencies;
        let lock = Lock::read(locking, read(locking).as_bytes()).unwrap().unwrap();
        let locked = lock.dependencies.unwrap();
        assert_eq!(lock.digest, Lock::digest_of(&wanted, &locked).unwrap(), "{}", world.told());
        (wanted[0].version.clone(), locked[0].version.clone())
    }

    /// `web` wants `base` so, and has a lock with the version that `base` had at first.
    fn pinned(self, constraint: &'static str) -> NewCommit {
        let dependency = |version: &str| Dependency {
            name: "base".to_owned(),
            version: version.to_owned(),
            repository: "file://../base".to_owned(),
            ..Dependency::default()
        };
        let (wanted, locked) = (Dependency { alias: "bee".to_owned(), ..dependency(constraint) }, dependency("0.3.0"));
        let digest = Lock::digest_of(std::slice::from_ref(&wanted), std::slice::from_ref(&locked)).unwrap();
        let lock = Lock { generated: "2026-01-01T00:00:00Z".to_owned(), digest, dependencies: Some(vec![locked]) }.to_yaml();
        let declared = format!("dependencies:\n  - name: base\n    alias: bee\n    version: \"{constraint}\"\n    repository: file://../base\n");
        let (declaring, locking) = self.files();
        let described = move |old: Option<&str>| old?.split_once("dependencies:").map(|(before, _)| before.to_owned());
        let commit = NewCommit::adding("web", "feat", "pinned");
        let commit = match self {
            Self::Chart => commit.edit("Chart.yaml", move |old| Some(format!("{}{declared}", described(old)?))),
            Self::Requirements => commit
                .edit("Chart.yaml", move |old| Some(described(old)?.replace("apiVersion: v2", "apiVersion: v1")))
                .edit(declaring, move |_| Some(declared.clone())),
        };
        commit.edit(locking, move |_| Some(lock.clone()))
    }
}

/// `base` is released as 0.4.0 before `web`, which wanted it otherwise or had another one locked.
fn check(seed: u64, layout: Layout, constraint: &'static str, expected: &str) {
    let mut world = World::new(seed);
    let expected = (expected.to_owned(), "0.4.0".to_owned());
    world.merged(&[NewCommit::adding("base", "feat", "x"), layout.pinned(constraint)], MergeMethod::Merge);
    assert_eq!(layout.wanted(&world, "integration"), (constraint.to_owned(), "0.3.0".to_owned()));
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
    assert_eq!(layout.wanted(&world, "main"), expected, "{}", world.told());
    // Integration moves on before main is back, so the bump is replayed there.
    world.merged(&[NewCommit::adding("web", "fix", "later")], MergeMethod::Merge);
    world.stage(Step::Tag, None);
    world.stage(Step::Validate, None);
    assert!(world.read("integration", "charts/web/values.yaml").unwrap().contains("later"), "{}", world.told());
    assert_eq!(world.version("integration", "web").as_deref(), Some("4.1.0"), "{}", world.told());
    assert_eq!(layout.wanted(&world, "integration"), expected, "{}", world.told());
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 3, "{}", world.told());
    assert_eq!(world.version("main", "web").as_deref(), Some("4.1.1"), "{}", world.told());
}

#[test]
fn the_bump_follows_a_dependency_and_the_way_back_carries_that_on() {
    check(20, Layout::Chart, "0.3.0", "0.4.0");
}

#[test]
fn the_bump_follows_a_dependency_of_requirements_yaml() {
    check(22, Layout::Requirements, "~0.3.0", "0.4.0");
}

#[test]
fn a_lock_follows_where_the_constraint_stays() {
    check(23, Layout::Chart, ">=0.1.0", ">=0.1.0");
    check(24, Layout::Requirements, ">=0.1.0", ">=0.1.0");
}

#[test]
fn what_requirements_yaml_declares_is_verified_in_either_form_and_at_any_depth() {
    let mut world = World::new(25);
    let cron = "dependencies:\n  - name: cron\n    version: \">=2.0.0\"\n    repository: file://../cron\n";
    let base = NewCommit::adding("base", "feat", "first form")
        .edit("Chart.yaml", |old| Some(old?.replace("apiVersion: v2", "apiVersion: v1")))
        .edit("requirements.yaml", |_| Some(cron.to_owned()));
    let web = NewCommit::adding("web", "feat", "moved list")
        .edit("Chart.yaml", |old| old?.split_once("dependencies:").map(|(before, _)| before.to_owned()))
        .edit("requirements.yaml", |_| Some("dependencies:\n  - name: base\n    version: 0.3.0\n    repository: file://../base\n".to_owned()));
    world.merged(&[base, web], MergeMethod::Merge);
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 2, "{}", world.told());
    assert!(world.read("main", "charts/web/requirements.yaml").unwrap().contains("version: 0.4.0"), "{}", world.told());
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
    world.merged(&[NewCommit::adding("app", "fix", "one")], MergeMethod::Merge);
    world.finish();
    let (first, facts) = asked(&world, "1.0.1");
    assert_eq!((&first.from, &facts.previous_end), (&None, &Ending::Unknown));
    world.merged(&[NewCommit::adding("app", "fix", "two")], MergeMethod::Merge);
    world.finish();
    let (second, facts) = asked(&world, "1.0.2");
    assert_eq!(facts.previous_end, Ending::At(first.source.clone()), "{}", world.told());
    assert_eq!((second.from, facts.from_is_contained), (Some(first.source), Some(true)), "{}", world.told());
    // What has no version is no release, but it was carried: the next range begins behind it.
    world.merged(&[NewCommit::new("app", "feat(app): notes").edit("notes.ignored", |_| Some("words\n".to_owned()))], MergeMethod::Merge);
    world.finish();
    world.merged(&[NewCommit::adding("app", "fix", "three")], MergeMethod::Merge);
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
