//! Every rule that anything in chartflow refuses by, in one page. The ids are stable: scripts and people rely on them.

use crate::domain::check::{self, Severity};
use crate::domain::{index, lineage};
use crate::plan::preflight;

/// A rule of a stage that moves content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageRule {
    /// The stable id.
    pub id: &'static str,
    /// When it refuses.
    pub about: &'static str,
    /// What to do.
    pub hint: &'static str,
}

const fn rule(id: &'static str, about: &'static str, hint: &'static str) -> StageRule {
    StageRule { id, about, hint }
}

/// The rules of the stages, in the order of the train. Those that a lineage must satisfy as well are [`lineage::RULES`].
pub const STAGE_RULES: &[StageRule] = &[
    rule("flow/unrelated", "A contribution has no history in common with integration.", "Make the branch from integration."),
    rule(
        "layout/outside",
        "A contribution changes charts and other files, or other files alone.",
        "Open an ordinary pull request to main for the other files.",
    ),
    rule(
        "pull/description-full",
        "What people wrote into the description of a pull request leaves no room for the attestation map.",
        "Shorten it; the pull request is looked at again when something is pushed, and by `reconcile`.",
    ),
    rule("layout/chart-yaml", "A Chart.yaml cannot be read, or names no chart.", "Mend the file and push again."),
    rule(
        "layout/nested",
        "A chart comes or goes above another one, which thereby goes or comes.",
        "Move one of them to a directory outside the other in a pull request of its own.",
    ),
    rule(
        "layout/dependents",
        "A chart that others of the repository depend on is removed or moved, and these are left as they are.",
        "Change the charts that depend on it in the same pull request, or leave it where it is.",
    ),
    rule("layout/content", "A chart holds what no chart may: a submodule, a name that is not UTF-8.", "Take it out of the chart and push again."),
    rule(
        "contribution/unmerged",
        "An approved contribution conflicts with what was merged before it (in a rehearsal; GitHub says it on the pull request).",
        "Merge integration into the branch, solve what conflicts and push again.",
    ),
    rule(
        "attest/unknown-check",
        "A result is brought for an outside check that the configuration does not know.",
        "Name the check under `checks.outside`, or correct its key.",
    ),
    rule(
        "attest/no-chart",
        "A result is brought for a directory that holds no chart at that commit.",
        "Name the chart's directory, and the commit that the check looked at.",
    ),
    rule("flow/fork", "The head of a pull request to a chart's branch comes from another repository.", "Open the pull request against integration."),
    rule("flow/stale-head", "The chart's branch moved since the head was made.", "Nothing: a new head is made."),
    rule("flow/outside-content", "The head changes something beside the one chart.", "Open the pull request against integration."),
    rule("flow/branch-content", "The chart's branch holds something beside the chart that main does not.", "Delete the branch: it is made again from main."),
    rule("flow/not-integration", "The chart's content is neither what integration holds nor a bump of it.", "Bring the change to integration."),
    rule("flow/overtaken", "Integration has moved on since the content was promoted.", "Nothing: the newer content is promoted."),
    rule("flow/unsigned", "The checks or the promotion of the content are not signed yet.", "Wait: the pull request is judged again."),
    rule(
        "bump/no-version",
        "The commits and versions of a chart give no next version, such as a footer Release-As that tags or the index have passed.",
        "Bring a change whose commit has the footer Release-As with a higher version.",
    ),
    rule(
        "bump/unwritable",
        "The version, the changelog or a dependency cannot be written into the chart's files as they are.",
        "Write it more plainly on integration, such as `version: 1.2.3`.",
    ),
    rule("bump/package", "The chart's package cannot be built.", "Mend the chart on integration."),
    rule("flow/chart-on-main", "A pull request to main touches a chart and is not the train's.", "Open the pull request against integration."),
    rule(
        "tag/taken",
        "The name of the next tag is taken by another commit, or by a ref beside which git cannot hold it (`a-v1.0.0/x`).",
        "Remove that tag: the chart waits for it. A rule for the creation of tags keeps names free.",
    ),
    rule("tag/no-lineage", "Main holds a version whose lineage is not complete.", "Bring the content through integration; until then it is not tagged."),
    rule(
        "back/conflict",
        "Main and integration both changed a chart since they last agreed, past the train.",
        "Merge the two in the pull request that was opened.",
    ),
    rule(
        "package/unverifiable",
        "Whoever verified the package would refuse it, so nothing of it is published.",
        "Find the rule that the message names below; the next release of the chart replaces this one.",
    ),
    rule("flow/foreign-release", "A pull request to release is not the train's.", "Close it."),
    rule("publish/foreign-content", "The release branch holds a commit that is not the train's.", "Revert that commit."),
    rule(
        "publish/not-what-was-published",
        "What was downloaded after publishing is not what was signed.",
        "Find out who changed it; the next patch release replaces it.",
    ),
    rule(
        "train/left-open",
        "A pull request of the train is open at the end of a rehearsal, and no stage said why.",
        "Look at its checks, its conflicts and the rules of the branch it goes into; close it to have it made anew.",
    ),
];

/// A row that has an address of its own on the page: `rules.md#layout-outside`.
fn row(id: &str, about: &str, last: &str) -> String {
    let anchor = id.replace('/', "-");
    format!("| <a id=\"{anchor}\"></a>[`{id}`](#{anchor}) | {about} | {last} |\n")
}

fn table(first: &str, last: &str, rows: impl Iterator<Item = String>) -> String {
    format!("| rule | {first} | {last} |\n|---|---|---|\n{}", rows.collect::<String>())
}

fn weighed(rules: &[check::Rule]) -> String {
    let word = |severity| match severity {
        Severity::Error => "refuses",
        Severity::Warning => "warns",
        Severity::Notice => "tells",
    };
    table("what it says", "weight", rules.iter().map(|rule| row(rule.id, rule.about, word(rule.severity))))
}

/// The page, as the documentation holds it (Markdown).
#[must_use]
pub fn page() -> String {
    let stages = table("when it refuses", "what to do", STAGE_RULES.iter().map(|rule| row(rule.id, rule.about, rule.hint)));
    let index = table("what it says", "weight", index::RULES.iter().map(|(id, about)| row(id, about, "refuses")));
    let lineage = table("what must hold", "where it does not", lineage::RULES.iter().map(|rule| row(rule.id, rule.demands, rule.hint)));
    format!(
        "# Rules\n\nWhatever chartflow refuses, it refuses by a rule, and names it. The ids are stable: they are never reused and never renamed. Each has an address: `rules.md#layout-outside` is that of `layout/outside`. This page is written from the code (`core/src/flow/rules.rs`).\n\n\
         ## Checks of a contribution\n\nThe stage `validate` and `chartflow lint`. Each finding names the file, the line, the value and what to write instead.\n\n{}\n\
         ## Stages\n\nWhat a stage refuses is in its report, on the pull request and in `summary.json` under `refused`.\n\n{stages}\n\
         ## The repository\n\nWhat `chartflow rulesets plan` says about a repository that the train cannot or should not run in.\n\n{}\n\
         ## The Helm repository index\n\nWhat `chartflow index check` finds.\n\n{index}\n\
         ## The lineage\n\nWhat `chartflow verify`, and `publish` after every release, finds: `refused[].rule`.\n\n{lineage}",
        weighed(check::RULES),
        weighed(preflight::RULES),
    )
}
