//! `attest`: what a check that runs outside chartflow found on a chart's content, as a signed statement (row 1k).
//!
//! What the statement is about is computed from the commit. Nobody hands in a digest of a content.

use std::collections::BTreeMap;

use super::bump::content_subject;
use super::checks::dependency_contents;
use super::listing::{root, subtree};
use super::package::local_dependencies;
use super::store::Store;
use super::tips::{Difference, Tips, chart_name, place};
use super::{FlowError, Outcome, Report, Train};
use crate::domain::detection::Globs;
use crate::domain::digest::{CommitId, Sha256};
use crate::domain::event::StageName;
use crate::domain::names::RepoPath;
use crate::domain::statement::{CheckResult, Checks, Predicate, Row, Source, Stage, Statement};
use serde_json::json;

/// What an outside check hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The key of the check in the configuration's `checks.outside`.
    pub check: String,
    /// How it ended.
    pub result: CheckResult,
    /// The chart's directory.
    pub path: RepoPath,
    /// The commit whose content was checked.
    pub commit: CommitId,
    /// What the check ran by, such as its program and rules: a digest for each name.
    pub definitions: BTreeMap<String, Sha256>,
    /// The contribution that the check ran for, where it is known. It is a hint: its description shows the result.
    pub pull: Option<u64>,
}

/// Signs and stores what a check found, starts `filter` when it passed, and `validate` where the contribution is known.
///
/// # Errors
/// When the commit cannot be read, or GitHub, the store or the signer fails.
pub async fn run(train: &Train, request: &Request) -> Result<Report, FlowError> {
    let mut report = Report::new(Stage::Validate);
    let tips = Tips::read(train).await?;
    let check = &request.check;
    if !tips.configuration.configuration.checks.outside.contains_key(check) {
        let hint = format!("add `checks: {{outside: {{{check}: {{workflow: .github/workflows/{check}.yml}}}}}}` to .chartflow.yaml on {}", tips.names.main());
        report.refuse(None, "attest/unknown-check", format!("the configuration knows no outside check {check:?}"), hint);
        return Ok(report);
    }
    let commit_root = root(&*train.objects, &request.commit).await?;
    let tree = subtree(&*train.objects, &commit_root, request.path.as_str()).await?;
    let found = match &tree {
        Some(tree) => chart_name(train, &request.path, tree).await?,
        None => Ok(None),
    };
    let (chart, tree) = match (found, tree) {
        (Ok(Some(chart)), Some(tree)) => (chart, tree),
        (Err(problem), _) => {
            report.refuse(None, "attest/no-chart", format!("{}: {problem}", request.path), "mend its Chart.yaml, then run the check again");
            return Ok(report);
        }
        _ => {
            let message = format!("{} holds no chart at commit {}", request.path, request.commit);
            report.refuse(None, "attest/no-chart", message, "name the chart's directory, and the commit that the check looked at");
            return Ok(report);
        }
    };
    let files = train.objects.files(&tree).await?;
    let content = files.content_id()?;
    // The same surroundings that the built-in checks name: main's content, and dependencies as integration has them.
    let patterns = Globs::new(&tips.configuration.configuration.charts)?;
    let main_root = root(&*train.objects, &tips.main).await?;
    let difference = Difference::between(train, &patterns, &main_root, &commit_root).await?;
    let old = match difference.charts.get(&chart) {
        Some(pair) => pair.old.clone(),
        None => place(train, &tips.main, &request.path).await?,
    };
    let base = match &old {
        Some(old) => Some(train.objects.files(&old.tree).await?.content_id()?),
        None => None,
    };
    let integration = root(&*train.objects, &tips.integration).await?;
    let dependencies = local_dependencies(&*train.objects, &integration, &request.path, &files).await?;
    let keys = |wanted: CheckResult| if request.result == wanted { vec![check.clone()] } else { Vec::new() };
    let statement = Statement {
        stage: Stage::Validate,
        source: Source {
            server: train.home.server.clone(),
            repository: train.github.repository_name().clone(),
            id: train.home.id,
            chart: chart.clone(),
            path: request.path.clone(),
        },
        subject: content_subject(&request.path, &content),
        inputs: Vec::new(),
        predicate: Predicate::Checks(Checks {
            result: request.result,
            passed: keys(CheckResult::Passed),
            warned: keys(CheckResult::Warned),
            failed: keys(CheckResult::Failed),
            definitions: request.definitions.clone(),
            base,
            dependencies: dependency_contents(&dependencies)?,
            configuration: tips.configuration.digest,
            outside: Some(check.clone()),
        }),
    };
    let mut store = Store::new(train, &tips);
    let last = store.about(&chart, &tree).await?.into_iter().rfind(|line| {
        line.row() == Some(Row::OutsideCheck) && matches!(&line.statement.predicate, Predicate::Checks(checks) if checks.outside.as_ref() == Some(check))
    });
    let word = match request.result {
        CheckResult::Passed => "passed",
        CheckResult::Warned => "passed with warnings",
        CheckResult::Failed => "failed",
    };
    if last.is_some_and(|last| last.statement == statement) {
        report.add(Some(&chart), Outcome::Nothing, format!("that {check} {word} is recorded already"));
        return Ok(report);
    }
    // The newest word counts, so what was said before another result is said again.
    let line = store.sign_anew(statement).await?;
    store.flush().await?;
    report.add(Some(&chart), Outcome::Done, format!("recorded that {check} {word} on {tree} as sha256:{}", line.digest));
    if let (Some(pull), Some(kind)) = (request.pull, StageName::Validate.dispatch_type()) {
        train.github.dispatch(kind, &json!({ "pull": pull })).await?;
    }
    if let (true, Some(kind)) = (request.result != CheckResult::Failed, StageName::Filter.dispatch_type()) {
        train.github.dispatch(kind, &json!({ "chart": chart })).await?;
    }
    Ok(report)
}
