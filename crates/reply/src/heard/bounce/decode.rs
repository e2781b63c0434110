//! From the octets of a part to its text: transfer encodings (RFC 2045 §6), charsets,
//! and encoded words in header fields (RFC 2047). Lenient: what cannot be decoded is
//! left out or shown with replacement characters, and never more than a bound is read.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};
use memchr::memchr;

/// Most octets of one encoded text that are decoded. The human part of a bounce is
/// rarely longer than 4 KiB.
pub(super) const MAX_TEXT_OCTETS: usize = 64 * 1024;
/// The same of the fields of a notification, which has some 300 for each recipient.
pub(super) const MAX_STATUS_OCTETS: usize = 1024 * 1024;

/// Longest line of a text beyond that bound; the rest of it is passed over.
const MAX_LINE_OCTETS: usize = 4096;

/// How the octets of a part are written for transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Transfer {
    /// As they are: 7bit, 8bit, binary, and whatever is not known.
    #[default]
    Plain,
    QuotedPrintable,
    Base64,
}

impl Transfer {
    /// By the name in Content-Transfer-Encoding.
    pub(super) fn named(name: &str) -> Transfer {
        let name = name.trim().trim_matches('"');
        if name.eq_ignore_ascii_case("base64") {
            Transfer::Base64
        } else if name.eq_ignore_ascii_case("quoted-printable") {
            Transfer::QuotedPrintable
        } else {
            Transfer::Plain
        }
    }

    fn decode(self, octets: &[u8], most: usize) -> Cow<'_, [u8]> {
        if octets.len() > most && self == Transfer::Plain {
            return Cow::Owned(without_long_lines(octets, most));
        }
        let octets = &octets[..octets.len().min(most)];
        match self {
            Transfer::Plain => Cow::Borrowed(octets),
            Transfer::QuotedPrintable => Cow::Owned(quoted_printable(octets, false)),
            Transfer::Base64 => Cow::Owned(base64(octets)),
        }
    }
}

/// Cuts lines that nobody wrote, so that the bound leaves room for what stands behind them.
fn without_long_lines(octets: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(most);
    for line in octets.split(|octet| *octet == b'\n') {
        let line = &line[..line.len().min(MAX_LINE_OCTETS)];
        if out.len() + line.len() >= most {
            break;
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}

/// What is wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is longer than is read.
    Long,
    /// Its base64 ends in the middle, or holds what is none.
    Base64,
    /// Its charset is not known.
    Charset,
    /// It holds octets that its charset does not have.
    NotText,
}

/// The gravest that is wrong with a part.
pub(super) fn fault(
    octets: &[u8],
    transfer: Transfer,
    charset: &str,
    most: usize,
) -> Option<Fault> {
    if octets.len() > most {
        return Some(Fault::Long);
    }
    if transfer == Transfer::Base64 && !is_whole_base64(octets) {
        return Some(Fault::Base64);
    }
    let decoded = transfer.decode(octets, most);
    if decoded.is_ascii() {
        return None;
    }
    if !charset.is_empty() && Encoding::for_label(charset.trim().as_bytes()).is_none() {
        return std::str::from_utf8(&decoded).is_err().then_some(Fault::Charset);
    }
    in_charset(&decoded, charset).contains(char::REPLACEMENT_CHARACTER).then_some(Fault::NotText)
}

/// Whether base64 is whole: lines of its digits alone, four for three octets.
fn is_whole_base64(octets: &[u8]) -> bool {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let end = memchr(b'=', octets).unwrap_or(octets.len());
    let digits = octets[..end].iter().filter(|octet| is_digit(octet)).count();
    let is_of_digits =
        octets[..end].iter().all(|octet| is_digit(octet) || octet.is_ascii_whitespace());
    let padding = octets[end..].iter().take_while(|octet| **octet == b'=').count();
    is_of_digits && (digits + padding) % 4 == 0
}

/// The text of a part, of which at most so much is read.
pub(super) fn text<'a>(
    octets: &'a [u8],
    transfer: Transfer,
    charset: &str,
    most: usize,
) -> Cow<'a, str> {
    match transfer.decode(octets, most) {
        Cow::Borrowed(octets) => in_charset(octets, charset),
        Cow::Owned(octets) => Cow::Owned(in_charset(&octets, charset).into_owned()),
    }
}

/// `octets` read in the charset of that name. ESC announces ISO-2022-JP whatever the
/// name is; octets that are no UTF-8 and have no known name are taken for Windows-1252.
fn in_charset<'a>(octets: &'a [u8], charset: &str) -> Cow<'a, str> {
    let has_escape = memchr::memmem::find(octets, b"\x1b$").is_some();
    let named = Encoding::for_label(charset.trim().as_bytes());
    let encoding = match named {
        _ if has_escape => ISO_2022_JP,
        Some(encoding) if encoding != UTF_8 && encoding != WINDOWS_1252 => encoding,
        // A wrong name is common where the text is UTF-8 after all.
        _ => match std::str::from_utf8(octets) {
            Ok(text) => return Cow::Borrowed(text),
            Err(_) => named.unwrap_or(WINDOWS_1252),
        },
    };
    encoding.decode_without_bom_handling(octets).0
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).map(|digit| digit as u8)
}

/// Quoted-printable (RFC 2045 §6.7), or the Q encoding, where `_` is a space.
fn quoted_printable(octets: &[u8], is_q: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(octet) = octets.get(at).copied() {
        at += 1;
        match octet {
            b'_' if is_q => out.push(b' '),
            b'=' => at += escaped(&octets[at..], &mut out),
            _ => out.push(octet),
        }
    }
    out
}

/// What stands after an equals sign; returns how many octets of it are used up.
fn escaped(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let pair = rest.first().zip(rest.get(1)).and_then(|(a, b)| Some(hex(*a)? << 4 | hex(*b)?));
    if let Some(octet) = pair {
        out.push(octet);
        return 2;
    }
    let blanks = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t' | b'\r')).count();
    if rest.get(blanks) == Some(&b'\n') {
        return blanks + 1;
    }
    out.push(b'=');
    0
}

/// Base64 (RFC 2045 §6.8); what is no digit of it is skipped, padding ends it.
fn base64(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for octet in octets {
        let digit = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            // The low octet above the bits that wait.
            out.push((bits >> count) as u8);
        }
    }
    out
}

/// The text of a header field's value, with its encoded words decoded.
pub(super) fn words(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        // White space between encoded words is not part of the text (RFC 2047 §6.2).
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        match encoded_word(word) {
            Some((text, used)) => {
                out.push_str(&text);
                rest = &word[used..];
                after_word = true;
            }
            None => {
                out.push_str("=?");
                rest = &word[2..];
                after_word = false;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The encoded word at the start of `word`, and its length.
fn encoded_word(word: &str) -> Option<(String, usize)> {
    let mut parts = word.get(2..)?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.find("?=")?;
    let octets = match encoding {
        "B" | "b" => base64(&rest.as_bytes()[..end]),
        "Q" | "q" => quoted_printable(&rest.as_bytes()[..end], true),
        _ => return None,
    };
    let charset = charset.split('*').next().unwrap_or(charset);
    let used = word.len() - rest.len() + end + 2;
    Some((in_charset(&octets, charset).into_owned(), used))
}

/// An address of the type utf-8 as it is read: characters may stand as `\x{F6}`, octets as
/// `+2B` (RFC 6533 §3).
pub(super) fn utf8_address(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '+']) {
        out.push_str(&rest[..at]);
        let (c, used) = embedded(&rest[at..]).unwrap_or((char::from(rest.as_bytes()[at]), 1));
        out.push(c);
        rest = &rest[at + used..];
    }
    out.push_str(rest);
    out
}

/// The character that `text` begins with in one of these forms, and how long it is there.
fn embedded(text: &str) -> Option<(char, usize)> {
    let (digits, used) = match text.strip_prefix("\\x{") {
        Some(rest) => rest.find('}').map(|end| (&rest[..end], end + 4))?,
        None => (text.strip_prefix('+')?.get(..2)?, 3),
    };
    let is_upper_hex = |octet: u8| matches!(octet, b'0'..=b'9' | b'A'..=b'F');
    let is_code = !digits.is_empty() && digits.len() <= 6 && digits.bytes().all(is_upper_hex);
    let value = u32::from_str_radix(digits, 16).ok().filter(|_| is_code)?;
    char::from_u32(value).filter(|c| !c.is_control()).map(|c| (c, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(octets: &[u8], transfer: Transfer, charset: &str, expected: &str) {
        assert_eq!(text(octets, transfer, charset, MAX_TEXT_OCTETS), expected);
    }

    #[test]
    fn transfer_encodings_and_charsets_are_undone() {
        check(
            b"Bo=C3=AEte=20pleine=\r\n !=",
            Transfer::QuotedPrintable,
            "utf-8",
            "Boîte pleine !=",
        );
        check(b"UG9zdG\r\nZhY2g=", Transfer::Base64, "us-ascii", "Postfach");
        check(b"\xd1\xdd\xc9\xcb", Transfer::Plain, "koi8-r", "ящик");
        check(b"\xd1\xf9\xe8\xea", Transfer::Plain, "windows-1251", "Сщик");
        check("未知".as_bytes(), Transfer::Plain, "", "未知");
        check(b"\x1b$B%a!<%k\x1b(B", Transfer::Plain, "us-ascii", "メール");
        check(b"\xce\xb4\xd6\xaa", Transfer::Plain, "gb18030", "未知");
        check(b"Bo\xeete", Transfer::Plain, "utf-8", "Bo\u{fffd}te");
        check(b"Bo\xeete", Transfer::Plain, "x-no-such-charset", "Boîte");
    }

    #[test]
    fn encoded_words_are_decoded_and_joined() {
        assert_eq!(words("=?utf-8?B?w4k=?= =?ISO-8859-1?Q?t=E9_1?= fin"), "Été 1 fin");
        assert_eq!(words("a =?broken"), "a =?broken");
        assert_eq!(words("=?x?y?z?="), "=?x?y?z?=");
    }

    #[test]
    fn characters_of_a_utf8_address_are_read() {
        // RFC 6533 §3.
        assert_eq!(utf8_address(r"j\x{F6}rg@b\x{FC}cher.example"), "jörg@bücher.example");
        assert_eq!(utf8_address("猫+2Bfoo@例え.jp"), "猫+foo@例え.jp");
        assert_eq!(utf8_address(r"a+b\x{}\x{D800}\@c"), r"a+b\x{}\x{D800}\@c");
    }
}
