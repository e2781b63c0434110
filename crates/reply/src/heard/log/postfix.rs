//! Postfix: the delivery agents (smtp, lmtp, local, virtual, pipe, error), the queue
//! manager, cleanup, smtpd, postscreen and what they warn of.
//!
//! `QUEUEID: to=<…>, relay=…, dsn=…, status=… (…)` is log_adhoc(3)'s line; `reject:` is
//! smtpd(8)'s, and `milter-reject:` cleanup(8)'s.

use std::borrow::Cow;

use super::fields::{address, after_key, peer, stage, value};
use super::{Format, LogEntry, Status};

/// Reads what the Postfix daemon `component` wrote.
pub(super) fn read<'a>(component: &str, message: &'a str) -> Option<LogEntry<'a>> {
    if let Some((id, rest)) = queue_id(message) {
        return of_message(id, rest, component);
    }
    if component.is_empty() {
        return without_program(message);
    }
    Some(without_id(component, message))
}

fn entry<'a>(status: Status) -> LogEntry<'a> {
    LogEntry::new(Format::Postfix, status)
}

/// `4E74613FE76`, `4JfcC62DS0z1c1C`, `NOQUEUE`, before a colon and a space.
fn queue_id(message: &str) -> Option<(&str, &str)> {
    let end = message.as_bytes().iter().take(24).position(|octet| *octet == b':')?;
    let (id, rest) = (&message[..end], message[end + 1..].strip_prefix(' ')?);
    let is_fields = rest.starts_with("to=<") || rest.starts_with("from=<");
    let is_any =
        is_fields && !id.is_empty() && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let is_long = id.len() >= 12 && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let is_short = id.len() >= 5
        && id.bytes().all(|octet| octet.is_ascii_digit() || (b'A'..=b'F').contains(&octet));
    (is_any || is_short || is_long || id == "NOQUEUE").then_some((id, rest))
}

/// Fields that begin what is said of a message; without a program they prove Postfix.
fn of_message<'a>(id: &'a str, rest: &'a str, component: &str) -> Option<LogEntry<'a>> {
    let entry = if rest.starts_with("to=<") {
        delivery(rest)
    } else if let Some(rest) = rest.strip_prefix("from=<") {
        from(rest)
    } else if rest == "removed" {
        Some(entry(Status::Ended))
    } else if is_session_trouble(rest) {
        Some(trouble(rest))
    } else {
        rejection(rest).or_else(|| remark(rest, component))
    }?;
    Some(if id == "NOQUEUE" { entry } else { entry.with_queue_id(id) })
}

/// `to=<b@example.net>, orig_to=<…>, relay=…, dsn=4.2.0, status=deferred (…)`.
fn delivery(rest: &str) -> Option<LogEntry<'_>> {
    let (head, diagnosis) = match after_key(rest, "status") {
        Some(at) => {
            let word = rest[at..].split([' ', ',']).next().unwrap_or_default();
            let mut found = entry(status(word)?);
            found.diagnosis = Cow::Borrowed(parenthesised(&rest[at + word.len()..]));
            (&rest[..at], found)
        }
        // A line that was cut.
        None => (rest, entry(Status::Trouble)),
    };
    let mut found = diagnosis;
    found.recipients = vec![Cow::Borrowed(address(value(head, "to")?))];
    found.enhanced_code = value(head, "dsn").and_then(|code| code.parse().ok());
    if let Some(relay) = value(head, "relay").or_else(|| value(head, "delay")) {
        let relay = relay.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        found = found.with_peer(peer(relay));
    }
    if let Some(expired) = found.diagnosis.strip_prefix("expired: ") {
        found.diagnosis = Cow::Owned(expired.to_owned());
    }
    Some(found)
}

fn status(word: &str) -> Option<Status> {
    Some(match word {
        "sent" | "deliverable" | "SOFTBOUNCE_SENT" => Status::Sent,
        "deferred" | "SOFTBOUNCE" => Status::Deferred,
        "bounced" | "undeliverable" | "expired" | "force-expired" => Status::Bounced,
        _ => return None,
    })
}

/// The text in the outermost parentheses; the last one may have been cut off.
fn parenthesised(text: &str) -> &str {
    let text = text.trim_start_matches([',', ' ']);
    let inner = text.strip_prefix('(').unwrap_or(text);
    inner.strip_suffix(')').unwrap_or(inner)
}

/// `from=<a>, size=…, nrcpt=…`, `from=<a>, status=expired, returned to sender`; behind `from=<`.
fn from(rest: &str) -> Option<LogEntry<'_>> {
    let (sender, after) = rest.split_once('>')?;
    let mut found = match value(after, "status").and_then(status) {
        Some(status) => entry(status).saying("message expired in the queue"),
        None => entry(Status::Received),
    };
    found.sender = Some(Cow::Borrowed(sender));
    Some(found)
}

/// How a session broke, on a line beside the delivery's own.
fn is_session_trouble(rest: &str) -> bool {
    rest.starts_with("host ")
        || rest.starts_with("lost connection with ")
        || rest.starts_with("conversation with ")
        || rest.starts_with("connect to ")
        || rest.starts_with("Cannot start TLS")
        || rest.starts_with("TLS is required")
        || rest.starts_with("SSL_connect error")
}

fn trouble(rest: &str) -> LogEntry<'_> {
    let named = ["host ", " with ", "connect to ", "error to "]
        .iter()
        .find_map(|mark| rest.find(mark).map(|at| &rest[at + mark.len()..]));
    let host = named.and_then(|rest| rest.split([' ', ',']).next()).unwrap_or_default();
    entry(Status::Trouble).with_peer(peer(host.trim_end_matches(':'))).saying(rest)
}

/// `reject: RCPT from host[192.0.2.7]: 450 4.7.1 …; from=<a> to=<b> proto=ESMTP helo=<c>`,
/// `milter-reject: END-OF-MESSAGE from …: 5.7.1 …`.
fn rejection(rest: &str) -> Option<LogEntry<'_>> {
    let (kind, rest) = rest.split_once(": ")?;
    if !matches!(kind, "reject" | "milter-reject" | "reject_warning") {
        return None;
    }
    let (moment, rest) = rest.split_once(" from ")?;
    let (client, said) = split_client(rest)?;
    let (text, fields) = match said.rfind("; from=<").or_else(|| said.rfind("; proto=")) {
        Some(at) => (&said[..at], &said[at + 2..]),
        None => (said, ""),
    };
    let status = match (kind, text.as_bytes().first()) {
        ("reject_warning", _) => Status::Trouble,
        (_, Some(b'4')) => Status::RejectedForNow,
        (_, Some(b'5')) => Status::Rejected,
        _ => Status::RejectedForNow,
    };
    let mut found = entry(status).with_peer(peer(client));
    found = if kind == "milter-reject" { by_milter(found, text) } else { found.saying(text) };
    found.stage = stage(moment);
    found.sender = value(fields, "from").map(|from| Cow::Borrowed(address(from)));
    found.recipients.extend(value(fields, "to").map(|to| Cow::Borrowed(address(to))));
    Some(found)
}

/// What a milter let say; the texts that stand in for its silence (smtpd_milters' own)
/// say nothing but their code.
fn by_milter<'a>(mut found: LogEntry<'a>, text: &'a str) -> LogEntry<'a> {
    let (code, words) = text.split_once(' ').unwrap_or((text, ""));
    let is_silent =
        ["try again later", "service unavailable - try again later", "command rejected"]
            .iter()
            .any(|known| words.eq_ignore_ascii_case(known));
    if is_silent {
        found.enhanced_code = code.parse().ok();
        return found;
    }
    found.saying(text)
}

/// `host[192.0.2.7]:1337: text`: the client and what it was told.
fn split_client(rest: &str) -> Option<(&str, &str)> {
    let end = rest.find("]: ").map(|at| (at + 1, at + 3)).or_else(|| {
        let close = rest.find("]:")?;
        let colon = close + 2 + rest[close + 2..].find(": ")?;
        Some((close + 1, colon + 2))
    });
    let (client, said) = end.or_else(|| rest.find(": ").map(|at| (at, at + 2)))?;
    Some((&rest[..client], &rest[said..]))
}

/// The rest of what is said of a message, where the program is known.
fn remark<'a>(rest: &'a str, component: &str) -> Option<LogEntry<'a>> {
    let known = [
        "message-id=",
        "resent-message-id=",
        "client=",
        "uid=",
        "sender non-delivery",
        "sender delay",
        "milter-",
        "replace: ",
        "prepend: ",
        "hold: ",
        "discard: ",
        "redirect: ",
        "filter: ",
        "info: ",
        "warning: ",
        "skipped, ",
        "enabling PIX",
        "Server certificate",
        "table ",
    ];
    let is_known = known.iter().any(|known| rest.starts_with(known));
    if !is_known && component.is_empty() {
        return None;
    }
    let mut found = entry(Status::Note);
    if let Some(client) = rest.strip_prefix("client=") {
        found = found.with_peer(peer(client.split(',').next().unwrap_or_default()));
    } else if let Some(id) = rest.strip_prefix("uid=").and(value(rest, "from")) {
        found.status = Status::Received;
        found.sender = Some(Cow::Borrowed(address(id)));
    }
    Some(found)
}

/// A line about no message, of a known daemon.
fn without_id<'a>(component: &str, message: &'a str) -> LogEntry<'a> {
    if is_session_trouble(message) {
        return trouble(message);
    }
    let inbound = matches!(component, "smtpd" | "postscreen" | "tlsproxy" | "submission");
    let breaks = [
        "lost connection after ",
        "timeout after ",
        "too many errors after ",
        "improper command pipelining after ",
        "SSL_accept error from ",
        "NON-SMTP COMMAND from ",
        "COMMAND TIME LIMIT from ",
        "COMMAND COUNT LIMIT from ",
        "COMMAND LENGTH LIMIT from ",
        "HANGUP after ",
        "PREGREET ",
        "BARE NEWLINE from ",
    ];
    if inbound && breaks.iter().any(|known| message.starts_with(known)) {
        return client_trouble(message);
    }
    let severe = ["warning: ", "fatal: ", "panic: ", "error: "]
        .iter()
        .find_map(|level| message.strip_prefix(level));
    if let Some(words) = severe {
        return warning(words);
    }
    if let Some((_, words)) = message.split_once("delivery temporarily suspended: ") {
        return entry(Status::Trouble).saying(words);
    }
    entry(Status::Note)
}

fn client_trouble(message: &str) -> LogEntry<'_> {
    let (words, client) = message.rsplit_once(" from ").unwrap_or((message, ""));
    let client = client.split(": ").next().unwrap_or_default();
    let client = client.split(' ').next().unwrap_or_default();
    entry(Status::Trouble).with_peer(peer(client)).saying(words)
}

/// `unknown[192.0.2.7]: SASL LOGIN authentication failed: …` and other warnings.
fn warning(words: &str) -> LogEntry<'_> {
    match words.split_once("]: SASL ") {
        Some((client, rest)) if rest.contains("authentication failed") => {
            let mut found =
                entry(Status::Rejected).with_peer(peer(client)).saying(&words[client.len() + 3..]);
            found.stage = Some(crate::Stage::Auth);
            found
        }
        _ => entry(Status::Trouble).saying(words),
    }
}

/// Lines that are Postfix's by their words alone, as in a paste without syslog's prefix.
fn without_program(message: &str) -> Option<LogEntry<'_>> {
    let begins = ["lost connection with ", "conversation with ", "connect to "];
    if begins.iter().any(|known| message.starts_with(known)) {
        return Some(trouble(message));
    }
    if message.starts_with("to=<") {
        return delivery(message);
    }
    if message.starts_with("reject: ") || message.starts_with("milter-reject: ") {
        return rejection(message);
    }
    let is_host = message.starts_with("(host ") || message.starts_with("host ");
    (is_host && (message.contains("] said: ") || message.contains("refused to talk to me: ")))
        .then(|| trouble(parenthesised(message)))
}
