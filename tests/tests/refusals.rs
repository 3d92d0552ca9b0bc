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
