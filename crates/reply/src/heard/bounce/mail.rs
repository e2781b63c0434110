//! A mail as header fields and parts (RFC 5322, RFC 2045 and 2046), read from octets as
//! they are: any line ends, wrong or missing boundaries, any nesting. One pass over the
//! body, no recursion; the parts point into the octets and are decoded when asked.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem};

use super::decode::{self, Fault, Transfer};
use crate::heard::Unreadable;

/// Most parts of one mail that are kept; further ones are passed over.
const MAX_PARTS: usize = 64;
/// Most boundaries that are open at once; deeper parts are text of the one around them.
const MAX_DEPTH: usize = 16;
/// Most header fields that are kept of one header.
const MAX_FIELDS: usize = 256;
/// Most octets of one field's value.
const MAX_VALUE_OCTETS: usize = 8 * 1024;

/// `octets` with LF as the only line end.
pub(super) fn with_lf(octets: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\r', octets).is_none() {
        return Cow::Borrowed(octets);
    }
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(at) = memchr(b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if rest.first() != Some(&b'\n') {
            out.push(b'\n');
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// The fields of a header.
#[derive(Clone, Debug, Default)]
pub(super) struct Header<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Header<'a> {
    /// Reads the header at the start of `octets`; returns it with its length, the empty
    /// line included. A line that is no field ends it, as does the end of the octets.
    pub(super) fn read(octets: &'a [u8]) -> (Header<'a>, usize) {
        let mut header = Header::default();
        let mut at = 0;
        while let Some(line) = line_at(octets, at) {
            if line.is_empty() {
                return (header, line.end + 1);
            }
            let Some(name) = field_name(&octets[line.clone()]) else { break };
            let end = field_end(octets, line.end);
            if header.fields.len() < MAX_FIELDS {
                let value = &octets[line.start + name.len()..end];
                let colon = memchr(b':', value).map_or(0, |at| at + 1);
                header.fields.push((name, &value[colon..]));
            }
            at = end + 1;
        }
        (header, at.min(octets.len()))
    }

    /// The first field of that name, unfolded.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| unfolded(value))
    }

    /// Every field of that name, unfolded.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let same = move |(field, _): &&(&[u8], &[u8])| field.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(same).map(|(_, value)| unfolded(value))
    }

    /// The first field of that name, with its encoded words decoded.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| decode::words(&value).into_owned())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// The line at `at`, without its end. `None` behind the last one.
pub(super) fn line_at(octets: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = octets.get(at..).filter(|rest| !rest.is_empty())?;
    Some(at..memchr(b'\n', rest).map_or(octets.len(), |end| at + end))
}

/// The name of the field that `line` begins, without white space before the colon.
pub(super) fn field_name(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr(b':', &line[..line.len().min(80)])?;
    let name = line[..colon].trim_ascii_end();
    let of_a_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.".contains(octet);
    (!name.is_empty() && name.iter().all(of_a_name)).then_some(name)
}

/// Where a field ends that has its first line's end at `end`: behind its folded lines.
fn field_end(octets: &[u8], mut end: usize) -> usize {
    while matches!(octets.get(end + 1), Some(b' ' | b'\t')) {
        match line_at(octets, end + 1) {
            // A line of white space alone is an empty line to the sender's eye.
            Some(line) if !octets[line.clone()].trim_ascii().is_empty() => end = line.end,
            _ => break,
        }
    }
    end
}

fn unfolded(value: &[u8]) -> Cow<'_, str> {
    let value = value[..value.len().min(MAX_VALUE_OCTETS)].trim_ascii();
    let text = String::from_utf8_lossy(value);
    if !text.contains('\n') {
        return text;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    Cow::Owned(lines.join(" "))
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    Html,
    /// message/delivery-status (RFC 3464) or its global form (RFC 6533).
    Status,
    /// message/feedback-report (RFC 5965).
    Feedback,
    /// The returned message or its header.
    Returned,
    /// Anything else.
    Other,
}

/// One part of a mail, or its whole body.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) content: Content,
    transfer: Transfer,
    charset: String,
    pub(super) body: &'a [u8],
}

impl<'a> Part<'a> {
    fn of(header: &Header<'a>, body: &'a [u8]) -> Part<'a> {
        let field = header.value("content-type").unwrap_or_default();
        let transfer = header.value("content-transfer-encoding").unwrap_or_default();
        Part {
            content: content(&field),
            transfer: Transfer::named(&transfer),
            charset: parameter(&field, "charset").unwrap_or_default(),
            body,
        }
    }

    /// What cannot be read of it; `number` is its own, from 1.
    fn unreadable(&self, number: usize) -> Option<Unreadable> {
        let is_read = matches!(
            self.content,
            Content::Text | Content::Html | Content::Status | Content::Feedback
        );
        let is_plain = self.transfer == Transfer::Plain && self.body.is_ascii();
        if !is_read || (is_plain && self.body.len() <= self.most()) {
            return None;
        }
        decode::fault(self.body, self.transfer, &self.charset, self.most()).map(|fault| match fault
        {
            Fault::Long => Unreadable::Long { part: number, octets: self.most() },
            Fault::Base64 => Unreadable::Base64 { part: number },
            Fault::Charset => Unreadable::Charset { part: number, name: self.charset.clone() },
            Fault::NotText => Unreadable::NotText {
                part: number,
                name: Some(self.charset.clone())
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| "utf-8".to_owned()),
            },
        })
    }

    /// How much of its text is read.
    fn most(&self) -> usize {
        match self.content {
            Content::Status => decode::MAX_STATUS_OCTETS,
            _ => decode::MAX_TEXT_OCTETS,
        }
    }

    /// Its text, decoded.
    pub(super) fn text(&self) -> Cow<'a, str> {
        let text = decode::text(self.body, self.transfer, &self.charset, self.most());
        match text {
            // Lines may end otherwise inside an encoding.
            Cow::Owned(text) if text.contains('\r') => {
                Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
            }
            other => other,
        }
    }
}

fn content(field: &str) -> Content {
    let name = field.split([';', ' ']).next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "text/html" => Content::Html,
        "message/delivery-status" | "message/global-delivery-status" => Content::Status,
        "message/feedback-report" => Content::Feedback,
        "message/rfc822"
        | "message/global"
        | "message/global-headers"
        | "message/partial"
        | "text/rfc822-headers"
        | "text/rfc822-header"
        | "message/rfc822-headers" => Content::Returned,
        "" => Content::Text,
        name if name.starts_with("text") || !name.contains('/') => Content::Text,
        _ => Content::Other,
    }
}

/// The parameter of that name in a Content-Type field.
fn parameter(field: &str, name: &str) -> Option<String> {
    let lower = field.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower.get(from..)?.find(name).map(|at| from + at) {
        from = at + name.len();
        let begins = lower[..at].ends_with([';', ' ', '\t']);
        let Some(value) = field[from..].trim_start().strip_prefix('=').filter(|_| begins) else {
            continue;
        };
        let value = value.trim_start();
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split([';', ' ', '\t']).next(),
        };
        return value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    }
    None
}

/// A mail: its header, and the parts that are no multipart themselves, in their order.
#[derive(Clone, Debug)]
pub(super) struct Mail<'a> {
    pub(super) header: Header<'a>,
    pub(super) parts: Vec<Part<'a>>,
    how: How,
}

/// How far the parts of a mail were taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct How {
    /// Some were not: nested too deep, or too many.
    is_cut: bool,
    /// It ends before its last boundary.
    is_open: bool,
}

impl<'a> Mail<'a> {
    /// Reads a mail whose lines end with LF.
    pub(super) fn read(octets: &'a [u8]) -> Mail<'a> {
        let (header, used) = Header::read(octets);
        let body = &octets[used..];
        let declared = boundary(&header);
        let is_declared = declared.is_some();
        let found = declared.filter(|boundary| occurs(boundary, body)).or_else(|| guess(body));
        let (parts, how) = match found {
            Some(boundary) => split(&header, body, boundary),
            // Also a multipart that has lost its boundaries.
            None => {
                let part = Part { content: whole(&header), ..Part::of(&header, body) };
                let is_open = is_declared && body.trim_ascii().is_empty();
                (vec![part], How { is_open, ..How::default() })
            }
        };
        Mail { header, parts, how }
    }

    /// What could not be read of it.
    pub(super) fn unreadable(&self) -> Vec<Unreadable> {
        let numbered = self.parts.iter().zip(1..);
        let mut all: Vec<Unreadable> =
            numbered.filter_map(|(part, number)| part.unreadable(number)).collect();
        if self.how.is_cut {
            all.push(Unreadable::Parts { levels: MAX_DEPTH, parts: MAX_PARTS });
        } else if self.how.is_open {
            all.push(Unreadable::BrokenOff { part: self.parts.len().max(1) });
        }
        all
    }

    /// The first part of that content.
    pub(super) fn part(&self, content: Content) -> Option<&Part<'a>> {
        self.parts.iter().find(|part| part.content == content)
    }
}

/// What a body is that has no parts.
fn whole(header: &Header<'_>) -> Content {
    match content(&header.value("content-type").unwrap_or_default()) {
        Content::Other | Content::Returned => Content::Text,
        content => content,
    }
}

fn boundary(header: &Header<'_>) -> Option<Vec<u8>> {
    let field = header.value("content-type")?;
    let name = field.trim_start().get(..9)?;
    if !name.eq_ignore_ascii_case("multipart") {
        return None;
    }
    Some(parameter(&field, "boundary")?.into_bytes())
}

fn occurs(boundary: &[u8], body: &[u8]) -> bool {
    memmem::find_iter(body, boundary).any(|at| at >= 2 && body[at - 2..at] == *b"--")
}

/// Where no boundary is declared, or another: the first line, if it begins with two
/// hyphens and a field about content follows it.
fn guess(body: &[u8]) -> Option<Vec<u8>> {
    let start = memmem::find(body, b"\nContent-").or_else(|| memmem::find(body, b"\ncontent-"))?;
    let begin = body[..start].iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    let line = body[begin..start].trim_ascii_end();
    let boundary = line.strip_prefix(b"--")?;
    let is_boundary = boundary.len() > 2 && !boundary.contains(&b' ') && start < 4096;
    is_boundary.then(|| boundary.to_vec())
}

/// Splits `body` at its boundaries, and the multiparts in it at theirs; and how far.
fn split<'a>(header: &Header<'a>, body: &'a [u8], boundary: Vec<u8>) -> (Vec<Part<'a>>, How) {
    let mut open = vec![boundary];
    let (mut parts, mut how) = (Vec::new(), How::default());
    // What stands before the first boundary is read as well: some put the words there.
    let mut part = Some(Part { content: Content::Text, ..Part::of(header, body) });
    let mut start = 0;
    for line in boundary_lines(body) {
        let Some((depth, is_last)) = which(&open, &body[line.clone()]) else { continue };
        close(part.take(), &body[start..line.start], &mut parts);
        open.truncate(if is_last { depth } else { depth + 1 });
        start = (line.end + 1).min(body.len());
        if parts.len() >= MAX_PARTS {
            return (parts, How { is_cut: true, ..how });
        }
        if is_last {
            continue;
        }
        let (header, used) = Header::read(&body[start..]);
        start += used;
        match self::boundary(&header) {
            Some(inner) if open.len() < MAX_DEPTH => open.push(inner),
            multipart => {
                how.is_cut |= multipart.is_some();
                part = Some(Part::of(&header, &[]));
            }
        }
    }
    how.is_open = !open.is_empty();
    close(part, &body[start..], &mut parts);
    (parts, how)
}

fn close<'a>(part: Option<Part<'a>>, body: &'a [u8], parts: &mut Vec<Part<'a>>) {
    if let Some(part) = part.filter(|_| !body.trim_ascii().is_empty()) {
        parts.push(Part { body, ..part });
    }
}

/// Every line that begins with two hyphens.
fn boundary_lines(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let first = body.starts_with(b"--").then_some(0);
    let others = memmem::find_iter(body, b"\n--").map(|at| at + 1);
    first.into_iter().chain(others).filter_map(|at| line_at(body, at))
}

/// Which open boundary `line` is, the innermost first, and whether it ends its multipart.
fn which(open: &[Vec<u8>], line: &[u8]) -> Option<(usize, bool)> {
    let line = line[2..].trim_ascii_end();
    open.iter().enumerate().rev().find_map(|(depth, boundary)| {
        let rest = line.strip_prefix(boundary.as_slice())?;
        match rest {
            b"" => Some((depth, false)),
            b"--" => Some((depth, true)),
            _ => None,
        }
    })
}
