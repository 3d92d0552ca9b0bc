//! The job `check` of `reconcile` where the token may not list pull requests: which of the refs it looks at.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chartflow_core::action::Verb;
use chartflow_core::domain::event::{Access, Permission, Permissions, StageName};
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::actor::{Actor, Role};
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::people::NewCommit;
use chartflow_tests::runner::{Ran, Runner};
use chartflow_tests::world::{CONTRIBUTOR, World};
use serde_json::json;

/// Every question that may be asked, and what finds the refs, the tiers and a chart's files.
const CALLS: u64 = 100 + 40;

fn world() -> (World, Runner) {
    let world = World::configured(81, &CONFIGURATION.replace("required: [", "required: [helm-lint, "));
    let runner = Runner::new(&world);
    runner.install_helm("exit 0");
    (world, runner)
}

fn contribution(text: &str) -> NewCommit {
    NewCommit::new("app", text).value(&format!("\"{}\": 1", text.len()))
}

/// Pull requests that are over, and whose branches are gone.
fn closed(world: &mut World, count: u32, trailer: &str) {
    let start = world.tip("integration").unwrap();
    for number in 0..count {
        let commit = world
            .commit(
                CONTRIBUTOR,
                std::slice::from_ref(&start),
                &NewCommit::new("app", &format!("chore(app): {number}{trailer}")).value(&format!("old: {number}")),
            )
            .unwrap();
        let person = world.hub.person(CONTRIBUTOR).unwrap();
        person.push("over", commit.as_str(), true).unwrap();
        person.open("over", "integration", "over", "").unwrap();
        person.delete_branch("over").unwrap();
    }
}

fn from_a_fork(world: &mut World, text: &str) {
    world.hub.add_actor(Actor {
        login: "mallory".to_owned(),
        id: 41,
        name: "mallory".to_owned(),
        email: "mallory@example.com".to_owned(),
        role: Role::Read,
        app: None,
    });
    let head = world.commit(CONTRIBUTOR, &[world.tip("integration").unwrap()], &contribution(text)).unwrap();
    let person = world.hub.person("mallory").unwrap();
    person.push_to_fork("feature", head.as_str()).unwrap();
    person.open("mallory:feature", "integration", text, "").unwrap();
}

/// What the job says, how many contents it has results for, and how often it asked.
fn check(world: &World, runner: &Runner) -> (Ran, usize, u64) {
    let before = world.hub.calls();
    let contents = Permissions::from([(Permission::Contents, Access::Read)]);
    let ran = runner.step(world, Verb::Stage(StageName::Reconcile), ("schedule", json!({ "schedule": "17 */3 * * *" })), &[("job", "check")], Some(contents));
    assert_eq!(ran.code, 0, "{ran:#?}");
    let results = ran.json("checks")["results"].as_object().unwrap().len();
    (ran, results, world.hub.calls() - before)
}

#[test]
fn the_train_s_own_heads_stand_in_nobody_s_way() {
    let (mut world, runner) = world();
    from_a_fork(&mut world, "feat(app): from outside");
    world.contribute(&[contribution("feat(app): from here")]);
    closed(&mut world, 40, "\n\nChartflow-Chart: app\nChartflow-Source: 1111111111111111111111111111111111111111");
    let (ran, results, calls) = check(&world, &runner);
    assert_eq!(results, 2, "{ran:#?}");
    assert!(calls < CALLS && !ran.log.contains("not looked at"), "{calls}: {}", ran.log);
}

#[test]
fn a_contribution_on_a_branch_comes_before_what_is_over() {
    let (mut world, runner) = world();
    let number = world.contribute(&[contribution("feat(app): from here")]);
    closed(&mut world, 40, "");
    let (ran, results, _) = check(&world, &runner);
    // Its own, and those of the newest that may be open.
    assert_eq!(results, 30, "{ran:#?}");
    let open = world.call(CONTRIBUTOR, Method::Get, &format!("/pulls/{number}"), &serde_json::Value::Null);
    assert_eq!(open["state"], "open");
    let alone = runner.step(
        &world,
        Verb::Stage(StageName::Validate),
        ("pull_request_target", runner.pull_event(&world, "opened", number)),
        &[("job", "check")],
        Some(Permissions::from([(Permission::Contents, Access::Read)])),
    );
    let content = alone.json("checks")["results"].as_object().unwrap().keys().next().unwrap().clone();
    assert!(ran.json("checks")["results"].as_object().unwrap().contains_key(&content), "{ran:#?}");
    insta::assert_snapshot!(ran.log.lines().find(|line| line.contains("not looked at")).unwrap(), @"without pull-requests: read it is not known which pull requests are open; 11 of them were not looked at, #2 to #12, and have no result if they are: start the workflow of validate for them");
}

#[test]
fn the_questions_have_an_end() {
    let (mut world, runner) = world();
    closed(&mut world, 110, "\n\nChartflow-Source: 1111111111111111111111111111111111111111");
    let (ran, results, calls) = check(&world, &runner);
    assert!(results == 0 && calls < CALLS && ran.log.contains("not looked at"), "{calls}: {ran:#?}");
}
