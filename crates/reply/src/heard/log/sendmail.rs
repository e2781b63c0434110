//! Sendmail: `QUEUEID: to=<…>, …, relay=host [address], dsn=…, stat=…`, the refusals of
//! its rulesets and milters, and what it says of sessions.

use std::borrow::Cow;

use super::fields::{address, after_key, peer, value};
use super::{Format, LogEntry, Status};
use crate::Stage;

/// Reads what stands behind the program. Without a program's name only lines count that
/// no other program writes.
pub(super) fn read(is_named: bool, message: &str) -> Option<LogEntry<'_>> {
    let Some((id, rest)) = queue_id(message).or_else(|| short_queue_id(message)) else {
        return session(message).filter(|_| is_named);
    };
    let entry = if rest.starts_with("to=") {
        delivery(rest)
    } else if rest.starts_with("from=") {
        arrival(rest)
    } else {
        refusal(rest).or_else(|| notice(rest).filter(|_| is_named))
    }?;
    Some(if id == "NOQUEUE" { entry } else { entry.with_queue_id(id) })
}

fn entry<'a>(status: Status) -> LogEntry<'a> {
    LogEntry::new(Format::Sendmail, status)
}

/// `q4BNppVr011346`: letters of the time, then the process; also `NOQUEUE`.
fn queue_id(message: &str) -> Option<(&str, &str)> {
    let (id, rest) = message.split_once(": ")?;
    let digits = id.bytes().filter(u8::is_ascii_digit).count();
    let is_id = (10..=20).contains(&id.len())
        && digits >= 5
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    (is_id || id == "NOQUEUE").then_some((id, rest))
}

/// The queue ids of old, `AAA12345`, and those that somebody cut short, where what stands
/// behind them is Sendmail's own.
fn short_queue_id(message: &str) -> Option<(&str, &str)> {
    let (id, rest) = message.split_once(": ")?;
    let is_id = (4..=20).contains(&id.len())
        && id.bytes().any(|octet| octet.is_ascii_digit())
        && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let is_delivery = rest.starts_with("to=") && after_key(rest, "stat").is_some();
    let is_arrival = rest.starts_with("from=") && after_key(rest, "nrcpts").is_some();
    (is_id && (is_delivery || is_arrival)).then_some((id, rest))
}

/// The recipients stand behind `to=`, joined by commas, up to the next field.
fn delivery(rest: &str) -> Option<LogEntry<'_>> {
    let at = after_key(rest, "stat")?;
    let words = rest[at..].trim();
    let mut found = entry(status(words)).saying(said(words));
    found.recipients = recipients(&rest[3..]).map(Cow::Borrowed).collect();
    found.enhanced_code = value(rest, "dsn").and_then(|code| code.parse().ok());
    if let Some(relay) = after_key(rest, "relay") {
        let relay = rest[relay..].split(',').next().unwrap_or_default();
        found = found.with_peer(peer(relay));
    }
    Some(found)
}

fn recipients(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .take_while(|part| !part.starts_with(' '))
        .map(address)
        .filter(|address| !address.is_empty())
}

fn status(words: &str) -> Status {
    if words.starts_with("Sent") {
        Status::Sent
    } else if words.starts_with("Deferred") || words.starts_with("queued") {
        Status::Deferred
    } else {
        Status::Bounced
    }
}

/// The words behind `Deferred: ` and those in `Sent (…)`. `Service unavailable` is how it
/// names an exit status (EX_UNAVAILABLE of sysexits.h), and nothing that anybody said.
fn said(words: &str) -> &str {
    if let Some(taken) = words.strip_prefix("Sent") {
        return taken.trim_matches([' ', '(', ')']);
    }
    match words.strip_prefix("Deferred").map_or(words, |rest| rest.trim_start_matches([':', ' '])) {
        "Service unavailable" | "Data format error" => "",
        said => said,
    }
}

fn arrival(rest: &str) -> Option<LogEntry<'_>> {
    after_key(rest, "class").or_else(|| after_key(rest, "nrcpts"))?;
    let mut found = entry(Status::Received);
    found.sender = Some(Cow::Borrowed(address(value(rest, "from")?)));
    if let Some(relay) = after_key(rest, "relay") {
        found = found.with_peer(peer(&rest[relay..]));
    }
    Some(found)
}

/// `ruleset=check_rcpt, arg1=<b>, relay=…, reject=553 5.1.8 …`, `Milter: to=<b>, reject=451 …`.
fn refusal(rest: &str) -> Option<LogEntry<'_>> {
    let at = after_key(rest, "reject")?;
    let words = &rest[at..];
    let status = if words.starts_with('4') { Status::RejectedForNow } else { Status::Rejected };
    let mut found = entry(status).saying(words);
    let ruleset = value(rest, "ruleset").unwrap_or_default();
    let argument = value(rest, "arg1").map(|argument| Cow::Borrowed(address(argument)));
    found.stage = match ruleset {
        "check_relay" => Some(Stage::Connection),
        "check_mail" => Some(Stage::Mail),
        "check_rcpt" => Some(Stage::Rcpt),
        "check_eoh" | "check_eom" => Some(Stage::EndOfData),
        _ => None,
    };
    match found.stage {
        Some(Stage::Rcpt) => found.recipients.extend(argument),
        Some(Stage::Mail) => found.sender = argument,
        _ => {}
    }
    found.recipients.extend(value(&rest[..at], "to").map(|to| Cow::Borrowed(address(to))));
    if let Some(relay) = after_key(&rest[..at], "relay") {
        found = found.with_peer(peer(rest[relay..at].split(',').next().unwrap_or_default()));
    }
    Some(found)
}

/// `<b@example.net>... User unknown`, `DSN: User unknown`, `lost input channel from …`.
fn notice(rest: &str) -> Option<LogEntry<'_>> {
    if let Some((recipient, words)) = rest.split_once(">... ").filter(|_| rest.starts_with('<')) {
        let mut found = entry(Status::Rejected).saying(words);
        found.recipients.push(Cow::Borrowed(address(recipient)));
        found.stage = Some(Stage::Rcpt);
        return Some(found);
    }
    let notices = [": DSN: ", ": sender notify: ", ": postmaster notify: ", ": return to sender: "];
    if let Some(words) =
        notices.iter().find_map(|mark| Some(&rest[rest.find(mark)? + mark.len()..]))
    {
        return Some(entry(Status::Trouble).saying(words));
    }
    session(rest)
}

/// What it says of sessions, its own load and its clients.
fn session(rest: &str) -> Option<LogEntry<'_>> {
    let troubles = [
        "lost input channel from ",
        "timeout waiting for input from ",
        "rejecting connections on daemon",
        "did not issue MAIL/EXPN/VRFY/ETRN",
        "SYSERR",
        "Losing ",
        "possible SMTP attack",
        "Too many recipients",
        "AUTH failure",
        "STARTTLS=client, error",
        "STARTTLS=server, error",
        "collect: premature EOM",
        "tempfailing",
        "User unknown",
    ];
    if troubles.iter().any(|known| rest.contains(known)) {
        return Some(entry(Status::Trouble).saying(rest));
    }
    let notes =
        ["STARTTLS=", "Milter", "AUTH=", "msgid=", "alias ", "starting daemon", "clone:", "owner="];
    notes.iter().any(|known| rest.starts_with(known)).then(|| entry(Status::Note))
}
