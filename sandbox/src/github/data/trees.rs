//! Trees.

use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::{EntryKind, EntryMode};
use serde_json::{Value, json};

use super::tree_edit::{Change, Edits, bad_object};
use super::{created, not_empty};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::update::broken;

/// The most entries a recursive answer holds.
///
/// Source: <https://docs.github.com/rest/git/trees#get-a-tree>
const ENTRY_LIMIT: usize = 100_000;

/// The most bytes a recursive answer holds: 7 MB.
///
/// Source: <https://docs.github.com/rest/git/trees#get-a-tree>
const BYTE_LIMIT: usize = 7 * 1024 * 1024;

/// The longest path in bytes, as file systems have it, and the deepest that is followed.
const PATH_LIMIT: usize = 4096;
const DEPTH_LIMIT: usize = 256;

#[derive(serde::Deserialize)]
struct NewTree {
    base_tree: Option<String>,
    tree: Vec<NewEntry>,
}

#[derive(serde::Deserialize)]
struct NewEntry {
    path: String,
    mode: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Absent, `null` (delete) and an id are three things.
    #[serde(default, deserialize_with = "present")]
    sha: Option<Option<String>>,
    content: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let new: NewTree = context.body()?;
    let store = &context.state.store;
    let base = match &new.base_tree {
        None => None,
        Some(text) => Some(store.treeish(text).ok_or_else(|| ApiError::unprocessable("base_tree is not a valid tree oid"))?),
    };
    if new.tree.is_empty() {
        return Err(ApiError::unprocessable("Invalid tree info"));
    }
    let mut edits = Edits::default();
    for entry in &new.tree {
        edits.add(checked_path(&entry.path)?, change(context.state, entry)?);
    }
    let id = edits.apply(store, base)?;
    let mut entries = Vec::new();
    list(context.state, id, "", false, &mut entries)?;
    Ok(created(&render(context.state, id, entries, false)))
}

/// 422 for paths git does not store.
fn checked_path(path: &str) -> Result<&str, ApiError> {
    if path.starts_with('/') {
        return Err(ApiError::unprocessable("tree.path cannot start with a slash"));
    }
    let malformed = |component: &str| matches!(component, "" | "." | "..") || component.eq_ignore_ascii_case(".git") || component.contains('\0');
    if path.len() > PATH_LIMIT || path.split('/').count() > DEPTH_LIMIT || path.split('/').any(malformed) {
        return Err(ApiError::unprocessable("tree.path contains a malformed path component"));
    }
    Ok(path)
}

fn change(state: &State, entry: &NewEntry) -> Result<Change, ApiError> {
    if entry.sha == Some(None) && entry.content.is_none() {
        return Ok(Change::Delete);
    }
    let mode = match entry.mode.as_deref() {
        Some("100644") => EntryKind::Blob,
        Some("100755") => EntryKind::BlobExecutable,
        Some("040000") => EntryKind::Tree,
        Some("160000") => EntryKind::Commit,
        Some("120000") => EntryKind::Link,
        _ => return Err(ApiError::unprocessable("Must supply a valid tree.mode")),
    };
    let expected = match mode {
        EntryKind::Tree => "tree",
        EntryKind::Commit => "commit",
        _ => "blob",
    };
    if entry.kind.as_deref().is_some_and(|kind| kind != expected) {
        return Err(ApiError::unprocessable("Must supply a valid tree.type"));
    }
    let id = match (&entry.sha, &entry.content) {
        (Some(Some(_)), Some(_)) => return Err(ApiError::unprocessable("Must supply either tree.sha or tree.content, not both")),
        (Some(Some(sha)), None) => entry_object(state, sha, mode)?,
        (_, Some(content)) if expected == "blob" => state.store.write_blob(content.as_bytes()).map_err(broken)?,
        _ => return Err(ApiError::unprocessable("Must supply either tree.sha or tree.content")),
    };
    Ok(Change::Put(EntryMode::from(mode), id))
}

/// The object of an entry, which must be there and of the mode's kind; a submodule's commit lives elsewhere.
fn entry_object(state: &State, sha: &str, mode: EntryKind) -> Result<ObjectId, ApiError> {
    if mode == EntryKind::Commit {
        return ObjectId::from_hex(sha.as_bytes()).map_err(|_| bad_object());
    }
    let wanted = if mode == EntryKind::Tree { Kind::Tree } else { Kind::Blob };
    state.store.object(sha).filter(|id| sha.len() == 40 && state.store.kind(*id) == Some(wanted)).ok_or_else(bad_object)
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let id = context.state.store.treeish(context.parameter("tree_sha")?).ok_or_else(ApiError::not_found)?;
    // Any value turns it on, `0` and `false` included.
    let recursive = context.request.query("recursive").is_some();
    let mut entries = Vec::new();
    let truncated = list(context.state, id, "", recursive, &mut entries)?;
    Ok(ApiResponse::json(200, &render(context.state, id, entries, truncated)))
}

/// Adds a directory's entries; answers whether the limit cut it short.
fn list(state: &State, id: ObjectId, prefix: &str, recursive: bool, entries: &mut Vec<Value>) -> Result<bool, ApiError> {
    let tree = state.store.tree(id).ok_or_else(ApiError::not_found)?;
    for entry in tree.entries {
        // An entry takes about 260 bytes beside its path.
        if entries.len() >= ENTRY_LIMIT || entries.len() * (260 + prefix.len()) > BYTE_LIMIT {
            return Ok(true);
        }
        let path = format!("{prefix}{}", entry.filename);
        let (kind, directory) = match entry.mode.kind() {
            EntryKind::Tree => ("tree", "trees"),
            EntryKind::Commit => ("commit", "commits"),
            _ => ("blob", "blobs"),
        };
        let mode = format!("{:06o}", entry.mode.value());
        let mut rendered = json!({"path": path, "mode": mode, "type": kind, "sha": entry.oid.to_string()});
        if kind == "blob" {
            rendered["size"] = json!(state.store.size(entry.oid));
        }
        if kind != "commit" {
            rendered["url"] = json!(state.url(&format!("/git/{directory}/{}", entry.oid)));
        }
        entries.push(rendered);
        if recursive && kind == "tree" && list(state, entry.oid, &format!("{path}/"), true, entries)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn render(state: &State, id: ObjectId, entries: Vec<Value>, truncated: bool) -> Value {
    json!({"sha": id.to_string(), "url": state.url(&format!("/git/trees/{id}")), "tree": entries, "truncated": truncated})
}
