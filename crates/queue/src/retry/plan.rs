//! One recipient, one reply, one plan: the table of what follows which cause.
//!
//! The cause decides how soon; the permanence that was heard decides whether at all
//! (RFC 5321 §4.2.1: a 4yz may be tried again, a 5yz must not be repeated as it was),
//! but for what the RFC excepts (552 for too many recipients, §4.5.3.1.10) and for
//! saying it otherwise (500, 502, 504, 555: a plainer dialogue).

use std::net::IpAddr;
use std::time::Duration;

use reply::{Cause, Permanence, Scope, Timestamp, Verdict};

use super::{Fallback, History, Ladder, Learned, RetryOptions};

/// What the sending side does next with one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryPlan {
    /// Nothing: it was accepted.
    Done,
    /// Come back.
    Retry {
        /// Not before this time.
        at: Timestamp,
        /// From this address, where the peer is likely to know us by it.
        from: Option<IpAddr>,
        /// Why then.
        why: WhyThen,
    },
    /// Say it otherwise, now, to the same host.
    Alternative {
        /// How.
        fallback: Fallback,
    },
    /// It is over; the sender is told.
    GiveUp {
        /// Why.
        why: WhyGiveUp,
    },
}

/// Why an attempt is planned for the time that it is planned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyThen {
    /// The reply named the time.
    Hint,
    /// This destination's greylisting window was learned from earlier mail.
    LearnedWindow,
    /// The ladder of that name (`retry.<name>`).
    Ladder(&'static str),
    /// What was too much for one transaction goes into the next.
    NextTransaction,
}

impl WhyThen {
    /// The stable name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            WhyThen::Hint => "hint",
            WhyThen::LearnedWindow => "learned-window",
            WhyThen::Ladder(name) => name,
            WhyThen::NextTransaction => "next-transaction",
        }
    }
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyGiveUp {
    /// The peer (or our own diagnosis) said that the same will not work later.
    Permanent,
    /// `retry.give_up_after` is over.
    Expired,
}

impl WhyGiveUp {
    /// The stable name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            WhyGiveUp::Permanent => "permanent",
            WhyGiveUp::Expired => "expired",
        }
    }

    /// The cause that the sender is told: what was heard, or that time ran out.
    pub fn cause(self, heard: Cause) -> Cause {
        match self {
            WhyGiveUp::Permanent => heard,
            WhyGiveUp::Expired => Cause::Expired,
        }
    }
}

/// How often in a row a recipient that did not fit goes straight into a next
/// transaction. A host that never takes it, not even alone, then waits like any other.
const TRANSACTIONS_IN_A_ROW: u32 = 5;

/// The plan after `verdict` was heard at `now`. `history` is what was recorded *before*
/// this reply (see [`History::note`]); `learned` is what is known of the destination.
///
/// Every cause under every permanence has a plan; a `Retry` is always in the future.
pub fn plan(
    verdict: &Verdict,
    history: &History,
    learned: &Learned,
    options: &RetryOptions,
    now: Timestamp,
) -> RetryPlan {
    match verdict.permanence {
        Permanence::Positive => RetryPlan::Done,
        _ if may_pass(verdict) => come_back(verdict, history, learned, options, now),
        _ => match alternative(verdict, learned) {
            Some(fallback) => RetryPlan::Alternative { fallback },
            None => RetryPlan::GiveUp { why: WhyGiveUp::Permanent },
        },
    }
}

/// 4yz, and what RFC 5321 §4.5.3.1.10 takes for it: 552 for too many recipients.
fn may_pass(verdict: &Verdict) -> bool {
    verdict.permanence == Permanence::Transient || verdict.cause == Cause::TooManyRecipients
}

/// A plainer way to say it, unless that was what was refused. Only where the reply is
/// about the command: a refusal of the content under 500 is a refusal of the content.
fn alternative(verdict: &Verdict, learned: &Learned) -> Option<Fallback> {
    let about_the_command = matches!(verdict.cause.scope(), Scope::Command | Scope::Nothing);
    let fallback = match (verdict.code.map(|code| code.value()), verdict.cause) {
        _ if !about_the_command => None,
        (Some(500 | 502), _) => Some(Fallback::WithoutExtensions),
        (Some(504 | 555), _) => Some(Fallback::WithoutParameters),
        (_, Cause::CommandUnknown | Cause::CommandNotImplemented) => {
            Some(Fallback::WithoutExtensions)
        }
        (_, Cause::ParameterNotImplemented) => Some(Fallback::WithoutParameters),
        _ => None,
    };
    fallback.filter(|fallback| !learned.fallbacks.includes(*fallback))
}

fn come_back(
    verdict: &Verdict,
    history: &History,
    learned: &Learned,
    options: &RetryOptions,
    now: Timestamp,
) -> RetryPlan {
    let first = history.first_attempt.unwrap_or(now).min(now);
    if now.since(first) >= options.give_up_after {
        return RetryPlan::GiveUp { why: WhyGiveUp::Expired };
    }
    let (at, why) = when(verdict, history, learned, options, now);
    // The last attempt stands at the end of the lifetime, not a pause after it.
    let at = at.min(first + options.give_up_after).max(now + Duration::from_millis(1));
    let from = history.local_address.filter(|_| suggests_greylisting(verdict));
    RetryPlan::Retry { at, from, why }
}

/// When, and why then: what the reply says, what was learned, or the cause's ladder.
fn when(
    verdict: &Verdict,
    history: &History,
    learned: &Learned,
    options: &RetryOptions,
    now: Timestamp,
) -> (Timestamp, WhyThen) {
    if fits_into_a_next_transaction(verdict, history) {
        return (now + Duration::from_secs(1), WhyThen::NextTransaction);
    }
    // A host that was down for hours and then greylists opens its window minutes after
    // that, not after the first attempt: what counts is when this cause began.
    let since = history.run_of(verdict.cause, now);
    if let Some(at) = hinted(verdict, history, options, now) {
        return (at, WhyThen::Hint);
    }
    if let Some(at) = window_opens(verdict, learned, since, now) {
        return (at, WhyThen::LearnedWindow);
    }
    let (name, ladder) = ladder_of(verdict, options);
    (ladder.next(since, now, options.least_pause), WhyThen::Ladder(name))
}

fn fits_into_a_next_transaction(verdict: &Verdict, history: &History) -> bool {
    verdict.cause == Cause::TooManyRecipients && history.transient_in_a_row < TRANSACTIONS_IN_A_ROW
}

/// The time that the reply names. It counts from this reply, not from the first; below
/// a second it is a second; a time that was kept once and did not help is not believed
/// again (field: windows that restart at each attempt).
fn hinted(
    verdict: &Verdict,
    history: &History,
    options: &RetryOptions,
    now: Timestamp,
) -> Option<Timestamp> {
    if history.hint_failed || history.hint_was_kept_in_vain(verdict, now) {
        return None;
    }
    let wait = verdict.retry_after.or_else(|| verdict.retry_at.map(|at| at.since(now)))?;
    let wait = wait.max(Duration::from_secs(1)).min(options.hint_longest);
    Some(now + wait + options.hint_safety)
}

/// The first refusal plus the window that was learned, while that is still to come.
fn window_opens(
    verdict: &Verdict,
    learned: &Learned,
    since: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let window = learned.window.filter(|_| suggests_greylisting(verdict))?;
    Some(since + window.passes_after).filter(|at| *at > now)
}

/// Whether the reply is, or may well be, greylisting: many servers only say "try again
/// later".
pub fn suggests_greylisting(verdict: &Verdict) -> bool {
    verdict.permanence == Permanence::Transient
        && (verdict.cause == Cause::Greylisted || verdict.alternatives.contains(&Cause::Greylisted))
}

/// The ladder of a cause and its name in the configuration.
fn ladder_of<'a>(verdict: &Verdict, options: &'a RetryOptions) -> (&'static str, &'a Ladder) {
    match verdict.cause {
        Cause::MailboxFull | Cause::MailboxDisabled => ("slow", &options.slow),
        Cause::RateLimited | Cause::ReputationPoor => ("rate_limited", &options.rate_limited),
        Cause::MailboxLocked
        | Cause::MailboxBusy
        | Cause::TooManyConnections
        | Cause::TooManyRecipients => ("short", &options.short),
        _ if suggests_greylisting(verdict) => ("greylisted", &options.greylisted),
        _ => ("standard", &options.standard),
    }
}

impl RetryPlan {
    /// Moves a retry that follows a ladder later by up to a twentieth of its pause (at
    /// most five minutes), decided by `seed`: what was refused together does not come
    /// back together. A time that the peer named, or that was learned, is kept.
    #[must_use]
    pub fn spread(self, seed: u64, now: Timestamp) -> RetryPlan {
        match self {
            RetryPlan::Retry { at, from, why: why @ WhyThen::Ladder(_) } => {
                let greylisted = why == WhyThen::Ladder("greylisted");
                let most = if greylisted { GREYLISTED_SPREAD } else { LONGEST_SPREAD };
                let room = (at.since(now) / 20).min(most);
                let at = at + room.mul_f64(fraction(seed));
                RetryPlan::Retry { at, from, why }
            }
            kept => kept,
        }
    }
}

const LONGEST_SPREAD: Duration = Duration::from_secs(300);
/// Steps of this ladder stand just behind known windows; more would be time lost.
const GREYLISTED_SPREAD: Duration = Duration::from_secs(2);

/// A number from 0 to below 1 that depends on every bit of `seed` (SplitMix64's finish).
fn fraction(seed: u64) -> f64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
