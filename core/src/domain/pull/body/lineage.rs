//! The lineage, drawn with Mermaid, which GitHub renders in descriptions.

use semver::Version;

use crate::domain::digest::CommitId;
use crate::domain::names::{BranchName, ChartName, TagName};
use crate::domain::visible::hides;

/// A place on the way of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The contributors' pull requests.
    Contribution,
    /// The integration branch.
    Integration,
    /// The chart's own branch, before the bump.
    Promoted,
    /// The chart's own branch, behind the bump.
    Bumped,
    /// Main.
    Main,
    /// The tag.
    Tag,
    /// The release branch.
    Release,
}

/// The way of one content, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The pull requests that contributed.
    pub pulls: Vec<u64>,
    /// The commit on integration that was carried.
    pub source: Option<CommitId>,
    /// The chart's own branch.
    pub branch: BranchName,
    /// The version, once it is decided.
    pub version: Option<Version>,
    /// The tag, once it is known.
    pub tag: Option<TagName>,
    /// How far the content is.
    pub at: Place,
}

impl Lineage {
    /// A flow chart from left to right: what is behind, where the content is, what is ahead.
    #[must_use]
    pub fn mermaid(&self, chart: &ChartName) -> String {
        let pulls: Vec<String> = self.pulls.iter().take(5).map(|number| format!("#{number}")).collect();
        let more = if self.pulls.len() > pulls.len() { ", …" } else { "" };
        let version = self.version.as_ref().map_or_else(|| "version".to_owned(), ToString::to_string);
        let places = [
            (Place::Contribution, "contribution".to_owned(), pulls.join(", ") + more),
            (Place::Integration, "integration".to_owned(), self.source.as_ref().map(|id| id.short().to_owned()).unwrap_or_default()),
            (Place::Promoted, self.branch.to_string(), "promoted".to_owned()),
            (Place::Bumped, self.branch.to_string(), version),
            (Place::Main, "main".to_owned(), String::new()),
            (Place::Tag, "tag".to_owned(), self.tag.as_ref().map(ToString::to_string).unwrap_or_default()),
            (Place::Release, "release".to_owned(), chart.to_string()),
        ];
        let mut text = String::from("```mermaid\nflowchart LR\n");
        for (index, (place, name, detail)) in places.iter().enumerate() {
            let class = match place.cmp(&self.at) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "here",
                std::cmp::Ordering::Greater => "ahead",
            };
            let detail = if detail.is_empty() { String::new() } else { format!("<br/>{}", label(detail)) };
            text.push_str(&format!("  p{index}[\"{}{detail}\"]:::{class}\n", label(name)));
        }
        let line: Vec<String> = (0..places.len()).map(|index| format!("p{index}")).collect();
        text.push_str(&format!("  {}\n", line.join(" --> ")));
        text.push_str("  classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328\n");
        text.push_str("  classDef here fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328\n");
        text.push_str("  classDef ahead fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e\n```");
        text
    }
}

/// Text inside a quoted Mermaid label, with Mermaid's entity codes for what would end or mark it up.
fn label(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | ';' | '`' | '\\' | '*' | '_' | '~' | '[' | ']' => escaped.push_str(&format!("#{};", u32::from(c))),
            c if c.is_control() || hides(c) => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
