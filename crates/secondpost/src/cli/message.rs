//! A message from a file or stdin, checked and brought into the form of the wire: CRLF
//! line ends, a header block of fields. What is no message is told with its line.

use reply::Language;
use reply::explain::wrong;

/// A message as it goes to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The octets, every line ended by CRLF.
    pub(crate) octets: Vec<u8>,
    /// The length of the header block with the empty line after it.
    pub(crate) header_octets: usize,
}

impl Message {
    /// Whether the body has octets above 127 (8BITMIME, RFC 6152).
    pub(crate) fn has_eight_bit_body(&self) -> bool {
        !self.octets[self.header_octets..].is_ascii()
    }

    /// Whether the header has octets above 127 (RFC 6532).
    pub(crate) fn has_eight_bit_header(&self) -> bool {
        !self.octets[..self.header_octets].is_ascii()
    }
}

/// Why octets are no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong with it.
    pub(crate) problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It holds a NUL.
    Nul,
    /// It is what begins a message in an mbox.
    MboxLine,
    /// It ends a header block that did not begin.
    NoHeader,
    /// It should be a header field; its beginning.
    NoField(String),
    /// There is none.
    Empty,
}

impl Problem {
    pub(crate) fn in_words(&self, language: Language) -> String {
        let words = |name: &str, line: &str| wrong(language, name, &[("line", line)]);
        match self {
            Problem::Nul => words("message-nul", ""),
            Problem::MboxLine => words("message-mbox", "`From `"),
            Problem::NoHeader => words("message-no-header", ""),
            Problem::NoField(line) => words("message-no-field", &format!("`{line}`")),
            Problem::Empty => words("message-empty", ""),
        }
    }

    /// What would be right.
    pub(crate) fn expected_in_words(&self, language: Language) -> String {
        let name = match self {
            Problem::Nul => "message-expects-text",
            Problem::MboxLine => "message-expects-no-mbox",
            Problem::NoHeader | Problem::NoField(_) | Problem::Empty => "message-expects-field",
        };
        wrong(language, name, &[("example", "`Subject: hello`")])
    }
}

/// What is done where the header block does not begin or end as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is an error.
    Strict,
    /// As `sendmail` does: the body begins there, and an mbox `From ` line is taken away.
    Sendmail,
}

/// Checks a message and gives every line its CRLF (RFC 5321 §2.3.8).
pub(crate) fn prepare(raw: &[u8], reading: Reading) -> Result<Message, Malformed> {
    if let Some(at) = raw.iter().position(|octet| *octet == 0) {
        let line = raw[..at].iter().filter(|octet| **octet == b'\n').count() + 1;
        return Err(Malformed { line, problem: Problem::Nul });
    }
    let lines = lines(raw);
    let first = usize::from(reading == Reading::Sendmail && starts_mbox(&lines));
    let header = match (header_lines(&lines[first..]), reading) {
        (Ok(header), _) => Header { lines: header, separator_missing: false },
        (Err(malformed), Reading::Sendmail) => {
            let fields = malformed.line - 1;
            let at_separator = lines.get(first + fields).is_some_and(|line| line.is_empty());
            Header { lines: fields, separator_missing: !at_separator }
        }
        (Err(malformed), Reading::Strict) => return Err(malformed),
    };
    Ok(assemble(&lines[first..], &header))
}

struct Header {
    /// How many lines are fields.
    lines: usize,
    /// The empty line after them must be added.
    separator_missing: bool,
}

fn assemble(lines: &[&[u8]], header: &Header) -> Message {
    let mut octets = Vec::with_capacity(lines.iter().map(|line| line.len() + 2).sum());
    for line in &lines[..header.lines] {
        push(&mut octets, line);
    }
    let ended_by_header = lines.len() == header.lines;
    if header.separator_missing || ended_by_header {
        push(&mut octets, b"");
    }
    let mut header_octets = octets.len();
    for (index, line) in lines[header.lines..].iter().enumerate() {
        push(&mut octets, line);
        if index == 0 && !header.separator_missing {
            header_octets = octets.len();
        }
    }
    Message { octets, header_octets }
}

fn push(octets: &mut Vec<u8>, line: &[u8]) {
    octets.extend_from_slice(line);
    octets.extend_from_slice(b"\r\n");
}

/// The lines without their ends: CRLF, LF, or a CR that stands alone.
fn lines(raw: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n'));
        let Some(end) = end else {
            lines.push(rest);
            break;
        };
        lines.push(&rest[..end]);
        let ended = if rest[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = &rest[ended..];
    }
    lines
}

fn starts_mbox(lines: &[&[u8]]) -> bool {
    lines.first().is_some_and(|line| line.starts_with(b"From "))
}

/// How many lines the header block has, without the empty one that ends it.
fn header_lines(lines: &[&[u8]]) -> Result<usize, Malformed> {
    if starts_mbox(lines) {
        return Err(Malformed { line: 1, problem: Problem::MboxLine });
    }
    for (index, line) in lines.iter().enumerate() {
        let malformed = |problem| Err(Malformed { line: index + 1, problem });
        match line {
            [] if index == 0 => return malformed(Problem::NoHeader),
            [] => return Ok(index),
            [b' ' | b'\t', ..] if index > 0 => {}
            line if is_field(line) => {}
            line => return malformed(Problem::NoField(beginning(line))),
        }
    }
    match lines.len() {
        0 => Err(Malformed { line: 1, problem: Problem::Empty }),
        all => Ok(all),
    }
}

/// A field's name is printable ASCII without space or colon (RFC 5322 §2.2).
fn is_field(line: &[u8]) -> bool {
    let name = line.iter().position(|octet| *octet == b':').map(|colon| &line[..colon]);
    name.is_some_and(|name| {
        let name = name.trim_ascii_end(); // `Subject :`, which RFC 5322 §4.5 has readers take
        !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
    })
}

/// The beginning of a line, for people.
fn beginning(line: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(line).chars().take(40).collect();
    let printable = |c: char| if c.is_control() { '?' } else { c };
    text.chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: &str, header: &str) {
        let message = prepare(raw.as_bytes(), Reading::Strict).unwrap();
        assert_eq!(String::from_utf8_lossy(&message.octets), expected, "{raw:?}");
        assert_eq!(String::from_utf8_lossy(&message.octets[..message.header_octets]), header);
    }

    #[test]
    fn every_line_gets_its_crlf() {
        check("A: 1\n\nhello\n", "A: 1\r\n\r\nhello\r\n", "A: 1\r\n\r\n");
        check("A: 1\r\n\r\nhello", "A: 1\r\n\r\nhello\r\n", "A: 1\r\n\r\n");
        check(
            "A: 1\n folded\n\nx\ry\n",
            "A: 1\r\n folded\r\n\r\nx\r\ny\r\n",
            "A: 1\r\n folded\r\n\r\n",
        );
        check("A: 1\n", "A: 1\r\n\r\n", "A: 1\r\n\r\n");
        check("A: 1\n\n", "A: 1\r\n\r\n", "A: 1\r\n\r\n");
    }

    fn check_error(raw: &[u8], line: usize, problem: &str) {
        let malformed = prepare(raw, Reading::Strict).unwrap_err();
        assert_eq!((malformed.line, &*malformed.problem.in_words(Language::En)), (line, problem));
        let mut told: Vec<String> = Language::COMPLETE
            .iter()
            .flat_map(|language| {
                let problem = &malformed.problem;
                [problem.in_words(*language), problem.expected_in_words(*language)]
            })
            .collect();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 2 * Language::COMPLETE.len(), "{told:?}");
    }

    #[test]
    fn what_is_no_message_is_told_with_its_line() {
        check_error(b"", 1, "the message is empty");
        check_error(b"\nbody\n", 1, "the message has no header");
        check_error(b"hello world\n", 1, "`hello world` is no header field");
        check_error(b"A: 1\nB: 2\nnonsense\n\nbody", 3, "`nonsense` is no header field");
        check_error(b" folded: 1\n", 1, "` folded: 1` is no header field");
        check_error(b"From a@b Mon\nA: 1\n\n", 1, "the `From ` line of an mbox is no header field");
        check_error(b"A: 1\n\nbo\0dy", 3, "a NUL octet");
        check_error(b"\xff\xfe: 1\n", 1, "`\u{fffd}\u{fffd}: 1` is no header field");
    }

    #[test]
    fn sendmail_takes_what_programs_write() {
        let face = |raw: &str| {
            let message = prepare(raw.as_bytes(), Reading::Sendmail).unwrap();
            String::from_utf8(message.octets).unwrap()
        };
        assert_eq!(face("hello\n"), "\r\nhello\r\n");
        assert_eq!(face("A: 1\nhello\n"), "A: 1\r\n\r\nhello\r\n");
        assert_eq!(face("From a Mon\nA: 1\n\nx\n"), "A: 1\r\n\r\nx\r\n");
        assert_eq!(face(""), "\r\n");
        assert_eq!(face("\nx\n"), "\r\nx\r\n");
    }

    #[test]
    fn eight_bit_octets_are_seen_where_they_stand() {
        let body = prepare("A: 1\n\nü\n".as_bytes(), Reading::Strict).unwrap();
        assert!(body.has_eight_bit_body() && !body.has_eight_bit_header());
        let header = prepare("A: ü\n\nx\n".as_bytes(), Reading::Strict).unwrap();
        assert!(!header.has_eight_bit_body() && header.has_eight_bit_header());
    }
}
