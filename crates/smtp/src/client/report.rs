//! What goes into a client session and what comes out of it: a transaction, and for
//! each of its recipients what became of it. No protocol here.

use std::fmt;

use reply::{Reply, ReplyError, Stage};

use crate::envelope::Envelope;

/// One message for the recipients that share a destination.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Who it is from and for. `mail.size` and `mail.body` are not looked at: the
    /// fields below say how the message is now.
    pub envelope: Envelope,
    /// Octets of the message as it will be sent, without dot-stuffing.
    pub octets: u64,
    /// It has 8-bit octets, so it goes only where 8BITMIME is offered.
    pub eight_bit: bool,
    /// It, or an address, needs SMTPUTF8.
    pub needs_utf8: bool,
    /// How far it goes.
    pub extent: Extent,
}

/// How far a transaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// To the end of the message.
    Message,
    /// To the recipients, then RSET: it asks what the server would say.
    RecipientsOnly,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionReport {
    /// One for each recipient, in the order of the envelope.
    pub recipients: Vec<RecipientOutcome>,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientOutcome {
    /// What the server, or the connection, said about it.
    pub outcome: Outcome,
    /// NOTIFY and ORCPT, where there were any, went along: from here on the other side
    /// notifies. Where this is false and success was to be notified, a "relayed" DSN is
    /// due (RFC 3461 §5.2.2).
    pub dsn_passed_on: bool,
}

/// The end of one recipient's part in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reply that took responsibility for the message.
    Accepted(Reply),
    /// The reply that refused, and what it answered. 4yz or 5yz.
    Refused {
        /// The reply.
        reply: Reply,
        /// The command that it answered.
        stage: Stage,
    },
    /// No reply decided. After [`Stage::EndOfData`] the server may have the message all
    /// the same: a duplicate is possible (RFC 5321 §4.2.5, RFC 1047).
    Broken {
        /// What happened instead.
        what: Broken,
        /// The command whose reply was awaited.
        stage: Stage,
    },
}

/// Why no reply decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The peer closed, or the network did.
    ConnectionLost,
    /// The time of RFC 5321 §4.5.3.2 passed.
    TimedOut,
    /// What came is not SMTP.
    NotSmtp(ReplyError),
    /// A reply that nothing asked for, or that cannot answer what did.
    OutOfTurn(Reply),
    /// The message needs an extension that the server does not list; holds its keyword.
    /// Nothing was sent.
    NotOffered(&'static str),
    /// The message is bigger than the server says it takes (RFC 1870). Nothing was sent.
    TooBig {
        /// Its octets.
        octets: u64,
        /// The most that the server takes.
        most: u64,
    },
    /// We gave up ourselves: the message could not be read.
    Abandoned,
    /// The session had ended before the transaction began: nothing of it was sent, and
    /// another connection may take it at once.
    SessionOver,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::ConnectionLost => f.write_str("the connection was lost"),
            Broken::TimedOut => f.write_str("the server did not answer in time"),
            Broken::NotSmtp(error) => write!(f, "the server does not speak SMTP: {error}"),
            Broken::OutOfTurn(reply) => write!(f, "the server said `{reply}` out of turn"),
            Broken::NotOffered(keyword) => write!(f, "the server does not offer {keyword}"),
            Broken::TooBig { octets, most } => {
                write!(f, "the message has {octets} octets and the server takes at most {most}")
            }
            Broken::Abandoned => f.write_str("the message could not be read to its end"),
            Broken::SessionOver => f.write_str("the session was already over"),
        }
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// We said QUIT, or closed on purpose.
    Quit,
    /// The server refused to go on: a negative greeting or hello, or 421 at any time.
    Refused {
        /// The reply.
        reply: Reply,
        /// What it answered.
        stage: Stage,
    },
    /// The connection is of no more use.
    Broken {
        /// What happened.
        what: Broken,
        /// The command whose reply was awaited.
        stage: Stage,
    },
}

impl End {
    /// What the end means for a recipient that was not decided before.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            End::Quit => Outcome::Broken { what: Broken::SessionOver, stage: Stage::Quit },
            End::Refused { reply, stage } => {
                Outcome::Refused { reply: reply.clone(), stage: *stage }
            }
            End::Broken { what, stage } => Outcome::Broken { what: what.clone(), stage: *stage },
        }
    }
}

/// One line of what was said, for the story of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// We sent a command line (without CRLF).
    Sent(String),
    /// We sent the message, of so many encoded octets.
    SentMessage(u64),
    /// The server said (in one line, cut at a bound).
    Heard(String),
}
