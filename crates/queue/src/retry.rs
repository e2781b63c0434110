//! When to come back: pure functions of a verdict, what is recorded, and `now`.
//!
//! [`plan()`] answers for one recipient after one reply; [`ladder`] holds the pauses,
//! [`options`] every `retry.*` setting with its default and its reason, [`learned`] what
//! was learned of a destination. What happens to the destination as a whole is
//! [`pace`]. Who is told is `notify`; when it is this message's turn is `schedule`.
//! docs/design/retry.md says why the numbers are what they are.

pub mod history;
pub mod ladder;
pub mod learned;
pub mod options;
pub mod pace;
pub mod plan;

pub use history::{History, LastVerdict};
pub use ladder::Ladder;
pub use learned::{Fallback, Fallbacks, Learned, LearnedStore, Window};
pub use options::{RetryOptions, Setting};
pub use pace::{Pace, pace};
pub use plan::{RetryPlan, WhyGiveUp, WhyThen, plan, suggests_greylisting};

#[cfg(test)]
mod tests;
