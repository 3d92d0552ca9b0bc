//! Where entries stand in a CHANGELOG.md that people write too.

use semver::Version;

use crate::domain::version::is_higher;

/// Why a changelog cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangelogError {
    /// The file is not UTF-8.
    #[error("the changelog is not UTF-8 at byte {offset}")]
    Encoding {
        /// The first byte that is not.
        offset: usize,
        /// The cause.
        source: std::str::Utf8Error,
    },
}

/// The text of a changelog file.
///
/// # Errors
/// [`ChangelogError::Encoding`].
pub fn read(bytes: &[u8]) -> Result<&str, ChangelogError> {
    std::str::from_utf8(bytes).map_err(|source| ChangelogError::Encoding { offset: source.valid_up_to(), source })
}

struct Heading {
    start: usize,
    level: usize,
    version: Option<Version>,
    unreleased: bool,
}

/// The headings of a Markdown text (CommonMark 4.2 and, where they name a version, 4.3), without those in code and
/// comments. Where one of these is never closed nothing is left out, so that an entry is found again behind it.
fn headings(text: &str) -> Vec<Heading> {
    visible_headings(text, true).or_else(|| visible_headings(text, false)).unwrap_or_default()
}

/// `None` when code or a comment is still open at the end.
fn visible_headings(text: &str, skip: bool) -> Option<Vec<Heading>> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut comment = false;
    let mut previous: Option<(usize, &str)> = None;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let byte_order_mark = if start == 0 && whole.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let at = start + byte_order_mark;
        start += whole.len();
        let line = whole.get(byte_order_mark..).unwrap_or_default().trim_end();
        let inner = line.trim_start_matches(' ');
        let before = previous.take();
        if comment {
            comment = !line.contains("-->");
        } else if let Some(mark) = fence {
            let closing = inner.starts_with(mark) && inner.trim_start_matches(mark).chars().all(|c| mark.starts_with(c));
            fence = fence.filter(|_| !closing);
        } else if line.len() - inner.len() > 3 {
        } else if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| skip && inner.starts_with(mark)) {
            fence = Some(mark);
        } else if skip && inner.rsplit_once("<!--").is_some_and(|(_, rest)| !rest.contains("-->")) {
            comment = true;
        } else if let Some((level, title)) = atx(inner) {
            found.push(Heading { start: at, level, version: version_in(title), unreleased: is_unreleased(title) });
        } else if let (Some(level), Some((start, title))) = (setext(inner), before) {
            found.extend(version_in(title).map(|version| Heading { start, level, version: Some(version), unreleased: false }));
        } else if !inner.is_empty() {
            previous = Some((at, inner));
        }
    }
    (!comment && fence.is_none()).then_some(found)
}

fn atx(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && (title.is_empty() || title.starts_with([' ', '\t']))).then_some((level, title.trim()))
}

fn setext(line: &str) -> Option<usize> {
    let only = |mark: char| line.len() > 1 && line.chars().all(|c| c == mark);
    if only('=') { Some(1) } else { only('-').then_some(2) }
}

fn words(title: &str) -> impl Iterator<Item = &str> {
    title.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | ',' | ':' | '*' | '`' | '"' | '/' | '@')).filter(|word| !word.is_empty())
}

fn is_unreleased(title: &str) -> bool {
    words(title).next().is_some_and(|word| word.eq_ignore_ascii_case("unreleased"))
}

/// The version a heading is about: its first word, or the second when the first is a name and no sentence follows.
/// `v1.2.3` and `redis-1.2.3` are versions too.
fn version_in(title: &str) -> Option<Version> {
    let mut words = words(title);
    let first = words.next()?;
    let plain = |word: &str| Version::parse(word.trim_start_matches(['v', 'V'])).ok();
    if let Some(version) = plain(first).or_else(|| first.match_indices('-').find_map(|(at, _)| plain(first.get(at + 1..)?))) {
        return Some(version);
    }
    let version = plain(words.next()?)?;
    words.next().is_none_or(|word| word.starts_with(|c: char| c.is_ascii_digit() || !c.is_alphanumeric())).then_some(version)
}

fn same(one: &Version, other: &Version) -> bool {
    one.cmp_precedence(other).is_eq()
}

/// Where the section that begins with a heading ends.
fn section_end(text: &str, headings: &[Heading], index: usize) -> usize {
    let level = headings.get(index).map_or(0, |heading| heading.level);
    let next = headings.iter().skip(index + 1).find(|next| next.level <= level || next.version.is_some());
    next.map_or(text.len(), |next| next.start)
}

/// Where the entry of a version goes; `None` when it is there.
///
/// Entries stand newest first: before the first entry of a lower version, which leaves an `Unreleased` section above
/// it; without one behind the higher versions, or the `Unreleased` section; without either before the first section.
fn place(text: &str, version: &Version) -> Option<usize> {
    let headings = headings(text);
    let versions = || headings.iter().enumerate().filter_map(|(index, heading)| Some((index, heading.version.as_ref()?)));
    if versions().any(|(_, other)| same(other, version)) {
        return None;
    }
    let position = |index: usize| headings.get(index).map(|heading| heading.start);
    if let Some(index) = versions().find(|(_, other)| is_higher(version, other)).map(|(index, _)| index) {
        return position(index);
    }
    let last = versions().next_back().map(|(index, _)| index).or_else(|| headings.iter().position(|heading| heading.unreleased));
    if let Some(index) = last {
        return Some(section_end(text, &headings, index));
    }
    Some(headings.iter().find(|heading| heading.level > 1).map_or(text.len(), |heading| heading.start))
}

fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// The changelog with an entry (Markdown with `\n`, as `Entry::markdown` gives it) in its place. Every byte of the
/// existing text is kept; the entry takes over its line ends. A file that has an entry for this version is returned as
/// it is, since somebody wrote that one on purpose.
///
/// ```
/// use chartflow_core::domain::changelog::insert;
/// let version = "1.1.0".parse().unwrap();
/// assert_eq!(insert(None, &version, "## 1.1.0\n\n- x\n"), "# Changelog\n\n## 1.1.0\n\n- x\n");
/// assert_eq!(insert(Some("# Log\n\n## 1.0.0\n"), &version, "## 1.1.0\n"), "# Log\n\n## 1.1.0\n\n## 1.0.0\n");
/// ```
#[must_use]
pub fn insert(existing: Option<&str>, version: &Version, entry: &str) -> String {
    let existing = existing.unwrap_or_default();
    let line_end = line_end(existing);
    let entry = entry.trim_end().replace('\n', line_end);
    if existing.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() {
        return format!("{existing}# Changelog{line_end}{line_end}{entry}{line_end}");
    }
    let Some((before, after)) = place(existing, version).and_then(|at| existing.split_at_checked(at)) else {
        return existing.to_owned();
    };
    let lines_before = before.trim_start_matches('\u{feff}').trim_end_matches([' ', '\t', '\r']);
    let gap = if lines_before.is_empty() || lines_before.ends_with("\n\n") || lines_before.ends_with("\n\r\n") {
        String::new()
    } else if lines_before.ends_with('\n') {
        line_end.to_owned()
    } else {
        line_end.repeat(2)
    };
    let rest = if after.is_empty() || after.starts_with(['\r', '\n']) { "" } else { line_end };
    format!("{before}{gap}{entry}{line_end}{rest}{after}")
}

/// The entry of a version: from its heading to the next, with `\n` and one line end behind it.
///
/// ```
/// use chartflow_core::domain::changelog::entry_text;
/// let log = "# Log\r\n\r\n## 1.1.0\r\n\r\n- x\r\n\r\n## 1.0.0\r\n";
/// assert_eq!(entry_text(log, &"1.1.0".parse().unwrap()).unwrap(), "## 1.1.0\n\n- x\n");
/// ```
#[must_use]
pub fn entry_text(changelog: &str, version: &Version) -> Option<String> {
    let headings = headings(changelog);
    let index = headings.iter().position(|heading| heading.version.as_ref().is_some_and(|other| same(other, version)))?;
    let start = headings.get(index)?.start;
    let section = changelog.get(start..section_end(changelog, &headings, index))?;
    Some(format!("{}\n", section.trim_start_matches('\u{feff}').trim_end().replace("\r\n", "\n")))
}

/// Inserts into another state of the file what distinguishes `after` from `before`: the entries of versions that only
/// `after` has. `None` stands for no file, and is the answer when there is nothing to write. Doing it twice changes nothing.
#[must_use]
pub fn replay(before: Option<&str>, after: Option<&str>, other: Option<&str>) -> Option<String> {
    let versions = |text: Option<&str>| headings(text.unwrap_or_default()).into_iter().filter_map(|heading| heading.version).collect::<Vec<Version>>();
    let known = versions(before);
    let mut result = other.map(str::to_owned);
    for version in versions(after).into_iter().filter(|version| !known.iter().any(|known| same(known, version))) {
        if let Some(entry) = after.and_then(|after| entry_text(after, &version)) {
            result = Some(insert(result.as_deref(), &version, &entry));
        }
    }
    result
}
