//! From what was heard to what it means: [`classify`] gives the [`Verdict`] of a reply.
//!
//! Words beat the enhanced code, the enhanced code beats the basic code, and the stage
//! of the session speaks where nothing else does; the first digit alone decides the
//! permanence of a reply.

pub mod hint;

use crate::{
    Cause, Class, Confidence, Evidence, Permanence, Reply, Stage, Timestamp, Verdict, WhoseMove,
};

/// What is known of a reply beside its octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// What it answers.
    pub stage: Option<Stage>,
    /// When it was heard: turns a hint into a point in time.
    pub now: Option<Timestamp>,
}

/// What `reply` means.
pub fn classify(reply: &Reply, context: &Context) -> Verdict {
    let _ = context;
    let mut verdict = verdict_of(
        Cause::Unknown,
        match reply.code().class() {
            Class::Positive | Class::Intermediate => Permanence::Positive,
            Class::Transient => Permanence::Transient,
            Class::Permanent => Permanence::Permanent,
        },
        Evidence { rule: "code".into(), text: reply.code().to_string() },
    );
    verdict.code = Some(reply.code());
    verdict.enhanced_code = reply.enhanced_code();
    verdict
}

/// The verdict of a diagnosis of our own, where no reply was heard: host-unreachable,
/// connection-lost, dns-failed, domain-not-found, tls-failed, expired, mail-loop …
pub fn verdict_of(cause: Cause, permanence: Permanence, evidence: Evidence) -> Verdict {
    Verdict {
        code: None,
        enhanced_code: None,
        cause,
        permanence,
        whose_move: whose_move(cause, permanence),
        retry_after: None,
        retry_at: None,
        alternatives: Vec::new(),
        evidence,
        confidence: Confidence::High,
    }
}

/// Whose turn it is: nobody's after a positive reply, else the cause's own.
fn whose_move(cause: Cause, permanence: Permanence) -> WhoseMove {
    match permanence {
        Permanence::Positive => WhoseMove::Nobody,
        _ => cause.whose_move(),
    }
}
