//! Builds the tree from the parser's events, within the limits.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::input::Text;
use super::node::{Node, Position, Style, Value};
use super::{Document, Duplicate, Limits, YamlError, clamp, resolve};

/// Byte offsets of the characters of a text.
struct Offsets<'a> {
    text: &'a str,
    /// Empty when every character is one byte.
    table: Vec<usize>,
    /// Bytes before the text (the byte order mark).
    skipped: usize,
}

impl<'a> Offsets<'a> {
    fn new(text: &'a str, skipped: usize) -> Self {
        let table = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(offset, _)| offset).collect() };
        Self { text, table, skipped }
    }

    fn of(&self, mark: &Marker) -> usize {
        let offset = if self.table.is_empty() { mark.index().min(self.text.len()) } else { self.table.get(mark.index()).copied().unwrap_or(self.text.len()) };
        offset + self.skipped
    }

    fn span(&self, span: &Span) -> Range<usize> {
        let start = self.of(&span.start);
        start..self.of(&span.end).max(start)
    }

    /// The bytes of a quoted scalar. The parser's end lies behind the blanks and the comment that follow the quote.
    fn quoted(&self, span: &Span, quote: u8) -> Range<usize> {
        let whole = self.span(span);
        let mut bytes = self.text.bytes().enumerate().skip(whole.start - self.skipped);
        if bytes.next().is_none_or(|(_, first)| first != quote) {
            return whole;
        }
        let mut bytes = bytes.peekable();
        while let Some((offset, byte)) = bytes.next() {
            let doubled = quote == b'\'' && byte == quote && bytes.peek().is_some_and(|(_, next)| *next == quote);
            if doubled || (quote == b'"' && byte == b'\\') {
                bytes.next();
            } else if byte == quote {
                return whole.start..offset + 1 + self.skipped;
            }
        }
        whole
    }
}

fn position(mark: &Marker) -> Position {
    Position { line: clamp(mark.line()), column: clamp(mark.col() + 1) }
}

/// An anchored value: the node once it is complete, and how many nodes it expands to.
struct Anchored {
    node: Option<Node>,
    size: usize,
}

struct Builder<'a> {
    path: &'a str,
    limits: Limits,
    parser: Parser<'a, Text<'a>>,
    offsets: Offsets<'a>,
    anchors: HashMap<usize, Anchored>,
    duplicates: Vec<Duplicate>,
    nodes: usize,
}

/// The first document of a file.
pub(super) fn document(path: &str, bytes: &[u8], limits: &Limits) -> Result<Document, YamlError> {
    if bytes.len() > limits.bytes {
        return Err(YamlError::Size { path: path.to_owned(), length: bytes.len(), limit: limits.bytes });
    }
    let inner = super::without_mark(bytes);
    let text = text(path, inner)?;
    let parser = Parser::new(Text::new(text));
    let offsets = Offsets::new(text, bytes.len() - inner.len());
    let mut builder = Builder { path, limits: *limits, parser, offsets, anchors: HashMap::new(), duplicates: Vec::new(), nodes: 0 };
    builder.document()
}

/// Checks the encoding and the characters (YAML 1.1 §5.1, as libyaml's reader does).
fn text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, YamlError> {
    let place = |before: &str| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (clamp(line), clamp(column))
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
        let (line, column) = place(good);
        YamlError::Encoding { path: path.to_owned(), line, column }
    })?;
    let bad = |c: char| (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    if let Some((offset, character)) = text.char_indices().find(|(_, c)| bad(*c)) {
        let (line, column) = place(text.get(..offset).unwrap_or_default());
        return Err(YamlError::Control { path: path.to_owned(), line, column, character });
    }
    Ok(text)
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = position(error.marker());
                Err(YamlError::Syntax { path: self.path.to_owned(), line: at.line, column: at.column, problem: error.info().to_owned() })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Document, YamlError> {
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => {
                    let root = Node::null();
                    return Ok(Document { root, duplicates: Vec::new(), more: false });
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
                event => {
                    let root = self.node(event, &span, 0)?;
                    let more = self.more();
                    return Ok(Document { root, duplicates: std::mem::take(&mut self.duplicates), more });
                }
            }
        }
    }

    /// Whether another document begins behind the first. What it holds is nobody's business, errors included.
    fn more(&mut self) -> bool {
        loop {
            match self.next() {
                Ok((Event::DocumentEnd | Event::Nothing, _)) => {}
                Ok((Event::StreamEnd, _)) => return false,
                Ok(_) | Err(_) => return true,
            }
        }
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.nodes {
            return Err(YamlError::Expansion { path: self.path.to_owned(), line: at.line, column: at.column, limit: self.limits.nodes });
        }
        Ok(())
    }

    /// Reads the value that begins with an event. The recursion is as deep as the limit allows.
    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, YamlError> {
        let at = position(&span.start);
        if depth > self.limits.depth {
            return Err(YamlError::Depth { path: self.path.to_owned(), line: at.line, column: at.column, limit: self.limits.depth });
        }
        if let Event::Alias(anchor) = event {
            return self.alias(anchor, span);
        }
        let before = self.nodes;
        self.count(1, at)?;
        let mut written = None;
        let (anchor, value, style, tagged, range) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), at)?;
                if !matches!(value, Value::Text(_)) {
                    written = Some(Box::from(&*text));
                }
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let range = match style {
                    Style::SingleQuoted => self.offsets.quoted(span, b'\''),
                    Style::DoubleQuoted => self.offsets.quoted(span, b'"'),
                    _ => self.offsets.span(span),
                };
                (anchor, value, style, tag.is_some(), range)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(anchor);
                let (items, end) = self.items(depth)?;
                (anchor, Value::Sequence(items), Style::Collection, tag.is_some(), self.offsets.of(&span.start)..end)
            }
            Event::MappingStart(anchor, tag) => {
                self.open(anchor);
                let (entries, end) = self.entries(depth)?;
                (anchor, Value::Mapping(entries), Style::Collection, tag.is_some(), self.offsets.of(&span.start)..end)
            }
            _ => return Err(YamlError::Syntax { path: self.path.to_owned(), line: at.line, column: at.column, problem: "a value is missing".to_owned() }),
        };
        let node = Node { value, at, span: range, style, shared: anchor > 0, tagged, written };
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { node: Some(node.clone()), size: self.nodes - before });
        }
        Ok(node)
    }

    fn open(&mut self, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { node: None, size: 0 });
        }
    }

    fn alias(&mut self, anchor: usize, span: &Span) -> Result<Node, YamlError> {
        let at = position(&span.start);
        let cycle = || YamlError::Cycle { path: self.path.to_owned(), line: at.line, column: at.column };
        let size = self.anchors.get(&anchor).filter(|anchored| anchored.node.is_some()).map(|anchored| anchored.size).ok_or_else(cycle)?;
        self.count(size, at)?;
        let node = self.anchors.get(&anchor).and_then(|anchored| anchored.node.clone());
        let node = node.ok_or_else(|| YamlError::Cycle { path: self.path.to_owned(), line: at.line, column: at.column })?;
        Ok(Node { at, span: self.offsets.span(span), shared: true, ..node })
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Result<Value, YamlError> {
        let is_text = || Value::Text(text.to_owned());
        let Some(tag) = tag else {
            return Ok(if style == ScalarStyle::Plain { resolve::plain(text) } else { is_text() });
        };
        if !tag.is_yaml_core_schema() || tag.suffix == "str" {
            return Ok(is_text());
        }
        let value = resolve::plain(text);
        let fits = match (tag.suffix.as_str(), value) {
            ("int", value @ Value::Integer(_)) | ("float", value @ Value::Float(_)) | ("bool", value @ Value::Bool(_)) | ("null", value @ Value::Null) => {
                Some(value)
            }
            #[expect(clippy::cast_precision_loss, reason = "a number that is asked for as a double becomes one")]
            ("float", Value::Integer(value)) => Some(Value::Float(value as f64)),
            ("timestamp", value @ Value::Text(_)) => Some(value),
            ("binary", _) => binary(text).map(Value::Text),
            _ => None,
        };
        let problem = || format!("{text:?} cannot be read as !!{}", tag.suffix);
        fits.ok_or_else(|| YamlError::Value { path: self.path.to_owned(), line: at.line, column: at.column, problem: problem() })
    }

    fn items(&mut self, depth: usize) -> Result<(Vec<Node>, usize), YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok((items, self.offsets.of(&span.end)));
            }
            items.push(self.node(event, &span, depth + 1)?);
        }
    }

    fn entries(&mut self, depth: usize) -> Result<(Vec<(Node, Node)>, usize), YamlError> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut merged = Vec::new();
        // Text keys only: others are rare, and JSON, which helm goes through, has none.
        let mut places: HashMap<String, usize> = HashMap::new();
        let end = loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break self.offsets.of(&span.end);
            }
            let key = self.node(event, &span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            if key.style == Style::Plain && key.as_text() == Some("<<") {
                merged.push(value);
                continue;
            }
            let Some(name) = key.to_text() else {
                entries.push((key, value));
                continue;
            };
            match places.get(&name).and_then(|place| entries.get_mut(*place)) {
                Some(entry) => {
                    let name = name.chars().take(80).collect();
                    self.duplicates.push(Duplicate { key: name, at: key.at, first: entry.0.at });
                    *entry = (key, value);
                }
                None => {
                    places.insert(name, entries.len());
                    entries.push((key, value));
                }
            }
        };
        for source in merged {
            self.merge(source, &mut entries, &mut places)?;
        }
        Ok((entries, end))
    }

    /// Adds the entries of a merge key's value (https://yaml.org/type/merge.html): keys that are there stay.
    fn merge(&self, source: Node, entries: &mut Vec<(Node, Node)>, places: &mut HashMap<String, usize>) -> Result<(), YamlError> {
        let at = source.at;
        let sources = match source.value {
            Value::Mapping(entries) => vec![entries],
            Value::Sequence(items) => {
                let mappings = items.into_iter().map(|item| if let Value::Mapping(entries) = item.value { Some(entries) } else { None }).collect();
                let wrong =
                    || YamlError::Value { path: self.path.to_owned(), line: at.line, column: at.column, problem: "only mappings can be merged".to_owned() };
                Option::ok_or_else(mappings, wrong)?
            }
            _ => {
                return Err(YamlError::Value {
                    path: self.path.to_owned(),
                    line: at.line,
                    column: at.column,
                    problem: "only mappings can be merged".to_owned(),
                });
            }
        };
        for (mut key, mut value) in sources.into_iter().flatten() {
            // What a merge brings in is shared with the place it comes from.
            (key.shared, value.shared) = (true, true);
            let Some(name) = key.to_text() else {
                entries.push((key, value));
                continue;
            };
            if let Entry::Vacant(place) = places.entry(name) {
                place.insert(entries.len());
                entries.push((key, value));
            }
        }
        Ok(())
    }
}

/// The text behind a `!!binary` scalar; bytes that are no UTF-8 are replaced, as Go does on the way to JSON.
fn binary(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, digits).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
