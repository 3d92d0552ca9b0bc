//! What is wrong with a value that should have been of one of our types, said in the words of the file and not in those of
//! the program: where it stands, by which keys it is reached, and what to write instead.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::configuration::nearest;
use super::yaml::Node;

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Its line, counted from 1, where it is known.
    pub(crate) line: Option<u32>,
    /// What is wrong, beginning with the keys that lead there.
    pub(crate) problem: String,
}

/// Makes a type of a value. `places` is the same value with its places.
pub(crate) fn decode<T: DeserializeOwned>(value: &serde_json::Value, places: Option<&Node>) -> Result<T, Mistake> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let said = error.inner().to_string();
        let mut keys = keys(error.path());
        let unknown = quoted(&said, "unknown field ");
        if unknown.is_some() && keys.last() == unknown.as_ref() {
            keys.pop();
        }
        let mut there = keys.clone();
        there.extend(unknown);
        let problem = plain(&said);
        Mistake { line: places.and_then(|root| line(root, &there)), problem: if keys.is_empty() { problem } else { format!("{}: {problem}", keys.join(".")) } }
    })
}

/// The line of the value that keys (of lists: numbers from 0) lead to, or of the nearest one above it that is there.
pub(crate) fn line(root: &Node, keys: &[impl AsRef<str>]) -> Option<u32> {
    let mut node = root;
    let mut line = None;
    for key in keys {
        let key = key.as_ref();
        if let Some((name, value)) = node.entry(key) {
            (line, node) = (Some(name.at.line), value);
        } else if let Some(item) = key.parse::<usize>().ok().and_then(|index| node.items().get(index)) {
            (line, node) = (Some(item.at.line), item);
        } else {
            break;
        }
    }
    line
}

fn keys(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// What stands in back quotes behind some words.
fn quoted(said: &str, before: &str) -> Option<String> {
    Some(said.strip_prefix(before)?.strip_prefix('`')?.split_once('`')?.0.to_owned())
}

/// Serde's sentence about a value, without the names of Rust's types.
pub(crate) fn plain(said: &str) -> String {
    let known = |rest: &str| -> Vec<String> { rest.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    if let Some(key) = quoted(said, "unknown field ") {
        let others = known(said.split_once("expected ").map_or("", |(_, rest)| rest));
        return format!("the key {key:?} is unknown; {}", nearest(&key, others.iter().map(String::as_str)));
    }
    if let Some(value) = quoted(said, "unknown variant ") {
        let others = known(said.split_once("expected ").map_or("", |(_, rest)| rest));
        return format!("{value:?} is not known here; write {}", listed(&others));
    }
    if let Some(key) = quoted(said, "missing field ") {
        return format!("the key {key:?} is missing; add it");
    }
    let mistyped = ["invalid type: ", "invalid value: "].iter().find_map(|begin| said.strip_prefix(begin)?.rsplit_once(", expected "));
    match mistyped {
        Some((found, expected)) => format!("{} where {} is expected", found_words(found), expected_words(expected)),
        None => said.to_owned(),
    }
}

fn listed(words: &[String]) -> String {
    match words {
        [] => "another one".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn found_words(found: &str) -> String {
    let bare = |text: &str| text.trim_matches('`').to_owned();
    match found.split_once(' ') {
        Some(("string", text)) => format!("holds the text {text}"),
        Some(("integer", number)) => format!("holds the number {}", bare(number)),
        Some(("floating", number)) => format!("holds the number {}", bare(number.trim_start_matches("point "))),
        Some(("boolean", value)) => format!("holds {}", bare(value)),
        _ if found == "map" => "holds a mapping".to_owned(),
        _ if found == "sequence" => "holds a list".to_owned(),
        _ if found == "null" || found.starts_with("unit") => "holds nothing".to_owned(),
        _ => format!("holds {found}"),
    }
}

fn expected_words(expected: &str) -> String {
    match expected {
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "a string" | "str" | "string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        _ if expected.starts_with("struct ") => "a mapping".to_owned(),
        _ if expected.contains("enum ") => "one word".to_owned(),
        _ => expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_without_types() {
        let check = |said: &str| plain(said);
        insta::assert_snapshot!(check("invalid type: string \"charts/*\", expected a sequence"), @r#"holds the text "charts/*" where a list is expected"#);
        insta::assert_snapshot!(check("invalid type: integer `3`, expected struct Repository"), @"holds the number 3 where a mapping is expected");
        insta::assert_snapshot!(check("invalid value: integer `-1`, expected u64"), @"holds the number -1 where a whole number of 0 or more is expected");
        insta::assert_snapshot!(check("invalid type: null, expected a string"), @"holds nothing where text is expected");
        insta::assert_snapshot!(check("invalid type: map, expected a string"), @"holds a mapping where text is expected");
        insta::assert_snapshot!(check("unknown variant `keys`, expected one of `public`, `github`, `key`"), @r#""keys" is not known here; write public, github or key"#);
        insta::assert_snapshot!(check("unknown field `form`, expected one of `from`, `signer`"), @r#"the key "form" is unknown; did you mean "from"?"#);
        insta::assert_snapshot!(check("missing field `epochs`"), @r#"the key "epochs" is missing; add it"#);
        insta::assert_snapshot!(check("\"x\" is not an age"), @r#""x" is not an age"#);
    }
}
