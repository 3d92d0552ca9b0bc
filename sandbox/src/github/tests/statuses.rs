use chartflow_core::port::transport::Method::{Get, Post};
use serde_json::json;

use super::world::{APP, BOB, JOB, READER, World};

#[test]
fn statuses_are_refused_with_reasons() {
    let world = World::new().with_everybody(&["contents"]);
    let main = world.rev("main");
    let path = format!("/statuses/{main}");
    let long = "x".repeat(141);
    let rows = [
        ("no permission", JOB, path.as_str(), json!({"state": "success"}), "403 Resource not accessible by integration"),
        ("a reader", READER, &path, json!({"state": "success"}), "404 Not Found"),
        ("no state", APP, &path, json!({}), "422 Invalid request.  \"state\" wasn't supplied."),
        ("an unknown state", APP, &path, json!({"state": "green"}), "422 Validation Failed: state invalid"),
        (
            "a long description",
            APP,
            &path,
            json!({"state": "success", "description": long}),
            "422 Validation Failed: description is too long (maximum is 140 characters)",
        ),
        (
            "no commit",
            APP,
            "/statuses/0123456789012345678901234567890123456789",
            json!({"state": "success"}),
            "422 No commit found for SHA: 0123456789012345678901234567890123456789",
        ),
        ("fine", APP, &path, json!({"state": "success", "description": null}), "201"),
    ];
    for (name, token, path, body, expected) in rows {
        assert_eq!(world.answer(token, Post, path, body), expected, "{name}");
    }
}

#[test]
fn the_worst_of_the_newest_decides() {
    let world = World::new().with_everybody(&[]);
    let main = world.rev("main");
    let combined = || {
        let body = world.call(APP, Get, "/commits/main/status", None).value();
        let states: Vec<String> =
            body["statuses"].as_array().unwrap().iter().map(|one| format!("{} {}", one["context"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
        format!("{}: {} ({})", body["state"].as_str().unwrap(), states.join(", "), body["total_count"])
    };
    assert_eq!(combined(), "pending:  (0)");
    world.status(APP, &main, "a", "failure");
    assert_eq!(combined(), "failure: a failure (1)");
    world.status(BOB, &main, "a", "success");
    assert_eq!(combined(), "success: a success (1)");
    world.status(APP, &main, "b", "pending");
    assert_eq!(combined(), "pending: b pending, a success (2)");
    world.status(APP, &main, "c", "error");
    assert_eq!(combined(), "failure: c error, b pending, a success (3)");
    let all = world.call(APP, Get, &format!("/commits/{main}/statuses"), None).value();
    assert_eq!(all.as_array().unwrap().len(), 4, "the list keeps every one");
    assert_eq!(all[3]["creator"]["login"], "chartflow[bot]");
    assert_eq!(world.answer(APP, Get, "/commits/nowhere/status", json!(null)), "422 No commit found for SHA: nowhere");
}

#[test]
fn a_thousand_and_one_is_too_many() {
    let world = World::new().with_everybody(&[]);
    let main = world.rev("main");
    for _ in 0..1000 {
        world.status(APP, &main, "a", "pending");
    }
    let refused = world.answer(APP, Post, &format!("/statuses/{main}"), json!({"state": "success", "context": "a"}));
    assert_eq!(refused, "422 Validation Failed: This SHA and context has reached the maximum number of statuses.");
    world.status(APP, &main, "b", "pending");
}
