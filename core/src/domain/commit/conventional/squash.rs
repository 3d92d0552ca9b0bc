//! The message GitHub writes for a squash: the title, then `* ` and the message of each commit.

use super::{Kind, Parsed, header, is_merge_title, read, title_and_body};
use crate::domain::names::ChartName;

/// A title without GitHub's ` (#12)` at its end, and the number.
///
/// ```
/// use chartflow_core::domain::commit::conventional::without_pull_number;
/// assert_eq!(without_pull_number("fix: a (#12)"), ("fix: a", Some(12)));
/// assert_eq!(without_pull_number("fix: a (#x)"), ("fix: a (#x)", None));
/// ```
#[must_use]
pub fn without_pull_number(title: &str) -> (&str, Option<u64>) {
    let title = title.trim_end();
    let number = title.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (#")).and_then(|(before, digits)| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        Some((before, digits.parse().ok().filter(|_| plain)?))
    });
    number.map_or((title, None), |(before, number)| (before, Some(number)))
}

fn begins_commit(line: &str) -> Option<&str> {
    let title = line.strip_prefix("* ")?.trim();
    (header(title).is_ok() || super::git_revert(title).is_some() || is_merge_title(title)).then_some(title)
}

/// The messages of the commits in a squash, in the order written, merges left out. A message that is no squash is its
/// only part.
///
/// A squash is recognised by GitHub's form: the body begins with a line `* …`, and at least one such line is a
/// Conventional Commit, a revert or a merge. The squash's own title is a part of its own when it is a Conventional
/// Commit that no commit repeats.
///
/// ```
/// use chartflow_core::domain::commit::conventional::split;
/// let parts = split("Two things (#3)\n\n* feat(a): one\n\n* fix(b)!: two\n\nwith a body\n");
/// assert_eq!(parts, ["feat(a): one", "fix(b)!: two\n\nwith a body"]);
/// ```
#[must_use]
pub fn split(message: &str) -> Vec<String> {
    let (title, body) = title_and_body(message);
    let is_list = body.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("* "));
    if !is_list || !body.lines().any(|line| begins_commit(line).is_some()) {
        return vec![message.trim().to_owned()];
    }
    let mut parts: Vec<(&str, String)> = Vec::new();
    let mut lead = String::new();
    for line in body.lines() {
        if let Some(begun) = begins_commit(line) {
            parts.push((begun, String::new()));
        } else {
            let text = parts.last_mut().map_or(&mut lead, |(_, text)| text);
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    let own = without_pull_number(title).0;
    let repeated = parts.iter().any(|(part, _)| without_pull_number(part).0 == own);
    let own_counts = !repeated && (header(title).is_ok() || super::git_revert(title).is_some());
    if own_counts || lead_is_breaking(&lead) {
        parts.insert(0, (title, lead));
    }
    let joined = |(title, text): (&str, String)| if text.trim().is_empty() { title.to_owned() } else { format!("{title}\n\n{}", text.trim()) };
    parts.into_iter().filter(|(title, _)| !is_merge_title(title)).map(joined).collect()
}

/// A breaking change that stands before the first commit belongs to the squash itself and is never dropped.
fn lead_is_breaking(lead: &str) -> bool {
    super::footer::footers(lead).iter().any(super::Footer::is_breaking)
}

/// The parts of a message that speak about one chart: in a squash, a part whose scope names one of `others`, the other
/// charts of the same pull request, does not. When no part is left the change is still there and remains, as a change
/// of no type. A message that is no squash speaks about every chart it touches.
#[must_use]
pub fn split_for(message: &str, chart: &ChartName, others: &[ChartName]) -> Vec<String> {
    let about_another = |part: &String| {
        let scope = read(part).scope.unwrap_or_default();
        let mut names = scope.split([',', '/', ' ']).map(str::trim).filter(|name| !name.is_empty());
        let named = |name: &str| name.eq_ignore_ascii_case(chart.as_str());
        let other = |name: &str| others.iter().any(|other| other != chart && name.eq_ignore_ascii_case(other.as_str()));
        !names.clone().any(named) && names.any(other)
    };
    let mut parts = split(message);
    if parts.first().is_some_and(|part| part == message.trim()) {
        return parts;
    }
    parts.retain(|part| !about_another(part));
    if parts.is_empty() {
        let (title, _) = title_and_body(message);
        parts.push(format!("(with another chart) {}", without_pull_number(title).0));
    }
    parts
}

/// All changes that one message holds.
///
/// ```
/// use chartflow_core::domain::commit::conventional::{Kind, changes};
/// let kinds: Vec<Kind> = changes("Both (#3)\n\n* feat: one\n* fix: two").into_iter().map(|change| change.kind).collect();
/// assert_eq!(kinds, [Kind::Feature, Kind::Fix]);
/// ```
#[must_use]
pub fn changes(message: &str) -> Vec<Parsed> {
    let parts = split(message);
    let several = parts.len() > 1;
    parts.iter().map(|part| read(part)).filter(|change| !several || change.kind != Kind::Unconventional || change.breaking).collect()
}
