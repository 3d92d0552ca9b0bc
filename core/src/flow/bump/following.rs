//! What a chart's `file://` dependencies ask of its bump: a constraint that excludes the dependency's version on main
//! follows it, and so does the lock; the way back carries that on; and the package must be buildable before there is a
//! tag for it.

use std::collections::BTreeMap;

use crate::domain::chart::{CHART_FILE, Metadata};
use crate::domain::content::Files;
use crate::domain::digest::TreeId;
use crate::domain::names::RepoPath;
use crate::domain::package::follow::{self, Followed};
use crate::domain::package::{PackageError, Source, declared, dependency_path, package};
use crate::flow::listing::file;
use crate::flow::package::local_dependencies;
use crate::flow::tips::YAML_LIMIT;
use crate::flow::{FlowError, Train};

/// What follows from the versions that main holds of a chart's dependencies.
///
/// # Errors
/// When an object cannot be read.
pub(super) async fn followed(train: &Train, main: &TreeId, path: &RepoPath, files: &Files) -> Result<Followed, FlowError> {
    let mut versions = BTreeMap::new();
    for dependency in declared(path.as_str(), files) {
        let Some(at) = dependency_path(path.as_str(), &dependency).filter(|at| !at.starts_with("..")) else { continue };
        let Some(bytes) = file(&*train.objects, main, &format!("{at}/{CHART_FILE}"), YAML_LIMIT).await? else { continue };
        let Some(version) = Metadata::read(&at, &bytes).and_then(|metadata| metadata.release_version()).ok() else { continue };
        versions.insert(at, version);
    }
    Ok(follow::followed(path.as_str(), files, &versions))
}

/// The files of a content that speak of its dependencies, as far as it has them.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn speaking(train: &Train, tree: &TreeId) -> Result<Files, FlowError> {
    let mut files = Files::new();
    for name in follow::FILES {
        if let Some(bytes) = file(&*train.objects, tree, name, YAML_LIMIT).await? {
            files.insert(name, bytes);
        }
    }
    Ok(files)
}

/// The files that hold the versions that followed, of those that change.
///
/// # Errors
/// [`FlowError::Chart`] for a file that cannot be edited.
pub(crate) fn written(path: &RepoPath, files: &Files, followed: &Followed) -> Result<BTreeMap<&'static str, Vec<u8>>, FlowError> {
    follow::written(files, followed).map_err(|source| FlowError::Chart {
        chart: path.to_string(),
        what: "writing its dependencies' versions",
        source: Box::new(source),
    })
}

/// Builds the package of a bumped content, for nothing but the question whether it can be built.
///
/// # Errors
/// When an object cannot be read.
pub(super) async fn dry_build(train: &Train, main: &TreeId, path: &RepoPath, files: &Files, epoch: i64) -> Result<Result<(), PackageError>, FlowError> {
    let dependencies = local_dependencies(&*train.objects, main, path, files).await?;
    Ok(package(&Source { path: path.as_str(), files, dependencies: &dependencies }, epoch).map(|_| ()))
}
