//! What can be set, and how it comes to be set.
//!
//! [`settings`] declares every key once, with its type, default, description and reason;
//! `field` makes parsing, showing and the reference from that declaration; `values` says
//! how each type is written; `load` puts the layers on each other (default, file, flags,
//! `--set`) and remembers where each value came from; `fault` says what can be wrong, with
//! `expected` and `syntax`; `diagnostic` shows a place in its line; `convert` tells each floor
//! its part; `render` writes the example, the effective settings and the reference page.
//!
//! What is wrong is a value here; the words for it, in each language, are the shell's.

mod convert;
pub mod diagnostic;
pub mod expected;
pub mod fault;
pub mod field;
pub mod load;
pub mod render;
pub mod settings;
pub mod syntax;
pub mod values;

pub use fault::{ConfigError, Fault};
pub use load::{Loaded, Sources};
pub use settings::Config;
