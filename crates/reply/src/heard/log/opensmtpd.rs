//! OpenSMTPD: `SESSION mta delivery evpid=… result="TempFail" stat="…"` since 5.7, the
//! older `relay: TempFail for …`, refusals of its own listener, and sessions that broke.

use std::borrow::Cow;

use super::fields::{address, after_key, between, known, stage, value};
use super::{Format, LogEntry, Peer, Status};

/// Reads what stands behind the program.
pub(super) fn read(message: &str) -> Option<LogEntry<'_>> {
    delivery(message)
        .or_else(|| old_delivery(message))
        .or_else(|| refusal(message))
        .or_else(|| session(message))
}

fn entry<'a>(status: Status) -> LogEntry<'a> {
    LogEntry::new(Format::OpenSmtpd, status)
}

fn status(result: &str) -> Option<Status> {
    Some(match result {
        "Ok" | "Delivered" | "Relayed" => Status::Sent,
        "TempFail" => Status::Deferred,
        "PermFail" | "Loop" | "Expired" | "Expire" => Status::Bounced,
        _ => return None,
    })
}

/// `… mta delivery evpid=… from=<a> to=<b> … relay="192.0.2.7 (mx)" result="…" stat="…"`.
fn delivery(message: &str) -> Option<LogEntry<'_>> {
    let at = after_key(message, "evpid")?;
    let status = status(value(message, "result")?)?;
    Some(with_fields(entry(status), &message[at..], &message[at..]))
}

/// `relay: PermFail for EVPID: session=…, from=<a>, to=<b>, relay=…, stat=550 …`.
fn old_delivery(message: &str) -> Option<LogEntry<'_>> {
    let (agent, rest) = message.split_once(": ")?;
    if !matches!(agent, "relay" | "delivery" | "mda" | "mta") {
        return None;
    }
    let (result, rest) = rest.split_once(" for ")?;
    Some(with_fields(entry(status(result)?), rest, rest))
}

fn with_fields<'a>(mut found: LogEntry<'a>, id: &'a str, fields: &'a str) -> LogEntry<'a> {
    let id = id.split([' ', ':']).next().unwrap_or_default();
    // An envelope's id is its message's with eight digits more.
    found = found.with_queue_id(id.get(..8).unwrap_or(id));
    let of = |key: &str| value(fields, key).map(address);
    found.sender = of("from").filter(|from| !from.starts_with('(')).map(Cow::Borrowed);
    found.recipients.extend(of("to").and_then(known));
    if let Some(at) = after_key(fields, "relay") {
        found = found.with_peer(relay(&fields[at..]));
    }
    if let Some(at) = after_key(fields, "stat") {
        found.diagnosis = Cow::Borrowed(fields[at..].trim_matches('"'));
    }
    found
}

/// `192.0.2.7 (mx.example.net)`, quoted or not.
fn relay(text: &str) -> Peer<'_> {
    let text = text.trim_start_matches('"');
    let (address, rest) = text.split_once(' ').unwrap_or((text, ""));
    let name = between(rest, "(", ")").filter(|name| *name != address && rest.starts_with('('));
    Peer {
        name,
        address: Some(address.trim_end_matches([',', '"'])).filter(|address| !address.is_empty()),
    }
}

/// `SESSION smtp failed-command command="RCPT TO:<b>" result="550 Invalid recipient"`.
fn refusal(message: &str) -> Option<LogEntry<'_>> {
    let (command, said) = if message.contains("failed-command") {
        (value(message, "command")?, value(message, "result")?)
    } else {
        let rest = message.strip_prefix("smtp-in: ")?;
        let rest = &rest[rest.find("Failed command")?..];
        (between(rest, "\"", "\"")?, rest.split_once(" => ")?.1)
    };
    let status = if said.starts_with('4') { Status::RejectedForNow } else { Status::Rejected };
    let mut found = entry(status).saying(said);
    found.stage = stage(command);
    found.peer_address = value(message, "address").map(Cow::Borrowed);
    found.peer_name = value(message, "host").map(Cow::Borrowed);
    if let Some(recipient) =
        between(command, "<", ">").filter(|_| found.stage == Some(crate::Stage::Rcpt))
    {
        found.recipients.push(Cow::Borrowed(recipient));
    }
    Some(found)
}

/// `smtp-out: Error on session …: words`, `mta error reason=words`, `mta disconnected reason=…`.
fn session(message: &str) -> Option<LogEntry<'_>> {
    if let Some(rest) =
        message.strip_prefix("smtp-out: ").or_else(|| message.strip_prefix("smtp-in: "))
    {
        let words = rest
            .split_once(": ")
            .filter(|_| rest.starts_with("Error") || rest.starts_with("Disconnect"));
        return Some(match words {
            Some((_, words)) => entry(Status::Trouble).saying(words),
            None => entry(Status::Note).saying(rest),
        });
    }
    let part = [" mta ", " smtp ", " mda "]
        .iter()
        .find_map(|part| Some((message.find(part)?, part.len())))?;
    let is_session = message[..part.0].len() == 16
        && message[..part.0].bytes().all(|octet| octet.is_ascii_hexdigit());
    if !is_session {
        return message.starts_with("warn: ").then(|| entry(Status::Trouble).saying(message));
    }
    let rest = &message[part.0 + part.1..];
    let words = after_key(rest, "reason").map(|at| rest[at..].trim_matches('"'));
    let failed =
        rest.starts_with("error") || rest.starts_with("event=error") || rest.contains("disabling");
    Some(match words {
        Some(words) if failed => entry(Status::Trouble).saying(words),
        _ => entry(Status::Note),
    })
}
