//! What each recipient of an attempt heard along the hosts of its destination, and
//! whether that decides: pure, while `smtp` moves the octets.
//!
//! A host that cannot be reached, does not greet or breaks off before the end of the data
//! is followed by the next one (RFC 5321 §5.1). A reply to a recipient or to the message
//! ends the attempt: the other hosts are the same site. After an end of data without a
//! reply nobody else is tried, since the host may have the message (RFC 1047).

use std::net::IpAddr;

use ::smtp::client::{Broken, End, Outcome, Protocol, RecipientOutcome};
use reply::{Cause, Permanence, Stage, Timestamp};

use super::{Ending, Notifier};

/// The host that a transaction went to.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its name.
    pub host: String,
    /// Our own address on the connection.
    pub local_address: Option<IpAddr>,
    /// What was spoken.
    pub protocol: Protocol,
}

/// The endings of one attempt while it goes from host to host.
#[derive(Debug)]
pub struct Endings {
    /// What decided each recipient; the best that was heard so far, while undecided.
    endings: Vec<Option<Ending>>,
    decided: Vec<bool>,
}

impl Endings {
    /// For so many recipients, none of them decided.
    pub fn new(recipients: usize) -> Endings {
        Endings { endings: vec![None; recipients], decided: vec![false; recipients] }
    }

    /// Recipients that no host has decided.
    pub fn open(&self) -> Vec<usize> {
        (0..self.decided.len()).filter(|index| !self.decided[*index]).collect()
    }

    /// Notes what each of `some` heard from `peer`; whether a further transaction makes
    /// sense for those that are open. Each round decides somebody: where none was
    /// accepted, those that were too many are.
    pub fn note(
        &mut self,
        peer: &Peer,
        some: &[usize],
        outcomes: Vec<RecipientOutcome>,
        now: Timestamp,
    ) -> bool {
        let (mut accepted, mut usable) = (false, true);
        for (index, outcome) in some.iter().zip(outcomes) {
            let notifier = notifier(&outcome, peer.protocol);
            let (mut ending, decided) = understood(outcome, now);
            ending.host = Some(peer.host.clone());
            ending.local_address = peer.local_address;
            ending.notifier = notifier;
            accepted |= ending.verdict.permanence == Permanence::Positive;
            usable &= decided;
            self.decided[*index] = decided && ending.verdict.cause != Cause::TooManyRecipients;
            self.endings[*index] = Some(ending);
        }
        if !accepted {
            self.settle_too_many();
        }
        usable
    }

    /// Recipients that were too many even so wait for the next attempt.
    fn settle_too_many(&mut self) {
        for (decided, ending) in self.decided.iter_mut().zip(&self.endings) {
            let cause = ending.as_ref().map(|ending| ending.verdict.cause);
            *decided |= cause == Some(Cause::TooManyRecipients);
        }
    }

    /// The same ending for all of `some`.
    pub fn decide(&mut self, some: &[usize], ending: &Ending) {
        for index in some {
            self.decided[*index] = true;
            self.endings[*index] = Some(ending.clone());
        }
    }

    /// A host that could not be used leaves the recipients to the next one. What a later
    /// host may undo is kept: a transient reason outweighs a permanent one.
    pub fn host_failed(&mut self, host: &str, mut ending: Ending) {
        ending.host = Some(host.to_owned());
        for index in self.open() {
            let best = &mut self.endings[index];
            let weaker = best.as_ref().is_none_or(|best| {
                best.verdict.permanence == Permanence::Permanent
                    || ending.verdict.permanence == Permanence::Transient
            });
            if weaker {
                *best = Some(ending.clone());
            }
        }
    }

    /// One ending for each recipient: there is no further host.
    pub fn finish(self) -> Vec<Ending> {
        let nowhere = || {
            let text = "no host of the destination could be tried";
            Ending::trouble(Cause::HostUnreachable, Permanence::Transient, text)
        };
        let endings = self.endings.into_iter();
        endings.map(|ending| ending.unwrap_or_else(nowhere)).collect()
    }
}

/// No connection to `host` could be made.
pub fn unreachable(host: &str, error: &std::io::Error) -> Ending {
    let text = format!("{host} cannot be reached: {error}");
    Ending::trouble(Cause::HostUnreachable, Permanence::Transient, text)
}

/// The host that DNS named calls itself by our own name (RFC 5321 §5.1: not back to us).
pub fn is_ourselves(host: &str) -> Ending {
    let text = format!("{host} is this server under another name: the mail would come back");
    Ending::trouble(Cause::RouteUnusable, Permanence::Permanent, text)
}

/// The message stays in eight bits, and the host takes only seven.
pub fn inconvertible(why: &str) -> Ending {
    let text = format!("the host takes no 8-bit mail, and the message cannot be converted: {why}");
    Ending::trouble(Cause::ConversionNeeded, Permanence::Permanent, text)
}

/// A session ended before it was ready for a message.
pub fn why_it_ended(end: Option<&End>, now: Timestamp) -> Ending {
    match end {
        Some(End::Refused { reply, stage }) => Ending::heard(reply.clone(), *stage, now),
        Some(End::Broken { what, .. }) => broken(what),
        Some(End::Quit) | None => broken(&Broken::ConnectionLost),
    }
}

/// What an outcome means, and whether it decides: a session that broke off before the end
/// of the data, or was refused as a whole, leaves it to the next host.
fn understood(outcome: RecipientOutcome, now: Timestamp) -> (Ending, bool) {
    let mut decided = true;
    let ending = match outcome.outcome {
        Outcome::Accepted(reply) => Ending::heard(reply, Stage::EndOfData, now),
        Outcome::Refused { reply, stage } => {
            decided = !is_about_the_session(stage)
                && !is_closing(&reply, stage)
                && !chunking_refused(&reply, stage);
            Ending::heard(reply, stage, now)
        }
        Outcome::Broken { what, stage } => {
            decided = stage == Stage::EndOfData || !is_of_the_connection(&what);
            let mut ending = broken(&what);
            ending.stage = Some(stage);
            ending
        }
    };
    (ending, decided)
}

/// LMTP reaches the mailbox (RFC 2033 §3): a server of it that does not notify has
/// delivered, not relayed.
fn notifier(outcome: &RecipientOutcome, protocol: Protocol) -> Notifier {
    match (outcome.dsn_passed_on, protocol) {
        (true, _) => Notifier::SomebodyElse,
        (false, Protocol::Lmtp) => Notifier::UsOfDelivery,
        (false, Protocol::Smtp) => Notifier::UsOfRelaying,
    }
}

fn is_about_the_session(stage: Stage) -> bool {
    matches!(stage, Stage::Connection | Stage::Ehlo | Stage::Helo | Stage::Lhlo)
}

/// 421 before the end of the data: this host goes away (RFC 5321 §3.8), another may be there.
fn is_closing(reply: &reply::Reply, stage: Stage) -> bool {
    reply.code().value() == 421 && stage != Stage::EndOfData
}

/// BDAT was offered and is not there: the host is spoken to anew, with DATA.
fn chunking_refused(reply: &reply::Reply, stage: Stage) -> bool {
    stage == Stage::Bdat && matches!(reply.code().value(), 500 | 502 | 504)
}

fn is_of_the_connection(what: &Broken) -> bool {
    match what {
        Broken::NotOffered(_) | Broken::TooBig { .. } | Broken::Abandoned => false,
        Broken::ConnectionLost
        | Broken::TimedOut
        | Broken::NotSmtp(_)
        | Broken::OutOfTurn(_)
        | Broken::SessionOver => true,
    }
}

fn broken(what: &Broken) -> Ending {
    let (cause, permanence) = match what {
        Broken::NotOffered("SMTPUTF8") => (Cause::Utf8NotSupported, Permanence::Permanent),
        Broken::NotOffered(_) => (Cause::ConversionNeeded, Permanence::Permanent),
        Broken::TooBig { .. } => (Cause::MessageTooBig, Permanence::Permanent),
        Broken::Abandoned => (Cause::ServerFault, Permanence::Transient),
        _ => (Cause::ConnectionLost, Permanence::Transient),
    };
    Ending::trouble(cause, permanence, what.to_string())
}
