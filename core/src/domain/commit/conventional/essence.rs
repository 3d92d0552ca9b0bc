//! As much of a message as level and changelog are derived from.

use super::{Parsed, changes, co_authors, read, split, title_and_body};
use crate::domain::markdown::one_line;

/// Messages up to this many bytes are kept as they are.
const WHOLE: usize = 4 << 10;
/// Of the parts of a long squash as many are kept as fit into this many bytes, beside those that decide.
const PARTS: usize = 16 << 10;
/// Titles and notes are shown up to 500 characters; one more shows that something is missing.
const LINE: usize = 501;
/// At most this many co-authors are kept, as many as a message of the machine names.
const PEOPLE: usize = 50;

/// A short message is returned as it is. Of a longer one the titles, the footers that decide and the co-authors remain:
/// bots write whole release notes into the body of a squash, and neither level nor changelog reads them.
///
/// ```
/// use chartflow_core::domain::commit::conventional::essence;
/// assert_eq!(essence("fix: a\n\nwhy"), "fix: a\n\nwhy");
/// let long = format!("fix: a\n\n{}\n\nBREAKING CHANGE: b", "why ".repeat(2000));
/// assert_eq!(essence(&long), "fix: a\n\nBREAKING CHANGE: b");
/// ```
#[must_use]
pub fn essence(message: &str) -> String {
    if message.len() <= WHOLE {
        return message.to_owned();
    }
    let mut text = decided(message);
    let people = co_authors(message).into_iter().filter(|author| author.email.len() <= 254).take(PEOPLE);
    let lines: Vec<String> = people.map(|author| format!("Co-authored-by: {} <{}>", one_line(&author.name, 100), author.email)).collect();
    if !lines.is_empty() {
        text = format!("{text}\n\n{}", lines.join("\n"));
    }
    text
}

/// What decides about level, version and changelog, without the people.
fn decided(message: &str) -> String {
    let parts: Vec<String> = split(message).iter().map(|part| shortened(part)).collect();
    let [first, rest @ ..] = parts.as_slice() else { return shortened(message) };
    if rest.is_empty() {
        return first.clone();
    }
    let decides = |part: &String| {
        let parsed = read(part);
        parsed.breaking || parsed.release_as().is_some()
    };
    let deciding = [parts.iter().find(|part| read(part).breaking), parts.iter().find(|part| decides(part)), parts.iter().find(|part| is_feature(part))];
    let size = |part: &String| part.len() + 4;
    let mut room = PARTS.saturating_sub(deciding.iter().flatten().map(|part| size(part)).sum());
    let mut text = one_line(title_and_body(message).0, LINE);
    for part in &parts {
        let must = deciding.iter().flatten().any(|one| std::ptr::eq(*one, part));
        if !must && size(part) > room {
            continue;
        }
        if !must {
            room -= size(part);
        }
        text.push_str("\n\n* ");
        text.push_str(part);
    }
    // The form of a squash reads back as the same parts, unless somebody wrote something very unusual.
    if decisive(&changes(&text)) == decisive(&changes(message)) { text } else { fallback(message) }
}

fn is_feature(part: &str) -> bool {
    read(part).kind == super::Kind::Feature
}

/// What decides about the level and the version.
fn decisive(changes: &[Parsed]) -> (bool, bool, Option<String>) {
    let asked = changes.iter().find_map(|change| change.release_as()?.ok());
    (changes.iter().any(|change| change.breaking), changes.iter().any(|change| change.kind == super::Kind::Feature), asked.map(|version| version.to_string()))
}

/// One commit's title and deciding footers.
fn shortened(part: &str) -> String {
    let parsed = read(part);
    let mut text = one_line(title_and_body(part).0, LINE);
    let notes = parsed.breaking_notes().take(8).map(|note| format!("BREAKING CHANGE: {}", one_line(note.split("\n\n").next().unwrap_or_default(), LINE)));
    let asked = parsed.release_as().and_then(Result::ok).map(|version| format!("Release-As: {version}"));
    let footers: Vec<String> = notes.chain(asked).collect();
    if !footers.is_empty() {
        text.push_str("\n\n");
        text.push_str(&footers.join("\n"));
    }
    text
}

/// One change in the place of several: the first of the highest level, with all that decides.
fn fallback(message: &str) -> String {
    let (breaking, feature, asked) = decisive(&changes(message));
    let kind = if feature { "feat" } else { "fix" };
    let title = one_line(title_and_body(message).0, LINE);
    let mark = if breaking { "!" } else { "" };
    let footer = asked.map(|version| format!("\n\nRelease-As: {version}")).unwrap_or_default();
    format!("{kind}{mark}: {title}{footer}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::version::level_of;

    fn long() -> String {
        "text of no weight\n".repeat(600)
    }

    fn check(message: &str, expected: &str) {
        let short = essence(message);
        assert_eq!(short, expected);
        assert_eq!(level_of([message], true), level_of([short.as_str()], true));
    }

    #[test]
    fn long_messages() {
        check(&format!("feat(a): one\n\n{}", long()), "feat(a): one");
        check(&format!("Revert \"feat: a\"\n\nThis reverts commit 1234567.\n\n{}", long()), "Revert \"feat: a\"");
        check(&format!("fix: a\n\n{}Release-As: 2.0.0", long()), "fix: a");
        check(&format!("fix: a\n\n{}\n\nRelease-As: 2.0.0", long()), "fix: a\n\nRelease-As: 2.0.0");
        check(&format!("Two (#3)\n\n* fix: a\n\n{}\n\n* feat!: b\n\n{}", long(), long()), "Two (#3)\n\n* fix: a\n\n* feat!: b");
    }

    #[test]
    fn co_authors_of_long_messages_stay() {
        let bo = "Co-authored-by: Bo <bo@example.com>";
        check(&format!("fix: a\n\n{}\n\n{bo}\nRelease-As: 2.0.0", long()), &format!("fix: a\n\nRelease-As: 2.0.0\n\n{bo}"));
        let squash = format!("Two (#3)\n\n* fix: a\n\n{bo}\n\n* feat!: b\n\n{}\n\n---------\n\nCo-authored-by: Cy <cy@example.com>\n{bo}", long());
        check(&squash, &format!("Two (#3)\n\n* fix: a\n\n* feat!: b\n\n{bo}\nCo-authored-by: Cy <cy@example.com>"));
    }

    #[test]
    fn of_very_many_parts_the_deciding_ones_stay() {
        let many: String = (0..3000).map(|number| format!("* fix: number {number}\n\n")).collect();
        let message = format!("Many (#3)\n\n{many}* feat: last\n\n* fix!: breaks\n\nRelease-As: 3.0.0\n");
        let short = essence(&message);
        assert!(short.len() < 20 << 10, "{}", short.len());
        assert_eq!(decisive(&changes(&short)), (true, true, Some("3.0.0".to_owned())));
        assert!(short.contains("* fix: number 0\n"));
    }

    proptest! {
        #[test]
        fn the_level_stays(
            titles in proptest::collection::vec("(fix|feat|docs|x y)(\\(a\\))?!?: [a-z]{1,9}( \\(#1\\))?", 1..6),
            body in "(\n|[a-z* :#-]{1,20}|BREAKING CHANGE: |Release-As: 1.0.0|Co-authored-by: B <b@example.com>){0,12}",
        ) {
            let pad = long();
            let message = format!("{}\n\n{}", titles[0], titles[1..].iter().map(|title| format!("* {title}\n\n{body}\n{pad}\n\n")).collect::<String>());
            let message = format!("{message}\n\n{pad}\n\n{body}");
            prop_assert_eq!(level_of([message.as_str()], true), level_of([essence(&message).as_str()], true));
        }
    }
}
