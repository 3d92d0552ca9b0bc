use chartflow_core::port::transport::Method::Post;
use serde_json::{Map, Value, json};

use super::world::{APP, BOB, JOB, READER, World};

#[test]
fn repository_dispatches_have_limits() {
    let world = World::new().with_everybody(&["statuses"]);
    let many: Map<String, Value> = (0..11).map(|at| (format!("k{at}"), json!(at))).collect();
    let rows = [
        ("no permission", JOB, json!({"event_type": "x"}), "403 Resource not accessible by integration"),
        ("a reader", READER, json!({"event_type": "x"}), "404 Not Found"),
        ("no type", APP, json!({}), "422 Invalid request.  \"event_type\" wasn't supplied."),
        ("a long type", APP, json!({"event_type": "x".repeat(101)}), "422 Invalid request.  event_type must be between 1 and 100 characters."),
        ("the longest type", APP, json!({"event_type": "x".repeat(100)}), "204"),
        (
            "many properties",
            APP,
            json!({"event_type": "x", "client_payload": many}),
            "422 Invalid request.  No more than 10 properties are allowed; 11 were supplied.",
        ),
        ("much", APP, json!({"event_type": "x", "client_payload": {"k": "x".repeat(65_536)}}), "422 client_payload is too large."),
        ("fine", APP, json!({"event_type": "chartflow-package", "client_payload": {"chart": "a"}}), "204"),
    ];
    for (name, token, body, expected) in rows {
        assert_eq!(world.answer(token, Post, "/dispatches", body), expected, "{name}");
    }
    let list = world.answer(APP, Post, "/dispatches", json!({"event_type": "x", "client_payload": [1]}));
    assert!(list.starts_with("422 Invalid request."), "{list}");
}

#[test]
fn workflow_dispatches_need_the_file_on_the_default_branch() {
    let world = World::new().with_everybody(&["actions"]);
    world.commit("side", Some("main"), &[(".github/workflows/side.yml", Some("on: workflow_dispatch\n"))]);
    world.commit("main", None, &[(".github/workflows/hand.yml", Some("on: [workflow_dispatch]\n")), (".github/workflows/push.yml", Some("on: push\n"))]);
    world.hub.person("alice").unwrap().push("main", &world.rev("main"), false).unwrap();
    world.import(&[("side", &world.rev("side"))]);
    let inputs: Map<String, Value> = (0..26).map(|at| (format!("k{at}"), json!("v"))).collect();
    let rows = [
        ("no such file", JOB, "x.yml", json!({"ref": "main"}), "404 Not Found"),
        ("elsewhere only", JOB, "side.yml", json!({"ref": "side"}), "404 Not Found"),
        ("no such ref", JOB, "hand.yml", json!({"ref": "nowhere"}), "422 No ref found for: nowhere"),
        ("not by hand", JOB, "push.yml", json!({"ref": "main"}), "422 Workflow does not have 'workflow_dispatch' trigger"),
        ("not on that ref", JOB, "hand.yml", json!({"ref": "side"}), "422 Workflow does not have 'workflow_dispatch' trigger"),
        ("many inputs", JOB, "hand.yml", json!({"ref": "main", "inputs": inputs}), "422 you may only define up to 25 `inputs` for a `workflow_dispatch` event"),
        ("fine", JOB, "hand.yml", json!({"ref": "main"}), "204"),
        ("with details", BOB, "hand.yml", json!({"ref": "refs/heads/main", "return_run_details": true}), "200"),
    ];
    for (name, token, file, body, expected) in rows {
        assert_eq!(world.answer(token, Post, &format!("/actions/workflows/{file}/dispatches"), body), expected, "{name}");
    }
}
