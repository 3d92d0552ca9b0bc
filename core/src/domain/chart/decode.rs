//! From the tree of a Chart.yaml to [`Metadata`], as sigs.k8s.io/yaml and Go's encoding/json do it for helm.

use std::collections::{BTreeMap, BTreeSet};

use super::metadata::{Dependency, Maintainer, Metadata, Origin};
use super::{ChartError, version};
use crate::domain::yaml::{Node, Value};

/// The keys of Chart.yaml (helm `pkg/chart/v2/metadata.go`).
pub const METADATA_KEYS: [&str; 17] = [
    "annotations",
    "apiVersion",
    "appVersion",
    "condition",
    "dependencies",
    "deprecated",
    "description",
    "home",
    "icon",
    "keywords",
    "kubeVersion",
    "maintainers",
    "name",
    "sources",
    "tags",
    "type",
    "version",
];
/// The keys of a maintainer.
pub const MAINTAINER_KEYS: [&str; 3] = ["email", "name", "url"];
/// The keys of a dependency (helm `pkg/chart/v2/dependency.go`).
pub const DEPENDENCY_KEYS: [&str; 8] = ["alias", "condition", "enabled", "import-values", "name", "repository", "tags", "version"];

/// One mapping, its keys matched as Go's encoding/json matches them: in any case, of several spellings the last in byte
/// order, because sigs.k8s.io/yaml sorts the keys on their way through JSON.
struct Fields<'a, 'p> {
    path: &'a str,
    prefix: String,
    entries: Vec<(String, &'a Node)>,
    problems: &'p mut Vec<ChartError>,
}

impl<'a, 'p> Fields<'a, 'p> {
    fn new(path: &'a str, prefix: String, node: &'a Node, problems: &'p mut Vec<ChartError>) -> Self {
        let mut entries: Vec<(String, &Node)> = node.entries().iter().filter_map(|(key, value)| Some((key.to_text()?, value))).collect();
        entries.sort_by(|(one, _), (two, _)| one.cmp(two));
        Self { path, prefix, entries, problems }
    }

    /// The value of a field, unless it is null, which encoding/json leaves alone.
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().rev().find(|(name, value)| name.eq_ignore_ascii_case(key) && !value.is_null()).map(|(_, value)| *value)
    }

    fn wrong(&mut self, key: &str, node: &Node, expected: &'static str) {
        let key = format!("{}{key}", self.prefix);
        self.problems.push(ChartError::Type { path: self.path.to_owned(), line: node.at.line, key, found: node.kind(), expected });
    }

    fn text(&mut self, key: &str, target: &mut String) {
        let Some(node) = self.get(key) else { return };
        match node.to_text() {
            Some(text) => *target = text,
            None => self.wrong(key, node, "text"),
        }
    }

    fn flag(&mut self, key: &str, target: &mut bool) {
        let Some(node) = self.get(key) else { return };
        match node.value {
            Value::Bool(value) => *target = value,
            _ => self.wrong(key, node, "true or false"),
        }
    }

    fn texts(&mut self, key: &str, target: &mut Vec<String>) {
        let Some(items) = self.list(key) else { return };
        target.clear();
        for item in items {
            match item.to_text() {
                Some(text) => target.push(text),
                None if item.is_null() => target.push(String::new()),
                None => self.wrong(&format!("{key}[{}]", target.len()), item, "text"),
            }
        }
    }

    fn list(&mut self, key: &str) -> Option<&'a [Node]> {
        let node = self.get(key)?;
        if let Value::Sequence(items) = &node.value {
            return Some(items);
        }
        self.wrong(key, node, "a list");
        None
    }

    fn map(&mut self, key: &str, target: &mut BTreeMap<String, String>) {
        let Some(node) = self.get(key) else { return };
        let Value::Mapping(entries) = &node.value else {
            return self.wrong(key, node, "a mapping");
        };
        for (name, value) in entries {
            let Some(name) = name.to_text() else { continue };
            match value.to_text() {
                Some(text) => {
                    target.insert(name, text);
                }
                None if value.is_null() => {
                    target.insert(name, String::new());
                }
                None => self.wrong(&format!("{key}.{name}"), value, "text"),
            }
        }
    }
}

/// Reads a mapping with the keys of a Chart.yaml without judging what they say; what has the wrong type is left out and
/// told.
#[must_use]
pub fn decode(path: &str, root: &Node, problems: &mut Vec<ChartError>) -> Metadata {
    decode_into(path, root, Metadata::default(), problems)
}

/// Reads and validates a Chart.yaml, and a requirements.yaml over it, and tells everything that is wrong with it rather
/// than the first thing; what has the wrong type is left out.
#[must_use]
pub fn examine(path: &str, root: &Node, requirements: Option<(&str, &Node)>) -> (Metadata, Vec<ChartError>) {
    let mut problems = Vec::new();
    let mut metadata = decode_into(path, root, Metadata::default(), &mut problems);
    if metadata.api_version.is_empty() {
        "v1".clone_into(&mut metadata.api_version);
    }
    if let Some((path, root)) = requirements.filter(|(_, root)| !root.is_null()) {
        metadata = decode_into(path, root, metadata, &mut problems);
    }
    validate(path, root, &mut metadata, &mut problems);
    (metadata, problems)
}

fn decode_into(path: &str, root: &Node, mut to: Metadata, problems: &mut Vec<ChartError>) -> Metadata {
    if !matches!(root.value, Value::Mapping(_)) {
        problems.push(ChartError::NotAMapping { path: path.to_owned(), found: root.kind() });
        return to;
    }
    let mut fields = Fields::new(path, String::new(), root, problems);
    for (key, target) in [
        ("name", &mut to.name),
        ("home", &mut to.home),
        ("version", &mut to.version),
        ("description", &mut to.description),
        ("icon", &mut to.icon),
        ("apiVersion", &mut to.api_version),
        ("condition", &mut to.condition),
        ("tags", &mut to.tags),
        ("appVersion", &mut to.app_version),
        ("kubeVersion", &mut to.kube_version),
        ("type", &mut to.kind),
    ] {
        fields.text(key, target);
    }
    fields.texts("sources", &mut to.sources);
    fields.texts("keywords", &mut to.keywords);
    fields.flag("deprecated", &mut to.deprecated);
    fields.map("annotations", &mut to.annotations);
    let (maintainers, dependencies) = (fields.list("maintainers"), fields.list("dependencies"));
    if let Some(version) = fields.get("version") {
        let name_line = fields.get("name").map_or(1, |node| node.at.line);
        let api_version_line = fields.get("apiVersion").map_or(0, |node| node.at.line);
        to.origin = Origin {
            path: path.to_owned(),
            name_line,
            api_version_line,
            version_line: version.at.line,
            version_text: version.written().unwrap_or_default().to_owned(),
        };
    } else if to.origin.path.is_empty() {
        path.clone_into(&mut to.origin.path);
    }
    if let Some(items) = maintainers {
        to.maintainers = items.iter().enumerate().filter_map(|(index, item)| maintainer(path, index, item, problems)).collect();
    }
    if let Some(items) = dependencies {
        to.dependencies = items.iter().enumerate().filter_map(|(index, item)| dependency(path, index, item, problems)).collect();
    }
    to
}

fn item<'a, 'p>(path: &'a str, key: &'static str, index: usize, node: &'a Node, problems: &'p mut Vec<ChartError>) -> Option<Fields<'a, 'p>> {
    match node.value {
        Value::Mapping(_) => Some(Fields::new(path, format!("{key}[{index}]."), node, problems)),
        Value::Null => {
            problems.push(ChartError::EmptyItem { path: path.to_owned(), line: node.at.line, key });
            None
        }
        _ => {
            let key = format!("{key}[{index}]");
            problems.push(ChartError::Type { path: path.to_owned(), line: node.at.line, key, found: node.kind(), expected: "a mapping" });
            None
        }
    }
}

fn maintainer(path: &str, index: usize, node: &Node, problems: &mut Vec<ChartError>) -> Option<Maintainer> {
    let mut fields = item(path, "maintainers", index, node, problems)?;
    let mut to = Maintainer::default();
    for (key, target) in [("name", &mut to.name), ("email", &mut to.email), ("url", &mut to.url)] {
        fields.text(key, target);
    }
    Some(to)
}

fn dependency(path: &str, index: usize, node: &Node, problems: &mut Vec<ChartError>) -> Option<Dependency> {
    let mut fields = item(path, "dependencies", index, node, problems)?;
    let mut to = Dependency::default();
    for (key, target) in
        [("name", &mut to.name), ("version", &mut to.version), ("repository", &mut to.repository), ("condition", &mut to.condition), ("alias", &mut to.alias)]
    {
        fields.text(key, target);
    }
    fields.texts("tags", &mut to.tags);
    fields.flag("enabled", &mut to.enabled);
    if let Some(items) = fields.list("import-values") {
        for item in items {
            match item.to_json(path) {
                Ok(value) => to.import_values.push(value),
                Err(source) => fields.problems.push(source.into()),
            }
        }
    }
    Some(to)
}

/// What Go's `unicode.IsSpace` and `unicode.IsPrint` leave of a text (helm `sanitizeString`): every space becomes a
/// plain one, and what cannot be printed goes.
pub(in crate::domain) fn sanitize(text: &mut String) {
    let invisible = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    if text.chars().any(|c| (c != ' ' && c.is_whitespace()) || c.is_control() || invisible(c)) {
        *text = text.chars().filter_map(|c| if c.is_whitespace() { Some(' ') } else { (!c.is_control() && !invisible(c)).then_some(c) }).collect();
    }
}

/// Helm's `Metadata.Validate`, which also cleans the texts; every problem is told.
fn validate(path: &str, root: &Node, metadata: &mut Metadata, problems: &mut Vec<ChartError>) {
    for text in [
        &mut metadata.name,
        &mut metadata.description,
        &mut metadata.home,
        &mut metadata.icon,
        &mut metadata.condition,
        &mut metadata.tags,
        &mut metadata.app_version,
        &mut metadata.kube_version,
    ] {
        sanitize(text);
    }
    metadata.sources.iter_mut().chain(&mut metadata.keywords).for_each(sanitize);
    for maintainer in &mut metadata.maintainers {
        [&mut maintainer.name, &mut maintainer.email, &mut maintainer.url].into_iter().for_each(sanitize);
    }
    for dependency in &mut metadata.dependencies {
        [&mut dependency.name, &mut dependency.version, &mut dependency.repository, &mut dependency.condition].into_iter().for_each(sanitize);
        dependency.tags.iter_mut().for_each(sanitize);
    }
    let line = |key: &str| root.get(key).map_or(1, |node| node.at.line);
    let path = path.to_owned();
    let wrong_type = |problems: &[ChartError], name: &str| problems.iter().any(|problem| matches!(problem, ChartError::Type { key, .. } if key == name));
    let not_a_mapping = problems.iter().any(|problem| matches!(problem, ChartError::NotAMapping { .. }));
    if not_a_mapping {
        return;
    }
    if metadata.name.is_empty() {
        if !wrong_type(problems, "name") {
            problems.push(ChartError::Missing { path: path.clone(), key: "name", example: "name: my-chart" });
        }
    } else if metadata.name.contains('/') || metadata.name == "." || metadata.name == ".." {
        problems.push(ChartError::NameIsPath { path: path.clone(), line: line("name"), value: metadata.name.clone() });
    }
    if metadata.version.is_empty() {
        if !wrong_type(problems, "version") {
            problems.push(ChartError::Missing { path: path.clone(), key: "version", example: "version: 0.1.0" });
        }
    } else if version::lenient(&metadata.version).is_none() {
        let value = if metadata.origin.version_text.is_empty() { metadata.version.clone() } else { metadata.origin.version_text.clone() };
        problems.push(ChartError::Version { path: path.clone(), line: line("version"), value });
    }
    if !matches!(metadata.kind.as_str(), "" | "application" | "library") {
        problems.push(ChartError::Kind { path: path.clone(), line: line("type"), value: metadata.kind.clone() });
    }
    validate_dependencies(&path, root, metadata, problems);
}

fn validate_dependencies(path: &str, root: &Node, metadata: &Metadata, problems: &mut Vec<ChartError>) {
    let mut names = BTreeSet::new();
    for (index, dependency) in metadata.dependencies.iter().enumerate() {
        let line = root.get("dependencies").and_then(|list| list.items().get(index)).map_or(1, |item| item.at.line);
        if !dependency.alias.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            problems.push(ChartError::Alias { path: path.to_owned(), line, dependency: dependency.name.clone(), value: dependency.alias.clone() });
        }
        if !names.insert(dependency.name_or_alias()) {
            problems.push(ChartError::SameDependency { path: path.to_owned(), line, name: dependency.name_or_alias().to_owned() });
        }
    }
}
