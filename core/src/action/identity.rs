//! As whom an action works: from its inputs to a way to GitHub.

use std::sync::Arc;

use super::environment::Environment;
use super::inputs::Inputs;
use crate::domain::ruleset::Mode;
use crate::io::github::{OctocrabTransport, Options, Server, ServerError, SetupError, Wait};
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
    /// This build cannot make installation tokens.
    #[error("the inputs app-id and private-key are not supported by this version")]
    AppUnsupported,
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
        !matches!(self, Self::Setup { source: SetupError::Client { .. } })
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoToken => Some("leave the input token away, so that it is ${{ github.token }}, or name a secret that is set".to_owned()),
            Self::HalfAnApp { .. } => Some("name both: app-id: ${{ vars.CHARTFLOW_APP_ID }} and private-key: ${{ secrets.CHARTFLOW_PRIVATE_KEY }}; an empty one means that the variable or secret is not set".to_owned()),
            Self::AppUnsupported => Some("hand in an installation token as token".to_owned()),
            _ => None,
        }
    }
}

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
}

impl Identity {
    /// Makes the way to GitHub. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub async fn connect(inputs: &Inputs, environment: &Environment, on_wait: OnWait) -> Result<Self, IdentityError> {
        match (inputs.number("app-id"), inputs.text("private-key")) {
            (Some(_), Some(_)) => return Err(IdentityError::AppUnsupported),
            (Some(_), None) => return Err(IdentityError::HalfAnApp { absent: "private-key" }),
            (None, Some(_)) => return Err(IdentityError::HalfAnApp { absent: "app-id" }),
            (None, None) => {}
        }
        Self::of_the_workflow(inputs, environment, on_wait)
    }

    /// The input `token`, and no App. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn of_the_workflow(inputs: &Inputs, environment: &Environment, on_wait: OnWait) -> Result<Self, IdentityError> {
        let token = inputs.text("token").map(Secret::new).ok_or(IdentityError::NoToken)?;
        let server = Server::new(&environment.api_url)?;
        let transport = OctocrabTransport::new(Options { on_wait, ..Options::new(server, Some(token.clone())) })?;
        Ok(Self { transport: Arc::new(transport), mode: Mode::WorkflowToken, workflow_token: Some(token) })
    }

    /// Gives back what was made for this run alone.
    pub async fn release(self) {}
}
