//! How a text stands in YAML as Go's YAML library (version 2, which helm uses through `sigs.k8s.io/yaml`) writes it.

/// The style a scalar is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes.
    Plain,
    /// In `'`.
    SingleQuoted,
    /// In `"`, with escapes.
    DoubleQuoted,
    /// As a `|` block.
    Literal,
}

/// What a text allows (the emitter's "analysis" of a scalar).
struct Allowed {
    plain: bool,
    single_quoted: bool,
    block: bool,
}

/// Whether the library counts a character as a line break.
pub(super) const fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the library writes a character as it is; characters beyond the basic plane are always escaped.
pub(super) const fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

const fn is_blank_or_break(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\0') || is_break(c)
}

fn analyse(text: &str) -> Allowed {
    if text.is_empty() {
        return Allowed { plain: true, single_quoted: true, block: false };
    }
    let characters: Vec<char> = text.chars().collect();
    let last = characters.len() - 1;
    let (mut indicators, mut special) = (text.starts_with("---") || text.starts_with("..."), false);
    let (mut breaks, mut edge_space, mut edge_break) = (false, false, false);
    let (mut trailing_space, mut break_then_space, mut space_then_break) = (false, false, false);
    let (mut after_space, mut after_break, mut after_white) = (false, false, true);
    for (position, &c) in characters.iter().enumerate() {
        let before_white = characters.get(position + 1).is_none_or(|&next| matches!(next, ' ' | '\t'));
        indicators |= match c {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => position == 0,
            '?' | '-' => position == 0 && before_white,
            ':' => before_white,
            '#' => position == 0 || after_white,
            _ => false,
        };
        special |= !is_printable(c);
        if c == ' ' {
            edge_space |= position == 0 || position == last;
            trailing_space |= position == last;
            break_then_space |= after_break;
        } else if is_break(c) {
            breaks = true;
            edge_break |= position == 0 || position == last;
            space_then_break |= after_space;
        }
        (after_space, after_break) = (c == ' ', is_break(c));
        after_white = is_blank_or_break(c);
    }
    let unquotable = space_then_break || special;
    Allowed {
        plain: !(indicators || breaks || edge_space || edge_break || break_then_space || unquotable),
        single_quoted: !(break_then_space || unquotable),
        block: !(trailing_space || unquotable),
    }
}

/// The style of a text as a value, or as a mapping key on the line of its value (`simple_key`).
pub(super) fn style(text: &str, simple_key: bool) -> Style {
    let allowed = analyse(text);
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if super::resolve::is_string(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    };
    match wanted {
        Style::Literal if simple_key || !allowed.block => Style::DoubleQuoted,
        Style::Plain if simple_key && text.contains(is_break) => Style::DoubleQuoted,
        Style::Plain if allowed.plain && !(simple_key && text.is_empty()) => Style::Plain,
        Style::Plain if allowed.single_quoted => Style::SingleQuoted,
        Style::Plain => Style::DoubleQuoted,
        other => other,
    }
}
