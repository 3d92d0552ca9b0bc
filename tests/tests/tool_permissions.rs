//! The actions beside the train, and the registry, without a permission: it is named, with the line to add.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use chartflow_core::action::Verb;
use chartflow_core::domain::event::{Access, Permission, Permissions, StageName};
use chartflow_core::port::transport::Method;
use chartflow_sandbox::registry::{Flavour, Options};
use chartflow_tests::charts::CONFIGURATION;
use chartflow_tests::people::NewCommit;
use chartflow_tests::runner::{Ran, Runner};
use chartflow_tests::world::{ADMIN, World};
use serde_json::{Value, json};

fn world(seed: u64) -> World {
    World::configured(seed, &format!("{CONFIGURATION}  outside:\n    scan: {{workflow: .github/workflows/scan.yml}}\n"))
}

fn by_hand() -> (&'static str, Value) {
    ("workflow_dispatch", json!({}))
}

fn lines(ran: &Ran, access: &str) -> bool {
    ran.code == 2 && ran.log.contains(&format!("the token lacks {access} (")) && ran.log.contains(&format!("%0Apermissions:%0A  {access}"))
}

#[test]
fn the_tools() {
    let mut world = world(101);
    let runner = Runner::new(&world);
    let number = world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    let event = ("pull_request_target", runner.pull_event(&world, "opened", number));
    let key = runner.key.to_pkcs8_pem();
    let check = [("check", "scan"), ("result", "passed"), ("path", "charts/app"), ("signing-key", key.as_str())];
    let none: &[(&str, &str)] = &[];
    for (verb, inputs, given, lacks) in [
        (Verb::Detect, none, Permissions::new(), "contents: read"),
        (Verb::Rulesets, none, Permissions::new(), "contents: read"),
        (Verb::Attest, &check, Permissions::from([(Permission::Contents, Access::Read)]), "contents: write"),
    ] {
        let ran = runner.step(&world, verb, event.clone(), inputs, Some(given));
        assert!(lines(&ran, lacks), "{verb:?}: {ran:#?}");
        let whole = runner.step(&world, verb, event.clone(), inputs, Some(verb.permissions()));
        assert!(whole.code < 2, "{verb:?}: {whole:#?}");
    }
}

#[test]
fn rules_take_more_than_a_workflow_s_token_has() {
    let world = world(102);
    let runner = Runner::new(&world);
    let first = world.call(ADMIN, Method::Get, "/rulesets", &Value::Null)[0]["id"].as_u64().unwrap();
    world.call(ADMIN, Method::Delete, &format!("/rulesets/{first}"), &Value::Null);
    let ran = runner.step(&world, Verb::Rulesets, by_hand(), &[("mode", "apply")], Some(Verb::Rulesets.permissions()));
    assert!(ran.code == 2 && ran.log.contains("the token lacks administration: write (POST /repos/acme/charts/rulesets"), "{ran:#?}");
    assert!(ran.log.contains("use a token of somebody who administers the repository"), "{ran:#?}");
}

/// Every stage by hand up to `publish`, people merging what is green.
fn before_publish(world: &mut World, runner: &Runner, inputs: &[(&str, &str)]) {
    world.contribute(&[NewCommit::new("app", "feat(app): more values").value("more: 1")]);
    for _ in 0..12 {
        for stage in StageName::TRAIN.into_iter().filter(|stage| *stage != StageName::Publish) {
            let ran = runner.step(world, Verb::Stage(stage), by_hand(), inputs, None);
            assert_eq!(ran.code, 0, "{stage}: {ran:#?}");
        }
        let contributions = world.mergeable();
        for number in contributions {
            world.merge(number, chartflow_sandbox::github::rules::MergeMethod::Merge);
        }
        world.release();
        if world.files(&world.tip("release").unwrap(), "charts").iter().any(|file| file.ends_with("app-1.1.0.tgz")) {
            return;
        }
    }
    panic!("nothing came to the release branch: {}", world.told());
}

#[test]
fn the_registry() {
    let mut world = World::configured(103, CONFIGURATION);
    let runner = Runner::pushing_to(&world, Options { flavour: Flavour::Ghcr { writers: vec!["of-the-registry".to_owned()] }, ..Options::default() });
    let (key, registry) = (runner.key.to_pkcs8_pem(), runner.registry());
    let inputs = [("signing-key", key.as_str()), ("registry", registry.as_str())];
    before_publish(&mut world, &runner, &inputs);
    for stage in [StageName::Publish, StageName::Reconcile] {
        // The embedded registry knows no workflow token that may write.
        let ran = runner.step(&world, Verb::Stage(stage), by_hand(), &inputs, None);
        assert!(lines(&ran, "packages: write"), "{stage}: {ran:#?}");
        assert!(ran.log.contains("in the settings of the package"), "{stage}: {ran:#?}");
    }
    let whole = [inputs.as_slice(), &[("registry-password", "of-the-registry")]].concat();
    let ran = runner.step(&world, Verb::Stage(StageName::Publish), by_hand(), &whole, None);
    assert_eq!((ran.code, ran.output("result")), (0, "done"), "{ran:#?}");
}
