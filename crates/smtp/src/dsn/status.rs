//! The part for programs: the fields of RFC 3464 §2, or with addresses beyond ASCII
//! those of RFC 6533 §4.1.

use std::net::IpAddr;

use reply::Timestamp;

use super::text::{ascii, clean, encoded, folded, one_word, verbatim};
use super::{Diagnostic, Part, RecipientReport, Report, is_global};
use crate::message::date::rfc5322_date;
use crate::message::trace::address_literal;
use crate::syntax::ForwardPath;
use crate::syntax::parameters::decode_xtext;

/// Most lines of a reply that are told, and most characters of each.
const MAX_DIAGNOSTIC_LINES: usize = 20;
const MAX_DIAGNOSTIC_CHARACTERS: usize = 1000;

/// The second part of the report.
pub(super) fn part(report: &Report<'_>) -> Part {
    let global = is_global(report);
    let mut body = of_message(report);
    for recipient in &report.recipients {
        body += "\r\n";
        body += &of_recipient(recipient, report, global);
    }
    let content_type =
        if global { "message/global-delivery-status" } else { "message/delivery-status" };
    // RFC 6533 §4.4 allows an encoding in the global type; in the other one all is ASCII.
    let (encoding, body) = encoded(body.as_bytes());
    Part { content_type: content_type.to_owned(), encoding, more: String::new(), body }
}

fn of_message(report: &Report<'_>) -> String {
    let mut out = field("Reporting-MTA", reporting_mta(report.reporting_mta));
    if let Some(envid) = report.envid {
        out += &verbatim("Original-Envelope-Id", &in_ascii(&from_xtext(envid)));
    }
    if let Some((hello, client)) = report.received_from {
        let address = client.map(|client| format!(" ({})", address_literal(client)));
        let name = one_word(hello);
        let name = if name.is_empty() { "unknown".to_owned() } else { name };
        out += &field("Received-From-MTA", format!("dns; {name}{}", address.unwrap_or_default()));
    }
    out + &date("Arrival-Date", Some(report.arrival), report)
}

fn of_recipient(recipient: &RecipientReport<'_>, report: &Report<'_>, global: bool) -> String {
    let mut out = String::new();
    if let Some(original) = recipient.original_recipient {
        out += &verbatim("Original-Recipient", &original_recipient(original, global));
    }
    out += &verbatim("Final-Recipient", &final_recipient(recipient.final_recipient));
    out += &field("Action", recipient.action.name().to_owned());
    out += &field("Status", recipient.status.to_string());
    if let Some(remote) = recipient.remote_mta {
        out += &field("Remote-MTA", remote_mta(remote));
    }
    if let Some(diagnostic) = recipient.diagnostic {
        out += &folded("Diagnostic-Code", &diagnostic_code(diagnostic, global));
    }
    out += &date("Last-Attempt-Date", recipient.last_attempt, report);
    out + &date("Will-Retry-Until", recipient.will_retry_until, report)
}

fn field(name: &str, value: String) -> String {
    folded(name, &[value])
}

fn date(name: &str, at: Option<Timestamp>, report: &Report<'_>) -> String {
    let at = at.map(|at| field(name, rfc5322_date(at, report.offset_minutes)));
    at.unwrap_or_default()
}

/// `dns` is for names that DNS can know; a name of one label is our own affair
/// (RFC 3461 §6.3).
fn reporting_mta(name: &str) -> String {
    let name = one_word(name);
    let kind = if name.contains('.') || name.contains(':') { "dns" } else { "x-local-hostname" };
    format!("{kind}; {name}")
}

/// A name in DNS; an address as a literal (RFC 3464 §2.3.5); a unix socket is no host.
fn remote_mta(remote: &str) -> String {
    match remote.parse::<IpAddr>() {
        Ok(address) => format!("dns; {}", address_literal(address)),
        Err(_) if remote.starts_with('/') => format!("x-unix; {}", ascii(remote)),
        Err(_) => format!("dns; {}", one_word(remote)),
    }
}

fn final_recipient(path: &ForwardPath) -> String {
    let path = path.to_string();
    let kind = if path.is_ascii() { "rfc822" } else { "utf-8" };
    format!("{kind}; {path}")
}

/// ORCPT without its encoding; a utf-8 address keeps the seven-bit form where the part
/// is of seven bits (RFC 6533 §3).
fn original_recipient(given: &str, global: bool) -> String {
    let (kind, address) = given.split_once(';').unwrap_or(("rfc822", given));
    let address = match (kind.eq_ignore_ascii_case("utf-8"), global) {
        (true, true) => from_unitext(address),
        (true, false) => in_ascii(address),
        (false, _) => in_ascii(&from_xtext(address)),
    };
    format!("{}; {address}", one_word(kind))
}

fn in_ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// What decided, in lines. Only the global type can say what is beyond ASCII
/// (RFC 6533 §4.1).
fn diagnostic_code(diagnostic: Diagnostic<'_>, global: bool) -> Vec<String> {
    let plain = if global { clean } else { ascii };
    let cut = |text: &str| plain(text).chars().take(MAX_DIAGNOSTIC_CHARACTERS).collect::<String>();
    match diagnostic {
        Diagnostic::Heard(reply) => smtp_diagnostic(reply, cut),
        Diagnostic::Ours(words) => vec![format!("x-secondpost; {}", cut(words))],
    }
}

/// The reply line by line (RFC 3461 §9.2).
fn smtp_diagnostic(reply: &reply::Reply, cut: impl Fn(&str) -> String) -> Vec<String> {
    let code = reply.code();
    let enhanced = reply.enhanced_code().map(|code| format!("{code} ")).unwrap_or_default();
    let count = reply.lines().len().min(MAX_DIAGNOSTIC_LINES);
    let line = |(at, text): (usize, &String)| {
        let separator = if at + 1 < count { '-' } else { ' ' };
        let kind = if at == 0 { "smtp; " } else { "" };
        format!("{kind}{code}{separator}{enhanced}{}", cut(text))
    };
    reply.lines().iter().take(count).enumerate().map(line).collect()
}

/// The content of xtext; what is no xtext stays.
fn from_xtext(text: &str) -> String {
    decode_xtext(text).unwrap_or_else(|| text.to_owned())
}

/// Decodes `\x{HEXPOINT}` (RFC 6533 §3); what is none stays.
fn from_unitext(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x{") {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let point = escape[3..].split_once('}').and_then(|(digits, after)| {
            let point = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            Some((point, after))
        });
        match point {
            Some((point, after)) => {
                out.push(point);
                rest = after;
            }
            None => {
                out.push_str("\\x{");
                rest = &escape[3..];
            }
        }
    }
    out + rest
}
