//! Text for the parts of a notification: wrapped, encoded, and free of what a peer
//! could use to break a line.

use crate::message::convert::quoted_printable;

/// Where text is wrapped and fields are folded (RFC 5322 §2.1.1).
const WIDTH: usize = 76;
/// Longest line without CRLF (RFC 5322 §2.1.1).
const MAX_LINE_OCTETS: usize = 998;
/// Longest word that is kept whole; a hostile one is broken.
const MAX_WORD: usize = 400;
/// Octets of text in one encoded word: 75 characters with its marks (RFC 2047 §2).
const ENCODED_WORD_OCTETS: usize = 45;

/// Paragraphs with an empty line after each, wrapped and indented.
pub(super) fn paragraphs(paragraphs: &[String], indent: &str, out: &mut String) {
    for paragraph in paragraphs {
        for line in wrapped(&clean(paragraph), WIDTH - indent.len()) {
            out.push_str(indent);
            out.push_str(&line);
            out.push_str("\r\n");
        }
        out.push_str("\r\n");
    }
}

/// Control characters become spaces.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A clean text in printable ASCII.
pub(super) fn ascii(text: &str) -> String {
    clean(text).chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// A field whose value stands as it is, spaces and all, on one line: identifiers and
/// addresses are spelled as they came (RFC 3464 §2.2.1, §2.3.2). They are short by what
/// MAIL and RCPT take; a longer one is folded, for the line's sake.
pub(super) fn verbatim(name: &str, value: &str) -> String {
    let kept: String =
        value.chars().map(|c| if c != '\t' && c.is_control() { ' ' } else { c }).collect();
    let line = format!("{name}: {kept}");
    if line.len() <= MAX_LINE_OCTETS { line + "\r\n" } else { folded(name, &[clean(value)]) }
}

/// A name that is to stand in a field: no white space, no brackets, ASCII.
pub(super) fn one_word(text: &str) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric() || "-._:[]".contains(*c);
    text.chars().filter(safe).take(255).collect()
}

/// Lines of at most `width` columns where the words allow it.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    reply::explain::wrapped(text, width).iter().flat_map(|line| pieces(line)).collect()
}

fn pieces(line: &str) -> Vec<String> {
    if line.is_empty() {
        return vec![String::new()];
    }
    let characters: Vec<char> = line.chars().collect();
    characters.chunks(MAX_WORD).map(|piece| piece.iter().collect()).collect()
}

/// A field of text, folded; `lines` begin new lines. The name is not checked.
pub(super) fn folded(name: &str, lines: &[String]) -> String {
    let mut out = format!("{name}:");
    let mut room = WIDTH.saturating_sub(out.len());
    for line in lines {
        for piece in wrapped(line, room).into_iter().filter(|piece| !piece.is_empty()) {
            out.push_str(if out.ends_with(':') { " " } else { "\r\n " });
            out.push_str(&piece);
            room = WIDTH;
        }
    }
    // A field without any text keeps the space after its colon.
    out.push_str(if out.ends_with(':') { " \r\n" } else { "\r\n" });
    out
}

/// An unstructured field such as Subject, with encoded words where it needs them.
pub(super) fn unstructured(name: &str, text: &str) -> String {
    let text = clean(text);
    if text.is_ascii() && !text.contains("=?") {
        return folded(name, &[text]);
    }
    folded(name, &encoded_words(&text))
}

/// A display name: quoted, or as encoded words.
pub(super) fn phrase(text: &str) -> String {
    let text = clean(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ' || c == '-';
    if text.chars().all(plain) {
        return text;
    }
    if text.is_ascii() {
        let safe = |c: &char| !matches!(c, '"' | '\\');
        return format!("\"{}\"", text.chars().filter(safe).collect::<String>());
    }
    encoded_words(&text).join("\r\n ")
}

/// Base64 encoded words, each of whole characters.
fn encoded_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(ENCODED_WORD_OCTETS);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let mut encoded = Vec::new();
        crate::message::convert::base64(&rest.as_bytes()[..end], &mut encoded);
        let encoded = String::from_utf8_lossy(encoded.trim_ascii()).into_owned();
        words.push(format!("=?utf-8?B?{encoded}?="));
        rest = &rest[end..];
    }
    words
}

/// The body as it is, where it is ASCII in lawful lines, else in quoted-printable.
pub(super) fn encoded(body: &[u8]) -> (&'static str, Vec<u8>) {
    if body.is_ascii() && has_lawful_lines(body) {
        return ("7bit", body.to_vec());
    }
    let mut out = Vec::new();
    quoted_printable(body, &mut out);
    ("quoted-printable", out)
}

/// Lines end in CRLF and have at most 998 octets, none of them NUL (RFC 5322 §2.1.1,
/// RFC 2045 §2.7).
pub(super) fn has_lawful_lines(body: &[u8]) -> bool {
    let lawful = |line: &[u8]| {
        let content = line.strip_suffix(b"\r\n").unwrap_or(line);
        content.len() <= MAX_LINE_OCTETS
            && !content.iter().any(|octet| matches!(octet, 0 | b'\r' | b'\n'))
    };
    body.split_inclusive(|octet| *octet == b'\n').all(lawful)
}
