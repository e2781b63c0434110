//! The mail queue: what waits, when its turn comes, what a reply leads to.
//!
//! [`spool`] keeps messages on disk and is where a 250 becomes true ([`Committed`]).
//! [`schedule`] knows in memory whose turn it is, [`hosts`] who cannot be reached; [`retry`] plans the next attempt from a
//! verdict and what is recorded; [`notify`] says which notification is due; [`history`]
//! keeps each message's story for people. No network, no DNS, no clock, no policy.

pub mod history;
pub mod hosts;
pub mod id;
pub mod message;
pub mod notify;
pub mod retry;
pub mod schedule;
pub mod spool;

pub use id::QueueId;
pub use message::{Hold, Message, Origin, Received, RecipientState, Status};
pub use spool::{Committed, Spool, SpoolError};
