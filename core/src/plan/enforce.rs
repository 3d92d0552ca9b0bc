//! Who may enter a per-chart branch (stage 3): integration's content, or its re-derived bump, and nothing else.

use std::fmt;

use serde::Serialize;

use super::Place;
use crate::domain::names::ChartName;

/// What a pull request to a per-chart branch brings, as signed statements explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A valid promotion statement is about this content, and its checks are complete.
    Promotion,
    /// A valid bump statement leads from the branch's content to this content, and deriving it again gives the same.
    Bump,
    /// A bump statement names this content, but deriving it again gives something else.
    WrongBump,
    /// Nothing valid is about this content.
    Unsigned,
}

/// What is known when `enforce` judges one head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The chart.
    pub chart: ChartName,
    /// Whether the head lies in this very repository.
    pub own_repository: bool,
    /// Whether the head is one commit on top of the branch's present tip.
    pub on_tip: bool,
    /// Whether the head's whole tree is that of main where the branch began, with this chart replaced and nothing else.
    pub only_this_chart: bool,
    /// Whether the branch's whole tree is a first-parent commit of main's with this chart replaced and nothing else.
    pub branch_sound: bool,
    /// The chart at the head.
    pub head: Option<Place>,
    /// The chart on integration.
    pub integration: Option<Place>,
    /// What explains the head's content.
    pub origin: Origin,
}

/// What to do with the pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Sign the gate (for a promotion) and merge.
    Merge,
    /// Leave it: a refresh or a missing statement will come.
    Wait {
        /// For what.
        reason: Reason,
    },
    /// Close it.
    Refuse {
        /// Why.
        reason: Reason,
    },
}

/// Why a head is not merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It comes from a fork.
    Fork,
    /// The branch moved since the head was made.
    Stale,
    /// It changes something beside the chart.
    OtherContent,
    /// The branch itself holds something beside the chart.
    BranchUnsound,
    /// It is not what integration holds, nor a bump of it.
    NotIntegration,
    /// It was promoted, and integration has moved on since.
    Overtaken,
    /// It is what integration holds, and nobody has signed for it yet.
    Unsigned,
    /// It claims to be a bump and is not what the bump derives.
    WrongBump,
}

impl Reason {
    /// The stable id of the rule.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::Fork => "flow/fork",
            Self::Stale => "flow/stale-head",
            Self::OtherContent => "flow/outside-content",
            Self::BranchUnsound => "flow/branch-content",
            Self::NotIntegration => "flow/not-integration",
            Self::Overtaken => "flow/overtaken",
            Self::Unsigned => "flow/unsigned",
            Self::WrongBump => "bump/content",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fork => "the head comes from another repository",
            Self::Stale => "the branch moved since this head was made",
            Self::OtherContent => "the head changes something beside this chart",
            Self::BranchUnsound => "the branch holds something beside this chart that main does not",
            Self::NotIntegration => "the chart's content is neither what integration holds nor a bump of it",
            Self::Overtaken => "integration has moved on since this content was promoted",
            Self::Unsigned => "this is integration's content, and its checks and promotion are not signed yet",
            Self::WrongBump => "the content is not what the bump derives",
        })
    }
}

/// Judges one head.
#[must_use]
pub fn plan(facts: &Facts) -> Action {
    let refuse = |reason| Action::Refuse { reason };
    let wait = |reason| Action::Wait { reason };
    if !facts.own_repository {
        return refuse(Reason::Fork);
    }
    if !facts.branch_sound {
        return wait(Reason::BranchUnsound);
    }
    // Staleness is never a reason to close: it races with the stage that refreshes the head.
    if !facts.on_tip {
        return wait(Reason::Stale);
    }
    if !facts.only_this_chart {
        return refuse(Reason::OtherContent);
    }
    match (facts.origin, facts.head == facts.integration) {
        (Origin::Bump, _) | (Origin::Promotion, true) => Action::Merge,
        (Origin::Promotion, false) => wait(Reason::Overtaken),
        (Origin::WrongBump, _) => refuse(Reason::WrongBump),
        (Origin::Unsigned, true) => wait(Reason::Unsigned),
        (Origin::Unsigned, false) => refuse(Reason::NotIntegration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::TreeId;

    fn place(content: char) -> Option<Place> {
        (content != '-').then(|| Place { path: "charts/a".parse().unwrap(), tree: TreeId::new(content.to_string().repeat(40)).unwrap() })
    }

    fn check(change: impl FnOnce(&mut Facts), expected: &str) {
        let mut facts = Facts {
            chart: "a".parse().unwrap(),
            own_repository: true,
            on_tip: true,
            only_this_chart: true,
            branch_sound: true,
            head: place('b'),
            integration: place('b'),
            origin: Origin::Promotion,
        };
        change(&mut facts);
        let text = match plan(&facts) {
            Action::Merge => "merge".to_owned(),
            Action::Wait { reason } => format!("wait {}: {reason}", reason.rule()),
            Action::Refuse { reason } => format!("refuse {}: {reason}", reason.rule()),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn three_answers() {
        check(|_| {}, "merge");
        check(|f| (f.origin, f.head) = (Origin::Bump, place('c')), "merge");
        check(|f| f.own_repository = false, "refuse flow/fork: the head comes from another repository");
        check(|f| f.on_tip = false, "wait flow/stale-head: the branch moved since this head was made");
        check(|f| f.only_this_chart = false, "refuse flow/outside-content: the head changes something beside this chart");
        check(|f| f.branch_sound = false, "wait flow/branch-content: the branch holds something beside this chart that main does not");
        check(|f| f.integration = place('d'), "wait flow/overtaken: integration has moved on since this content was promoted");
        check(|f| f.origin = Origin::Unsigned, "wait flow/unsigned: this is integration's content, and its checks and promotion are not signed yet");
        check(
            |f| (f.origin, f.head) = (Origin::Unsigned, place('f')),
            "refuse flow/not-integration: the chart's content is neither what integration holds nor a bump of it",
        );
        check(|f| f.origin = Origin::WrongBump, "refuse bump/content: the content is not what the bump derives");
    }
}
