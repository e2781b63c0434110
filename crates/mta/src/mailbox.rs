//! Mailboxes of this machine. `registry` knows which there are, where they lie and what
//! the administrator said of each.

pub mod registry;

pub use registry::{Disabled, Format, Quota, Registered, Registry, RegistryError};
