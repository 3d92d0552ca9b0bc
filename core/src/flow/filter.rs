//! Stage 2: for each chart that is due, signs what checks its exact content still lacks and the promotion, and opens
//! the pull request that carries this chart alone onto its branch. What integration has overtaken is withdrawn.

use std::collections::BTreeSet;

use super::bump::{Known, branch_facts, content_subject};
use super::compose::{Graft, commit, graft_unless, point};
use super::history::{Gathered, gather};
use super::judge::{Chain, rests_on};
use super::listing::root;
use super::preview::Preview;
use super::pulls::{offer, open, status};
use super::store::{Signed, Store};
use super::succession::announced;
use super::tag::landed;
use super::tips::{Difference, Pair, Tips, chart_name, place};
use super::{FlowError, Outcome, Report, Train, checks, previous, texts};
use crate::domain::check::layout;
use crate::domain::commit::Author;
use crate::domain::detection::Globs;
use crate::domain::digest::CommitId;
use crate::domain::names::ChartName;
use crate::domain::pull::body::State;
use crate::domain::pull::title;
use crate::domain::statement::{COMMITS_WEIGHT, Predicate, Promotion, Range, Row, Stage, Statement, select};
use crate::plan::Place;
use crate::plan::filter::{Action, Facts, Plan, plan};
use crate::port::github::{PullFilter, RefTarget, Status, StatusState};

/// Promotes every chart that is due.
///
/// # Errors
/// When GitHub, the store or the signer fails.
pub async fn run(train: &Train) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Filter);
    let tips = Tips::read(train).await?;
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let objects = &*train.objects;
    let (main_root, integration_root) = (root(objects, &tips.main).await?, root(objects, &tips.integration).await?);
    let difference = Difference::between(train, &patterns, &main_root, &integration_root).await?;
    for (path, problem) in &difference.unreadable {
        report.refuse(None, "layout/chart-yaml", format!("{path}: {problem}"), "mend the file on integration");
    }
    let mut store = Store::new(train, &tips);
    let charts: BTreeSet<ChartName> = difference.charts.keys().chain(tips.charts.keys()).cloned().collect();
    let mut due = Vec::new();
    for chart in charts {
        let mut job = Job { train, tips: &tips, store: &mut store, difference: &difference, chart };
        if let Some(promotion) = job.decide(&mut report).await? {
            due.push(promotion);
        }
    }
    // One append for all charts of this job, and nothing is shown before it is stored.
    store.flush().await?;
    for promotion in due {
        promotion.open(train, &tips, &mut report).await?;
    }
    announced(train, report).await
}

/// A promotion that is signed and stored, and now needs its pull request.
struct Due {
    chart: ChartName,
    pair: Pair,
    promotion: Promotion,
    lines: Vec<Signed>,
    sides: texts::Sides,
    authors: Vec<Author>,
    /// Whether the branch was withdrawn just now, so that what was listed is gone.
    fresh: bool,
}

struct Job<'a> {
    train: &'a Train,
    tips: &'a Tips,
    store: &'a mut Store,
    difference: &'a Difference,
    chart: ChartName,
}

impl Job<'_> {
    async fn decide(&mut self, report: &mut Report) -> Result<Option<Due>, FlowError> {
        let pair = self.pair().await?;
        if let Some(problem) = self.layout() {
            report.refuse(Some(&self.chart), problem.0, problem.1, problem.2);
            return Ok(None);
        }
        let facts = self.facts(&pair).await?;
        let mut plan = plan(&facts);
        let withdrawn = plan.action == Action::Withdraw;
        // Until the newer content has come to the branch, nobody may merge what it holds.
        let carried = facts.branch.as_ref().and_then(|branch| branch.carried.as_ref());
        let overtaken = !facts.held_by_label && carried.is_some_and(|carried| carried.source != facts.integration);
        if withdrawn {
            self.withdraw(&plan, report).await?;
            // What is due then is decided anew, without the branch.
            plan = crate::plan::filter::plan(&Facts { branch: None, ..facts });
        }
        if !withdrawn && overtaken {
            self.redden(crate::plan::bump::Reason::IntegrationMoved.to_string()).await?;
        }
        let chart = Some(&self.chart);
        match plan.action {
            Action::Nothing | Action::Withdraw => report.add(chart, Outcome::Nothing, plan.reason.to_string()),
            Action::Hold => report.add(chart, Outcome::Waiting, plan.reason.to_string()),
            Action::Promote => return Ok(self.sign(pair, report).await?.map(|due| Due { fresh: withdrawn, ..due })),
        }
        Ok(None)
    }

    /// The chart on integration and main; a chart that differs nowhere is looked up where its branch has it.
    async fn pair(&self) -> Result<Pair, FlowError> {
        if let Some(pair) = self.difference.charts.get(&self.chart) {
            return Ok(pair.clone());
        }
        let path = self.difference.listing.keys().find(|path| path.base_name() == self.chart.as_str()).cloned();
        let path = path.or_else(|| self.tips.configuration.configuration.directories.get(&self.chart).cloned());
        let Some(path) = path else { return Ok(Pair { new: None, old: None, removed: true }) };
        let new = place(self.train, &self.tips.integration, &path).await?;
        let old = place(self.train, &self.tips.main, &path).await?;
        Ok(Pair { removed: new.is_none(), new, old })
    }

    fn layout(&self) -> Option<(&'static str, String, String)> {
        if let Some(paths) = self.difference.doubled.get(&self.chart) {
            return Some((layout::DOUBLED, layout::doubled(&self.chart, paths.iter()), layout::DOUBLED_HINT.to_owned()));
        }
        let renamed = self.difference.renamed.iter().find(|(_, (old, new))| *old == self.chart || *new == self.chart);
        renamed.map(|(path, (old, new))| (layout::RENAMED, layout::renamed(path, old.as_str(), new), layout::renamed_hint(old.as_str(), new)))
    }

    async fn facts(&mut self, pair: &Pair) -> Result<Facts, FlowError> {
        let tip = self.tips.charts.get(&self.chart).cloned();
        let branch = match &tip {
            Some(tip) => {
                let known = Known { path: pair.path(), main: pair.old.as_ref() };
                Some(branch_facts(self.train, self.tips, self.store, &self.chart, tip, known).await?.0)
            }
            None => None,
        };
        let base = self.train.objects.merge_base(&self.tips.main, &self.tips.integration).await?;
        let mut returned = None;
        if let Some(base) = &base {
            for path in pair.old.iter().chain(&pair.new).map(|place| &place.path) {
                returned = returned.or(place(self.train, base, path).await?);
            }
        }
        if let (None, Some(left)) = (&pair.old, &returned)
            && chart_name(self.train, &left.path, &left.tree).await? == Ok(None)
        {
            // A removal came back, and what it left of the directory is no chart on main either.
            returned = None;
        }
        let held_by_label = match &branch {
            Some(branch) if branch.carried.is_some() && branch.carried.as_ref().map(|carried| &carried.source) != Some(&pair.new) => self.held().await?,
            _ => false,
        };
        let waits_for = if pair.removed { Vec::new() } else { checks::pending_dependencies(self.train, self.difference, pair).await? };
        let outside_missing = self.outside_missing(pair).await?;
        Ok(Facts {
            chart: self.chart.clone(),
            integration: pair.new.clone(),
            main: pair.old.clone(),
            returned,
            branch,
            held_by_label,
            waits_for,
            outside_missing,
        })
    }

    async fn held(&self) -> Result<bool, FlowError> {
        let branch = self.tips.names.chart_branch(&self.chart)?;
        let pull = open(self.train, branch.as_str(), self.tips.names.main().as_str()).await?;
        Ok(pull.is_some_and(|pull| pull.has_label(&self.tips.configuration.configuration.hold_label)))
    }

    async fn outside_missing(&mut self, pair: &Pair) -> Result<Vec<String>, FlowError> {
        let skipped = &self.train.home.skips;
        let wanted = self.tips.configuration.configuration.checks.outside.keys();
        let wanted: Vec<String> = wanted.filter(|check| !skipped.contains(check)).cloned().collect();
        let Some(new) = pair.new.as_ref().filter(|_| !wanted.is_empty() && !pair.removed) else { return Ok(Vec::new()) };
        let known = checks::outside(self.store, self.tips, &self.chart, &new.tree, pair.old.as_ref()).await?;
        Ok(wanted.into_iter().filter(|check| !known.iter().any(|(name, _)| name == check)).collect())
    }

    /// Turns main's check on the chart's branch red.
    async fn redden(&self, why: String) -> Result<(), FlowError> {
        let Some(tip) = self.tips.charts.get(&self.chart) else { return Ok(()) };
        let red = Status { context: super::bump::STATUS.to_owned(), state: StatusState::Failure, description: Some(why) };
        status(self.train, false, tip, red).await
    }

    /// Closes what the branch's pull requests are and deletes it; main's check turns red first.
    async fn withdraw(&self, plan: &Plan, report: &mut Report) -> Result<(), FlowError> {
        let (github, names) = (&self.train.github, &self.tips.names);
        let branch = names.chart_branch(&self.chart)?.to_string();
        let text = plan.reason.to_string();
        let merged = plan.reason == crate::plan::filter::Reason::Merged;
        if !merged {
            self.redden(text.clone()).await?;
        }
        if merged {
            // GitHub closes what still aims at a deleted branch; a machine head with it is replaced by the next promotion.
            github.delete_ref(&format!("heads/{branch}")).await?;
            report.add(Some(&self.chart), Outcome::Done, format!("removed {branch}: {text}"));
            return Ok(());
        }
        let mut pulls = github.list_pulls(&PullFilter { head: Some(branch.clone()), ..PullFilter::default() }).await?;
        pulls.extend(github.list_pulls(&PullFilter { base: Some(branch.clone()), ..PullFilter::default() }).await?);
        for pull in pulls {
            if pull.head.branch != branch {
                github.delete_ref(&format!("heads/{}", pull.head.branch)).await?;
            }
            github.close_pull(pull.number).await?;
        }
        github.delete_ref(&format!("heads/{branch}")).await?;
        report.add(Some(&self.chart), Outcome::Done, format!("withdrew {branch}: {text}"));
        Ok(())
    }

    /// Runs what checks the content lacks, and signs rows 1 and 2.
    async fn sign(&mut self, pair: Pair, report: &mut Report) -> Result<Option<Due>, FlowError> {
        let last = landed(self.train, self.tips, self.store, &self.chart, pair.old.as_ref()).await?.map(|landed| landed.chain);
        let gathered = gather(self.train, self.tips, &self.chart, &pair, last.as_ref()).await?;
        let range = gathered.history.range().map_err(|source| FlowError::Chart {
            chart: self.chart.to_string(),
            what: "counting its commits",
            source: Box::new(source),
        })?;
        let integration = root(&*self.train.objects, &self.tips.integration).await?;
        let judging = checks::Judging { root: &integration, commits: &range.counted, doubles: Vec::new(), started: None };
        let judged = checks::judge(self.train, self.tips, &self.chart, &pair, &self.difference.listing, judging).await?;
        report.checks.extend(judged.entries.clone());
        if !judged.passed() {
            for finding in judged.failures() {
                report.refuse_finding(&self.chart, finding);
            }
            return Ok(None);
        }
        let mut lines = vec![self.store.sign(judged.statement.clone()).await?];
        if let Some(new) = &pair.new {
            lines.extend(checks::outside(self.store, self.tips, &self.chart, &new.tree, pair.old.as_ref()).await?.into_iter().map(|(_, line)| line));
        }
        let promotion = self.promotion(&pair, last.as_ref(), &gathered, &range, &judged).await?;
        let statement = Statement {
            stage: Stage::Filter,
            source: judged.statement.source.clone(),
            subject: content_subject(&judged.statement.source.path, &judged.content),
            inputs: lines.iter().map(Signed::as_input).collect(),
            predicate: Predicate::Promotion(promotion.clone()),
        };
        let signed = self.store.sign(statement).await?;
        let about = self.store.about(&self.chart, &judged.content.sha1).await?;
        lines.push(signed.clone());
        // Where `enforce` has been here already, what it said stands.
        lines.extend(about.into_iter().rfind(|line| line.row() == Some(Row::Enforce) && rests_on(line, &signed)));
        let Preview { before, contributed, .. } = judged.preview;
        let state = |place: &Place, version| State { version, content: place.tree.clone() };
        let sides = texts::Sides {
            before: pair.old.as_ref().map(|place| state(place, before)),
            after: pair.new.as_ref().filter(|_| !pair.removed).map(|place| state(place, contributed)),
        };
        Ok(Some(Due { chart: self.chart.clone(), pair, promotion, lines, sides, authors: texts::authors(&range.counted), fresh: false }))
    }

    async fn promotion(
        &mut self,
        pair: &Pair,
        last: Option<&Chain>,
        gathered: &Gathered,
        range: &crate::domain::commit::range::Range,
        judged: &checks::Judged,
    ) -> Result<Promotion, FlowError> {
        let links = texts::links(self.train);
        let (commits, omitted) = select(&range.counted, COMMITS_WEIGHT, |record| texts::weight(&self.chart, &links, record));
        let previous = match last {
            Some(last) => previous::attested(self.train, self.tips, &self.chart, last).await?,
            None => previous::tagged(self.train, self.tips, &self.chart, pair, judged.preview.before.as_ref(), judged.base()).await?,
        };
        let from = last.and_then(Chain::promotion).map(|promotion| promotion.commit.clone()).or_else(|| range.stop.clone());
        let moved = pair.old.as_ref().filter(|old| !pair.removed && pair.new.as_ref().is_some_and(|new| new.path != old.path));
        let pulls: BTreeSet<u64> = range.counted.iter().filter_map(|counted| counted.pull).collect();
        Ok(Promotion {
            commit: self.tips.integration.clone(),
            branch: self.tips.names.chart_branch(&self.chart)?,
            range: Range { from, to: self.tips.integration.clone() },
            commits,
            omitted,
            previous,
            contributions: gathered.records.iter().filter(|record| pulls.contains(&record.pull) || gathered.besides.contains(&record.pull)).cloned().collect(),
            removed_path: moved.map(|old| old.path.clone()),
            removed: pair.removed,
        })
    }
}

impl Due {
    async fn open(self, train: &Train, tips: &Tips, report: &mut Report) -> Result<(), FlowError> {
        let (github, objects) = (&train.github, &*train.objects);
        let branch = tips.names.chart_branch(&self.chart)?.to_string();
        let present = if self.fresh { None } else { tips.charts.get(&self.chart).cloned() };
        let tip: CommitId = match present {
            Some(tip) => tip,
            None => {
                github.create_ref(&format!("heads/{branch}"), tips.main.as_str()).await?;
                tips.main.clone()
            }
        };
        let mut grafts: Vec<Graft> = self.pair.old.iter().map(|place| Graft { path: place.path.clone(), tree: None }).collect();
        if let Some(new) = &self.pair.new {
            grafts.retain(|graft| graft.path != new.path);
            grafts.push(Graft { path: new.path.clone(), tree: Some(new.tree.clone()) });
        }
        // The whole tree is main's with this chart replaced, whatever the branch held before.
        let base = objects.merge_base(&tips.main, &tip).await?.unwrap_or_else(|| tip.clone());
        // Mostly nothing but this chart is pending.
        let integration = root(objects, &tips.integration).await?;
        let tree = graft_unless(github, objects, &root(objects, &base).await?, &grafts, &[integration]).await?;
        let head = tips.names.promote_head(&self.chart)?.to_string();
        let held = if self.fresh { github.get_ref(&format!("heads/{head}")).await?.and_then(RefTarget::commit) } else { tips.branches.get(&head).cloned() };
        let message = texts::promotion_message(&self.chart, &self.promotion, &self.authors);
        let made = commit(github, objects, held.as_ref(), &tree, std::slice::from_ref(&tip), &message).await?;
        point(github, &head, held.as_ref(), &made).await?;
        let title = title::promotion(&self.chart, self.promotion.removed);
        let words = texts::Words::new(train, tips);
        let body = |old: &str| words.promotion_body(&self.chart, &self.promotion, &self.sides, &self.lines, old);
        let offered = offer(train, &head, &branch, &title, false, body).await?;
        report.add(Some(&self.chart), Outcome::Done, format!("promoted in pull request {}", offered.pull.number));
        offered.tell(Some(&self.chart), report);
        Ok(())
    }
}
