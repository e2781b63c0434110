//! The fields that a message gets on its way: Received, Return-Path, Delivered-To
//! (RFC 5321 §4.4). What a client says of itself is made harmless before it is written.

use std::fmt::{self, Write};
use std::net::IpAddr;

use reply::Timestamp;

use super::date::push_rfc5322_date;
use crate::syntax::{Domain, ForwardPath, Mailbox, ReversePath};

/// Longest line that is written where a fold is possible, without CRLF (RFC 5322 §2.1.1).
const FOLD_AT: usize = 78;
/// Longest text of a client's that is written into a field.
const MAX_WORD_OCTETS: usize = 255;

/// How a message came: the keyword after `with` (RFC 3848, RFC 6531 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct With {
    /// LMTP rather than SMTP.
    pub lmtp: bool,
    /// EHLO rather than HELO; always so in LMTP.
    pub extended: bool,
    /// MAIL said SMTPUTF8.
    pub smtputf8: bool,
    /// Through TLS.
    pub tls: bool,
    /// The client proved who it is.
    pub authenticated: bool,
}

impl With {
    /// Appends the registered keyword, as in `ESMTPS` or `UTF8LMTP`.
    fn write_keyword(&self, into: &mut String) {
        into.push_str(match (self.lmtp, self.smtputf8, self.extended) {
            (true, true, _) => "UTF8LMTP",
            (true, false, _) => "LMTP",
            (false, true, _) => "UTF8SMTP",
            (false, false, true) => "ESMTP",
            (false, false, false) if !self.tls && !self.authenticated => "SMTP",
            (false, false, false) => "ESMTP",
        });
        into.push_str(if self.tls { "S" } else { "" });
        into.push_str(if self.authenticated { "A" } else { "" });
    }
}

/// What a Received field tells.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// What the client called itself; none for mail that came through a pipe or socket.
    pub hello: Option<&'a str>,
    /// Where it came from.
    pub client: Option<IpAddr>,
    /// Who we are.
    pub by: &'a str,
    /// How it came; none for mail that a local program handed over.
    pub with: Option<With>,
    /// Our id of the message.
    pub id: &'a str,
    /// The recipient, only where the message has just one: others are nobody's business
    /// (RFC 5321 §7.2).
    pub recipient: Option<&'a ForwardPath>,
    /// When it came.
    pub at: Timestamp,
    /// Our offset from UTC, in minutes.
    pub offset_minutes: i32,
}

/// The Received field, folded, with CRLF.
pub fn received_field(received: &Received<'_>) -> Vec<u8> {
    let mut field = Folded::new("Received:");
    field.clause(|text| from_clause(text, received));
    field.clause(|text| text.extend(["by ", domain(received.by)]));
    if let Some(with) = received.with {
        field.clause(|text| {
            text.push_str("with ");
            with.write_keyword(text);
        });
    }
    let recipient = received.recipient.and_then(ForwardPath::mailbox);
    field.clause(|text| {
        text.push_str("id ");
        push_atom(text, received.id);
        text.push_str(if recipient.is_none() { ";" } else { "" });
    });
    if let Some(mailbox) = recipient {
        field.clause(|text| push_shown(text, format_args!("for <{mailbox}>;")));
    }
    field.clause(|text| push_rfc5322_date(text, received.at, received.offset_minutes));
    field.end()
}

/// The Return-Path field, which final delivery puts in front (RFC 5321 §4.4).
pub fn return_path_field(path: &ReversePath) -> Vec<u8> {
    format!("Return-Path: <{path}>\r\n").into_bytes()
}

/// The Delivered-To field: the mailbox that a message was delivered to, by which a loop
/// is noticed.
pub fn delivered_to_field(mailbox: &Mailbox) -> Vec<u8> {
    format!("Delivered-To: {mailbox}\r\n").into_bytes()
}

/// An address as a literal (RFC 5321 §4.1.3). A mapped IPv4 address is one.
pub fn address_literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

/// A local program is `localhost`. A name that is no domain stands in the comment, so
/// that the field keeps its form.
fn from_clause(text: &mut String, received: &Received<'_>) {
    let hello = received.hello.unwrap_or("localhost");
    let literal = received.client.map(address_literal);
    let is_domain = is_domain(hello);
    let from = if is_domain { hello } else { literal.as_deref().unwrap_or("localhost") };
    text.extend(["from ", from]);
    if let Some(literal) = &literal {
        text.extend([" (", literal, ")"]);
    }
    if !is_domain {
        text.push_str(" (HELO ");
        push_comment(text, hello);
        text.push(')');
    }
}

/// A domain or an address literal as RFC 5321 §4.1.2 writes them. A general literal may
/// hold what a comment may not; it is not taken over.
fn is_domain(text: &str) -> bool {
    let parsed = text.parse::<Domain>();
    parsed.is_ok_and(|domain| {
        !text.contains('_') && (!domain.is_literal() || domain.address().is_some())
    })
}

fn domain(text: &str) -> &str {
    if is_domain(text) { text } else { "localhost" }
}

/// What may stand in a comment: printable ASCII without parentheses and backslashes.
fn push_comment(text: &mut String, said: &str) {
    let safe = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '\\');
    text.extend(said.chars().map(|c| if safe(c) { c } else { '?' }).take(MAX_WORD_OCTETS));
}

fn push_atom(text: &mut String, said: &str) {
    let safe = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let before = text.len();
    text.extend(said.chars().filter(safe).take(MAX_WORD_OCTETS));
    if text.len() == before {
        text.push_str("none");
    }
}

/// A string takes all that is written to it.
fn push_shown(text: &mut String, shown: fmt::Arguments<'_>) {
    let _ = text.write_fmt(shown);
}

/// A field in the making: clauses one after another, a new line where the next one does not
/// fit.
struct Folded {
    text: String,
    name_octets: usize,
    column: usize,
}

impl Folded {
    fn new(name: &str) -> Folded {
        let mut text = String::with_capacity(4 * FOLD_AT);
        text.push_str(name);
        Folded { text, name_octets: name.len(), column: name.len() }
    }

    /// Adds what `write` writes.
    fn clause(&mut self, write: impl FnOnce(&mut String)) {
        let space = self.text.len();
        self.text.push(' ');
        write(&mut self.text);
        let width = self.text[space + 1..].chars().count();
        if self.column + 1 + width > FOLD_AT && self.column > self.name_octets {
            self.text.replace_range(space..=space, "\r\n\t");
            self.column = 8 + width;
        } else {
            self.column += 1 + width;
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.text.push_str("\r\n");
        self.text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH: With =
        With { lmtp: false, extended: true, smtputf8: false, tls: false, authenticated: false };

    fn field(hello: &str, client: &str, recipient: Option<&ForwardPath>) -> String {
        let received = Received {
            hello: Some(hello),
            client: Some(client.parse().unwrap()),
            by: "mx.example.org",
            with: Some(WITH),
            id: "q1",
            recipient,
            at: Timestamp::from_secs(951_827_696),
            offset_minutes: 60,
        };
        String::from_utf8(received_field(&received)).unwrap()
    }

    #[test]
    fn a_received_field_tells_who_when_and_how() {
        rfc!(5321, "4.4");
        let to = ForwardPath::Mailbox("b@example.org".parse().unwrap());
        let expected = "Received: from a.example.net ([192.0.2.1]) by mx.example.org with ESMTP id q1\r\n\
                        \tfor <b@example.org>; Tue, 29 Feb 2000 13:34:56 +0100\r\n";
        assert_eq!(field("a.example.net", "192.0.2.1", Some(&to)), expected);
        assert!(field("a.example.net", "::ffff:192.0.2.1", None).contains("([192.0.2.1])"));
        assert!(field("a.example.net", "2001:db8::1", None).contains("([IPv6:2001:db8::1])"));
    }

    #[test]
    fn what_a_client_calls_itself_cannot_break_the_field() {
        let hostile = field("a) by (evil;\r\nX: y", "192.0.2.1", None);
        assert!(hostile.starts_with("Received: from [192.0.2.1] ([192.0.2.1]) (HELO a??by??evil;"));
        assert_eq!(hostile.matches("\r\n").count(), hostile.matches("\r\n\t").count() + 1);
        for departure in ["a.example.net.", "my_pc", "[::1]", "[x:(]"] {
            let field = field(departure, "192.0.2.1", None);
            assert!(
                field.starts_with("Received: from [192.0.2.1] ([192.0.2.1]) (HELO "),
                "{field}"
            );
        }
        let endless = field(&"x".repeat(5000), "192.0.2.1", None);
        assert!(endless.lines().all(|line| line.len() < 998));
    }

    #[test]
    fn the_keyword_is_the_registered_one() {
        rfc!(6531, "3.7.3");
        rfc!(6531, "4.3");
        let check = |with: With, keyword: &str| {
            let mut written = String::new();
            with.write_keyword(&mut written);
            assert_eq!(written, keyword);
        };
        check(WITH, "ESMTP");
        check(With { extended: false, ..WITH }, "SMTP");
        check(With { tls: true, authenticated: true, ..WITH }, "ESMTPSA");
        check(With { smtputf8: true, tls: true, ..WITH }, "UTF8SMTPS");
        check(With { lmtp: true, ..WITH }, "LMTP");
        check(With { lmtp: true, smtputf8: true, ..WITH }, "UTF8LMTP");
    }

    #[test]
    fn final_delivery_names_sender_and_mailbox() {
        assert_eq!(return_path_field(&ReversePath(None)), b"Return-Path: <>\r\n");
        let mailbox: Mailbox = "b@example.org".parse().unwrap();
        assert_eq!(delivered_to_field(&mailbox), b"Delivered-To: b@example.org\r\n");
    }
}
