//! The real `helm`, for the one check that renders.

use async_trait::async_trait;

use crate::domain::content::Files;

/// Why helm could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelmError {
    /// It could not be started or was killed.
    #[error("helm could not be run")]
    Run {
        /// The cause.
        source: std::io::Error,
    },
    /// The chart's files cannot be laid out for it: what a contributor wrote, and no failure of helm.
    #[error("the chart's files cannot be given to helm")]
    Content {
        /// The cause.
        source: std::io::Error,
    },
    /// Another job was to run it, and did not run it on these files.
    #[error("the job check has not looked at this content of {chart} (tree {content}); run the workflow again")]
    NotRun {
        /// The chart's name.
        chart: String,
        /// The content's SHA-256 tree id, or why there is none.
        content: String,
    },
    /// It ran longer than allowed.
    #[error("helm did not finish within {seconds} s")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
}

/// What `helm lint` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintOutput {
    /// Whether it exited with 0.
    pub success: bool,
    /// Standard output and error, as printed.
    pub text: String,
}

/// Runs helm in a child process with an empty environment on a copy of the files.
#[async_trait]
pub trait Helm: Send + Sync {
    /// The version helm prints, or `None` when there is no helm.
    async fn version(&self) -> Result<Option<String>, HelmError>;

    /// `helm lint` on a chart of this name; the files are the chart's directory, its `file://` dependencies vendored.
    async fn lint(&self, chart: &str, files: &Files) -> Result<LintOutput, HelmError>;
}
