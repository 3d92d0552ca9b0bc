//! As an installation of a GitHub App: from the App's key to a token for one repository and one stage, and back.
//!
//! The token can do no more than the stage declares, in this repository alone. It is renewed before it ends, and every
//! token that was given is taken back by [`AppTransport::close`], which the caller owes after failures too: dropping
//! cannot send anything.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{AppKey, OctocrabTransport, Options, Renewal, SetupError};
use crate::domain::event::{Access, Permission, Permissions};
use crate::domain::names::RepositoryName;
use crate::io::secret::Secret;
use crate::port::github::{App, GitHub, GitHubError, Installation, InstallationToken};
use crate::port::transport::{Request, Response, Transport, TransportError};

/// A token is renewed when it has less than this left; GitHub gives it for an hour.
const MARGIN: Duration = Duration::from_secs(300);
/// What the App signs of itself is good for ten minutes at most, and is of no use after a longer wait.
const PATIENCE: Duration = Duration::from_secs(300);

/// Why there is no token for an App.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The client could not be set up.
    #[error("as App {app}")]
    Setup {
        /// The App's id or client id.
        app: String,
        /// The cause.
        source: SetupError,
    },
    /// The key signed nothing.
    #[error("the App's private key could not sign")]
    Sign {
        /// The cause.
        source: jsonwebtoken::errors::Error,
    },
    /// GitHub does not accept what the key signed.
    #[error(
        "GitHub does not accept the private key of App {app} ({message}): use a key that is listed at the App's settings, General, Private keys; the clock of this machine must be right to a few minutes"
    )]
    Key {
        /// The App's id or client id.
        app: String,
        /// GitHub's words.
        message: String,
    },
    /// There is no App of this id.
    #[error("GitHub knows no App {app}: the id stands at the App's settings, General, App ID")]
    Unknown {
        /// The App's id or client id.
        app: String,
    },
    /// The App cannot see the repository.
    #[error("App {app} is not installed on {repository}: install it at {page}/installations/new, and select the repository there")]
    NotInstalled {
        /// The App's name in addresses.
        app: String,
        /// The repository.
        repository: RepositoryName,
        /// The App's page.
        page: String,
    },
    /// Its owner has suspended the installation.
    #[error("the installation of App {app} on {repository} is suspended: its owner lifts that at {page}")]
    Suspended {
        /// The App's name in addresses.
        app: String,
        /// The repository.
        repository: RepositoryName,
        /// The installation's page.
        page: String,
    },
    /// The installation was not given what the stage needs.
    #[error("App {app} lacks {} on {repository}: set {} at {settings}, then accept the change at {page}", listed(missing), clicks(missing))]
    Lacks {
        /// The App's name in addresses.
        app: String,
        /// The repository.
        repository: RepositoryName,
        /// What it lacks.
        missing: Permissions,
        /// Where the App's permissions are set.
        settings: String,
        /// The installation's page.
        page: String,
    },
    /// GitHub refused or failed otherwise.
    #[error("as App {app}")]
    GitHub {
        /// The App's id or client id.
        app: String,
        /// The cause.
        source: GitHubError,
    },
}

fn listed(missing: &Permissions) -> String {
    let each: Vec<String> = missing.iter().map(|(permission, access)| format!("{}: {}", permission.api_key(), access.as_str())).collect();
    each.join(" and ")
}

fn clicks(missing: &Permissions) -> String {
    let each: Vec<String> = missing.iter().map(|(permission, access)| format!("{} to \"{}\"", permission.setting(), access.setting())).collect();
    each.join(" and ")
}

/// Who asks, for what.
#[derive(Clone)]
pub struct AppOptions {
    /// How requests are sent. The token in it is not used.
    pub base: Options,
    /// The App's id, or its client id.
    pub app: String,
    /// Its private key.
    pub key: AppKey,
    /// The one repository that the token is for.
    pub repository: RepositoryName,
    /// All that the token may do.
    pub permissions: Permissions,
    /// Is told each secret before it is used, so that it can be masked where output is recorded.
    pub on_secret: Arc<dyn Fn(&Secret) + Send + Sync>,
}

impl fmt::Debug for AppOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AppOptions");
        shown.field("app", &self.app).field("repository", &self.repository).field("permissions", &self.permissions).finish_non_exhaustive()
    }
}

/// Sends requests as an installation of an App.
#[derive(Debug)]
pub struct AppTransport {
    options: AppOptions,
    transport: OctocrabTransport,
    installation: Installation,
    /// `None` once they were taken back.
    given: Mutex<Option<Vec<Token>>>,
}

/// A token that was given and not taken back.
#[derive(Debug, Clone)]
struct Token {
    secret: Secret,
    ends: SystemTime,
}

impl AppTransport {
    /// Finds the installation and asks for the first token; must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`AppError`].
    pub async fn open(options: AppOptions) -> Result<Self, AppError> {
        let setup = |source| AppError::Setup { app: options.app.clone(), source };
        let transport = OctocrabTransport::new(Options { token: None, ..options.base.clone() }).map_err(setup)?;
        let installation = find(&options).await?;
        let this = Self { options, transport, installation, given: Mutex::new(None) };
        let mut given = Vec::new();
        this.ask(&mut given).await?;
        *this.given.lock().await = Some(given);
        Ok(this)
    }

    /// The App's number, which rulesets name.
    #[must_use]
    pub const fn app_id(&self) -> u64 {
        self.installation.app_id
    }

    /// Takes back every token that was given and has not ended. Nothing can be sent afterwards. Doing it twice is no
    /// error.
    ///
    /// # Errors
    /// [`AppError::GitHub`] when GitHub does not take one back: it then ends by itself, within the hour.
    pub async fn close(&self) -> Result<(), AppError> {
        let given = self.given.lock().await.take().unwrap_or_default();
        let mut outcome = Ok(());
        for token in given.into_iter().filter(|token| token.ends > self.options.base.clock.now()) {
            let failed = match self.client(&token.secret)?.revoke_token().await {
                // It had ended already.
                Ok(()) | Err(GitHubError::Refused { status: 401, .. }) => continue,
                Err(source) => AppError::GitHub { app: self.options.app.clone(), source },
            };
            outcome = outcome.and(Err(failed));
        }
        outcome
    }

    fn client(&self, secret: &Secret) -> Result<GitHub, AppError> {
        client(&self.options, secret)
    }

    /// Asks for a token unless the last one has enough time left.
    async fn ask(&self, given: &mut Vec<Token>) -> Result<(), AppError> {
        let now = self.options.base.clock.now();
        given.retain(|token| token.ends > now);
        if given.last().is_some_and(|token| token.ends.duration_since(now).is_ok_and(|left| left > MARGIN)) {
            return Ok(());
        }
        let jwt = sign(&self.options)?;
        let wanted: BTreeMap<&str, &str> = self.options.permissions.iter().map(|(permission, access)| (permission.api_key(), access.as_str())).collect();
        let answer = self.client(&jwt)?.installation_token(self.installation.id, &wanted).await;
        let InstallationToken { token, expires_at } = answer.map_err(|source| refused(&self.options, source))?;
        let secret = Secret::new(token);
        (self.options.on_secret)(&secret);
        self.transport.set_token(&secret).map_err(|source| AppError::Setup { app: self.options.app.clone(), source })?;
        given.push(Token { secret, ends: expires_at.into() });
        Ok(())
    }
}

#[async_trait]
impl Renewal for AppTransport {
    async fn renew(&self, request: &Request) -> Result<(), TransportError> {
        let mut given = self.given.lock().await;
        let Some(given) = given.as_mut() else {
            return Err(TransportError::Stopped { method: request.method.as_str(), target: request.target.clone() });
        };
        self.ask(given).await.map_err(|source| TransportError::Unreachable {
            method: request.method.as_str(),
            target: request.target.clone(),
            source: source.into(),
        })
    }
}

#[async_trait]
impl Transport for AppTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.transport.send_renewing(request, self).await
    }
}

fn sign(options: &AppOptions) -> Result<Secret, AppError> {
    let jwt = options.key.token(&options.app, options.base.clock.now()).map_err(|source| AppError::Sign { source })?;
    (options.on_secret)(&jwt);
    Ok(jwt)
}

/// As the App itself, or to take a token back.
fn client(options: &AppOptions, secret: &Secret) -> Result<GitHub, AppError> {
    let patience = options.base.patience.min(PATIENCE);
    let base = Options { token: Some(secret.clone()), patience, ..options.base.clone() };
    let transport = OctocrabTransport::new(base).map_err(|source| AppError::Setup { app: options.app.clone(), source })?;
    Ok(GitHub::new(Arc::new(transport), options.repository.clone()))
}

/// The installation on the repository, with everything the token is to be given.
async fn find(options: &AppOptions) -> Result<Installation, AppError> {
    let github = client(options, &sign(options)?)?;
    let failed = |source| refused(options, source);
    let repository = options.repository.clone();
    let Some(installation) = github.installation().await.map_err(failed)? else {
        let App { slug, html_url, .. } = github.app().await.map_err(failed)?;
        return Err(AppError::NotInstalled { app: slug, repository, page: html_url });
    };
    if installation.suspended_at.is_some() {
        return Err(AppError::Suspended { app: installation.app_slug, repository, page: installation.html_url });
    }
    let missing = lacking(&options.permissions, &installation.permissions);
    if missing.is_empty() {
        return Ok(installation);
    }
    let app = github.app().await.map_err(failed)?;
    Err(AppError::Lacks { settings: settings(&app), app: app.slug, repository, missing, page: installation.html_url })
}

/// What is wanted and was not given.
fn lacking(wanted: &Permissions, given: &BTreeMap<String, String>) -> Permissions {
    let enough = |permission: &Permission, access: &Access| match given.get(permission.api_key()).map(String::as_str) {
        Some("write" | "admin") => true,
        Some("read") => *access == Access::Read,
        _ => false,
    };
    wanted.iter().filter(|(permission, access)| !enough(permission, access)).map(|(permission, access)| (*permission, *access)).collect()
}

/// Where an App's owner sets its permissions.
fn settings(app: &App) -> String {
    let App { slug, html_url, owner, .. } = app;
    // Enterprise Server has Apps at `/github-apps/`.
    let server = html_url.split_once("/github-apps/").or_else(|| html_url.split_once("/apps/")).map_or("", |(server, _)| server);
    match owner.kind.as_str() {
        "Organization" => format!("{server}/organizations/{}/settings/apps/{slug}/permissions", owner.login),
        _ => format!("{server}/settings/apps/{slug}/permissions"),
    }
}

/// GitHub's refusal of the App itself, in words that say what to do.
fn refused(options: &AppOptions, source: GitHubError) -> AppError {
    let app = options.app.clone();
    match &source {
        GitHubError::Refused { status: 401, message, .. } => AppError::Key { app, message: message.clone() },
        GitHubError::Refused { status: 404, message, .. } if message.contains("Integration") => AppError::Unknown { app },
        _ => AppError::GitHub { app, source },
    }
}
