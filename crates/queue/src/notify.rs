//! Which notification is due, when: pure functions of what the sender asked for.
//!
//! The notifications themselves are written by `smtp::dsn` and put into the spool by the
//! dispatcher. RFC 3461 §4.1 and §5.2 say who is told what; RFC 5321 §4.5.5 and RFC 3464
//! §2 that a notification is never answered by another.

use std::time::Duration;

use reply::Timestamp;

use crate::retry::History;

/// Something that a sender may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// There will be no further attempt.
    Failed,
    /// It takes longer; attempts go on.
    Delayed,
    /// It is in the mailbox.
    Delivered,
    /// It went to a host that does not notify (RFC 3461 §5.2.2).
    Relayed,
}

/// What NOTIFY asked for; the default is what holds where it was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Tell of success.
    pub success: bool,
    /// Tell of failure.
    pub failure: bool,
    /// Tell of delay.
    pub delay: bool,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes { success: false, failure: true, delay: true }
    }
}

impl Wishes {
    /// NOTIFY=NEVER.
    pub const NEVER: Wishes = Wishes { success: false, failure: false, delay: false };
}

/// Whether a notification of `moment` is due for a recipient with these wishes. Never
/// for a null reverse-path.
pub fn is_due(moment: Moment, null_reverse_path: bool, wishes: Wishes) -> bool {
    let wished = match moment {
        Moment::Failed => wishes.failure,
        Moment::Delayed => wishes.delay,
        Moment::Delivered | Moment::Relayed => wishes.success,
    };
    wished && !null_reverse_path
}

/// Whether the delay of a recipient that goes on waiting is to be noticed: once, when
/// `after` has passed since the first attempt.
pub fn is_late(history: &History, after: Duration, now: Timestamp) -> bool {
    let waited = history.first_attempt.map(|first| now.since(first));
    !history.delay_notified && waited.is_some_and(|waited| waited >= after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wishes: Wishes, told: &[Moment]) {
        for moment in [Moment::Failed, Moment::Delayed, Moment::Delivered, Moment::Relayed] {
            assert_eq!(is_due(moment, false, wishes), told.contains(&moment), "{moment:?}");
            assert!(!is_due(moment, true, wishes), "a notification is never answered");
        }
    }

    #[test]
    fn senders_are_told_what_they_asked_for() {
        use Moment::*;
        check(Wishes::default(), &[Failed, Delayed]);
        check(Wishes::NEVER, &[]);
        check(Wishes { success: true, ..Wishes::NEVER }, &[Delivered, Relayed]);
        check(Wishes { failure: true, ..Wishes::NEVER }, &[Failed]);
    }

    #[test]
    fn a_delay_is_told_once_and_not_before_its_time() {
        let first = Timestamp::from_secs(1_000_000);
        let after = Duration::from_secs(4 * 3600);
        let waiting = History { first_attempt: Some(first), ..History::default() };
        assert!(!is_late(&waiting, after, first + after - Duration::from_millis(1)));
        assert!(is_late(&waiting, after, first + after));
        let told = History { delay_notified: true, ..waiting };
        assert!(!is_late(&told, after, first + after * 9));
        assert!(!is_late(&History::default(), after, Timestamp::MAX));
    }
}
