//! What has happened: the queue from which events are made.

use serde_json::Value;

use super::actor::{Actor, TokenKind};

/// One thing that happened, in the order in which it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// Its number, from 1.
    pub sequence: u64,
    /// When, in seconds since 1970-01-01T00:00:00Z by the hub's clock.
    pub time: i64,
    /// Who did it.
    pub actor: Actor,
    /// With which kind of token; decides which workflows start.
    pub token: TokenKind,
    /// What.
    pub what: Happening,
}

/// The kinds of things that happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A branch or tag was created, moved or deleted. Other refs (`refs/chartflow/*`) raise no event on GitHub, but are
    /// recorded too.
    Push {
        /// The full name of the ref.
        reference: String,
        /// The object before; `None` when it was created.
        before: Option<gix::ObjectId>,
        /// The object after; `None` when it was deleted.
        after: Option<gix::ObjectId>,
        /// Whether it was not a fast forward.
        forced: bool,
    },
    /// A pull request was opened, edited, closed, …
    PullRequest {
        /// `opened`, `edited`, `synchronize`, `closed`, `reopened`, `labeled`, `unlabeled`.
        action: &'static str,
        /// The pull request.
        number: u64,
        /// For `closed`: whether it was merged.
        merged: bool,
    },
    /// A review was submitted or dismissed.
    Review {
        /// `submitted` or `dismissed`.
        action: &'static str,
        /// The pull request.
        number: u64,
        /// The review.
        review: u64,
    },
    /// A comment was written.
    Comment {
        /// The issue or pull request.
        number: u64,
        /// The comment.
        comment: u64,
    },
    /// A release was created, published, edited or deleted.
    Release {
        /// `created`, `published`, `released`, `edited`, `deleted`.
        action: &'static str,
        /// The release.
        id: u64,
        /// Its tag.
        tag: String,
        /// Whether it is a draft (drafts start nothing).
        draft: bool,
    },
    /// A commit status was posted.
    Status {
        /// The commit.
        sha: gix::ObjectId,
        /// The status' context.
        context: String,
        /// `error`, `failure`, `pending`, `success`.
        state: String,
    },
    /// `repository_dispatch` was called.
    RepositoryDispatch {
        /// The `event_type`.
        event_type: String,
        /// The `client_payload`.
        payload: Value,
    },
    /// `workflow_dispatch` was called.
    WorkflowDispatch {
        /// The file name of the workflow.
        workflow: String,
        /// The ref it runs on.
        reference: String,
        /// The inputs.
        inputs: Value,
    },
}
