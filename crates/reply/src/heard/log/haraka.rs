//! Haraka: `[LEVEL] [UUID] [plugin] words`, and the same as `key=value` fields since 3.0.

use std::borrow::Cow;

use super::fields::{address, between, known, value};
use super::{Format, LogEntry, Peer, Status};

const LEVELS: [&str; 8] = ["INFO", "NOTICE", "WARN", "ERROR", "CRIT", "ALERT", "DEBUG", "PROTOCOL"];

/// Reads what stands behind the time.
pub(super) fn read(message: &str) -> Option<LogEntry<'_>> {
    if message.starts_with("level=") {
        return logfmt(message);
    }
    let (level, rest) = message.strip_prefix('[')?.split_once("] [")?;
    let (id, rest) = rest.split_once("] [")?;
    let (plugin, words) = rest.split_once("] ")?;
    LEVELS.contains(&level).then(|| of(level, id, plugin, words))
}

/// `level=NOTICE uuid=… source=outbound message="…"`.
fn logfmt(message: &str) -> Option<LogEntry<'_>> {
    let level = value(message, "level").filter(|level| LEVELS.contains(level))?;
    let id = value(message, "uuid").unwrap_or_default();
    let source = value(message, "source").or_else(|| value(message, "plugin"))?;
    let words = value(message, "message").unwrap_or(message);
    Some(of(level, id, source, words))
}

fn of<'a>(level: &str, id: &'a str, plugin: &str, words: &'a str) -> LogEntry<'a> {
    let found = if plugin == "outbound" || words.starts_with("delivered file=") {
        outbound(level, words)
    } else {
        inbound(words)
    };
    let found = if id == "-" || id == "core" { found } else { found.with_queue_id(id) };
    // A delivery of a queued message counts on from its transaction.
    found
}

fn entry<'a>(status: Status) -> LogEntry<'a> {
    LogEntry::new(Format::Haraka, status)
}

/// `recipient <b> rejected: 550 …`, `delivered file=… response="…"`, sessions that broke.
fn outbound<'a>(level: &str, words: &'a str) -> LogEntry<'a> {
    if let Some(rest) = words.strip_prefix("recipient ") {
        return recipient(rest);
    }
    if words.starts_with("delivered ") {
        return delivered(words);
    }
    let (status, said) = if words.starts_with("temp fail")
        || words.contains("Temp failing")
        || words.contains("temporarily failed")
    {
        (Status::Deferred, words)
    } else if words.starts_with("bouncing")
        || words.starts_with("bounced")
        || words.starts_with("Giving up")
    {
        (Status::Bounced, words)
    } else if matches!(level, "ERROR" | "CRIT" | "ALERT" | "WARN") || words.contains("response: ") {
        (Status::Trouble, words)
    } else {
        (Status::Note, words)
    };
    let mut found = entry(status).saying(said);
    found.peer_address = ["Remote end ", "connection failed to "]
        .iter()
        .find_map(|mark| words.find(mark).map(|at| &words[at + mark.len()..]))
        .and_then(|rest| rest.split([':', ' ']).next())
        .map(Cow::Borrowed);
    found
}

fn recipient(rest: &str) -> LogEntry<'_> {
    let (recipient, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (what, said) = rest.split_once(": ").unwrap_or((rest, ""));
    let status = match what {
        "rejected" | "bounced" => Status::Bounced,
        "deferred" | "soft failed" => Status::Deferred,
        _ => Status::Trouble,
    };
    let mut found = entry(status).saying(said);
    found.recipients.push(Cow::Borrowed(address(recipient)));
    found
}

fn delivered(words: &str) -> LogEntry<'_> {
    let mut found = entry(Status::Sent).saying(value(words, "response").unwrap_or_default());
    found = found.with_peer(Peer { name: value(words, "host"), address: value(words, "ip") });
    found.recipients.extend(value(words, "to").map(address).and_then(known));
    found.sender = value(words, "from").map(|from| Cow::Borrowed(address(from)));
    found
}

/// `hook=rcpt plugin=… retval=DENY msg="…"`, `… deny …`.
fn inbound(words: &str) -> LogEntry<'_> {
    let status = match value(words, "retval") {
        Some("DENY" | "DENYDISCONNECT") => Status::Rejected,
        Some("DENYSOFT" | "DENYSOFTDISCONNECT") => Status::RejectedForNow,
        _ => return entry(Status::Note).saying(words),
    };
    let mut found = entry(status).saying(value(words, "msg").unwrap_or_default());
    found.stage = value(words, "hook").and_then(super::fields::stage);
    if let Some(parameters) = value(words, "params") {
        found.recipients.extend(between(parameters, "<", ">").map(Cow::Borrowed));
    }
    found
}
