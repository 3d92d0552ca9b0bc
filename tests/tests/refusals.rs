//! What the train refuses out loud where it could have been silent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::sync::Arc;

use chartflow_core::domain::pull::{AttestationMap, BODY_LIMIT};
use chartflow_core::flow::{Report, package};
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::brakes::Brakes;
use chartflow_tests::people::NewCommit;
use chartflow_tests::rest::Counting;
use chartflow_tests::world::{CONTRIBUTOR, Step, World, block_on};
use chartflow_tests::yard::git;
use serde_json::json;

fn contributed(world: &mut World) -> u64 {
    let number = world.contribute(&[NewCommit::new("app", "feat(app): x").value("x: 1")]);
    world.stage(Step::Validate, None);
    number
}

/// The rules by which anything was refused.
fn rules<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Vec<String> {
    reports.into_iter().flat_map(|report| &report.entries).filter_map(|entry| entry.rule.clone()).collect()
}

#[test]
fn what_a_stranger_would_refuse_is_not_published() {
    let mut world = World::new(301);
    let number = contributed(&mut world);
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
    for step in [Step::Filter, Step::Enforce, Step::Format, Step::Bump, Step::Enforce, Step::Format, Step::Bump] {
        world.stage(step, None);
    }
    assert_eq!(world.release(), 1, "{}", world.told());
    world.stage(Step::Tag, None);
    let before = world.tip("release");
    let mut train = world.train(&Brakes::none());
    train.verify = Arc::new(|_, _, _| Err("repo/range: a commit was not counted".to_owned()));
    let report = block_on(package::run(&train, None)).unwrap();
    assert_eq!(rules([&report]), ["package/unverifiable"]);
    let told = "a stranger would refuse app-1.1.0.tgz, so it is not published: repo/range: a commit was not counted";
    assert_eq!(report.entries[0].message, told);
    assert_eq!((world.tip("release"), world.hub.released_files().len()), (before, 0));
    assert!(world.hub.pulls().iter().all(|pull| pull.base != "release"));
    world.finish();
    assert_eq!(world.check(Counting::ExactlyOnce), 1, "{}", world.told());
}

/// The only entry with a rule, with its hint.
fn refusal(report: &Report) -> String {
    let refused: Vec<_> = report.entries.iter().filter(|entry| entry.rule.is_some()).collect();
    let [entry] = refused.as_slice() else { panic!("{refused:?}") };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let chart = entry.chart.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {chart}: {}\n{}", text(&entry.rule), entry.message, text(&entry.hint))
}

#[test]
fn a_version_that_cannot_follow_is_refused_before_anything_is_merged() {
    let mut world = World::new(302);
    world.contribute(&[NewCommit::new("app", "fix(app): x\n\nRelease-As: 1.0.0").value("x: 1")]);
    let report = world.stage(Step::Validate, None).unwrap();
    insta::assert_snapshot!(refusal(&report), @r"
    version/release-as app: charts/app/Chart.yaml:4: the footer Release-As asks for 1.0.0, which is not higher than 1.0.0
    ask for a higher version in a new commit with the footer Release-As, or revert the commit that asks for this one
    ");
    world.contribute(&[NewCommit::new("cron", "fix(cron): x\n\nRelease-As: 3").value("x: 1")]);
    let report = world.stage(Step::Validate, None).unwrap();
    assert_eq!(rules([&report]), ["commits/release-as", "version/release-as"]);
    assert_eq!(world.mergeable(), Vec::<u64>::new());
}

#[test]
fn a_version_that_was_passed_elsewhere_holds_its_chart_alone() {
    let mut world = World::new(303);
    let main = world.tip("main").unwrap();
    // A tag from before there were rules for tags.
    git(world.hub.git_directory(), &["update-ref", "refs/tags/app-v3.0.0", main.as_str()], b"");
    let two = [NewCommit::new("app", "fix(app): x\n\nRelease-As: 2.0.0").value("x: 1"), NewCommit::new("cron", "fix(cron): y").value("y: 1")];
    let number = world.contribute(&two);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
    for step in [Step::Filter, Step::Enforce, Step::Format] {
        world.stage(step, None);
    }
    let report = world.stage(Step::Bump, None).unwrap();
    insta::assert_snapshot!(refusal(&report), @r"
    bump/no-version app: the footer Release-As asks for 2.0.0, which is not higher than 3.0.0
    ask for a higher version in a new commit with the footer Release-As, or revert the commit that asks for this one
    ");
    for step in [Step::Enforce, Step::Format, Step::Bump] {
        world.stage(step, None);
    }
    assert_eq!(world.release(), 1, "{}", world.told());
    assert_eq!(world.version("main", "cron").as_deref(), Some("2.1.1"));
    // A higher version, asked for in another contribution, takes the first along.
    let number = world.contribute(&[NewCommit::new("app", "fix(app): z\n\nRelease-As: 3.1.0").value("z: 1")]);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Merge), "{}", world.told());
    world.finish();
    assert_eq!(world.version("main", "app").as_deref(), Some("3.1.0"), "{}", world.told());
}

#[test]
fn a_chart_that_others_need_does_not_go_alone() {
    let mut world = World::new(304);
    let gone = ["Chart.yaml", "values.yaml", "templates/deployment.yaml", "CHANGELOG.md", ".helmignore"];
    let removal = || gone.iter().fold(NewCommit::new("base", "feat(base)!: gone"), |commit, file| commit.edit(file, |_| None));
    world.contribute(&[removal()]);
    let report = world.stage(Step::Validate, None).unwrap();
    insta::assert_snapshot!(refusal(&report), @r#"
    layout/dependents base: charts/web depends on base through "file://../base", and no chart is left in charts/base
    change the dependency in charts/web/Chart.yaml in the same pull request, or leave base where it is
    "#);
    assert_eq!(world.mergeable(), Vec::<u64>::new());
    // Together with the chart that needed it, it goes.
    let without = NewCommit::new("web", "feat(web): without base").edit("Chart.yaml", |old| Some(old?.split("dependencies:").next()?.to_owned()));
    let number = world.contribute(&[without, removal()]);
    world.stage(Step::Validate, None);
    assert_eq!(world.mergeable(), [number], "{}", world.told());
}

#[test]
fn charts_that_contain_each_other_are_refused_at_the_contribution() {
    let mut world = World::new(305);
    let circle = "dependencies:\n  - name: web\n    version: \">=0.1.0\"\n    repository: file://../web\n";
    world.contribute(&[NewCommit::new("base", "feat(base): needs web").edit("Chart.yaml", move |old| Some(format!("{}{circle}", old?)))]);
    let report = world.stage(Step::Validate, None).unwrap();
    insta::assert_snapshot!(refusal(&report), @r"
    layout/package base: charts/base/Chart.yaml: charts depend on each other in a circle: charts/base -> charts/web -> charts/base
    take one of the dependencies out
    ");
}

#[test]
fn a_description_without_room_for_the_map_is_refused() {
    let mut world = World::new(302);
    let number = contributed(&mut world);
    let write = |world: &World, text: &str| world.hub.person(CONTRIBUTOR).unwrap().edit(number, &json!({ "body": text })).unwrap();
    let body = |world: &World| world.hub.pulls().into_iter().find(|pull| pull.number == number).unwrap().body.unwrap_or_default();
    let mine = "x".repeat(BODY_LIMIT);
    write(&world, &mine);
    let report = world.stage(Step::Validate, None).unwrap();
    assert_eq!((rules([&report]), body(&world)), (vec!["pull/description-full".to_owned()], mine));
    assert!(world.mergeable().is_empty(), "{}", world.told());
    // Room for the map alone: the map it is.
    let mine = "x".repeat(BODY_LIMIT - 1500);
    write(&world, &mine);
    let report = world.stage(Step::Validate, None).unwrap();
    assert_eq!(rules([&report]), [""; 0]);
    let text = body(&world);
    assert!(text.starts_with(&mine) && !AttestationMap::read(&text).unwrap().unwrap().is_empty(), "{}", &text[mine.len()..]);
    assert_eq!(world.mergeable(), [number], "{}", world.told());
}

#[test]
fn a_chart_that_others_have_a_copy_of_may_go() {
    let mut world = World::new(306);
    let copied = NewCommit::new("web", "fix(web): a copy").edit("charts/base/Chart.yaml", |_| Some("apiVersion: v2\nname: base\nversion: 0.3.0\n".to_owned()));
    let number = world.contribute(&[copied]);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Squash), "{}", world.told());
    world.finish();
    let gone = ["Chart.yaml", "values.yaml", "templates/deployment.yaml", "CHANGELOG.md", ".helmignore"];
    let number = world.contribute(&[gone.iter().fold(NewCommit::new("base", "feat(base)!: gone"), |commit, file| commit.edit(file, |_| None))]);
    let report = world.stage(Step::Validate, None).unwrap();
    assert_eq!(rules([&report]), [""; 0], "{}", world.told());
    assert_eq!(world.mergeable(), [number]);
}

#[test]
fn a_chart_does_not_come_or_go_above_another() {
    let deep = chartflow_tests::charts::CONFIGURATION.replace("[charts/*, more/*]", "[\"charts/**\"]");
    let mut world = World::configured(307, &deep);
    let chart = |name: &'static str| move |_: Option<&str>| Some(format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"));
    let number = world.contribute(&[NewCommit::new("inner", "feat(inner): new").at("charts/group/inner/Chart.yaml", chart("inner"))]);
    world.stage(Step::Validate, None);
    assert!(world.merge(number, MergeMethod::Squash), "{}", world.told());
    world.contribute(&[NewCommit::new("group", "feat(group): above").at("charts/group/Chart.yaml", chart("group"))]);
    let report = world.stage(Step::Validate, None).unwrap();
    insta::assert_snapshot!(refusal(&report), @r"
    layout/nested inner: charts/group/inner lies in charts/group, where a chart comes or goes: a chart inside another one is part of it
    move inner to a directory outside charts/group in a pull request of its own
    ");
}
