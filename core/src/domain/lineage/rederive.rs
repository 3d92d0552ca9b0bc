//! Repeating the bump from its witness, without the repository.

use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::contents::blob_id;
use super::rebuild;
use super::rules::Rule;
use crate::domain::chart::Metadata;
use crate::domain::chart::edit::{self, EditError};
use crate::domain::chart::version::lenient;
use crate::domain::commit::conventional::changes;
use crate::domain::content::ContentId;
use crate::domain::digest::{ObjectFormat, Sha256};
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

/// Writes into the old Chart.yaml what the bump writes.
pub(super) fn edited(bump: &Bump) -> Result<Vec<u8>, EditError> {
    let mut yaml = bump.witness.chart_yaml.clone();
    let present = Metadata::read("Chart.yaml", &yaml).map(|metadata| metadata.version).unwrap_or_default();
    if let Some(version) = lenient(&bump.to).filter(|_| present != bump.to) {
        yaml = edit::set_version(&yaml, &version)?;
    }
    if let Some(changes) = &bump.edits.changes {
        yaml = edit::set_changes_annotation(&yaml, changes)?;
    }
    for (name, version) in &bump.edits.dependencies {
        let metadata = Metadata::read("Chart.yaml", &yaml).unwrap_or_default();
        let found = metadata.dependencies.iter().find(|dependency| dependency.name_or_alias() == name);
        let (name, alias) = found.map_or((name.as_str(), None), |found| (found.name.as_str(), Some(found.alias.as_str()).filter(|alias| !alias.is_empty())));
        yaml = edit::set_dependency_version(&yaml, name, alias, version)?;
    }
    Ok(yaml)
}

fn compare(bump: &Bump, before: &Tree, after: &Tree, broken: &mut Vec<(Rule, String)>) {
    let witness = &bump.witness;
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
            "Chart.yaml" => one.is_some(),
            "CHANGELOG.md" => witness.changelog_entry.is_some(),
            "Chart.lock" => witness.chart_lock.as_deref().and_then(blob_id) == blob(after, name) && !bump.edits.dependencies.is_empty(),
            _ => false,
        };
        if !allowed || mode_changed {
            refuse(format!("the bump changes {name}"));
        }
    }
    if blob(before, "Chart.yaml").is_none() || blob(before, "Chart.yaml") != blob_id(&witness.chart_yaml) {
        refuse("the Chart.yaml shown is not the one before the bump".to_owned());
        return;
    }
    let metadata = Metadata::read("Chart.yaml", &witness.chart_yaml).unwrap_or_default();
    for name in bump.edits.dependencies.keys() {
        if !metadata.dependencies.iter().any(|dependency| dependency.name_or_alias() == name && dependency.local_path().is_some()) {
            refuse(format!("the bump changes the dependency {name}, which is no chart of this repository"));
        }
    }
    match edited(bump) {
        Ok(yaml) if blob(after, "Chart.yaml").is_some() && blob(after, "Chart.yaml") == blob_id(&yaml) => {}
        Ok(_) => refuse("the bump changes more in Chart.yaml than the version and what follows from it".to_owned()),
        Err(error) => refuse(format!("the edit of Chart.yaml cannot be repeated: {error}")),
    }
}
