//! A chart's directory on the local disk.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::domain::chart::CHART_FILE;
use crate::domain::content::{CONTENT_LIMIT, DEPTH_LIMIT, File, Files};
use crate::domain::package::ignore::{IGNORE_FILE, IgnoreRules};
use crate::domain::package::{NODE_LIMIT, declared, dependency_path};
use crate::domain::tree::Mode;

/// Why a directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChartDirectoryError {
    /// There is nothing at the path.
    #[error("{} does not exist", .path.display())]
    Absent {
        /// The path.
        path: PathBuf,
    },
    /// The path is something else.
    #[error("{} is not a directory", .path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A name that is not UTF-8: neither git's API nor an archive's readers agree on what it means.
    #[error("{} is not a name in UTF-8; rename it", .path.display())]
    Encoding {
        /// The path.
        path: PathBuf,
    },
    /// A device, pipe or socket.
    #[error("{} is neither a file, a directory nor a symbolic link", .path.display())]
    Special {
        /// The path.
        path: PathBuf,
    },
    /// Directories nested too deep.
    #[error("{} lies more than {limit} directories deep", .path.display())]
    Depth {
        /// The path.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// Too many bytes.
    #[error("{} holds more than {limit} bytes", .path.display())]
    TooLarge {
        /// The directory.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// Too many files and directories.
    #[error("{} holds more than {limit} files and directories", .path.display())]
    TooMany {
        /// The directory.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
}

/// The files below a directory as git would hold them: regular files with their executable bit, symbolic links with
/// their targets (not followed), and nothing that is called `.git`.
///
/// # Errors
/// See [`ChartDirectoryError`].
pub fn read(directory: &Path) -> Result<Files, ChartDirectoryError> {
    Ok(contents(directory)?.files)
}

/// What is in a directory.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The files as git would hold them: see [`read`].
    pub files: Files,
    /// What is called `.git` and therefore not among them, and whether it is a directory.
    pub left_out: BTreeMap<String, bool>,
}

impl Contents {
    /// The first path that helm would package although no git tree can hold it.
    #[must_use]
    pub fn helm_alone_packages(&self) -> Option<&str> {
        let rules = self.files.bytes(IGNORE_FILE).and_then(|bytes| IgnoreRules::parse(bytes).ok()).unwrap_or_default();
        let stays_out = |path: &str, is_directory| {
            let above = path.match_indices('/').any(|(at, _)| rules.ignores(&path[..at], true));
            // Of what lies in charts, helm passes over names that begin with a dot.
            above || rules.ignores(path, is_directory) || path.strip_prefix("charts/").is_some_and(|name| !name.contains('/'))
        };
        self.left_out
            .iter()
            .map(|(path, is_directory)| (path.as_str(), *is_directory))
            .find(|(path, is_directory)| !stays_out(path, *is_directory))
            .map(|(path, _)| path)
    }
}

/// The same as [`read`], and what it leaves out.
///
/// # Errors
/// See [`ChartDirectoryError`].
pub fn contents(directory: &Path) -> Result<Contents, ChartDirectoryError> {
    let failed = |source| ChartDirectoryError::Read { path: directory.to_owned(), source };
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(ChartDirectoryError::NotADirectory { path: directory.to_owned() }),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(ChartDirectoryError::Absent { path: directory.to_owned() });
        }
        Err(error) => return Err(failed(error)),
    }
    let mut reader = Reader { top: directory, files: Files::new(), left_out: BTreeMap::new(), bytes: CONTENT_LIMIT, nodes: NODE_LIMIT };
    reader.descend(directory, "", 1)?;
    Ok(Contents { files: reader.files, left_out: reader.left_out })
}

struct Reader<'a> {
    top: &'a Path,
    files: Files,
    left_out: BTreeMap<String, bool>,
    /// What is left of the limits.
    bytes: u64,
    nodes: usize,
}

impl Reader<'_> {
    fn descend(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), ChartDirectoryError> {
        if depth > DEPTH_LIMIT {
            return Err(ChartDirectoryError::Depth { path: directory.to_owned(), limit: DEPTH_LIMIT });
        }
        let failed = |path: &Path, source| ChartDirectoryError::Read { path: path.to_owned(), source };
        for entry in fs::read_dir(directory).map_err(|source| failed(directory, source))? {
            let entry = entry.map_err(|source| failed(directory, source))?;
            let path = entry.path();
            self.nodes = self.nodes.checked_sub(1).ok_or_else(|| ChartDirectoryError::TooMany { path: self.top.to_owned(), limit: NODE_LIMIT })?;
            let name = entry.file_name().into_string().map_err(|_| ChartDirectoryError::Encoding { path: path.clone() })?;
            if name.eq_ignore_ascii_case(".git") {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                self.left_out.insert(format!("{prefix}{name}"), is_directory);
                continue;
            }
            let relative = format!("{prefix}{name}");
            let metadata = fs::symlink_metadata(&path).map_err(|source| failed(&path, source))?;
            if metadata.is_dir() {
                self.descend(&path, &format!("{relative}/"), depth + 1)?;
            } else if metadata.is_symlink() {
                let target = fs::read_link(&path).map_err(|source| failed(&path, source))?;
                let target = target.into_os_string().into_string().map_err(|_| ChartDirectoryError::Encoding { path: path.clone() })?;
                self.files.insert_file(relative, File { mode: Mode::Symlink, bytes: target.into_bytes() });
            } else if metadata.is_file() {
                let bytes = self.file(&path).map_err(|source| failed(&path, source))?;
                self.bytes = self
                    .bytes
                    .checked_sub(bytes.len() as u64)
                    .ok_or_else(|| ChartDirectoryError::TooLarge { path: self.top.to_owned(), limit: CONTENT_LIMIT })?;
                self.files.insert_file(relative, File { mode: mode(&metadata), bytes });
            } else {
                return Err(ChartDirectoryError::Special { path });
            }
        }
        Ok(())
    }

    /// The file's bytes, one more than allowed at most.
    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(self.bytes + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The files of a chart's `file://` dependencies, and of theirs, by [`dependency_path`] from `path`, which is what the chart's
/// directory is called. Dependencies that lead to no chart are left out.
///
/// # Errors
/// See [`ChartDirectoryError`].
pub fn dependencies(directory: &Path, path: &str, files: &Files) -> Result<BTreeMap<String, Files>, ChartDirectoryError> {
    let mut found = BTreeMap::new();
    let mut open = vec![(directory.to_owned(), path.to_owned(), files.clone())];
    while let Some((directory, path, files)) = open.pop() {
        for dependency in declared(&path, &files) {
            let (Some(relative), Some(at)) = (dependency.local_path(), dependency_path(&path, &dependency)) else { continue };
            let below = directory.join(relative);
            // Charts that contain each other are read once each.
            if found.contains_key(&at) || !below.join(CHART_FILE).is_file() {
                continue;
            }
            let files = read(&below)?;
            found.insert(at.clone(), files.clone());
            open.push((below, at, files));
        }
    }
    Ok(found)
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> Mode {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o100 == 0 { Mode::File } else { Mode::Executable }
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> Mode {
    Mode::File
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_directory_is_read_as_git_would() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::create_dir_all(top.join(".git")).unwrap();
        fs::write(top.join(".git/config"), "no content").unwrap();
        fs::write(top.join("a/b/run.sh"), "x").unwrap();
        fs::set_permissions(top.join("a/b/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(top.join("Chart.yaml"), "name: a\n").unwrap();
        symlink("../Chart.yaml", top.join("a/link")).unwrap();
        symlink("/nowhere", top.join("dangling")).unwrap();
        let files = read(top).unwrap();
        let list: Vec<String> = files.iter().map(|(path, file)| format!("{} {path}", file.mode.padded())).collect();
        assert_eq!(list, ["100644 Chart.yaml", "100755 a/b/run.sh", "120000 a/link", "120000 dangling"]);
        assert_eq!(files.get("a/link").unwrap().bytes, b"../Chart.yaml");
    }

    #[test]
    fn what_helm_alone_packages() {
        let check = |paths: &[&str], ignored: &str| {
            let directory = tempfile::tempdir().unwrap();
            for path in paths {
                fs::create_dir_all(directory.path().join(path).parent().unwrap()).unwrap();
                fs::write(directory.path().join(path), "x").unwrap();
            }
            fs::write(directory.path().join(".helmignore"), ignored).unwrap();
            let contents = contents(directory.path()).unwrap();
            assert_eq!(contents.files.iter().count(), 1, "{paths:?}");
            contents.helm_alone_packages().map(ToOwned::to_owned)
        };
        let some = |path: &str| Some(path.to_owned());
        assert_eq!(check(&[], ""), None);
        assert_eq!(check(&[".git"], ""), some(".git"));
        assert_eq!(check(&[".git/HEAD", "a/.GIT"], ""), some(".git"));
        assert_eq!(check(&[".git/HEAD", "a/.git"], ".git/\n"), some("a/.git"));
        assert_eq!(check(&[".git/HEAD", "a/.git"], ".git\n"), None);
        assert_eq!(check(&["a/b/.git"], "a/\n"), None);
        assert_eq!(check(&["templates/.git", "charts/.git/HEAD"], ""), None);
        assert_eq!(check(&["charts/b/.git"], ""), some("charts/b/.git"));
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        assert!(matches!(read(&top.join("none")), Err(ChartDirectoryError::Absent { .. })));
        fs::write(top.join("file"), "").unwrap();
        assert!(matches!(read(&top.join("file")), Err(ChartDirectoryError::NotADirectory { .. })));
        fs::write(top.join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
        assert!(matches!(read(top), Err(ChartDirectoryError::Encoding { .. })));
    }

    #[test]
    fn depth_is_limited() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join(["d"; 40].join("/"))).unwrap();
        assert!(matches!(read(directory.path()), Err(ChartDirectoryError::Depth { .. })));
    }

    #[test]
    fn special_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        assert!(matches!(read(directory.path()), Err(ChartDirectoryError::Special { .. })));
    }
}
