//! What a rehearsal leaves: the release tree, the repository, the registry, the trust folder, the summary.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chartflow_core::domain::digest::{CommitId, Sha256};
use chartflow_core::domain::lineage::bundle::Line;
use chartflow_core::domain::names::BranchName;
use chartflow_core::domain::statement::{Predicate, Statement, Subject};
use chartflow_core::port::objects::Objects;

use super::links;
use super::report::report;
use super::summary::{ChartRow, LineageRow, OciRow, PackageRow, PullRow, Summary, TreeRow};
use super::world::World;
use super::{Options, RehearsalError};
use crate::github::pulls::ReviewState;

/// The file that says that a folder is a rehearsal's.
pub const MARKER: &str = ".chartflow-rehearsal";

/// What a rehearsal leaves; an earlier one's is replaced.
const PARTS: [&str; 8] = ["summary.json", "release", "origin.git", "registry", "trust", "report.html", ".gitignore", "assets"];

/// A folder that a rehearsal may not write to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// Somebody's files are in it.
    #[error("{path} holds {file:?}, which is no rehearsal's")]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// One of the files.
        file: String,
    },
    /// Another rehearsal is writing to it.
    #[error("another rehearsal is running in {path}")]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// It cannot be read or made.
    #[error("{path} cannot be used")]
    File {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A folder that is this rehearsal's alone, until this is dropped or the process ends.
#[derive(Debug)]
pub struct Claim {
    _lock: fs::File,
}

/// Makes a folder ready: absent, empty, or an earlier rehearsal's, which is cleared. Anything else stays untouched.
///
/// # Errors
/// See [`OutputError`].
pub fn prepare(out: &Path) -> Result<Claim, OutputError> {
    let failed = |source| OutputError::File { path: out.to_owned(), source };
    let mut earlier = Vec::new();
    match fs::symlink_metadata(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(_) => {
            let names: Vec<String> = fs::read_dir(out)
                .map_err(failed)?
                .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
                .collect::<Result<_, _>>()
                .map_err(failed)?;
            let marked = names.iter().any(|name| name == MARKER);
            let stranger = names.iter().find(|name| *name != MARKER && !(marked && PARTS.contains(&name.as_str())));
            if let Some(file) = stranger {
                return Err(OutputError::Occupied { path: out.to_owned(), file: file.clone() });
            }
            earlier = names;
        }
    }
    fs::create_dir_all(out).map_err(failed)?;
    let lock = fs::OpenOptions::new().write(true).create(true).truncate(false).open(out.join(MARKER)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(OutputError::Busy { path: out.to_owned() }),
        // Some network file systems know no locks; two rehearsals at once in one folder are then the user's to avoid.
        Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    for part in earlier.iter().filter(|name| *name != MARKER) {
        let path = out.join(part);
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.map_err(failed)?;
    }
    fs::write(out.join(".gitignore"), "*\n").map_err(failed)?;
    Ok(Claim { _lock: lock })
}

/// Whether the folder can still be written to. A full disk reaches a stage as an answer of the embedded GitHub, which is
/// text alone; this finds out what it was.
///
/// # Errors
/// What the operating system says when one mebibyte is written there.
pub fn has_room(out: &Path) -> io::Result<()> {
    let path = out.join(MARKER);
    let written = fs::write(&path, vec![0; 1 << 20]);
    fs::write(&path, "")?;
    written
}

/// Writes everything; the summary last, so that its presence says that the rehearsal came to its end.
pub(crate) async fn write(world: &World, options: &Options) -> Result<Summary, RehearsalError> {
    let _ = options;
    let release = world.hub.reference(&format!("refs/heads/{}", world.names.release())).map(|id| id.to_string()).unwrap_or_default();
    let tip = CommitId::new(release).map_err(|source| RehearsalError::World { what: "release's tip".to_owned(), source: Box::new(source) })?;
    let files = world.objects.files(&world.objects.commit(&tip).await?.tree).await?;
    let mut served: Vec<(String, Vec<u8>)> = files.iter().map(|(path, file)| (format!("release/{path}"), file.bytes.clone())).collect();
    // What the release branch does not serve is a file of the release alone.
    let beside = world.hub.released_files().into_iter().filter(|(_, name, _)| files.bytes(&format!("charts/{name}")).is_none());
    served.extend(beside.map(|(tag, name, bytes)| (format!("assets/{tag}/{name}"), bytes)));
    for (path, bytes) in &served {
        let at = world.out.join(path);
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent).map_err(RehearsalError::file(parent, "making the folder"))?;
        }
        fs::write(&at, bytes).map_err(RehearsalError::file(&at, "writing"))?;
    }
    let trust = world.out.join("trust");
    fs::create_dir_all(&trust).map_err(RehearsalError::file(&trust, "making the folder"))?;
    let policy = trust.join("policy.json");
    fs::write(&policy, world.policy.to_json()).map_err(RehearsalError::file(&policy, "writing"))?;
    let key = trust.join("key.pub");
    fs::write(&key, world.signer.public_key_pem()).map_err(RehearsalError::file(&key, "writing"))?;
    let known = |path: &str| path.strip_prefix("release/").is_some_and(|path| world.known.iter().any(|known| known == path));
    let new = served.iter().filter(|(path, _)| path.ends_with(".lineage.jsonl") && !known(path));
    let mut charts: Vec<ChartRow> = new.filter_map(|(path, bytes)| chart_row(path, bytes)).collect();
    charts.sort_by(|one, other| (&one.chart, &one.tag).cmp(&(&other.chart, &other.tag)));
    requests(world, &mut charts);
    let result = match (world.refused.is_empty(), charts.is_empty()) {
        (false, _) => "refused",
        (true, false) => "released",
        (true, true) => "nothing to release",
    };
    let summary = Summary {
        schema: "chartflow.rehearsal/v1",
        result,
        base: world.base.clone(),
        head: world.head_commits.last().cloned().unwrap_or_else(|| world.base.clone()),
        heads: world.head_commits.clone(),
        charts,
        pulls: world.hub.pulls().iter().map(|pull| pull_row(world, pull)).collect(),
        stages: world.stages.clone(),
        checks: world.checks.clone(),
        refused: world.refused.clone(),
    };
    let page = world.out.join("report.html");
    fs::write(&page, report(&summary)).map_err(RehearsalError::file(&page, "writing"))?;
    let text = serde_json::to_string_pretty(&summary).map_err(|source| RehearsalError::World { what: "the summary".to_owned(), source: Box::new(source) })?;
    let path = world.out.join("summary.json");
    fs::write(&path, format!("{text}\n")).map_err(RehearsalError::file(&path, "writing"))?;
    Ok(summary)
}

/// What a lineage file says of the release it belongs to.
fn chart_row(path: &str, lineage: &[u8]) -> Option<ChartRow> {
    let text = std::str::from_utf8(lineage).ok()?;
    let statements: Vec<Statement> = text.lines().filter_map(|line| Statement::parse(Line::read(line).ok()?.payload()).ok()).collect();
    let mut row = None;
    for statement in &statements {
        if let (Predicate::Build(build), Subject::Package { sha256, reference, manifest, .. }) = (&statement.predicate, &statement.subject) {
            row = Some((statement, build, *sha256, reference.clone(), *manifest));
        }
    }
    let (statement, build, sha256, reference, manifest): (_, _, Sha256, String, Sha256) = row?;
    let bump = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Bump(bump) => Some(bump),
        _ => None,
    })?;
    let tag = statements.iter().find_map(|statement| match &statement.predicate {
        Predicate::Tag(tag) => Some(tag),
        _ => None,
    })?;
    Some(ChartRow {
        chart: statement.source.chart.to_string(),
        path: statement.source.path.to_string(),
        from: bump.from.clone(),
        to: bump.to.clone(),
        level: serde_json::to_value(bump.level).ok()?.as_str()?.to_owned(),
        tag: tag.tag.to_string(),
        commit: tag.commit.to_string(),
        tree: TreeRow { sha1: build.content.sha1.to_string(), sha256: build.content.sha256.to_string() },
        package: PackageRow { file: path.replace(".lineage.jsonl", ".tgz"), sha256: sha256.to_string() },
        oci: OciRow { reference, digest: manifest.prefixed() },
        lineage: LineageRow { file: path.to_owned(), attestations: statements.len() },
        requests: 0,
        creating: 0,
        links: links::links(&statements),
        commits: links::commits(&statements),
    })
}

/// Each run's requests go to the charts it did something about; what was about none is everybody's.
fn requests(world: &World, charts: &mut [ChartRow]) {
    let names: Vec<String> = charts.iter().map(|row| row.chart.clone()).collect();
    let mut sums: Vec<(f64, f64)> = vec![(0.0, 0.0); charts.len()];
    for run in &world.stages {
        let mine: Vec<usize> = (0..names.len()).filter(|&index| run.charts.contains(&names[index])).collect();
        let shared: Vec<usize> = if mine.is_empty() && run.charts.is_empty() { (0..names.len()).collect() } else { mine };
        for index in &shared {
            #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
            if let Some(sum) = sums.get_mut(*index) {
                sum.0 += run.requests as f64 / shared.len() as f64;
                sum.1 += run.creating as f64 / shared.len() as f64;
            }
        }
    }
    for (row, (total, creating)) in charts.iter_mut().zip(sums) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums of positive counts")]
        {
            row.requests = total.ceil() as u64;
            row.creating = creating.ceil() as u64;
        }
    }
}

pub(super) fn pull_row(world: &World, pull: &crate::github::pulls::Pull) -> PullRow {
    let (head, base) = (pull.head.clone(), pull.base.clone());
    let chart_of = |text: &str| BranchName::new(text).ok().and_then(|branch| world.names.chart_of_branch(&branch)).map(|chart| chart.to_string());
    let (stage, chart) = if world.contributions.contains(&pull.number) {
        ("validate", None)
    } else if head == world.names.back_head().as_str() {
        ("tag", None)
    } else if base == world.names.release().as_str() {
        ("package", released_chart(world, &head))
    } else if base == world.names.main().as_str() {
        ("format", chart_of(&head))
    } else {
        let chart = chart_of(&base);
        let bump = chart.as_ref().and_then(|chart| chart.parse().ok()).and_then(|chart| world.names.bump_head(&chart).ok());
        (if bump.is_some_and(|bump| bump.as_str() == head) { "bump" } else { "filter" }, chart)
    };
    let state = if pull.open {
        "open"
    } else if pull.merged.is_some() {
        "merged"
    } else {
        "closed"
    };
    let mut approved: Vec<String> =
        pull.reviews.iter().filter(|review| review.state == ReviewState::Approved).map(|review| review.author.login.clone()).collect();
    approved.sort();
    approved.dedup();
    PullRow {
        number: pull.number,
        stage,
        chart,
        title: pull.title.clone(),
        base,
        head,
        state,
        body: pull.body.clone().unwrap_or_default(),
        author: pull.author.login.clone(),
        approved,
        merged_by: pull.merged.as_ref().map(|merged| merged.by.login.clone()),
    }
}

/// The chart of a head that brings a package.
fn released_chart(world: &World, head: &str) -> Option<String> {
    let found = world.stages.iter().flat_map(|run| &run.charts).find(|chart| {
        let Ok(name) = chart.parse() else { return false };
        let Ok(prefix) = world.names.release_head(&name, &semver::Version::new(0, 0, 0)) else { return false };
        let prefix = prefix.as_str().trim_end_matches("0.0.0");
        head.strip_prefix(prefix).is_some_and(|version| semver::Version::parse(version).is_ok())
    });
    found.cloned()
}
