//! As whom an action works: from its inputs to a way to GitHub.

use std::sync::Arc;
use std::time::Duration;

use super::environment::Environment;
use super::inputs::Inputs;
use crate::domain::event::Permissions;
use crate::domain::ruleset::Mode;
use crate::io::github::{AppError, AppKey, AppKeyError, AppOptions, AppTransport, OctocrabTransport, Options, Server, ServerError, SetupError, Wait};
use crate::io::secret::Secret;
use crate::port::transport::Transport;

/// Why there is no way to GitHub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no token.
    #[error("there is no token for GitHub")]
    NoToken,
    /// One of the two inputs of an App is there and the other is not.
    #[error("the input {absent} is absent; app-id and private-key belong together")]
    HalfAnApp {
        /// The one that is absent.
        absent: &'static str,
    },
    /// The App's private key cannot be used.
    #[error("the input private-key cannot be used")]
    AppKey {
        /// The cause.
        source: AppKeyError,
    },
    /// GitHub gives the App no token.
    #[error("there is no token for the App")]
    App {
        /// The cause.
        source: AppError,
    },
    /// The API's URL cannot be used.
    #[error(transparent)]
    Server {
        /// The cause.
        #[from]
        source: ServerError,
    },
    /// The client cannot be built.
    #[error(transparent)]
    Setup {
        /// The cause.
        #[from]
        source: SetupError,
    },
}

impl IdentityError {
    /// Whether the request was wrong, and not the world around it.
    #[must_use]
    pub fn is_request(&self) -> bool {
        match self {
            Self::Setup { source: SetupError::Client { .. } } => false,
            Self::App { source } => !matches!(source, AppError::Setup { .. } | AppError::GitHub { .. }),
            _ => true,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoToken => Some("leave the input token away, so that it is ${{ github.token }}, or name a secret that is set".to_owned()),
            Self::HalfAnApp { .. } => Some("name both: app-id: ${{ vars.CHARTFLOW_APP_ID }} and private-key: ${{ secrets.CHARTFLOW_PRIVATE_KEY }}; an empty one means that the variable or secret is not set".to_owned()),
            _ => None,
        }
    }
}

/// The longest that one request waits: a limit begins anew within the hour, and a minute or two may lie between two clocks.
const PATIENCE: Duration = Duration::from_secs(3600 + 300);

/// Is told of every secret before it is used.
pub type OnSecret = Arc<dyn Fn(&Secret) + Send + Sync>;

/// Is told of every wait for GitHub.
pub type OnWait = Arc<dyn Fn(&Wait) + Send + Sync>;

/// As whom an action works.
pub struct Identity {
    /// Sends requests as this identity.
    pub transport: Arc<dyn Transport>,
    /// An App, or the workflow's own token.
    pub mode: Mode,
    /// The workflow's own token: what the container registry takes.
    pub workflow_token: Option<Secret>,
    /// The App's tokens, which are taken back at the end.
    app: Option<Arc<AppTransport>>,
}

impl Identity {
    /// Makes the way to GitHub. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub async fn connect(
        inputs: &Inputs,
        environment: &Environment,
        permissions: Permissions,
        on_wait: OnWait,
        on_secret: OnSecret,
    ) -> Result<Self, IdentityError> {
        let (id, pem) = match (inputs.number("app-id"), inputs.text("private-key")) {
            (Some(id), Some(pem)) => (id, pem),
            (Some(_), None) => return Err(IdentityError::HalfAnApp { absent: "private-key" }),
            (None, Some(_)) => return Err(IdentityError::HalfAnApp { absent: "app-id" }),
            (None, None) => return Self::of_the_workflow(inputs, environment, on_wait),
        };
        let key = AppKey::from_pem(pem).map_err(|source| IdentityError::AppKey { source })?;
        let base = Options { on_wait, patience: PATIENCE, ..Options::new(Server::new(&environment.api_url)?, None) };
        let options = AppOptions { base, app: id.to_string(), key, repository: environment.repository.clone(), permissions, on_secret };
        let app = Arc::new(AppTransport::open(options).await.map_err(|source| IdentityError::App { source })?);
        let transport: Arc<dyn Transport> = Arc::<AppTransport>::clone(&app);
        let workflow_token = inputs.text("token").map(Secret::new);
        Ok(Self { transport, mode: Mode::App { id: app.app_id() }, workflow_token, app: Some(app) })
    }

    /// The input `token`, and no App. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn of_the_workflow(inputs: &Inputs, environment: &Environment, on_wait: OnWait) -> Result<Self, IdentityError> {
        let token = inputs.text("token").map(Secret::new).ok_or(IdentityError::NoToken)?;
        let server = Server::new(&environment.api_url)?;
        let transport = OctocrabTransport::new(Options { on_wait, patience: PATIENCE, ..Options::new(server, Some(token.clone())) })?;
        Ok(Self { transport: Arc::new(transport), mode: mode_of(&token), workflow_token: Some(token), app: None })
    }

    /// What gives back, at the end of the run, what was made for it alone.
    pub fn loan(&self) -> Loan {
        Loan { app: self.app.clone() }
    }
}

/// What has to be given back.
#[must_use]
pub struct Loan {
    app: Option<Arc<AppTransport>>,
}

impl Loan {
    /// Gives it back: the App's tokens open nothing any more.
    ///
    /// # Errors
    /// [`AppError`] when GitHub does not take one back; it ends by itself within the hour.
    pub async fn give_back(self) -> Result<(), AppError> {
        match self.app {
            Some(app) => app.close().await,
            None => Ok(()),
        }
    }
}

/// Whose token it is, by the beginnings that GitHub gives its tokens ("About authentication to GitHub").
fn mode_of(token: &Secret) -> Mode {
    let person = ["ghp_", "github_pat_", "gho_", "ghu_"].iter().any(|beginning| token.expose().starts_with(beginning));
    if person { Mode::PersonalToken } else { Mode::WorkflowToken }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_given_by_hand_is_a_person_s() {
        for (token, mode) in [("ghs_1", Mode::WorkflowToken), ("ghp_1", Mode::PersonalToken), ("github_pat_1", Mode::PersonalToken), ("x", Mode::WorkflowToken)]
        {
            assert_eq!(mode_of(&Secret::new(token)), mode, "{token}");
        }
    }
}
