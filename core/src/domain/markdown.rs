//! Text from outside inside Markdown that GitHub renders.
//!
//! What contributors wrote is shown as they wrote it and does nothing: no markup, no HTML, no mention that notifies
//! somebody, no reference that links or closes an issue, no link. Where only an autolink has to be broken, a zero-width
//! space (`&#8203;`) stands behind its first character, because GitHub looks for mentions, references and addresses in
//! the rendered text, where a backslash or an entity has vanished already.

use super::digest::CommitId;
use super::names::{RepositoryName, TagName};
use super::visible::hides;

/// Texts from outside are shown up to this many characters.
pub const LINE_LIMIT: usize = 500;

const BREAK: &str = "&#8203;";

/// One line of plain text: control characters and those that hide or reorder text become blanks, runs of blanks
/// become one, and what exceeds `limit` characters is replaced by `…`.
///
/// ```
/// use chartflow_core::domain::markdown::one_line;
/// assert_eq!(one_line("a\r\n\tb\u{202e}c ", 10), "a b c");
/// assert_eq!(one_line("abcdef", 4), "abc…");
/// ```
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let blank = |c: char| c.is_control() || c.is_whitespace() || hides(c);
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(blank).filter(|word| !word.is_empty()) {
        if length > limit {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        line.extend(word.chars().take(limit + 1));
        length += word.chars().take(limit + 1).count();
    }
    if line.chars().count() > limit {
        line = line.chars().take(limit.saturating_sub(1)).collect::<String>().trim_end().to_owned();
        line.push('…');
    }
    line
}

/// One line of text from outside, so that GitHub shows it as it is.
///
/// ```
/// use chartflow_core::domain::markdown::escape;
/// assert_eq!(escape("use *this* <b> | `that`, snake_case"), r"use \*this\* &lt;b&gt; \| \`that\`, snake_case");
/// assert_eq!(escape("thanks @everyone, fixes #12"), "thanks @&#8203;everyone, fixes #&#8203;12");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let line: Vec<char> = one_line(text, LINE_LIMIT).chars().collect();
    let at = |index: usize| line.get(index).copied().unwrap_or(' ');
    let mut escaped = String::with_capacity(line.len() * 2);
    let number = line.iter().take_while(|c| c.is_ascii_digit()).count();
    for (index, &c) in line.iter().enumerate() {
        let before = if index == 0 { ' ' } else { at(index - 1) };
        let next = at(index + 1);
        let begins_block = index == 0 && matches!(c, '#' | '+' | '-' | '=') || number > 0 && index == number && matches!(c, '.' | ')');
        let emphasis = c == '_' && !(before.is_alphanumeric() && next.is_alphanumeric());
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', c]),
            _ if begins_block || emphasis => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
        if autolinks(&line, index) {
            escaped.push_str(BREAK);
        }
    }
    escaped
}

/// Whether an autolink has to be broken behind the character: `@name`, `#1`, `GH-1`, `://`, `www.`
/// (<https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls>).
fn autolinks(line: &[char], index: usize) -> bool {
    let at = |index: usize| line.get(index).copied().unwrap_or(' ');
    let back = |by: usize| index.checked_sub(by).map_or(' ', at).to_ascii_lowercase();
    let next = at(index + 1);
    match at(index) {
        '@' => next.is_alphanumeric(),
        '#' => next.is_ascii_digit(),
        ':' => next == '/' && at(index + 2) == '/',
        '-' => next.is_ascii_digit() && back(1) == 'h' && back(2) == 'g',
        'w' | 'W' => next == '.' && back(1) == 'w' && back(2) == 'w',
        _ => false,
    }
}

/// A link; the text is Markdown already.
#[must_use]
pub fn link(text: &str, url: &str) -> String {
    format!("[{text}]({url})")
}

/// Addresses of one repository on a GitHub server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    server: String,
    repository: RepositoryName,
}

impl Links {
    /// `server` is the server's address, such as `https://github.com`. Characters that would end a Markdown link are
    /// percent-encoded.
    ///
    /// ```
    /// use chartflow_core::domain::markdown::Links;
    /// let links = Links::new("https://github.com/", "o/r".parse().unwrap());
    /// assert_eq!(links.pull(12), "https://github.com/o/r/pull/12");
    /// ```
    #[must_use]
    pub fn new(server: &str, repository: RepositoryName) -> Self {
        let server = server.trim().trim_end_matches('/').chars().map(|c| match c {
            '(' | ')' | '<' | '>' | '"' | '\\' | '`' => format!("%{:02X}", u32::from(c)),
            c if c.is_whitespace() || c.is_control() => "%20".to_owned(),
            c => c.to_string(),
        });
        Self { server: server.collect(), repository }
    }

    /// The repository.
    #[must_use]
    pub const fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// A commit.
    #[must_use]
    pub fn commit(&self, id: &CommitId) -> String {
        format!("{}/{}/commit/{id}", self.server, self.repository)
    }

    /// A pull request.
    #[must_use]
    pub fn pull(&self, number: u64) -> String {
        format!("{}/{}/pull/{number}", self.server, self.repository)
    }

    /// A release by its tag.
    #[must_use]
    pub fn release(&self, tag: &TagName) -> String {
        // In a path `+` stands for itself, but `%`, `#` and `?` would not.
        let tag = tag.as_str().replace('%', "%25").replace('#', "%23").replace('(', "%28").replace(')', "%29");
        format!("{}/{}/releases/tag/{tag}", self.server, self.repository)
    }

    /// Where a file of a release is downloaded, by its tag and its name.
    #[must_use]
    pub fn asset(&self, tag: &str, file: &str) -> String {
        let part = |text: &str| text.replace('%', "%25").replace('#', "%23").replace('?', "%3F").replace('+', "%2B");
        format!("{}/{}/releases/download/{}/{}", self.server, self.repository, part(tag), part(file))
    }

    /// An attestation that GitHub keeps, by its number.
    #[must_use]
    pub fn attestation(&self, number: u64) -> String {
        format!("{}/{}/attestations/{number}", self.server, self.repository)
    }

    /// A file at a ref, given in full; the path holds no characters that an address treats specially.
    #[must_use]
    pub fn file(&self, reference: &str, path: &str) -> String {
        format!("{}/{}/blob/{reference}/{path}", self.server, self.repository)
    }

    /// `[#12](…)`.
    #[must_use]
    pub fn pull_link(&self, number: u64) -> String {
        link(&format!("#{number}"), &self.pull(number))
    }

    /// The shortened id, linked.
    #[must_use]
    pub fn commit_link(&self, id: &CommitId) -> String {
        link(&format!("`{}`", id.short()), &self.commit(id))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_from_outside_acts() {
        insta::assert_snapshot!(escape("<!-- x --><script>alert(1)</script> &amp;"), @"&lt;!-- x --&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp;amp;");
        insta::assert_snapshot!(escape("# title"), @r"\# title");
        insta::assert_snapshot!(escape("- item"), @r"\- item");
        insta::assert_snapshot!(escape("1. item"), @r"1\. item");
        insta::assert_snapshot!(escape("1.2.3 is out"), @r"1\.2.3 is out");
        insta::assert_snapshot!(escape("![i](javascript:x) ~~s~~ $x$ __b__ a_b"), @r"!\[i\](javascript:x) \~\~s\~\~ \$x\$ \_\_b\_\_ a_b");
        insta::assert_snapshot!(escape("GH-3 o/r#4 https://x.y www.x.y a@b.c"), @"GH-&#8203;3 o/r#&#8203;4 https:&#8203;//x.y www&#8203;.x.y a@&#8203;b.c");
        insta::assert_snapshot!(escape("a\n\n---\n```\nb"), @r"a --- \`\`\` b");
        assert_eq!(escape(&"x".repeat(2000)).chars().count(), LINE_LIMIT);
    }

    #[test]
    fn addresses() {
        let links = Links::new("https://ghe.example/a b)", "o/r".parse().unwrap());
        insta::assert_snapshot!(links.pull_link(3), @"[#3](https://ghe.example/a%20b%29/o/r/pull/3)");
        let id = CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap();
        insta::assert_snapshot!(links.commit_link(&id), @"[`0123456789`](https://ghe.example/a%20b%29/o/r/commit/0123456789abcdef0123456789abcdef01234567)");
        insta::assert_snapshot!(links.release(&"a-v1.0.0+b".parse().unwrap()), @"https://ghe.example/a%20b%29/o/r/releases/tag/a-v1.0.0+b");
    }

    proptest! {
        #[test]
        fn escaped_text_holds_no_markup(text in "(?s).{0,200}") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '\n', '\r']));
            let mut backslash = false;
            for c in escaped.chars() {
                prop_assert!(backslash || !matches!(c, '`' | '*' | '[' | ']' | '|'));
                backslash = c == '\\' && !backslash;
            }
            prop_assert!(one_line(&text, 20).chars().count() <= 20);
        }
    }
}
