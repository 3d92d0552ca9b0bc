//! The workflow files of the train, written from the event table, and the other files of an adoption.
//!
//! Syntax: GitHub documentation, "Workflow syntax for GitHub Actions".

mod adoption;
mod parts;
mod reusable;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::event::{Job, Permission, Permissions, StageName, job_permissions, jobs};
use super::names::EnvironmentName;
use super::ruleset::{Mode, Tiers};

use parts::{concurrency, condition, permissions, scalar, triggers, uses};

pub use adoption::{CODE_OWNERS_PATH, CONFIGURATION_PATH, code_owners, configuration};
pub use reusable::{callers, reusable};

/// The name by default of the environment that holds the secrets and is limited to main, so that no other branch's
/// workflow can sign.
pub const ENVIRONMENT: &str = "chartflow";

/// Where chartflow's own actions are.
pub const ACTIONS: &str = "chartflow/chartflow/actions";

/// The tag that follows their releases: `.github/workflows/release.yml` moves the one of this major version.
pub const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION_MAJOR"));

/// The variable that holds the App's id.
pub const APP_ID_VARIABLE: &str = "CHARTFLOW_APP_ID";

/// The secret that holds the App's private key.
pub const APP_KEY_SECRET: &str = "CHARTFLOW_PRIVATE_KEY";

/// The secret that holds a token given by hand.
pub const TOKEN_SECRET: &str = "CHARTFLOW_TOKEN";

/// The secret that holds the signing key in profile `key`.
pub const SIGNING_KEY_SECRET: &str = "CHARTFLOW_SIGNING_KEY";

/// How the files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The branches.
    pub tiers: Tiers,
    /// As whom the train works.
    pub mode: Mode,
    /// The environment of what signs.
    pub environment: EnvironmentName,
    /// Whether statements are signed with a key (profile `key`) and not with the run's identity.
    pub signing_key: bool,
    /// Where the actions are, up to the stage's name, e.g. `chartflow/chartflow/actions`.
    pub actions: String,
    /// What stands behind their `@`: a tag such as `v1`, or a commit with the version it is, `COMMIT # v1.2.3`, which
    /// updating bots read.
    pub version: String,
}

impl Options {
    /// What most repositories use: the actions of chartflow's first major version, signing as the workflow.
    #[must_use]
    pub fn new(tiers: Tiers, mode: Mode) -> Self {
        Self { tiers, mode, environment: EnvironmentName::literal(ENVIRONMENT), signing_key: false, actions: ACTIONS.to_owned(), version: VERSION.to_owned() }
    }
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

/// The permissions of a job: those of its stage, without the identity token where a key signs.
fn own_permissions(stage: StageName, job: Job, options: &Options) -> Permissions {
    let mut permissions = job_permissions(stage, job, options.mode);
    if options.signing_key {
        permissions.remove(&Permission::IdToken);
    }
    permissions
}

fn check_job(stage: StageName, options: &Options) -> String {
    let action = uses(&format!("{}/{stage}", options.actions), options);
    format!(
        "  # Runs helm on contributed content: no secret, no identity, nothing it could write.
  check:
    name: check
{condition}    runs-on: ubuntu-latest
    timeout-minutes: 120
{permissions}    outputs:
      checks: ${{{{ steps.check.outputs.checks }}}}
    steps:
      - id: check
        uses: {action}
        with:
          job: check
",
        condition = condition(stage),
        permissions = permissions(&own_permissions(stage, Job::Check, options)),
    )
}

fn act_job(stage: StageName, options: &Options) -> String {
    let action = uses(&format!("{}/{stage}", options.actions), options);
    let checked = jobs(stage).contains(&Job::Check);
    let mut with = String::new();
    if checked {
        with.push_str("          job: sign\n          checks: ${{ needs.check.outputs.checks }}\n");
    }
    if matches!(options.mode, Mode::App { .. }) {
        let _ = writeln!(with, "          app-id: ${{{{ vars.{APP_ID_VARIABLE} }}}}\n          private-key: ${{{{ secrets.{APP_KEY_SECRET} }}}}");
    }
    if options.mode == Mode::PersonalToken {
        let _ = writeln!(with, "          token: ${{{{ secrets.{TOKEN_SECRET} }}}}");
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
    timeout-minutes: 120
    environment: {environment}
{permissions}    steps:
      - uses: {action}
{with}",
        environment = scalar(options.environment.as_str()),
        permissions = permissions(&own_permissions(stage, Job::Act, options)),
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
