//! The check `layout`: the files are where and what a chart's files must be.

use std::collections::{BTreeMap, BTreeSet};

use super::rules::{LAYOUT_CHART_FILE, LAYOUT_DIRECTORY, LAYOUT_DOUBLED, LAYOUT_NAME, LAYOUT_RENAMED, LAYOUT_SUBMODULE, LAYOUT_SYMLINK};
use super::{CheckId, CheckResult, Finding, Subject};
use crate::domain::causes;
use crate::domain::chart::{CHART_FILE, Metadata};
use crate::domain::content::Files;
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::tree::Mode;

/// The rule about two directories of one name.
pub const DOUBLED: &str = LAYOUT_DOUBLED.id;
/// The rule about a chart that changes its name in place.
pub const RENAMED: &str = LAYOUT_RENAMED.id;
/// What to do about two directories of one name.
pub const DOUBLED_HINT: &str = "give one of them another name";

/// What lies around the chart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The configuration's `directories`.
    pub directories: Option<&'a BTreeMap<ChartName, RepoPath>>,
    /// The name in the Chart.yaml of the same directory on main, where there is one.
    pub name_before: Option<&'a str>,
    /// The other directories whose Chart.yaml has the same name.
    pub doubles: &'a [RepoPath],
    /// The files of its `file://` dependencies, and of theirs, by [`crate::domain::package::dependency_path`]; `None` where
    /// nobody looked for them, so that nothing is said about its package.
    pub dependencies: Option<&'a BTreeMap<String, Files>>,
}

/// Runs the check.
#[must_use]
pub fn check(subject: &Subject<'_>, around: &Surroundings<'_>) -> CheckResult {
    let mut findings = Vec::new();
    chart_file(subject, around, &mut findings);
    for (path, file) in subject.files.iter() {
        match file.mode {
            Mode::Submodule => {
                let message = "a submodule inside a chart; its content is not part of this repository";
                findings.push(
                    Finding::new(&LAYOUT_SUBMODULE, message).at(subject.path(path), None).hint("copy the files into the chart, or name them as a dependency"),
                );
            }
            Mode::Symlink => findings.extend(link(subject, path)),
            Mode::File | Mode::Executable | Mode::Directory => {}
        }
    }
    if let Some(dependencies) = around.dependencies.filter(|_| findings.is_empty()) {
        findings.extend(super::buildable::check(subject, dependencies));
    }
    CheckResult::new(CheckId::Layout, findings)
}

fn chart_file(subject: &Subject<'_>, around: &Surroundings<'_>, findings: &mut Vec<Finding>) {
    let path = subject.path(CHART_FILE);
    let bytes = match subject.files.get(CHART_FILE) {
        Some(file) if matches!(file.mode, Mode::File | Mode::Executable) => file.bytes.as_slice(),
        Some(_) => {
            findings.push(Finding::new(&LAYOUT_CHART_FILE, "Chart.yaml is no regular file").at(path, None).hint("make it one"));
            return;
        }
        None => {
            let message = format!("{} holds no Chart.yaml", subject.directory);
            findings.push(Finding::new(&LAYOUT_CHART_FILE, message).at(path, None).hint("add one, or remove what is left of the chart"));
            return;
        }
    };
    // What is wrong with the file itself is the check `schema`'s to tell.
    let Ok(metadata) = Metadata::read(&path, bytes) else { return };
    let line = Some(metadata.origin.name_line);
    let name = match metadata.chart_name() {
        Ok(name) => name,
        Err(error) => {
            let message = std::error::Error::source(&error).map_or_else(|| causes(&error), ToString::to_string);
            findings.push(Finding::new(&LAYOUT_NAME, message).at(path, line).hint("use lower-case letters, digits and '-'"));
            return;
        }
    };
    let mapped = around.directories.and_then(|directories| directories.get(&name));
    if mapped.is_some_and(|mapped| mapped != subject.directory) || (mapped.is_none() && subject.directory.base_name() != name.as_str()) {
        let message = format!("the chart {name} lies in {}", subject.directory);
        let hint = format!("move it to a directory called {name}, or add `directories: {{{name}: {}}}` to .chartflow.yaml", subject.directory);
        findings.push(Finding::new(&LAYOUT_DIRECTORY, message).at(&path, line).hint(hint));
    }
    if let Some(before) = around.name_before.filter(|before| *before != name.as_str()) {
        findings.push(Finding::new(&LAYOUT_RENAMED, renamed(subject.directory, before, &name)).at(&path, line).hint(renamed_hint(before, &name)));
    }
    let others: BTreeSet<&RepoPath> = around.doubles.iter().filter(|other| *other != subject.directory).collect();
    if !others.is_empty() {
        let message = doubled(&name, std::iter::once(subject.directory).chain(others));
        findings.push(Finding::new(&LAYOUT_DOUBLED, message).at(&path, line).hint(DOUBLED_HINT));
    }
}

/// Says that several directories hold charts of one name.
#[must_use]
pub fn doubled<'a>(name: &ChartName, paths: impl Iterator<Item = &'a RepoPath>) -> String {
    format!("{} hold charts of the name {name}", paths.map(RepoPath::as_str).collect::<Vec<_>>().join(" and "))
}

/// Says that the chart of a directory changed its name.
#[must_use]
pub fn renamed(path: &RepoPath, before: &str, name: &ChartName) -> String {
    format!("{path} held the chart {before} and now holds {name}")
}

/// What to do about a chart that changed its name in place.
#[must_use]
pub fn renamed_hint(before: &str, name: &ChartName) -> String {
    format!("remove {before} in one pull request, and add {name} in a directory of its own in another")
}

fn link(subject: &Subject<'_>, path: &str) -> Option<Finding> {
    let target = String::from_utf8_lossy(&subject.files.get(path)?.bytes).into_owned();
    let problem = follow(subject.files, path)?;
    let shown: String = target.chars().take(200).collect();
    let message = format!("the symbolic link to {shown:?} {problem}");
    Some(Finding::new(&LAYOUT_SYMLINK, message).at(subject.path(path), None).hint("put a copy of the file in its place"))
}

/// Follows a symbolic link as the file system would, within the chart. `None` when it leads to a file or directory of
/// the chart.
fn follow(files: &Files, path: &str) -> Option<&'static str> {
    /// As many links as Linux follows (`path_resolution(7)`).
    const MOST: usize = 40;
    let mut at: Vec<String> = Vec::new();
    let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let mut links = 0;
    while let Some(step) = rest.pop() {
        match step.as_str() {
            "" | "." => continue,
            ".." => {
                if at.pop().is_none() {
                    return Some("leaves the chart");
                }
                continue;
            }
            _ => at.push(step),
        }
        let here = at.join("/");
        match files.get(&here) {
            Some(file) if file.mode == Mode::Symlink => {
                links += 1;
                if links > MOST {
                    return Some("leads in a circle");
                }
                let Ok(target) = std::str::from_utf8(&file.bytes) else { return Some("is not UTF-8") };
                if target.starts_with('/') {
                    return Some("leaves the chart");
                }
                at.pop();
                rest.extend(target.split('/').rev().map(str::to_owned));
            }
            Some(_) if rest.iter().any(|step| !matches!(step.as_str(), "" | ".")) => return Some("leads nowhere"),
            Some(_) => {}
            None if files.iter().any(|(name, _)| name.strip_prefix(&here).is_some_and(|below| below.starts_with('/'))) => {}
            None => return Some("leads nowhere"),
        }
    }
    None
}
