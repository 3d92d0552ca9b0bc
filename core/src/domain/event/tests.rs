use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::domain::configuration::MergeMethod;
use crate::domain::ruleset::{Mode, Tiers};

fn tiers() -> Tiers {
    Tiers {
        main: "main".parse().unwrap(),
        integration: "integration".parse().unwrap(),
        charts: "integration-*".to_owned(),
        release: "release".parse().unwrap(),
        tags: "*-v*".to_owned(),
        main_method: MergeMethod::Squash,
    }
}

fn started(event: &Event) -> String {
    stages_for(event, &tiers()).iter().map(|start| start.stage.as_str()).collect::<Vec<_>>().join(" ")
}

fn pull(action: &str, base: &str, merged: bool) -> PullEvent {
    PullEvent { action: action.to_owned(), number: 7, base: base.to_owned(), head: "feature".to_owned(), merged }
}

#[test]
fn pull_requests_start_the_stage_of_their_base() {
    for (action, base, merged, expected) in [
        ("opened", "integration", false, "validate"),
        ("synchronize", "integration", false, "validate"),
        ("reopened", "integration", false, "validate"),
        ("edited", "integration", false, ""),
        ("closed", "integration", false, ""),
        ("closed", "integration", true, "filter"),
        ("opened", "integration-redis", false, "enforce"),
        ("closed", "integration-redis", true, "format"),
        ("opened", "main", false, "bump"),
        ("synchronize", "main", false, "bump"),
        ("closed", "main", true, ""),
        ("opened", "release", false, "package"),
        ("closed", "release", true, "publish"),
        ("closed", "release", false, ""),
        ("opened", "somewhere", false, ""),
    ] {
        let event = pull(action, base, merged);
        assert_eq!(started(&Event::PullRequestTarget(event.clone())), expected, "{action} {base} {merged}");
        assert_eq!(started(&Event::PullRequest(event)), "", "a pull request's own workflow files start nothing");
    }
}

#[test]
fn other_events() {
    let push = |reference: &str, deleted| Event::Push { reference: reference.to_owned(), deleted };
    assert_eq!(started(&push("refs/heads/main", false)), "filter tag");
    for reference in ["refs/heads/integration", "refs/heads/integration-redis", "refs/heads/release", "refs/tags/redis-v1.0.0", "refs/tags/main"] {
        assert_eq!(started(&push(reference, false)), "", "{reference}");
    }
    assert_eq!(started(&push("refs/heads/main", true)), "");
    assert_eq!(started(&Event::Schedule), "reconcile");
    let by_hand = |workflow: &str| Event::WorkflowDispatch { workflow: workflow.to_owned(), reference: "refs/heads/main".to_owned() };
    assert_eq!(started(&by_hand(".github/workflows/chartflow-reconcile.yml")), "reconcile");
    assert_eq!(started(&by_hand(".github/workflows/other.yml")), "");
    for stage in StageName::ALL {
        let Some(kind) = stage.dispatch_type() else { continue };
        assert_eq!(started(&Event::RepositoryDispatch { kind: kind.to_owned(), payload: json!({}) }), stage.as_str());
    }
    assert_eq!(started(&Event::RepositoryDispatch { kind: "chartflow-reconcile".to_owned(), payload: json!({}) }), "");
}

#[test]
fn hints_are_taken_when_they_are_names() {
    let dispatch = |payload| Event::RepositoryDispatch { kind: "chartflow-package".to_owned(), payload };
    let start = &stages_for(&dispatch(json!({ "chart": "redis", "pull": 4 })), &tiers())[0];
    assert_eq!((start.pull, start.chart.as_ref().map(ChartName::as_str)), (Some(4), Some("redis")));
    for hostile in [json!({ "chart": "../x", "pull": "4" }), json!([]), json!(null), json!("chart")] {
        let start = &stages_for(&dispatch(hostile), &tiers())[0];
        assert_eq!((start.pull, &start.chart), (None, &None));
    }
}

#[test]
fn every_stage_runs_mains_workflow_file() {
    for row in TABLE {
        let event = match row.trigger {
            Trigger::Pull { base, moment } => {
                Event::PullRequestTarget(pull(moment.types()[0], &tiers().pattern(base).replace('*', "redis"), moment == Moment::Merged))
            }
            Trigger::PushToMain => Event::Push { reference: "refs/heads/main".to_owned(), deleted: false },
            Trigger::Dispatch => Event::RepositoryDispatch { kind: row.stage.dispatch_type().unwrap().to_owned(), payload: json!({}) },
            Trigger::Schedule => Event::Schedule,
            Trigger::ByHand => Event::WorkflowDispatch { workflow: row.stage.workflow_path().to_owned(), reference: "refs/heads/main".to_owned() },
        };
        assert!(row.matches(&event, &tiers()), "{row:?}");
        let source = event.workflow_source();
        let mains = source == WorkflowSource::DefaultBranch || matches!(row.trigger, Trigger::PushToMain | Trigger::ByHand);
        assert!(mains, "{row:?} reads {source:?}");
    }
}

#[test]
fn every_stage_can_be_started_and_found_again() {
    let stages: BTreeSet<StageName> = TABLE.iter().map(|row| row.stage).collect();
    assert_eq!(stages.len(), StageName::ALL.len());
    assert!(TABLE.iter().all(|row| !row.found_again_by.is_empty()));
}

/// With the workflow token alone, dispatches and people's merges must reach every stage.
#[test]
fn the_workflow_token_reaches_every_stage() {
    // Started by what people do: they open and merge at integration and main.
    let mut reached: BTreeSet<StageName> =
        [Event::PullRequestTarget(pull("opened", "integration", false)), Event::PullRequestTarget(pull("closed", "integration", true))]
            .iter()
            .chain([&Event::Push { reference: "refs/heads/main".to_owned(), deleted: false }])
            .flat_map(|event| stages_for(event, &tiers()))
            .map(|start| start.stage)
            .collect();
    for _ in 0..StageName::ALL.len() {
        let next: Vec<StageName> = reached.iter().flat_map(|stage| next_stages(*stage, false)).copied().collect();
        reached.extend(next);
    }
    assert_eq!(reached.len(), 8, "{reached:?}");
}

#[test]
fn least_permissions() {
    let shown = |mode| {
        StageName::ALL
            .iter()
            .flat_map(|stage| jobs(*stage).iter().map(move |job| (*stage, *job)))
            .map(|(stage, job)| {
                let list: Vec<String> =
                    job_permissions(stage, job, mode).iter().map(|(permission, access)| format!("{}:{}", permission.workflow_key(), access.as_str())).collect();
                format!("{stage} {job:?}: {}", list.join(" "))
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(shown(Mode::App { id: 7 }), @r"
    validate Check: contents:read
    validate Act: id-token:write
    filter Check: contents:read
    filter Act: id-token:write
    enforce Act: id-token:write
    format Act: 
    bump Act: id-token:write
    tag Act: id-token:write
    package Act: id-token:write
    publish Act: id-token:write packages:write
    reconcile Check: contents:read
    reconcile Act: id-token:write packages:write
    ");
    insta::assert_snapshot!(shown(Mode::WorkflowToken), @r"
    validate Check: contents:read
    validate Act: contents:write id-token:write pull-requests:write statuses:write
    filter Check: contents:read
    filter Act: contents:write id-token:write pull-requests:write statuses:write
    enforce Act: contents:write id-token:write pull-requests:write statuses:write
    format Act: contents:write pull-requests:write
    bump Act: contents:write id-token:write pull-requests:write statuses:write
    tag Act: contents:write id-token:write pull-requests:write
    package Act: attestations:write contents:write id-token:write pull-requests:write statuses:write
    publish Act: attestations:write contents:write id-token:write packages:write
    reconcile Check: contents:read
    reconcile Act: attestations:write contents:write id-token:write packages:write pull-requests:write statuses:write
    ");
}

#[test]
fn payloads() {
    let document = json!({ "action": "closed", "pull_request": { "number": 3, "merged": true, "base": { "ref": "main" }, "head": { "ref": "x" } } });
    let expected = PullEvent { action: "closed".to_owned(), number: 3, base: "main".to_owned(), head: "x".to_owned(), merged: true };
    assert_eq!(Event::from_payload("pull_request_target", &document), Ok(Event::PullRequestTarget(expected)));
    let document = json!({ "action": "chartflow-package", "client_payload": { "chart": "a" } });
    let event = Event::from_payload("repository_dispatch", &document).unwrap();
    assert_eq!((event.name(), event.chart().map(|name| name.to_string())), ("repository_dispatch", Some("a".to_owned())));
    insta::assert_snapshot!(Event::from_payload("issues", &json!({})).unwrap_err(), @r#"no stage is started by the event "issues""#);
    insta::assert_snapshot!(Event::from_payload("push", &json!([])).unwrap_err(), @"the payload of push has no ref");
    insta::assert_snapshot!(Event::from_payload("pull_request_target", &json!({ "action": "opened" })).unwrap_err(), @"the payload of pull_request_target has no pull_request/number");
}

#[test]
fn stages_have_one_name_everywhere() {
    for stage in Stage::ALL {
        assert_eq!(StageName::from(stage).as_str(), stage.as_str());
    }
}
