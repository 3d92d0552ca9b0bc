//! The files of releases.

use serde_json::json;

use super::read::{asset as render, found};
use super::{Asset, Release};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::route::Context;
use crate::github::tokens;

/// The most assets of a release.
///
/// Source: <https://docs.github.com/repositories/releasing-projects-on-github/about-releases#storage-and-bandwidth-quotas>
const ASSET_LIMIT: usize = 1000;

pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let release = found(context)?;
    Ok(context.paged(&release.assets, |asset| render(context.state, &release.tag, asset)))
}

/// GitHub renames files with special characters; whoever uploads compares the name in the answer.
///
/// Source: <https://docs.github.com/rest/releases/assets#upload-a-release-asset>
fn kept_name(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    for character in name.chars() {
        let fine = character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '+' | '@');
        if fine {
            kept.push(character);
        } else if !kept.ends_with('.') {
            kept.push('.');
        }
    }
    kept.trim_matches('.').to_owned()
}

/// 422 for a name that is taken, an immutable release, and more than 1000 files. An upload whose connection breaks leaves
/// a file in state `starter` behind, which keeps its name until it is deleted.
pub(super) fn upload(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let release = found(context)?;
    let (id, tag, immutable) = (release.id, release.tag.clone(), release.immutable);
    let name = context.request.query("name").map(kept_name).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ApiError::field("ReleaseAsset", "name", "missing_field"))?;
    if immutable {
        return Err(ApiError::validation("ReleaseAsset", "Cannot upload assets to an immutable release."));
    }
    if release.assets.iter().any(|asset| asset.name == name) {
        return Err(ApiError::field("ReleaseAsset", "name", "already_exists"));
    }
    if release.assets.len() >= ASSET_LIMIT {
        return Err(ApiError::validation("ReleaseAsset", format!("a release cannot have more than {ASSET_LIMIT} assets")));
    }
    // Nobody sees the answer below then.
    let broken = context.state.limits.breaks_uploads();
    let mut asset = Asset {
        id: context.state.number(),
        name,
        label: context.request.query("label").map(str::to_owned),
        content_type: context.request.header("content-type").unwrap_or("application/octet-stream").to_owned(),
        bytes: Some(context.request.body.clone()),
        uploader: context.caller.actor.clone(),
        created: context.state.clock.now(),
    };
    let body = render(context.state, &tag, &asset);
    if broken {
        asset.bytes = None;
    }
    let release: &mut Release = context.state.releases.by_id.get_mut(&id).ok_or_else(ApiError::not_found)?;
    release.assets.push(asset);
    Ok(ApiResponse::json(201, &body))
}

/// JSON about the file, or with `accept: application/octet-stream` its bytes.
pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = context.number("asset_id")?;
    let state = &*context.state;
    let (release, asset) = state.releases.of_asset(id).ok_or_else(ApiError::not_found)?;
    if release.draft && !tokens::may_write_contents(state, context.caller) {
        return Err(ApiError::not_found());
    }
    let raw = context.request.header("accept").is_some_and(|accept| accept.contains("application/octet-stream"));
    match (&asset.bytes, raw) {
        (Some(bytes), true) => Ok(ApiResponse::bytes(200, "application/octet-stream", bytes.clone())),
        (None, true) => Err(ApiError::not_found()),
        (_, false) => Ok(ApiResponse::json(200, &render(state, &release.tag, asset))),
    }
}

pub(super) fn delete(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = context.number("asset_id")?;
    let releases = &mut context.state.releases;
    let release = releases.by_id.values_mut().find(|release| release.assets.iter().any(|asset| asset.id == id)).ok_or_else(ApiError::not_found)?;
    if release.immutable {
        let refusal = json!({"resource": "ReleaseAsset", "code": "custom", "message": "Cannot delete assets from an immutable release."});
        return Err(ApiError::new(422, "Validation Failed").with_error(refusal));
    }
    release.assets.retain(|asset| asset.id != id);
    Ok(ApiResponse::empty(204))
}
