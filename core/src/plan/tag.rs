//! Which contents of main get a tag (stage 6).

use std::fmt;

use serde::Serialize;

use super::Place;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{ChartName, TagName};

/// A complete lineage up to the release gate, as far as it decides here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gated {
    /// The tag of its version; `None` for content that changes no package, and for a removal.
    pub tag: Option<TagName>,
}

/// What keeps a tag from being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// An annotated tag of this name, and the commit it names.
    Tag(CommitId),
    /// A ref of this name that is no annotated tag, and the commit it names.
    Light(CommitId),
    /// Another ref, by its full name, beside which git cannot hold this one: a ref cannot be a file and a directory.
    Beside(String),
    /// Nothing that can be seen: GitHub's words.
    Unseen(String),
}

impl Existing {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Tag(_) | Self::Light(_) => "remove that tag; until then the chart waits. A rule for the creation of tags keeps names free".to_owned(),
            Self::Beside(reference) => format!("remove {reference}; until then the chart waits. A rule for the creation of tags keeps names free"),
            Self::Unseen(_) => "look at the rules for tags; until then the chart waits".to_owned(),
        }
    }
}

/// What is known of one chart whose content on main `tag` has not finished with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The chart, when its name could be read.
    pub chart: ChartName,
    /// On main.
    pub main: Option<Place>,
    /// What `tag` finished with last.
    pub finished: Option<TreeId>,
    /// The first first-parent commit of main that holds this content.
    pub commit: CommitId,
    /// The lineage of the content, when it is complete up to the release gate.
    pub gated: Option<Gated>,
    /// What stands in the tag's place already.
    pub existing: Option<Existing>,
}

/// What to do about one chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Nothing: `tag` has finished with this content.
    Nothing,
    /// There is no version in it: remember that it was carried.
    Finish,
    /// Make the tag (unless it is there), sign, and remember.
    Tag {
        /// Its name.
        name: TagName,
        /// The commit it names.
        commit: CommitId,
    },
    /// Content without a lineage is on main; it is never tagged, and blocks nothing.
    Foreign,
    /// The tag cannot be made.
    Taken {
        /// The name.
        name: TagName,
        /// What stands in its place.
        by: Existing,
    },
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("finished already"),
            Self::Finish => f.write_str("carried to main without a version"),
            Self::Tag { name, commit } => write!(f, "{name} at {}", commit.short()),
            Self::Foreign => f.write_str("main's content has no complete lineage"),
            Self::Taken { name, by: Existing::Tag(commit) } => write!(f, "tag {name} is taken by {}", commit.short()),
            Self::Taken { name, by: Existing::Light(commit) } => write!(f, "tag {name} is taken by a tag without annotation at {}", commit.short()),
            Self::Taken { name, by: Existing::Beside(reference) } => write!(f, "tag {name} cannot be made: git cannot hold it beside {reference}"),
            Self::Taken { name, by: Existing::Unseen(words) } => write!(f, "tag {name} cannot be made: GitHub says {words:?}"),
        }
    }
}

/// Decides about one chart.
#[must_use]
pub fn plan(facts: &Facts) -> Action {
    if facts.main.as_ref().map(|place| &place.tree) == facts.finished.as_ref() {
        return Action::Nothing;
    }
    let Some(gated) = &facts.gated else { return Action::Foreign };
    let Some(name) = &gated.tag else { return Action::Finish };
    match &facts.existing {
        Some(existing) if *existing != Existing::Tag(facts.commit.clone()) => Action::Taken { name: name.clone(), by: existing.clone() },
        _ => Action::Tag { name: name.clone(), commit: facts.commit.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Facts), expected: &str) {
        let tree = TreeId::new("b".repeat(40)).unwrap();
        let mut facts = Facts {
            chart: "a".parse().unwrap(),
            main: Some(Place { path: "charts/a".parse().unwrap(), tree }),
            finished: Some(TreeId::new("a".repeat(40)).unwrap()),
            commit: CommitId::new("1".repeat(40)).unwrap(),
            gated: Some(Gated { tag: Some("a-v1.0.0".parse().unwrap()) }),
            existing: None,
        };
        change(&mut facts);
        assert_eq!(plan(&facts).to_string(), expected);
    }

    #[test]
    fn which_contents_get_a_tag() {
        check(|_| {}, "a-v1.0.0 at 1111111111");
        check(|f| f.existing = Some(Existing::Tag(f.commit.clone())), "a-v1.0.0 at 1111111111");
        check(|f| f.existing = Some(Existing::Tag(CommitId::new("2".repeat(40)).unwrap())), "tag a-v1.0.0 is taken by 2222222222");
        check(|f| f.existing = Some(Existing::Light(f.commit.clone())), "tag a-v1.0.0 is taken by a tag without annotation at 1111111111");
        let beside = || Existing::Beside("refs/tags/a-v1.0.0/x".to_owned());
        check(|f| f.existing = Some(beside()), "tag a-v1.0.0 cannot be made: git cannot hold it beside refs/tags/a-v1.0.0/x");
        check(|f| f.existing = Some(Existing::Unseen("no".to_owned())), "tag a-v1.0.0 cannot be made: GitHub says \"no\"");
        check(|f| f.finished = f.main.as_ref().map(|p| p.tree.clone()), "finished already");
        check(|f| f.gated = Some(Gated { tag: None }), "carried to main without a version");
        check(|f| f.gated = None, "main's content has no complete lineage");
        check(|f| f.main = None, "a-v1.0.0 at 1111111111");
        check(|f| (f.main, f.finished) = (None, None), "finished already");
    }
}
