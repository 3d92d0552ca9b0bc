//! YAML as helm writes it: Chart.yaml and Chart.lock inside packages, `index.yaml`, the body of provenance files.
//!
//! helm turns a value into JSON and the JSON into YAML (`sigs.k8s.io/yaml` over version 2 of Go's YAML library), so key
//! order, quotes and line folding are that library's: keys sorted its own way, block style, sequences at the column of
//! their key, long lines folded at the first space behind column 80.

use serde_json::Value;

use super::scalar::{Style, is_break, is_printable, style};

/// Lines longer than this many characters are folded at the next single space.
const WIDTH: usize = 80;
/// A key longer than this many bytes stands behind `? `.
const SIMPLE_KEY_LIMIT: usize = 128;

/// A value as a YAML document, keys sorted, ending in a line feed. A JSON number that Go would hold as a float is
/// written as Go's `%g` does.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, whitespace: true, indention: true };
    emitter.node(value, None, Place::Root);
    emitter.line(0);
    emitter.out
}

/// The order of mapping keys in helm's YAML: letters by code point, runs of digits by their number, everything else
/// before letters.
#[must_use]
pub fn key_is_less(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    for (position, (&a, &b)) in one.iter().zip(&other).enumerate() {
        if a == b {
            continue;
        }
        match (a.is_alphabetic(), b.is_alphabetic()) {
            (true, true) => return a < b,
            (true, false) => return false,
            (false, true) => return true,
            (false, false) => {}
        }
        // A zero behind other digits of a number must count as a digit of it, not as a leading zero.
        let inside = (a == '0' || b == '0') && one[..position].iter().rev().take_while(|c| c.is_ascii_digit()).any(|&c| c != '0');
        let number = |characters: &[char]| {
            let digits: Vec<i64> = characters[position..].iter().map_while(|c| c.to_digit(10)).map(i64::from).collect();
            (digits.iter().fold(i64::from(inside), |number, digit| number.wrapping_mul(10).wrapping_add(*digit)), digits.len())
        };
        let (left, right) = (number(&one), number(&other));
        return if left == right { a < b } else { left < right };
    }
    one.len() < other.len()
}

/// Sorted by insertion, because [`key_is_less`] is Go's and promises no total order.
fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut entries: Vec<(&str, &Value)> = Vec::with_capacity(map.len());
    for (key, value) in map {
        let position = entries.partition_point(|(present, _)| !key_is_less(key, present));
        entries.insert(position, (key, value));
    }
    entries
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Sequence,
    /// A key behind `? `, or a value.
    Mapping,
    /// A key on the line of its value.
    SimpleKey,
}

struct Emitter {
    out: String,
    /// Characters on the current line.
    column: usize,
    /// The last thing written was white space or an indicator that acts like it.
    whitespace: bool,
    /// Only indentation and indicators that open a nested block stand on the current line.
    indention: bool,
}

impl Emitter {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if is_break(c) { 0 } else { self.column + 1 };
    }

    /// Begins a new line unless the current one is empty up to the indentation.
    fn line(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.whitespace, self.indention) = (true, true);
    }

    fn indicator(&mut self, text: &str, opens_block: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        self.mark(text, opens_block);
    }

    /// An indicator that needs no space before it.
    fn mark(&mut self, text: &str, opens_block: bool) {
        text.chars().for_each(|c| self.put(c));
        self.whitespace = false;
        self.indention &= opens_block;
    }

    /// Writes a node; `indent` is the indentation of the collection it stands in.
    fn node(&mut self, value: &Value, indent: Option<usize>, place: Place) {
        match value {
            Value::Null => self.plain("null", indent, place),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }, indent, place),
            Value::Number(number) => self.plain(&number_text(number), indent, place),
            Value::String(text) => self.text(text, indent, place),
            Value::Array(items) if items.is_empty() => {
                self.indicator("[", false);
                self.mark("]", false);
            }
            Value::Array(items) => {
                let inner = match indent {
                    None => 0,
                    Some(indent) if place == Place::Mapping && !self.indention => indent,
                    Some(indent) => indent + 2,
                };
                for item in items {
                    self.line(inner);
                    self.indicator("-", true);
                    self.node(item, Some(inner), Place::Sequence);
                }
            }
            Value::Object(map) if map.is_empty() => {
                self.indicator("{", false);
                self.mark("}", false);
            }
            Value::Object(map) => {
                let inner = indent.map_or(0, |indent| indent + 2);
                for (key, value) in sorted(map) {
                    self.line(inner);
                    self.key(key, inner);
                    self.node(value, Some(inner), Place::Mapping);
                }
            }
        }
    }

    fn key(&mut self, key: &str, indent: usize) {
        if key.len() <= SIMPLE_KEY_LIMIT && !key.contains(is_break) {
            self.text(key, Some(indent), Place::SimpleKey);
            self.mark(":", false);
        } else {
            self.indicator("?", true);
            self.text(key, Some(indent), Place::Mapping);
            self.line(indent);
            self.indicator(":", true);
        }
    }

    fn text(&mut self, text: &str, indent: Option<usize>, place: Place) {
        let inner = indent.map_or(2, |indent| indent + 2);
        match style(text, place == Place::SimpleKey) {
            Style::Plain => self.plain(text, indent, place),
            Style::SingleQuoted => self.single_quoted(text, inner, place != Place::SimpleKey),
            Style::DoubleQuoted => self.double_quoted(text, inner, place != Place::SimpleKey),
            Style::Literal => self.literal(text, inner),
        }
    }

    fn plain(&mut self, text: &str, indent: Option<usize>, place: Place) {
        let inner = indent.map_or(2, |indent| indent + 2);
        if !self.whitespace {
            self.put(' ');
        }
        self.folded(text, inner, place != Place::SimpleKey, 0..text.len(), Self::put);
        (self.whitespace, self.indention) = (false, false);
    }

    /// Writes characters by `put`; a lone space behind the width that stands inside `foldable` becomes a new line.
    fn folded(&mut self, text: &str, indent: usize, fold: bool, foldable: std::ops::Range<usize>, put: fn(&mut Self, char)) {
        let mut after_space = false;
        let mut breaks = false;
        for (position, c) in text.char_indices() {
            if c == ' ' {
                let lone = !after_space && !text[position + 1..].starts_with(' ');
                if fold && lone && self.column > WIDTH && foldable.contains(&position) {
                    self.line(indent);
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put('\n');
                }
                self.put(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.line(indent);
                }
                put(self, c);
                self.indention = false;
                (after_space, breaks) = (false, false);
            }
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.indicator("'", false);
        self.folded(text, indent, fold, 1..text.len().saturating_sub(1), |emitter, c| {
            if c == '\'' {
                emitter.put('\'');
            }
            emitter.put(c);
        });
        self.mark("'", false);
        self.indention = false;
    }

    fn double_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.indicator("\"", false);
        let mut after_space = false;
        let last = text.len().saturating_sub(1);
        // The library looks for a byte order mark at the beginning of the text whichever character it is about to write.
        let marked = text.starts_with('\u{feff}');
        for (position, c) in text.char_indices() {
            if marked || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escaped(c);
                after_space = false;
            } else if c == ' ' {
                if fold && !after_space && self.column > WIDTH && position > 0 && position < last {
                    self.line(indent);
                    if text[position + 1..].starts_with(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
            }
        }
        self.mark("\"", false);
        self.indention = false;
    }

    fn escaped(&mut self, c: char) {
        let code = u32::from(c);
        let escape = match c {
            '\0' => "0".to_owned(),
            '\u{7}' => "a".to_owned(),
            '\u{8}' => "b".to_owned(),
            '\t' => "t".to_owned(),
            '\n' => "n".to_owned(),
            '\u{b}' => "v".to_owned(),
            '\u{c}' => "f".to_owned(),
            '\r' => "r".to_owned(),
            '\u{1b}' => "e".to_owned(),
            '"' | '\\' => c.to_string(),
            '\u{85}' => "N".to_owned(),
            '\u{2028}' => "L".to_owned(),
            '\u{2029}' => "P".to_owned(),
            _ if code <= 0xff => format!("x{code:02X}"),
            _ if code <= 0xffff => format!("u{code:04X}"),
            _ => format!("U{code:08X}"),
        };
        self.put('\\');
        escape.chars().for_each(|c| self.put(c));
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", false);
        if text.starts_with([' ', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            self.mark("2", false);
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next()) {
            (false, _) => self.mark("-", false),
            (true, None) => self.mark("+", false),
            (true, Some(before)) if is_break(before) => self.mark("+", false),
            (true, Some(_)) => {}
        }
        self.put('\n');
        (self.whitespace, self.indention) = (true, true);
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.put(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.line(indent);
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }
}

/// A JSON number as Go writes the value its YAML library holds for it.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64() {
        // Whole floats become integers on helm's way through JSON.
        Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < 1e18 => format!("{value:.0}"),
        Some(value) if number.is_f64() => super::super::yaml::go_float(value),
        _ => number.to_string(),
    }
}

#[cfg(test)]
#[path = "emit_tests.rs"]
mod tests;
