//! What was contributed, and what the releases say they took.

use std::collections::BTreeMap;

use chartflow_core::domain::names::ChartName;
use chartflow_core::domain::statement::{Bump, Predicate, Row, Statement};
use chartflow_core::flow::compose::EMPTY_TREE;
use chartflow_core::flow::store::Signed;
use chartflow_core::io::git::ready;
use chartflow_core::port::objects::Objects as _;

use crate::brakes::Brakes;
use crate::world::World;

/// A commit of one chart, by its message, which is never used twice.
#[derive(Debug, Clone)]
pub struct Token {
    /// The chart.
    pub chart: String,
    /// The message.
    pub message: String,
    /// Whether a release has to count it.
    pub counts: bool,
}

/// A pull request to integration.
#[derive(Debug, Clone)]
pub struct Contribution {
    /// What it brings.
    pub tokens: Vec<Token>,
}

/// Contributions by the number of their pull request.
pub type Expected = BTreeMap<u64, Contribution>;

/// One content of one chart that came to main after adoption.
#[derive(Debug)]
pub struct Arrival {
    /// The chart.
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
            lines.extend(text.lines().map(|line| match train.read_line(line) {
                Some(signed) => signed,
                None => {
                    let payload = (train.open)(line).unwrap_or_default();
                    panic!("a line of the store is not valid: {:?}\n{}", Statement::parse(&payload).err(), String::from_utf8_lossy(&payload));
                }
            }));
        }
        lines
    }

    /// The statements about a chart, one a line, for whoever has to understand a failure.
    #[must_use]
    pub fn statements_about(&self, chart: &str) -> String {
        let statements = self.statements();
        let about = statements.iter().filter(|line| line.statement.source.chart.as_str() == chart);
        let short = |digest: String| digest.chars().take(8).collect::<String>();
        let told = about.map(|line| {
            let subject = line.statement.subject.content().map_or_else(|| "package".to_owned(), |content| short(content.sha1.to_string()));
            let inputs: Vec<String> = line.statement.inputs.iter().map(|input| short(input.digest.to_string())).collect();
            format!("{} {:?} {subject} <- {}\n", short(line.digest.to_string()), line.row(), inputs.join(" "))
        });
        told.collect()
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
                let tree = after.get(chart).map_or_else(|| EMPTY_TREE.to_owned(), |(_, tree)| tree.to_string());
                let from = self.version_at(&parent, chart);
                let bump = bump_to(&statements, chart, &tree, from.as_deref());
                arrivals.push(Arrival { chart: chart.clone(), commit: at.short().to_owned(), bump });
            }
            at = parent;
        }
        arrivals.reverse();
        arrivals
    }
}

/// The newest bump to a content that a release gate rests on.
fn bump_to(statements: &[Signed], chart: &str, tree: &str, from: Option<&str>) -> Option<Bump> {
    let name: ChartName = chart.parse().ok()?;
    let mut found = None;
    for line in statements {
        let Predicate::Bump(bump) = &line.statement.predicate else { continue };
        let content = line.statement.subject.content()?;
        if line.statement.source.chart != name || content.sha1.as_str() != tree || (bump.from.as_deref() != from && from.is_some()) {
            continue;
        }
        let gated = statements.iter().any(|gate| gate.row() == Some(Row::ReleaseGate) && gate.statement.inputs.iter().any(|input| input.digest == line.digest));
        if gated {
            found = Some(bump.clone());
        }
    }
    found
}
