//! Tokens: who calls, and what the call may do.

use std::collections::BTreeMap;

use gix::ObjectId;

use super::actor::Caller;
use super::http::{ApiError, ApiRequest};
use super::route::Route;
use super::state::State;

/// The tokens there are.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_secret: BTreeMap<String, Caller>,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[];

impl Tokens {
    /// Lets `secret` speak for a caller.
    pub(crate) fn issue(&mut self, secret: &str, caller: Caller) {
        self.by_secret.insert(secret.to_owned(), caller);
    }
}

/// The caller behind the `authorization` header (`Bearer X` or `token X`).
///
/// 401 `Bad credentials` for an unknown token and 401 `Requires authentication` without one.
/// Source: <https://docs.github.com/rest/authentication/authenticating-to-the-rest-api#failed-login-limit>
pub(crate) fn authenticate(state: &State, request: &ApiRequest) -> Result<Caller, ApiError> {
    let header = request.header("authorization").ok_or_else(|| ApiError::new(401, "Requires authentication"))?;
    let secret = header.split_once(' ').map_or(header, |(_, secret)| secret.trim());
    state.tokens.by_secret.get(secret).cloned().ok_or_else(|| ApiError::new(401, "Bad credentials"))
}

/// Whether the caller may use the operation: 403 `Resource not accessible by integration` otherwise.
///
/// Source: <https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible>
pub(crate) fn authorize(_state: &State, caller: &Caller, route: &Route) -> Result<(), ApiError> {
    let Some(permissions) = &caller.permissions else { return Ok(()) };
    let enough = route.needs.is_empty() || route.needs.iter().any(|need| permissions.get(need.permission).is_some_and(|level| *level >= need.level));
    if enough { Ok(()) } else { Err(ApiError::new(403, "Resource not accessible by integration")) }
}

/// Whether the caller's token may move a ref from `before` to `after` as far as `.github/workflows` is concerned.
pub(crate) fn may_move_workflows(_state: &State, _caller: &Caller, _before: Option<ObjectId>, _after: ObjectId) -> Result<(), ApiError> {
    Ok(())
}

/// Whether the caller may open or approve pull requests: 403 `GitHub Actions is not permitted to create or approve pull
/// requests.` for the workflow token unless the setting is on.
///
/// Source: <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/enabling-features-for-your-repository/managing-github-actions-settings-for-a-repository>
pub(crate) fn may_handle_pulls(_state: &State, _caller: &Caller) -> Result<(), ApiError> {
    Ok(())
}
