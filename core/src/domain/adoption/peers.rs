//! Reading `ct.yaml` (chart-testing) and `cr.yaml` (chart-releaser).

use serde::Serialize;

use super::keys::{self, Fate};
use crate::domain::names::{BranchName, RemoteName, RepositoryName};
use crate::domain::yaml::{self, Duplicates, Limits, Node, YamlError};

/// A tool that a repository used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// `ct`, which lints and installs changed charts.
    ChartTesting,
    /// `cr`, which puts packages into releases and writes the index.
    ChartReleaser,
}

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The key.
    pub key: String,
    /// What says the same in `.chartflow.yaml`; absent: nothing does.
    pub becomes: Option<String>,
    /// Why it is not taken over.
    pub why: Option<String>,
}

/// What is carried over from the files of former tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// Where the charts are; empty: the files do not say.
    pub charts: Vec<String>,
    /// The branch that is released from, when it is not `main`.
    pub main: Option<BranchName>,
    /// The branch that is served, when it is not `release`.
    pub release: Option<BranchName>,
    /// The name of a tag, when it is another.
    pub tag: Option<String>,
    /// The remote that stands for GitHub.
    pub remote: Option<RemoteName>,
    /// Every key that was there, in its files' order.
    pub notes: Vec<Note>,
}

impl Carried {
    /// Adds what a file says.
    ///
    /// # Errors
    /// When it is not YAML; a file that holds no mapping says nothing.
    pub fn read(&mut self, tool: Tool, file: &str, bytes: &[u8]) -> Result<(), YamlError> {
        let root = yaml::parse(file, bytes, &Limits::default(), Duplicates::Keep)?.root;
        for (name, value) in root.entries() {
            let key = name.to_text().unwrap_or_default();
            let fate = match tool {
                Tool::ChartTesting => keys::chart_testing(self, &key, value),
                Tool::ChartReleaser => keys::chart_releaser(self, &key, value),
            };
            let (becomes, why) = match fate {
                Fate::Becomes(text) => (Some(text), None),
                Fate::Dropped(why) => (None, Some(why)),
            };
            self.notes.push(Note { file: file.to_owned(), line: name.at.line, key, becomes, why });
        }
        Ok(())
    }
}

impl Carried {
    /// The key of a file from which a key of the configuration is carried over.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Note> {
        let name = match key {
            "charts" => "chart-dirs",
            "branches.main" => "target-branch",
            "branches.release" => "pages-branch",
            "tag" => "release-name-template",
            _ => return None,
        };
        self.notes.iter().find(|note| note.key == name && note.becomes.is_some())
    }
}

/// The texts of a list, or the one text that stands where a list may.
pub(super) fn texts(value: &Node) -> Vec<String> {
    let one = value.as_text().map(|text| text.split(',').map(|part| part.trim().to_owned()).collect());
    one.unwrap_or_else(|| value.items().iter().filter_map(|item| item.as_text().map(str::to_owned)).collect())
}

/// What in a workflow file shows that it releases charts, and the tool.
const RELEASERS: [(&str, &str); 6] = [
    ("helm/chart-releaser-action", "chart-releaser"),
    ("cr upload", "chart-releaser"),
    ("googleapis/release-please-action", "release-please"),
    ("google-github-actions/release-please-action", "release-please"),
    ("stefanprodan/helm-gh-pages", "helm-gh-pages"),
    ("helm push", "helm push"),
];

/// The tool with which a workflow file releases charts, as far as its text shows.
#[must_use]
pub fn releaser(workflow: &str) -> Option<&'static str> {
    let used = |line: &str| line.split('#').next().map(|code| RELEASERS.iter().find(|(sign, _)| code.contains(sign)).map(|(_, tool)| *tool));
    workflow.lines().find_map(|line| used(line).flatten())
}

/// The server and repository that the address of a git remote names: `https://HOST/OWNER/NAME.git`,
/// `git@HOST:OWNER/NAME.git` or `ssh://git@HOST/OWNER/NAME`.
#[must_use]
pub fn remote_repository(url: &str) -> Option<(String, RepositoryName)> {
    let (host, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    // What stands before an @ may be a secret: it goes no further.
    let host = host
        .rsplit('@')
        .next()?
        .split(':')
        .next()
        .filter(|host| host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)))?;
    let path = path.trim_matches('/');
    let name = RepositoryName::new(path.strip_suffix(".git").unwrap_or(path)).ok()?;
    Some((format!("https://{host}"), name))
}
