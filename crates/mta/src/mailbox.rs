//! Mailboxes of this machine. `registry` knows which there are, where they lie and what
//! the administrator said of each; `directory` tells their state and delivers to them;
//! `locks` are those that other programs see; `quota` is what a mailbox holds.
//!
//! How mail is written stands in [`crate::delivery`]. docs/design/mailboxes.md tells what
//! lies on disk and what other programs may rely on.

pub mod directory;
pub mod locks;
pub mod quota;
pub mod registry;

pub use directory::{MailboxOptions, Mailboxes};
pub use registry::{Disabled, Format, Quota, Registered, Registry, RegistryError};
