//! What the gates of a release must say: about this chart, on the right branch, by main's configuration.

use super::report::Refusal;
use super::rules::Rule;
use super::walk::{Said, Walk};
use crate::domain::branch::Names;
use crate::domain::configuration::{CONFIGURATION_FILE, Configuration};
use crate::domain::digest::Sha256;
use crate::domain::policy::Epoch;
use crate::domain::statement::Gate;

/// Every gate was passed, by this chart; the release gate shows by what it decided.
pub(super) fn check(walk: &Walk<'_>, epoch: &Epoch) -> Vec<Refusal> {
    let mut refused = Vec::new();
    for said in [&walk.enforce, &walk.release_gate, &walk.root] {
        if !said.says.passed {
            refused.push(said.refuse(Rule::GateDecision, "the gate was not passed"));
        }
        // What SLSA level a release has, nobody can tell from these statements.
        for level in said.says.levels.iter().filter(|level| !level.starts_with("CHARTFLOW_")) {
            refused.push(said.refuse(Rule::GateDecision, format!("the gate claims the level {level:?}, of which the lineage holds no evidence")));
        }
    }
    refused.extend(makers(walk, epoch));
    match configured(walk) {
        Ok(names) => refused.extend(branches(walk, &names)),
        Err(refusal) => refused.push(refusal),
    }
    refused
}

/// One workflow made every gate, bump and build: the policy's, where it names one.
fn makers(walk: &Walk<'_>, epoch: &Epoch) -> Vec<Refusal> {
    let signer = epoch.signer.as_ref().map(|signer| signer.uri.split_once('@').map_or(signer.uri.as_str(), |(uri, _)| uri));
    let expected = signer.unwrap_or(&walk.root.says.verifier);
    let made = [
        (walk.enforce.entry, &walk.enforce.says.verifier),
        (walk.bump.entry, &walk.bump.says.builder),
        (walk.release_gate.entry, &walk.release_gate.says.verifier),
        (walk.build.entry, &walk.build.says.builder),
        (walk.root.entry, &walk.root.says.verifier),
    ];
    let others = made.into_iter().filter(|(_, maker)| maker.as_str() != expected);
    others.map(|(entry, maker)| super::walk::refuse(entry, Rule::GatePolicy, format!("it names {maker:?} as its maker, not {expected:?}"))).collect()
}

/// The names by the configuration that the release gate holds and no other gate does.
fn configured(walk: &Walk<'_>) -> Result<Names, Refusal> {
    let gate = &walk.release_gate;
    if let Some(other) = [&walk.enforce, &walk.root].into_iter().find(|said| said.says.configuration.is_some()) {
        return Err(other.refuse(Rule::GatePolicy, "only the release gate holds a configuration"));
    }
    let text = match &gate.says.configuration {
        Some(text) if Sha256::of(text.as_bytes()) == gate.says.policy.sha256 => text,
        Some(_) => return Err(gate.refuse(Rule::GatePolicy, "the configuration in the release gate is not the one it decided by")),
        None => return Err(gate.refuse(Rule::GatePolicy, "the release gate does not hold the configuration it decided by")),
    };
    match Configuration::read(text.as_bytes()) {
        Ok(configuration) => Ok(Names::new(&configuration)),
        Err(error) => Err(gate.refuse(Rule::GatePolicy, format!("the configuration in the release gate cannot be read: {}", super::lines::causes(&error)))),
    }
}

fn branches(walk: &Walk<'_>, names: &Names) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let source = &walk.root.entry.statement.source;
    let Ok(chart_branch) = names.chart_branch(&source.chart) else {
        return vec![walk.promotion.refuse(Rule::GateResource, "chart and configuration make no branch name")];
    };
    if walk.promotion.says.branch != chart_branch {
        let message = format!("the chart was promoted to {}, its branch is {chart_branch}", walk.promotion.says.branch);
        refused.push(walk.promotion.refuse(Rule::GateResource, message));
    }
    let policy = format!("git+{}/{}@refs/heads/{}#{CONFIGURATION_FILE}", source.server, source.repository, names.main());
    let mut compare = |said: &Said<'_, Gate>, branch: &str| {
        let expected = source.resource(&format!("refs/heads/{branch}"));
        if said.says.resource != expected {
            refused.push(said.refuse(Rule::GateResource, format!("the gate decided about {:?}, not about {expected:?}", said.says.resource)));
        }
        if said.says.policy.uri != policy {
            refused.push(said.refuse(Rule::GatePolicy, format!("the gate decided by {:?}, not by {policy:?}", said.says.policy.uri)));
        }
    };
    compare(&walk.enforce, chart_branch.as_str());
    compare(&walk.release_gate, chart_branch.as_str());
    compare(&walk.root, names.release().as_str());
    refused
}
