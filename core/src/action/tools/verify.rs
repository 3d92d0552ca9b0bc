//! `verify`: a package in the workspace against its lineage.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::super::error::ActionError;
use super::super::outcome::Ending;
use super::super::protocol::command::{Annotation, Level};
use super::super::stage::Context;
use crate::domain::check::CheckId;
use crate::domain::lineage::bundle::Anchor;
use crate::domain::lineage::{Artifact, Proof, Report, anchor, verify};
use crate::domain::markdown::escape;
use crate::domain::policy::{Format, POLICY_LIMIT, Policy};

/// Longer packages are refused.
const PACKAGE_LIMIT: usize = 256 << 20;
/// Longer lineages are refused.
const LINEAGE_LIMIT: usize = 8 << 20;
/// Larger trusted roots are refused.
const ROOT_LIMIT: usize = 4 << 20;

fn unusable(what: impl Into<String>, hint: &str, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> ActionError {
    ActionError::Unusable { what: what.into(), hint: hint.to_owned(), source }
}

pub(in super::super) fn run(context: &Context) -> Result<Ending, ActionError> {
    let top = context.environment.workspace.clone().unwrap_or_else(|| PathBuf::from("."));
    let inputs = &context.inputs;
    let artifact = inputs.text("artifact").unwrap_or_default();
    let package = read(&top, "artifact", artifact, PACKAGE_LIMIT)?;
    let beside = format!("{}.lineage.jsonl", artifact.strip_suffix(".tgz").unwrap_or(artifact));
    let lineage = read(&top, "lineage", inputs.text("lineage").unwrap_or(&beside), LINEAGE_LIMIT)?;
    let (policy, anchor) = match (inputs.text("trust"), inputs.text("repository")) {
        (Some(folder), None) => from_folder(&top, folder)?,
        (None, Some(name)) => public(name)?,
        _ => return Err(unusable("whom to trust", "name either trust or repository: what a package says of its origin is no reason to trust it", None)),
    };
    let report = verify(&Artifact::Package { bytes: &package }, &lineage, &policy, &anchor, None);
    Ok(ending(&report, artifact))
}

/// A file of the workspace, and of nowhere else.
fn read(top: &Path, input: &str, path: &str, limit: usize) -> Result<Vec<u8>, ActionError> {
    let what = || format!("{input}: {path:?}");
    let inside = Path::new(path).components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
    let at = Path::new(path).strip_prefix(top).map(Path::to_owned);
    if !inside && at.is_err() {
        return Err(unusable(what(), "name a file below the workspace", None));
    }
    let at = top.join(at.unwrap_or_else(|_| PathBuf::from(path)));
    let mut bytes = Vec::new();
    let missing = |source| unusable(what(), "name a file that an earlier step has put into the workspace", Some(Box::new(source)));
    File::open(at).map_err(missing)?.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(missing)?;
    if bytes.len() > limit { Err(unusable(what(), "it is longer than any file of its kind", None)) } else { Ok(bytes) }
}

fn from_folder(top: &Path, folder: &str) -> Result<(Policy, Anchor), ActionError> {
    let folder = folder.trim_end_matches('/');
    let path = |name: &str| format!("{folder}/{name}");
    let (name, format) = match (top.join(path("policy.json")).is_file(), top.join(path("policy.yaml")).is_file()) {
        (true, false) => ("policy.json", Format::Json),
        (false, true) => ("policy.yaml", Format::Yaml),
        _ => return Err(unusable(format!("trust: {folder:?}"), "name a folder with one policy.yaml or policy.json", None)),
    };
    let policy = Policy::read(&read(top, "trust", &path(name), POLICY_LIMIT)?, format)
        .map_err(|error| unusable(path(name), "mend the policy", Some(Box::new(error))))?;
    let root = match &policy.trusted_root {
        Some(root) if !root.contains('/') => Some(read(top, "trust", &path(root), ROOT_LIMIT)?),
        Some(root) => return Err(unusable(format!("the trusted root {root:?}"), "put the file beside the policy", None)),
        None => None,
    };
    let root = root.map(String::from_utf8).transpose().map_err(|error| unusable("the trusted root", "it is no text", Some(Box::new(error))))?;
    let anchor = anchor(&policy, root.as_deref()).map_err(|error| unusable("what the policy names", "mend its keys or trusted root", Some(Box::new(error))))?;
    Ok((policy, anchor))
}

fn public(name: &str) -> Result<(Policy, Anchor), ActionError> {
    let name = name.parse().map_err(|error| unusable("repository", "name it as OWNER/NAME", Some(Box::new(error) as _)))?;
    let policy = Policy::for_public_repository(name, CheckId::ALL.iter().map(ToString::to_string).collect());
    let anchor = anchor(&policy, None).map_err(|error| unusable("the built-in trusted root", "this is a bug; please report it", Some(Box::new(error))))?;
    Ok((policy, anchor))
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
    let outputs = vec![
        ("result", result.to_owned()),
        ("chart", report.chart.clone().unwrap_or_default()),
        ("version", report.version.clone().unwrap_or_default()),
        ("report", serde_json::to_string(report).unwrap_or_default()),
    ];
    Ending { outputs, summary, annotations, log: vec![(format!("{result}: {artifact}"), log)], refused: !verified }
}
