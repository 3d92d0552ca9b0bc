//! The allow-list: where GitHub departs from its own description, and why.
//!
//! One departure a line: `OPERATION PART POINTER # REASON`. `*` as operation means every one; a `*` between slashes of the
//! pointer means every element; `-` as pointer means the part as a whole.

use super::Violation;

/// Why the allow-list cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct AllowedError {
    line: usize,
    problem: &'static str,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) operation: String,
    pub(super) part: String,
    pointer: String,
}

#[derive(Debug)]
pub(super) struct Allowed(pub(super) Vec<Line>);

impl Allowed {
    pub(super) fn parse(text: &str) -> Result<Self, AllowedError> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |problem| AllowedError { line: index + 1, problem };
            let (rule, reason) = line.split_once(" # ").ok_or_else(|| error("a reason is missing behind ` # `"))?;
            if reason.trim().is_empty() {
                return Err(error("the reason is empty"));
            }
            let [operation, part, pointer] = rule.split_whitespace().collect::<Vec<_>>()[..] else {
                return Err(error("it is not OPERATION PART POINTER # REASON"));
            };
            lines.push(Line { operation: operation.to_owned(), part: part.to_owned(), pointer: pointer.to_owned() });
        }
        Ok(Self(lines))
    }

    pub(super) fn covers(&self, violation: &Violation) -> bool {
        self.0.iter().any(|line| line.covers(violation))
    }
}

impl Line {
    pub(super) fn covers(&self, violation: &Violation) -> bool {
        let same = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        let at = if violation.at.is_empty() { "-" } else { &violation.at };
        let (patterns, parts): (Vec<_>, Vec<_>) = (self.pointer.split('/').collect(), at.split('/').collect());
        same(&self.operation, &violation.operation)
            && self.part == violation.part
            && patterns.len() == parts.len()
            && patterns.iter().zip(parts).all(|(pattern, part)| same(pattern, part))
    }
}
