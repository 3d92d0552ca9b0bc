//! What an adoption reads: where the charts are, and which ones there are.

use std::collections::BTreeSet;

use super::FlowError;
use super::listing::{Patterns, listing};
use crate::domain::digest::TreeId;
use crate::port::objects::Objects;

/// Directories are looked into no deeper than this.
const DEPTH: usize = 6;

/// Where the charts are, when nothing says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The globs.
    pub globs: Vec<String>,
    /// Whether they are others than the default, so that they have to be written down.
    pub elsewhere: bool,
}

/// The default glob, or, when it names no chart, the parents of all directories with a Chart.yaml that are not inside
/// another chart; names that begin with a dot aside.
///
/// # Errors
/// When a directory cannot be read.
pub async fn globs(objects: &dyn Objects, roots: &[TreeId]) -> Result<Found, FlowError> {
    let default = vec!["charts/*".to_owned()];
    let patterns = Patterns::new(&default)?;
    for root in roots {
        for tree in listing(objects, root, &patterns).await?.values() {
            if objects.tree(tree).await?.get("Chart.yaml").is_some() {
                return Ok(Found { globs: default, elsewhere: false });
            }
        }
    }
    let mut found = BTreeSet::new();
    for root in roots {
        let mut todo = vec![(String::new(), root.clone(), 0)];
        while let Some((path, tree, depth)) = todo.pop() {
            let tree = objects.tree(&tree).await?;
            if tree.get("Chart.yaml").is_some() && !path.is_empty() {
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
        return Ok(Found { globs: default, elsewhere: false });
    }
    Ok(Found { globs: found.into_iter().collect(), elsewhere: true })
}
