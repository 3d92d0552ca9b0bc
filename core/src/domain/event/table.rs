//! The table.

use super::super::names::ChartName;
use super::super::ruleset::{Tier, Tiers};
use super::{Event, PullEvent, StageName};

/// A moment in a pull request's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Opened, reopened, or its head moved.
    Changed,
    /// Merged.
    Merged,
}

impl Moment {
    /// The activity types of `pull_request_target` that announce it.
    #[must_use]
    pub const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Changed => &["opened", "synchronize", "reopened"],
            Self::Merged => &["closed"],
        }
    }

    fn is(self, pull: &PullEvent) -> bool {
        self.types().contains(&pull.action.as_str()) && pull.merged == matches!(self, Self::Merged)
    }
}

/// What starts a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `pull_request_target` on a pull request to a tier.
    Pull {
        /// The tier it aims at.
        base: Tier,
        /// When.
        moment: Moment,
    },
    /// `push` to main. The pushed commit's own workflow files run, which are main's then.
    PushToMain,
    /// `repository_dispatch` of the stage's own type: by the stage before it, or by `attest`.
    Dispatch,
    /// `schedule`.
    Schedule,
    /// `workflow_dispatch`.
    ByHand,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What is started.
    pub stage: StageName,
    /// By what.
    pub trigger: Trigger,
    /// What shows that the event was lost; `reconcile` looks for it.
    pub found_again_by: &'static str,
}

const fn changed(base: Tier) -> Trigger {
    Trigger::Pull { base, moment: Moment::Changed }
}

const fn merged(base: Tier) -> Trigger {
    Trigger::Pull { base, moment: Moment::Merged }
}

const fn row(stage: StageName, trigger: Trigger, found_again_by: &'static str) -> Row {
    Row { stage, trigger, found_again_by }
}

const UNCHECKED: &str = "an open pull request to integration whose head lacks the status chartflow/validate";
const DUE: &str = "a chart whose content on integration is neither main's nor the carried source";
const UNPROVEN: &str = "an open pull request to a chart's branch";
const UNDRAWN: &str = "a chart's branch that differs from main, without a pull request to main or with an outdated one";
const UNGATED: &str = "an open pull request to main whose head lacks the status chartflow/main";
const UNTAGGED: &str = "a chart whose content on main is not in refs/chartflow/released";
const UNPACKAGED: &str = "a chart in refs/chartflow/released whose content is not in refs/chartflow/published, its package not on release";
const UNPUBLISHED: &str = "a chart in refs/chartflow/released whose content is not in refs/chartflow/published, its package on release";
const NEXT_TIME: &str = "the next schedule";

/// Everything that starts a stage.
pub const TABLE: &[Row] = &[
    row(StageName::Validate, changed(Tier::Integration), UNCHECKED),
    row(StageName::Validate, Trigger::Dispatch, UNCHECKED),
    row(StageName::Filter, merged(Tier::Integration), DUE),
    row(StageName::Filter, Trigger::PushToMain, DUE),
    row(StageName::Filter, Trigger::Dispatch, DUE),
    row(StageName::Enforce, changed(Tier::Chart), UNPROVEN),
    row(StageName::Enforce, Trigger::Dispatch, UNPROVEN),
    row(StageName::Format, merged(Tier::Chart), UNDRAWN),
    row(StageName::Format, Trigger::Dispatch, UNDRAWN),
    row(StageName::Bump, changed(Tier::Main), UNGATED),
    row(StageName::Bump, Trigger::Dispatch, UNGATED),
    row(StageName::Tag, Trigger::PushToMain, UNTAGGED),
    row(StageName::Tag, Trigger::Dispatch, UNTAGGED),
    row(StageName::Package, changed(Tier::Release), UNPACKAGED),
    row(StageName::Package, Trigger::Dispatch, UNPACKAGED),
    row(StageName::Publish, merged(Tier::Release), UNPUBLISHED),
    row(StageName::Publish, Trigger::Dispatch, UNPUBLISHED),
    row(StageName::Reconcile, Trigger::Schedule, NEXT_TIME),
    row(StageName::Reconcile, Trigger::ByHand, NEXT_TIME),
];

impl Row {
    /// Whether an event is what this line speaks of.
    #[must_use]
    pub fn matches(&self, event: &Event, tiers: &Tiers) -> bool {
        match (self.trigger, event) {
            (Trigger::Pull { base, moment }, Event::PullRequestTarget(pull)) => tiers.tier(&pull.base) == Some(base) && moment.is(pull),
            (Trigger::PushToMain, Event::Push { reference, deleted }) => !deleted && reference.strip_prefix("refs/heads/") == Some(tiers.main.as_str()),
            (Trigger::Dispatch, Event::RepositoryDispatch { kind, .. }) => self.stage.dispatch_type() == Some(kind),
            (Trigger::ByHand, Event::WorkflowDispatch { workflow, .. }) => workflow == self.stage.workflow_path(),
            (Trigger::Schedule, Event::Schedule) => true,
            _ => false,
        }
    }
}

/// A stage that an event starts, with what the event hints at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageStart {
    /// The stage.
    pub stage: StageName,
    /// The pull request the event is about. A hint: the stage reads it again.
    pub pull: Option<u64>,
    /// The chart the event names. A hint.
    pub chart: Option<ChartName>,
}

/// The stages that an event starts, in the table's order.
#[must_use]
pub fn stages_for(event: &Event, tiers: &Tiers) -> Vec<StageStart> {
    TABLE.iter().filter(|row| row.matches(event, tiers)).map(|row| StageStart { stage: row.stage, pull: event.pull(), chart: event.chart() }).collect()
}

/// The stages that a stage dispatches when it has changed something.
///
/// Where what the token does starts workflows (an App's, a person's), only what no event of its own announces: there is
/// nothing to merge or push between `tag` and `package`. What the workflow token does starts no workflow but a dispatch
/// (GitHub documentation, "Triggering a workflow from a workflow"), so with it alone each stage names its successor.
#[must_use]
pub const fn next_stages(stage: StageName, starts_workflows: bool) -> &'static [StageName] {
    match (starts_workflows, stage) {
        (true, StageName::Tag) => &[StageName::Package],
        (true, _) => &[],
        (false, StageName::Filter) => &[StageName::Enforce],
        (false, StageName::Enforce) => &[StageName::Format],
        (false, StageName::Format) => &[StageName::Bump],
        // Its pull request with the version goes through enforce, like a promotion.
        (false, StageName::Bump) => &[StageName::Enforce],
        // The way back is a pull request to integration.
        (false, StageName::Tag) => &[StageName::Validate, StageName::Package],
        (false, StageName::Package) => &[StageName::Publish],
        (false, StageName::Validate | StageName::Publish | StageName::Reconcile) => &[],
    }
}
