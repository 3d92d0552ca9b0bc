//! The check `helm-lint`: what `helm lint` printed, as findings with file and line.

use super::rules::{HELM_LINT_ABSENT, HELM_LINT_FINDING};
use super::{CheckId, CheckResult, Finding, Severity, Subject};
use crate::port::helm::LintOutput;

/// The number of findings that are told.
const MOST: usize = 50;

/// Runs the check; without an output there was no helm, and it is skipped.
#[must_use]
pub fn check(subject: &Subject<'_>, output: Option<&LintOutput>) -> CheckResult {
    let Some(output) = output else {
        return CheckResult::skipped(
            CheckId::HelmLint,
            Finding::new(&HELM_LINT_ABSENT, "helm was not found; the templates were not rendered").hint("install helm 3 or 4"),
        );
    };
    let mut findings: Vec<Finding> = output.text.lines().filter_map(|line| finding(subject, line)).take(MOST).collect();
    if output.success {
        // Helm decides: what it lets pass is no error here.
        for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Error) {
            finding.severity = Severity::Warning;
        }
    } else if !findings.iter().any(|finding| finding.severity == Severity::Error) {
        let last = output.text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no output");
        findings.push(Finding::new(&HELM_LINT_FINDING, format!("helm lint failed: {}", shortened(last))));
    }
    CheckResult::new(CheckId::HelmLint, findings)
}

/// The result where helm cannot be run on these files, whatever they are: a check that cannot run is no passed one.
#[must_use]
pub fn unable(problem: &str) -> CheckResult {
    CheckResult::new(CheckId::HelmLint, vec![Finding::new(&HELM_LINT_FINDING, format!("the templates were not rendered: {}", shortened(problem)))])
}

fn shortened(text: &str) -> String {
    text.chars().take(500).collect()
}

/// A line such as `[ERROR] templates/: template: a/templates/x.yaml:12:3: executing …` (helm `pkg/lint/support`).
fn finding(subject: &Subject<'_>, line: &str) -> Option<Finding> {
    let (severity, rest) = [("[ERROR] ", Severity::Error), ("[WARNING] ", Severity::Warning), ("[INFO] ", Severity::Notice)]
        .into_iter()
        .find_map(|(prefix, severity)| Some((severity, line.trim_start().strip_prefix(prefix)?)))?;
    let (place, message) = rest.split_once(": ").unwrap_or(("", rest));
    let exact = files_in(message).find(|(file, _)| subject.files.get(file).is_some());
    let (file, number) = match exact {
        Some((file, number)) => (Some(file), number),
        None => (Some(place.to_owned()).filter(|place| subject.files.get(place).is_some()), yaml_line(message)),
    };
    // Helm names what it looked for as well: a folder, a file that is not there. No annotation could stand at those.
    Some(match file {
        Some(file) => Finding::new(&HELM_LINT_FINDING, shortened(message)).severity(severity).at(subject.path(&file), number),
        None => Finding::new(&HELM_LINT_FINDING, shortened(rest)).severity(severity),
    })
}

/// The words of a message that could be `<chart>/<file>:<line>[:<column>]`, without the chart's directory.
fn files_in(message: &str) -> impl Iterator<Item = (String, Option<u32>)> {
    message.split([' ', '(', ')', '"', '<', '>', ',']).filter_map(|word| {
        let mut parts = word.trim_end_matches(':').split(':');
        let (_, file) = parts.next()?.split_once('/')?;
        Some((file.to_owned(), parts.next().and_then(|number| number.parse().ok())))
    })
}

/// The line in go-yaml's `yaml: line 12: …`. It counts in the rendered text for templates, so it is taken for files
/// that are not rendered only; those are the ones the caller has no better line for.
fn yaml_line(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("line ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|line| *line > 0)
}
