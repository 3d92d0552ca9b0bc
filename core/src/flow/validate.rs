//! Stage 1: checks a pull request to integration, chart by chart, and says the result on it. It also proves that the
//! way back, which is a pull request to integration as well, is exactly what is computed, and merges that one.

use super::listing::root;
use super::pulls::{FULL, status};
use super::store::Store;
use super::succession::announced;
use super::tips::{Difference, Pair, Tips};
use super::{FlowError, Outcome, Report, Train, back, checks, texts};
use crate::domain::check::layout;
use crate::domain::commit::Commit;
use crate::domain::commit::range::Counted;
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::ChartName;
use crate::domain::statement::Stage;
use crate::port::github::{Merge, MergeMethod, Pull, PullFilter, Status, StatusState};
use crate::port::objects::{self, ObjectError};

/// The status that integration demands.
pub const STATUS: &str = "chartflow/validate";

/// Looks at one pull request to integration, or at every open one.
///
/// # Errors
/// When GitHub, the store or the signer fails.
pub async fn run(train: &Train, hint: Option<u64>) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Validate);
    let hinted = super::pulls::hinted(train, hint).await?;
    if hinted.as_ref().is_some_and(Vec::is_empty) {
        return Ok(report);
    }
    let tips = Tips::read(train).await?;
    let integration = tips.names.integration().to_string();
    let pulls = match hinted {
        Some(pulls) => pulls,
        None => train.github.list_pulls(&PullFilter { base: Some(integration.clone()), ..PullFilter::default() }).await?,
    };
    let mut store = Store::new(train, &tips);
    for pull in pulls.into_iter().filter(|pull| pull.open() && pull.base.branch == integration) {
        if pull.head.branch == tips.names.back_head().as_str() && !pull.from_fork() {
            way_back(train, &tips, &pull, hint.is_some(), &mut report).await?;
        } else {
            contribution(train, &tips, &mut store, &pull, hint.is_some(), &mut report).await?;
        }
    }
    announced(train, report).await
}

async fn way_back(train: &Train, tips: &Tips, pull: &Pull, hinted: bool, report: &mut Report) -> Result<(), FlowError> {
    let post =
        async |state, text: &str| status(train, hinted, &pull.head.sha, Status { context: STATUS.to_owned(), state, description: Some(text.to_owned()) }).await;
    if let Err(problem) = back::prove(train, tips, &pull.head.sha).await? {
        post(StatusState::Pending, problem).await?;
        report.add(None, Outcome::Waiting, format!("pull request {}: {problem}", pull.number));
        return Ok(());
    }
    post(StatusState::Success, "exactly the computed way back").await?;
    if !train.home.app {
        report.add(None, Outcome::Done, format!("pull request {} is the computed way back; a person merges it with a merge commit", pull.number));
        return Ok(());
    }
    match train.github.merge_pull(pull.number, &pull.head.sha, MergeMethod::Merge, &texts::merge_title(pull), "").await? {
        Merge::Merged(_) => {
            train.github.delete_ref(&format!("heads/{}", pull.head.branch)).await?;
            report.add(None, Outcome::Done, format!("merged the way back, pull request {}", pull.number));
        }
        Merge::Refused(words) => report.add(None, Outcome::Waiting, format!("pull request {} could not be merged: {words}", pull.number)),
    }
    Ok(())
}

/// One contribution and what it changes.
struct Contribution<'a> {
    train: &'a Train,
    tips: &'a Tips,
    patterns: Globs,
    difference: Difference,
    /// The whole tree at its head.
    root: TreeId,
    commits: Vec<objects::Commit>,
    pull: u64,
    /// Main as integration knows it: what came to main since is not the contributor's affair.
    returned: CommitId,
}

async fn contribution(train: &Train, tips: &Tips, store: &mut Store, pull: &Pull, hinted: bool, report: &mut Report) -> Result<(), FlowError> {
    let before = report.entries.len();
    let Some(base) = train.objects.merge_base(&tips.integration, &pull.head.sha).await? else {
        report.refuse(
            None,
            "flow/unrelated",
            format!("pull request {} has no history in common with {}", pull.number, pull.base.branch),
            "make the branch from integration",
        );
        return Ok(());
    };
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let (base_root, head_root) = (root(&*train.objects, &base).await?, root(&*train.objects, &pull.head.sha).await?);
    let difference = Difference::between(train, &patterns, &base_root, &head_root).await?;
    let commits = train.objects.history(&pull.head.sha, &[tips.integration.clone(), tips.main.clone()]).await?;
    let returned = train.objects.merge_base(&tips.main, &tips.integration).await?.unwrap_or_else(|| tips.main.clone());
    let this = Contribution { train, tips, patterns, difference, root: head_root.clone(), commits, returned, pull: pull.number };
    for (path, problem) in &this.difference.unreadable {
        report.refuse(None, "layout/chart-yaml", format!("{path}: {problem}"), "mend the file and push again");
    }
    for path in &this.difference.unnamed {
        report.refuse(None, "layout/content", format!("{path}: the name is not UTF-8"), "give the directory a name in lower-case letters, digits and '-'");
    }
    let paths: Vec<&str> = this.paths().collect();
    let objects = &*train.objects;
    if !super::compose::agree_outside(objects, &base_root, &head_root, &paths).await? && !brings_main(train, tips, &this.patterns, &pull.head.sha).await? {
        let paths: Vec<&str> = paths.into_iter().chain(this.difference.unnamed.iter().map(String::as_str)).collect();
        let outside = super::outside::outside(objects, &base_root, &head_root, &paths).await?;
        if !outside.first.is_empty() {
            let message = format!("pull request {} changes files outside the charts: {outside}", pull.number);
            report.refuse_file("layout/outside", message, outside.hint(tips.names.main()), outside.first.first().cloned());
        }
    }
    let judgements = this.check(store, report).await?;
    this.layout(report);
    super::dependents::kept(train, &this.difference, report).await?;
    super::nesting::kept_apart(&this.difference, report);
    let refused: Vec<_> = report.entries[before..].iter().filter(|entry| entry.outcome == Outcome::Refused).cloned().collect();
    let body = texts::Words::new(train, tips).contribution_body(&judgements, &refused, pull.number, &pull.body);
    let (state, text) = match (refused.first(), &body) {
        (Some(first), _) => (StatusState::Failure, first.message.clone()),
        (None, Err(full)) => (StatusState::Failure, full.to_string()),
        (None, Ok(_)) => (StatusState::Success, format!("{} checked", texts::count(this.difference.charts.len(), "chart"))),
    };
    status(train, hinted, &pull.head.sha, Status { context: STATUS.to_owned(), state, description: Some(text) }).await?;
    match body {
        Ok(body) if body != pull.body => drop(train.github.describe_pull(pull.number, None, &body).await?),
        Ok(_) => {}
        Err(full) => report.refuse(None, FULL, format!("pull request {}: {full}", pull.number), texts::FULL_HINT),
    }
    Ok(())
}

/// Whether outside the charts a head is exactly what main was where it took main in: somebody merged main by hand.
async fn brings_main(train: &Train, tips: &Tips, patterns: &Globs, head: &CommitId) -> Result<bool, FlowError> {
    let objects = &*train.objects;
    let Some(main) = objects.merge_base(&tips.main, head).await? else { return Ok(false) };
    let (main_root, head_root) = (root(objects, &main).await?, root(objects, head).await?);
    let difference = Difference::between(train, patterns, &main_root, &head_root).await?;
    let paths: Vec<&str> = difference.charts.values().flat_map(Pair::paths).collect();
    super::compose::agree_outside(objects, &main_root, &head_root, &paths).await
}

impl Contribution<'_> {
    /// The directories that charts are or were in.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let unreadable = self.difference.unreadable.keys().map(crate::domain::names::RepoPath::as_str);
        self.difference.charts.values().flat_map(Pair::paths).chain(unreadable)
    }

    /// What is wrong with where charts lie and the check `layout` has not told already: it may not be required, and it knows
    /// the names on main alone.
    fn layout(&self, report: &mut Report) {
        let told = |report: &Report, chart: &ChartName, rule: &str| {
            report.entries.iter().any(|entry| entry.chart.as_ref() == Some(chart) && entry.rule.as_deref() == Some(rule))
        };
        for (name, paths) in &self.difference.doubled {
            if !told(report, name, layout::DOUBLED) {
                report.refuse(Some(name), layout::DOUBLED, layout::doubled(name, paths.iter()), layout::DOUBLED_HINT);
            }
        }
        for (path, (old, new)) in &self.difference.renamed {
            if !told(report, new, layout::RENAMED) {
                report.refuse(Some(new), layout::RENAMED, layout::renamed(path, old.as_str(), new), layout::renamed_hint(old.as_str(), new));
            }
        }
    }

    /// Runs the checks on every chart it changes and signs the outcome.
    async fn check(&self, store: &mut Store, report: &mut Report) -> Result<Vec<texts::Judgement>, FlowError> {
        let mut judgements = Vec::new();
        let asked: Vec<String> = self.tips.configuration.configuration.checks.outside.keys().cloned().collect();
        for (chart, pair) in &self.difference.charts {
            // The checks compare with main, where the content is going to, not with integration.
            let old = match pair.path() {
                Some(path) => super::tips::place(self.train, &self.returned, path).await?,
                None => None,
            };
            let started = pair.old.clone();
            let pair = Pair { old: old.or_else(|| pair.old.clone().filter(|_| pair.removed)), ..pair.clone() };
            let commits = self.commits_of(chart).await?;
            let doubles = self.difference.doubled.get(chart).into_iter().flatten().cloned().collect();
            let range = checks::Judging { root: &self.root, commits: &commits, doubles, started };
            let judged = match checks::judge(self.train, self.tips, chart, &pair, &self.difference.listing, range).await {
                Err(FlowError::Object { source: ObjectError::Refused { path: file, problem } }) => {
                    let path = pair.path().map_or_else(|| file.clone(), |path| format!("{path}/{file}"));
                    report.refuse(Some(chart), "layout/content", format!("{path}: {problem}"), "take it out of the chart and push again");
                    continue;
                }
                judged => judged?,
            };
            report.checks.extend(judged.entries.clone());
            for finding in judged.failures() {
                report.refuse_finding(chart, finding);
            }
            let mut signed = None;
            if judged.passed() {
                report.add(Some(chart), Outcome::Done, "all checks passed");
                signed = Some(store.sign(judged.statement).await?);
            }
            let mut outside = Vec::new();
            if let Some(new) = pair.new.as_ref().filter(|_| !asked.is_empty()) {
                outside.extend(checks::reported(store, self.tips, chart, &new.tree, pair.old.as_ref()).await?.into_iter().map(|(_, line)| line));
            }
            let asked = if pair.removed { Vec::new() } else { asked.clone() };
            judgements.push(texts::Judgement {
                chart: chart.clone(),
                before: pair.old.as_ref().map(|place| place.tree.clone()),
                after: pair.new.as_ref().filter(|_| !pair.removed).map(|place| place.tree.clone()),
                commits,
                preview: judged.preview,
                checks: judged.entries,
                signed,
                outside,
                asked,
            });
        }
        store.flush().await?;
        Ok(judgements)
    }

    /// The commits of the pull request that touch a chart, newest first.
    async fn commits_of(&self, chart: &ChartName) -> Result<Vec<Counted>, FlowError> {
        let mut counted = Vec::new();
        for commit in self.commits.iter().filter(|commit| commit.parents.len() < 2) {
            if super::history::charts_touched(self.train, &self.patterns, commit).await?.contains(chart) {
                let Commit { id, author, committed, message, .. } = super::history::commit_of(commit);
                counted.push(Counted { id, author, committed, message, pull: Some(self.pull) });
            }
        }
        Ok(counted)
    }
}
