//! What people do: write commits, open pull requests, approve and merge what is green, override.

use chartflow_core::domain::digest::CommitId;
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::rules::MergeMethod;
use serde_json::{Value, json};

use crate::ledger::{Contribution, Token};
use crate::world::{ADMIN, CONTRIBUTOR, REVIEWER, Step, World};

/// What becomes of one file: from its present text to its next one; `None` is no file.
pub type Edit = Box<dyn Fn(Option<&str>) -> Option<String>>;

/// A commit to be written.
pub struct NewCommit {
    /// The message.
    pub message: String,
    /// The charts it is about: it counts once for each.
    pub charts: Vec<String>,
    /// Whether it must be counted.
    pub counts: bool,
    /// Paths and their edits.
    pub edits: Vec<(String, Edit)>,
}

impl NewCommit {
    /// A commit of a type (`fix`) that adds a value of the description's name.
    #[must_use]
    pub fn adding(chart: &str, kind: &str, text: &str) -> Self {
        Self::new(chart, &format!("{kind}({chart}): {text}")).value(&format!("{}: 1", text.replace(' ', "_")))
    }

    /// A commit about one chart.
    #[must_use]
    pub fn new(chart: &str, message: &str) -> Self {
        Self { message: message.to_owned(), charts: vec![chart.to_owned()], counts: true, edits: Vec::new() }
    }

    /// One that need not count: what it brings is the same as before, in another place.
    #[must_use]
    pub const fn uncounted(mut self) -> Self {
        self.counts = false;
        self
    }

    /// With an edit of a file of its (first) chart.
    #[must_use]
    pub fn edit(mut self, file: &str, edit: impl Fn(Option<&str>) -> Option<String> + 'static) -> Self {
        let path = format!("charts/{}/{file}", self.charts[0]);
        self.edits.push((path, Box::new(edit)));
        self
    }

    /// With an edit of a file anywhere.
    #[must_use]
    pub fn at(mut self, path: &str, edit: impl Fn(Option<&str>) -> Option<String> + 'static) -> Self {
        self.edits.push((path.to_owned(), Box::new(edit)));
        self
    }

    /// With a new first line in values.yaml of its (first) chart.
    #[must_use]
    pub fn value(self, line: &str) -> Self {
        let line = line.to_owned();
        self.edit("values.yaml", move |old| Some(format!("{line}\n{}", old?)))
    }
}

/// Replaces the rest of the line that begins with a key.
pub fn set(key: &str, value: &str) -> impl Fn(Option<&str>) -> Option<String> + 'static {
    let (key, value) = (key.to_owned(), value.to_owned());
    move |old| {
        let line = |line: &str| if line.starts_with(&format!("{key}: ")) { format!("{key}: {value}") } else { line.to_owned() };
        Some(format!("{}\n", old?.lines().map(line).collect::<Vec<_>>().join("\n")))
    }
}

impl World {
    /// A contribution that is judged, found mergeable and merged; its number.
    ///
    /// # Panics
    /// When it is not merged.
    pub fn merged(&mut self, commits: &[NewCommit], method: MergeMethod) -> u64 {
        let number = self.contribute(commits);
        self.stage(Step::Validate, None);
        assert_eq!(self.mergeable(), [number], "{}", self.told());
        assert!(self.merge(number, method), "{}", self.told());
        number
    }

    /// Writes a commit on top of others; nothing when it would change nothing.
    #[must_use]
    pub fn commit(&self, login: &str, parents: &[CommitId], new: &NewCommit) -> Option<CommitId> {
        let base = self.root(&parents[0]);
        let mut entries = Vec::new();
        for (path, edit) in &new.edits {
            let old = self.file(&parents[0], path);
            let after = edit(old.as_deref());
            if after == old {
                continue;
            }
            let mut entry = json!({"path": path, "mode": "100644", "type": "blob"});
            match after {
                Some(text) => entry["content"] = json!(text),
                None => entry["sha"] = Value::Null,
            }
            entries.push(entry);
        }
        if entries.is_empty() {
            return None;
        }
        let tree = self.call(login, Method::Post, "/git/trees", &json!({"base_tree": base, "tree": entries}))["sha"].clone();
        let author = json!({"name": login, "email": format!("{login}@example.com")});
        let body = json!({"message": new.message, "tree": tree, "parents": parents, "author": author});
        let commit = self.call(login, Method::Post, "/git/commits", &body);
        Some(CommitId::new(commit["sha"].as_str().unwrap()).unwrap())
    }

    /// Opens a pull request to a branch with these commits on top of `start`; its number, or nothing when they change
    /// nothing.
    pub fn offer(&mut self, base: &str, start: &CommitId, commits: &[NewCommit]) -> Option<u64> {
        self.made += 1;
        let branch = format!("feature-{}", self.made);
        let mut head = start.clone();
        let mut tokens = Vec::new();
        for new in commits {
            let Some(made) = self.commit(CONTRIBUTOR, std::slice::from_ref(&head), new) else { continue };
            head = made;
            tokens.extend(new.charts.iter().map(|chart| Token { chart: chart.clone(), message: new.message.clone(), counts: new.counts }));
        }
        if head == *start {
            return None;
        }
        self.hub.person(CONTRIBUTOR).unwrap().push(&branch, head.as_str(), true).unwrap();
        let number = match self.hub.person(CONTRIBUTOR).unwrap().open(&branch, base, &commits[0].message, "") {
            Ok(number) => number,
            Err(error) => panic!("opening {branch}: {error}\n{}", self.told()),
        };
        let words: Vec<&str> = commits.iter().map(|commit| commit.message.lines().next().unwrap_or_default()).collect();
        self.tell(format!("{CONTRIBUTOR} opens #{number} to {base} from {}: {}", start.short(), words.join("; ")));
        if base == self.names.integration().as_str() {
            self.counted.insert(number, Contribution { tokens });
        }
        Some(number)
    }

    /// A pull request to integration from its tip.
    pub fn contribute(&mut self, commits: &[NewCommit]) -> u64 {
        let start = self.tip("integration").unwrap();
        self.offer("integration", &start, commits).unwrap()
    }

    /// Whether the newest status of a context is green.
    #[must_use]
    pub fn green(&self, commit: &str, context: &str) -> bool {
        let answer = self.call(REVIEWER, Method::Get, &format!("/commits/{commit}/status"), &Value::Null);
        let statuses = answer["statuses"].as_array().cloned().unwrap_or_default();
        statuses.iter().any(|status| status["context"] == context && status["state"] == "success")
    }

    /// The reviewer approves a pull request and merges it; whether GitHub did.
    pub fn merge(&mut self, number: u64, method: MergeMethod) -> bool {
        let reviewer = self.hub.person(REVIEWER).unwrap();
        reviewer.approve(number).unwrap();
        match reviewer.merge(number, method) {
            Ok(commit) => {
                self.tell(format!("{REVIEWER} merges #{number} ({method:?}): {commit:.10}"));
                true
            }
            Err(error) => {
                self.tell(format!("{REVIEWER} cannot merge #{number} ({method:?}): {error}"));
                false
            }
        }
    }

    /// The open contributions whose check is green.
    #[must_use]
    pub fn mergeable(&self) -> Vec<u64> {
        let open = self.hub.pulls().into_iter().filter(|pull| pull.open && self.counted.contains_key(&pull.number));
        open.filter(|pull| self.green(&pull.head_sha.to_string(), "chartflow/validate")).map(|pull| pull.number).collect()
    }

    /// The open pull requests of charts to main whose gate is green.
    #[must_use]
    pub fn releasable(&self) -> Vec<u64> {
        let open = self.hub.pulls().into_iter().filter(|pull| pull.open && pull.base == "main" && !pull.labels.contains("hold"));
        open.filter(|pull| self.green(&pull.head_sha.to_string(), "chartflow/main")).map(|pull| pull.number).collect()
    }

    /// The reviewer merges everything to main that is green; how many.
    pub fn release(&mut self) -> usize {
        let mut merged = 0;
        for number in self.releasable() {
            // An earlier merge may have changed what this one is judged by.
            if self.releasable().contains(&number) && self.merge(number, self.main_method) {
                merged += 1;
            }
        }
        merged
    }

    /// The administrator overrides the rules of main.
    pub fn hotfix(&mut self, new: &NewCommit) {
        let main = self.tip("main").unwrap();
        let Some(commit) = self.commit(ADMIN, &[main], new) else { return };
        self.hub.person(ADMIN).unwrap().push("main", commit.as_str(), false).unwrap();
        self.tell(format!("{ADMIN} pushes {} to main: {}", commit.short(), new.message));
    }

    /// The number of the open pull request from a branch.
    #[must_use]
    pub fn pull_from(&self, head: &str) -> Option<u64> {
        self.hub.pulls().into_iter().find(|pull| pull.open && pull.head == head).map(|pull| pull.number)
    }
}
