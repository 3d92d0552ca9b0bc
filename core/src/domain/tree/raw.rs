//! Names that are not UTF-8. Git allows them, JSON and chart archives do not.

use std::fmt::Write as _;

use super::Mode;
use crate::domain::digest::TreeId;

/// An entry whose name is not UTF-8. It is carried along byte for byte, but is never a chart or a file of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// The name's bytes: one path component.
    pub name: Vec<u8>,
    /// What it is.
    pub mode: Mode,
    /// The object id in hexadecimal digits.
    pub id: String,
}

impl RawEntry {
    /// The name for people; see [`shown`].
    #[must_use]
    pub fn shown(&self) -> String {
        shown(&self.name)
    }

    /// The id of the directory, when this entry is one.
    #[must_use]
    pub fn as_tree(&self) -> Option<TreeId> {
        (self.mode == Mode::Directory).then(|| TreeId::new(self.id.clone()).ok()).flatten()
    }
}

/// A name as people read it: bytes that are no UTF-8, control characters and backslashes are escaped as in Rust
/// (`caf\xe9`), so two names never look the same.
#[must_use]
pub fn shown(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_unmistakably() {
        assert_eq!(shown(b"caf\xe9.txt"), r"caf\xe9.txt");
        assert_eq!(shown("é\u{1b}[31m".as_bytes()), r"é\u{1b}[31m");
        assert_eq!(shown(br"caf\xe9.txt"), r"caf\\xe9.txt");
    }
}
