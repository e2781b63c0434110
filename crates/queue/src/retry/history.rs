//! What is kept of a recipient's earlier attempts: all that a plan may depend on.
//!
//! The spool stores it with the recipient; [`History::note`] is the one place that
//! changes it.

use std::net::IpAddr;
use std::time::Duration;

use reply::{Cause, Permanence, Timestamp, Verdict};

use super::{RetryPlan, WhyThen};

/// The earlier attempts of one recipient of one message. The default is "none yet".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Attempts so far, connections that failed included.
    pub attempts: u32,
    /// When the first attempt ended.
    pub first_attempt: Option<Timestamp>,
    /// When the last attempt ended.
    pub last_attempt: Option<Timestamp>,
    /// The last reply as it stood on the wire, or our own words for what went wrong.
    pub last_reply: Option<String>,
    /// What the last reply meant.
    pub last_verdict: Option<LastVerdict>,
    /// Our address in the last attempt that reached the peer.
    pub local_address: Option<IpAddr>,
    /// The host that gave the last reply.
    pub remote_host: Option<String>,
    /// Whether the sender was told of the delay.
    pub delay_notified: bool,
    /// Attempts that were to be repeated, without another outcome between them.
    pub transient_in_a_row: u32,
    /// When the unbroken run of the last cause began.
    pub cause_since: Option<Timestamp>,
    /// The time that the last reply named, when the plan followed it.
    pub hinted_for: Option<Timestamp>,
    /// A named time was kept once and the same was heard again: not believed any more.
    pub hint_failed: bool,
}

/// What of a verdict is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastVerdict {
    /// Its cause.
    pub cause: Cause,
    /// Its permanence.
    pub permanence: Permanence,
}

/// A host's clock and ours may differ by this much before a kept hint counts as failed.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

impl History {
    /// The cause of the last reply.
    pub fn last_cause(&self) -> Option<Cause> {
        self.last_verdict.map(|last| last.cause)
    }

    /// When the unbroken run that a reply with `cause` at `now` continues began; `now`
    /// where it begins one.
    pub fn run_of(&self, cause: Cause, now: Timestamp) -> Timestamp {
        let continued = self.cause_since.filter(|_| self.last_cause() == Some(cause));
        continued.map_or(now, |since| since.min(now))
    }

    /// The history after `verdict` was heard at `now` and `plan` was made from it.
    /// `last_reply`, `local_address` and `remote_host` are the shell's to fill.
    #[must_use]
    pub fn note(&self, verdict: &Verdict, plan: &RetryPlan, now: Timestamp) -> History {
        let comes_back = matches!(plan, RetryPlan::Retry { .. });
        History {
            attempts: self.attempts.saturating_add(1),
            first_attempt: Some(self.first_attempt.unwrap_or(now).min(now)),
            last_attempt: Some(now),
            last_verdict: Some(LastVerdict {
                cause: verdict.cause,
                permanence: verdict.permanence,
            }),
            transient_in_a_row: if comes_back {
                self.transient_in_a_row.saturating_add(1)
            } else {
                0
            },
            cause_since: Some(self.run_of(verdict.cause, now)),
            hinted_for: followed_hint(plan),
            hint_failed: self.hint_failed || self.hint_was_kept_in_vain(verdict, now),
            ..self.clone()
        }
    }

    /// We came when we were told to, and heard the same cause again.
    pub(super) fn hint_was_kept_in_vain(&self, verdict: &Verdict, now: Timestamp) -> bool {
        let kept = self.hinted_for.is_some_and(|at| now + CLOCK_SLACK >= at);
        kept && self.last_cause() == Some(verdict.cause)
    }
}

fn followed_hint(plan: &RetryPlan) -> Option<Timestamp> {
    match plan {
        RetryPlan::Retry { at, why: WhyThen::Hint, .. } => Some(*at),
        _ => None,
    }
}
