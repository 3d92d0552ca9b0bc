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
    /// Where a pull request brings it, in the description of that pull request. It is the same before and after the merge.
    pub step: Option<Place>,
    /// Whether there is no version: the way ends on main.
    pub unreleased: bool,
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
        let places = places.into_iter().filter(|(place, ..)| !self.unreleased || !matches!(place, Place::Bumped | Place::Tag | Place::Release));
        let mut drawing = Drawing::new();
        let mut line = Vec::new();
        for (place, name, detail) in places {
            let here = self.step.unwrap_or(self.at) == place;
            let state = match place.cmp(&self.at) {
                _ if here => NodeState::Here,
                std::cmp::Ordering::Greater => NodeState::Ahead,
                _ => NodeState::Done,
            };
            let this = if here && self.step.is_some() { THIS } else { "" };
            let node = format!("p{}", line.len());
            drawing.node(&node, &[&name, &detail, this], state);
            line.push(node);
        }
        drawing.way(&line);
        drawing.finish()
    }
}

/// What marks the place that the described pull request leads to.
pub(super) const THIS: &str = "this pull request";

/// How a node of a drawing is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeState {
    Done,
    Here,
    Ahead,
    Failed,
}

/// A flow chart from left to right.
pub(super) struct Drawing(String);

impl Drawing {
    pub(super) fn new() -> Self {
        Self(String::from("```mermaid\nflowchart LR\n"))
    }

    /// A node with its lines of text, the empty ones left out.
    pub(super) fn node(&mut self, id: &str, lines: &[&str], state: NodeState) {
        let class = match state {
            NodeState::Done => "done",
            NodeState::Here => "here",
            NodeState::Ahead => "ahead",
            NodeState::Failed => "failed",
        };
        let lines: Vec<String> = lines.iter().filter(|line| !line.is_empty()).map(|line| label(line)).collect();
        self.0.push_str(&format!("  {id}[\"{}\"]:::{class}\n", lines.join("<br/>")));
    }

    /// Arrows from node to node.
    pub(super) fn way(&mut self, nodes: &[String]) {
        self.0.push_str(&format!("  {}\n", nodes.join(" --> ")));
    }

    pub(super) fn finish(mut self) -> String {
        const CLASSES: [(&str, &str); 4] = [
            ("done", "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"),
            ("here", "fill:#ddf4ff,stroke:#0969da,stroke-width:3px,color:#1f2328"),
            ("ahead", "fill:#f6f8fa,stroke:#8c959f,stroke-dasharray:4,color:#59636e"),
            ("failed", "fill:#ffebe9,stroke:#cf222e,color:#1f2328"),
        ];
        for (class, style) in CLASSES {
            if self.0.contains(&format!(":::{class}\n")) {
                self.0.push_str(&format!("  classDef {class} {style}\n"));
            }
        }
        self.0.push_str("```");
        self.0
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
