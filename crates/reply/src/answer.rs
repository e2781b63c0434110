//! What we say: an [`Answer`], made only by the constructors of the catalogue.

use std::fmt::Display;

use crate::code::push_number;
use crate::{Cause, Class, Code, EnhancedCode, Stage};

/// Longest reply line with its CRLF, in octets (RFC 5321 §4.5.3.1.5).
pub const MAX_LINE_OCTETS: usize = 512;

/// One row of the catalogue: all that is known of an answer before its placeholders
/// are filled.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The stable name, as in `mailbox_locked`.
    pub id: &'static str,
    /// When we send it, as its doc comment has it; in the reader's language by
    /// [`crate::explain::when_sent`].
    pub when: &'static str,
    /// The basic code.
    pub code: Code,
    /// None for the greeting, EHLO, HELO and 3xx (RFC 2034 §4).
    pub enhanced_code: Option<EnhancedCode>,
    /// The wire text with its placeholders in braces.
    pub text: &'static str,
    /// None for positive and intermediate rows.
    pub cause: Option<Cause>,
    /// The commands it may answer (RFC 5321 §4.3.2 and the extensions' RFCs).
    pub answers: &'static [Stage],
    /// Where it comes from.
    pub source: &'static str,
}

impl Row {
    /// Whether the rows' rules hold: the class of both codes agrees, the enhanced code is
    /// absent just where RFC 2034 says so, and negative rows name a cause. Used when
    /// compiling, so that a contradictory row does not build.
    pub(crate) const fn is_lawful(&self) -> bool {
        let negative = matches!(self.code.class(), Class::Transient | Class::Permanent);
        let classes_agree = match self.enhanced_code {
            Some(enhanced) => enhanced.class() as u8 == self.code.class() as u8,
            None => true,
        };
        classes_agree && negative == self.cause.is_some() && self.text.is_ascii()
    }
}

/// A reply of ours, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    row: &'static Row,
    lines: Vec<String>,
}

impl Answer {
    /// An answer with one line of text.
    pub(crate) fn new(row: &'static Row, text: String) -> Answer {
        Answer { row, lines: vec![wire_text(row, text)] }
    }

    /// The same with further lines (EHLO's keywords, HELP's text, EXPN's members).
    #[must_use]
    pub fn with_lines<T: Display>(mut self, more: impl IntoIterator<Item = T>) -> Answer {
        let row = self.row;
        self.lines.extend(more.into_iter().map(|line| wire_text(row, line.to_string())));
        self
    }

    /// The row it was made from.
    pub const fn row(&self) -> &'static Row {
        self.row
    }

    /// The basic code.
    pub const fn code(&self) -> Code {
        self.row.code
    }

    /// The enhanced code.
    pub const fn enhanced_code(&self) -> Option<EnhancedCode> {
        self.row.enhanced_code
    }

    /// The cause, where it is negative.
    pub const fn cause(&self) -> Option<Cause> {
        self.row.cause
    }

    /// The lines of text, without codes.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Appends the reply as it stands on the wire (RFC 5321 §4.2.1), with CRLF.
    pub fn write(&self, out: &mut Vec<u8>) {
        let last = self.lines.len() - 1;
        for (index, line) in self.lines.iter().enumerate() {
            push_number(out, self.row.code.value());
            out.push(if index == last { b' ' } else { b'-' });
            if let Some(enhanced) = self.row.enhanced_code {
                enhanced.write(out);
                out.push(b' ');
            }
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The reply as it stands on the wire, with CRLF.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

/// What a peer gave us may stand in a reply only as printable ASCII, and the line must
/// fit: everything else becomes `?`, and what is too long is cut.
fn wire_text(row: &Row, text: String) -> String {
    let code = "450 ".len() + row.enhanced_code.map_or(0, |code| code.octets() + 1);
    let room = MAX_LINE_OCTETS - "\r\n".len() - code;
    let is_printable = |c: char| c.is_ascii_graphic() || c == ' ';
    if text.len() <= room && text.chars().all(is_printable) {
        return text;
    }
    text.chars().map(|c| if is_printable(c) { c } else { '?' }).take(room).collect()
}

#[cfg(test)]
mod tests {
    use crate::catalogue;

    #[test]
    fn an_answer_is_written_with_both_codes_on_every_line() {
        let answer = catalogue::help("commands").with_lines(["HELO EHLO"]);
        assert_eq!(answer.to_bytes(), b"214-2.0.0 commands\r\n214 2.0.0 HELO EHLO\r\n");
    }

    #[test]
    fn what_a_peer_gave_cannot_break_the_line_or_its_length() {
        let answer = catalogue::mailbox_unknown("a\r\n250 ok\u{e9}");
        assert_eq!(answer.to_bytes(), b"550 5.1.1 <a??250 ok?> no such mailbox here\r\n");
        assert_eq!(catalogue::mailbox_unknown("x".repeat(2000)).to_bytes().len(), 512);
    }
}
