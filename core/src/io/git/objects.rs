//! [`Objects`] over a local repository. Reads are short and local, so they happen within the call.

use async_trait::async_trait;
use gix::bstr::ByteSlice as _;

use super::LocalRepository;
use crate::domain::content::{CONTENT_LIMIT, DEPTH_LIMIT, File, Files};
use crate::domain::digest::{BlobId, CommitId, TreeId};
use crate::domain::tree::{Mode, Tree};
use crate::port::objects::{Commit, ObjectError, Objects, Person};

/// More files and directories than this below one directory are refused.
const FILES_LIMIT: usize = 100_000;
/// Commits and trees larger than this are refused; git's own are a few kilobytes.
const OBJECT_LIMIT: u64 = 64 << 20;

#[async_trait]
impl Objects for LocalRepository {
    fn holds(&self, commit: &CommitId) -> bool {
        read_commit(&self.handle(), commit).is_ok()
    }

    async fn commit(&self, id: &CommitId) -> Result<Commit, ObjectError> {
        read_commit(&self.handle(), id)
    }

    async fn tree(&self, id: &TreeId) -> Result<Tree, ObjectError> {
        read_tree(&self.handle(), id)
    }

    async fn blob(&self, id: &BlobId, limit: usize) -> Result<Vec<u8>, ObjectError> {
        read_blob(&self.handle(), id, "", limit as u64)
    }

    async fn files(&self, id: &TreeId) -> Result<Files, ObjectError> {
        let repository = self.handle();
        let mut reader = FilesReader { repository: &repository, files: Files::new(), left: CONTENT_LIMIT, entries: 0 };
        reader.read(id, "", 1)?;
        Ok(reader.files)
    }

    async fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, ObjectError> {
        let repository = self.handle();
        let (from, to) = (known_commit(&repository, one)?, known_commit(&repository, other)?);
        let base = super::history::best_merge_base(&repository, from, to).map_err(|source| failed("commit", one.as_str(), source))?;
        match base {
            Some(base) => Ok(Some(commit_id(base)?)),
            // The histories may meet behind the boundary.
            None if repository.is_shallow().unwrap_or(false) => {
                Err(ObjectError::Shallow { kind: "the merge base", id: format!("of {} and {}", one.short(), other.short()) })
            }
            None => Ok(None),
        }
    }

    async fn history(&self, tip: &CommitId, hidden: &[CommitId]) -> Result<Vec<Commit>, ObjectError> {
        let repository = self.handle();
        let start = known_commit(&repository, tip)?;
        let hidden = hidden.iter().map(|id| known_commit(&repository, id)).collect::<Result<Vec<_>, _>>()?;
        let found = super::history::reachable(&repository, start, &hidden).map_err(|source| failed("commit", tip.as_str(), source))?;
        let boundary = repository.shallow_commits().map_err(|source| failed("commit", tip.as_str(), source))?;
        if let Some(cut) = boundary.iter().flat_map(|ids| ids.iter()).find(|id| found.contains(id)) {
            return Err(ObjectError::Shallow { kind: "the history", id: format!("before {}", cut.to_hex_with_len(10)) });
        }
        found.into_iter().map(|id| commit_id(id).and_then(|id| read_commit(&repository, &id))).collect()
    }
}

fn failed(kind: &'static str, id: &str, source: gix::Error) -> ObjectError {
    ObjectError::Garbled { kind, id: id.to_owned(), source: source.into() }
}

fn object_id(kind: &'static str, id: &str) -> Result<gix::ObjectId, ObjectError> {
    gix::ObjectId::from_hex(id.as_bytes()).map_err(|source| failed(kind, id, source))
}

fn commit_id(id: gix::ObjectId) -> Result<CommitId, ObjectError> {
    CommitId::from_raw(id.as_bytes()).map_err(|source| ObjectError::Garbled { kind: "commit", id: id.to_string(), source: source.into() })
}

fn known_commit(repository: &gix::Repository, id: &CommitId) -> Result<gix::ObjectId, ObjectError> {
    object(repository, "commit", gix::objs::Kind::Commit, id.as_str(), OBJECT_LIMIT)?;
    object_id("commit", id.as_str())
}

/// The bytes of an object.
fn object(repository: &gix::Repository, kind: &'static str, expected: gix::objs::Kind, id: &str, limit: u64) -> Result<Vec<u8>, ObjectError> {
    let wanted = object_id(kind, id)?;
    let missing = || {
        if kind == "commit" && repository.is_shallow().unwrap_or(false) {
            ObjectError::Shallow { kind, id: id.to_owned() }
        } else {
            ObjectError::Missing { kind, id: id.to_owned() }
        }
    };
    // Ids of the other object format are nobody's here.
    if wanted.kind() != repository.object_hash() {
        return Err(missing());
    }
    let refuse = |size: u64| ObjectError::Refused { path: id.to_owned(), problem: format!("the {kind} holds {size} bytes, at most {limit} are allowed") };
    // Only files are worth a look at their size before they are unpacked; gix itself bounds everything else.
    if expected == gix::objs::Kind::Blob {
        let header = repository.try_find_header(wanted).map_err(|source| failed(kind, id, source))?.ok_or_else(missing)?;
        if header.size() > limit {
            return Err(refuse(header.size()));
        }
    }
    let mut object = repository.try_find_object(wanted).map_err(|source| failed(kind, id, source))?.ok_or_else(missing)?;
    if object.kind != expected {
        return Err(ObjectError::Missing { kind, id: id.to_owned() });
    }
    if object.data.len() as u64 > limit {
        return Err(refuse(object.data.len() as u64));
    }
    Ok(std::mem::take(&mut object.data))
}

fn read_commit(repository: &gix::Repository, id: &CommitId) -> Result<Commit, ObjectError> {
    let bytes = object(repository, "commit", gix::objs::Kind::Commit, id.as_str(), OBJECT_LIMIT)?;
    let commit = gix::objs::CommitRef::from_bytes(&bytes, repository.object_hash()).map_err(|source| failed("commit", id.as_str(), source))?;
    let author = commit.author().map_err(|source| failed("commit", id.as_str(), source))?;
    let committer = commit.committer().map_err(|source| failed("commit", id.as_str(), source))?;
    let garbled = |source: crate::domain::digest::DigestError| ObjectError::Garbled { kind: "commit", id: id.to_string(), source: source.into() };
    Ok(Commit {
        id: id.clone(),
        tree: TreeId::from_raw(commit.tree().as_bytes()).map_err(garbled)?,
        parents: commit.parents().map(|parent| CommitId::from_raw(parent.as_bytes()).map_err(garbled)).collect::<Result<_, _>>()?,
        author: Person { name: author.name.to_str_lossy().into_owned(), email: author.email.to_str_lossy().into_owned() },
        committed: committer.seconds(),
        // GitHub's API leaves the last line feeds out, and both sources must say the same.
        message: commit.message.to_str_lossy().trim_end_matches('\n').to_owned(),
    })
}

fn read_tree(repository: &gix::Repository, id: &TreeId) -> Result<Tree, ObjectError> {
    let bytes = object(repository, "tree", gix::objs::Kind::Tree, id.as_str(), OBJECT_LIMIT)?;
    Tree::parse(&bytes, super::format(repository)).map_err(|source| ObjectError::Garbled { kind: "tree", id: id.to_string(), source: source.into() })
}

fn read_blob(repository: &gix::Repository, id: &BlobId, path: &str, limit: u64) -> Result<Vec<u8>, ObjectError> {
    object(repository, "blob", gix::objs::Kind::Blob, id.as_str(), limit).map_err(|error| match error {
        ObjectError::Refused { problem, .. } if !path.is_empty() => ObjectError::Refused { path: path.to_owned(), problem },
        error => error,
    })
}

struct FilesReader<'a> {
    repository: &'a gix::Repository,
    files: Files,
    left: u64,
    /// Directories as well as files, so that directories without files end somewhere too.
    entries: usize,
}

impl FilesReader<'_> {
    fn read(&mut self, id: &TreeId, path: &str, depth: usize) -> Result<(), ObjectError> {
        let refuse = |path: &str, problem: String| Err(ObjectError::Refused { path: path.to_owned(), problem });
        let tree = read_tree(self.repository, id)?;
        if let Some(entry) = tree.raw_entries().first() {
            return Err(ObjectError::not_utf8(path, &entry.shown()));
        }
        for entry in tree.entries() {
            let at = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
            if entry.mode == Mode::Submodule {
                return refuse(&at, "it is a submodule, whose content is not part of this repository".to_owned());
            }
            self.entries += 1;
            if self.entries > FILES_LIMIT {
                return refuse(&at, format!("the directory holds more than {FILES_LIMIT} files and directories"));
            }
            if let Some(below) = entry.as_tree() {
                if depth >= DEPTH_LIMIT {
                    return refuse(&at, format!("it lies more than {DEPTH_LIMIT} directories deep"));
                }
                self.read(&below, &at, depth + 1)?;
            } else if let Some(blob) = entry.as_blob() {
                let bytes = read_blob(self.repository, &blob, &at, self.left)?;
                self.left -= bytes.len() as u64;
                self.files.insert_file(at, File { mode: entry.mode, bytes });
            }
        }
        Ok(())
    }
}
