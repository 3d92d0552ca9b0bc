//! A plain directory of charts as the contribution of a rehearsal.

use std::path::Path;
use std::process::Command;

use chartflow_core::domain::configuration::Configuration;
use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::digest::{CommitId, TreeId};
use chartflow_core::flow::adoption;
use chartflow_core::flow::compose::EMPTY_TREE;
use chartflow_core::flow::detect::{DetectError, named};
use chartflow_core::flow::listing::{file, listing};
use chartflow_core::io::git::LocalRepository;
use chartflow_core::port::objects::Objects;

use super::RehearsalError;
use super::adopt::{CONFIGURATION, world};
use super::world::CONTRIBUTOR;
use crate::github::Hub;

/// Imports a directory as two commits: one of the files outside charts, which ride no train, and on it one that brings the
/// charts.
pub(super) async fn directory(path: &Path, hub: &Hub) -> Result<(CommitId, CommitId), RehearsalError> {
    let index = hub.git_directory().join("import-index");
    let git = Git { path, hub, index: &index };
    git.run(&["add", "-A", "-f", "."])?;
    let tree = git.run(&["write-tree"])?;
    let charts = charts(hub, &tree).await?;
    if !charts.is_empty() {
        git.run(&[&["rm", "-r", "-f", "-q", "--cached", "--"][..], &charts.iter().map(String::as_str).collect::<Vec<_>>()].concat())?;
    }
    let outside = git.run(&["write-tree"])?;
    let base = git.run(&["commit-tree", "-m", "chore: start", &outside])?;
    let head = git.run(&["commit-tree", "-p", &base, "-m", "feat: import charts", &tree])?;
    std::fs::remove_file(&index).map_err(RehearsalError::file(&index, "removing the index"))?;
    let id = |text: String| CommitId::new(text).map_err(world("git's answer"));
    Ok((id(base)?, id(head)?))
}

/// The paths of the charts in a tree.
async fn charts(hub: &Hub, tree: &str) -> Result<Vec<String>, RehearsalError> {
    let objects = LocalRepository::open(hub.git_directory())?;
    let root = TreeId::new(tree).map_err(world("git's answer"))?;
    let bytes = file(&objects, &root, CONFIGURATION, 1 << 20).await?.unwrap_or_default();
    let configured = Configuration::read(&bytes).map_err(world("the directory's configuration"))?.charts;
    let globs = adoption::globs(&objects, std::slice::from_ref(&root), &configured).await?.globs;
    let empty = TreeId::new(EMPTY_TREE).map_err(world("git's empty tree"))?;
    let patterns = Globs::new(&globs).map_err(world("the directory's globs"))?;
    named(&objects, &empty, &root, &patterns).await.map_err(|error| match error {
        DetectError::Objects { source } => RehearsalError::Object { source },
        error => world("looking for charts")(error),
    })?;
    let mut charts = Vec::new();
    for (path, tree) in listing(&objects, &root, &patterns).await? {
        if objects.tree(&tree).await?.get("Chart.yaml").is_some() {
            charts.push(path.to_string());
        }
    }
    Ok(charts)
}

/// git, on the embedded repository and the user's directory, untouched by anybody's configuration.
struct Git<'a> {
    path: &'a Path,
    hub: &'a Hub,
    index: &'a Path,
}

impl Git<'_> {
    fn run(&self, arguments: &[&str]) -> Result<String, RehearsalError> {
        let output = Command::new("git")
            .args(["-c", "core.autocrlf=false", "-c", "core.fileMode=true", "-c", "core.symlinks=true"])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_DIR", self.hub.git_directory())
            .env("GIT_WORK_TREE", self.path)
            .env("GIT_INDEX_FILE", self.index)
            .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, CONTRIBUTOR)))
            .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "contributor@example.com")))
            .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, "1767225600 +0000")))
            .current_dir(self.path)
            .output()
            .map_err(RehearsalError::file(self.path, "running git"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(RehearsalError::GitProgram {
            command: arguments.first().copied().unwrap_or_default().to_owned(),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}
