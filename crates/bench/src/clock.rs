//! The clocks of the bench. Measuring is reading them, so this is the one file here that
//! may.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The steady clock.
#[allow(clippy::disallowed_methods, reason = "a bench measures time; nothing is decided by it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What this process used of the processors so far, all threads.
pub(crate) fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (secs, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(secs.unwrap_or_default(), nanos.unwrap_or_default())
}
