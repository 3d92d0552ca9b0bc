use chartflow_core::port::transport::Method::{Get, Post, Put};
use serde_json::{Value, json};

use super::world::{ADMIN, BOB, World};

#[test]
fn an_environment_is_kept_for_main() {
    let world = World::new().with_everybody(&[]);
    let put = |body| world.answer(ADMIN, Put, "/environments/chartflow", body);
    let policy = |protected: bool, custom: bool| json!({"deployment_branch_policy": {"protected_branches": protected, "custom_branch_policies": custom}});
    assert_eq!(world.answer(ADMIN, Get, "/environments/chartflow", Value::Null), "404 Not Found");
    assert_eq!(world.answer(BOB, Put, "/environments/chartflow", json!({})), "403 Must have admin rights to Repository.");
    assert_eq!(put(policy(true, true)), "422 'protected_branches' and 'custom_branch_policies' cannot have the same value");
    assert_eq!(put(json!({})), "200");
    assert!(world.hub.environment_admits("chartflow", "refs/heads/anything"), "without a policy everybody gets in");
    let add = || world.answer(ADMIN, Post, "/environments/chartflow/deployment-branch-policies", json!({"name": "main"}));
    assert_eq!(add(), "404 Not Found", "there are no patterns without the policy");
    assert_eq!(put(policy(false, true)), "200");
    assert_eq!(add(), "200");
    assert_eq!(world.call(ADMIN, Post, "/environments/chartflow/deployment-branch-policies", Some(json!({"name": "main"}))).status, 303);
    for (reference, expected) in [("refs/heads/main", true), ("refs/heads/integration", false), ("refs/pull/1/merge", false), ("refs/tags/main", false)] {
        assert_eq!(world.hub.environment_admits("chartflow", reference), expected, "{reference}");
    }
    let listed = world.call(BOB, Get, "/environments/chartflow/deployment-branch-policies", None).value();
    assert_eq!((listed["total_count"].as_u64(), listed["branch_policies"][0]["name"].as_str()), (Some(1), Some("main")));
    let environment = world.call(BOB, Get, "/environments/chartflow", None).value();
    assert_eq!(environment["deployment_branch_policy"], json!({"protected_branches": false, "custom_branch_policies": true}));
    assert_eq!(world.call(BOB, Get, "/environments", None).value()["total_count"], 1);
}
