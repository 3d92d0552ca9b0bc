//! Deriving the bump: the pure function from a promoted content, its signed commit list and main's content to the
//! content with its version. Whoever runs it again on the same facts gets the same bytes.

use std::collections::BTreeMap;

use super::following;
use crate::domain::changelog;
use crate::domain::chart::{CHART_FILE, Metadata, REQUIREMENTS_FILE, edit};
use crate::domain::commit::Author;
use crate::domain::commit::conventional::{changes, co_authors};
use crate::domain::configuration::Artifacthub;
use crate::domain::content::{ContentId, Files};
use crate::domain::digest::ObjectFormat;
use crate::domain::names::{ChartName, RepoPath};
use crate::domain::package::follow::{Followed, lock_file};
use crate::domain::package::is_packaged_change;
use crate::domain::statement::{Bump, ChartEdits, Level, Predicate, Stage, Statement, Subject, Witness};
use crate::domain::tree::Mode;
use crate::domain::version;
use crate::flow::judge::Chain;
use crate::flow::listing::{file, root};
use crate::flow::preview::policy;
use crate::flow::tips::Tips;
use crate::flow::{FlowError, Train, parse_version, release_version, texts};
use crate::plan::Place;
use semver::Version;

/// A derived bump.
#[derive(Debug, Clone)]
pub(crate) struct Derived {
    /// The chart's directory.
    pub path: RepoPath,
    /// Its files with the bump.
    pub files: Files,
    /// The content with its version.
    pub content: ContentId,
    /// The files that change, with their modes.
    pub edits: BTreeMap<String, (Mode, Vec<u8>)>,
    /// The version on main.
    pub from: Option<String>,
    /// The new version.
    pub to: String,
    /// The level.
    pub level: Level,
    /// Why this version, in words.
    pub reason: String,
    /// Who wrote the commits it was derived from, co-authors among them, oldest first.
    pub authors: Vec<Author>,
    /// Row 4.
    pub statement: Statement,
}

/// Derives the bump of the content that a chain promoted.
///
/// # Errors
/// [`FlowError::Chart`] when the chart's files cannot be read or edited, [`FlowError::Version`] when there is no next version.
pub(crate) async fn derive(train: &Train, tips: &Tips, chart: &ChartName, chain: &Chain, main: Option<&Place>) -> Result<Derived, FlowError> {
    let promotion_statement = &chain.promotion.statement;
    let (Some(promotion), Some(before), Some(enforce)) = (chain.promotion(), promotion_statement.subject.content(), &chain.enforce) else {
        return Err(FlowError::NoBranch { branch: chart.to_string() });
    };
    let path = promotion_statement.source.path.clone();
    let files =
        if promotion.removed && before.sha1.as_str() == crate::flow::compose::EMPTY_TREE { Files::new() } else { train.objects.files(&before.sha1).await? };
    let computed = files.content_id()?;
    if computed != *before {
        return Err(FlowError::Identity { path: path.to_string(), computed: computed.sha256.to_string(), expected: before.sha256.to_string() });
    }
    let main_files = match main {
        Some(main) => Some(train.objects.files(&main.tree).await?),
        None => None,
    };
    let (date, authors) = date(train, promotion).await?;
    let signed_floor = chain.bump().map(|bump| bump.floor.as_deref().map(parse_version).transpose()).transpose()?;
    let signed_followed = chain.bump().map(|bump| Followed { constraints: bump.edits.dependencies.clone(), locked: bump.edits.locked.clone() });
    let facts = Facts { train, tips, chart, path: &path, files: &files, main: main_files.as_ref(), promotion, date, signed_floor, signed_followed };
    let outcome = if promotion.removed { facts.removal()? } else { facts.bump().await? };
    let mut after = files.clone();
    for (name, (_, bytes)) in &outcome.edits {
        after.insert(name.clone(), bytes.clone());
    }
    let content = after.content_id()?;
    let witness = Witness {
        before: raw_root(&files)?,
        after: raw_root(&after)?,
        chart_yaml: files.bytes(CHART_FILE).unwrap_or_default().to_vec(),
        requirements_yaml: files.bytes(REQUIREMENTS_FILE).map(<[u8]>::to_vec),
        lock_before: outcome.lock.as_ref().map(|(before, _)| before.clone()),
        chart_lock: outcome.lock.as_ref().map(|(_, after)| after.clone()),
        changelog_entry: outcome.entry.clone(),
    };
    let bump = Bump {
        builder: train.home.builder.clone(),
        before: before.clone(),
        from: outcome.from.as_ref().map(ToString::to_string),
        to: outcome.to.to_string(),
        level: outcome.level,
        versions: texts::versions(tips.configuration.configuration.versions).to_owned(),
        floor: outcome.floor.map(|floor| floor.to_string()),
        commits: promotion.commits.clone(),
        omitted: promotion.omitted.clone(),
        date,
        edits: outcome.chart_edits,
        witness,
    };
    let statement = Statement {
        stage: Stage::Bump,
        source: promotion_statement.source.clone(),
        subject: Subject::Content { path: path.clone(), id: content.clone() },
        inputs: vec![enforce.as_input()],
        predicate: Predicate::Bump(bump),
    };
    let edits = outcome.edits;
    Ok(Derived {
        path,
        files: after,
        content,
        edits,
        from: outcome.from.map(|from| from.to_string()),
        to: outcome.to.to_string(),
        level: outcome.level,
        reason: outcome.reason,
        authors,
        statement,
    })
}

/// The newest contribution's commit date: every date that enters content comes from it and never from a clock. And who
/// wrote the commits, co-authors among them, oldest first.
async fn date(train: &Train, promotion: &crate::domain::statement::Promotion) -> Result<(i64, Vec<Author>), FlowError> {
    let mut newest = None;
    let mut authors = Vec::new();
    for record in &promotion.commits {
        let commit = train.objects.commit(&record.id).await?;
        newest = newest.max(Some(commit.committed));
        authors.push(Author { name: commit.author.name, email: commit.author.email });
        // Of the message that is signed, which the changelog is derived from as well.
        authors.extend(co_authors(&record.message));
    }
    match newest {
        Some(newest) => Ok((newest, authors)),
        None => Ok((train.objects.commit(&promotion.commit).await?.committed, authors)),
    }
}

fn raw_root(files: &Files) -> Result<Vec<u8>, FlowError> {
    let (_, trees) = files.trees(ObjectFormat::Sha256)?;
    let tree = trees.get("").cloned().unwrap_or_default();
    tree.encode(ObjectFormat::Sha256).map_err(|source| crate::domain::content::ContentError::Path { path: String::new(), source: Some(source) }.into())
}

struct Facts<'a> {
    train: &'a Train,
    tips: &'a Tips,
    chart: &'a ChartName,
    path: &'a RepoPath,
    files: &'a Files,
    main: Option<&'a Files>,
    promotion: &'a crate::domain::statement::Promotion,
    date: i64,
    /// The floor that a signed bump was derived from, when that bump is derived again.
    signed_floor: Option<Option<Version>>,
    /// The dependencies' versions that a signed bump wrote, when that bump is derived again.
    signed_followed: Option<Followed>,
}

struct OutcomeOfBump {
    from: Option<Version>,
    to: Version,
    level: Level,
    reason: String,
    floor: Option<Version>,
    entry: Option<String>,
    chart_edits: ChartEdits,
    /// The lock before and after, where it changes.
    lock: Option<(Vec<u8>, Vec<u8>)>,
    edits: BTreeMap<String, (Mode, Vec<u8>)>,
}

impl Facts<'_> {
    fn failed(&self, what: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> FlowError {
        FlowError::Chart { chart: self.chart.to_string(), what, source: Box::new(source) }
    }

    fn main_version(&self) -> Result<Option<Version>, FlowError> {
        self.main.and_then(|files| files.bytes("Chart.yaml")).map(|bytes| release_version(self.path, bytes)).transpose()
    }

    /// A removal has no version: what main held goes.
    fn removal(&self) -> Result<OutcomeOfBump, FlowError> {
        let from = self.main_version()?;
        let to = from.clone().unwrap_or(Version::new(0, 0, 0));
        let reason = "removed".to_owned();
        Ok(OutcomeOfBump {
            from,
            to,
            level: Level::None,
            reason,
            floor: None,
            entry: None,
            chart_edits: ChartEdits::default(),
            lock: None,
            edits: BTreeMap::new(),
        })
    }

    async fn bump(&self) -> Result<OutcomeOfBump, FlowError> {
        let yaml = self.files.bytes("Chart.yaml").unwrap_or_default();
        let contributed = release_version(self.path, yaml)?;
        let from = self.main_version()?;
        let packaged = self.main.is_none_or(|main| is_packaged_change(main, self.files));
        let newest_first = || self.promotion.commits.iter().rev().map(|commit| commit.message.as_str());
        let level = version::level_of(newest_first(), packaged);
        let floor = match &self.signed_floor {
            Some(floor) => floor.clone(),
            None => self.published().await?,
        };
        let release_as = newest_first().flat_map(changes).find_map(|change| change.release_as()?.ok());
        let decision = version::decide(&version::Facts {
            main: from.clone(),
            contributed: contributed.clone(),
            floor: floor.clone().max(from.clone()),
            level,
            release_as,
            policy: policy(self.tips.configuration.configuration.versions),
        })
        .map_err(|source| FlowError::Version { chart: self.chart.to_string(), source })?;
        let mut outcome = OutcomeOfBump {
            from,
            to: decision.version,
            level: decision.level,
            reason: decision.reason.to_string(),
            floor,
            entry: None,
            chart_edits: ChartEdits::default(),
            lock: None,
            edits: BTreeMap::new(),
        };
        if outcome.level != Level::None {
            let followed = match &self.signed_followed {
                Some(followed) => followed.clone(),
                None => {
                    let main = root(&*self.train.objects, &self.tips.main).await?;
                    following::followed(self.train, &main, self.path, self.files).await?
                }
            };
            self.edit(yaml, &contributed, followed, &mut outcome)?;
        }
        Ok(outcome)
    }

    fn edit(&self, yaml: &[u8], contributed: &Version, followed: Followed, outcome: &mut OutcomeOfBump) -> Result<(), FlowError> {
        let mode = |name: &str| self.files.get(name).map_or(Mode::File, |file| file.mode);
        let mut yaml = yaml.to_vec();
        if outcome.to != *contributed {
            yaml = edit::set_version(&yaml, &outcome.to).map_err(|error| self.failed("writing its version", error))?;
        }
        let tag = self.tips.names.tag(self.chart, &outcome.to)?;
        let entry = texts::changelog_entry(self.train, self.chart, self.promotion, &outcome.to, Some(tag), self.date);
        if self.keeps_changes(&yaml) {
            let text = texts::artifact_hub_changes(self.train, self.chart, self.promotion, &outcome.to, self.date);
            // Without a commit that counts there is nothing to tell, and what stands there stays.
            if !text.is_empty() {
                yaml = edit::set_changes_annotation(&yaml, &text).map_err(|error| self.failed("writing its changes", error))?;
                outcome.chart_edits.changes = Some(text);
            }
        }
        let mut files = self.files.clone();
        files.insert(CHART_FILE, yaml);
        for (name, bytes) in following::written(self.path, &files, &followed)? {
            if let Some(before) = self.files.bytes(name).filter(|_| lock_file(self.files) == Some(name)) {
                outcome.lock = Some((before.to_vec(), bytes.clone()));
            }
            outcome.edits.insert(name.to_owned(), (mode(name), bytes.clone()));
            files.insert(name, bytes);
        }
        if let Some(yaml) = files.bytes(CHART_FILE).filter(|yaml| Some(*yaml) != self.files.bytes(CHART_FILE)) {
            outcome.edits.insert(CHART_FILE.to_owned(), (mode(CHART_FILE), yaml.to_vec()));
        }
        outcome.chart_edits.dependencies = followed.constraints;
        outcome.chart_edits.locked = followed.locked;
        let present = self.files.bytes("CHANGELOG.md").map(changelog::read).transpose().map_err(|error| self.failed("reading its changelog", error))?;
        let log = changelog::insert(present, &outcome.to, &entry);
        if Some(log.as_str()) != present {
            outcome.edits.insert("CHANGELOG.md".to_owned(), (mode("CHANGELOG.md"), log.into_bytes()));
            outcome.entry = Some(entry);
        }
        Ok(())
    }

    /// Whether `artifacthub.io/changes` is kept in step: when the configuration says so, or the chart has it.
    fn keeps_changes(&self, yaml: &[u8]) -> bool {
        use Artifacthub as ArtifactHub;
        match self.tips.configuration.configuration.changelog.artifacthub {
            ArtifactHub::Always => true,
            ArtifactHub::Never => false,
            ArtifactHub::Auto => Metadata::read("Chart.yaml", yaml).is_ok_and(|metadata| metadata.annotations.contains_key("artifacthub.io/changes")),
        }
    }

    /// The highest version of this chart among tags, names that tags take, and index.
    async fn published(&self) -> Result<Option<Version>, FlowError> {
        let (train, names) = (self.train, &self.tips.names);
        let tags = train.github.matching_refs(&format!("tags/{}", names.tag_prefix(self.chart))).await?;
        let tagged = tags.iter().filter_map(|(name, _)| names.version_taken_by(self.chart, name.strip_prefix("refs/tags/")?)).max();
        let indexed = self.indexed().await?;
        Ok(tagged.max(indexed))
    }

    async fn indexed(&self) -> Result<Option<Version>, FlowError> {
        let Ok(release) = self.tips.release() else { return Ok(None) };
        let tree = root(&*self.train.objects, release).await?;
        let Some(text) = file(&*self.train.objects, &tree, "index.yaml", 64 << 20).await? else { return Ok(None) };
        let highest = crate::domain::index::highest_version(&text, self.chart.as_str()).map_err(|source| FlowError::Index { source })?;
        highest.map(|version| parse_version(&version.to_string())).transpose()
    }
}
