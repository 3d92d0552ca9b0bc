//! Charts above and below each other: a chart inside another one is part of it.

use super::Report;
use super::tips::{Difference, Pair};
use crate::domain::names::ChartName;

/// Refuses a contribution in which a chart comes or goes above another that thereby goes or comes: the bytes of the one below
/// would travel with the one above, under a name that is not theirs.
pub(super) fn kept_apart(difference: &Difference, report: &mut Report) {
    let gone = |pair: &Pair| pair.old.as_ref().filter(|_| pair.removed).map(|place| place.path.clone());
    let come = |pair: &Pair| pair.new.as_ref().filter(|_| pair.old.is_none() && !pair.removed).map(|place| place.path.clone());
    let of = |which: &dyn Fn(&Pair) -> Option<_>| -> Vec<(ChartName, crate::domain::names::RepoPath)> {
        difference.charts.iter().filter_map(|(name, pair)| Some((name.clone(), which(pair)?))).collect()
    };
    let (gone, come) = (of(&gone), of(&come));
    for ((_, above), (chart, below)) in gone.iter().flat_map(|one| come.iter().flat_map(move |other| [(one, other), (other, one)])) {
        if below.as_str().strip_prefix(above.as_str()).is_some_and(|rest| rest.starts_with('/')) {
            let message = format!("{below} lies in {above}, where a chart comes or goes: a chart inside another one is part of it");
            let hint = format!("move {chart} to a directory outside {above} in a pull request of its own");
            report.refuse(Some(chart), "layout/nested", message, hint);
        }
    }
}
