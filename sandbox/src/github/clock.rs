//! The logical clock: it starts where it is told and moves one second with every mutation, so two runs of the same
//! calls give the same objects.

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
