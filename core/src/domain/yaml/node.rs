//! The tree of a document, with places.

use std::collections::HashMap;
use std::ops::Range;

use super::YamlError;

/// A place in a file, counted from 1; columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A scalar without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|` or `>`.
    Block,
    /// A sequence or mapping.
    Collection,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in file order, merge keys resolved, of duplicate keys the last.
    Mapping(Vec<(Node, Node)>),
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins; of an alias, where the alias stands; of a block scalar, its first line.
    pub at: Position,
    /// Its bytes in the file, quotes included. Of block collections only the start is reliable, of block scalars neither end.
    pub span: Range<usize>,
    /// How it is written.
    pub style: Style,
    /// Whether it carries an anchor or is an alias, so that changing it would change another value.
    pub shared: bool,
    /// Whether it carries a tag.
    pub tagged: bool,
    /// The text of a scalar that is no text: `1.10` where the value is the number 1.1.
    pub written: Option<Box<str>>,
}

impl Node {
    /// A value that stands nowhere: null.
    #[must_use]
    pub fn null() -> Self {
        Self { value: Value::Null, at: Position { line: 1, column: 1 }, span: 0..0, style: Style::Plain, shared: false, tagged: false, written: None }
    }

    /// The value of a text key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and value of a text key of a mapping.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Self, &Self)> {
        self.entries().iter().find(|(name, _)| name.as_text() == Some(key)).map(|(name, value)| (name, value))
    }

    /// The entries of a mapping; nothing for any other value.
    #[must_use]
    pub fn entries(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; nothing for any other value.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text, when the value is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A scalar's text as it is written, quotes aside, whatever its value is. `None` for collections.
    #[must_use]
    pub fn written(&self) -> Option<&str> {
        self.as_text().or(self.written.as_deref())
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The kind of value, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The scalar as the text that helm makes of it where it wants text: numbers and booleans in Go's shortest form
    /// (sigs.k8s.io/yaml `convertToJSONableObject`). `None` for null, collections and integers beyond 64 bits.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Integer(value) => (i64::try_from(*value).is_ok() || u64::try_from(*value).is_ok()).then(|| value.to_string()),
            Value::Float(value) => Some(super::resolve::go_float_32(*value)),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The value as JSON, as helm passes values on: whole floats are integers, keys are text.
    ///
    /// # Errors
    /// [`YamlError::Value`] for what JSON has not: infinite numbers, keys that are collections.
    pub fn to_json(&self, path: &str) -> Result<serde_json::Value, YamlError> {
        let refuse = |at: Position, problem: &str| YamlError::Value { path: path.to_owned(), line: at.line, column: at.column, problem: problem.to_owned() };
        Ok(match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => number(*value).into(),
            Value::Float(value) => float(*value).ok_or_else(|| refuse(self.at, "JSON has no number for this"))?.into(),
            Value::Text(text) => text.clone().into(),
            Value::Sequence(items) => items.iter().map(|item| item.to_json(path)).collect::<Result<Vec<_>, _>>()?.into(),
            Value::Mapping(entries) => {
                let mut object = serde_json::Map::new();
                for (key, value) in entries {
                    let name = key.to_text().or_else(|| key.is_null().then(|| "null".to_owned()));
                    object.insert(name.ok_or_else(|| refuse(key.at, "a key must be text or a number"))?, value.to_json(path)?);
                }
                object.into()
            }
        })
    }

    /// Whether both are the same value, wherever and however they are written; the order of keys does not count.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Sequence(one), Value::Sequence(two)) => one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.same(b)),
            (Value::Mapping(one), Value::Mapping(two)) => same_entries(one, two),
            (Value::Float(one), Value::Float(two)) => one.to_bits() == two.to_bits(),
            (one, two) => one == two,
        }
    }
}

/// Scalar keys are found by their text; keys that are collections, which no chart has, must come in the same order.
fn same_entries(one: &[(Node, Node)], two: &[(Node, Node)]) -> bool {
    let keys: HashMap<String, &(Node, Node)> = two.iter().filter_map(|entry| Some((entry.0.to_text()?, entry))).collect();
    let collections = |entries: &[(Node, Node)]| entries.iter().filter(|(key, _)| key.to_text().is_none()).cloned().collect::<Vec<_>>();
    let pair = |(one_key, one): &(Node, Node), (two_key, two): &(Node, Node)| one_key.same(two_key) && one.same(two);
    let same = |entry: &(Node, Node)| entry.0.to_text().is_none_or(|text| keys.get(&text).is_some_and(|other| pair(entry, other)));
    let (one_rest, two_rest) = (collections(one), collections(two));
    one.len() == two.len() && one.iter().all(same) && one_rest.len() == two_rest.len() && one_rest.iter().zip(&two_rest).all(|(a, b)| pair(a, b))
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
    }
}

fn number(value: i128) -> serde_json::Number {
    serde_json::Number::from_i128(value).unwrap_or_else(|| {
        // Only integers beyond 64 bits come here, and every one of them is a finite double.
        #[expect(clippy::cast_precision_loss, reason = "JSON numbers beyond 64 bits are doubles")]
        serde_json::Number::from_f64(value as f64).unwrap_or_else(|| 0.into())
    })
}

fn float(value: f64) -> Option<serde_json::Number> {
    /// Below this every whole double is exact and Go prints it without an exponent (encoding/json `floatEncoder`).
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < WHOLE {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Some((value as i64).into());
    }
    serde_json::Number::from_f64(value)
}
