//! Releases as they are shown.

use serde_json::{Value, json};

use super::{Asset, Release};
use crate::github::clock::timestamp;
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render::{node_id, user};
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::tokens;

/// A part of a page's address.
fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An asset (schema `release-asset`). What broke off is in state `starter` and has no digest.
pub(super) fn asset(state: &State, tag: &str, asset: &Asset) -> Value {
    use sha2::Digest as _;
    let digest = asset.bytes.as_ref().filter(|_| !state.settings.enterprise).map(|bytes| format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes))));
    json!({
        "url": state.url(&format!("/releases/assets/{}", asset.id)),
        "browser_download_url": state.html_url(&format!("/releases/download/{}/{}", escaped(tag), escaped(&asset.name))),
        "id": asset.id, "node_id": node_id("ReleaseAsset", asset.id), "name": asset.name, "label": asset.label,
        "state": if asset.bytes.is_some() { "uploaded" } else { "starter" }, "content_type": asset.content_type,
        "size": asset.bytes.as_ref().map_or(0, Vec::len), "digest": digest, "download_count": 0,
        "created_at": timestamp(asset.created), "updated_at": timestamp(asset.created), "uploader": user(state, &asset.uploader),
    })
}

/// A release (schema `release`). A draft's page is not its tag's. The upload address is on this very server, below the
/// prefix that Enterprise Server uses, and a template: it is never to be built by hand.
pub(super) fn release(state: &State, release: &Release) -> Value {
    let id = release.id;
    let url = state.url(&format!("/releases/{id}"));
    let page = if release.draft { format!("untagged-{id:x}") } else { escaped(&release.tag) };
    let archive = |kind: &str| (!release.draft).then(|| state.url(&format!("/{kind}/{}", escaped(&release.tag))));
    let upload = format!("{}/api/uploads/repos/{}/releases/{id}/assets{{?name,label}}", state.base_url, state.settings.full_name());
    json!({
        "url": url, "html_url": state.html_url(&format!("/releases/tag/{page}")), "assets_url": format!("{url}/assets"), "upload_url": upload,
        "tarball_url": archive("tarball"), "zipball_url": archive("zipball"), "id": id, "node_id": node_id("Release", id),
        "tag_name": release.tag, "target_commitish": release.target, "name": release.name, "body": release.body, "draft": release.draft,
        "prerelease": release.prerelease, "immutable": release.immutable, "created_at": timestamp(release.created),
        "updated_at": timestamp(release.updated), "published_at": release.published.map(timestamp), "author": user(state, &release.author),
        "assets": release.assets.iter().map(|one| asset(state, &release.tag, one)).collect::<Vec<_>>(),
    })
}

/// Newest first. Drafts are shown to those who may write alone.
pub(super) fn list(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let drafts = tokens::may_write_contents(state, context.caller);
    let shown: Vec<&Release> = state.releases.by_id.values().rev().filter(|release| drafts || !release.draft).collect();
    Ok(context.paged(&shown, |one| release(state, one)))
}

/// The release a path names; a draft is 404 to those who may not write.
pub(super) fn found<'a>(context: &'a Context<'_>) -> Result<&'a Release, ApiError> {
    let id = context.number("release_id")?;
    let state = &*context.state;
    let visible = |release: &&Release| !release.draft || tokens::may_write_contents(state, context.caller);
    state.releases.by_id.get(&id).filter(visible).ok_or_else(ApiError::not_found)
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    Ok(ApiResponse::json(200, &release(context.state, found(context)?)))
}

/// The newest published one that may be called latest.
pub(super) fn latest(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let all = state.releases.by_id.values().filter(|release| !release.draft && !release.prerelease);
    let latest = all.max_by_key(|release| (release.latest, release.created, release.id)).ok_or_else(ApiError::not_found)?;
    Ok(ApiResponse::json(200, &release(state, latest)))
}

/// Published ones alone: a draft is never found by its tag.
pub(super) fn by_tag(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let state = &*context.state;
    let found = state.releases.published(context.parameter("tag")?).ok_or_else(ApiError::not_found)?;
    Ok(ApiResponse::json(200, &release(state, found)))
}
