use chartflow_core::port::transport::Method::{Get, Post, Put};
use serde_json::{Value, json};

use super::world::{APP, BOB, READER, World};

#[test]
fn a_pull_request_comes_from_a_fork() {
    let world = World::new().with_everybody(&[]);
    let change = |text: &str| world.commit("feature", Some("main"), &[("charts/a/values.yaml", Some(text))]);
    change("one\n");
    let reader = world.hub.person("rita").unwrap();
    assert_eq!(world.answer(READER, Post, "/pulls", json!({"title": "t", "head": "rita:feature", "base": "main"})), "422 Validation Failed: head invalid");
    reader.push_to_fork("feature", &world.rev("feature")).unwrap();
    let number = reader.open("rita:feature", "main", "t", "").unwrap();
    let again = world.answer(READER, Post, "/pulls", json!({"title": "t", "head": "rita:feature", "base": "main"}));
    assert_eq!(again, "422 Validation Failed: A pull request already exists for rita:feature.");
    let pull = world.get(&format!("/pulls/{number}"));
    assert_eq!((&pull["head"]["label"], &pull["head"]["repo"]["full_name"]), (&json!("rita:feature"), &json!("rita/charts")));
    assert_ne!(pull["head"]["repo"]["id"], pull["base"]["repo"]["id"]);
    let listed = |head: &str| world.get(&format!("/pulls?head={head}:feature")).as_array().unwrap().len();
    assert_eq!((listed("rita"), listed("acme")), (1, 0));
    // It follows the fork's branch, and a branch of the same name here is another one.
    let second = change("two\n");
    reader.push_to_fork("feature", &second).unwrap();
    world.branch("feature", &world.rev("main"));
    assert_eq!(world.get(&format!("/pulls/{number}"))["head"]["sha"], json!(second));
    assert_eq!(world.story(), ["opened #1", "synchronize #1", "create feature"]);
    assert_eq!(world.answer(APP, Put, &format!("/pulls/{number}/update-branch"), json!({})), "403 Resource not accessible by integration");
    world.hub.configure(|settings| settings.delete_branch_on_merge = true);
    assert_eq!(world.answer(BOB, Put, &format!("/pulls/{number}/merge"), json!({})), "200");
    let message = world.get(&format!("/commits/{}", world.tip("main")))["commit"]["message"].clone();
    assert_eq!(message, "Merge pull request #1 from rita/feature\n\nt");
    assert_eq!(world.tip("feature").len(), 40, "the branch here stays");
    assert_eq!(world.answer(APP, Get, &format!("/pulls/{number}/merge"), Value::Null), "204");
}
