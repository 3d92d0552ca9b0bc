//! `verify`: a package in the workspace against its lineage.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::super::error::ActionError;
use super::super::inputs::Inputs;
use super::super::outcome::Ending;
use super::super::protocol::command::{Annotation, Level};
use super::super::stage::Context;
use crate::domain::lineage::{Artifact, Proof, Report, verify};
use crate::domain::markdown::escape;
use crate::io::file::{read_regular, within};
use crate::io::trust::Trust;

/// Longer packages are refused.
const PACKAGE_LIMIT: usize = 256 << 20;
/// Longer lineages are refused.
const LINEAGE_LIMIT: usize = 8 << 20;

/// What to do where an input names nothing that is there.
const ABSENT: &str = "name what an earlier step has put into the workspace";

fn unusable(what: impl Into<String>, hint: &str, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> ActionError {
    ActionError::Unusable { what: what.into(), hint: hint.to_owned(), source }
}

/// Reading and verifying wait for nobody, so that they have a thread of their own: signals are heard meanwhile.
pub(in super::super) async fn run(context: &Context) -> Result<Ending, ActionError> {
    let top = context.environment.workspace.clone().unwrap_or_else(|| PathBuf::from("."));
    let inputs = context.inputs.clone();
    let ending = tokio::task::spawn_blocking(move || verified(&top, &inputs)).await;
    ending.unwrap_or_else(|error| Err(ActionError::Setup { source: error.into() }))
}

fn verified(top: &Path, inputs: &Inputs) -> Result<Ending, ActionError> {
    let artifact = inputs.text("artifact").unwrap_or_default();
    let package = read(top, "artifact", artifact, PACKAGE_LIMIT)?;
    let beside = format!("{}.lineage.jsonl", artifact.strip_suffix(".tgz").unwrap_or(artifact));
    let lineage = read(top, "lineage", inputs.text("lineage").unwrap_or(&beside), LINEAGE_LIMIT)?;
    let Trust { policy, anchor, .. } = match (inputs.text("trust"), inputs.text("repository")) {
        (Some(folder), None) => trusted(top, folder)?,
        (None, Some(name)) => public(name)?,
        _ => return Err(unusable("whom to trust", "name either trust or repository: what a package says of its origin is no reason to trust it", None)),
    };
    let report = verify(&Artifact::Package { bytes: &package }, &lineage, &policy, &anchor, None);
    Ok(ending(&report, artifact))
}

/// What a path in the workspace leads to, which is in the workspace, too.
fn inside(top: &Path, input: &str, path: &str) -> Result<PathBuf, ActionError> {
    let what = || format!("{input}: {path:?}");
    let elsewhere = || unusable(what(), "name what lies below the workspace", None);
    let below = Path::new(path).strip_prefix(top).unwrap_or(Path::new(path));
    if !below.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir)) {
        return Err(elsewhere());
    }
    let lost = |source: std::io::Error| {
        let hint = if source.kind() == ErrorKind::NotFound { ABSENT } else { "put it there itself, not a link to it" };
        unusable(what(), hint, Some(Box::new(source)))
    };
    within(top, &top.join(below)).map_err(lost)?.ok_or_else(elsewhere)
}

/// The trust in a folder whose files lie in the workspace, too.
fn trusted(top: &Path, folder: &str) -> Result<Trust, ActionError> {
    let place = inside(top, "trust", folder)?;
    Ok(Trust::from_folder_within(&place, top)?)
}

fn read(top: &Path, input: &str, path: &str, limit: usize) -> Result<Vec<u8>, ActionError> {
    let what = || format!("{input}: {path:?}");
    let missing = |source| unusable(what(), ABSENT, Some(Box::new(source)));
    let bytes = read_regular(&inside(top, input, path)?, limit).map_err(missing)?;
    if bytes.len() > limit { Err(unusable(what(), "it is longer than any file of its kind", None)) } else { Ok(bytes) }
}

fn public(name: &str) -> Result<Trust, ActionError> {
    let name = name.parse().map_err(|error| unusable("repository", "name it as OWNER/NAME", Some(Box::new(error) as _)))?;
    Ok(Trust::public(name)?)
}

fn ending(report: &Report, artifact: &str) -> Ending {
    let verified = report.verified();
    let result = if verified { "verified" } else { "refused" };
    let mut summary = format!("# chartflow verify: {result}\n\n{}\n\n", escape(artifact));
    let mut annotations = Vec::new();
    let mut log = String::new();
    if verified {
        summary.push_str("| stage | what | proof |\n|---|---|---|\n");
    }
    for link in report.chain.iter().filter(|_| verified) {
        let kind = link.predicate_type.rsplit_once("//").map_or(link.predicate_type.as_str(), |(_, rest)| rest);
        let proof = match link.proof {
            Proof::Rederived => "repeated with the same result",
            Proof::Signed => "signed",
        };
        summary.push_str(&format!("| {} | {} | {proof} |\n", link.stage, escape(kind)));
        log.push_str(&format!("{:<9} {kind}, {proof}\n", link.stage.as_str()));
    }
    for refusal in &report.refused {
        let hint = refusal.rule.explanation().hint;
        summary.push_str(&format!("- `{}`: {}\n  {}\n", refusal.rule, escape(&refusal.message), escape(hint)));
        log.push_str(&format!("{}: {}\n", refusal.rule, refusal.message));
        let message = format!("{artifact}: {}\nWhat to do: {hint}", refusal.message);
        annotations.push(Annotation { level: Level::Error, title: refusal.rule.to_string(), message, file: None, line: None });
    }
    let charts = serde_json::json!([{ "chart": report.chart, "version": report.version, "outcome": result }]);
    let outputs = vec![
        ("result", result.to_owned()),
        ("charts", charts.to_string()),
        ("chart", report.chart.clone().unwrap_or_default()),
        ("version", report.version.clone().unwrap_or_default()),
        ("report", serde_json::to_string(report).unwrap_or_default()),
    ];
    Ending { outputs, summary, annotations, log: vec![(format!("{result}: {artifact}"), log)], refused: !verified }
}
