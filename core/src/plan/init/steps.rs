//! What no program does for the person who sets the repository up, step by step.

use serde::Serialize;

use super::{Facts, ReleaseStart, Worker, owned};
use crate::domain::adoption::MESSAGE;
use crate::domain::branch::{PUBLISHED, RELEASED};
use crate::domain::configuration::Branches;
use crate::domain::event::{Permission, app_permissions};
use crate::domain::names::{BranchName, RemoteName};
use crate::domain::shell::word;
use crate::domain::workflow::{APP_ID_VARIABLE, APP_KEY_SECRET, SIGNING_KEY_SECRET, code_owners};

/// Something to do: to click, to type, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// In a few words.
    pub title: String,
    /// What and why.
    pub text: String,
    /// The page to do it on.
    pub page: Option<String>,
    /// The commands that do it.
    pub commands: Vec<String>,
}

fn step(title: impl Into<String>, text: impl Into<String>) -> Step {
    Step { title: title.into(), text: text.into(), page: None, commands: Vec::new() }
}

/// A command line of these words.
fn line(words: &[&str]) -> String {
    words.iter().map(|text| word(text)).collect::<Vec<_>>().join(" ")
}

impl Step {
    fn at(mut self, page: String) -> Self {
        self.page = Some(page);
        self
    }

    fn by(mut self, commands: Vec<String>) -> Self {
        self.commands = commands;
        self
    }
}

/// The repository's page; with a name to be replaced where it is not known.
fn page(facts: &Facts) -> String {
    format!("{}/{}", facts.server, name(facts))
}

fn name(facts: &Facts) -> String {
    facts.repository.as_ref().map_or_else(|| "OWNER/NAME".to_owned(), ToString::to_string)
}

/// All that is left, in the order in which it has to be done.
pub(super) fn steps(facts: &Facts) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(former(facts));
    steps.extend(there_already(facts));
    steps.extend(owners(facts));
    steps.extend(files(facts));
    steps.extend(in_the_way(facts));
    steps.extend(refs(facts));
    steps.push(settings(facts));
    match facts.worker {
        Worker::App { id } => steps.push(app(facts, id)),
        Worker::WorkflowToken => steps.push(pulls(facts)),
    }
    steps.push(environment(facts));
    steps.push(rules(facts));
    steps.push(rehearsal(facts));
    steps
}

fn former(facts: &Facts) -> Option<Step> {
    if facts.former.is_empty() {
        return None;
    }
    let named: Vec<String> = facts.former.iter().map(|(path, tool)| format!("{path} ({tool})")).collect();
    let text = format!("Two trains on one track collide. Remove these files, or take out of them what releases: {}.", named.join(", "));
    Some(step("Stop what released the charts so far", text))
}

fn owners(facts: &Facts) -> Option<Step> {
    let lines = |owner: &str| code_owners(owner).lines().skip(1).collect::<Vec<_>>().join("\n");
    let why = "The workflow files and the configuration decide who signs, so main takes changes of them from their owners alone.";
    match (&facts.owners, &facts.owner) {
        (Some((_, text)), _) if owned(text) => None,
        (Some((path, _)), owner) => {
            let owner = owner.as_deref().unwrap_or("@OWNER");
            Some(step(format!("Add two lines to {path}"), format!("{why}\n{}", lines(owner))))
        }
        (None, Some(_)) => None,
        (None, None) => Some(step("Name who owns the train", format!("{why} `chartflow init --owner @LOGIN` (or @ORGANISATION/TEAM) writes the file."))),
    }
}

fn files(facts: &Facts) -> Option<Step> {
    if facts.on_main {
        return None;
    }
    let Facts { remote, main, .. } = facts;
    let commands = vec![
        "git switch --create adopt-chartflow".to_owned(),
        "git add .chartflow.yaml .github".to_owned(),
        format!("git commit --message \"{MESSAGE}\""),
        line(&["git", "push", "--set-upstream", remote.as_str(), "adopt-chartflow"]),
    ];
    let text = format!("Open a pull request from this branch to {main} and merge it.");
    Some(step(format!("Bring the files to {main}"), text).by(commands).at(format!("{}/compare/{main}...adopt-chartflow", page(facts))))
}

fn in_the_way(facts: &Facts) -> Option<Step> {
    let branches = facts.in_the_way();
    if branches.is_empty() {
        return None;
    }
    let Facts { integration, release, .. } = facts;
    let text = format!(
        "git holds a branch as a file, which cannot be a directory as well: beside {} there can be no {integration} or {release}, and the next step would be refused. Rename or delete what is there, or give the train other names under `branches` in .chartflow.yaml.",
        branches.join(", ")
    );
    Some(step("Move branches out of the way", text).at(format!("{}/branches", page(facts))))
}

fn refs(facts: &Facts) -> Option<Step> {
    let Facts { remote, main, integration, release, .. } = facts;
    if facts.adopted() {
        return Some(baseline(facts));
    }
    let push = |from: &str, to: &BranchName| line(&["git", "push", remote.as_str(), &format!("{from}:refs/heads/{to}")]);
    let mut commands = vec![line(&["git", "fetch", remote.as_str()])];
    if !facts.on_remote(integration) {
        commands.push(push(&format!("refs/remotes/{remote}/{main}"), integration));
    }
    match &facts.release_start {
        ReleaseStart::Exists => {}
        ReleaseStart::Branch { name } => commands.push(push(&format!("refs/remotes/{remote}/{name}"), release)),
        ReleaseStart::Empty { commit } => commands.push(push(commit.as_str(), release)),
    }
    commands.push(push_baseline(remote));
    let starts = if facts.on_remote(integration) { String::new() } else { format!("{integration} starts where {main} is. ") };
    let text = format!(
        "After the merge. {starts}The two refs say that the charts {main} holds now are released already. Nothing of this can be pushed once the rules are applied."
    );
    Some(step("Make the branches and record the baseline", text).by(commands))
}

/// Branches that somebody has made under the names that the train has where nobody gives it others. An integration where main
/// is, is as good as made. Once the train's files are on main its branches may be the train's, and nobody is to delete them.
fn there_already(facts: &Facts) -> Option<Step> {
    let Facts { remote, main, integration, release, release_start, .. } = facts;
    let usual = Branches::default();
    let place = |branch: &BranchName| facts.references.get(&format!("refs/remotes/{remote}/{branch}"));
    let foreign = facts.integration_rides == Some(false) && place(integration) != place(main);
    let integration = Some(integration).filter(|branch| **branch == usual.integration && foreign);
    let release = Some(release).filter(|branch| **branch == usual.release && *release_start == ReleaseStart::Exists);
    let (branches, title, them) = match (integration, release) {
        _ if facts.main_runs => return None,
        (None, None) => return None,
        (Some(one), None) | (None, Some(one)) => (format!("{one} is"), format!("Look at the branch {one}"), "it"),
        (Some(one), Some(other)) => (format!("{one} and {other} are"), format!("Look at the branches {one} and {other}"), "them"),
    };
    let text = format!(
        "{branches} on {remote} already, and the train goes on from what is there. Where that is not meant, rename or delete {them} on {remote}, or give the train other names under `branches` in .chartflow.yaml. Then run the command below and `chartflow init` again."
    );
    let commands = vec![line(&["git", "fetch", "--prune", remote.as_str()])];
    Some(step(title, text).by(commands).at(format!("{}/branches", page(facts))))
}

fn push_baseline(remote: &RemoteName) -> String {
    line(&["git", "push", remote.as_str(), &format!("refs/{RELEASED}"), &format!("refs/{PUBLISHED}")])
}

/// Of a repository that was set up before: the train itself has moved the baseline since, and nobody may put it back.
fn baseline(facts: &Facts) -> Step {
    let Facts { remote, main, integration, release, references, .. } = facts;
    let local = [RELEASED, PUBLISHED].iter().all(|marker| references.contains_key(&format!("refs/{marker}")));
    let otherwise = if local {
        format!("If it lists nothing, push them: {}", push_baseline(remote))
    } else {
        "If it lists nothing, push them from the clone in which `chartflow init` was run first.".to_owned()
    };
    let prune = line(&["git", "fetch", "--prune", remote.as_str()]);
    let text = if facts.integration_rides == Some(false) {
        format!(
            "{main} holds the train's files, and {integration} does not yet. If the command lists refs/{RELEASED} and refs/{PUBLISHED}, the train was set up before, and brings the files to {integration} itself. {otherwise} But where {integration} was not made for the train, rename or delete it first, run `{prune}` and then `chartflow init` again."
        )
    } else {
        format!(
            "{integration} and {release} are there, so the train was set up before, and refs/{RELEASED} and refs/{PUBLISHED} should be on GitHub. {otherwise}"
        )
    };
    step("See that the baseline is recorded", text).by(vec![line(&["git", "ls-remote", remote.as_str(), "refs/chartflow/*"])])
}

fn settings(facts: &Facts) -> Step {
    let text = format!(
        "The default branch is {}: its workflow files sign. \"Allow merge commits\" and \"Allow squash merging\" are ticked. If GitHub Pages or another service serves the charts, it serves the branch {}.",
        facts.main, facts.release
    );
    step("Look at the settings", text).at(format!("{}/settings", page(facts)))
}

fn app(facts: &Facts, id: Option<u64>) -> Step {
    let permissions = app_permissions();
    let list: Vec<String> = permissions.iter().map(|(permission, access)| format!("{}: {}", permission.setting(), access.setting())).collect();
    let text = format!("Repository permissions {}. No webhook. Install it in this repository, note its App ID, and make a private key.", list.join(", "));
    match id {
        Some(id) => step(format!("See that App {id} has what it needs"), text).at(format!("{}/settings/installations", page(facts))),
        None => {
            let parameters: String = permissions.iter().map(|(permission, access)| format!("&{}={}", permission.api_key(), access.as_str())).collect();
            step("Make a GitHub App", text).at(format!("{}/settings/apps/new?public=false&webhook_active=false{parameters}", facts.server))
        }
    }
}

fn pulls(facts: &Facts) -> Step {
    let text = "Tick \"Allow GitHub Actions to create and approve pull requests\". Without an App every writer of the repository is trusted, and a person merges the pull request that brings versions back to integration.";
    step("Let workflows open pull requests", text).at(format!("{}/settings/actions", page(facts)))
}

fn environment(facts: &Facts) -> Step {
    let Facts { environment, main, .. } = facts;
    let name = word(environment.as_str());
    let mut commands = Vec::new();
    if let Worker::App { id } = facts.worker {
        let id = id.map_or_else(|| "APP_ID".to_owned(), |id| id.to_string());
        commands.push(format!("gh variable set {APP_ID_VARIABLE} --env {name} --body {id}"));
        commands.push(format!("gh secret set {APP_KEY_SECRET} --env {name} < app.private-key.pem"));
    }
    if facts.signing_key {
        commands.push("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing-key.pem".to_owned());
        commands.push(format!("gh secret set {SIGNING_KEY_SECRET} --env {name} < signing-key.pem"));
    }
    let secrets = if commands.is_empty() { "" } else { " Its secrets are then out of reach of every other branch." };
    let text = format!(
        "Name it {environment}, and set its deployment branches to \"Selected branches and tags\" with the one pattern {main}: what does not run from {main} cannot sign.{secrets}"
    );
    step("Make the environment", text).at(format!("{}/settings/environments", page(facts))).by(commands)
}

fn rules(facts: &Facts) -> Step {
    let app = match facts.worker {
        Worker::App { id: Some(id) } => format!(" --app-id {id}"),
        Worker::App { id: None } => " --app-id APP_ID".to_owned(),
        Worker::WorkflowToken => String::new(),
    };
    let api = match facts.server.as_str() {
        "https://github.com" => String::new(),
        server => format!(" --api-url {}", word(&format!("{server}/api/v3"))),
    };
    let command = |verb: &str| format!("GH_TOKEN=$(gh auth token) chartflow rulesets {verb} --repository {}{app}{api}", name(facts));
    step("Apply the rules of branches and tags", "The second command says what is still missing, and where to click for it.")
        .by(vec![command("apply"), command("plan")])
}

/// A local main from before the merge has no workflow file, and nothing would start.
fn rehearsal(facts: &Facts) -> Step {
    let Facts { remote, main, integration, release, .. } = facts;
    let both = |branch: &BranchName| format!("{branch}:{branch}");
    let commands = vec![
        line(&["git", "switch", main.as_str()]),
        line(&["git", "pull", "--ff-only", remote.as_str(), main.as_str()]),
        line(&["git", "fetch", remote.as_str(), "refs/chartflow/*:refs/chartflow/*", &both(integration), &both(release)]),
        format!("chartflow rehearse --base {} --head MY-BRANCH", word(main.as_str())),
    ];
    step("Rehearse a change", "Once all of this is done: the rehearsal goes on from where the train is.").by(commands)
}

/// The permissions an App needs, as GitHub's settings name them; for documentation.
#[must_use]
pub fn app_permission_names() -> Vec<(&'static str, &'static str)> {
    app_permissions().iter().map(|(permission, access): (&Permission, _)| (permission.setting(), access.setting())).collect()
}
