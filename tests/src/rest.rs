//! Coming to rest, and what must hold then.

use std::collections::BTreeMap;

use chartflow_core::domain::statement::Level;
use chartflow_core::port::transport::Method;
use chartflow_sandbox::github::rules::MergeMethod;
use semver::Version;
use serde_json::{Value, json};

use crate::world::{CONTRIBUTOR, REVIEWER, Step, World};

/// After so many rounds nothing comes to rest any more.
const ROUNDS: u32 = 40;

/// What is expected of the counting of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// Every contributed commit exactly once.
    ExactlyOnce,
    /// No commit twice: some undo each other before they are released.
    AtMostOnce,
}

impl World {
    /// Everything there is to see: refs, pull requests, statuses.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut text = format!("{:?}\n", self.objects.references().unwrap());
        for pull in self.hub.pulls() {
            text.push_str(&format!("{} {} {} {} {:?} {:?} {:?}\n", pull.number, pull.open, pull.head_sha, pull.title, pull.body, pull.labels, pull.comments));
            if pull.open {
                let path = format!("/commits/{}/status", pull.head_sha);
                let answer = self.call(REVIEWER, Method::Get, &path, &Value::Null);
                for status in answer["statuses"].as_array().into_iter().flatten() {
                    text.push_str(&format!("  {} {} {}\n", status["context"], status["state"], status["description"]));
                }
            }
        }
        text
    }

    /// Runs every stage once, in the order of the train.
    pub fn round(&mut self) {
        for step in Step::TRAIN {
            self.stage(step, None);
        }
    }

    /// Runs every stage and lets the reviewer merge what is green, until a round changes nothing.
    pub fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let before = self.fingerprint();
            self.tell("-- round".to_owned());
            for step in Step::TRAIN {
                self.stage(step, None);
                if step == Step::Validate {
                    for number in self.mergeable() {
                        let merged = self.merge(number, MergeMethod::Merge);
                        if !merged {
                            self.give_up(number);
                        }
                    }
                }
            }
            self.release();
            if self.fingerprint() == before {
                return;
            }
        }
        panic!("it does not come to rest\n{}", self.told());
    }

    /// The contributor closes a pull request that cannot be merged.
    pub fn give_up(&mut self, number: u64) {
        self.hub.person(CONTRIBUTOR).unwrap().edit(number, &json!({"state": "closed"})).unwrap();
        self.tell(format!("{CONTRIBUTOR} gives up #{number}"));
    }

    /// Comes to rest for good: contributions that are refused are given up.
    pub fn finish(&mut self) {
        self.settle();
        for _ in 0..5 {
            if !self.mend() {
                break;
            }
            self.settle();
        }
        let left: Vec<u64> = self.hub.pulls().iter().filter(|pull| pull.open && pull.head.starts_with("feature-")).map(|pull| pull.number).collect();
        for number in &left {
            self.give_up(*number);
        }
        if !left.is_empty() {
            self.settle();
        }
    }

    /// What must hold at rest; how many versions were released.
    pub fn check(&self, counting: Counting) -> usize {
        self.check_branches();
        let arrivals = self.arrivals();
        let mut released: BTreeMap<&str, Vec<Version>> = BTreeMap::new();
        let mut counted: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        for arrival in &arrivals {
            let Some(bump) = &arrival.bump else {
                if !self.story.iter().any(|line| line.contains(&format!("pushes {} to main", arrival.commit))) {
                    self.fail(format!("{} at {} has no lineage", arrival.chart, arrival.commit));
                }
                continue;
            };
            for commit in &bump.commits {
                *counted.entry((&arrival.chart, &commit.message)).or_default() += 1;
            }
            if bump.level != Level::None {
                released.entry(&arrival.chart).or_default().push(bump.to.parse().unwrap());
            }
        }
        for (chart, versions) in &released {
            if !versions.is_sorted_by(|one, other| one < other) {
                self.fail(format!("{chart}: versions {versions:?}"));
            }
        }
        self.check_counting(&counted, counting);
        self.check_published(&released);
        released.values().map(Vec::len).sum()
    }

    fn fail(&self, text: String) -> ! {
        panic!("{text}\n{}", self.told())
    }

    fn check_branches(&self) {
        let (main, integration) = (self.tip("main").unwrap(), self.tip("integration").unwrap());
        let (of_main, of_integration) = (self.charts(&main), self.charts(&integration));
        for chart in of_main.keys().chain(of_integration.keys()) {
            if of_main.get(chart) != of_integration.get(chart) {
                self.fail(format!("{chart}: integration and main differ at rest"));
            }
        }
        if self.root(&main) != self.root(&integration) {
            self.fail("integration and main differ outside the charts".to_owned());
        }
        for (name, _) in self.objects.references().unwrap() {
            if name.starts_with("refs/heads/integration-") || name.starts_with("refs/heads/chartflow-") {
                self.fail(format!("{name} is left"));
            }
        }
        if let Some(pull) = self.hub.pulls().iter().find(|pull| pull.open) {
            self.fail(format!("#{} from {} to {} is left open", pull.number, pull.head, pull.base));
        }
    }

    fn check_counting(&self, counted: &BTreeMap<(&str, &str), u32>, counting: Counting) {
        if let Some(((chart, message), times)) = counted.iter().find(|(_, times)| **times > 1) {
            self.fail(format!("{chart}: {message:?} was counted {times} times"));
        }
        let pulls = self.hub.pulls();
        let merged = pulls.iter().filter(|pull| pull.merged.is_some()).filter_map(|pull| self.counted.get(&pull.number));
        let known: BTreeMap<(&str, &str), bool> =
            merged.flat_map(|contribution| &contribution.tokens).map(|token| ((token.chart.as_str(), token.message.as_str()), token.counts)).collect();
        if let Some((chart, message)) = counted.keys().find(|key| !known.contains_key(*key)) {
            self.fail(format!("{chart}: {message:?} was counted and nobody contributed it"));
        }
        if counting == Counting::ExactlyOnce
            && let Some((chart, message)) = known.iter().filter(|(_, counts)| **counts).map(|(key, _)| key).find(|key| !counted.contains_key(*key))
        {
            self.fail(format!("{chart}: {message:?} was never counted"));
        }
    }

    fn check_published(&self, released: &BTreeMap<&str, Vec<Version>>) {
        let index = self.read("release", "index.yaml").unwrap();
        for (chart, versions) in released {
            for version in versions {
                if self.hub.reference(&format!("refs/tags/{chart}-v{version}")).is_none() {
                    self.fail(format!("{chart} {version} has no tag"));
                }
                for suffix in [".tgz", ".lineage.jsonl"] {
                    if self.served(chart, &version.to_string(), suffix).is_none() {
                        self.fail(format!("{chart}-{version}{suffix} is not served"));
                    }
                }
                let place = if self.assets { format!("https://github.com/acme/charts/releases/download/{chart}-v{version}") } else { "charts".to_owned() };
                if index.matches(&format!("- {place}/{chart}-{version}.tgz\n")).count() != 1 {
                    self.fail(format!("{chart} {version} is not once in the index\n{index}"));
                }
            }
            let mut tags: Vec<Version> = self.shelf.tags(&format!("registry.example/acme/charts/{chart}")).iter().map(|tag| tag.parse().unwrap()).collect();
            tags.sort();
            if tags != *versions {
                self.fail(format!("{chart}: the registry has {tags:?}, not {versions:?}"));
            }
        }
        let tags = self.objects.references().unwrap().into_iter().filter(|(name, _)| name.starts_with("refs/tags/")).count();
        let expected: usize = released.values().map(Vec::len).sum();
        if tags != expected {
            self.fail(format!("{tags} tags for {expected} versions"));
        }
        let tree = |name: &str| self.root(&self.reference(name).unwrap());
        if tree("refs/chartflow/released") != tree("refs/chartflow/published") {
            self.fail("published is not what is released".to_owned());
        }
    }
}
