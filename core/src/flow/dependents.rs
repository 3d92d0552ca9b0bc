//! The charts that a contribution would leave without a chart they depend on.

use std::collections::BTreeMap;

use super::listing::{declaring, subtree};
use super::tips::Difference;
use super::{FlowError, Report, Train};
use crate::domain::chart::CHART_FILE;
use crate::domain::digest::TreeId;
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::package::{declared, dependency_path};

/// Refuses the removal and the move of a chart on which others of the repository depend through `file://`, unless these
/// change as well: their own checks tell then. Only where a chart goes are the others read, one Chart.yaml each.
///
/// # Errors
/// When an object cannot be read.
pub(super) async fn kept(train: &Train, difference: &Difference, report: &mut Report) -> Result<(), FlowError> {
    let left = difference.charts.iter().filter_map(|(name, pair)| {
        let old = pair.old.as_ref()?;
        (pair.removed || pair.new.as_ref().is_none_or(|new| new.path != old.path)).then(|| (old.path.to_string(), name))
    });
    let left: BTreeMap<String, &ChartName> = left.collect();
    if left.is_empty() {
        return Ok(());
    }
    let changed: Vec<&RepoPath> = difference.charts.values().filter_map(|pair| pair.new.as_ref()).map(|place| &place.path).collect();
    for (path, tree) in difference.listing.iter().filter(|(path, _)| !changed.contains(path)) {
        for dependency in declared(path.as_str(), &declaring(&*train.objects, tree).await?) {
            let Some((at, chart)) = dependency_path(path.as_str(), &dependency).and_then(|at| left.get_key_value(&at)) else { continue };
            if vendored(train, tree, &dependency.name).await? {
                continue;
            }
            let message = format!("{path} depends on {} through {:?}, and no chart is left in {at}", dependency.name, dependency.repository);
            let hint = format!("change the dependency in {path}/{CHART_FILE} in the same pull request, or leave {chart} where it is");
            report.refuse(Some(chart), "layout/dependents", message, hint);
        }
    }
    Ok(())
}

/// Whether a chart has a copy of a dependency in `charts/`, which counts where its directory is gone.
async fn vendored(train: &Train, chart: &TreeId, name: &str) -> Result<bool, FlowError> {
    let Some(charts) = subtree(&*train.objects, chart, "charts").await? else { return Ok(false) };
    let archive = |entry: &str| entry.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && rest.ends_with(".tgz"));
    let charts = train.objects.tree(&charts).await?;
    Ok(charts.entries().iter().any(|entry| if entry.as_tree().is_some() { entry.name == name } else { archive(&entry.name) }))
}
