//! Exchange's CSV logs: message tracking (one event a line) and the protocol logs of its
//! connectors (one line for what was sent `>`, received `<` or happened `*`). A `#Fields:`
//! header names the columns; without one they are taken in the order of Exchange 2013.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::fields::stage;
use super::time;
use super::{Format, LogEntry, Status};
use crate::{Class, Code};

/// Where the columns stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns(Vec<String>);

const PROTOCOL: &str = "date-time,connector-id,session-id,sequence-number,local-endpoint,\
    remote-endpoint,event,data,context";
const TRACKING: &str = "date-time,client-ip,client-hostname,server-ip,server-hostname,\
    source-context,connector-id,source,event-id,internal-message-id,message-id,\
    network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,\
    related-recipient-address,reference,message-subject,sender-address,return-path";

static STANDARD_PROTOCOL: LazyLock<Columns> = LazyLock::new(|| Columns::standard(PROTOCOL));
static STANDARD_TRACKING: LazyLock<Columns> = LazyLock::new(|| Columns::standard(TRACKING));

impl Columns {
    /// The columns of a `#Fields: ` line, or of a header as `Export-Csv` writes it.
    pub(super) fn of_header(line: &str) -> Option<Columns> {
        let names = line.trim_start_matches('\u{feff}');
        let names = names.strip_prefix("#Fields:").or_else(|| {
            let lower = names.to_ascii_lowercase();
            (lower.contains("event-id")
                || lower.contains("recipientstatus")
                || lower.contains("session-id"))
            .then_some(names)
        })?;
        let named = |name: Cow<'_, str>| name.trim().to_ascii_lowercase().replace('-', "");
        Some(Columns(split(names).map(named).collect()))
    }

    /// The columns of a `#Fields: ` line alone.
    pub(super) fn of_fields(line: &str) -> Option<Columns> {
        line.trim_start_matches('\u{feff}')
            .starts_with("#Fields:")
            .then(|| Columns::of_header(line))?
    }

    fn standard(names: &str) -> Columns {
        Columns(names.split(',').map(|name| name.trim().replace('-', "")).collect())
    }

    /// Reads a row.
    pub(super) fn read<'a>(&self, line: &'a str) -> Option<LogEntry<'a>> {
        let values: Vec<Cow<'a, str>> = split(line).collect();
        let of = |name: &str| -> Option<Cow<'a, str>> {
            let at = self.0.iter().position(|known| known == name)?;
            values.get(at).filter(|value| !value.is_empty()).cloned()
        };
        let mut entry = if self.0.iter().any(|name| name == "eventid") {
            tracking(&of)
        } else if self.0.iter().any(|name| name == "event") {
            protocol(&of)
        } else {
            None
        }?;
        let when = of("datetime").or_else(|| of("timestamp"))?;
        entry.time = time::at_start(&when, None).and_then(|(time, _)| time);
        Some(entry)
    }
}

/// A line above the rows: `#Software: `, `#Fields: ` and the like.
pub(super) fn read_header(line: &str) -> Option<LogEntry<'_>> {
    let names = ["#Software:", "#Version:", "#Log-type:", "#Date:", "#Fields:"];
    let is_header = names.iter().any(|name| line.starts_with(name));
    is_header.then(|| LogEntry::new(Format::Exchange, Status::Note))
}

/// Reads a row whose header was not seen.
pub(super) fn read_without_header(line: &str) -> Option<LogEntry<'_>> {
    let octets = line.as_bytes();
    let begins = octets.len() > 24 && octets[0].is_ascii_digit() && octets[10] == b'T';
    let (time, rest) = line.split_once(',').filter(|_| begins)?;
    if time.len() > 30 || rest.split(',').count() < 7 {
        return None;
    }
    let event = split(line).nth(6)?;
    if matches!(&*event, "<" | ">" | "*" | "+" | "-") {
        return STANDARD_PROTOCOL.read(line);
    }
    let event = split(line).nth(8)?;
    let is_event = event.len() > 3 && event.bytes().all(|octet| octet.is_ascii_uppercase());
    is_event.then(|| STANDARD_TRACKING.read(line))?
}

type Field<'f, 'a> = &'f dyn Fn(&str) -> Option<Cow<'a, str>>;

fn tracking<'a>(of: Field<'_, 'a>) -> Option<LogEntry<'a>> {
    let status = match &*of("eventid")? {
        "SEND" | "SENDEXTERNAL" | "DELIVER" | "DUPLICATEDELIVER" => Status::Sent,
        "DEFER" => Status::Deferred,
        "FAIL" | "BADMAIL" | "POISONMESSAGE" | "DROP" => Status::Bounced,
        "RECEIVE" | "SUBMIT" => Status::Received,
        _ => Status::Note,
    };
    let mut entry = LogEntry::new(Format::Exchange, status);
    entry.queue_id = of("internalmessageid").or_else(|| of("messageid"));
    entry.sender = of("senderaddress").or_else(|| of("returnpath")).or_else(|| of("sender"));
    let recipients = of("recipientaddress").or_else(|| of("recipients"));
    entry.recipients = recipients.map(addresses).unwrap_or_default();
    (entry.peer_name, entry.peer_address) = (of("serverhostname"), of("serverip"));
    let said = of("recipientstatus").map(said);
    entry.diagnosis = said.or_else(|| of("sourcecontext")).unwrap_or_default();
    Some(entry)
}

/// What was said to each recipient, in their order: `550 5.1.1 …;452 4.2.2 …`. Empty where
/// the same was said to all.
pub(super) fn statuses<'e>(entry: &'e LogEntry<'_>) -> Vec<&'e str> {
    let count = entry.recipients.len();
    if entry.format != Format::Exchange || count < 2 {
        return Vec::new();
    }
    let said = entry.diagnosis.as_ref();
    let starts = memchr::memchr_iter(b';', said.as_bytes()).map(|at| at + 1);
    let starts = starts.filter(|at| begins_a_reply(&said[*at..]));
    let ends: Vec<usize> = starts.chain([said.len() + 1]).collect();
    let mut from = 0;
    let cut = |end: &usize| said[std::mem::replace(&mut from, *end)..*end - 1].trim();
    let parts: Vec<&str> = ends.iter().map(cut).collect();
    if parts.len() == count && begins_a_reply(said) { parts } else { Vec::new() }
}

/// Whether three digits stand there and a space or hyphen: what a text behind a semicolon of
/// its own seldom has.
fn begins_a_reply(text: &str) -> bool {
    let text = text.trim_start().as_bytes();
    matches!(text, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..])
}

/// The row once for each recipient, with what was said to him; `None` for rows about one.
pub(super) fn each<'e>(entry: &'e LogEntry<'_>) -> Option<Vec<LogEntry<'e>>> {
    let is_of_several =
        entry.format == Format::Exchange && entry.recipients.len() > 1 && entry.status.is_outcome();
    if !is_of_several {
        return None;
    }
    let statuses = statuses(entry);
    let one = |(at, recipient): (usize, &'e Cow<'_, str>)| {
        let mut one: LogEntry<'e> = entry.clone();
        one.recipients = vec![Cow::Borrowed(&**recipient)];
        match statuses.get(at) {
            Some(status) => one.saying(*status),
            None => one,
        }
    };
    Some(entry.recipients.iter().enumerate().map(one).collect())
}

/// `a@example.net;b@example.net`.
fn addresses(list: Cow<'_, str>) -> Vec<Cow<'_, str>> {
    match list {
        Cow::Borrowed(list) => list.split(';').map(Cow::Borrowed).collect(),
        Cow::Owned(list) => list.split(';').map(|one| Cow::Owned(one.to_owned())).collect(),
    }
}

/// The replies in `[{LED=550 5.1.1 …};{MSG=};{FQDN=…}]`, of which there may be one for each
/// recipient; else the text as it is.
fn said(text: Cow<'_, str>) -> Cow<'_, str> {
    let reply = |rest: &str| {
        rest.split("};").next().unwrap_or(rest).trim_end_matches(['}', ']']).to_owned()
    };
    let replies: Vec<String> = text.split("{LED=").skip(1).map(reply).collect();
    if replies.is_empty() { text } else { Cow::Owned(replies.join(";")) }
}

fn protocol<'a>(of: Field<'_, 'a>) -> Option<LogEntry<'a>> {
    let event = of("event")?;
    let (data, context) = (of("data").unwrap_or_default(), of("context").unwrap_or_default());
    let mut entry = match &*event {
        "<" | ">" => spoken(&event, data),
        "*" | "-" => happened(if data.is_empty() || !context.is_empty() { context } else { data }),
        _ => LogEntry::new(Format::Exchange, Status::Note),
    };
    entry.queue_id = of("sessionid");
    entry.peer_address = of("remoteendpoint").map(|endpoint| match endpoint.rsplit_once(':') {
        Some((address, _)) => Cow::Owned(address.trim_matches(['[', ']']).to_owned()),
        None => endpoint,
    });
    Some(entry)
}

/// A reply that came in is the other server's; one that went out is ours.
fn spoken<'a>(event: &str, data: Cow<'a, str>) -> LogEntry<'a> {
    let code = data.get(..3).and_then(|digits| digits.parse().ok()).and_then(Code::new);
    let status = match (event, code.map(Code::class)) {
        ("<", Some(Class::Transient)) => Status::Deferred,
        ("<", Some(Class::Permanent)) => Status::Bounced,
        ("<", Some(Class::Positive)) if data.contains("ueued") || data.contains("2.6.0") => {
            Status::Sent
        }
        (">", Some(Class::Transient)) => Status::RejectedForNow,
        (">", Some(Class::Permanent)) => Status::Rejected,
        _ => Status::Note,
    };
    let mut entry = LogEntry::new(Format::Exchange, status);
    match code {
        Some(_) => entry.diagnosis = data,
        None => command(&mut entry, data),
    }
    entry
}

/// The commands of a session tell whom the next reply is about.
fn command<'a>(entry: &mut LogEntry<'a>, data: Cow<'a, str>) {
    entry.stage = stage(&data);
    let path = super::fields::between(&data, "<", ">").map(|path| Cow::Owned(path.to_owned()));
    match entry.stage {
        Some(crate::Stage::Mail) => entry.sender = path,
        Some(crate::Stage::Rcpt) => entry.recipients.extend(path),
        _ => {}
    }
}

fn happened(words: Cow<'_, str>) -> LogEntry<'_> {
    let troubles = ["ailed", "rror", "imeout", "eset", "refused", "denied", "disconnect"];
    let is_trouble = troubles.iter().any(|known| words.contains(known));
    let status = if is_trouble { Status::Trouble } else { Status::Note };
    let words = match &*words {
        "Remote(ConnectionReset)" => Cow::Borrowed("connection reset by peer"),
        "Local(ConnectionTimeout)" | "Remote(ConnectionTimeout)" => {
            Cow::Borrowed("connection lost: timeout")
        }
        _ => words,
    };
    LogEntry::new(Format::Exchange, status).saying(words)
}

/// The fields of a row (RFC 4180): quoted where they hold a comma, quotes doubled.
fn split(line: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(inner) = text.strip_prefix('"') else {
            let (field, after) =
                text.split_once(',').map_or((text, None), |(field, after)| (field, Some(after)));
            rest = after;
            return Some(Cow::Borrowed(field));
        };
        let mut end = 0;
        while let Some(at) = inner[end..].find('"').map(|at| end + at) {
            if inner.as_bytes().get(at + 1) != Some(&b'"') {
                rest = inner[at + 1..].strip_prefix(',');
                return Some(unquoted(&inner[..at]));
            }
            end = at + 2;
        }
        rest = None;
        Some(unquoted(inner))
    })
}

fn unquoted(field: &str) -> Cow<'_, str> {
    if field.contains("\"\"") {
        Cow::Owned(field.replace("\"\"", "\""))
    } else {
        Cow::Borrowed(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tracking_is_read_by_its_header_and_each_recipient_has_its_own_status() {
        let file = "#Software: Microsoft Exchange Server\n#Fields: date-time,event-id,\
                    recipient-address,recipient-status,sender-address\n\
                    2026-11-28T10:00:03.000Z,FAIL,bob@example.net;carl@example.net,\
                    550 5.1.1 User unknown;452 4.2.2 Mailbox full,ann@example.org\n";
        let heard = crate::read_any(file.as_bytes());
        let told: Vec<_> = heard
            .iter()
            .map(|heard| {
                let cause = heard.verdict.as_ref().map(|verdict| verdict.cause);
                (heard.kind, heard.recipient.as_deref(), cause)
            })
            .collect();
        let log = crate::Kind::Log;
        assert_eq!(
            told,
            [
                (log, Some("bob@example.net"), Some(crate::Cause::MailboxUnknown)),
                (log, Some("carl@example.net"), Some(crate::Cause::MailboxFull)),
            ]
        );
        let said =
            "2026-11-28T10:00:02.000Z,Out,08D1,2,192.0.2.1:4000,192.0.2.9:25,<,250 2.1.0 Ok,";
        assert_eq!(crate::read_any(said.as_bytes()), []);
    }

    #[test]
    fn what_was_said_to_each_is_told_apart_by_the_code_behind_a_semicolon() {
        let row = |status: &str, recipients: &str| {
            format!(
                "#Fields: date-time,event-id,recipient-address,recipient-status\n\
                 2026-11-28T10:00:03.000Z,FAIL,{recipients},{status}\n"
            )
        };
        let causes = |status: &str, recipients: &str| -> Vec<crate::Cause> {
            let heard = crate::read_any(row(status, recipients).as_bytes());
            heard.iter().filter_map(|heard| Some(heard.verdict.as_ref()?.cause)).collect()
        };
        let both = [crate::Cause::MailboxUnknown, crate::Cause::MailboxFull];
        let two = "b@example.net;c@example.net";
        assert_eq!(causes("550 5.1.1 User unknown; see help;452 4.2.2 Full", two), both);
        let led = "[{LRT=};{LED=550 5.1.1 User unknown};{FQDN=a}];[{LED=452 4.2.2 Full};{IP=x}]";
        assert_eq!(causes(led, two), both);
        assert_eq!(causes("550 5.1.1 User unknown", two), [both[0], both[0]]);
    }

    #[test]
    fn fields_are_split_as_rfc_4180_quotes_them() {
        let fields: Vec<_> = split("a,\"b, \"\"c\"\"\",,d,").collect();
        assert_eq!(fields, ["a", "b, \"c\"", "", "d", ""]);
        assert_eq!(split("\"open").collect::<Vec<_>>(), ["open"]);
    }
}
