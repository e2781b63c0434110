//! Ladders: at which times after the first refusal to come back when nobody says when.

use std::time::Duration;

use reply::Timestamp;

/// Times of the attempts after the first, counted from the first; after the last step
/// the time since the first attempt doubles, until the pause reaches its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Times since the first attempt, rising.
    pub steps: Vec<Duration>,
    /// The longest pause between two attempts.
    pub longest_pause: Duration,
}

/// A pause shorter than this is none: whatever is configured, we do not spin.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

impl Ladder {
    /// The time of the first attempt that this ladder allows after `now`, at least
    /// `least_pause` (or the first step, where that is shorter) away. A `first` in the
    /// future (the clock was set back) counts as `now`.
    pub fn next(&self, first: Timestamp, now: Timestamp, least_pause: Duration) -> Timestamp {
        let first = first.min(now);
        let first_step = self.steps.first().copied().unwrap_or(least_pause);
        let pause = least_pause.min(first_step).max(SHORTEST_PAUSE);
        first + self.step_from(now.since(first).saturating_add(pause))
    }

    /// The first step that is not before `least`.
    fn step_from(&self, least: Duration) -> Duration {
        match self.steps.iter().find(|step| **step >= least) {
            Some(step) => *step,
            None => self.beyond_the_steps(least),
        }
    }

    fn beyond_the_steps(&self, least: Duration) -> Duration {
        let longest = self.longest_pause.max(SHORTEST_PAUSE);
        let mut offset = self.steps.last().copied().unwrap_or(SHORTEST_PAUSE).max(SHORTEST_PAUSE);
        while offset < least && offset < longest {
            offset = offset.saturating_mul(2);
        }
        let missing = least.saturating_sub(offset).as_millis();
        let pauses = missing.div_ceil(longest.as_millis());
        let further = u64::try_from(pauses.saturating_mul(longest.as_millis()));
        offset.saturating_add(Duration::from_millis(further.unwrap_or(u64::MAX)))
    }
}
