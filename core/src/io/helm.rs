//! The real helm as a child process.
//!
//! It runs on contributed content, so it gets an empty environment, an empty home and a copy of the chart's files, and
//! nothing in that copy leads out of it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::domain::content::{File, Files};
use crate::domain::names::RepoPath;
use crate::domain::tree::Mode;
use crate::port::helm::{Helm, HelmError, LintOutput};

/// Output beyond this is dropped.
const OUTPUT_LIMIT: usize = 1 << 20;
/// Long enough for the largest charts, short enough for a job.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The helm on this machine, or none.
#[derive(Debug, Clone)]
pub struct HelmBinary {
    program: Option<PathBuf>,
    timeout: Duration,
    /// Where its files are laid out; the machine's place for temporary files where absent.
    directory: Option<PathBuf>,
}

impl HelmBinary {
    /// Looks for `helm` in the directories of a `PATH`.
    #[must_use]
    pub fn find(path: Option<&OsStr>) -> Self {
        let directories = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
        let program =
            directories.into_iter().filter(|directory| directory.is_absolute()).map(|directory| directory.join("helm")).find(|program| is_program(program));
        Self { program, timeout: TIMEOUT, directory: None }
    }

    /// With another limit than two minutes.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With another place for its files: an image made from nothing has no `/tmp`.
    #[must_use]
    pub fn in_directory(mut self, directory: PathBuf) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Whether there is a helm.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.program.is_some()
    }

    fn temporary_directory(&self) -> Result<tempfile::TempDir, HelmError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("chartflow-helm-");
        let made = self.directory.as_deref().map_or_else(|| builder.tempdir(), |directory| builder.tempdir_in(directory));
        made.map_err(|source| HelmError::Run { source })
    }

    async fn run(&self, directory: &Path, arguments: &[&str]) -> Result<(bool, String), HelmError> {
        let run = |source| HelmError::Run { source };
        let program = self.program.as_ref().ok_or_else(|| run(io::Error::new(io::ErrorKind::NotFound, "there is no helm on the PATH")))?;
        let home = directory.join(".home");
        std::fs::create_dir_all(&home).map_err(run)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(directory).env_clear().env("HOME", &home).env("TMPDIR", &home);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().map_err(run)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let finished = async {
            let (stdout, stderr) = tokio::join!(read_limited(stdout), read_limited(stderr));
            let status = child.wait().await?;
            if status.code().is_none() {
                return Err(io::Error::other(format!("it was ended: {status}")));
            }
            Ok::<_, io::Error>((status.success(), format!("{}{}", stdout?, stderr?)))
        };
        // The child is killed when it is dropped.
        let (success, text) =
            tokio::time::timeout(self.timeout, finished).await.map_err(|_| HelmError::Timeout { seconds: self.timeout.as_secs() })?.map_err(run)?;
        Ok((success, without_directory(&text, directory)))
    }
}

#[async_trait]
impl Helm for HelmBinary {
    async fn version(&self) -> Result<Option<String>, HelmError> {
        if self.program.is_none() {
            return Ok(None);
        }
        let directory = self.temporary_directory()?;
        let (success, text) = self.run(directory.path(), &["version", "--short"]).await?;
        let version = text.trim();
        if success && !version.is_empty() {
            Ok(Some(version.to_owned()))
        } else {
            Err(HelmError::Run { source: io::Error::other(format!("helm version: {version}")) })
        }
    }

    async fn lint(&self, chart: &str, files: &Files) -> Result<LintOutput, HelmError> {
        let directory = self.temporary_directory()?;
        if chart.contains('/') || RepoPath::new(chart).is_err() || chart.starts_with(['.', '-']) {
            return Err(HelmError::Content { source: invalid(format!("{chart:?} cannot be the name of a directory")) });
        }
        write_files(&directory.path().join(chart), files).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidInput => HelmError::Content { source },
            _ => HelmError::Run { source },
        })?;
        let (success, text) = self.run(directory.path(), &["lint", chart]).await?;
        Ok(LintOutput { success, text })
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn invalid(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, problem)
}

async fn read_limited<R: AsyncRead + Unpin>(stream: Option<R>) -> io::Result<String> {
    let mut kept = Vec::new();
    if let Some(mut stream) = stream {
        let mut buffer = [0; 8192];
        loop {
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            let room = OUTPUT_LIMIT.saturating_sub(kept.len());
            kept.extend_from_slice(buffer.get(..read.min(room)).unwrap_or_default());
        }
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// Helm names files by where they are on disk; what is left are paths that begin with the chart's name.
fn without_directory(text: &str, directory: &Path) -> String {
    let real = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    [real.as_path(), directory].iter().fold(text.to_owned(), |text, directory| text.replace(&format!("{}/", directory.display()), ""))
}

fn write_files(top: &Path, files: &Files) -> io::Result<()> {
    std::fs::create_dir_all(top)?;
    let links = |file: &File| file.mode == Mode::Symlink;
    for (path, file) in files.iter().filter(|(_, file)| !links(file)).chain(files.iter().filter(|(_, file)| links(file))) {
        RepoPath::new(path).map_err(|error| invalid(error.to_string()))?;
        let at = top.join(path);
        if let Some(parent) = at.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match file.mode {
            Mode::File | Mode::Executable => std::fs::write(&at, &file.bytes)?,
            Mode::Symlink => std::os::unix::fs::symlink(link_target(path, file)?, &at)?,
            Mode::Directory | Mode::Submodule => return Err(invalid(format!("{path} is not a file"))),
        }
    }
    Ok(())
}

/// The target of a link that stays within the chart: `..` only at its beginning and not further up than the chart, so
/// that no other link on the way can lead it out.
fn link_target<'a>(path: &str, file: &'a File) -> io::Result<&'a str> {
    let leads_out = || invalid(format!("{path} is a symbolic link that leads out of the chart"));
    let target = std::str::from_utf8(&file.bytes).map_err(|_| leads_out())?;
    let depth = path.matches('/').count();
    let up = target.split('/').take_while(|component| *component == "..").count();
    let rest_goes_up = target.split('/').skip(up).any(|component| component == "..");
    if target.is_empty() || target.starts_with('/') || target.contains('\0') || up > depth || rest_goes_up {
        return Err(leads_out());
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A helm that is a shell script.
    fn script(body: &str) -> (tempfile::TempDir, HelmBinary) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("helm");
        std::fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let helm = HelmBinary::find(Some(directory.path().as_os_str()));
        assert!(helm.is_present());
        (directory, helm)
    }

    fn files() -> Files {
        let mut files = Files::new();
        files.insert("Chart.yaml", "name: a\n");
        files.insert("templates/a.yaml", "x");
        files
    }

    #[tokio::test]
    async fn without_helm_there_is_no_version() {
        let empty = tempfile::tempdir().unwrap();
        for path in [None, Some(empty.path().as_os_str()), Some(OsStr::new("")), Some(OsStr::new("."))] {
            let helm = HelmBinary::find(path);
            assert!(!helm.is_present() && helm.version().await.unwrap().is_none(), "{path:?}");
            assert!(matches!(helm.lint("a", &files()).await, Err(HelmError::Run { .. })));
        }
    }

    #[tokio::test]
    async fn helm_sees_the_chart_and_nothing_else() {
        // Only built-ins and absolute paths: there is no PATH either.
        let (_directory, helm) = script(
            r#"case $1 in version) echo v9.9.9+g1;; *) echo "$@"; /usr/bin/env | /usr/bin/sort | /bin/sed 's/=.*//' ; echo "$(pwd)/$2/templates/a.yaml: bad" >&2; test -f "$2/templates/a.yaml"; exit 1;; esac"#,
        );
        assert_eq!(helm.version().await.unwrap().as_deref(), Some("v9.9.9+g1"));
        let output = helm.lint("a", &files()).await.unwrap();
        assert!(!output.success);
        // The shell itself sets PWD and what follows it.
        let seen: Vec<&str> = output.text.lines().filter(|line| !matches!(*line, "PWD" | "OLDPWD" | "SHLVL" | "_")).collect();
        assert_eq!(seen, ["lint a", "HOME", "TMPDIR", "a/templates/a.yaml: bad"]);
    }

    #[tokio::test]
    async fn a_helm_that_is_killed_has_found_nothing() {
        let (_directory, helm) = script("kill -9 $$");
        let error = helm.lint("a", &files()).await.unwrap_err();
        assert!(matches!(error, HelmError::Run { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn a_helm_that_hangs_is_stopped() {
        let (_directory, helm) = script("exec /bin/sleep 60");
        let error = helm.with_timeout(Duration::from_millis(200)).lint("a", &files()).await.unwrap_err();
        assert!(matches!(error, HelmError::Timeout { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn endless_output_is_cut() {
        let (_directory, helm) = script("i=0; line=$(/usr/bin/printf '%01000d' 0); while [ $i -lt 3000 ]; do echo $line; i=$((i+1)); done");
        let output = helm.lint("a", &files()).await.unwrap();
        assert!(output.success && output.text.len() == OUTPUT_LIMIT, "{}", output.text.len());
    }

    #[tokio::test]
    async fn names_that_are_no_directory() {
        let (_directory, helm) = script("exit 0");
        for name in ["../a", "", ".", "-f", ".home", "a/b"] {
            assert!(helm.lint(name, &files()).await.is_err(), "{name}");
        }
    }

    #[test]
    fn links_stay_within_the_chart() {
        let check = |path: &str, target: &str| link_target(path, &File { mode: Mode::Symlink, bytes: target.as_bytes().to_vec() }).is_ok();
        for (path, target) in [("a", "b"), ("templates/a", "../b"), ("a/b/c", "../../x/y"), ("a", "./b")] {
            assert!(check(path, target), "{path} -> {target}");
        }
        for (path, target) in [("a", "/etc/passwd"), ("a", "../b"), ("templates/a", "../../b"), ("a", "b/../../c"), ("a", "b/.."), ("a", "")] {
            assert!(!check(path, target), "{path} -> {target}");
        }
        let top = tempfile::tempdir().unwrap();
        let mut files = files();
        files.insert_file("link", File { mode: Mode::Symlink, bytes: b"templates/a.yaml".to_vec() });
        write_files(&top.path().join("a"), &files).unwrap();
        assert_eq!(std::fs::read(top.path().join("a/link")).unwrap(), b"x");
        files.insert_file("out", File { mode: Mode::Symlink, bytes: b"../secret".to_vec() });
        insta::assert_snapshot!(write_files(&top.path().join("b"), &files).unwrap_err(), @"out is a symbolic link that leads out of the chart");
    }
}
