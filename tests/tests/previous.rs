//! A release names the one before it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "everything here is part of a test")]

use std::sync::Arc;

use base64::Engine as _;
use chartflow_core::domain::digest::Sha256;
use chartflow_core::domain::policy::Key;
use chartflow_core::io::signing::KeySigner;
use chartflow_sandbox::github::rules::MergeMethod;
use chartflow_tests::people::NewCommit;
use chartflow_tests::world::World;

/// The statements of a lineage file, each with the digest by which others name it.
fn statements(world: &World, file: &str) -> Vec<(String, serde_json::Value)> {
    let text = world.read("release", file).unwrap_or_default();
    let one = |line: &str| {
        let bundle: serde_json::Value = serde_json::from_str(line).unwrap();
        let payload = base64::engine::general_purpose::STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        (Sha256::of(&payload).to_string(), serde_json::from_slice(&payload).unwrap())
    };
    text.lines().map(one).collect()
}

fn previous(world: &World, file: &str) -> serde_json::Value {
    let found = statements(world, file).into_iter().find_map(|(_, value)| Some(value["predicate"].get("previous")?.clone()));
    found.unwrap_or_else(|| panic!("{}", world.told()))
}

#[test]
fn one_of_the_train() {
    let mut world = World::new(9);
    world.merged(&[NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
    world.finish();
    // Between the two releases something travels that has no version.
    let ignored = NewCommit::new("app", "feat(app): notes").edit("notes.ignored", |_| Some("words\n".to_owned()));
    world.merged(&[ignored], MergeMethod::Merge);
    world.finish();
    world.merged(&[NewCommit::adding("app", "fix", "y")], MergeMethod::Merge);
    world.finish();
    assert_eq!(world.version("main", "app").as_deref(), Some("1.0.2"), "{}", world.told());
    let before = statements(&world, "charts/app-1.0.1.lineage.jsonl");
    let is_root = |value: &serde_json::Value| value["predicate"]["verifiedLevels"] == serde_json::json!(["CHARTFLOW_RELEASED"]);
    let root = before.iter().find(|(_, value)| is_root(value)).map(|(digest, _)| digest.clone());
    assert!(root.is_some(), "{before:?}");
    let previous = previous(&world, "charts/app-1.0.2.lineage.jsonl");
    assert_eq!(previous["tag"].as_str(), Some("app-v1.0.1"), "{previous}");
    assert_eq!(previous["root"].as_str().map(str::to_owned), root, "{previous}");
}

#[test]
fn one_that_another_key_signed() {
    let mut world = World::new(31);
    world.merged(&[NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
    world.finish();
    let signer = Arc::new(KeySigner::generate().unwrap());
    let key = signer.public_key_der().to_vec();
    world.sign_with(signer, |policy| policy.keys = vec![Key::new(&key, policy.keys[0].stages.clone())], None);
    world.merged(&[NewCommit::adding("app", "fix", "y")], MergeMethod::Merge);
    world.finish();
    assert_eq!(world.version("main", "app").as_deref(), Some("1.0.2"), "{}", world.told());
    let previous = previous(&world, "charts/app-1.0.2.lineage.jsonl");
    assert_eq!((previous["tag"].as_str(), &previous["root"]), (Some("app-v1.0.1"), &serde_json::Value::Null), "{previous}");
    assert!(world.verify("app", "1.0.2").is_ok(), "{}", world.told());
}

#[test]
fn one_that_is_older_than_the_adoption() {
    for annotated in [false, true] {
        let mut world = World::new(32);
        let baseline = world.baseline.to_string();
        let mut git = std::process::Command::new("git");
        git.arg("--git-dir").arg(world.hub.git_directory()).args(["-c", "user.name=a", "-c", "user.email=a@example.com", "tag"]);
        git.args(if annotated { &["-a", "-m", "older"][..] } else { &[] }).args(["app-v1.0.0", &baseline]);
        assert!(git.status().unwrap().success());
        world.merged(&[NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
        world.finish();
        let previous = previous(&world, "charts/app-1.0.1.lineage.jsonl");
        assert_eq!((previous["tag"].as_str(), &previous["root"]), (Some("app-v1.0.0"), &serde_json::Value::Null), "{previous}");
        assert!(world.verify("app", "1.0.1").is_ok(), "{}", world.told());
    }
}

#[test]
fn a_tag_of_another_content_is_not_taken_for_it() {
    let mut world = World::new(33);
    world.hotfix(&NewCommit::new("cron", "fix(cron): elsewhere").value("elsewhere: 1"));
    let tip = world.tip("main").unwrap().to_string();
    world.hotfix(&NewCommit::new("app", "fix(app): in the way").value("in_the_way: 1"));
    let mut git = std::process::Command::new("git");
    git.arg("--git-dir").arg(world.hub.git_directory()).args(["tag", "app-v1.0.0", &tip]);
    assert!(git.status().unwrap().success());
    world.finish();
    world.merged(&[NewCommit::adding("app", "fix", "x")], MergeMethod::Merge);
    world.finish();
    let all = statements(&world, "charts/app-1.0.1.lineage.jsonl");
    assert!(!all.is_empty(), "{}", world.told());
    assert!(all.iter().all(|(_, value)| value["predicate"].get("previous").is_none_or(serde_json::Value::is_null)), "{}", world.told());
}
