//! What SMTP replies mean: any reply, any bounce, any log line, in the reader's language.
//!
//! ```
//! for told in reply::explain("452 4.2.2 Mailbox full", reply::Language::En) {
//!     println!("{} – {}", told.title, told.whose_move);
//! }
//! ```
//!
//! prints `452 4.2.2 · transient · Mailbox full – The recipient’s.` The other ways in:
//!
//! | | takes | gives |
//! |---|---|---|
//! | [`explain()`] | a text | an [`Explanation`] for each thing that it says |
//! | [`read_any`] | octets: replies, bounces, logs, notices in JSON, in any charset | what was [`Heard`]: kind, recipient, reply, [`Verdict`] |
//! | [`heard::log::LogReader`] | a stream of log lines | the same, in constant memory |
//! | [`heard::mbox::MailReader`] | a stream of mails, as of an mbox | each mail, for [`heard::read_mail`] |
//! | [`classify()`] | a [`Reply`] and what it answers | its [`Verdict`]: cause, permanence, whose move, when, why |
//! | [`compare()`] | two [`Topic`]s: codes, causes, commands | both, and what tells them apart |
//! | [`entry()`] | one [`Topic`] | all that is known of it |
//!
//! Facts are Rust, prose is Fluent, one file a language: a translation cannot change a
//! verdict. Verdicts, entries and comparisons are `serde::Serialize`, with the names that
//! `secondpost explain --json` has.
//!
//! No I/O, no threads, no clock and no C code: it builds for `wasm32-unknown-unknown`,
//! and `cargo xtask tidy` sees to it that it stays so. What is asked of it is pure: the
//! same text has the same verdict, and the time, where it matters, is an argument
//! ([`Context`]). Hostile text is welcome: reading never fails, and never takes more than
//! its share.
//!
//! # How it is built
//!
//! Five words, each a type: what we say is an [`Answer`], what we hear is a
//! [`Reply`], what it means is a [`Verdict`]; decisions and plans are made on the
//! floors above; what we tell people is an [`Explanation`], made here from a verdict.
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
pub use compare::{Comparison, compare};
pub use explain::entry::{Entry, Topic, entry};
pub use explain::{Explanation, Language, explain};
pub use heard::reply::{Reply, ReplyError, ReplyReader};
pub use heard::{Heard, Kind, read_any};
pub use stage::Stage;
pub use time::Timestamp;
pub use verdict::{Confidence, Evidence, Verdict};
