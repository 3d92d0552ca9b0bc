//! The bytes that are signed, and reading them back without the liberties JSON readers usually take.
//!
//! Written as RFC 8785 (JSON Canonicalization Scheme) asks, for the subset without fractions that statements use: no
//! white space, members sorted by UTF-16 code units. Equal statements are therefore equal bytes with equal digests.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Deeper JSON than this is refused.
pub const DEPTH_LIMIT: usize = 32;

/// The canonical bytes of a JSON value.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write(value, &mut out);
    out.into_bytes()
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Reads one JSON document strictly: no duplicate member, no fraction or exponent, nothing behind the document, at most
/// [`DEPTH_LIMIT`] levels.
///
/// # Errors
/// What `serde_json` reports, with line and column.
pub fn strict(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: DEPTH_LIMIT }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        self.depth.checked_sub(1).map(|depth| Self { depth }).ok_or_else(|| E::custom(format!("nested more than {DEPTH_LIMIT} levels deep")))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without fractions")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(below)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let member = access.next_value_seed(below)?;
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!("member {name:?} stands twice")));
            }
            members.insert(name, member);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match strict(text.as_bytes()) {
            Ok(value) => String::from_utf8(canonical(&value)).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn sorted_and_compact() {
        insta::assert_snapshot!(check(r#" {"b": [1, -2, true, null], "a": {"\u20ac": "\u000a\u001f\"é", "a": ""}} "#), @r#"{"a":{"a":"","€":"\n\u001f\"é"},"b":[1,-2,true,null]}"#);
        // UTF-16 order, not the order of code points: U+1F600 is written with surrogates, which sort before U+FB01.
        insta::assert_snapshot!(check("{\"\u{fb01}\":1,\"\u{1f600}\":2}"), @r#"{"😀":2,"ﬁ":1}"#);
    }

    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        insta::assert_snapshot!(check(r#"{"a":1,"a":1}"#), @r#"member "a" stands twice at line 1 column 13"#);
        insta::assert_snapshot!(check("[1.0]"), @"invalid type: floating point `1.0`, expected a JSON value without fractions at line 1 column 4");
        insta::assert_snapshot!(check("{} {}"), @"trailing characters at line 1 column 4");
        insta::assert_snapshot!(check(&"[".repeat(2000)), @"nested more than 32 levels deep at line 1 column 33");
        assert!(strict(b"\xef\xbb\xbf{}").is_err());
        assert!(strict(b"\"\xff\"").is_err());
    }
}
