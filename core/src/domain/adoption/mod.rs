//! Bringing a repository that holds charts already under the train: what the configuration of its former tools becomes,
//! and the first commits of the train's own refs.

mod baseline;
mod keys;
mod peers;
#[cfg(test)]
mod tests;

pub use baseline::{Baseline, EMPTY_INDEX, Kind, Object, baseline, empty_release};
pub use peers::{Carried, Note, Tool, releaser, remote_repository};

use super::names::{BranchName, RepositoryName};

/// The message of the commit that brings the train's files to main.
pub const MESSAGE: &str = "chore: adopt chartflow";

/// The configuration that says what a repository's former tools said. Keys that have their default are left out.
#[must_use]
pub fn configuration(charts: &[String], carried: &Carried, key: bool, reusable: Option<&RepositoryName>) -> String {
    // A double-quoted YAML scalar is JSON's.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = String::from("# Every key is optional. `chartflow` reads this file from the main branch alone.\ncharts:\n");
    for glob in charts {
        text.push_str(&format!("  - {}\n", quoted(glob)));
    }
    let branch = |key: &str, name: &Option<BranchName>| name.as_ref().map(|name| format!("  {key}: {}\n", quoted(name.as_str())));
    let branches: String = [branch("main", &carried.main), branch("release", &carried.release)].into_iter().flatten().collect();
    if !branches.is_empty() {
        text.push_str("branches:\n");
        text.push_str(&branches);
    }
    if let Some(tag) = &carried.tag {
        text.push_str(&format!("tag: {}\n", quoted(tag)));
    }
    if key {
        text.push_str("profile: key\n");
    }
    if let Some(repository) = reusable {
        text.push_str(&format!("# The workflow files only call those of this repository, which sign.\nreusable-workflows: {}\n", quoted(repository.as_str())));
    }
    text
}
