//! Git objects that exist in a plan only: they get the ids git gives them, and can be read.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::domain::digest::{BlobId, ObjectFormat, TreeId};
use crate::domain::tree::{Entry, Mode, RawEntry, Tree};
use crate::port::objects::{ObjectError, Objects};

const FORMAT: ObjectFormat = ObjectFormat::Sha1;
/// Who writes commits and tags that nobody will ever see, and when.
const NOBODY: &str = "chartflow <chartflow@example.com> 0 +0000";
const WHEN: &str = "1970-01-01T00:00:00Z";

/// The objects of a plan.
#[derive(Default)]
pub(super) struct Planned {
    blobs: BTreeMap<String, Vec<u8>>,
    trees: BTreeMap<String, Tree>,
    commits: BTreeMap<String, Value>,
    tags: BTreeMap<String, Value>,
}

fn id(kind: &str, content: &[u8]) -> String {
    hex::encode(FORMAT.hash(kind, content))
}

/// What is to be put at a path of a tree: an object, or nothing.
type Change = (Vec<String>, Option<(Mode, String)>);

impl Planned {
    pub(super) fn blob(&self, id: &str) -> Option<&[u8]> {
        self.blobs.get(id).map(Vec::as_slice)
    }

    pub(super) fn commit(&self, id: &str) -> Option<&Value> {
        self.commits.get(id)
    }

    pub(super) fn tag(&self, id: &str) -> Option<&Value> {
        self.tags.get(id)
    }

    pub(super) fn tree(&self, id: &str) -> Option<&Tree> {
        self.trees.get(id)
    }

    /// A commit of the plan that a text names.
    pub(super) fn named_in(&self, text: &str) -> Option<&str> {
        self.commits.keys().find(|id| text.contains(id.as_str())).map(String::as_str)
    }

    pub(super) fn add_blob(&mut self, body: &Value) -> String {
        let content = body["content"].as_str().unwrap_or_default();
        let bytes = if body["encoding"] == "base64" { STANDARD.decode(content).unwrap_or_default() } else { content.as_bytes().to_vec() };
        let id = id("blob", &bytes);
        self.blobs.insert(id.clone(), bytes);
        id
    }

    pub(super) fn add_commit(&mut self, body: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parents: Vec<String> = body["parents"].as_array().into_iter().flatten().map(text).collect();
        let lines: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let content = format!("tree {}\n{lines}author {NOBODY}\ncommitter {NOBODY}\n\n{}", text(&body["tree"]), text(&body["message"]));
        let id = id("commit", content.as_bytes());
        let person = json!({ "name": "chartflow", "email": "chartflow@example.com", "date": WHEN });
        let parents: Vec<Value> = parents.iter().map(|parent| json!({ "sha": parent })).collect();
        let answer =
            json!({ "sha": id, "message": body["message"], "tree": { "sha": body["tree"] }, "parents": parents, "author": person, "committer": person });
        self.commits.insert(id.clone(), answer);
        id
    }

    pub(super) fn add_tag(&mut self, body: &Value) -> String {
        let text = |key: &str| body[key].as_str().unwrap_or_default();
        let content = format!("object {}\ntype commit\ntag {}\ntagger {NOBODY}\n\n{}", text("object"), text("tag"), text("message"));
        let id = id("tag", content.as_bytes());
        let answer = json!({ "sha": id, "tag": body["tag"], "message": body["message"], "object": { "sha": body["object"], "type": "commit" } });
        self.tags.insert(id.clone(), answer);
        id
    }

    /// Makes a tree as "Create a tree" does: from another one, with paths replaced.
    pub(super) async fn add_tree(&mut self, objects: &dyn Objects, body: &Value) -> Result<String, ObjectError> {
        let mut changes: Vec<Change> = Vec::new();
        for entry in body["tree"].as_array().into_iter().flatten() {
            let path = entry["path"].as_str().unwrap_or_default().split('/').map(str::to_owned).collect();
            let mode = Mode::parse(entry["mode"].as_str().unwrap_or_default()).unwrap_or(Mode::File);
            let object = match (entry["content"].as_str(), entry["sha"].as_str()) {
                (Some(content), _) => Some(self.add_blob(&json!({ "content": content }))),
                (None, Some(id)) => Some(id.to_owned()),
                (None, None) => None,
            };
            changes.push((path, object.map(|id| (mode, id))));
        }
        let base = body["base_tree"].as_str().map(str::to_owned);
        self.with(objects, base, changes).await
    }

    fn with<'a>(
        &'a mut self,
        objects: &'a dyn Objects,
        base: Option<String>,
        changes: Vec<Change>,
    ) -> Pin<Box<dyn Future<Output = Result<String, ObjectError>> + Send + 'a>> {
        Box::pin(async move {
            let mut tree = match &base {
                Some(base) => self.read(objects, base).await?,
                None => Tree::default(),
            };
            let mut below: BTreeMap<String, Vec<Change>> = BTreeMap::new();
            for (path, object) in changes {
                match path.split_first() {
                    Some((name, [])) => tree = tree.with(name, object),
                    Some((name, rest)) => below.entry(name.clone()).or_default().push((rest.to_vec(), object)),
                    None => {}
                }
            }
            for (name, changes) in below {
                let directory = tree.get(&name).and_then(Entry::as_tree).map(|id| id.to_string());
                let changed = self.with(objects, directory, changes).await?;
                let empty = self.trees.get(&changed).is_some_and(|tree| tree.entries().is_empty());
                tree = tree.with(&name, (!empty).then_some((Mode::Directory, changed)));
            }
            let garbled = |source| ObjectError::Garbled { kind: "tree", id: base.clone().unwrap_or_default(), source: Box::new(source) };
            let id = tree.id(FORMAT).map_err(garbled)?.to_string();
            self.trees.insert(id.clone(), tree);
            Ok(id)
        })
    }

    async fn read(&self, objects: &dyn Objects, id: &str) -> Result<Tree, ObjectError> {
        if let Some(tree) = self.trees.get(id) {
            return Ok(tree.clone());
        }
        let garbled = |source| ObjectError::Garbled { kind: "tree", id: id.to_owned(), source: Box::new(source) };
        objects.tree(&TreeId::new(id).map_err(garbled)?).await
    }

    /// A tree as "Get a tree" answers, with everything below it when that is asked for.
    pub(super) async fn listed(&self, objects: &dyn Objects, id: &str, recursive: bool) -> Result<Value, ObjectError> {
        let mut entries = Vec::new();
        let mut todo = vec![(String::new(), id.to_owned())];
        while let Some((path, id)) = todo.pop() {
            let tree = self.read(objects, &id).await?;
            // As text, like everything in an answer.
            let lossy = |entry: &RawEntry| Entry { name: String::from_utf8_lossy(&entry.name).into_owned(), mode: entry.mode, id: entry.id.clone() };
            for entry in tree.entries().iter().cloned().chain(tree.raw_entries().iter().map(lossy)) {
                let at = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
                entries.push(json!({ "path": at, "mode": entry.mode.padded(), "type": entry.mode.object_type(), "sha": entry.id }));
                if let Some(below) = entry.as_tree().filter(|_| recursive) {
                    todo.push((at, below.to_string()));
                }
            }
        }
        Ok(json!({ "sha": id, "tree": entries, "truncated": false }))
    }

    /// The bytes of a file at a commit of the plan.
    pub(super) async fn file(&self, objects: &dyn Objects, commit: &str, path: &str, limit: usize) -> Result<Option<Vec<u8>>, ObjectError> {
        let mut at = self.commit(commit).and_then(|commit| commit["tree"]["sha"].as_str()).unwrap_or_default().to_owned();
        let (directories, name) = path.rsplit_once('/').map_or_else(|| (Vec::new(), path), |(above, name)| (above.split('/').collect(), name));
        for directory in directories {
            match self.read(objects, &at).await?.get(directory).and_then(Entry::as_tree) {
                Some(below) => at = below.to_string(),
                None => return Ok(None),
            }
        }
        let Some(blob) = self.read(objects, &at).await?.get(name).and_then(Entry::as_blob) else { return Ok(None) };
        match self.blob(blob.as_str()) {
            Some(bytes) => Ok(Some(bytes.to_vec())),
            None => objects.blob(&BlobId::new(blob.as_str()).unwrap_or(blob), limit).await.map(Some),
        }
    }
}
