//! What stops a rehearsal. What the train refuses stands in its summary.

use std::io;
use std::path::PathBuf;

use chartflow_core::flow::FlowError;
use chartflow_core::io::git::GitError;
use chartflow_core::io::signing::KeyError;
use chartflow_core::port::objects::ObjectError;

use crate::github::HubError;
use crate::github::persons::PersonError;

/// Why a rehearsal could not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearsalError {
    /// A stage failed.
    #[error("stage {stage} failed")]
    Stage {
        /// The stage.
        stage: String,
        /// The cause.
        source: FlowError,
    },
    /// Setting up failed.
    #[error("the rehearsal could not be set up")]
    Flow {
        /// The cause.
        #[from]
        source: FlowError,
    },
    /// The embedded GitHub could not be made.
    #[error(transparent)]
    Hub {
        /// The cause.
        #[from]
        source: HubError,
    },
    /// A person of the rehearsal was refused what they must be able to do.
    #[error("{what}")]
    Person {
        /// What they tried.
        what: String,
        /// The cause.
        source: PersonError,
    },
    /// The repository cannot be read.
    #[error(transparent)]
    Git {
        /// The cause.
        #[from]
        source: GitError,
    },
    /// An object cannot be read.
    #[error(transparent)]
    Object {
        /// The cause.
        #[from]
        source: ObjectError,
    },
    /// The key cannot be made.
    #[error(transparent)]
    Key {
        /// The cause.
        #[from]
        source: KeyError,
    },
    /// A file cannot be read or written.
    #[error("{path}: {what} failed")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The git program failed.
    #[error("git {command} failed: {message}")]
    GitProgram {
        /// The subcommand.
        command: String,
        /// What it printed.
        message: String,
    },
    /// A part of the embedded world failed in a way that has no better name.
    #[error("{what}")]
    World {
        /// What.
        what: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The train did not come to rest.
    #[error("the train did not come to rest after {rounds} rounds")]
    Restless {
        /// How many rounds were tried.
        rounds: u32,
    },
}

impl RehearsalError {
    pub(crate) fn file(path: impl Into<PathBuf>, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, what, source }
    }

    pub(crate) fn person(what: impl Into<String>) -> impl FnOnce(PersonError) -> Self {
        let what = what.into();
        move |source| Self::Person { what, source }
    }
}
