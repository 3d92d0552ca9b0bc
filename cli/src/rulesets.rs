//! `chartflow rulesets`.

use std::sync::Arc;

use chartflow_core::domain::check::{Finding, Severity};
use chartflow_core::domain::configuration::{CONFIGURATION_FILE, Configuration};
use chartflow_core::domain::names::RepositoryName;
use chartflow_core::domain::ruleset::{Change, Mode, Tiers, drifted, report};
use chartflow_core::flow::{FlowError, preflight, rulesets};
use chartflow_core::io::github::{OctocrabTransport, Options, Server, Wait};
use chartflow_core::io::secret::Secret;
use chartflow_core::port::github::{GitHub, GitHubError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::Answer;
use crate::error::{CommandError, Kind};
use crate::output::{Format, Output};

/// The variables that hold the token, as `gh` reads them.
const TOKEN_VARIABLES: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];
/// A longer configuration is refused.
const CONFIGURATION_LIMIT: usize = 1 << 20;

/// Compare the branch and tag rules of a repository with those the train needs, or bring them there.
#[derive(Debug, Args)]
#[command(after_help = "\
The token is taken from GITHUB_TOKEN or GH_TOKEN; `apply` needs the repository permission Administration: Read and write.

Examples:
  GH_TOKEN=$(gh auth token) chartflow rulesets plan --repository acme/charts --app-id 12345
  GH_TOKEN=$(gh auth token) chartflow rulesets apply --repository acme/charts --app-id 12345")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print what differs, and what else the train lacks; exit code 1 when something does.
    #[command(after_help = "\
Examples:
  GH_TOKEN=$(gh auth token) chartflow rulesets plan --repository acme/charts --app-id 12345")]
    Plan(Target),
    /// Create, mend and remove rulesets until they are as they should be. Rulesets of other names are left alone.
    #[command(after_help = "\
Examples:
  GH_TOKEN=$(gh auth token) chartflow rulesets apply --repository acme/charts --app-id 12345")]
    Apply(Target),
}

#[derive(Debug, Args)]
struct Target {
    /// The repository on GitHub.
    #[arg(long, value_name = "OWNER/NAME")]
    repository: RepositoryName,
    /// The base URL of the API; of GitHub Enterprise Server https://HOST/api/v3.
    #[arg(long, value_name = "URL", default_value = "https://api.github.com")]
    api_url: String,
    /// The number of the GitHub App that the train works as [default: none, the workflow's own token].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    app_id: Option<u64>,
    /// The train works with a token that was given by hand, a person's: required statuses are then nobody's in particular.
    #[arg(long, conflicts_with = "app_id")]
    personal_token: bool,
}

impl Target {
    fn mode(&self) -> Mode {
        match self.app_id {
            Some(id) => Mode::App { id },
            None if self.personal_token => Mode::PersonalToken,
            None => Mode::WorkflowToken,
        }
    }

    /// Where people see the repository.
    fn page(&self) -> String {
        let base = self.api_url.trim_end_matches('/');
        let host = base.strip_suffix("/api/v3").map_or_else(|| base.replacen("://api.", "://", 1), str::to_owned);
        format!("{host}/{}", self.repository)
    }
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Answer, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::new(Kind::Outside, "the program's threads could not be started").because(error))?;
    runtime.block_on(async {
        match &arguments.action {
            Action::Plan(target) => plan(target, output).await,
            Action::Apply(target) => apply(target, output).await,
        }
    })
}

async fn plan(target: &Target, output: &Output) -> Result<Answer, CommandError> {
    let github = connect(target, output)?;
    let told = |error| translate(error, target);
    let configuration = configuration(&github, target).await?;
    let tiers = Tiers::from(&configuration);
    let changes = rulesets::plan(&github, &tiers, target.mode()).await.map_err(told)?;
    let findings = preflight::run(&github, &configuration, target.mode(), &target.page()).await.map_err(told)?;
    if output.format() == Format::Json {
        output.document(&json!({ "repository": target.repository, "drift": drifted(&changes), "rulesets": described(&changes), "preflight": findings }))?;
    } else {
        let end = if drifted(&changes) { "" } else { "nothing to do\n" };
        output.text(&format!("{}{end}{}", report(&changes), findings.iter().map(line).collect::<String>()))?;
    }
    Ok(Answer::from(!drifted(&changes) && findings.iter().all(|finding| finding.severity != Severity::Error)))
}

async fn apply(target: &Target, output: &Output) -> Result<Answer, CommandError> {
    let github = connect(target, output)?;
    let configuration = configuration(&github, target).await?;
    let tiers = Tiers::from(&configuration);
    let changes = rulesets::apply(&github, &tiers, target.mode()).await.map_err(|error| translate(error, target))?;
    if output.format() == Format::Json {
        output.document(&json!({ "repository": target.repository, "changed": drifted(&changes), "rulesets": described(&changes) }))?;
    } else {
        let done: String = changes.iter().filter_map(done).collect();
        output.text(if done.is_empty() { "nothing to do\n" } else { &done })?;
    }
    Ok(Answer::Yes)
}

fn done(change: &Change) -> Option<String> {
    match change {
        Change::Create { name, .. } => Some(format!("created {name}\n")),
        Change::Update { name, .. } => Some(format!("mended {name}\n")),
        Change::Remove { name, .. } => Some(format!("removed {name}\n")),
        Change::Unchanged { .. } | Change::Foreign { .. } => None,
    }
}

fn described(changes: &[Change]) -> Vec<Value> {
    let one = |change: &Change| match change {
        Change::Create { name, .. } => json!({ "name": name, "change": "create" }),
        Change::Update { id, name, differences, .. } => {
            let differences: Vec<Value> =
                differences.iter().map(|difference| json!({ "path": difference.path, "is": difference.is, "should": difference.should })).collect();
            json!({ "name": name, "id": id, "change": "update", "differences": differences })
        }
        Change::Unchanged { id, name, bypass_seen } => json!({ "name": name, "id": id, "change": "none", "bypassSeen": bypass_seen }),
        Change::Remove { id, name } => json!({ "name": name, "id": id, "change": "remove" }),
        Change::Foreign { id, name } => json!({ "name": name, "id": id, "change": "foreign" }),
    };
    changes.iter().map(one).collect()
}

fn line(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    let hint = finding.hint.as_ref().map(|hint| format!("  hint: {hint}\n")).unwrap_or_default();
    format!("{word}: {finding} [{}]\n{hint}", finding.rule)
}

fn connect(target: &Target, output: &Output) -> Result<GitHub, CommandError> {
    let token = TOKEN_VARIABLES.iter().filter_map(|name| std::env::var(name).ok()).find(|token| !token.is_empty());
    let token = token.ok_or_else(|| {
        CommandError::new(Kind::Request, "there is no token for GitHub").hint("set GH_TOKEN, for example: GH_TOKEN=$(gh auth token) chartflow rulesets …")
    })?;
    let server = Server::new(&target.api_url).map_err(|error| CommandError::of(Kind::Request, error).hint("write such as --api-url https://api.github.com"))?;
    let output = output.clone();
    let on_wait = Arc::new(move |wait: &Wait| output.notice(&wait.to_string()));
    let options = Options { on_wait, ..Options::new(server, Some(Secret::new(token))) };
    let transport = OctocrabTransport::new(options).map_err(|error| CommandError::of(Kind::Outside, error))?;
    Ok(GitHub::new(Arc::new(transport), target.repository.clone()))
}

/// The configuration on the default branch; a repository without one has the defaults.
async fn configuration(github: &GitHub, target: &Target) -> Result<Configuration, CommandError> {
    let told = |error: GitHubError| translate(error.into(), target);
    let branch = github.repository().await.map_err(told)?.default_branch;
    let tip = github.get_ref(&format!("heads/{branch}")).await.map_err(told)?;
    let Some(tip) = tip.and_then(chartflow_core::port::github::RefTarget::commit) else { return Ok(Configuration::default()) };
    let bytes = github.get_file(CONFIGURATION_FILE, &tip, CONFIGURATION_LIMIT).await.map_err(told)?;
    Ok(Configuration::read(&bytes.unwrap_or_default())?)
}

fn translate(error: FlowError, target: &Target) -> CommandError {
    if let Some(finding) = preflight::missing_permission(&error, target.mode()) {
        return CommandError::new(Kind::Request, finding.message).hint(finding.hint.unwrap_or_default());
    }
    match &error {
        FlowError::GitHub { source } if source.status() == Some(401) => {
            CommandError::of(Kind::Request, error).hint("the token is wrong or has expired; GH_TOKEN=$(gh auth token) gives a new one")
        }
        FlowError::GitHub { source } if source.status() == Some(404) => {
            CommandError::of(Kind::Request, error).hint(format!("is {} spelled right, and may the token see it?", target.repository))
        }
        _ => CommandError::of(Kind::Outside, error),
    }
}
