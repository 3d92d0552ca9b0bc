//! What signed statements say about a content: how far its lineage has come.

use super::FlowError;
use super::store::{Signed, Store};
use crate::domain::digest::TreeId;
use crate::domain::names::ChartName;
use crate::domain::statement::{Bump, Predicate, Promotion, Row};

/// The statements about one content, from its promotion as far as they go.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// Row 1, and 1k.
    pub(crate) checks: Vec<Signed>,
    /// Row 2.
    pub(crate) promotion: Signed,
    /// Row 3.
    pub(crate) enforce: Option<Signed>,
    /// Row 4.
    pub(crate) bump: Option<Signed>,
    /// Row 5.
    pub(crate) gate: Option<Signed>,
    /// Row 6.
    pub(crate) tag: Option<Signed>,
}

impl Chain {
    pub(crate) fn promotion(&self) -> Option<&Promotion> {
        match &self.promotion.statement.predicate {
            Predicate::Promotion(promotion) => Some(promotion),
            _ => None,
        }
    }

    pub(crate) fn bump(&self) -> Option<&Bump> {
        match &self.bump.as_ref()?.statement.predicate {
            Predicate::Bump(bump) => Some(bump),
            _ => None,
        }
    }

    /// The lines in the order of their stages.
    pub(crate) fn lines(&self) -> Vec<Signed> {
        let optional = [&self.enforce, &self.bump, &self.gate, &self.tag];
        let mut lines = self.checks.clone();
        lines.push(self.promotion.clone());
        lines.extend(optional.into_iter().flatten().cloned());
        lines
    }
}

/// Whether a statement names another one among its inputs.
pub(crate) fn rests_on(line: &Signed, other: &Signed) -> bool {
    line.statement.inputs.iter().any(|input| input.digest == other.digest)
}

/// The lineage of a content of one chart: the newest chain of statements that ends in it. `None` when no valid
/// promotion explains the content.
pub(crate) async fn chain(store: &mut Store, chart: &ChartName, tree: &TreeId) -> Result<Option<Chain>, FlowError> {
    let lines = store.about(chart, tree).await?;
    let newest = lines.iter().rev().find(|line| matches!(line.row(), Some(Row::Promotion | Row::Bump)));
    let Some(newest) = newest else { return Ok(None) };
    let Predicate::Bump(bump) = &newest.statement.predicate else {
        let enforce = lines.iter().rev().find(|line| line.row() == Some(Row::Enforce) && rests_on(line, newest)).cloned();
        return Ok(Some(Chain { checks: checks_of(&lines, newest), promotion: newest.clone(), enforce, bump: None, gate: None, tag: None }));
    };
    let before = if bump.before.sha1 == *tree { lines.clone() } else { store.about(chart, &bump.before.sha1).await? };
    let Some(enforce) = before.iter().find(|line| line.row() == Some(Row::Enforce) && rests_on(newest, line)) else { return Ok(None) };
    let Some(promotion) = before.iter().find(|line| line.row() == Some(Row::Promotion) && rests_on(enforce, line)) else { return Ok(None) };
    let gate = lines.iter().rev().find(|line| line.row() == Some(Row::ReleaseGate) && rests_on(line, newest)).cloned();
    let tag = gate.as_ref().and_then(|gate| lines.iter().rev().find(|line| line.row() == Some(Row::Tag) && rests_on(line, gate)).cloned());
    Ok(Some(Chain {
        checks: checks_of(&before, promotion),
        promotion: promotion.clone(),
        enforce: Some(enforce.clone()),
        bump: Some(newest.clone()),
        gate,
        tag,
    }))
}

fn checks_of(lines: &[Signed], promotion: &Signed) -> Vec<Signed> {
    lines.iter().filter(|line| matches!(line.row(), Some(Row::Checks | Row::OutsideCheck)) && rests_on(promotion, line)).cloned().collect()
}
