use chartflow_core::port::transport::Method::{self, Get, Post, Put};
use serde_json::{Value, json};

use super::world::{APP, World};
use crate::github::rules::MergeMethod;
use crate::github::{Hub, HubOptions};

fn check(world: &World, name: &str, method: Method, path: &str, body: Value, expected: &str) {
    assert_eq!(world.answer(APP, method, path, body), expected, "{name}");
}

#[test]
fn the_repository_and_its_branches() {
    let world = World::new();
    let repository = world.get("");
    assert_eq!((&repository["full_name"], &repository["default_branch"], &repository["id"]), (&json!("acme/charts"), &json!("main"), &json!(1001)));
    world.branch("release/one", &world.rev("main"));
    assert_eq!(world.get("/branches/release/one")["commit"]["sha"], json!(world.rev("main")));
    assert_eq!(world.get("/branches/release%2Fone")["name"], "release/one");
    assert_eq!(world.get("/branches")[1]["name"], "release/one");
    check(&world, "none", Get, "/branches/none", Value::Null, "404 Branch not found");
}

/// Answers are held against GitHub's description, in which addresses are URIs.
#[test]
fn branches_of_any_name_have_addresses() {
    let world = World::new();
    let (name, encoded) = ("f/<a>\"b\"|%{c}#é", "f/%3Ca%3E%22b%22%7C%25%7Bc%7D%23%C3%A9");
    world.branch(name, &world.rev("main"));
    let check = |path: &str, at: &str, address: &str| {
        let answer = world.get(&path.replace("NAME", encoded));
        let found = answer.pointer(at).and_then(Value::as_str).unwrap_or_default();
        assert!(found.ends_with(&address.replace("NAME", encoded)), "{path}: {found}");
    };
    check("/git/ref/heads/NAME", "/url", "/git/refs/heads/NAME");
    check("/branches/NAME", "/_links/html", "/tree/NAME");
    check("/contents/README.md?ref=NAME", "/html_url", "/blob/NAME/README.md");
    check("/compare/main...NAME", "/url", "/compare/main...NAME");
}

#[test]
fn contents_are_read_at_any_commit() {
    let world = World::new();
    let first = world.rev("main");
    world.commit("main", None, &[("charts/a/Chart.yaml", Some("name: a\nversion: 2\n")), ("big", Some(&"x".repeat(1_100_000)))]);
    std::os::unix::fs::symlink("charts/a/Chart.yaml", world.dir.path().join("user/link")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", world.dir.path().join("user/out")).unwrap();
    let second = world.commit("main", None, &[]);
    world.hub.person("alice").unwrap().push("main", &second, false).unwrap();
    let raw = |path: &str| world.call_with(APP, Get, path, None, "application/vnd.github.raw+json");
    let text = |path: &str| String::from_utf8(raw(path).body).unwrap();
    assert_eq!(text("/contents/charts/a/Chart.yaml"), "name: a\nversion: 2\n");
    assert_eq!(text(&format!("/contents/charts/a/Chart.yaml?ref={first}")), "name: a\n");
    assert_eq!(text("/contents/link"), "name: a\nversion: 2\n", "a link is followed");
    assert_eq!(raw("/contents/big").body.len(), 1_100_000);
    let file = world.get("/contents/README.md");
    assert_eq!((&file["type"], &file["content"], &file["encoding"], &file["size"]), (&json!("file"), &json!("aGVsbG8K\n"), &json!("base64"), &json!(6)));
    let big = world.get("/contents/big");
    assert_eq!((&big["content"], &big["encoding"], &big["size"]), (&json!(""), &json!("none"), &json!(1_100_000)));
    assert_eq!(world.get("/contents/out")["target"], "/etc/passwd", "a link out is only named");
    let names = |listing: &Value| listing.as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&world.get("/contents/charts")), ["charts/a", "charts/b"]);
    assert_eq!(names(&world.get("/contents/")), ["README.md", "big", "charts", "link", "out"]);
    let object = world.call_with(APP, Get, "/contents/charts", None, "application/vnd.github.object+json").value();
    assert_eq!((&object["type"], names(&object["entries"])), (&json!("dir"), vec!["charts/a".to_owned(), "charts/b".to_owned()]));
    check(&world, "missing file", Get, "/contents/none", Value::Null, "404 Not Found");
    check(&world, "missing ref", Get, "/contents/README.md?ref=none", Value::Null, "404 No commit found for the ref none");
    // A ref outside branches and tags is read by the commit it points at.
    world.post("/git/refs", json!({"ref": "refs/chartflow/attestations", "sha": first}));
    let commit = world.get("/git/ref/chartflow/attestations")["object"]["sha"].as_str().unwrap().to_owned();
    assert_eq!(text(&format!("/contents/README.md?ref={commit}")), "hello\n");
}

#[test]
fn contents_are_written_against_the_blob_that_is_there() {
    let world = World::new();
    let old = world.rev("main:README.md");
    let body = json!({"message": "m", "content": "aGk="});
    check(&world, "no sha", Put, "/contents/README.md", body.clone(), "422 Invalid request.  \"sha\" wasn't supplied.");
    let with = |sha: &str| json!({"message": "m", "content": "aGk=", "sha": sha});
    check(&world, "other sha", Put, "/contents/README.md", with(&"1".repeat(40)), &format!("409 README.md does not match {}", "1".repeat(40)));
    check(&world, "right sha", Put, "/contents/README.md", with(&old), "200");
    check(&world, "new file", Put, "/contents/docs/new.md", body, "201");
    check(&world, "no branch", Put, "/contents/x", json!({"message": "m", "content": "", "branch": "none"}), "404 Branch none not found");
    assert_eq!(
        world.origin(&["ls-tree", "-r", "--name-only", "main"]).lines().collect::<Vec<_>>(),
        ["README.md", "charts/a/Chart.yaml", "charts/b/Chart.yaml", "docs/new.md"]
    );
}

#[test]
fn comparison_is_of_the_merge_base_and_the_head() {
    let world = World::new();
    let base = world.rev("main");
    for n in 0..3 {
        world.commit("feature", Some("main"), &[("charts/a/values.yaml", Some(&format!("n: {n}\n")))]);
    }
    world.commit("main", None, &[("README.md", Some("other\n"))]);
    let alice = world.hub.person("alice").unwrap();
    alice.push("feature", &world.rev("feature"), false).unwrap();
    alice.push("main", &world.rev("main"), false).unwrap();
    let compared = world.get("/compare/main...feature");
    let fields = |keys: [&str; 4]| keys.map(|key| compared[key].clone());
    assert_eq!(fields(["status", "ahead_by", "behind_by", "total_commits"]), [json!("diverged"), json!(3), json!(1), json!(3)]);
    assert_eq!(compared["merge_base_commit"]["sha"], json!(base));
    assert_eq!(compared["commits"][2]["sha"], json!(world.rev("feature")), "oldest first");
    let files: Vec<_> = compared["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["filename"].as_str().unwrap(), f["status"].as_str().unwrap(), f["additions"].as_u64()))
        .collect();
    assert_eq!(files, [("charts/a/values.yaml", "added", Some(1))]);
    assert_eq!(world.get("/compare/acme:main...acme:main")["status"], "identical");
    assert_eq!(world.get(&format!("/compare/main...{base}"))["status"], "behind");
    let second = world.call(APP, Get, "/compare/main...feature?per_page=2&page=2", None);
    assert_eq!(second.value()["commits"].as_array().unwrap().len(), 1);
    assert_eq!(second.value()["files"], Value::Null, "files come with the first page alone");
    assert!(second.headers["link"].contains("rel=\"prev\""), "{:?}", second.headers);
    check(&world, "missing", Get, "/compare/main...none", Value::Null, "404 Not Found");
    world.commit("orphan", None, &[("x", Some("x"))]);
    alice.push("orphan", &world.rev("orphan"), false).unwrap();
    check(&world, "unrelated", Get, "/compare/main...orphan", Value::Null, "404 No common ancestor between main and orphan.");
}

#[test]
fn comparison_has_limits() {
    let world = World::new();
    let files: Vec<(String, String)> = (0..310).map(|n| (format!("many/{n:03}"), format!("{n}\n"))).collect();
    let files: Vec<(&str, Option<&str>)> = files.iter().map(|(path, content)| (path.as_str(), Some(content.as_str()))).collect();
    world.commit("feature", Some("main"), &files);
    // 252 commits without a process each.
    world.hub.person("alice").unwrap().push("feature", &world.rev("feature"), false).unwrap();
    let (tree, mut parent) = (world.rev("feature^{tree}"), world.rev("feature"));
    for n in 0..252 {
        parent = world.post("/git/commits", json!({"message": n.to_string(), "tree": tree, "parents": [parent]}))["sha"].as_str().unwrap().to_owned();
    }
    world.done(APP, Method::Patch, "/git/refs/heads/feature", json!({"sha": parent}));
    let compared = world.get("/compare/main...feature");
    let lengths = ["commits", "files"].map(|key| compared[key].as_array().unwrap().len());
    assert_eq!((lengths, &compared["total_commits"]), ([250, 300], &json!(253)));
    let last = world.get("/compare/main...feature?per_page=100&page=3");
    assert_eq!(last["commits"].as_array().unwrap().len(), 53);
    let number = world.hub.person("alice").unwrap().open("feature", "main", "Many", "").unwrap();
    let listed: usize = (1..=3).map(|page| world.get(&format!("/pulls/{number}/commits?per_page=100&page={page}")).as_array().unwrap().len()).sum();
    assert_eq!(listed, 250, "a pull request lists 250 commits");
    assert_eq!(world.get(&format!("/pulls/{number}"))["commits"], 253);
    assert_eq!(world.get(&format!("/pulls/{number}/files?per_page=100&page=4")).as_array().unwrap().len(), 10);
}

#[test]
fn commits_name_their_files_and_renames() {
    let world = World::new();
    world.commit("feature", Some("main"), &[("charts/b/Chart.yaml", None), ("charts/c/Chart.yaml", Some("name: b\n"))]);
    world.hub.person("alice").unwrap().push("feature", &world.rev("feature"), false).unwrap();
    let commit = world.get("/commits/feature");
    assert_eq!(commit["files"].as_array().unwrap().len(), 1);
    let file = &commit["files"][0];
    assert_eq!(
        (&file["status"], &file["filename"], &file["previous_filename"]),
        (&json!("renamed"), &json!("charts/c/Chart.yaml"), &json!("charts/b/Chart.yaml"))
    );
    assert_eq!(commit["author"], Value::Null, "nobody here has carol's address");
    let listed = world.get("/commits?sha=feature&per_page=1");
    assert_eq!(listed[0]["sha"], json!(world.rev("feature")));
    assert_eq!(world.get("/commits?sha=feature&path=README.md").as_array().unwrap().len(), 1);
    check(&world, "unknown", Get, "/commits/none", Value::Null, "422 No commit found for SHA: none");
}

#[test]
fn a_commit_s_pull_requests() {
    let world = World::new();
    world.branch("integration", &world.rev("main"));
    world.commit("feature", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    let own = world.rev("feature");
    let number = world.open("feature", "integration");
    let pulls = |sha: &str| world.get(&format!("/commits/{sha}/pulls")).as_array().unwrap().iter().map(|p| p["number"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(pulls(&own), [number], "open");
    let squashed = world.hub.person("bob").unwrap().merge(number, MergeMethod::Squash).unwrap().to_string();
    assert_eq!(pulls(&squashed), [number], "the squash commit");
    assert_eq!(pulls(&own), [number], "its own commit, which is nowhere now");
    let onward = world.hub.person("alice").unwrap().open("integration", "main", "Onward", "").unwrap();
    assert_eq!(pulls(&squashed), [number, onward], "off the default branch: all that hold it");
    let merged = world.hub.person("bob").unwrap().merge(onward, MergeMethod::Merge).unwrap().to_string();
    assert_eq!(pulls(&merged), [onward]);
    assert_eq!(pulls(&squashed), [onward], "on the default branch: the one that brought it there");
    assert_eq!(pulls(&world.rev("main")), [0; 0], "before any pull request");
    check(&world, "unknown", Get, &format!("/commits/{}/pulls", "1".repeat(40)), Value::Null, &format!("422 No commit found for SHA: {}", "1".repeat(40)));
}

#[test]
fn branches_merge_without_a_pull_request() {
    let world = World::new();
    world.commit("feature", Some("main"), &[("README.md", Some("theirs\n"))]);
    world.commit("main", None, &[("README.md", Some("ours\n"))]);
    let alice = world.hub.person("alice").unwrap();
    alice.push("feature", &world.rev("feature"), false).unwrap();
    let merge = |base: &str, head: &str| json!({"base": base, "head": head});
    check(&world, "forward", Post, "/merges", merge("main", "feature"), "201");
    check(&world, "nothing to do", Post, "/merges", merge("main", "feature"), "204");
    world.branch("other", &world.rev("main"));
    check(&world, "conflict", Post, "/merges", merge("main", "other"), "409 Merge conflict");
    check(&world, "missing base", Post, "/merges", merge("none", "other"), "404 Base does not exist");
    check(&world, "missing head", Post, "/merges", merge("main", "none"), "404 Head does not exist");
}

#[test]
fn objects_are_borrowed_from_a_shallow_clone_and_nothing_is_written_there() {
    let world = World::new();
    world.commit("main", None, &[("README.md", Some("second\n"))]);
    let clone = world.dir.path().join("shallow.git");
    let url = format!("file://{}", world.dir.path().join("user").display());
    world.origin(&["clone", "-q", "--bare", "--depth", "1", &url, &clone.display().to_string()]);
    let listing = || world.origin(&["-C", &clone.display().to_string(), "count-objects", "-v"]);
    let before = listing();
    let options = HubOptions { objects_from: Some(clone.join("objects")), ..HubOptions::new("acme", "charts") };
    let dir = world.dir.path().join("second");
    let hub = Hub::create(&dir, options).unwrap();
    let main = world.rev("main");
    hub.import_references(&[("refs/heads/main".to_owned(), main.parse().unwrap()), ("refs/tags/v1".to_owned(), main.parse().unwrap())]).unwrap();
    hub.add_actor(world.hub.lock().actors["alice"].clone());
    let alice = hub.person("alice").unwrap();
    let listed = alice.call(Get, "/commits", &Value::Null).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1, "the history ends where the clone's does");
    alice.call(Put, "/contents/new", &json!({"message": "m", "content": "aGk="})).unwrap();
    assert_eq!(hub.reference("refs/tags/v1").map(|id| id.to_string()), Some(main));
    assert_eq!(listing(), before);
}
