//! What helm is to be run on: the charts that a contribution changes, or that are on their way to main.
//!
//! This is for the job that runs helm and nothing else. It may name more than a stage then asks for, never less of what
//! it is told about; what it does not name counts as not checked.

use super::listing::root;
use super::package::local_dependencies;
use super::tips::{Difference, Tips};
use super::{FlowError, Train};
use crate::domain::content::Files;
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::ChartName;
use crate::domain::package::vendored;
use crate::port::objects::ObjectError;

/// A chart's files as helm is given them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The chart.
    pub chart: ChartName,
    /// Its directory, `file://` dependencies put into `charts/`.
    pub files: Files,
}

/// The charts that a contribution changes: what `validate` asks helm about.
///
/// # Errors
/// When an object cannot be read.
pub async fn contributed(train: &Train, tips: &Tips, head: &CommitId) -> Result<Vec<Subject>, FlowError> {
    let Some(base) = train.objects.merge_base(&tips.integration, head).await? else { return Ok(Vec::new()) };
    changed(train, tips, &base, head).await
}

/// The same where it is known at which commit the contribution left integration.
///
/// # Errors
/// When an object cannot be read.
pub async fn changed(train: &Train, tips: &Tips, base: &CommitId, head: &CommitId) -> Result<Vec<Subject>, FlowError> {
    let (old, new) = (root(&*train.objects, base).await?, root(&*train.objects, head).await?);
    between(train, tips, &old, &new).await
}

/// The charts in which integration differs from main: what `filter` may ask helm about.
///
/// # Errors
/// When an object cannot be read.
pub async fn pending(train: &Train, tips: &Tips) -> Result<Vec<Subject>, FlowError> {
    let (old, new) = (root(&*train.objects, &tips.main).await?, root(&*train.objects, &tips.integration).await?);
    between(train, tips, &old, &new).await
}

async fn between(train: &Train, tips: &Tips, old: &TreeId, new: &TreeId) -> Result<Vec<Subject>, FlowError> {
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let difference = Difference::between(train, &patterns, old, new).await?;
    let mut subjects = Vec::new();
    for (chart, pair) in difference.charts.iter().filter(|(_, pair)| !pair.removed) {
        let Some(place) = &pair.new else { continue };
        let files = match train.objects.files(&place.tree).await {
            // What no chart may hold is refused by the stage, which says so; helm has nothing to look at.
            Err(ObjectError::Refused { .. }) => continue,
            files => files?,
        };
        let dependencies = match local_dependencies(&*train.objects, new, &place.path, &files).await {
            Err(FlowError::Object { source: ObjectError::Refused { .. } }) => continue,
            dependencies => dependencies?,
        };
        subjects.push(Subject { chart: chart.clone(), files: vendored(place.path.as_str(), &files, &dependencies) });
    }
    Ok(subjects)
}
