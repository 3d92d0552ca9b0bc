//! A chart repository with its branch flow, planned in memory and written as a real git repository by `git fast-import`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::process::{Command, Stdio};

use super::super::*;

type Files = BTreeMap<String, String>;
pub(super) type Edits = Vec<(String, Option<String>)>;

/// Adds a file to a chart.
pub(super) fn edit(chart: &str, file: &str) -> Edits {
    vec![(format!("charts/{chart}/{file}"), Some(format!("{file}\n")))]
}

pub(super) fn titles(range: &Range) -> Vec<&str> {
    range.counted.iter().filter_map(|counted| counted.message.lines().next()).collect()
}

struct Planned {
    parents: Vec<usize>,
    files: Files,
    message: String,
}

struct Pull {
    own: Vec<usize>,
    merge_commit: usize,
    method: MergeMethod,
}

pub(super) struct Repository {
    directory: tempfile::TempDir,
    commits: Vec<Planned>,
    branches: BTreeMap<String, usize>,
    promoted: BTreeMap<String, usize>,
    released: BTreeMap<String, usize>,
    ways_back: Vec<usize>,
    pulls: Vec<Pull>,
    ids: Vec<CommitId>,
}

impl Repository {
    pub(super) fn new() -> Self {
        let files = ["a", "b"].map(|chart| (format!("charts/{chart}/Chart.yaml"), format!("name: {chart}\nversion: 0\n")));
        let first = Planned { parents: Vec::new(), files: files.into_iter().collect(), message: "chore: start".to_owned() };
        Self {
            directory: tempfile::tempdir().unwrap(),
            commits: vec![first],
            branches: BTreeMap::from([("main".to_owned(), 0), ("integration".to_owned(), 0)]),
            promoted: BTreeMap::new(),
            released: BTreeMap::new(),
            ways_back: Vec::new(),
            pulls: Vec::new(),
            ids: Vec::new(),
        }
    }

    pub(super) fn tip(&self, branch: &str) -> usize {
        self.branches[branch]
    }

    pub(super) fn files(&self, branch: &str, chart: &str) -> Vec<String> {
        self.chart(self.tip(branch), chart).into_keys().collect()
    }

    fn chart(&self, commit: usize, chart: &str) -> Files {
        let prefix = format!("charts/{chart}/");
        self.commits[commit].files.iter().filter(|(path, _)| path.starts_with(&prefix)).map(|(path, text)| (path.clone(), text.clone())).collect()
    }

    fn add(&mut self, parents: Vec<usize>, files: Files, message: &str) -> usize {
        self.commits.push(Planned { parents, files, message: message.to_owned() });
        self.commits.len() - 1
    }

    fn on_top(&mut self, parent: usize, message: &str, edits: &Edits) -> usize {
        let mut files = self.commits[parent].files.clone();
        for (path, text) in edits {
            match text {
                Some(text) => files.insert(path.clone(), text.clone()),
                None => files.remove(path),
            };
        }
        self.add(vec![parent], files, message)
    }

    pub(super) fn commit(&mut self, branch: &str, message: &str, edits: Edits) {
        let new = self.on_top(self.tip(branch), message, &edits);
        self.branches.insert(branch.to_owned(), new);
    }

    fn ancestors(&self, from: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = VecDeque::from([from]);
        while let Some(commit) = open.pop_front() {
            if !found.contains(&commit) {
                found.push(commit);
                open.extend(&self.commits[commit].parents);
            }
        }
        found
    }

    /// File by file, from the newest common ancestor. Where both sides changed a file the later version number wins.
    fn merged(&self, ours: usize, theirs: usize) -> Files {
        let others = self.ancestors(theirs);
        let base = self.ancestors(ours).into_iter().filter(|commit| others.contains(commit)).max().unwrap();
        let [base, ours, theirs] = [base, ours, theirs].map(|commit| &self.commits[commit].files);
        let paths: BTreeSet<&String> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
        let pick = |path: &String| match (base.get(path), ours.get(path), theirs.get(path)) {
            (base, ours, theirs) if base == ours => theirs,
            (base, ours, theirs) if base == theirs => ours,
            (_, ours, theirs) => ours.max(theirs),
        };
        paths.into_iter().filter_map(|path| Some((path.clone(), pick(path)?.clone()))).collect()
    }

    pub(super) fn pull(&mut self, method: MergeMethod, start: &str, own: &[(&str, Edits)]) {
        self.pull_from(method, self.tip(start), own);
    }

    pub(super) fn pull_from(&mut self, method: MergeMethod, start: usize, own: &[(&str, Edits)]) {
        let mut head = start;
        let mut commits = Vec::new();
        for (message, edits) in own {
            head = self.on_top(head, message, edits);
            commits.push(head);
        }
        self.land(method, head, commits);
    }

    /// A branch that takes integration in between its two commits.
    pub(super) fn pull_updated(&mut self, method: MergeMethod, start: usize, first: (&str, Edits), second: (&str, Edits)) {
        let one = self.on_top(start, first.0, &first.1);
        let integration = self.tip("integration");
        let update = self.add(vec![one, integration], self.merged(one, integration), "Merge branch 'integration' into topic");
        let two = self.on_top(update, second.0, &second.1);
        self.land(method, two, vec![one, update, two]);
    }

    /// A squashed pull request whose branch starts at an older state.
    pub(super) fn stack(&mut self, start: usize, own: &[(&str, Edits)]) {
        self.pull_from(MergeMethod::Squash, start, own);
    }

    fn land(&mut self, method: MergeMethod, head: usize, own: Vec<usize>) {
        let number = self.pulls.len() + 1;
        let base = self.tip("integration");
        let merge_commit = match method {
            MergeMethod::Merge => self.add(vec![base, head], self.merged(base, head), &format!("Merge pull request #{number} from o/topic")),
            MergeMethod::Squash => {
                let list: String = own.iter().map(|commit| format!("\n\n* {}", self.commits[*commit].message)).collect();
                self.add(vec![base], self.merged(base, head), &format!("{} (#{number}){list}", self.commits[own[0]].message))
            }
            MergeMethod::Rebase => own.iter().fold(base, |onto, commit| {
                let (before, after) = (&self.commits[self.commits[*commit].parents[0]].files, &self.commits[*commit].files);
                let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                let edits =
                    paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).map(|path| (path.clone(), after.get(path).cloned())).collect();
                let message = self.commits[*commit].message.clone();
                self.on_top(onto, &message, &edits)
            }),
        };
        self.branches.insert("integration".to_owned(), merge_commit);
        self.pulls.push(Pull { own, merge_commit, method });
    }

    /// Content that goes to `integration-<chart>`.
    pub(super) fn promote(&mut self, chart: &str) {
        self.promoted.insert(chart.to_owned(), self.tip("integration"));
    }

    /// The promoted content with its bump reaches main, as one commit.
    pub(super) fn release(&mut self, chart: &str) {
        let source = self.promoted[chart];
        let mut edits: Edits = self.files("main", chart).into_iter().map(|path| (path, None)).collect();
        let mut content = self.chart(source, chart);
        let version = self.commits.len();
        if let Some(text) = content.get_mut(&format!("charts/{chart}/Chart.yaml")) {
            *text = format!("name: {chart}\nversion: {version}\n");
        }
        edits.extend(content.into_iter().map(|(path, text)| (path, Some(text))));
        self.commit("main", &format!("Release {chart}"), edits);
        self.released.insert(chart.to_owned(), source);
    }

    fn back_files(&self) -> Files {
        let (main, integration) = (self.tip("main"), self.tip("integration"));
        let mut files = self.commits[integration].files.clone();
        for (chart, source) in &self.released {
            let new = self.chart(main, chart);
            if self.chart(integration, chart) == self.chart(*source, chart) {
                files.retain(|path, _| !path.starts_with(&format!("charts/{chart}/")));
                files.extend(new);
            } else {
                let path = format!("charts/{chart}/Chart.yaml");
                files.extend(new.get(&path).map(|text| (path, text.clone())));
            }
        }
        files
    }

    pub(super) fn back(&mut self) {
        let new = self.add(vec![self.tip("integration"), self.tip("main")], self.back_files(), "chore: main back into integration");
        self.branches.insert("integration".to_owned(), new);
        self.ways_back.push(new);
    }

    pub(super) fn back_squashed(&mut self) {
        let new = self.add(vec![self.tip("integration")], self.back_files(), "chore: main back into integration (#9)");
        self.branches.insert("integration".to_owned(), new);
    }

    fn git(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("git")
            .current_dir(self.directory.path())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C"), ("TZ", "UTC")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Writes everything planned with one `git fast-import`; dates are fixed, a minute apart.
    pub(super) fn write(&mut self) {
        self.git(&["init", "-q", "--bare", "-b", "main"], "");
        let mut stream = String::new();
        for (number, commit) in self.commits.iter().enumerate() {
            let person = format!("Ann <ann@example.com> {} +0000", 1_700_000_000 + 60 * number);
            stream.push_str(&format!("commit refs/heads/c{number}\nmark :{}\nauthor {person}\ncommitter {person}\n", number + 1));
            stream.push_str(&format!("data {}\n{}\n", commit.message.len(), commit.message));
            for (place, parent) in commit.parents.iter().enumerate() {
                stream.push_str(&format!("{} :{}\n", if place == 0 { "from" } else { "merge" }, parent + 1));
            }
            stream.push_str("deleteall\n");
            for (path, text) in &commit.files {
                stream.push_str(&format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len()));
            }
            stream.push('\n');
        }
        self.git(&["fast-import", "--quiet"], &stream);
        let names: String = (0..self.commits.len()).map(|number| format!("refs/heads/c{number}\n")).collect();
        self.ids = self.git(&["cat-file", "--batch-check=%(objectname)"], &names).lines().map(|id| id.parse().unwrap()).collect();
    }

    /// The facts about one chart, read from git.
    pub(super) fn history(&self, chart: &str) -> History {
        let source = &self.ids[self.tip("integration")];
        let main = self.ids[self.tip("main")].as_str();
        let mut arguments = vec!["log", "-z", "--format=%H%x1f%P%x1f%an%x1f%ae%x1f%ct%x1f%B", source.as_str(), "--not", main];
        arguments.extend(self.released.get(chart).map(|released| self.ids[*released].as_str()));
        let log = self.git(&arguments, "");
        let commits: Vec<Commit> = log.split_terminator('\0').map(read_commit).collect();
        let wanted: BTreeSet<&CommitId> = commits.iter().flat_map(|commit| commit.parents.iter().chain([&commit.id])).collect();
        History {
            chart: chart.parse().unwrap(),
            source: source.clone(),
            trees: self.trees(chart, &wanted),
            main: self.trees(chart, &BTreeSet::from([&self.ids[self.tip("main")]])).into_values().next().flatten(),
            ways_back: self.ways_back.iter().map(|back| self.ids[*back].clone()).collect(),
            contributions: self.pulls.iter().enumerate().map(|(number, pull)| self.contribution(number, pull)).collect(),
            touched: BTreeMap::new(),
            counted_before: BTreeSet::new(),
            commits,
        }
    }

    fn trees(&self, chart: &str, commits: &BTreeSet<&CommitId>) -> BTreeMap<CommitId, Option<TreeId>> {
        let names: String = commits.iter().map(|commit| format!("{commit}:charts/{chart}\n")).collect();
        let answer = self.git(&["cat-file", "--batch-check=%(objectname)"], &names);
        commits.iter().zip(answer.lines()).map(|(commit, line)| ((*commit).clone(), line.parse().ok())).collect()
    }

    fn contribution(&self, number: usize, pull: &Pull) -> Contribution {
        let own = pull.own.iter().map(|commit| {
            let charts = ["a", "b"].into_iter().filter(|chart| self.chart(*commit, chart) != self.chart(self.commits[*commit].parents[0], chart));
            let log = self.git(&["log", "-1", "--format=%H%x1f%P%x1f%an%x1f%ae%x1f%ct%x1f%B", self.ids[*commit].as_str()], "");
            ContributedCommit { commit: read_commit(&log), charts: charts.map(|chart| chart.parse().unwrap()).collect() }
        });
        Contribution {
            pull: number as u64 + 1,
            head: self.ids[*pull.own.last().unwrap()].clone(),
            merge_commit: self.ids[pull.merge_commit].clone(),
            method: pull.method,
            commits: own.collect(),
        }
    }

    /// The same bounds given to `git log`, which simplifies history by itself.
    pub(super) fn git_s_answer(&self, history: &History, range: &Range) -> BTreeSet<CommitId> {
        let path = format!("charts/{}", history.chart);
        let mut arguments = vec!["log", "--format=%H", "--no-merges", history.source.as_str(), "--not", self.ids[self.tip("main")].as_str()];
        arguments.extend(self.released.get(history.chart.as_str()).map(|released| self.ids[*released].as_str()));
        arguments.extend(range.stop.as_ref().map(CommitId::as_str));
        arguments.extend(["--", &path]);
        self.git(&arguments, "").lines().map(|id| id.parse().unwrap()).collect()
    }
}

fn read_commit(text: &str) -> Commit {
    let mut fields = text.splitn(6, '\x1f');
    let mut next = || fields.next().unwrap().to_owned();
    let (id, parents, name, email, committed, message) = (next(), next(), next(), next(), next(), next());
    Commit {
        id: id.parse().unwrap(),
        parents: parents.split_whitespace().map(|parent| parent.parse().unwrap()).collect(),
        author: Author { name, email },
        committed: committed.parse().unwrap(),
        message: message.trim_end().to_owned(),
    }
}
