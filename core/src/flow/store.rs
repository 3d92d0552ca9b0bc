//! The attestation store: the ref `refs/chartflow/attestations`.
//!
//! One file per subject, a bundle a line: `trees/<first two digits>/<rest>.jsonl` by the SHA-1 tree id of a content,
//! `artifacts/…` by the SHA-256 of a package. A job appends all it signed in one commit, compare-and-swap. The store is a
//! cache: what does not verify is skipped, and losing it costs re-runs, never a wrong release.

use std::collections::BTreeMap;

use super::tips::Tips;
use super::{FlowError, Train};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::names::ChartName;
use crate::domain::statement::{Input, PAYLOAD_LIMIT, Predicate, Row, Statement, StatementDigest, StatementError, Subject};
use crate::domain::tree::Mode;
use crate::port::github::{NewContent, NewEntry};

/// The ref, below `refs/`.
pub const ATTESTATIONS: &str = "chartflow/attestations";
/// A file of the store longer than this is not read.
const FILE_LIMIT: usize = 8 << 20;
/// How often an append is tried again when another job was faster.
const ATTEMPTS: u32 = 8;

/// A statement whose signature is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub statement: Statement,
    /// The digest of the payload bytes that were signed.
    pub digest: StatementDigest,
    /// The bundle, one line of JSON.
    pub bundle: String,
}

impl Signed {
    /// How other statements name this one.
    #[must_use]
    pub fn as_input(&self) -> Input {
        Input { digest: self.digest, ..self.statement.as_input() }
    }

    /// The file of the store in which it stands.
    #[must_use]
    pub fn file(&self) -> String {
        file_of(&self.statement.subject)
    }

    /// The row it is.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        self.statement.row()
    }
}

/// The file of the store in which statements about a subject stand.
fn file_of(subject: &Subject) -> String {
    match subject {
        Subject::Content { id, .. } => tree_file(&id.sha1),
        Subject::Package { sha256, .. } => sharded("artifacts", &sha256.to_string()),
    }
}

fn tree_file(tree: &TreeId) -> String {
    sharded("trees", tree.as_str())
}

fn sharded(kind: &str, digits: &str) -> String {
    let (shard, rest) = digits.split_at(2);
    format!("{kind}/{shard}/{rest}.jsonl")
}

/// The store as one job sees it: what it read, and what it is about to append.
pub struct Store {
    train: Train,
    /// What the job saw, until it turns out to be stale.
    tips: Option<Tips>,
    tip: Option<Option<CommitId>>,
    texts: BTreeMap<String, String>,
    read: BTreeMap<String, Vec<Signed>>,
    pending: Vec<Signed>,
}

impl Store {
    /// The store at the tip that a job saw. Nothing is read before it is asked for.
    #[must_use]
    pub fn new(train: &Train, tips: &Tips) -> Self {
        Self { train: train.clone(), tips: Some(tips.clone()), tip: None, texts: BTreeMap::new(), read: BTreeMap::new(), pending: Vec::new() }
    }

    async fn tip(&mut self) -> Result<Option<CommitId>, FlowError> {
        if self.tip.is_none() {
            self.tip = Some(match self.tips.take() {
                Some(tips) => tips.own_refs(&self.train).await?.get(ATTESTATIONS).cloned(),
                None => self.train.github.get_ref(ATTESTATIONS).await?.and_then(crate::port::github::RefTarget::commit),
            });
        }
        Ok(self.tip.clone().flatten())
    }

    async fn text(&mut self, file: &str) -> Result<String, FlowError> {
        if let Some(text) = self.texts.get(file) {
            return Ok(text.clone());
        }
        let Some(tip) = self.tip().await? else { return Ok(String::new()) };
        let objects = &*self.train.objects;
        let bytes = if objects.holds(&tip) {
            super::listing::file(objects, &super::listing::root(objects, &tip).await?, file, FILE_LIMIT).await?
        } else {
            // One request, where walking down to the file through the API would be four.
            self.train.github.get_file(file, &tip, FILE_LIMIT).await?
        };
        let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        self.texts.insert(file.to_owned(), text.clone());
        Ok(text)
    }

    /// The valid statements in one file, oldest first, those of this job included.
    async fn lines(&mut self, file: &str) -> Result<Vec<Signed>, FlowError> {
        if !self.read.contains_key(file) {
            let text = self.text(file).await?;
            let mut lines: Vec<Signed> = Vec::new();
            for line in text.lines().filter_map(|line| self.train.read_line(line)) {
                // Two jobs that signed the same at the same time leave it twice, with two signatures: the first counts. Of an
                // outside check the newest word counts, so what is said again is said then.
                match lines.iter().position(|known| known.digest == line.digest) {
                    Some(known) if line.row() == Some(Row::OutsideCheck) => {
                        lines.remove(known);
                        lines.push(line);
                    }
                    Some(_) => {}
                    None => lines.push(line),
                }
            }
            self.read.insert(file.to_owned(), lines);
        }
        let mut lines = self.read.get(file).cloned().unwrap_or_default();
        lines.extend(self.pending.iter().filter(|line| file_of(&line.statement.subject) == file).cloned());
        Ok(lines)
    }

    /// The valid statements about a content of one chart of this repository, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn about(&mut self, chart: &ChartName, tree: &TreeId) -> Result<Vec<Signed>, FlowError> {
        let id = self.train.home.id;
        let lines = self.lines(&tree_file(tree)).await?;
        let mine = |line: &Signed| line.statement.source.id == id && line.statement.source.chart == *chart;
        let about = |line: &Signed| line.statement.subject.content().is_some_and(|content| content.sha1 == *tree);
        Ok(lines.into_iter().filter(|line| mine(line) && about(line)).collect())
    }

    /// The valid statements about a package of one chart of this repository, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn about_package(&mut self, subject: &Subject) -> Result<Vec<Signed>, FlowError> {
        let id = self.train.home.id;
        let lines = self.lines(&file_of(subject)).await?;
        Ok(lines.into_iter().filter(|line| line.statement.source.id == id && line.statement.subject == *subject).collect())
    }

    /// Signs a statement, or takes the valid one that says the same on the same grounds. It is stored by [`Store::flush`].
    ///
    /// # Errors
    /// When the store cannot be read or the signer fails.
    pub async fn sign(&mut self, statement: Statement) -> Result<Signed, FlowError> {
        let file = file_of(&statement.subject);
        let known = self.lines(&file).await?;
        if let Some(known) = known.into_iter().rev().find(|known| same_grounds(&known.statement, &statement)) {
            return Ok(known);
        }
        self.sign_anew(statement).await
    }

    /// Signs a statement even when the same was said before. It is stored by [`Store::flush`].
    ///
    /// # Errors
    /// When the signer fails.
    pub async fn sign_anew(&mut self, statement: Statement) -> Result<Signed, FlowError> {
        let payload = statement.to_payload();
        if payload.len() > PAYLOAD_LIMIT {
            // Nobody would read it, this store included.
            let source = StatementError::TooLong { length: payload.len(), limit: PAYLOAD_LIMIT };
            return Err(FlowError::Chart { chart: statement.source.chart.to_string(), what: "signing a statement", source: Box::new(source) });
        }
        let bundle = self.train.signer.sign(&payload).await?;
        let signed = Signed { digest: StatementDigest::of(&payload), statement, bundle };
        self.pending.push(signed.clone());
        Ok(signed)
    }

    /// Whether a statement was signed by this job and is not stored yet.
    #[must_use]
    pub fn is_pending(&self, line: &Signed) -> bool {
        self.pending.iter().any(|pending| pending.digest == line.digest)
    }

    /// Appends what was signed, in one commit. Nothing signed, nothing written.
    ///
    /// # Errors
    /// [`FlowError::StoreContention`] when others kept writing.
    pub async fn flush(&mut self) -> Result<(), FlowError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let tip = self.tip().await?;
            let mut files: BTreeMap<String, String> = BTreeMap::new();
            for line in self.pending.clone() {
                let file = file_of(&line.statement.subject);
                if !files.contains_key(&file) {
                    let text = self.text(&file).await?;
                    files.insert(file.clone(), text);
                }
                if let Some(text) = files.get_mut(&file) {
                    text.push_str(&line.bundle);
                    text.push('\n');
                }
            }
            if let Some(appended) = self.append(tip.as_ref(), &files).await? {
                let pending = std::mem::take(&mut self.pending);
                for line in pending {
                    if let Some(lines) = self.read.get_mut(&file_of(&line.statement.subject)) {
                        lines.push(line);
                    }
                }
                self.texts.extend(files);
                self.tip = Some(Some(appended));
                return Ok(());
            }
            self.tip = None;
            self.texts.clear();
        }
        Err(FlowError::StoreContention { attempts: ATTEMPTS })
    }

    async fn append(&self, tip: Option<&CommitId>, files: &BTreeMap<String, String>) -> Result<Option<CommitId>, FlowError> {
        let github = &self.train.github;
        let text = |(path, text): (&String, &String)| NewEntry { path: path.clone(), mode: Mode::File, content: NewContent::Text(text.clone()) };
        let entries: Vec<NewEntry> = files.iter().map(text).collect();
        let base = match tip {
            Some(tip) => Some(self.train.objects.commit(tip).await?.tree),
            None => None,
        };
        let tree = github.create_tree(base.as_ref(), &entries).await?;
        let parents: Vec<CommitId> = tip.cloned().into_iter().collect();
        let commit = github.create_commit("chore: record attestations", &tree, &parents).await?;
        let moved = match tip {
            Some(_) => github.update_ref(ATTESTATIONS, commit.as_str(), false).await,
            None => github.create_ref(ATTESTATIONS, commit.as_str()).await,
        };
        match moved {
            Ok(()) => Ok(Some(commit)),
            Err(error) if error.is_stale() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Train {
    /// Reads one line of a store or lineage file; nothing when its signature or its statement is not valid.
    #[must_use]
    pub fn read_line(&self, line: &str) -> Option<Signed> {
        let payload = (self.open)(line)?;
        let statement = Statement::parse(&payload).ok()?;
        Some(Signed { statement, digest: StatementDigest::of(&payload), bundle: line.to_owned() })
    }
}

/// Whether two statements are of one row, subject, base and configuration and rest on the same inputs. What else they
/// say was read at different times from GitHub (reviews), or follows from these.
fn same_grounds(one: &Statement, other: &Statement) -> bool {
    if (one.row(), &one.source, &one.subject) != (other.row(), &other.source, &other.subject) || sorted(&one.inputs) != sorted(&other.inputs) {
        return false;
    }
    match (&one.predicate, &other.predicate) {
        (Predicate::Promotion(one), Predicate::Promotion(other)) => {
            (&one.commit, &one.range, &one.commits, &one.previous) == (&other.commit, &other.range, &other.commits, &other.previous)
        }
        (Predicate::Tag(one), Predicate::Tag(other)) => (&one.tag, &one.tag_object, &one.commit) == (&other.tag, &other.tag_object, &other.commit),
        (one, other) => one == other,
    }
}

fn sorted(inputs: &[Input]) -> Vec<&Input> {
    let mut inputs: Vec<&Input> = inputs.iter().collect();
    inputs.sort();
    inputs
}
