//! Starting the stages that come next where no event of GitHub's does.

use serde_json::json;

use super::{FlowError, Outcome, Report, Train};
use crate::domain::event::{StageName, next_stages};

/// Dispatches what comes after a stage that has done something, and gives its report back.
///
/// Nothing depends on it: a dispatch that is lost is made good by `reconcile`.
pub(super) async fn announced(train: &Train, report: Report) -> Result<Report, FlowError> {
    let done: Vec<_> = report.entries.iter().filter(|entry| entry.outcome == Outcome::Done).collect();
    if done.is_empty() {
        return Ok(report);
    }
    let payload = match done.as_slice() {
        [one] => one.chart.as_ref().map_or_else(|| json!({}), |chart| json!({ "chart": chart })),
        _ => json!({}),
    };
    for stage in next_stages(StageName::from(report.stage), train.home.app) {
        if let Some(kind) = stage.dispatch_type() {
            train.github.dispatch(kind, &payload).await?;
        }
    }
    Ok(report)
}
