//! From an entry to its verdict: the reply in the diagnosis, or its words alone, with the
//! codes that stand in fields of the line, and the permanence that the program decided.

use crate::classify::{Context, classify, classify_text};
use crate::heard::quoted;
use crate::{
    Cause, Code, Confidence, EnhancedCode, Evidence, Permanence, Reply, Stage, Verdict, verdict_of,
};

use super::{LogEntry, Status};

/// The reply of an entry and what it answered.
pub(super) fn reply(entry: &LogEntry<'_>) -> Option<(Reply, Option<Stage>)> {
    if let Some(code) = entry.code {
        return Some((reply_of_field(code, entry), entry.stage));
    }
    let (reply, stage) = quoted::reply_in(&entry.diagnosis)?;
    Some((reply, stage.or(entry.stage)))
}

/// A code in a field of its own, and the text beside it.
fn reply_of_field(code: Code, entry: &LogEntry<'_>) -> Reply {
    let text = entry.diagnosis.trim();
    let repeats = text.get(..3).is_some_and(|start| start == code.to_string());
    if let Some((reply, _)) =
        quoted::reply_in(text).filter(|(reply, _)| repeats && reply.code() == code)
    {
        return reply;
    }
    Reply::of_lines(code, text.lines().map(str::to_owned).collect())
}

/// What the entry means; `None` where it says nothing about a delivery.
pub(super) fn verdict(entry: &LogEntry<'_>) -> Option<Verdict> {
    if matches!(entry.status, Status::Received | Status::Ended) {
        return None;
    }
    let context = Context { stage: entry.stage, now: entry.time };
    let heard = match reply(entry) {
        Some((reply, stage)) => Some(classify(&reply, &Context { stage, ..context })),
        None => classify_text(entry.enhanced_code, &entry.diagnosis, &context)
            .map(|verdict| about_the_destination(verdict, entry)),
    };
    let heard = heard.filter(|verdict| says_enough(entry, verdict));
    let mut verdict = heard.or_else(|| unexplained(entry))?;
    verdict.enhanced_code = verdict.enhanced_code.or_else(|| field_code(entry));
    settle(&mut verdict, entry);
    still_waits(&mut verdict, entry.status);
    Some(verdict)
}

/// A remark of a program is a verdict only where its words are clear.
fn says_enough(entry: &LogEntry<'_>, verdict: &Verdict) -> bool {
    match entry.status {
        Status::Note => false,
        Status::Trouble => verdict.confidence > Confidence::Low || verdict.code.is_some(),
        Status::Sent => true,
        _ => verdict.code.is_some() || verdict.confidence > Confidence::Low,
    }
}

/// `dsn=`, where it is of the class that the reply has.
fn field_code(entry: &LogEntry<'_>) -> Option<EnhancedCode> {
    entry.enhanced_code
}

/// The verdict of a line that says how it ended and not why.
fn unexplained(entry: &LogEntry<'_>) -> Option<Verdict> {
    let permanence = permanence(entry.status)?;
    let cause = if entry.status == Status::Sent { Cause::Delivered } else { Cause::Unknown };
    let evidence = Evidence { rule: "log-status".into(), text: entry.status.name().to_owned() };
    let mut verdict = verdict_of(cause, permanence, evidence);
    verdict.code = entry.code;
    if cause == Cause::Unknown {
        verdict.confidence = Confidence::Low;
    }
    Some(verdict)
}

/// What the program decided: it knows whether it comes back.
const fn permanence(status: Status) -> Option<Permanence> {
    match status {
        Status::Sent => Some(Permanence::Positive),
        Status::Deferred | Status::RejectedForNow => Some(Permanence::Transient),
        Status::Bounced | Status::Rejected => Some(Permanence::Permanent),
        Status::Received | Status::Ended | Status::Trouble | Status::Note => None,
    }
}

/// The program's decision goes before the digits of the reply: a mail that was given up
/// after days of 451 is given up, one that is kept in spite of a 554 greeting is kept.
fn settle(verdict: &mut Verdict, entry: &LogEntry<'_>) {
    let Some(permanence) = permanence(entry.status) else { return };
    if entry.status == Status::Sent && verdict.cause != Cause::Delivered {
        let code = (verdict.code, verdict.enhanced_code);
        *verdict = verdict_of(Cause::Delivered, permanence, verdict.evidence.clone());
        (verdict.code, verdict.enhanced_code) = code;
    }
    if verdict.permanence == permanence {
        return;
    }
    let settled = verdict_of(verdict.cause, permanence, verdict.evidence.clone());
    (verdict.permanence, verdict.whose_move) = (settled.permanence, settled.whose_move);
}

/// Where no reply was heard the words are the sending program's own: a domain that does not
/// exist, or a name that does not resolve, is then the recipient's and not the client's.
fn about_the_destination(mut verdict: Verdict, entry: &LogEntry<'_>) -> Verdict {
    let is_outbound = matches!(entry.status, Status::Deferred | Status::Bounced);
    let cause = match verdict.cause {
        Cause::SenderDomainUnusable => Cause::DomainNotFound,
        Cause::ReverseDnsMissing => Cause::DnsFailed,
        _ => return verdict,
    };
    if is_outbound {
        let own = verdict_of(cause, verdict.permanence, verdict.evidence.clone());
        (verdict.cause, verdict.whose_move) = (own.cause, own.whose_move);
        verdict.alternatives.retain(|other| *other != cause);
    }
    verdict
}

/// A mail that is kept has not expired: "retry time not reached" is a host that failed.
fn still_waits(verdict: &mut Verdict, status: Status) {
    if verdict.cause == Cause::Expired && matches!(status, Status::Deferred | Status::Trouble) {
        let waits =
            verdict_of(Cause::HostUnreachable, verdict.permanence, verdict.evidence.clone());
        (verdict.cause, verdict.whose_move) = (waits.cause, waits.whose_move);
        (verdict.alternatives, verdict.confidence) = (vec![Cause::Unknown], Confidence::Medium);
    }
}
