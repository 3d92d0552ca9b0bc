//! What was contributed, and what the releases say they took.

use std::collections::BTreeMap;

use chartflow_core::domain::names::ChartName;
use chartflow_core::domain::statement::{Bump, Predicate, Row};
use chartflow_core::flow::store::Signed;
use chartflow_core::io::git::ready;
use chartflow_core::port::objects::Objects as _;

use crate::brakes::Brakes;
use crate::world::World;

/// A pull request to integration: which commits (by message, which is never used twice) it brings to which charts.
#[derive(Debug, Clone)]
pub struct Contribution {
    /// Chart and message.
    pub tokens: Vec<(String, String)>,
}

/// Contributions by the number of their pull request.
pub type Expected = BTreeMap<u64, Contribution>;

/// One content of one chart that came to main after adoption.
#[derive(Debug)]
pub struct Arrival {
    /// The chart's directory below `charts/`.
    pub chart: String,
    /// The commit of main.
    pub commit: String,
    /// The bump that carried it, when there is a complete lineage up to the release gate.
    pub bump: Option<Bump>,
}

impl World {
    /// Every valid line of the store, oldest file first.
    #[must_use]
    pub fn statements(&self) -> Vec<Signed> {
        let Some(tip) = self.reference("refs/chartflow/attestations") else { return Vec::new() };
        let files = ready(self.objects.files(&self.root(&tip))).unwrap().unwrap();
        let train = self.train(&Brakes::none());
        let mut lines = Vec::new();
        for (_, file) in files.iter() {
            let text = String::from_utf8(file.bytes.clone()).unwrap();
            lines.extend(text.lines().map(|line| train.read_line(line).expect("every line of the store is valid")));
        }
        lines
    }

    /// The contents that came to main after adoption, oldest first.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let statements = self.statements();
        let mut at = self.tip("main").unwrap();
        let mut arrivals = Vec::new();
        while at != self.baseline {
            let parent = ready(self.objects.commit(&at)).unwrap().unwrap().parents[0].clone();
            let (before, after) = (self.charts(&parent), self.charts(&at));
            let mut changed: Vec<&String> = before.keys().chain(after.keys()).filter(|chart| before.get(*chart) != after.get(*chart)).collect();
            changed.sort();
            changed.dedup();
            for chart in changed {
                // The directory a chart was moved away from is part of the arrival at its new one.
                let tree = after.get(chart).map_or_else(|| "4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(), ToString::to_string);
                let from = self.version_at(&parent, chart);
                let bump = bump_to(&statements, chart, &tree, from.as_deref());
                arrivals.push(Arrival { chart: chart.clone(), commit: at.short().to_owned(), bump });
            }
            at = parent;
        }
        arrivals.reverse();
        arrivals
    }

    fn version_at(&self, commit: &chartflow_core::domain::digest::CommitId, chart: &str) -> Option<String> {
        let yaml = self.file(commit, &format!("charts/{chart}/Chart.yaml"))?;
        yaml.lines().find_map(|line| line.strip_prefix("version: ").map(str::to_owned))
    }
}

/// The newest bump to a content that a release gate rests on.
fn bump_to(statements: &[Signed], chart: &str, tree: &str, from: Option<&str>) -> Option<Bump> {
    let name: ChartName = chart.parse().ok()?;
    let mut found = None;
    for line in statements {
        let Predicate::Bump(bump) = &line.statement.predicate else { continue };
        let content = line.statement.subject.content()?;
        let moved = line.statement.source.path.base_name() != chart;
        if (line.statement.source.chart != name && !moved) || content.sha1.as_str() != tree || (bump.from.as_deref() != from && from.is_some()) {
            continue;
        }
        let gated = statements.iter().any(|gate| gate.row() == Some(Row::ReleaseGate) && gate.statement.inputs.iter().any(|input| input.digest == line.digest));
        if gated {
            found = Some(bump.clone());
        }
    }
    found
}
