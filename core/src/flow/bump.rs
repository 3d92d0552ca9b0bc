//! Stage 5, main's gate: verifies the lineage so far, derives the version and brings it in, lets the pull request
//! through, or keeps it red while something is missing.

mod derivation;
pub(crate) mod following;

use super::compose::{commit, point};
use super::judge::{Chain, chain};
use super::listing::{root, subtree};
use super::pulls::{FULL, offer, status};
use super::store::{Signed, Store};
use super::succession::announced;
use super::tag::{finished, landed};
use super::tips::{Difference, Pair, Tips, counterpart, place};
use super::{FlowError, Outcome, Report, Train, texts};
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::{BranchName, ChartName, RepoPath};
use crate::domain::statement::{Gate, Level, Predicate, Stage, Statement, Subject};
use crate::plan::bump::{Action, Facts, plan};
use crate::plan::{Branch, Place};
use crate::port::github::{NewContent, NewEntry, Pull, PullFilter, Status, StatusState};

pub(crate) use derivation::{Derived, derive};

/// The status that main demands.
pub const STATUS: &str = "chartflow/main";

/// Looks at one pull request to main, or at every open one.
///
/// # Errors
/// When GitHub, the store or the signer fails.
pub async fn run(train: &Train, hint: Option<u64>) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Bump);
    let hinted = super::pulls::hinted(train, hint).await?;
    if hinted.as_ref().is_some_and(Vec::is_empty) {
        return Ok(report);
    }
    let tips = Tips::read(train).await?;
    let main = tips.names.main().to_string();
    let pulls = match hinted {
        Some(pulls) => pulls,
        None => train.github.list_pulls(&PullFilter { base: Some(main.clone()), ..PullFilter::default() }).await?,
    };
    let mut store = Store::new(train, &tips);
    for pull in pulls.into_iter().filter(|pull| pull.open() && pull.base.branch == main) {
        let chart = BranchName::new(pull.head.branch.clone()).ok().and_then(|branch| tips.names.chart_of_branch(&branch));
        match chart.filter(|_| !pull.from_fork()) {
            Some(chart) => Job { train, tips: &tips, store: &mut store, chart, pull: &pull, hinted: hint.is_some() }.run(&mut report).await?,
            None => ordinary(train, &tips, &pull, hint.is_some(), &mut report).await?,
        }
    }
    announced(train, report).await
}

/// A pull request to main that is not the train's: passes when it touches no chart.
async fn ordinary(train: &Train, tips: &Tips, pull: &Pull, hinted: bool, report: &mut Report) -> Result<(), FlowError> {
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let objects = &*train.objects;
    let touched = match objects.merge_base(&tips.main, &pull.head.sha).await? {
        Some(base) => Difference::between(train, &patterns, &root(objects, &base).await?, &root(objects, &pull.head.sha).await?).await?,
        None => Difference::default(),
    };
    let charts: Vec<&str> = touched.charts.keys().map(ChartName::as_str).chain(touched.unreadable.keys().map(RepoPath::as_str)).collect();
    let (state, text) = if charts.is_empty() {
        (StatusState::Success, "touches no chart".to_owned())
    } else {
        (StatusState::Failure, format!("touches {}; charts come through {}", charts.join(", "), tips.names.integration()))
    };
    status(train, hinted, &pull.head.sha, Status { context: STATUS.to_owned(), state, description: Some(text.clone()) }).await?;
    if state == StatusState::Success {
        report.add(None, Outcome::Done, format!("pull request {} {text}", pull.number));
    } else {
        let hint = format!("open the pull request against {}", tips.names.integration());
        report.refuse(None, "flow/chart-on-main", format!("pull request {} {text}", pull.number), hint);
    }
    Ok(())
}

struct Job<'a> {
    train: &'a Train,
    tips: &'a Tips,
    store: &'a mut Store,
    chart: ChartName,
    pull: &'a Pull,
    hinted: bool,
}

impl Job<'_> {
    async fn run(&mut self, report: &mut Report) -> Result<(), FlowError> {
        let Some(tip) = self.tips.charts.get(&self.chart).filter(|tip| **tip == self.pull.head.sha).cloned() else {
            report.add(Some(&self.chart), Outcome::Waiting, "the branch moved; its newest commit is looked at when it is announced");
            return Ok(());
        };
        let (facts, chain) = facts(self.train, self.tips, self.store, &self.chart, &tip, self.pull).await?;
        let mut action = plan(&facts);
        let mut chain = chain;
        if let (Action::Bump, Some(found)) = (&action, &chain) {
            let derived = match derive(self.train, self.tips, &self.chart, found, facts.main.as_ref()).await {
                Err(FlowError::Version { source, .. }) => {
                    return self.refuse(report, "bump/no-version", source.to_string(), source.hint(), "no version can be given").await;
                }
                // What a contributor wrote is in the way of this chart alone.
                Err(error) if error.is_content() => {
                    let hint = "write it more plainly on integration: the bump edits the text of the file and keeps all the rest of it";
                    return self.refuse(report, "bump/unwritable", crate::domain::causes(&error), hint, "the bump cannot be written").await;
                }
                derived => derived?,
            };
            if derived.level != Level::None {
                let main = root(&*self.train.objects, &self.tips.main).await?;
                // A version whose package fails behind its tag would be burnt.
                if let Err(problem) = following::dry_build(self.train, &main, &derived.path, &derived.files, 0).await? {
                    let hint = problem.hint().unwrap_or_else(|| "mend the chart on integration".to_owned());
                    return self.refuse(report, "bump/package", crate::domain::causes(&problem), &hint, "its package cannot be built").await;
                }
            }
            let signed = self.store.sign(derived.statement.clone()).await?;
            if derived.level == Level::None {
                // Nothing that is packaged changed: no version, no second commit, the gate follows at once.
                chain = Some(Chain { bump: Some(signed), ..found.clone() });
                action = Action::Pass;
            } else {
                self.store.flush().await?;
                self.bring_in(&tip, found, &derived, &signed, report).await?;
            }
        }
        self.answer(&facts, &action, chain, report).await
    }

    /// Says no to the content that is on the branch: the chart waits for another, and no other chart waits for it.
    async fn refuse(&self, report: &mut Report, rule: &str, message: String, hint: &str, description: &str) -> Result<(), FlowError> {
        report.refuse(Some(&self.chart), rule, message, hint);
        let status_of_head = Status { context: STATUS.to_owned(), state: StatusState::Failure, description: Some(description.to_owned()) };
        status(self.train, self.hinted, &self.pull.head.sha, status_of_head).await
    }

    async fn answer(&mut self, facts: &Facts, action: &Action, chain: Option<Chain>, report: &mut Report) -> Result<(), FlowError> {
        let name = self.chart.clone();
        let chart = Some(&name);
        let mut passed = None;
        let (state, text) = match action {
            Action::Pass => {
                let Some(chain) = chain else { return Ok(()) };
                if let Some(problem) = self.verify(&chain, facts).await? {
                    report.refuse(chart, "bump/content", problem.clone(), "close the pull request; the chart is promoted again");
                    (StatusState::Failure, problem)
                } else {
                    let gate = self.store.sign(self.gate(&chain)?).await?;
                    passed = Some(Chain { gate: Some(gate), ..chain.clone() });
                    let version = chain.bump().map(|bump| bump.to.clone()).unwrap_or_default();
                    report.add(chart, Outcome::Done, format!("lineage complete; {} {version} may be merged", self.chart));
                    (StatusState::Success, "the lineage is complete".to_owned())
                }
            }
            Action::Bump => (StatusState::Pending, "the version is being brought in".to_owned()),
            Action::Wait { reason } => {
                report.add(chart, Outcome::Waiting, reason.to_string());
                (StatusState::Pending, reason.to_string())
            }
            Action::Red { reason } => {
                report.add(chart, Outcome::Waiting, reason.to_string());
                (StatusState::Failure, reason.to_string())
            }
        };
        self.store.flush().await?;
        if matches!(action, Action::Bump) {
            // A new head has no status, and main demands one; the next head is announced at once.
            return Ok(());
        }
        status(self.train, self.hinted, &self.pull.head.sha, Status { context: STATUS.to_owned(), state, description: Some(text) }).await?;
        match passed {
            Some(chain) => self.describe(&chain, facts, report).await,
            None => Ok(()),
        }
    }

    /// Shows the release gate in the description, unless it is there.
    async fn describe(&self, chain: &Chain, facts: &Facts, report: &mut Report) -> Result<(), FlowError> {
        let sides = texts::sides(self.train, chain, facts.branch.base.as_ref(), facts.branch.place.as_ref()).await?;
        let (title, body) = texts::Words::new(self.train, self.tips).to_main(&self.chart, chain, &sides, &self.pull.body);
        let body = match body {
            Ok(body) => body,
            Err(full) => {
                report.refuse(Some(&self.chart), FULL, format!("pull request {}: {full}", self.pull.number), texts::FULL_HINT);
                return Ok(());
            }
        };
        if (&title, &body) != (&self.pull.title, &self.pull.body) {
            self.train.github.describe_pull(self.pull.number, Some(&title), &body).await?;
        }
        Ok(())
    }

    /// What is wrong with the bump on the branch: it is derived again and compared.
    async fn verify(&mut self, chain: &Chain, facts: &Facts) -> Result<Option<String>, FlowError> {
        if !super::checks_complete(self.train, self.tips, chain, facts.main.as_ref()) {
            return Ok(Some("the checks of the promoted content are not those required now".to_owned()));
        }
        let derived = match derive(self.train, self.tips, &self.chart, chain, facts.main.as_ref()).await {
            Err(error) if error.is_content() => return Ok(Some(crate::domain::causes(&error))),
            derived => derived?,
        };
        let tree = super::content_tree(facts.branch.place.as_ref())?;
        let signed = chain.bump.as_ref().map(|bump| &bump.statement.predicate);
        Ok((derived.content.sha1 != tree || signed != Some(&derived.statement.predicate)).then(|| "the branch is not what the bump derives".to_owned()))
    }

    /// Row 5: the release gate.
    fn gate(&self, chain: &Chain) -> Result<Statement, FlowError> {
        let Some(bump) = &chain.bump else { return Err(FlowError::NoBranch { branch: self.chart.to_string() }) };
        let statement = &bump.statement;
        let branch = self.tips.names.chart_branch(&self.chart)?;
        let predicate = Predicate::Gate(Gate {
            verifier: self.train.home.builder.clone(),
            resource: self.train.resource(&format!("refs/heads/{branch}"), &statement.source.path),
            policy: super::enforce::configuration_reference(self.train, self.tips),
            passed: true,
            levels: vec!["CHARTFLOW_RELEASABLE".to_owned()],
            configuration: Some(String::from_utf8_lossy(&self.tips.configuration.bytes).into_owned()),
            downloaded: Vec::new(),
        });
        let before: Vec<&Signed> = chain.checks.iter().chain([&chain.promotion]).chain(&chain.enforce).chain([bump]).collect();
        let inputs = before.into_iter().map(Signed::as_input).collect();
        Ok(Statement { stage: Stage::Bump, source: statement.source.clone(), subject: statement.subject.clone(), inputs, predicate })
    }

    /// Writes the bump as one commit on the branch's tip and opens its pull request.
    async fn bring_in(&self, tip: &CommitId, chain: &Chain, derived: &Derived, signed: &Signed, report: &mut Report) -> Result<(), FlowError> {
        let (github, objects) = (&self.train.github, &*self.train.objects);
        let base = root(objects, tip).await?;
        let mut entries = Vec::new();
        for (file, (mode, bytes)) in &derived.edits {
            let content = match std::str::from_utf8(bytes) {
                Ok(text) => NewContent::Text(text.to_owned()),
                Err(_) => NewContent::Object(github.create_blob(bytes).await?.to_string()),
            };
            entries.push(NewEntry { path: format!("{}/{file}", derived.path), mode: *mode, content });
        }
        let tree = github.create_tree(Some(&base), &entries).await?;
        let made = subtree(objects, &tree, derived.path.as_str()).await?;
        if made.as_ref() != Some(&derived.content.sha1) {
            let computed = made.map(|tree| tree.to_string()).unwrap_or_default();
            return Err(FlowError::Identity { path: derived.path.to_string(), computed: derived.content.sha1.to_string(), expected: computed });
        }
        let head = self.tips.names.bump_head(&self.chart)?.to_string();
        let held = self.tips.branches.get(&head).cloned();
        let Some(promotion) = chain.promotion() else { return Err(FlowError::NoBranch { branch: self.chart.to_string() }) };
        let message = texts::bump_message(&self.chart, promotion, derived)?;
        let commit = commit(github, objects, held.as_ref(), &tree, std::slice::from_ref(tip), &message).await?;
        point(github, &head, held.as_ref(), &commit).await?;
        let base = self.tips.names.chart_branch(&self.chart)?.to_string();
        let title = texts::bump_title(&self.chart, derived)?;
        let words = texts::Words::new(self.train, self.tips);
        let offered = offer(self.train, &head, &base, &title, false, |old| words.bump_body(&self.chart, chain, derived, signed, old)).await?;
        report.add(
            Some(&self.chart),
            Outcome::Done,
            format!("{} -> {} ({}) in pull request {}", derived.from.as_deref().unwrap_or("new"), derived.to, texts::level(derived.level), offered.pull.number),
        );
        offered.tell(Some(&self.chart), report);
        Ok(())
    }
}

/// What is known of one chart on its way to main.
async fn facts(train: &Train, tips: &Tips, store: &mut Store, chart: &ChartName, tip: &CommitId, pull: &Pull) -> Result<(Facts, Option<Chain>), FlowError> {
    let objects = &*train.objects;
    let (branch, chain, base) = branch_facts(train, tips, store, chart, tip, Known::default()).await?;
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let main_root = root(objects, &tips.main).await?;
    let main = counterpart(train, &patterns, chart, (&base, branch.base.as_ref()), &main_root).await?;
    let returned = match objects.merge_base(&tips.main, &tips.integration).await? {
        Some(commit) if commit == tips.main => main.clone(),
        Some(commit) => counterpart(train, &patterns, chart, (&main_root, main.as_ref()), &root(objects, &commit).await?).await?,
        None => None,
    };
    let integration = counterpart(train, &patterns, chart, (&main_root, main.as_ref()), &root(objects, &tips.integration).await?).await?;
    let main_finished = match finished(train, tips, chart, main.as_ref()).await? {
        true => true,
        // Content that came past the train gets no tag and blocks nothing.
        false => landed(train, tips, store, chart, main.as_ref()).await?.is_none_or(|landed| landed.finished || landed.level() == Some(Level::None)),
    };
    let facts = Facts {
        chart: chart.clone(),
        integration,
        main,
        returned,
        enforced: chain.as_ref().is_some_and(|chain| chain.enforce.is_some()),
        branch,
        main_finished,
        held_by_label: pull.has_label(&tips.configuration.configuration.hold_label),
    };
    Ok((facts, chain))
}

/// What whoever asks for a branch knows of its chart.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    /// Its directory, where the branch does not differ from main.
    pub(crate) path: Option<&'a RepoPath>,
    /// Where main has it. A branch that holds the same is merged, and what it carried is not asked for.
    pub(crate) main: Option<&'a Place>,
}

/// What a chart's branch holds and carries, and the tree of main it was made from.
pub(crate) async fn branch_facts(
    train: &Train,
    tips: &Tips,
    store: &mut Store,
    chart: &ChartName,
    tip: &CommitId,
    known: Known<'_>,
) -> Result<(Branch, Option<Chain>, TreeId), FlowError> {
    let objects = &*train.objects;
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let tip_root = root(objects, tip).await?;
    let base = objects.merge_base(&tips.main, tip).await?.unwrap_or_else(|| tip.clone());
    let base_root = root(objects, &base).await?;
    let difference = Difference::between(train, &patterns, &base_root, &tip_root).await?;
    let pair = match (difference.charts.get(chart), known.path) {
        (Some(pair), _) => pair.clone(),
        (None, Some(path)) => Pair { new: place(train, tip, path).await?, old: place(train, &base, path).await?, removed: false },
        (None, None) => Pair { new: None, old: None, removed: false },
    };
    let only_this_chart = super::compose::agree_outside(objects, &base_root, &tip_root, &pair.paths()).await?;
    let differs = pair.new != pair.old && (pair.new.is_none() || pair.new.as_ref() != known.main);
    let chain = if differs { chain(store, chart, &super::content_tree(pair.new.as_ref())?).await? } else { None };
    let carried = chain.as_ref().and_then(super::carried);
    Ok((Branch { tip: tip.clone(), place: pair.new, base: pair.old, only_this_chart, carried }, chain, base_root))
}

/// The subject of a statement about a content.
pub(crate) fn content_subject(path: &RepoPath, id: &crate::domain::content::ContentId) -> Subject {
    Subject::Content { path: path.clone(), id: id.clone() }
}
