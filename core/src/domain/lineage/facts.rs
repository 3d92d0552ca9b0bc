//! What a repository says about a lineage. The caller looks it up; the rules that judge it are here.

use super::rules::Rule;
use crate::domain::content::ContentId;
use crate::domain::digest::{CommitId, Sha256, TagObjectId};
use crate::domain::names::{ChartName, RepoPath, TagName};
use crate::domain::statement::{Build, Promotion, StatementDigest, TagRecord};

/// What must be looked up in the repository: read from a lineage, before anything of it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questions {
    /// The chart's directory.
    pub path: RepoPath,
    /// Where it was before, when the release moved it.
    pub old_path: Option<RepoPath>,
    /// The chart.
    pub chart: ChartName,
    /// The configuration that the release gate holds: it names the branches.
    pub configuration: Option<String>,
    /// The time of everything in the package, in seconds since 1970-01-01T00:00:00Z.
    pub epoch: i64,
    /// The tag.
    pub tag: TagName,
    /// The commit it should name.
    pub commit: CommitId,
    /// The commit on integration whose content was carried.
    pub source: CommitId,
    /// Where the range begins.
    pub from: Option<CommitId>,
    /// The tag of the release before.
    pub previous: Option<TagName>,
    /// The root of its lineage.
    pub previous_root: Option<StatementDigest>,
    /// The heads of the contributions that were merged.
    pub heads: Vec<CommitId>,
}

/// The tag as the repository holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFact {
    /// The annotated tag object; `None` for a light tag, which is a name for a commit and nothing more.
    pub object: Option<TagObjectId>,
    /// The commit it leads to.
    pub commit: CommitId,
}

/// What the release branch says about where the release before ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ending {
    /// Its lineage is not at hand, or was not named.
    #[default]
    Unknown,
    /// The lineage that is served is another one than was named.
    Other,
    /// The source commit that it carried.
    At(CommitId),
}

/// What the repository answered. `None` and empty mean that it does not hold what was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryFacts {
    /// The tag.
    pub tag: Option<TagFact>,
    /// The chart's content at the tagged commit.
    pub content: Option<ContentId>,
    /// The chart's content at the first parent of the tagged commit; `None` where there is no parent or no chart in it.
    pub content_before: Option<ContentId>,
    /// Whether the tagged commit is on the first-parent history of main; `None` where that cannot be told (no main, shallow).
    pub on_main: Option<bool>,
    /// The chart's content at the source commit.
    pub source_content: Option<ContentId>,
    /// The commits that touch the chart's directory, reachable from the source commit, not from where the range begins
    /// and not from main before the release, without merges; `None` where that cannot be told.
    pub touching: Option<Vec<CommitId>>,
    /// Whether every contribution's head is an ancestor of the source commit: none was squashed or rebased.
    pub heads_are_merged: bool,
    /// The content of the release before, at its tag.
    pub previous_content: Option<ContentId>,
    /// Where the release before ended, by its lineage.
    pub previous_end: Ending,
    /// Whether the source commit contains the commit where the range begins; `None` where that cannot be told.
    pub from_is_contained: Option<bool>,
    /// Whether main held the chart as it is where the range begins, after the release before: then what lies between the
    /// two was carried without a version. `None` where that cannot be told.
    pub from_was_carried: Option<bool>,
    /// The digest of the package built again from the tagged content, where that was done.
    pub rebuilt: Option<Sha256>,
}

/// The statements that the repository's answers are held against.
pub(super) struct Claims<'a> {
    pub(super) promotion: &'a Promotion,
    pub(super) promoted: &'a ContentId,
    /// What the checks took for main's content.
    pub(super) base: Option<&'a ContentId>,
    pub(super) tag: &'a TagRecord,
    pub(super) tagged: &'a ContentId,
    pub(super) build: &'a Build,
    pub(super) package: Sha256,
}

/// What the repository contradicts.
pub(super) fn check(facts: &RepositoryFacts, claims: &Claims<'_>) -> Vec<(Rule, String)> {
    let mut broken = Vec::new();
    check_tag(facts, claims, &mut broken);
    check_contents(facts, claims, &mut broken);
    check_range(facts, claims, &mut broken);
    check_beginning(facts, claims.promotion, &mut broken);
    if let Some(rebuilt) = facts.rebuilt.filter(|rebuilt| *rebuilt != claims.package) {
        broken.push((
            Rule::RepoRebuild,
            format!("built again from {} the package is {}, not {}", claims.build.commit, rebuilt.prefixed(), claims.package.prefixed()),
        ));
    }
    broken
}

fn check_tag(facts: &RepositoryFacts, claims: &Claims<'_>, broken: &mut Vec<(Rule, String)>) {
    let record = claims.tag;
    match &facts.tag {
        None => broken.push((Rule::RepoTag, format!("the repository has no tag {} that leads to a commit", record.tag))),
        Some(TagFact { object: None, commit }) => {
            broken.push((Rule::RepoTag, format!("the tag {} is a light one on {commit}; an annotated tag was attested", record.tag)));
        }
        Some(TagFact { object: Some(object), commit }) if *object != record.tag_object || *commit != record.commit => {
            broken.push((
                Rule::RepoTag,
                format!("the tag {} is the object {object} on {commit}; {} on {} was attested", record.tag, record.tag_object, record.commit),
            ));
        }
        Some(_) => {}
    }
    match facts.on_main {
        Some(true) => {}
        Some(false) => broken.push((Rule::RepoReachable, format!("the tagged commit {} is not on main", record.commit))),
        None => broken.push((Rule::RepoMissing, format!("whether {} is on main cannot be told from this repository", record.commit))),
    }
    if facts.content_before.as_ref() == Some(claims.tagged) {
        broken.push((Rule::RepoReachable, format!("the tagged commit {} is not the first of main with this content", record.commit)));
    }
}

fn check_contents(facts: &RepositoryFacts, claims: &Claims<'_>, broken: &mut Vec<(Rule, String)>) {
    let mut compare = |found: Option<&ContentId>, attested: &ContentId, commit: &CommitId| match found {
        Some(found) if found == attested => {}
        Some(found) => broken.push((Rule::RepoTree, format!("at {commit} the chart is the tree {}; {} was attested", found.sha1, attested.sha1))),
        None => broken.push((Rule::RepoMissing, format!("the repository has no such chart at {commit}"))),
    };
    compare(facts.content.as_ref(), claims.tagged, &claims.tag.commit);
    compare(facts.source_content.as_ref(), claims.promoted, &claims.promotion.commit);
    // Without the tagged commit nothing was looked up, which is told already.
    if facts.content.is_some() && facts.content_before.as_ref() != claims.base {
        let shown = |content: Option<&ContentId>| content.map_or_else(|| "no chart".to_owned(), |content| format!("the tree {}", content.sha1));
        let message = format!("before the release main held {}; the checks ran beside {}", shown(facts.content_before.as_ref()), shown(claims.base));
        broken.push((Rule::RepoTree, message));
    }
}

fn check_range(facts: &RepositoryFacts, claims: &Claims<'_>, broken: &mut Vec<(Rule, String)>) {
    let promotion = claims.promotion;
    // After a squash or rebase the counted commits are in no branch, so only their signed list is left.
    if facts.heads_are_merged && promotion.omitted.is_none() {
        let counted = |id: &CommitId| promotion.commits.iter().any(|commit| commit.id == *id) || promotion.contributions.iter().any(|pull| pull.merge == *id);
        for missing in facts.touching.iter().flatten().filter(|id| !counted(id)) {
            broken.push((Rule::RepoRange, format!("the commit {missing} touches the chart and was not counted")));
        }
    }
    if let Some(previous) = &promotion.previous {
        match &facts.previous_content {
            Some(content) if *content == previous.content => {}
            Some(content) => {
                broken.push((Rule::RepoPrevious, format!("the tag {} holds the tree {}; {} was attested", previous.tag, content.sha1, previous.content.sha1)))
            }
            None => broken.push((Rule::RepoMissing, format!("the repository has no chart at the tag {} of the release before", previous.tag))),
        }
    }
}

/// The range begins where the release before ended, or where something was carried since that brought no version.
fn check_beginning(facts: &RepositoryFacts, promotion: &Promotion, broken: &mut Vec<(Rule, String)>) {
    let Some(from) = &promotion.range.from else { return };
    match facts.from_is_contained {
        Some(true) => {}
        Some(false) => broken.push((Rule::RepoRange, format!("the range begins at {from}, which {} does not contain", promotion.range.to))),
        None => broken
            .push((Rule::RepoMissing, format!("whether {} contains {from}, where the range begins, cannot be told from this repository", promotion.range.to))),
    }
    let Some(previous) = &promotion.previous else { return };
    match &facts.previous_end {
        Ending::At(end) if end != from => match facts.from_was_carried {
            Some(true) => {}
            Some(false) => broken.push((Rule::RepoPrevious, format!("the range begins at {from}, the release {} ended at {end}", previous.tag))),
            None => broken.push((Rule::RepoMissing, format!("whether all before {from} was released cannot be told from this repository"))),
        },
        Ending::Other => broken.push((Rule::RepoPrevious, format!("the lineage served for {} is not the one whose root was attested", previous.tag))),
        Ending::At(_) | Ending::Unknown => {}
    }
}
