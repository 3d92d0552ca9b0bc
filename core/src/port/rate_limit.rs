//! Whether an answer is about a rate limit, and when it ends.

use super::github::speaks_of_permission;
use super::transport::Response;

/// When what a rate limit refused may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// After so many seconds (`retry-after`).
    After {
        /// The seconds.
        seconds: u64,
    },
    /// At a moment (`x-ratelimit-reset`, where `x-ratelimit-remaining` is 0).
    At {
        /// Seconds since 1970.
        second: u64,
    },
    /// GitHub does not say.
    Unsaid,
}

impl RateLimit {
    /// Reads it from an answer; `None` when that is not about a rate limit.
    ///
    /// GitHub, "Best practices for using the REST API": `retry-after`; else until `x-ratelimit-reset` when
    /// `x-ratelimit-remaining` is 0.
    #[must_use]
    pub fn of(response: &Response) -> Option<Self> {
        if !matches!(response.status, 403 | 429) {
            return None;
        }
        let text = String::from_utf8_lossy(response.body.get(..response.body.len().min(4096)).unwrap_or_default());
        let number = |name: &str| response.headers.get(name).and_then(|value| value.trim().parse::<u64>().ok());
        // The last request within the limit may be refused for another reason, and nothing remains then either.
        if response.status == 403 && speaks_of_permission(&text) {
            return None;
        }
        if let Some(seconds) = number("retry-after") {
            return Some(Self::After { seconds });
        }
        let spent = number("x-ratelimit-remaining") == Some(0);
        if let (true, Some(second)) = (spent, number("x-ratelimit-reset")) {
            return Some(Self::At { second });
        }
        let text = text.to_lowercase();
        let said = response.status == 429 || response.headers.contains_key("retry-after");
        let words = text.contains("secondary rate limit") || text.contains("abuse detection") || (spent && text.contains("rate limit"));
        (said || words).then_some(Self::Unsaid)
    }
}

/// A moment, in seconds since 1970, as people and programs read it; `None` far beyond any reset.
#[must_use]
pub fn moment(second: u64) -> Option<String> {
    i64::try_from(second).ok().and_then(|second| jiff::Timestamp::from_second(second).ok()).map(|moment| moment.to_string())
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::After { seconds } => write!(f, "it asks to wait for {seconds} s"),
            Self::At { second } => match moment(*second) {
                Some(moment) => write!(f, "it begins anew at {moment}"),
                None => f.write_str("it names no moment at which it begins anew"),
            },
            Self::Unsaid => f.write_str("it does not say for how long"),
        }
    }
}
