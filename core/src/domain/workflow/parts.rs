//! The parts that workflow files are put together from.

use std::fmt::Write as _;

use super::Options;
use crate::domain::event::{Access, Moment, Permission, Permissions, Row, StageName, TABLE, Trigger};
use crate::domain::ruleset::Tiers;

/// When `reconcile` looks for lost events: every three hours, beside the full hour, when GitHub delays schedules least.
const SCHEDULE: &str = "17 */3 * * *";

/// A text as a double-quoted YAML scalar, which is JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Words that YAML 1.1 or 1.2 does not read as texts.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// A text as a YAML scalar: as it is where every reader takes it for that text, otherwise quoted.
pub(super) fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(word) && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

/// A branch, or the pattern of the charts' branches, for a filter: what git allows in a name and a filter reads otherwise
/// is escaped.
///
/// Source: GitHub documentation, "Workflow syntax for GitHub Actions", filter pattern cheat sheet.
fn filter(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '+' | '!') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    quoted(&pattern)
}

fn list(items: &[&str]) -> String {
    format!("[{}]", items.join(", "))
}

pub(super) fn rows(stage: StageName) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.stage == stage)
}

pub(super) fn triggers(stage: StageName, tiers: &Tiers) -> String {
    let mut text = String::from("on:\n");
    for row in rows(stage) {
        text.push_str(&match row.trigger {
            Trigger::Pull { base, moment } => format!(
                "  # Always main's workflow file, and the pull request's code is never checked out or run: it is read as data.\n  pull_request_target: # zizmor: ignore[dangerous-triggers] for the reason above\n    types: {}\n    branches: [{}]\n",
                list(moment.types()),
                filter(tiers.pattern(base))
            ),
            Trigger::PushToMain => format!("  push:\n    branches: [{}]\n", filter(tiers.main.as_str())),
            Trigger::Dispatch => format!("  repository_dispatch:\n    types: [{}]\n", stage.dispatch_type().unwrap_or_default()),
            Trigger::Schedule => format!("  schedule:\n    - cron: {}\n", quoted(SCHEDULE)),
            Trigger::ByHand => "  workflow_dispatch:\n".to_owned(),
        });
    }
    text
}

/// Runs of one stage about one pull request wait for each other. What writes the release branch waits in one line,
/// none dropped; the others look at everything there is to do, so that of those waiting the newest is enough.
pub(super) fn concurrency(stage: StageName) -> String {
    let group = match stage {
        StageName::Package | StageName::Reconcile => {
            return "concurrency:\n  group: chartflow-release\n  # Both write the release branch: each waits for its turn, and none is dropped.\n  queue: max\n".to_owned();
        }
        StageName::Validate | StageName::Enforce | StageName::Format | StageName::Bump => {
            format!("chartflow-{stage}-${{{{ github.event.pull_request.number || github.event.client_payload.pull || 'all' }}}}")
        }
        StageName::Filter | StageName::Tag | StageName::Publish => format!("chartflow-{stage}"),
    };
    format!("concurrency:\n  group: {group}\n")
}

/// What a job does with a permission.
const fn purpose(permission: Permission, access: Access) -> &'static str {
    match (permission, access) {
        (Permission::Attestations, _) => "keeps statements about packages in GitHub's store",
        (Permission::Contents, Access::Read) => "reads charts as data",
        (Permission::Contents, Access::Write) => "writes git objects, refs and releases, and starts the next stage",
        (Permission::IdToken, _) => "signs as this run of this workflow file",
        (Permission::Packages, _) => "pushes to the container registry",
        (Permission::PullRequests, Access::Read) => "reads pull requests and their reviews",
        (Permission::PullRequests, Access::Write) => "opens, describes and merges pull requests",
        (Permission::Statuses, _) => "reports on the head of a pull request",
        (Permission::Administration, _) => "brings the rulesets about",
        (Permission::Workflows, _) => "carries workflow files along",
    }
}

pub(super) fn permissions(permissions: &Permissions) -> String {
    if permissions.is_empty() {
        return "    permissions: {}\n".to_owned();
    }
    let mut text = String::from("    permissions:\n");
    for (permission, access) in permissions {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "      {}: {} # {}", permission.workflow_key(), access.as_str(), purpose(*permission, *access));
    }
    text
}

/// The condition of the first job: a pull request that was closed unmerged starts nothing.
pub(super) fn condition(stage: StageName) -> &'static str {
    let merged = rows(stage).any(|row| matches!(row.trigger, Trigger::Pull { moment: Moment::Merged, .. }));
    if merged { "    if: github.event_name != 'pull_request_target' || github.event.pull_request.merged\n" } else { "" }
}

/// The value of a `uses:` of this project, at the version asked for.
pub(super) fn uses(path: &str, options: &Options) -> String {
    let reference = options.version.split_whitespace().next().unwrap_or_default();
    let pinned = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    let reason = if pinned { "" } else { " # zizmor: ignore[unpinned-uses] moved by releases of chartflow alone; --actions-ref pins a commit" };
    format!("{path}@{}{reason}", options.version)
}
