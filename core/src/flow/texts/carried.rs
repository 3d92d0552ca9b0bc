//! What is said on the pull requests that carry one chart: the promotion, the bump, and the one to main.

use std::collections::BTreeSet;

use semver::Version;

use super::{Described, Numbers, Sides, Words, count, counted, map_of};
use crate::domain::chart::Metadata;
use crate::domain::commit::conventional::changes;
use crate::domain::configuration::Versions;
use crate::domain::digest::TreeId;
use crate::domain::names::ChartName;
use crate::domain::pull::body::{self, Carried, Lineage, Place, State};
use crate::domain::pull::{describe, title};
use crate::domain::statement::{Bump, Level, Predicate, Promotion};
use crate::domain::version;
use crate::flow::bump::Derived;
use crate::flow::judge::Chain;
use crate::flow::preview::policy;
use crate::flow::store::Signed;

impl Words {
    /// Stage 2: the description of the pull request that carries one chart.
    pub(crate) fn promotion_body(&self, chart: &ChartName, promotion: &Promotion, sides: &Sides, lines: &[Signed], old: &str) -> Described {
        let carried = Carried {
            checks: self.checklist(lines, &Numbers::new(), &["enforce/gate"]),
            ..carried(chart, promotion, sides.clone(), [Place::Integration, Place::Promoted])
        };
        let section = body::promotion(&carried, &promotion.commit, &promotion.branch, &self.links);
        describe(old, &section, &map_of([(chart, &carried.checks[..])]))
    }

    /// Stage 5: the description of the pull request that brings the version in.
    pub(crate) fn bump_body(&self, chart: &ChartName, chain: &Chain, derived: &Derived, bump: &Signed, old: &str) -> Described {
        let Some(promotion) = chain.promotion() else { return Ok(old.to_owned()) };
        let state = |text: &str, content: &TreeId| State { version: Version::parse(text).ok(), content: content.clone() };
        let before = derived.from.as_deref().zip(base(chain)).map(|(from, content)| state(from, &content));
        let sides = Sides { before, after: Some(state(&derived.to, &derived.content.sha1)) };
        let mut lines = chain.lines();
        lines.push(bump.clone());
        let mut carried = Carried {
            decision: Some((derived.level, derived.reason.clone())),
            checks: self.checklist(&lines, &Numbers::new(), &[]),
            ..carried(chart, promotion, sides, [Place::Promoted, Place::Bumped])
        };
        carried.lineage.version = Version::parse(&derived.to).ok();
        describe(old, &body::bump(&carried, &promotion.branch, &self.links), &map_of([(chart, &carried.checks[..])]))
    }

    /// Stage 4: title and description of the pull request to main.
    pub(crate) fn to_main(&self, chart: &ChartName, chain: &Chain, sides: &Sides, old: &str) -> (String, Described) {
        let Some(promotion) = chain.promotion() else { return (title::to_main(chart, None, false), Ok(old.to_owned())) };
        let bump = chain.bump();
        let version = bump.filter(|bump| bump.level != Level::None).and_then(|bump| Version::parse(&bump.to).ok());
        let expected: &[&str] = if promotion.removed { &["enforce/gate", "bump/release-gate"] } else { &["enforce/gate", "bump/version", "bump/release-gate"] };
        let mut carried = Carried {
            decision: bump.map(|bump| (bump.level, reason(bump))),
            checks: self.checklist(&chain.lines(), &Numbers::new(), expected),
            ..carried(chart, promotion, sides.clone(), [if bump.is_some() { Place::Bumped } else { Place::Promoted }, Place::Main])
        };
        carried.lineage.tag = version.as_ref().and_then(|version| self.names.tag(chart, version).ok());
        carried.lineage.version.clone_from(&version);
        carried.lineage.unreleased |= bump.is_some_and(|bump| bump.level == Level::None);
        let section = body::to_main(&carried, &self.hold_label, &self.links);
        (title::to_main(chart, version.as_ref(), promotion.removed), describe(old, &section, &map_of([(chart, &carried.checks[..])])))
    }
}

/// What a promotion says, for a pull request that brings the content from one place to another.
pub(super) fn carried(chart: &ChartName, promotion: &Promotion, sides: Sides, [at, to]: [Place; 2]) -> Carried {
    let pulls: BTreeSet<u64> = promotion.contributions.iter().map(|pull| pull.pull).chain(promotion.commits.iter().filter_map(|commit| commit.pull)).collect();
    let omitted = promotion.omitted.iter().map(|omitted| {
        let number = usize::try_from(omitted.count).unwrap_or(usize::MAX);
        format!("Not listed: {}, none of which decides the version.", count(number, "more commit"))
    });
    Carried {
        chart: chart.clone(),
        before: sides.before,
        after: sides.after,
        decision: None,
        commits: counted(&promotion.commits),
        checks: Vec::new(),
        lineage: Lineage {
            pulls: pulls.into_iter().collect(),
            source: Some(promotion.commit.clone()),
            branch: promotion.branch.clone(),
            version: None,
            tag: None,
            at,
            step: Some(to),
            unreleased: promotion.removed,
        },
        notices: omitted.collect(),
    }
}

/// Main's content beside which the checks of a chain ran.
fn base(chain: &Chain) -> Option<TreeId> {
    chain.checks.iter().find_map(|line| match &line.statement.predicate {
        Predicate::Checks(checks) => checks.base.as_ref().map(|base| base.sha1.clone()),
        _ => None,
    })
}

/// Why a signed bump has its version: decided again from what the statement says.
pub(super) fn reason(bump: &Bump) -> String {
    let decide = || {
        let parse = |text: &Option<String>| text.as_deref().map(Version::parse).transpose().ok();
        let versions = match bump.versions.as_str() {
            "commits" => Versions::Commits,
            "contributed" => Versions::Contributed,
            _ => Versions::Higher,
        };
        let messages = bump.commits.iter().rev().map(|commit| commit.message.as_str());
        let facts = version::Facts {
            main: parse(&bump.from)?,
            contributed: Metadata::read("Chart.yaml", &bump.witness.chart_yaml).and_then(|metadata| metadata.release_version()).ok()?,
            floor: parse(&bump.floor)?,
            level: bump.level,
            policy: policy(versions),
            release_as: messages.flat_map(changes).find_map(|change| change.release_as()?.ok()),
        };
        version::decide(&facts).ok().filter(|decision| decision.version.to_string() == bump.to)
    };
    decide().map_or_else(|| "as the bump says".to_owned(), |decision| decision.reason.to_string())
}
