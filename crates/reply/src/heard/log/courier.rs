//! Courier's courierd and its modules, and what Dovecot's LMTP and local delivery say.

use std::borrow::Cow;

use super::fields::{address, peer, value};
use super::{Format, LogEntry, Status};

/// `id=…,from=<a>,addr=<b>: 550 User unknown.` and, of the same, `…,status: failure`.
pub(super) fn read<'a>(program: &str, message: &'a str) -> Option<LogEntry<'a>> {
    let message = message.strip_prefix("courieresmtp: ").unwrap_or(message);
    if let Some(rest) = message.strip_prefix("error,relay=") {
        return refusal(rest);
    }
    let is_courier = program.starts_with("courier") || message.contains(",addr=<");
    if !message.starts_with("id=") || !is_courier {
        return program
            .starts_with("courier")
            .then(|| LogEntry::new(Format::Courier, Status::Note));
    }
    let (fields, words) = match (message.find(">: "), message.find(">,status: ")) {
        (Some(at), _) => (&message[..=at], &message[at + 3..]),
        (None, Some(at)) => {
            let status = &message[at + 10..];
            (&message[..=at], status.split_once(", ").map_or("", |(_, words)| words))
        }
        (None, None) => (message, ""),
    };
    let mut found = LogEntry::new(Format::Courier, status(message, words)).saying(words);
    found = found.with_queue_id(value(fields, "id").unwrap_or_default());
    found.sender = value(fields, "from").map(|from| Cow::Borrowed(address(from)));
    found.recipients.extend(value(fields, "addr").map(|to| Cow::Borrowed(address(to))));
    Some(found)
}

/// The words and the status stand on lines of their own.
fn status(message: &str, words: &str) -> Status {
    let says = |word: &str| message.contains(&format!("status: {word}"));
    if says("success") || message.contains(",success: ") {
        Status::Sent
    } else if says("failure") || words.starts_with('5') {
        Status::Bounced
    } else if says("deferred") || words.starts_with('4') || !words.is_empty() {
        Status::Deferred
    } else {
        Status::Note
    }
}

/// `::ffff:192.0.2.7,from=<a>,to=<b>: 550 User unknown.`, `…,msg="550 …",cmd: RCPT TO`.
fn refusal(rest: &str) -> Option<LogEntry<'_>> {
    let (fields, words) = match rest.split_once("msg=\"") {
        Some((fields, rest)) => (fields, rest.split('"').next().unwrap_or_default()),
        None => rest.split_once(": ")?,
    };
    let status = if words.starts_with('4') { Status::RejectedForNow } else { Status::Rejected };
    let mut found = LogEntry::new(Format::Courier, status).saying(words);
    let relay = fields.split(',').next().unwrap_or_default();
    found.peer_address = Some(Cow::Borrowed(relay.trim_start_matches("::ffff:")));
    found.sender = value(fields, "from").map(|from| Cow::Borrowed(address(from)));
    found.recipients.extend(value(fields, "to").map(|to| Cow::Borrowed(address(to))));
    Some(found)
}

/// `lmtp(b@example.net)<…>: msgid=<…>: saved mail to INBOX`, `… save failed to INBOX: …`.
pub(super) fn read_dovecot(message: &str) -> Option<LogEntry<'_>> {
    let (owner, rest) = message.split_once(": ").unwrap_or(("", message));
    let owner = if owner.contains('(') { owner } else { "" };
    let user = super::fields::between(owner, "(", ")").unwrap_or_default();
    let user = user.split(',').find(|part| part.contains('@')).unwrap_or_default();
    let words = if owner.is_empty() { message } else { rest };
    let (status, words) =
        if words.contains(": saved mail to ") || words.contains(": stored mail into ") {
            (Status::Sent, "")
        } else if let Some(at) = words.find("save failed to ") {
            (Status::Deferred, words[at..].split_once(": ").map_or("", |(_, words)| words))
        } else if let Some(words) =
            words.strip_prefix("Error: ").or_else(|| words.strip_prefix("Fatal: "))
        {
            (Status::Trouble, words)
        } else {
            (Status::Note, "")
        };
    let mut found = LogEntry::new(Format::Dovecot, status).saying(words).with_peer(peer(""));
    found.recipients.extend(Some(user).filter(|user| !user.is_empty()).map(Cow::Borrowed));
    Some(found)
}
