//! The statements of a release: who says what about which content, and on the strength of what.
//!
//! in-toto statements (`https://in-toto.io/Statement/v1`). There are ten kinds, called rows: an outcome of checks, the
//! promotion of a content, gates, the version bump, the tag, the build. Each speaks about one artifact, names the
//! statements it rests on by the SHA-256 of their signed payload bytes, and says whose chart it is about.
//! No payload holds a clock's time or a run's id: signing the same thing twice gives the same bytes.

mod canonical;
mod predicate;
mod selection;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use canonical::{DEPTH_LIMIT, canonical, strict};
pub use predicate::{
    Account, Build, BuildDependency, Bump, ChartEdits, CheckResult, Checks, CommitRecord, DependencyContent, Downloaded, Gate, Member, Omitted,
    PolicyReference, Predicate, Previous, Promotion, PullRecord, Range, Review, ReviewState, TagRecord, TreeFile, Witness,
};
pub use selection::{COMMITS_WEIGHT, select};

pub use super::version::Level;

use super::content::ContentId;
use super::digest::Sha256;
use super::names::{ChartName, RepoPath, RepositoryName};

/// Payloads longer than this many bytes are refused.
pub const PAYLOAD_LIMIT: usize = 256 << 10;

/// The `payloadType` of the DSSE envelopes.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The `_type` of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Outcome of checks (rows 1 and 1k).
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// A content or a commit is carried on unchanged (rows 2 and 6).
pub const PROMOTION: &str = "https://chartflow.dev/attestation/promotion/v1";
/// A gate (rows 3, 5, 8 and 9).
pub const VSA: &str = "https://slsa.dev/verification_summary/v1";
/// One content or artifact is made from another (rows 4 and 7).
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// `buildType` of the version bump (row 4).
pub const VERSION_BUMP: &str = "https://chartflow.dev/buildtypes/version-bump/v1";
/// `buildType` of the package (row 7).
pub const HELM_PACKAGE: &str = "https://chartflow.dev/buildtypes/helm-package/v1";

/// The eight stages of the train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// 1: checks a contribution.
    Validate,
    /// 2: promotes each chart on its own.
    Filter,
    /// 3: proves that a pull request carries one chart's content and nothing else.
    Enforce,
    /// 4: opens the pull request to main. Signs nothing.
    Format,
    /// 5: derives the version; main's gate.
    Bump,
    /// 6: tags.
    Tag,
    /// 7: builds the package.
    Package,
    /// 8: publishes and verifies what it published.
    Publish,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 8] = [Self::Validate, Self::Filter, Self::Enforce, Self::Format, Self::Bump, Self::Tag, Self::Package, Self::Publish];

    /// The name as it stands in statements, reports and commands.
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
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = StatementError;
    fn from_str(text: &str) -> Result<Self, StatementError> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or_else(|| StatementError::Stage { stage: text.to_owned() })
    }
}

/// Whose chart a statement is about. Constant over a lineage; the id counts, names may change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The server, such as `https://github.com`, without a slash at its end.
    pub server: String,
    /// The repository's name when the statement was made.
    pub repository: RepositoryName,
    /// GitHub's number for the repository.
    pub id: u64,
    /// The chart's name.
    pub chart: ChartName,
    /// The chart's directory.
    pub path: RepoPath,
}

impl Source {
    /// The `resourceUri` of a gate that decides about this chart at a ref, such as `refs/heads/main`.
    #[must_use]
    pub fn resource(&self, reference: &str) -> String {
        format!("git+{}/{}@{reference}#{}", self.server, self.repository, self.path)
    }
}

/// The one artifact a statement speaks about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A chart's directory; one resource descriptor.
    Content {
        /// The directory in the repository.
        path: RepoPath,
        /// Its content.
        id: ContentId,
    },
    /// A package and the OCI manifest that holds it; two resource descriptors.
    Package {
        /// The file name, `<chart>-<version>.tgz`.
        file: String,
        /// The digest of the file.
        sha256: Sha256,
        /// The OCI reference without a digest, such as `ghcr.io/o/charts/a:1.3.0`.
        reference: String,
        /// The digest of the manifest.
        manifest: Sha256,
    },
}

impl Subject {
    /// The digest that identifies the artifact: of the tree object or of the package file.
    #[must_use]
    pub const fn sha256(&self) -> Sha256 {
        match self {
            Self::Content { id, .. } => id.sha256,
            Self::Package { sha256, .. } => *sha256,
        }
    }

    /// The content, unless this is a package.
    #[must_use]
    pub const fn content(&self) -> Option<&ContentId> {
        match self {
            Self::Content { id, .. } => Some(id),
            Self::Package { .. } => None,
        }
    }
}

/// How a statement is named by others: the SHA-256 of its signed payload bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementDigest(pub Sha256);

impl StatementDigest {
    /// The digest of payload bytes.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        Self(Sha256::of(payload))
    }
}

impl fmt::Display for StatementDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StatementDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A statement that another one rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Input {
    /// The stage that made it.
    pub stage: Stage,
    /// What it is called among the inputs, unique there: see [`Statement::name`].
    pub name: String,
    /// Its predicate type.
    pub predicate_type: String,
    /// Its payload's digest.
    pub digest: StatementDigest,
}

/// The ten rows of a release's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// 1: what the built-in checks found.
    Checks,
    /// 1k: what an outside check found.
    OutsideCheck,
    /// 2: the promotion from integration.
    Promotion,
    /// 3: the gate of the chart's branch.
    Enforce,
    /// 4: the bump.
    Bump,
    /// 5: the release gate.
    ReleaseGate,
    /// 6: the tag.
    Tag,
    /// 7: the build.
    Build,
    /// 8: the root.
    Root,
    /// 9: what was published. Never in a lineage file.
    Published,
}

/// One statement: the meaning of a signed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The stage that makes it.
    pub stage: Stage,
    /// Whose chart it is about.
    pub source: Source,
    /// What it speaks about.
    pub subject: Subject,
    /// What it rests on: the complete list, sorted by name when written.
    pub inputs: Vec<Input>,
    /// What it says.
    pub predicate: Predicate,
}

/// Why bytes are no statement of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// It says what a statement says, with other bytes.
    #[error("the payload is not written in the canonical form")]
    NotCanonical,
    /// Longer than [`PAYLOAD_LIMIT`].
    #[error("the payload has {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Not JSON, or JSON that could be read in two ways.
    #[error("the payload is not strict JSON")]
    Json {
        /// The cause.
        source: serde_json::Error,
    },
    /// A member is absent, unknown or ill-typed.
    #[error("{part} of the statement is malformed")]
    Malformed {
        /// Which part.
        part: &'static str,
        /// The cause.
        source: serde_json::Error,
    },
    /// A part contradicts another or a rule.
    #[error("{part} of the statement {problem}")]
    Invalid {
        /// Which part.
        part: &'static str,
        /// What is wrong, as a clause.
        problem: String,
    },
    /// Not a statement type we know.
    #[error("{value:?} is not an in-toto statement type, {STATEMENT_TYPE} is expected")]
    Type {
        /// The `_type`.
        value: String,
    },
    /// A predicate or build type that no row has.
    #[error("{value:?} is not a predicate of a lineage")]
    PredicateType {
        /// The type.
        value: String,
    },
    /// A stage that does not exist, or one that does not make this predicate.
    #[error("stage {stage:?} makes no such statement")]
    Stage {
        /// The stage.
        stage: String,
    },
    /// The subjects are not exactly those of one artifact.
    #[error("the subject {problem}")]
    Subject {
        /// What is wrong, as a clause.
        problem: String,
    },
}

impl Statement {
    /// Which of the ten rows this is; `None` where stage and predicate do not go together.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        match (self.stage, &self.predicate) {
            (Stage::Validate, Predicate::Checks(checks)) if checks.outside.is_none() => Some(Row::Checks),
            (Stage::Validate, Predicate::Checks(_)) => Some(Row::OutsideCheck),
            (Stage::Filter, Predicate::Promotion(_)) => Some(Row::Promotion),
            (Stage::Enforce, Predicate::Gate(_)) => Some(Row::Enforce),
            (Stage::Bump, Predicate::Bump(_)) => Some(Row::Bump),
            (Stage::Bump, Predicate::Gate(_)) => Some(Row::ReleaseGate),
            (Stage::Tag, Predicate::Tag(_)) => Some(Row::Tag),
            (Stage::Package, Predicate::Build(_)) => Some(Row::Build),
            (Stage::Package, Predicate::Gate(_)) => Some(Row::Root),
            (Stage::Publish, Predicate::Gate(_)) => Some(Row::Published),
            _ => None,
        }
    }

    /// What this statement is called among another's inputs: `validate`, `validate/<outside check>`, `filter`,
    /// `enforce`, `bump`, `release-gate`, `tag`, `build`, `root`, `published`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.row() {
            Some(Row::ReleaseGate) => "release-gate".to_owned(),
            Some(Row::Build) => "build".to_owned(),
            Some(Row::Root) => "root".to_owned(),
            Some(Row::Published) => "published".to_owned(),
            _ => match &self.predicate {
                Predicate::Checks(Checks { outside: Some(key), .. }) => format!("{}/{key}", self.stage),
                _ => self.stage.to_string(),
            },
        }
    }

    /// The predicate type.
    #[must_use]
    pub const fn predicate_type(&self) -> &'static str {
        match self.predicate {
            Predicate::Checks(_) => TEST_RESULT,
            Predicate::Promotion(_) | Predicate::Tag(_) => PROMOTION,
            Predicate::Gate(_) => VSA,
            Predicate::Bump(_) | Predicate::Build(_) => PROVENANCE,
        }
    }

    /// The digest of [`Statement::to_payload`].
    #[must_use]
    pub fn digest(&self) -> StatementDigest {
        StatementDigest::of(&self.to_payload())
    }

    /// How other statements name this one as an input.
    #[must_use]
    pub fn as_input(&self) -> Input {
        Input { stage: self.stage, name: self.name(), predicate_type: self.predicate_type().to_owned(), digest: self.digest() }
    }

    /// The canonical payload bytes. Equal statements give equal bytes.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        canonical(&wire::encode(self))
    }

    /// Reads payload bytes strictly: what is unknown, twice, absent or contradictory is an error.
    ///
    /// # Errors
    /// See [`StatementError`].
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        if payload.len() > PAYLOAD_LIMIT {
            return Err(StatementError::TooLong { length: payload.len(), limit: PAYLOAD_LIMIT });
        }
        let value = strict(payload).map_err(|source| StatementError::Json { source })?;
        let statement = wire::decode(value)?;
        if statement.row().is_none() {
            return Err(StatementError::Stage { stage: statement.stage.to_string() });
        }
        // A time or an escape has more than one spelling; one statement has one digest.
        if statement.to_payload() != payload {
            return Err(StatementError::NotCanonical);
        }
        Ok(statement)
    }
}
