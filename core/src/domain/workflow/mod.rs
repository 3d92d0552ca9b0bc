//! The workflow files of the train, written from the event table, and the other files of an adoption.
//!
//! Syntax: GitHub documentation, "Workflow syntax for GitHub Actions".

mod adoption;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::event::{Job, Moment, Permissions, Row, StageName, TABLE, Trigger, job_permissions, jobs};
use super::ruleset::{Mode, Tiers};

pub use adoption::{CODE_OWNERS_PATH, CONFIGURATION_PATH, code_owners, configuration};

/// The environment that holds the secrets and is limited to main, so that no other branch's workflow can sign.
pub const ENVIRONMENT: &str = "chartflow";

/// The variable that holds the App's id.
pub const APP_ID_VARIABLE: &str = "CHARTFLOW_APP_ID";

/// The secret that holds the App's private key.
pub const APP_KEY_SECRET: &str = "CHARTFLOW_PRIVATE_KEY";

/// The secret that holds the signing key in profile `key`.
pub const SIGNING_KEY_SECRET: &str = "CHARTFLOW_SIGNING_KEY";

/// When `reconcile` looks for lost events: every three hours, beside the full hour, when GitHub delays schedules least.
const SCHEDULE: &str = "17 */3 * * *";

/// How the files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The branches.
    pub tiers: Tiers,
    /// As whom the train works.
    pub mode: Mode,
    /// Whether statements are signed with a key (profile `key`) and not with the run's identity.
    pub signing_key: bool,
    /// Where the actions are, up to the stage's name, e.g. `chartflow/chartflow/actions`.
    pub actions: String,
    /// Their version, e.g. `v1` or a commit.
    pub version: String,
}

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The workflow files, one a stage and `reconcile`.
#[must_use]
pub fn workflows(options: &Options) -> Vec<File> {
    StageName::ALL.into_iter().map(|stage| File { path: stage.workflow_path().to_owned(), text: workflow(stage, options) }).collect()
}

/// A text as a double-quoted YAML scalar, which is JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn list(items: &[&str]) -> String {
    format!("[{}]", items.join(", "))
}

fn rows(stage: StageName) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.stage == stage)
}

fn triggers(stage: StageName, tiers: &Tiers) -> String {
    let mut text = String::from("on:\n");
    for row in rows(stage) {
        text.push_str(&match row.trigger {
            Trigger::Pull { base, moment } => format!(
                "  # main's workflow file runs, and the pull request's code is never checked out or run.\n  pull_request_target: # zizmor: ignore[dangerous-triggers]\n    types: {}\n    branches: [{}]\n",
                list(moment.types()),
                quoted(tiers.pattern(base))
            ),
            Trigger::PushToMain => format!("  push:\n    branches: [{}]\n", quoted(tiers.main.as_str())),
            Trigger::Dispatch => format!("  repository_dispatch:\n    types: [{}]\n", stage.dispatch_type().unwrap_or_default()),
            Trigger::Schedule => format!("  schedule:\n    - cron: {}\n", quoted(SCHEDULE)),
            Trigger::ByHand => "  workflow_dispatch:\n".to_owned(),
        });
    }
    text
}

/// Runs of one stage about one pull request wait for each other. What writes the release branch waits in one line,
/// none dropped; the others look at everything there is to do, so that of those waiting the newest is enough.
fn concurrency(stage: StageName) -> String {
    let group = match stage {
        StageName::Package | StageName::Reconcile => return "concurrency:\n  group: chartflow-release\n  queue: max\n".to_owned(),
        StageName::Validate | StageName::Enforce | StageName::Format | StageName::Bump => {
            format!("chartflow-{stage}-${{{{ github.event.pull_request.number || github.event.client_payload.pull || 'all' }}}}")
        }
        StageName::Filter | StageName::Tag | StageName::Publish => format!("chartflow-{stage}"),
    };
    format!("concurrency:\n  group: {group}\n")
}

fn permissions(permissions: &Permissions) -> String {
    if permissions.is_empty() {
        return "    permissions: {}\n".to_owned();
    }
    let mut text = String::from("    permissions:\n");
    for (permission, access) in permissions {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "      {}: {}", permission.workflow_key(), access.as_str());
    }
    text
}

/// The condition of the first job: a pull request that was closed unmerged starts nothing.
fn condition(stage: StageName) -> &'static str {
    let merged = rows(stage).any(|row| matches!(row.trigger, Trigger::Pull { moment: Moment::Merged, .. }));
    if merged { "    if: github.event_name != 'pull_request_target' || github.event.pull_request.merged\n" } else { "" }
}

fn check_job(stage: StageName, options: &Options) -> String {
    let Options { actions, version, .. } = options;
    format!(
        "  # Runs helm on contributed content: no secret, no identity, nothing it could write.
  check:
    name: check
{condition}    runs-on: ubuntu-latest
    timeout-minutes: 60
{permissions}    outputs:
      checks: ${{{{ steps.check.outputs.checks }}}}
    steps:
      - id: check
        uses: {actions}/{stage}@{version}
        with:
          job: check
",
        condition = condition(stage),
        permissions = permissions(&job_permissions(stage, Job::Check, options.mode)),
    )
}

fn act_job(stage: StageName, options: &Options) -> String {
    let Options { actions, version, .. } = options;
    let checked = jobs(stage).contains(&Job::Check);
    let mut with = String::new();
    if checked {
        with.push_str("          job: sign\n          checks: ${{ needs.check.outputs.checks }}\n");
    }
    if matches!(options.mode, Mode::App { .. }) {
        let _ = writeln!(with, "          app-id: ${{{{ vars.{APP_ID_VARIABLE} }}}}\n          private-key: ${{{{ secrets.{APP_KEY_SECRET} }}}}");
    }
    // `format` signs nothing, but whose statements it may draw follows from the same key.
    if options.signing_key {
        let _ = writeln!(with, "          signing-key: ${{{{ secrets.{SIGNING_KEY_SECRET} }}}}");
    }
    let with = if with.is_empty() { with } else { format!("        with:\n{with}") };
    let needs = if checked { "    needs: check\n" } else { condition(stage) };
    format!(
        "  {stage}:
    name: {stage}
{needs}    runs-on: ubuntu-latest
    timeout-minutes: 60
    environment: {ENVIRONMENT}
{permissions}    steps:
      - uses: {actions}/{stage}@{version}
{with}",
        permissions = permissions(&job_permissions(stage, Job::Act, options.mode)),
    )
}

/// The workflow file of a stage.
#[must_use]
pub fn workflow(stage: StageName, options: &Options) -> String {
    let jobs: String = jobs(stage)
        .iter()
        .map(|job| match job {
            Job::Check => check_job(stage, options),
            Job::Act => act_job(stage, options),
        })
        .collect();
    format!(
        "# Written by chartflow from its event table; `chartflow init` writes it again.
name: chartflow {stage}
{triggers}permissions: {{}}
{concurrency}jobs:
{jobs}",
        triggers = triggers(stage, &options.tiers),
        concurrency = concurrency(stage),
    )
}
