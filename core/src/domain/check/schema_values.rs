//! values.yaml against values.schema.json. Nothing is fetched, neither over the network nor from files.

use std::sync::{Arc, Mutex};

use jsonschema::{PatternOptions, Retrieve, Uri};
use serde_json::Value as Json;

use super::rules::{SCHEMA_DUPLICATE_VALUE, SCHEMA_REFERENCE, SCHEMA_VALUES, SCHEMA_VALUES_SCHEMA, SCHEMA_YAML};
use super::schema::unreadable;
use super::{Finding, Subject};
use crate::domain::chart::{VALUES_FILE, VALUES_SCHEMA_FILE};
use crate::domain::yaml::{self, Duplicates, Limits, Node, Position, Value};

/// Helm loads no file beyond this size, in bytes (`MaxDecompressedFileSize`).
const FILE_LIMIT: usize = 5 << 20;
/// Findings beyond this number say nothing new.
const MOST: usize = 20;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(values) = values(subject, findings) else { return };
    let Some(bytes) = subject.files.bytes(VALUES_SCHEMA_FILE) else { return };
    let path = subject.path(VALUES_SCHEMA_FILE);
    let wrong = |message: String| Finding::new(&SCHEMA_VALUES_SCHEMA, message).at(&path, None);
    if bytes.len() > FILE_LIMIT {
        findings.push(wrong(format!("has {} bytes, at most {FILE_LIMIT} are read", bytes.len())));
        return;
    }
    let schema: Json = match serde_json::from_slice(yaml::without_mark(bytes)) {
        Ok(schema) => schema,
        Err(error) => {
            let line = u32::try_from(error.line()).ok();
            findings.push(wrong(format!("not JSON: {error}")).at(&path, line));
            return;
        }
    };
    let asked = Arc::new(Mutex::new(None));
    let options = jsonschema::options().with_retriever(Refuse(Arc::clone(&asked))).with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(100_000));
    let validator = match options.build(&schema) {
        Ok(validator) => validator,
        Err(error) => {
            let asked = asked.lock().ok().and_then(|mut asked| asked.take());
            findings.push(match asked {
                Some(uri) => {
                    let message = format!("refers to {uri}, which is not fetched; values.yaml was not checked against it");
                    Finding::new(&SCHEMA_REFERENCE, message).at(&path, None).hint("put the definitions into the file itself, under $defs")
                }
                None => wrong(format!("no JSON Schema: {error}")),
            });
            return;
        }
    };
    let values_path = subject.path(VALUES_FILE);
    let json = match values.to_json(&values_path) {
        Ok(Json::Null) => Json::Object(serde_json::Map::new()),
        Ok(json) => json,
        Err(error) => {
            findings.push(unreadable(&values_path, &error));
            return;
        }
    };
    for error in validator.iter_errors(&json).take(MOST) {
        let pointer = error.instance_path().to_string();
        let at = place(&values, &pointer);
        let key = if pointer.is_empty() { "the values".to_owned() } else { pointer.trim_start_matches('/').replace('/', ".") };
        let text: String = error.to_string().chars().take(300).collect();
        findings.push(
            Finding::new(&SCHEMA_VALUES, format!("{key}: {text}"))
                .at(&values_path, at.map(|at| at.line))
                .hint("change the value, or what values.schema.json demands of it"),
        );
    }
}

/// The values; null when there is no file. `None` when they cannot be read, which is then told.
fn values(subject: &Subject<'_>, findings: &mut Vec<Finding>) -> Option<Node> {
    let path = subject.path(VALUES_FILE);
    let Some(bytes) = subject.files.bytes(VALUES_FILE) else { return Some(Node::null()) };
    let document = match yaml::parse(&path, bytes, &Limits::of_bytes(FILE_LIMIT), Duplicates::Keep) {
        Ok(document) => document,
        Err(error) => {
            findings.push(unreadable(&path, &error));
            return None;
        }
    };
    for twice in document.duplicates.iter().take(MOST) {
        let message = format!("the key {:?} stands twice, first on line {}; helm takes the last", twice.key, twice.first.line);
        findings.push(Finding::new(&SCHEMA_DUPLICATE_VALUE, message).at(&path, Some(twice.at.line)).hint("remove one of them"));
    }
    if !matches!(document.root.value, Value::Null | Value::Mapping(_)) {
        findings.push(Finding::new(&SCHEMA_YAML, format!("holds {} where a mapping is expected", document.root.kind())).at(&path, None));
        return None;
    }
    Some(document.root)
}

/// Where the value of a JSON pointer stands, or the nearest value around it.
fn place(root: &Node, pointer: &str) -> Option<Position> {
    let mut node = root;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match &node.value {
            Value::Sequence(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => node.entries().iter().find(|(key, _)| key.to_text().as_deref() == Some(&step)).map(|(_, value)| value),
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    (!std::ptr::eq(node, root)).then_some(node.at)
}

/// Fetches nothing, and remembers what was asked for.
struct Refuse(Arc<Mutex<Option<String>>>);

impl Retrieve for Refuse {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        if let Ok(mut asked) = self.0.lock() {
            *asked = Some(uri.as_str().chars().take(200).collect());
        }
        Err("nothing is fetched".into())
    }
}
