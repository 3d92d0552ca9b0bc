use chartflow_core::port::transport::Method::{self, Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

use super::world::{ALICE, APP, BOB, World};
use crate::github::rules::MergeMethod;

fn check(world: &World, name: &str, method: Method, path: &str, body: Value, expected: &str) {
    assert_eq!(world.answer(APP, method, path, body), expected, "{name}");
}

/// `integration` at main, and a branch `feature` with one commit by carol.
fn with_feature() -> World {
    let world = World::new();
    world.branch("integration", &world.rev("main"));
    world.commit("feature", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    world
}

#[test]
fn opening_is_refused_with_reasons() {
    let world = with_feature();
    world.hub.person("alice").unwrap().push("feature", &world.rev("feature"), false).unwrap();
    world.commit("orphan", None, &[("x", Some("x"))]);
    world.hub.person("alice").unwrap().push("orphan", &world.rev("orphan"), false).unwrap();
    let new = |head: &str, base: &str| json!({"title": "t", "head": head, "base": base});
    let rows = [
        ("unknown head", new("none", "integration"), "422 Validation Failed: head invalid"),
        ("unknown base", new("feature", "none"), "422 Validation Failed: base invalid"),
        ("both", new("none", "nobody"), "422 Validation Failed: head invalid: base invalid"),
        ("a fork's head", new("mallory:feature", "integration"), "422 Validation Failed: head invalid"),
        ("nothing to merge", new("main", "integration"), "422 Validation Failed: No commits between integration and main"),
        ("unrelated", new("orphan", "main"), "422 Validation Failed: The orphan branch has no history in common with main"),
        ("no title", json!({"head": "feature", "base": "integration"}), "422 Validation Failed: title missing_field"),
        ("no head", json!({"title": "t", "base": "integration"}), "422 Invalid request.  \"head\" wasn't supplied."),
        ("fine", new("acme:feature", "integration"), "201"),
        ("again", new("feature", "integration"), "422 Validation Failed: A pull request already exists for acme:feature."),
        ("other base", new("feature", "main"), "201"),
    ];
    for (name, body, expected) in rows {
        check(&world, name, Post, "/pulls", body, expected);
    }
    let body = |length: usize| json!({"title": "t", "head": "feature", "base": "integration", "body": "ä".repeat(length)});
    check(&world, "long body", Post, "/pulls", body(65_537), "422 Validation Failed: body is too long (maximum is 65536 characters)");
    check(&world, "longest body", Patch, "/pulls/1", json!({"body": "ä".repeat(65_536)}), "200");
    check(&world, "long body", Patch, "/pulls/1", json!({"body": "ä".repeat(65_537)}), "422 Validation Failed: body is too long (maximum is 65536 characters)");
}

#[test]
fn lists_filter() {
    let world = with_feature();
    world.commit("second", Some("main"), &[("charts/b/values.yaml", Some("two\n"))]);
    let (first, second, third) = (world.open("feature", "integration"), world.open("second", "integration"), world.open("second", "main"));
    world.done(APP, Patch, &format!("/pulls/{third}"), json!({"state": "closed"}));
    let numbers = |query: &str| world.get(&format!("/pulls?{query}")).as_array().unwrap().iter().map(|p| p["number"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(""), [second, first], "open ones, newest first");
    assert_eq!(numbers("state=all"), [third, second, first]);
    assert_eq!(numbers("state=closed"), [third]);
    assert_eq!(numbers("state=all&base=main"), [third]);
    assert_eq!(numbers("head=acme:feature"), [first]);
    assert_eq!(numbers("head=feature"), [second, first], "without an owner it is no filter");
    assert_eq!(numbers("head=other:feature"), [0; 0]);
    assert_eq!(numbers("state=all&direction=asc&per_page=2&page=2"), [third]);
    check(&world, "state", Get, "/pulls?state=merged", Value::Null, "422 Validation Failed: state invalid");
}

#[test]
fn mergeability_is_found_out_in_the_background() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}");
    let seen = |pull: &Value| (pull["mergeable"].clone(), pull["mergeable_state"].as_str().unwrap().to_owned());
    let first = world.get(&path);
    assert_eq!((seen(&first), &first["merge_commit_sha"]), ((Value::Null, "unknown".to_owned()), &Value::Null));
    let second = world.get(&path);
    assert_eq!(seen(&second), (json!(true), "clean".to_owned()));
    let test_merge = world.origin(&["rev-parse", &format!("refs/pull/{number}/merge")]);
    assert_eq!(second["merge_commit_sha"], json!(test_merge));
    assert_eq!(world.origin(&["show", "-s", "--format=%P", &test_merge]), format!("{} {}", world.tip("integration"), world.rev("feature")));
    assert_eq!([&second["commits"], &second["additions"], &second["changed_files"]], [&json!(1), &json!(1), &json!(1)]);

    world.commit("conflict", Some("main"), &[("charts/a/values.yaml", Some("other\n"))]);
    world.hub.person("bob").unwrap().push("integration", &world.rev("conflict"), false).unwrap();
    assert_eq!(seen(&world.get(&path)), (Value::Null, "unknown".to_owned()), "the base moved");
    assert_eq!(seen(&world.get(&path)), (json!(false), "dirty".to_owned()));
    check(&world, "a conflict", Put, &format!("{path}/merge"), json!({}), "405 Pull Request is not mergeable");

    world.commit("orphan", None, &[("x", Some("x"))]);
    world.hub.person("alice").unwrap().push("feature", &world.rev("orphan"), true).unwrap();
    world.get(&path);
    assert_eq!(seen(&world.get(&path)), (json!(false), "dirty".to_owned()), "the head has another history now");
}

#[test]
fn merge_methods_make_git_s_own_commits() {
    for (method, parents, author, signed, message) in [
        (MergeMethod::Merge, 2, "bob|GitHub", true, "Merge pull request #1 from acme/feature\n\nBring feature"),
        (MergeMethod::Squash, 1, "alice|GitHub", true, "change feature (#1)\n\nCo-authored-by: carol <carol@example.com>"),
        (MergeMethod::Rebase, 1, "carol|bob", false, "change feature"),
    ] {
        let world = with_feature();
        world.commit("more", Some("main"), &[("charts/b/values.yaml", Some("b\n"))]);
        let number = world.open("feature", "integration");
        world.hub.person("bob").unwrap().push("integration", &world.rev("more"), false).unwrap();
        let base = world.tip("integration");
        let sha = world.hub.person("bob").unwrap().merge(number, method).unwrap().to_string();
        assert_eq!(world.tip("integration"), sha, "{method:?}");
        let shown = |format: &str| world.origin(&["show", "-s", &format!("--format={format}"), &sha]);
        assert_eq!(shown("%P").split(' ').count(), parents, "{method:?}");
        assert_eq!((shown("%an|%cn"), shown("%B")), (author.to_owned(), message.to_owned()), "{method:?}");
        assert_eq!(world.get(&format!("/git/commits/{sha}"))["verification"]["verified"], json!(signed), "{method:?}");
        let files = world.origin(&["ls-tree", "-r", "--name-only", &sha]);
        assert_eq!(
            files.lines().collect::<Vec<_>>(),
            ["README.md", "charts/a/Chart.yaml", "charts/a/values.yaml", "charts/b/Chart.yaml", "charts/b/values.yaml"]
        );
        let pull = world.get(&format!("/pulls/{number}"));
        assert_eq!([&pull["merged"], &pull["state"], &pull["merge_commit_sha"]], [&json!(true), &json!("closed"), &json!(sha)], "{method:?}");
        assert_eq!([&pull["base"]["sha"], &pull["merged_by"]["login"]], [&json!(base), &json!("bob")], "{method:?}: the base as it was");
        assert_eq!(world.get(&format!("/pulls/{number}/commits")).as_array().unwrap().len(), 1, "{method:?}: still its own commit");
    }
}

#[test]
fn a_squash_lists_messages_and_a_rebase_repeats_commits() {
    let world = with_feature();
    world.commit_as("alice", "feature", None, &[("charts/a/values.yaml", Some("two\n"))], "feat(a): two\n\nwith a body");
    let number = world.open("feature", "integration");
    let sha = world.done(BOB, Put, &format!("/pulls/{number}/merge"), json!({"merge_method": "squash"}))["sha"].as_str().unwrap().to_owned();
    let expected = "Bring feature (#1)\n\n* change feature\n\n* feat(a): two\n\nwith a body\n\nCo-authored-by: carol <carol@example.com>";
    assert_eq!(world.origin(&["show", "-s", "--format=%B", &sha]), expected);

    world.commit("other", Some("main"), &[("charts/b/values.yaml", Some("1\n"))]);
    world.commit("side", Some("main"), &[("NOTES", Some("n\n"))]);
    // A merge commit inside the branch disappears in a rebase.
    world.commit("other", None, &[("charts/b/values.yaml", Some("2\n"))]);
    let rebased = world.open("other", "integration");
    let own = json!({"merge_method": "rebase"});
    let tip = world.done(BOB, Put, &format!("/pulls/{rebased}/merge"), own)["sha"].as_str().unwrap().to_owned();
    assert_eq!(world.origin(&["log", "--format=%s|%an|%cn", &format!("{sha}..{tip}")]), "change other|carol|bob\nchange other|carol|bob");
    assert_eq!(world.origin(&["show", &format!("{tip}:charts/b/values.yaml")]), "2");
}

#[test]
fn given_texts_are_taken_as_they_are() {
    for method in ["merge", "squash"] {
        let world = with_feature();
        let number = world.open("feature", "integration");
        let body = json!({"merge_method": method, "commit_title": "chore: promote a", "commit_message": "Chartflow-Chart: a"});
        let sha = world.put(&format!("/pulls/{number}/merge"), body)["sha"].as_str().unwrap().to_owned();
        assert_eq!(world.origin(&["show", "-s", "--format=%B", &sha]), "chore: promote a\n\nChartflow-Chart: a", "{method}");
    }
}

#[test]
fn merging_is_refused_with_405_and_409() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}/merge");
    check(&world, "none", Put, "/pulls/99/merge", json!({}), "404 Not Found");
    check(&world, "not merged", Get, &path, Value::Null, "404 Not Found");
    check(&world, "other head", Put, &path, json!({"sha": world.rev("main")}), "409 Head branch was modified. Review and try the merge again.");
    let expected = "422 Invalid request.  octopus is not a member of [\"merge\", \"squash\", \"rebase\"].";
    check(&world, "method", Put, &path, json!({"merge_method": "octopus"}), expected);
    world.hub.configure(|settings| settings.allow_rebase_merge = false);
    check(&world, "method off", Put, &path, json!({"merge_method": "rebase"}), "405 Rebase merges are not allowed on this repository.");
    check(&world, "right head", Put, &path, json!({"sha": world.rev("feature")}), "200");
    check(&world, "merged", Get, &path, Value::Null, "204");
    check(&world, "again", Put, &path, json!({}), "405 Pull Request is not mergeable");
    world.commit("draft", Some("main"), &[("NOTES", Some("n\n"))]);
    world.hub.person("alice").unwrap().push("draft", &world.rev("draft"), false).unwrap();
    let draft = world.post("/pulls", json!({"title": "d", "head": "draft", "base": "integration", "draft": true}))["number"].as_u64().unwrap();
    check(&world, "draft", Put, &format!("/pulls/{draft}/merge"), json!({}), "405 Pull Request is still a draft");
}

#[test]
fn an_asynchronous_merge_is_judged_when_it_runs() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}/merge-async");
    world.hub.set_merge_delay(1);
    let asked = world.call(APP, Put, &path, Some(json!({"merge_method": "squash"})));
    assert_eq!((asked.status, &asked.value()["status"]), (202, &json!("pending")));
    let details = &asked.value()["details"];
    assert_eq!((&details["merge_method"], &details["expected_head_sha"]), (&json!("squash"), &json!(world.rev("feature"))));
    let poll = format!("{path}/{}", details["uuid"].as_str().unwrap());
    let again = world.call(APP, Put, &path, Some(json!({"merge_method": "merge"})));
    assert_eq!((again.status, &again.value()["details"]["uuid"], &again.value()["details"]["merge_method"]), (409, &details["uuid"], &json!("squash")));
    assert_eq!(world.get(&poll)["status"], "pending");
    let done = world.get(&poll);
    assert_eq!((&done["status"], &done["details"]["sha"]), (&json!("merged"), &json!(world.tip("integration"))));
    let already = world.call(APP, Put, &path, None);
    assert_eq!((already.status, &already.value()["status"]), (200, &json!("merged")));
    check(&world, "unknown", Get, &format!("{path}/none"), Value::Null, "404 Not Found");
}

#[test]
fn an_asynchronous_merge_fails_while_it_is_polled() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}/merge-async");
    let ask = || world.put(&path, json!({}))["details"]["uuid"].as_str().unwrap().to_owned();
    let uuid = ask();
    world.commit("feature", None, &[("charts/a/values.yaml", Some("later\n"))]);
    world.hub.person("alice").unwrap().push("feature", &world.rev("feature"), false).unwrap();
    let failed = world.get(&format!("{path}/{uuid}"));
    assert_eq!((&failed["status"], &failed["details"]["message"]), (&json!("failed"), &json!("Head branch was modified. Review and try the merge again.")));
    let uuid = ask();
    world.commit("conflict", Some("main"), &[("charts/a/values.yaml", Some("other\n"))]);
    world.hub.person("bob").unwrap().push("integration", &world.rev("conflict"), false).unwrap();
    let failed = world.get(&format!("{path}/{uuid}"));
    assert_eq!(failed["details"]["message"], "Merge conflict: the pull request could not be merged.");
    world.done(APP, Patch, &format!("/pulls/{number}"), json!({"state": "closed"}));
    let closed = world.call(APP, Put, &path, None);
    assert_eq!((closed.status, &closed.value()["details"]["message"]), (400, &json!("Pull request is closed.")));
}

#[test]
fn an_asynchronous_merge_needs_nobody_to_poll() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    world.put(&format!("/pulls/{number}/merge-async"), json!({}));
    let story = world.story();
    assert_eq!(story[story.len() - 2..], ["push integration", "closed merged #1"]);
}

#[test]
fn pull_requests_follow_their_branches() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    world.story();
    let path = format!("/pulls/{number}");
    let head = world.commit("feature", None, &[("charts/a/values.yaml", Some("two\n"))]);
    let alice = world.hub.person("alice").unwrap();
    alice.push("feature", &head, false).unwrap();
    assert_eq!(world.get(&path)["head"]["sha"], json!(head));
    assert_eq!(world.origin(&["rev-parse", &format!("refs/pull/{number}/head")]), head);
    world.commit("else", Some("main"), &[("NOTES", Some("n\n"))]);
    alice.push("integration", &world.rev("else"), false).unwrap();
    assert_eq!(world.get(&path)["base"]["sha"], json!(world.rev("else")));
    insta::assert_snapshot!(world.story().join(", "), @"push feature, synchronize #1, push integration");

    alice.delete_branch("feature").unwrap();
    assert_eq!(world.get(&path)["state"], "closed");
    check(
        &world,
        "head is gone",
        Patch,
        &path,
        json!({"state": "open"}),
        "422 Validation Failed: state cannot be changed. The feature branch has been deleted.",
    );
    alice.push("feature", &head, false).unwrap();
    check(&world, "head is back", Patch, &path, json!({"state": "open"}), "200");
    alice.delete_branch("integration").unwrap();
    assert_eq!(world.get(&path)["state"], "closed", "without its base it is closed");
    insta::assert_snapshot!(world.story().join(", "), @"delete feature, closed #1, create feature, reopened #1, delete integration, closed #1");
}

#[test]
fn a_push_that_holds_the_head_merges_the_pull_request() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    world.hub.person("bob").unwrap().push("integration", &world.rev("feature"), false).unwrap();
    let pull = world.get(&format!("/pulls/{number}"));
    assert_eq!([&pull["merged"], &pull["merged_by"]["login"]], [&json!(true), &json!("bob")]);
    assert_eq!(world.story().last().unwrap(), "closed merged #1");
}

#[test]
fn a_merged_head_is_deleted_only_by_the_setting() {
    for (setting, expected) in [(false, "kept"), (true, "")] {
        let world = with_feature();
        world.hub.configure(|settings| settings.delete_branch_on_merge = setting);
        let number = world.open("feature", "integration");
        world.commit("onto", Some("feature"), &[("NOTES", Some("n\n"))]);
        let stacked = world.open("onto", "feature");
        world.put(&format!("/pulls/{number}/merge"), json!({}));
        assert_eq!(world.tip("feature").is_empty(), expected.is_empty());
        let onto = world.get(&format!("/pulls/{stacked}"));
        assert_eq!([&onto["state"], &onto["base"]["ref"]], [&json!("open"), &json!(if setting { "integration" } else { "feature" })]);
    }
}

#[test]
fn title_description_state_and_base_are_edited_without_any_guard() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}");
    world.story();
    let edited = world.done(APP, Patch, &path, json!({"title": "New", "body": "text"}));
    assert_eq!([&edited["title"], &edited["body"]], [&json!("New"), &json!("text")]);
    assert_eq!(world.done(APP, Patch, &path, json!({"base": "main"}))["base"]["ref"], "main");
    check(&world, "no such base", Patch, &path, json!({"base": "none"}), "422 Validation Failed: Proposed base branch 'none' was not found");
    world.hub.person("alice").unwrap().push("has-all", &world.rev("feature"), false).unwrap();
    let expected = "422 Validation Failed: There are no new commits between base branch 'has-all' and head branch 'feature'";
    check(&world, "nothing left", Patch, &path, json!({"base": "has-all"}), expected);
    check(&world, "bad state", Patch, &path, json!({"state": "merged"}), "422 Validation Failed: state invalid");
    check(&world, "empty title", Patch, &path, json!({"title": " "}), "422 Validation Failed: title missing_field");
    world.done(APP, Patch, &path, json!({"state": "closed"}));
    world.done(APP, Patch, &path, json!({"state": "open"}));
    insta::assert_snapshot!(world.story().join(", "), @"edited #1, edited #1, create has-all, closed #1, reopened #1");
}

#[test]
fn update_branch_merges_the_base_into_the_head() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}/update-branch");
    check(&world, "up to date", Put, &path, json!({}), "422 There are no new commits on the base branch.");
    world.commit("else", Some("main"), &[("NOTES", Some("n\n"))]);
    world.hub.person("bob").unwrap().push("integration", &world.rev("else"), false).unwrap();
    let expected = "422 expected head sha didn’t match current head ref.";
    check(&world, "other head", Put, &path, json!({"expected_head_sha": world.rev("main")}), expected);
    check(&world, "behind", Put, &path, json!({"expected_head_sha": world.rev("feature")}), "202");
    let parents = world.origin(&["show", "-s", "--format=%P", "feature"]);
    assert_eq!(parents, format!("{} {}", world.rev("feature"), world.rev("else")));
    assert_eq!(world.story().last().unwrap(), "synchronize #1");
}

#[test]
fn reviews_are_other_people_s() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let path = format!("/pulls/{number}/reviews");
    let own = "422 Unprocessable Entity: Can not approve your own pull request";
    assert_eq!(world.answer(ALICE, Post, &path, json!({"event": "APPROVE"})), own);
    assert_eq!(world.answer(ALICE, Post, &path, json!({"event": "COMMENT", "body": "why"})), "200");
    assert_eq!(world.answer(BOB, Post, &path, json!({"event": "REQUEST_CHANGES"})), "422 Unprocessable Entity: Body can't be blank");
    world.post(&format!("/pulls/{number}/requested_reviewers"), json!({"reviewers": ["bob"]}));
    assert_eq!(world.get(&format!("/pulls/{number}/requested_reviewers"))["users"][0]["login"], "bob");
    let review = world.done(BOB, Post, &path, json!({"event": "APPROVE"}));
    assert_eq!([&review["state"], &review["commit_id"]], [&json!("APPROVED"), &json!(world.rev("feature"))]);
    assert_eq!(world.get(&format!("/pulls/{number}/requested_reviewers"))["users"], json!([]));
    world.put(&format!("{path}/{}/dismissals", review["id"]), json!({"message": "moved"}));
    let states: Vec<Value> = world.get(&path).as_array().unwrap().iter().map(|r| r["state"].clone()).collect();
    assert_eq!(states, [json!("COMMENTED"), json!("DISMISSED")]);
    let refused = world.hub.person("alice").unwrap().approve(number).unwrap_err();
    insta::assert_snapshot!(refused, @"GitHub answers alice with 422: Unprocessable Entity: Can not approve your own pull request");
}

#[test]
fn comments_and_labels() {
    let world = with_feature();
    let number = world.open("feature", "integration");
    let comments = format!("/issues/{number}/comments");
    let comment = world.post(&comments, json!({"body": "hello"}));
    world.done(APP, Patch, &format!("/issues/comments/{}", comment["id"]), json!({"body": "bye"}));
    assert_eq!(world.get(&comments)[0]["body"], "bye");
    check(&world, "long", Post, &comments, json!({"body": "x".repeat(65_537)}), "422 Validation Failed: body is too long (maximum is 65536 characters)");
    check(&world, "nowhere", Post, "/issues/99/comments", json!({"body": "x"}), "404 Not Found");
    let labels = format!("/issues/{number}/labels");
    world.post(&labels, json!({"labels": ["hold", "chart: a"]}));
    world.post(&labels, json!({"labels": [{"name": "hold"}]}));
    let names = |value: &Value| value.as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&world.get(&format!("/pulls/{number}"))["labels"]), ["chart: a", "hold"]);
    check(&world, "remove", Delete, &format!("{labels}/chart:%20a"), Value::Null, "200");
    check(&world, "again", Delete, &format!("{labels}/chart:%20a"), Value::Null, "404 Label does not exist");
    assert_eq!(names(&world.get(&labels)), ["hold"]);
    let counts = world.hub.counts();
    assert_eq!(counts["app"].creating, 4, "a branch and three comments, the refused ones too; labels are none");
}

#[test]
fn squashing_two_charts_keeps_the_pull_request_s_own_commits() {
    let world = with_feature();
    world.commit("feature", None, &[("charts/b/values.yaml", Some("b\n"))]);
    let number = world.open("feature", "integration");
    world.hub.person("bob").unwrap().merge(number, MergeMethod::Squash).unwrap();
    let own: Vec<Value> = world.get(&format!("/pulls/{number}/commits")).as_array().unwrap().iter().map(|c| c["sha"].clone()).collect();
    assert_eq!(own, [json!(world.rev("feature~1")), json!(world.rev("feature"))]);
    let files: Vec<Value> = world.get(&format!("/pulls/{number}/files")).as_array().unwrap().iter().map(|f| f["filename"].clone()).collect();
    assert_eq!(files, [json!("charts/a/values.yaml"), json!("charts/b/values.yaml")]);
}
