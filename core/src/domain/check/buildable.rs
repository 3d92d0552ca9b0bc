//! The part of the check `layout` that asks whether the chart's package can be built from what is there. A version whose
//! package fails behind its tag would be burnt, and who contributes should know before anything is merged.

use std::collections::BTreeMap;

use super::rules::{LAYOUT_DEPENDENCY_VERSION, LAYOUT_PACKAGE};
use super::{Finding, Subject};
use crate::domain::causes;
use crate::domain::chart::{CHART_FILE, Metadata, REQUIREMENTS_FILE};
use crate::domain::content::Files;
use crate::domain::package::{Excluded, PackageError, Source, declared, dependency_path, excluded, package};
use crate::domain::yaml::{self, Duplicates, Limits, Node};

/// What is wrong with the chart's dependencies, or else keeps its package from being built.
pub(super) fn check(subject: &Subject<'_>, dependencies: &BTreeMap<String, Files>) -> Vec<Finding> {
    let source = Source { path: subject.directory.as_str(), files: subject.files, dependencies };
    match package(&source, 0) {
        Err(error) if told_by_others(subject, &error) => Vec::new(),
        Err(error) => vec![unbuildable(subject, &error)],
        Ok(_) => followed(subject, dependencies),
    }
}

/// Whether it is the check `schema`'s to tell: the chart's own Chart.yaml, values.yaml and values.schema.json.
fn told_by_others(subject: &Subject<'_>, error: &PackageError) -> bool {
    let own = |file: &str| subject.path(file);
    match error {
        PackageError::Chart(_) => {
            let requirements = subject.files.bytes(REQUIREMENTS_FILE).map(|bytes| (REQUIREMENTS_FILE, bytes));
            let read = subject.files.bytes(CHART_FILE).map(|bytes| Metadata::read_with_requirements(CHART_FILE, bytes, requirements));
            !matches!(read, Some(Ok(_)))
        }
        PackageError::Yaml(error) => error.to_string().starts_with(&own("values.yaml")),
        PackageError::Values { path, .. } => *path == own("values.yaml"),
        PackageError::Schema { path, .. } => *path == own("values.schema.json"),
        PackageError::ApiVersion { path, .. } => *path == own(CHART_FILE),
        _ => false,
    }
}

fn unbuildable(subject: &Subject<'_>, error: &PackageError) -> Finding {
    let directory = subject.directory.as_str();
    let (file, line, hint) = match error {
        PackageError::MissingDependency { name, repository, .. } => {
            let (file, line) = place_of(subject, name);
            let nowhere = declared(directory, subject.files)
                .iter()
                .find(|dependency| dependency.name == *name && dependency.repository == *repository)
                .and_then(|dependency| dependency_path(directory, dependency))
                .map(|at| format!("there is no chart in {at}: correct `repository`, or put {name} into {directory}/charts"));
            let vendored = || format!("run `helm dependency update {directory}` and commit {directory}/charts; charts are not downloaded");
            (file, line, Some(nowhere.unwrap_or_else(vendored)))
        }
        PackageError::DependencyName { name, .. } => {
            let (file, line) = place_of(subject, name);
            (file, line, error.hint())
        }
        error => (CHART_FILE, None, error.hint()),
    };
    let finding = Finding::new(&LAYOUT_PACKAGE, causes(error)).at(subject.path(file), line);
    Finding { hint, ..finding }
}

/// Dependencies in this repository whose version the constraint excludes: the bump writes another one.
fn followed(subject: &Subject<'_>, dependencies: &BTreeMap<String, Files>) -> Vec<Finding> {
    let finding = |found: Excluded| {
        let (file, line) = place_of(subject, &found.dependency.name);
        let Excluded { dependency, path, version } = found;
        let message = format!("{path} has the version {version}, which {:?} excludes: the bump writes the version that main then has", dependency.version);
        Finding::new(&LAYOUT_DEPENDENCY_VERSION, message).at(subject.path(file), line)
    };
    excluded(subject.directory.as_str(), subject.files, dependencies).into_iter().map(finding).collect()
}

/// The file that declares a dependency, and the line on which it begins.
fn place_of(subject: &Subject<'_>, name: &str) -> (&'static str, Option<u32>) {
    for file in [CHART_FILE, REQUIREMENTS_FILE] {
        let document = subject.files.bytes(file).and_then(|bytes| yaml::parse(file, bytes, &Limits::default(), Duplicates::Keep).ok());
        let items = document.as_ref().and_then(|document| document.root.get("dependencies")).map(Node::items).unwrap_or_default();
        let item = items.iter().find(|item| item.get("name").and_then(Node::as_text) == Some(name));
        if let Some(item) = item {
            return (file, Some(item.at.line));
        }
    }
    (CHART_FILE, None)
}
