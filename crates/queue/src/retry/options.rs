//! Every `retry.*` setting: its name, its default and the reason for it, once.

use std::time::Duration;

use super::Ladder;

/// One setting as the reference page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// As in the configuration, `retry.give_up_after`.
    pub name: &'static str,
    /// What it is for and why the default is what it is.
    pub reason: &'static str,
}

/// Declares the settings: documentation, name, type, default.
macro_rules! settings {
    ($($(#[doc = $reason:literal])+ $name:ident: $kind:ty = $default:expr;)+) => {
        /// How retries are planned.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct RetryOptions { $($(#[doc = $reason])+ pub $name: $kind,)+ }

        impl Default for RetryOptions {
            fn default() -> RetryOptions {
                RetryOptions { $($name: $default,)+ }
            }
        }

        impl RetryOptions {
            /// Every setting, in the order of this file.
            pub const SETTINGS: &[Setting] = &[$(Setting {
                name: concat!("retry.", stringify!($name)),
                reason: concat!($($reason),+),
            },)+];
        }
    };
}

settings! {
    /// Greylisted, without a hint and without a learned window: windows in the field are
    /// 1, 5, 15 and 30 minutes, and each step stands a little behind one of them.
    greylisted: Ladder = ladder(&[60, 330, 930, 1860], HOUR * 4);
    /// Mailbox locked or busy: another delivery or a reader is in the way for moments,
    /// so a few minutes do, and an hour is the most that is worth waiting.
    short: Ladder = ladder(&[60, 180, 420, 900, 1800], HOUR);
    /// Everything else that passes: two attempts in the first half hour and then slower,
    /// in the spirit of RFC 5321 §4.5.4.1.
    standard: Ladder = ladder(&[300, 1200, 3000], HOUR * 4);
    /// Mailbox full or disabled for now: a person must act first, so hours and not minutes.
    slow: Ladder = ladder(&[HOUR, HOUR * 4], HOUR * 12);
    /// Too much mail in too little time: coming back soon makes it worse.
    rate_limited: Ladder = ladder(&[1800, 5400], HOUR * 4);
    /// Added to a time that a reply names: it was rounded down to a second, and clocks
    /// differ a little. More than two seconds would be time lost.
    hint_safety: Duration = Duration::from_secs(1);
    /// The longest wait that a reply can ask for: some name a day where minutes were
    /// meant, and a longer wait than our own ladder's helps nobody.
    hint_longest: Duration = secs(HOUR * 4);
    /// The shortest pause between two attempts that follow a ladder, so that an attempt
    /// which came late is not followed at once by the next step.
    least_pause: Duration = secs(30);
    /// Give up this long after the first attempt: RFC 5321 §4.5.4.1 asks for 4–5 days.
    give_up_after: Duration = secs(DAY * 5);
    /// Tell the sender of a delay after this long: long enough that most greylisting,
    /// restarts and full queues have passed, short enough to be told on the same day.
    delay_notice_after: Duration = secs(HOUR * 4);
    /// How long a learned greylisting window is believed after it was last confirmed:
    /// servers keep a known sender for about five weeks, so older knowledge is untested.
    window_kept: Duration = secs(DAY * 35);
    /// How long we remember that a host does not take a command or a parameter: long
    /// enough to spare most refusals, short enough to notice an upgrade within a day.
    fallback_kept: Duration = secs(DAY);
    /// The first pause of a host that cannot be reached; it doubles with each probe.
    unreachable_pause: Duration = secs(300);
    /// The longest pause of a host that cannot be reached: one probe an hour costs
    /// nothing and finds a host that is back.
    unreachable_longest: Duration = secs(HOUR);
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ladder(steps_secs: &[u64], longest_pause_secs: u64) -> Ladder {
    Ladder {
        steps: steps_secs.iter().copied().map(secs).collect(),
        longest_pause: secs(longest_pause_secs),
    }
}
