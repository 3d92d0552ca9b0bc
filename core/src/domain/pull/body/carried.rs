//! Pull requests that carry one chart towards main: the promotion, the bump, and the one to main.

use super::part::{COMMIT_LIMIT, checklist, code, commits, next, notices, table};
use super::{CheckLine, CheckState, Lineage, State, joined};
use crate::domain::commit::range::Counted;
use crate::domain::digest::CommitId;
use crate::domain::markdown::Links;
use crate::domain::names::{BranchName, ChartName};
use crate::domain::version::Level;

/// The key of the gate of a chart's branch.
const GATE: &str = "enforce/gate";

/// What a pull request does to one chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The chart.
    pub chart: ChartName,
    /// The chart on main.
    pub before: Option<State>,
    /// The chart behind this pull request; `None` when it is removed.
    pub after: Option<State>,
    /// The level and why the version is what it is, as soon as they are decided.
    pub decision: Option<(Level, String)>,
    /// The commits that count, newest first.
    pub commits: Vec<Counted>,
    /// The checks on the content.
    pub checks: Vec<CheckLine>,
    /// Where the content came from and where it goes.
    pub lineage: Lineage,
    /// What else a reviewer has to know, one sentence each.
    pub notices: Vec<String>,
}

impl Carried {
    fn section(&self, summary: &str, what_next: &str, links: &Links) -> String {
        let parts = [
            summary.to_owned(),
            notices(&self.notices),
            table(self.before.as_ref(), self.after.as_ref(), self.decision.as_ref()),
            next(what_next),
            checklist(&self.checks),
            self.lineage.mermaid(&self.chart),
            commits("### Commits", &self.commits, COMMIT_LIMIT, links),
        ];
        joined(parts)
    }
}

/// Stage 2: the pull request to `integration-<chart>`.
#[must_use]
pub fn promotion(carried: &Carried, source: &CommitId, target: &BranchName, links: &Links) -> String {
    let what = if carried.after.is_some() { format!("`{}` as it is on", carried.chart) } else { format!("the removal of `{}` from", carried.chart) };
    let summary = format!("Carries {what} integration at {}, and nothing else, to `{target}`.", links.commit_link(source));
    let proved = carried.checks.iter().any(|check| check.key == GATE && check.state == CheckState::Passed);
    let what = if proved {
        "`enforce` has proved that the content is integration's, and merges this. The pull request to main follows by itself."
    } else {
        "`enforce` proves that the content is integration's and merges this, or closes it and says why. Nobody has to do anything."
    };
    carried.section(&summary, what, links)
}

/// Stage 5: the pull request that brings version and changelog to `integration-<chart>`.
#[must_use]
pub fn bump(carried: &Carried, target: &BranchName, links: &Links) -> String {
    let summary = format!("Brings the version and the changelog of `{}` to `{target}`, both derived from the commits below.", carried.chart);
    carried.section(&summary, "`enforce` derives both again and merges this when they are the same. Nobody has to do anything.", links)
}

/// Stage 4: the pull request to main; `hold_label` keeps one as it is.
#[must_use]
pub fn to_main(carried: &Carried, hold_label: &str, links: &Links) -> String {
    let chart = &carried.chart;
    let (summary, what) = match (&carried.after, &carried.decision) {
        (None, _) => (format!("Removes `{chart}` from main. What was published stays."), "Review and merge. There is no version and no tag.".to_owned()),
        (Some(_), None) => (
            format!("Brings `{chart}` to main."),
            "Wait: the version and the changelog are still to come, and the status `chartflow/main` is not green until then.".to_owned(),
        ),
        (Some(_), Some((Level::None, _))) => {
            (format!("Brings `{chart}` to main. Nothing that is packaged changes."), "Review and merge. There is no version and no tag.".to_owned())
        }
        (Some(after), Some(_)) => (
            format!("Releases `{chart}`{}.", after.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default()),
            format!(
                "Review and merge (squash). The tag, the package, the release and the way back to integration follow by themselves. Newer content on integration refreshes this pull request and dismisses the approval; the label {} keeps it as it is.",
                code(hold_label)
            ),
        ),
    };
    carried.section(&summary, &what, links)
}
