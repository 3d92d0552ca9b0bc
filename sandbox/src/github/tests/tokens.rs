use chartflow_core::port::transport::Method::{Get, Patch, Post, Put};
use serde_json::{Value, json};

use super::world::{ADMIN, APP, BOB, JOB, READER, World};

#[test]
fn who_may_what() {
    let world = World::new().with_everybody(&["statuses"]);
    let main = world.rev("main");
    let refs = || json!({"ref": "refs/heads/x", "sha": main});
    let rows = [
        ("an unknown token", "nonsense", Get, "/branches", Value::Null, "401 Bad credentials"),
        ("a reader reads", READER, Get, "/rulesets", Value::Null, "200"),
        ("a reader writes", READER, Post, "/git/refs", refs(), "404 Not Found"),
        ("a writer administrates", BOB, Put, "/immutable-releases", Value::Null, "403 Must have admin rights to Repository."),
        ("an administrator does", ADMIN, Put, "/immutable-releases", Value::Null, "204"),
        ("a job without contents", JOB, Post, "/git/refs", refs(), "403 Resource not accessible by integration"),
        ("an App administrates", APP, Put, "/immutable-releases", Value::Null, "403 Resource not accessible by integration"),
        (
            "an App dispatches a workflow",
            APP,
            Post,
            "/actions/workflows/x.yml/dispatches",
            json!({"ref": "main"}),
            "403 Resource not accessible by integration",
        ),
        ("metadata is everybody's", JOB, Get, "/rulesets", Value::Null, "200"),
    ];
    for (name, token, method, path, body, expected) in rows {
        assert_eq!(world.answer(token, method, path, body), expected, "{name}");
    }
    let refused = world.call(JOB, Post, "/git/refs", Some(refs()));
    assert_eq!(refused.headers.get("x-accepted-github-permissions").map(String::as_str), Some("contents=write"));
    world.hub.revoke_token(JOB);
    assert_eq!(world.answer(JOB, Get, "/rulesets", Value::Null), "401 Bad credentials", "a job's token ends with it");
}

#[test]
fn nobody_is_refused() {
    let world = World::new();
    let request = crate::github::http::ApiRequest::new(Get, "/repos/acme/charts");
    assert_eq!(world.hub.handle(&request).status, 401);
}

#[test]
fn the_workflow_token_opens_pull_requests_where_it_is_allowed() {
    let world = World::new().with_everybody(&["contents", "pull_requests"]);
    world.commit("feature", Some("main"), &[("x", Some("x"))]);
    world.import(&[("feature", &world.rev("feature"))]);
    let open = || world.answer(JOB, Post, "/pulls", json!({"title": "t", "head": "feature", "base": "main"}));
    let settings = || world.call(ADMIN, Get, "/actions/permissions/workflow", None).value();
    assert_eq!(settings(), json!({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": false}));
    assert_eq!(open(), "403 GitHub Actions is not permitted to create or approve pull requests.");
    world.done(ADMIN, Put, "/actions/permissions/workflow", json!({"can_approve_pull_request_reviews": true}));
    assert_eq!(settings()["can_approve_pull_request_reviews"], json!(true));
    assert_eq!(open(), "201");
}

/// What a token without `workflows: write` may do with branches once workflow files are about.
#[test]
fn workflow_files_move_with_permission_only() {
    let world = World::new().with_everybody(&["contents", "pull_requests"]);
    world.hub.let_actions_handle_pulls(true);
    let old = world.rev("main");
    world.commit("main", None, &[(".github/workflows/x.yml", Some("on: push\n"))]);
    let main = world.rev("main");
    world.hub.person("bob").unwrap().push("main", &main, false).unwrap();
    world.commit("plain", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    world.commit("edited", Some("main"), &[(".github/workflows/x.yml", Some("on: [push, schedule]\n"))]);
    world.import(&[("integration", &old), ("behind", &old)]);
    let (plain, edited) = (world.rev("plain"), world.rev("edited"));
    let new = |name: &str, sha: &str| json!({"ref": format!("refs/heads/{name}"), "sha": sha});
    let refusing = "403 refusing to allow a GitHub App to create or update workflow `.github/workflows/x.yml` without `workflows` permission";
    let rows = [
        ("a branch at main", JOB, Post, "/git/refs", new("a", &main), "201"),
        ("a branch at a commit main has had", JOB, Post, "/git/refs", new("b", &old), "201"),
        ("a branch with main's files", JOB, Post, "/git/refs", new("c", &plain), "201"),
        ("a branch with an edited file", JOB, Post, "/git/refs", new("d", &edited), refusing),
        ("an older branch moved over them", JOB, Patch, "/git/refs/heads/behind", json!({"sha": main}), refusing),
        ("the App may", APP, Patch, "/git/refs/heads/behind", json!({"sha": main}), "200"),
        ("the App may edit", APP, Post, "/git/refs", new("d", &edited), "201"),
    ];
    for (name, token, method, path, body, expected) in rows {
        assert_eq!(world.answer(token, method, path, body), expected, "{name}");
    }
    let number = world.post("/pulls", json!({"title": "back", "head": "main", "base": "integration"}))["number"].clone();
    let merge = |token| world.answer(token, Put, &format!("/pulls/{number}/merge"), json!({}));
    assert_eq!(merge(JOB), refusing, "main's workflow files do not come back with the workflow token");
    assert_eq!(merge(APP), "200");
}
