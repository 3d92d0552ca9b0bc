//! A lineage as people read it: what each statement says, in the order a change passes them.

use chartflow_core::domain::markdown::{LINE_LIMIT, one_line};
use chartflow_core::domain::statement::{Predicate, Row, Statement, Subject};

use super::summary::{CommitRow, Edge, LinkRow};

/// The statements of a lineage; lines may come in any order.
pub(crate) fn links(statements: &[Statement]) -> Vec<LinkRow> {
    let mut rows: Vec<(Row, &Statement)> = statements.iter().filter_map(|statement| Some((statement.row()?, statement))).collect();
    rows.sort_by_key(|(row, statement)| (*row, statement.name()));
    rows.into_iter()
        .map(|(row, statement)| LinkRow {
            name: statement.name(),
            stage: statement.stage.to_string(),
            edge: edge(row),
            package: matches!(statement.subject, Subject::Package { .. }),
            subject: statement.subject.sha256().to_string(),
            statement: statement.digest().to_string(),
            says: says(row, statement),
        })
        .collect()
}

/// The commits that the promotion of a lineage counts.
pub(crate) fn commits(statements: &[Statement]) -> Vec<CommitRow> {
    let promotion = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Promotion(promotion) => Some(promotion),
        _ => None,
    });
    let commits = promotion.map(|promotion| promotion.commits.as_slice()).unwrap_or_default();
    let first = |message: &str| one_line(message.lines().next().unwrap_or_default(), LINE_LIMIT);
    commits.iter().map(|commit| CommitRow { id: commit.id.to_string(), subject: first(&commit.message), author: commit.author.clone() }).collect()
}

const fn edge(row: Row) -> Edge {
    match row {
        Row::Checks | Row::OutsideCheck => Edge::Check,
        Row::Enforce | Row::ReleaseGate | Row::Root | Row::Published => Edge::Gate,
        Row::Promotion | Row::Bump | Row::Tag | Row::Build => Edge::Carry,
    }
}

fn says(row: Row, statement: &Statement) -> String {
    match &statement.predicate {
        Predicate::Checks(checks) => {
            let counts = [("passed", checks.passed.len()), ("warned", checks.warned.len()), ("failed", checks.failed.len())];
            let said: Vec<String> = counts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}")).collect();
            let what = checks.outside.as_deref().unwrap_or("checks");
            format!("{what}: {}", if said.is_empty() { "none required".to_owned() } else { said.join(", ") })
        }
        Predicate::Promotion(promotion) => {
            let count = promotion.commits.len() as u64 + promotion.omitted.as_ref().map_or(0, |omitted| omitted.count);
            let plural = if count == 1 { "" } else { "s" };
            format!("integration at {}, {count} commit{plural}", short(promotion.commit.as_str()))
        }
        Predicate::Bump(bump) => match &bump.from {
            Some(from) => format!("{from} → {} ({})", bump.to, bump.level),
            None => format!("first version {}", bump.to),
        },
        Predicate::Tag(tag) => format!("{} names {}", tag.tag, short(tag.commit.as_str())),
        Predicate::Build(build) => format!("{} files of {}", build.files.len(), short(build.commit.as_str())),
        Predicate::Gate(_) => match row {
            Row::Enforce => "exactly this content, nothing else".to_owned(),
            Row::ReleaseGate => "the lineage is complete so far".to_owned(),
            Row::Root => format!("closes the lineage over {} others", statement.inputs.len()),
            _ => "what was published is what was built".to_owned(),
        },
    }
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}
