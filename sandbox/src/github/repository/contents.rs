//! Files and directories at a ref.

use gix::ObjectId;
use gix::objs::tree::{EntryKind, EntryMode};
use serde_json::{Value, json};

use super::PATH;
use crate::github::data::{Edits, TreeChange, blob_base64, by, decode_base64};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render;
use crate::github::route::Context;
use crate::github::rules::Via;
use crate::github::state::State;
use crate::github::store::{Commit, is};
use crate::github::update::{Update, broken, update};

/// The most entries a directory's listing holds.
const ENTRY_LIMIT: usize = 1000;
/// The longest file whose content stands in the JSON; longer ones come with the raw media type alone.
const INLINE_LIMIT: usize = 1024 * 1024;
/// The longest file that can be read at all.
const FILE_LIMIT: usize = 100 * 1024 * 1024;

/// The limits are those of <https://docs.github.com/rest/repos/contents#get-repository-content>.
pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let reference = context.request.query("ref").filter(|text| !text.is_empty()).unwrap_or(&state.settings.default_branch);
    let no_commit = || ApiError::new(404, format!("No commit found for the ref {reference}"));
    let tree = state.store.treeish(reference).ok_or_else(no_commit)?;
    let path = context.parameter("path")?.trim_matches('/');
    let (mut mode, mut id) = state.store.at_path(tree, path).ok_or_else(ApiError::not_found)?;
    if mode.is_link()
        && let Some(found) = followed(state, tree, path, id)
    {
        // A link to a file of the repository is answered with that file.
        (mode, id) = found;
    }
    let accept = context.request.header("accept").unwrap_or_default();
    if mode.is_tree() {
        return directory(state, reference, path, id, accept.contains("object"));
    }
    if accept.contains("raw") && !mode.is_commit() {
        let bytes = file_bytes(state, id)?;
        return Ok(ApiResponse::bytes(200, "application/vnd.github.raw+json; charset=utf-8", bytes));
    }
    let mut body = entry(state, reference, path, mode, id);
    match mode.kind() {
        EntryKind::Commit => body["submodule_git_url"] = Value::Null,
        EntryKind::Link => body["target"] = json!(String::from_utf8_lossy(&file_bytes(state, id)?)),
        _ => {
            let bytes = file_bytes(state, id)?;
            let inline = bytes.len() <= INLINE_LIMIT;
            body["content"] = json!(if inline { blob_base64(&bytes) } else { String::new() });
            body["encoding"] = json!(if inline { "base64" } else { "none" });
        }
    }
    Ok(ApiResponse::json(200, &body))
}

fn file_bytes(state: &State, id: ObjectId) -> Result<Vec<u8>, ApiError> {
    let bytes = state.store.blob(id).ok_or_else(ApiError::not_found)?;
    if bytes.len() > FILE_LIMIT {
        let error = json!({"resource": "Blob", "field": "data", "code": "too_large"});
        return Err(ApiError::new(403, "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.").with_error(error));
    }
    Ok(bytes)
}

/// The file a link points at, when it is one inside the repository.
fn followed(state: &State, tree: ObjectId, path: &str, link: ObjectId) -> Option<(EntryMode, ObjectId)> {
    let target = String::from_utf8(state.store.blob(link)?).ok()?;
    if target.starts_with('/') {
        return None;
    }
    let mut components: Vec<&str> = path.split('/').collect();
    components.pop();
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(components.pop()?),
            name => components.push(name),
        }
    }
    state.store.at_path(tree, &components.join("/")).filter(|(mode, _)| mode.is_blob())
}

fn directory(state: &State, reference: &str, path: &str, id: ObjectId, as_object: bool) -> Result<ApiResponse, ApiError> {
    let tree = state.store.tree(id).ok_or_else(ApiError::not_found)?;
    let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
    let entries: Vec<Value> =
        tree.entries.iter().take(ENTRY_LIMIT).map(|item| entry(state, reference, &format!("{prefix}{}", item.filename), item.mode, item.oid)).collect();
    if as_object {
        let mut body = entry(state, reference, path, EntryKind::Tree.into(), id);
        body["entries"] = Value::Array(entries);
        return Ok(ApiResponse::json(200, &body));
    }
    Ok(ApiResponse::json(200, &Value::Array(entries)))
}

fn entry(state: &State, reference: &str, path: &str, mode: EntryMode, id: ObjectId) -> Value {
    let (kind, git, page) = match mode.kind() {
        EntryKind::Tree => ("dir", "trees", "tree"),
        EntryKind::Commit => ("submodule", "trees", "tree"),
        EntryKind::Link => ("symlink", "blobs", "blob"),
        _ => ("file", "blobs", "blob"),
    };
    let encoded = percent_encoding::utf8_percent_encode(path, PATH).to_string();
    let reference = percent_encoding::utf8_percent_encode(reference, PATH).to_string();
    let url = state.url(&format!("/contents/{encoded}?ref={reference}"));
    let git_url = state.url(&format!("/git/{git}/{id}"));
    let html_url = state.html_url(&format!("/{page}/{reference}/{encoded}"));
    let download = if git == "blobs" { json!(state.html_url(&format!("/raw/{reference}/{encoded}"))) } else { Value::Null };
    let size = if git == "blobs" { state.store.size(id) } else { 0 };
    json!({
        "name": path.rsplit('/').next().unwrap_or_default(), "path": path, "sha": id.to_string(), "size": size, "type": kind,
        "url": url, "html_url": html_url, "git_url": git_url, "download_url": download,
        "_links": {"self": url, "git": git_url, "html": html_url},
    })
}

#[derive(serde::Deserialize)]
struct NewContent {
    message: String,
    content: String,
    sha: Option<String>,
    branch: Option<String>,
}

/// Writes one file in a commit of its own. In a repository without branches it makes the first one.
///
/// 409 when `sha` is not the file's present blob, 422 when it is missing for a file that is there.
pub(super) fn put(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let new: NewContent = context.body()?;
    let path = context.parameter("path")?.to_owned();
    let state = &*context.state;
    let branch = new.branch.unwrap_or_else(|| state.settings.default_branch.clone());
    let reference = format!("refs/heads/{branch}");
    let parent = state.store.reference(&reference);
    if parent.is_none() && !state.store.references("refs/heads/").map_err(broken)?.is_empty() {
        return Err(ApiError::new(404, format!("Branch {branch} not found")));
    }
    let tree = parent.and_then(|id| state.store.commit(id)).map(|commit| commit.tree);
    let existing = tree.and_then(|tree| state.store.at_path(tree, &path)).map(|(_, id)| id);
    match (existing, &new.sha) {
        (Some(_), None) => return Err(ApiError::unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")),
        (existing, Some(sha)) if existing.is_none_or(|id| !is(id, sha)) => return Err(ApiError::new(409, format!("{path} does not match {sha}"))),
        _ => {}
    }
    let bytes = decode_base64(&new.content).ok_or_else(|| ApiError::unprocessable("content is not valid Base64"))?;
    let blob = state.store.write_blob(&bytes).map_err(broken)?;
    let mut edits = Edits::default();
    edits.add(&path, TreeChange::Put(EntryKind::Blob.into(), blob));
    let tree = edits.apply(&state.store, tree)?;
    let author = by(&context.caller.actor, state.clock.now());
    let commit = Commit { tree, parents: parent.into_iter().collect(), author: author.clone(), committer: author, message: new.message };
    let id = state.store.write_commit(&commit).map_err(broken)?;
    update(context.state, context.caller, Update { reference: &reference, after: Some(id), via: Via::Push })?;
    if context.caller.actor.is_bot() {
        context.state.signed.insert(id);
    }
    let content = entry(context.state, &branch, &path, EntryKind::Blob.into(), blob);
    let body = json!({"content": content, "commit": render::git_commit(context.state, id, &commit)});
    Ok(ApiResponse::json(if existing.is_some() { 200 } else { 201 }, &body))
}
