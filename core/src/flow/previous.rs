//! The release before the one that a promotion begins: a reference, so that lineages do not nest.

use semver::Version;

use super::judge::Chain;
use super::listing::{root, subtree};
use super::served::Files;
use super::tag::existing;
use super::tips::{Pair, Tips};
use super::{FlowError, Train};
use crate::domain::content::ContentId;
use crate::domain::names::{ChartName, TagName};
use crate::domain::statement::{Level, Previous, Row, StatementDigest};

/// The release that the statements of main's content tell of: this content's, or the last one before a content that brought
/// no version.
pub(super) async fn attested(train: &Train, tips: &Tips, chart: &ChartName, last: &Chain) -> Result<Option<Previous>, FlowError> {
    let names = &tips.names;
    let (Some(bump), Some(gate)) = (last.bump(), &last.gate) else { return Ok(None) };
    let mut previous = if bump.level == Level::None {
        last.promotion().and_then(|promotion| promotion.previous.clone())
    } else {
        // The name that main's content has or gets before the next version may come.
        let tag = names.tag(chart, &super::parse_version(&bump.to)?)?;
        gate.statement.subject.content().map(|content| Previous { tag, content: content.clone(), root: None })
    };
    if let Some(previous) = previous.as_mut().filter(|previous| previous.root.is_none())
        && let Some(version) = names.version_of_tag(chart, previous.tag.as_str())
    {
        previous.root = served_root(train, tips, chart, &version, &previous.tag).await?;
    }
    Ok(previous)
}

/// The release that main holds by its tag alone, where no statement that is trusted tells of it: it is older than the adoption,
/// than the key, or than what is left of the store. A tag of other content than main's is not taken for it.
pub(super) async fn tagged(
    train: &Train,
    tips: &Tips,
    chart: &ChartName,
    pair: &Pair,
    version: Option<&Version>,
    content: Option<&ContentId>,
) -> Result<Option<Previous>, FlowError> {
    let (Some(old), Some(version), Some(content)) = (&pair.old, version, content) else { return Ok(None) };
    let tag = tips.names.tag(chart, version)?;
    let Some((_, commit)) = existing(train, &tag).await? else { return Ok(None) };
    let objects = &*train.objects;
    let held = subtree(objects, &root(objects, &commit).await?, old.path.as_str()).await?;
    Ok((held.as_ref() == Some(&old.tree)).then(|| Previous { tag, content: content.clone(), root: None }))
}

/// The root of a version's lineage as it is served; `None` while it is not.
async fn served_root(train: &Train, tips: &Tips, chart: &ChartName, version: &Version, tag: &TagName) -> Result<Option<StatementDigest>, FlowError> {
    let Some(tip) = tips.branches.get(tips.names.release().as_str()) else { return Ok(None) };
    let files = Files { train, tips, chart, version, tag };
    let bytes = files.served_lineage(tip).await?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let root = text.lines().filter_map(|line| train.read_line(line)).find(|line| line.row() == Some(Row::Root));
    Ok(root.filter(|root| root.statement.source.id == train.home.id && root.statement.source.chart == *chart).map(|root| root.digest))
}
