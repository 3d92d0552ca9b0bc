//! Main's gate for one chart: bring the version in, let the pull request through, or keep it back (stage 5).

use std::fmt;

use serde::Serialize;

use super::{Branch, Place};
use crate::domain::names::ChartName;

/// What is known of one chart on its way to main.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The chart.
    pub chart: ChartName,
    /// On integration.
    pub integration: Option<Place>,
    /// On main.
    pub main: Option<Place>,
    /// At the merge base of main and integration.
    pub returned: Option<Place>,
    /// Its branch.
    pub branch: Branch,
    /// Whether `tag` has finished with main's present content.
    pub main_finished: bool,
    /// Whether `enforce` let the carried source onto the branch.
    pub enforced: bool,
    /// Whether its pull request to main carries the label that keeps it as it is.
    pub held_by_label: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Derive the version, sign the bump and bring it in.
    Bump,
    /// Sign the release gate; the pull request may be merged.
    Pass,
    /// Not yet; something else will happen first.
    Wait {
        /// What.
        reason: Reason,
    },
    /// Not in this state; `filter` will replace or withdraw what the branch carries.
    Red {
        /// Why.
        reason: Reason,
    },
}

/// Why a pull request to main waits or is red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Main's version of the chart has no tag yet.
    MainUnfinished,
    /// Main's content is not back on integration.
    NotReturned,
    /// Main's content changed since the branch was made.
    MainMoved,
    /// Something beside this chart is on the branch.
    OtherContent,
    /// No signed promotion explains the branch.
    Unexplained,
    /// Integration holds other content than is carried.
    IntegrationMoved,
    /// The gate of the branch has not been signed.
    NotEnforced,
    /// Nothing differs from main.
    NothingToRelease,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MainUnfinished => "main's present version has no tag yet",
            Self::NotReturned => "main's content is not back on integration yet",
            Self::MainMoved => "main's content of this chart changed since the branch was made",
            Self::OtherContent => "the branch changes something beside this chart",
            Self::Unexplained => "no signed promotion explains the branch's content",
            Self::IntegrationMoved => "integration holds other content by now",
            Self::NotEnforced => "the promotion has not passed its gate yet",
            Self::NothingToRelease => "the branch holds nothing that main has not",
        })
    }
}

/// Decides about one chart.
#[must_use]
pub fn plan(facts: &Facts) -> Action {
    let branch = &facts.branch;
    if branch.base != facts.main {
        return Action::Red { reason: Reason::MainMoved };
    }
    if branch.place == facts.main && branch.carried.is_none() {
        return Action::Wait { reason: Reason::NothingToRelease };
    }
    if !branch.only_this_chart {
        return Action::Red { reason: Reason::OtherContent };
    }
    let Some(carried) = &branch.carried else { return Action::Red { reason: Reason::Unexplained } };
    if facts.returned != facts.main {
        return Action::Wait { reason: Reason::NotReturned };
    }
    if carried.source != facts.integration && (!facts.held_by_label || facts.integration == facts.main) {
        return Action::Red { reason: Reason::IntegrationMoved };
    }
    if !facts.main_finished {
        return Action::Wait { reason: Reason::MainUnfinished };
    }
    if !facts.enforced {
        return Action::Wait { reason: Reason::NotEnforced };
    }
    if carried.bumped { Action::Pass } else { Action::Bump }
}

#[cfg(test)]
mod tests {
    use super::super::Carried;
    use super::*;
    use crate::domain::digest::{CommitId, TreeId};

    fn place(content: char) -> Option<Place> {
        (content != '-').then(|| Place { path: "charts/a".parse().unwrap(), tree: TreeId::new(content.to_string().repeat(40)).unwrap() })
    }

    fn facts(content: char, source: char, bumped: bool) -> Facts {
        let commit = CommitId::new("0".repeat(40)).unwrap();
        Facts {
            chart: "a".parse().unwrap(),
            integration: place('b'),
            main: place('a'),
            returned: place('a'),
            branch: Branch {
                tip: commit.clone(),
                place: place(content),
                base: place('a'),
                only_this_chart: true,
                carried: Some(Carried { source: place(source), commit, bumped }),
            },
            main_finished: true,
            enforced: true,
            held_by_label: false,
        }
    }

    fn check(change: impl FnOnce(&mut Facts), expected: &str) {
        let mut facts = facts('c', 'b', true);
        change(&mut facts);
        let text = match plan(&facts) {
            Action::Bump => "bump".to_owned(),
            Action::Pass => "pass".to_owned(),
            Action::Wait { reason } => format!("wait: {reason}"),
            Action::Red { reason } => format!("red: {reason}"),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn the_gate() {
        check(|_| {}, "pass");
        check(|f| *f = facts('b', 'b', false), "bump");
        check(|f| f.enforced = false, "wait: the promotion has not passed its gate yet");
        check(|f| f.main_finished = false, "wait: main's present version has no tag yet");
        check(|f| f.returned = place('f'), "wait: main's content is not back on integration yet");
        check(|f| f.integration = place('d'), "red: integration holds other content by now");
        check(|f| (f.integration, f.held_by_label) = (place('d'), true), "pass");
        check(|f| (f.integration, f.held_by_label) = (place('a'), true), "red: integration holds other content by now");
        check(|f| f.branch.base = place('f'), "red: main's content of this chart changed since the branch was made");
        check(|f| f.branch.only_this_chart = false, "red: the branch changes something beside this chart");
        check(|f| f.branch.carried = None, "red: no signed promotion explains the branch's content");
        check(|f| (f.branch.carried, f.branch.place) = (None, place('a')), "wait: the branch holds nothing that main has not");
    }
}
