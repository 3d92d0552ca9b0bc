//! A dry run: reads go through, writes are noted and answered as GitHub would have, and nothing is written.
//!
//! What a step would have made can be read by the steps behind it: objects with the ids git gives them, refs, pull
//! requests (whose number nobody knows yet, so it is 0). A merge is refused, because what follows it are other people's
//! rules and other workflows' runs. Where a stage asks for what only the world could answer, the plan ends, and says so.

mod objects;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::step::describe;
use super::watch::Watch;
use crate::domain::digest::Sha256;
use crate::port::objects::{ObjectError, Objects};
use crate::port::transport::{Body, Method, Request, Response, Transport, TransportError};
use objects::Planned;

/// Why a merge is refused; stages report these words.
const NO_MERGE: &str = "a dry run merges nothing";

#[derive(Default)]
struct State {
    objects: Planned,
    /// Full name and object; `None` for a ref that is deleted.
    refs: BTreeMap<String, Option<String>>,
    pulls: Vec<Value>,
    /// The drafts of the plan, and what would have been uploaded to any release, by its number.
    drafts: Vec<Value>,
    assets: BTreeMap<String, Vec<Value>>,
}

/// GitHub as a dry run sees it.
pub(super) struct DryTransport {
    inner: Arc<dyn Transport>,
    objects: Arc<dyn Objects>,
    watch: Arc<Watch>,
    state: Mutex<State>,
}

fn answer(status: u16, body: &Value) -> Response {
    Response { status, headers: BTreeMap::new(), body: body.to_string().into_bytes() }
}

fn refusal(status: u16, message: &str) -> Response {
    answer(status, &json!({ "message": message }))
}

/// The part of a target behind `/repos/OWNER/NAME/`, and its query.
fn below(target: &str) -> (&str, &str) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path.split_once("/repos/").and_then(|(_, rest)| rest.splitn(3, '/').nth(2)).unwrap_or_default(), query)
}

/// Undoes the percent-encoding that the client wrote.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        match digits.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn parameter(query: &str, key: &str) -> Option<String> {
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key).map(|(_, value)| decoded(value))
}

fn reference(name: &str, sha: &str, state: &State) -> Value {
    let kind = if state.objects.tag(sha).is_some() { "tag" } else { "commit" };
    json!({ "ref": name, "object": { "sha": sha, "type": kind } })
}

impl DryTransport {
    /// Reads through `inner`; `objects` are those that exist.
    pub(super) fn new(inner: Arc<dyn Transport>, objects: Arc<dyn Objects>, watch: Arc<Watch>) -> Self {
        Self { inner, objects, watch, state: Mutex::default() }
    }

    fn end(request: &Request) -> TransportError {
        TransportError::Stopped { method: request.method.as_str(), target: request.target.clone() }
    }

    fn unreadable(request: &Request, source: ObjectError) -> TransportError {
        TransportError::Unreachable { method: request.method.as_str(), target: request.target.clone(), source: Box::new(source) }
    }

    async fn read(&self, request: Request) -> Result<Response, TransportError> {
        let state = self.state.lock().await;
        let (path, query) = below(&request.target);
        let parts: Vec<&str> = path.split('/').collect();
        let planned = &state.objects;
        match parts.as_slice() {
            ["git", "commits", id] if planned.commit(id).is_some() => return Ok(answer(200, planned.commit(id).unwrap_or(&Value::Null))),
            ["git", "tags", id] if planned.tag(id).is_some() => return Ok(answer(200, planned.tag(id).unwrap_or(&Value::Null))),
            ["git", "blobs", id] if planned.blob(id).is_some() => {
                return Ok(Response { status: 200, headers: BTreeMap::new(), body: planned.blob(id).unwrap_or_default().to_vec() });
            }
            ["git", "trees", id] if planned.tree(id).is_some() => {
                let listed = planned.listed(&*self.objects, id, query.contains("recursive")).await;
                return Ok(answer(200, &listed.map_err(|source| Self::unreadable(&request, source))?));
            }
            ["git", "ref", name @ ..] => {
                let name = format!("refs/{}", decoded(&name.join("/")));
                match state.refs.get(&name) {
                    Some(Some(sha)) => return Ok(answer(200, &reference(&name, sha, &state))),
                    Some(None) => return Ok(refusal(404, "Not Found")),
                    None => {}
                }
            }
            ["git", "matching-refs", prefix @ ..] => {
                let prefix = format!("refs/{}", decoded(&prefix.join("/")));
                let response = self.inner.send(request).await?;
                return Ok(with_refs(response, &prefix, &state));
            }
            ["pulls"] => {
                let response = self.inner.send(request.clone()).await?;
                return Ok(with_pulls(response, query, &state));
            }
            ["pulls", "0"] => return Ok(state.pulls.last().map_or_else(|| refusal(404, "Not Found"), |pull| answer(200, pull))),
            ["commits", id, "status"] if planned.commit(id).is_some() => return Ok(answer(200, &json!({ "statuses": [] }))),
            ["contents", file @ ..] => {
                if let Some(commit) = parameter(query, "ref").filter(|commit| planned.commit(commit).is_some()) {
                    let bytes = planned.file(&*self.objects, &commit, &decoded(&file.join("/")), request.limit).await;
                    let bytes = bytes.map_err(|source| Self::unreadable(&request, source))?;
                    return Ok(bytes.map_or_else(|| refusal(404, "Not Found"), |body| Response { status: 200, headers: BTreeMap::new(), body }));
                }
            }
            // What would have been uploaded cannot be downloaded.
            ["releases", "assets", "0"] => return Err(Self::end(&request)),
            _ => {}
        }
        if planned.named_in(&request.target).is_some() {
            return Err(Self::end(&request));
        }
        drop(state);
        self.inner.send(request).await
    }

    /// Whether a ref is there, in the plan or in the world.
    async fn exists(&self, state: &State, request: &Request, name: &str) -> Result<bool, TransportError> {
        if let Some(planned) = state.refs.get(name) {
            return Ok(planned.is_some());
        }
        let short = name.strip_prefix("refs/").unwrap_or(name);
        let response = self.get(request, &format!("git/ref/{short}")).await?;
        Ok(response.status == 200)
    }

    /// Reads something beside the request, of the same repository.
    async fn get(&self, request: &Request, path: &str) -> Result<Response, TransportError> {
        let top = request.target.split_once("/repos/").map(|(host, rest)| (host, rest.splitn(3, '/').take(2).collect::<Vec<_>>().join("/")));
        let (host, name) = top.unwrap_or_default();
        let target = format!("{host}/repos/{name}/{path}");
        self.inner.send(Request { method: Method::Get, target, accept: request.accept, body: Body::Empty, limit: request.limit }).await
    }

    async fn write(&self, request: &Request) -> Result<Response, TransportError> {
        let mut state = self.state.lock().await;
        let state = &mut *state;
        let (path, _) = below(&request.target);
        let parts: Vec<&str> = path.split('/').collect();
        let empty = Value::Null;
        let body = match &request.body {
            Body::Json(body) => body,
            _ => &empty,
        };
        let made = |sha: String| Ok(answer(201, &json!({ "sha": sha })));
        match (request.method, parts.as_slice()) {
            (Method::Post, ["git", "blobs"]) => made(state.objects.add_blob(body)),
            (Method::Post, ["git", "commits"]) => made(state.objects.add_commit(body)),
            (Method::Post, ["git", "tags"]) => made(state.objects.add_tag(body)),
            (Method::Post, ["git", "trees"]) => {
                let tree = state.objects.add_tree(&*self.objects, body).await;
                made(tree.map_err(|source| Self::unreadable(request, source))?)
            }
            (_, ["git", "refs", name @ ..]) => self.move_ref(state, request, body, &decoded(&name.join("/"))).await,
            (Method::Post, ["pulls"]) => self.open_pull(state, request, body).await,
            (Method::Patch, ["pulls", number]) => {
                let present = if *number == "0" { state.pulls.last().cloned() } else { None };
                let mut pull = match present {
                    Some(pull) => pull,
                    None => serde_json::from_slice(&self.get(request, path).await?.body).unwrap_or_default(),
                };
                for (key, value) in body.as_object().into_iter().flatten() {
                    pull[key] = value.clone();
                }
                Ok(answer(200, &pull))
            }
            (Method::Put, ["pulls", _, "merge" | "merge-async"]) => Ok(refusal(405, NO_MERGE)),
            // The statement stays in the store alone, as where GitHub keeps no attestations.
            (Method::Post, ["attestations"]) => Ok(refusal(404, "a dry run posts nothing")),
            (Method::Post, ["releases"]) => {
                let draft = release(body, &request.target);
                state.drafts.push(draft.clone());
                Ok(answer(201, &draft))
            }
            (Method::Patch, ["releases", id]) => {
                let draft = state.drafts.last().cloned().filter(|_| *id == "0");
                let mut release: Value = match draft {
                    Some(draft) => draft,
                    None => serde_json::from_slice(&self.get(request, path).await?.body).unwrap_or_default(),
                };
                let uploaded = state.assets.remove(*id).unwrap_or_default();
                let mut assets = release["assets"].as_array().cloned().unwrap_or_default();
                assets.retain(|asset| !uploaded.iter().any(|new| new["name"] == asset["name"]));
                assets.extend(uploaded);
                release["assets"] = Value::from(assets);
                release["draft"] = json!(false);
                Ok(answer(200, &release))
            }
            (Method::Post, ["releases", id, "assets"]) => {
                let asset = asset(request);
                state.assets.entry((*id).to_owned()).or_default().push(asset.clone());
                Ok(answer(201, &asset))
            }
            (Method::Delete, _) | (Method::Post, ["dispatches"]) => Ok(answer(204, &json!({}))),
            _ => Ok(answer(200, &json!({}))),
        }
    }

    async fn move_ref(&self, state: &mut State, request: &Request, body: &Value, name: &str) -> Result<Response, TransportError> {
        let name = if name.is_empty() { body["ref"].as_str().unwrap_or_default().to_owned() } else { format!("refs/{name}") };
        let there = self.exists(state, request, &name).await?;
        match (request.method, there) {
            (Method::Post, true) => return Ok(refusal(422, "Reference already exists")),
            (Method::Patch | Method::Delete, false) => return Ok(refusal(422, "Reference does not exist")),
            _ => {}
        }
        let sha = body["sha"].as_str().map(str::to_owned).filter(|_| request.method != Method::Delete);
        let response = sha.as_deref().map_or_else(|| answer(204, &json!({})), |sha| answer(200, &reference(&name, sha, state)));
        state.refs.insert(name, sha);
        Ok(response)
    }

    async fn open_pull(&self, state: &mut State, request: &Request, body: &Value) -> Result<Response, TransportError> {
        let text = |key: &str| body[key].as_str().unwrap_or_default();
        let owner = below_owner(&request.target);
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let query = format!("pulls?state=open&head={}&base={}", encoded(&format!("{owner}:{}", text("head"))), encoded(text("base")));
        let open: Vec<Value> = serde_json::from_slice(&self.get(request, &query).await?.body).unwrap_or_default();
        let twice = |pull: &Value| pull["head"]["ref"] == body["head"] && pull["base"]["ref"] == body["base"];
        if open.iter().chain(&state.pulls).any(twice) {
            return Ok(refusal(422, &format!("A pull request already exists for {owner}:{}.", text("head"))));
        }
        let tip = |name: &str| state.refs.get(&format!("refs/heads/{name}")).cloned().flatten();
        // Its ends are the plan's where the plan moves them, and else of no interest here.
        let end = |name: &str| json!({ "ref": name, "sha": tip(name).unwrap_or_else(|| "0".repeat(40)), "repo": { "id": 0 } });
        let pull = json!({
            "number": 0, "title": body["title"], "body": body["body"], "state": "open", "draft": false, "merged_at": null,
            "head": end(text("head")), "base": end(text("base")), "user": { "login": "chartflow", "id": 0 }, "labels": [], "html_url": "",
        });
        state.pulls.push(pull.clone());
        Ok(answer(201, &pull))
    }
}

fn below_owner(target: &str) -> &str {
    target.split_once("/repos/").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default()
}

fn release(body: &Value, target: &str) -> Value {
    let base = target.split('?').next().unwrap_or_default().trim_end_matches("/0");
    json!({ "id": 0, "tag_name": body["tag_name"].as_str().unwrap_or_default(), "draft": true, "upload_url": format!("{base}/0/assets{{?name,label}}"), "html_url": "", "assets": [] })
}

fn asset(request: &Request) -> Value {
    let bytes: &[u8] = match &request.body {
        Body::Bytes { bytes, .. } => bytes,
        _ => &[],
    };
    let name = request.target.split_once('?').and_then(|(_, query)| parameter(query, "name")).unwrap_or_default();
    json!({ "id": 0, "name": name, "state": "uploaded", "digest": Sha256::of(bytes).prefixed(), "size": bytes.len() })
}

/// A listing of refs as the plan leaves them.
fn with_refs(response: Response, prefix: &str, state: &State) -> Response {
    let Ok(mut listed) = serde_json::from_slice::<Vec<Value>>(&response.body) else { return response };
    listed.retain(|listed| !listed["ref"].as_str().is_some_and(|name| state.refs.contains_key(name)));
    let planned = state.refs.iter().filter(|(name, _)| name.starts_with(prefix));
    listed.extend(planned.filter_map(|(name, sha)| Some(reference(name, sha.as_deref()?, state))));
    Response { body: Value::from(listed).to_string().into_bytes(), ..response }
}

/// A listing of open pull requests with those of the plan.
fn with_pulls(response: Response, query: &str, state: &State) -> Response {
    let Ok(mut listed) = serde_json::from_slice::<Vec<Value>>(&response.body) else { return response };
    let head = parameter(query, "head").map(|head| head.split_once(':').map_or(head.clone(), |(_, branch)| branch.to_owned()));
    let base = parameter(query, "base");
    let first = parameter(query, "page").is_none_or(|page| page == "1");
    let wanted = |pull: &&Value| {
        first && head.as_deref().is_none_or(|head| pull["head"]["ref"] == head) && base.as_deref().is_none_or(|base| pull["base"]["ref"] == base)
    };
    listed.extend(state.pulls.iter().filter(wanted).cloned());
    Response { body: Value::from(listed).to_string().into_bytes(), ..response }
}

#[async_trait]
impl Transport for DryTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if self.watch.is_stopped() {
            return Err(Self::end(&request));
        }
        if request.method == Method::Get {
            return self.read(request).await;
        }
        let response = self.write(&request).await?;
        // What GitHub would have refused for what it knows is no step; what only a dry run refuses is one.
        if response.status != 422
            && let Some(step) = describe(&request)
        {
            self.watch.note(step);
        }
        Ok(response)
    }
}
