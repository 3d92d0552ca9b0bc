//! Rate limits and what is worth repeating: when, and after how long.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::port::rate_limit::{RateLimit, moment};
use crate::port::transport::{Method, Response};

/// The time, so that tests need not wait.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> SystemTime;
    /// Lets time pass.
    async fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Why a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The server asked for it (403 or 429 with a rate limit).
    RateLimit,
    /// The server failed (5xx).
    ServerError,
    /// There was no answer.
    NoAnswer,
}

/// That a request waits and is then sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Why.
    pub reason: Reason,
    /// How long.
    pub duration: Duration,
    /// Until when.
    pub until: SystemTime,
    /// The request's method.
    pub method: Method,
    /// The request's target.
    pub target: String,
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = match self.reason {
            Reason::RateLimit => "GitHub's rate limit is reached",
            Reason::ServerError => "GitHub failed",
            Reason::NoAnswer => "GitHub did not answer",
        };
        write!(f, "{reason} ({} {}); trying again in {} s", self.method.as_str(), self.target, self.duration.as_secs())?;
        // A moment is what somebody who looks at the log later can do something with.
        match moment(seconds(self.until)).filter(|_| self.reason == Reason::RateLimit) {
            Some(moment) => write!(f, ", at {moment}"),
            None => Ok(()),
        }
    }
}

/// How often a GET is sent at most.
pub(super) const ATTEMPTS: u32 = 4;

/// Back-off before the next attempt: 1, 2, 4 … seconds.
pub(super) fn back_off(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.min(6))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// How long a rate limit asks to wait; `None` when the answer is not about a rate limit.
///
/// GitHub, "Best practices for using the REST API": as long as the answer says, else at least a minute, longer each time.
pub(super) fn rate_limit(response: &Response, attempt: u32, now: SystemTime) -> Option<Duration> {
    Some(match RateLimit::of(response)? {
        RateLimit::After { seconds } => Duration::from_secs(seconds).max(back_off(attempt)),
        // One second more, because both clocks are cut to seconds; longer where the reset never comes, by this clock.
        RateLimit::At { second } => Duration::from_secs(second.saturating_sub(seconds(now)).saturating_add(1)).max(back_off(attempt)),
        RateLimit::Unsaid => Duration::from_secs(60 << attempt.min(6)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, headers: &[(&str, &str)], body: &str, attempt: u32) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status, headers, body: body.as_bytes().to_vec() };
        rate_limit(&response, attempt, UNIX_EPOCH + Duration::from_secs(1000)).map(|wait| wait.as_secs())
    }

    #[test]
    fn how_long_a_rate_limit_asks_to_wait() {
        assert_eq!(check(429, &[("retry-after", "7"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2000")], "", 0), Some(7));
        assert_eq!(check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1030")], "", 0), Some(31));
        let past = |attempt| check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "900")], "", attempt);
        assert_eq!((past(0), past(3)), (Some(1), Some(8)));
        assert_eq!(check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "18446744073709551615")], "", 0), Some(u64::MAX - 999));
        assert_eq!(check(403, &[("retry-after", "7")], "Resource not accessible by integration", 0), None);
        // What cannot be read, or is not there, does not make it another answer; nor is it asked without end.
        let spent = "API rate limit exceeded for installation ID 5";
        assert_eq!(check(403, &[("x-ratelimit-remaining", "0")], spent, 0), Some(60));
        assert_eq!(check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "-5")], spent, 0), Some(60));
        assert_eq!(check(403, &[("retry-after", "99999999999999999999")], "", 0), Some(60));
        let soon = |attempt| check(429, &[("retry-after", "0")], "", attempt);
        assert_eq!((soon(0), soon(3)), (Some(1), Some(8)));
        assert_eq!((check(429, &[], "", 0), check(429, &[], "", 1)), (Some(60), Some(120)));
        assert_eq!(check(403, &[], r#"{"message":"You have exceeded a secondary rate limit."}"#, 2), Some(240));
        // A permission that is missing is no matter of patience.
        assert_eq!(check(403, &[("x-ratelimit-remaining", "4999")], r#"{"message":"Resource not accessible by integration"}"#, 0), None);
        assert_eq!(check(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2000")], "Resource not accessible by integration", 0), None);
        assert_eq!(check(200, &[("retry-after", "7")], "", 0), None);
        assert_eq!(check(429, &[("retry-after", "Fri, 31 Dec 2027 23:59:59 GMT")], "", 0), Some(60));
    }

    #[test]
    fn what_is_said_meanwhile() {
        let until = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let wait = Wait { reason: Reason::RateLimit, duration: Duration::from_secs(61), until, method: Method::Get, target: "/repos/o/r".to_owned() };
        insta::assert_snapshot!(wait, @"GitHub's rate limit is reached (GET /repos/o/r); trying again in 61 s, at 2027-01-15T08:00:00Z");
        insta::assert_snapshot!(Wait { reason: Reason::NoAnswer, ..wait }, @"GitHub did not answer (GET /repos/o/r); trying again in 61 s");
    }
}
