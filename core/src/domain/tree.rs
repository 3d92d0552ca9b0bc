//! Git tree objects: a directory as git stores it.
//!
//! The content identity of a chart is the id of its tree, so what is written here must be git's own bytes
//! (`git help gitformat-index`, "tree entries"; order as in git's `base_name_compare`).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::digest::{BlobId, CommitId, DigestError, ObjectFormat, TreeId, hexadecimal};

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
    /// A name that is not UTF-8.
    #[error("tree entry {name:?} has a name that is not UTF-8")]
    NotUtf8 {
        /// The name, with replacement characters.
        name: String,
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

/// Git compares names as bytes, with a `/` put behind the names of directories.
fn git_order(a: (&str, bool), b: (&str, bool)) -> Ordering {
    fn key((name, directory): (&str, bool)) -> impl Iterator<Item = u8> {
        name.bytes().chain(directory.then_some(b'/'))
    }
    key(a).cmp(key(b))
}

/// A directory: entries in git's order, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    /// A tree of these entries, put into git's order.
    ///
    /// # Errors
    /// [`TreeError::Order`] for a name that stands twice, [`TreeError::Name`] for one no checkout may write.
    pub fn new(mut entries: Vec<Entry>) -> Result<Self, TreeError> {
        entries.sort_by(|a, b| git_order((&a.name, a.mode == Mode::Directory), (&b.name, b.mode == Mode::Directory)));
        let mut names: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TreeError::Order { name: pair[0].to_owned() });
        }
        entries.iter().try_for_each(|e| check_name(&e.name))?;
        Ok(Self { entries })
    }

    /// The entries in git's order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
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
        entries.sort_by(|a, b| git_order((&a.name, a.mode == Mode::Directory), (&b.name, b.mode == Mode::Directory)));
        Self { entries }
    }

    /// Reads a raw tree object (without its `tree <length>\0` header).
    ///
    /// # Errors
    /// Whatever git's own `fsck` would call an error: bad modes, names, order, length. Names must be UTF-8.
    pub fn parse(raw: &[u8], format: ObjectFormat) -> Result<Self, TreeError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut offset = 0;
        while offset < raw.len() {
            let rest = raw.get(offset..).unwrap_or_default();
            let garbled = || TreeError::Garbled { offset };
            let space = rest.iter().position(|&b| b == b' ').ok_or_else(garbled)?;
            let nul = rest.iter().position(|&b| b == 0).filter(|&nul| nul > space + 1).ok_or_else(garbled)?;
            let id = rest.get(nul + 1..nul + 1 + format.raw_length()).ok_or_else(garbled)?;
            let name = std::str::from_utf8(&rest[space + 1..nul])
                .map_err(|_| TreeError::NotUtf8 { name: String::from_utf8_lossy(&rest[space + 1..nul]).into_owned() })?
                .to_owned();
            let digits = String::from_utf8_lossy(&rest[..space]);
            let mode = Mode::parse(&digits).ok_or_else(|| TreeError::Mode { name: name.clone(), mode: digits.into_owned() })?;
            check_name(&name)?;
            if let Some(last) = entries.last() {
                let after = git_order((&last.name, last.mode == Mode::Directory), (&name, mode == Mode::Directory)) == Ordering::Less;
                if !after || last.name == name {
                    return Err(TreeError::Order { name });
                }
            }
            entries.push(Entry { name, mode, id: hexadecimal(id) });
            offset += nul + 1 + format.raw_length();
        }
        Ok(Self { entries })
    }

    /// The raw tree object (without its header).
    ///
    /// # Errors
    /// [`TreeError::Id`] for an id that has not the length of the format.
    pub fn encode(&self, format: ObjectFormat) -> Result<Vec<u8>, TreeError> {
        let mut raw = Vec::new();
        for entry in &self.entries {
            let bad = || TreeError::Id {
                name: entry.name.clone(),
                source: DigestError { value: entry.id.clone(), expected: "object id of this repository's format" },
            };
            let id = hex::decode(&entry.id).map_err(|_| bad())?;
            if id.len() != format.raw_length() {
                return Err(bad());
            }
            raw.extend_from_slice(entry.mode.raw().as_bytes());
            raw.push(b' ');
            raw.extend_from_slice(entry.name.as_bytes());
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

fn check_name(name: &str) -> Result<(), TreeError> {
    if name.is_empty() || name == "." || name == ".." || name.eq_ignore_ascii_case(".git") || name.contains(['/', '\0']) {
        return Err(TreeError::Name { name: name.to_owned() });
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
        insta::assert_snapshot!(check(b"100644 \xff\0aaaaaaaaaaaaaaaaaaaa"), @r#"tree entry "�" has a name that is not UTF-8"#);
        assert!(Tree::new(vec![entry("a", Mode::File), entry("a", Mode::Directory)]).is_err());
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
