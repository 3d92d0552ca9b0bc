use chartflow_core::domain::configuration::MergeMethod;
use chartflow_core::domain::ruleset::{self, Mode, Tiers};
use chartflow_core::port::transport::Method::{Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

use super::world::{ADMIN, ALICE, APP, BOB, JOB, READER, World};

pub(super) fn tiers() -> Tiers {
    Tiers {
        main: "main".parse().unwrap(),
        integration: "integration".parse().unwrap(),
        charts: "integration-*".to_owned(),
        release: "release".parse().unwrap(),
        tags: "*-v*".to_owned(),
        main_method: MergeMethod::Squash,
    }
}

const MODE: Mode = Mode::App { id: 4711 };

/// Everybody, the four tiers, a feature branch, and the train's rules in force.
fn train() -> World {
    let world = World::new().with_everybody(&["contents", "pull_requests", "statuses"]);
    let main = world.rev("main");
    world.commit("feature", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    world.commit("next", Some("main"), &[("charts/b/values.yaml", Some("two\n"))]);
    let release = world.commit("release", None, &[("index.yaml", Some("entries: {}\n"))]);
    world.import(&[("integration", &main), ("integration-a", &main), ("release", &release), ("feature", &world.rev("feature")), ("next", &world.rev("next"))]);
    for body in ruleset::desired(&tiers(), MODE) {
        world.done(ADMIN, Post, "/rulesets", body);
    }
    world
}

fn current(world: &World, token: &str) -> Vec<Value> {
    let get = |path: &str| world.call(token, Get, path, None).value();
    get("/rulesets?per_page=100").as_array().unwrap().iter().map(|entry| get(&format!("/rulesets/{}", entry["id"]))).collect()
}

#[test]
fn the_trains_rules_are_kept_as_planned() {
    let world = train();
    let wanted = ruleset::desired(&tiers(), MODE);
    let changes = ruleset::plan(&current(&world, ADMIN), &wanted);
    assert!(!ruleset::drifted(&changes), "{}", ruleset::report(&changes));
    assert_eq!(changes.len(), 8);

    let id = current(&world, ADMIN)[3]["id"].clone();
    world.done(ADMIN, Put, &format!("/rulesets/{id}"), json!({"enforcement": "disabled"}));
    let drift = ruleset::report(&ruleset::plan(&current(&world, ADMIN), &wanted));
    assert!(drift.contains("chartflow: main: differs\n  enforcement is \"disabled\", should be \"active\"\n"), "{drift}");
    assert!(current(&world, APP).iter().all(|ruleset| ruleset.get("bypass_actors").is_none()), "only those who may write see who may bypass");
    let own = |token, name: &str| {
        let all = current(&world, token);
        all.iter().find(|ruleset| ruleset["name"] == name).unwrap()["current_user_can_bypass"].clone()
    };
    assert_eq!(own(ADMIN, "chartflow: integration"), "always");
    assert_eq!(own(APP, "chartflow: integration review"), "pull_requests_only");
    assert_eq!(own(APP, "chartflow: release"), "never");
}

#[test]
fn rulesets_are_refused_with_reasons() {
    let world = train();
    let body = |name: &str, rule: Value| json!({"name": name, "enforcement": "active", "rules": [rule]});
    let rows = [
        ("a writer", BOB, body("x", json!({"type": "deletion"})), "403 Must have admin rights to Repository."),
        ("an App", APP, body("x", json!({"type": "deletion"})), "403 Resource not accessible by integration"),
        ("a taken name", ADMIN, body("chartflow: main", json!({"type": "deletion"})), "422 Validation Failed: Name must be unique"),
        ("no name", ADMIN, body(" ", json!({"type": "deletion"})), "422 Validation Failed: Name can't be blank"),
        (
            "reviews of tags",
            ADMIN,
            {
                let mut body = body("x", ruleset::desired(&tiers(), MODE)[2]["rules"][0].clone());
                body["target"] = json!("tag");
                body
            },
            "422 Validation Failed: Invalid rule 'pull_request': Rule is not applicable to tags",
        ),
        ("fine", ADMIN, body("x", json!({"type": "deletion"})), "201"),
    ];
    for (name, token, body, expected) in rows {
        assert_eq!(world.answer(token, Post, "/rulesets", body), expected, "{name}");
    }
    let unknown = world.answer(ADMIN, Post, "/rulesets", body("y", json!({"type": "required_signatures"})));
    assert!(unknown.starts_with("422 Invalid request."), "a rule that is not enforced here is not accepted either: {unknown}");
    assert_eq!(world.answer(ADMIN, Delete, "/rulesets/1", Value::Null), "404 Not Found");
}

#[test]
fn who_may_move_which_ref() {
    let world = train();
    let (feature, next) = (world.rev("feature"), world.rev("next"));
    let to = |sha: &str| json!({"sha": sha, "force": true});
    let new = |name: &str, sha: &str| json!({"ref": name, "sha": sha});
    let pushes = |context: &str| format!("Changes must be made through a pull request.  Required status check \"{context}\" is expected.");
    let violated = |text: &str| format!("422 Repository rule violations found  {text}");
    let rows = [
        ("a writer pushes to integration", BOB, Patch, "/git/refs/heads/integration", to(&feature), violated(&pushes("chartflow/validate"))),
        ("the App pushes to integration", APP, Patch, "/git/refs/heads/integration", to(&feature), violated(&pushes("chartflow/validate"))),
        ("an administrator pushes to integration", ADMIN, Patch, "/git/refs/heads/integration", to(&feature), "200".to_owned()),
        ("a writer pushes to main", BOB, Patch, "/git/refs/heads/main", to(&feature), violated(&pushes("chartflow/main"))),
        ("an administrator rewrites main", ADMIN, Patch, "/git/refs/heads/main", to(&feature), "200".to_owned()),
        ("nobody deletes the default branch", ADMIN, Delete, "/git/refs/heads/main", Value::Null, "422 Reference update failed".to_owned()),
        (
            "the App pushes to release",
            APP,
            Patch,
            "/git/refs/heads/release",
            to(&next),
            violated(&format!("Cannot force-push to this branch  {}", pushes("chartflow/release"))),
        ),
        ("an administrator deletes release", ADMIN, Delete, "/git/refs/heads/release", Value::Null, violated("Cannot delete this branch")),
        ("a chart's branch is made", APP, Post, "/git/refs", new("refs/heads/integration-b", &next), "201".to_owned()),
        ("a chart's branch is pushed to", ADMIN, Patch, "/git/refs/heads/integration-b", to(&feature), violated(&pushes("chartflow/enforce"))),
        ("a chart's branch is deleted", APP, Delete, "/git/refs/heads/integration-b", Value::Null, "204".to_owned()),
        (
            "a writer makes a release tag",
            BOB,
            Post,
            "/git/refs",
            new("refs/tags/a-v1.0.0", &next),
            violated("Cannot create ref due to creations being restricted."),
        ),
        (
            "an administrator makes a release tag",
            ADMIN,
            Post,
            "/git/refs",
            new("refs/tags/a-v1.0.0", &next),
            violated("Cannot create ref due to creations being restricted."),
        ),
        ("the App makes a release tag", APP, Post, "/git/refs", new("refs/tags/a-v1.0.0", &next), "201".to_owned()),
        ("the App moves it", APP, Patch, "/git/refs/tags/a-v1.0.0", to(&feature), violated("Cannot update this protected ref.  Cannot force-push to this tag")),
        ("an administrator deletes it", ADMIN, Delete, "/git/refs/tags/a-v1.0.0", Value::Null, violated("Cannot delete this tag")),
        ("any other tag", BOB, Post, "/git/refs", new("refs/tags/anything", &next), "201".to_owned()),
        ("the store of statements", APP, Post, "/git/refs", new("refs/chartflow/attestations", &next), "201".to_owned()),
    ];
    for (name, token, method, path, body, expected) in rows {
        assert_eq!(world.answer(token, method, path, body), expected, "{name}");
    }
}

#[test]
fn a_contribution_needs_its_status_and_a_review() {
    let world = train();
    let number = world.open("feature", "integration");
    let feature = world.rev("feature");
    let merge = |token| world.answer(token, Put, &format!("/pulls/{number}/merge"), json!({}));
    let approve = |token| world.done(token, Post, &format!("/pulls/{number}/reviews"), json!({"event": "APPROVE"}));
    let missing = |text: &str| format!("405 Repository rule violations found  {text}");
    let review = "At least 1 approving review is required by reviewers with write access.";

    assert_eq!(merge(BOB), missing(&format!("Required status check \"chartflow/validate\" is expected.  {review}")));
    world.status(BOB, &feature, "chartflow/validate", "success");
    world.status(JOB, &feature, "chartflow/validate", "success");
    assert_eq!(merge(BOB), missing(&format!("Required status check \"chartflow/validate\" is expected.  {review}")), "only the App's counts");
    world.status(APP, &feature, "chartflow/validate", "pending");
    assert_eq!(merge(APP), missing("Required status check \"chartflow/validate\" is pending."), "the App needs no review");
    world.status(APP, &feature, "chartflow/validate", "failure");
    assert_eq!(merge(APP), missing("Required status check \"chartflow/validate\" is failing."));
    world.status(APP, &feature, "chartflow/validate", "success");
    assert_eq!(merge(BOB), missing(review));
    approve(READER);
    approve(APP);
    assert_eq!(merge(BOB), missing(review), "neither a reader's nor an App's approval counts");
    world.done(BOB, Post, &format!("/pulls/{number}/reviews"), json!({"event": "REQUEST_CHANGES", "body": "no"}));
    assert_eq!(merge(ALICE), missing(&format!("{review}  1 review requesting changes by reviewers with write access.")));
    approve(BOB);
    assert_eq!(merge(BOB), "200");
}

#[test]
fn an_administrator_and_the_app_merge_what_others_cannot() {
    for (token, expected) in
        [(ADMIN, "200"), (BOB, "405 Repository rule violations found  At least 1 approving review is required by reviewers with write access."), (APP, "200")]
    {
        let world = train();
        let number = world.open("feature", "integration");
        world.status(APP, &world.rev("feature"), "chartflow/validate", "success");
        assert_eq!(world.answer(token, Put, &format!("/pulls/{number}/merge"), json!({})), expected);
    }
    let world = train();
    let number = world.open("feature", "integration");
    assert_eq!(world.answer(ADMIN, Put, &format!("/pulls/{number}/merge"), json!({})), "200", "the status is the administrator's to pass over, too");
}

#[test]
fn a_charts_branch_takes_merges_of_proven_heads_on_its_tip() {
    let world = train();
    world.commit("promote", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    world.commit("later", Some("main"), &[("charts/a/notes.txt", Some("two\n"))]);
    let (first, second) = (world.open("promote", "integration-a"), world.open("later", "integration-a"));
    let merge = |number, method: &str| world.answer(APP, Put, &format!("/pulls/{number}/merge"), json!({"merge_method": method}));
    assert_eq!(merge(first, "merge"), "405 Repository rule violations found  Required status check \"chartflow/enforce\" is expected.");
    for head in ["promote", "later"] {
        world.status(APP, &world.rev(head), "chartflow/enforce", "success");
    }
    assert_eq!(merge(first, "squash"), "405 Repository rule violations found  Squash merges are not allowed on this branch.");
    assert_eq!(merge(first, "merge"), "200");
    assert_eq!(merge(second, "merge"), "405 Repository rule violations found  Required status check \"chartflow/enforce\" is expected.", "its head is behind");
}

#[test]
fn a_push_dismisses_an_approval_on_main() {
    let world = train();
    let number = world.open("feature", "main");
    world.done(BOB, Post, &format!("/pulls/{number}/reviews"), json!({"event": "APPROVE"}));
    world.commit("feature", None, &[("charts/a/values.yaml", Some("changed\n"))]);
    let head = world.rev("feature");
    world.hub.person("alice").unwrap().push("feature", &head, false).unwrap();
    world.status(APP, &head, "chartflow/main", "success");
    let merge = || world.answer(BOB, Put, &format!("/pulls/{number}/merge"), json!({"merge_method": "squash"}));
    assert_eq!(merge(), "405 Repository rule violations found  At least 1 approving review is required by reviewers with write access.");
    world.done(BOB, Post, &format!("/pulls/{number}/reviews"), json!({"event": "APPROVE"}));
    assert_eq!(merge(), "200");
}

#[test]
fn the_trust_root_needs_its_owner() {
    let world = World::new().with_everybody(&[]);
    world.commit("main", None, &[(".github/CODEOWNERS", Some("/.github/ @bob\n/.chartflow.yaml @bob\n"))]);
    world.hub.person("ada").unwrap().push("main", &world.rev("main"), false).unwrap();
    world.commit("inside", Some("main"), &[("charts/a/values.yaml", Some("one\n"))]);
    world.commit("root", Some("main"), &[(".github/workflows/x.yml", Some("on: push\n"))]);
    for body in ruleset::desired(&tiers(), MODE) {
        world.done(ADMIN, Post, "/rulesets", body);
    }
    let attempt = |number: u64, head: &str, reviewer: &str| {
        world.status(APP, &world.rev(head), "chartflow/main", "success");
        world.done(reviewer, Post, &format!("/pulls/{number}/reviews"), json!({"event": "APPROVE"}));
        world.answer(BOB, Put, &format!("/pulls/{number}/merge"), json!({"merge_method": "squash"}))
    };
    let root = world.open("root", "main");
    assert_eq!(attempt(root, "root", ADMIN), "405 Repository rule violations found  Waiting on code owner review from bob.");
    assert_eq!(attempt(root, "root", BOB), "200");
    let inside = world.open("inside", "main");
    assert_eq!(attempt(inside, "inside", ADMIN), "200", "a chart has no owner");
}

#[test]
fn rules_for_a_branch() {
    let world = train();
    let kinds = |branch: &str| {
        let rules = world.get(&format!("/rules/branches/{branch}"));
        rules.as_array().unwrap().iter().map(|rule| rule["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kinds("integration"), "deletion non_fast_forward pull_request required_status_checks pull_request");
    assert_eq!(kinds("integration-that-is-not-there"), "pull_request required_status_checks");
    assert_eq!(kinds("feature"), "");
}

#[test]
fn other_rules() {
    let world = World::new().with_everybody(&[]);
    world.commit("side", Some("main"), &[("x", Some("x"))]);
    world.import(&[("side", &world.rev("side")), ("locked", &world.rev("main")), ("linear", &world.rev("main"))]);
    let only = |name: &str, rule: Value| {
        let conditions = json!({"ref_name": {"include": [format!("refs/heads/{name}")], "exclude": []}});
        world.done(ADMIN, Post, "/rulesets", json!({"name": name, "enforcement": "active", "conditions": conditions, "rules": [rule]}));
    };
    only("locked", json!({"type": "update"}));
    only("linear", json!({"type": "required_linear_history"}));
    let merge = |number: u64, method: &str| world.answer(BOB, Put, &format!("/pulls/{number}/merge"), json!({"merge_method": method}));
    let locked = world.open("side", "locked");
    assert_eq!(merge(locked, "merge"), "405 Repository rule violations found  The base branch does not allow updates.");
    let linear = world.open("side", "linear");
    assert_eq!(merge(linear, "merge"), "405 Repository rule violations found  This branch must not contain merge commits.");
    assert_eq!(merge(linear, "squash"), "200");
}
