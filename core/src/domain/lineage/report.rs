//! What a verification found, as `verify --format json` prints it.

use serde::{Serialize, Serializer};

use super::rules::Rule;
use crate::domain::digest::Sha256;
use crate::domain::statement::{Row, Stage, StatementDigest};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every rule holds.
    Verified,
    /// At least one does not.
    Refused,
}

/// What a statement does in the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// It says something about one content.
    Check,
    /// It says that a content may go on.
    Gate,
    /// It carries one content or artifact to the next.
    Carry,
}

impl Edge {
    /// What the statements of a row do.
    #[must_use]
    pub const fn of(row: Row) -> Self {
        match row {
            Row::Checks | Row::OutsideCheck => Self::Check,
            Row::Enforce | Row::ReleaseGate | Row::Root | Row::Published => Self::Gate,
            Row::Promotion | Row::Bump | Row::Tag | Row::Build => Self::Carry,
        }
    }
}

/// How far a link is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The verifier repeated it and got the same.
    Rederived,
    /// It is what the signer says.
    Signed,
}

/// One statement of the lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The stage that made it.
    pub stage: Stage,
    /// What it does.
    pub edge: Edge,
    /// Its predicate type.
    pub predicate_type: String,
    /// The digest of the artifact it speaks about.
    #[serde(serialize_with = "prefixed")]
    pub subject: Sha256,
    /// The digest of its payload.
    pub statement: StatementDigest,
    /// Who signed it.
    pub signer: String,
    /// When, where that is proved (RFC 3339).
    pub time: Option<String>,
    /// How far it is proved.
    pub proof: Proof,
}

fn prefixed<S: Serializer>(digest: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.prefixed())
}

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The stage whose statement breaks it or is missing.
    pub stage: Option<Stage>,
    /// The statement that breaks it or is missing.
    pub statement: Option<StatementDigest>,
    /// What is wrong.
    pub message: String,
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            rule: &'a str,
            stage: Option<Stage>,
            statement: Option<StatementDigest>,
            message: &'a str,
            hint: &'a str,
        }
        let explanation = self.rule.explanation();
        Written { rule: explanation.id, stage: self.stage, statement: self.statement, message: &self.message, hint: explanation.hint }.serialize(serializer)
    }
}

/// The artifact that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactDigest {
    /// The digest of the package file, or the SHA-256 tree id of the chart's directory.
    pub sha256: Option<Sha256>,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The answer.
    pub result: Verdict,
    /// The chart, where it is known.
    pub chart: Option<String>,
    /// Its version, where it is known.
    pub version: Option<String>,
    /// What was verified.
    pub artifact: ArtifactDigest,
    /// The statements whose signatures hold, in the order of the train.
    pub chain: Vec<Link>,
    /// The rules that are broken; empty when verified.
    pub refused: Vec<Refusal>,
}

impl Report {
    /// Whether every rule holds.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.result == Verdict::Verified
    }
}
