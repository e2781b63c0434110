//! The admin socket: what the command line asks of a running daemon, and the drop folder
//! for what it leaves where none runs.
//!
//! `protocol` is what is said (JSON lines), `view` how a queued message is shown,
//! `server` answers on threads of its own through a [`Handler`], `client` asks (blocking,
//! for the command line), `drop` is the synced folder. Nothing here decides anything: a
//! request is handed to the handler, which knows the spool and the dispatcher.

pub mod client;
pub mod drop;
pub mod protocol;
pub mod server;
pub mod view;

pub use client::{Client, ClientError};
pub use protocol::{
    Acted, Action, GreylistItem, Refused, RefusedKind, Request, Status, Submission,
};
pub use server::{Handler, Intake, Server};
pub use view::{QueuedMessage, QueuedRecipient, VerdictView};
