//! Exim's main and reject logs. Behind the time stand the message's id, a flag (`<=`
//! arrival, `=>` `->` `>>` delivery, `**` failure, `==` deferral, `*>` suppressed), the
//! address, and fields of one letter (spec.txt, "Log files").

use std::borrow::Cow;

use super::fields::{address, peer, stage};
use super::{Format, LogEntry, Peer, Status};
use crate::Stage;

/// Reads what stands behind the time.
pub(super) fn read(message: &str) -> Option<LogEntry<'_>> {
    read_of_message(message).or_else(|| {
        let message = without_pid(message);
        refusal(message).or_else(|| session(message))
    })
}

/// The same where a message's id stands first: no other program writes such a line.
pub(super) fn read_of_message(message: &str) -> Option<LogEntry<'_>> {
    let (id, rest) = id(without_pid(message))?;
    of_message(rest).map(|entry| entry.with_queue_id(id))
}

fn entry<'a>(status: Status) -> LogEntry<'a> {
    LogEntry::new(Format::Exim, status)
}

/// `[22942] ` where `log_selector = +pid`.
fn without_pid(message: &str) -> &str {
    match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, rest)) if pid.bytes().all(|octet| octet.is_ascii_digit()) => rest,
        _ => message,
    }
}

/// `1b8cs4-0005xz-6g`, and since 4.97 `1qFP3Z-000000001Ab-2Cde`.
fn id(message: &str) -> Option<(&str, &str)> {
    let (id, rest) = message.split_once(' ').unwrap_or((message, ""));
    let mut lengths = id.split('-').map(str::len);
    let shape = (lengths.next()?, lengths.next()?, lengths.next()?, lengths.next());
    let is_id = matches!(shape, (6, 6, 2, None) | (6, 11, 4, None))
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    is_id.then_some((id, rest))
}

fn of_message(rest: &str) -> Option<LogEntry<'_>> {
    let (flag, after) = rest.split_once(' ').unwrap_or((rest, ""));
    match flag {
        "<=" => Some(arrival(after)),
        "=>" | "->" | ">>" | "*>" => Some(delivery(after, Status::Sent)),
        "**" => Some(failure(after, Status::Bounced)),
        "==" => Some(failure(after, Status::Deferred)),
        "Completed" => Some(entry(Status::Ended)),
        _ => refusal(rest).or_else(|| Some(remark(rest))),
    }
}

/// `<= a@example.org H=… P=esmtp S=…`, with `for b c` where the recipients are logged.
fn arrival(rest: &str) -> LogEntry<'_> {
    let (sender, fields) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut found = entry(Status::Received).with_peer(host_field(fields));
    found.sender = Some(Cow::Borrowed(if sender == "<>" { "" } else { address(sender) }));
    if let Some(at) = fields.rfind(" for ") {
        found.recipients.extend(fields[at + 5..].split(' ').map(Cow::Borrowed));
    }
    found
}

fn delivery(rest: &str, status: Status) -> LogEntry<'_> {
    let (recipient, fields) = recipient(rest);
    let mut found = entry(status).with_peer(host_field(fields));
    found.recipients.push(Cow::Borrowed(recipient));
    found.sender = sender_field(fields);
    if let Some(at) = fields.find(" C=\"") {
        found.diagnosis = Cow::Borrowed(fields[at + 4..].trim_end_matches('"'));
    }
    found
}

/// `** b@example.net F=<…> R=… T=… H=…: words` and `== … defer (-44): words`.
fn failure(rest: &str, status: Status) -> LogEntry<'_> {
    let (recipient, fields) = recipient(rest);
    let (fields, words) = words(fields);
    let mut found = entry(status).with_peer(host_field(fields)).saying(words);
    found.recipients.push(Cow::Borrowed(recipient));
    found.sender = sender_field(fields);
    found.stage = words.find(" after ").and_then(|at| stage_after(&words[at + 7..]));
    if found.peer_name.is_none() && found.peer_address.is_none() {
        found = found.with_peer(host_in_words(words));
    }
    found
}

/// The address, with the original one in brackets behind it left out: `b <c@example.net>`.
fn recipient(rest: &str) -> (&str, &str) {
    let end = rest.find(' ').unwrap_or(rest.len());
    // Without fields the colon follows at once.
    let end = if rest[..end].ends_with(':') { end - 1 } else { end };
    let (first, after) = (&rest[..end], rest[end..].strip_prefix(' ').unwrap_or(&rest[end..]));
    match after.strip_prefix('<').and_then(|inner| inner.split_once('>')) {
        Some((original, after)) if !first.contains('@') && original.contains('@') => {
            (original, after)
        }
        Some((_, after)) => (address(first), after),
        None => (address(first), after),
    }
}

/// Splits the fields from the words behind the first colon that no field holds.
fn words(fields: &str) -> (&str, &str) {
    if let Some(words) = fields.strip_prefix(": ") {
        return ("", words);
    }
    if let Some(at) = fields.find("defer (") {
        let close = fields[at..].find(')').map_or(fields.len(), |end| at + end + 1);
        return match fields[close..].find(": ") {
            Some(colon) => (&fields[..close + colon], &fields[close + colon + 2..]),
            None => (&fields[..close], fields[close..].trim_start_matches([':', ' '])),
        };
    }
    match fields.find(": ") {
        Some(at) => (&fields[..at], &fields[at + 2..]),
        None => (fields, ""),
    }
}

fn sender_field(fields: &str) -> Option<Cow<'_, str>> {
    ["F=<", "P=<"]
        .iter()
        .find_map(|mark| super::fields::between(fields, mark, ">"))
        .map(Cow::Borrowed)
}

/// `H=mx.example.net [192.0.2.7]:25`, `H=(helo) [192.0.2.7]`.
fn host_field(fields: &str) -> Peer<'_> {
    let Some(at) = super::fields::after_key(fields, "H") else { return Peer::default() };
    peer(up_to_address(&fields[at..]))
}

/// `host mx.example.net [192.0.2.7]: 550 …`.
fn host_in_words(words: &str) -> Peer<'_> {
    match words.find("host ") {
        Some(at) if at == 0 || words[..at].ends_with(": ") => peer(up_to_address(&words[at + 5..])),
        _ => Peer::default(),
    }
}

fn up_to_address(text: &str) -> &str {
    match text.find(']') {
        Some(end) if text[..end].len() < 300 => &text[..=end],
        _ => text.split(' ').next().unwrap_or_default(),
    }
}

fn stage_after(words: &str) -> Option<Stage> {
    if words.starts_with("initial connection") {
        return Some(Stage::Connection);
    }
    stage(words.strip_prefix("pipelined ").unwrap_or(words))
}

/// What the server refused: `… F=<a> rejected RCPT <b>: relay not permitted`.
fn refusal(rest: &str) -> Option<LogEntry<'_>> {
    let at = rest.find(" rejected ").or_else(|| rest.starts_with("rejected ").then_some(0))?;
    let head = &rest[..at];
    let is_exim = head.contains("H=")
        || head.contains("F=")
        || head.is_empty()
        || head == "temporarily"
        || head.starts_with("U=");
    if !is_exim {
        return None;
    }
    let after = rest[at..].trim_start().strip_prefix("rejected ")?;
    let status =
        if head.ends_with("temporarily") { Status::RejectedForNow } else { Status::Rejected };
    let (what, words) = what_and_words(after);
    let mut found = entry(status).with_peer(host_field(head)).saying(words);
    found.stage = stage(what.strip_prefix("after ").unwrap_or(what));
    if what.starts_with("after ") || what.starts_with("during MIME") {
        found.stage = Some(Stage::EndOfData);
    }
    found.sender = super::fields::value(head, "F").map(|sender| Cow::Borrowed(address(sender)));
    if let Some(recipient) = what.strip_prefix("RCPT ") {
        found.recipients.push(Cow::Borrowed(address(recipient)));
    }
    Some(found)
}

/// `RCPT <b>: words`; the colon of an address literal is inside the brackets.
fn what_and_words(after: &str) -> (&str, &str) {
    match after.find(": ") {
        Some(at) => (&after[..at], &after[at + 2..]),
        None => (after, ""),
    }
}

/// Sessions that went wrong, with or without a message's id.
fn session(message: &str) -> Option<LogEntry<'_>> {
    let begins = [
        "SMTP connection from ",
        "SMTP command timeout",
        "SMTP protocol synchronization error",
        "SMTP protocol error",
        "SMTP syntax error",
        "SMTP call from ",
        "SMTP data timeout",
        "unexpected disconnection",
        "no host name found for",
        "TLS error on connection",
        "refused connection from",
        "Connection from ",
        "H=",
        "no IP address found for host",
        "host name alias list truncated",
        "rejected connection",
    ];
    if !begins.iter().any(|known| message.starts_with(known))
        && !message.contains("authenticator failed for ")
    {
        return None;
    }
    Some(remark(message))
}

/// Anything else: `H=mx.example.net [192.0.2.7] Connection timed out`, `Frozen`, …
fn remark(rest: &str) -> LogEntry<'_> {
    let said = [
        "SMTP error from",
        "timeout",
        "timed out",
        "refused",
        "closed connection",
        "reset by peer",
        "unreachable",
        "TLS error",
        "TLS session",
        "synchronization",
        "syntax error",
        "unexpected disconnection",
        "authenticator failed",
        "lost",
        "retry time not reached",
        "no host name found",
        "error",
        "failed",
    ];
    let status =
        if said.iter().any(|known| rest.contains(known)) { Status::Trouble } else { Status::Note };
    let mut found = entry(status).with_peer(host_field(rest)).saying(rest);
    if found.peer_address.is_none() {
        found = found.with_peer(host_in_words(rest));
    }
    if rest.contains("authenticator failed") {
        found.status = Status::Rejected;
        found.stage = Some(Stage::Auth);
    }
    found
}
