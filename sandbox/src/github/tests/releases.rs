use chartflow_core::port::transport::Method::{self, Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

use super::world::{ADMIN, APP, JOB, READER, World};
use crate::github::http::{ApiRequest, ApiResponse};
use crate::github::limits::Fault;

/// `a-v1.0.0` is a tag at main.
fn world() -> World {
    let world = World::new().with_everybody(&["contents"]);
    world.post("/git/refs", json!({"ref": "refs/tags/a-v1.0.0", "sha": world.rev("main")}));
    world
}

fn draft(world: &World) -> Value {
    world.post("/releases", json!({"tag_name": "a-v1.0.0", "name": "a 1.0.0", "draft": true, "make_latest": "false"}))
}

fn upload(world: &World, release: &Value, name: &str, bytes: &[u8]) -> ApiResponse {
    let template = release["upload_url"].as_str().unwrap();
    let target = template.strip_prefix(&world.hub.base_url()).unwrap().replace("{?name,label}", &format!("?name={name}"));
    let mut request = ApiRequest::new(Post, &target).with_header("authorization", &format!("Bearer {APP}")).with_header("content-type", "application/gzip");
    request.body = bytes.to_vec();
    world.hub.handle(&request)
}

fn told(response: &ApiResponse) -> String {
    let value = response.value();
    let error = &value["errors"][0];
    format!("{} {} {}", response.status, error["code"].as_str().unwrap_or_default(), error["message"].as_str().unwrap_or_default()).trim().to_owned()
}

#[test]
fn a_release_is_drafted_filled_and_published() {
    let world = world();
    let release = draft(&world);
    let id = release["id"].clone();
    let by_tag = |token| world.answer(token, Get, "/releases/tags/a-v1.0.0", Value::Null);
    assert_eq!(by_tag(APP), "404 Not Found", "a draft is never found by its tag");
    assert_eq!(world.answer(READER, Get, &format!("/releases/{id}"), Value::Null), "404 Not Found");
    assert_eq!(world.call(READER, Get, "/releases", None).value(), json!([]));
    assert!(release["html_url"].as_str().unwrap().contains("/releases/tag/untagged-"), "{release}");

    let asset = upload(&world, &release, "a-1.0.0.tgz", b"bytes");
    assert_eq!(asset.status, 201);
    let asset = asset.value();
    assert_eq!((asset["state"].as_str(), asset["size"].as_u64()), (Some("uploaded"), Some(5)));
    assert_eq!(asset["digest"], "sha256:277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9");
    assert_eq!(told(&upload(&world, &release, "a-1.0.0.tgz", b"bytes")), "422 already_exists");
    assert_eq!(upload(&world, &release, "a%20b.tgz", b"").value()["name"], "a.b.tgz", "GitHub renames");
    let path = format!("/releases/assets/{}", asset["id"]);
    assert_eq!(world.call_with(READER, Get, &path, None, "application/octet-stream").status, 404);
    assert_eq!(world.call_with(APP, Get, &path, None, "application/octet-stream").body, b"bytes");

    let published = world.done(APP, Patch, &format!("/releases/{id}"), json!({"draft": false}));
    assert_eq!((published["draft"].as_bool(), published["immutable"].as_bool()), (Some(false), Some(false)));
    assert_eq!(by_tag(READER), "200");
    assert_eq!(world.call_with(READER, Get, &path, None, "application/octet-stream").body, b"bytes");
    assert_eq!(world.get(&format!("/releases/{id}/assets")).as_array().unwrap().len(), 2);
}

#[test]
fn releases_are_refused_with_reasons() {
    let world = world();
    let new = |tag: &str, draft: bool| json!({"tag_name": tag, "draft": draft});
    let rows = [
        ("no tag", json!({}), "422 Invalid request.  \"tag_name\" wasn't supplied."),
        ("no target", json!({"tag_name": "b-v1.0.0", "target_commitish": "nowhere"}), "422 Validation Failed: target_commitish invalid"),
        ("a long text", json!({"tag_name": "b-v1.0.0", "body": "ä".repeat(125_001)}), "422 Validation Failed: body is too long (maximum is 125000 characters)"),
        ("a draft", new("a-v1.0.0", true), "201"),
        ("a second draft of the tag", new("a-v1.0.0", true), "201"),
        ("published at once", new("a-v1.0.0", false), "201"),
        ("the tag again", new("a-v1.0.0", false), "422 Validation Failed: tag_name already_exists"),
        ("a draft of it again", new("a-v1.0.0", true), "422 Validation Failed: tag_name already_exists"),
    ];
    for (name, body, expected) in rows {
        assert_eq!(world.answer(APP, Post, "/releases", body), expected, "{name}");
    }
    assert_eq!(world.answer(READER, Post, "/releases", new("b-v1.0.0", true)), "404 Not Found");
}

#[test]
fn publishing_makes_a_missing_tag_under_the_rules() {
    let world = world();
    assert_eq!(world.answer(APP, Post, "/releases", json!({"tag_name": "b-v1.0.0"})), "201");
    assert_eq!(world.origin(&["cat-file", "-t", "b-v1.0.0"]), "commit", "a lightweight one");
    let conditions = json!({"ref_name": {"include": ["refs/tags/c-*"], "exclude": []}});
    let rule = json!({"name": "tags", "target": "tag", "enforcement": "active", "conditions": conditions, "rules": [{"type": "creation"}]});
    world.done(ADMIN, Post, "/rulesets", rule);
    let refused = world.answer(APP, Post, "/releases", json!({"tag_name": "c-v1.0.0"}));
    assert_eq!(refused, "422 Repository rule violations found  Cannot create ref due to creations being restricted.");
}

#[test]
fn an_immutable_release_is_frozen() {
    let world = world();
    let check = |name: &str, method: Method, path: &str, body: Value, expected: &str| {
        assert_eq!(world.answer(ADMIN, method, path, body), expected, "{name}");
    };
    check("off", Get, "/immutable-releases", Value::Null, "404 Not Found");
    check("switched on", Put, "/immutable-releases", Value::Null, "204");
    check("on", Get, "/immutable-releases", Value::Null, "200");
    let release = draft(&world);
    let id = release["id"].clone();
    let asset = upload(&world, &release, "a.tgz", b"bytes").value()["id"].clone();
    check("published", Patch, &format!("/releases/{id}"), json!({"draft": false}), "200");
    assert_eq!(world.get(&format!("/releases/{id}"))["immutable"], true);
    assert_eq!(told(&upload(&world, &release, "b.tgz", b"bytes")), "422 custom Cannot upload assets to an immutable release.");
    check(
        "its files stay",
        Delete,
        &format!("/releases/assets/{asset}"),
        Value::Null,
        "422 Validation Failed: Cannot delete assets from an immutable release.",
    );
    check(
        "its tag stays",
        Delete,
        "/git/refs/tags/a-v1.0.0",
        Value::Null,
        "422 Repository rule violations found  Cannot update or delete tag a-v1.0.0: it belongs to an immutable release",
    );
    check("its text may change", Patch, &format!("/releases/{id}"), json!({"body": "words"}), "200");
    check("it may go", Delete, &format!("/releases/{id}"), Value::Null, "204");
    check("its tag is used up", Post, "/releases", json!({"tag_name": "a-v1.0.0"}), "422 Validation Failed: tag_name was used by an immutable release");
}

#[test]
fn a_broken_upload_leaves_a_starter() {
    let world = world();
    let release = draft(&world);
    world.hub.inject(1, Fault::LoseAnswer);
    assert_eq!(upload(&world, &release, "a.tgz", b"bytes").status, 502);
    let assets = world.get(&format!("/releases/{}/assets", release["id"]));
    assert_eq!((assets[0]["state"].as_str(), &assets[0]["digest"]), (Some("starter"), &Value::Null));
    assert_eq!(told(&upload(&world, &release, "a.tgz", b"bytes")), "422 already_exists", "it keeps its name");
    assert_eq!(world.answer(APP, Delete, &format!("/releases/assets/{}", assets[0]["id"]), Value::Null), "204");
    assert_eq!(upload(&world, &release, "a.tgz", b"bytes").status, 201);
}

#[test]
fn the_workflow_token_releases_only_beside_mains_workflow_files() {
    let world = world();
    world.commit("main", None, &[(".github/workflows/x.yml", Some("on: push\n"))]);
    world.hub.person("ada").unwrap().push("main", &world.rev("main"), false).unwrap();
    let new = json!({"tag_name": "a-v1.0.0", "draft": true});
    assert_eq!(world.answer(JOB, Post, "/releases", new.clone()), "201", "the tag's commit has no workflow files");
    let older = world.rev("main");
    world.commit("main", None, &[(".github/workflows/x.yml", Some("on: [push]\n"))]);
    world.hub.person("ada").unwrap().push("main", &world.rev("main"), false).unwrap();
    let of = |sha: &str| json!({"tag_name": "b-v1.0.0", "target_commitish": sha, "draft": true});
    assert_eq!(world.answer(JOB, Post, "/releases", of(&older)), "403 Resource not accessible by integration");
    assert_eq!(world.answer(APP, Post, "/releases", of(&older)), "201");
}
