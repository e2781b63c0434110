//! Stalwart's log: `LEVEL Words (family.event) key = value, key = value`. The JSON form of
//! its events is read in `json`.

use std::borrow::Cow;

use super::{Format, LogEntry, Status};
use crate::Code;

/// Reads what stands behind the time.
pub(super) fn read(message: &str) -> Option<LogEntry<'_>> {
    let (level, rest) = message.split_once(' ')?;
    if !matches!(level, "INFO" | "WARN" | "ERROR" | "DEBUG" | "TRACE") {
        return None;
    }
    let open = rest.find(" (")?;
    let (event, fields) = rest[open + 2..].split_once(')')?;
    let (family, name) = event.split_once('.')?;
    let is_event = event.bytes().all(|octet| {
        octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-.".contains(&octet)
    });
    if !is_event {
        return None;
    }
    let mut found = LogEntry::new(Format::Stalwart, status(family, name));
    let mut reason = None;
    for (key, value) in Fields(fields) {
        fill(&mut found, key, value, &mut reason);
    }
    if found.diagnosis.is_empty() {
        found.diagnosis = reason.map_or(Cow::Borrowed(&rest[..open]), Cow::Borrowed);
    }
    if found.status == Status::Note {
        found.diagnosis = Cow::Borrowed("");
    }
    finish(&mut found);
    Some(found)
}

/// Takes apart `Unexpected response for RCPT TO:<b>: Code: 550, Enhanced code: 5.1.2,
/// Message: words`, and lets the class of the code decide about a refusal of our side.
pub(super) fn finish(found: &mut LogEntry<'_>) {
    if let Some(at) = found.diagnosis.find("Code: ") {
        let text = found.diagnosis.clone().into_owned();
        let of = |key: &str| text.find(key).map(|at| &text[at + key.len()..]);
        let end = |rest: &str| rest.find([',', ' ']).unwrap_or(rest.len());
        let code = text[at + 6..].get(..3).and_then(|code| code.parse().ok()).and_then(Code::new);
        found.code = found.code.or(code);
        found.enhanced_code = of("Enhanced code: ").and_then(|rest| rest[..end(rest)].parse().ok());
        found.stage = of("response for ").and_then(super::fields::stage);
        if let Some(words) = of("Message: ") {
            found.diagnosis = Cow::Owned(words.to_owned());
        }
    }
    let is_transient = found.code.is_some_and(|code| code.class() == crate::Class::Transient)
        || (found.code.is_none() && found.diagnosis.to_ascii_lowercase().contains("greylist"));
    if found.status == Status::Rejected && is_transient {
        found.status = Status::RejectedForNow;
    }
}

/// What an event stands for. The queue's own events say how an attempt ended; the others
/// of the same delivery are on the way there.
pub(super) fn status(family: &str, name: &str) -> Status {
    match (family, name) {
        ("delivery", "delivered" | "dsn-success") => Status::Sent,
        ("delivery", "dsn-perm-fail" | "failed" | "double-bounce") => Status::Bounced,
        ("delivery", "dsn-temp-fail") => Status::Deferred,
        ("delivery", name) if is_failure(name) => Status::Trouble,
        ("smtp", name) if is_refusal(name) => Status::Rejected,
        ("auth" | "security" | "limit", name) if is_failure(name) => Status::Rejected,
        ("message-ingest", "ham" | "spam") => Status::Sent,
        ("queue", "queue-message" | "queue-message-authenticated") => Status::Received,
        (_, name) if is_failure(name) => Status::Trouble,
        _ => Status::Note,
    }
}

fn is_failure(name: &str) -> bool {
    [
        "fail",
        "error",
        "rejected",
        "denied",
        "unavailable",
        "limit",
        "exceeded",
        "no-auth",
        "null-mx",
        "timeout",
        "ban",
        "blocked",
        "closed",
    ]
    .iter()
    .any(|known| name.contains(known))
        && !name.ends_with("-pass")
}

fn is_refusal(name: &str) -> bool {
    [
        "does-not-exist",
        "not-allowed",
        "greylisted",
        "rejected",
        "too-",
        "exceeded",
        "reject",
        "unauthenticated",
        "not-local",
        "disabled",
        "invalid",
        "missing",
        "already",
        "duplicate",
        "quota",
    ]
    .iter()
    .any(|known| name.contains(known))
}

fn fill<'a>(found: &mut LogEntry<'a>, key: &str, value: &'a str, reason: &mut Option<&'a str>) {
    match key {
        "queueId" => found.queue_id = Some(Cow::Borrowed(value)),
        "from" => found.sender = Some(Cow::Borrowed(value)),
        "to" => {
            found.recipients.clear();
            let all = value.trim_matches(['[', ']']).split(", ").map(|to| to.trim_matches('"'));
            found.recipients.extend(all.filter(|to| !to.is_empty()).map(Cow::Borrowed));
        }
        "hostname" => found.peer_name = Some(Cow::Borrowed(value)),
        "remoteIp" => found.peer_address = Some(Cow::Borrowed(value)),
        "code" => found.code = value.parse().ok().and_then(Code::new),
        "details" => found.diagnosis = Cow::Borrowed(value),
        "reason" | "causedBy" => *reason = Some(value),
        _ => {}
    }
}

/// `key = value` separated by commas; values are quoted, in brackets, or bare.
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);
    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let (key, rest) = self.0.trim_start_matches([',', ' ']).split_once(" = ")?;
        let end = match rest.as_bytes().first() {
            Some(b'"') => closing_quote(rest)? + 1,
            Some(b'[') => rest.find(']').map_or(rest.len(), |end| end + 1),
            _ => rest.find(", ").unwrap_or(rest.len()),
        };
        self.0 = &rest[end..];
        let value = &rest[..end];
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        Some((key, quoted.unwrap_or(value)))
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let octets = text.as_bytes();
    (1..octets.len()).find(|at| octets[*at] == b'"' && octets[*at - 1] != b'\\')
}
