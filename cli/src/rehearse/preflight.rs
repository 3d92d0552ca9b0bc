//! What a clone tells of the repository on GitHub that the train could not run in. The rest is asked of GitHub itself, by
//! `chartflow rulesets plan`.

use chartflow_core::domain::adoption::remote_repository;
use chartflow_core::domain::branch::Names;
use chartflow_core::domain::check::Finding;
use chartflow_core::domain::configuration::Configuration;
use chartflow_core::domain::ruleset::Mode;
use chartflow_core::io::git::LocalRepository;
use chartflow_core::plan::preflight::{Environment, Facts, Seen, plan};

/// The remote that a clone has of the repository it was made from.
const REMOTE: &str = "origin";

/// What of the preflight can be seen from here, by the rules and in the words of the preflight.
pub(super) fn findings(repository: &LocalRepository, configuration: &Configuration) -> Vec<Finding> {
    let names = Names::new(configuration);
    let page = repository.remote_url(REMOTE).and_then(|url| remote_repository(&url)).map(|(server, name)| format!("{server}/{name}"));
    let main = names.main().clone();
    plan(&Facts {
        mode: Mode::App { id: 0 },
        page: page.unwrap_or_else(|| "https://github.com/OWNER/NAME".to_owned()),
        default_branch: default_branch(repository).unwrap_or_else(|| main.to_string()),
        // Missing tiers are told elsewhere, by what this clone can do about them.
        absent: Vec::new(),
        collisions: names.collisions(),
        main_method: configuration.merge.main,
        // What a clone does not hold is not looked at, and nothing is said of it.
        merge_commits: Seen::Is(true),
        squash_merges: Seen::Is(true),
        environment_name: configuration.environment.clone(),
        environment: Seen::Is(Environment::Patterns(vec![main.to_string()])),
        actions_may_open_pulls: Seen::Is(true),
        rulesets: Seen::Is(Vec::new()),
        refused: Vec::new(),
        main,
    })
}

/// The default branch: what the remote's HEAD was when this clone was made, or where HEAD stands in a bare repository.
fn default_branch(repository: &LocalRepository) -> Option<String> {
    if repository.work_tree().is_none() {
        return repository.head_branch();
    }
    let head = std::fs::read_to_string(repository.git_directory().join("refs/remotes").join(REMOTE).join("HEAD")).ok()?;
    head.trim().strip_prefix("ref: ")?.strip_prefix("refs/remotes/")?.strip_prefix(REMOTE)?.strip_prefix('/').map(str::to_owned)
}
