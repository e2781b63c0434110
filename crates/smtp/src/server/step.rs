//! What a server session and its shell say to each other.

use reply::Answer;

pub use super::scan::MessageFacts;
use crate::envelope::Envelope;
use crate::query::Query;

/// What the shell is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing but to hand in octets.
    Receive,
    /// Write these octets.
    Send(Vec<u8>),
    /// Answer with [`resume`](super::Session::resume).
    Ask(Query),
    /// Open a draft; answer with [`message_begun`](super::Session::message_begun).
    MessageBegin(Envelope),
    /// Append these octets to the draft.
    MessageData(&'a [u8]),
    /// Make the message durable; answer with [`message_ended`](super::Session::message_ended).
    MessageEnd(MessageFacts),
    /// Drop the draft.
    MessageAbort,
    /// Close the connection.
    Close,
}

/// What only the spool can make: that a message is on disk, synced.
pub trait Proof {
    /// The queue id, as the client is told.
    fn queue_id(&self) -> String;
}

/// What became of a message.
#[derive(Debug)]
pub enum Ended<P> {
    /// It is on disk, for every recipient.
    Accepted(P),
    /// It is not, for none.
    Refused(Answer),
    /// LMTP: for each accepted recipient, in their order.
    PerRecipient(Vec<Result<P, Answer>>),
}
