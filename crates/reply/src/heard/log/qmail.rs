//! qmail-send's log, in which a space is `_` and a line end is `/`, and the refusals of
//! rblsmtpd. Recipient and sender stand on other lines; what the remote host said is kept
//! only where it answered at all.

use std::borrow::Cow;

use super::{Format, LogEntry, Status};
use crate::Stage;

/// Reads what stands behind the time.
pub(super) fn read<'a>(program: &str, message: &'a str) -> Option<LogEntry<'a>> {
    let message = without_inner_time(message);
    if let Some(rest) = message.strip_prefix("rblsmtpd: ") {
        return rblsmtpd(rest);
    }
    if program.starts_with("rblsmtpd") {
        return rblsmtpd(message);
    }
    if let Some(rest) = message.strip_prefix("delivery ") {
        return delivery(rest);
    }
    if let Some(rest) = message.strip_prefix("starting delivery ") {
        return start(rest);
    }
    if let Some(rest) = message.strip_prefix("info msg ") {
        return arrival(rest);
    }
    if let Some(rest) = message.strip_prefix("end msg ") {
        return Some(entry(Status::Ended).with_queue_id(rest.trim()));
    }
    let notes = ["new msg ", "status: local ", "bounce msg ", "warning: ", "alert: "];
    if program == "qmail" || program == "qmail-send" || message.starts_with("status: local ") {
        return notes.iter().any(|known| message.starts_with(known)).then(|| entry(Status::Note));
    }
    without_delivery(message)
}

fn entry<'a>(status: Status) -> LogEntry<'a> {
    LogEntry::new(Format::Qmail, status)
}

/// splogger keeps the time of multilog inside the message.
fn without_inner_time(message: &str) -> &str {
    match super::time::at_start(message, None) {
        Some((_, used)) => message[used..].trim_start(),
        None => message,
    }
}

/// `192.0.2.77 pid 19597 list.example: 451 words`.
fn rblsmtpd(rest: &str) -> Option<LogEntry<'_>> {
    let (address, rest) = rest.split_once(' ')?;
    let at = rest.find(": ")?;
    let said = &rest[at + 2..];
    let status = if said.starts_with('5') { Status::Rejected } else { Status::RejectedForNow };
    let mut found = entry(status).saying(format!("{said} listed by {}", &rest[..at]));
    found.peer_address = Some(Cow::Borrowed(address));
    found.stage = Some(Stage::Connection);
    Some(found)
}

/// `5: failure: words/`. The number joins it with the line that names the recipient.
fn delivery(rest: &str) -> Option<LogEntry<'_>> {
    let (number, rest) = rest.split_once(": ")?;
    let (result, words) = rest.split_once(": ").unwrap_or((rest, ""));
    let status = match result {
        "success" => Status::Sent,
        "deferral" => Status::Deferred,
        "failure" => Status::Bounced,
        _ => return None,
    };
    let mut found = told(entry(status), words);
    found.queue_id = Some(Cow::Owned(format!("delivery {number}")));
    Some(found)
}

/// `5: msg 12345 to remote b@example.net`: a sender is not known yet.
fn start(rest: &str) -> Option<LogEntry<'_>> {
    let (number, rest) = rest.split_once(": msg ")?;
    let (message, to) = rest.split_once(" to ")?;
    let mut found = entry(Status::Note);
    found.queue_id = Some(Cow::Owned(format!("delivery {number}")));
    found.recipients.push(Cow::Borrowed(to.split_once(' ')?.1.trim()));
    found.program = Cow::Borrowed("qmail-send");
    // The reader follows it to the message's own line.
    found.diagnosis = Cow::Borrowed(message);
    Some(found)
}

/// `12345: bytes 831 from <a@example.org> qp 9 uid 82`.
fn arrival(rest: &str) -> Option<LogEntry<'_>> {
    let (id, rest) = rest.split_once(": ")?;
    let mut found = entry(Status::Received).with_queue_id(id);
    found.sender = Some(Cow::Borrowed(super::fields::between(rest, "from <", ">")?));
    Some(found)
}

/// A paste of the words alone.
fn without_delivery(message: &str) -> Option<LogEntry<'_>> {
    let known = [
        "_does_not_like_recipient.",
        "_failed_after_I_sent_the_message.",
        "_but_sender_was_rejected.",
        "/Giving_up_on_",
        "/Remote_host_said:_",
        "_but_greeting_failed.",
        "_but_connection_died.",
        "_(#",
    ];
    let is_known = known.iter().any(|known| message.contains(known)) && !message.contains(' ');
    is_known.then(|| told(entry(Status::Bounced), message))
}

fn told<'a>(mut found: LogEntry<'a>, words: &'a str) -> LogEntry<'a> {
    let words = decoded(words);
    let host = words.split(' ').find(|word| {
        word.split('.').count() == 4
            && word.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
    });
    found.peer_address = host.map(|host| Cow::Owned(host.to_owned()));
    found.stage = moment(&words);
    found.diagnosis = Cow::Owned(said(&words).unwrap_or(&words).to_owned());
    found
}

/// What the remote host said, between qmail's own sentences.
fn said(words: &str) -> Option<&str> {
    let at = words.find("Remote host said: ")?;
    let rest = &words[at + "Remote host said: ".len()..];
    let end =
        rest.find("\nGiving up on ").or_else(|| rest.find("Giving up on ")).unwrap_or(rest.len());
    Some(rest[..end].trim())
}

fn moment(words: &str) -> Option<Stage> {
    let moments = [
        ("does not like recipient", Stage::Rcpt),
        ("sender was rejected", Stage::Mail),
        ("after I sent the message", Stage::EndOfData),
        ("failed on DATA command", Stage::Data),
        ("greeting failed", Stage::Connection),
        ("my name was rejected", Stage::Helo),
    ];
    moments.into_iter().find(|(known, _)| words.contains(known)).map(|(_, stage)| stage)
}

/// Undoes qmail-send's escapes. A slash is a line end only where a sentence begins behind
/// it: in an address of the web it is itself.
fn decoded(words: &str) -> String {
    let octets = words.as_bytes();
    let mut text = String::with_capacity(words.len());
    for (at, c) in words.char_indices() {
        let next = octets.get(at + 1);
        let ends_line = next.is_none_or(u8::is_ascii_uppercase)
            && octets.get(at.wrapping_sub(1)) != Some(&b'/');
        match c {
            '_' => text.push(' '),
            '/' if ends_line => text.push('\n'),
            other => text.push(other),
        }
    }
    text.truncate(text.trim_end().len());
    text
}
