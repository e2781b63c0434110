//! What a reply means for all other mail to the same destination: go on, slow down,
//! open fewer connections, or leave the host alone for a while.

use std::time::Duration;

use reply::{Cause, Permanence, Timestamp, Verdict};

use super::RetryOptions;

/// How to go on with a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It answers; its earlier failures are forgotten.
    Normal,
    /// One connection at a time, and none before `until`.
    SlowDown {
        /// Not before this time.
        until: Timestamp,
    },
    /// Half as many connections as were open.
    FewerConnections,
    /// Nobody answers: leave it alone, then let one message try.
    Unreachable,
}

/// The longest that one reply slows a whole destination down.
const LONGEST_SLOWDOWN: Duration = Duration::from_secs(1800);
/// How long a rate limit that names no time slows a destination down.
const USUAL_SLOWDOWN: Duration = Duration::from_secs(300);

/// The pace that `verdict`, heard at `now`, asks for. A refusal of one recipient says
/// nothing about the others; only causes about the host do.
pub fn pace(verdict: &Verdict, options: &RetryOptions, now: Timestamp) -> Pace {
    if verdict.permanence != Permanence::Transient {
        return Pace::Normal;
    }
    match verdict.cause {
        Cause::HostUnreachable => Pace::Unreachable,
        Cause::TooManyConnections => Pace::FewerConnections,
        Cause::RateLimited => Pace::SlowDown { until: now + slowdown(verdict, options, now) },
        _ => Pace::Normal,
    }
}

fn slowdown(verdict: &Verdict, options: &RetryOptions, now: Timestamp) -> Duration {
    let named = verdict.retry_after.or_else(|| verdict.retry_at.map(|at| at.since(now)));
    let wait = named.map_or(USUAL_SLOWDOWN, |wait| wait + options.hint_safety);
    wait.min(LONGEST_SLOWDOWN)
}
