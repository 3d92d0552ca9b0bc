//! Writing a file so that it is there whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why a file could not be written; what was there before still is.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written", .path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// Writes a file beside its place and moves it there. Its directory is made when it is missing; a file that holds
/// these bytes already is left alone.
///
/// # Errors
/// [`WriteError`], with nothing changed but a directory that may have been made.
pub fn whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError { path: path.to_owned(), source };
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == bytes.len() as u64) && fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(failed)?;
    let (partial, mut file) = create(path).map_err(failed)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&partial, path));
    if let Err(source) = written {
        // The first failure is the one to tell.
        let _ = fs::remove_file(&partial);
        return Err(failed(source));
    }
    Ok(())
}

/// A new file beside `path`, under a name that nobody has and that is short: `path` may have the longest name there is.
fn create(path: &Path) -> io::Result<(PathBuf, fs::File)> {
    path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    for attempt in 0..100 {
        let partial = path.with_file_name(format!(".chartflow-{}-{attempt}.partial", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Ok(file) => return Ok((partial, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_there_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/file");
        whole(&path, b"one").unwrap();
        whole(&path, b"two").unwrap();
        whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path().join("new")).unwrap().count(), 1, "nothing partial is left");
        // A directory stands where the file should.
        let error = whole(&directory.path().join("new"), b"three").unwrap_err();
        assert!(error.to_string().ends_with("new cannot be written"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing partial is left");
        // A file stands where the directory should.
        assert!(whole(&path.join("below"), b"four").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }
}
