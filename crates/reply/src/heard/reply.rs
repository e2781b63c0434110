//! What we hear: a [`Reply`], made only by parsing. [`ReplyReader`] takes octets as
//! they come from a connection; [`Reply::parse`] takes a whole reply from a text.

use std::fmt;

use crate::{Code, EnhancedCode};

/// Longest line that is read, in octets. RFC 5321 §4.5.3.1.5 allows 512; the field
/// sends more, and a client that hangs up over it loses mail.
pub const MAX_LINE_OCTETS: usize = 8 * 1024;
/// Most lines in one reply; further ones are read and forgotten up to the limit below.
pub const MAX_LINES: usize = 512;
/// Most octets in one reply: an endless one is an error, not a memory leak.
pub const MAX_REPLY_OCTETS: usize = 256 * 1024;

/// One reply of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: Code,
    enhanced_code: Option<EnhancedCode>,
    lines: Vec<String>,
}

impl Reply {
    /// Reads one whole reply, as it stands on the wire or in a text (LF or CRLF).
    ///
    /// # Errors
    /// Where the text is no reply, or more than one.
    pub fn parse(text: &[u8]) -> Result<Reply, ReplyError> {
        let mut reader = ReplyReader::default();
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            if let Some(reply) = reader.line(line)? {
                return Ok(reply);
            }
        }
        Err(ReplyError::Incomplete)
    }

    /// A reply of lines that a text quotes without their codes.
    pub(super) fn of_lines(code: Code, lines: Vec<String>) -> Reply {
        ReplyReader { lines, ..ReplyReader::default() }.finish(code)
    }

    /// The basic code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The enhanced code that stands at the start of the text, if its class agrees
    /// with the basic code's (RFC 2034 §4). The field also lets them disagree; then the
    /// text keeps it.
    pub const fn enhanced_code(&self) -> Option<EnhancedCode> {
        self.enhanced_code
    }

    /// The text of each line, without the codes.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The text in one line, without the codes.
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }
}

/// As it is written in a log: the code, the enhanced code, the text in one line.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced_code {
            write!(f, " {enhanced}")?;
        }
        let text = self.text();
        if text.is_empty() { Ok(()) } else { write!(f, " {text}") }
    }
}

/// Why octets are no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// A line does not begin with three digits and a space, hyphen or line end.
    NotAReply(String),
    /// The lines of one reply have different codes (RFC 5321 §4.2.1).
    CodesDiffer(Code, Code),
    /// A line or the whole is longer than is read.
    TooLong,
    /// The text ended before the last line of the reply.
    Incomplete,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplyError::NotAReply(line) => write!(f, "`{line}` is no SMTP reply"),
            ReplyError::CodesDiffer(first, then) => {
                write!(f, "a reply that begins with {first} goes on with {then}")
            }
            ReplyError::TooLong => f.write_str("the reply is longer than is read"),
            ReplyError::Incomplete => f.write_str("the reply ends before its last line"),
        }
    }
}

impl std::error::Error for ReplyError {}

/// Collects the lines of one reply after another from a connection's octets.
#[derive(Debug, Default)]
pub struct ReplyReader {
    partial: Vec<u8>,
    code: Option<Code>,
    lines: Vec<String>,
    octets: usize,
}

impl ReplyReader {
    /// Takes octets up to and including the end of one reply. Returns how many it took
    /// and the reply, if it is whole; call again with the rest.
    ///
    /// # Errors
    /// Where the octets are no reply. The connection is then of no more use.
    pub fn receive(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut used = 0;
        while used < input.len() {
            let rest = &input[used..];
            let end = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |at| at + 1);
            self.partial.extend_from_slice(&rest[..end]);
            used += end;
            if self.partial.len() > MAX_LINE_OCTETS {
                return Err(ReplyError::TooLong);
            }
            if self.partial.last() == Some(&b'\n') {
                let line = std::mem::take(&mut self.partial);
                if let Some(reply) = self.line(&line)? {
                    return Ok((used, Some(reply)));
                }
            }
        }
        Ok((used, None))
    }

    /// Whether nothing of a reply was read yet.
    pub fn is_empty(&self) -> bool {
        self.partial.is_empty() && self.code.is_none()
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        self.octets += line.len();
        if self.octets > MAX_REPLY_OCTETS {
            return Err(ReplyError::TooLong);
        }
        // With the CRs that some put before the one of the line's end.
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        let (code, last, text) = split(&line).ok_or_else(|| not_a_reply(&line))?;
        match self.code {
            Some(first) if first != code => return Err(ReplyError::CodesDiffer(first, code)),
            _ => self.code = Some(code),
        }
        if self.lines.len() < MAX_LINES {
            self.lines.push(text.to_owned());
        }
        Ok(last.then(|| self.finish(code)))
    }

    fn finish(&mut self, code: Code) -> Reply {
        let mut lines = std::mem::take(&mut self.lines);
        *self = ReplyReader::default();
        let mut enhanced_code = None;
        for line in &mut lines {
            let Some((enhanced, used)) = agreeing(code, line) else { continue };
            enhanced_code = enhanced_code.or(Some(enhanced));
            let text = line.len() - line[used..].trim_start().len();
            line.drain(..text);
        }
        Reply { code, enhanced_code, lines }
    }
}

/// The enhanced code at the start of `line`, of the class of `code`, and its length.
fn agreeing(code: Code, line: &str) -> Option<(EnhancedCode, usize)> {
    EnhancedCode::at_start(line).filter(|(enhanced, used)| {
        enhanced.class() == code.class() && line[*used..].chars().next().is_none_or(|c| c == ' ')
    })
}

fn not_a_reply(line: &str) -> ReplyError {
    ReplyError::NotAReply(line.chars().take(80).collect())
}

/// Code, whether it is the last line, text.
fn split(line: &str) -> Option<(Code, bool, &str)> {
    let digits = line.get(..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let code = Code::new(digits.parse().ok()?)?;
    match line.as_bytes().get(3) {
        None => Some((code, true, "")),
        Some(b' ' | b'\t') => Some((code, true, line[4..].trim_start())),
        Some(b'-') => Some((code, false, line[4..].trim_start())),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multi_line_reply_is_one_text_without_its_codes() {
        let wire = b"550-5.7.1 [192.0.2.25] has\r\n550-5.7.1 been\r\n550 5.7.1 blocked\r\n";
        let reply = Reply::parse(wire).unwrap();
        assert_eq!(reply.to_string(), "550 5.7.1 [192.0.2.25] has been blocked");
        assert_eq!(reply.lines().len(), 3);
    }

    #[test]
    fn replies_are_read_octet_by_octet_and_one_after_another() {
        let wire = b"250-a\r\n250 b\r\n354\r\n";
        let mut reader = ReplyReader::default();
        let mut heard = Vec::new();
        for octet in wire {
            let (used, reply) = reader.receive(&[*octet]).unwrap();
            assert_eq!(used, 1);
            heard.extend(reply.map(|reply| reply.to_string()));
        }
        assert_eq!(heard, ["250 a b", "354"]);
        assert!(reader.is_empty());
    }

    #[test]
    fn what_is_no_reply_is_an_error_and_bounded() {
        let error = |wire: &[u8]| ReplyReader::default().receive(wire).unwrap_err();
        assert_eq!(error(b"hello\r\n"), ReplyError::NotAReply("hello".into()));
        assert_eq!(error(&[b'2'; 10_000]), ReplyError::TooLong);
        let mixed = ReplyError::CodesDiffer(Code::new(250).unwrap(), Code::new(450).unwrap());
        assert_eq!(error(b"250-a\r\n450 b\r\n"), mixed);
        let endless = b"250-more\r\n".repeat(30_000);
        assert_eq!(error(&endless), ReplyError::TooLong);
    }

    /// Found by the fuzz target `replies`.
    #[test]
    fn more_crs_at_the_end_of_a_line_are_no_text() {
        assert_eq!(Reply::parse(b"450 4.2.0 later\r\r\n").unwrap().text(), "later");
        assert_eq!(Reply::parse(b"421 \r\r\r").unwrap().lines(), [""]);
    }

    #[test]
    fn an_enhanced_code_of_another_class_stays_in_the_text() {
        let reply = Reply::parse(b"550 4.2.2 full").unwrap();
        assert_eq!(reply.enhanced_code(), None);
        assert_eq!(reply.text(), "4.2.2 full");
    }
}
