//! `summary.json`: what a rehearsal did, for scripts.

use chartflow_core::domain::event::StageName;
use chartflow_core::flow::Outcome;
use serde::Serialize;

/// The result (contract: schema `chartflow.rehearsal/v1`; fields are only ever added).
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// `chartflow.rehearsal/v1`.
    pub schema: &'static str,
    /// `released`, `refused` or `nothing to release`.
    pub result: &'static str,
    /// The commit main started at.
    pub base: String,
    /// The last contribution.
    pub head: String,
    /// All contributions.
    pub heads: Vec<String>,
    /// What was released.
    pub charts: Vec<ChartRow>,
    /// Every pull request.
    pub pulls: Vec<PullRow>,
    /// Every run of a stage.
    pub stages: Vec<StageRow>,
    /// Every check's newest outcome.
    pub checks: Vec<CheckRow>,
    /// What was refused.
    pub refused: Vec<RefusedRow>,
}

/// A released chart.
#[derive(Debug, Clone, Serialize)]
pub struct ChartRow {
    /// Its name.
    pub chart: String,
    /// Its directory.
    pub path: String,
    /// The version on main before.
    pub from: Option<String>,
    /// The released version.
    pub to: String,
    /// `major`, `minor`, `patch` or `initial`.
    pub level: String,
    /// The tag.
    pub tag: String,
    /// The commit on main it names.
    pub commit: String,
    /// The content's ids.
    pub tree: TreeRow,
    /// The package.
    pub package: PackageRow,
    /// Where it is in the registry.
    pub oci: OciRow,
    /// The lineage.
    pub lineage: LineageRow,
    /// GitHub API calls over all stages, shared ones divided and rounded up.
    pub requests: u64,
    /// Of these, the calls that create content.
    pub creating: u64,
    /// The statements of the lineage, in the order a change passes them.
    #[serde(skip)]
    pub links: Vec<LinkRow>,
    /// The commits that counted, oldest first.
    #[serde(skip)]
    pub commits: Vec<CommitRow>,
}

/// What a statement does in a lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Says what was found about one content.
    Check,
    /// Says that one content may go on.
    Gate,
    /// Carries one content to the next place.
    Carry,
}

impl Edge {
    /// The word, as `chartflow verify` prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Gate => "gate",
            Self::Carry => "carry",
        }
    }
}

/// One statement of a lineage, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// What other statements call it: `validate`, `release-gate`, ….
    pub name: String,
    /// The stage that signed it.
    pub stage: String,
    /// What it does.
    pub edge: Edge,
    /// Whether it speaks about the package rather than a directory.
    pub package: bool,
    /// The SHA-256 of what it speaks about.
    pub subject: String,
    /// The SHA-256 of the signed payload.
    pub statement: String,
    /// What it says.
    pub says: String,
}

/// A commit that counted for a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRow {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it.
    pub author: Option<String>,
}

/// Both ids of a content.
#[derive(Debug, Clone, Serialize)]
pub struct TreeRow {
    /// The SHA-1 tree id.
    pub sha1: String,
    /// The SHA-256 tree id.
    pub sha256: String,
}

/// A package file.
#[derive(Debug, Clone, Serialize)]
pub struct PackageRow {
    /// Its path below the rehearsal's folder.
    pub file: String,
    /// Its digest.
    pub sha256: String,
}

/// An OCI artifact.
#[derive(Debug, Clone, Serialize)]
pub struct OciRow {
    /// `host/path/chart:version`.
    pub reference: String,
    /// `sha256:…` of the manifest.
    pub digest: String,
}

/// A lineage file.
#[derive(Debug, Clone, Serialize)]
pub struct LineageRow {
    /// Its path below the rehearsal's folder.
    pub file: String,
    /// How many attestations it holds.
    pub attestations: usize,
}

/// A pull request.
#[derive(Debug, Clone, Serialize)]
pub struct PullRow {
    /// Its number.
    pub number: u64,
    /// The stage that opened it; `validate` is a contribution, `tag` the way back.
    pub stage: &'static str,
    /// The chart it carries.
    pub chart: Option<String>,
    /// Its title.
    pub title: String,
    /// The branch it goes into.
    pub base: String,
    /// The branch it comes from.
    pub head: String,
    /// `merged`, `closed` or `open`.
    pub state: &'static str,
    /// Its description at the end.
    pub body: String,
    /// Who opened it.
    pub author: String,
    /// Whose approval it has, each once.
    pub approved: Vec<String>,
    /// Who merged it.
    #[serde(rename = "mergedBy")]
    pub merged_by: Option<String>,
}

/// A run of a stage.
#[derive(Debug, Clone, Serialize)]
pub struct StageRow {
    /// The stage.
    pub stage: String,
    /// The event that started it.
    pub event: String,
    /// The chart, when it was about one.
    pub chart: Option<String>,
    /// `done`, `refused` or `nothing to do`.
    pub outcome: String,
    /// How long it took.
    pub milliseconds: u64,
    /// GitHub API calls.
    pub requests: u64,
    /// Of these, the calls that create content.
    pub creating: u64,
    /// What it did, in words.
    pub messages: Vec<String>,
    /// The charts it did something about.
    #[serde(skip)]
    pub(crate) charts: Vec<String>,
    #[serde(skip)]
    pub(crate) worst: Outcome,
}

impl Summary {
    /// The result in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let names: Vec<String> = self.charts.iter().map(|chart| format!("{} {}", chart.chart, chart.to)).collect();
        let released = match names.as_slice() {
            [] => None,
            [one] => Some(format!("{one} was released")),
            [most @ .., last] if names.len() <= 4 => Some(format!("{} and {last} were released", most.join(", "))),
            _ => Some(format!("{} charts were released", names.len())),
        };
        let refused = match self.refused.as_slice() {
            [] => None,
            [one] => Some(format!("{} refused {}", one.stage, one.chart.as_deref().unwrap_or("the contribution"))),
            all => Some(format!("{} things were refused", all.len())),
        };
        match (released, refused) {
            (Some(released), Some(refused)) => format!("{released}; {refused}."),
            (Some(released), None) => format!("{released}."),
            (None, Some(refused)) => format!("Nothing was released: {refused}."),
            (None, None) => "Nothing to release: no chart's package changes.".to_owned(),
        }
    }
}

impl StageRow {
    pub(crate) fn new(stage: StageName, event: &str, milliseconds: u128, requests: u64, creating: u64) -> Self {
        Self {
            stage: stage.to_string(),
            event: event.to_owned(),
            chart: None,
            outcome: String::new(),
            milliseconds: u64::try_from(milliseconds).unwrap_or(u64::MAX),
            requests,
            creating,
            messages: Vec::new(),
            charts: Vec::new(),
            worst: Outcome::Nothing,
        }
    }

    /// Whether it did something about a chart.
    pub(crate) fn about(&self, chart: &str) -> bool {
        self.charts.iter().any(|name| name == chart)
    }
}

/// What a check said about a chart.
#[derive(Debug, Clone, Serialize)]
pub struct CheckRow {
    /// The check.
    pub check: String,
    /// The chart.
    pub chart: String,
    /// `passed`, `failed` or `skipped`.
    pub outcome: String,
    /// In words.
    pub message: String,
}

/// A refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RefusedRow {
    /// The chart, unless it is about the whole pull request.
    pub chart: Option<String>,
    /// The stage that refused.
    pub stage: String,
    /// The stable id of the rule.
    pub rule: String,
    /// What was wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The file that is at fault, from the top of the repository; absent where no single one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}
