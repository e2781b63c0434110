//! The third part of a report: the message that it is about, or its header, under the
//! type that it can lawfully have.

use super::text::{encoded, has_lawful_lines};
use super::{Action, MAX_RETURNED_OCTETS, Original, Part, Report};
use crate::framing::encode::{Encoder, Framing};
use crate::message::convert::{convert, quoted_printable};
use crate::message::header::Header;

/// Most octets of a header that are sent back.
const MAX_HEADER_OCTETS: usize = 32 * 1024;

/// The part, if anything is left of the message.
pub(super) fn part(report: &Report<'_>) -> Option<Part> {
    let failed = report.recipients.iter().any(|recipient| recipient.action == Action::Failed);
    match report.original {
        Original::Nothing => None,
        Original::Full(message) if failed => Some(full(message).unwrap_or_else(|| head(message))),
        Original::Full(message) | Original::Headers(message) => Some(head(message)),
    }
}

/// The whole message, unless it is too long, has lines that no message may have, or could
/// not be made seven bits where the way back needs that: better to tell with a header than
/// not at all. A header beyond ASCII makes it `message/global`, which may be encoded (RFC 6532 §3.7).
fn full(message: &[u8]) -> Option<Part> {
    if message.len() > MAX_RETURNED_OCTETS {
        return None;
    }
    let body = with_crlf(message);
    let header = Header::scan(&body);
    let header_is_ascii = body[..header.octets()].is_ascii();
    if !has_lawful_lines(&body) {
        return None;
    }
    if header_is_ascii {
        convert(&body).ok()?;
        let encoding = if body.is_ascii() { "7bit" } else { "8bit" };
        return Some(part_of("message/rfc822", encoding, body));
    }
    let mut quoted = Vec::new();
    quoted_printable(&body, &mut quoted);
    Some(part_of("message/global", "quoted-printable", quoted))
}

/// The header's fields, as many as fit. Without any, the part is empty.
fn head(message: &[u8]) -> Part {
    let mut fields = Vec::new();
    for field in Header::scan(message).fields() {
        if fields.len() + field.whole.len() > MAX_HEADER_OCTETS {
            break;
        }
        fields.extend_from_slice(field.whole);
    }
    let fields = with_crlf(&fields);
    let utf8 = !fields.is_ascii() && std::str::from_utf8(&fields).is_ok();
    let content_type = if utf8 { "message/global-headers" } else { "text/rfc822-headers" };
    let (encoding, body) = encoded(&fields);
    part_of(content_type, encoding, body)
}

fn part_of(content_type: &str, encoding: &'static str, body: Vec<u8>) -> Part {
    Part { content_type: content_type.to_owned(), encoding, more: String::new(), body }
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(Framing::Counted);
    encoder.encode(octets, &mut out);
    encoder.finish(&mut out);
    out
}
