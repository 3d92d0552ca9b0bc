//! What is due: whether a chart's content on integration travels on (stage 2).
//!
//! Integration is compared with the *carried source* that the signed statements name and never with the branch's
//! bytes: after a bump those always differ, and comparing them would propose to revert the bump for ever.

use std::fmt;

use serde::Serialize;

use super::{Branch, Place};
use crate::domain::names::ChartName;

/// What is known of one chart when `filter` decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The chart.
    pub chart: ChartName,
    /// On integration.
    pub integration: Option<Place>,
    /// On main.
    pub main: Option<Place>,
    /// At the merge base of main and integration: what main held when it last came back.
    pub returned: Option<Place>,
    /// Its branch, when there is one.
    pub branch: Option<Branch>,
    /// Whether its pull request to main carries the label that keeps it as it is.
    pub held_by_label: bool,
    /// Charts it depends on through `file://` whose content on integration is not main's.
    pub waits_for: Vec<ChartName>,
    /// Outside checks that are required and have not been recorded for the content.
    pub outside_missing: Vec<String>,
}

/// What to do about one chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Leave everything as it is until something else has happened.
    Hold,
    /// Close the pull requests of the branch and delete it. What is due then is decided anew.
    Withdraw,
    /// Check, sign, and open the pull request that carries the content onto the chart's branch.
    Promote,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// Integration and main agree.
    Agree,
    /// The branch carries integration's content already.
    Carried,
    /// Main's content of this chart is not back on integration.
    NotReturned,
    /// The branch is merged: its content is main's.
    Merged,
    /// Integration took the change back.
    TakenBack,
    /// Main's content of this chart is another than when the branch was made.
    MainMoved,
    /// The branch holds something beside this chart, or content that no signed statement explains.
    Unexplained,
    /// The hold label.
    Label,
    /// Charts it depends on have to be released first.
    Dependencies {
        /// Which.
        charts: Vec<ChartName>,
    },
    /// Outside checks have not reported.
    Outside {
        /// Which.
        checks: Vec<String>,
    },
    /// Integration holds content that nothing carries yet.
    Due,
    /// Integration holds newer content than the branch carries.
    Newer,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agree => f.write_str("integration and main agree"),
            Self::Carried => f.write_str("its branch carries integration's content already"),
            Self::NotReturned => f.write_str("main's content of this chart is not back on integration yet"),
            Self::Merged => f.write_str("its branch is merged"),
            Self::TakenBack => f.write_str("integration took the change back"),
            Self::MainMoved => f.write_str("main's content of this chart changed since its branch was made"),
            Self::Unexplained => f.write_str("its branch holds something that no signed promotion explains"),
            Self::Label => f.write_str("the pull request to main is held by its label"),
            Self::Dependencies { charts } => {
                write!(f, "charts it depends on have to be released first: ")?;
                for (n, chart) in charts.iter().enumerate() {
                    write!(f, "{}{chart}", if n == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Outside { checks } => write!(f, "outside checks have not reported: {}", checks.join(", ")),
            Self::Due => f.write_str("integration holds content that is not on its way to main"),
            Self::Newer => f.write_str("integration holds newer content than its branch carries"),
        }
    }
}

/// What to do about one chart, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The chart.
    pub chart: ChartName,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
}

/// Decides about one chart.
#[must_use]
pub fn plan(facts: &Facts) -> Plan {
    let (action, reason) = decide(facts);
    Plan { chart: facts.chart.clone(), action, reason }
}

fn decide(facts: &Facts) -> (Action, Reason) {
    let agree = facts.integration == facts.main;
    if let Some(branch) = &facts.branch {
        if branch.place == facts.main && branch.base != facts.main {
            return (Action::Withdraw, Reason::Merged);
        }
        if branch.base != facts.main {
            return (Action::Withdraw, Reason::MainMoved);
        }
        if agree {
            // A branch that was just made equals main too; it goes as well when nothing is due any more.
            return (Action::Withdraw, Reason::TakenBack);
        }
        let untouched = branch.place == facts.main;
        if !branch.only_this_chart || (branch.carried.is_none() && !untouched) {
            return (Action::Withdraw, Reason::Unexplained);
        }
    }
    if facts.returned != facts.main {
        return (Action::Hold, Reason::NotReturned);
    }
    if agree {
        return (Action::Nothing, Reason::Agree);
    }
    let carried = facts.branch.as_ref().and_then(|branch| branch.carried.as_ref());
    if carried.is_some_and(|carried| carried.source == facts.integration) {
        return (Action::Nothing, Reason::Carried);
    }
    if carried.is_some() && facts.held_by_label {
        return (Action::Hold, Reason::Label);
    }
    if !facts.waits_for.is_empty() {
        return (Action::Hold, Reason::Dependencies { charts: facts.waits_for.clone() });
    }
    if !facts.outside_missing.is_empty() {
        return (Action::Hold, Reason::Outside { checks: facts.outside_missing.clone() });
    }
    (Action::Promote, if carried.is_some() { Reason::Newer } else { Reason::Due })
}

#[cfg(test)]
mod tests {
    use super::super::Carried;
    use super::*;
    use crate::domain::digest::{CommitId, TreeId};

    fn place(content: char) -> Option<Place> {
        (content != '-').then(|| Place { path: "charts/a".parse().unwrap(), tree: TreeId::new(content.to_string().repeat(40)).unwrap() })
    }

    /// One character a content; `-` is absent. `branch` is content, base and carried source.
    fn facts(integration: char, main: char, returned: char, branch: Option<(char, char, Option<char>)>) -> Facts {
        let commit = CommitId::new("0".repeat(40)).unwrap();
        let branch = branch.map(|(content, base, carried)| Branch {
            tip: commit.clone(),
            place: place(content),
            base: place(base),
            only_this_chart: true,
            carried: carried.map(|source| Carried { source: place(source), commit: commit.clone(), bumped: source != content }),
        });
        Facts {
            chart: "a".parse().unwrap(),
            integration: place(integration),
            main: place(main),
            returned: place(returned),
            branch,
            held_by_label: false,
            waits_for: vec![],
            outside_missing: vec![],
        }
    }

    fn check(facts: &Facts, expected: &str) {
        let plan = plan(facts);
        let action = match plan.action {
            Action::Nothing => "nothing",
            Action::Hold => "hold",
            Action::Withdraw => "withdraw",
            Action::Promote => "promote",
        };
        assert_eq!(format!("{action}: {}", plan.reason), expected);
    }

    #[test]
    fn what_is_due() {
        check(&facts('a', 'a', 'a', None), "nothing: integration and main agree");
        check(&facts('b', 'a', 'a', None), "promote: integration holds content that is not on its way to main");
        check(&facts('b', '-', '-', None), "promote: integration holds content that is not on its way to main");
        check(&facts('-', 'a', 'a', None), "promote: integration holds content that is not on its way to main");
        check(&facts('b', 'a', 'c', None), "hold: main's content of this chart is not back on integration yet");
    }

    #[test]
    fn the_branch_is_judged_by_what_it_carries() {
        check(&facts('b', 'a', 'a', Some(('b', 'a', Some('b')))), "nothing: its branch carries integration's content already");
        check(&facts('b', 'a', 'a', Some(('c', 'a', Some('b')))), "nothing: its branch carries integration's content already");
        check(&facts('d', 'a', 'a', Some(('c', 'a', Some('b')))), "promote: integration holds newer content than its branch carries");
        check(&facts('b', 'a', 'a', Some(('a', 'a', None))), "promote: integration holds content that is not on its way to main");
        check(&facts('b', 'a', 'a', Some(('f', 'a', None))), "withdraw: its branch holds something that no signed promotion explains");
    }

    #[test]
    fn withdrawn_when_overtaken() {
        check(&facts('a', 'a', 'a', Some(('c', 'a', Some('b')))), "withdraw: integration took the change back");
        check(&facts('b', 'c', 'a', Some(('c', 'a', Some('b')))), "withdraw: its branch is merged");
        check(&facts('b', 'd', 'a', Some(('c', 'a', Some('b')))), "withdraw: main's content of this chart changed since its branch was made");
        let mut dirty = facts('b', 'a', 'a', Some(('b', 'a', Some('b'))));
        dirty.branch.as_mut().unwrap().only_this_chart = false;
        check(&dirty, "withdraw: its branch holds something that no signed promotion explains");
    }

    #[test]
    fn what_holds() {
        let mut held = facts('d', 'a', 'a', Some(('c', 'a', Some('b'))));
        held.held_by_label = true;
        check(&held, "hold: the pull request to main is held by its label");
        let mut waits = facts('b', 'a', 'a', None);
        waits.waits_for = vec!["x".parse().unwrap(), "y".parse().unwrap()];
        waits.outside_missing = vec!["trivy".to_owned()];
        check(&waits, "hold: charts it depends on have to be released first: x, y");
        waits.waits_for.clear();
        check(&waits, "hold: outside checks have not reported: trivy");
    }
}
