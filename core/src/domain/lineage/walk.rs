//! The shape of a lineage: one root, its closure, each row once, exact inputs, edges without a gap.

use std::collections::{BTreeMap, BTreeSet};

use super::lines::{Entries, Entry};
use super::report::Refusal;
use super::rules::Rule;
use crate::domain::content::ContentId;
use crate::domain::digest::Sha256;
use crate::domain::statement::{Build, Bump, Checks, Gate, Predicate, Promotion, Row, Stage, StatementDigest, Subject, TagRecord, VSA};

/// A statement of the walk together with what it says.
pub(super) struct Said<'a, T> {
    pub(super) entry: &'a Entry,
    pub(super) says: &'a T,
}

impl<T> Said<'_, T> {
    pub(super) fn refuse(&self, rule: Rule, message: impl Into<String>) -> Refusal {
        refuse(self.entry, rule, message)
    }
}

/// A refusal for what one statement says.
pub(super) fn refuse(entry: &Entry, rule: Rule, message: impl Into<String>) -> Refusal {
    Refusal { rule, stage: Some(entry.statement.stage), statement: Some(entry.digest), message: message.into() }
}

/// A lineage of the right shape.
pub(super) struct Walk<'a> {
    pub(super) checks: Said<'a, Checks>,
    pub(super) outside: BTreeMap<&'a str, Said<'a, Checks>>,
    pub(super) promotion: Said<'a, Promotion>,
    pub(super) enforce: Said<'a, Gate>,
    pub(super) bump: Said<'a, Bump>,
    pub(super) release_gate: Said<'a, Gate>,
    pub(super) tag: Said<'a, TagRecord>,
    pub(super) build: Said<'a, Build>,
    pub(super) root: Said<'a, Gate>,
    /// T1: checked and promoted.
    pub(super) promoted: &'a ContentId,
    /// T2: bumped, tagged and packaged.
    pub(super) released: &'a ContentId,
}

/// The root: the one for this package, or the only one.
pub(super) fn find_root(entries: &Entries, package: Option<Sha256>) -> Result<&Entry, Refusal> {
    let none = |rule, message: String| Refusal { rule, stage: Some(Stage::Package), statement: None, message };
    let roots: Vec<&Entry> = entries.values().filter(|entry| entry.row == Row::Root).collect();
    let fitting: Vec<&Entry> = match package {
        Some(sha256) => roots.iter().copied().filter(|entry| entry.statement.subject.sha256() == sha256).collect(),
        None => roots.clone(),
    };
    match (fitting.as_slice(), roots.first(), package) {
        ([root], _, _) => Ok(root),
        ([], Some(other), Some(sha256)) => Err(refuse(
            other,
            Rule::ArtifactDigest,
            format!("the lineage is that of {}, the package is {}", other.statement.subject.sha256().prefixed(), sha256.prefixed()),
        )),
        ([], _, _) => Err(none(Rule::LineageRoot, "the lineage has no root".to_owned())),
        (several, _, _) => Err(none(Rule::LineageRoot, format!("the lineage has {} roots", several.len()))),
    }
}

/// Every input is there and is what it is called; nothing else is.
pub(super) fn check_closure(entries: &Entries, root: &Entry) -> Vec<Refusal> {
    let mut refused = Vec::new();
    let mut seen = BTreeSet::from([root.digest]);
    let mut waiting = vec![root];
    while let Some(entry) = waiting.pop() {
        for input in &entry.statement.inputs {
            let Some(found) = entries.get(&input.digest) else {
                let rule = if input.predicate_type == VSA { Rule::LineageMissingGate } else { Rule::LineageMissingInput };
                let message = format!("{} rests on {}, which is not in the lineage", entry.statement.name(), input.name);
                let missing = Refusal { rule, stage: Some(input.stage), statement: Some(input.digest), message };
                if !refused.iter().any(|told: &Refusal| told.statement == missing.statement) {
                    refused.push(missing);
                }
                continue;
            };
            let named = &found.statement;
            if (named.stage, named.name(), named.predicate_type()) != (input.stage, input.name.clone(), input.predicate_type.as_str()) {
                refused.push(refuse(
                    entry,
                    Rule::LineageInputs,
                    format!("the input {:?} of {} is in truth {:?} of {}", input.name, input.stage, named.name(), named.stage),
                ));
            }
            if seen.insert(found.digest) {
                waiting.push(found);
            }
        }
    }
    refused.extend(
        entries
            .values()
            .filter(|entry| !seen.contains(&entry.digest))
            .map(|entry| refuse(entry, Rule::LineageExtra, format!("the root does not rest on this {}", entry.statement.name()))),
    );
    refused
}

/// The only entry of a row whose predicate is of the type asked for.
fn only<'a, T>(
    entries: &'a Entries,
    row: Row,
    name: &str,
    stage: Stage,
    pick: impl Fn(&'a Predicate) -> Option<&'a T>,
    refused: &mut Vec<Refusal>,
) -> Option<Said<'a, T>> {
    let mut found = entries.values().filter(|entry| entry.row == row).filter_map(|entry| Some(Said { entry, says: pick(&entry.statement.predicate)? }));
    let first = found.next();
    let more = found.count();
    match &first {
        None => refused.push(Refusal { rule: Rule::LineageShape, stage: Some(stage), statement: None, message: format!("the lineage has no {name}") }),
        Some(said) if more > 0 => refused.push(said.refuse(Rule::LineageShape, format!("the lineage has {} statements {name}, not one", more + 1))),
        Some(_) => {}
    }
    first
}

macro_rules! pick {
    ($variant:ident) => {
        |predicate: &Predicate| match predicate {
            Predicate::$variant(says) => Some(says),
            _ => None,
        }
    };
}

impl<'a> Walk<'a> {
    /// Sorts the statements into their rows: rows 1 to 8 exactly once, and one row 1k for each outside check.
    pub(super) fn new(entries: &'a Entries, root: &'a Entry) -> Result<Self, Vec<Refusal>> {
        let mut refused = Vec::new();
        let told = &mut refused;
        let checks = only(entries, Row::Checks, "validate", Stage::Validate, pick!(Checks), told);
        let promotion = only(entries, Row::Promotion, "filter", Stage::Filter, pick!(Promotion), told);
        let enforce = only(entries, Row::Enforce, "enforce", Stage::Enforce, pick!(Gate), told);
        let bump = only(entries, Row::Bump, "bump", Stage::Bump, pick!(Bump), told);
        let release_gate = only(entries, Row::ReleaseGate, "release-gate", Stage::Bump, pick!(Gate), told);
        let tag = only(entries, Row::Tag, "tag", Stage::Tag, pick!(Tag), told);
        let build = only(entries, Row::Build, "build", Stage::Package, pick!(Build), told);
        let root = only(entries, Row::Root, "root", Stage::Package, pick!(Gate), told).filter(|said| said.entry.digest == root.digest);
        let mut outside = BTreeMap::new();
        for entry in entries.values() {
            if let Predicate::Checks(says) = &entry.statement.predicate
                && let Some(key) = says.outside.as_deref()
                && outside.insert(key, Said { entry, says }).is_some()
            {
                refused.push(refuse(entry, Rule::LineageShape, format!("the lineage has {} twice", entry.statement.name())));
            }
            if entry.row == Row::Published {
                refused.push(refuse(entry, Rule::LineageShape, "what was published is not part of a lineage file"));
            }
        }
        let contents = (promotion.as_ref().map(|said| &said.entry.statement.subject), bump.as_ref().map(|said| &said.entry.statement.subject));
        let (promoted, released) = match contents {
            (Some(Subject::Content { id: promoted, .. }), Some(Subject::Content { id: released, .. })) => (Some(promoted), Some(released)),
            (Some(_), Some(_)) => {
                refused.extend(promotion.iter().map(|said| said.refuse(Rule::StatementSubject, "promotion and bump speak about a chart's content")));
                (None, None)
            }
            _ => (None, None),
        };
        let walk = || {
            Some(Self {
                checks: checks?,
                outside,
                promotion: promotion?,
                enforce: enforce?,
                bump: bump?,
                release_gate: release_gate?,
                tag: tag?,
                build: build?,
                root: root?,
                promoted: promoted?,
                released: released?,
            })
        };
        match walk() {
            Some(walk) if refused.is_empty() => Ok(walk),
            _ => Err(refused),
        }
    }

    /// Every statement in the order of the train.
    pub(super) fn entries(&self) -> Vec<&'a Entry> {
        let mut all = vec![self.checks.entry];
        all.extend(self.outside.values().map(|said| said.entry));
        all.extend([self.promotion.entry, self.enforce.entry, self.bump.entry, self.release_gate.entry, self.tag.entry, self.build.entry, self.root.entry]);
        all
    }

    /// Each row rests on exactly the rows it must rest on.
    pub(super) fn check_inputs(&self) -> Vec<Refusal> {
        let checked: Vec<&Entry> = std::iter::once(self.checks.entry).chain(self.outside.values().map(|said| said.entry)).collect();
        let with = |more: &[&'a Entry]| [checked.as_slice(), more].concat();
        let (promotion, enforce, bump) = (self.promotion.entry, self.enforce.entry, self.bump.entry);
        let (gate, tag, build) = (self.release_gate.entry, self.tag.entry, self.build.entry);
        let mut expected: Vec<(&Entry, Vec<&Entry>)> = checked.iter().map(|entry| (*entry, vec![])).collect();
        expected.push((promotion, checked.clone()));
        expected.push((enforce, with(&[promotion])));
        expected.push((bump, vec![enforce]));
        expected.push((gate, with(&[promotion, enforce, bump])));
        expected.push((tag, vec![gate]));
        expected.push((build, vec![tag]));
        expected.push((self.root.entry, with(&[promotion, enforce, bump, gate, tag, build])));
        let digests = |entries: &[&Entry]| entries.iter().map(|entry| entry.digest).collect::<BTreeSet<StatementDigest>>();
        expected
            .into_iter()
            .filter(|(entry, inputs)| entry.statement.inputs.iter().map(|input| input.digest).collect::<BTreeSet<_>>() != digests(inputs))
            .map(|(entry, inputs)| {
                let names = |list: Vec<String>| if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
                let has = names(entry.statement.inputs.iter().map(|input| input.name.clone()).collect());
                let must = names(inputs.iter().map(|input| input.statement.name()).collect());
                refuse(entry, Rule::LineageInputs, format!("{} rests on {has}; it must rest on {must}", entry.statement.name()))
            })
            .collect()
    }

    /// T1 → T1 → T2 → T2 → G without a gap, at one path.
    pub(super) fn check_edges(&self) -> Vec<Refusal> {
        let mut refused = Vec::new();
        let mut subject = |entry: &Entry, expected: &ContentId, what: &str| match &entry.statement.subject {
            Subject::Content { id, .. } if id == expected => {}
            other => refused.push(refuse(
                entry,
                Rule::LineageEdge,
                format!("{} speaks about {}, {what} is {}", entry.statement.name(), other.sha256().prefixed(), expected.sha256.prefixed()),
            )),
        };
        for entry in std::iter::once(self.checks.entry).chain(self.outside.values().map(|said| said.entry)).chain([self.enforce.entry]) {
            subject(entry, self.promoted, "the content promoted");
        }
        for entry in [self.release_gate.entry, self.tag.entry] {
            subject(entry, self.released, "the content released");
        }
        if self.bump.says.before != *self.promoted {
            refused.push(self.bump.refuse(
                Rule::LineageEdge,
                format!("the bump starts from {}, the content promoted is {}", self.bump.says.before.sha256.prefixed(), self.promoted.sha256.prefixed()),
            ));
        }
        if self.build.says.content != *self.released {
            refused.push(self.build.refuse(
                Rule::LineageEdge,
                format!("the package is built from {}, the content released is {}", self.build.says.content.sha256.prefixed(), self.released.sha256.prefixed()),
            ));
        }
        let package = &self.build.entry.statement.subject;
        if !matches!(package, Subject::Package { .. }) || *package != self.root.entry.statement.subject {
            refused.push(self.build.refuse(Rule::LineageEdge, "the build and the root do not speak about one and the same package"));
        }
        refused
    }
}
