//! Random schedules: people and stages in any order, stops and lost events.

use chartflow_sandbox::github::rules::MergeMethod;

use crate::charts::{CHARTS, CONFIGURATION};
use crate::people::{NewCommit, set};
use crate::rest::Counting;
use crate::rng::Rng;
use crate::world::{Step, World};

/// What may happen in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Contributors undo what they did before.
    pub reverts: bool,
    /// Charts are removed, added and moved.
    pub shapes: bool,
    /// An administrator overrides main, and files outside charts change.
    pub overrides: bool,
    /// Two stages run at the same time.
    pub races: bool,
    /// Packages are served from the GitHub Releases.
    pub assets: bool,
}

impl Profile {
    /// The profile of a seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self { reverts: seed % 3 == 1, shapes: seed % 5 == 2, overrides: seed % 7 == 3, races: seed % 2 == 1, assets: seed % 4 == 2 }
    }

    fn configuration(self) -> String {
        format!("{CONFIGURATION}{}", if self.assets { "packages: assets\n" } else { "" })
    }

    const fn counting(self) -> Counting {
        if self.reverts || self.shapes || self.overrides { Counting::AtMostOnce } else { Counting::ExactlyOnce }
    }
}

/// The stages as often as they are needed.
const STEPS: [Step; 14] = [
    Step::Validate,
    Step::Validate,
    Step::Filter,
    Step::Filter,
    Step::Enforce,
    Step::Enforce,
    Step::Enforce,
    Step::Format,
    Step::Bump,
    Step::Bump,
    Step::Tag,
    Step::Tag,
    Step::Package,
    Step::Publish,
];

/// A schedule in progress.
pub struct Schedule {
    world: World,
    rng: Rng,
    profile: Profile,
}

/// Runs the schedule of a seed to its end; how many versions it released.
///
/// # Panics
/// When something does not hold, with the story.
#[must_use]
pub fn run(seed: u64, steps: u32) -> usize {
    let profile = Profile::of(seed);
    let mut schedule = Schedule { world: World::configured(seed, &profile.configuration()), rng: Rng::new(seed), profile };
    schedule.world.tell(format!("seed {seed}, {profile:?}"));
    for _ in 0..steps {
        schedule.step();
    }
    schedule.world.tell("-- nobody contributes any more");
    schedule.world.finish();
    let released = schedule.world.check(profile.counting());
    if std::env::var_os("CHARTFLOW_STORY").is_some() {
        println!("{}", schedule.world.told());
    }
    released
}

impl Schedule {
    fn step(&mut self) {
        if self.rng.chance(22) {
            self.contribute();
            if self.rng.chance(60) {
                self.world.stage(Step::Validate, None);
                self.review();
            }
        }
        match self.rng.below(20) {
            0 | 1 => self.review(),
            2..=4 => drop(self.world.release()),
            5 if self.profile.overrides => self.override_main(),
            6 | 7 if self.profile.races => {
                let (one, other) = (*self.rng.pick(&STEPS), *self.rng.pick(&STEPS));
                self.world.race(one, other);
            }
            8 => Step::TRAIN.into_iter().for_each(|step| drop(self.world.stage(step, None))),
            _ => {
                let step = *self.rng.pick(&STEPS);
                let stop = if self.rng.chance(30) { Some(u32::try_from(self.rng.below(16)).unwrap()) } else { None };
                self.world.stage(step, stop);
            }
        }
    }

    fn review(&mut self) {
        for number in self.world.mergeable() {
            let method = *self.rng.pick(&[MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase]);
            self.world.merge(number, method);
        }
    }

    fn contribute(&mut self) {
        let start = self.start();
        let mut commits = Vec::new();
        let count = *self.rng.pick(&[1, 1, 1, 2]);
        let mut charts: Vec<&str> = CHARTS.to_vec();
        for _ in 0..count {
            // Few charts, so that the same one comes again.
            let at = if self.rng.chance(70) { self.rng.below(2) } else { self.rng.below(charts.len()) };
            let chart = charts.remove(at);
            let n = self.world.made + 1;
            commits.extend(self.change(&start, chart, n));
        }
        if commits.is_empty() {
            return;
        }
        self.world.offer("integration", &start, &commits);
    }

    /// Mostly integration's tip; at times an older commit, or main.
    fn start(&mut self) -> chartflow_core::domain::digest::CommitId {
        let integration = self.world.tip("integration").unwrap();
        match self.rng.below(10) {
            0 => self.world.tip("main").unwrap(),
            1..=3 => {
                let back = self.rng.below(4);
                self.world.first_parents(&integration, back)
            }
            _ => integration,
        }
    }

    fn change(&mut self, start: &chartflow_core::domain::digest::CommitId, chart: &str, n: u32) -> Vec<NewCommit> {
        let present = self.world.charts(start).get(chart).map(|(path, _)| path.clone());
        let Some(path) = present else {
            return if self.profile.shapes { vec![added(chart, n)] } else { Vec::new() };
        };
        let message = |kind: &str| format!("{kind}({chart}): n{n} {chart}");
        let (values, yaml) = (format!("{path}/values.yaml"), format!("{path}/Chart.yaml"));
        let below = *self.rng.pick(&["replicas: 1\n", "port: 80\n", "bar: 2\n", "baz: 3\n"]);
        let line = move |old: Option<&str>| Some(old?.replacen(below, &format!("{below}k{n}: 1\n"), 1));
        let commit = |kind: &str| NewCommit::new(chart, &message(kind));
        match self.rng.below(12) {
            0 | 1 => vec![commit("feat").at(&values, line)],
            2 => vec![commit("fix").at(&yaml, set("appVersion", &format!("\"{n}\"")))],
            3 => vec![commit("docs").at(&yaml, set("description", &format!("The chart {chart}, text {n}")))],
            4 => vec![commit("fix").at(&yaml, raise).at(&values, line)],
            5 if self.profile.reverts => {
                let undo = |old: Option<&str>| {
                    let text = old?;
                    let last = text.lines().rfind(|line| line.starts_with('k'));
                    Some(last.map_or_else(|| text.to_owned(), |line| text.replacen(&format!("{line}\n"), "", 1)))
                };
                vec![NewCommit::new(chart, &format!("Revert \"n{n} {chart}\"")).at(&values, undo)]
            }
            6 => vec![commit("feat").at(&format!("{path}/n{n}.ignored"), move |_| Some(format!("{n}\n")))],
            7 if self.profile.shapes && chart != "base" => vec![self.removed(start, chart, &path, n)],
            8 if self.profile.shapes && chart != "base" && chart != "web" => vec![self.moved(start, chart, &path, n)],
            9 => {
                let second = NewCommit::new(chart, &format!("feat({chart})!: n{n} {chart} more"))
                    .at(&format!("{path}/templates/n{n}.yaml"), move |_| Some(format!("n: {n}\n")));
                vec![commit("fix").at(&values, line), second]
            }
            _ => vec![commit("fix").at(&values, line)],
        }
    }

    fn removed(&self, start: &chartflow_core::domain::digest::CommitId, chart: &str, path: &str, n: u32) -> NewCommit {
        let mut commit = NewCommit::new(chart, &format!("feat({chart})!: n{n} {chart} goes"));
        for file in self.world.files(start, path) {
            commit = commit.at(&format!("{path}/{file}"), |_| None);
        }
        commit
    }

    fn moved(&self, start: &chartflow_core::domain::digest::CommitId, chart: &str, path: &str, n: u32) -> NewCommit {
        let to = if path.starts_with("charts/") { format!("more/{chart}") } else { format!("charts/{chart}") };
        let mut commit = NewCommit::new(chart, &format!("fix({chart}): n{n} {chart} moves")).uncounted();
        for file in self.world.files(start, path) {
            let text = self.world.file(start, &format!("{path}/{file}"));
            commit = commit.at(&format!("{path}/{file}"), |_| None).at(&format!("{to}/{file}"), move |_| text.clone());
        }
        commit
    }

    fn override_main(&mut self) {
        self.world.made += 1;
        let n = self.world.made;
        let chart = *self.rng.pick(&CHARTS);
        let main = self.world.tip("main").unwrap();
        if self.rng.chance(40) {
            let words = NewCommit::new("none", &format!("docs: n{n}")).at("README.md", move |_| Some(format!("# Charts {n}\n")));
            self.world.offer("main", &main, &[words]);
        } else if let Some((path, _)) = self.world.charts(&main).get(chart).cloned() {
            let values = format!("{path}/values.yaml");
            self.world.hotfix(&NewCommit::new(chart, &format!("fix({chart}): n{n} hot")).at(&values, move |old| Some(format!("k{n}: 1\n{}", old?))));
        }
    }
}

fn added(chart: &str, n: u32) -> NewCommit {
    let mut commit = NewCommit::new(chart, &format!("feat({chart}): n{n} {chart} comes"));
    for (path, text) in crate::charts::chart(chart, "1.0.0", "") {
        commit = commit.at(&path, move |_| Some(text.clone()));
    }
    commit
}

/// A version two patches higher, as somebody writes it by hand.
fn raise(old: Option<&str>) -> Option<String> {
    let text = old?;
    let version: semver::Version = text.lines().find_map(|line| line.strip_prefix("version: "))?.parse().ok()?;
    set("version", &format!("{}.{}.{}", version.major, version.minor, version.patch + 2))(Some(text))
}

/// The seeds to try: as many as asked for by `CHARTFLOW_SEEDS` or else `count`, from `CHARTFLOW_SEED` or else 0.
#[must_use]
pub fn seeds(count: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("CHARTFLOW_SEED").unwrap_or(0);
    (first..first + number("CHARTFLOW_SEEDS").unwrap_or(count)).collect()
}
