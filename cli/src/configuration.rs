//! The configuration at a commit, which must be one that the train can use.

use chartflow_core::domain::branch::Names;
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, ReadConfiguration, line_of};
use chartflow_core::domain::detection::Globs;
use chartflow_core::domain::digest::CommitId;
use chartflow_core::flow::detect::DetectError;
use chartflow_core::io::git::{LocalRepository, ready};
use chartflow_core::port::objects::{ObjectError, Objects};

use crate::error::{CommandError, Kind};

/// What .chartflow.yaml says at a commit; `None` when there is none.
pub(crate) fn configuration(repository: &LocalRepository, commit: &CommitId) -> Result<Option<ReadConfiguration>, CommandError> {
    let bytes = now(async {
        let tree = repository.tree(&repository.commit(commit).await?.tree).await?;
        let blob = tree.get(CONFIGURATION_FILE).and_then(|entry| entry.as_blob());
        match blob {
            Some(blob) => repository.blob(&blob, 1 << 20).await.map(Some),
            None => Ok::<_, ObjectError>(None),
        }
    })?
    .map_err(|source| DetectError::Objects { source })?;
    Ok(bytes.map(|bytes| ReadConfiguration::read(&bytes)).transpose()?)
}

/// The names and globs that a configuration gives: names of which no two collide, globs that lead somewhere.
pub(crate) fn usable(read: &ReadConfiguration) -> Result<(Names, Globs), CommandError> {
    let globs = Globs::new(&read.configuration.charts)?;
    let names = Names::new(&read.configuration);
    match names.collisions().as_slice() {
        [] => Ok((names, globs)),
        [first, ..] => {
            let line = line_of(&read.bytes, first.key).map(|line| format!(":{line}")).unwrap_or_default();
            Err(CommandError::new(Kind::Request, format!("{CONFIGURATION_FILE}{line}: {first}")).hint(first.hint()))
        }
    }
}

/// Reads of a local repository happen within the call.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    ready(future).ok_or_else(|| CommandError::new(Kind::Bug, "reading a local repository had to wait"))
}
