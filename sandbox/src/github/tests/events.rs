use chartflow_core::domain::event::StageName;
use chartflow_core::domain::ruleset::Mode;
use chartflow_core::domain::workflow::{Options, workflow};
use chartflow_core::port::transport::Method::{Post, Put};
use serde_json::json;

use super::rules::tiers;
use super::world::{ALICE, APP, BOB, JOB, World};
use crate::github::events::{Outcome, StartedEvent};

/// The train's workflow files on main, the tiers beside it, nothing reported yet.
fn train() -> World {
    let world = World::new().with_everybody(&["contents", "pull_requests", "actions"]);
    world.hub.let_actions_handle_pulls(true);
    let old = world.rev("main");
    // Before the workflow files are there, as a new root takes the files along.
    let release = world.commit("release", None, &[("index.yaml", Some("entries: {}\n"))]);
    let options = Options { signing_key: true, ..Options::new(tiers(), Mode::App { id: 4711 }) };
    let files: Vec<(&str, String)> = StageName::ALL.iter().map(|stage| (stage.workflow_path(), workflow(*stage, &options))).collect();
    let files: Vec<(&str, Option<&str>)> = files.iter().map(|(path, text)| (*path, Some(text.as_str()))).collect();
    world.commit("main", None, &files);
    world.commit("main", None, &[(".github/workflows/scan.yml", Some("on: [pull_request, push]\n"))]);
    let main = world.rev("main");
    world.hub.person("ada").unwrap().push("main", &main, false).unwrap();
    world.commit("feature", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    world.import(&[("integration", &main), ("old", &old), ("release", &release), ("feature", &world.rev("feature"))]);
    let _ = world.hub.take_events(&tiers());
    world
}

fn told(event: &StartedEvent) -> String {
    let runs: Vec<String> = event
        .runs
        .iter()
        .map(|run| {
            let name = run.stage.as_ref().map_or_else(|| run.workflow.rsplit('/').next().unwrap().to_owned(), |stage| stage.stage.to_string());
            match &run.outcome {
                Outcome::Started => name,
                Outcome::AwaitsApproval => format!("({name}: awaits approval)"),
                Outcome::NotStarted(reason) => format!("({name}: {reason})"),
            }
        })
        .collect();
    format!("{} → {}", event.event.name(), runs.join(", "))
}

fn story(world: &World) -> Vec<String> {
    world.hub.take_events(&tiers()).iter().map(told).collect()
}

#[test]
fn a_contribution_starts_validate_and_filter_from_mains_file() {
    let world = train();
    let number = world.done(ALICE, Post, "/pulls", json!({"title": "t", "head": "feature", "base": "integration"}))["number"].clone();
    let events = world.hub.take_events(&tiers());
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["pull_request_target → validate", "pull_request → scan.yml"]);
    assert_eq!(events[0].workflow_commit.as_ref().map(ToString::to_string), Some(world.rev("main")));
    assert_eq!(events[0].workflow_files.len(), 10);
    assert_eq!(events[0].runs[0].stage.as_ref().unwrap().pull, number.as_u64());
    world.done(BOB, Put, &format!("/pulls/{number}/merge"), json!({}));
    assert_eq!(story(&world), ["push → scan.yml", "pull_request_target → filter"], "a push to integration starts no stage");
}

#[test]
fn the_release_branch_has_no_workflows_and_needs_none() {
    let world = train();
    world.commit("head", Some("release"), &[("charts/a.tgz", Some("bytes"))]);
    world.import(&[("head", &world.rev("head"))]);
    let number = world.post("/pulls", json!({"title": "t", "head": "head", "base": "release"}))["number"].clone();
    assert_eq!(story(&world), ["pull_request_target → package"], "its own tree has no workflow files for pull_request");
    world.put(&format!("/pulls/{number}/merge"), json!({}));
    assert_eq!(story(&world), ["pull_request_target → publish"], "nor for push");
}

#[test]
fn a_push_to_main_reads_the_pushed_commit() {
    let world = train();
    let push = |world: &World| world.hub.person("ada").unwrap().push("main", &world.rev("main"), false).unwrap();
    world.commit("main", None, &[("charts/a/values.yaml", Some("one\n"))]);
    push(&world);
    assert_eq!(story(&world), ["push → filter, tag, scan.yml"]);
    world.commit("main", None, &[(".github/workflows/chartflow-tag.yml", None), (".github/workflows/chartflow-filter.yml", Some("on: schedule\n"))]);
    let removed = world.rev("main");
    push(&world);
    let expected = format!(
        "push → (filter: .github/workflows/chartflow-filter.yml does not listen to this push), (tag: .github/workflows/chartflow-tag.yml is not in {removed}), scan.yml"
    );
    assert_eq!(story(&world), [expected]);
}

/// Each event sees the default branch as it was then, not as it is when somebody looks.
#[test]
fn events_keep_their_order() {
    let world = train();
    let dispatch = || world.done(APP, Post, "/dispatches", json!({"event_type": "chartflow-tag"}));
    dispatch();
    world.commit("main", None, &[(".github/workflows/chartflow-tag.yml", None)]);
    world.hub.person("ada").unwrap().push("main", &world.rev("main"), false).unwrap();
    dispatch();
    let main = world.rev("main");
    let gone = format!("(tag: .github/workflows/chartflow-tag.yml is not in {main})");
    assert_eq!(story(&world), ["repository_dispatch → tag".to_owned(), format!("push → filter, {gone}, scan.yml"), format!("repository_dispatch → {gone}")]);
}

#[test]
fn the_workflow_token_starts_dispatches_alone() {
    let world = train();
    let number = world.done(JOB, Post, "/pulls", json!({"title": "t", "head": "feature", "base": "integration"}))["number"].clone();
    let refused = "it was done with the workflow token";
    assert_eq!(story(&world), [format!("pull_request_target → (validate: {refused})"), "pull_request → (scan.yml: awaits approval)".to_owned()]);
    world.done(JOB, Put, &format!("/pulls/{number}/merge"), json!({}));
    assert_eq!(story(&world), [format!("push → (scan.yml: {refused})"), format!("pull_request_target → (filter: {refused})")]);
    world.done(JOB, Post, "/dispatches", json!({"event_type": "chartflow-filter", "client_payload": {"chart": "a"}}));
    world.done(JOB, Post, "/actions/workflows/chartflow-reconcile.yml/dispatches", json!({"ref": "main"}));
    let events = world.hub.take_events(&tiers());
    assert_eq!(events.iter().map(told).collect::<Vec<_>>(), ["repository_dispatch → filter", "workflow_dispatch → reconcile"]);
    assert_eq!(events[0].runs[0].stage.as_ref().unwrap().chart.as_ref().unwrap().as_str(), "a");
}

#[test]
fn what_starts_nothing() {
    let world = train();
    world.post("/git/refs", json!({"ref": "refs/chartflow/attestations", "sha": world.rev("main")}));
    world.done(APP, Post, "/dispatches", json!({"event_type": "somebody-elses"}));
    let number = world.done(ALICE, Post, "/pulls", json!({"title": "t", "head": "feature", "base": "integration"}))["number"].clone();
    let _ = story(&world);
    world.done(ALICE, chartflow_core::port::transport::Method::Patch, &format!("/pulls/{number}"), json!({"state": "closed"}));
    assert_eq!(story(&world), Vec::<String>::new(), "closed unmerged");
    world.commit_as("carol", "main", None, &[("x", Some("x"))], "feat: x [skip ci]");
    world.hub.person("ada").unwrap().push("main", &world.rev("main"), false).unwrap();
    let skipped = "the commit's message asks to skip workflows";
    assert_eq!(story(&world), [format!("push → (filter: {skipped}), (tag: {skipped}), (scan.yml: {skipped})")]);
}

#[test]
fn the_clock_starts_reconcile() {
    let world = train();
    let event = world.hub.schedule_event(&tiers()).unwrap();
    assert_eq!((told(&event), event.token), ("schedule → reconcile".to_owned(), None));
    let bare = World::new();
    let event = bare.hub.schedule_event(&tiers()).unwrap();
    let main = bare.rev("main");
    assert_eq!(
        told(&event),
        format!("schedule → (reconcile: .github/workflows/chartflow-reconcile.yml is not in {main})"),
        "adoption is what brings the files"
    );
}
