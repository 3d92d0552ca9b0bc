//! Rate limits, and failures that tests ask for.
//!
//! Source: <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>

use std::collections::BTreeMap;

use chartflow_core::port::transport::Method;
use serde_json::json;

use super::Hub;
use super::actor::{Caller, TokenKind};
use super::http::{ApiError, ApiResponse};
use super::route::{Context, Route};
use super::state::State;

/// Seconds after which a primary limit begins anew.
const WINDOW: i64 = 3600;

/// What happens to one request instead of what should.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is answered like this and has no effect.
    Refuse {
        /// The status code.
        status: u16,
        /// GitHub's message.
        message: String,
    },
    /// It has its effect, and the answer is lost: 502 comes instead. An upload leaves a file in state `starter`.
    LoseAnswer,
    /// A secondary limit: 403 (or 429) with `retry-after`, no effect.
    SecondaryLimit {
        /// 403 or 429.
        status: u16,
        /// `retry-after` in seconds; `None` leaves the header out.
        retry_after: Option<u64>,
    },
}

/// A caller's primary limit.
#[derive(Debug, Clone, Copy)]
struct Budget {
    limit: u64,
    used: u64,
    reset: i64,
    enforced: bool,
}

/// What has been used of the limits.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    budgets: BTreeMap<String, Budget>,
    /// Requests answered since the hub was made; persons of a rehearsal are not counted.
    calls: u64,
    /// By the number of the request.
    faults: BTreeMap<u64, Fault>,
    /// Whether the answer of the running request will be lost.
    losing: bool,
}

/// The operations of this module.
pub(crate) const ROUTES: &[Route] = &[Route {
    method: Method::Get,
    template: "/rate_limit",
    operation: "rate-limit/get",
    needs: &[],
    creates_content: false,
    documentation: "https://docs.github.com/rest/rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user",
    handler: get,
}];

impl Limits {
    /// Whether an upload that runs now is cut off.
    pub(crate) const fn breaks_uploads(&self) -> bool {
        self.losing
    }
}

impl Hub {
    /// How many requests were answered so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().limits.calls
    }

    /// Lets one request fail: the `call`-th after this moment, from 1.
    pub fn inject(&self, call: u64, fault: Fault) {
        let limits = &mut self.lock().limits;
        let number = limits.calls.saturating_add(call);
        limits.faults.insert(number, fault);
    }

    /// Enforces a primary limit for callers of a label: so many requests, then 403 until an hour of the hub's clock has
    /// passed. Without this call the usual limits are shown in the headers and not enforced.
    pub fn limit_requests(&self, label: &str, limit: u64) {
        let mut state = self.lock();
        let reset = state.clock.now() + WINDOW;
        state.limits.budgets.insert(label.to_owned(), Budget { limit, used: 0, reset, enforced: true });
    }

    /// Lets time pass by the hub's clock.
    pub fn pass_time(&self, seconds: u32) {
        let mut state = self.lock();
        for _ in 0..seconds {
            state.clock.tick();
        }
    }
}

/// Requests an hour: 1,000 for the workflow token, 5,000 for people and Apps.
const fn usual_limit(kind: TokenKind) -> u64 {
    match kind {
        TokenKind::Workflow => 1000,
        TokenKind::Person | TokenKind::Installation | TokenKind::App => 5000,
    }
}

fn budget<'a>(state: &'a mut State, caller: &Caller) -> &'a mut Budget {
    let now = state.clock.now();
    let fresh = Budget { limit: usual_limit(caller.kind), used: 0, reset: now + WINDOW, enforced: false };
    let budget = state.limits.budgets.entry(caller.label.clone()).or_insert(fresh);
    if now >= budget.reset {
        (budget.used, budget.reset) = (0, now + WINDOW);
    }
    budget
}

/// Counts a request against the caller's limits; 403 or 429 when they are used up, and what a test asked for. Asking for
/// the limit itself does not count.
pub(crate) fn admit(state: &mut State, caller: &Caller, route: &Route) -> Result<(), ApiError> {
    state.limits.calls += 1;
    let call = state.limits.calls;
    state.limits.losing = false;
    match state.limits.faults.remove(&call) {
        None => {}
        Some(Fault::LoseAnswer) => state.limits.losing = true,
        Some(Fault::Refuse { status, message }) => return Err(ApiError::new(status, message)),
        Some(Fault::SecondaryLimit { status, retry_after }) => {
            let refusal = ApiError::new(
                status,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.",
            );
            return Err(match retry_after {
                Some(seconds) => refusal.with_header("retry-after", seconds.to_string()),
                None => refusal,
            });
        }
    }
    if route.operation == "rate-limit/get" {
        return Ok(());
    }
    let budget = budget(state, caller);
    if budget.enforced && budget.used >= budget.limit {
        let whom = if caller.kind == TokenKind::Person { "user" } else { "installation" };
        return Err(ApiError::new(403, format!("API rate limit exceeded for {whom} ID {}.", caller.actor.id)));
    }
    budget.used += 1;
    Ok(())
}

/// The answer with the `x-ratelimit-*` headers, or 502 in its place where it is to be lost.
pub(crate) fn mark(state: &State, caller: &Caller, response: ApiResponse) -> ApiResponse {
    if state.limits.losing {
        return ApiResponse::json(502, &json!({"message": "Server Error"}));
    }
    let Some(budget) = state.limits.budgets.get(&caller.label) else { return response };
    // Limits are off on Enterprise Server unless somebody sets them.
    if state.settings.enterprise && !budget.enforced {
        return response;
    }
    response
        .with_header("x-ratelimit-limit", budget.limit.to_string())
        .with_header("x-ratelimit-remaining", budget.limit.saturating_sub(budget.used).to_string())
        .with_header("x-ratelimit-used", budget.used.to_string())
        .with_header("x-ratelimit-reset", budget.reset.to_string())
        .with_header("x-ratelimit-resource", "core")
}

fn get(context: &mut Context<'_>) -> Result<ApiResponse, ApiError> {
    let Budget { limit, used, reset, .. } = *budget(context.state, context.caller);
    let core = json!({"limit": limit, "used": used, "remaining": limit.saturating_sub(used), "reset": reset});
    let other = json!({"limit": limit, "used": 0, "remaining": limit, "reset": reset});
    Ok(ApiResponse::json(200, &json!({"resources": {"core": core, "search": other, "graphql": other}, "rate": core})))
}
