//! What stops an action. The kind alone decides the exit code.

use super::environment::EnvironmentError;
use super::event_file::EventFileError;
use super::identity::IdentityError;
use super::inputs::InputError;
use super::signing::SigningError;
use crate::domain::check::Finding;
use crate::domain::configuration::ConfigurationError;
use crate::domain::event::StageName;
use crate::domain::ruleset::Mode;
use crate::flow::detect::DetectError;
use crate::flow::{FlowError, preflight};
use crate::io::trust::TrustError;
use crate::port::github::GitHubError;
use crate::port::transport::TransportError;

/// Why an action did not come to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// An input cannot be used.
    #[error(transparent)]
    Input {
        /// The cause.
        #[from]
        source: InputError,
    },
    /// The variables do not describe a run.
    #[error(transparent)]
    Environment {
        /// The cause.
        #[from]
        source: EnvironmentError,
    },
    /// The event cannot be used.
    #[error(transparent)]
    Event {
        /// The cause.
        #[from]
        source: EventFileError,
    },
    /// There is no way to GitHub.
    #[error(transparent)]
    Identity {
        /// The cause.
        #[from]
        source: IdentityError,
    },
    /// There is nobody who signs.
    #[error(transparent)]
    Signing {
        /// The cause.
        #[from]
        source: SigningError,
    },
    /// A stage was stopped.
    #[error(transparent)]
    Flow {
        /// The cause.
        #[from]
        source: FlowError,
    },
    /// The charts cannot be compared.
    #[error(transparent)]
    Detect {
        /// The cause.
        #[from]
        source: DetectError,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration {
        /// The cause.
        #[from]
        source: ConfigurationError,
    },
    /// Nobody can be trusted.
    #[error(transparent)]
    Trust {
        /// The cause.
        #[from]
        source: TrustError,
    },
    /// An input names what is not there, or what cannot be used.
    #[error("{what} cannot be used")]
    Unusable {
        /// What.
        what: String,
        /// What to do.
        hint: String,
        /// The cause.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A file of the runner cannot be written.
    #[error("the runner's file {} cannot be written", .path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The program's threads or signals cannot be set up.
    #[error("the program cannot be set up")]
    Setup {
        /// The cause.
        source: std::io::Error,
    },
    /// The run was cancelled.
    #[error("cancelled by {signal}; nothing was left half done, and the next run goes on from here")]
    Cancelled {
        /// `SIGINT` or `SIGTERM`.
        signal: &'static str,
        /// Its number.
        number: u8,
    },
}

impl From<GitHubError> for ActionError {
    fn from(source: GitHubError) -> Self {
        Self::Flow { source: source.into() }
    }
}

impl ActionError {
    /// The exit code: 1 the answer is no, 2 the request was wrong, 3 the outside world failed, 128 and the signal's
    /// number for a cancelled run.
    #[must_use]
    pub fn exit(&self) -> u8 {
        match self {
            Self::Input { .. }
            | Self::Environment { .. }
            | Self::Event { .. }
            | Self::Configuration { .. }
            | Self::Unusable { .. }
            | Self::Trust { .. }
            | Self::Detect { .. } => 2,
            Self::Identity { source } => {
                if source.is_request() {
                    2
                } else {
                    3
                }
            }
            Self::Signing { source } => {
                if source.is_request() {
                    2
                } else {
                    3
                }
            }
            Self::Flow { source } => match source {
                FlowError::Configuration { .. } | FlowError::Glob { .. } | FlowError::NoBranch { .. } => 2,
                FlowError::GitHub { source } if matches!(source.status(), Some(401 | 403 | 404)) => 2,
                // The registry's refusals, and those of objects.
                source if preflight::missing_permission(source, Mode::WorkflowToken).is_some() => 2,
                _ => 3,
            },
            Self::File { .. } | Self::Setup { .. } => 3,
            Self::Cancelled { number, .. } => 128 + number,
        }
    }

    /// Whether the process was told to stop, and this is how the stage noticed.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = next {
            if matches!(error.downcast_ref::<TransportError>(), Some(TransportError::Stopped { .. })) {
                return true;
            }
            next = error.source();
        }
        false
    }

    /// What to do about it; `stage` is the one that was stopped, where one was.
    #[must_use]
    pub fn hint(&self, mode: Mode, stage: Option<StageName>) -> Option<String> {
        if let Some(GitHubError::RateLimited { .. }) = github_error(self) {
            return Some("run it again then; nothing was left half done, and an App has several times the requests of the workflow token".to_owned());
        }
        match self {
            Self::Unusable { hint, .. } => Some(hint.clone()),
            Self::Trust { source } => source.hint().map(str::to_owned),
            Self::Environment { .. } => {
                Some("this program is started by GitHub's runner; outside of it set GITHUB_REPOSITORY, GITHUB_API_URL and the inputs as INPUT_…".to_owned())
            }
            Self::Event { source: EventFileError::PullRequest } => {
                Some("let `pull_request_target` start this workflow; the generated files do, and they check out nothing of the pull request".to_owned())
            }
            Self::Identity { source } => source.hint(),
            Self::Signing { source } => source.hint(),
            Self::Flow { source } => flow_hint(source, mode, stage),
            _ => None,
        }
    }

    /// The error and its causes, none told twice.
    #[must_use]
    pub fn told(&self, mode: Mode, stage: Option<StageName>) -> String {
        if let Self::Flow { source } = self
            && let Some(finding) = missing_permission(source, mode, stage)
        {
            return finding.message;
        }
        crate::domain::causes(self)
    }
}

/// GitHub's part in an error.
fn github_error(error: &ActionError) -> Option<&GitHubError> {
    // What is passed through without words of its own is no cause.
    if let ActionError::Flow { source: FlowError::GitHub { source } } = error {
        return Some(source);
    }
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<GitHubError>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The permission that was missing: as much of it as the stage needs, else as the refused call does.
fn missing_permission(error: &FlowError, mode: Mode, stage: Option<StageName>) -> Option<Finding> {
    match stage {
        Some(stage) => preflight::missing_permission_of(stage, error, mode),
        None => preflight::missing_permission(error, mode),
    }
}

fn flow_hint(error: &FlowError, mode: Mode, stage: Option<StageName>) -> Option<String> {
    if let Some(finding) = missing_permission(error, mode, stage) {
        return finding.hint;
    }
    match error {
        FlowError::GitHub { source } => match source.status() {
            Some(401) => Some("the token is wrong or has expired".to_owned()),
            Some(404) => Some("either it is not there, or the token may not see it".to_owned()),
            _ if error.is_stale() => Some("somebody changed the same thing at the same time; run it again".to_owned()),
            _ => None,
        },
        FlowError::NoBranch { branch } => Some(format!("`chartflow init` says how a repository is adopted; {branch} is part of that")),
        _ => None,
    }
}
