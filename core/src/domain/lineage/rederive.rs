//! Repeating the bump from its witness, without the repository.

use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::contents::blob_id;
use super::rebuild;
use super::rules::Rule;
use crate::domain::chart::edit::{self, EditError};
use crate::domain::chart::version::lenient;
use crate::domain::chart::{CHART_FILE, Metadata, REQUIREMENTS_FILE};
use crate::domain::commit::conventional::changes;
use crate::domain::content::{ContentId, File, Files};
use crate::domain::digest::{ObjectFormat, Sha256};
use crate::domain::package::declared;
use crate::domain::package::follow::{self, FollowError, Followed};
use crate::domain::package::lock::{LOCK_FILE, OLD_LOCK_FILE};
use crate::domain::statement::Bump;
use crate::domain::tree::{Mode, Tree};
use crate::domain::version::{self, VersionPolicy};

/// What repeating showed.
pub(super) struct Outcome {
    /// What contradicts the statement.
    pub(super) broken: Vec<(Rule, String)>,
    /// Whether everything that the statement says follows from what it shows.
    pub(super) complete: bool,
}

/// Reads a raw tree object and insists that it is the content's root.
fn root(raw: &[u8], content: &ContentId, what: &str) -> Result<Tree, (Rule, String)> {
    let bad = |problem: String| (Rule::BumpContent, format!("the tree object {what} the bump {problem}"));
    if ObjectFormat::Sha256.hash("tree", raw) != content.sha256.as_bytes() {
        return Err(bad(format!("is not the root of {}", content.sha256.prefixed())));
    }
    let tree = Tree::parse(raw, ObjectFormat::Sha256).map_err(|error| bad(format!("cannot be read: {error}")))?;
    match tree.utf8_entries() {
        Ok(_) => Ok(tree),
        Err(error) => Err(bad(format!("is no chart's: {error}"))),
    }
}

/// Repeats a bump from T1 to T2.
///
/// `changelog` is the CHANGELOG.md after the bump, where the artifact shows it.
pub(super) fn bump(bump: &Bump, before: &ContentId, after: &ContentId, changelog: Option<&[u8]>) -> Outcome {
    let mut broken = Vec::new();
    let mut told = true;
    let witness = &bump.witness;
    match (root(&witness.before, before, "before"), root(&witness.after, after, "after")) {
        (Ok(before), Ok(after)) => {
            compare(bump, &before, &after, &mut broken);
            told = compare_changelog(bump, &before, &after, changelog, &mut broken);
        }
        (before, after) => broken.extend(before.err().into_iter().chain(after.err())),
    }
    broken.extend(decide_again(bump).err());
    Outcome { complete: broken.is_empty() && bump.omitted.is_none() && told, broken }
}

fn blob(tree: &Tree, name: &str) -> Option<Sha256> {
    tree.get(name).filter(|entry| entry.mode != Mode::Symlink).and_then(|entry| entry.id.parse().ok())
}

/// The changelog gains the entry shown and nothing else. Answers whether that could be told.
fn compare_changelog(bump: &Bump, before: &Tree, after: &Tree, shown: Option<&[u8]>, broken: &mut Vec<(Rule, String)>) -> bool {
    const NAME: &str = "CHANGELOG.md";
    let Some(entry) = &bump.witness.changelog_entry else { return true };
    let same = match blob(after, NAME) {
        Some(after) if blob(before, NAME) != Some(after) => rebuild::changelog(entry, &bump.to, blob(before, NAME), after, shown),
        _ => Some(false),
    };
    if same == Some(false) {
        broken.push((Rule::BumpContent, "the bump does not add the entry shown, and it alone, to CHANGELOG.md".to_owned()));
    }
    same.is_some()
}

/// Derives level and version from the signed commits, what main and the world had, and what the contribution brought.
fn decide_again(bump: &Bump) -> Result<(), (Rule, String)> {
    let level = |problem: String| (Rule::BumpLevel, problem);
    let version = |problem: String| (Rule::BumpVersion, problem);
    let read = |what: &str, text: &str| lenient(text).ok_or_else(|| version(format!("{what} {text:?} is no version")));
    let optional = |what: &str, text: &Option<String>| text.as_deref().map(|text| read(what, text)).transpose();
    let (main, floor) = (optional("main's", &bump.from)?, optional("the floor", &bump.floor)?);
    let metadata = Metadata::read("Chart.yaml", &bump.witness.chart_yaml).map_err(|error| version(format!("the Chart.yaml shown cannot be read: {error}")))?;
    let contributed = read("the contribution's", &metadata.version)?;
    let policy = VersionPolicy::deserialize(bump.versions.as_str().into_deserializer())
        .map_err(|_: serde::de::value::Error| version(format!("{:?} is no way to choose versions", bump.versions)))?;
    let newest_first = || bump.commits.iter().rev().map(|commit| commit.message.as_str());
    let release_as = newest_first().flat_map(changes).find_map(|change| change.release_as()?.ok());
    let facts = version::Facts { main, contributed, floor, level: version::level_of(newest_first(), true), release_as, policy };
    let decision = version::decide(&facts).map_err(|error| version(error.to_string()))?;
    if decision.level != bump.level {
        return Err(level(format!("by the commits the level is {}, not {}", decision.level, bump.level)));
    }
    if decision.version.to_string() != bump.to {
        return Err(version(format!("by the commits the version is {}, not {}", decision.version, bump.to)));
    }
    Ok(())
}

/// Why the bump's edits cannot be repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum RepeatError {
    /// The version or the annotation cannot be written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The dependencies' versions cannot be written.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

/// The files before the bump that its statement shows, the lock by the name it has in the content.
fn shown(bump: &Bump, lock_name: &'static str) -> Files {
    let witness = &bump.witness;
    let mut files = Files::new();
    files.insert(CHART_FILE, witness.chart_yaml.clone());
    for (name, bytes) in [(REQUIREMENTS_FILE, &witness.requirements_yaml), (lock_name, &witness.lock_before)] {
        if let Some(bytes) = bytes {
            files.insert(name, bytes.clone());
        }
    }
    files
}

/// Writes into the files before the bump what the bump writes: those that the statement shows, as they are after it.
pub(super) fn edited(bump: &Bump, lock_name: &'static str) -> Result<Files, RepeatError> {
    let mut files = shown(bump, lock_name);
    let mut yaml = bump.witness.chart_yaml.clone();
    let present = Metadata::read(CHART_FILE, &yaml).map(|metadata| metadata.version).unwrap_or_default();
    if let Some(version) = lenient(&bump.to).filter(|_| present != bump.to) {
        yaml = edit::set_version(&yaml, &version)?;
    }
    if let Some(changes) = &bump.edits.changes {
        yaml = edit::set_changes_annotation(&yaml, changes)?;
    }
    files.insert(CHART_FILE, yaml);
    let followed = Followed { constraints: bump.edits.dependencies.clone(), locked: bump.edits.locked.clone() };
    for (name, bytes) in follow::written(&files, &followed)? {
        files.insert(name, bytes);
    }
    Ok(files)
}

/// The lock that helm reads of a content.
fn lock_name(tree: &Tree) -> &'static str {
    if tree.get(OLD_LOCK_FILE).is_some() { OLD_LOCK_FILE } else { LOCK_FILE }
}

fn compare(bump: &Bump, before: &Tree, after: &Tree, broken: &mut Vec<(Rule, String)>) {
    let (witness, lock) = (&bump.witness, lock_name(before));
    let mut refuse = |message: String| broken.push((Rule::BumpContent, message));
    let mut names: Vec<&str> = before.entries().iter().chain(after.entries()).map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (one, other) = (before.get(name), after.get(name));
        if one == other {
            continue;
        }
        let mode_changed = match (one, other) {
            (Some(one), Some(other)) => one.mode != other.mode,
            (None, Some(other)) => other.mode != Mode::File,
            _ => true,
        };
        let allowed = match name {
            CHART_FILE => one.is_some(),
            REQUIREMENTS_FILE => witness.requirements_yaml.is_some() && one.is_some(),
            "CHANGELOG.md" => witness.changelog_entry.is_some(),
            // Statements once showed Chart.lock after the bump alone.
            LOCK_FILE if witness.lock_before.is_none() => {
                witness.chart_lock.as_deref().and_then(blob_id) == blob(after, name) && !bump.edits.dependencies.is_empty()
            }
            _ => name == lock && witness.lock_before.is_some() && one.is_some(),
        };
        if !allowed || mode_changed {
            refuse(format!("the bump changes {name}"));
        }
    }
    let files = shown(bump, lock);
    for (name, file) in files.iter() {
        if blob(before, name).is_none() || blob(before, name) != blob_id(&file.bytes) {
            refuse(format!("the {name} shown is not the one before the bump"));
            return;
        }
    }
    if witness.lock_before.is_none() && !bump.edits.locked.is_empty() {
        refuse(format!("the bump says that it changes {lock}, which it does not show"));
    }
    let declared = declared("", &files);
    for name in bump.edits.dependencies.keys().chain(bump.edits.locked.keys()) {
        if !declared.iter().any(|dependency| dependency.name_or_alias() == name && dependency.local_path().is_some()) {
            refuse(format!("the bump changes the dependency {name}, which is no chart of this repository"));
        }
    }
    match edited(bump, lock) {
        Ok(edited) => {
            let differs = |(name, file): &(&str, &File)| blob(after, name).is_none() || blob(after, name) != blob_id(&file.bytes);
            for (name, _) in edited.iter().filter(differs) {
                refuse(format!("the bump changes more in {name} than the version and what follows from it"));
            }
        }
        Err(error) => refuse(format!("the edits cannot be repeated: {error}")),
    }
}
