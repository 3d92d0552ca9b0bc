//! Releases made, changed, published and deleted.

use gix::ObjectId;
use serde_json::json;

use super::Release;
use super::read::{found, release as render};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::occurrence::Happening;
use crate::github::route::Context;
use crate::github::rules::Via;
use crate::github::tokens;
use crate::github::update::{Update, update as move_reference};

/// The longest text, in characters (reported: <https://github.com/softprops/action-gh-release/issues/374>).
const BODY_LIMIT: usize = 125_000;

#[derive(Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum MakeLatest {
    True,
    False,
    Legacy,
}

#[derive(serde::Deserialize)]
struct Asked {
    tag_name: Option<String>,
    target_commitish: Option<String>,
    name: Option<String>,
    body: Option<String>,
    draft: Option<bool>,
    prerelease: Option<bool>,
    make_latest: Option<MakeLatest>,
}

impl Asked {
    fn fits(&self) -> Result<(), ApiError> {
        let long = self.body.as_ref().is_some_and(|body| body.len() > BODY_LIMIT && body.chars().count() > BODY_LIMIT);
        if !long {
            return Ok(());
        }
        let message = format!("body is too long (maximum is {BODY_LIMIT} characters)");
        Err(ApiError::new(422, "Validation Failed").with_error(json!({"resource": "Release", "code": "custom", "field": "body", "message": message})))
    }
}

/// The commit a release is or will be about: its tag's, else the target's. 422 when there is none.
fn commit(context: &Context<'_>, tag: &str, target: &str) -> Result<ObjectId, ApiError> {
    let store = &context.state.store;
    let tagged = store.reference(&format!("refs/tags/{tag}")).and_then(|id| store.peel(id)).map(|(id, _)| id);
    tagged.or_else(|| store.commitish(target)).ok_or_else(|| ApiError::field("Release", "target_commitish", "invalid"))
}

/// 403 for a token without `workflows: write` when the commit's workflow files are not the default branch's.
///
/// Source: <https://docs.github.com/rest/releases/releases#create-a-release>, the note on permissions.
fn may_release(context: &Context<'_>, commit: ObjectId) -> Result<(), ApiError> {
    let state = &*context.state;
    if tokens::may_write_workflows(context.caller) {
        return Ok(());
    }
    let default = state.store.reference(&format!("refs/heads/{}", state.settings.default_branch));
    let known = default.map(|tip| tokens::workflow_files(state, tip)).unwrap_or_default();
    let same = tokens::workflow_files(state, commit).iter().all(|(name, blob)| known.get(name) == Some(blob));
    if same { Ok(()) } else { Err(ApiError::new(403, "Resource not accessible by integration")) }
}

/// 422 for a tag that another published release has, and for one that an immutable release ever had.
fn tag_is_free(context: &Context<'_>, tag: &str, id: Option<u64>) -> Result<(), ApiError> {
    let releases = &context.state.releases;
    if releases.burnt.contains(tag) && releases.published(tag).is_none_or(|release| Some(release.id) != id) {
        return Err(ApiError::validation("Release", "tag_name was used by an immutable release"));
    }
    if releases.published(tag).is_some_and(|release| Some(release.id) != id) {
        return Err(ApiError::field("Release", "tag_name", "already_exists"));
    }
    Ok(())
}

/// Makes the tag where it is missing, lightweight, and opens the release to the public.
fn publish(context: &mut Context<'_>, release: &mut Release) -> Result<(), ApiError> {
    tag_is_free(context, &release.tag, Some(release.id))?;
    let commit = commit(context, &release.tag, &release.target)?;
    let reference = format!("refs/tags/{}", release.tag);
    if context.state.store.reference(&reference).is_none() {
        move_reference(context.state, context.caller, Update { reference: &reference, after: Some(commit), via: Via::Push })?;
    }
    release.draft = false;
    release.published = Some(context.state.clock.now());
    release.immutable = context.state.releases.immutable;
    if release.immutable {
        context.state.releases.burnt.insert(release.tag.clone());
    }
    Ok(())
}

fn happened(context: &mut Context<'_>, action: &'static str, release: &Release) {
    let what = Happening::Release { action, id: release.id, tag: release.tag.clone(), draft: release.draft };
    context.state.happened(context.caller, what);
}

/// 422 for a taken tag, an unknown target, a text of more than 125,000 characters. Two drafts may have one tag.
pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let asked: Asked = context.body()?;
    asked.fits()?;
    let tag = asked.tag_name.filter(|tag| !tag.is_empty()).ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"tag_name\" wasn't supplied."))?;
    let target = asked.target_commitish.unwrap_or_else(|| context.state.settings.default_branch.clone());
    tag_is_free(context, &tag, None)?;
    let commit = commit(context, &tag, &target)?;
    may_release(context, commit)?;
    let now = context.state.clock.now();
    let created = context.state.store.commit(commit).map_or(now, |commit| commit.committer.seconds);
    let mut release = Release {
        id: context.state.number(),
        tag,
        target,
        name: asked.name,
        body: asked.body,
        draft: true,
        prerelease: asked.prerelease.unwrap_or(false),
        latest: matches!(asked.make_latest, None | Some(MakeLatest::True)),
        immutable: false,
        author: context.caller.actor.clone(),
        created,
        updated: now,
        published: None,
        assets: Vec::new(),
    };
    if !asked.draft.unwrap_or(false) {
        publish(context, &mut release)?;
    }
    happened(context, "created", &release);
    if !release.draft {
        happened(context, "published", &release);
    }
    let body = render(context.state, &release);
    let location = body.get("url").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    context.state.releases.by_id.insert(release.id, release);
    Ok(ApiResponse::json(201, &body).with_header("location", location))
}

/// What is not given stays. `draft: false` publishes; of an immutable release only title and text can be changed.
pub(super) fn update(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut release = found(context)?.clone();
    let asked: Asked = context.body()?;
    asked.fits()?;
    let moved =
        asked.tag_name.as_ref().is_some_and(|tag| *tag != release.tag) || asked.target_commitish.as_ref().is_some_and(|target| *target != release.target);
    if release.immutable && (moved || asked.draft == Some(true)) {
        return Err(ApiError::validation("Release", "Cannot change an immutable release"));
    }
    if let Some(tag) = asked.tag_name {
        tag_is_free(context, &tag, Some(release.id))?;
        release.tag = tag;
    }
    release.target = asked.target_commitish.unwrap_or(release.target);
    release.name = asked.name.or(release.name);
    release.body = asked.body.or(release.body);
    release.prerelease = asked.prerelease.unwrap_or(release.prerelease);
    if let Some(latest) = asked.make_latest {
        release.latest = matches!(latest, MakeLatest::True);
    }
    may_release(context, commit(context, &release.tag, &release.target)?)?;
    let publishes = release.draft && asked.draft == Some(false);
    if publishes {
        publish(context, &mut release)?;
    } else if asked.draft == Some(true) {
        (release.draft, release.published) = (true, None);
    }
    release.updated = context.state.clock.now();
    happened(context, if publishes { "published" } else { "edited" }, &release);
    let body = render(context.state, &release);
    context.state.releases.by_id.insert(release.id, release);
    Ok(ApiResponse::json(200, &body))
}

/// The tag stays.
pub(super) fn delete(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let release = found(context)?.clone();
    context.state.releases.by_id.remove(&release.id);
    happened(context, "deleted", &release);
    Ok(ApiResponse::empty(204))
}
