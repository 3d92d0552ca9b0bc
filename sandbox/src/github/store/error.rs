//! Why the repository failed.

use std::path::PathBuf;

/// Why the repository behind the embedded GitHub failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Its files.
    #[error("cannot write {path}")]
    Files {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The git library failed.
    #[error("git failed while {doing}")]
    Git {
        /// What was being done, as a participle clause.
        doing: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The git program failed.
    #[error("git {command} failed: {output}")]
    Command {
        /// The subcommand.
        command: &'static str,
        /// What it wrote to standard error.
        output: String,
    },
    /// The git program could not be run.
    #[error("git cannot be run")]
    NoGit {
        /// The cause.
        source: std::io::Error,
    },
}
