//! How the text of a constraint is read.

use semver::{Prerelease, Version};

use super::{Comparison, Named, Operator};

/// The longest constraint, in bytes.
const LENGTH_LIMIT: usize = 512;
/// The most groups between `||`.
const GROUP_LIMIT: usize = 32;
/// The longest version in a constraint, in bytes.
const VERSION_LIMIT: usize = 256;

/// The groups of a constraint, one of which has to fit; `None` when it is none.
pub(super) fn groups(constraint: &str) -> Option<Vec<Vec<Comparison>>> {
    if constraint.len() > LENGTH_LIMIT {
        return None;
    }
    let rewritten = without_ranges(constraint);
    let groups: Vec<&str> = rewritten.split("||").collect();
    if groups.len() > GROUP_LIMIT {
        return None;
    }
    groups.into_iter().map(group).collect()
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn skip_spaces(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// The comparisons of a group: apart by spaces or a comma; an operator may stand apart from its version.
fn group(text: &str) -> Option<Vec<Comparison>> {
    let mut found = Vec::new();
    let mut rest = skip_spaces(text);
    loop {
        let operator_end = rest.find(|c| !"=!<>~^".contains(c)).unwrap_or(rest.len());
        let (sign, after) = rest.split_at(operator_end);
        let (written, after) = Written::at_start_of(skip_spaces(after))?;
        found.push(written.comparison(operator(sign)?)?);
        rest = skip_spaces(after);
        if rest.is_empty() {
            return Some(found);
        }
        match rest.strip_prefix(',') {
            Some(further) => rest = skip_spaces(further),
            None if rest.len() == after.len() => return None,
            None => {}
        }
    }
}

fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        "" | "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterOrEqual,
        "<=" | "=<" => Operator::LessOrEqual,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => return None,
    })
}

/// A version as it is written, with parts left out or given as a wildcard.
struct Written<'a> {
    /// All of it.
    text: &'a str,
    parts: [Option<&'a str>; 3],
    pre: Option<&'a str>,
}

impl<'a> Written<'a> {
    /// The version that a text begins with, and what follows it. Which digits and wildcards make a number is asked later:
    /// `|` may stand among them and makes none.
    fn at_start_of(text: &'a str) -> Option<(Self, &'a str)> {
        let digits = |text: &'a str| split_while(text, |c| c.is_ascii_digit() || matches!(c, 'x' | 'X' | '*' | '|'));
        let (major, mut rest) = digits(text.strip_prefix('v').unwrap_or(text))?;
        let mut parts = [Some(major), None, None];
        for part in &mut parts[1..] {
            let Some((found, after)) = rest.strip_prefix('.').and_then(digits) else { break };
            (*part, rest) = (Some(found), after);
        }
        let pre = rest.strip_prefix('-').and_then(identifiers);
        rest = pre.map_or(rest, |(_, after)| after);
        rest = rest.strip_prefix('+').and_then(identifiers).map_or(rest, |(_, after)| after);
        Some((Self { text: &text[..text.len() - rest.len()], parts, pre: pre.map(|(pre, _)| pre) }, rest))
    }

    /// What it means behind an operator; `None` when a number is none. What stands behind a wildcard is not read.
    fn comparison(&self, operator: Operator) -> Option<Comparison> {
        let given = |part: Option<&'a str>| part.filter(|part| !matches!(*part, "x" | "X" | "*"));
        let number = |part: &str| part.parse::<u64>().ok();
        let (named, numbers) = match self.parts.map(given) {
            [None, ..] => (Named::Nothing, (0, 0, 0)),
            [Some(major), None, _] => (Named::Major, (number(major)?, 0, 0)),
            [Some(major), Some(minor), None] => (Named::Minor, (number(major)?, number(minor)?, 0)),
            [Some(major), Some(minor), Some(patch)] => (Named::Whole, (number(major)?, number(minor)?, number(patch)?)),
        };
        if self.length(named) > VERSION_LIMIT {
            return None;
        }
        let pre = Prerelease::new(self.pre.unwrap_or_default()).ok()?;
        Some(Comparison { operator, bound: Version { pre, ..Version::new(numbers.0, numbers.1, numbers.2) }, named })
    }

    /// The length of the version that the limit is for: `.0` stands in each place that is not named, and build metadata
    /// then counts no more.
    fn length(&self, named: Named) -> usize {
        let [major, minor, _] = self.parts.map(|part| part.unwrap_or_default().len());
        let pre = self.pre.map_or(0, |pre| "-".len() + pre.len());
        pre + match named {
            Named::Whole => return self.text.len(),
            Named::Minor => major + ".".len() + minor + ".0".len(),
            Named::Major => major + ".0.0".len(),
            Named::Nothing => "0.0.0".len(),
        }
    }
}

/// What a text begins with of some characters, at least one, and the rest.
fn split_while(text: &str, wanted: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The identifiers between dots that a text begins with, and the rest.
fn identifiers(text: &str) -> Option<(&str, &str)> {
    let identifier = |text| split_while(text, |c: char| c.is_ascii_alphanumeric() || c == '-');
    let (_, mut rest) = identifier(text)?;
    while let Some((_, after)) = rest.strip_prefix('.').and_then(identifier) {
        rest = after;
    }
    Some((&text[..text.len() - rest.len()], rest))
}

/// `1.2 - 1.4` is written as `>= 1.2, <= 1.4` before anything else is read, wherever it stands.
fn without_ranges(constraint: &str) -> String {
    let mut rewritten = constraint.to_owned();
    let mut rest = constraint;
    while let Some((range, with, after)) = next_range(rest) {
        rewritten = rewritten.replacen(range, &with, 1);
        rest = after;
    }
    rewritten
}

/// The first range of a text with the spaces around it, what it is written as, and what follows it.
fn next_range(text: &str) -> Option<(&str, String, &str)> {
    let starts = text.char_indices().map(|(at, _)| &text[at..]);
    starts.into_iter().find_map(|from| {
        let (low, after) = Written::at_start_of(skip_spaces(from))?;
        let dash = skip_spaces(after).strip_prefix('-')?;
        let (high, behind) = Written::at_start_of(skip_spaces(dash))?;
        let apart = skip_spaces(after).len() < after.len() && skip_spaces(dash).len() < dash.len();
        let rest = skip_spaces(behind);
        apart.then(|| (&from[..from.len() - rest.len()], format!(">= {}, <= {} ", low.text, high.text), rest))
    })
}
