//! From what a user writes to a commit.

use gix::bstr::ByteSlice as _;

use super::{GitError, LocalRepository};
use crate::domain::digest::CommitId;

/// How many similar names an error lists.
const NEAR: usize = 3;

pub(super) fn commit(local: &LocalRepository, reference: &str) -> Result<CommitId, GitError> {
    let repository = local.handle();
    let unreadable = |source: gix::Error| GitError::Unreadable { path: local.path().to_owned(), source: source.into() };
    if let Ok(id) = gix::ObjectId::from_hex(reference.as_bytes())
        && id.kind() == repository.object_hash()
    {
        return match repository.try_find_header(id).map_err(unreadable)? {
            Some(_) => peel(local, &repository, reference, id),
            None => Err(missing(&repository, reference)),
        };
    }
    // A spec with a range or a path names no commit; `--base main..topic` would otherwise be half understood.
    let plain = !reference.is_empty() && !reference.starts_with('-') && !reference.contains("..") && !reference.contains(':');
    if plain && let Ok(id) = repository.rev_parse_single(reference.as_bytes().as_bstr()) {
        return peel(local, &repository, reference, id.detach());
    }
    if plain && let Some(id) = remote_branch(&repository, reference) {
        return peel(local, &repository, reference, id);
    }
    Err(missing(&repository, reference))
}

fn peel(local: &LocalRepository, repository: &gix::Repository, reference: &str, id: gix::ObjectId) -> Result<CommitId, GitError> {
    let unreadable = |source: gix::Error| GitError::Unreadable { path: local.path().to_owned(), source: source.into() };
    let mut id = id;
    // Tags of tags of tags are followed this far.
    for _ in 0..16 {
        let object = repository.find_object(id).map_err(unreadable)?;
        match object.kind {
            gix::objs::Kind::Commit => {
                return CommitId::from_raw(id.as_bytes()).map_err(|source| GitError::Unreadable { path: local.path().to_owned(), source: source.into() });
            }
            gix::objs::Kind::Tag => id = object.try_into_tag().and_then(|tag| tag.target_id().map(gix::Id::detach)).map_err(unreadable)?,
            other => return Err(GitError::NoCommit { reference: reference.to_owned(), kind: other.to_string() }),
        }
    }
    Err(GitError::NoCommit { reference: reference.to_owned(), kind: "chain of tags".to_owned() })
}

/// The branch of that name at the only remote that has one, or at `origin`.
fn remote_branch(repository: &gix::Repository, name: &str) -> Option<gix::ObjectId> {
    let mut found: Vec<(String, gix::ObjectId)> = Vec::new();
    for mut branch in repository.references().ok()?.remote_branches().ok()?.filter_map(Result::ok) {
        let full = branch.name().shorten().to_str().ok()?.to_owned();
        if let Some((remote, short)) = full.split_once('/')
            && short == name
        {
            found.push((remote.to_owned(), branch.peel_to_id().ok()?.detach()));
        }
    }
    let origin = found.iter().position(|(remote, _)| remote == "origin");
    match (origin, found.as_slice()) {
        (Some(at), _) => found.get(at).map(|(_, id)| *id),
        (None, [(_, id)]) => Some(*id),
        _ => None,
    }
}

fn missing(repository: &gix::Repository, reference: &str) -> GitError {
    let shallow = repository.is_shallow().unwrap_or(false);
    if reference == "HEAD" || repository.head_name().ok().flatten().is_some_and(|head| head.shorten() == reference) {
        return GitError::Unborn { reference: reference.to_owned() };
    }
    let id_like = reference.len() >= 7 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if shallow && (id_like || reference.contains(['~', '^'])) {
        return GitError::BehindShallow { reference: reference.to_owned() };
    }
    GitError::UnknownReference { reference: reference.to_owned(), near: near(repository, reference), shallow }
}

fn near(repository: &gix::Repository, reference: &str) -> Vec<String> {
    let Ok(references) = repository.references() else { return Vec::new() };
    let names = [references.local_branches(), references.remote_branches(), references.tags()];
    let mut ranked: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(Result::ok)
        .flat_map(|names| names.filter_map(Result::ok).filter_map(|name| name.name().shorten().to_str().ok().map(ToOwned::to_owned)).collect::<Vec<_>>())
        .map(|name| (distance(reference, &name).min(name.split_once('/').map_or(usize::MAX, |(_, short)| distance(reference, short))), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(2))
        .collect();
    ranked.sort();
    ranked.dedup();
    ranked.into_iter().take(NEAR).map(|(_, name)| name).collect()
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}
