//! What helm said in the job that runs it, carried to the job that signs.
//!
//! The two jobs share nothing but this text. It names each content by the SHA-256 tree id of the files that helm was
//! given, dependencies included; the job that signs computes that id again, so that an answer counts for the very files
//! it was given for and for no others.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::content::Files;
use crate::domain::digest::Sha256;
use crate::port::helm::{Helm, HelmError, LintOutput};

/// The text travels in one environment variable, of which Linux allows 128 KiB, its name included.
pub const LIMIT: usize = 120 << 10;
/// Longer lines of helm's output are cut, in characters.
const LINE: usize = 1000;
/// More findings are not told (`domain::check::helm_lint`).
const FINDINGS: usize = 50;

/// What helm said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// The version of helm, or nothing where there was none.
    pub helm: Option<String>,
    /// By the content's SHA-256 tree id.
    pub results: BTreeMap<Sha256, Lint>,
}

/// What `helm lint` said about one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lint {
    /// The chart's name.
    pub chart: String,
    /// Whether it exited with 0.
    pub success: bool,
    /// The lines of its output that the check reads.
    pub text: String,
}

/// The lines that decide: findings, and the last line, which says why where there is no finding.
fn essence(text: &str) -> String {
    let shortened = |line: &str| line.trim_end().chars().take(LINE).collect::<String>();
    let finding = |line: &&str| ["[ERROR] ", "[WARNING] ", "[INFO] "].iter().any(|prefix| line.trim_start().starts_with(prefix));
    let mut lines: Vec<String> = text.lines().filter(finding).take(FINDINGS).map(shortened).collect();
    if let Some(last) = text.lines().rfind(|line| !line.trim().is_empty()).map(shortened)
        && lines.last() != Some(&last)
    {
        lines.push(last);
    }
    lines.join("\n")
}

impl Checked {
    /// Notes what helm said about files.
    pub fn insert(&mut self, content: Sha256, chart: &str, output: &LintOutput) {
        self.results.insert(content, Lint { chart: chart.to_owned(), success: output.success, text: essence(&output.text) });
    }

    /// The text for the next job, and how many results did not fit: a content without a result fails there. What passed
    /// gives up its remarks first.
    #[must_use]
    pub fn to_json(&self) -> (String, usize) {
        let written = |checked: &Self| serde_json::to_string(checked).unwrap_or_default();
        let mut checked = self.clone();
        let mut text = written(&checked);
        if text.len() > LIMIT {
            checked.results.values_mut().filter(|lint| lint.success).for_each(|lint| lint.text.clear());
            text = written(&checked);
        }
        if text.len() > LIMIT {
            for lint in checked.results.values_mut() {
                lint.text = lint.text.lines().next_back().unwrap_or_default().chars().take(200).collect();
            }
            text = written(&checked);
        }
        let mut dropped = 0;
        while text.len() > LIMIT && checked.results.pop_last().is_some() {
            dropped += 1;
            text = written(&checked);
        }
        (text, dropped)
    }
}

/// Answers for helm in the job that signs.
#[async_trait]
impl Helm for Checked {
    async fn version(&self) -> Result<Option<String>, HelmError> {
        Ok(self.helm.clone())
    }

    async fn lint(&self, chart: &str, files: &Files) -> Result<LintOutput, HelmError> {
        let not_run = |content: String| HelmError::NotRun { chart: chart.to_owned(), content };
        let content = files.content_id().map_err(|error| not_run(error.to_string()))?.sha256;
        match self.results.get(&content) {
            Some(lint) if lint.chart == chart => Ok(LintOutput { success: lint.success, text: lint.text.clone() }),
            _ => Err(not_run(content.prefixed())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        let mut files = Files::new();
        files.insert("Chart.yaml", text);
        files
    }

    fn output(success: bool, text: &str) -> LintOutput {
        LintOutput { success, text: text.to_owned() }
    }

    #[tokio::test]
    async fn an_answer_counts_for_its_very_files() {
        let mut checked = Checked { helm: Some("v4.0.0".to_owned()), ..Checked::default() };
        let content = files("name: a").content_id().unwrap().sha256;
        checked.insert(content, "a", &output(false, "==> Linting a\n[ERROR] templates/: bad\n\nError: 1 chart(s) linted, 1 chart(s) failed\n"));
        let (text, dropped) = checked.to_json();
        insta::assert_snapshot!(text, @r#"{"helm":"v4.0.0","results":{"0611381f0ff2eae4386b841f9a9e7b12364b40b9dba0993c0ff0ebb98122b302":{"chart":"a","success":false,"text":"[ERROR] templates/: bad\nError: 1 chart(s) linted, 1 chart(s) failed"}}}"#);
        assert_eq!(dropped, 0);
        let read: Checked = serde_json::from_str(&text).unwrap();
        assert_eq!(read.version().await.unwrap().as_deref(), Some("v4.0.0"));
        let answer = read.lint("a", &files("name: a")).await.unwrap();
        assert_eq!(answer, output(false, "[ERROR] templates/: bad\nError: 1 chart(s) linted, 1 chart(s) failed"));
        for (chart, content) in [("a", "name: a "), ("b", "name: a")] {
            let error = read.lint(chart, &files(content)).await.unwrap_err();
            assert!(crate::domain::causes(&error).contains("has not looked at this content"), "{error:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_counted() {
        let mut checked = Checked::default();
        let long = format!("[INFO] x: {}\n", "é".repeat(900)).repeat(60);
        for number in 0..40_u32 {
            checked.insert(Sha256::of(&number.to_be_bytes()), "a", &output(number % 2 == 0, &long));
        }
        assert!(serde_json::to_string(&checked).unwrap().len() > LIMIT);
        let (text, dropped) = checked.to_json();
        assert!(text.len() <= LIMIT && dropped == 0, "{} {dropped}", text.len());
        for number in 0..2000_u32 {
            checked.insert(Sha256::of(&number.to_be_bytes()), "a", &output(true, ""));
        }
        let (text, dropped) = checked.to_json();
        assert!(text.len() <= LIMIT && dropped > 0);
        let read: Checked = serde_json::from_str(&text).unwrap();
        assert_eq!(read.results.len() + dropped, 2000);
    }
}
