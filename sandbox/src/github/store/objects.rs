//! Objects: read through the library (alternates included), written loose.

use gix::ObjectId;
use gix::objs::Kind;

use super::{Store, StoreError};

/// A name, an address and a moment, as a commit or tag records them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) seconds: i64,
    /// Seconds east of UTC.
    pub(crate) offset: i32,
}

impl Signature {
    fn line(&self) -> String {
        let clean = |text: &str| text.chars().filter(|c| !matches!(c, '<' | '>' | '\n' | '\0')).collect::<String>().trim().to_owned();
        let minutes = self.offset.abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{} <{}> {} {sign}{:02}{:02}", clean(&self.name), clean(&self.email), self.seconds, minutes / 60, minutes % 60)
    }

    fn of(signature: gix::actor::SignatureRef<'_>) -> Self {
        let time = signature.time().unwrap_or_default();
        Self { name: signature.name.to_string(), email: signature.email.to_string(), seconds: time.seconds, offset: time.offset }
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    pub(crate) message: String,
}

/// An annotated tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) object: ObjectId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) tagger: Option<Signature>,
    pub(crate) message: String,
}

fn failed<E: std::error::Error + Send + Sync + 'static>(doing: &'static str) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Git { doing, source: Box::new(source) }
}

impl Store {
    /// The kind of an object; `None` when there is none.
    pub(crate) fn kind(&self, id: ObjectId) -> Option<Kind> {
        self.repository.try_find_header(id).ok().flatten().map(|header| header.kind())
    }

    /// An object's length in bytes; 0 when there is none.
    pub(crate) fn size(&self, id: ObjectId) -> u64 {
        self.repository.try_find_header(id).ok().flatten().map_or(0, |header| header.size())
    }

    /// An object's kind and bytes; `None` when there is none.
    pub(crate) fn read(&self, id: ObjectId) -> Option<(Kind, Vec<u8>)> {
        self.repository.try_find_object(id).ok().flatten().map(|mut object| (object.kind, std::mem::take(&mut object.data)))
    }

    /// A blob's bytes.
    pub(crate) fn blob(&self, id: ObjectId) -> Option<Vec<u8>> {
        self.read(id).filter(|(kind, _)| *kind == Kind::Blob).map(|(_, data)| data)
    }

    /// One directory.
    pub(crate) fn tree(&self, id: ObjectId) -> Option<gix::objs::Tree> {
        let (kind, data) = self.read(id)?;
        (kind == Kind::Tree).then(|| gix::objs::TreeRef::from_bytes(&data, id.kind()).ok().map(gix::objs::TreeRef::into_owned))?
    }

    /// A commit.
    pub(crate) fn commit(&self, id: ObjectId) -> Option<Commit> {
        let (kind, data) = self.read(id)?;
        if kind != Kind::Commit {
            return None;
        }
        let commit = gix::objs::CommitRef::from_bytes(&data, id.kind()).ok()?;
        Some(Commit {
            tree: commit.tree(),
            parents: commit.parents().collect(),
            author: Signature::of(commit.author().ok()?),
            committer: Signature::of(commit.committer().ok()?),
            message: commit.message.to_string(),
        })
    }

    /// An annotated tag.
    pub(crate) fn tag(&self, id: ObjectId) -> Option<Tag> {
        let (kind, data) = self.read(id)?;
        if kind != Kind::Tag {
            return None;
        }
        let tag = gix::objs::TagRef::from_bytes(&data, id.kind()).ok()?;
        let tagger = tag.tagger().ok().flatten().map(Signature::of);
        Some(Tag { object: tag.target(), kind: tag.target_kind, name: tag.name.to_string(), tagger, message: tag.message.to_string() })
    }

    /// The object behind any number of tags.
    pub(crate) fn peel(&self, mut id: ObjectId) -> Option<(ObjectId, Kind)> {
        for _ in 0..16 {
            match self.kind(id)? {
                Kind::Tag => id = self.tag(id)?.object,
                kind => return Some((id, kind)),
            }
        }
        None
    }

    /// Stores a blob.
    pub(crate) fn write_blob(&self, data: &[u8]) -> Result<ObjectId, StoreError> {
        self.write(Kind::Blob, data)
    }

    /// Stores a directory; the entries are put into git's order.
    pub(crate) fn write_tree(&self, mut tree: gix::objs::Tree) -> Result<ObjectId, StoreError> {
        tree.entries.sort();
        self.repository.write_object(&tree).map(gix::Id::detach).map_err(failed("writing a tree"))
    }

    /// Stores a commit.
    pub(crate) fn write_commit(&self, commit: &Commit) -> Result<ObjectId, StoreError> {
        self.write_commit_with(commit, None)
    }

    /// Stores a commit with a signature over it.
    pub(crate) fn write_commit_with(&self, commit: &Commit, signature: Option<&str>) -> Result<ObjectId, StoreError> {
        let mut text = format!("tree {}\n", commit.tree);
        for parent in &commit.parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        text.push_str(&format!("author {}\ncommitter {}\n", commit.author.line(), commit.committer.line()));
        if let Some(signature) = signature {
            text.push_str(&format!("gpgsig {}\n", signature.trim_end().replace('\n', "\n ")));
        }
        text.push('\n');
        text.push_str(&commit.message);
        self.write(Kind::Commit, text.as_bytes())
    }

    /// Stores an annotated tag.
    pub(crate) fn write_tag(&self, tag: &Tag) -> Result<ObjectId, StoreError> {
        let mut text = format!("object {}\ntype {}\ntag {}\n", tag.object, tag.kind, tag.name);
        if let Some(tagger) = &tag.tagger {
            text.push_str(&format!("tagger {}\n", tagger.line()));
        }
        text.push('\n');
        text.push_str(&tag.message);
        if !tag.message.ends_with('\n') {
            text.push('\n');
        }
        self.write(Kind::Tag, text.as_bytes())
    }

    fn write(&self, kind: Kind, data: &[u8]) -> Result<ObjectId, StoreError> {
        use gix::objs::Write as _;
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, data).map_err(failed("hashing an object"))?;
        if self.repository.has_object(id) {
            return Ok(id);
        }
        self.repository.objects.write_buf(kind, data).map_err(failed("writing an object"))
    }
}
