//! The configuration, read as the train reads it, before anything is written.

use chartflow_core::domain::adoption::{Carried, Note};
use chartflow_core::domain::branch::Names;
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, Configuration, ConfigurationError, ReadConfiguration};

use crate::configuration::usable;
use crate::error::{CommandError, Kind};

/// What the file in the work tree says.
pub(super) fn present(bytes: &[u8]) -> Result<Configuration, CommandError> {
    let read = ReadConfiguration::read(bytes)?;
    usable(&read)?;
    Ok(read.configuration)
}

/// What the text says that is to be written. What cannot be used is blamed on the file it was carried over from.
pub(super) fn proposed(text: &str, carried: &Carried) -> Result<Configuration, CommandError> {
    let configuration = match Configuration::read(text.as_bytes()) {
        Ok(configuration) => configuration,
        Err(ConfigurationError::Glob { glob, line }) => {
            let problem = format!("{glob:?} is not a glob of directories below the top of the repository");
            return Err(carried.origin("charts").map_or_else(|| ConfigurationError::Glob { glob, line }.into(), |note| blamed(note, &problem)));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(collision) = Names::new(&configuration).collisions().into_iter().next() else { return Ok(configuration) };
    let named = |key: &&str| collision.key == *key || collision.problem.contains(*key);
    let origin = [collision.key, "branches.main", "branches.release", "tag"].into_iter().filter(named).find_map(|key| carried.origin(key));
    Err(match origin {
        Some(note) => blamed(note, &format!("the train cannot have these names: {collision}")),
        None => CommandError::new(Kind::Request, format!("the train cannot have these names: {collision}"))
            .hint(format!("write {CONFIGURATION_FILE} with other names first; {}", collision.hint())),
    })
}

fn blamed(note: &Note, problem: &str) -> CommandError {
    let Note { file, line, key, .. } = note;
    let write = match key.as_str() {
        "chart-dirs" => "name directories below the top of the repository, such as `chart-dirs: [charts]`",
        "release-name-template" => "write such as \"{{ .Name }}-{{ .Version }}\"",
        _ => "name another branch",
    };
    let hint = format!("{write}; or take the line out, or write {CONFIGURATION_FILE} yourself");
    CommandError::new(Kind::Request, format!("{file}:{line}: {key}: {problem}")).hint(hint)
}
