//! The way back: computing main's return to integration, opening its pull request, and proving one.

use std::collections::BTreeMap;

use super::bump::following;
use super::compose::{Graft, graft, grafted, point, rewritten};
use super::judge::chain;
use super::listing::{file, root};
use super::pulls::FULL;
use super::store::{Signed, Store};
use super::tips::{Difference, Pair, Tips};
use super::{FlowError, Outcome, Report, Train, texts};
use crate::domain::changelog;
use crate::domain::chart::{CHART_FILE, edit};
use crate::domain::content::Files;
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::package::follow;
use crate::domain::pull::body::{Returned, State};
use crate::domain::tree::Mode;
use crate::plan::Place;
use crate::plan::back::{Facts, Outcome as Decision, plan};
use crate::port::github::{NewContent, NewEntry, NewPull, PullFilter};

/// A changelog longer than this is not read.
const CHANGELOG_LIMIT: usize = 16 << 20;

/// The computed way back.
#[derive(Debug, Clone)]
pub struct Way {
    /// The whole tree integration gets.
    pub tree: TreeId,
    /// Integration's tip and main's tip: the parents of the commit.
    pub parents: [CommitId; 2],
    /// Charts that come back.
    pub charts: Vec<Returning>,
    /// What is put into main's tree.
    pub(super) grafts: Vec<Graft>,
    /// The contents in which a bump is replayed, with the files that are written anew in each.
    pub(super) replays: Vec<Replay>,
}

/// A content of integration with a bump's edits: it has to be made.
#[derive(Debug, Clone)]
pub(super) struct Replay {
    base: TreeId,
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Way {
    /// Makes its tree.
    async fn make(&self, train: &Train) -> Result<(), FlowError> {
        for replay in &self.replays {
            let text = |bytes: &[u8]| NewContent::Text(String::from_utf8_lossy(bytes).into_owned());
            let entry = |(name, bytes): &(&str, Vec<u8>)| NewEntry { path: (*name).to_owned(), mode: Mode::File, content: text(bytes) };
            train.github.create_tree(Some(&replay.base), &replay.files.iter().map(entry).collect::<Vec<_>>()).await?;
        }
        let main = root(&*train.objects, &self.parents[1]).await?;
        let made = graft(&train.github, &*train.objects, &main, &self.grafts).await?;
        if made != self.tree {
            return Err(FlowError::Identity { path: "the way back".to_owned(), computed: self.tree.to_string(), expected: made.to_string() });
        }
        Ok(())
    }
}

/// A chart that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returning {
    /// The chart.
    pub chart: ChartName,
    /// Where main has it; `None` when main removed it.
    pub main: Option<Place>,
    /// Where integration has it.
    pub before: Option<Place>,
    /// Where integration has it then; `None` when it is gone.
    pub after: Option<Place>,
    /// Whether integration's content stays and only the bump's edits are replayed in it.
    pub replayed: bool,
    /// What is signed about main's content.
    pub lines: Vec<Signed>,
}

/// How main returns.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// The way back; `None` when main is back already, or as far as it can come without a person.
    pub way: Option<Way>,
    /// Charts whose contents a person has to merge before main can return as it is.
    pub conflicts: Vec<ChartName>,
}

/// Computes the way back of main, or else of the newest commit of main that can return without a person.
///
/// # Errors
/// When an object cannot be read or made.
pub async fn compute(train: &Train, tips: &Tips, store: &mut Store) -> Result<Course, FlowError> {
    let objects = &*train.objects;
    let base = objects.merge_base(&tips.main, &tips.integration).await?;
    let base = base.ok_or_else(|| FlowError::NoBranch { branch: tips.names.integration().to_string() })?;
    let mut course = Course::default();
    let mut target = tips.main.clone();
    while target != base {
        match compute_to(train, tips, store, &base, &target).await? {
            Ok(way) => return Ok(Course { way: Some(way), ..course }),
            Err(conflicts) if course.conflicts.is_empty() => course.conflicts = conflicts,
            Err(_) => {}
        }
        let Some(parent) = objects.commit(&target).await?.parents.into_iter().next() else { break };
        // Only what came after the last return is looked at.
        if objects.merge_base(&base, &parent).await?.as_ref() != Some(&base) {
            break;
        }
        target = parent;
    }
    Ok(course)
}

/// The way back of one commit of main, or the charts that stand against it.
async fn compute_to(train: &Train, tips: &Tips, store: &mut Store, base: &CommitId, target: &CommitId) -> Result<Result<Way, Vec<ChartName>>, FlowError> {
    let objects = &*train.objects;
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let (base_root, main_root, integration_root) = (root(objects, base).await?, root(objects, target).await?, root(objects, &tips.integration).await?);
    // What integration has that main has not stays; what main changed is decided chart by chart.
    let pending = Difference::between(train, &patterns, &main_root, &integration_root).await?;
    let changed = Difference::between(train, &patterns, &base_root, &main_root).await?;
    let mut grafts: BTreeMap<RepoPath, Option<TreeId>> = BTreeMap::new();
    let (mut conflicts, mut charts, mut replays) = (Vec::new(), Vec::new(), Vec::new());
    for (name, pair) in &pending.charts {
        let mut keep = true;
        if let Some(main) = changed.charts.get(name) {
            let (facts, lines) = facts(store, name, pair, main).await?;
            let decision = plan(&facts);
            let mut after = pair.old.clone();
            match &decision {
                Decision::Keep => {}
                Decision::Take => keep = false,
                Decision::Conflict => conflicts.push(name.clone()),
                Decision::Replay => {
                    if let (Some(ours), Some(theirs), Some(carried)) = (&pair.new, &pair.old, facts.carried.flatten()) {
                        let files = replay(train, ours, theirs, &carried).await?;
                        let tree = rewritten(objects, &ours.tree, &files).await?;
                        after = Some(Place { path: ours.path.clone(), tree: tree.clone() });
                        grafts.insert(ours.path.clone(), Some(tree));
                        if !files.is_empty() {
                            replays.push(Replay { base: ours.tree.clone(), files });
                        }
                        keep = false;
                        if theirs.path != ours.path {
                            grafts.insert(theirs.path.clone(), None);
                        }
                    }
                }
            }
            if matches!(decision, Decision::Take | Decision::Replay) {
                let before = pair.new.clone().filter(|_| !pair.removed);
                charts.push(Returning { chart: name.clone(), main: pair.old.clone(), before, after, replayed: decision == Decision::Replay, lines });
            }
        }
        if keep {
            for place in pair.old.iter() {
                grafts.entry(place.path.clone()).or_insert(None);
            }
            if let Some(place) = &pair.new {
                grafts.insert(place.path.clone(), Some(place.tree.clone()));
            }
        }
    }
    if !conflicts.is_empty() {
        return Ok(Err(conflicts));
    }
    let returned = changed.charts.iter().filter(|(name, _)| !pending.charts.contains_key(*name));
    charts.extend(returned.map(|(name, pair)| {
        let main = pair.new.clone().filter(|_| !pair.removed);
        Returning { chart: name.clone(), main: main.clone(), before: main.clone(), after: main, replayed: false, lines: Vec::new() }
    }));
    let mut grafts: Vec<Graft> = grafts.into_iter().map(|(path, tree)| Graft { path, tree }).collect();
    if !train.home.app {
        // The workflow's own token may not move workflow files, so integration keeps its own.
        let path = RepoPath::new(".github/workflows")?;
        let tree = super::listing::subtree(objects, &integration_root, path.as_str()).await?;
        grafts.push(Graft { path, tree });
    }
    let tree = grafted(objects, &main_root, &grafts).await?;
    Ok(Ok(Way { tree, parents: [tips.integration.clone(), target.clone()], charts, grafts, replays }))
}

/// What is known of a chart that differs between main and integration (`pending`), and that main changed since it last came
/// back (`changed`), and what is signed about main's content.
async fn facts(store: &mut Store, chart: &ChartName, pending: &Pair, changed: &Pair) -> Result<(Facts, Vec<Signed>), FlowError> {
    // Of a chart that main removed, what is left of its directory counts as well.
    let main = pending.old.clone().or_else(|| changed.new.clone());
    let tree = super::content_tree(main.as_ref())?;
    let chain = chain(store, chart, &tree).await?;
    let carried = chain.as_ref().and_then(super::carried).map(|carried| carried.source);
    let lines = chain.map(|chain| chain.lines()).unwrap_or_default();
    let removed = pending.removed || changed.removed;
    Ok((Facts { chart: chart.clone(), integration: pending.new.clone(), main, returned: changed.old.clone(), removed, carried }, lines))
}

/// The files of integration's content that the bump's edits change: the higher version, the dependencies' versions that
/// followed, the changelog's new entry.
async fn replay(train: &Train, ours: &Place, theirs: &Place, carried: &Place) -> Result<Vec<(&'static str, Vec<u8>)>, FlowError> {
    let objects = &*train.objects;
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| FlowError::Chart { chart: ours.path.to_string(), what: "replaying the bump", source };
    let read = async |place: &Place| following::speaking(train, &place.tree).await;
    let (mut our_files, their_files, carried_files) = (read(ours).await?, read(theirs).await?, read(carried).await?);
    let yaml = |files: &Files| files.bytes(CHART_FILE).unwrap_or_default().to_vec();
    let mut files = Vec::new();
    // As they are made: GitHub takes text.
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned().into_bytes();
    let our_yaml = yaml(&our_files);
    let our_version = super::release_version(&ours.path, &our_yaml)?;
    let their_version = super::release_version(&theirs.path, &yaml(&their_files))?;
    let followed = follow::replayed(&carried_files, &their_files, &our_files);
    if their_version > our_version {
        our_files.insert(CHART_FILE, edit::set_version(&our_yaml, &their_version).map_err(|error| failed(Box::new(error)))?);
    }
    for (name, bytes) in following::written(&ours.path, &our_files, &followed)? {
        if name != CHART_FILE {
            files.push((name, text(bytes.clone())));
        }
        our_files.insert(name, bytes);
    }
    if yaml(&our_files) != our_yaml {
        files.push((CHART_FILE, text(yaml(&our_files))));
    }
    let log = async |place: &Place| -> Result<Option<String>, FlowError> {
        let bytes = file(objects, &place.tree, "CHANGELOG.md", CHANGELOG_LIMIT).await?;
        bytes.map(|bytes| changelog::read(&bytes).map(str::to_owned).map_err(|error| failed(Box::new(error)))).transpose()
    };
    let (before, after, other) = (log(carried).await?, log(theirs).await?, log(ours).await?);
    if let Some(replayed) = changelog::replay(before.as_deref(), after.as_deref(), other.as_deref()).filter(|replayed| Some(replayed) != other.as_ref()) {
        files.push(("CHANGELOG.md", replayed.into_bytes()));
    }
    Ok(files)
}

/// Opens the pull request of the way back, or brings it up to date.
///
/// # Errors
/// When GitHub refuses.
pub async fn offer(train: &Train, tips: &Tips, store: &mut Store, report: &mut Report) -> Result<(), FlowError> {
    let course = compute(train, tips, store).await?;
    for chart in &course.conflicts {
        let (main, integration) = (tips.names.main(), tips.names.integration());
        let message = format!("{main} and {integration} both changed {chart}, and {main}'s content did not come by the train");
        let hint =
            format!("merge {main} into a branch of {integration}, open a pull request with it against {integration}, and merge that with a merge commit");
        report.refuse(Some(chart), "back/conflict", message, hint);
    }
    let head = tips.names.back_head().to_string();
    let github = &train.github;
    let held = tips.branches.get(&head).cloned();
    let filter = PullFilter { head: Some(head.clone()), base: Some(tips.names.integration().to_string()), closed: false };
    let Some(way) = course.way else {
        if held.is_some() {
            for pull in github.list_pulls(&filter).await? {
                github.close_pull(pull.number).await?;
            }
        }
        return Ok(());
    };
    let message = texts::back_message(&way);
    let made = match held_commit(train, held.as_ref(), &way).await? {
        Some(held) => held,
        None => {
            way.make(train).await?;
            github.create_commit(&message, &way.tree, &way.parents).await?
        }
    };
    point(github, &head, held.as_ref(), &made).await?;
    let open = if held.is_some() { github.list_pulls(&filter).await?.into_iter().next() } else { None };
    let words = texts::Words::new(train, tips);
    let mut returned = Vec::new();
    for one in &way.charts {
        returned.push(told(train, &words, one).await?);
    }
    let old = open.as_ref().map_or("", |pull| &pull.body);
    let (title, body) = words.way_back(&way, &returned, old);
    let body = body.unwrap_or_else(|full| {
        let number = open.as_ref().map_or(0, |pull| pull.number);
        report.refuse(None, FULL, format!("pull request {number}: {full}"), texts::FULL_HINT);
        old.to_owned()
    });
    match open {
        Some(pull) => {
            if (&pull.title, &pull.body) != (&title, &body) {
                github.describe_pull(pull.number, Some(&title), &body).await?;
            }
            if held.as_ref() != Some(&made) {
                report.add(None, Outcome::Done, format!("rebuilt pull request {}: main returns to {}", pull.number, tips.names.integration()));
            }
        }
        None => {
            let new = NewPull { title, body, head, base: tips.names.integration().to_string() };
            let pull = github.create_pull(&new).await?;
            report.add(None, Outcome::Done, format!("opened pull request {}: main returns to {}", pull.number, tips.names.integration()));
        }
    }
    Ok(())
}

/// What is said of one chart. A content that the replay makes is in no repository yet: its version is the higher one.
async fn told(train: &Train, words: &texts::Words, one: &Returning) -> Result<Returned, FlowError> {
    let main = texts::state_at(train, one.main.as_ref(), None).await?;
    let before = if one.before == one.main { main.clone() } else { texts::state_at(train, one.before.as_ref(), None).await? };
    let version = main.and_then(|main| main.version);
    let ours = before.as_ref().and_then(|before| before.version.clone());
    let higher = if ours > version { ours } else { version.clone() };
    let after = one.after.as_ref().map(|place| State { version: if one.replayed { higher } else { version.clone() }, content: place.tree.clone() });
    Ok(words.returned(one, version, [before, after]))
}

/// What is wrong with a pull request that claims to be the way back; `Ok(Ok(()))` when it is exactly what is computed,
/// `Err` text when it is stale and will be rebuilt.
///
/// # Errors
/// When an object cannot be read.
pub async fn prove(train: &Train, tips: &Tips, head: &CommitId) -> Result<Result<(), &'static str>, FlowError> {
    let commit = train.objects.commit(head).await?;
    if commit.parents.first() != Some(&tips.integration) {
        return Ok(Err("integration moved since it was computed"));
    }
    let Some(way) = compute(train, tips, &mut Store::new(train, tips)).await?.way else { return Ok(Err("nothing of main can return")) };
    if commit.parents != way.parents {
        return Ok(Err("main moved since it was computed"));
    }
    Ok(if way.tree == commit.tree { Ok(()) } else { Err("its content is not what is computed") })
}

/// The commit that the head's branch holds already, when it is this way back.
async fn held_commit(train: &Train, held: Option<&CommitId>, way: &Way) -> Result<Option<CommitId>, FlowError> {
    let Some(held) = held else { return Ok(None) };
    let commit = train.objects.commit(held).await?;
    Ok((commit.tree == way.tree && commit.parents == way.parents).then_some(commit.id))
}
