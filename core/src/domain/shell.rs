//! Words of command lines that people copy.

use std::borrow::Cow;

/// A word that a POSIX shell reads as it is (XCU 2.2: inside single quotes every character stands for itself).
///
/// ```
/// use chartflow_core::domain::shell::word;
/// assert_eq!(word("release/charts/a-1.3.0.tgz"), "release/charts/a-1.3.0.tgz");
/// assert_eq!(word("it's $HOME; rm"), r"'it'\''s $HOME; rm'");
/// ```
#[must_use]
pub fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { Cow::Borrowed(text) } else { Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))) }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_shell_reads_every_word_as_it_is() {
        let check = |text: &str, expected: &str| assert_eq!(word(text), expected);
        check("release/charts/a-1.3.0.tgz", "release/charts/a-1.3.0.tgz");
        check("my rehearsal/trust", "'my rehearsal/trust'");
        check("it's $HOME; rm", r"'it'\''s $HOME; rm'");
        check("~", "'~'");
        check("a\nb", "'a\nb'");
        check("", "''");
    }
}
