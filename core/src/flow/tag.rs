//! Stage 6: an annotated, immutable tag for each version on main with a complete lineage; the way back to integration;
//! and the start of packaging.

use super::compose::{Graft, graft};
use super::judge::{Chain, chain};
use super::listing::{Patterns, root, subtree};
use super::store::Store;
use super::tips::{Difference, Pair, Tips};
use super::{FlowError, Outcome, Report, Train, back, texts};
use crate::domain::branch::RELEASED;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{ChartName, TagName};
use crate::domain::statement::{Level, Predicate, Stage, Statement, TagRecord};
use crate::plan::tag::{Action, Facts, Gated, plan};
use crate::port::github::RefTarget;

/// Tags what is due, opens the way back, removes branches that are merged, and starts packaging.
///
/// # Errors
/// When GitHub, the store or the signer fails.
pub async fn run(train: &Train) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Tag);
    let tips = Tips::read(train).await?;
    let marker = tips.marker(train, RELEASED).await?.clone();
    let marker_root = root(&*train.objects, &marker).await?;
    let main_root = root(&*train.objects, &tips.main).await?;
    let patterns = Patterns::new(&tips.configuration.configuration.charts)?;
    let difference = Difference::between(train, &patterns, &marker_root, &main_root).await?;
    let mut store = Store::new(train, &tips);
    let mut finished: Vec<Graft> = Vec::new();
    let mut tagged = Vec::new();
    for (chart, pair) in &difference.charts {
        let mut job = Job { train, tips: &tips, store: &mut store, chart, pair };
        if job.run(&mut report, &mut tagged).await? {
            finished.extend(entries(pair));
            remove_branch(train, &tips, chart, pair).await?;
        }
    }
    store.flush().await?;
    move_marker(train, RELEASED, &marker, finished).await?;
    back::offer(train, &tips, &mut report).await?;
    if !tagged.is_empty() {
        train.github.dispatch("chartflow-package", &serde_json::json!({ "tags": tagged.iter().take(20).collect::<Vec<_>>() })).await?;
    }
    Ok(report)
}

/// The marker's entries after `tag` has finished with a chart.
pub(crate) fn entries(pair: &Pair) -> Vec<Graft> {
    let mut grafts: Vec<Graft> = pair.old.iter().map(|place| Graft { path: place.path.clone(), tree: None }).collect();
    if let Some(place) = &pair.new {
        grafts.retain(|graft| graft.path != place.path);
        grafts.push(Graft { path: place.path.clone(), tree: Some(place.tree.clone()) });
    }
    grafts
}

/// Moves a marker forward by some entries, compare-and-swap, and again on what others wrote meanwhile.
///
/// # Errors
/// [`FlowError::StoreContention`] when others kept writing.
pub(crate) async fn move_marker(train: &Train, marker: &str, seen: &CommitId, grafts: Vec<Graft>) -> Result<(), FlowError> {
    if grafts.is_empty() {
        return Ok(());
    }
    let mut at = seen.clone();
    for _ in 0..8 {
        let base = root(&*train.objects, &at).await?;
        let tree = graft(&train.github, &*train.objects, &base, &grafts).await?;
        if tree == base {
            return Ok(());
        }
        let commit = train.github.create_commit("chore: move the marker", &tree, std::slice::from_ref(&at)).await?;
        match train.github.update_ref(marker, commit.as_str(), false).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_stale() => {}
            Err(error) => return Err(error.into()),
        }
        at = train.github.get_ref(marker).await?.and_then(RefTarget::commit).ok_or_else(|| FlowError::NoBranch { branch: marker.to_owned() })?;
    }
    Err(FlowError::StoreContention { attempts: 8 })
}

/// Removes the chart's branch once its content is main's.
async fn remove_branch(train: &Train, tips: &Tips, chart: &ChartName, pair: &Pair) -> Result<(), FlowError> {
    let (Some(tip), Some(path)) = (tips.charts.get(chart), pair.path()) else { return Ok(()) };
    let tree = root(&*train.objects, tip).await?;
    let there = subtree(&*train.objects, &tree, path.as_str()).await?;
    if there.as_ref() == pair.new.as_ref().map(|place| &place.tree) {
        train.github.delete_ref(&format!("heads/{}", tips.names.chart_branch(chart)?)).await?;
    }
    Ok(())
}

struct Job<'a> {
    train: &'a Train,
    tips: &'a Tips,
    store: &'a mut Store,
    chart: &'a ChartName,
    pair: &'a Pair,
}

impl Job<'_> {
    /// Whether `tag` has finished with the content now.
    async fn run(&mut self, report: &mut Report, tagged: &mut Vec<TagName>) -> Result<bool, FlowError> {
        let chart = Some(self.chart);
        let tree = super::content_tree(self.pair.new.as_ref())?;
        let chain = chain(self.store, self.chart, &tree).await?.filter(|chain| chain.gate.is_some());
        let gated = match chain.as_ref().and_then(Chain::bump) {
            Some(bump) if bump.level == Level::None => Some(Gated { tag: None }),
            Some(bump) => {
                let version = super::parse_version(&bump.to)?;
                Some(Gated { tag: Some(self.tips.names.tag(self.chart, &version)?) })
            }
            None => None,
        };
        let commit = self.first_commit().await?;
        let mut facts = Facts {
            chart: self.chart.clone(),
            main: self.pair.new.clone(),
            finished: self.pair.old.as_ref().map(|place| place.tree.clone()),
            commit,
            gated,
            existing: None,
        };
        let mut action = plan(&facts);
        if let (Action::Tag { name, commit }, Some(chain)) = (&action, &chain) {
            // Making the tag is also the question whether it is there.
            if self.tag(name, commit, chain, None).await? {
                tagged.push(name.clone());
                report.add(chart, Outcome::Done, format!("tagged {action}"));
                return Ok(true);
            }
            let existing = existing(self.train, name).await?;
            facts.existing = existing.as_ref().map(|(_, commit)| commit.clone());
            action = plan(&facts);
            if let (Action::Tag { name, commit }, Some((object, _))) = (&action, existing) {
                self.tag(name, commit, chain, Some(object)).await?;
                tagged.push(name.clone());
                report.add(chart, Outcome::Done, format!("signed for {action}"));
                return Ok(true);
            }
        }
        match &action {
            Action::Nothing => Ok(true),
            Action::Finish => {
                report.add(chart, Outcome::Done, action.to_string());
                Ok(true)
            }
            Action::Tag { .. } | Action::Taken { .. } => {
                report.refuse(chart, "tag/taken", action.to_string(), "the next version will be used; a rule for the creation of tags keeps names free");
                Ok(false)
            }
            Action::Foreign => {
                let hint = format!(
                    "a change of a chart travels by {}; bring it back there, and the next release of the chart will name it",
                    self.tips.names.integration()
                );
                report.refuse(chart, "tag/no-lineage", action.to_string(), hint);
                Ok(false)
            }
        }
    }

    /// The first first-parent commit of main that holds the content.
    async fn first_commit(&self) -> Result<CommitId, FlowError> {
        let objects = &*self.train.objects;
        let mut at = objects.commit(&self.tips.main).await?;
        let Some(path) = self.pair.path() else { return Ok(at.id) };
        let wanted = self.pair.new.as_ref().map(|place| place.tree.clone());
        while let Some(parent) = at.parents.first() {
            let parent = objects.commit(parent).await?;
            if subtree(objects, &parent.tree, path.as_str()).await? != wanted {
                break;
            }
            at = parent;
        }
        Ok(at.id)
    }

    /// Makes the tag unless it is there, then signs that it is. A crash between the two leaves a tag to be signed for,
    /// never a second tag.
    async fn tag(&mut self, name: &TagName, commit: &CommitId, chain: &Chain, existing: Option<RefTarget>) -> Result<bool, FlowError> {
        let github = &self.train.github;
        let Some(gate) = &chain.gate else { return Ok(false) };
        let object = match existing {
            Some(RefTarget::Tag(object)) => object,
            Some(RefTarget::Commit(_)) => return Ok(false),
            None => {
                let object = github.create_tag(name.as_str(), &texts::tag_message(self.chart, name, chain, gate.digest), commit).await?;
                match github.create_ref(&format!("tags/{name}"), object.as_str()).await {
                    Ok(()) => {}
                    Err(error) if error.is_stale() => return Ok(false),
                    Err(error) => return Err(error.into()),
                }
                object
            }
        };
        let pull = super::pulls::record_of(self.train, commit).await?;
        let predicate = Predicate::Tag(TagRecord { tag: name.clone(), tag_object: object, commit: commit.clone(), pull });
        let statement = Statement {
            stage: Stage::Tag,
            source: gate.statement.source.clone(),
            subject: gate.statement.subject.clone(),
            inputs: vec![gate.as_input()],
            predicate,
        };
        self.store.sign(statement).await?;
        Ok(true)
    }
}

/// What a tag names: the object its ref points at, and the commit.
pub(crate) async fn existing(train: &Train, name: &TagName) -> Result<Option<(RefTarget, CommitId)>, FlowError> {
    match train.github.get_ref(&format!("tags/{name}")).await? {
        None => Ok(None),
        Some(RefTarget::Commit(commit)) => Ok(Some((RefTarget::Commit(commit.clone()), commit))),
        Some(RefTarget::Tag(object)) => {
            let tag = train.github.get_tag(&object).await?;
            Ok(tag.map(|tag| (RefTarget::Tag(object), tag.commit)))
        }
    }
}

/// What `tag` has finished with at a path, for `bump`'s question whether main's content has its tag.
///
/// # Errors
/// When an object cannot be read.
pub(crate) async fn finished(train: &Train, tips: &Tips, path: &str) -> Result<Option<TreeId>, FlowError> {
    let tree = root(&*train.objects, tips.marker(train, RELEASED).await?).await?;
    subtree(&*train.objects, &tree, path).await
}
