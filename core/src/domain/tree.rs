//! Git tree objects: a directory as git stores it.
//!
//! The content identity of a chart is the id of its tree, so what is written here must be git's own bytes
//! (`git help gitformat-index`, "tree entries"; order as in git's `base_name_compare`).

mod raw;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::{BlobId, CommitId, DigestError, ObjectFormat, TreeId, hexadecimal};
pub use raw::{RawEntry, shown};

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// A regular file.
    #[serde(rename = "100644")]
    File,
    /// A regular file with the executable bit.
    #[serde(rename = "100755")]
    Executable,
    /// A symbolic link; its blob holds the target.
    #[serde(rename = "120000")]
    Symlink,
    /// A directory.
    #[serde(rename = "040000")]
    Directory,
    /// A submodule: the id is a commit of another repository.
    #[serde(rename = "160000")]
    Submodule,
}

impl Mode {
    /// The digits as they stand in a raw tree object (no leading zero).
    #[must_use]
    pub const fn raw(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Directory => "40000",
            Self::Submodule => "160000",
        }
    }

    /// The six digits of the Git Data API and of `git ls-tree`.
    #[must_use]
    pub const fn padded(self) -> &'static str {
        match self {
            Self::Directory => "040000",
            other => other.raw(),
        }
    }

    /// Reads the digits, padded or not. Git has written `100664` in old repositories; it is a regular file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "100644" | "100664" => Some(Self::File),
            "100755" => Some(Self::Executable),
            "120000" => Some(Self::Symlink),
            "40000" | "040000" => Some(Self::Directory),
            "160000" => Some(Self::Submodule),
            _ => None,
        }
    }

    /// `blob`, `tree` or `commit`.
    #[must_use]
    pub const fn object_type(self) -> &'static str {
        match self {
            Self::File | Self::Executable | Self::Symlink => "blob",
            Self::Directory => "tree",
            Self::Submodule => "commit",
        }
    }
}

/// What is wrong with a tree object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The bytes end in the middle of an entry, or an entry has no mode or name.
    #[error("tree object is cut short or garbled at byte {offset}")]
    Garbled {
        /// Where reading stopped.
        offset: usize,
    },
    /// A mode git does not write.
    #[error("tree entry {name:?} has the unknown mode {mode:?}")]
    Mode {
        /// The entry.
        name: String,
        /// Its mode.
        mode: String,
    },
    /// A name that is not UTF-8, where every name has to be.
    #[error("tree entry \"{name}\" has a name that is not UTF-8")]
    NotUtf8 {
        /// The name as [`shown`].
        name: String,
    },
    /// Whoever listed the tree could not give its names byte for byte.
    #[error("a name in tree {tree} is not UTF-8{}, and a listing as text does not tell its bytes", .name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default())]
    Inexact {
        /// The tree's id.
        tree: TreeId,
        /// The name as it was listed, where it can be told.
        name: Option<String>,
    },
    /// A name that no checkout may write.
    #[error("tree entry {name:?} has a name that is not allowed in a tree")]
    Name {
        /// The name.
        name: String,
    },
    /// Entries are out of git's order or stand twice.
    #[error("tree entry {name:?} is out of order or stands twice")]
    Order {
        /// The entry that does not come after the one before it.
        name: String,
    },
    /// An id of the wrong length.
    #[error("tree entry {name:?} has an unusable object id")]
    Id {
        /// The entry.
        name: String,
        /// The cause.
        source: DigestError,
    },
}

/// One entry of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name: one path component.
    pub name: String,
    /// What it is.
    pub mode: Mode,
    /// The object id in hexadecimal digits: of a blob, tree or commit, as the mode says.
    pub id: String,
}

impl Entry {
    /// The id of the directory, when this entry is one.
    #[must_use]
    pub fn as_tree(&self) -> Option<TreeId> {
        (self.mode == Mode::Directory).then(|| TreeId::new(self.id.clone()).ok()).flatten()
    }

    /// The id of the content, when this entry is a file or symbolic link.
    #[must_use]
    pub fn as_blob(&self) -> Option<BlobId> {
        matches!(self.mode, Mode::File | Mode::Executable | Mode::Symlink).then(|| BlobId::new(self.id.clone()).ok()).flatten()
    }

    /// The commit a submodule is at.
    #[must_use]
    pub fn as_submodule(&self) -> Option<CommitId> {
        (self.mode == Mode::Submodule).then(|| CommitId::new(self.id.clone()).ok()).flatten()
    }
}

/// One entry as git orders it: names compare as bytes, with a `/` put behind those of directories.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a [u8],
    mode: Mode,
    id: &'a str,
}

impl<'a> Line<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self { name: entry.name.as_bytes(), mode: entry.mode, id: &entry.id }
    }

    fn raw(entry: &'a RawEntry) -> Self {
        Self { name: &entry.name, mode: entry.mode, id: &entry.id }
    }

    fn order(self, other: Self) -> Ordering {
        let key = |line: Self| line.name.iter().copied().chain((line.mode == Mode::Directory).then_some(b'/'));
        key(self).cmp(key(other))
    }
}

/// A directory: entries in git's order, each name once.
///
/// Entries whose names are not UTF-8 stand apart: they belong to the tree and to its id, and nothing looks into them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    entries: Vec<Entry>,
    raw: Vec<RawEntry>,
    /// What kept a listing from being what git holds.
    inexact: Option<Box<TreeError>>,
}

impl Tree {
    /// A tree of these entries, put into git's order.
    ///
    /// # Errors
    /// [`TreeError::Order`] for a name that stands twice, [`TreeError::Name`] for one no checkout may write.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, TreeError> {
        entries.sort_by(|a, b| Line::of(a).order(Line::of(b)));
        let mut names: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TreeError::Order { name: pair[0].to_owned() });
        }
        entries.iter().try_for_each(|e| check_name(e.name.as_bytes()))?;
        Ok(Self { entries, ..Self::default() })
    }

    /// A tree as a server lists it that writes names as text, each entry with the digits of its mode as they were listed.
    /// Where that does not make the tree's id, some name is not what git holds: the tree can be looked into, but not be
    /// rebuilt, and names with replacement characters count as not UTF-8.
    ///
    /// # Errors
    /// As [`Tree::new`].
    pub fn listed(entries: Vec<(String, Entry)>, id: &TreeId) -> Result<Self, TreeError> {
        let modes: BTreeMap<String, String> = entries.iter().map(|(digits, entry)| (entry.name.clone(), digits.trim_start_matches('0').to_owned())).collect();
        let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
        let format = if id.as_str().len() == 2 * ObjectFormat::Sha256.raw_length() { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
        if let Ok(tree) = Self::new(entries.clone()) {
            let listed = |entry: &Entry| modes.get(&entry.name).cloned();
            if tree.encode_with(format, listed).is_ok_and(|raw| hex::encode(format.hash("tree", &raw)) == id.as_str()) {
                return Ok(tree);
            }
        }
        // Of two names that became the same text both stay.
        let (garbled, entries): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.name.contains(char::REPLACEMENT_CHARACTER));
        let inexact = TreeError::Inexact { tree: id.clone(), name: garbled.first().map(|entry| shown(entry.name.as_bytes())) };
        let raw = garbled.into_iter().map(|Entry { name, mode, id }| RawEntry { name: name.into_bytes(), mode, id }).collect();
        Ok(Self { raw, inexact: Some(Box::new(inexact)), ..Self::new(entries)? })
    }

    /// The entries in git's order, but for those of [`Tree::raw_entries`].
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries whose names are not UTF-8, in git's order.
    #[must_use]
    pub fn raw_entries(&self) -> &[RawEntry] {
        &self.raw
    }

    /// All entries of a tree that may hold UTF-8 names alone, as a chart's may.
    ///
    /// # Errors
    /// [`TreeError::NotUtf8`] for another name.
    pub fn utf8_entries(&self) -> Result<&[Entry], TreeError> {
        match self.raw.first() {
            Some(entry) => Err(TreeError::NotUtf8 { name: entry.shown() }),
            None => Ok(&self.entries),
        }
    }

    /// That the tree is known byte for byte, so that it can be compared and rebuilt.
    ///
    /// # Errors
    /// [`TreeError::Inexact`].
    pub fn exact(&self) -> Result<(), TreeError> {
        self.inexact.as_deref().cloned().map_or(Ok(()), Err)
    }

    /// The entry of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.name == name)
    }

    /// This tree with the entry of that name replaced, added, or (with `None`) removed.
    #[must_use]
    pub fn with(&self, name: &str, entry: Option<(Mode, String)>) -> Self {
        let mut entries: Vec<Entry> = self.entries.iter().filter(|e| e.name != name).cloned().collect();
        if let Some((mode, id)) = entry {
            entries.push(Entry { name: name.to_owned(), mode, id });
        }
        entries.sort_by(|a, b| Line::of(a).order(Line::of(b)));
        Self { entries, raw: self.raw.clone(), inexact: self.inexact.clone() }
    }

    /// Reads a raw tree object (without its `tree <length>\0` header).
    ///
    /// # Errors
    /// Whatever git's own `fsck` would call an error: bad modes, names, order, length.
    pub fn parse(raw: &[u8], format: ObjectFormat) -> Result<Self, TreeError> {
        let mut tree = Self::default();
        let mut last: Option<Line<'_>> = None;
        let mut offset = 0;
        while offset < raw.len() {
            let rest = raw.get(offset..).unwrap_or_default();
            let garbled = || TreeError::Garbled { offset };
            let space = rest.iter().position(|&b| b == b' ').ok_or_else(garbled)?;
            let nul = rest.iter().position(|&b| b == 0).filter(|&nul| nul > space + 1).ok_or_else(garbled)?;
            let id = hexadecimal(rest.get(nul + 1..nul + 1 + format.raw_length()).ok_or_else(garbled)?);
            let name = &rest[space + 1..nul];
            let digits = String::from_utf8_lossy(&rest[..space]);
            let mode = Mode::parse(&digits).ok_or_else(|| TreeError::Mode { name: shown(name), mode: digits.into_owned() })?;
            check_name(name)?;
            let line = Line { name, mode, id: "" };
            if last.is_some_and(|last| last.order(line) != Ordering::Less || last.name == name) {
                return Err(TreeError::Order { name: shown(name) });
            }
            last = Some(line);
            match std::str::from_utf8(name) {
                Ok(name) => tree.entries.push(Entry { name: name.to_owned(), mode, id }),
                Err(_) => tree.raw.push(RawEntry { name: name.to_vec(), mode, id }),
            }
            offset += nul + 1 + format.raw_length();
        }
        Ok(tree)
    }

    /// The raw tree object (without its header).
    ///
    /// # Errors
    /// [`TreeError::Id`] for an id that has not the length of the format, [`TreeError::Inexact`] for a tree whose names are
    /// not known byte for byte.
    pub fn encode(&self, format: ObjectFormat) -> Result<Vec<u8>, TreeError> {
        self.exact()?;
        self.encode_with(format, |_| None)
    }

    /// `digits` gives the mode of an entry where it is to be written otherwise than [`Mode::raw`].
    fn encode_with(&self, format: ObjectFormat, digits: impl Fn(&Entry) -> Option<String>) -> Result<Vec<u8>, TreeError> {
        let named = self.entries.iter().map(|entry| (Line::of(entry), digits(entry)));
        let mut lines: Vec<(Line<'_>, Option<String>)> = named.chain(self.raw.iter().map(|entry| (Line::raw(entry), None))).collect();
        lines.sort_by(|(a, _), (b, _)| a.order(*b));
        let mut raw = Vec::new();
        for (line, digits) in lines {
            let bad = || TreeError::Id {
                name: shown(line.name),
                source: DigestError { value: line.id.to_owned(), expected: "object id of this repository's format" },
            };
            let id = hex::decode(line.id).map_err(|_| bad())?;
            if id.len() != format.raw_length() {
                return Err(bad());
            }
            raw.extend_from_slice(digits.as_deref().unwrap_or(line.mode.raw()).as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(line.name);
            raw.push(0);
            raw.extend_from_slice(&id);
        }
        Ok(raw)
    }

    /// The id of this tree.
    ///
    /// # Errors
    /// As [`Tree::encode`].
    pub fn id(&self, format: ObjectFormat) -> Result<TreeId, TreeError> {
        let raw = self.encode(format)?;
        TreeId::from_raw(&format.hash("tree", &raw)).map_err(|source| TreeError::Id { name: String::new(), source })
    }
}

fn check_name(name: &[u8]) -> Result<(), TreeError> {
    if matches!(name, b"" | b"." | b"..") || name.eq_ignore_ascii_case(b".git") || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
        return Err(TreeError::Name { name: shown(name) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, mode: Mode) -> Entry {
        Entry { name: name.to_owned(), mode, id: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".to_owned() }
    }

    #[test]
    fn directories_sort_as_if_a_slash_followed() {
        let tree = Tree::new(vec![entry("a", Mode::Directory), entry("a.b", Mode::File), entry("a0", Mode::File)]).unwrap();
        assert_eq!(tree.entries().iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a.b", "a", "a0"]);
    }

    #[test]
    fn refuses_what_fsck_refuses() {
        let raw = |parts: &[(&str, &str)]| {
            let mut out = Vec::new();
            for (mode, name) in parts {
                out.extend_from_slice(format!("{mode} {name}\0").as_bytes());
                out.extend_from_slice(&[7; 20]);
            }
            out
        };
        let check = |raw: &[u8]| Tree::parse(raw, ObjectFormat::Sha1).map(|_| ()).unwrap_err().to_string();
        insta::assert_snapshot!(check(&raw(&[("100644", "..")])), @r#"tree entry ".." has a name that is not allowed in a tree"#);
        insta::assert_snapshot!(check(&raw(&[("100644", "b"), ("100644", "a")])), @r#"tree entry "a" is out of order or stands twice"#);
        insta::assert_snapshot!(check(&raw(&[("100644", "b"), ("100644", "b")])), @r#"tree entry "b" is out of order or stands twice"#);
        insta::assert_snapshot!(check(&raw(&[("777", "a")])), @r#"tree entry "a" has the unknown mode "777""#);
        insta::assert_snapshot!(check(&raw(&[("100644", "a")])[..10]), @"tree object is cut short or garbled at byte 0");
        insta::assert_snapshot!(check(b"100644 \xff\0aaaaaaaaaaaaaaaaaaaa100644 \xfe\0aaaaaaaaaaaaaaaaaaaa"), @r#"tree entry "\\xfe" is out of order or stands twice"#);
        assert!(Tree::new(vec![entry("a", Mode::File), entry("a", Mode::Directory)]).is_err());
    }

    const LATIN: &[u8] = b"100644 a\0aaaaaaaaaaaaaaaaaaaa40000 caf\xe9\0aaaaaaaaaaaaaaaaaaaa100644 d\0aaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn names_that_are_not_utf_8_are_carried_along() {
        let tree = Tree::parse(LATIN, ObjectFormat::Sha1).unwrap();
        assert_eq!(tree.entries().iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a", "d"]);
        assert_eq!(tree.raw_entries().iter().map(RawEntry::shown).collect::<Vec<_>>(), [r"caf\xe9"]);
        assert_eq!(tree.encode(ObjectFormat::Sha1).unwrap(), LATIN);
        let again = tree.with("d", None).with("d", Some((Mode::File, hex::encode(b"aaaaaaaaaaaaaaaaaaaa"))));
        assert_eq!(again.encode(ObjectFormat::Sha1).unwrap(), LATIN);
        insta::assert_snapshot!(tree.utf8_entries().unwrap_err(), @r#"tree entry "caf\xe9" has a name that is not UTF-8"#);
    }

    #[test]
    fn a_listing_as_text_is_believed_as_far_as_its_id_says() {
        let id = "aaaaaaaaaaaaaaaaaaaa".bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let listed = |name: &str, mode: &str| (mode.to_owned(), Entry { name: name.to_owned(), mode: Mode::parse(mode).unwrap(), id: id.clone() });
        let of = |raw: &[u8]| TreeId::from_raw(&ObjectFormat::Sha1.hash("tree", raw)).unwrap();
        let rows = || vec![listed("a", "100644"), listed("caf\u{fffd}", "040000"), listed("d", "100644")];

        let tree = Tree::listed(rows(), &of(LATIN)).unwrap();
        assert_eq!(tree.entries().iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a", "d"]);
        insta::assert_snapshot!(tree.with("a", None).id(ObjectFormat::Sha1).unwrap_err(), @"a name in tree 462d193876a64ccdccf87bca38165b82c0b64af2 is not UTF-8 (caf�), and a listing as text does not tell its bytes");

        // A server may guess an encoding instead.
        let guessed = Tree::listed(vec![listed("café", "040000")], &of(&LATIN[28..56])).unwrap();
        insta::assert_snapshot!(guessed.exact().unwrap_err(), @"a name in tree 0ef8c725fec6af1f1813e61ae467f6203c3cf6d2 is not UTF-8, and a listing as text does not tell its bytes");

        // Two names may become one text.
        let twins = Tree::listed(vec![listed("caf\u{fffd}", "040000"), listed("caf\u{fffd}", "040000")], &of(b"")).unwrap();
        assert_eq!(twins.raw_entries().len(), 2);

        // A replacement character may be what git holds, and so may an old mode.
        let real = Tree::new(rows().into_iter().map(|(_, entry)| entry).collect()).unwrap();
        let read = Tree::listed(rows(), &real.id(ObjectFormat::Sha1).unwrap()).unwrap();
        assert_eq!(read, real);
        let old = b"100664 a\0aaaaaaaaaaaaaaaaaaaa";
        assert!(Tree::listed(vec![listed("a", "100664")], &of(old)).unwrap().exact().is_ok());
    }

    proptest! {
        #[test]
        fn parse_undoes_encode(names in proptest::collection::btree_map("[a-z.]{1,3}[a-z]", 0..5_u8, 0..8)) {
            let modes = [Mode::File, Mode::Executable, Mode::Symlink, Mode::Directory, Mode::Submodule];
            let entries = names.iter().map(|(name, mode)| entry(name, modes[usize::from(*mode)])).collect();
            let tree = Tree::new(entries).unwrap();
            let raw = tree.encode(ObjectFormat::Sha1).unwrap();
            prop_assert_eq!(Tree::parse(&raw, ObjectFormat::Sha1).unwrap(), tree);
        }

        #[test]
        fn parse_never_panics(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Tree::parse(&raw, ObjectFormat::Sha256);
        }
    }
}
