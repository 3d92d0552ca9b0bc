//! What a chart's `file://` dependencies ask of its bump: a constraint that excludes the dependency's version on main
//! follows it, and Chart.lock with it; the way back carries that on; and the package must be buildable before there is a
//! tag for it.

use std::collections::BTreeMap;

use crate::domain::chart::{CHART_FILE, Dependency, Metadata, edit};
use crate::domain::content::Files;
use crate::domain::digest::TreeId;
use crate::domain::names::RepoPath;
use crate::domain::package::lock::{LOCK_FILE, Lock};
use crate::domain::package::{PackageError, Source, dependency_path, package};
use crate::domain::version::constraint::allows;
use crate::flow::listing::file;
use crate::flow::package::local_dependencies;
use crate::flow::tips::YAML_LIMIT;
use crate::flow::{FlowError, Train};

/// The dependencies whose constraint excludes the version that main holds of them: their names or aliases, and that
/// version.
///
/// # Errors
/// When an object cannot be read.
pub(super) async fn constraints(train: &Train, main: &TreeId, path: &RepoPath, yaml: &[u8]) -> Result<BTreeMap<String, String>, FlowError> {
    let mut found = BTreeMap::new();
    let Ok(metadata) = Metadata::read(CHART_FILE, yaml) else { return Ok(found) };
    for dependency in &metadata.dependencies {
        let Some(at) = dependency_path(path.as_str(), dependency).filter(|at| !at.starts_with("..")) else { continue };
        let Some(bytes) = file(&*train.objects, main, &format!("{at}/{CHART_FILE}"), YAML_LIMIT).await? else { continue };
        let Some(version) = Metadata::read(&at, &bytes).and_then(|metadata| metadata.release_version()).ok() else { continue };
        if allows(&dependency.version, &version) == Some(false) {
            found.insert(dependency.name_or_alias().to_owned(), version.to_string());
        }
    }
    Ok(found)
}

/// What a bump from `before` to `after` wrote into a Chart.yaml, as far as `other` still holds what stood there before: the
/// dependencies' names or aliases and their versions.
pub(crate) fn replayed(before: &[u8], after: &[u8], other: &[u8]) -> BTreeMap<String, String> {
    let read = |bytes: &[u8]| Metadata::read(CHART_FILE, bytes).map(|metadata| metadata.dependencies).unwrap_or_default();
    let (before, after, other) = (read(before), read(after), read(other));
    let same = |one: &Dependency, two: &Dependency| (one.name_or_alias(), &one.repository) == (two.name_or_alias(), &two.repository);
    let mut found = BTreeMap::new();
    for dependency in &other {
        let old = before.iter().find(|old| same(old, dependency) && old.version == dependency.version);
        let new = after.iter().find(|new| same(new, dependency) && new.version != dependency.version);
        if let (Some(_), Some(new)) = (old, new) {
            found.insert(dependency.name_or_alias().to_owned(), new.version.clone());
        }
    }
    found
}

/// Chart.yaml with the versions that followed.
///
/// # Errors
/// [`FlowError::Chart`] for a Chart.yaml that cannot be edited.
pub(crate) fn follow(path: &RepoPath, mut yaml: Vec<u8>, followed: &BTreeMap<String, String>) -> Result<Vec<u8>, FlowError> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| FlowError::Chart { chart: path.to_string(), what: "writing a dependency's version", source };
    for (name, version) in followed {
        let metadata = Metadata::read(CHART_FILE, &yaml).map_err(|error| failed(Box::new(error)))?;
        let Some(dependency) = metadata.dependencies.iter().find(|dependency| dependency.name_or_alias() == name) else { continue };
        let alias = Some(dependency.alias.as_str()).filter(|alias| !alias.is_empty());
        yaml = edit::set_dependency_version(&yaml, &dependency.name, alias, version).map_err(|error| failed(Box::new(error)))?;
    }
    Ok(yaml)
}

/// Chart.lock with the versions that followed; `None` where there is none to change.
///
/// # Errors
/// [`FlowError::Chart`] for a Chart.lock that cannot be read.
pub(crate) fn lock(path: &RepoPath, files: &Files, yaml: &[u8], followed: &BTreeMap<String, String>) -> Result<Option<Vec<u8>>, FlowError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| FlowError::Chart { chart: path.to_string(), what: "writing Chart.lock", source };
    let Some(bytes) = files.bytes(LOCK_FILE).filter(|_| !followed.is_empty()) else { return Ok(None) };
    let Some(mut lock) = Lock::read(LOCK_FILE, bytes).map_err(|error| failed(Box::new(error)))? else { return Ok(None) };
    let wanted = Metadata::read(CHART_FILE, yaml).map_err(|error| failed(Box::new(error)))?.dependencies;
    let mut locked = lock.dependencies.take().unwrap_or_default();
    for (name, version) in followed {
        let Some(dependency) = wanted.iter().find(|dependency| dependency.name_or_alias() == name) else { continue };
        for entry in locked.iter_mut().filter(|entry| entry.name == dependency.name && entry.repository == dependency.repository) {
            entry.version.clone_from(version);
        }
    }
    lock.digest = Lock::digest_of(&wanted, &locked).map_err(|error| failed(Box::new(error)))?;
    lock.dependencies = Some(locked);
    Ok(Some(lock.to_yaml().into_bytes()))
}

/// Builds the package of a bumped content, for nothing but the question whether it can be built.
///
/// # Errors
/// When an object cannot be read.
pub(super) async fn dry_build(train: &Train, main: &TreeId, path: &RepoPath, files: &Files, epoch: i64) -> Result<Result<(), PackageError>, FlowError> {
    let dependencies = local_dependencies(&*train.objects, main, path, files).await?;
    Ok(package(&Source { path: path.as_str(), files, dependencies: &dependencies }, epoch).map(|_| ()))
}
