//! What a reply means: a [`Verdict`].

use std::time::Duration;

use crate::{Cause, Code, EnhancedCode, Permanence, Timestamp, WhoseMove};

/// How sure a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Only the class of the code speaks for it.
    Low,
    /// A code, or words that are used for other causes as well.
    Medium,
    /// Words or a provider's own code that mean just this.
    High,
}

impl Confidence {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// Why we think so: the rule that decided and the part of the text that it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The rule's stable name.
    pub rule: String,
    /// The words, code or field that it saw; empty where only a code's class spoke.
    pub text: String,
}

/// What was heard, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The basic code, where one was heard: never invented.
    pub code: Option<Code>,
    /// The enhanced code, where one was heard: never invented.
    pub enhanced_code: Option<EnhancedCode>,
    /// The best cause.
    pub cause: Cause,
    /// Whether the same may work later.
    pub permanence: Permanence,
    /// Whose turn it is.
    pub whose_move: WhoseMove,
    /// How long to wait, where the text says so; counts from the reply.
    pub retry_after: Option<Duration>,
    /// When to come back, where the text names a time or `now` was known.
    pub retry_at: Option<Timestamp>,
    /// Other causes that are fair, best first.
    pub alternatives: Vec<Cause>,
    /// Why.
    pub evidence: Evidence,
    /// How sure.
    pub confidence: Confidence,
}
