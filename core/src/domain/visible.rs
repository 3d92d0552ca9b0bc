//! Characters that change how the text around them is shown, without being shown themselves.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character reorders the text around it or is not there to see: the direction marks, embeddings, overrides and
/// isolates of Unicode's bidirectional algorithm (UAX #9, table 2), blanks without width, separators of lines, and the
/// tags of plane 14. The two joiners, which emoji and several scripts need, are none.
///
/// ```
/// use chartflow_core::domain::visible::hides;
/// assert!(hides('\u{202e}') && hides('\u{200b}') && !hides('\u{200d}') && !hides('é'));
/// ```
#[must_use]
pub const fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Text from outside, safe for a terminal or a page: such characters, and control characters other than line feed and
/// tab, become escapes that can be seen.
///
/// ```
/// use chartflow_core::domain::visible::visible;
/// assert_eq!(visible("a\u{202e}b\u{1b}[31m\tc"), "a\\u{202e}b\\u{1b}[31m\tc");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if escaped(c) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether [`visible`] writes an escape for a character. On a terminal the joiners hide as well.
#[must_use]
pub fn escaped(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || hides(c) || matches!(c, '\u{200c}' | '\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::markdown::{escape, one_line};

    /// What reaches CHANGELOG.md and descriptions of pull requests holds none of them, in whatever commit message they stood.
    #[test]
    fn nothing_hides_in_what_is_written() {
        let text: String = (0..=0x0010_ffff).filter_map(char::from_u32).filter(|c| hides(*c) || c.is_control()).flat_map(|c| ['x', c]).collect();
        for shown in [one_line(&text, 10_000), escape(&text)] {
            assert!(!shown.contains(|c: char| hides(c) || c.is_control()), "{shown:?}");
        }
        assert!(!visible(&text).contains(|c: char| hides(c) || c.is_control() && c != '\n' && c != '\t'));
        assert_eq!(one_line("👩\u{200d}🚀", 10), "👩\u{200d}🚀");
    }
}
