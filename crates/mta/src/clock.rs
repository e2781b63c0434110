//! The one place where clocks are read. Everything below takes `now`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reply::Timestamp;

/// Reads the time. A copy is cheap, and all copies agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    started_at: Timestamp,
    /// Whether the time of day is the system's; otherwise it is the steady time.
    corrected: bool,
}

impl Clock {
    /// A clock that starts at the system's time.
    pub fn start() -> Clock {
        Clock { started: monotonic(), started_at: wall(), corrected: true }
    }

    /// A clock that starts at `at` and knows no corrections: days pass in it as the
    /// reactor's time does, which a simulation can move.
    pub fn starting_at(at: Timestamp) -> Clock {
        Clock { started: monotonic(), started_at: at, corrected: false }
    }

    /// The time of day: for what is kept across restarts (the queue, greylisting). It
    /// follows the administrator's corrections, and may jump.
    pub fn now(&self) -> Timestamp {
        if self.corrected { wall() } else { self.steady() }
    }

    /// A time that never jumps: for the timeouts of sessions.
    pub fn steady(&self) -> Timestamp {
        self.started_at + monotonic().saturating_duration_since(self.started)
    }

    /// How long from now until `deadline`, which was computed from [`Clock::steady`].
    pub fn until(&self, deadline: Timestamp) -> Duration {
        deadline.since(self.steady())
    }
}

#[allow(clippy::disallowed_methods)] // this is the place
fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

/// Tokio's clock, so that a test can pause it.
fn monotonic() -> Instant {
    tokio::time::Instant::now().into_std()
}
