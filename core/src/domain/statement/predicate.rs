//! What statements say, one type per predicate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::StatementDigest;
use crate::domain::content::ContentId;
use crate::domain::digest::{CommitId, Sha256, TagObjectId};
use crate::domain::names::{BranchName, ChartName, RepoPath, TagName};
use crate::domain::tree::Mode;
use crate::domain::version::Level;

/// What a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Rows 1 and 1k.
    Checks(Checks),
    /// Row 2.
    Promotion(Promotion),
    /// Rows 3, 5, 8 and 9.
    Gate(Gate),
    /// Row 4.
    Bump(Bump),
    /// Row 6.
    Tag(TagRecord),
    /// Row 7.
    Build(Build),
}

/// `result` of a test-result predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckResult {
    /// Everything passed.
    Passed,
    /// Passed with warnings.
    Warned,
    /// Something failed.
    Failed,
}

/// A chart in the same repository on which the content of another one depends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependencyContent {
    /// Its name.
    pub chart: ChartName,
    /// Its directory.
    pub path: RepoPath,
    /// Its content when the statement was made.
    pub content: ContentId,
}

/// Rows 1 and 1k: what checks found on a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// The outcome over all of them.
    pub result: CheckResult,
    /// Keys of the checks that passed.
    pub passed: Vec<String>,
    /// Keys of the checks that passed with warnings.
    pub warned: Vec<String>,
    /// Keys of the checks that failed.
    pub failed: Vec<String>,
    /// The digest of each check's definition (its options and the versions of what it runs), by key.
    pub definitions: BTreeMap<String, Sha256>,
    /// The chart's content on main when they ran; `None` for a chart that is new to main.
    pub base: Option<ContentId>,
    /// The contents of its dependencies in this repository.
    pub dependencies: Vec<DependencyContent>,
    /// The digest of the configuration's bytes.
    pub configuration: Sha256,
    /// Set in row 1k: the key of the outside check, which is the only one the statement is about.
    pub outside: Option<String>,
}

/// An account on the server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// GitHub's number for it. Logins can be renamed and taken over.
    pub id: u64,
    /// Its login at that time.
    pub login: String,
}

/// What a reviewer said (REST `pulls/{number}/reviews`, field `state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewState {
    /// Approved.
    Approved,
    /// Asked for changes.
    ChangesRequested,
    /// Neither.
    Commented,
    /// Was dismissed.
    Dismissed,
}

/// One review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Who reviewed.
    pub reviewer: Account,
    /// The head that was reviewed.
    pub head: CommitId,
    /// The verdict.
    pub state: ReviewState,
}

/// A merged pull request and who looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PullRecord {
    /// Its number.
    pub pull: u64,
    /// The head that was merged.
    pub head: CommitId,
    /// The commit it became on its base (merge, squash or last rebased commit).
    pub merge: CommitId,
    /// Who opened it.
    pub author: Account,
    /// Who merged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_by: Option<Account>,
    /// Its reviews in the order they were given.
    pub reviews: Vec<Review>,
}

/// The commits that count for one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The source commit of the last promotion merged to main, or the baseline; `None` when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CommitId>,
    /// The source commit of this promotion.
    pub to: CommitId,
}

/// A commit that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitRecord {
    /// Its id: on integration, or in the pull request that a squash merged.
    pub id: CommitId,
    /// The whole message, or as much of it as level and changelog are derived from.
    pub message: String,
    /// Who wrote it: a login or a name, as the changelog credits it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The pull request it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<u64>,
}

/// Commits left out of a list that would make its payload too long. None of them decides the level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omitted {
    /// How many.
    pub count: u64,
    /// The digest of their ids, each followed by a line feed, oldest first.
    pub sha256: Sha256,
}

/// The release before this one: a reference, not an input, so that lineages do not nest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its tag.
    pub tag: TagName,
    /// Its content.
    pub content: ContentId,
    /// Its root; `None` where it is older than the adoption.
    pub root: Option<StatementDigest>,
}

/// Row 2: a content leaves integration for its chart's branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promotion {
    /// The commit on integration whose content is carried.
    pub commit: CommitId,
    /// The branch it is carried to.
    pub branch: BranchName,
    /// Which part of integration's history this release takes.
    pub range: Range,
    /// The commits that count, oldest first.
    pub commits: Vec<CommitRecord>,
    /// What was left out of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<Omitted>,
    /// The release before.
    pub previous: Option<Previous>,
    /// The pull requests that brought the commits, with their reviews.
    pub contributions: Vec<PullRecord>,
    /// The old directory of a chart that moved, removed by the same promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_path: Option<RepoPath>,
    /// Whether the chart is removed: the subject is what is left of its directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// The policy or configuration a gate decided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyReference {
    /// Where it is, such as `git+https://github.com/o/r@refs/heads/main#.chartflow.yaml`.
    pub uri: String,
    /// The digest of its bytes.
    pub sha256: Sha256,
}

/// Something that was downloaded after publishing and compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Downloaded {
    /// Where from.
    pub uri: String,
    /// What came.
    pub sha256: Sha256,
}

/// Rows 3, 5, 8 and 9: a gate that was passed. Evidence of order and completeness, never a delegation: the verifier
/// decides by its own policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// `verifier.id`: the workflow that decided, without a ref.
    pub verifier: String,
    /// `resourceUri`: what the decision is about, such as `git+https://github.com/o/r@refs/heads/integration-a#charts/a`.
    pub resource: String,
    /// What it was decided by.
    pub policy: PolicyReference,
    /// `verificationResult`: only `true` (`PASSED`) is ever evidence.
    pub passed: bool,
    /// `verifiedLevels`, computed from evidence. Our own values begin with `CHARTFLOW_`.
    pub levels: Vec<String>,
    /// Row 5: the configuration's text.
    pub configuration: Option<String>,
    /// Row 9: what was downloaded and compared.
    pub downloaded: Vec<Downloaded>,
}

/// What the bump changes besides the version and the changelog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartEdits {
    /// The new text of the annotation `artifacthub.io/changes`, where it is kept in step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<String>,
    /// New version constraints of dependencies, by the dependency's name or alias: in requirements.yaml where that declares
    /// them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<String, String>,
    /// New versions in the lock of dependencies whose constraint stays, by the dependency's name or alias.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locked: BTreeMap<String, String>,
}

/// What lets a verifier repeat the bump without the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The raw root tree object of the content before, in git's SHA-256 format, without its header.
    pub before: Vec<u8>,
    /// The same of the content after.
    pub after: Vec<u8>,
    /// Chart.yaml before.
    pub chart_yaml: Vec<u8>,
    /// requirements.yaml before, where the chart has one.
    pub requirements_yaml: Option<Vec<u8>>,
    /// Chart.lock or requirements.lock before, where the bump changed it.
    pub lock_before: Option<Vec<u8>>,
    /// The same after.
    pub chart_lock: Option<Vec<u8>>,
    /// The changelog's new entry; `None` where the bump writes none.
    pub changelog_entry: Option<String>,
}

/// Row 4: the version is derived and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bump {
    /// `runDetails.builder.id`.
    pub builder: String,
    /// The content before: the one promoted.
    pub before: ContentId,
    /// The version of the chart on main; `None` when it is new there.
    pub from: Option<String>,
    /// The new version; with [`Level::None`] the old one.
    pub to: String,
    /// The level.
    pub level: Level,
    /// How versions are chosen: `commits`, `contributed` or `higher` (configuration key `versions`).
    pub versions: String,
    /// The highest version among main, tags and index, below which nothing may go.
    pub floor: Option<String>,
    /// The commits it was derived from: those of the promotion.
    pub commits: Vec<CommitRecord>,
    /// What was left out of the list.
    pub omitted: Option<Omitted>,
    /// The newest contribution's commit date, in seconds since 1970-01-01T00:00:00Z. Every date in content comes from it.
    pub date: i64,
    /// What else changed.
    pub edits: ChartEdits,
    /// What lets a verifier repeat it.
    pub witness: Witness,
}

/// Row 6: a content on main has its tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagRecord {
    /// The tag.
    pub tag: TagName,
    /// The annotated tag object.
    pub tag_object: TagObjectId,
    /// The commit on main it names.
    pub commit: CommitId,
    /// The pull request that brought the content to main.
    pub pull: Option<PullRecord>,
}

/// A file of the content a package is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Regular, executable or symbolic link.
    pub mode: Mode,
    /// The blob's id in git's SHA-256 format.
    pub blob: Sha256,
}

/// A member of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The digest of its bytes.
    pub sha256: Sha256,
    /// Whether it is byte for byte the file of the same path below the chart's directory.
    pub unchanged: bool,
}

/// Another chart inside a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BuildDependency {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from: `file://…` below the repository, a repository's URL, or `vendored`.
    pub uri: String,
    /// Its content, when it is a chart of this repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentId>,
    /// The digest of the archive, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
}

/// Row 7: the package is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// `runDetails.builder.id`.
    pub builder: String,
    /// The content it is built from: the one that was bumped and tagged.
    pub content: ContentId,
    /// The commit it was taken from.
    pub commit: CommitId,
    /// The chart's version.
    pub version: String,
    /// The files of the content, by path below the chart's directory. Their tree is [`Build::content`].
    pub files: BTreeMap<String, TreeFile>,
    /// The members of the package, by their full name in the archive.
    pub members: BTreeMap<String, Member>,
    /// The charts inside it.
    pub dependencies: Vec<BuildDependency>,
    /// The modification time of every member, in seconds since 1970-01-01T00:00:00Z.
    pub epoch: i64,
}
