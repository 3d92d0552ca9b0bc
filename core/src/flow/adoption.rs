//! What an adoption reads: where the charts are, and which ones there are.

use std::collections::BTreeSet;

use super::FlowError;
use super::directories::Reader;
use super::listing::subtree;
use crate::domain::detection::{Globs, Notice};
use crate::domain::digest::{CommitId, TreeId};
use crate::domain::event::StageName;
use crate::domain::workflow::CONFIGURATION_PATH;
use crate::port::objects::Objects;

/// Where GitHub looks for workflow files.
const WORKFLOWS: &str = ".github/workflows";

/// Where the charts really are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The globs.
    pub globs: Vec<String>,
    /// What to tell when they are others than those that were asked for, or when there is no chart at all.
    pub notice: Option<Notice>,
}

/// Whether a tree holds a file of the train, of whichever version: its configuration, or a workflow file of a stage. No file is
/// read.
///
/// # Errors
/// When a directory cannot be read.
pub async fn rides(objects: &dyn Objects, root: &TreeId) -> Result<bool, FlowError> {
    Ok(objects.tree(root).await?.get(CONFIGURATION_PATH).is_some() || runs(objects, root).await?)
}

/// Whether a tree holds a workflow file of a stage, of whichever version, under the name that `chartflow init` gives it.
///
/// # Errors
/// When a directory cannot be read.
pub async fn runs(objects: &dyn Objects, root: &TreeId) -> Result<bool, FlowError> {
    let Some(folder) = subtree(objects, root, WORKFLOWS).await? else { return Ok(false) };
    let folder = objects.tree(&folder).await?;
    let mut names = StageName::ALL.iter().filter_map(|stage| stage.workflow_path().strip_prefix(WORKFLOWS)?.strip_prefix('/'));
    Ok(names.any(|name| folder.get(name).is_some()))
}

/// Whether the commit of an id, as refs tell it, [`rides`]; `None` where that cannot be told, as in a clone that lacks it.
pub async fn rides_at(objects: &dyn Objects, id: &str) -> Option<bool> {
    let commit = objects.commit(&CommitId::new(id).ok()?).await.ok()?;
    rides(objects, &commit.tree).await.ok()
}

/// The globs of a configuration, or, when they name no chart, the parents of all directories with a Chart.yaml that are not inside
/// another chart; names that begin with a dot aside.
///
/// # Errors
/// When a directory cannot be read.
pub async fn globs(objects: &dyn Objects, roots: &[TreeId], configured: &[String]) -> Result<Found, FlowError> {
    let configured = configured.to_vec();
    let globs = Globs::new(&configured)?;
    let mut reader = Reader::new(objects);
    for root in roots {
        let named = reader.matching(root, &globs).await?.directories;
        if reader.any_chart(&named).await.map_err(FlowError::from)? {
            return Ok(Found { globs: configured, notice: None });
        }
    }
    let (mut found, mut top) = (BTreeSet::new(), false);
    for root in roots {
        let everywhere = reader.everywhere(root).await?;
        top |= everywhere.top_is_chart;
        found.extend(
            everywhere.directories.keys().map(|path| path.as_str().rsplit_once('/').map_or_else(|| "*".to_owned(), |(parent, _)| format!("{parent}/*"))),
        );
    }
    if found.is_empty() {
        let notice = Some(if top { Notice::TopIsChart } else { Notice::NoCharts { configured: configured.clone() } });
        return Ok(Found { globs: configured, notice });
    }
    let found: Vec<String> = found.into_iter().collect();
    Ok(Found { notice: Some(Notice::WriteGlobs { configured, found: found.clone() }), globs: found })
}
