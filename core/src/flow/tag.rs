//! Stage 6: an annotated, immutable tag for each version on main with a complete lineage; the way back to integration;
//! and the start of packaging.

use super::compose::{Graft, graft_unless};
use super::judge::{Chain, chain};
use super::listing::{listing, root, subtree};
use super::store::Store;
use super::succession::announced;
use super::tips::{Difference, Pair, Tips};
use super::{FlowError, Outcome, Report, Train, back, texts};
use crate::domain::branch::RELEASED;
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TagObjectId, TreeId};
use crate::domain::names::{ChartName, TagName};
use crate::domain::statement::{Level, Predicate, Stage, Statement, TagRecord};
use crate::plan::Place;
use crate::plan::tag::{Action, Existing, Facts, Gated, plan};
use crate::port::github::{PullFilter, RefTarget};

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
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let difference = Difference::between(train, &patterns, &marker_root, &main_root).await?;
    let mut store = Store::new(train, &tips);
    let mut finished: Vec<Graft> = Vec::new();
    for (chart, pair) in &difference.charts {
        let landed = landed(train, &tips, &mut store, chart, pair.new.as_ref()).await?;
        // What a release brought is finished even where somebody overrode it since.
        let pair = match &landed {
            Some(landed) if !landed.finished => &Pair { new: landed.place.clone(), old: pair.old.clone(), removed: landed.place.is_none() || pair.removed },
            _ => pair,
        };
        let mut job = Job { train, tips: &tips, store: &mut store, chart, pair, landed: landed.filter(|landed| !landed.finished) };
        if job.run(&mut report).await? {
            finished.extend(entries(pair));
            remove_branch(train, &tips, chart, pair).await?;
        }
    }
    store.flush().await?;
    move_marker(train, RELEASED, &marker, finished, std::slice::from_ref(&main_root)).await?;
    back::offer(train, &tips, &mut store, &mut report).await?;
    sweep(train, &tips).await?;
    announced(train, report).await
}

/// Removes the train's heads without an open pull request: their merge was the last thing a job could do.
async fn sweep(train: &Train, tips: &Tips) -> Result<(), FlowError> {
    for branch in tips.branches.keys().filter(|branch| tips.names.is_machine_head(branch)) {
        let filter = PullFilter { head: Some(branch.clone()), ..PullFilter::default() };
        if train.github.list_pulls(&filter).await?.is_empty() {
            train.github.delete_ref(&format!("heads/{branch}")).await?;
        }
    }
    Ok(())
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

/// Moves a marker forward by some entries, compare-and-swap, and again on what others wrote meanwhile. `known` are trees that
/// it may turn out to be.
///
/// # Errors
/// [`FlowError::StoreContention`] when others kept writing.
pub(crate) async fn move_marker(train: &Train, marker: &str, seen: &CommitId, grafts: Vec<Graft>, known: &[TreeId]) -> Result<(), FlowError> {
    if grafts.is_empty() {
        return Ok(());
    }
    let mut at = seen.clone();
    for _ in 0..8 {
        let base = root(&*train.objects, &at).await?;
        let tree = graft_unless(&train.github, &*train.objects, &base, &grafts, known).await?;
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
    landed: Option<Landed>,
}

/// The newest content of a chart on main that came by the train.
pub(crate) struct Landed {
    /// Main's newest first-parent commit that holds it.
    commit: CommitId,
    place: Option<Place>,
    /// Whether `tag` has finished with it.
    pub(crate) finished: bool,
    /// Its lineage, up to the release gate at least.
    pub(crate) chain: Chain,
}

impl Landed {
    /// The level of its bump.
    pub(crate) fn level(&self) -> Option<Level> {
        self.chain.bump().map(|bump| bump.level)
    }
}

/// What `tag` has finished with last of a chart whose place on main is `main`.
async fn last_finished(train: &Train, tips: &Tips, chart: &ChartName, main: Option<&Place>) -> Result<Option<Place>, FlowError> {
    let objects = &*train.objects;
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let (main_root, marker_root) = (root(objects, &tips.main).await?, root(objects, tips.marker(train, RELEASED).await?).await?);
    super::tips::counterpart(train, &patterns, chart, (&main_root, main), &marker_root).await
}

/// Whether `tag` has finished with main's present content of a chart.
pub(crate) async fn finished(train: &Train, tips: &Tips, chart: &ChartName, main: Option<&Place>) -> Result<bool, FlowError> {
    Ok(last_finished(train, tips, chart, main).await?.as_ref() == main)
}

/// What is left of the directory of a chart that a tree does not hold.
async fn left(train: &Train, tips: &Tips, patterns: &Globs, chart: &ChartName, root: &TreeId) -> Result<Option<Place>, FlowError> {
    let directory = tips.configuration.configuration.directories.get(chart);
    let found = listing(&*train.objects, root, patterns).await?;
    let found = found.into_iter().find(|(path, _)| directory.map_or(path.base_name() == chart.as_str(), |directory| directory == path));
    Ok(found.map(|(path, tree)| Place { path, tree }))
}

/// Looks for the newest content of a chart on main that came by the train. That is main's present one, `main`, unless
/// somebody overrode it; what lies behind the content that `tag` has finished with is not looked at.
pub(crate) async fn landed(train: &Train, tips: &Tips, store: &mut Store, chart: &ChartName, main: Option<&Place>) -> Result<Option<Landed>, FlowError> {
    let objects = &*train.objects;
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let mut at = objects.commit(&tips.main).await?;
    let finished = last_finished(train, tips, chart, main).await?;
    let mut place = main.cloned();
    loop {
        let finished = place == finished;
        // What a removal left of the directory is no chart, and is what its lineage is about.
        let held = match &place {
            Some(place) => Some(place.clone()),
            None => left(train, tips, &patterns, chart, &at.tree).await?,
        };
        let chain = chain(store, chart, &super::content_tree(held.as_ref())?).await?.filter(|chain| chain.gate.is_some());
        if let Some(chain) = chain {
            return Ok(Some(Landed { commit: at.id, place, finished, chain }));
        }
        if finished {
            return Ok(None);
        }
        let before = place.clone();
        while place == before {
            let Some(parent) = at.parents.first() else { return Ok(None) };
            let parent = objects.commit(parent).await?;
            place = super::tips::counterpart(train, &patterns, chart, (&at.tree, place.as_ref()), &parent.tree).await?;
            at = parent;
        }
    }
}

impl Job<'_> {
    /// Whether `tag` has finished with the content now.
    async fn run(&mut self, report: &mut Report) -> Result<bool, FlowError> {
        let chart = Some(self.chart);
        let chain = self.landed.as_ref().map(|landed| landed.chain.clone());
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
            let Err(words) = self.make(name, commit, chain).await? else {
                report.add(chart, Outcome::Done, format!("tagged {action}"));
                return Ok(true);
            };
            let (object, existing) = obstacle(self.train, name, words).await?;
            facts.existing = Some(existing);
            action = plan(&facts);
            if let (Action::Tag { name, commit }, Some(object)) = (&action, object) {
                self.sign(name, commit, chain, object).await?;
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
            Action::Taken { by, .. } => {
                report.refuse(chart, "tag/taken", action.to_string(), by.hint());
                Ok(false)
            }
            // Its chain is not at hand, which is another run's to find.
            Action::Tag { .. } => Ok(false),
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
        let mut at = objects.commit(self.landed.as_ref().map_or(&self.tips.main, |landed| &landed.commit)).await?;
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

    /// Makes the tag, then signs that it is there; GitHub's words where it cannot be made. A crash between the two leaves a
    /// tag to be signed for, never a second tag.
    async fn make(&mut self, name: &TagName, commit: &CommitId, chain: &Chain) -> Result<Result<(), String>, FlowError> {
        let github = &self.train.github;
        let Some(gate) = &chain.gate else { return Ok(Err("the release gate is not signed".to_owned())) };
        let object = github.create_tag(name.as_str(), &texts::tag_message(self.chart, name, chain, gate.digest), commit).await?;
        match github.create_ref(&format!("tags/{name}"), object.as_str()).await {
            Ok(()) => {}
            Err(error) if error.is_stale() => return Ok(Err(error.message().to_owned())),
            Err(error) => return Err(error.into()),
        }
        self.sign(name, commit, chain, object).await?;
        Ok(Ok(()))
    }

    /// Signs that the tag is there.
    async fn sign(&mut self, name: &TagName, commit: &CommitId, chain: &Chain, object: TagObjectId) -> Result<(), FlowError> {
        let Some(gate) = &chain.gate else { return Ok(()) };
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
        Ok(())
    }
}

/// What keeps a tag from being made, with the tag object where that is the very tag; `words` are GitHub's.
async fn obstacle(train: &Train, name: &TagName, words: String) -> Result<(Option<TagObjectId>, Existing), FlowError> {
    match existing(train, name).await? {
        Some((RefTarget::Tag(object), commit)) => return Ok((Some(object), Existing::Tag(commit))),
        Some((RefTarget::Commit(_), commit)) => return Ok((None, Existing::Light(commit))),
        None => {}
    }
    if let Some((below, _)) = train.github.matching_refs(&format!("tags/{name}/")).await?.into_iter().next() {
        return Ok((None, Existing::Beside(below)));
    }
    for (end, _) in name.as_str().match_indices('/') {
        let above = format!("tags/{}", &name.as_str()[..end]);
        if train.github.get_ref(&above).await?.is_some() {
            return Ok((None, Existing::Beside(format!("refs/{above}"))));
        }
    }
    Ok((None, Existing::Unseen(words)))
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
