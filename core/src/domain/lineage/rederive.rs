//! Repeating the bump from its witness, without the repository.

use super::contents::blob_id;
use super::rules::Rule;
use crate::domain::content::ContentId;
use crate::domain::digest::{ObjectFormat, Sha256};
use crate::domain::names::ChartName;
use crate::domain::statement::Bump;
use crate::domain::tree::{Mode, Tree};

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
    Tree::parse(raw, ObjectFormat::Sha256).map_err(|error| bad(format!("cannot be read: {error}")))
}

/// Repeats a bump from T1 to T2.
pub(super) fn bump(bump: &Bump, before: &ContentId, after: &ContentId, _chart: &ChartName) -> Outcome {
    let mut broken = Vec::new();
    let witness = &bump.witness;
    match (root(&witness.before, before, "before"), root(&witness.after, after, "after")) {
        (Ok(before), Ok(after)) => compare(bump, &before, &after, &mut broken),
        (before, after) => broken.extend(before.err().into_iter().chain(after.err())),
    }
    Outcome { complete: false, broken }
}

fn compare(bump: &Bump, before: &Tree, after: &Tree, broken: &mut Vec<(Rule, String)>) {
    let witness = &bump.witness;
    let mut refuse = |message: String| broken.push((Rule::BumpContent, message));
    let blob = |tree: &Tree, name: &str| tree.get(name).filter(|entry| entry.mode != Mode::Symlink).and_then(|entry| entry.id.parse::<Sha256>().ok());
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
    }
}
