//! Pure decisions: from observed facts to a plan that can be printed, tested and compared.
//!
//! Every decision is level-triggered: it looks at the state and never at the event that started it, so running it at
//! any time, twice, or after a crash leads to the same state.

pub mod back;
pub mod bump;
pub mod enforce;
pub mod filter;
pub mod init;
pub mod preflight;
pub mod tag;

use serde::Serialize;

use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::RepoPath;

/// Where a chart stands at one commit, and its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The directory.
    pub path: RepoPath,
    /// Its SHA-1 tree id.
    pub tree: TreeId,
}

/// What a per-chart branch carries, as signed statements say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// The content on integration that was promoted (T1); `None` when the promotion removed the chart.
    pub source: Option<Place>,
    /// The commit of integration it was taken from.
    pub commit: CommitId,
    /// Whether the branch holds the bump of that content by now.
    pub bumped: bool,
}

/// A per-chart branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// Its tip.
    pub tip: CommitId,
    /// The chart on it.
    pub place: Option<Place>,
    /// The chart at the merge base of the branch and main.
    pub base: Option<Place>,
    /// Whether its whole tree is that merge base's with this chart replaced and nothing else.
    pub only_this_chart: bool,
    /// What it carries; `None` when no signed statement explains its content.
    pub carried: Option<Carried>,
}
