//! The event's document: what GitHub sent as a webhook. Text in it (titles, branch names, payloads) was written by
//! anybody, and is at most a hint.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::domain::event::{Event, StageName, stages_for};
use crate::domain::names::BranchName;
use crate::domain::ruleset::Tiers;
use crate::io::file::read_at_most;

/// Longer documents are refused: GitHub's webhooks carry at most 25 MB ("Webhook events and payloads").
pub const EVENT_LIMIT: usize = 25 << 20;

/// Why an event cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventFileError {
    /// It cannot be read.
    #[error("the event file {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It is longer than GitHub sends any.
    #[error("the event file {} is longer than {limit} bytes", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// It is no JSON object, or nested deeper than 128 levels.
    #[error("the event file {} is not a JSON object", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Option<serde_json::Error>,
    },
    /// The event runs the workflow file of the pull request, which anybody could have changed.
    #[error("a pull_request event runs the pull request's own workflow file, so nothing may be signed there")]
    PullRequest,
}

/// An event and its document.
#[derive(Debug, Clone, PartialEq)]
pub struct EventFile {
    /// The event's name.
    pub name: String,
    /// The document; an empty object where there is none.
    pub document: Value,
    /// What the train makes of it; nothing where no stage knows such events.
    pub event: Option<Event>,
}

impl EventFile {
    /// Reads the document at `path`; without one the event is only a name.
    ///
    /// # Errors
    /// See [`EventFileError`].
    pub fn read(name: &str, path: Option<&Path>) -> Result<Self, EventFileError> {
        let document = match path {
            Some(path) => document(path)?,
            None => Value::Object(serde_json::Map::new()),
        };
        // An event that no stage knows, or without the fields that decide, is no hint; the stage looks at everything.
        let event = Event::from_payload(name, &document).ok();
        Ok(Self { name: name.to_owned(), document, event })
    }

    /// A text at a place of the document.
    #[must_use]
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.document.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A number at a place of the document.
    #[must_use]
    pub fn number(&self, pointer: &str) -> Option<u64> {
        self.document.pointer(pointer).and_then(Value::as_u64)
    }
}

fn document(path: &Path) -> Result<Value, EventFileError> {
    let read = |source| EventFileError::Read { path: path.to_owned(), source };
    let bytes = read_at_most(path, EVENT_LIMIT).map_err(read)?;
    if bytes.len() > EVENT_LIMIT {
        return Err(EventFileError::TooLong { path: path.to_owned(), limit: EVENT_LIMIT as u64 });
    }
    // serde_json itself stops at 128 levels.
    let document: Value = serde_json::from_slice(&bytes).map_err(|source| EventFileError::Json { path: path.to_owned(), source: Some(source) })?;
    if document.is_object() { Ok(document) } else { Err(EventFileError::Json { path: path.to_owned(), source: None }) }
}

/// What an event means for a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Look at everything.
    Everything,
    /// Look at this pull request, which aims at this branch.
    Pull {
        /// Its number.
        number: u64,
        /// Where it aims at; unknown for a dispatch.
        base: Option<BranchName>,
    },
    /// It has nothing to do with this stage, and says so by itself.
    Nothing {
        /// Why, for people.
        why: String,
    },
}

impl EventFile {
    /// What the event hints at.
    ///
    /// # Errors
    /// [`EventFileError::PullRequest`] for `pull_request`.
    pub fn start(&self, stage: StageName, tiers: &Tiers) -> Result<Start, EventFileError> {
        let Some(event) = &self.event else { return Ok(Start::Everything) };
        let mine = stages_for(event, tiers).into_iter().find(|start| start.stage == stage);
        match event {
            Event::PullRequest(_) => Err(EventFileError::PullRequest),
            Event::PullRequestTarget(pull) => Ok(match mine {
                Some(start) => Start::Pull { number: start.pull.unwrap_or(pull.number), base: BranchName::new(pull.base.clone()).ok() },
                None => {
                    let how = if pull.merged { "merged" } else { pull.action.as_str() };
                    Start::Nothing { why: format!("that pull request {} to {} was {how} does not start {stage}", pull.number, pull.base) }
                }
            }),
            Event::RepositoryDispatch { .. } => Ok(match mine.and_then(|start| start.pull) {
                Some(number) => Start::Pull { number, base: None },
                None => Start::Everything,
            }),
            Event::Push { .. } | Event::WorkflowDispatch { .. } | Event::Schedule => Ok(Start::Everything),
        }
    }
}
