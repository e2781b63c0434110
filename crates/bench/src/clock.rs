//! The clocks of the bench. Measuring is reading them, so this is the one file here that
//! may.

use std::time::{Duration, Instant, SystemTime};

use reply::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// The steady clock.
#[allow(clippy::disallowed_methods, reason = "a bench measures time; nothing is decided by it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, for what is kept across restarts.
#[allow(clippy::disallowed_methods, reason = "what the server's own clock would say")]
pub(crate) fn time_of_day() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// What this process used of the processors so far, all threads.
pub(crate) fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (secs, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(secs.unwrap_or_default(), nanos.unwrap_or_default())
}
