//! The one harness of the black-box tests: an empty directory, an empty environment, and what a command did as text.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part of it, and a test fails by panicking")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A place to run commands in.
#[derive(Debug)]
pub(crate) struct TestEnvironment {
    top: tempfile::TempDir,
}

/// What a command did, with the directory of the test as `$TOP`.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: Option<i32>,
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "-- stderr\n{}", self.stderr)?;
        }
        match self.exit {
            Some(code) => write!(f, "-- exit {code}"),
            None => write!(f, "-- killed"),
        }
    }
}

impl TestEnvironment {
    #[allow(clippy::new_without_default, reason = "a directory is made, which a default should not do")]
    pub(crate) fn new() -> Self {
        Self { top: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        if below.is_empty() { self.top.path().canonicalize().unwrap() } else { self.top.path().canonicalize().unwrap().join(below) }
    }

    /// A program below the test's directory, in an environment with nothing in it.
    pub(crate) fn command(&self, program: &str, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().env("HOME", self.path("")).stdin(Stdio::null());
        // Only git needs it, to find its own programs.
        // What a command says must not depend on whether this machine has a helm.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let without_helm = std::env::join_paths(std::env::split_paths(&path).filter(|directory| !directory.join("helm").exists())).unwrap_or_default();
        command.env("PATH", without_helm);
        command
    }

    /// Runs chartflow in a directory below the test's.
    pub(crate) fn chartflow(&self, directory: &str, arguments: &[&str]) -> Ran {
        self.chartflow_with(directory, arguments, &[])
    }

    /// The same with variables of the environment.
    pub(crate) fn chartflow_with(&self, directory: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = self.command(env!("CARGO_BIN_EXE_chartflow"), &self.path(directory));
        let output = command.args(arguments).envs(variables.iter().copied()).output().unwrap();
        self.ran(&output)
    }

    /// Runs git, which must succeed, in a directory below the test's, with fixed names and dates and no configuration.
    pub(crate) fn git(&self, directory: &str, arguments: &[&str], input: &[u8]) -> String {
        let at = self.path(directory);
        std::fs::create_dir_all(&at).unwrap();
        let mut command = self.command("git", &at);
        command.args(arguments).env("GIT_CONFIG_NOSYSTEM", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "A").env(format!("GIT_{who}_EMAIL"), "a@example.com").env(format!("GIT_{who}_DATE"), "1700000000 +0000");
        }
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Writes files below a directory; commits everything there; the commit.
    pub(crate) fn commit(&self, directory: &str, files: &[(&str, &str)], message: &str) -> String {
        if !self.path(directory).join(".git").exists() {
            self.git(directory, &["init", "-q", "-b", "main", "--template="], b"");
        }
        for (path, content) in files {
            let at = self.path(directory).join(path);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, content).unwrap();
        }
        self.git(directory, &["add", "-A"], b"");
        self.git(directory, &["commit", "-q", "--allow-empty", "-m", message], b"");
        self.git(directory, &["rev-parse", "HEAD"], b"")
    }

    fn ran(&self, output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(self.path("").to_str().unwrap(), "$TOP");
        Ran { stdout: text(&output.stdout), stderr: text(&output.stderr), exit: output.status.code() }
    }
}
