//! The few pieces of HTML that the report is made of. Text reaches the page through [`Text`] alone.

use std::fmt;

use chartflow_core::domain::visible::escaped;

/// Text from outside inside an element or a quoted attribute: it stays text, and shows what would hide or reorder it.
///
/// The five characters are those of the WHATWG's HTML standard, section 13.3 and its rules for attribute values.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\r' => {}
                _ if escaped(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                _ => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

/// An id, shortened to its first characters; the whole stands in the tooltip.
pub(super) fn short(id: &str) -> String {
    let plain = id.strip_prefix("sha256:").unwrap_or(id);
    let shown: String = plain.chars().take(10).collect();
    format!("<code title=\"{}\">{}</code>", Text(id), Text(&shown))
}

/// A term and what it stands for, in a definition list; `value` is HTML.
pub(super) fn term(name: &str, value: &str) -> String {
    format!("<div><dt>{}</dt><dd>{value}</dd></div>\n", Text(name))
}

/// A whole id or path, which may break anywhere.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", Text(text))
}

/// A command line to copy: one click selects it.
pub(super) fn command(text: &str) -> String {
    format!("<pre class=\"command\" tabindex=\"0\"><code>{}</code></pre>\n", Text(text))
}

/// An outcome as a coloured word. The colour repeats the word and says nothing of its own.
pub(super) fn outcome(word: &str) -> String {
    let class = match word {
        "done" | "passed" | "merged" | "released" => "good",
        "refused" | "failed" => "bad",
        "open" | "skipped" => "open",
        _ => "quiet",
    };
    format!("<span class=\"outcome {class}\">{}</span>", Text(word))
}

/// `1 request`, `2 requests`.
pub(super) fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Milliseconds as people read them.
pub(super) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}
