//! The repository itself, its rulesets and settings.

use serde::Deserialize;
use serde_json::Value;

use super::{Body, GitHub, GitHubError, Method, encode};

/// What chartflow asks of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RepositoryFacts {
    /// Its numeric id, which a rename keeps.
    pub id: u64,
    /// `OWNER/NAME`.
    pub full_name: String,
    /// The branch whose workflow files dispatches, schedules and `pull_request_target` run.
    pub default_branch: String,
    /// Whether it is private or internal.
    #[serde(default)]
    pub private: bool,
    /// Whose it is.
    pub owner: Owner,
    /// Whether merge commits are allowed; absent for those who may not see settings.
    #[serde(default)]
    pub allow_merge_commit: Option<bool>,
    /// Whether squash merges are allowed.
    #[serde(default)]
    pub allow_squash_merge: Option<bool>,
    /// Whether merged head branches are deleted.
    #[serde(default)]
    pub delete_branch_on_merge: Option<bool>,
}

/// The owner of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// The numeric id.
    pub id: u64,
    /// The login.
    pub login: String,
}

/// A deployment environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Which branches may deploy to it; `None` is all.
    #[serde(default)]
    pub deployment_branch_policy: Option<Value>,
}

/// A branch or tag pattern that may deploy to an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeploymentPattern {
    /// The pattern, as for rulesets.
    pub name: String,
    /// `branch` or `tag`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// "Get default workflow permissions".
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WorkflowPermissions {
    /// "Allow GitHub Actions to create and approve pull requests".
    pub can_approve_pull_request_reviews: bool,
}

impl GitHub {
    /// "Get a repository".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn repository(&self) -> Result<RepositoryFacts, GitHubError> {
        self.get("").await
    }

    /// "Get all repository rulesets", without their rules.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn rulesets(&self) -> Result<Vec<Value>, GitHubError> {
        self.pages("rulesets").await
    }

    /// "Get a repository ruleset", with its rules.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn ruleset(&self, id: u64) -> Result<Value, GitHubError> {
        self.get(&format!("rulesets/{id}")).await
    }

    /// "Create a repository ruleset".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn create_ruleset(&self, ruleset: &Value) -> Result<Value, GitHubError> {
        self.write(Method::Post, "rulesets", ruleset.clone()).await
    }

    /// "Update a repository ruleset".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn update_ruleset(&self, id: u64, ruleset: &Value) -> Result<Value, GitHubError> {
        self.write(Method::Put, &format!("rulesets/{id}"), ruleset.clone()).await
    }

    /// "Delete a repository ruleset".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn delete_ruleset(&self, id: u64) -> Result<(), GitHubError> {
        self.send(Method::Delete, &format!("rulesets/{id}"), Body::Empty).await.map(|_| ())
    }

    /// "Get an environment".
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn environment(&self, name: &str) -> Result<Option<Environment>, GitHubError> {
        self.get_optional(&format!("environments/{}", encode(name, false))).await
    }

    /// "List deployment branch policies" of an environment that has its own.
    ///
    /// # Errors
    /// See [`GitHubError`].
    pub async fn deployment_patterns(&self, environment: &str) -> Result<Vec<DeploymentPattern>, GitHubError> {
        #[derive(Deserialize)]
        struct Raw {
            branch_policies: Vec<DeploymentPattern>,
        }
        let path = format!("environments/{}/deployment-branch-policies?per_page=100", encode(environment, false));
        self.get::<Raw>(&path).await.map(|raw| raw.branch_policies)
    }

    /// "Get default workflow permissions for a repository".
    ///
    /// # Errors
    /// 403 for tokens without administration access.
    pub async fn workflow_permissions(&self) -> Result<WorkflowPermissions, GitHubError> {
        self.get("actions/permissions/workflow").await
    }
}
