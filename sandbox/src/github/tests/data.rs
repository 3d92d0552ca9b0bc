use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chartflow_core::port::transport::Method::{self, Delete, Get, Patch, Post};
use serde_json::{Value, json};

use super::world::{ALICE, APP, World, contract};
use crate::github::route;

/// Asks and compares `status message: details`.
fn check(world: &World, name: &str, method: Method, path: &str, body: Value, expected: &str) {
    assert_eq!(world.answer(APP, method, path, body), expected, "{name}");
}

#[test]
fn an_empty_repository_answers_409_until_contents_make_the_first_branch() {
    let world = World::empty();
    check(&world, "blob", Post, "/git/blobs", json!({"content": "x"}), "409 Git Repository is empty.");
    check(&world, "ref", Get, "/git/ref/heads/main", Value::Null, "409 Git Repository is empty.");
    let made = world.put("/contents/README.md", json!({"message": "start", "content": STANDARD.encode("hello\n")}));
    assert_eq!(made["commit"]["sha"].as_str(), Some(world.tip("main").as_str()));
    check(&world, "after", Post, "/git/blobs", json!({"content": "x"}), "201");
}

#[test]
fn blobs() {
    let world = World::new();
    let plain = world.post("/git/blobs", json!({"content": "hello\n"}));
    assert_eq!(plain["sha"], "ce013625030ba8dba906f756967f9e9ca394464a");
    let bytes: Vec<u8> = (0..=255).collect();
    let binary = world.post("/git/blobs", json!({"content": STANDARD.encode(&bytes), "encoding": "base64"}));
    let read = world.get(&format!("/git/blobs/{}", binary["sha"].as_str().unwrap()));
    assert_eq!(STANDARD.decode(read["content"].as_str().unwrap().replace('\n', "")).unwrap(), bytes);
    assert_eq!(read["size"], 256);
    let raw = world.call_with(APP, Get, &format!("/git/blobs/{}", binary["sha"].as_str().unwrap()), None, "application/vnd.github.raw+json");
    assert_eq!(raw.body, bytes);
    check(&world, "bad base64", Post, "/git/blobs", json!({"content": "%", "encoding": "base64"}), "422 content is not valid Base64");
    check(&world, "missing content", Post, "/git/blobs", json!({}), "422 Invalid request.  \"content\" wasn't supplied.");
    check(&world, "unknown blob", Get, &format!("/git/blobs/{}", "0".repeat(40)), Value::Null, "404 Not Found");
    check(&world, "a tree is no blob", Get, &format!("/git/blobs/{}", world.rev("main^{tree}")), Value::Null, "404 Not Found");
}

#[test]
fn trees_are_made_of_a_base_and_changes() {
    let world = World::new();
    let base = world.rev("main^{tree}");
    let a = world.rev("main:charts/a");
    let file = |path: &str, content: &str| json!({"path": path, "mode": "100644", "type": "blob", "content": content});
    // Each row: name, with base, entries, the paths that are there afterwards.
    let rows: Vec<(&str, bool, Value, Vec<&str>)> = vec![
        ("inline content", true, json!([file("NOTES", "n\n")]), vec!["NOTES", "README.md", "charts/a/Chart.yaml", "charts/b/Chart.yaml"]),
        (
            "nested path",
            true,
            json!([file("charts/a/values.yaml", "v\n")]),
            vec!["README.md", "charts/a/Chart.yaml", "charts/a/values.yaml", "charts/b/Chart.yaml"],
        ),
        ("delete", true, json!([{"path": "README.md", "mode": "100644", "type": "blob", "sha": null}]), vec!["charts/a/Chart.yaml", "charts/b/Chart.yaml"]),
        (
            "delete leaves no empty directory",
            true,
            json!([{"path": "charts/b/Chart.yaml", "mode": "100644", "type": "blob", "sha": null}]),
            vec!["README.md", "charts/a/Chart.yaml"],
        ),
        ("delete a directory", true, json!([{"path": "charts/b", "mode": "040000", "type": "tree", "sha": null}]), vec!["README.md", "charts/a/Chart.yaml"]),
        (
            "graft a directory",
            true,
            json!([{"path": "charts/c", "mode": "040000", "type": "tree", "sha": a}]),
            vec!["README.md", "charts/a/Chart.yaml", "charts/b/Chart.yaml", "charts/c/Chart.yaml"],
        ),
        (
            "graft a directory and adjust it",
            true,
            json!([file("charts/c/values.yaml", "v\n"), {"path": "charts/c", "mode": "040000", "type": "tree", "sha": a}]),
            vec!["README.md", "charts/a/Chart.yaml", "charts/b/Chart.yaml", "charts/c/Chart.yaml", "charts/c/values.yaml"],
        ),
        ("no base is the whole tree", false, json!([file("only", "o\n")]), vec!["only"]),
        ("a file becomes a directory", true, json!([file("README.md/inside", "i\n")]), vec!["README.md/inside", "charts/a/Chart.yaml", "charts/b/Chart.yaml"]),
    ];
    for (name, with_base, entries, expected) in rows {
        let mut body = json!({"tree": entries});
        if with_base {
            body["base_tree"] = json!(base);
        }
        let made = world.post("/git/trees", body);
        let sha = made["sha"].as_str().unwrap();
        assert_eq!(world.origin(&["ls-tree", "-r", "--name-only", sha]).lines().collect::<Vec<_>>(), expected, "{name}");
        let read = world.get(&format!("/git/trees/{sha}?recursive=1"));
        let blobs: Vec<&str> = read["tree"].as_array().unwrap().iter().filter(|e| e["type"] == "blob").map(|e| e["path"].as_str().unwrap()).collect();
        assert_eq!(blobs, expected, "{name}: read back");
        assert_eq!(read["truncated"], false);
    }
    let grafted = world.post("/git/trees", json!({"base_tree": base, "tree": [{"path": "charts/b", "mode": "040000", "type": "tree", "sha": a}]}));
    let listed = world.origin(&["ls-tree", grafted["sha"].as_str().unwrap(), "charts/"]);
    assert!(listed.lines().all(|line| line.contains(&a)), "every byte of the graft is the source's: {listed}");
}

#[test]
fn trees_refuse_what_cannot_be_stored() {
    let world = World::new();
    let base = world.rev("main^{tree}");
    let blob = world.rev("main:README.md");
    let rows = [
        ("delete what is not there", json!({"path": "nothing", "mode": "100644", "type": "blob", "sha": null}), "422 GitRPC::BadObjectState"),
        ("unknown object", json!({"path": "x", "mode": "100644", "type": "blob", "sha": "1".repeat(40)}), "422 GitRPC::BadObjectState"),
        ("a blob as a tree", json!({"path": "x", "mode": "040000", "type": "tree", "sha": blob}), "422 GitRPC::BadObjectState"),
        ("dot dot", json!({"path": "a/../b", "mode": "100644", "type": "blob", "content": ""}), "422 tree.path contains a malformed path component"),
        ("git directory", json!({"path": "a/.GIT/b", "mode": "100644", "type": "blob", "content": ""}), "422 tree.path contains a malformed path component"),
        (
            "too deep",
            json!({"path": "a/".repeat(1000) + "a", "mode": "100644", "type": "blob", "content": ""}),
            "422 tree.path contains a malformed path component",
        ),
        ("absolute", json!({"path": "/a", "mode": "100644", "type": "blob", "content": ""}), "422 tree.path cannot start with a slash"),
        ("mode", json!({"path": "a", "mode": "100600", "type": "blob", "content": ""}), "422 Must supply a valid tree.mode"),
        ("neither", json!({"path": "a", "mode": "100644", "type": "blob"}), "422 Must supply either tree.sha or tree.content"),
    ];
    for (name, entry, expected) in rows {
        check(&world, name, Post, "/git/trees", json!({"base_tree": base, "tree": [entry]}), expected);
    }
    check(&world, "unknown base", Post, "/git/trees", json!({"base_tree": "1".repeat(40), "tree": []}), "422 base_tree is not a valid tree oid");
}

#[test]
fn commits_default_to_the_caller_and_the_hub_s_clock() {
    let world = World::new();
    let (tree, parent) = (world.rev("main^{tree}"), world.rev("main"));
    let body = json!({"message": "one", "tree": tree, "parents": [parent]});
    let bot = world.post("/git/commits", body.clone());
    assert_eq!(bot["author"]["name"], "chartflow[bot]");
    assert_eq!(bot["committer"], json!({"name": "GitHub", "email": "noreply@github.com", "date": "2023-11-15T01:00:01Z"}));
    assert_eq!((&bot["verification"]["verified"], &bot["verification"]["reason"]), (&json!(true), &json!("valid")));
    assert_eq!(
        world.origin(&["show", "-s", "--format=%an|%cn|%ct|%s|%P", bot["sha"].as_str().unwrap()]),
        format!("chartflow[bot]|GitHub|1700010001|one|{parent}")
    );

    let person = world.done(ALICE, Post, "/git/commits", body.clone());
    assert_eq!((&person["author"]["name"], &person["committer"]["name"]), (&json!("alice"), &json!("alice")));
    assert_eq!(person["verification"]["verified"], false);

    let mut named = body;
    named["author"] = json!({"name": "Carol", "email": "carol@example.com", "date": "2024-05-01T10:00:00+02:00"});
    let named = world.post("/git/commits", named);
    assert_eq!(named["verification"]["verified"], false, "a named author is not signed");
    assert_eq!(named["committer"], named["author"]);
    assert_eq!(world.origin(&["show", "-s", "--format=%ad", "--date=iso-strict", named["sha"].as_str().unwrap()]), "2024-05-01T10:00:00+02:00");
    assert_eq!(world.get(&format!("/git/commits/{}", named["sha"].as_str().unwrap()))["sha"], named["sha"]);

    check(&world, "tree", Post, "/git/commits", json!({"message": "m", "tree": parent}), "422 Tree SHA does not exist");
    let expected = "422 Parent SHA does not exist or is not a commit object";
    check(&world, "parent", Post, "/git/commits", json!({"message": "m", "tree": tree, "parents": [tree]}), expected);
    let expected = "422 Invalid request.  \"yesterday\" is not a valid date-time.";
    let body = json!({"message": "m", "tree": tree, "author": {"name": "n", "email": "e", "date": "yesterday"}});
    check(&world, "date", Post, "/git/commits", body, expected);
}

#[test]
fn a_tag_object_is_no_ref_until_one_is_made() {
    let world = World::new();
    let commit = world.rev("main");
    let tag = world.post("/git/tags", json!({"tag": "a-v1.0.0", "message": "first", "object": commit, "type": "commit"}));
    let sha = tag["sha"].as_str().unwrap();
    assert_eq!((&tag["object"]["sha"], &tag["verification"]["verified"]), (&json!(commit), &json!(true)));
    check(&world, "not yet", Get, "/git/ref/tags/a-v1.0.0", Value::Null, "404 Not Found");
    world.post("/git/refs", json!({"ref": "refs/tags/a-v1.0.0", "sha": sha}));
    assert_eq!(world.get("/git/ref/tags/a-v1.0.0")["object"]["type"], "tag");
    assert_eq!(world.get(&format!("/git/tags/{sha}"))["message"], "first\n");
    assert_eq!(world.origin(&["cat-file", "-t", "a-v1.0.0"]), "tag");
    let expected = "422 Object does not exist";
    check(&world, "object", Post, "/git/tags", json!({"tag": "t", "message": "m", "object": "1".repeat(40), "type": "commit"}), expected);
    check(&world, "kind", Post, "/git/tags", json!({"tag": "t", "message": "m", "object": commit, "type": "tree"}), "422 Object is not a tree");
}

#[test]
fn refs() {
    let world = World::new();
    let first = world.rev("main");
    let second = world.commit("main", None, &[("README.md", Some("more\n"))]);
    let tree = world.rev("main^{tree}");
    let make = |name: &str, sha: &str| json!({"ref": name, "sha": sha});
    check(&world, "create", Post, "/git/refs", make("refs/heads/integration", &first), "201");
    let rows = [
        ("exists", make("refs/heads/integration", &first), "422 Reference already exists"),
        ("a directory where a branch is", make("refs/heads/integration/a", &first), "422 Reference update failed"),
        ("unknown object", make("refs/heads/x", &"1".repeat(40)), "422 Object does not exist"),
        ("a branch is a commit", make("refs/heads/x", &tree), "422 Reference update failed"),
        ("other refs are anything", make("refs/chartflow/released", &tree), "201"),
        ("short", make("heads/x", &first), "422 heads/x is not a valid ref name."),
        ("bad name", make("refs/heads/a b", &first), "422 refs/heads/a b is not a valid ref name."),
        ("GitHub's own", make("refs/pull/1/head", &first), "422 Reference update failed"),
        ("no sha", json!({"ref": "refs/heads/x"}), "422 Invalid request.  \"sha\" wasn't supplied."),
    ];
    for (name, body, expected) in rows {
        check(&world, name, Post, "/git/refs", body, expected);
    }
    check(&world, "a branch where a directory is", Post, "/git/refs", make("refs/heads/deep/er", &first), "201");
    check(&world, "a branch where a directory is", Post, "/git/refs", make("refs/heads/deep", &first), "422 Reference update failed");
    check(&world, "missing on patch is 422", Patch, "/git/refs/heads/none", json!({"sha": first}), "422 Reference does not exist");
    check(&world, "fast forward", Patch, "/git/refs/heads/integration", json!({"sha": second}), "200");
    check(&world, "same again", Patch, "/git/refs/heads/integration", json!({"sha": second}), "200");
    check(&world, "not a fast forward", Patch, "/git/refs/heads/integration", json!({"sha": first}), "422 Update is not a fast forward");
    check(&world, "forced", Patch, "/git/refs/heads/integration", json!({"sha": first, "force": true}), "200");
    assert_eq!(world.tip("integration"), first);
    check(&world, "encoded slash", Get, "/git/ref/heads%2Fdeep%2Fer", Value::Null, "200");
    check(&world, "exact, no prefix", Get, "/git/ref/heads/integ", Value::Null, "404 Not Found");
    let names = |path: &str| world.get(path).as_array().unwrap().iter().map(|r| r["ref"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names("/git/matching-refs/heads/integ"), ["refs/heads/integration"]);
    assert_eq!(names("/git/matching-refs/heads/"), ["refs/heads/deep/er", "refs/heads/integration", "refs/heads/main"]);
    assert_eq!(names("/git/matching-refs/heads/none"), [""; 0]);
    check(&world, "delete", Delete, "/git/refs/heads/deep/er", Value::Null, "204");
    check(&world, "delete again", Delete, "/git/refs/heads/deep/er", Value::Null, "422 Reference does not exist");
    check(&world, "the way is free", Post, "/git/refs", make("refs/heads/deep", &first), "201");
    check(&world, "default branch", Delete, "/git/refs/heads/main", Value::Null, "422 Reference update failed");
    insta::assert_snapshot!(world.story().join(", "), @"create integration, create refs/chartflow/released, create deep/er, push integration, force integration, delete deep/er, create deep");
}

#[test]
fn every_operation_is_one_of_github_s() {
    assert_eq!(contract().unknown_routes(route::table()), [""; 0]);
}

#[test]
fn requests_are_judged_before_they_are_handled() {
    let world = World::new();
    check(&world, "no such operation", Get, "/nothing/here", Value::Null, "404 Not Found");
    assert_eq!(world.answer("stolen", Get, "/git/ref/heads/main", Value::Null), "401 Bad credentials");
    let other = crate::github::http::ApiRequest::new(Get, "/repos/acme/other").with_header("authorization", &format!("token {APP}"));
    assert_eq!(world.hub.handle(&other).status, 404);
    let mut garbled = crate::github::http::ApiRequest::new(Post, "/repos/acme/charts/git/blobs").with_header("authorization", &format!("token {APP}"));
    garbled.body = b"{".to_vec();
    let answer = world.hub.handle(&garbled);
    assert_eq!((answer.status, &answer.value()["message"]), (400, &json!("Problems parsing JSON")));
    let counts = world.hub.counts();
    assert_eq!((counts["app"].total, counts["app"].creating), (2, 0), "unauthenticated requests are nobody's, and unknown operations nothing");
}
