//! Packages as `helm package` makes them (helm 4, `pkg/chart/v2/util/save.go`), reproducibly: the same chart content,
//! dependencies and time give the same bytes. Where helm itself is not reproducible, this is: charts inside are sorted
//! by name, and every member carries the one time given.

mod archive;
#[cfg(test)]
mod archive_tests;
pub mod emit;
mod error;
pub mod follow;
mod glob;
pub mod ignore;
mod load;
mod local;
pub mod lock;
mod provenance;
pub mod read;
mod resolve;
mod scalar;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

pub use error::PackageError;
pub use local::{Excluded, declared, excluded, unreadable_constraint, vendored};
pub use provenance::provenance_text;
pub use read::{ArchiveError, Limits};
pub use walk::{NODE_LIMIT, WalkError};

use load::{Budget, Chart};

use super::chart::{Dependency, Metadata};
use super::content::Files;
use super::digest::Sha256;

/// The longest file name that common file systems hold, in bytes (`NAME_MAX` of Linux, the same on macOS and Windows).
const FILE_NAME_LIMIT: usize = 255;

/// A chart to package and what it may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The chart's directory, for messages and [`Member::source`] and as the place from which `file://` dependencies
    /// are named: a path below the top of the repository such as `charts/redis`, or `""`.
    pub path: &'a str,
    /// The files below that directory.
    pub files: &'a Files,
    /// The directories of `file://` dependencies, nested ones too, by [`dependency_path`]. One that is here takes the
    /// place of a copy in `charts/`, as `helm dependency update` would do; without it a copy in `charts/` counts.
    pub dependencies: &'a BTreeMap<String, Files>,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path in the archive, the chart's name first.
    pub path: String,
    /// The digest of its bytes.
    pub sha256: Sha256,
    /// Its bytes' number.
    pub size: u64,
    /// The file it was made from, below the same place as [`Source::path`]; of a chart that lay in `charts/` as an
    /// archive, that archive.
    pub source: String,
}

/// A package.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// The chart's name.
    pub name: String,
    /// Its version, as written.
    pub version: String,
    /// `<name>-<version>.tgz`.
    pub file_name: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// The archive's digest.
    pub sha256: Sha256,
    /// The chart's description, with what a requirements.yaml adds.
    pub metadata: Metadata,
    /// The members in their order.
    pub members: Vec<Member>,
}

/// A member with its bytes, on the way into the archive.
struct Draft {
    path: String,
    source: String,
    bytes: Vec<u8>,
}

impl Draft {
    fn member(&self) -> Member {
        Member { path: self.path.clone(), sha256: Sha256::of(&self.bytes), size: self.bytes.len() as u64, source: self.source.clone() }
    }
}

/// Packages a chart. `epoch` is the time of every member, in seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// See [`PackageError`]; a declared dependency that is neither in `charts/` nor given is
/// [`PackageError::MissingDependency`].
pub fn package(source: &Source<'_>, epoch: i64) -> Result<Package, PackageError> {
    let time = u64::try_from(epoch).ok().filter(|_| epoch <= archive::LATEST).ok_or(PackageError::Epoch { epoch })?;
    let mut budget = Budget::new(Limits::default());
    let mut chart = load::directory(source.files, source.path, &mut budget)?;
    attach(&mut chart, source.path, source.dependencies, &mut vec![source.path.to_owned()], &mut budget)?;
    let metadata = chart.metadata.clone();
    let file_name = file_name(&metadata)?;
    let drafts = drafts(&chart)?;
    let entries = drafts.iter().map(|draft| archive::Entry { path: draft.path.clone(), bytes: &draft.bytes });
    let bytes = archive::write(entries, time).map_err(|source| PackageError::Write { source })?;
    Ok(Package {
        file_name,
        name: metadata.name.clone(),
        version: metadata.version.clone(),
        sha256: Sha256::of(&bytes),
        bytes,
        metadata,
        members: drafts.iter().map(Draft::member).collect(),
    })
}

/// What the package is called, of a chart of which helm makes one.
fn file_name(metadata: &Metadata) -> Result<String, PackageError> {
    let origin = &metadata.origin;
    if !matches!(metadata.api_version.as_str(), "v1" | "v2") {
        let value = metadata.api_version.chars().take(80).collect();
        return Err(PackageError::ApiVersion { path: origin.path.clone(), line: origin.api_version_line, value });
    }
    let name = format!("{}-{}.tgz", metadata.name, metadata.version);
    if name.len() > FILE_NAME_LIMIT {
        let (path, line, length) = (origin.path.clone(), origin.name_line, name.len());
        return Err(PackageError::FileName { path, line, name: name.chars().take(40).collect(), length, limit: FILE_NAME_LIMIT });
    }
    Ok(name)
}

/// Whether two contents of a chart's directory make different packages, the chart's `file://` dependencies aside.
/// Ignored files and comments in Chart.yaml make no difference; contents of which one cannot be packaged do.
#[must_use]
pub fn is_packaged_change(old: &Files, new: &Files) -> bool {
    if old == new {
        return false;
    }
    let members = |files: &Files| {
        let chart = load::directory(files, "", &mut Budget::new(Limits::default())).ok()?;
        let drafts = drafts(&chart).ok()?;
        Some((chart.metadata, drafts.into_iter().map(|draft| (draft.path, draft.bytes)).collect::<Vec<_>>()))
    };
    match (members(old), members(new)) {
        (Some(old), Some(new)) => old != new,
        _ => true,
    }
}

/// The members that a chart's own files make of its package, by their full names; what lies in `charts/` is left out.
///
/// # Errors
/// See [`PackageError`].
pub fn own_members(files: &Files) -> Result<BTreeMap<String, Vec<u8>>, PackageError> {
    let mut own = Files::new();
    for (path, file) in files.iter().filter(|(path, _)| !path.starts_with("charts/")) {
        own.insert_file(path, file.clone());
    }
    let chart = load::directory(&own, "", &mut Budget::new(Limits::default()))?;
    Ok(drafts(&chart)?.into_iter().map(|draft| (draft.path, draft.bytes)).collect())
}

/// Where the directory of a `file://` dependency lies: the path behind `file://`, relative to the directory `from` of
/// the chart that declares it, without `.` and with `..` only in front. `None` for other repositories and absolute paths.
#[must_use]
pub fn dependency_path(from: &str, dependency: &Dependency) -> Option<String> {
    let relative = dependency.local_path().filter(|path| !path.starts_with('/') && !path.is_empty())?;
    let mut components: Vec<&str> = Vec::new();
    for component in from.split('/').chain(relative.split('/')) {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            other => components.push(other),
        }
    }
    Some(components.join("/"))
}

/// Puts the given `file://` dependencies of a chart into it, and theirs into them, then asks that every dependency it
/// declares is there. `above` holds the directories of the charts being put together.
fn attach(chart: &mut Chart, at: &str, given: &BTreeMap<String, Files>, above: &mut Vec<String>, budget: &mut Budget) -> Result<(), PackageError> {
    let mut attached: Vec<String> = Vec::new();
    for dependency in chart.metadata.dependencies.clone() {
        let Some(path) = dependency_path(at, &dependency) else { continue };
        if above.contains(&path) {
            return Err(PackageError::DependencyCycle { charts: above.iter().cloned().chain([path]).collect() });
        }
        let Some((path, files)) = given.get_key_value(&path).filter(|(path, _)| !attached.contains(path)) else { continue };
        let mut inner = load::directory(files, path, budget)?;
        if inner.metadata.name != dependency.name {
            return Err(PackageError::DependencyName { chart: at.to_owned(), name: dependency.name, path: path.clone(), found: inner.metadata.name });
        }
        above.push(path.clone());
        attach(&mut inner, path, given, above, budget)?;
        above.pop();
        chart.charts.retain(|present| present.metadata.name != dependency.name);
        chart.charts.push(inner);
        attached.push(path.clone());
    }
    for dependency in &chart.metadata.dependencies {
        if !chart.charts.iter().any(|present| present.metadata.name == dependency.name) {
            return Err(PackageError::MissingDependency {
                chart: chart.metadata.name.clone(),
                name: dependency.name.clone(),
                version: dependency.version.clone(),
                repository: dependency.repository.clone(),
            });
        }
    }
    Ok(())
}

/// The members of a chart's package in helm's order, the charts inside by name.
fn drafts(chart: &Chart) -> Result<Vec<Draft>, PackageError> {
    let mut drafts = Vec::new();
    add_drafts(chart, "", &mut drafts)?;
    Ok(drafts)
}

fn add_drafts(chart: &Chart, prefix: &str, drafts: &mut Vec<Draft>) -> Result<(), PackageError> {
    let base = format!("{prefix}{}", chart.metadata.name);
    let mut add = |path: &str, source: &str, bytes: &[u8]| {
        drafts.push(Draft { path: format!("{base}/{path}"), source: source.to_owned(), bytes: bytes.to_vec() });
    };
    add("Chart.yaml", &chart.source, metadata_yaml(&chart.metadata)?.as_bytes());
    if let Some((lock, source)) = chart.lock.as_ref().filter(|_| chart.metadata.api_version == "v2") {
        add("Chart.lock", source, lock.to_yaml().as_bytes());
    }
    for item in chart.values.iter().chain(&chart.schema).chain(&chart.templates).chain(&chart.files) {
        add(&item.path, &item.source, &item.bytes);
    }
    let mut charts: Vec<&Chart> = chart.charts.iter().collect();
    charts.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
    for pair in charts.windows(2) {
        if let [one, other] = pair
            && one.metadata.name == other.metadata.name
        {
            let sources = [one.source.clone(), other.source.clone()];
            return Err(PackageError::SameName { chart: chart.metadata.name.clone(), name: one.metadata.name.clone(), sources });
        }
    }
    for inner in charts {
        add_drafts(inner, &format!("{base}/charts/"), drafts)?;
    }
    Ok(())
}

/// Chart.yaml as it stands in a package: charts of apiVersion v1 keep their dependencies in requirements.yaml.
fn metadata_yaml(metadata: &Metadata) -> Result<String, PackageError> {
    let mut value = serde_json::to_value(metadata).map_err(|source| PackageError::Write { source: source.into() })?;
    if let Some(object) = value.as_object_mut().filter(|_| metadata.api_version == "v1") {
        object.remove("dependencies");
    }
    Ok(emit::to_yaml(&value))
}

/// What a package holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageContents {
    /// The chart's description, with what a requirements.yaml adds.
    pub metadata: Metadata,
    /// The time of the newest member, in seconds since 1970-01-01T00:00:00Z; of a package made by [`package`] its epoch.
    pub modified: u64,
    /// The regular files by their paths, the chart's directory first, in the archive's order.
    pub members: Vec<(String, Vec<u8>)>,
}

/// Reads a package that anybody may have made: sizes are limited, every path lies below one directory named as the
/// chart, every member is a regular file, and no path is there twice.
///
/// # Errors
/// See [`PackageError`].
pub fn read_package(bytes: &[u8], limits: Limits) -> Result<PackageContents, PackageError> {
    let garbled = |source| PackageError::Archive { path: "the package".to_owned(), source };
    let unpacked = read::unpack(bytes, limits).map_err(garbled)?;
    let find = |name: &str| unpacked.iter().find(|file| file.path == name);
    let chart_file = find(super::chart::CHART_FILE).ok_or_else(|| PackageError::NoChartFile { chart: "the package".to_owned() })?;
    let requirements = find(super::chart::REQUIREMENTS_FILE).map(|file| (super::chart::REQUIREMENTS_FILE, super::yaml::without_mark(&file.bytes)));
    let metadata = Metadata::read_with_requirements(super::chart::CHART_FILE, super::yaml::without_mark(&chart_file.bytes), requirements)?;
    if let Some(stray) = unpacked.iter().find(|file| file.top != metadata.name) {
        return Err(garbled(ArchiveError::Path { path: format!("{}/{}", stray.top, stray.path) }));
    }
    let modified = unpacked.iter().map(|file| file.modified).max().unwrap_or_default();
    Ok(PackageContents { metadata, modified, members: unpacked.into_iter().map(|file| (format!("{}/{}", file.top, file.path), file.bytes)).collect() })
}
