//! The proof that an edit changed one value and nothing else.

use serde::Deserialize;

use super::{CHART_FILE, EditError};
use crate::domain::yaml::{self, Duplicates, Limits, Node, Value};

/// One step from a mapping or list to a value in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// Into a mapping.
    Key(&'a str),
    /// Into a list.
    Index(usize),
}

/// Reads both files with two parsers and compares them, apart from the value at `steps`, which must be the text given
/// (line ends behind it aside) and may be new, and so may the mapping it lies in.
pub(super) fn prove(before: &[u8], after: &[u8], key: &str, steps: &[Step<'_>], text: &str) -> Result<(), EditError> {
    let unproved = |problem| EditError::Unproved { key: key.to_owned(), problem };
    let parse = |bytes: &[u8]| yaml::parse(CHART_FILE, bytes, &Limits::default(), Duplicates::Refuse);
    let (old, new) = (parse(before)?, parse(after).map_err(|_| unproved("the result is not YAML"))?);
    let value = find(&new.root, steps).and_then(Node::as_text).filter(|value| value.trim_end_matches('\n') == text.trim_end_matches('\n'));
    let value = value.ok_or_else(|| unproved("the new value is not read back"))?;
    let mut expected = old.root;
    set(&mut expected, steps, value).ok_or_else(|| unproved("the value has no place"))?;
    if !expected.same(&new.root) || old.more != new.more {
        return Err(unproved("another value would change"));
    }
    // The parsers differ about the line end of a block at the end of a file, so each is asked for its own reading.
    let (mut old, new) =
        (documents(before).ok_or_else(|| unproved("the YAML is read in two ways"))?, documents(after).ok_or_else(|| unproved("the result is not YAML"))?);
    let first = old.first_mut().ok_or_else(|| unproved("there is no document"))?;
    let value = new.first().and_then(|root| find_plain(root, steps)).filter(|value| value.trim_end_matches('\n') == text.trim_end_matches('\n'));
    let value = value.ok_or_else(|| unproved("the new value is read in two ways"))?;
    set_plain(first, steps, value).ok_or_else(|| unproved("the value has no place"))?;
    if old == new { Ok(()) } else { Err(unproved("another value would change")) }
}

fn documents(bytes: &[u8]) -> Option<Vec<serde_yaml::Value>> {
    serde_yaml::Deserializer::from_slice(yaml::without_mark(bytes)).map(|document| serde_yaml::Value::deserialize(document).ok()).collect()
}

fn find<'a>(root: &'a Node, steps: &[Step<'_>]) -> Option<&'a Node> {
    steps.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Index(index) => node.items().get(*index),
    })
}

fn find_plain<'a>(root: &'a serde_yaml::Value, steps: &[Step<'_>]) -> Option<&'a str> {
    let value = steps.iter().try_fold(root, |value, step| match step {
        Step::Key(key) => value.as_mapping()?.get(*key),
        Step::Index(index) => value.as_sequence()?.get(*index),
    });
    value?.as_str()
}

fn set(node: &mut Node, steps: &[Step<'_>], text: &str) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        node.value = Value::Text(text.to_owned());
        return Some(());
    };
    if matches!((step, &node.value), (Step::Key(_), Value::Null)) {
        node.value = Value::Mapping(Vec::new());
    }
    match (step, &mut node.value) {
        (Step::Index(index), Value::Sequence(items)) => set(items.get_mut(*index)?, rest, text),
        (Step::Key(key), Value::Mapping(entries)) => {
            if let Some((_, value)) = entries.iter_mut().find(|(name, _)| name.as_text() == Some(*key)) {
                return set(value, rest, text);
            }
            let mut value = Node::null();
            set(&mut value, rest, text)?;
            entries.push((Node { value: Value::Text((*key).to_owned()), ..Node::null() }, value));
            Some(())
        }
        _ => None,
    }
}

fn set_plain(value: &mut serde_yaml::Value, steps: &[Step<'_>], text: &str) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        *value = text.into();
        return Some(());
    };
    if matches!((step, &value), (Step::Key(_), serde_yaml::Value::Null)) {
        *value = serde_yaml::Mapping::new().into();
    }
    match step {
        Step::Index(index) => set_plain(value.as_sequence_mut()?.get_mut(*index)?, rest, text),
        Step::Key(key) => set_plain(value.as_mapping_mut()?.entry((*key).into()).or_insert(serde_yaml::Value::Null), rest, text),
    }
}
