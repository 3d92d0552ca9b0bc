//! What is said on a contribution.

use super::{Described, Numbers, Words, awaited, map_of};
use crate::domain::commit::range::Counted;
use crate::domain::configuration::Versions;
use crate::domain::digest::TreeId;
use crate::domain::names::ChartName;
use crate::domain::pull::body::{self, CheckLine, CheckState, Contributed, Contribution, Refusal, State};
use crate::domain::pull::{AttestationId, describe};
use crate::domain::statement::Level;
use crate::flow::preview::Preview;
use crate::flow::store::Signed;
use crate::flow::{CheckEntry, Entry};

/// One chart of a contribution, judged.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) chart: ChartName,
    /// Its content on main, and as it is contributed.
    pub(crate) before: Option<TreeId>,
    pub(crate) after: Option<TreeId>,
    /// The commits that touch it, newest first.
    pub(crate) commits: Vec<Counted>,
    pub(crate) preview: Preview,
    pub(crate) checks: Vec<CheckEntry>,
    /// The statement, when all passed.
    pub(crate) signed: Option<Signed>,
    /// Outside checks that are known, and the names of all that are asked for.
    pub(crate) outside: Vec<Signed>,
    pub(crate) asked: Vec<String>,
}

impl Words {
    /// Stage 1: the description of a contribution.
    pub(crate) fn contribution_body(&self, charts: &[Judgement], entries: &[Entry], pull: u64, old: &str) -> Described {
        let charts: Vec<Contributed> = charts.iter().map(|one| self.contributed(one)).collect();
        let refusals: Vec<Refusal> = entries
            .iter()
            .filter_map(|entry| Some(Refusal { rule: entry.rule.clone()?, message: entry.message.clone(), hint: entry.hint.clone().unwrap_or_default() }))
            .collect();
        let contribution = Contribution { pull, charts: &charts, refusals: &refusals, raised_by_hand: self.versions == Versions::Contributed };
        let map = map_of(charts.iter().map(|one| (&one.chart, &one.checks[..])));
        describe(old, &body::contribution(&contribution, &self.links), &map)
    }

    fn contributed(&self, one: &Judgement) -> Contributed {
        let Preview { before, decision, entry, .. } = &one.preview;
        let after = decision.as_ref().map(|decision| decision.version.clone());
        let released = decision.as_ref().filter(|decision| decision.level != Level::None);
        let state = |content: &Option<TreeId>, version| content.clone().map(|content| State { version, content });
        Contributed {
            chart: one.chart.clone(),
            before: state(&one.before, before.clone()),
            after: state(&one.after, after),
            decision: decision.as_ref().map(|decision| (decision.level, decision.reason.to_string())),
            // Each of them is in this very pull request.
            commits: one.commits.iter().map(|commit| Counted { pull: None, ..commit.clone() }).collect(),
            checks: self.judged(one),
            entry: entry.clone(),
            branch: self.names.chart_branch(&one.chart).ok(),
            tag: released.and_then(|decision| self.names.tag(&one.chart, &decision.version).ok()),
        }
    }

    fn judged(&self, one: &Judgement) -> Vec<CheckLine> {
        let signed = one.signed.as_ref().map(|line| (AttestationId::Payload(line.digest.0), self.stored(line)));
        let mut lines: Vec<CheckLine> = one
            .checks
            .iter()
            .map(|check| {
                let state = match check.outcome {
                    "passed" => CheckState::Passed,
                    "skipped" => CheckState::Skipped,
                    _ => CheckState::Failed,
                };
                let (attestation, url) = signed.clone().filter(|_| state == CheckState::Passed).unzip();
                let message = (check.message != check.outcome).then(|| check.message.clone());
                CheckLine { key: format!("validate/{}", check.check), state, message, attestation, url }
            })
            .collect();
        let known = self.checklist(&one.outside, &Numbers::new(), &[]);
        let awaited = one.asked.iter().map(|check| awaited(&format!("validate/{check}"))).filter(|line| known.iter().all(|known| known.key != line.key));
        lines.extend(awaited.collect::<Vec<_>>());
        lines.extend(known);
        lines
    }
}
