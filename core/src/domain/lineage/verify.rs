//! The whole verification, in the order in which its parts may be relied on.
//!
//! Signatures first; then the strict meaning of the very bytes that were signed; then the shape of the walk; then the
//! verifier's own policy; then repeating what can be repeated; and last, where one is at hand, the repository.

use std::collections::BTreeMap;

use sigstore_trust_root::{SigstoreInstance, TrustedRoot};

use super::bundle::{Anchor, BundleError, Line};
use super::decide;
use super::facts::{Claims, Ending, Questions, RepositoryFacts};
use super::lines::{self, Entries, Entry};
use super::rederive;
use super::report::{ArtifactDigest, Edge, Link, Proof, Refusal, Report, Verdict};
use super::rules::Rule;
use super::walk::{Walk, check_closure, find_root, refuse};
use super::{contents, facts, gates, signer};
use crate::domain::content::ContentId;
use crate::domain::digest::Sha256;
use crate::domain::names::TagName;
use crate::domain::policy::{Policy, Profile};
use crate::domain::statement::{Predicate, Row, Statement, StatementDigest, Subject};

/// What is verified.
#[derive(Debug, Clone, Copy)]
pub enum Artifact<'a> {
    /// A package file.
    Package {
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// A chart's directory.
    Directory {
        /// Its content.
        content: &'a ContentId,
    },
    /// A tag and the chart's content at its commit.
    Tag {
        /// The tag.
        tag: &'a TagName,
        /// The content; nothing where what the tag names does not hold the chart.
        content: Option<&'a ContentId>,
    },
}

impl Artifact<'_> {
    fn sha256(&self) -> Option<Sha256> {
        match self {
            Self::Package { bytes } => Some(Sha256::of(bytes)),
            Self::Directory { content } => Some(content.sha256),
            Self::Tag { content, .. } => content.map(|content| content.sha256),
        }
    }
}

/// What the signatures of a policy's lineages are held against. `trusted_root` is the text of the file that the policy
/// names; without one the root that is built into the Sigstore library counts.
///
/// # Errors
/// [`BundleError::Trust`] for an unusable key or root.
pub fn anchor(policy: &Policy, trusted_root: Option<&str>) -> Result<Anchor, BundleError> {
    let root = |instance| {
        let root = match trusted_root {
            Some(text) => TrustedRoot::from_json(text),
            None => TrustedRoot::from_embedded(instance),
        };
        root.map_err(|error| BundleError::Trust { what: "the trusted root".to_owned(), source: Box::new(error) })
    };
    let keys = policy.public_keys();
    let keys = keys.iter().map(Vec::as_slice);
    match policy.profile {
        Profile::Key => Anchor::keys(keys),
        Profile::Public => Anchor::public(&root(SigstoreInstance::PublicGood)?, policy.issuer())?.and_keys(keys),
        Profile::Github => Anchor::github(&root(SigstoreInstance::GitHub)?, policy.issuer())?.and_keys(keys),
    }
}

/// What to look up in a repository to verify a lineage against it; `None` when it is not a lineage. Nothing of it is
/// believed yet: it only says where to look.
#[must_use]
pub fn questions(lineage: &[u8]) -> Option<Questions> {
    let statements: Vec<Statement> =
        lines::split(lineage).ok()?.into_iter().filter_map(|text| Line::read(text).ok()).filter_map(|line| Statement::parse(line.payload()).ok()).collect();
    let promotion = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Promotion(promotion) => Some(promotion),
        _ => None,
    })?;
    let (source, tag) = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Tag(tag) => Some((&statement.source, tag)),
        _ => None,
    })?;
    let epoch = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Build(build) => Some(build.epoch),
        _ => None,
    })?;
    let configuration = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Gate(gate) if statement.row() == Some(Row::ReleaseGate) => gate.configuration.clone(),
        _ => None,
    });
    Some(Questions {
        path: source.path.clone(),
        old_path: promotion.removed_path.clone(),
        chart: source.chart.clone(),
        configuration,
        epoch,
        tag: tag.tag.clone(),
        commit: tag.commit.clone(),
        source: promotion.commit.clone(),
        from: promotion.range.from.clone(),
        previous: promotion.previous.as_ref().map(|previous| previous.tag.clone()),
        previous_root: promotion.previous.as_ref().and_then(|previous| previous.root),
        heads: promotion.contributions.iter().map(|pull| pull.head.clone()).collect(),
    })
}

/// Where the release of a lineage ended: the source commit that it carried. The lineage is believed because its root is
/// the one that a signed statement names, and the root names the promotion.
#[must_use]
pub fn ending(lineage: &[u8], root: &StatementDigest) -> Ending {
    let payloads = |text: &&str| Line::read(text).ok().map(|line| line.payload().to_vec());
    let payloads: Vec<Vec<u8>> = lines::split(lineage).unwrap_or_default().iter().filter_map(payloads).collect();
    let read = |payload: &Vec<u8>| Some((StatementDigest::of(payload), Statement::parse(payload).ok()?));
    let statements: BTreeMap<StatementDigest, Statement> = payloads.iter().filter_map(read).collect();
    let inputs = statements.get(root).map(|root| root.inputs.as_slice()).unwrap_or_default();
    let promotion = inputs.iter().filter_map(|input| statements.get(&input.digest)).find_map(|statement| match &statement.predicate {
        Predicate::Promotion(promotion) => Some(promotion),
        _ => None,
    });
    promotion.map_or(Ending::Other, |promotion| Ending::At(promotion.range.to.clone()))
}

/// Verifies an artifact against its lineage. Whatever the lineage holds, the answer is a report and never an error.
#[must_use]
pub fn verify(artifact: &Artifact<'_>, lineage: &[u8], policy: &Policy, anchor: &Anchor, repository: Option<&RepositoryFacts>) -> Report {
    let mut session = Session { artifact, policy, repository, proofs: BTreeMap::new(), refused: vec![], chart: None, version: None };
    let entries = match lines::split(lineage) {
        Ok(lines) => {
            let (entries, refused) = lines::read(&lines, anchor);
            session.refused = refused;
            entries
        }
        Err(refusal) => {
            session.refused.push(refusal);
            Entries::new()
        }
    };
    if session.refused.is_empty() {
        session.walk(&entries);
    }
    session.report(&entries)
}

struct Session<'a> {
    artifact: &'a Artifact<'a>,
    policy: &'a Policy,
    repository: Option<&'a RepositoryFacts>,
    proofs: BTreeMap<StatementDigest, Proof>,
    refused: Vec<Refusal>,
    chart: Option<String>,
    version: Option<String>,
}

impl Session<'_> {
    fn walk(&mut self, entries: &Entries) {
        let package = match self.artifact {
            Artifact::Package { .. } => self.artifact.sha256(),
            _ => None,
        };
        let root = match find_root(entries, package) {
            Ok(root) => root,
            Err(refusal) => return self.refused.push(refusal),
        };
        self.chart = Some(root.statement.source.chart.to_string());
        self.refused.extend(check_closure(entries, root));
        if !self.refused.is_empty() {
            return;
        }
        let walk = match Walk::new(entries, root) {
            Ok(walk) => walk,
            Err(refused) => return self.refused.extend(refused),
        };
        self.version = Some(walk.bump.says.to.clone());
        self.refused.extend(walk.check_inputs());
        self.refused.extend(walk.check_edges());
        self.refused.extend(decide::source(&walk, self.policy));
        self.decide(&walk);
        self.rederive(&walk);
        self.compare_artifact(&walk);
        self.ask_repository(&walk);
    }

    /// The verifier's own policy. The epoch is the one at the root's proved time; keys prove none, so there the date counts
    /// that every date in the content comes from.
    fn decide(&mut self, walk: &Walk<'_>) {
        let time = walk.root.entry.signed.time.or_else(|| jiff::Timestamp::from_second(walk.bump.says.date).ok());
        let Some(epoch) = time.and_then(|time| self.policy.epoch_at(time)) else {
            let time = time.map_or_else(|| "an impossible time".to_owned(), |time| time.to_string());
            return self.refused.push(walk.root.refuse(Rule::PolicyEpoch, format!("no epoch of the policy had begun at {time}, when the release was made")));
        };
        for entry in walk.entries() {
            self.refused.extend(
                signer::check(&entry.signed.identity, &entry.statement, self.policy, epoch).into_iter().map(|(rule, message)| refuse(entry, rule, message)),
            );
        }
        self.refused.extend(gates::check(walk, epoch));
        self.refused.extend(decide::records(walk));
        self.refused.extend(decide::checks(walk, epoch));
        self.refused.extend(decide::range(walk));
        self.refused.extend(decide::bump(walk));
        self.refused.extend(decide::tag(walk, self.policy));
        self.refused.extend(decide::reviews(walk, epoch));
        self.refused.extend(decide::build(walk));
        let package = walk.root.entry.statement.subject.sha256();
        if self.policy.revokes(&walk.root.entry.statement.source.chart, &walk.bump.says.to, Some(package)) {
            self.refused.push(
                walk.root.refuse(Rule::PolicyRevoked, format!("{} {} is revoked by the policy", walk.root.entry.statement.source.chart, walk.bump.says.to)),
            );
        }
    }

    fn rederive(&mut self, walk: &Walk<'_>) {
        let changelog = match self.artifact {
            Artifact::Package { bytes } => contents::file(bytes, &walk.root.entry.statement.source.chart, "CHANGELOG.md"),
            Artifact::Directory { .. } | Artifact::Tag { .. } => None,
        };
        let bump = rederive::bump(walk.bump.says, walk.promoted, walk.released, changelog.as_deref());
        self.refused.extend(bump.broken.into_iter().map(|(rule, message)| walk.bump.refuse(rule, message)));
        if bump.complete {
            self.proofs.insert(walk.bump.entry.digest, Proof::Rederived);
        }
        if contents::tree_id(&walk.build.says.files) != Some(walk.released.sha256) {
            self.refused.push(walk.build.refuse(Rule::PackageSource, "the list of files is not that of the content released"));
        }
    }

    fn compare_artifact(&mut self, walk: &Walk<'_>) {
        match self.artifact {
            Artifact::Package { bytes } => self.compare_package(walk, bytes),
            Artifact::Directory { content } => self.compare_content(walk, content),
            Artifact::Tag { tag, content } => {
                match content {
                    Some(content) => self.compare_content(walk, content),
                    None => {
                        let message = format!("what the tag {tag} names does not hold the chart in {}", walk.tag.entry.statement.source.path);
                        self.refused.push(walk.tag.refuse(Rule::RepoTag, message));
                    }
                }
                if **tag != walk.tag.says.tag {
                    self.refused.push(walk.tag.refuse(Rule::ArtifactName, format!("the tag is {tag}, the lineage is that of {}", walk.tag.says.tag)));
                }
            }
        }
    }

    fn compare_content(&mut self, walk: &Walk<'_>, content: &ContentId) {
        if content != walk.released {
            let message = format!("the chart is {}, the lineage is that of {}", content.sha256.prefixed(), walk.released.sha256.prefixed());
            self.refused.push(walk.tag.refuse(Rule::ArtifactDigest, message));
        }
    }

    fn compare_package(&mut self, walk: &Walk<'_>, bytes: &[u8]) {
        let statement = &walk.build.entry.statement;
        let Subject::Package { manifest, .. } = &statement.subject else { return };
        let broken = contents::check(bytes, walk.build.says, walk.bump.says, *manifest, &statement.source);
        self.refused.extend(broken.into_iter().map(|(rule, message)| walk.build.refuse(rule, message)));
    }

    fn ask_repository(&mut self, walk: &Walk<'_>) {
        let Some(repository) = self.repository else { return };
        let claims = Claims {
            promotion: walk.promotion.says,
            promoted: walk.promoted,
            base: walk.checks.says.base.as_ref(),
            tag: walk.tag.says,
            tagged: walk.released,
            build: walk.build.says,
            package: walk.build.entry.statement.subject.sha256(),
        };
        if repository.rebuilt == Some(claims.package) {
            self.proofs.insert(walk.build.entry.digest, Proof::Rederived);
        }
        let broken = facts::check(repository, &claims);
        if broken.is_empty() {
            self.proofs.insert(walk.tag.entry.digest, Proof::Rederived);
            if repository.heads_are_merged && repository.touching.is_some() && walk.promotion.says.omitted.is_none() {
                self.proofs.insert(walk.promotion.entry.digest, Proof::Rederived);
            }
        }
        for (rule, message) in broken {
            let entry = match rule {
                Rule::RepoRange | Rule::RepoPrevious => walk.promotion.entry,
                Rule::RepoRebuild => walk.build.entry,
                _ => walk.tag.entry,
            };
            self.refused.push(refuse(entry, rule, message));
        }
    }

    fn report(self, entries: &Entries) -> Report {
        let mut chain: Vec<&Entry> = entries.values().collect();
        chain.sort_by_key(|entry| (entry.row, entry.statement.name(), entry.digest));
        let link = |entry: &Entry| Link {
            stage: entry.statement.stage,
            edge: Edge::of(entry.row),
            predicate_type: entry.statement.predicate_type().to_owned(),
            subject: entry.statement.subject.sha256(),
            statement: entry.digest,
            signer: entry.signed.identity.to_string(),
            time: entry.signed.time.map(|time| time.to_string()),
            proof: self.proofs.get(&entry.digest).copied().unwrap_or(Proof::Signed),
        };
        Report {
            result: if self.refused.is_empty() { Verdict::Verified } else { Verdict::Refused },
            chart: self.chart,
            version: self.version,
            artifact: ArtifactDigest { sha256: self.artifact.sha256() },
            chain: chain.into_iter().map(link).collect(),
            refused: self.refused,
        }
    }
}
