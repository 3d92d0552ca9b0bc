//! A package's members against the files of the content it was built from.

use std::collections::BTreeMap;

use super::lines::causes;
use super::rebuild;
use super::rules::Rule;
use crate::domain::digest::{ObjectFormat, Sha256};
use crate::domain::names::ChartName;
use crate::domain::oci;
use crate::domain::package::{Limits, read_package};
use crate::domain::statement::{Build, Bump, Source, TreeFile};
use crate::domain::tree::{Entry, Mode, Tree};

/// What helm writes anew when it packages (helm, `pkg/chartutil/save.go`): everything else is a file of the chart.
const REWRITTEN: [&str; 4] = ["Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock"];
/// helm takes it from the beginning of every file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The id of the tree that holds these files, in git's SHA-256 format; `None` where they are no tree.
pub(super) fn tree_id(files: &BTreeMap<String, TreeFile>) -> Option<Sha256> {
    let all: Vec<(&str, &TreeFile)> = files.iter().map(|(path, file)| (path.as_str(), file)).collect();
    subtree_id(&all, 0)
}

fn subtree_id(files: &[(&str, &TreeFile)], depth: usize) -> Option<Sha256> {
    if depth > crate::domain::content::DEPTH_LIMIT {
        return None;
    }
    let mut entries = Vec::new();
    let mut directories: BTreeMap<&str, Vec<(&str, &TreeFile)>> = BTreeMap::new();
    for (path, file) in files {
        match path.split_once('/') {
            Some((directory, rest)) => directories.entry(directory).or_default().push((rest, file)),
            None => entries.push(Entry { name: (*path).to_owned(), mode: file.mode, id: file.blob.to_string() }),
        }
    }
    for (name, below) in directories {
        entries.push(Entry { name: name.to_owned(), mode: Mode::Directory, id: subtree_id(&below, depth + 1)?.to_string() });
    }
    Tree::new(entries).ok()?.id(ObjectFormat::Sha256).ok()?.as_str().parse().ok()
}

/// The id of a blob in git's SHA-256 format.
pub(super) fn blob_id(bytes: &[u8]) -> Option<Sha256> {
    Some(Sha256::from_bytes(ObjectFormat::Sha256.hash("blob", bytes).try_into().ok()?))
}

/// A file of the chart as a package shows it; `None` where it does not, or is no package.
pub(super) fn file(bytes: &[u8], chart: &ChartName, name: &str) -> Option<Vec<u8>> {
    let wanted = format!("{chart}/{name}");
    read_package(bytes, Limits::default()).ok()?.members.into_iter().find(|(member, _)| *member == wanted).map(|(_, bytes)| bytes)
}

/// What is wrong with a package, given the statement of its build.
pub(super) fn check(bytes: &[u8], build: &Build, bump: &Bump, manifest: Sha256, source: &Source) -> Vec<(Rule, String)> {
    let (chart, version) = (&source.chart, bump.to.as_str());
    let contents = match read_package(bytes, Limits::default()) {
        Ok(contents) => contents,
        Err(error) => return vec![(Rule::ArtifactMalformed, causes(&error))],
    };
    let mut broken = Vec::new();
    let members: BTreeMap<&str, &[u8]> = contents.members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    for name in build.members.keys().filter(|name| !members.contains_key(name.as_str())) {
        broken.push((Rule::ArtifactContents, format!("the package lacks {name}, which was signed as its member")));
    }
    for (name, bytes) in members {
        match build.members.get(name) {
            None => broken.push((Rule::ArtifactContents, format!("the package holds {name}, which was not signed as its member"))),
            Some(member) if member.sha256 != Sha256::of(bytes) => {
                broken.push((Rule::ArtifactContents, format!("the package's {name} is not the one that was signed")))
            }
            Some(member) => {
                if let Some(problem) = source_problem(name, bytes, member.unchanged, build, chart) {
                    broken.push((Rule::ArtifactContents, format!("the package's {name} {problem}")));
                }
            }
        }
    }
    broken.extend(rebuild::check(&contents, build, bump, source));
    let metadata = &contents.metadata;
    if metadata.name != chart.as_str() || metadata.version != version {
        broken.push((Rule::ArtifactName, format!("the package is {} {}, the lineage is that of {chart} {version}", metadata.name, metadata.version)));
    }
    match oci::chart_artifact(metadata, bytes, build.epoch) {
        Ok(artifact) if artifact.manifest.digest == manifest => {}
        Ok(artifact) => broken.push((
            Rule::PackageManifest,
            format!("the manifest that follows is {}, {} was attested", artifact.manifest.digest.prefixed(), manifest.prefixed()),
        )),
        Err(error) => broken.push((Rule::PackageManifest, causes(&error))),
    }
    broken
}

/// Why a member is neither a file of the chart nor something that packaging writes.
fn source_problem(name: &str, bytes: &[u8], unchanged: bool, build: &Build, chart: &ChartName) -> Option<&'static str> {
    let Some(path) = name.strip_prefix(chart.as_str()).and_then(|rest| rest.strip_prefix('/')) else {
        return Some("lies outside the chart's directory");
    };
    let same = |file: &TreeFile, bytes: &[u8]| file.mode != Mode::Symlink && blob_id(bytes) == Some(file.blob);
    match build.files.get(path) {
        Some(file) if same(file, bytes) => return None,
        _ if unchanged => return Some("is signed as unchanged and is not the chart's file"),
        Some(file) if same(file, &[BYTE_ORDER_MARK, bytes].concat()) => return None,
        _ => {}
    }
    let linked = path
        .char_indices()
        .filter(|(_, c)| *c == '/')
        .map(|(at, _)| at)
        .chain([path.len()])
        .any(|end| build.files.get(&path[..end]).is_some_and(|file| file.mode == Mode::Symlink));
    // helm unpacks vendored archives and writes what it unpacked.
    let has_dependencies = !build.dependencies.is_empty() || build.files.keys().any(|path| path.starts_with("charts/"));
    let of_a_dependency = path.starts_with("charts/") && has_dependencies;
    if REWRITTEN.contains(&path) || of_a_dependency || linked { None } else { Some("is neither the chart's file nor one that packaging writes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::{File, Files};

    #[test]
    fn the_tree_of_a_file_list_is_the_tree_of_the_files() {
        let mut files = Files::new();
        files.insert("Chart.yaml", "name: a\n");
        files.insert("templates/deep/er/a.yaml", "x");
        files.insert("templates.yaml", "y");
        files.insert_file("run.sh", File { mode: Mode::Executable, bytes: b"z".to_vec() });
        files.insert_file("link", File { mode: Mode::Symlink, bytes: b"run.sh".to_vec() });
        let list = files.iter().map(|(path, file)| (path.to_owned(), TreeFile { mode: file.mode, blob: blob_id(&file.bytes).unwrap() })).collect();
        assert_eq!(tree_id(&list), Some(files.content_id().unwrap().sha256));
        let deep = BTreeMap::from([(["d"; 60].join("/"), TreeFile { mode: Mode::File, blob: Sha256::of(b"") })]);
        assert_eq!(tree_id(&deep), None);
        let clash = BTreeMap::from([
            ("a".to_owned(), TreeFile { mode: Mode::File, blob: Sha256::of(b"") }),
            ("a/b".to_owned(), TreeFile { mode: Mode::File, blob: Sha256::of(b"") }),
        ]);
        assert_eq!(tree_id(&clash), None);
    }
}
