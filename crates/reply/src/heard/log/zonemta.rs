//! ZoneMTA: `LEVEL Sender/zone/pid[n] id=… ID.SEQ DEFERRED[category] from=… to=… mx=… (…)`.

use std::borrow::Cow;

use super::fields::{address, known, peer, value};
use super::{Format, LogEntry, Status};

/// Reads what stands behind the time.
pub(super) fn read(message: &str) -> Option<LogEntry<'_>> {
    if let Some(words) = message.strip_prefix("[ERR]: ") {
        return Some(LogEntry::new(Format::ZoneMta, Status::Trouble).saying(words));
    }
    // `info Sender/default/867[1] id=…`, with or without the level.
    if !message.split(' ').take(3).any(|word| word.starts_with("Sender/")) {
        return None;
    }
    let (word, status, rest) = outcome(message)?;
    let said =
        rest.rfind(" (").map_or("", |_| &rest[rest.find(" (").map_or(rest.len(), |at| at + 2)..]);
    let mut found = LogEntry::new(Format::ZoneMta, status).saying(said.trim_end_matches(')'));
    found = found.with_queue_id(
        word.split_whitespace()
            .next_back()
            .unwrap_or_default()
            .split('.')
            .next()
            .unwrap_or_default(),
    );
    found.sender = value(rest, "from").map(|from| Cow::Borrowed(address(from)));
    found.recipients.extend(value(rest, "to").map(address).and_then(known));
    if let Some(mx) = value(rest, "mx") {
        found = found.with_peer(peer(mx));
    }
    Some(found)
}

/// What stands before the word, the status, and what stands behind it.
fn outcome(message: &str) -> Option<(&str, Status, &str)> {
    let words = [
        (" DEFERRED", Status::Deferred),
        (" REJECTED", Status::Bounced),
        (" BOUNCED", Status::Bounced),
        (" ACCEPTED", Status::Sent),
        (" NOMX", Status::Bounced),
    ];
    words.into_iter().find_map(|(word, status)| {
        let at = message.find(word)?;
        let rest = &message[at + word.len()..];
        let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
        rest.starts_with(" from=").then(|| (&message[..at], status, rest))
    })
}
