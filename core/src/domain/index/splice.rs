//! Finding one chart in the text of an index laid out as helm writes it, and putting lines in, without reading the rest.

use std::ops::Range;

use serde_json::json;

use super::super::digest::Sha256;
use super::super::package::emit::{key_is_less, to_yaml};
use super::{Entry, IndexError, newest, parse, place};

/// The lines of one chart.
struct Block<'t> {
    name: &'t str,
    lines: Range<usize>,
    /// Where each version begins.
    versions: Vec<usize>,
}

/// The places in an index that matter.
struct Layout<'t> {
    /// The line `entries:` or `entries: {}`.
    entries_line: Range<usize>,
    blocks: Vec<Block<'t>>,
    /// Where the charts end.
    end: usize,
    /// The value of `generated`, with its quotes.
    generated: Option<Range<usize>>,
    created: Vec<&'t str>,
}

fn unquoted(text: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.strip_suffix(quote).filter(|inner| !inner.contains(['"', '\'', '\\']));
        }
    }
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+'))).then_some(text)
}

/// The layout, or `None` when a line stands where helm would not have put it.
fn layout(text: &str) -> Option<Layout<'_>> {
    if text.contains('\r') || text.starts_with('\u{feff}') {
        return None;
    }
    let mut layout: Option<Layout<'_>> = None;
    let (mut generated, mut api_version, mut inside) = (None, false, false);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let content = line.trim_end_matches('\n');
        let trimmed = content.trim_start_matches(' ');
        let indent = content.len() - trimmed.len();
        if trimmed.is_empty() || (content == "---" && start == 0) {
            continue;
        }
        if indent == 0 {
            if inside && let Some(layout) = &mut layout {
                layout.end = start;
            }
            inside = false;
            let (key, value) = content.split_once(':')?;
            match (key, value.trim()) {
                ("entries", "" | "{}") if layout.is_none() => {
                    layout = Some(Layout { entries_line: start..at, blocks: Vec::new(), end: at, generated: None, created: Vec::new() });
                    inside = true;
                }
                ("entries", _) => return None,
                ("generated", value) => {
                    unquoted(value)?;
                    generated = Some(at - line.len() + content.len() - value.len()..start + content.len());
                }
                ("apiVersion", _) => api_version = true,
                ("annotations" | "publicKeys" | "serverInfo", _) => {}
                _ if trimmed.starts_with("- ") && key.starts_with("- ") => {}
                _ => return None,
            }
        } else if inside {
            let layout = layout.as_mut()?;
            layout.end = at;
            if indent == 2 && !trimmed.starts_with("- ") {
                let name = unquoted(trimmed.strip_suffix(':')?)?;
                layout.blocks.push(Block { name, lines: start..at, versions: Vec::new() });
                continue;
            }
            let block = layout.blocks.last_mut()?;
            block.lines.end = at;
            match indent {
                2 => block.versions.push(start),
                0..=3 => return None,
                _ if block.versions.is_empty() => return None,
                _ => {}
            }
            let key = if indent == 2 { trimmed.strip_prefix("- ") } else { (indent == 4).then_some(trimmed) };
            if let Some(created) = key.and_then(|key| key.strip_prefix("created: ")) {
                layout.created.push(unquoted(created)?);
            }
        }
    }
    let mut layout = layout.filter(|_| api_version)?;
    layout.generated = generated;
    Some(layout)
}

impl Block<'_> {
    /// The versions in the block, `None` when the text does not mean what its layout promises, or is wrong: the lines of
    /// a mistake are those of the whole text.
    fn entries(&self, text: &str) -> Option<Vec<Entry>> {
        let root = parse::tree(text.get(self.lines.clone())?.as_bytes()).ok()?;
        parse::entries(root.get(self.name)?).ok().filter(|entries| entries.len() == self.versions.len())
    }
}

/// The versions of a chart. `None` when the whole index has to be read.
pub(super) fn entries(text: &str, chart: &str) -> Option<Vec<Entry>> {
    let layout = layout(text)?;
    match layout.blocks.iter().find(|block| block.name == chart) {
        Some(block) => block.entries(text),
        None => Some(Vec::new()),
    }
}

/// The text with one more version. `None` when the whole index has to be read and written.
pub(super) fn add(original: &str, new: &Entry, digest: &Sha256) -> Option<Result<Vec<u8>, IndexError>> {
    let owned;
    let text = if original.ends_with('\n') {
        original
    } else {
        owned = format!("{original}\n");
        &owned
    };
    let layout = layout(text)?;
    let name = new.metadata.name.as_str();
    let lines = to_yaml(&json!({ "entries": { name: [new.to_json()] } }));
    let with_key = lines.strip_prefix("entries:\n")?;
    let (at, insert) = match layout.blocks.iter().find(|block| block.name == name) {
        Some(block) => {
            let listed = block.entries(text)?;
            let position = match place(&listed, new, digest) {
                Ok(Some(position)) => position,
                Ok(None) => return Some(Ok(original.as_bytes().to_vec())),
                Err(error) => return Some(Err(error)),
            };
            (block.versions.get(position).copied().unwrap_or(block.lines.end), with_key.split_once('\n')?.1)
        }
        None => (layout.blocks.iter().find(|block| key_is_less(name, block.name)).map_or(layout.end, |block| block.lines.start), with_key),
    };
    let created = new.created.as_deref()?;
    let generated = newest(layout.created.iter().copied().chain([created]))?;
    Some(Ok(write(text, &layout, at, insert, &generated)))
}

fn write(text: &str, layout: &Layout<'_>, at: usize, insert: &str, generated: &str) -> Vec<u8> {
    let quoted = format!("\"{generated}\"");
    let mut edits: Vec<(Range<usize>, String)> = vec![(at..at, insert.to_owned())];
    if layout.blocks.is_empty() {
        // `entries: {}` becomes the line above the first chart.
        edits.push((layout.entries_line.clone(), "entries:\n".to_owned()));
    }
    match &layout.generated {
        Some(place) => edits.push((place.clone(), quoted)),
        None => edits.push((layout.end..layout.end, format!("generated: {quoted}\n"))),
    }
    // The sort is stable: what is inserted at the end of the charts stays before a new `generated`.
    edits.sort_by_key(|(place, _)| (place.start, place.end));
    let mut out = String::with_capacity(text.len() + insert.len() + quoted_room(generated));
    let mut from = 0;
    for (place, replacement) in edits {
        out.push_str(text.get(from..place.start).unwrap_or_default());
        out.push_str(&replacement);
        from = place.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.into_bytes()
}

const fn quoted_room(generated: &str) -> usize {
    generated.len() + 32
}
