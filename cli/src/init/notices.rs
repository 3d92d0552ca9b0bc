//! What `chartflow init` says about the charts of main before somebody wonders why nothing is released.

use std::collections::BTreeMap;

use chartflow_core::domain::chart::CHART_FILE;
use chartflow_core::domain::check::layout::{DOUBLED_HINT, doubled};
use chartflow_core::domain::configuration::Configuration;
use chartflow_core::domain::detection::{Globs, Notice};
use chartflow_core::domain::digest::TreeId;
use chartflow_core::domain::names::{ChartName, RepoPath};
use chartflow_core::domain::yaml::{Duplicates, Limits, parse};
use chartflow_core::flow::adoption;
use chartflow_core::flow::listing::{file, listing};
use chartflow_core::io::git::LocalRepository;

use super::gather::{LIMIT, now};
use crate::error::{CommandError, Kind};

/// That there is no chart, none where the configuration says, two of one name, or one whose directory is called otherwise.
pub(super) fn notices(repository: &LocalRepository, root: &TreeId, configuration: &Configuration) -> Result<Vec<String>, CommandError> {
    let wrong = |error: chartflow_core::flow::FlowError| CommandError::of(Kind::Request, error);
    let found = now(adoption::globs(repository, std::slice::from_ref(root), &configuration.charts))?.map_err(wrong)?;
    let mut notices: Vec<String> = found.notice.iter().map(ToString::to_string).collect();
    let mut named: BTreeMap<ChartName, Vec<RepoPath>> = BTreeMap::new();
    for (path, tree) in now(listing(repository, root, &Globs::new(&configuration.charts)?))?.map_err(wrong)? {
        let Some(bytes) = now(file(repository, &tree, CHART_FILE, LIMIT))?.map_err(wrong)? else { continue };
        match name(&bytes) {
            Some(name) => named.entry(name).or_default().push(path),
            None => notices.push(Notice::NameUnreadable { path }.to_string()),
        }
    }
    for (name, paths) in named {
        if paths.len() > 1 {
            notices.push(format!("{}; {DOUBLED_HINT}", doubled(&name, paths.iter())));
        } else if let Some(path) = paths.into_iter().next()
            && path.base_name() != name.as_str()
            && configuration.directories.get(&name) != Some(&path)
        {
            notices.push(Notice::NameDiffers { path, name }.to_string());
        }
    }
    Ok(notices)
}

/// The name in a Chart.yaml, where one can be read that something can be released under.
fn name(bytes: &[u8]) -> Option<ChartName> {
    parse(CHART_FILE, bytes, &Limits::default(), Duplicates::Keep).ok()?.root.get("name")?.as_text()?.parse().ok()
}
