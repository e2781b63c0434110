//! Builds delivery status notifications: a `multipart/report` (RFC 6522) of a text for
//! people, the fields of RFC 3464 for programs, and the message or its header. With
//! addresses beyond ASCII the types are those of RFC 6533.
//!
//! Which notification is due, and to whom, is decided above; the words for people come
//! in as strings; reading notifications of others is `reply::heard`'s. What is built is
//! a whole message with CRLF, of lawful lines, to be sent with a null reverse-path.

mod original;
mod status;
#[cfg(test)]
mod tests;
mod text;

use std::net::IpAddr;

use reply::{EnhancedCode, Reply, Timestamp};

use crate::message::date::rfc5322_date;
use crate::message::header::Header;
use crate::syntax::{ForwardPath, Mailbox};

/// What happened to a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It will not be delivered.
    Failed,
    /// Not yet delivered; we go on trying.
    Delayed,
    /// In the mailbox.
    Delivered,
    /// Handed to a host that does not notify.
    Relayed,
    /// Delivered to a list or the like, which sends it on.
    Expanded,
}

impl Action {
    /// The word in the Action field.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
        }
    }
}

/// What is told of one recipient.
#[derive(Clone, Debug)]
pub struct RecipientReport<'a> {
    /// The recipient that we had (RFC 3464 §2.3.2).
    pub final_recipient: &'a ForwardPath,
    /// The value of ORCPT as it was given, `addr-type;xtext`; only where it was given.
    pub original_recipient: Option<&'a str>,
    /// What happened.
    pub action: Action,
    /// The status; 4.0.0 or 5.0.0 where nothing finer is known (RFC 3461 §6.3).
    pub status: EnhancedCode,
    /// The host that said the reply, or that we tried to reach.
    pub remote_mta: Option<&'a str>,
    /// What decided, as a diagnostic for programs (RFC 3464 §2.3.6).
    pub diagnostic: Option<Diagnostic<'a>>,
    /// When it was last tried.
    pub last_attempt: Option<Timestamp>,
    /// Until when it is tried, for [`Action::Delayed`].
    pub will_retry_until: Option<Timestamp>,
    /// What a person is told of it: paragraphs without line ends.
    pub explanation: Vec<String>,
}

/// What decided about a recipient.
#[derive(Clone, Copy, Debug)]
pub enum Diagnostic<'a> {
    /// The last reply of a host.
    Heard(&'a Reply),
    /// Our own diagnosis where no host said anything: RFC 3461 §6.3 wants a diagnostic for
    /// each recipient that was to be relayed.
    Ours(&'a str),
}

/// What of the message goes back.
#[derive(Clone, Copy, Debug)]
pub enum Original<'a> {
    /// Its header: the octets up to the empty line, or the first of them.
    Headers(&'a [u8]),
    /// All of it, for RET=FULL. What does not fit in [`MAX_RETURNED_OCTETS`], or is no
    /// lawful message, goes back as its header only; so it does without a failure
    /// (RFC 3461 §6.2).
    Full(&'a [u8]),
    /// Nothing is left of it.
    Nothing,
}

/// The frame of the text for people, in one language.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The language's tag, as in `de`.
    pub language: String,
    /// The name before the address of the sender, as in "Mail Delivery System".
    pub from_name: String,
    /// The subject.
    pub subject: String,
    /// Paragraphs before the recipients.
    pub opening: Vec<String>,
    /// Paragraphs after them.
    pub closing: Vec<String>,
}

/// All that a notification tells.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Our own host name.
    pub reporting_mta: &'a str,
    /// What the client that brought the message called itself, and its address.
    pub received_from: Option<(&'a str, Option<IpAddr>)>,
    /// When the message came.
    pub arrival: Timestamp,
    /// Now, for Date.
    pub now: Timestamp,
    /// Our offset from UTC, in minutes.
    pub offset_minutes: i32,
    /// ENVID as it was given (xtext).
    pub envid: Option<&'a str>,
    /// Who is told: the reverse-path of the message.
    pub to: &'a Mailbox,
    /// The words around the recipients.
    pub frame: Frame,
    /// One for each recipient that it is about; at least one.
    pub recipients: Vec<RecipientReport<'a>>,
    /// What of the message goes back.
    pub original: Original<'a>,
    /// Makes the boundary and the Message-ID; different for each notification.
    pub seed: u64,
}

/// Most octets of a message that are sent back whole.
pub const MAX_RETURNED_OCTETS: usize = 64 * 1024;

/// One part of the report, without its boundary.
struct Part {
    content_type: String,
    /// `7bit`, `8bit` or `quoted-printable`.
    encoding: &'static str,
    /// Fields besides those two.
    more: String,
    /// Encoded, in lines with CRLF.
    body: Vec<u8>,
}

/// The whole notification.
pub fn build(report: &Report<'_>) -> Vec<u8> {
    let mut parts = vec![human_part(report), status::part(report)];
    parts.extend(original::part(report));
    let boundary = boundary(report.seed, &parts);
    let mut out = header(report, &boundary, &parts).into_bytes();
    // For readers without MIME, the text comes first anyway.
    for part in &parts {
        write_part(part, &boundary, &mut out);
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

fn write_part(part: &Part, boundary: &str, out: &mut Vec<u8>) {
    let head = format!(
        "--{boundary}\r\nContent-Type: {}\r\nContent-Transfer-Encoding: {}\r\n{}\r\n",
        part.content_type, part.encoding, part.more
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&part.body);
    if !part.body.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn header(report: &Report<'_>, boundary: &str, parts: &[Part]) -> String {
    let host = text::one_word(report.reporting_mta);
    let mut out = String::new();
    let from_name = text::phrase(&report.frame.from_name);
    out += &format!("From: {from_name} <MAILER-DAEMON@{host}>\r\n");
    out += &format!("To: {}\r\n", report.to);
    out += &text::unstructured("Subject", &report.frame.subject);
    out += &format!("Date: {}\r\n", rfc5322_date(report.now, report.offset_minutes));
    out += &format!("Message-ID: <{}.{:016x}@{host}>\r\n", report.now.as_secs(), report.seed);
    if let Some(id) = original_id(report.original) {
        out += &text::folded("In-Reply-To", std::slice::from_ref(&id));
        out += &text::folded("References", &[id]);
    }
    out += "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n";
    out += "Content-Type: multipart/report; report-type=delivery-status;\r\n";
    out += &format!("\tboundary=\"{boundary}\"\r\n");
    if parts.iter().any(|part| part.encoding == "8bit") {
        out += "Content-Transfer-Encoding: 8bit\r\n";
    }
    out + "\r\n"
}

/// The message's id, where it is a plain one (RFC 3834 §3.1.5).
fn original_id(original: Original<'_>) -> Option<String> {
    let (Original::Headers(octets) | Original::Full(octets)) = original else { return None };
    let id = Header::scan(octets).first("Message-ID")?.unfolded().into_owned();
    let plain = id.len() <= 250 && id.bytes().all(|octet| octet.is_ascii_graphic());
    (plain && id.starts_with('<') && id.ends_with('>')).then_some(id)
}

/// A boundary that stands in no part. `=_` never comes out of quoted-printable.
fn boundary(seed: u64, parts: &[Part]) -> String {
    let mut number = seed;
    loop {
        let boundary = format!("=_{number:016x}");
        let found = |part: &Part| memchr::memmem::find(&part.body, boundary.as_bytes()).is_some();
        if !parts.iter().any(found) {
            return boundary;
        }
        number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
}

fn human_part(report: &Report<'_>) -> Part {
    let mut body = String::new();
    text::paragraphs(&report.frame.opening, "", &mut body);
    for recipient in &report.recipients {
        body += &format!("<{}>\r\n", recipient.final_recipient);
        text::paragraphs(&recipient.explanation, "    ", &mut body);
    }
    text::paragraphs(&report.frame.closing, "", &mut body);
    let (encoding, body) = text::encoded(body.as_bytes());
    let language = text::one_word(&report.frame.language);
    let more = match language.is_empty() {
        true => String::new(),
        false => format!("Content-Language: {language}\r\n"),
    };
    Part { content_type: "text/plain; charset=utf-8".to_owned(), encoding, more, body }
}

/// Whether some address needs the types of RFC 6533.
fn is_global(report: &Report<'_>) -> bool {
    let beyond = |recipient: &RecipientReport<'_>| {
        !recipient.final_recipient.to_string().is_ascii()
            || recipient.original_recipient.is_some_and(|original| !original.is_ascii())
    };
    report.recipients.iter().any(beyond)
}
