//! Three-dot comparison.

use gix::ObjectId;
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

use super::{PATH, file};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render;
use crate::github::route::{Context, Page};
use crate::github::state::State;
use crate::github::update::broken;

/// Commits in an answer that was not asked for a page.
const UNPAGED: usize = 250;
/// Files in an answer; they come with the first page alone.
const FILES: usize = 300;

/// The limits are those of <https://docs.github.com/rest/commits/commits#compare-two-commits>.
pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let text = context.parameter("basehead")?;
    let (base_text, head_text) = text.split_once("...").ok_or_else(ApiError::not_found)?;
    let (base, head) = (side(state, base_text)?, side(state, head_text)?);
    let merge_base =
        state.store.merge_base(base, head).ok_or_else(|| ApiError::new(404, format!("No common ancestor between {base_text} and {head_text}.")))?;
    let mut ahead = state.store.history(head, Some(base), usize::MAX).map_err(broken)?;
    ahead.reverse();
    let behind = state.store.history(base, Some(head), usize::MAX).map_err(broken)?.len();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let paged = context.request.query("page").is_some() || context.request.query("per_page").is_some();
    let page = if paged { context.page() } else { Page { number: 1, size: UNPAGED } };
    let rendered = |id: ObjectId| state.store.commit(id).map(|commit| render::commit(state, id, &commit)).ok_or_else(ApiError::not_found);
    let shown =
        ahead.iter().skip((page.number - 1).saturating_mul(page.size)).take(page.size).map(|id| rendered(*id)).collect::<Result<Vec<Value>, ApiError>>()?;
    let text = utf8_percent_encode(text, PATH);
    let url = state.url(&format!("/compare/{text}"));
    let page_url = state.html_url(&format!("/compare/{text}"));
    let mut body = json!({
        "url": url, "html_url": page_url, "permalink_url": state.html_url(&format!("/compare/{base}...{head}")),
        "diff_url": format!("{page_url}.diff"), "patch_url": format!("{page_url}.patch"),
        "base_commit": rendered(base)?, "merge_base_commit": rendered(merge_base)?, "status": status, "ahead_by": ahead.len(),
        "behind_by": behind, "total_commits": ahead.len(), "commits": shown,
    });
    if page.number == 1 {
        body["files"] = Value::Array(files(state, merge_base, head)?);
    }
    let response = ApiResponse::json(200, &body);
    Ok(if paged { context.linked(response, page, ahead.len()) } else { response })
}

fn files(state: &State, merge_base: ObjectId, head: ObjectId) -> Result<Vec<Value>, ApiError> {
    let tree = |id: ObjectId| state.store.commit(id).map(|commit| commit.tree).ok_or_else(ApiError::not_found);
    let changes = state.store.diff(tree(merge_base)?, tree(head)?).map_err(broken)?;
    Ok(changes.iter().take(FILES).map(|change| file(state, change, head)).collect())
}

/// A side of the comparison: a ref or id, perhaps with `OWNER:` before it. Forks are not here, so another owner is 404.
fn side(state: &State, text: &str) -> Result<ObjectId, ApiError> {
    let name = match text.split_once(':') {
        Some((owner, name)) if owner.eq_ignore_ascii_case(&state.settings.owner) => name,
        Some(_) => return Err(ApiError::not_found()),
        None => text,
    };
    state.store.commitish(name).ok_or_else(ApiError::not_found)
}
