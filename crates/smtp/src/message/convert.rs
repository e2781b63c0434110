//! Makes a message with 8-bit octets into one of seven bits, for hosts without 8BITMIME
//! (RFC 6152 §3): each MIME part that needs it is encoded as quoted-printable or base64
//! (RFC 2045 §6), and says so. Parts that are fine stay octet for octet.
//!
//! What is signed is not touched: then the message cannot go there (5.6.3). The header
//! is not converted either; a header of 8-bit octets is a matter of SMTPUTF8.

use std::fmt;

use super::header::{Field, Header};

/// Deepest nesting of parts that is looked into.
const MAX_DEPTH: usize = 32;
/// Longest line of an encoded body, without CRLF (RFC 2045 §6.7, §6.8).
const LINE: usize = 76;
/// Octets of a line of base64.
const BASE64_LINE_OCTETS: usize = LINE / 4 * 3;

/// Why a message stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotConvert {
    /// A signature covers the 8-bit part.
    Signed,
    /// A part is labelled quoted-printable or base64 and has 8-bit octets all the same,
    /// or a composite part is encoded.
    Contradiction,
    /// Multipart without a boundary, or nested too deeply.
    Malformed,
    /// A header has 8-bit octets.
    Header,
}

impl fmt::Display for CannotConvert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CannotConvert::Signed => "a signature covers a part that would have to change",
            CannotConvert::Contradiction => "a part is not encoded as its header says",
            CannotConvert::Malformed => "its parts cannot be told apart",
            CannotConvert::Header => "its header has 8-bit octets",
        })
    }
}

impl std::error::Error for CannotConvert {}

/// Whether there is anything to convert.
pub fn needs_conversion(message: &[u8]) -> bool {
    !message.is_ascii()
}

/// The message in seven bits. Takes and gives the whole message: up to three times its
/// octets in memory.
///
/// # Errors
/// Where it cannot be converted without breaking it.
pub fn convert(message: &[u8]) -> Result<Vec<u8>, CannotConvert> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 4);
    entity(message, Kind::Message, 0, &mut out)?;
    Ok(out)
}

/// Whether a header at any level has 8-bit octets: that of the message, of a MIME part, or
/// of a message within. Such a message goes only where SMTPUTF8 is offered (RFC 6531 §3.2).
pub fn has_eight_bit_header(message: &[u8]) -> bool {
    eight_bit_header(message, 0)
}

fn eight_bit_header(octets: &[u8], depth: usize) -> bool {
    if octets.is_ascii() || depth > MAX_DEPTH {
        return false;
    }
    let header = Header::scan(octets);
    let (head, body) = octets.split_at(header.octets());
    if !head.is_ascii() {
        return true;
    }
    let media = header.first("Content-Type").map_or_else(Media::plain, Media::of);
    match (media.kind.as_str(), &media.boundary) {
        ("message/rfc822" | "message/news" | "message/global", _) => {
            eight_bit_header(body, depth + 1)
        }
        (kind, Some(boundary)) if kind.starts_with("multipart/") => {
            parts(body, boundary).any(|part| eight_bit_header(part, depth + 1))
        }
        _ => false,
    }
}

/// What stands between the boundary's lines.
fn parts<'a>(body: &'a [u8], boundary: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(body);
    let pieces = std::iter::from_fn(move || {
        let (before, delimiter, after) = to_delimiter(rest?, boundary.as_bytes());
        rest = (!delimiter.last).then_some(after);
        Some(before)
    });
    pieces.skip(1)
}

/// What an entity stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A message of its own, that says MIME-Version.
    Message,
    /// A part of a multipart.
    Part,
}

fn entity(octets: &[u8], kind: Kind, depth: usize, out: &mut Vec<u8>) -> Result<(), CannotConvert> {
    if octets.is_ascii() {
        out.extend_from_slice(octets);
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(CannotConvert::Malformed);
    }
    let header = Header::scan(octets);
    let (head, body) = octets.split_at(header.octets());
    if !head.is_ascii() {
        return Err(CannotConvert::Header);
    }
    let media = header.first("Content-Type").map_or_else(Media::plain, Media::of);
    match media.kind.split('/').next() {
        Some("multipart") if media.kind == "multipart/signed" => Err(CannotConvert::Signed),
        Some("multipart") => {
            composite(&header, head, kind, out)?;
            multipart(body, &media, depth, out)
        }
        _ if matches!(media.kind.as_str(), "message/rfc822" | "message/news") => {
            composite(&header, head, kind, out)?;
            entity(body, Kind::Message, depth + 1, out)
        }
        _ => leaf(&header, head, body, kind, &media, out),
    }
}

/// The header of a composite entity: it may be labelled 7bit, 8bit or binary only
/// (RFC 2045 §6.4), and becomes 7bit.
fn composite(
    header: &Header<'_>,
    head: &[u8],
    kind: Kind,
    out: &mut Vec<u8>,
) -> Result<(), CannotConvert> {
    if is_encoded(header) {
        return Err(CannotConvert::Contradiction);
    }
    write_head(header, head, kind, "7bit", out);
    Ok(())
}

fn leaf(
    header: &Header<'_>,
    head: &[u8],
    body: &[u8],
    kind: Kind,
    media: &Media,
    out: &mut Vec<u8>,
) -> Result<(), CannotConvert> {
    if is_encoded(header) {
        return Err(CannotConvert::Contradiction);
    }
    let text = media.kind.starts_with("text/") || media.kind.starts_with("message/");
    if text || !looks_binary(body) {
        write_head(header, head, kind, "quoted-printable", out);
        quoted_printable(body, out);
    } else {
        write_head(header, head, kind, "base64", out);
        base64(body, out);
    }
    Ok(())
}

fn is_encoded(header: &Header<'_>) -> bool {
    let encoding = header.first("Content-Transfer-Encoding");
    let named = encoding.map(|field| token(&field.unfolded()));
    !matches!(named.as_deref(), None | Some("7bit" | "8bit" | "binary" | ""))
}

/// A third of 8-bit octets is shorter in base64.
fn looks_binary(body: &[u8]) -> bool {
    body.iter().filter(|octet| !octet.is_ascii()).count() * 3 > body.len()
}

/// The header with its encoding set, and MIME-Version where a message lacks it.
fn write_head(header: &Header<'_>, head: &[u8], kind: Kind, encoding: &str, out: &mut Vec<u8>) {
    let label = format!("Content-Transfer-Encoding: {encoding}\r\n");
    let preamble = head.len() - head_after_fields(header, head);
    let mut labelled = false;
    let before: usize = header.fields().iter().map(|field| field.whole.len()).sum();
    out.extend_from_slice(&head[..preamble.saturating_sub(before)]);
    for field in header.fields() {
        if !field.is("Content-Transfer-Encoding") {
            out.extend_from_slice(field.whole);
            continue;
        }
        if !labelled {
            out.extend_from_slice(label.as_bytes());
        }
        labelled = true;
    }
    if !labelled && kind == Kind::Message && !header.has("MIME-Version") {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    if !labelled {
        out.extend_from_slice(label.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Octets of the empty line that ends the header.
fn head_after_fields(header: &Header<'_>, head: &[u8]) -> usize {
    match (header.is_complete(), head.ends_with(b"\r\n\r\n") || head == b"\r\n") {
        (true, true) => 2,
        (true, false) if head.ends_with(b"\n\n") || head == b"\n" => 1,
        _ => 0,
    }
}

/// The type and the boundary of a Content-Type field.
struct Media {
    kind: String,
    boundary: Option<String>,
}

impl Media {
    fn plain() -> Media {
        Media { kind: "text/plain".to_owned(), boundary: None }
    }

    fn of(field: Field<'_>) -> Media {
        let value = field.unfolded();
        Media { kind: token(&value), boundary: parameter(&value, "boundary") }
    }
}

/// What stands before the first semicolon or comment, in lower case.
fn token(value: &str) -> String {
    let end = value.find([';', '(']).unwrap_or(value.len());
    value[..end].trim().to_ascii_lowercase()
}

/// A parameter's value, quoted or not (RFC 2045 §5.1).
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (found, more) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if key.trim().trim_start_matches(';').trim().eq_ignore_ascii_case(name) {
            return Some(found).filter(|found| !found.is_empty());
        }
        rest = more;
    }
}

fn unquoted(text: &str) -> (String, &str) {
    let mut content = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (content, &text[at + 1..]),
            '\\' => content.extend(characters.next().map(|(_, c)| c)),
            c => content.push(c),
        }
    }
    (content, "")
}

/// Converts the parts between the boundary's lines. What stands before the first and
/// after the last is shown to nobody (RFC 2046 §5.1.1): its 8-bit octets become `?`.
fn multipart(
    body: &[u8],
    media: &Media,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), CannotConvert> {
    let Some(boundary) = &media.boundary else { return Err(CannotConvert::Malformed) };
    let mut rest = body;
    let mut inside = false;
    loop {
        let (before, delimiter, after) = to_delimiter(rest, boundary.as_bytes());
        match inside {
            true => part(before, depth, out)?,
            false => {
                out.extend(before.iter().map(|octet| if octet.is_ascii() { *octet } else { b'?' }))
            }
        }
        out.extend_from_slice(delimiter.line);
        if delimiter.line.is_empty() {
            return Ok(());
        }
        inside = !delimiter.last;
        rest = after;
    }
}

/// A part, without the line end before the next delimiter, which belongs to that.
fn part(octets: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), CannotConvert> {
    let end = match octets {
        [.., b'\r', b'\n'] => octets.len() - 2,
        [.., b'\n'] => octets.len() - 1,
        _ => octets.len(),
    };
    // A part that is only a header keeps its empty line.
    let header = Header::scan(octets);
    let end = end.max(header.octets().min(octets.len()));
    entity(&octets[..end], Kind::Part, depth + 1, out)?;
    if end == octets.len() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(&octets[end..]);
    Ok(())
}

/// The line of a boundary.
struct Delimiter<'a> {
    line: &'a [u8],
    last: bool,
}

fn to_delimiter<'a>(octets: &'a [u8], boundary: &[u8]) -> (&'a [u8], Delimiter<'a>, &'a [u8]) {
    let mut at = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let (before, rest) = octets.split_at(at);
        at += line.len();
        let Some(tail) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary))
        else {
            continue;
        };
        let tail = tail.trim_ascii_end();
        if tail.is_empty() || tail == b"--" {
            let (line, after) = rest.split_at(line.len());
            return (before, Delimiter { line, last: tail == b"--" }, after);
        }
    }
    (octets, Delimiter { line: b"", last: true }, b"")
}

/// Quoted-printable (RFC 2045 §6.7). A line end of the body stays one, as CRLF; `.` and
/// `From ` at the start of a line are encoded as well, for the sake of old gateways.
pub fn quoted_printable(body: &[u8], out: &mut Vec<u8>) {
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        match line.strip_suffix(b"\n") {
            Some(content) => {
                quoted_line(content.strip_suffix(b"\r").unwrap_or(content), out);
                out.extend_from_slice(b"\r\n");
            }
            None => quoted_line(line, out),
        }
        rest = after;
    }
}

fn quoted_line(content: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (at, octet) in content.iter().enumerate() {
        let last = at + 1 == content.len();
        let quote = must_quote(*octet, last) || (at == 0 && is_risky_start(content));
        let width = if quote { 3 } else { 1 };
        let room = if last { LINE } else { LINE - 1 };
        if column + width > room {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        column += width;
        match quote {
            true => out.extend_from_slice(&[b'=', hex(octet >> 4), hex(octet & 15)]),
            false => out.push(*octet),
        }
    }
}

fn must_quote(octet: u8, last_of_line: bool) -> bool {
    match octet {
        b' ' | b'\t' => last_of_line,
        b'=' => true,
        other => !other.is_ascii_graphic(),
    }
}

fn is_risky_start(content: &[u8]) -> bool {
    content.starts_with(b".") || content.starts_with(b"From ")
}

fn hex(digit: u8) -> u8 {
    b"0123456789ABCDEF"[usize::from(digit & 15)]
}

/// Base64 in lines of 76 characters, with CRLF (RFC 2045 §6.8).
pub fn base64(body: &[u8], out: &mut Vec<u8>) {
    for line in body.chunks(BASE64_LINE_OCTETS) {
        for group in line.chunks(3) {
            base64_group(group, out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn base64_group(group: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let octet = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
    let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
    for digit in 0..4 {
        let index = (bits >> (18 - 6 * digit) & 63) as usize;
        out.push(if digit <= group.len() { ALPHABET[index] } else { b'=' });
    }
}

#[cfg(test)]
mod tests;
