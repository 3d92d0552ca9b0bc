//! The messages of the machine's commits: a Conventional Commit title, a blank line, trailers of one line each.

use semver::Version;

use super::title::without_skip_tokens;
use crate::domain::commit::Author;
use crate::domain::digest::CommitId;
use crate::domain::names::{ChartName, TagName};
use crate::domain::statement::StatementDigest;
use crate::domain::visible::hides;

/// At most this many people are named in one message.
const CO_AUTHOR_LIMIT: usize = 50;

fn message(title: &str, charts: &[&ChartName], source: &CommitId, co_authors: &[Author]) -> String {
    format!("{}\n\n{}", without_skip_tokens(title, 100), trailers(charts, source, co_authors))
}

fn trailers(charts: &[&ChartName], source: &CommitId, co_authors: &[Author]) -> String {
    let mut text = String::new();
    for chart in charts {
        text.push_str(&format!("Chartflow-Chart: {chart}\n"));
    }
    text.push_str(&format!("Chartflow-Source: {source}\n"));
    text.extend(co_author_lines(co_authors));
    text
}

/// `Co-authored-by` lines, one per address, in the order given. Whoever has no usable name or address is left out.
fn co_author_lines(authors: &[Author]) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for author in authors {
        let name = without_skip_tokens(&author.name.replace(['<', '>', '@'], " "), 100);
        let address = author.email.trim();
        let plain = address.len() <= 254
            && address.contains('@')
            && !address.contains(|c: char| c.is_whitespace() || c.is_control() || hides(c) || matches!(c, '<' | '>'));
        let known = addresses.iter().any(|known| known.eq_ignore_ascii_case(address));
        if name.is_empty() || !plain || known || lines.len() == CO_AUTHOR_LIMIT {
            continue;
        }
        addresses.push(address.to_owned());
        lines.push(format!("Co-authored-by: {name} <{address}>\n"));
    }
    lines
}

/// The commit that carries a chart from integration; `source` is the commit on integration.
#[must_use]
pub fn promotion(chart: &ChartName, removed: bool, source: &CommitId, co_authors: &[Author]) -> String {
    let title = if removed { format!("chore({chart}): remove from main") } else { format!("chore({chart}): promote from integration") };
    message(&title, &[chart], source, co_authors)
}

/// The commit that raises a chart; `source` is the commit on integration whose content is raised.
#[must_use]
pub fn bump(chart: &ChartName, to: &Version, source: &CommitId, co_authors: &[Author]) -> String {
    message(&format!("chore({chart}): {to}"), &[chart], source, co_authors)
}

/// The commit that brings main back; `source` is the commit on main.
#[must_use]
pub fn way_back(charts: &[&ChartName], source: &CommitId) -> String {
    message("chore: bring main back into integration", charts, source, &[])
}

/// What follows the title of a merge commit; `source` is the commit whose content is merged.
#[must_use]
pub fn merge(charts: &[&ChartName], source: &CommitId) -> String {
    trailers(charts, source, &[]).trim_end().to_owned()
}

/// The message of an annotated tag: it names the release gate, by which everybody can check that the lineage they
/// have is the tag's.
#[must_use]
pub fn tag(name: &TagName, chart: &ChartName, source: &CommitId, gate: StatementDigest) -> String {
    format!("{name}\n\n{}Chartflow-Release-Gate: sha256:{gate}\n", trailers(&[chart], source, &[]))
}

/// The commit on release; `source` is the tagged commit on main.
#[must_use]
pub fn publication(chart: &ChartName, version: &Version, source: &CommitId) -> String {
    message(&format!("chore({chart}): publish {version}"), &[chart], source, &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pull::{TITLE_LIMIT, title};

    #[test]
    fn merges_and_tags() {
        insta::assert_snapshot!(title::merged("Promote redis [skip ci] from integration", 7), @"Promote redis from integration (#7)");
        assert!(title::merged(&"x".repeat(400), 7).chars().count() <= TITLE_LIMIT);
        insta::assert_snapshot!(title::release(&"redis".parse().unwrap(), &Version::new(1, 3, 0)), @"redis 1.3.0");
        insta::assert_snapshot!(merge(&[&"redis".parse().unwrap()], &CommitId::new("1".repeat(40)).unwrap()), @"
        Chartflow-Chart: redis
        Chartflow-Source: 1111111111111111111111111111111111111111
        ");
        insta::assert_snapshot!(tag(&"redis-v1.3.0".parse().unwrap(), &"redis".parse().unwrap(), &CommitId::new("1".repeat(40)).unwrap(), StatementDigest::of(b"")), @"
        redis-v1.3.0

        Chartflow-Chart: redis
        Chartflow-Source: 1111111111111111111111111111111111111111
        Chartflow-Release-Gate: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        ");
    }
}
