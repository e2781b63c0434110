//! Basic reply codes (RFC 5321 §4.2) and enhanced status codes (RFC 3463).
//!
//! A `Code` or `EnhancedCode` that exists is one that SMTP allows; what the field
//! sends beyond that (101, 605, 4.7.500 …) is told apart by the readers in `heard`.

use std::fmt;
use std::str::FromStr;

/// The first digit of a reply (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// 2yz, positive completion: done.
    Positive = 2,
    /// 3yz, positive intermediate: go on, more is expected.
    Intermediate = 3,
    /// 4yz, transient negative completion: not done, the same may work later.
    Transient = 4,
    /// 5yz, permanent negative completion: not done, the same will not work later.
    Permanent = 5,
}

/// A basic reply code, 200 to 599.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The code `value`, or `None` outside 200 to 599.
    pub const fn new(value: u16) -> Option<Code> {
        if value >= 200 && value <= 599 { Some(Code(value)) } else { None }
    }

    /// A code known when compiling; anything else does not compile (in a constant).
    pub(crate) const fn literal(value: u16) -> Code {
        match Code::new(value) {
            Some(code) => code,
            None => panic!("a reply code is 200 to 599"),
        }
    }

    /// The number.
    pub const fn value(self) -> u16 {
        self.0
    }

    /// What the first digit says.
    pub const fn class(self) -> Class {
        match self.0 / 100 {
            2 => Class::Positive,
            3 => Class::Intermediate,
            4 => Class::Transient,
            _ => Class::Permanent,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({})", self.0)
    }
}

/// An enhanced status code `class.subject.detail` (RFC 3463 §2): class 2, 4 or 5,
/// subject and detail 0 to 999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// The code, or `None` where a part is out of its range.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Option<EnhancedCode> {
        if (class == 2 || class == 4 || class == 5) && subject <= 999 && detail <= 999 {
            Some(EnhancedCode { class, subject, detail })
        } else {
            None
        }
    }

    /// A code known when compiling; anything else does not compile (in a constant).
    pub(crate) const fn literal(text: &str) -> EnhancedCode {
        match parse(text.as_bytes()) {
            Some((code, used)) if used == text.len() => code,
            _ => panic!("an enhanced status code is class.subject.detail"),
        }
    }

    /// Reads a code at the beginning of `text`; also gives the octets it took. It must
    /// be followed by a character that is neither a digit nor a dot before a digit.
    pub fn at_start(text: &str) -> Option<(EnhancedCode, usize)> {
        let bytes = text.as_bytes();
        let (code, used) = parse(bytes)?;
        let more_follows =
            bytes.get(used) == Some(&b'.') && bytes.get(used + 1).is_some_and(u8::is_ascii_digit);
        (!more_follows).then_some((code, used))
    }

    /// 2, 4 or 5, as a reply's class.
    pub const fn class(self) -> Class {
        match self.class {
            2 => Class::Positive,
            4 => Class::Transient,
            _ => Class::Permanent,
        }
    }

    /// What it is about: 0 undefined, 1 address, 2 mailbox, 3 system, 4 network,
    /// 5 protocol, 6 content, 7 policy.
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The detail within the subject.
    pub const fn detail(self) -> u16 {
        self.detail
    }

    /// How long it is, written.
    pub(crate) const fn octets(self) -> usize {
        "2..".len() + digits(self.subject) + digits(self.detail)
    }

    /// Appends it as [`Display`](fmt::Display) has it.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        push_number(out, u16::from(self.class));
        out.push(b'.');
        push_number(out, self.subject);
        out.push(b'.');
        push_number(out, self.detail);
    }
}

/// How many digits a number below 1,000 has.
const fn digits(number: u16) -> usize {
    match number {
        100.. => 3,
        10.. => 2,
        _ => 1,
    }
}

/// Appends a number below 1,000. Every reply has some: the formatter's way takes longer than
/// all else of a reply.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u16) {
    let all = [number / 100 % 10, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8);
    out.extend_from_slice(&all[all.len() - digits(number)..]);
}

/// One to three digits without a superfluous zero (RFC 3463 §2).
const fn number(bytes: &[u8], mut at: usize) -> Option<(u16, usize)> {
    let start = at;
    let mut value = 0u16;
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        if at - start == 3 {
            return None;
        }
        value = value * 10 + (bytes[at] - b'0') as u16;
        at += 1;
    }
    if at == start || (at - start > 1 && bytes[start] == b'0') { None } else { Some((value, at)) }
}

const fn parse(bytes: &[u8]) -> Option<(EnhancedCode, usize)> {
    if bytes.len() < 5 || !bytes[0].is_ascii_digit() || bytes[1] != b'.' {
        return None;
    }
    let Some((subject, at)) = number(bytes, 2) else { return None };
    if at >= bytes.len() || bytes[at] != b'.' {
        return None;
    }
    let Some((detail, at)) = number(bytes, at + 1) else { return None };
    match EnhancedCode::new(bytes[0] - b'0', subject, detail) {
        Some(code) => Some((code, at)),
        None => None,
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl fmt::Debug for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnhancedCode({self})")
    }
}

impl FromStr for EnhancedCode {
    type Err = NotAnEnhancedCode;
    fn from_str(text: &str) -> Result<EnhancedCode, NotAnEnhancedCode> {
        match parse(text.as_bytes()) {
            Some((code, used)) if used == text.len() => Ok(code),
            _ => Err(NotAnEnhancedCode(text.to_owned())),
        }
    }
}

/// The text is no enhanced status code; it holds the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnEnhancedCode(pub String);

impl fmt::Display for NotAnEnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no enhanced status code: expected class.subject.detail", self.0)
    }
}

impl std::error::Error for NotAnEnhancedCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_as_it_is_displayed() {
        for (subject, detail) in [(0, 0), (9, 10), (99, 100), (999, 999), (10, 9)] {
            let code = EnhancedCode::new(4, subject, detail).unwrap();
            let mut written = Vec::new();
            code.write(&mut written);
            assert_eq!(String::from_utf8(written).unwrap(), code.to_string());
            assert_eq!(code.octets(), code.to_string().len());
        }
    }

    #[test]
    fn codes_outside_smtp_cannot_be_built() {
        for value in [0, 101, 199, 600, 605, 999] {
            assert_eq!(Code::new(value), None, "{value}");
        }
        assert_eq!(Code::new(450).unwrap().class(), Class::Transient);
    }

    #[test]
    fn enhanced_codes_are_read_at_the_start_of_a_text() {
        let code = |text| EnhancedCode::at_start(text).map(|(code, used)| (code.to_string(), used));
        assert_eq!(code("4.2.0 later"), Some(("4.2.0".into(), 5)));
        assert_eq!(code("5.7.26"), Some(("5.7.26".into(), 6)));
        assert_eq!(code("4.7.500 busy"), Some(("4.7.500".into(), 7)));
        for text in ["", "4.2", "3.1.1 x", "4.02.0", "4.2.1000", "4.2.0.1 is an address", "x4.2.0"]
        {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
