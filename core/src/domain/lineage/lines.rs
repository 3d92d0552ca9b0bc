//! From the bytes of a lineage file to statements whose signatures hold.

use std::collections::BTreeMap;

use super::bundle::{Anchor, BundleError, Line, Signed};
use super::report::Refusal;
use super::rules::Rule;
use crate::domain::statement::{Row, Statement, StatementDigest, StatementError};

/// More lines than this are refused.
pub(super) const LINES_LIMIT: usize = 64;
/// Longer files are refused.
pub(super) const FILE_LIMIT: usize = 4 << 20;

/// A statement whose signature holds.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) digest: StatementDigest,
    pub(super) statement: Statement,
    pub(super) row: Row,
    pub(super) signed: Signed,
}

/// Statements by the digests of their payloads; a repeated line is one entry.
pub(super) type Entries = BTreeMap<StatementDigest, Entry>;

/// An error with all its causes.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn bundle_rule(error: &BundleError) -> Rule {
    match error {
        BundleError::Profile { .. } => Rule::BundleProfile,
        BundleError::UnknownKey { .. } => Rule::SignerKey,
        BundleError::Signature { .. } | BundleError::Time | BundleError::Trust { .. } => Rule::BundleSignature,
        BundleError::TooLong { .. } => Rule::LineageLimit,
        BundleError::Json { .. } | BundleError::Format { .. } | BundleError::Shape { .. } => Rule::BundleMalformed,
    }
}

fn statement_rule(error: &StatementError) -> Rule {
    match error {
        StatementError::Type { .. } | StatementError::PredicateType { .. } => Rule::StatementType,
        StatementError::Subject { .. } => Rule::StatementSubject,
        StatementError::Stage { .. } => Rule::StatementStage,
        StatementError::TooLong { .. } => Rule::LineageLimit,
        _ => Rule::StatementMalformed,
    }
}

/// Splits a lineage file into its lines, within the limits.
pub(super) fn split(file: &[u8]) -> Result<Vec<&str>, Refusal> {
    let refuse = |rule, message: String| Refusal { rule, stage: None, statement: None, message };
    if file.len() > FILE_LIMIT {
        return Err(refuse(Rule::LineageLimit, format!("the lineage has more than {FILE_LIMIT} bytes")));
    }
    let text = std::str::from_utf8(file).map_err(|_| refuse(Rule::BundleMalformed, "the lineage is not UTF-8 text".to_owned()))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(LINES_LIMIT + 1).collect();
    if lines.len() > LINES_LIMIT {
        return Err(refuse(Rule::LineageLimit, format!("the lineage has more than {LINES_LIMIT} lines")));
    }
    if lines.is_empty() {
        return Err(refuse(Rule::LineageEmpty, "the lineage holds no statement".to_owned()));
    }
    Ok(lines)
}

/// Verifies every line. One that does not hold is a refusal of the file; the others are still told.
pub(super) fn read(lines: &[&str], anchor: &Anchor) -> (Entries, Vec<Refusal>) {
    let mut entries = Entries::new();
    let mut refused = Vec::new();
    for (index, text) in lines.iter().enumerate() {
        match read_line(text, anchor) {
            Ok(entry) => {
                entries.entry(entry.digest).or_insert(entry);
            }
            Err((rule, digest, message)) => {
                refused.push(Refusal { rule, stage: None, statement: digest, message: format!("line {}: {message}", index + 1) });
            }
        }
    }
    (entries, refused)
}

fn read_line(text: &str, anchor: &Anchor) -> Result<Entry, (Rule, Option<StatementDigest>, String)> {
    let line = Line::read(text).map_err(|error| (bundle_rule(&error), None, causes(&error)))?;
    let digest = line.digest();
    let signed = line.verify(anchor).map_err(|error| (bundle_rule(&error), Some(digest), causes(&error)))?;
    let statement = Statement::parse(line.payload()).map_err(|error| (statement_rule(&error), Some(digest), causes(&error)))?;
    let Some(row) = statement.row() else {
        return Err((Rule::StatementStage, Some(digest), format!("stage {} makes no such statement", statement.stage)));
    };
    Ok(Entry { digest, statement, row, signed })
}
