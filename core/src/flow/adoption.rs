//! What an adoption reads: where the charts are, and which ones there are.

use std::collections::BTreeSet;

use super::FlowError;
use super::listing::{Patterns, listing};
use crate::domain::detection::Notice;
use crate::domain::digest::TreeId;
use crate::port::objects::Objects;

/// Directories are looked into no deeper than this.
const DEPTH: usize = 6;

/// Where the charts really are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The globs.
    pub globs: Vec<String>,
    /// What to tell when they are others than those that were asked for, or when there is no chart at all.
    pub notice: Option<Notice>,
}

/// The globs of a configuration, or, when they name no chart, the parents of all directories with a Chart.yaml that are not inside
/// another chart; names that begin with a dot aside.
///
/// # Errors
/// When a directory cannot be read.
pub async fn globs(objects: &dyn Objects, roots: &[TreeId], configured: &[String]) -> Result<Found, FlowError> {
    let configured = configured.to_vec();
    let patterns = Patterns::new(&configured)?;
    for root in roots {
        for tree in listing(objects, root, &patterns).await?.values() {
            if objects.tree(tree).await?.get("Chart.yaml").is_some() {
                return Ok(Found { globs: configured, notice: None });
            }
        }
    }
    let (mut found, mut top) = (BTreeSet::new(), false);
    for root in roots {
        let mut todo = vec![(String::new(), root.clone(), 0)];
        while let Some((path, tree, depth)) = todo.pop() {
            let tree = objects.tree(&tree).await?;
            if tree.get("Chart.yaml").is_some() && path.is_empty() {
                top = true;
            } else if tree.get("Chart.yaml").is_some() {
                found.insert(path.rsplit_once('/').map_or_else(|| "*".to_owned(), |(parent, _)| format!("{parent}/*")));
                continue;
            }
            for entry in tree.entries().iter().filter(|entry| !entry.name.starts_with('.') && depth < DEPTH) {
                if let Some(below) = entry.as_tree() {
                    let at = if path.is_empty() { entry.name.clone() } else { format!("{path}/{}", entry.name) };
                    todo.push((at, below, depth + 1));
                }
            }
        }
    }
    if found.is_empty() {
        let notice = Some(if top { Notice::TopIsChart } else { Notice::NoCharts { configured: configured.clone() } });
        return Ok(Found { globs: configured, notice });
    }
    let found: Vec<String> = found.into_iter().collect();
    Ok(Found { notice: Some(Notice::WriteGlobs { configured, found: found.clone() }), globs: found })
}
