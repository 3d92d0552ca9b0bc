//! The check `schema`: Chart.yaml has helm's keys and types, values.yaml fits values.schema.json.

use super::rules::{SCHEMA_DOCUMENTS, SCHEMA_DUPLICATE_KEY, SCHEMA_MISSING, SCHEMA_TYPE, SCHEMA_UNKNOWN_KEY, SCHEMA_VALUE, SCHEMA_VERSION, SCHEMA_YAML};
use super::{CheckId, CheckResult, FINDINGS_LIMIT, Finding, Rule, Subject, schema_dependencies, schema_values};
use crate::domain::causes;
use crate::domain::chart::{CHART_FILE, ChartError, DEPENDENCY_KEYS, MAINTAINER_KEYS, METADATA_KEYS, Metadata, REQUIREMENTS_FILE, examine, version};
use crate::domain::configuration::nearest;
use crate::domain::yaml::{self, Document, Duplicates, Limits, Node, Value, YamlError};

/// Runs the check.
#[must_use]
pub fn check(subject: &Subject<'_>) -> CheckResult {
    let mut findings = Vec::new();
    description(subject, &mut findings);
    schema_values::check(subject, &mut findings);
    CheckResult::new(CheckId::Schema, findings)
}

/// A finding for a file that is no YAML.
pub(super) fn unreadable(path: &str, error: &YamlError) -> Finding {
    Finding::new(&SCHEMA_YAML, without_place(path, &error.to_string())).at(path, error.line())
}

/// A message without the file, line and column before it: findings hold them apart.
pub(super) fn without_place(path: &str, message: &str) -> String {
    let Some(rest) = message.strip_prefix(path) else { return message.to_owned() };
    let rest = rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    rest.trim_start().to_owned()
}

fn parse(subject: &Subject<'_>, file: &str, findings: &mut Vec<Finding>) -> Option<Document> {
    let path = subject.path(file);
    match yaml::parse(&path, subject.files.bytes(file)?, &Limits::default(), Duplicates::Keep) {
        Ok(document) => Some(document),
        Err(error) => {
            findings.push(unreadable(&path, &error));
            None
        }
    }
}

/// What helm reads otherwise than it is written in a Chart.yaml, without a word: a key that stands twice, and a version that
/// is a number. A file that is no YAML has no such findings. `path` is for messages.
#[must_use]
pub fn read_otherwise(path: &str, chart_file: &[u8]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Ok(document) = yaml::parse(path, chart_file, &Limits::default(), Duplicates::Keep) {
        duplicates(path, &document, &mut findings);
        texts(path, &document.root, &mut findings);
    }
    findings
}

fn duplicates(path: &str, document: &Document, findings: &mut Vec<Finding>) {
    for twice in &document.duplicates {
        let message = format!("the key {:?} stands twice, first on line {}", twice.key, twice.first.line);
        findings.push(Finding::new(&SCHEMA_DUPLICATE_KEY, message).at(path, Some(twice.at.line)).hint("remove one of them"));
    }
}

fn description(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let path = subject.path(CHART_FILE);
    // A missing file is the check `layout`'s to tell.
    let Some(document) = parse(subject, CHART_FILE, findings) else { return };
    let requirements = subject.files.bytes(REQUIREMENTS_FILE).and_then(|_| parse(subject, REQUIREMENTS_FILE, findings));
    duplicates(&path, &document, findings);
    if document.more {
        findings.push(
            Finding::new(&SCHEMA_DOCUMENTS, "more than one YAML document; helm reads the first alone")
                .at(&path, None)
                .hint("remove what follows the second `---`"),
        );
    }
    unknown_keys(&path, &document.root, findings);
    schema_dependencies::check(&path, &document.root, findings);
    let requirements_path = subject.path(REQUIREMENTS_FILE);
    if let Some(requirements) = &requirements {
        schema_dependencies::check(&requirements_path, &requirements.root, findings);
    }
    let (metadata, problems) = examine(&path, &document.root, requirements.as_ref().map(|document| (requirements_path.as_str(), &document.root)));
    for problem in &problems {
        findings.push(problem_finding(&path, &requirements_path, problem));
    }
    if matches!(document.root.value, Value::Mapping(_)) {
        api_version(&path, &document.root, &metadata, findings);
        texts(&path, &document.root, findings);
        release_version(&path, &document.root, &metadata, &problems, findings);
    }
}

fn problem_finding(chart: &str, requirements: &str, problem: &ChartError) -> Finding {
    let rule: &Rule = match problem {
        ChartError::Yaml(_) | ChartError::NotAMapping { .. } => &SCHEMA_YAML,
        ChartError::Type { .. } | ChartError::EmptyItem { .. } => &SCHEMA_TYPE,
        ChartError::Missing { .. } => &SCHEMA_MISSING,
        ChartError::ReleaseVersion { .. } | ChartError::Version { .. } => &SCHEMA_VERSION,
        _ => &SCHEMA_VALUE,
    };
    let text = causes(problem);
    let path = if text.starts_with(requirements) { requirements } else { chart };
    let message = without_place(path, &text);
    let (message, hint) = message.split_once("; ").map_or((message.as_str(), None), |(message, hint)| (message, Some(hint)));
    let finding = Finding::new(rule, message).at(path, problem.line());
    Finding { hint: hint.map(str::to_owned), ..finding }
}

/// Keys helm does not know. It reads keys in any case, so those are known; it warns about them since version 4.
fn unknown_keys(path: &str, root: &Node, findings: &mut Vec<Finding>) {
    let mut look = |node: &Node, known: &[&str], within: &str| {
        for (key, _) in node.entries() {
            let Some(name) = key.to_text().filter(|_| findings.len() < 2 * FINDINGS_LIMIT) else { continue };
            let name: String = name.chars().take(80).collect();
            if !known.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                let message = format!("helm does not know the key {:?}", format!("{within}{name}"));
                findings.push(Finding::new(&SCHEMA_UNKNOWN_KEY, message).at(path, Some(key.at.line)).hint(nearest(&name, known.iter().copied())));
            }
        }
    };
    look(root, &METADATA_KEYS, "");
    for (list, known) in [("maintainers", MAINTAINER_KEYS.as_slice()), ("dependencies", DEPENDENCY_KEYS.as_slice())] {
        for (index, item) in root.get(list).map(Node::items).unwrap_or_default().iter().enumerate() {
            look(item, known, &format!("{list}[{index}]."));
        }
    }
}

fn api_version(path: &str, root: &Node, metadata: &Metadata, findings: &mut Vec<Finding>) {
    let entry = root.entries().iter().find(|(key, value)| key.as_text().is_some_and(|key| key.eq_ignore_ascii_case("apiVersion")) && !value.is_null());
    match entry {
        None => findings.push(Finding::new(&SCHEMA_MISSING, "apiVersion is missing").at(path, None).hint("add `apiVersion: v2`")),
        Some((_, value)) if !matches!(metadata.api_version.as_str(), "v1" | "v2") => {
            let message = format!("apiVersion {:?} is unknown", metadata.api_version);
            findings.push(Finding::new(&SCHEMA_VALUE, message).at(path, Some(value.at.line)).hint("use v2"));
        }
        Some(_) => {}
    }
}

/// Versions that YAML reads as numbers lose their digits: 1.10 becomes 1.1. Helm's own lint refuses them. No number is a
/// semantic version, so the chart's is told with one to write.
fn texts(path: &str, root: &Node, findings: &mut Vec<Finding>) {
    for key in ["version", "appVersion"] {
        let Some(value) = root.get(key).filter(|value| is_no_text(value)) else { continue };
        let written = value.written().unwrap_or_default();
        let message = format!("{key} {written} is read as {}, helm makes {:?} of it", value.kind(), value.to_text().unwrap_or_default());
        let hint = match key {
            "version" => format!("write version: {}", version::nearest_version(written)),
            _ => format!("write {key}: \"{written}\""),
        };
        findings.push(Finding::new(&SCHEMA_TYPE, message).at(path, Some(value.at.line)).hint(hint));
    }
}

const fn is_no_text(value: &Node) -> bool {
    matches!(value.value, Value::Integer(_) | Value::Float(_) | Value::Bool(_))
}

/// A version that is no text is told by [`texts`].
fn release_version(path: &str, root: &Node, metadata: &Metadata, problems: &[ChartError], findings: &mut Vec<Finding>) {
    let told = problems.iter().any(|problem| matches!(problem, ChartError::Version { .. })) || metadata.version.is_empty();
    let told = told || root.get("version").is_some_and(is_no_text);
    if let (false, Err(problem)) = (told, metadata.release_version()) {
        let text = problem.to_string();
        let message = without_place(path, &text);
        let (message, hint) = message.split_once("; ").unwrap_or((message.as_str(), ""));
        findings.push(Finding::new(&SCHEMA_VERSION, message).at(path, problem.line()).hint(hint));
    }
}
