//! The grammar of RFC 5321 §4.1 and of the extensions we offer: what parses is a type,
//! and what exists is valid.
//!
//! [`command`] reads a line: the verb, then its arguments with [`path`], [`mailbox`],
//! [`domain`] and [`parameters`]. Whether a command may come *now* is not known here.

pub mod command;
pub mod domain;
pub mod mailbox;
pub mod parameters;
pub mod path;

pub use command::{HelloName, Verb, VerifyArgument};
pub use domain::Domain;
pub use mailbox::{AddressError, LocalPart, Mailbox};
pub use parameters::{Body, MailParameters, Notify, OriginalRecipient, RecipientParameters, Ret};
pub use path::{ForwardPath, ReversePath};
