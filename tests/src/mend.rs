//! What the train cannot decide, and people do: two directories of one name, and a hotfix beside other work.

use std::collections::BTreeSet;

use chartflow_core::domain::digest::{CommitId, TreeId};
use chartflow_core::io::git::ready;
use chartflow_core::port::objects::Objects as _;
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::rules::MergeMethod;
use serde_json::{Value, json};

use crate::charts;
use crate::people::NewCommit;
use crate::world::{CONTRIBUTOR, Step, World};

impl World {
    /// Does what the train asked people for; whether there was anything.
    pub fn mend(&mut self) -> bool {
        self.remove_doubles() || self.merge_main_by_hand()
    }

    fn merged_by_hand(&mut self, number: u64) -> bool {
        self.stage(Step::Validate, None);
        assert!(self.mergeable().contains(&number), "#{number} is not green\n{}", self.told());
        assert!(self.merge(number, MergeMethod::Merge), "{}", self.told());
        true
    }

    /// Of two directories with one chart the one below `charts/` goes.
    fn remove_doubles(&mut self) -> bool {
        let integration = self.tip("integration").unwrap();
        let names = |top: &str| -> BTreeSet<String> {
            let Some(tree) = self.subtree(&integration, top) else { return BTreeSet::new() };
            ready(self.objects.tree(&tree)).unwrap().unwrap().entries().iter().map(|entry| entry.name.clone()).collect()
        };
        let Some(double) = names(charts::TOPS[0]).intersection(&names(charts::TOPS[1])).next().cloned() else { return false };
        let mut commit = NewCommit::new(&double, &format!("fix({double}): only one of them, {}", self.made)).uncounted();
        for file in self.files(&integration, &format!("charts/{double}")) {
            commit = commit.at(&format!("charts/{double}/{file}"), |_| None);
        }
        let number = self.contribute(&[commit]);
        self.merged_by_hand(number)
    }

    /// Main is merged into a branch of integration, chart by chart.
    fn merge_main_by_hand(&mut self) -> bool {
        let (main, integration) = (self.tip("main").unwrap(), self.tip("integration").unwrap());
        let base = ready(self.objects.merge_base(&main, &integration)).unwrap().unwrap().unwrap();
        if base == main {
            return false;
        }
        let (ours, theirs, before) = (self.charts(&integration), self.charts(&main), self.charts(&base));
        let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let mut entries = Vec::new();
        for name in names {
            let (our, their, old) = (ours.get(name), theirs.get(name), before.get(name));
            if our == their || our == old {
                continue;
            }
            if let Some((path, _)) = their {
                entries.push(json!({"path": path, "mode": "040000", "type": "tree", "sha": Value::Null}));
            }
            if let Some((path, tree)) = our {
                let tree = if their == old || their.is_none() { tree.to_string() } else { self.both(&integration, &main, name, tree) };
                entries.retain(|entry| entry["path"] != json!(path));
                entries.push(json!({"path": path, "mode": "040000", "type": "tree", "sha": tree}));
            }
        }
        let mut tree = json!(self.root(&main));
        if !entries.is_empty() {
            tree = self.call(CONTRIBUTOR, Method::Post, "/git/trees", &json!({"base_tree": tree, "tree": entries}))["sha"].clone();
        }
        let body = json!({"message": "Merge main by hand", "tree": tree, "parents": [integration, main]});
        let commit = self.call(CONTRIBUTOR, Method::Post, "/git/commits", &body)["sha"].as_str().unwrap().to_owned();
        self.made += 1;
        let branch = format!("feature-{}", self.made);
        self.hub.person(CONTRIBUTOR).unwrap().push(&branch, &commit, false).unwrap();
        let number = self.hub.person(CONTRIBUTOR).unwrap().open(&branch, "integration", "fix: main and integration", "").unwrap();
        self.counted.insert(number, crate::ledger::Contribution { tokens: Vec::new() });
        self.tell(format!("{CONTRIBUTOR} merges main by hand in #{number}"));
        self.merged_by_hand(number)
    }

    /// Integration's chart with what main has beyond it: its version where that is higher, its changelog, its values.
    fn both(&self, integration: &CommitId, main: &CommitId, chart: &str, tree: &TreeId) -> String {
        let file = |commit: &CommitId, name: &str| {
            let (path, _) = self.charts(commit)[chart].clone();
            self.file(commit, &format!("{path}/{name}")).unwrap_or_default()
        };
        let (our, their) = (file(integration, "values.yaml"), file(main, "values.yaml"));
        let facts = |commit: &CommitId| {
            let yaml = file(commit, "Chart.yaml");
            yaml.lines().filter(|line| line.starts_with("description") || line.starts_with("appVersion")).map(str::to_owned).collect::<Vec<_>>()
        };
        if our == their && facts(integration) == facts(main) {
            return self.charts(main)[chart].1.to_string();
        }
        let missing: String = their.lines().filter(|line| line.starts_with('k') && !our.contains(*line)).map(|line| format!("{line}\n")).collect();
        let version = |commit: &CommitId| self.version_at(commit, chart).unwrap().parse::<semver::Version>().unwrap();
        let version = version(integration).max(version(main)).to_string();
        let yaml = crate::people::set("version", &version)(Some(&file(integration, "Chart.yaml"))).unwrap();
        let blob = |path: &str, text: String| json!({"path": path, "mode": "100644", "type": "blob", "content": text});
        let entries = [blob("values.yaml", format!("{missing}{our}")), blob("Chart.yaml", yaml), blob("CHANGELOG.md", file(main, "CHANGELOG.md"))];
        let made = self.call(CONTRIBUTOR, Method::Post, "/git/trees", &json!({"base_tree": tree, "tree": entries}));
        made["sha"].as_str().unwrap().to_owned()
    }
}
