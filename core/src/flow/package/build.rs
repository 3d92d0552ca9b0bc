//! Building a package from its tag: files, `file://` dependencies, manifest, and the statements about them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::chart::Metadata;
use crate::domain::content::Files;
use crate::domain::digest::{CommitId, ObjectFormat, Sha256};
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::package::{self, Package, Source, declared, dependency_path};
use crate::domain::statement::{Build, BuildDependency, Gate, Input, Member, Predicate, Stage, Statement, Subject, TreeFile};
use crate::domain::{chart, oci};
use crate::flow::judge::Chain;
use crate::flow::listing::{root, subtree};
use crate::flow::tips::{Pair, Tips};
use crate::flow::{FlowError, Train};
use crate::port::objects::Objects;

/// A package and what is said about it.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    /// The package.
    pub package: Package,
    /// What goes to the registry.
    pub image: oci::ChartArtifact,
    /// Where it goes: `host/path/chart`.
    pub repository: String,
    /// The time of everything in it, in seconds since 1970-01-01T00:00:00Z.
    pub epoch: i64,
    /// Row 7.
    pub statement: Statement,
}

/// Builds the package of a tag.
///
/// # Errors
/// [`FlowError::Chart`] when the chart cannot be packaged, [`FlowError::Identity`] when its files are not the content
/// that was signed.
pub(crate) async fn build(
    train: &Train,
    tips: &Tips,
    chart: &ChartName,
    pair: &Pair,
    chain: &Chain,
    commit: &CommitId,
    version: &semver::Version,
) -> Result<Built, FlowError> {
    let _ = tips;
    let failed = |what, source: Box<dyn std::error::Error + Send + Sync>| FlowError::Chart { chart: chart.to_string(), what, source };
    let Some(place) = &pair.new else { return Err(FlowError::NoBranch { branch: chart.to_string() }) };
    let (Some(bump), Some(tag)) = (chain.bump(), &chain.tag) else { return Err(FlowError::NoBranch { branch: chart.to_string() }) };
    let Some(content) = tag.statement.subject.content().cloned() else { return Err(FlowError::NoBranch { branch: chart.to_string() }) };
    let files = train.objects.files(&place.tree).await?;
    let computed = files.content_id()?;
    if computed != content {
        return Err(FlowError::Identity { path: place.path.to_string(), computed: computed.sha256.to_string(), expected: content.sha256.to_string() });
    }
    let tree = root(&*train.objects, commit).await?;
    let dependencies = local_dependencies(&*train.objects, &tree, &place.path, &files).await?;
    let epoch = bump.date;
    let package = package::package(&Source { path: place.path.as_str(), files: &files, dependencies: &dependencies }, epoch)
        .map_err(|error| failed("packaging", Box::new(error)))?;
    let image = oci::chart_artifact(&package.metadata, &package.bytes, epoch).map_err(|error| failed("making the manifest", Box::new(error)))?;
    let repository = format!("{}/{chart}", train.home.oci_prefix);
    let subject = Subject::Package {
        file: package.file_name.clone(),
        sha256: package.sha256,
        reference: format!("{repository}:{}", image.tag),
        manifest: image.manifest.digest,
    };
    let used = used_dependencies(&package, place.path.as_str(), &dependencies)?;
    let build = Build {
        builder: train.home.builder.clone(),
        content,
        commit: commit.clone(),
        version: version.to_string(),
        files: tree_files(&files)?,
        members: members(&package, place.path.as_str(), &files),
        dependencies: used,
        epoch,
    };
    let statement =
        Statement { stage: Stage::Package, source: tag.statement.source.clone(), subject, inputs: vec![tag.as_input()], predicate: Predicate::Build(build) };
    Ok(Built { package, image, repository, epoch, statement })
}

/// The directories of a chart's `file://` dependencies at one commit, and of theirs.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn local_dependencies(
    objects: &dyn Objects,
    tree: &crate::domain::digest::TreeId,
    path: &RepoPath,
    files: &Files,
) -> Result<BTreeMap<String, Files>, FlowError> {
    let mut found: BTreeMap<String, Files> = BTreeMap::new();
    let mut todo: Vec<(String, Files)> = vec![(path.to_string(), files.clone())];
    while let Some((from, files)) = todo.pop() {
        for dependency in declared(&from, &files) {
            let Some(at) = dependency_path(&from, &dependency).filter(|at| !at.starts_with("..")) else { continue };
            if found.contains_key(&at) || at == path.as_str() {
                continue;
            }
            if let Some(below) = subtree(objects, tree, &at).await? {
                let files = objects.files(&below).await?;
                found.insert(at.clone(), files.clone());
                todo.push((at, files));
            }
        }
    }
    Ok(found)
}

fn tree_files(files: &Files) -> Result<BTreeMap<String, TreeFile>, FlowError> {
    let blob = |bytes: &[u8]| hex::encode(ObjectFormat::Sha256.hash("blob", bytes)).parse::<Sha256>();
    files.iter().map(|(path, file)| Ok((path.to_owned(), TreeFile { mode: file.mode, blob: blob(&file.bytes)? }))).collect()
}

fn members(package: &Package, path: &str, files: &Files) -> BTreeMap<String, Member> {
    let unchanged = |member: &package::Member| {
        let own = member.path.strip_prefix(&package.name).and_then(|rest| rest.strip_prefix('/'));
        let same_place = member.source.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')) == own;
        same_place && own.and_then(|own| files.bytes(own)).is_some_and(|bytes| Sha256::of(bytes) == member.sha256)
    };
    package.members.iter().map(|member| (member.path.clone(), Member { sha256: member.sha256, unchanged: unchanged(member) })).collect()
}

/// What the package holds of other charts: what the chart declares, and of this repository's charts what those declare.
fn used_dependencies(package: &Package, path: &str, local: &BTreeMap<String, Files>) -> Result<Vec<BuildDependency>, FlowError> {
    let mut used = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<(String, chart::Dependency)> = package.metadata.dependencies.iter().map(|dependency| (path.to_owned(), dependency.clone())).collect();
    while let Some((from, dependency)) = open.pop() {
        let at = dependency_path(&from, &dependency).filter(|at| local.contains_key(at));
        match &at {
            Some(at) if seen.insert(at.clone()) => {
                open.extend(local.get(at).into_iter().flat_map(|files| declared(at, files)).map(|dependency| (at.clone(), dependency)));
            }
            // It is there already, or it is what a chart of this repository has vendored.
            Some(_) => continue,
            None if from != path => continue,
            None => {}
        }
        let content = match at.as_ref().and_then(|at| local.get(at)) {
            Some(files) => Some(files.content_id()?),
            None => None,
        };
        let version = match at.as_ref().and_then(|at| local.get(at)).and_then(|files| files.bytes("Chart.yaml")) {
            Some(bytes) => Metadata::read("Chart.yaml", bytes).map(|metadata| metadata.version).unwrap_or_default(),
            None => dependency.version.clone(),
        };
        let uri = at.map_or_else(|| "vendored".to_owned(), |at| format!("file://{at}"));
        used.push(BuildDependency { name: dependency.name.clone(), version, uri, content, sha256: None });
    }
    used.sort();
    Ok(used)
}

/// Row 8: the root.
pub(crate) fn root_statement(train: &Train, tips: &Tips, built: &Built, inputs: Vec<Input>) -> Statement {
    let statement = &built.statement;
    let predicate = Predicate::Gate(Gate {
        verifier: train.home.builder.clone(),
        resource: train.resource(&format!("refs/heads/{}", tips.names.release()), &statement.source.path),
        policy: crate::flow::enforce::configuration_reference(train, tips),
        passed: true,
        levels: vec!["CHARTFLOW_RELEASED".to_owned()],
        configuration: None,
        downloaded: Vec::new(),
    });
    Statement { stage: Stage::Package, source: statement.source.clone(), subject: statement.subject.clone(), inputs, predicate }
}
