//! Annotated tag objects. Making one makes no ref.

use gix::objs::Kind;
use serde_json::{Value, json};

use super::commits::by;
use super::{GivenPerson, created, not_empty, object};
use crate::github::http::{ApiError, ApiResponse};
use crate::github::render::{node_id, signature, target, verification};
use crate::github::route::Context;
use crate::github::state::State;
use crate::github::store::{Signature, Tag};
use crate::github::update::broken;

#[derive(serde::Deserialize)]
struct NewTag {
    tag: String,
    message: String,
    object: String,
    #[serde(rename = "type")]
    kind: String,
    tagger: Option<GivenPerson>,
}

pub(super) fn create(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    not_empty(context.state)?;
    let new: NewTag = context.body()?;
    let store = &context.state.store;
    let kind = match new.kind.as_str() {
        "commit" => Kind::Commit,
        "tree" => Kind::Tree,
        "blob" => Kind::Blob,
        other => return Err(ApiError::unprocessable(format!("Invalid request.\n\n{other} is not a member of [\"commit\", \"tree\", \"blob\"]."))),
    };
    let object = (new.object.len() == 40).then(|| store.object(&new.object)).flatten().ok_or_else(|| ApiError::unprocessable("Object does not exist"))?;
    if store.kind(object) != Some(kind) {
        return Err(ApiError::unprocessable(format!("Object is not a {kind}")));
    }
    let name = format!("refs/tags/{}", new.tag);
    if gix::validate::reference::name(name.as_str().into()).is_err() {
        return Err(ApiError::unprocessable(format!("{} is not a valid tag name.", new.tag)));
    }
    let now = context.state.clock.now();
    let actor = &context.caller.actor;
    let tagger = match &new.tagger {
        Some(person) => person.signature(now)?,
        None => by(actor, now),
    };
    let tag = Tag { object, kind, name: new.tag, tagger: Some(tagger), message: new.message };
    let id = store.write_tag(&tag).map_err(broken)?;
    if actor.is_bot() && new.tagger.is_none() {
        context.state.signed.insert(id);
    }
    Ok(created(&render(context.state, id, &tag)))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = object(context, "tag_sha")?;
    let tag = context.state.store.tag(id).ok_or_else(ApiError::not_found)?;
    Ok(ApiResponse::json(200, &render(context.state, id, &tag)))
}

fn render(state: &State, id: gix::ObjectId, tag: &Tag) -> Value {
    // Old tags have no tagger; the description of the API has no place for that.
    let nobody = Signature { name: String::new(), email: String::new(), seconds: 0, offset: 0 };
    json!({
        "node_id": node_id("Tag", id), "tag": tag.name, "sha": id.to_string(), "url": state.url(&format!("/git/tags/{id}")),
        "message": tag.message, "tagger": signature(tag.tagger.as_ref().unwrap_or(&nobody)), "object": target(state, tag.object, tag.kind),
        "verification": verification(state, id, tag.tagger.as_ref()),
    })
}
