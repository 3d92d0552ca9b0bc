//! Making a package's own members again from the content they were built from, as far as the package itself shows it.

use std::collections::BTreeMap;

use super::contents::blob_id;
use super::lines::causes;
use super::rederive::edited;
use super::rules::Rule;
use crate::domain::changelog;
use crate::domain::chart::version::lenient;
use crate::domain::chart::{CHART_FILE, Dependency, Metadata, REQUIREMENTS_FILE};
use crate::domain::content::{File, Files};
use crate::domain::package::ignore::IGNORE_FILE;
use crate::domain::package::lock::{LOCK_FILE, OLD_LOCK_FILE};
use crate::domain::package::{PackageContents, dependency_path, own_members};
use crate::domain::statement::{Build, Bump, Source, TreeFile};
use crate::domain::tree::Mode;

/// helm takes it from the beginning of every file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Written anew from what the chart holds, so the package shows a stand-in for the chart's own bytes.
const LOCKS: [&str; 2] = [LOCK_FILE, OLD_LOCK_FILE];

/// The bytes of a file of the content, from the package's member of that name.
fn shown(file: &TreeFile, member: Option<&[u8]>) -> Option<Vec<u8>> {
    let bytes = member?;
    let marked = || [BYTE_ORDER_MARK, bytes].concat();
    if blob_id(bytes) == Some(file.blob) { Some(bytes.to_vec()) } else { Some(marked()).filter(|marked| blob_id(marked) == Some(file.blob)) }
}

fn inside<'a>(name: &'a str, chart: &str) -> Option<&'a str> {
    name.strip_prefix(chart)?.strip_prefix('/')
}

/// What is wrong with the members outside `charts/`.
///
/// A file that the package does not show stands as an empty one: where packaging leaves it out, nothing is missing.
/// Where the package does not show the rules by which files are left out, or links are followed, only Chart.yaml is compared.
pub(super) fn check(contents: &PackageContents, build: &Build, bump: &Bump, source: &Source) -> Vec<(Rule, String)> {
    let mut broken = Vec::new();
    let chart = source.chart.as_str();
    let members: BTreeMap<&str, &[u8]> = contents.members.iter().filter_map(|(name, bytes)| Some((inside(name, chart)?, bytes.as_slice()))).collect();
    let lock_name = LOCKS.into_iter().rev().find(|name| build.files.contains_key(*name)).unwrap_or(LOCKS[0]);
    let Ok(repeated) = edited(bump, lock_name) else { return broken };
    // What the bump shows of the content, where the content has it so.
    let told = |path: &str, file: &TreeFile| repeated.bytes(path).filter(|bytes| blob_id(bytes) == Some(file.blob)).map(<[u8]>::to_vec);
    let mut files = Files::new();
    let mut complete = true;
    for (path, file) in build.files.iter().filter(|(path, _)| !path.starts_with("charts/")) {
        let member = members.get(path.as_str()).copied();
        let bytes = match path.as_str() {
            CHART_FILE => repeated.bytes(path).map(<[u8]>::to_vec),
            name if LOCKS.contains(&name) => told(path, file).or_else(|| member.map(<[u8]>::to_vec)),
            _ => told(path, file).or_else(|| shown(file, member)),
        };
        complete &= file.mode != Mode::Symlink && (path != IGNORE_FILE || bytes.is_some());
        let mode = if file.mode == Mode::Executable { Mode::Executable } else { Mode::File };
        files.insert_file(path.clone(), File { mode, bytes: bytes.unwrap_or_default() });
    }
    if !complete {
        let kept = |path: &str| path == CHART_FILE || path == REQUIREMENTS_FILE;
        let mut few = Files::new();
        for (path, file) in files.iter().filter(|(path, _)| kept(path)) {
            few.insert_file(path, file.clone());
        }
        files = few;
    }
    match own_members(&files) {
        Err(error) => broken.push((Rule::ArtifactContents, format!("the package cannot be built again from what it shows: {}", causes(&error)))),
        Ok(expected) => {
            let expected: BTreeMap<&str, &Vec<u8>> = expected.iter().filter_map(|(name, bytes)| Some((inside(name, chart)?, bytes))).collect();
            for (name, bytes) in &expected {
                match members.get(name) {
                    None => broken.push((Rule::ArtifactContents, format!("the package lacks the chart's {name}"))),
                    Some(member) if *member != bytes.as_slice() => {
                        broken.push((Rule::ArtifactContents, format!("the package's {name} is not what packaging makes of the chart's")));
                    }
                    Some(_) => {}
                }
            }
            for name in members.keys().filter(|name| complete && !name.starts_with("charts/") && !expected.contains_key(**name)) {
                broken.push((Rule::ArtifactContents, format!("the package's {name} is not what packaging makes of the chart")));
            }
        }
    }
    broken.extend(dependencies(contents, build, &members, source));
    if i64::try_from(contents.modified) != Ok(build.epoch) {
        broken.push((Rule::ArtifactContents, format!("the package's files are of {}, not of {}", contents.modified, build.epoch)));
    }
    broken
}

/// The charts inside are those that Chart.yaml declares, from where it declares them.
fn dependencies(contents: &PackageContents, build: &Build, members: &BTreeMap<&str, &[u8]>, source: &Source) -> Vec<(Rule, String)> {
    let mut broken = Vec::new();
    let declared = &contents.metadata.dependencies;
    let has_vendored = build.files.keys().any(|path| path.starts_with("charts/"));
    for name in members.keys().filter_map(|name| name.strip_prefix("charts/")) {
        let top = name.split('/').next().unwrap_or(name);
        if !has_vendored && !declared.iter().any(|dependency| dependency.name == top) {
            broken.push((Rule::ArtifactContents, format!("the package holds charts/{name}, of no chart that it depends on")));
        }
    }
    let mut held = Vec::new();
    hold(declared, source.path.as_str(), "", members, 0, &mut held);
    for built in &build.dependencies {
        let named: Vec<&Held> = held.iter().filter(|held| held.name == built.name).collect();
        if named.is_empty() {
            broken.push((Rule::PackageDependency, format!("the package is signed to hold {}, which it does not depend on", built.name)));
            continue;
        }
        if built.content.is_none() {
            continue;
        }
        let mut placed = named.iter().filter(|held| held.uri.as_deref() == Some(built.uri.as_str())).peekable();
        if placed.peek().is_none() {
            broken.push((Rule::PackageDependency, format!("{} is signed to come from {:?}, where Chart.yaml does not look for it", built.name, built.uri)));
        }
        if let Some(other) = placed.find(|held| held.version.as_deref() != Some(built.version.as_str())) {
            let found = other.version.as_deref().unwrap_or("absent");
            broken.push((Rule::PackageDependency, format!("{} is signed to be of version {}, in the package it is {found}", built.name, built.version)));
        }
    }
    broken
}

/// A chart inside a package, at any depth.
struct Held {
    name: String,
    /// Where the Chart.yaml above looks for it in the repository.
    uri: Option<String>,
    /// `None` where the package does not hold it.
    version: Option<String>,
}

/// The charts that a chart at a path of the repository declares, and those that these declare, as a package holds them.
fn hold(declared: &[Dependency], path: &str, above: &str, members: &BTreeMap<&str, &[u8]>, depth: usize, held: &mut Vec<Held>) {
    /// Deeper than any chart is packaged.
    const DEEPEST: usize = 32;
    for dependency in declared {
        let inside = format!("{above}charts/{}/", dependency.name);
        let member = |name: &str| members.get(format!("{inside}{name}").as_str()).copied();
        // Charts of apiVersion v1 are packaged with the requirements.yaml that declares what they hold.
        let requirements = member(REQUIREMENTS_FILE).map(|bytes| (REQUIREMENTS_FILE, bytes));
        let metadata = member(CHART_FILE).and_then(|bytes| Metadata::read_with_requirements(CHART_FILE, bytes, requirements).ok());
        let place = dependency_path(path, dependency);
        let version = metadata.as_ref().map(|metadata| metadata.version.clone());
        held.push(Held { name: dependency.name.clone(), uri: place.as_ref().map(|path| format!("file://{path}")), version });
        if let (Some(place), Some(metadata)) = (place, metadata)
            && depth < DEEPEST
        {
            hold(&metadata.dependencies, &place, &inside, members, depth + 1, held);
        }
    }
}

/// Whether the changelog after the bump is the one before it with the entry shown; `None` where that cannot be told
/// because neither the one nor the other is at hand. `after` is the file as a package shows it.
pub(super) fn changelog(
    entry: &str,
    to: &str,
    before: Option<crate::domain::digest::Sha256>,
    blob: crate::domain::digest::Sha256,
    after: Option<&[u8]>,
) -> Option<bool> {
    let version = lenient(to)?;
    let Some(before) = before else { return Some(blob_id(changelog::insert(None, &version, entry).as_bytes()) == Some(blob)) };
    let file = TreeFile { mode: Mode::File, blob };
    let after = String::from_utf8(shown(&file, after)?).ok()?;
    Some(ends(&after).any(|line_end| {
        taken_out(&after, entry, line_end).any(|text| blob_id(text.as_bytes()) == Some(before) && changelog::insert(Some(&text), &version, entry) == after)
    }))
}

fn ends(text: &str) -> impl Iterator<Item = &'static str> {
    ["\n", "\r\n"].into_iter().filter(|end| text.contains(end))
}

/// Every text of which inserting the entry could have made this one; [`changelog::insert`] adds at most two line ends
/// before an entry and two behind it, and a heading to a file without text.
fn taken_out<'a>(text: &'a str, entry: &str, line_end: &'a str) -> impl Iterator<Item = String> + 'a {
    let entry = entry.trim_end().replace('\n', line_end);
    let found: Vec<(usize, usize)> =
        if entry.is_empty() { vec![] } else { text.match_indices(&entry).map(|(at, found)| (at, at + found.len())).take(8).collect() };
    let added = ["", line_end, if line_end == "\n" { "\n\n" } else { "\r\n\r\n" }];
    let heading = format!("# Changelog{line_end}{line_end}");
    found.into_iter().flat_map(move |(start, end)| {
        let (head, tail) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
        let heads: Vec<&str> = added.iter().filter_map(|gap| head.strip_suffix(gap)).chain(head.strip_suffix(heading.as_str())).collect();
        let tails: Vec<&str> = added.iter().filter_map(|gap| tail.strip_prefix(gap)).collect();
        heads.into_iter().flat_map(move |head| tails.clone().into_iter().map(move |tail| format!("{head}{tail}"))).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the entry is found in what inserting it makes, and is not where something else changed too.
    fn check(before: &str) {
        let entry = "## 1.1.0\n\n- one\n- two\n";
        let after = changelog::insert(Some(before), &"1.1.0".parse().unwrap(), entry);
        let told = |shown: Option<&str>, text: &str| {
            changelog(entry, "1.1.0", blob_id(before.as_bytes()), blob_id(text.as_bytes()).unwrap(), shown.map(str::as_bytes))
        };
        assert_eq!(told(Some(&after), &after), Some(true), "{before:?}");
        // helm takes a byte order mark off.
        assert_eq!(told(Some(after.trim_start_matches('\u{feff}')), &after), Some(true), "{before:?}");
        let more = format!("{after}slipped in\n");
        assert_eq!(told(Some(&more), &more), Some(false), "{before:?}");
        assert_eq!(told(None, &after), None);
        assert_eq!(told(Some("another file"), &after), None);
    }

    #[test]
    fn an_entry_is_taken_out_of_every_changelog_it_was_put_into() {
        for before in
            ["", "# Log\n", "# Log", "# Log\n\n## 1.0.0\n\n- x\n", "# Log\n## 1.0.0", "## 1.0.0\n", "# Log\n\n## Unreleased\n- y\n\n## 1.0.0\n", "text", "\n\n"]
        {
            check(before);
            check(&before.replace('\n', "\r\n"));
            check(&format!("\u{feff}{before}"));
        }
    }

    #[test]
    fn a_new_changelog_is_told_by_its_blob_alone() {
        let text = "# Changelog\n\n## 1.1.0\n";
        let told = |text: &str| changelog("## 1.1.0\n", "1.1.0", None, blob_id(text.as_bytes()).unwrap(), None);
        assert_eq!((told(text), told("# Changelog\n\n## 1.1.0\n\nmore\n")), (Some(true), Some(false)));
    }
}
