//! From the text of an index to its entries, as strictly as helm.

use std::collections::BTreeMap;

use super::super::chart::{METADATA_KEYS, decode};
use super::super::package::lock::go_time;
use super::super::yaml::{self, Duplicates, Limits, Node, Value};
use super::{Entry, INDEX_LIMIT, Index, IndexError};

/// In messages; whoever prints them knows the file's name.
const FILE: &str = "the index";
const LEGACY_KEYS: [&str; 4] = ["checksum", "engine", "tillerVersion", "url"];

/// Reads a part of an index, or all of it.
pub(super) fn tree(bytes: &[u8]) -> Result<Node, IndexError> {
    Ok(yaml::parse(FILE, bytes, &Limits::of_bytes(INDEX_LIMIT), Duplicates::Refuse)?.root)
}

pub(super) fn index(root: &Node) -> Result<Index, IndexError> {
    if !matches!(root.value, Value::Mapping(_)) {
        return Err(wrong(root, "the index", "a mapping"));
    }
    let mut index = Index { api_version: String::new(), ..Index::default() };
    for (key, value) in root.entries() {
        match key.as_text().unwrap_or_default() {
            "apiVersion" => index.api_version = text(value, "apiVersion")?,
            "generated" => index.generated = time(value, "generated")?,
            "entries" if value.is_null() => {}
            "entries" if !matches!(value.value, Value::Mapping(_)) => return Err(wrong(value, "entries", "a mapping")),
            "entries" => {
                for (name, versions) in value.entries() {
                    let name = text(name, "a chart's name")?;
                    index.entries.insert(name, entries(versions)?);
                }
            }
            known @ ("annotations" | "publicKeys" | "serverInfo") => {
                index.other.insert(known.to_owned(), value.to_json(FILE)?);
            }
            _ => return Err(unknown(key)),
        }
    }
    if index.api_version.is_empty() { Err(IndexError::NoApiVersion) } else { Ok(index) }
}

/// The versions of one chart.
pub(super) fn entries(list: &Node) -> Result<Vec<Entry>, IndexError> {
    match &list.value {
        Value::Null => Ok(Vec::new()),
        Value::Sequence(items) => items.iter().map(entry).collect(),
        _ => Err(wrong(list, "a chart's entry", "a list")),
    }
}

fn entry(node: &Node) -> Result<Entry, IndexError> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Err(wrong(node, "a version's entry", "a mapping"));
    }
    let mut problems = Vec::new();
    let metadata = decode(FILE, node, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.into());
    }
    let mut entry = Entry { metadata, urls: None, created: None, removed: false, digest: String::new(), legacy: BTreeMap::new() };
    for (key, value) in node.entries() {
        let name = key.as_text().unwrap_or_default();
        match name {
            "urls" => entry.urls = urls(value)?,
            "created" => entry.created = time(value, "created")?,
            "digest" => entry.digest = text(value, "digest")?,
            "removed" => match value.value {
                Value::Bool(removed) => entry.removed = removed,
                Value::Null => {}
                _ => return Err(wrong(value, "removed", "true or false")),
            },
            _ => match LEGACY_KEYS.iter().find(|legacy| **legacy == name) {
                Some(legacy) => {
                    let value = text(value, legacy)?;
                    if !value.is_empty() {
                        entry.legacy.insert(legacy, value);
                    }
                }
                None if METADATA_KEYS.iter().any(|known| known.eq_ignore_ascii_case(name)) => {}
                None => return Err(unknown(key)),
            },
        }
    }
    Ok(entry)
}

fn urls(node: &Node) -> Result<Option<Vec<String>>, IndexError> {
    match &node.value {
        Value::Null => Ok(None),
        Value::Sequence(items) => items.iter().map(|item| text(item, "urls")).collect::<Result<_, _>>().map(Some),
        _ => Err(wrong(node, "urls", "a list")),
    }
}

fn text(node: &Node, key: &'static str) -> Result<String, IndexError> {
    if node.is_null() {
        return Ok(String::new());
    }
    node.to_text().ok_or_else(|| wrong(node, key, "text"))
}

fn time(node: &Node, key: &'static str) -> Result<Option<String>, IndexError> {
    if node.is_null() {
        return Ok(None);
    }
    node.as_text().and_then(go_time).map(Some).ok_or_else(|| wrong(node, key, "a time of the form 2006-01-02T15:04:05Z"))
}

fn wrong(node: &Node, key: &'static str, expected: &'static str) -> IndexError {
    IndexError::Type { line: node.at.line, key, found: node.kind(), expected }
}

fn unknown(key: &Node) -> IndexError {
    IndexError::UnknownKey { line: key.at.line, key: key.to_text().unwrap_or_else(|| key.kind().to_owned()) }
}
