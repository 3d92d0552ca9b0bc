//! Releases and their assets.
//!
//! Source: <https://docs.github.com/rest/releases>

mod assets;
mod edit;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use chartflow_core::port::transport::Method;

use super::actor::Actor;
use super::http::{ApiError, ApiResponse};
use super::route::{Context, Route, read, write};
use serde_json::json;

/// The state of this module.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    by_id: BTreeMap<u64, Release>,
    /// Whether releases published from now on are immutable.
    immutable: bool,
    /// Tags of immutable releases, which can never be used again.
    burnt: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Release {
    id: u64,
    tag: String,
    target: String,
    name: Option<String>,
    body: Option<String>,
    draft: bool,
    prerelease: bool,
    latest: bool,
    immutable: bool,
    author: Actor,
    created: i64,
    updated: i64,
    published: Option<i64>,
    assets: Vec<Asset>,
}

#[derive(Debug, Clone)]
struct Asset {
    id: u64,
    name: String,
    label: Option<String>,
    content_type: String,
    /// `None` for one whose upload broke off (state `starter`).
    bytes: Option<Vec<u8>>,
    uploader: Actor,
    created: i64,
}

impl Releases {
    /// Whether an immutable release holds a tag fast.
    pub(crate) fn freezes(&self, tag: &str) -> bool {
        self.by_id.values().any(|release| release.immutable && release.tag == tag)
    }

    /// The files of the published releases, as everybody may download them: tag, name, bytes.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str, &[u8])> {
        let published = self.by_id.values().filter(|release| !release.draft);
        published.flat_map(|release| release.assets.iter().filter_map(|asset| Some((release.tag.as_str(), asset.name.as_str(), asset.bytes.as_deref()?))))
    }

    fn published(&self, tag: &str) -> Option<&Release> {
        self.by_id.values().find(|release| !release.draft && release.tag == tag)
    }

    fn of_asset(&self, id: u64) -> Option<(&Release, &Asset)> {
        self.by_id.values().find_map(|release| release.assets.iter().find(|asset| asset.id == id).map(|asset| (release, asset)))
    }
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/releases",
        operation: "repos/list-releases",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/releases#list-releases",
        handler: read::list,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/releases",
        operation: "repos/create-release",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/releases/releases#create-a-release",
        handler: edit::create,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/releases/{release_id}",
        operation: "repos/get-release",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/releases#get-a-release",
        handler: read::get,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/releases/latest",
        operation: "repos/get-latest-release",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/releases#get-the-latest-release",
        handler: read::latest,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/releases/tags/{tag}",
        operation: "repos/get-release-by-tag",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name",
        handler: read::by_tag,
    },
    Route {
        method: Method::Patch,
        template: "/repos/{owner}/{repo}/releases/{release_id}",
        operation: "repos/update-release",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/releases#update-a-release",
        handler: edit::update,
    },
    Route {
        method: Method::Delete,
        template: "/repos/{owner}/{repo}/releases/{release_id}",
        operation: "repos/delete-release",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/releases#delete-a-release",
        handler: edit::delete,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/releases/{release_id}/assets",
        operation: "repos/list-release-assets",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/assets#list-release-assets",
        handler: assets::list,
    },
    Route {
        method: Method::Post,
        template: "/repos/{owner}/{repo}/releases/{release_id}/assets",
        operation: "repos/upload-release-asset",
        needs: &[write("contents")],
        creates_content: true,
        documentation: "https://docs.github.com/rest/releases/assets#upload-a-release-asset",
        handler: assets::upload,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/releases/assets/{asset_id}",
        operation: "repos/get-release-asset",
        needs: &[read("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/assets#get-a-release-asset",
        handler: assets::get,
    },
    Route {
        method: Method::Delete,
        template: "/repos/{owner}/{repo}/releases/assets/{asset_id}",
        operation: "repos/delete-release-asset",
        needs: &[write("contents")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/releases/assets#delete-a-release-asset",
        handler: assets::delete,
    },
    Route {
        method: Method::Get,
        template: "/repos/{owner}/{repo}/immutable-releases",
        operation: "repos/check-immutable-releases",
        needs: &[read("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/repos#check-if-immutable-releases-are-enabled-for-a-repository",
        handler: immutable,
    },
    Route {
        method: Method::Put,
        template: "/repos/{owner}/{repo}/immutable-releases",
        operation: "repos/enable-immutable-releases",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/repos#enable-immutable-releases",
        handler: make_immutable,
    },
    Route {
        method: Method::Delete,
        template: "/repos/{owner}/{repo}/immutable-releases",
        operation: "repos/disable-immutable-releases",
        needs: &[write("administration")],
        creates_content: false,
        documentation: "https://docs.github.com/rest/repos/repos#disable-immutable-releases",
        handler: make_mutable,
    },
];

fn immutable(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    if !context.state.releases.immutable {
        return Err(ApiError::not_found());
    }
    Ok(ApiResponse::json(200, &json!({"enabled": true, "enforced_by_owner": false})))
}

fn make_immutable(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    context.state.releases.immutable = true;
    Ok(ApiResponse::empty(204))
}

fn make_mutable(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    context.state.releases.immutable = false;
    Ok(ApiResponse::empty(204))
}
