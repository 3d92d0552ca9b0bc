//! What chartflow's section of a description says at each stage.
//!
//! Each function returns Markdown for [`super::describe`]. Everything from outside is escaped; what matters most comes
//! first, because a section that is too long is cut at its end.

mod lineage;
mod notes;
mod part;

pub use lineage::{Lineage, Place};
pub use notes::{NOTES_LIMIT, Notes, release_notes};

use semver::Version;

use self::part::{checklist, commits, next, notices, table};
use super::map::AttestationId;
use crate::domain::commit::range::Counted;
use crate::domain::digest::{CommitId, Sha256, TreeId};
use crate::domain::markdown::{Links, escape, link};
use crate::domain::names::{BranchName, ChartName, TagName};
use crate::domain::version::Level;

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
            table(self),
            next(what_next),
            checklist(&self.checks),
            self.lineage.mermaid(&self.chart),
            commits(&self.commits, links),
        ];
        joined(parts)
    }
}

fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join("\n\n")
}

/// One chart of a contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributed {
    /// The chart.
    pub chart: ChartName,
    /// The version on main.
    pub before: Option<Version>,
    /// The version it would be released as.
    pub after: Option<Version>,
    /// The level.
    pub level: Option<Level>,
    /// The checks.
    pub checks: Vec<CheckLine>,
    /// What CHANGELOG.md would gain, Markdown already.
    pub entry: Option<String>,
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

/// Stage 1: the pull request to integration.
#[must_use]
pub fn contribution(charts: &[Contributed], refusals: &[Refusal]) -> String {
    let version = |version: Option<&Version>| version.map_or_else(|| "–".to_owned(), |version| format!("`{version}`"));
    let rows = charts.iter().map(|one| {
        let failed = one.checks.iter().filter(|check| check.state == CheckState::Failed).count();
        let pending = one.checks.iter().filter(|check| check.state == CheckState::Pending).count();
        let checks = match (failed, pending) {
            (0, 0) => "passed".to_owned(),
            (0, pending) => format!("{pending} awaited"),
            (failed, _) => format!("**{failed} failed**"),
        };
        let level = one.level.map_or("–", Level::as_str);
        format!("| `{}` | {} | {} | {level} | {checks} |\n", one.chart, version(one.before.as_ref()), version(one.after.as_ref()))
    });
    let overview = format!("| chart | on main | would become | level | checks |\n|---|---|---|---|---|\n{}", rows.collect::<String>());
    let lists = charts.iter().map(|one| {
        let entry = one.entry.as_deref().map(|entry| format!("<details><summary>What CHANGELOG.md gains</summary>\n\n{}\n\n</details>", entry.trim_end()));
        joined([format!("### {}", one.chart), checklist(&one.checks), entry.unwrap_or_default()])
    });
    let refused = refusals.iter().map(|one| refusal(&one.rule, &one.message, &one.hint));
    let what = if refusals.is_empty() {
        "Once this is reviewed and merged, each chart goes on by itself, in pull requests of its own. Do not raise versions or write changelogs here: both are derived from the commits."
    } else {
        "This cannot be merged as it is. Push what is asked for above; the checks run again by themselves."
    };
    let overview = match (charts.is_empty(), refusals.is_empty()) {
        (false, _) => overview.trim_end().to_owned(),
        (true, true) => "This pull request touches no chart.".to_owned(),
        (true, false) => String::new(),
    };
    joined(refused.chain([overview, next(what)]).chain(lists))
}

/// Stage 2: the pull request to `integration-<chart>`.
#[must_use]
pub fn promotion(carried: &Carried, source: &CommitId, target: &BranchName, links: &Links) -> String {
    let what = if carried.after.is_some() {
        format!("`{}`, and nothing else, as it is", carried.chart)
    } else {
        format!("the removal of `{}`, and nothing else,", carried.chart)
    };
    let summary = format!("Carries {what} on integration at {}, to `{target}`.", links.commit_link(source));
    carried.section(
        &summary,
        "`enforce` proves that the content is integration's and merges this, or closes it and says why. Nobody has to do anything.",
        links,
    )
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
                escape(hold_label)
            ),
        ),
    };
    carried.section(&summary, &what, links)
}

/// A chart on its way back to integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The chart.
    pub chart: ChartName,
    /// Its version on main; `None` when main removed it.
    pub version: Option<Version>,
    /// Whether integration has newer content, into which only version and changelog are written.
    pub replayed: bool,
}

/// Stage 6: the pull request that brings main back into integration.
#[must_use]
pub fn way_back(returned: &[Returned], main: &CommitId, machine_merges: bool, links: &Links) -> String {
    let rows = returned.iter().map(|one| {
        let version = one.version.as_ref().map_or_else(|| "removed".to_owned(), |version| format!("`{version}`"));
        let how = if one.replayed { "integration's newer content, with main's version and changelog entry" } else { "main's content" };
        format!("| `{}` | {version} | {how} |\n", one.chart)
    });
    let table = format!("| chart | version | integration gets |\n|---|---|---|\n{}", rows.collect::<String>());
    let table = if returned.is_empty() { "No chart changed on main.".to_owned() } else { table.trim_end().to_owned() };
    let summary = format!("Brings main at {} back into integration. Outside charts integration gets what main has.", links.commit_link(main));
    let what = if machine_merges {
        "chartflow proves this by computing it again and merges it. Nobody has to do anything."
    } else {
        "**Please merge this with a merge commit**; after a squash or rebase the next way back would start over. Until then the charts above are held."
    };
    joined([summary, table, next(what)])
}

/// What is being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The chart.
    pub chart: ChartName,
    /// The version.
    pub version: Version,
    /// The tag.
    pub tag: TagName,
    /// The package's file name.
    pub file: String,
    /// The package's digest.
    pub package: Sha256,
    /// Where it is pushed to, with tag, and the manifest's digest.
    pub image: Option<(String, Sha256)>,
    /// Lines of the lineage.
    pub attestations: usize,
    /// The commits that count, newest first.
    pub commits: Vec<Counted>,
    /// The checks on the lineage.
    pub checks: Vec<CheckLine>,
    /// Where the content came from.
    pub lineage: Lineage,
}

/// Stage 7: the pull request to release.
#[must_use]
pub fn publication(published: &Published, links: &Links) -> String {
    let mut table = format!("| | |\n|---|---|\n| tag | {} |\n", link(&format!("`{}`", published.tag), &links.release(&published.tag)));
    table.push_str(&format!("| package | {} |\n| sha256 | `{}` |\n", escape(&published.file), published.package));
    if let Some((reference, digest)) = &published.image {
        table.push_str(&format!("| OCI | {} |\n| manifest | `{}` |\n", escape(reference), digest.prefixed()));
    }
    table.push_str(&format!("| lineage | {} attestations |", published.attestations));
    joined([
        format!("Publishes `{}` {}: the package, its entry in the index and its lineage, in one commit.", published.chart, published.version),
        table,
        next(
            "`package` has verified the lineage and merges this. `publish` then pushes to the registry, publishes the release and checks what it published as a stranger would.",
        ),
        checklist(&published.checks),
        published.lineage.mermaid(&published.chart),
        commits(&published.commits, links),
    ])
}

/// The comment on a pull request that is refused.
#[must_use]
pub fn refusal(rule: &str, message: &str, hint: &str) -> String {
    joined([
        format!("**Refused** ({}): {}", escape(rule), escape(message)),
        if hint.is_empty() { String::new() } else { format!("What to do: {}", escape(hint)) },
    ])
}
