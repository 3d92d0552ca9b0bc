//! The check `artifact-hub`: Artifact Hub can read the chart's annotations.
//!
//! The rules are the errors of `ah lint --kind helm` (artifacthub/hub `internal/tracker/source/helm/helm.go`,
//! `EnrichPackageFromAnnotations`, and `internal/pkg/metadata.go`).

use super::image::is_reference;
use super::rules::{ARTIFACT_HUB_CHANGE, ARTIFACT_HUB_IMAGE, ARTIFACT_HUB_VALUE, ARTIFACT_HUB_YAML};
use super::schema::without_place;
use super::{CheckId, CheckResult, Finding, Rule, Subject};
use crate::domain::chart::CHART_FILE;
use crate::domain::yaml::{self, Duplicates, Limits, Node, Value};

const CATEGORIES: [&str; 9] = [
    "ai-machine-learning",
    "database",
    "integration-delivery",
    "monitoring-logging",
    "networking",
    "security",
    "storage",
    "streaming-messaging",
    "skip-prediction",
];
const CAPABILITIES: [&str; 5] = ["basic install", "seamless upgrades", "full lifecycle", "deep insights", "auto pilot"];
const KINDS: [&str; 6] = ["added", "changed", "deprecated", "removed", "fixed", "security"];
/// What Go's `strconv.ParseBool` accepts.
const FLAGS: [&str; 12] = ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"];

/// The keys of the items of a list, all of them texts.
const LISTS: [(&str, &[&str]); 4] =
    [("links", &["name", "url"]), ("maintainers", &["name", "email"]), ("recommendations", &["url"]), ("screenshots", &["title", "url"])];

/// Runs the check. A Chart.yaml that cannot be read has no annotations; the check `schema` tells of it.
#[must_use]
pub fn check(subject: &Subject<'_>) -> CheckResult {
    let path = subject.path(CHART_FILE);
    let root = subject.files.bytes(CHART_FILE).and_then(|bytes| yaml::parse(&path, bytes, &Limits::default(), Duplicates::Keep).ok());
    let mut findings = Vec::new();
    for (key, value) in root.as_ref().and_then(|document| document.root.get("annotations")).map(Node::entries).unwrap_or_default() {
        let (Some(name), Some(text)) = (key.as_text().and_then(|key| key.strip_prefix("artifacthub.io/")), value.to_text()) else { continue };
        let mut annotation = Annotation { name, text: &text, path: &path, line: key.at.line, findings: &mut findings };
        annotation.look();
    }
    CheckResult::new(CheckId::ArtifactHub, findings)
}

struct Annotation<'a> {
    name: &'a str,
    text: &'a str,
    path: &'a str,
    line: u32,
    findings: &'a mut Vec<Finding>,
}

impl Annotation<'_> {
    fn add(&mut self, rule: &Rule, message: &str, hint: &str) {
        let message = format!("artifacthub.io/{}: {message}", self.name);
        self.findings.push(Finding::new(rule, message).at(self.path, Some(self.line)).hint(hint));
    }

    fn look(&mut self) {
        match self.name {
            "category" => self.one_of(&CATEGORIES, self.text),
            "operatorCapabilities" => self.one_of(&CAPABILITIES, &self.text.to_lowercase()),
            "operator" | "prerelease" | "containsSecurityUpdates" if !FLAGS.contains(&self.text) => {
                let message = format!("{:?} is neither true nor false", shortened(self.text));
                self.add(&ARTIFACT_HUB_VALUE, &message, "write \"true\" or \"false\", in quotes");
            }
            "changes" => self.changes(),
            "images" => self.images(),
            "crds" | "crdsExamples" => {
                self.list();
            }
            "signKey" => self.sign_key(),
            name => {
                if let Some((_, keys)) = LISTS.iter().find(|(list, _)| *list == name) {
                    for item in self.list() {
                        self.texts(&item, keys);
                    }
                }
            }
        }
    }

    fn one_of(&mut self, known: &[&str], value: &str) {
        if !known.contains(&value) {
            let message = format!("{:?} is unknown", shortened(self.text));
            self.add(&ARTIFACT_HUB_VALUE, &message, &format!("use one of {}", known.join(", ")));
        }
    }

    fn parse(&mut self) -> Option<Node> {
        match yaml::parse("", self.text.as_bytes(), &Limits::default(), Duplicates::Refuse) {
            Ok(document) => Some(document.root),
            Err(error) => {
                let message = without_place("", &error.to_string());
                self.add(&ARTIFACT_HUB_YAML, &message, "the value of the annotation must be YAML itself: begin it with `|` and a list below");
                None
            }
        }
    }

    fn list(&mut self) -> Vec<Node> {
        let Some(root) = self.parse() else { return Vec::new() };
        match root.value {
            Value::Sequence(items) => items,
            Value::Null => Vec::new(),
            _ => {
                let message = format!("holds {} where a list is expected", root.kind());
                self.add(&ARTIFACT_HUB_YAML, &message, "begin each entry with `- `");
                Vec::new()
            }
        }
    }

    /// An item must be a mapping, and these keys of it texts.
    fn texts(&mut self, item: &Node, keys: &[&str]) {
        if !matches!(item.value, Value::Mapping(_) | Value::Null) {
            let message = format!("holds {} where a mapping with {} is expected", item.kind(), keys.join(" and "));
            return self.add(&ARTIFACT_HUB_YAML, &message, "begin each entry with `- ` and a key");
        }
        for key in keys {
            if let Some(value) = item.get(key).filter(|value| !value.is_null() && value.to_text().is_none()) {
                let message = format!("{key} is {}, text is expected", value.kind());
                self.add(&ARTIFACT_HUB_YAML, &message, "write it as text");
            }
        }
    }

    fn changes(&mut self) {
        for item in self.list() {
            if item.to_text().is_some_and(|text| !text.is_empty()) {
                continue;
            }
            if !matches!(item.value, Value::Mapping(_)) {
                self.add(&ARTIFACT_HUB_CHANGE, &format!("an entry is {}", item.kind()), "write a text, or a mapping with kind and description");
                continue;
            }
            let text = |node: &Node, key: &str| node.get(key).and_then(Node::to_text).unwrap_or_default();
            let kind = text(&item, "kind");
            if !kind.is_empty() && !KINDS.contains(&kind.to_lowercase().as_str()) {
                self.add(&ARTIFACT_HUB_CHANGE, &format!("the kind {:?} is unknown", shortened(&kind)), &format!("use one of {}", KINDS.join(", ")));
            }
            if text(&item, "description").is_empty() {
                self.add(&ARTIFACT_HUB_CHANGE, "an entry has no description", "add one");
            }
            for link in item.get("links").map(Node::items).unwrap_or_default() {
                if text(link, "name").is_empty() || text(link, "url").is_empty() {
                    self.add(&ARTIFACT_HUB_CHANGE, "a link lacks its name or its url", "give it both");
                }
            }
        }
    }

    fn images(&mut self) {
        for item in self.list() {
            self.texts(&item, &["name", "image"]);
            let image = item.get("image").and_then(Node::to_text).unwrap_or_default();
            if !is_reference(&image) {
                self.add(&ARTIFACT_HUB_IMAGE, &format!("{:?} is no image reference", shortened(&image)), "write it as registry/repository:tag");
            }
        }
    }

    fn sign_key(&mut self) {
        let Some(root) = self.parse() else { return };
        self.texts(&root, &["fingerprint", "url"]);
        if root.get("url").and_then(Node::to_text).unwrap_or_default().is_empty() {
            self.add(&ARTIFACT_HUB_VALUE, "has no url", "add the url of the public key");
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
