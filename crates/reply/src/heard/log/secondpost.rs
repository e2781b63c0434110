//! Our own log, as text: `INFO not delivered id=… recipient="…" said="…"`. The JSON form is
//! read in `json`; what is told when stands in `mta::events`.

use std::borrow::Cow;

use super::{Format, LogEntry, Status};

/// The words with which each event begins, and what became of the message.
const EVENTS: [(&str, Status); 9] = [
    ("not delivered", Status::Deferred),
    ("delivered", Status::Sent),
    ("received", Status::Received),
    ("sender notified", Status::Note),
    ("held", Status::Note),
    ("released", Status::Note),
    ("bounced by the administrator", Status::Bounced),
    ("removed", Status::Note),
    ("ended", Status::Ended),
];

/// Reads what stands behind the time.
pub(super) fn read(message: &str) -> Option<LogEntry<'_>> {
    let rest = ["INFO ", "WARN ", "ERROR "].iter().find_map(|level| message.strip_prefix(level))?;
    let (event, status) = EVENTS.iter().find(|(event, _)| rest.starts_with(event))?;
    let fields = rest[event.len()..].strip_prefix(" id=")?;
    let (id, fields) = fields.split_once(' ').unwrap_or((fields, ""));
    let of = |key: &str| field(fields, key);
    let mut found = LogEntry::new(Format::Secondpost, *status).with_queue_id(id);
    found.program = Cow::Borrowed("secondpost");
    found.sender = of("sender");
    found.recipients.extend(of("recipient"));
    found.peer_name = of("host").or_else(|| of("client")).filter(|host| !host.is_empty());
    found.diagnosis = of("said").unwrap_or_default();
    if of("next_at").is_some_and(|at| at == "never") {
        found.status = Status::Bounced;
    }
    Some(found)
}

/// The value of `key="…"`, with its escapes undone.
fn field<'a>(fields: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let start = super::fields::after_key(fields, key)?;
    let rest = fields[start..].strip_prefix('"')?;
    let octets = rest.as_bytes();
    let mut end = 0;
    while *octets.get(end)? != b'"' {
        end += if octets[end] == b'\\' { 2 } else { 1 };
    }
    let value = rest.get(..end)?;
    Some(if value.contains('\\') {
        Cow::Owned(value.replace("\\\"", "\"").replace("\\n", "\n").replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(value)
    })
}

/// What an event of this name stands for; the JSON form has the same words.
pub(super) fn status_of(event: &str) -> Option<Status> {
    EVENTS.iter().find(|(known, _)| *known == event).map(|(_, status)| *status)
}
