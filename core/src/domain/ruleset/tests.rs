use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::branch::Names;
use crate::domain::configuration::Configuration;

fn tiers() -> Tiers {
    Tiers::from(&Configuration::default())
}

/// A ruleset in one line a part, short enough to read beside the table it comes from.
fn summary(ruleset: &Value) -> String {
    let bypass: Vec<String> = ruleset["bypass_actors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|actor| format!("{} {} {}", actor["actor_type"].as_str().unwrap(), actor["actor_id"], actor["bypass_mode"].as_str().unwrap()))
        .collect();
    let rules: Vec<String> = ruleset["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| match rule["type"].as_str().unwrap() {
            "pull_request" => {
                let parameters = &rule["parameters"];
                let flag = |key: &str, text: &'static str| if parameters[key] == json!(true) { text } else { "" };
                format!(
                    "pull_request({}{}{} {})",
                    parameters["required_approving_review_count"],
                    flag("dismiss_stale_reviews_on_push", " dismiss-stale"),
                    flag("require_code_owner_review", " code-owners"),
                    parameters["allowed_merge_methods"]
                )
            }
            "required_status_checks" => {
                let parameters = &rule["parameters"];
                let check = &parameters["required_status_checks"][0];
                format!(
                    "status({} by {}{}{})",
                    check["context"].as_str().unwrap(),
                    check["integration_id"],
                    if parameters["strict_required_status_checks_policy"] == json!(true) { " strict" } else { "" },
                    if parameters["do_not_enforce_on_create"] == json!(true) { " free-creation" } else { "" }
                )
            }
            kind => kind.to_owned(),
        })
        .collect();
    format!(
        "{} [{}] bypass [{}]: {}",
        ruleset["name"].as_str().unwrap(),
        ruleset["conditions"]["ref_name"]["include"][0].as_str().unwrap(),
        bypass.join(", "),
        rules.join(", ")
    )
}

fn check(mode: Mode) -> String {
    desired(&tiers(), mode).iter().map(summary).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_with_an_app() {
    insta::assert_snapshot!(check(Mode::App { id: 7 }), @r#"
    chartflow: integration [refs/heads/integration] bypass [RepositoryRole 5 always]: deletion, non_fast_forward, pull_request(0 ["merge","squash","rebase"]), status(chartflow/validate by 7)
    chartflow: integration review [refs/heads/integration] bypass [RepositoryRole 5 always, Integration 7 pull_request]: pull_request(1 ["merge","squash","rebase"])
    chartflow: chart branches [refs/heads/integration-*] bypass []: pull_request(0 ["merge"]), status(chartflow/enforce by 7 strict free-creation)
    chartflow: main [refs/heads/main] bypass [RepositoryRole 5 always]: non_fast_forward, pull_request(1 dismiss-stale code-owners ["squash"]), status(chartflow/main by 7)
    chartflow: main deletion [refs/heads/main] bypass []: deletion
    chartflow: release [refs/heads/release] bypass []: deletion, non_fast_forward, pull_request(0 ["merge"]), status(chartflow/release by 7 strict)
    chartflow: tags [refs/tags/*-v*] bypass []: update, deletion, non_fast_forward
    chartflow: tag creation [refs/tags/*-v*] bypass [Integration 7 always]: creation
    "#);
}

#[test]
fn the_table_with_the_workflow_token() {
    insta::assert_snapshot!(check(Mode::WorkflowToken), @r#"
    chartflow: integration [refs/heads/integration] bypass [RepositoryRole 5 always]: deletion, non_fast_forward, pull_request(0 ["merge","squash","rebase"]), status(chartflow/validate by 15368)
    chartflow: integration review [refs/heads/integration] bypass [RepositoryRole 5 always]: pull_request(1 ["merge","squash","rebase"])
    chartflow: chart branches [refs/heads/integration-*] bypass []: pull_request(0 ["merge"]), status(chartflow/enforce by 15368 strict free-creation)
    chartflow: main [refs/heads/main] bypass [RepositoryRole 5 always]: non_fast_forward, pull_request(1 dismiss-stale code-owners ["squash"]), status(chartflow/main by 15368)
    chartflow: main deletion [refs/heads/main] bypass []: deletion
    chartflow: release [refs/heads/release] bypass []: deletion, non_fast_forward, pull_request(0 ["merge"]), status(chartflow/release by 15368 strict)
    chartflow: tags [refs/tags/*-v*] bypass []: update, deletion, non_fast_forward
    "#);
}

#[test]
fn main_is_merged_as_configured() {
    for method in ["squash", "merge"] {
        let configuration = Configuration::read(format!("merge: {{main: {method}}}").as_bytes()).unwrap();
        let main = &desired(&Tiers::from(&configuration), Mode::App { id: 7 })[3];
        assert!(summary(main).contains(&format!("code-owners [\"{method}\"])")), "{}", summary(main));
    }
}

#[test]
fn one_ruleset_in_full() {
    let rulesets = desired(&tiers(), Mode::App { id: 7 });
    insta::assert_snapshot!(serde_json::to_string_pretty(&rulesets[2]).unwrap(), @r#"
    {
      "name": "chartflow: chart branches",
      "target": "branch",
      "enforcement": "active",
      "bypass_actors": [],
      "conditions": {
        "ref_name": {
          "include": [
            "refs/heads/integration-*"
          ],
          "exclude": []
        }
      },
      "rules": [
        {
          "type": "pull_request",
          "parameters": {
            "allowed_merge_methods": [
              "merge"
            ],
            "dismiss_stale_reviews_on_push": false,
            "require_code_owner_review": false,
            "require_last_push_approval": false,
            "required_approving_review_count": 0,
            "required_review_thread_resolution": false
          }
        },
        {
          "type": "required_status_checks",
          "parameters": {
            "do_not_enforce_on_create": true,
            "required_status_checks": [
              {
                "context": "chartflow/enforce",
                "integration_id": 7
              }
            ],
            "strict_required_status_checks_policy": true
          }
        }
      ]
    }
    "#);
}

#[test]
fn which_refs_a_ruleset_is_about() {
    let ruleset =
        |target: &str, include: &str, exclude: &str| json!({ "target": target, "conditions": { "ref_name": { "include": [include], "exclude": [exclude] } } });
    for (target, include, exclude, reference, expected) in [
        ("branch", "refs/heads/integration-*", "", "refs/heads/integration-a", true),
        ("branch", "refs/heads/integration-*", "", "refs/heads/integration", false),
        ("branch", "refs/heads/integration-*", "", "refs/heads/integration-a/b", false),
        ("branch", "refs/heads/integration-*", "refs/heads/integration-tests", "refs/heads/integration-tests", false),
        ("branch", "~DEFAULT_BRANCH", "", "refs/heads/main", true),
        ("branch", "~DEFAULT_BRANCH", "", "refs/heads/release", false),
        ("branch", "~ALL", "", "refs/heads/x/y", true),
        ("branch", "~ALL", "", "refs/tags/x", false),
        ("branch", "~ALL", "", "refs/chartflow/attestations", false),
        ("tag", "refs/tags/*-v*", "", "refs/tags/a-v1.0.0", true),
        ("tag", "refs/tags/*-v*", "", "refs/heads/a-v1.0.0", false),
        ("push", "~ALL", "", "refs/heads/main", false),
        ("branch", "refs/heads/[", "", "refs/heads/[", false),
    ] {
        assert_eq!(applies(&ruleset(target, include, exclude), reference, "main"), expected, "{include} {exclude} {reference}");
    }
}

#[test]
fn tiers_are_the_configured_names() {
    let tiers = tiers();
    let named = [tiers.main.as_str(), tiers.integration.as_str(), &tiers.charts, tiers.release.as_str(), &tiers.tags];
    assert_eq!(named, ["main", "integration", "integration-*", "release", "*-v*"]);
}

/// A rule on the machine's own heads would keep it from rebuilding them.
#[test]
fn no_rule_is_about_a_machine_head() {
    let names = Names::new(&Configuration::default());
    let (chart, version) = ("redis".parse().unwrap(), semver::Version::new(1, 2, 3));
    let heads =
        [names.promote_head(&chart).unwrap(), names.bump_head(&chart).unwrap(), names.back_head().clone(), names.release_head(&chart, &version).unwrap()];
    for head in heads {
        let reference = format!("refs/heads/{head}");
        assert!(!desired(&tiers(), Mode::App { id: 7 }).iter().any(|ruleset| applies(ruleset, &reference, "main")), "{head}");
    }
}

#[test]
fn branches_belong_to_tiers() {
    for (branch, tier) in [
        ("integration", Some(Tier::Integration)),
        ("integration-redis", Some(Tier::Chart)),
        ("main", Some(Tier::Main)),
        ("release", Some(Tier::Release)),
        ("chartflow-bump-redis", None),
        ("chartflow-release-redis-1.0.0", None),
    ] {
        assert_eq!(tiers().tier(branch), tier, "{branch}");
    }
}

/// What GitHub answers for a ruleset it was given: the same, with what it adds.
fn stored(id: u64, body: &Value) -> Value {
    let mut ruleset = body.clone();
    ruleset["id"] = json!(id);
    ruleset["source"] = json!("o/r");
    ruleset["source_type"] = json!("Repository");
    ruleset["node_id"] = json!("RRS_x");
    ruleset["created_at"] = json!("2026-01-01T00:00:00Z");
    ruleset["updated_at"] = json!("2026-01-01T00:00:00Z");
    ruleset["current_user_can_bypass"] = json!("never");
    ruleset["_links"] = json!({ "self": { "href": "https://api.example" }, "html": null });
    for rule in ruleset["rules"].as_array_mut().unwrap() {
        match rule["type"].as_str().unwrap() {
            "pull_request" => {
                rule["parameters"]["required_reviewers"] = json!([]);
                rule["parameters"]["automatic_copilot_code_review_enabled"] = json!(false);
            }
            "update" => rule["parameters"] = json!({ "update_allows_fetch_and_merge": false }),
            _ => {}
        }
    }
    ruleset["rules"].as_array_mut().unwrap().reverse();
    ruleset
}

fn apply(mut current: Vec<Value>, changes: &[Change]) -> Vec<Value> {
    let mut next = 1000;
    for change in changes {
        match change {
            Change::Create { body, .. } => {
                next += 1;
                current.push(stored(next, body));
            }
            Change::Update { id, body, .. } => {
                let at = current.iter().position(|ruleset| ruleset["id"] == json!(id)).unwrap();
                current[at] = stored(*id, body);
            }
            Change::Remove { id, .. } => current.retain(|ruleset| ruleset["id"] != json!(id)),
            Change::Unchanged { .. } | Change::Foreign { .. } => {}
        }
    }
    current
}

#[test]
fn drift_is_told_place_by_place() {
    let wanted = desired(&tiers(), Mode::App { id: 7 });
    let mut current: Vec<Value> = wanted.iter().enumerate().map(|(at, body)| stored(at as u64 + 1, body)).collect();
    current[3]["rules"][1]["parameters"]["required_approving_review_count"] = json!(0);
    current[3]["enforcement"] = json!("disabled");
    current[5]["bypass_actors"] = json!([{ "actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always" }]);
    current[0]["rules"].as_array_mut().unwrap().retain(|rule| rule["type"] != "deletion");
    current[1].as_object_mut().unwrap().remove("bypass_actors");
    current.remove(6);
    let mut foreign = stored(99, &wanted[0]);
    foreign["name"] = json!("ours since 2019");
    current.push(foreign);
    let mut imposed = stored(98, &wanted[6]);
    imposed["source_type"] = json!("Organization");
    current.push(imposed);
    insta::assert_snapshot!(report(&plan(&current, &wanted)), @r#"
    chartflow: integration: differs
      rules.deletion is not set, should be true
    chartflow: integration review: as it should be (this token is not shown who may bypass it)
    chartflow: chart branches: as it should be
    chartflow: main: differs
      enforcement is "disabled", should be "active"
      rules.pull_request.required_approving_review_count is not set, should be 1
    chartflow: main deletion: as it should be
    chartflow: release: differs
      bypass_actors is [{"actor_id":5,"actor_type":"RepositoryRole","bypass_mode":"always"}], should be not set
    chartflow: tags: missing
    chartflow: tag creation: as it should be
    ours since 2019: not chartflow's, left alone
    chartflow: tags: not chartflow's, left alone
    "#);
}

#[test]
fn without_the_app_its_creation_rule_goes() {
    let with_app = apply(Vec::new(), &plan(&[], &desired(&tiers(), Mode::App { id: 7 })));
    let changes = plan(&with_app, &desired(&tiers(), Mode::WorkflowToken));
    assert!(changes.iter().any(|change| matches!(change, Change::Remove { name, .. } if name == "chartflow: tag creation")));
}

proptest! {
    /// Whatever people did to the rulesets, one application mends it, and a second finds nothing to do.
    #[test]
    fn applying_twice_changes_nothing(
        app in proptest::option::of(1..1000u64),
        before in proptest::option::of(1..1000u64),
        present in proptest::collection::vec(any::<bool>(), 8),
        broken in proptest::collection::vec(0..6u8, 8),
        twice in any::<bool>(),
    ) {
        let mode = |app: Option<u64>| app.map_or(Mode::WorkflowToken, |id| Mode::App { id });
        let mut current = Vec::new();
        for (at, body) in desired(&tiers(), mode(before)).iter().enumerate().filter(|(at, _)| present[*at]) {
            let mut ruleset = stored(at as u64 + 1, body);
            match broken[at] {
                0 => ruleset["enforcement"] = json!("disabled"),
                1 => ruleset["bypass_actors"] = json!([{ "actor_id": 1, "actor_type": "Team", "bypass_mode": "exempt" }]),
                2 => ruleset["rules"] = json!([]),
                3 => ruleset["conditions"]["ref_name"]["exclude"] = json!(["refs/heads/x"]),
                4 => ruleset["rules"].as_array_mut().unwrap().push(json!({ "type": "required_signatures" })),
                _ => {}
            }
            current.push(ruleset);
        }
        if let (true, Some(first)) = (twice, current.first().cloned()) {
            let mut again = first;
            again["id"] = json!(500);
            current.push(again);
        }
        let wanted = desired(&tiers(), mode(app));
        let applied = apply(current.clone(), &plan(&current, &wanted));
        let again = plan(&applied, &wanted);
        prop_assert!(!drifted(&again), "{}", report(&again));
        prop_assert_eq!(again.len(), wanted.len());
    }
}
