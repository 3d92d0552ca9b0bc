//! What the runner says of the run, in variables.
//!
//! Names and meanings: GitHub documentation, "Variables reference".

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::names::RepositoryName;
use crate::io::secret::Secret;

/// Why the variables do not describe a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// One is absent.
    #[error("the variable {name} is not set")]
    Absent {
        /// Its name.
        name: &'static str,
    },
    /// One holds what it cannot.
    #[error("the variable {name} is {value:?}, which is not {expected}")]
    Value {
        /// Its name.
        name: &'static str,
        /// The value, shortened.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
}

/// Where and as what a step runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The API, without a slash at its end.
    pub api_url: String,
    /// The server, without a slash at its end.
    pub server_url: String,
    /// The repository.
    pub repository: RepositoryName,
    /// Its number.
    pub repository_id: Option<u64>,
    /// Who started the run.
    pub actor: Option<String>,
    /// The commit of the run.
    pub sha: Option<String>,
    /// The workflow file of the run and its ref.
    pub workflow: Option<String>,
    /// Where the run's identity token is asked for; only a job with `id-token: write` is told.
    pub identity_url: Option<String>,
    /// What opens it.
    pub identity_token: Option<Secret>,
    /// The run's page.
    pub run_page: Option<String>,
    /// The event's name.
    pub event_name: String,
    /// The event's document.
    pub event_path: Option<PathBuf>,
    /// What was checked out, if anything.
    pub workspace: Option<PathBuf>,
    /// Where temporary files go. The image has no other place.
    pub temporary: Option<PathBuf>,
    /// Where programs are looked for.
    pub path: Option<String>,
}

impl Environment {
    /// Reads the variables.
    ///
    /// # Errors
    /// [`EnvironmentError`] for one that is mandatory and absent, or cannot be used.
    pub fn read(variables: &BTreeMap<String, String>) -> Result<Self, EnvironmentError> {
        let text = |name: &str| variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned);
        let mandatory = |name: &'static str| text(name).ok_or(EnvironmentError::Absent { name });
        let path = |name: &str| text(name).map(PathBuf::from);
        let wrong = |name, value: &str, expected| EnvironmentError::Value { name, value: value.chars().take(200).collect(), expected };
        let repository = mandatory("GITHUB_REPOSITORY")?;
        let url = |name: &'static str, default: &str| {
            let url = text(name).unwrap_or_else(|| default.to_owned());
            let trimmed = url.trim_end_matches('/').to_owned();
            if trimmed.starts_with("https://") || trimmed.starts_with("http://") { Ok(trimmed) } else { Err(wrong(name, &url, "a URL")) }
        };
        let server_url = url("GITHUB_SERVER_URL", "https://github.com")?;
        let number = |name: &'static str| text(name).map(|value| value.parse::<u64>().map_err(|_| wrong(name, &value, "a number"))).transpose();
        let run_page = text("GITHUB_RUN_ID").map(|run| format!("{server_url}/{repository}/actions/runs/{run}"));
        Ok(Self {
            api_url: url("GITHUB_API_URL", "https://api.github.com")?,
            repository: repository.parse().map_err(|_| wrong("GITHUB_REPOSITORY", &repository, "of the form OWNER/NAME"))?,
            repository_id: number("GITHUB_REPOSITORY_ID")?,
            actor: text("GITHUB_ACTOR"),
            sha: text("GITHUB_SHA"),
            workflow: text("GITHUB_WORKFLOW_REF"),
            identity_url: text("ACTIONS_ID_TOKEN_REQUEST_URL"),
            identity_token: text("ACTIONS_ID_TOKEN_REQUEST_TOKEN").map(Secret::new),
            run_page,
            event_name: text("GITHUB_EVENT_NAME").unwrap_or_else(|| "workflow_dispatch".to_owned()),
            event_path: path("GITHUB_EVENT_PATH"),
            workspace: path("GITHUB_WORKSPACE"),
            temporary: path("RUNNER_TEMP"),
            path: text("PATH"),
            server_url,
        })
    }
}
