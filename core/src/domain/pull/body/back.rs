//! Stage 6: the pull request that brings main back into integration.

use semver::Version;

use super::lineage::{Drawing, NodeState, THIS};
use super::part::{checklist, next};
use super::{CheckLine, State, joined};
use crate::domain::digest::CommitId;
use crate::domain::markdown::Links;
use crate::domain::names::ChartName;

/// More charts are counted, not drawn.
const DRAWN: usize = 20;

/// A chart on its way back to integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The chart.
    pub chart: ChartName,
    /// Its version on main; `None` when main removed it.
    pub version: Option<Version>,
    /// Whether integration has newer content, into which only version and changelog are written.
    pub replayed: bool,
    /// The chart on integration.
    pub before: Option<State>,
    /// The chart on integration behind this pull request; `None` when it is gone there.
    pub after: Option<State>,
    /// What is signed about main's content.
    pub checks: Vec<CheckLine>,
}

impl Returned {
    fn row(&self) -> String {
        let side = |state: &Option<State>, absent: &str| {
            state.as_ref().map_or_else(
                || absent.to_owned(),
                |state| {
                    let version = state.version.as_ref().map(|version| format!("`{version}` · ")).unwrap_or_default();
                    format!("{version}`{}`", state.content.short())
                },
            )
        };
        let how = match &self.after {
            after if *after == self.before => "it has this already",
            None => "main removed it",
            Some(_) if self.replayed => "its newer content, with main's version and changelog entry",
            Some(_) => "main's content",
        };
        format!("\n| `{}` | {} | {} | {how} |", self.chart, side(&self.before, "–"), side(&self.after, if self.before.is_none() { "–" } else { "removed" }))
    }
}

/// Stage 6: the pull request that brings main back into integration.
#[must_use]
pub fn way_back(returned: &[Returned], main: &CommitId, machine_merges: bool, links: &Links) -> String {
    let rows: String = returned.iter().map(Returned::row).collect();
    let table = format!("| chart | integration before | integration after | what it gets |\n|---|---|---|---|{rows}");
    let table = if returned.is_empty() { "No chart changed on main.".to_owned() } else { table };
    let summary = format!("Brings main at {} back into integration. Outside charts integration gets what main has.", links.commit_link(main));
    let what = if machine_merges {
        "chartflow proves this by computing it again and merges it. Nobody has to do anything."
    } else {
        "**Please merge this with a merge commit**; after a squash or rebase the next way back would start over. Until then the charts above are held."
    };
    let lists = returned.iter().filter(|one| !one.checks.is_empty()).map(|one| {
        let heading = if returned.len() > 1 { format!("### {}", one.chart) } else { String::new() };
        joined([heading, checklist(&one.checks)])
    });
    joined([summary, table, next(what), drawing(returned, main)].into_iter().chain(lists))
}

fn drawing(returned: &[Returned], main: &CommitId) -> String {
    let mut drawing = Drawing::new();
    drawing.node("m", &["main", main.short()], NodeState::Done);
    drawing.node("i", &["integration", THIS], NodeState::Here);
    let drawn = returned.get(..DRAWN).unwrap_or(returned);
    for (index, one) in drawn.iter().enumerate() {
        let version = one.version.as_ref().map_or_else(|| "removed".to_owned(), ToString::to_string);
        drawing.node(&format!("c{index}"), &[one.chart.as_str(), &version], NodeState::Done);
        drawing.way(&["m".to_owned(), format!("c{index}"), "i".to_owned()]);
    }
    let rest = returned.len() - drawn.len();
    if rest > 0 {
        drawing.node("more", &[&format!("and {rest} more")], NodeState::Done);
        drawing.way(&["m".to_owned(), "more".to_owned(), "i".to_owned()]);
    }
    if returned.is_empty() {
        drawing.way(&["m".to_owned(), "i".to_owned()]);
    }
    drawing.finish()
}
