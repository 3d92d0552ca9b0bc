//! The file that a rehearsal's private key is kept in.

use std::io::Write as _;
use std::path::Path;

/// Stands above the key, so that the next rehearsal knows what it may overwrite. Readers of PEM skip what is before the
/// block (RFC 7468, section 2).
pub const KEY_NOTE: &str = "The private key of a chartflow rehearsal, which nothing else trusts.";

/// Writes a key, readable for its owner alone.
pub(super) fn write(path: &Path, pem: &str) -> std::io::Result<()> {
    let mut open = std::fs::OpenOptions::new();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    let mut file = open.open(path)?;
    // A file that was there keeps its mode when it is opened.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    write!(file, "{KEY_NOTE}\n{pem}")
}
