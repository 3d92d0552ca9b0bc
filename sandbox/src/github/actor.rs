//! Who calls.

use std::collections::BTreeMap;

/// The kinds of tokens, which differ in permissions, in what GitHub signs for them and in the workflows their
/// events start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A person's.
    Person,
    /// The `GITHUB_TOKEN` of a workflow run.
    Workflow,
    /// An installation access token of a GitHub App.
    Installation,
    /// The JSON Web Token of a GitHub App, which only speaks about the App itself.
    App,
}

/// What a person may do in the repository.
///
/// Source: <https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories/managing-repository-roles/repository-roles-for-an-organization>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read and open pull requests from forks.
    Read,
    /// May manage issues.
    Triage,
    /// May push and approve.
    Write,
    /// May manage the repository without its dangerous settings.
    Maintain,
    /// May do everything.
    Admin,
}

/// A person, or the bot behind an App or workflow token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The login; a bot's ends in `[bot]`.
    pub login: String,
    /// The account's number.
    pub id: u64,
    /// The name in commits.
    pub name: String,
    /// The address in commits.
    pub email: String,
    /// The role in the repository; `Write` for bots.
    pub role: Role,
    /// The App's number for a bot (15368 is GitHub Actions).
    pub app: Option<u64>,
}

impl Actor {
    /// Whether it is a bot.
    #[must_use]
    pub const fn is_bot(&self) -> bool {
        self.app.is_some()
    }
}

/// How much a token may do with a kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// See.
    Read,
    /// Change.
    Write,
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// With which kind of token.
    pub kind: TokenKind,
    /// The label requests are counted under.
    pub label: String,
    /// The token's permissions (`contents`, `pull_requests`, …); `None` for a person, who is judged by role.
    pub permissions: Option<BTreeMap<String, Level>>,
}
