//! The entry of one version.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use semver::Version;

use crate::domain::commit::conventional::{Kind, Parsed, changes, without_pull_number};
use crate::domain::commit::range::Counted;
use crate::domain::digest::CommitId;
use crate::domain::markdown::{LINE_LIMIT, Links, escape, link, one_line};
use crate::domain::names::{ChartName, TagName};

/// The heading a change stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Breaking changes of any type.
    Breaking,
    /// `feat`.
    Features,
    /// `fix`.
    Fixes,
    /// Everything else.
    Other,
}

impl Section {
    /// The heading's text.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Breaking => "Breaking changes",
            Self::Features => "Features",
            Self::Fixes => "Fixes",
            Self::Other => "Other changes",
        }
    }

    const ALL: [Self; 4] = [Self::Breaking, Self::Features, Self::Fixes, Self::Other];
}

/// One line of an entry. Texts are as their authors wrote them, made one line, not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it stands.
    pub section: Section,
    /// What it is for Artifact Hub: `added`, `changed`, `deprecated`, `removed`, `fixed` or `security`
    /// (<https://artifacthub.io/docs/topics/annotations/helm/>).
    pub kind: &'static str,
    /// The scope, unless it only names the chart.
    pub scope: Option<String>,
    /// The description.
    pub text: String,
    /// The commit.
    pub commit: CommitId,
    /// The pull request.
    pub pull: Option<u64>,
}

impl Change {
    fn new(parsed: &Parsed, counted: &Counted, chart: &ChartName) -> Self {
        let section = match parsed.kind {
            _ if parsed.breaking => Section::Breaking,
            Kind::Feature => Section::Features,
            Kind::Fix => Section::Fixes,
            _ => Section::Other,
        };
        let (subject, number) = without_pull_number(&parsed.subject);
        let notes: Vec<String> = parsed.breaking_notes().map(first_paragraph).filter(|note| !note.is_empty() && note != subject).collect();
        let subject = if subject.is_empty() { "(no description)" } else { subject };
        let text = if notes.is_empty() { subject.to_owned() } else { format!("{subject}: {}", notes.join("; ")) };
        Self {
            section,
            kind: artifact_hub_kind(parsed),
            scope: parsed.scope.as_deref().filter(|scope| !scope.eq_ignore_ascii_case(chart.as_str())).map(|scope| one_line(scope, 80)),
            text: one_line(&text, LINE_LIMIT),
            commit: counted.id.clone(),
            pull: counted.pull.or(number),
        }
    }

    fn markdown(&self, links: &Links) -> String {
        let scope = self.scope.as_deref().map(|scope| format!("**{}:** ", escape(scope))).unwrap_or_default();
        let pull = self.pull.map(|number| format!("{}, ", links.pull_link(number))).unwrap_or_default();
        format!("- {scope}{} ({pull}{})\n", escape(&self.text), links.commit_link(&self.commit))
    }
}

fn first_paragraph(note: &str) -> String {
    one_line(note.split("\n\n").next().unwrap_or_default(), LINE_LIMIT)
}

fn artifact_hub_kind(parsed: &Parsed) -> &'static str {
    let about_security = parsed.scope.as_deref().is_some_and(|scope| scope.eq_ignore_ascii_case("security"));
    match parsed.kind.as_str() {
        "security" => "security",
        _ if about_security => "security",
        "deprecate" | "deprecated" => "deprecated",
        "remove" | "removed" => "removed",
        "fix" => "fixed",
        "feat" if !parsed.breaking => "added",
        _ => "changed",
    }
}

/// Everything the changelog says about one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version.
    pub version: Version,
    /// The tag the heading links to.
    pub tag: Option<TagName>,
    /// The date, in seconds since 1970-01-01T00:00:00Z; shown as a day in UTC.
    pub date: i64,
    /// The changes, newest first.
    pub changes: Vec<Change>,
    /// The names of those who contributed, co-authors among them, in the order of their first commit.
    pub contributors: Vec<String>,
}

impl Entry {
    /// The entry for the commits of a release, newest first.
    #[must_use]
    pub fn new(chart: &ChartName, version: Version, tag: Option<TagName>, date: i64, counted: &[Counted]) -> Self {
        let changes = counted.iter().flat_map(|counted| changes(&counted.message).into_iter().map(move |parsed| Change::new(&parsed, counted, chart)));
        let mut people: Vec<(String, String)> = Vec::new();
        for author in counted.iter().rev().flat_map(Counted::people) {
            let (name, email) = (one_line(&author.name, 80), author.email.to_lowercase());
            if !name.is_empty() && !people.iter().any(|(known, address)| *known == name || *address == email) {
                people.push((name, email));
            }
        }
        Self { version, tag, date, changes: changes.collect(), contributors: people.into_iter().map(|(name, _)| name).collect() }
    }

    /// The entry as Markdown, from its heading to one final line end (`\n`).
    #[must_use]
    pub fn markdown(&self, links: &Links) -> String {
        let version = self.tag.as_ref().map_or_else(|| self.version.to_string(), |tag| link(&self.version.to_string(), &links.release(tag)));
        let mut text = format!("## {version} ({})\n", day(self.date));
        for section in Section::ALL {
            let mut changes = self.changes.iter().filter(|change| change.section == section).peekable();
            if changes.peek().is_some() {
                text.push_str(&format!("\n### {}\n\n", section.title()));
                text.extend(changes.map(|change| change.markdown(links)));
            }
        }
        if self.changes.is_empty() {
            text.push_str("\nNo commit describes this change.\n");
        }
        if !self.contributors.is_empty() {
            let names: Vec<String> = self.contributors.iter().map(|name| escape(name)).collect();
            text.push_str(&format!("\nContributors: {}\n", names.join(", ")));
        }
        text
    }

    /// The value of the annotation `artifacthub.io/changes`: a YAML list, every text double-quoted, ending in a line end.
    /// Empty without changes.
    #[must_use]
    pub fn artifact_hub_changes(&self, links: &Links) -> String {
        let mut text = String::new();
        for change in &self.changes {
            let scope = change.scope.as_deref().map(|scope| format!("{scope}: ")).unwrap_or_default();
            let breaking = if change.section == Section::Breaking { "Breaking: " } else { "" };
            text.push_str(&format!("- kind: {}\n  description: {}\n  links:\n", change.kind, quoted(&format!("{breaking}{scope}{}", change.text))));
            let pull = change.pull.map(|number| (format!("Pull request {number}"), links.pull(number)));
            let commit = (format!("Commit {}", change.commit.short()), links.commit(&change.commit));
            for (name, url) in pull.into_iter().chain([commit]) {
                text.push_str(&format!("    - name: {}\n      url: {}\n", quoted(&name), quoted(&url)));
            }
        }
        text
    }
}

/// A double-quoted YAML scalar. A JSON string is one, once the characters YAML 1.1 reads as line ends or forbids are
/// gone, which one line of text does not hold.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn day(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
    time.to_zoned(TimeZone::UTC).date().to_string()
}
