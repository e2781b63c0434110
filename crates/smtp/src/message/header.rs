//! The header of a message: its fields as slices of what was read, and the fields that
//! a submission server adds where they are missing (RFC 6409 §8).
//!
//! The scanner takes what the field sends: LF alone as a line end, a `From ` line in
//! front, a header that stops without an empty line. It copies nothing.

use std::borrow::Cow;

use reply::Timestamp;

use super::date::rfc5322_date;

/// The header of a message, or as much of it as was read.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    fields: Vec<Field<'a>>,
    octets: usize,
    complete: bool,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as it was written, without the colon.
    pub name: &'a str,
    /// Everything after the colon, with its line ends and folds.
    pub value: &'a [u8],
    /// The whole field, from its name to its last line end.
    pub whole: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether the field has that name, ignoring case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value in one line, trimmed; what is no UTF-8 is replaced.
    pub fn unfolded(&self) -> Cow<'a, str> {
        let text = String::from_utf8_lossy(self.value);
        if !text.trim_end().contains(['\r', '\n']) {
            return match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            };
        }
        let kept: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        Cow::Owned(kept.trim().to_owned())
    }
}

impl<'a> Header<'a> {
    /// Scans the beginning of a message: all of it, or its first octets.
    pub fn scan(message: &'a [u8]) -> Header<'a> {
        let mut header = Header { fields: Vec::new(), octets: 0, complete: false };
        if message.starts_with(b"From ") || message.starts_with(b">From ") {
            header.octets = line_octets(message);
        }
        while header.octets < message.len() && !header.complete {
            header.take_line(message);
        }
        header
    }

    /// The fields in their order.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The first field of that name.
    pub fn first(&self, name: &str) -> Option<Field<'a>> {
        self.fields.iter().find(|field| field.is(name)).copied()
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Where the body begins, in octets: after the empty line, if there is one. Of an
    /// incomplete header, how much of it was read.
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Whether the end of the header was seen. Otherwise there may be more fields.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    fn take_line(&mut self, message: &'a [u8]) {
        let start = self.octets;
        let rest = &message[start..];
        let line = line_octets(rest);
        if matches!(&rest[..line], b"\r\n" | b"\n") {
            self.octets += line;
            self.complete = true;
            return;
        }
        match field_name(&rest[..line]) {
            Some(name) => {
                let octets = field_octets(rest);
                let whole = &rest[..octets];
                let value = &whole[name_octets(whole)..];
                self.fields.push(Field { name, value, whole });
                self.octets += octets;
            }
            // Not a field: the body begins without an empty line.
            None => self.complete = true,
        }
    }
}

fn line_octets(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1)
}

/// The first line and those that go on with white space.
fn field_octets(text: &[u8]) -> usize {
    let mut octets = line_octets(text);
    while matches!(text.get(octets), Some(b' ' | b'\t')) {
        octets += line_octets(&text[octets..]);
    }
    octets
}

fn name_octets(line: &[u8]) -> usize {
    memchr::memchr(b':', line).map_or(line.len(), |at| at + 1)
}

/// Printable ASCII but the colon (RFC 5322 §2.2); white space before the colon is the
/// obsolete form (§4.5).
fn field_name(line: &[u8]) -> Option<&str> {
    let colon = memchr::memchr(b':', line)?;
    let name = std::str::from_utf8(&line[..colon]).ok()?.trim_end_matches([' ', '\t']);
    let named = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
    named.then_some(name)
}

/// The fields that a submission server puts in front of a message that lacks them: Date
/// and Message-ID (RFC 6409 §8.1, §8.2), with CRLF. `id` is unique on `hostname`.
pub fn missing_fields(
    header: &Header<'_>,
    now: Timestamp,
    offset_minutes: i32,
    hostname: &str,
    id: &str,
) -> Vec<u8> {
    let mut fields = String::new();
    if !header.has("Date") {
        fields += &format!("Date: {}\r\n", rfc5322_date(now, offset_minutes));
    }
    if !header.has("Message-ID") {
        fields += &format!("Message-ID: {}\r\n", message_id(now, hostname, id));
    }
    fields.into_bytes()
}

/// A message id of ours. A host name that is an address literal has brackets, which a
/// msg-id allows (RFC 5322 §3.6.4, no-fold-literal).
pub fn message_id(now: Timestamp, hostname: &str, id: &str) -> String {
    format!("<{}.{id}@{hostname}>", now.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_found_in_any_case_and_unfolded() {
        let message = b"Subject: a\r\n\tb\r\nDATE : today\r\nX:\r\n\r\nDate: no\r\n";
        let header = Header::scan(message);
        assert_eq!(header.first("subject").unwrap().unfolded(), "a\tb");
        assert_eq!(header.first("Date").unwrap().unfolded(), "today");
        assert_eq!(header.first("x").unwrap().unfolded(), "");
        assert_eq!(&message[header.octets()..], b"Date: no\r\n");
        assert!(header.is_complete() && !header.has("To"));
    }

    #[test]
    fn a_header_ends_at_what_is_no_field() {
        let check = |message: &str, names: &[&str], body: &str, complete: bool| {
            let header = Header::scan(message.as_bytes());
            let found: Vec<&str> = header.fields().iter().map(|field| field.name).collect();
            assert_eq!(found, names, "{message:?}");
            assert_eq!(&message[header.octets()..], body, "{message:?}");
            assert_eq!(header.is_complete(), complete, "{message:?}");
        };
        check("A: 1\nB: 2\n\nbody", &["A", "B"], "body", true);
        check("From x y\nA: 1\n\nbody", &["A"], "body", true);
        check("A: 1\r\nhello\r\n", &["A"], "hello\r\n", true);
        check("hello: you there\nx y: z\n", &["hello"], "x y: z\n", true);
        check("A: 1\r\n 2", &["A"], "", false);
        check("\r\nA: 1\r\n", &[], "A: 1\r\n", true);
        check("", &[], "", false);
    }

    #[test]
    fn only_missing_fields_are_added() {
        rfc!(6409, "8");
        let now = Timestamp::from_secs(951_827_696);
        let added = |message: &str| {
            let header = Header::scan(message.as_bytes());
            String::from_utf8(missing_fields(&header, now, 0, "mx.example.org", "q1")).unwrap()
        };
        let both = "Date: Tue, 29 Feb 2000 12:34:56 +0000\r\n\
                    Message-ID: <951827696.q1@mx.example.org>\r\n";
        assert_eq!(added("Subject: x\r\n\r\n"), both);
        assert_eq!(added("date: x\r\nmessage-id: y\r\n\r\n"), "");
    }

    proptest! {
        #[test]
        fn fields_and_body_are_the_whole_message(message in "(?s)([a-zA-Z: \t\r\n]|\\PC){0,80}") {
            let header = Header::scan(message.as_bytes());
            prop_assert!(header.octets() <= message.len());
            let fields: usize = header.fields().iter().map(|field| field.whole.len()).sum();
            prop_assert!(fields <= header.octets());
        }
    }
}
