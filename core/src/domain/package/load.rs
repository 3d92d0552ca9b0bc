//! A chart as helm loads it: which file means what, and the charts inside (helm `pkg/chart/v2/loader/load.go`).

use std::collections::BTreeMap;

use super::super::chart::{CHART_FILE, Metadata, REQUIREMENTS_FILE, VALUES_FILE, VALUES_SCHEMA_FILE};
use super::super::content::Files;
use super::super::yaml::{self, Duplicates, without_mark};
use super::PackageError;
use super::ignore::{IGNORE_FILE, IgnoreRules};
use super::lock::{LOCK_FILE, Lock, OLD_LOCK_FILE};
use super::read::{self, Limits};
use super::walk::Directories;

/// Charts within charts deeper than this are refused.
const NESTING_LIMIT: usize = 16;

/// A file on its way into a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// Relative to the chart.
    pub(super) path: String,
    /// The file it comes from, named as the caller names the packaged chart's files.
    pub(super) source: String,
    pub(super) bytes: Vec<u8>,
}

/// A chart with everything that goes into its package.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    pub(super) metadata: Metadata,
    /// The file behind `metadata`.
    pub(super) source: String,
    /// The lock and the file it comes from.
    pub(super) lock: Option<(Lock, String)>,
    pub(super) values: Option<Item>,
    pub(super) schema: Option<Item>,
    pub(super) templates: Vec<Item>,
    pub(super) files: Vec<Item>,
    pub(super) charts: Vec<Chart>,
}

/// What is left of the limits for everything that goes into one package.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    limits: Limits,
    bytes: u64,
    files: usize,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, bytes: limits.total, files: limits.entries }
    }

    fn take(&mut self, item: &Item) -> Result<(), PackageError> {
        let size = item.bytes.len() as u64;
        if size > self.limits.file {
            return Err(PackageError::FileTooLarge { path: item.source.clone(), size, limit: self.limits.file });
        }
        self.bytes = self.bytes.checked_sub(size).ok_or(PackageError::TooLarge { limit: self.limits.total })?;
        self.files = self.files.checked_sub(1).ok_or(PackageError::TooMany { limit: self.limits.entries })?;
        Ok(())
    }
}

fn join(directory: &str, path: &str) -> String {
    if directory.is_empty() { path.to_owned() } else { format!("{directory}/{path}") }
}

/// Loads a chart directory; `at` is put before the paths in messages and sources.
pub(super) fn directory(files: &Files, at: &str, budget: &mut Budget) -> Result<Chart, PackageError> {
    let walk_error = |source| PackageError::Walk { chart: at.to_owned(), source };
    let directories = Directories::new(files);
    let rules = match directories.file(IGNORE_FILE).map_err(walk_error)? {
        Some(bytes) => IgnoreRules::parse(bytes).map_err(|source| PackageError::Ignore { chart: at.to_owned(), source })?,
        None => IgnoreRules::default(),
    };
    let mut items = Vec::new();
    for found in directories.walk(&rules).map_err(walk_error)? {
        let item = Item { source: join(at, &found.source), path: found.path, bytes: without_mark(found.bytes).to_vec() };
        budget.take(&item)?;
        items.push(item);
    }
    chart(items, at, budget, 0)
}

/// Loads the chart in an archive that lies in `charts/`; `source` names the archive.
fn archive(bytes: &[u8], source: &str, budget: &mut Budget, depth: usize) -> Result<Chart, PackageError> {
    let limits = Limits { total: budget.bytes, entries: budget.files, ..budget.limits };
    let unpacked = read::unpack(bytes, limits).map_err(|error| PackageError::Archive { path: source.to_owned(), source: error })?;
    let mut items = Vec::with_capacity(unpacked.len());
    for file in unpacked {
        let item = Item { path: file.path, source: source.to_owned(), bytes: without_mark(&file.bytes).to_vec() };
        budget.take(&item)?;
        items.push(item);
    }
    chart(items, source, budget, depth)
}

/// Sorts the files of one chart; `at` names the chart in messages.
fn chart(items: Vec<Item>, at: &str, budget: &mut Budget, depth: usize) -> Result<Chart, PackageError> {
    if depth > NESTING_LIMIT {
        return Err(PackageError::Nesting { chart: at.to_owned(), limit: NESTING_LIMIT });
    }
    let find = |name: &str| items.iter().find(|item| item.path == name);
    let Some(chart_file) = find(CHART_FILE) else {
        return Err(PackageError::NoChartFile { chart: at.to_owned() });
    };
    let requirements = find(REQUIREMENTS_FILE).map(|item| (item.source.as_str(), item.bytes.as_slice()));
    let metadata = Metadata::read_with_requirements(&chart_file.source, &chart_file.bytes, requirements)?;
    let first_version = metadata.api_version == "v1";
    let mut chart = Chart {
        source: chart_file.source.clone(),
        metadata,
        lock: None,
        values: None,
        schema: None,
        templates: Vec::new(),
        files: Vec::new(),
        charts: Vec::new(),
    };
    let mut inner: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for item in items {
        match item.path.as_str() {
            CHART_FILE => {}
            LOCK_FILE => chart.lock = read_lock(&item)?,
            VALUES_FILE => {
                check_values(&item)?;
                chart.values = Some(item);
            }
            VALUES_SCHEMA_FILE => chart.schema = Some(checked_schema(item)?),
            REQUIREMENTS_FILE if !first_version => {}
            OLD_LOCK_FILE => {
                chart.lock = read_lock(&item)?;
                if first_version {
                    chart.files.push(item);
                }
            }
            path if path.starts_with("templates/") => chart.templates.push(item),
            path => match path.strip_prefix("charts/") {
                Some(rest) if !path.ends_with(".prov") => {
                    let rest = rest.to_owned();
                    let name = rest.split('/').next().unwrap_or_default().to_owned();
                    inner.entry(name).or_default().push(Item { path: rest, ..item });
                }
                _ => chart.files.push(item),
            },
        }
    }
    for (name, items) in inner {
        if !name.starts_with(['_', '.']) {
            chart.charts.push(inner_chart(&name, items, at, budget, depth + 1)?);
        }
    }
    Ok(chart)
}

/// One entry of `charts/`: an archive or a directory.
fn inner_chart(name: &str, items: Vec<Item>, parent: &str, budget: &mut Budget, depth: usize) -> Result<Chart, PackageError> {
    let at = join(parent, &format!("charts/{name}"));
    if name.ends_with(".tgz") {
        return match items.as_slice() {
            [item] if item.path == name => archive(&item.bytes, &item.source, budget, depth),
            _ => Err(PackageError::NoArchive { path: at }),
        };
    }
    let prefix = format!("{name}/");
    let own = items.into_iter().filter_map(|item| Some(Item { path: item.path.strip_prefix(&prefix)?.to_owned(), ..item })).collect();
    chart(own, &at, budget, depth)
}

fn read_lock(item: &Item) -> Result<Option<(Lock, String)>, PackageError> {
    Ok(Lock::read(&item.source, &item.bytes)?.map(|lock| (lock, item.source.clone())))
}

fn checked_schema(item: Item) -> Result<Item, PackageError> {
    match serde_json::from_slice::<serde::de::IgnoredAny>(&item.bytes) {
        Ok(_) => Ok(item),
        Err(source) => Err(PackageError::Schema { path: item.source, source }),
    }
}

/// helm merges the documents of a values.yaml, so each must be a mapping or empty.
fn check_values(item: &Item) -> Result<(), PackageError> {
    let limits = yaml::Limits::of_bytes(item.bytes.len().max(1));
    for document in documents(&item.bytes) {
        let root = yaml::parse(&item.source, document, &limits, Duplicates::Keep)?.root;
        if !root.is_null() && !matches!(root.value, yaml::Value::Mapping(_)) {
            return Err(PackageError::Values { path: item.source.clone(), found: root.kind() });
        }
    }
    Ok(())
}

/// The parts of a file between lines that begin with `---`; the parts keep their lines' ends.
fn documents(bytes: &[u8]) -> Vec<&[u8]> {
    let mut documents = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        if line.starts_with(b"---") && at > start {
            documents.extend(bytes.get(start..at));
            start = at;
        }
        at += line.len();
    }
    documents.extend(bytes.get(start..));
    documents
}
