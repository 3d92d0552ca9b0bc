//! Stage 3: proves that a pull request to a chart's branch carries exactly that chart's content on integration, or its
//! re-derived bump, and nothing else; then signs the gate and merges, or closes it with the reason, or waits.

use std::collections::BTreeSet;

use super::bump::derive;
use super::compose::agree_outside;
use super::judge::{Chain, chain};
use super::listing::root;
use super::store::Store;
use super::succession::announced;
use super::tips::{Difference, Pair, Tips, counterpart, place};
use super::{FlowError, Outcome, Report, Train, texts};
use crate::domain::detection::Globs;
use crate::domain::digest::CommitId;
use crate::domain::names::{BranchName, ChartName};
use crate::domain::pull::body::refusal;
use crate::domain::statement::{Gate, PolicyReference, Predicate, Source, Stage, Statement};
use crate::plan::enforce::{Action, Facts, Origin, plan};
use crate::port::github::{Merge, MergeMethod, Pull, PullFilter, Status, StatusState};

/// The status that a chart's branch demands.
pub const STATUS: &str = "chartflow/enforce";

/// Judges one pull request, or every open one into a chart's branch.
///
/// # Errors
/// When GitHub, the store or the signer fails.
pub async fn run(train: &Train, hint: Option<u64>) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Enforce);
    let hinted = super::pulls::hinted(train, hint).await?;
    if hinted.as_ref().is_some_and(Vec::is_empty) {
        return Ok(report);
    }
    let tips = Tips::read(train).await?;
    let pulls = match hinted {
        Some(pulls) => pulls,
        None => candidates(train, &tips).await?,
    };
    let mut moved = BTreeSet::new();
    let mut store = Store::new(train, &tips);
    for pull in pulls {
        let chart = BranchName::new(pull.base.branch.clone()).ok().and_then(|branch| tips.names.chart_of_branch(&branch));
        let Some((chart, tip)) = chart.and_then(|chart| Some((chart.clone(), tips.charts.get(&chart)?.clone()))) else { continue };
        if moved.contains(&chart) {
            report.add(Some(&chart), Outcome::Waiting, format!("pull request {}: the branch has just moved", pull.number));
            continue;
        }
        let mut job = Job { train, tips: &tips, store: &mut store, chart, tip };
        if job.judge(&pull, &mut report).await? {
            moved.insert(job.chart);
        }
    }
    announced(train, report).await
}

async fn candidates(train: &Train, tips: &Tips) -> Result<Vec<Pull>, FlowError> {
    let mut pulls = Vec::new();
    for chart in tips.charts.keys() {
        let base = Some(tips.names.chart_branch(chart)?.to_string());
        pulls.extend(train.github.list_pulls(&PullFilter { base, ..PullFilter::default() }).await?);
    }
    Ok(pulls)
}

struct Job<'a> {
    train: &'a Train,
    tips: &'a Tips,
    store: &'a mut Store,
    chart: ChartName,
    tip: CommitId,
}

impl Job<'_> {
    /// Whether the branch moved.
    async fn judge(&mut self, pull: &Pull, report: &mut Report) -> Result<bool, FlowError> {
        let Seen { facts, pair, chain } = self.facts(pull).await?;
        let chart = Some(&self.chart);
        match plan(&facts) {
            Action::Merge => return self.merge(pull, &facts, pair.as_ref().zip(chain.as_ref()), report).await,
            Action::Wait { reason } => report.add(chart, Outcome::Waiting, format!("pull request {}: {reason}", pull.number)),
            Action::Refuse { reason } => {
                let github = &self.train.github;
                let description = Some(reason.to_string());
                github.create_status(&pull.head.sha, &Status { context: STATUS.to_owned(), state: StatusState::Failure, description }).await?;
                let hint = format!("open the pull request against {} instead; only its content travels on", self.tips.names.integration());
                github.comment(pull.number, &refusal(reason.rule(), &reason.to_string(), &hint)).await?;
                github.close_pull(pull.number).await?;
                report.refuse(chart, reason.rule(), format!("pull request {}: {reason}", pull.number), hint);
            }
        }
        Ok(false)
    }

    async fn facts(&mut self, pull: &Pull) -> Result<Seen, FlowError> {
        let objects = &*self.train.objects;
        let patterns = Globs::new(&self.tips.configuration.configuration.charts)?;
        let head = objects.commit(&pull.head.sha).await?;
        let tip_root = root(objects, &self.tip).await?;
        let base = objects.merge_base(&self.tips.main, &self.tip).await?;
        let base_root = match &base {
            Some(base) => root(objects, base).await?,
            None => tip_root.clone(),
        };
        let difference = Difference::between(self.train, &patterns, &base_root, &head.tree).await?;
        let pair = difference.charts.get(&self.chart).cloned();
        let paths = pair.as_ref().map(Pair::paths).unwrap_or_default();
        let first_parent = match &base {
            Some(base) => on_first_parent(self.train, &self.tips.main, base).await?,
            None => false,
        };
        let integration_root = root(objects, &self.tips.integration).await?;
        let known = (&base_root, pair.as_ref().and_then(|pair| pair.old.as_ref()));
        let integration = counterpart(self.train, &patterns, &self.chart, known, &integration_root).await?;
        // What the branch holds by now may stand in another directory than what the head brings.
        let branch = Difference::between(self.train, &patterns, &base_root, &tip_root).await?;
        let branch_paths = branch.charts.get(&self.chart).map(Pair::paths).unwrap_or_default();
        let (origin, chain) = self.origin(pair.as_ref()).await?;
        let facts = Facts {
            chart: self.chart.clone(),
            own_repository: !pull.from_fork(),
            on_tip: head.parents == [self.tip.clone()],
            only_this_chart: agree_outside(objects, &base_root, &head.tree, &paths).await?,
            branch_sound: first_parent && agree_outside(objects, &base_root, &tip_root, &branch_paths).await?,
            head: pair.as_ref().and_then(|pair| pair.new.clone()),
            integration,
            origin,
        };
        Ok(Seen { facts, pair, chain })
    }

    /// What explains the content at the head.
    async fn origin(&mut self, pair: Option<&Pair>) -> Result<(Origin, Option<Chain>), FlowError> {
        let Some(pair) = pair else { return Ok((Origin::Unsigned, None)) };
        let tree = super::content_tree(pair.new.as_ref())?;
        let Some(chain) = chain(self.store, &self.chart, &tree).await? else { return Ok((Origin::Unsigned, None)) };
        let Some(promotion) = chain.promotion() else { return Ok((Origin::Unsigned, None)) };
        if chain.bump.is_some() {
            let derived = match derive(self.train, self.tips, &self.chart, &chain, pair.old.as_ref()).await {
                // What it was derived from is no longer below it.
                Err(error) if error.is_content() => return Ok((Origin::WrongBump, Some(chain))),
                derived => derived?,
            };
            let same = derived.content.sha1 == tree
                && derived.statement.predicate == chain.bump.as_ref().map_or(derived.statement.predicate.clone(), |bump| bump.statement.predicate.clone());
            return Ok((if same { Origin::Bump } else { Origin::WrongBump }, Some(chain)));
        }
        let source = match pair.path() {
            Some(path) => place(self.train, &promotion.commit, path).await?,
            None => None,
        };
        let complete = super::checks_complete(self.train, self.tips, &chain, pair.old.as_ref());
        Ok((if source == pair.new && complete { Origin::Promotion } else { Origin::Unsigned }, Some(chain)))
    }

    async fn merge(&mut self, pull: &Pull, facts: &Facts, found: Option<(&Pair, &Chain)>, report: &mut Report) -> Result<bool, FlowError> {
        let github = &self.train.github;
        let bump = facts.origin == Origin::Bump;
        if let (false, Some((pair, chain))) = (bump, found) {
            let statement = gate(self.train, self.tips, chain, &self.chart)?;
            let signed = self.store.sign(statement).await?;
            self.store.flush().await?;
            self.describe(pull, pair, &Chain { enforce: Some(signed), ..chain.clone() }, report).await?;
        }
        let description = Some(if bump { "exactly the re-derived bump" } else { "exactly this chart's content on integration" }.to_owned());
        github.create_status(&pull.head.sha, &Status { context: STATUS.to_owned(), state: StatusState::Success, description }).await?;
        match github
            .merge_pull(
                pull.number,
                &pull.head.sha,
                MergeMethod::Merge,
                &texts::merge_title(pull),
                &texts::merge_message(&self.chart, found.map(|(_, chain)| chain)),
            )
            .await?
        {
            Merge::Merged(_) => {
                github.delete_ref(&format!("heads/{}", pull.head.branch)).await?;
                report.add(Some(&self.chart), Outcome::Done, format!("merged pull request {} into {}", pull.number, pull.base.branch));
                Ok(true)
            }
            Merge::Refused(words) => {
                report.add(Some(&self.chart), Outcome::Waiting, format!("pull request {} could not be merged: {words}", pull.number));
                Ok(false)
            }
        }
    }

    /// Shows the gate in the description. Behind the merge, a crash would leave it out for ever.
    async fn describe(&self, pull: &Pull, pair: &Pair, chain: &Chain, report: &mut Report) -> Result<(), FlowError> {
        let Some(promotion) = chain.promotion() else { return Ok(()) };
        let sides = texts::sides(self.train, chain, pair.old.as_ref(), pair.new.as_ref()).await?;
        match texts::Words::new(self.train, self.tips).promotion_body(&self.chart, promotion, &sides, &chain.lines(), &pull.body) {
            Ok(body) if body != pull.body => drop(self.train.github.describe_pull(pull.number, None, &body).await?),
            Ok(_) => {}
            // It is a view, and the pull request goes on its way: nothing is left to do for anybody.
            Err(full) => report.add(Some(&self.chart), Outcome::Done, format!("left the description of pull request {} as it is: {full}", pull.number)),
        }
        Ok(())
    }
}

/// What is known of one head.
struct Seen {
    facts: Facts,
    pair: Option<Pair>,
    chain: Option<Chain>,
}

/// Row 3: the gate of the chart's branch.
fn gate(train: &Train, tips: &Tips, chain: &Chain, chart: &ChartName) -> Result<Statement, FlowError> {
    let promotion = &chain.promotion.statement;
    let source = Source { ..promotion.source.clone() };
    let branch = tips.names.chart_branch(chart)?;
    let predicate = Predicate::Gate(Gate {
        verifier: train.home.builder.clone(),
        resource: train.resource(&format!("refs/heads/{branch}"), &source.path),
        policy: configuration_reference(train, tips),
        passed: true,
        levels: vec!["CHARTFLOW_PROMOTED".to_owned()],
        configuration: None,
        downloaded: Vec::new(),
    });
    let inputs = chain.checks.iter().chain([&chain.promotion]).map(super::store::Signed::as_input).collect();
    Ok(Statement { stage: Stage::Enforce, source, subject: promotion.subject.clone(), inputs, predicate })
}

/// The configuration that gates decide by.
pub(crate) fn configuration_reference(train: &Train, tips: &Tips) -> PolicyReference {
    let uri = format!("git+{}/{}@refs/heads/{}#{}", train.home.server, train.github.repository_name(), train.home.default_branch, super::tips::CONFIGURATION);
    PolicyReference { uri, sha256: tips.configuration.digest }
}

/// Whether a commit is on main's first-parent line.
async fn on_first_parent(train: &Train, main: &CommitId, commit: &CommitId) -> Result<bool, FlowError> {
    let wanted = train.objects.commit(commit).await?;
    let mut at = train.objects.commit(main).await?;
    loop {
        if at.id == wanted.id {
            return Ok(true);
        }
        let Some(parent) = at.parents.first() else { return Ok(false) };
        at = train.objects.commit(parent).await?;
    }
}
