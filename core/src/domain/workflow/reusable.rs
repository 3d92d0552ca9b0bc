//! Workflows that are called from another repository, and the files that call them.
//!
//! Steps of a caller's own job share their machine with whatever else the job does. A called workflow runs on machines
//! of its own, and nothing of the caller reaches it but what `on.workflow_call` names; that isolation is what SLSA Build
//! L3 asks for (SLSA 1.2, "Build track: isolated"), and why there are no inputs here.

use std::fmt::Write as _;

use super::parts::{concurrency, condition, permissions, triggers, uses};
use super::{APP_ID_VARIABLE, APP_KEY_SECRET, ENVIRONMENT, File, Options, SIGNING_KEY_SECRET, check_job, own_permissions};
use crate::domain::event::{Access, Job, Permissions, StageName, jobs};
use crate::domain::ruleset::Mode;

/// The workflows that others call, one a stage and `reconcile`; they are this project's own files.
#[must_use]
pub fn reusable(options: &Options) -> Vec<File> {
    let path = |stage: StageName| format!(".github/workflows/{stage}.yml");
    StageName::ALL.into_iter().map(|stage| File { path: path(stage), text: called(stage, options) }).collect()
}

/// The workflow files of a repository that calls them.
#[must_use]
pub fn callers(options: &Options) -> Vec<File> {
    StageName::ALL.into_iter().map(|stage| File { path: stage.workflow_path().to_owned(), text: caller(stage, options) }).collect()
}

fn secret(text: &mut String, name: &str, description: &str) {
    // Writing to a String cannot fail.
    let _ = write!(text, "      {name}:\n        description: {description}\n        required: false\n");
}

fn called(stage: StageName, options: &Options) -> String {
    let mut secrets = String::new();
    secret(&mut secrets, APP_KEY_SECRET, "The private key of the App. Without it the workflow's own token works.");
    let checked = jobs(stage).contains(&Job::Check);
    let mut with = String::new();
    if checked {
        with.push_str("          job: sign\n          checks: ${{ needs.check.outputs.checks }}\n");
    }
    let _ = writeln!(with, "          app-id: ${{{{ vars.{APP_ID_VARIABLE} }}}}\n          private-key: ${{{{ secrets.{APP_KEY_SECRET} }}}}");
    // `format` signs nothing, but whose statements it may draw follows from the same key.
    secret(&mut secrets, SIGNING_KEY_SECRET, "The signing key of profile key.");
    let _ = writeln!(with, "          signing-key: ${{{{ secrets.{SIGNING_KEY_SECRET} }}}}");
    let check = if checked { check_job(stage, options) } else { String::new() };
    let needs = if checked { "    needs: check\n" } else { condition(stage) };
    let action = uses(&format!("{}/{stage}", options.actions), options);
    format!(
        "# Written by chartflow from its event table. Called by the workflow files that `chartflow init --reusable` writes.
name: {stage} # zizmor: ignore[excessive-permissions] a called workflow has what its caller grants and no more
on:
  workflow_call:
    secrets:
{secrets}{concurrency}jobs:
{check}  {stage}: # zizmor: ignore[excessive-permissions] the caller grants it, and less of it where an App works
    name: {stage}
{needs}    runs-on: ubuntu-latest
    timeout-minutes: 120
    environment: {ENVIRONMENT}
    steps:
      - uses: {action}
        with:
{with}",
        concurrency = concurrency(stage),
    )
}

/// What the jobs of a called stage need together: a called workflow never has more than its caller grants.
fn granted(stage: StageName, options: &Options) -> Permissions {
    let mut all = Permissions::new();
    for job in jobs(stage) {
        for (permission, access) in own_permissions(stage, *job, options) {
            let held = all.entry(permission).or_insert(Access::Read);
            *held = access.max(*held);
        }
    }
    all
}

fn caller(stage: StageName, options: &Options) -> String {
    let mut secrets = String::new();
    if matches!(options.mode, Mode::App { .. }) {
        let _ = writeln!(secrets, "      {APP_KEY_SECRET}: ${{{{ secrets.{APP_KEY_SECRET} }}}}");
    }
    if options.signing_key {
        let _ = writeln!(secrets, "      {SIGNING_KEY_SECRET}: ${{{{ secrets.{SIGNING_KEY_SECRET} }}}}");
    }
    let secrets = if secrets.is_empty() { secrets } else { format!("    secrets:\n{secrets}") };
    let project = options.actions.strip_suffix("/actions").unwrap_or(&options.actions);
    format!(
        "# Written by chartflow from its event table; `chartflow init` writes it again.
name: chartflow {stage}
{triggers}permissions: {{}}
jobs:
  {stage}:
    name: {stage}
{permissions}    uses: {uses}
{secrets}",
        triggers = triggers(stage, &options.tiers),
        permissions = permissions(&granted(stage, options)),
        uses = uses(&format!("{project}/.github/workflows/{stage}.yml"), options),
    )
}
