//! Rate limits.

use super::actor::Caller;
use super::http::{ApiError, ApiResponse};
use super::route::Route;
use super::state::State;

/// What has been used of the limits.
#[derive(Debug, Default)]
pub(crate) struct Limits {}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];

/// Counts a request against the caller's limits; 403 or 429 when they are used up.
pub(crate) fn admit(_state: &mut State, _caller: &Caller, _route: &Route) -> Result<(), ApiError> {
    Ok(())
}

/// The answer with the `x-ratelimit-*` headers.
pub(crate) fn mark(_state: &State, _caller: &Caller, response: ApiResponse) -> ApiResponse {
    response
}
