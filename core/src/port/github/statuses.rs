//! Commit statuses, and starting workflows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{GitHub, GitHubError, Method};
use crate::domain::digest::CommitId;

/// What a status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    /// Red, and not the content's fault.
    Error,
    /// Red.
    Failure,
    /// Not known yet.
    Pending,
    /// Green.
    Success,
}

impl StatusState {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Pending => "pending",
            Self::Success => "success",
        }
    }
}

/// A commit status.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// Its name, such as `chartflow/validate`.
    pub context: String,
    /// What it says.
    pub state: StatusState,
    /// In words.
    #[serde(default)]
    pub description: Option<String>,
}

impl GitHub {
    /// "Create a commit status"; the description is cut to GitHub's 140 characters.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn create_status(&self, commit: &CommitId, status: &Status) -> Result<(), GitHubError> {
        let description: String = status.description.as_deref().unwrap_or_default().chars().take(140).collect();
        let body = json!({ "state": status.state.as_str(), "context": status.context, "description": description });
        self.write::<Value>(Method::Post, &format!("statuses/{commit}"), body).await.map(|_| ())
    }

    /// "Get the combined status": the newest status of each context.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn statuses(&self, commit: &CommitId) -> Result<Vec<Status>, GitHubError> {
        #[derive(Deserialize)]
        struct Raw {
            statuses: Vec<Status>,
        }
        self.get::<Raw>(&format!("commits/{commit}/status?per_page=100")).await.map(|raw| raw.statuses)
    }

    /// "Create a repository dispatch event": starts workflows of the default branch, whoever's token it is.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn dispatch(&self, event_type: &str, payload: &Value) -> Result<(), GitHubError> {
        self.send(Method::Post, "dispatches", super::Body::Json(json!({ "event_type": event_type, "client_payload": payload }))).await.map(|_| ())
    }
}
