//! Which event starts which stage: one table, from which the workflow files are generated, which the rehearsal follows,
//! and which says how a lost event is made good.
//!
//! Every stage runs from the workflow file on the default branch. A `pull_request` event would read the pull request's
//! own file, and a push to the release branch a tree without workflows, so neither starts anything here
//! (GitHub documentation, "Events that trigger workflows").

mod payload;
mod permission;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value;

use super::names::ChartName;
use super::statement::Stage;

pub use payload::EventError;
pub use permission::{Access, Job, Permission, Permissions, app_permissions, installation_permissions, job_permissions, jobs, token_permissions};
pub use table::{Moment, Row, StageStart, TABLE, Trigger, next_stages, stages_for};

/// A stage of the train, or `reconcile`, which runs all of them over every chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageName {
    /// The checks of a contribution.
    Validate,
    /// Promotion of what is due.
    Filter,
    /// The proof of a promotion or bump.
    Enforce,
    /// The pull request to main.
    Format,
    /// The version, and main's gate.
    Bump,
    /// The tag and the way back.
    Tag,
    /// The package and the pull request to the release branch.
    Package,
    /// Registry, release, and the stranger's check.
    Publish,
    /// Every stage over every chart.
    Reconcile,
}

impl StageName {
    /// Those that a change passes, in their order.
    pub const TRAIN: [Self; 8] = [Self::Validate, Self::Filter, Self::Enforce, Self::Format, Self::Bump, Self::Tag, Self::Package, Self::Publish];

    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Validate, Self::Filter, Self::Enforce, Self::Format, Self::Bump, Self::Tag, Self::Package, Self::Publish, Self::Reconcile];

    /// The name, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Filter => "filter",
            Self::Enforce => "enforce",
            Self::Format => "format",
            Self::Bump => "bump",
            Self::Tag => "tag",
            Self::Package => "package",
            Self::Publish => "publish",
            Self::Reconcile => "reconcile",
        }
    }

    /// The `event_type` of the `repository_dispatch` that starts it; `None` for `reconcile`, which is started by hand.
    #[must_use]
    pub const fn dispatch_type(self) -> Option<&'static str> {
        match self {
            Self::Validate => Some("chartflow-validate"),
            Self::Filter => Some("chartflow-filter"),
            Self::Enforce => Some("chartflow-enforce"),
            Self::Format => Some("chartflow-format"),
            Self::Bump => Some("chartflow-bump"),
            Self::Tag => Some("chartflow-tag"),
            Self::Package => Some("chartflow-package"),
            Self::Publish => Some("chartflow-publish"),
            Self::Reconcile => None,
        }
    }

    /// Where its workflow lies on the default branch.
    #[must_use]
    pub const fn workflow_path(self) -> &'static str {
        match self {
            Self::Validate => ".github/workflows/chartflow-validate.yml",
            Self::Filter => ".github/workflows/chartflow-filter.yml",
            Self::Enforce => ".github/workflows/chartflow-enforce.yml",
            Self::Format => ".github/workflows/chartflow-format.yml",
            Self::Bump => ".github/workflows/chartflow-bump.yml",
            Self::Tag => ".github/workflows/chartflow-tag.yml",
            Self::Package => ".github/workflows/chartflow-package.yml",
            Self::Publish => ".github/workflows/chartflow-publish.yml",
            Self::Reconcile => ".github/workflows/chartflow-reconcile.yml",
        }
    }
}

impl From<Stage> for StageName {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Validate => Self::Validate,
            Stage::Filter => Self::Filter,
            Stage::Enforce => Self::Enforce,
            Stage::Format => Self::Format,
            Stage::Bump => Self::Bump,
            Stage::Tag => Self::Tag,
            Stage::Package => Self::Package,
            Stage::Publish => Self::Publish,
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an event about a pull request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullEvent {
    /// The activity: `opened`, `synchronize`, `reopened`, `closed`, ….
    pub action: String,
    /// The pull request's number.
    pub number: u64,
    /// The branch it aims at, without `refs/heads/`.
    pub base: String,
    /// The branch it comes from, in whichever repository.
    pub head: String,
    /// Whether it has been merged.
    pub merged: bool,
}

/// An event of GitHub, as far as the train is concerned.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something happened to a pull request; runs the default branch's workflows.
    PullRequestTarget(PullEvent),
    /// The same occurrence; runs the workflows of the pull request's test merge, so no stage listens to it.
    PullRequest(PullEvent),
    /// A ref moved.
    Push {
        /// The ref's full name.
        reference: String,
        /// Whether it was deleted.
        deleted: bool,
    },
    /// `POST /repos/{owner}/{repo}/dispatches`.
    RepositoryDispatch {
        /// The `event_type`.
        kind: String,
        /// The `client_payload`: untrusted, at most a hint.
        payload: Value,
    },
    /// `POST /repos/{owner}/{repo}/actions/workflows/{id}/dispatches`, or a click.
    WorkflowDispatch {
        /// The workflow file's path.
        workflow: String,
        /// The ref it was started on, full name.
        reference: String,
    },
    /// The time came.
    Schedule,
}

/// Whose workflow files an event reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowSource {
    /// The newest commit of the default branch.
    DefaultBranch,
    /// The commit that was pushed.
    PushedCommit,
    /// The test merge of the pull request (`refs/pull/N/merge`).
    TestMerge,
    /// The ref the workflow was started on.
    NamedRef,
}

impl Event {
    /// The name as in `on:` and `GITHUB_EVENT_NAME`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PullRequestTarget(_) => "pull_request_target",
            Self::PullRequest(_) => "pull_request",
            Self::Push { .. } => "push",
            Self::RepositoryDispatch { .. } => "repository_dispatch",
            Self::WorkflowDispatch { .. } => "workflow_dispatch",
            Self::Schedule => "schedule",
        }
    }

    /// Whose workflow files it reads (GitHub documentation, "Events that trigger workflows": `GITHUB_SHA` of each
    /// event; for `pull_request_target` the default branch whatever the base, since December 2025).
    #[must_use]
    pub const fn workflow_source(&self) -> WorkflowSource {
        match self {
            Self::PullRequestTarget(_) | Self::RepositoryDispatch { .. } | Self::Schedule => WorkflowSource::DefaultBranch,
            Self::PullRequest(_) => WorkflowSource::TestMerge,
            Self::Push { .. } => WorkflowSource::PushedCommit,
            Self::WorkflowDispatch { .. } => WorkflowSource::NamedRef,
        }
    }

    /// The pull request it names, if any: a dispatch may name one in its payload's `pull`.
    #[must_use]
    pub fn pull(&self) -> Option<u64> {
        match self {
            Self::PullRequestTarget(pull) | Self::PullRequest(pull) => Some(pull.number),
            Self::RepositoryDispatch { payload, .. } => payload.get("pull").and_then(Value::as_u64),
            _ => None,
        }
    }

    /// The chart that a dispatch names in its payload's `chart`; what is no chart name is no hint.
    #[must_use]
    pub fn chart(&self) -> Option<ChartName> {
        match self {
            Self::RepositoryDispatch { payload, .. } => payload.get("chart").and_then(Value::as_str).and_then(|text| text.parse().ok()),
            _ => None,
        }
    }
}
