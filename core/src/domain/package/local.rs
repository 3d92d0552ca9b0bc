//! The dependencies of a chart that lie in the same repository.

use std::collections::BTreeMap;

use super::dependency_path;
use crate::domain::chart::{CHART_FILE, Dependency, Metadata, REQUIREMENTS_FILE};
use crate::domain::content::Files;
use crate::domain::version::constraint::allows;
use semver::Version;

/// As deep as dependencies of dependencies are followed; charts that contain each other would otherwise never end.
const DEPTH_LIMIT: usize = 16;

/// The dependencies a chart declares, in Chart.yaml or requirements.yaml; none where these cannot be read. `path` is for
/// messages.
#[must_use]
pub fn declared(path: &str, files: &Files) -> Vec<Dependency> {
    let Some(bytes) = files.bytes(CHART_FILE) else { return Vec::new() };
    let requirements = files.bytes(REQUIREMENTS_FILE).map(|bytes| (REQUIREMENTS_FILE, bytes));
    Metadata::read_with_requirements(path, bytes, requirements).map(|metadata| metadata.dependencies).unwrap_or_default()
}

/// A dependency in the same repository whose version is not what its dependent asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Excluded {
    /// The dependency as declared.
    pub dependency: Dependency,
    /// Where it lies.
    pub path: String,
    /// The version it has.
    pub version: Version,
}

/// The dependencies of a chart whose constraint excludes the version that their directory has.
#[must_use]
pub fn excluded(directory: &str, files: &Files, dependencies: &BTreeMap<String, Files>) -> Vec<Excluded> {
    let version = |path: &str, files: &Files| files.bytes(CHART_FILE).and_then(|bytes| Metadata::read(path, bytes).ok()?.release_version().ok());
    let check = |dependency: Dependency| {
        let path = dependency_path(directory, &dependency)?;
        let version = version(&path, dependencies.get(&path)?)?;
        (allows(&dependency.version, &version) == Some(false)).then_some(Excluded { dependency, path, version })
    };
    declared(directory, files).into_iter().filter_map(check).collect()
}

/// The name of a dependency among the given ones whose constraint helm cannot read.
#[must_use]
pub fn unreadable_constraint(directory: &str, files: &Files, dependencies: &BTreeMap<String, Files>) -> Option<String> {
    let given = |dependency: &Dependency| dependency_path(directory, dependency).is_some_and(|path| dependencies.contains_key(&path));
    let unreadable = |dependency: &Dependency| allows(&dependency.version, &Version::new(0, 0, 0)).is_none();
    declared(directory, files).into_iter().find(|dependency| given(dependency) && unreadable(dependency)).map(|dependency| dependency.name)
}

/// A chart's files with its `file://` dependencies put into `charts/`, and theirs into them, as `helm dependency build`
/// would: what helm is given to render. `dependencies` holds their files by [`dependency_path`].
#[must_use]
pub fn vendored(directory: &str, files: &Files, dependencies: &BTreeMap<String, Files>) -> Files {
    let mut whole = files.clone();
    vendor(directory, files, dependencies, "", &mut whole, 0);
    whole
}

fn vendor(from: &str, files: &Files, dependencies: &BTreeMap<String, Files>, prefix: &str, into: &mut Files, depth: usize) {
    for dependency in declared(from, files) {
        let Some((at, dependency_files)) = dependency_path(from, &dependency).and_then(|at| Some((at.clone(), dependencies.get(&at)?))) else {
            continue;
        };
        let below = format!("{prefix}charts/{}", dependency.name);
        for (path, file) in dependency_files.iter() {
            into.insert_file(format!("{below}/{path}"), file.clone());
        }
        if depth < DEPTH_LIMIT {
            vendor(&at, dependency_files, dependencies, &format!("{below}/"), into, depth + 1);
        }
    }
}
