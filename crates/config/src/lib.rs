//! What can be set, and how it comes to be set.
//!
//! [`settings`] declares every key once, with its type, default, description and reason;
//! `field` makes parsing, showing and the reference from that declaration; `values` says
//! how each type is written; `load` puts the layers on each other (default, file, flags,
//! `--set`) and remembers where each value came from; `diagnostic` shows an error in its
//! line; `convert` tells each floor its part; `render` writes the example, the effective settings and the reference page.

mod convert;
pub mod diagnostic;
pub mod field;
pub mod load;
pub mod render;
pub mod settings;
pub mod values;

pub use load::{Loaded, Sources};
pub use settings::Config;
