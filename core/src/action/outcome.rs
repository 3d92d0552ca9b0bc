//! What a run of a stage comes to: outputs, annotations and the exit code, from its reports.

use serde::Serialize;

use super::protocol::command::{Annotation, Level};
use super::step::Step;
use super::watch::{Known, Watch};
use crate::domain::markdown::{Links, one_line};
use crate::domain::statement::Stage;
use crate::flow::store;
use crate::flow::{Entry, Outcome, Report};

/// More steps than this are only counted in the output.
const STEPS: usize = 500;
/// More entries than this are only counted in the output. Outputs of a job hold 1 MB together.
const ENTRIES: usize = 600;

/// How a run ended, ready to be handed to the runner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// Name and value of each output, in order.
    pub outputs: Vec<(&'static str, String)>,
    /// The page for the run, in Markdown.
    pub summary: String,
    /// What is shown on the run.
    pub annotations: Vec<Annotation>,
    /// What is shown in the log, by the title of its group.
    pub log: Vec<(String, String)>,
    /// Whether the answer is no.
    pub refused: bool,
}

/// A statement that was signed, as outputs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// GitHub's number, else `sha256:` and the payload's digest.
    pub id: String,
    /// Where it can be read; empty while nothing was stored.
    pub url: String,
}

#[derive(Serialize)]
struct ChartEntry<'a> {
    stage: Stage,
    #[serde(flatten)]
    entry: &'a Entry,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attestations: Vec<Attestation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan<'a> {
    dry_run: bool,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<&'a str>,
    steps: &'a [Step],
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

/// The word of an outcome.
#[must_use]
pub const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Nothing => "nothing to do",
        Outcome::Waiting => "waiting",
        Outcome::Done => "done",
        Outcome::Refused => "refused",
    }
}

/// How statements that this run signed are named, in order.
#[must_use]
pub fn attestations(watch: &Watch, links: &Links) -> Vec<(Known, Attestation)> {
    let stored = watch.stored();
    let url = |known: &Known| match (known.number, &stored) {
        (Some(number), _) => links.attestation(number),
        (None, Some(commit)) => links.file(commit, &store::Signed { statement: known.statement.clone(), digest: known.digest, bundle: String::new() }.file()),
        (None, None) => String::new(),
    };
    let id = |known: &Known| known.number.map_or_else(|| format!("sha256:{}", known.digest), |number| number.to_string());
    watch.statements().into_iter().filter(|known| known.signed).map(|known| (known.clone(), Attestation { id: id(&known), url: url(&known) })).collect()
}

/// The outputs that every stage has.
#[must_use]
pub fn outputs(reports: &[Report], watch: &Watch, links: &Links, stopped_by: Option<&str>) -> Vec<(&'static str, String)> {
    let signed = attestations(watch, links);
    let mut charts = Vec::new();
    for report in reports {
        for entry in report.entries.iter().take(ENTRIES) {
            let of_chart = |known: &Known| known.statement.stage == report.stage && entry.chart.as_ref() == Some(&known.statement.source.chart);
            let attestations = signed.iter().filter(|(known, _)| of_chart(known)).map(|(_, attestation)| attestation.clone()).collect();
            charts.push(ChartEntry { stage: report.stage, entry, attestations });
        }
    }
    let last = signed.last().map(|(_, attestation)| attestation.clone());
    let (id, url) = last.map(|last| (last.id, last.url)).unwrap_or_default();
    vec![
        ("result", result(reports, watch, stopped_by).to_owned()),
        ("charts", serde_json::to_string(&charts).unwrap_or_default()),
        ("plan", plan(watch, stopped_by)),
        ("attestation-id", id),
        ("attestation-url", url),
    ]
}

/// The output `plan`: what was written, or would have been.
pub(super) fn plan(watch: &Watch, stopped_by: Option<&str>) -> String {
    let steps = watch.steps();
    let more = steps.len().checked_sub(STEPS).filter(|more| *more > 0);
    let plan =
        Plan { dry_run: watch.is_dry(), complete: stopped_by.is_none(), stopped_by, steps: steps.get(..STEPS.min(steps.len())).unwrap_or_default(), more };
    serde_json::to_string(&plan).unwrap_or_default()
}

/// How a run ended in a word. A plan that ended before its stage did has come as far as its steps.
#[must_use]
pub fn result(reports: &[Report], watch: &Watch, stopped_by: Option<&str>) -> &'static str {
    let planned = stopped_by.is_some() && !watch.steps().is_empty();
    word(if planned { outcome(reports).max(Outcome::Done) } else { outcome(reports) })
}

/// The strongest outcome of some reports.
#[must_use]
pub fn outcome(reports: &[Report]) -> Outcome {
    reports.iter().map(Report::outcome).max().unwrap_or(Outcome::Nothing)
}

/// What is shown on the run: refusals in red, and what waits in grey.
#[must_use]
pub fn annotations(reports: &[Report]) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    for report in reports {
        for entry in report.entries.iter().filter(|entry| matches!(entry.outcome, Outcome::Refused | Outcome::Waiting)) {
            let chart = entry.chart.as_ref().map(|chart| format!("{chart}: ")).unwrap_or_default();
            let refused = entry.outcome == Outcome::Refused;
            let hint = entry.hint.as_deref().filter(|hint| !hint.is_empty()).map(|hint| format!("\nWhat to do: {hint}")).unwrap_or_default();
            annotations.push(Annotation {
                level: if refused { Level::Error } else { Level::Notice },
                title: entry.rule.clone().unwrap_or_else(|| format!("{} is waiting", report.stage)),
                message: format!("{chart}{}{hint}", entry.message),
                file: entry.file.clone(),
                line: entry.line,
            });
        }
    }
    annotations
}

/// What is shown in the log.
#[must_use]
pub fn log(reports: &[Report]) -> Vec<(String, String)> {
    let group = |report: &Report| {
        let mut text = String::new();
        for entry in &report.entries {
            let chart = entry.chart.as_ref().map(|chart| format!("{chart}: ")).unwrap_or_default();
            let rule = entry.rule.as_ref().map(|rule| format!(" [{rule}]")).unwrap_or_default();
            text.push_str(&format!("{:<13} {chart}{}{rule}\n", word(entry.outcome), one_line(&entry.message, 2000)));
        }
        for check in &report.checks {
            text.push_str(&format!("{:<13} {}: {}: {}\n", check.outcome, check.chart, check.check, one_line(&check.message, 2000)));
        }
        if text.is_empty() {
            text.push_str("nothing to do\n");
        }
        (format!("{}: {}", report.stage, word(report.outcome())), text)
    };
    reports.iter().map(group).collect()
}
