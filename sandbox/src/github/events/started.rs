//! What an event started.

use chartflow_core::domain::digest::CommitId;
use chartflow_core::domain::event::{Event, StageStart};

use crate::github::actor::TokenKind;

/// An event, whose workflow files it read, and what they did.
#[derive(Debug, Clone, PartialEq)]
pub struct StartedEvent {
    /// The number of the occurrence it comes from; `None` for a schedule.
    pub sequence: Option<u64>,
    /// When, in seconds since 1970-01-01T00:00:00Z by the hub's clock.
    pub time: i64,
    /// The login of whoever caused it; `None` for a schedule.
    pub actor: Option<String>,
    /// The kind of token it was caused with; `None` for a schedule.
    pub token: Option<TokenKind>,
    /// The event.
    pub event: Event,
    /// The commit whose workflow files it reads; `None` when there is none, or for a test merge nobody asked for yet.
    pub workflow_commit: Option<CommitId>,
    /// The paths of the workflow files in that commit.
    pub workflow_files: Vec<String>,
    /// What it starts: first the train's stages, in the table's order, then other workflows.
    pub runs: Vec<Run>,
}

/// A workflow that an event starts, or should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The workflow file's path.
    pub workflow: String,
    /// The stage, where it is one of the train's.
    pub stage: Option<StageStart>,
    /// Whether it runs.
    pub outcome: Outcome,
}

impl Run {
    /// Whether it runs.
    #[must_use]
    pub fn started(&self) -> bool {
        self.outcome == Outcome::Started
    }
}

/// Whether a workflow runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It runs.
    Started,
    /// Somebody with write access must approve the run first.
    AwaitsApproval,
    /// It does not run.
    NotStarted(NotStarted),
}

/// Why a workflow does not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotStarted {
    /// The commit whose workflow files the event reads does not have the file.
    #[error("{path} is not in {}", commit.as_ref().map_or("any commit", |commit| commit.as_str()))]
    NoWorkflowFile {
        /// The file.
        path: String,
        /// The commit.
        commit: Option<CommitId>,
    },
    /// The file is there and its `on:` does not name the event.
    #[error("{path} does not listen to this {event}")]
    NotListening {
        /// The file.
        path: String,
        /// The event's name.
        event: &'static str,
    },
    /// What the workflow token does starts no workflow.
    #[error("it was done with the workflow token")]
    WorkflowToken,
    /// The commit's message asks for it.
    #[error("the commit's message asks to skip workflows")]
    SkipRequested,
}
