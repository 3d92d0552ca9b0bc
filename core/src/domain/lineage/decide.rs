//! The rules that the verifier's own policy and the meaning of the statements demand.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Refusal;
use super::rules::Rule;
use super::walk::{Walk, refuse};
use crate::domain::chart::version::lenient;
use crate::domain::policy::{Epoch, Policy};
use crate::domain::statement::{CheckResult, Checks, Level, PullRecord, ReviewState, Source, Subject};

/// Everything is about one chart of the policy's repository.
pub(super) fn source(walk: &Walk<'_>, policy: &Policy) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let expected = &walk.root.entry.statement.source;
    for entry in walk.entries() {
        let source = &entry.statement.source;
        if policy.repository.id.is_some_and(|id| id != source.id) || source.id != expected.id || source.repository != policy.repository.name {
            let id = policy.repository.id.map_or_else(String::new, |id| format!(" ({id})"));
            let message = format!("the statement is about {} ({}), the policy trusts {}{id}", source.repository, source.id, policy.repository.name);
            refused.push(refuse(entry, Rule::SourceRepository, message));
        }
        if policy.server.as_ref().is_some_and(|server| *server != source.server) || source.server != expected.server {
            refused.push(refuse(entry, Rule::SourceRepository, format!("the statement is about a repository on {}", source.server)));
        }
        let elsewhere = match &entry.statement.subject {
            Subject::Content { path, .. } => *path != source.path,
            Subject::Package { .. } => false,
        };
        if (&source.chart, &source.path) != (&expected.chart, &expected.path) || elsewhere {
            refused.push(refuse(
                entry,
                Rule::SourceChart,
                format!("the statement is about {} at {}, the root about {} at {}", source.chart, source.path, expected.chart, expected.path),
            ));
        }
    }
    if !policy.charts.is_empty() && policy.charts.get(&expected.chart) != Some(&expected.path) {
        refused.push(walk.root.refuse(Rule::SourceChart, format!("the policy does not list {} at {}", expected.chart, expected.path)));
    }
    refused
}

/// Required checks passed, none failed, all beside the same base and dependencies, none too old.
pub(super) fn checks(walk: &Walk<'_>, epoch: &Epoch) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let built_in = &walk.checks;
    // A warning is no failure: it passed, and says so.
    let passed = |key: &String| built_in.says.passed.contains(key) || built_in.says.warned.contains(key);
    for key in epoch.checks.required.iter().filter(|key| !passed(key)) {
        refused.push(built_in.refuse(Rule::GateMissingCheck, format!("the required check {key:?} has not passed")));
    }
    for key in epoch.checks.outside.keys() {
        match walk.outside.get(key.as_str()) {
            Some(said) if said.says.passed.iter().any(|passed| passed == key) => {}
            Some(said) => refused.push(said.refuse(Rule::GateMissingCheck, format!("the outside check {key:?} has not passed"))),
            None => refused.push(built_in.refuse(Rule::GateMissingCheck, format!("the lineage has no statement of the outside check {key:?}"))),
        }
    }
    for (key, said) in walk.outside.iter().filter(|(key, _)| !epoch.checks.outside.contains_key(**key)) {
        refused.push(said.refuse(Rule::LineageShape, format!("the policy knows no outside check {key:?}")));
    }
    for said in std::iter::once(built_in).chain(walk.outside.values()) {
        if said.says.result == CheckResult::Failed || !said.says.failed.is_empty() {
            refused.push(said.refuse(Rule::GateFailedCheck, format!("failed: {}", said.says.failed.join(", "))));
        }
        let beside = |checks: &Checks| (checks.base.clone(), checks.dependencies.clone());
        if beside(said.says) != beside(built_in.says) {
            refused.push(said.refuse(Rule::GateStaleCheck, "the check ran beside another base or other dependencies than the built-in ones"));
        }
    }
    for (key, said) in &walk.outside {
        let limit = epoch.checks.outside.get(*key).and_then(|check| check.max_age);
        if let (Some(limit), Some(checked), Some(passed)) = (limit, said.entry.signed.time, walk.enforce.entry.signed.time)
            && passed.as_second().saturating_sub(checked.as_second()) > limit.0
        {
            refused.push(said.refuse(Rule::GateStaleCheck, format!("the check was older than {limit} when its gate was passed")));
        }
    }
    refused
}

/// What the records of promotion and tag say agrees with itself: no commit or pull request twice, every commit by a pull
/// request that is named with its reviews, the tag on what the pull request to main became.
pub(super) fn records(walk: &Walk<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let (promotion, says) = (&walk.promotion, walk.promotion.says);
    let mut commits = BTreeSet::new();
    for commit in &says.commits {
        if !commits.insert(&commit.id) {
            refused.push(promotion.refuse(Rule::BumpCommits, format!("the commit {} counts twice", commit.id)));
        }
        if let Some(pull) = commit.pull.filter(|pull| !says.contributions.iter().any(|contribution| contribution.pull == *pull)) {
            refused.push(promotion.refuse(Rule::ReviewCount, format!("the commit {} came by pull request {pull}, of which no review is named", commit.id)));
        }
    }
    let mut pulls = BTreeSet::new();
    for contribution in says.contributions.iter().filter(|contribution| !pulls.insert(contribution.pull)) {
        refused.push(promotion.refuse(Rule::ReviewCount, format!("pull request {} is named twice", contribution.pull)));
    }
    if says.removed {
        refused.push(promotion.refuse(Rule::LineageEdge, "the promotion removes the chart: there is nothing to release"));
    }
    if let Some(pull) = walk.tag.says.pull.as_ref().filter(|pull| pull.merge != walk.tag.says.commit) {
        let message = format!("pull request {} became {}, the tag names {}", pull.pull, pull.merge, walk.tag.says.commit);
        refused.push(walk.tag.refuse(Rule::ReviewCount, message));
    }
    refused
}

/// The range has a beginning where there is a release before, and is not empty while commits are counted.
pub(super) fn range(walk: &Walk<'_>) -> Vec<Refusal> {
    let promotion = &walk.promotion;
    let says = promotion.says;
    match &says.range.from {
        None => match &says.previous {
            Some(previous) => vec![promotion.refuse(Rule::LineageRange, format!("the range begins nowhere, although {} was released before", previous.tag))],
            None => vec![],
        },
        Some(from) if *from == says.range.to && !says.commits.is_empty() => {
            vec![promotion.refuse(Rule::LineageRange, format!("the range begins and ends at {from}, and commits are counted"))]
        }
        Some(_) => vec![],
    }
}

/// The version belongs to these commits and goes up.
pub(super) fn bump(walk: &Walk<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let (bump, promotion) = (&walk.bump, walk.promotion.says);
    if bump.says.commits != promotion.commits || bump.says.omitted != promotion.omitted {
        refused.push(bump.refuse(Rule::BumpCommits, "the bump counts other commits than were promoted"));
    }
    if promotion.range.to != promotion.commit {
        refused.push(walk.promotion.refuse(Rule::BumpCommits, format!("the range ends at {}, but {} was promoted", promotion.range.to, promotion.commit)));
    }
    if bump.says.level == Level::None {
        refused.push(bump.refuse(Rule::BumpLevel, "the level is none: there is nothing to release"));
    }
    if bump.says.level == Level::Initial && bump.says.from.is_some() {
        refused.push(bump.refuse(Rule::BumpLevel, "the level is initial, but the chart was on main before"));
    }
    if bump.says.from.is_some() != walk.checks.says.base.is_some() {
        refused.push(bump.refuse(Rule::BumpVersion, "bump and checks do not agree on whether the chart was on main before"));
    }
    let to = lenient(&bump.says.to);
    for (what, lower) in [("main's", &bump.says.from), ("the floor", &bump.says.floor)] {
        if let Some(text) = lower
            && lenient(text).is_none_or(|lower| to.as_ref().is_none_or(|to| *to <= lower))
        {
            refused.push(bump.refuse(Rule::BumpVersion, format!("the version {} does not go up from {what} {text}", bump.says.to)));
        }
    }
    refused
}

/// The tag has the name that follows from chart and version.
pub(super) fn tag(walk: &Walk<'_>, policy: &Policy) -> Vec<Refusal> {
    let source = &walk.tag.entry.statement.source;
    match policy.tag_of(&source.chart, &walk.bump.says.to) {
        Some(expected) if expected == walk.tag.says.tag => vec![],
        Some(expected) => vec![walk.tag.refuse(Rule::TagName, format!("the tag is {}, not {expected}", walk.tag.says.tag))],
        None => vec![walk.tag.refuse(Rule::TagName, "chart and version make no tag name by the policy's template")],
    }
}

/// How many people other than the author approve the head that was merged, by their last word.
fn approvals(pull: &PullRecord) -> u32 {
    let mut last: BTreeMap<u64, bool> = BTreeMap::new();
    for review in pull.reviews.iter().filter(|review| review.reviewer.id != pull.author.id) {
        match review.state {
            ReviewState::Approved => last.insert(review.reviewer.id, review.head == pull.head),
            ReviewState::ChangesRequested | ReviewState::Dismissed => last.insert(review.reviewer.id, false),
            // A remark leaves an approval as it is.
            ReviewState::Commented => None,
        };
    }
    u32::try_from(last.values().filter(|approved| **approved).count()).unwrap_or(u32::MAX)
}

/// Enough people looked at what was merged.
pub(super) fn reviews(walk: &Walk<'_>, epoch: &Epoch) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let few = |pull: &PullRecord, needed: u32| {
        let count = approvals(pull);
        (count < needed).then(|| format!("pull request {} was approved by {count}, {needed} are demanded", pull.pull))
    };
    if epoch.reviews.integration > 0 {
        if walk.promotion.says.contributions.is_empty() {
            refused.push(walk.promotion.refuse(Rule::ReviewCount, "no contribution is named that could have been reviewed"));
        }
        let contributions = walk.promotion.says.contributions.iter();
        refused.extend(contributions.filter_map(|pull| few(pull, epoch.reviews.integration)).map(|message| walk.promotion.refuse(Rule::ReviewCount, message)));
    }
    if epoch.reviews.main > 0 {
        match &walk.tag.says.pull {
            Some(pull) => refused.extend(few(pull, epoch.reviews.main).map(|message| walk.tag.refuse(Rule::ReviewCount, message))),
            None => refused.push(walk.tag.refuse(Rule::ReviewCount, "no pull request to main is named that could have been reviewed")),
        }
    }
    refused
}

/// The package is built from what was tagged.
pub(super) fn build(walk: &Walk<'_>) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let (build, bump, source) = (&walk.build, walk.bump.says, &walk.build.entry.statement.source);
    if build.says.version != bump.to || build.says.commit != walk.tag.says.commit {
        let message = format!("the package is built as {} from {}; {} at {} was tagged", build.says.version, build.says.commit, bump.to, walk.tag.says.commit);
        refused.push(build.refuse(Rule::PackageSource, message));
    }
    if build.says.epoch != bump.date {
        refused.push(build.refuse(Rule::PackageSource, format!("the package's times are {}, the newest contribution's is {}", build.says.epoch, bump.date)));
    }
    if let Subject::Package { file, reference, .. } = &build.entry.statement.subject {
        let expected = file_name(source, &bump.to);
        if *file != expected {
            refused.push(build.refuse(Rule::ArtifactName, format!("the package is called {file:?}, not {expected:?}")));
        }
        // OCI tags cannot hold a plus sign; helm writes an underscore.
        if !reference.ends_with(&format!("/{}:{}", source.chart, bump.to.replace('+', "_"))) {
            refused.push(build.refuse(Rule::ArtifactName, format!("the OCI reference {reference:?} does not end in chart and version")));
        }
    }
    for built in build.says.dependencies.iter().filter(|built| built.content.is_some()) {
        if !walk.checks.says.dependencies.iter().any(|checked| checked.chart.as_str() == built.name) {
            refused.push(build.refuse(Rule::PackageDependency, format!("the package holds {}, beside which it was not checked", built.name)));
        }
    }
    for dependency in &walk.checks.says.dependencies {
        if !build.says.dependencies.iter().any(|built| built.name == dependency.chart.as_str() && built.content.is_some()) {
            refused.push(build.refuse(Rule::PackageDependency, format!("the package does not hold {}, beside which it was checked", dependency.chart)));
        }
    }
    refused
}

fn file_name(source: &Source, version: &str) -> String {
    format!("{}-{version}.tgz", source.chart)
}
