//! What chartflow's section of a description says at each stage.
//!
//! Each function returns Markdown for [`super::describe`]. Everything from outside is escaped; what matters most comes
//! first, because a section that is too long is cut at its end.

mod back;
mod carried;
mod contribution;
mod lineage;
mod notes;
mod part;
mod publication;

pub use back::{Returned, way_back};
pub use carried::{Carried, bump, promotion, to_main};
pub use contribution::{Contributed, Contribution, Refusal, contribution};
pub use lineage::{Lineage, Place};
pub use notes::{NOTES_LIMIT, Notes, release_notes};
pub use publication::{Published, publication};

use semver::Version;

use super::map::AttestationId;
use crate::domain::digest::TreeId;
use crate::domain::markdown::escape;

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckState {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It could not run and is not required.
    Skipped,
    /// Its result is awaited.
    Pending,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// `<stage>/<check>`.
    pub key: String,
    /// How it stands.
    pub state: CheckState,
    /// What it says, for a check that did not pass.
    pub message: Option<String>,
    /// The attestation.
    pub attestation: Option<AttestationId>,
    /// Where the attestation can be looked at.
    pub url: Option<String>,
}

/// A chart on one side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The version in Chart.yaml; `None` where it holds none.
    pub version: Option<Version>,
    /// The content.
    pub content: TreeId,
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join("\n\n")
}

/// The comment on a pull request that is refused.
#[must_use]
pub fn refusal(rule: &str, message: &str, hint: &str) -> String {
    joined([
        format!("**Refused** ({}): {}", escape(rule), escape(message)),
        if hint.is_empty() { String::new() } else { format!("What to do: {}", escape(hint)) },
    ])
}

#[cfg(test)]
mod tests;
