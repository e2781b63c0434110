//! What a reply means: a [`Verdict`].

use std::borrow::Cow;
use std::time::Duration;

use serde::ser::{Serialize, SerializeStruct, Serializer};

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
    /// Every value.
    pub const ALL: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];

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
    pub rule: Cow<'static, str>,
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

/// The JSON form, with the same names wherever a verdict is shown; what is absent is null.
impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let alternatives: Vec<&str> = self.alternatives.iter().map(|cause| cause.name()).collect();
        let mut verdict = serializer.serialize_struct("Verdict", 10)?;
        verdict.serialize_field("code", &self.code.map(Code::value))?;
        verdict.serialize_field("enhanced_code", &self.enhanced_code.map(|c| c.to_string()))?;
        verdict.serialize_field("cause", self.cause.name())?;
        verdict.serialize_field("permanence", self.permanence.name())?;
        verdict.serialize_field("whose_move", self.whose_move.name())?;
        verdict.serialize_field("retry_after_seconds", &self.retry_after.map(|d| d.as_secs()))?;
        verdict.serialize_field("retry_at", &self.retry_at.map(|at| at.to_string()))?;
        verdict.serialize_field("alternatives", &alternatives)?;
        verdict.serialize_field("evidence", &self.evidence)?;
        verdict.serialize_field("confidence", self.confidence.name())?;
        verdict.end()
    }
}

impl Serialize for Evidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut evidence = serializer.serialize_struct("Evidence", 2)?;
        evidence.serialize_field("rule", &self.rule)?;
        evidence.serialize_field("text", &self.text)?;
        evidence.end()
    }
}
