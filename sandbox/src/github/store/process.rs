//! The git program, run without the user's configuration and environment.

use std::process::{Command, Output, Stdio};

use super::{Store, StoreError};

/// A git process that sees no configuration but the repository's own.
pub(crate) fn hermetic(git_directory: &std::path::Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear();
    // Where the program and what it needs to start are found; nothing else of the caller's environment matters.
    for name in ["PATH", "SystemRoot", "TMPDIR", "TEMP"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .env("LC_ALL", "C")
        .env("HOME", git_directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        // The repository may belong to another user than the one who runs the rehearsal.
        .args(["-c", "safe.directory=*", "-c", "core.quotePath=false", "-c", "gc.auto=0"])
        .stdin(Stdio::null());
    command
}

impl Store {
    /// Runs `git <command> <arguments>`; `accepted` are the exit codes that are no failure.
    pub(super) fn git(&self, command: &'static str, arguments: &[&str], accepted: &[i32]) -> Result<Output, StoreError> {
        let mut process = hermetic(&self.path);
        process.arg("--git-dir").arg(&self.path).arg(command).args(arguments);
        let output = process.output().map_err(|source| StoreError::NoGit { source })?;
        if output.status.code().is_some_and(|code| accepted.contains(&code)) {
            return Ok(output);
        }
        Err(StoreError::Command { command, output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
    }
}
