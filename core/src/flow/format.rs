//! Stage 4: opens or refreshes the pull request from a chart's branch to main: a view of what is carried.

use super::bump::{Known, branch_facts};
use super::pulls::offer;
use super::store::Store;
use super::succession::announced;
use super::tips::Tips;
use super::{FlowError, Outcome, Report, Train, texts};
use crate::domain::names::{BranchName, ChartName};
use crate::domain::statement::Stage;

/// Opens or refreshes the pull request of the chart whose branch this is, or of every chart.
///
/// # Errors
/// When GitHub or the store fails.
pub async fn run(train: &Train, branch: Option<&BranchName>) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Format);
    let tips = Tips::read(train).await?;
    let wanted = branch.and_then(|branch| tips.names.chart_of_branch(branch));
    for (chart, tip) in tips.charts.iter().filter(|(chart, _)| branch.is_none() || wanted.as_ref() == Some(*chart)) {
        let mut store = Store::new(train, &tips);
        let (facts, chain, _) = branch_facts(train, &tips, &mut store, chart, tip, Known::default()).await?;
        let Some(chain) = chain.filter(|_| facts.only_this_chart && facts.carried.is_some()) else {
            report.add(Some(chart), Outcome::Waiting, "its branch carries nothing yet");
            continue;
        };
        let sides = texts::sides(train, &chain, facts.base.as_ref(), facts.place.as_ref()).await?;
        one(train, &tips, chart, &chain, &sides, &mut report).await?;
    }
    announced(train, report).await
}

async fn one(train: &Train, tips: &Tips, chart: &ChartName, chain: &super::judge::Chain, sides: &texts::Sides, report: &mut Report) -> Result<(), FlowError> {
    let head = tips.names.chart_branch(chart)?.to_string();
    let words = texts::Words::new(train, tips);
    let (title, _) = words.to_main(chart, chain, sides, "");
    let body = |old: &str| words.to_main(chart, chain, sides, old).1;
    let offered = offer(train, &head, tips.names.main().as_str(), &title, chain.bump.is_some(), body).await?;
    let done = if offered.new { "opened" } else { "refreshed" };
    report.add(Some(chart), Outcome::Done, format!("{done} pull request {} to {}", offered.pull.number, tips.names.main()));
    offered.tell(Some(chart), report);
    Ok(())
}
