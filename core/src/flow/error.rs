//! What stops a stage. What a stage decides against is no error but an [`super::Entry`] of its report.

use super::directories::DirectoriesError;
use crate::domain::content::ContentError;
use crate::domain::detection::GlobError;
use crate::domain::digest::{DigestError, Sha256};
use crate::domain::names::NameError;
use crate::domain::version::VersionError;
use crate::port::github::GitHubError;
use crate::port::helm::HelmError;
use crate::port::objects::ObjectError;
use crate::port::registry::RegistryError;
use crate::port::signer::SignError;

/// Why a stage could not come to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// GitHub refused or failed.
    #[error(transparent)]
    GitHub {
        /// The cause.
        #[from]
        source: GitHubError,
    },
    /// An object could not be read.
    #[error(transparent)]
    Object {
        /// The cause.
        #[from]
        source: ObjectError,
    },
    /// The registry refused or failed.
    #[error(transparent)]
    Registry {
        /// The cause.
        #[from]
        source: RegistryError,
    },
    /// A statement could not be signed.
    #[error(transparent)]
    Sign {
        /// The cause.
        #[from]
        source: SignError,
    },
    /// Helm could not be run.
    #[error(transparent)]
    Helm {
        /// The cause.
        #[from]
        source: HelmError,
    },
    /// A content has no identity.
    #[error(transparent)]
    Content {
        /// The cause.
        #[from]
        source: ContentError,
    },
    /// A name that the train would have to use is none.
    #[error(transparent)]
    Name {
        /// The cause.
        #[from]
        source: NameError,
    },
    /// An id is none.
    #[error(transparent)]
    Digest {
        /// The cause.
        #[from]
        source: DigestError,
    },
    /// The configuration's globs for charts cannot be used.
    #[error("the configuration's charts cannot be used")]
    Glob {
        /// The cause.
        #[from]
        source: GlobError,
    },
    /// The globs lead into more directories than are searched.
    #[error("the configuration's charts lead into more than {limit} directories")]
    TooManyDirectories {
        /// The limit.
        limit: usize,
    },
    /// A branch the train cannot do without is absent.
    #[error("branch {branch} does not exist")]
    NoBranch {
        /// Its name.
        branch: String,
    },
    /// The configuration on main cannot be used.
    #[error("{path} on {branch} cannot be used")]
    Configuration {
        /// Its path.
        path: String,
        /// The branch.
        branch: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A chart's files are not what a stage needs them to be.
    #[error("{chart}: {what} failed")]
    Chart {
        /// The chart.
        chart: String,
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A chart's commits and versions give no next version.
    #[error("{chart}: no version can be given")]
    Version {
        /// The chart.
        chart: String,
        /// The cause.
        source: VersionError,
    },
    /// The contents of both object formats do not belong together.
    #[error("{path}: the files' tree id is {computed}, GitHub says {expected}")]
    Identity {
        /// The directory.
        path: String,
        /// What the files hash to.
        computed: String,
        /// What was expected.
        expected: String,
    },
    /// A version is in the registry already, with another content.
    #[error("{reference} is there already as {found:?}, not as {expected:?}")]
    Published {
        /// The reference.
        reference: String,
        /// What is there.
        found: Sha256,
        /// What was to be pushed.
        expected: Sha256,
    },
    /// The attestation store was written by others again and again.
    #[error("the attestation store moved {attempts} times while it was being written")]
    StoreContention {
        /// How often was tried.
        attempts: u32,
    },
}

impl From<DirectoriesError> for FlowError {
    fn from(error: DirectoriesError) -> Self {
        match error {
            DirectoriesError::Objects { source } => Self::Object { source },
            DirectoriesError::TooMany { limit } => Self::TooManyDirectories { limit },
        }
    }
}

impl FlowError {
    /// Whether the state moved while the stage ran; running the stage again is the right reaction.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        match self {
            Self::GitHub { source } => source.is_stale(),
            Self::StoreContention { .. } => true,
            _ => false,
        }
    }
}
