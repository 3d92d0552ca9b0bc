//! Reading a `.tgz` that anybody may have made.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// How much of an archive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together (helm: 100 MiB).
    pub total: u64,
    /// Bytes of one file (helm until 4.2: 5 MiB).
    pub file: u64,
    /// How many entries, whatever their kind.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: 100 << 20, file: 5 << 20, entries: 100_000 }
    }
}

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Not a gzip-compressed tar archive, or cut short.
    #[error("not a complete gzip-compressed tar archive")]
    Garbled {
        /// The cause.
        source: io::Error,
    },
    /// A file is too large.
    #[error("{path} is larger than {limit} bytes")]
    FileTooLarge {
        /// The file.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// Everything together is too large.
    #[error("the archive unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Too many entries.
    #[error("the archive holds more than {limit} entries")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// A path that leads elsewhere, is no text, or lies in no directory.
    #[error("{path:?} is not a path below a chart's directory")]
    Path {
        /// The path as it stands in the archive.
        path: String,
    },
    /// A link, device or other special file.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// Two members of one path: readers disagree on which one counts.
    #[error("{path} is there twice")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// Nothing in it.
    #[error("the archive holds no file")]
    Empty,
}

/// A regular file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// The first component of its path.
    pub(super) top: String,
    /// The rest of its path.
    pub(super) path: String,
    /// Seconds since 1970.
    pub(super) modified: u64,
    pub(super) bytes: Vec<u8>,
}

/// Ends with an error instead of silently when more is read than allowed.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= count as u64;
        Ok(count)
    }
}

/// The regular files of an archive in their order, directories left out.
pub(super) fn unpack(bytes: &[u8], limits: Limits) -> Result<Vec<Unpacked>, ArchiveError> {
    let garbled = |source: io::Error| match source.kind() {
        io::ErrorKind::FileTooLarge => ArchiveError::TooLarge { limit: limits.total },
        _ => ArchiveError::Garbled { source },
    };
    // Two blocks for each entry's headers and padding, and the end, come on top of the files themselves.
    let overhead = (limits.entries as u64).saturating_mul(2048).saturating_add(1 << 20);
    let left = limits.total.saturating_add(overhead);
    let mut archive = tar::Archive::new(Bounded { inner: MultiGzDecoder::new(bytes), left });
    let mut files: Vec<Unpacked> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let (mut count, mut total) = (0_usize, 0_u64);
    for entry in archive.entries().map_err(garbled)? {
        let mut entry = entry.map_err(garbled)?;
        count += 1;
        if count > limits.entries {
            return Err(ArchiveError::TooMany { limit: limits.entries });
        }
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        // Old archives mark a directory by nothing but its name's end.
        let named_directory = kind.is_file() && shown.ends_with('/') && entry.size() == 0;
        if kind.is_dir() || named_directory || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        if !(kind.is_file() || kind.is_contiguous()) {
            return Err(ArchiveError::NotAFile { path: shown });
        }
        let modified = entry.header().mtime().map_err(garbled)?;
        let size = entry.size();
        if size > limits.file {
            return Err(ArchiveError::FileTooLarge { path: shown, limit: limits.file });
        }
        total = total.saturating_add(size);
        if total > limits.total {
            return Err(ArchiveError::TooLarge { limit: limits.total });
        }
        let (top, path) = member_path(&entry.path_bytes()).ok_or_else(|| ArchiveError::Path { path: shown.clone() })?;
        if !seen.insert((top.clone(), path.clone())) {
            return Err(ArchiveError::Duplicate { path: shown });
        }
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        entry.read_to_end(&mut content).map_err(garbled)?;
        if content.len() as u64 != size {
            return Err(ArchiveError::Garbled { source: io::Error::from(io::ErrorKind::UnexpectedEof) });
        }
        files.push(Unpacked { top, path, modified, bytes: content });
    }
    // The tar archive ends before the checksum of the gzip stream does.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(garbled)?;
    if files.is_empty() { Err(ArchiveError::Empty) } else { Ok(files) }
}

/// The chart's directory and the path below it. Archives made on Windows may hold `\`, as helm allows.
fn member_path(raw: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(raw).ok()?.replace('\\', "/");
    let mut components = text.strip_prefix("./").unwrap_or(&text).split('/').filter(|c| !matches!(*c, "." | ""));
    let top = components.next()?;
    let rest: Vec<&str> = components.collect();
    let drive = |component: &str| component.len() == 2 && component.ends_with(':');
    let refused = text.starts_with('/')
        || text.chars().any(char::is_control)
        || rest.is_empty()
        || rest.len() > super::super::content::DEPTH_LIMIT * 4
        || top == ".."
        || rest.iter().any(|component| *component == ".." || drive(component));
    (!refused).then(|| (top.to_owned(), rest.join("/")))
}
