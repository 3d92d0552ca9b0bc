//! Files of a bounded length.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// At most `limit` bytes of a file and one more, so that what is longer can be told from what is not.
///
/// # Errors
/// When the file cannot be read.
pub fn read_at_most(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
