//! One attempt at one destination: what goes out, and the [`Ending`] of each recipient.
//!
//! `body` reads the message, `connection` drives one client session over a socket,
//! `smtp` tries the hosts of a destination (SMTP and LMTP), `endings` says what decides
//! there, `local`, `maildir` and `mbox` deliver into mailboxes of this machine. Nothing
//! here plans, notifies or writes to the spool: that is the dispatcher's.

mod allowance;
pub mod body;
pub mod connection;
pub mod endings;
pub mod local;
pub(crate) mod maildir;
pub(crate) mod mbox;
mod return_path;
pub mod smtp;
mod unix_text;

use std::net::IpAddr;

use ::smtp::syntax::{Mailbox, ReversePath};
use queue::QueueId;
use reply::classify::{Context, classify, verdict_of};
use reply::{Answer, Cause, Evidence, Permanence, Reply, Stage, Timestamp, Verdict};

pub use body::Body;
pub use local::{Delivery, LocalMail, Trouble};

/// How an attempt ended for one recipient.
#[derive(Clone, Debug)]
pub struct Ending {
    /// What it means.
    pub verdict: Verdict,
    /// The reply that decided, where one did.
    pub reply: Option<Reply>,
    /// The reply as it stood on the wire, or our own words.
    pub words: String,
    /// What the reply answered.
    pub stage: Option<Stage>,
    /// The host that was spoken to.
    pub host: Option<String>,
    /// Our own address on the connection.
    pub local_address: Option<IpAddr>,
    /// Who tells the sender of a success, where that was asked for.
    pub notifier: Notifier,
}

/// Who tells a sender of a success that NOTIFY asks for, and of which (RFC 3461 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notifier {
    /// We do: it is in the mailbox.
    UsOfDelivery,
    /// We do: it went to a host that does not notify.
    UsOfRelaying,
    /// The next host, from here on; or nobody, where a route drops it.
    SomebodyElse,
}

impl Ending {
    /// A reply decided.
    pub fn heard(reply: Reply, stage: Stage, now: Timestamp) -> Ending {
        let verdict = classify(&reply, &Context { stage: Some(stage), now: Some(now) });
        Ending {
            words: reply.to_string(),
            verdict,
            reply: Some(reply),
            stage: Some(stage),
            host: None,
            local_address: None,
            notifier: Notifier::UsOfDelivery,
        }
    }

    /// No reply decided, but our own diagnosis.
    pub fn diagnosed(verdict: Verdict) -> Ending {
        Ending {
            words: verdict.evidence.text.clone(),
            verdict,
            reply: None,
            stage: None,
            host: None,
            local_address: None,
            notifier: Notifier::UsOfDelivery,
        }
    }

    /// The diagnosis that `cause` came in the way; `text` says it in words.
    pub fn trouble(cause: Cause, permanence: Permanence, text: impl Into<String>) -> Ending {
        let evidence = Evidence { rule: "attempt".into(), text: text.into() };
        Ending::diagnosed(verdict_of(cause, permanence, evidence))
    }

    /// What a mailbox of this machine answered: understood as if another host had said it.
    pub fn answered(answer: &Answer, now: Timestamp) -> Ending {
        match Reply::parse(&answer.to_bytes()) {
            Ok(reply) => Ending::heard(reply, Stage::EndOfData, now),
            // Not reachable while `Answer` writes lawful replies; still no reason to bounce.
            Err(error) => {
                Ending::trouble(Cause::ServerFault, Permanence::Transient, error.to_string())
            }
        }
    }
}

/// A message for a mailbox of this machine.
#[derive(Debug)]
pub struct LocalMessage<'a> {
    /// Its name; with the mailbox it names the file, so that a second delivery of the
    /// same message changes nothing.
    pub id: QueueId,
    /// For Return-Path.
    pub reverse_path: &'a ReversePath,
    /// Its data.
    pub body: &'a Body,
}

/// Puts messages into mailboxes of this machine.
pub trait LocalDelivery: Send + Sync + 'static {
    /// Delivers, synced. Blocks, for as long as a lock is waited for: never called on a
    /// thread of the reactor.
    ///
    /// # Errors
    /// The reply that a client would have got: locked, full, disabled, unknown, a fault.
    fn deliver(
        &self,
        mailbox: &Mailbox,
        message: &LocalMessage<'_>,
        now: Timestamp,
    ) -> Result<(), Answer>;
}
