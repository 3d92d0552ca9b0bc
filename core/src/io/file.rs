//! Files of a bounded length.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Where a path leads, if that is below a directory, wherever links on the way lead; `None` where it is not. What is opened
/// afterwards must be this, and not the path: the kernel follows links of which this cannot tell where they end.
///
/// # Errors
/// When that cannot be told: the path, or the directory, does not exist, or is too long when it is spelt out.
pub fn within(top: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let place = path.canonicalize()?;
    Ok(place.starts_with(top.canonicalize()?).then_some(place))
}

/// At most `limit` bytes of a file and one more, so that what is longer can be told from what is not.
///
/// # Errors
/// When the file cannot be read.
pub fn read_at_most(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The same of a regular file: a pipe may never end, and a device is no file that somebody made.
///
/// # Errors
/// When it is no regular file, or cannot be read.
pub fn read_regular(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe waits for whoever writes to it.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    read_at_most(path, limit)
}
