use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_yaml::Value;

use super::parts::rows;
use super::*;
use crate::domain::configuration::MergeMethod;
use crate::domain::event::Trigger;
use crate::domain::names::BranchName;

fn options(mode: Mode, signing_key: bool) -> Options {
    Options {
        tiers: Tiers {
            main: "main".parse().unwrap(),
            integration: "integration".parse().unwrap(),
            charts: "integration-*".to_owned(),
            release: "release".parse().unwrap(),
            tags: "*-v*".to_owned(),
            main_method: MergeMethod::Squash,
        },
        mode,
        environment: ENVIRONMENT.parse().unwrap(),
        signing_key,
        actions: ACTIONS.to_owned(),
        version: VERSION.to_owned(),
    }
}

#[test]
fn the_file_of_filter() {
    insta::assert_snapshot!(workflow(StageName::Filter, &options(Mode::App { id: 7 }, true)), @r#"
    # Written by chartflow from its event table; `chartflow init` writes it again.
    name: chartflow filter
    on:
      # Always main's workflow file, and the pull request's code is never checked out or run: it is read as data.
      pull_request_target: # zizmor: ignore[dangerous-triggers] for the reason above
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
        timeout-minutes: 120
        permissions:
          contents: read # reads charts as data
        outputs:
          checks: ${{ steps.check.outputs.checks }}
        steps:
          - id: check
            uses: chartflow/chartflow/actions/filter@v1 # zizmor: ignore[unpinned-uses] moved by releases of chartflow alone; --actions-ref pins a commit
            with:
              job: check
      filter:
        name: filter
        needs: check
        runs-on: ubuntu-latest
        timeout-minutes: 120
        environment: chartflow
        permissions: {}
        steps:
          - uses: chartflow/chartflow/actions/filter@v1 # zizmor: ignore[unpinned-uses] moved by releases of chartflow alone; --actions-ref pins a commit
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
      # Always main's workflow file, and the pull request's code is never checked out or run: it is read as data.
      pull_request_target: # zizmor: ignore[dangerous-triggers] for the reason above
        types: [opened, synchronize, reopened]
        branches: ["release"]
      repository_dispatch:
        types: [chartflow-package]
    permissions: {}
    concurrency:
      group: chartflow-release
      # Both write the release branch: each waits for its turn, and none is dropped.
      queue: max
    jobs:
      package:
        name: package
        runs-on: ubuntu-latest
        timeout-minutes: 120
        environment: chartflow
        permissions:
          attestations: write # keeps statements about packages in GitHub's store
          contents: write # writes git objects, refs and releases, and starts the next stage
          id-token: write # signs as this run of this workflow file
          pull-requests: write # opens, describes and merges pull requests
          statuses: write # reports on the head of a pull request
        steps:
          - uses: chartflow/chartflow/actions/package@v1 # zizmor: ignore[unpinned-uses] moved by releases of chartflow alone; --actions-ref pins a commit
    "#);
}

fn every_file() -> Vec<(Mode, File)> {
    let modes = [(Mode::App { id: 7 }, false), (Mode::App { id: 7 }, true), (Mode::WorkflowToken, false), (Mode::WorkflowToken, true)];
    let written = |options: &Options| [workflows(options), callers(options)].concat();
    modes.iter().flat_map(|(mode, key)| written(&options(*mode, *key)).into_iter().map(|file| (*mode, file))).collect()
}

/// The keys of `permissions` that a workflow file may name (GitHub documentation, "Workflow syntax").
const KNOWN: &[&str] = &["attestations", "contents", "id-token", "packages", "pull-requests", "statuses"];

#[test]
fn every_file_is_yaml_with_least_permissions() {
    let files = every_file();
    assert_eq!(files.len(), 72);
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
            assert!(!whole.contains("checkout"), "{path}");
            if job.get("uses").is_some() {
                continue;
            }
            let checks = name.as_str() == Some("check");
            assert_eq!(checks, job.get("environment").is_none(), "{path}");
            assert!(!checks || !(whole.contains("secrets.") || whole.contains("write")), "{path}");
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

/// A called workflow never has more than its caller grants, so a caller grants what all of its jobs need.
#[test]
fn callers_grant_what_the_called_jobs_need() {
    for (mode, key) in [(Mode::App { id: 7 }, false), (Mode::WorkflowToken, false), (Mode::WorkflowToken, true)] {
        let options = options(mode, key);
        for (own, caller) in workflows(&options).iter().zip(callers(&options)) {
            let (own, caller): (Value, Value) = (serde_yaml::from_str(&own.text).unwrap(), serde_yaml::from_str(&caller.text).unwrap());
            let (_, calling) = caller["jobs"].as_mapping().unwrap().iter().next().unwrap();
            let mut needed = serde_yaml::Mapping::new();
            for job in own["jobs"].as_mapping().unwrap().values() {
                for (permission, access) in job["permissions"].as_mapping().unwrap() {
                    if needed.get(permission).is_none_or(|held| held.as_str() == Some("read")) {
                        needed.insert(permission.clone(), access.clone());
                    }
                }
            }
            assert_eq!(calling["permissions"], Value::Mapping(needed), "{}", own["name"].as_str().unwrap());
        }
    }
}

/// A commit is a pin; what moves says why it may.
#[test]
fn what_is_not_pinned_says_so() {
    let used = |version: &str| {
        let options = Options { version: version.to_owned(), ..options(Mode::WorkflowToken, false) };
        workflow(StageName::Format, &options).lines().find(|line| line.contains("uses:")).unwrap().trim().to_owned()
    };
    insta::assert_snapshot!(used("v1"), @"- uses: chartflow/chartflow/actions/format@v1 # zizmor: ignore[unpinned-uses] moved by releases of chartflow alone; --actions-ref pins a commit");
    insta::assert_snapshot!(used("d23441a48e516b6c34aea4fa41551a30e30af803 # v1.2.3"), @"- uses: chartflow/chartflow/actions/format@d23441a48e516b6c34aea4fa41551a30e30af803 # v1.2.3");
}

/// Compares files of the work tree with what is written here; with CHARTFLOW_REGENERATE set, writes them.
fn committed(below: &str, files: &[File]) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for File { path, text } in files {
        let path = format!("{below}{}", path.rsplit('/').next().unwrap());
        if std::env::var_os("CHARTFLOW_REGENERATE").is_some() {
            std::fs::create_dir_all(top.join(below)).unwrap();
            std::fs::write(top.join(&path), text).unwrap();
        }
        let present = std::fs::read_to_string(top.join(&path)).unwrap_or_default();
        assert!(present == *text, "{path} is not what the event table says; run this test with CHARTFLOW_REGENERATE=1 and commit the file");
    }
}

/// The examples, and the workflows that others call. A release sets CHARTFLOW_ACTIONS_REF and writes them anew, so that
/// they name the very commit of its actions.
#[test]
fn the_committed_workflows_are_the_table_s() {
    let version = std::env::var("CHARTFLOW_ACTIONS_REF").unwrap_or_else(|_| VERSION.to_owned());
    let options = Options { version, ..options(Mode::App { id: 7 }, false) };
    committed("examples/workflows/", &workflows(&options));
    committed(".github/workflows/", &reusable(&options));
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/workflows");
    assert_eq!(std::fs::read_dir(top).unwrap().count(), StageName::ALL.len(), "examples/workflows holds nothing else");
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

/// Texts that YAML reads as something else, and names as people may write them.
fn environment_names() -> impl Strategy<Value = EnvironmentName> {
    let hostile = prop::sample::select(vec![
        "prod: a",
        "x # y",
        "null",
        "~",
        "No",
        "[a]",
        "{a}",
        "*a",
        "&a",
        "!a",
        "- a",
        "? a",
        "1e3",
        "0x10",
        "2026-01-01",
        "a\\n",
        "\"",
        "'",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
    ]);
    prop_oneof![hostile.prop_map(str::to_owned), "\\PC{1,40}", "[ -~]{1,12}"].prop_filter_map("no name", |text| text.parse().ok())
}

proptest! {
    #[test]
    fn any_environment_reads_back_as_it_is(environment in environment_names()) {
        for mode in [Mode::App { id: 7 }, Mode::WorkflowToken] {
            let options = Options { environment: environment.clone(), ..options(mode, true) };
            for File { path, text } in workflows(&options) {
                let document: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}\n{text}"));
                let jobs = document["jobs"].as_mapping().unwrap();
                let named: Vec<&str> = jobs.values().filter_map(|job| job.get("environment")).map(|name| name.as_str().unwrap_or_default()).collect();
                prop_assert_eq!(named, [environment.as_str()]);
                prop_assert!(jobs.values().all(|job| job.get("continue-on-error").is_none()));
            }
        }
    }

    /// As a filter reads it: no character of a branch is a pattern.
    #[test]
    fn any_main_branch_is_listened_to(name in "[ -~]{1,12}") {
        let Ok(main) = name.parse::<BranchName>() else { return Ok(()) };
        let plain = options(Mode::WorkflowToken, false);
        let options = Options { tiers: Tiers { main: main.clone(), ..plain.tiers.clone() }, ..plain };
        for text in [workflow(StageName::Tag, &options), callers(&options).into_iter().find(|file| file.path.ends_with("tag.yml")).unwrap().text] {
            let document: Value = serde_yaml::from_str(&text).unwrap();
            let pattern = document["on"]["push"]["branches"][0].as_str().unwrap();
            prop_assert!(!pattern.starts_with('!'));
            prop_assert_eq!(pattern.replace("\\+", "+").replace("\\!", "!"), main.as_str());
            let unescaped = pattern.replace("\\+", "").replace("\\!", "");
            prop_assert!(!unescaped.contains(['+', '!', '*', '?', '[']));
        }
    }
}
