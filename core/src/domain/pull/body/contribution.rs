//! Stage 1: the pull request to integration.

use super::lineage::{Drawing, NodeState, THIS};
use super::part::{COMMIT_LIMIT, checklist, commits, folded, next, table, version};
use super::{CheckLine, CheckState, State, joined, refusal};
use crate::domain::commit::range::Counted;
use crate::domain::markdown::Links;
use crate::domain::names::{BranchName, ChartName, TagName};
use crate::domain::version::Level;

/// Of each of several charts, more commits are counted, not listed.
const FEW_COMMITS: usize = 20;
/// More charts are counted, not drawn.
const DRAWN: usize = 20;

/// One chart of a contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributed {
    /// The chart.
    pub chart: ChartName,
    /// The chart on main.
    pub before: Option<State>,
    /// The chart as it is contributed, with the version it would be released as; `None` when it is removed.
    pub after: Option<State>,
    /// The level and why the version is what it is, where they can be decided.
    pub decision: Option<(Level, String)>,
    /// The commits that touch it, newest first.
    pub commits: Vec<Counted>,
    /// The checks.
    pub checks: Vec<CheckLine>,
    /// What CHANGELOG.md would gain, Markdown already.
    pub entry: Option<String>,
    /// The chart's own branch.
    pub branch: Option<BranchName>,
    /// The tag it would get.
    pub tag: Option<TagName>,
}

/// Why a contribution is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable id of the rule.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// A pull request to integration.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// Its number.
    pub pull: u64,
    /// The charts it changes.
    pub charts: &'a [Contributed],
    /// Why it cannot be merged.
    pub refusals: &'a [Refusal],
    /// Whether contributors raise versions by hand.
    pub raised_by_hand: bool,
}

/// Stage 1: the pull request to integration.
#[must_use]
pub fn contribution(contribution: &Contribution<'_>, links: &Links) -> String {
    let Contribution { charts, refusals, .. } = contribution;
    let refused = joined(refusals.iter().map(|one| refusal(&one.rule, &one.message, &one.hint)));
    let next = next(&contribution.what_next());
    let way = contribution.drawing();
    match charts {
        [] if refusals.is_empty() => joined(["This pull request touches no chart.".to_owned(), next]),
        [] => joined([refused, next]),
        [one] => joined([refused, one.summary(), one.table(), next, checklist(&one.checks), way, one.commits("### Commits", COMMIT_LIMIT, links), one.entry()]),
        several => {
            let sections = several.iter().map(|one| {
                let commits = one.commits("#### Commits", FEW_COMMITS, links);
                joined([format!("### {}", one.chart), one.table(), checklist(&one.checks), commits, one.entry()])
            });
            joined([refused, overview(several), next, way].into_iter().chain(sections))
        }
    }
}

impl Contribution<'_> {
    fn what_next(&self) -> String {
        if !self.refusals.is_empty() {
            return "This cannot be merged as it is. Push what is asked for above; the checks run again by themselves.".to_owned();
        }
        // Checks that others bring may still fail while nothing is refused here; the next stage holds the chart then.
        let failed = |one: &&Contributed| one.checks.iter().any(|check| check.state == CheckState::Failed);
        let held: Vec<String> = self.charts.iter().filter(failed).map(|one| one.chart.to_string()).collect();
        if !held.is_empty() {
            return format!("A check failed. Until it passes, {} goes no further than integration: mend that before merging.", held.join(", "));
        }
        let (who, versions, changelogs) = match self.charts {
            [] => return "Review and merge. No chart goes on from here.".to_owned(),
            charts if charts.iter().all(|one| one.after.is_none()) => ("the removal", "", ""),
            [_] => ("the chart", "its version", "its changelog"),
            _ => ("each chart", "versions", "changelogs"),
        };
        let what = match (versions, self.raised_by_hand) {
            ("", _) => String::new(),
            (_, true) => " The version is the one that Chart.yaml has here; the changelog is written from the commits.".to_owned(),
            (_, false) => format!(" Do not raise {versions} or write {changelogs} here: both are derived from the commits."),
        };
        format!("Once this is reviewed and merged, {who} goes on by itself, in pull requests of its own.{what}")
    }

    /// The way of each chart, from this pull request through the tiers that they share.
    fn drawing(&self) -> String {
        if self.charts.is_empty() {
            return String::new();
        }
        let released = |one: &Contributed| one.after.is_some() && one.decision.as_ref().is_none_or(|(level, _)| *level != Level::None);
        let drawn = self.charts.get(..DRAWN).unwrap_or(self.charts);
        let mut drawing = Drawing::new();
        drawing.node("p", &["contribution", &format!("#{}", self.pull), THIS], NodeState::Here);
        drawing.node("i", &["integration"], NodeState::Ahead);
        drawing.node("m", &["main"], NodeState::Ahead);
        if drawn.iter().any(released) {
            drawing.node("r", &["release"], NodeState::Ahead);
        }
        for (index, one) in drawn.iter().enumerate() {
            let tally = Tally::of(&one.checks);
            drawing.node(&format!("c{index}"), &[one.chart.as_str(), &tally.checks()], tally.state());
            drawing.node(&format!("b{index}"), &[one.branch.as_ref().map_or("its own branch", BranchName::as_str)], NodeState::Ahead);
            let mut way = vec!["p".to_owned(), format!("c{index}"), "i".to_owned(), format!("b{index}"), "m".to_owned()];
            if released(one) {
                drawing.node(&format!("t{index}"), &["tag", one.tag.as_ref().map_or("", TagName::as_str)], NodeState::Ahead);
                way.extend([format!("t{index}"), "r".to_owned()]);
            }
            drawing.way(&way);
        }
        let rest = self.charts.len() - drawn.len();
        if rest > 0 {
            drawing.node("more", &[&format!("and {rest} more")], NodeState::Ahead);
            drawing.way(&["p".to_owned(), "more".to_owned(), "i".to_owned()]);
        }
        drawing.finish()
    }
}

impl Contributed {
    fn summary(&self) -> String {
        let chart = &self.chart;
        let version = self.after.as_ref().and_then(|after| after.version.as_ref());
        match (&self.after, &self.decision, version) {
            (None, _, _) => format!("Removes `{chart}`. What was published stays."),
            (Some(_), Some((Level::None, _)), _) => format!("Changes nothing of `{chart}` that is packaged: it goes to main without a version."),
            (Some(_), Some(_), Some(version)) => format!("Would release `{chart}` {version}."),
            _ => format!("Changes `{chart}`."),
        }
    }

    fn table(&self) -> String {
        table(self.before.as_ref(), self.after.as_ref(), self.decision.as_ref())
    }

    fn commits(&self, heading: &str, limit: usize, links: &Links) -> String {
        commits(heading, &self.commits, limit, links)
    }

    fn entry(&self) -> String {
        self.entry.as_deref().map(|entry| folded("What CHANGELOG.md gains", entry)).unwrap_or_default()
    }
}

fn overview(charts: &[Contributed]) -> String {
    let of = |state: &Option<State>| version(state.as_ref().and_then(|state| state.version.as_ref()));
    let rows = charts.iter().map(|one| {
        let after = if one.after.is_none() { "removed".to_owned() } else { of(&one.after) };
        let level = one.decision.as_ref().map_or("–", |(level, _)| level.as_str());
        format!("\n| `{}` | {} | {after} | {level} | {} |", one.chart, of(&one.before), Tally::of(&one.checks).cell())
    });
    format!("| chart | on main | would become | level | checks |\n|---|---|---|---|---|{}", rows.collect::<String>())
}

/// How many checks are in which state.
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    pending: usize,
}

impl Tally {
    fn of(checks: &[CheckLine]) -> Self {
        let count = |state| checks.iter().filter(|check| check.state == state).count();
        Self { passed: count(CheckState::Passed), failed: count(CheckState::Failed), skipped: count(CheckState::Skipped), pending: count(CheckState::Pending) }
    }

    const fn state(&self) -> NodeState {
        match (self.failed, self.pending) {
            (0, 0) => NodeState::Done,
            (0, _) => NodeState::Ahead,
            _ => NodeState::Failed,
        }
    }

    /// What of it matters most.
    fn cell(&self) -> String {
        let skipped = if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
        match (self.failed, self.pending) {
            (0, 0) if self.passed == 0 => "–".to_owned(),
            (0, 0) => format!("passed{skipped}"),
            (0, pending) => format!("{pending} awaited"),
            (failed, _) => format!("**{failed} failed**"),
        }
    }

    fn checks(&self) -> String {
        let of = |number: usize, word: &str| format!("{number} {} {word}", if number == 1 { "check" } else { "checks" });
        match (self.failed, self.pending) {
            (0, 0) if self.passed == 0 => String::new(),
            (0, 0) => of(self.passed, "passed"),
            (0, pending) => of(pending, "awaited"),
            (failed, _) => of(failed, "failed"),
        }
    }
}
