//! What SMTP replies mean. No I/O, no async, no clock: it also builds for wasm32.
//!
//! Five words, each a type: what we say is an [`Answer`], what we hear is a
//! [`Reply`], what it means is a [`Verdict`]; decisions and plans are made on the
//! floors above; what we tell people is an explanation, made here from a verdict.
//!
//! Start reading at [`catalogue`] (every answer, one row each) and [`cause`]
//! (the closed set that ties the five together).

pub mod answer;
pub mod catalogue;
pub mod cause;
pub mod classify;
pub mod code;
pub mod compare;
pub mod explain;
pub mod facts;
pub mod heard;
pub mod reference;
pub mod stage;
pub mod time;
pub mod verdict;

pub use answer::{Answer, Row};
pub use cause::{Cause, Permanence, Scope, WhoseMove};
pub use classify::{Context, classify, verdict_of};
pub use code::{Class, Code, EnhancedCode};
pub use explain::{Explanation, Language, explain};
pub use heard::reply::{Reply, ReplyError, ReplyReader};
pub use stage::Stage;
pub use time::Timestamp;
pub use verdict::{Confidence, Evidence, Verdict};
