//! The changes annotation: a literal block under `annotations`.

use std::ops::Range;

use super::{CHART_FILE, EditError, Step, double_quoted, only, prove, root, splice};
use crate::domain::chart::CHANGES_ANNOTATION as KEY;
use crate::domain::yaml::{self, Node, Style, Value};

/// Writes the annotation `artifacthub.io/changes`: in place where it stands, else as the first annotation, else with a
/// new `annotations` at the end of the file. `text` is the annotation's value, itself YAML, on lines of its own.
///
/// # Errors
/// See [`EditError`]; the file is then unchanged.
pub fn set_changes_annotation(bytes: &[u8], text: &str) -> Result<Vec<u8>, EditError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim_end_matches('\n');
    if text.is_empty() || text.starts_with([' ', '\n']) || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(EditError::NewValue { key: KEY.to_owned(), value: text.chars().take(80).collect() });
    }
    let root = root(bytes)?;
    let file = File { bytes, text, line_end: if first_line_end_is_crlf(bytes) { "\r\n" } else { "\n" } };
    let (key, value) = match only(&root, "annotations") {
        Ok(found) => found,
        Err(EditError::Missing { .. }) => return file.add_annotations(&root),
        Err(error) => return Err(error),
    };
    if value.shared {
        return Err(EditError::Shared { line: value.at.line, key: "annotations".to_owned() });
    }
    if value.tagged {
        return Err(EditError::Form { line: value.at.line, key: "annotations".to_owned(), problem: "tagged" });
    }
    let edited = match &value.value {
        Value::Mapping(_) => match value.entry(KEY) {
            Some((_, old)) if old.shared => return Err(EditError::Shared { line: old.at.line, key: KEY.to_owned() }),
            Some((name, old)) => file.replace(value, name, old)?,
            None if file.is_flow(value) => file.add_to_flow(value, &format!("{KEY:?}: {}", double_quoted(text))),
            None => file.add_to_block(key, value)?,
        },
        Value::Null => file.fill(key, value)?,
        _ => return Err(EditError::Form { line: value.at.line, key: "annotations".to_owned(), problem: "not a mapping" }),
    };
    prove(bytes, &edited, KEY, &[Step::Key(key.as_text().unwrap_or_default()), Step::Key(KEY)], text)?;
    Ok(edited)
}

fn first_line_end_is_crlf(bytes: &[u8]) -> bool {
    bytes.iter().position(|b| *b == b'\n').is_some_and(|end| end > 0 && bytes.get(end - 1) == Some(&b'\r'))
}

struct File<'a> {
    bytes: &'a [u8],
    text: &'a str,
    line_end: &'static str,
}

impl File<'_> {
    /// The value's lines, each with its indentation, the last without a line end.
    fn block(&self, indentation: usize) -> String {
        let indent = |line: &str| if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(indentation)) };
        self.text.split('\n').map(indent).collect::<Vec<_>>().join(self.line_end)
    }

    /// The whole annotation, its key `indentation` columns in, without a line end behind it.
    fn entry(&self, indentation: usize) -> String {
        format!("{}{KEY}: |{}{}", " ".repeat(indentation), self.line_end, self.block(indentation + 2))
    }

    fn is_flow(&self, mapping: &Node) -> bool {
        self.bytes.get(mapping.span.start) == Some(&b'{')
    }

    /// Where the line that holds an offset ends, before its line end.
    fn line_stop(&self, offset: usize) -> usize {
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let stop = rest.iter().position(|b| *b == b'\n').map_or(self.bytes.len(), |end| offset + end);
        if stop > offset && self.bytes.get(stop - 1) == Some(&b'\r') && stop < self.bytes.len() { stop - 1 } else { stop }
    }

    /// Where the next line begins; the end of the file when there is none.
    fn next_line(&self, offset: usize) -> usize {
        let rest = self.bytes.get(offset..).unwrap_or_default();
        rest.iter().position(|b| *b == b'\n').map_or(self.bytes.len(), |end| offset + end + 1)
    }

    /// Inserts whole lines at the beginning of a line or the end of the file; a missing final line end stays missing.
    fn insert_lines(&self, at: usize, lines: &str) -> Vec<u8> {
        let ends = at == 0 || self.bytes.get(at - 1) == Some(&b'\n');
        let new = if ends { format!("{lines}{}", self.line_end) } else { format!("{}{lines}", self.line_end) };
        splice(self.bytes, &(at..at), new.as_bytes())
    }

    fn replace(&self, mapping: &Node, name: &Node, old: &Node) -> Result<Vec<u8>, EditError> {
        let form = |problem| EditError::Form { line: old.at.line, key: KEY.to_owned(), problem };
        if old.tagged {
            return Err(form("tagged"));
        }
        if self.is_flow(mapping) {
            let new = double_quoted(self.text);
            return match old.style {
                Style::SingleQuoted | Style::DoubleQuoted | Style::Plain if !old.is_null() => Ok(splice(self.bytes, &old.span, new.as_bytes())),
                _ => Err(form("empty in braces")),
            };
        }
        let indentation = name.at.column as usize - 1;
        match old.style {
            Style::Block => self.replace_block(name, indentation).ok_or_else(|| form("written as an unusual block")),
            Style::Collection => Err(form("a list or mapping")),
            Style::Plain if old.is_null() => {
                let colon = self.bytes.get(name.span.end..).unwrap_or_default().iter().position(|b| *b == b':').ok_or_else(|| form("empty"))?;
                let at = name.span.end + colon + 1;
                // An explicit null such as `~` gives way to the block.
                let span = if old.written().is_some_and(|text| !text.is_empty()) { old.span.clone() } else { at..at };
                Ok(self.to_block(&span, if span.start == at { " |" } else { "|" }, indentation))
            }
            Style::Plain | Style::SingleQuoted | Style::DoubleQuoted => Ok(self.to_block(&old.span, "|", indentation)),
        }
    }

    /// Puts a block's header in the place of a scalar and its lines below the line on which the scalar ended.
    fn to_block(&self, span: &Range<usize>, header: &str, indentation: usize) -> Vec<u8> {
        let stop = self.line_stop(span.end);
        let rest = self.bytes.get(span.end..stop).unwrap_or_default();
        let new = [header.as_bytes(), rest, self.line_end.as_bytes(), self.block(indentation + 2).as_bytes()].concat();
        splice(self.bytes, &(span.start..stop), &new)
    }

    /// Exchanges the lines of a literal or folded block below its header.
    fn replace_block(&self, name: &Node, indentation: usize) -> Option<Vec<u8>> {
        let blanks = |from: usize| self.bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count();
        let colon = name.span.end + blanks(name.span.end);
        let start = colon + 1 + blanks(colon + 1);
        let header_stop = self.line_stop(start);
        let header = std::str::from_utf8(self.bytes.get(start..header_stop)?).ok()?;
        let token = header.split([' ', '\t']).next()?;
        if self.bytes.get(colon) != Some(&b':') || !token.starts_with(['|', '>']) {
            return None;
        }
        let first = self.next_line(header_stop);
        let explicit = token.chars().find_map(|c| c.to_digit(10)).map(|digit| indentation + digit as usize);
        let (content, stop) = self.block_lines(first, explicit, indentation);
        let new_token = if matches!(token, "|" | "|-" | "|+") { token } else { "|" };
        let new_header = format!("{new_token}{}", header.get(token.len()..)?);
        let lines = self.block(content.filter(|_| explicit.is_none()).unwrap_or(indentation + 2));
        if content.is_none() {
            return Some(splice(self.bytes, &(start..header_stop), format!("{new_header}{}{lines}", self.line_end).as_bytes()));
        }
        let stop = if stop > first && self.bytes.get(stop - 1) == Some(&b'\n') { stop - 1 } else { stop };
        let stop = if stop > first && self.bytes.get(stop - 1) == Some(&b'\r') { stop - 1 } else { stop };
        let line_end = self.bytes.get(header_stop..first)?;
        Some(splice(self.bytes, &(start..stop), &[new_header.as_bytes(), line_end, lines.as_bytes()].concat()))
    }

    /// The indentation of a block's lines (YAML 1.2 §8.1.1.1) and the end of the last line that is not blank.
    fn block_lines(&self, first: usize, explicit: Option<usize>, parent: usize) -> (Option<usize>, usize) {
        let (mut at, mut stop, mut content) = (first, first, None);
        while at < self.bytes.len() {
            let line = self.bytes.get(at..self.line_stop(at)).unwrap_or_default();
            let next = self.next_line(at);
            let spaces = line.iter().take_while(|b| **b == b' ').count();
            if spaces < line.len() {
                let needed = content.or(explicit).unwrap_or(parent + 1);
                if spaces < needed {
                    break;
                }
                content = content.or(explicit).or(Some(spaces));
                stop = next;
            }
            at = next;
        }
        (content, stop)
    }

    /// `annotations:` without a value gets its first entry.
    fn fill(&self, key: &Node, value: &Node) -> Result<Vec<u8>, EditError> {
        let explicit = value.written().is_some_and(|text| !text.is_empty());
        if explicit {
            let problem = "an explicit null";
            return Err(EditError::Form { line: value.at.line, key: "annotations".to_owned(), problem });
        }
        self.line_of_its_own(key)?;
        let at = self.next_line(key.span.end);
        Ok(self.insert_lines(at, &self.entry(key.at.column as usize + 1)))
    }

    fn add_to_block(&self, key: &Node, mapping: &Node) -> Result<Vec<u8>, EditError> {
        let first = mapping.entries().iter().map(|(name, _)| name).filter(|name| name.span.start > key.span.end).min_by_key(|name| name.span.start);
        let problem = EditError::Form { line: mapping.at.line, key: "annotations".to_owned(), problem: "merged from elsewhere" };
        let first = first.ok_or(problem)?;
        self.line_of_its_own(first)?;
        self.line_of_its_own(key)?;
        Ok(self.insert_lines(self.next_line(key.span.end), &self.entry(first.at.column as usize - 1)))
    }

    /// A key before which its line holds blanks only.
    fn line_of_its_own(&self, key: &Node) -> Result<(), EditError> {
        let line = self.bytes.get(..key.span.start).unwrap_or_default().rsplit(|b| *b == b'\n').next().unwrap_or_default();
        if yaml::without_mark(line).iter().all(|b| *b == b' ') {
            return Ok(());
        }
        Err(EditError::Form { line: key.at.line, key: key.as_text().unwrap_or_default().to_owned(), problem: "not at the beginning of its line" })
    }

    fn add_to_flow(&self, mapping: &Node, entry: &str) -> Vec<u8> {
        let at = mapping.span.start + 1;
        let separator = if mapping.entries().is_empty() { "" } else { ", " };
        splice(self.bytes, &(at..at), format!("{entry}{separator}").as_bytes())
    }

    fn add_annotations(&self, root: &Node) -> Result<Vec<u8>, EditError> {
        let steps = [Step::Key("annotations"), Step::Key(KEY)];
        if self.is_flow(root) {
            let edited = self.add_to_flow(root, &format!("annotations: {{{KEY:?}: {}}}", double_quoted(self.text)));
            return prove(self.bytes, &edited, KEY, &steps, self.text).map(|()| edited);
        }
        let first = root.entries().iter().map(|(name, _)| name).min_by_key(|name| name.span.start);
        let first = first.ok_or_else(|| EditError::Missing { key: format!("the first key of {CHART_FILE}") })?;
        self.line_of_its_own(first)?;
        let column = first.at.column as usize - 1;
        let lines = format!("{}annotations:{}{}", " ".repeat(column), self.line_end, self.entry(column + 2));
        let edited = self.insert_lines(self.document_stop(first.span.start), &lines);
        if prove(self.bytes, &edited, KEY, &steps, self.text).is_ok() {
            return Ok(edited);
        }
        // The last value may be a block that would take the new line end as its own: then the entry goes first.
        let edited = self.insert_lines(first.span.start - column, &lines);
        prove(self.bytes, &edited, KEY, &steps, self.text).map(|()| edited)
    }

    /// Where the first document ends: at a line that begins with `---` or `...`, or with the file.
    fn document_stop(&self, from: usize) -> usize {
        let mut at = self.next_line(from);
        while at < self.bytes.len() {
            let line = self.bytes.get(at..self.line_stop(at)).unwrap_or_default();
            if [b"---", b"..."].iter().any(|mark| line.starts_with(*mark) && line.get(3).is_none_or(|b| b.is_ascii_whitespace())) {
                return at;
            }
            at = self.next_line(at);
        }
        self.bytes.len()
    }
}
