//! How a queued message is shown: the shapes that cross the admin socket and that
//! `secondpost queue --json` prints. Their names are stable. Times are RFC 3339 in UTC.

use reply::{Cause, Verdict};
use serde::{Deserialize, Serialize};

/// One message of the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// The queue id.
    pub id: String,
    /// When it came.
    pub received_at: String,
    /// How long ago that was.
    pub age_seconds: u64,
    /// How it came: `mx`, `submission`, `lmtp`, `local` or `bounce`.
    pub origin: String,
    /// The reverse-path; empty is the null one.
    pub sender: String,
    /// The length of the message.
    pub octets: u64,
    /// Why it is held, where it is.
    pub held: Option<String>,
    /// Each recipient of the envelope.
    pub recipients: Vec<QueuedRecipient>,
}

/// One recipient of a queued message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedRecipient {
    /// The forward-path.
    pub address: String,
    /// `waiting`, `delivered`, `failed` or `removed`.
    pub status: String,
    /// How often it was attempted.
    pub attempts: u32,
    /// How many of the last attempts in a row ended with a transient reply.
    pub transient_in_a_row: u32,
    /// When it was first attempted.
    pub first_attempt_at: Option<String>,
    /// When it was last attempted.
    pub last_attempt_at: Option<String>,
    /// The last reply as it was heard, or what went wrong in our own words.
    pub last_reply: Option<String>,
    /// What that means.
    pub verdict: Option<VerdictView>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<String>,
    /// How long until then; 0 where it is overdue.
    pub next_attempt_in_seconds: Option<u64>,
    /// Why then: as in `hint`, `learned window`, `ladder greylisted`.
    pub next_attempt_why: Option<String>,
}

/// A verdict in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictView {
    /// The basic code, where one was heard.
    pub code: Option<u16>,
    /// The enhanced code, where one was heard.
    pub enhanced_code: Option<String>,
    /// The cause's name.
    pub cause: String,
    /// `positive`, `transient` or `permanent`.
    pub permanence: String,
    /// Whose turn it is.
    pub whose_move: String,
    /// How long to wait, where the text says so.
    pub retry_after_seconds: Option<u64>,
    /// When to come back, where the text or the time of hearing says so.
    pub retry_at: Option<String>,
    /// Other fair causes, best first.
    pub alternatives: Vec<String>,
    /// Why we think so.
    pub evidence: EvidenceView,
    /// `low`, `medium` or `high`.
    pub confidence: String,
}

/// The evidence of a verdict in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// The rule's stable name.
    pub rule: String,
    /// The words, code or field that it saw.
    pub text: String,
}

impl VerdictView {
    /// The cause, if its name is one that this version knows.
    pub fn cause(&self) -> Option<Cause> {
        self.cause.parse().ok()
    }
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> VerdictView {
        VerdictView {
            code: verdict.code.map(|code| code.value()),
            enhanced_code: verdict.enhanced_code.map(|code| code.to_string()),
            cause: verdict.cause.name().to_owned(),
            permanence: verdict.permanence.name().to_owned(),
            whose_move: verdict.whose_move.name().to_owned(),
            retry_after_seconds: verdict.retry_after.map(|after| after.as_secs()),
            retry_at: verdict.retry_at.map(|at| at.to_string()),
            alternatives: verdict.alternatives.iter().map(Cause::to_string).collect(),
            evidence: EvidenceView {
                rule: verdict.evidence.rule.clone(),
                text: verdict.evidence.text.clone(),
            },
            confidence: verdict.confidence.name().to_owned(),
        }
    }
}
