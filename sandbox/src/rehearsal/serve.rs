//! The embedded GitHub of a rehearsal that has ended, for people to look around.

use std::sync::Arc;

use super::RehearsalError;
use super::adopt::{NAME, OWNER};
use super::world::person;
use crate::github::Hub;
use crate::github::actor::{Caller, Role, TokenKind};
use crate::github::server::Server;

/// The token with which people may read; like GitHub's own, the API answers nobody without one.
pub const VISITOR: &str = "visitor";

/// The full name of the embedded repository.
#[must_use]
pub fn repository() -> String {
    format!("{OWNER}/{NAME}")
}

/// Keeps the embedded GitHub up on a loopback port (0: any free one); it is read with the token [`VISITOR`].
///
/// # Errors
/// When the port cannot be had.
pub async fn serve(hub: Arc<Hub>, port: u16) -> Result<Server, RehearsalError> {
    let visitor = person(VISITOR, 4, Role::Read);
    hub.add_actor(visitor.clone());
    hub.issue_token(VISITOR, Caller { actor: visitor, kind: TokenKind::Person, label: VISITOR.to_owned(), permissions: None });
    Server::start(hub, port).await.map_err(|source| RehearsalError::World { what: "the embedded GitHub's port".to_owned(), source: Box::new(source) })
}
