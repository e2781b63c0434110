//! What a mail server decides about a client, a sender, a recipient. Pure: what must be
//! known first is looked up by the shell and handed in as [`Facts`]; what is remembered
//! lies behind `store::Table`; time is an argument. No wire bytes, no sockets, no tokio.
//!
//! Start reading at [`decide()`]: it holds the order of the checks. Every answer comes
//! from `reply::catalogue`; what is logged may be fuller ([`Decided::reason`]).

pub mod access;
mod decide;
pub mod directory;
pub mod facts;
pub mod greylist;
pub mod mailbox_state;
pub mod rate;
mod relay;
mod verify;

pub use access::Access;
pub use decide::{Decided, Policy, decide};
pub use directory::MailboxDirectory;
pub use facts::{Facts, Listener, Place, RecipientFacts};
pub use greylist::Greylist;
pub use mailbox_state::MailboxState;
pub use rate::Rates;
