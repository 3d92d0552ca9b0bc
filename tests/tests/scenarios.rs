//! The train on one situation at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::people::{NewCommit, set};
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{Step, World};

/// Opens a pull request, has it checked, and merges it.
fn release(world: &mut World, expected: usize) {
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), expected, "{}", world.told());
}

#[test]
fn one_contribution_by_hand() {
    let mut world = World::new(0);
    let number = world.contribute(&[NewCommit::adding("app", "feat", "more values")]);
    world.stage(Step::Validate, None);
    assert_eq!(world.mergeable(), [number], "{}", world.told());
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-app").is_some(), "{}", world.told());
    world.stage(Step::Enforce, None);
    assert_eq!(world.version("integration-app", "app").as_deref(), Some("1.0.0"), "{}", world.told());
    world.stage(Step::Format, None);
    assert!(world.pull_from("integration-app").is_some(), "{}", world.told());
    world.stage(Step::Bump, None);
    world.stage(Step::Enforce, None);
    assert_eq!(world.version("integration-app", "app").as_deref(), Some("1.1.0"), "{}", world.told());
    world.stage(Step::Format, None);
    world.stage(Step::Bump, None);
    assert_eq!(world.release(), 1, "{}", world.told());
    world.stage(Step::Tag, None);
    assert!(world.hub.reference("refs/tags/app-v1.1.0").is_some(), "{}", world.told());
    world.stage(Step::Validate, None);
    assert_eq!(world.version("integration", "app").as_deref(), Some("1.1.0"), "{}", world.told());
    release(&mut world, 1);
}

#[test]
fn two_charts_in_a_pull_request_and_every_merge_method() {
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let mut world = World::new(1);
        world.merged(&[NewCommit::adding("app", "feat", "x"), NewCommit::adding("cron", "fix", "y")], method);
        release(&mut world, 2);
        assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{method:?} {}", world.told());
        assert_eq!(world.version("main", "cron").as_deref(), Some("2.1.1"), "{method:?} {}", world.told());
        assert!(world.read("main", "charts/cron/Chart.yaml").unwrap().contains("y"), "{method:?} {}", world.told());
    }
}

#[test]
fn app_version_stands_beside_the_version() {
    let mut world = World::new(2);
    for n in 2..5 {
        let commit = NewCommit::new("app", &format!("fix(app): app {n}")).edit("Chart.yaml", set("appVersion", &format!("\"{n}\"")));
        world.merged(&[commit], MergeMethod::Squash);
        // The next one is merged while the release of this one is on its way.
        world.round();
        world.round();
        world.merged(&[NewCommit::adding("app", "feat", &format!("n{n}"))], MergeMethod::Merge);
    }
    world.finish();
    assert!(world.check(Counting::ExactlyOnce) >= 1);
}

#[test]
fn a_revert_while_the_release_is_under_way() {
    let mut world = World::new(3);
    world.merged(&[NewCommit::adding("app", "feat", "x")], MergeMethod::Merge);
    world.round();
    world.round();
    assert_eq!(world.releasable().len(), 1, "{}", world.told());
    let back = NewCommit::new("app", "Revert \"feat(app): x\"").edit("values.yaml", |old| old?.split_once('\n').map(|(_, rest)| rest.to_owned()));
    world.merged(&[back], MergeMethod::Merge);
    world.stage(Step::Filter, None);
    assert!(world.releasable().is_empty(), "{}", world.told());
    world.finish();
    assert_eq!(world.check(Counting::AtMostOnce), 0, "{}", world.told());
}

#[test]
fn the_same_chart_again_before_and_after_the_bump() {
    let mut world = World::new(4);
    world.merged(&[NewCommit::adding("app", "feat", "one")], MergeMethod::Merge);
    world.stage(Step::Filter, None);
    world.stage(Step::Enforce, None);
    world.merged(&[NewCommit::adding("app", "fix", "two")], MergeMethod::Merge);
    world.round();
    world.round();
    world.merged(&[NewCommit::adding("app", "fix", "three")], MergeMethod::Squash);
    release(&mut world, 1);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{}", world.told());
}

#[test]
fn merged_on_integration_while_main_is_not_back() {
    let mut world = World::new(5);
    world.merged(&[NewCommit::adding("app", "feat", "one")], MergeMethod::Merge);
    world.round();
    world.round();
    assert_eq!(world.release(), 1, "{}", world.told());
    world.merged(&[NewCommit::adding("app", "fix", "two")], MergeMethod::Merge);
    release(&mut world, 2);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.1"), "{}", world.told());
    let log = world.read("main", "charts/app/CHANGELOG.md").unwrap();
    assert_eq!(log.matches("two").count() + log.matches("one").count(), 2, "{log}");
}

#[test]
fn a_hand_raised_version_wins_when_it_is_higher() {
    let mut world = World::new(6);
    let raised = NewCommit::new("app", "fix(app): raise").edit("Chart.yaml", set("version", "1.5.0"));
    world.merged(&[raised, NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
    release(&mut world, 1);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.5.0"), "{}", world.told());
}

#[test]
fn what_changes_no_package_has_no_version() {
    let mut world = World::new(7);
    let ignored = NewCommit::new("app", "feat(app): notes").edit("notes.ignored", |_| Some("words\n".to_owned()));
    world.merged(&[ignored], MergeMethod::Merge);
    release(&mut world, 0);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.0.0"), "{}", world.told());
    assert_eq!(world.read("main", "charts/app/notes.ignored").as_deref(), Some("words\n"), "{}", world.told());
    world.merged(&[NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
    release(&mut world, 1);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.0.1"), "{}", world.told());
}

#[test]
fn a_dependent_waits_for_its_dependency() {
    let mut world = World::new(8);
    world.merged(&[NewCommit::adding("base", "feat", "x"), NewCommit::adding("web", "feat", "y")], MergeMethod::Merge);
    world.stage(Step::Filter, None);
    assert!(world.pull_from("chartflow-promote-base").is_some() && world.pull_from("chartflow-promote-web").is_none(), "{}", world.told());
    release(&mut world, 2);
}

#[test]
fn a_new_chart_keeps_its_version() {
    let mut world = World::new(9);
    let mut commit = NewCommit::new("fresh", "feat(fresh): a new chart");
    for (path, text) in chartflow_tests::charts::chart("fresh", "0.4.2", "") {
        commit = commit.at(&path, move |_| Some(text.clone()));
    }
    world.merged(&[commit], MergeMethod::Squash);
    release(&mut world, 1);
    assert_eq!(world.version("main", "fresh").as_deref(), Some("0.4.2"), "{}", world.told());
}

#[test]
fn a_chart_is_removed_and_comes_again() {
    let mut world = World::new(10);
    world.merged(&[NewCommit::adding("cron", "feat", "x")], MergeMethod::Merge);
    release(&mut world, 1);
    world.merged(&[removal("cron")], MergeMethod::Merge);
    world.finish();
    assert!(!world.has("main", "cron"), "{}", world.told());
    let mut again = NewCommit::new("cron", "feat(cron): here it is again");
    for (path, text) in chartflow_tests::charts::chart("cron", "1.0.0", "") {
        again = again.at(&path, move |_| Some(text.clone()));
    }
    world.merged(&[again], MergeMethod::Merge);
    world.finish();
    assert_eq!(world.version("main", "cron").as_deref(), Some("2.3.0"), "{}", world.told());
}

#[test]
fn a_hotfix_on_main_comes_back_and_is_never_tagged() {
    let mut world = World::new(11);
    world.hotfix(&NewCommit::adding("app", "fix", "hot"));
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 0, "{}", world.told());
    assert!(world.read("integration", "charts/app/values.yaml").unwrap().contains("hot"), "{}", world.told());
    world.merged(&[NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
    release(&mut world, 1);
    assert!(world.read("main", "charts/app/values.yaml").unwrap().contains("hot"), "{}", world.told());
    assert_eq!(world.version("main", "app").as_deref(), Some("1.0.1"), "{}", world.told());
}

#[test]
fn files_outside_charts_go_to_main_directly() {
    let mut world = World::new(12);
    let words = |text: &'static str| NewCommit::new("x", "docs: words").at("README.md", move |_| Some(text.to_owned()));
    let main = world.tip("main").unwrap();
    let number = world.offer("main", &main, &[words("more words\n")]).unwrap();
    world.stage(Step::Bump, None);
    assert_eq!(world.releasable(), [number], "{}", world.told());
    assert!(world.merge(number, MergeMethod::Squash));
    release(&mut world, 0);
    let mixed = world.contribute(&[NewCommit::adding("app", "fix", "x"), words("and more\n")]);
    let report = world.stage(Step::Validate, None).unwrap();
    assert!(report.entries.iter().any(|entry| entry.rule.as_deref() == Some("layout/outside")), "{}", world.told());
    assert!(world.mergeable().is_empty(), "{}", world.told());
    world.give_up(mixed);
    let main = world.tip("main").unwrap();
    let wrong = world.offer("main", &main, &[NewCommit::adding("app", "fix", "z")]).unwrap();
    let report = world.stage(Step::Bump, None).unwrap();
    assert!(report.entries.iter().any(|entry| entry.rule.as_deref() == Some("flow/chart-on-main")), "{}", world.told());
    world.give_up(wrong);
}

#[test]
fn the_hold_label_keeps_a_release_as_it_is() {
    let mut world = World::new(13);
    world.merged(&[NewCommit::adding("app", "feat", "one")], MergeMethod::Merge);
    world.round();
    world.round();
    let number = world.pull_from("integration-app").unwrap();
    world.hub.person(chartflow_tests::world::REVIEWER).unwrap().label(number, "hold").unwrap();
    world.merged(&[NewCommit::adding("app", "fix", "two")], MergeMethod::Merge);
    world.round();
    world.round();
    assert!(world.merge(number, MergeMethod::Squash), "{}", world.told());
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{}", world.told());
    assert!(!world.read("main", "charts/app/values.yaml").unwrap().contains("two"), "{}", world.told());
    release(&mut world, 2);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.1"), "{}", world.told());
}

#[test]
fn a_chart_moves_to_another_directory() {
    let mut world = World::new(14);
    world.merged(&[NewCommit::adding("cron", "feat", "x")], MergeMethod::Merge);
    world.round();
    let integration = world.tip("integration").unwrap();
    let mut moved = NewCommit::new("cron", "fix(cron): move it").uncounted();
    for (path, _) in chartflow_tests::charts::chart("cron", "1.0.0", "") {
        let text = world.file(&integration, &path);
        moved = moved.at(&path.replace("charts/", "more/"), move |_| text.clone()).at(&path, |_| None);
    }
    world.merged(&[moved], MergeMethod::Squash);
    release(&mut world, 1);
    assert_eq!(world.version("main", "cron").as_deref(), Some("2.2.0"), "{}", world.told());
    world.merged(&[NewCommit::new("cron", "fix(cron): y").at("more/cron/values.yaml", |old| Some(format!("y: 1\n{}", old?)))], MergeMethod::Merge);
    release(&mut world, 2);
}

#[test]
fn a_hotfix_beside_other_work_waits_for_a_person() {
    let mut world = World::new(15);
    world.merged(&[NewCommit::adding("app", "feat", "x"), NewCommit::adding("cron", "feat", "y")], MergeMethod::Merge);
    world.hotfix(&NewCommit::new("app", "fix(app): hot").edit("values.yaml", |old| Some(format!("{}k1: hot\n", old?))));
    world.settle();
    let told = world.told();
    assert!(told.contains("[back/conflict]"), "{told}");
    assert!(!world.read("integration", "charts/app/values.yaml").unwrap().contains("hot"), "{told}");
    assert_eq!(world.version("main", "cron").as_deref(), Some("2.2.0"), "{told}");
    release(&mut world, 2);
    let values = world.read("main", "charts/app/values.yaml").unwrap();
    assert!(values.contains("k1: hot") && values.contains("x: 1"), "{values}{}", world.told());
}

#[test]
fn a_hotfix_on_a_release_that_is_not_tagged_yet_loses_nothing() {
    let mut world = World::new(16);
    world.merged(&[NewCommit::adding("app", "feat", "x")], MergeMethod::Merge);
    world.round();
    world.round();
    assert_eq!(world.release(), 1, "{}", world.told());
    world.hotfix(&NewCommit::new("app", "fix(app): hot").edit("values.yaml", |old| Some(format!("{}k1: hot\n", old?))));
    release(&mut world, 1);
    assert!(world.hub.reference("refs/tags/app-v1.1.0").is_some(), "{}", world.told());
    assert!(world.read("integration", "charts/app/values.yaml").unwrap().contains("hot"), "{}", world.told());
    world.merged(&[NewCommit::adding("app", "fix", "y")], MergeMethod::Squash);
    release(&mut world, 2);
}

#[test]
fn a_squash_that_brings_main_s_hotfix_along_counts_nothing_of_it() {
    let mut world = World::new(17);
    world.merged(&[NewCommit::adding("app", "fix", "y")], MergeMethod::Merge);
    world.hotfix(&NewCommit::new("app", "fix(app): hot").edit("values.yaml", |old| Some(format!("{}k1: hot\n", old?))));
    // From main, before it is back: the squash changes app as well, by what main has already.
    let main = world.tip("main").unwrap();
    let number = world.offer("integration", &main, &[NewCommit::adding("cron", "fix", "x")]).unwrap();
    world.stage(Step::Validate, None);
    assert_eq!(world.mergeable(), [number], "{}", world.told());
    assert!(world.merge(number, MergeMethod::Squash), "{}", world.told());
    release(&mut world, 2);
}

/// Removes every file of a chart that it was made with. What was added since stays.
fn removal(chart: &str) -> NewCommit {
    let files = chartflow_tests::charts::chart(chart, "1.0.0", "").into_iter();
    files.fold(NewCommit::new(chart, &format!("feat({chart})!: it goes")), |commit, (path, _)| commit.at(&path, |_| None))
}

#[test]
fn a_removal_that_leaves_a_file_behind_while_main_is_not_back() {
    let mut world = World::new(18);
    let ignored = NewCommit::new("cron", "feat(cron): notes").edit("notes.ignored", |_| Some("words\n".to_owned()));
    world.merged(&[ignored], MergeMethod::Merge);
    world.round();
    assert_eq!(world.release(), 1, "{}", world.told());
    world.merged(&[removal("cron")], MergeMethod::Merge);
    world.finish();
    assert_eq!(world.check(Counting::AtMostOnce), 0, "{}", world.told());
    assert_eq!(world.files(&world.tip("main").unwrap(), "charts/cron"), ["notes.ignored"], "{}", world.told());
}

#[test]
fn a_chart_comes_again_beside_what_was_left_of_it() {
    for before_main_is_back in [false, true] {
        let mut world = World::new(19);
        let ignored = NewCommit::new("cron", "feat(cron): notes").edit("notes.ignored", |_| Some("words\n".to_owned()));
        world.merged(&[NewCommit::adding("cron", "feat", "x"), ignored], MergeMethod::Merge);
        release(&mut world, 1);
        world.merged(&[removal("cron")], MergeMethod::Merge);
        if before_main_is_back {
            world.round();
            assert_eq!(world.release(), 1, "{}", world.told());
        } else {
            world.finish();
        }
        let again = chartflow_tests::charts::chart("cron", "2.2.0", "").into_iter();
        let again = again.fold(NewCommit::new("cron", "feat(cron): here it is again"), |commit, (path, text)| commit.at(&path, move |_| Some(text.clone())));
        world.merged(&[again], MergeMethod::Merge);
        release(&mut world, 2);
        assert_eq!(world.version("main", "cron").as_deref(), Some("2.3.0"), "{}", world.told());
    }
}

#[test]
fn two_directories_of_one_chart_are_one_refusal() {
    let mut world = World::new(22);
    let files = chartflow_tests::charts::chart("cron", "2.1.0", "").into_iter();
    let twin = files
        .fold(NewCommit::new("cron", "feat(cron): a twin"), |commit, (path, text)| commit.at(&path.replace("charts/", "more/"), move |_| Some(text.clone())));
    world.contribute(&[twin]);
    let report = world.stage(Step::Validate, None).unwrap();
    let told: Vec<String> = report.entries.iter().filter_map(|entry| Some(format!("{} {}", entry.rule.as_ref()?, entry.message))).collect();
    assert_eq!(told, ["layout/doubled-name more/cron/Chart.yaml:2: more/cron and charts/cron hold charts of the name cron"]);
}

#[test]
fn main_is_merged_as_the_configuration_says() {
    let mut world = World::configured(23, &format!("{}merge: {{main: merge}}\n", chartflow_tests::charts::CONFIGURATION));
    world.merged(&[NewCommit::adding("app", "feat", "x")], MergeMethod::Merge);
    world.round();
    world.round();
    let number = world.pull_from("integration-app").unwrap();
    assert!(!world.merge(number, MergeMethod::Squash), "{}", world.told());
    release(&mut world, 1);
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{}", world.told());
}

#[test]
fn a_tag_s_name_is_taken_at_the_last_moment() {
    // By another commit, or by a ref beside which git cannot hold it.
    for (taken, told) in [
        ("app-v1.1.0", "tag app-v1.1.0 is taken by a tag without annotation"),
        ("app-v1.1.0/x", "tag app-v1.1.0 cannot be made: git cannot hold it beside refs/tags/app-v1.1.0/x"),
    ] {
        let mut world = World::new(21);
        world.merged(&[NewCommit::adding("app", "feat", "x"), NewCommit::adding("cron", "fix", "y")], MergeMethod::Merge);
        world.round();
        world.round();
        let git = |world: &World, arguments: &[&str]| {
            let done = std::process::Command::new("git").arg("--git-dir").arg(world.hub.git_directory()).args(arguments).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        git(&world, &["update-ref", &format!("refs/tags/{taken}"), world.baseline.as_str()]);
        while world.release() > 0 {}
        let report = world.stage(Step::Tag, None).unwrap();
        let refused: Vec<_> = report.entries.iter().filter(|entry| entry.rule.as_deref() == Some("tag/taken")).collect();
        assert!(refused.len() == 1 && refused[0].message.starts_with(told), "{}", world.told());
        // The other chart goes on, and so does this one once the name is free.
        world.finish();
        assert!(world.verify("cron", "2.1.1").is_ok(), "{}", world.told());
        assert!(world.verify("app", "1.1.0").is_err(), "{}", world.told());
        git(&world, &["update-ref", "-d", &format!("refs/tags/{taken}")]);
        release(&mut world, 2);
        assert!(world.verify("app", "1.1.0").is_ok(), "{}", world.told());
    }
}

#[test]
fn a_chart_inside_another_is_part_of_it_whatever_the_globs_say() {
    let deep = chartflow_tests::charts::CONFIGURATION.replace("[charts/*, more/*]", "[\"charts/**\"]");
    let mut world = World::configured(48, &deep);
    let sub = NewCommit::new("app", "feat(app): with a part")
        .edit("charts/part/Chart.yaml", |_| Some("apiVersion: v2\nname: part\nversion: 9.0.0\n".to_owned()))
        .edit("charts/part/values.yaml", |_| Some("x: 1\n".to_owned()));
    world.merged(&[sub], MergeMethod::Squash);
    world.finish();
    assert_eq!(world.version("main", "app").as_deref(), Some("1.1.0"), "{}", world.told());
    let reports = Step::TRAIN.map(|step| world.stage(step, None).unwrap());
    let inner: Vec<_> =
        reports.iter().flat_map(|report| &report.entries).filter(|entry| entry.chart.as_ref().is_some_and(|chart| chart.as_str() == "part")).collect();
    assert!(inner.is_empty(), "{inner:?}");
    assert_eq!(world.check(Counting::ExactlyOnce), 1, "{}", world.told());
}

#[test]
fn co_authors_are_contributors() {
    let mut world = World::new(49);
    let commit =
        NewCommit::new("app", "feat(app): together\n\nwhy\n\nCo-authored-by: Bo <bo@example.com>\nco-authored-by: Cy <cy@example.com>").value("two: 1");
    let again = NewCommit::new("app", "fix(app): once more\n\nCo-authored-by: Bo <bo@example.com>").value("three: 1");
    world.merged(&[commit, again], MergeMethod::Merge);
    release(&mut world, 1);
    let log = world.read("main", "charts/app/CHANGELOG.md").unwrap();
    let credits: Vec<&str> = log.lines().filter(|line| line.starts_with("Contributors: ")).collect();
    assert_eq!(credits, ["Contributors: carol, Bo, Cy"], "{}", world.told());
    let main = world.tip("main").unwrap();
    let message = chartflow_tests::world::block_on(chartflow_core::port::objects::Objects::commit(&*world.objects, &main)).unwrap().message;
    // The promotion and the bump, each with its own trailers.
    let commits: Vec<&str> = message.split("\n* ").skip(1).collect();
    assert_eq!(commits.len(), 2, "{message}");
    for (commit, name) in commits.into_iter().flat_map(|commit| [(commit, "Bo <bo@example.com>"), (commit, "Cy <cy@example.com>")]) {
        assert_eq!(commit.matches(&format!("Co-authored-by: {name}")).count(), 1, "{message}");
    }
}
