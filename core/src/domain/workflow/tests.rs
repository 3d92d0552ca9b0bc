use std::collections::BTreeSet;

use serde_yaml::Value;

use super::*;

fn options(mode: Mode, signing_key: bool) -> Options {
    Options {
        tiers: Tiers {
            main: "main".parse().unwrap(),
            integration: "integration".parse().unwrap(),
            charts: "integration-*".to_owned(),
            release: "release".parse().unwrap(),
            tags: "*-v*".to_owned(),
        },
        mode,
        signing_key,
        actions: "chartflow/chartflow/actions".to_owned(),
        version: "v1".to_owned(),
    }
}

#[test]
fn the_file_of_filter() {
    insta::assert_snapshot!(workflow(StageName::Filter, &options(Mode::App { id: 7 }, true)), @r#"
    # Written by chartflow from its event table; `chartflow init` writes it again.
    name: chartflow filter
    on:
      # main's workflow file runs, and the pull request's code is never checked out or run.
      pull_request_target: # zizmor: ignore[dangerous-triggers]
        types: [closed]
        branches: ["integration"]
      push:
        branches: ["main"]
      repository_dispatch:
        types: [chartflow-filter]
    permissions: {}
    concurrency:
      group: chartflow-filter
    jobs:
      # Runs helm on contributed content: no secret, no identity, nothing it could write.
      check:
        name: check
        if: github.event_name != 'pull_request_target' || github.event.pull_request.merged
        runs-on: ubuntu-latest
        timeout-minutes: 60
        permissions:
          contents: read
        outputs:
          checks: ${{ steps.check.outputs.checks }}
        steps:
          - id: check
            uses: chartflow/chartflow/actions/filter@v1
            with:
              job: check
      filter:
        name: filter
        needs: check
        runs-on: ubuntu-latest
        timeout-minutes: 60
        environment: chartflow
        permissions:
          id-token: write
        steps:
          - uses: chartflow/chartflow/actions/filter@v1
            with:
              job: sign
              checks: ${{ needs.check.outputs.checks }}
              app-id: ${{ vars.CHARTFLOW_APP_ID }}
              private-key: ${{ secrets.CHARTFLOW_PRIVATE_KEY }}
              signing-key: ${{ secrets.CHARTFLOW_SIGNING_KEY }}
    "#);
}

#[test]
fn the_file_of_package_with_the_workflow_token() {
    insta::assert_snapshot!(workflow(StageName::Package, &options(Mode::WorkflowToken, false)), @r#"
    # Written by chartflow from its event table; `chartflow init` writes it again.
    name: chartflow package
    on:
      # main's workflow file runs, and the pull request's code is never checked out or run.
      pull_request_target: # zizmor: ignore[dangerous-triggers]
        types: [opened, synchronize, reopened]
        branches: ["release"]
      repository_dispatch:
        types: [chartflow-package]
    permissions: {}
    concurrency:
      group: chartflow-release
      queue: max
    jobs:
      package:
        name: package
        runs-on: ubuntu-latest
        timeout-minutes: 60
        environment: chartflow
        permissions:
          attestations: write
          contents: write
          id-token: write
          pull-requests: write
          statuses: write
        steps:
          - uses: chartflow/chartflow/actions/package@v1
    "#);
}

fn every_file() -> Vec<(Mode, File)> {
    let modes = [(Mode::App { id: 7 }, false), (Mode::App { id: 7 }, true), (Mode::WorkflowToken, false), (Mode::WorkflowToken, true)];
    modes.iter().flat_map(|(mode, key)| workflows(&options(*mode, *key)).into_iter().map(|file| (*mode, file))).collect()
}

/// The keys of `permissions` that a workflow file may name (GitHub documentation, "Workflow syntax").
const KNOWN: &[&str] = &["attestations", "contents", "id-token", "packages", "pull-requests", "statuses"];

#[test]
fn every_file_is_yaml_with_least_permissions() {
    let files = every_file();
    assert_eq!(files.len(), 36);
    for (_, File { path, text }) in files {
        let document: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
        assert_eq!(document["permissions"], Value::Mapping(serde_yaml::Mapping::new()), "{path}");
        for (name, job) in document["jobs"].as_mapping().unwrap() {
            let permissions = job["permissions"].as_mapping().unwrap_or_else(|| panic!("{path}: {name:?}"));
            for (permission, access) in permissions {
                assert!(KNOWN.contains(&permission.as_str().unwrap()), "{path}: {permission:?}");
                assert!(matches!(access.as_str(), Some("read" | "write")), "{path}: {access:?}");
            }
        }
    }
}

#[test]
fn what_runs_contributed_content_holds_no_secret() {
    for (_, File { path, text }) in every_file() {
        let document: Value = serde_yaml::from_str(&text).unwrap();
        for (name, job) in document["jobs"].as_mapping().unwrap() {
            let whole = serde_yaml::to_string(job).unwrap();
            let checks = name.as_str() == Some("check");
            assert_eq!(checks, job.get("environment").is_none(), "{path}");
            assert!(!checks || !(whole.contains("secrets.") || whole.contains("write")), "{path}");
            assert!(!whole.contains("checkout"), "{path}");
        }
    }
}

/// The triggers in the files are the table's, no more and no fewer.
#[test]
fn files_and_table_agree() {
    for (_, File { path, text }) in every_file() {
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let stage = StageName::ALL.into_iter().find(|stage| stage.workflow_path() == path).unwrap();
        let named: BTreeSet<&str> = document["on"].as_mapping().unwrap().keys().map(|key| key.as_str().unwrap()).collect();
        let expected: BTreeSet<&str> = rows(stage)
            .map(|row| match row.trigger {
                Trigger::Pull { .. } => "pull_request_target",
                Trigger::PushToMain => "push",
                Trigger::Dispatch => "repository_dispatch",
                Trigger::Schedule => "schedule",
                Trigger::ByHand => "workflow_dispatch",
            })
            .collect();
        assert_eq!(named, expected, "{path}");
        assert_eq!(rows(stage).count(), named.len(), "{path}: one key an event");
    }
}

#[test]
fn files_of_an_adoption() {
    insta::assert_snapshot!(configuration(&["charts/*", "a\"b"]), @r#"
    # Every key is optional. `chartflow` reads this file from the main branch alone.
    charts:
      - "charts/*"
      - "a\"b"
    "#);
    insta::assert_snapshot!(code_owners("@o/platform"), @r"
    # These files decide who signs, and what is required of a release.
    /.github/ @o/platform
    /.chartflow.yaml @o/platform
    ");
}
