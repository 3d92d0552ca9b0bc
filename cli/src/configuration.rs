//! The configuration at a commit, which must be one that the train can use.

use chartflow_core::domain::branch::Names;
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, Configuration};
use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::digest::CommitId;
use chartflow_core::flow::detect::DetectError;
use chartflow_core::io::git::{LocalRepository, ready};
use chartflow_core::port::objects::{ObjectError, Objects};

use crate::error::{CommandError, Kind};

/// What .chartflow.yaml says at a commit; `None` when there is none.
pub(crate) fn configuration(repository: &LocalRepository, commit: &CommitId) -> Result<Option<Configuration>, CommandError> {
    let bytes = now(async {
        let tree = repository.tree(&repository.commit(commit).await?.tree).await?;
        let blob = tree.get(CONFIGURATION_FILE).and_then(|entry| entry.as_blob());
        match blob {
            Some(blob) => repository.blob(&blob, 1 << 20).await.map(Some),
            None => Ok::<_, ObjectError>(None),
        }
    })?
    .map_err(|source| DetectError::Objects { source })?;
    Ok(bytes.map(|bytes| Configuration::read(&bytes)).transpose()?)
}

/// The names and globs that a configuration gives: names of which no two collide, globs that lead somewhere.
pub(crate) fn usable(configuration: &Configuration) -> Result<(Names, Globs), CommandError> {
    let globs = Globs::new(&configuration.charts)?;
    let names = Names::new(configuration);
    match names.collisions().as_slice() {
        [] => Ok((names, globs)),
        [first, ..] => Err(CommandError::new(Kind::Request, format!("{CONFIGURATION_FILE}: {first}")).hint("choose another name for one of them")),
    }
}

/// Reads of a local repository happen within the call.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    ready(future).ok_or_else(|| CommandError::new(Kind::Bug, "reading a local repository had to wait"))
}
