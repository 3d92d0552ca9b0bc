//! `attest`: a check of the repository's own, as a statement.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::ActionError;
use super::super::identity::Identity;
use super::super::outcome::Ending;
use super::super::signing::{Prepared, Purpose};
use super::super::stage::{Context, ending};
use crate::domain::digest::{CommitId, Sha256};
use crate::domain::event::{Access, Permission, Permissions, StageName};
use crate::domain::names::RepoPath;
use crate::domain::statement::CheckResult;
use crate::flow::attest::{Request, run as attest};

pub(in super::super) async fn run(context: &Context) -> Result<Ending, ActionError> {
    let request = request(context)?;
    let purpose = if context.watch.is_dry() { Purpose::Nothing } else { Purpose::Check(request.check.clone()) };
    let signing = Prepared::read(&context.inputs, &context.environment, purpose)?;
    // A statement is an entry of the store, and starts `filter` and `validate` by dispatches.
    let identity = context.identify(Permissions::from([(Permission::Contents, Access::Write), (Permission::PullRequests, Access::Read)])).await?;
    connected(context, &request, signing, identity).await
}

async fn connected(context: &Context, request: &Request, signing: Prepared, identity: Identity) -> Result<Ending, ActionError> {
    let connection = context.connect(identity).await?;
    let (train, names) = context.train(&connection, signing, Arc::new(context.helm())).await?;
    let report = attest(&train, request).await;
    let mut ending = ending(context, StageName::Validate, &[report?], Some(&names), None);
    ending.summary = ending.summary.replacen("chartflow validate", "chartflow attest", 1);
    Ok(ending)
}

fn request(context: &Context) -> Result<Request, ActionError> {
    let inputs = &context.inputs;
    let unusable = |name: &str, hint: &str, source: Box<dyn std::error::Error + Send + Sync>| ActionError::Unusable {
        what: format!("the input {name}"),
        hint: hint.to_owned(),
        source: Some(source),
    };
    let path = inputs.text("path").unwrap_or_default().trim_end_matches('/');
    let path = RepoPath::new(path).map_err(|error| unusable("path", "name the chart's directory, such as charts/web", Box::new(error)))?;
    let event = &context.event;
    let commit = inputs.text("commit").or_else(|| event.text("/pull_request/head/sha")).or(context.environment.sha.as_deref()).unwrap_or_default();
    let commit = CommitId::new(commit).map_err(|error| unusable("commit", "name the 40 digits of a commit", Box::new(error)))?;
    let definitions: BTreeMap<String, Sha256> = inputs.json("definitions")?.unwrap_or_default();
    let result = match inputs.text("result") {
        Some("failed") => CheckResult::Failed,
        Some("warned") => CheckResult::Warned,
        _ => CheckResult::Passed,
    };
    Ok(Request { check: inputs.text("check").unwrap_or_default().to_owned(), result, path, commit, definitions, pull: event.number("/pull_request/number") })
}
