//! The logical clock: it starts where it is told and moves one second with every mutation, so two runs of the same
//! calls give the same objects.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::Hub;

/// Seconds since 1970-01-01T00:00:00Z, moved by hand.
#[derive(Debug, Clone)]
pub struct Clock {
    now: i64,
}

impl Clock {
    /// A clock that shows `epoch`.
    #[must_use]
    pub const fn new(epoch: i64) -> Self {
        Self { now: epoch }
    }

    /// What it shows.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// One second on.
    pub const fn tick(&mut self) {
        self.now = self.now.saturating_add(1);
    }
}

/// A moment as GitHub's JSON writes it: `2026-01-31T12:00:00Z`.
#[must_use]
pub fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// A hub's clock for chartflow's client: waiting lets the hub's time pass, and nobody waits.
#[derive(Clone)]
pub struct HubClock(pub Arc<Hub>);

#[async_trait]
impl chartflow_core::io::github::Clock for HubClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::try_from(self.0.now()).unwrap_or_default())
    }

    async fn sleep(&self, duration: Duration) {
        self.0.pass_time(u32::try_from(duration.as_secs()).unwrap_or(u32::MAX));
    }
}
