//! Mailboxes and their local parts (RFC 5321 §4.1.2, RFC 6531 §3.3).
//!
//! A local part is kept by its content: `"a"@x` and `a@x` are one mailbox, and quotes
//! are written only where they are needed. Case is kept and distinguishes.

use std::fmt;
use std::str::FromStr;

use super::Domain;

/// Longest local part that we take, in octets. RFC 5321 §4.5.3.1.1 asks for 64 at
/// least, and to have no limit where possible; bounce addresses of the field are longer.
/// This one keeps an address inside a file name and a reply line.
pub const MAX_LOCAL_PART_OCTETS: usize = 255;

/// Why an address does not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Not in angle brackets.
    Brackets,
    /// `<>` where a mailbox must stand.
    Null,
    /// No `@`.
    NoDomain,
    /// The local part is neither a dot-string nor a quoted string.
    LocalPart,
    /// The domain is no domain name.
    Domain,
    /// The address literal does not parse.
    Literal,
    /// The source route before the mailbox does not parse.
    Route,
    /// The local part is longer than [`MAX_LOCAL_PART_OCTETS`].
    LocalPartTooLong,
    /// The domain is longer than 255 octets.
    DomainTooLong,
    /// The octets are no UTF-8.
    NotUtf8,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AddressError::Brackets => "it must stand in angle brackets",
            AddressError::Null => "it is empty",
            AddressError::NoDomain => "it has no domain",
            AddressError::LocalPart => "bad local part",
            AddressError::Domain => "bad domain",
            AddressError::Literal => "bad address literal",
            AddressError::Route => "bad source route",
            AddressError::LocalPartTooLong => "local part too long",
            AddressError::DomainTooLong => "domain too long",
            AddressError::NotUtf8 => "it is not UTF-8",
        })
    }
}

impl std::error::Error for AddressError {}

/// A local part by its content, without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalPart(String);

impl LocalPart {
    /// The local part whose content is `content`, or `None` where SMTP cannot carry it:
    /// control characters, or too long.
    pub fn from_content(content: &str) -> Option<LocalPart> {
        let fits = content.len() <= MAX_LOCAL_PART_OCTETS;
        (fits && !content.chars().any(char::is_control)).then(|| LocalPart(content.to_owned()))
    }

    /// The content, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is written, where that is without quotes.
    pub fn unquoted(&self) -> Option<&str> {
        is_dot_string(&self.0).then_some(&self.0)
    }

    /// Reads a local part at the start of `text`; also gives the octets it took.
    ///
    /// # Errors
    /// `AddressError::LocalPart` or `AddressError::LocalPartTooLong`.
    pub(super) fn at_start(text: &str) -> Result<(LocalPart, usize), AddressError> {
        let (content, used) = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted).ok_or(AddressError::LocalPart)?,
            None => dot_string(text).ok_or(AddressError::LocalPart)?,
        };
        if content.len() > MAX_LOCAL_PART_OCTETS {
            return Err(AddressError::LocalPartTooLong);
        }
        Ok((LocalPart(content), used))
    }
}

/// The content of `Quoted-string` after its first quote, and the octets with both quotes.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((content, at + 2)),
            // quoted-pairSMTP: only printable ASCII may be escaped.
            '\\' => content.push(characters.next().map(|(_, c)| c).filter(|c| is_graphic(*c))?),
            c if is_graphic(c) || is_utf8_non_ascii(c) => content.push(c),
            _ => return None,
        }
    }
    None
}

/// `Dot-string`, up to the first character that cannot belong to it.
fn dot_string(text: &str) -> Option<(String, usize)> {
    let used = text.find(|c| !is_atext(c) && c != '.').unwrap_or(text.len());
    let word = &text[..used];
    is_dot_string(word).then(|| (word.to_owned(), used))
}

fn is_dot_string(text: &str) -> bool {
    // An atom is to come: at the beginning, and behind a dot.
    let mut is_open = true;
    let fits = text.chars().all(|c| {
        let was_open = std::mem::replace(&mut is_open, c == '.');
        if is_open { !was_open } else { is_atext(c) }
    });
    fits && !is_open
}

fn is_graphic(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic()
}

/// `atext` of RFC 5322 §3.2.3, with `UTF8-non-ascii` of RFC 6531 §3.3.
pub(super) fn is_atext(c: char) -> bool {
    matches!(
        c,
        'a'..='z' | 'A'..='Z' | '0'..='9' | '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?'
            | '^'..='`' | '{'..='~'
    ) || is_utf8_non_ascii(c)
}

/// C1 controls are UTF-8, but no address has them.
fn is_utf8_non_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control()
}

/// With the least quoting that is possible (RFC 5321 §4.1.2).
impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(unquoted) = self.unquoted() {
            return f.write_str(unquoted);
        }
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{escaped}\"")
    }
}

/// `Local-part "@" ( Domain / address-literal )`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// Before the `@`.
    pub local_part: LocalPart,
    /// After it.
    pub domain: Domain,
}

impl Mailbox {
    /// Whether SMTP without SMTPUTF8 can carry it.
    pub fn is_ascii(&self) -> bool {
        self.local_part.0.is_ascii() && self.domain.is_ascii()
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    /// Reads a whole mailbox, without angle brackets.
    ///
    /// # Errors
    /// What is wrong with it.
    fn from_str(text: &str) -> Result<Mailbox, AddressError> {
        let (local_part, used) = LocalPart::at_start(text)?;
        let rest = &text[used..];
        let Some(domain) = rest.strip_prefix('@') else {
            return Err(if rest.is_empty() {
                AddressError::NoDomain
            } else {
                AddressError::LocalPart
            });
        };
        Ok(Mailbox { local_part, domain: domain.parse()? })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.local_part.fmt(f)?;
        f.write_str("@")?;
        self.domain.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<(&str, &str), AddressError>) {
        let read = text.parse::<Mailbox>();
        let read = read.as_ref().map(|m| (m.local_part.as_str(), m.domain.as_str()));
        assert_eq!(read.map_err(|error| *error), expected, "{text}");
    }

    #[test]
    fn quoted_and_unquoted_local_parts_are_one_content() {
        rfc!(5321, "2.4");
        rfc!(5321, "4.1.2");
        check("a.b+c@example.org", Ok(("a.b+c", "example.org")));
        check("\"a.b\"@example.org", Ok(("a.b", "example.org")));
        check("\"Joe\\,Smith\"@example.org", Ok(("Joe,Smith", "example.org")));
        check("\"a@b \\\" \\\\\"@example.org", Ok(("a@b \" \\", "example.org")));
        check("\"\"@example.org", Ok(("", "example.org")));
        check("用户@例え.test", Ok(("用户", "例え.test")));
    }

    #[test]
    fn what_is_no_mailbox_says_what_is_wrong() {
        use AddressError as E;
        for text in ["", "@example.org", ".a@example.org", "a..b@example.org", "a.@x", "a b@x"] {
            check(text, Err(E::LocalPart));
        }
        check("\"a@x", Err(E::LocalPart));
        check("\"a\"b@x", Err(E::LocalPart));
        check("\"a\tb\"@x", Err(E::LocalPart));
        check("a", Err(E::NoDomain));
        check("a@", Err(E::Domain));
        check("a@b@c", Err(E::Domain));
        check("a@[1.2]", Err(E::Literal));
        check(&format!("{}@x", "a".repeat(256)), Err(E::LocalPartTooLong));
        check(&format!("a@{}", "a.".repeat(200)), Err(E::DomainTooLong));
    }

    #[test]
    fn quotes_are_written_only_where_needed() {
        let written = |text: &str| text.parse::<Mailbox>().unwrap().to_string();
        assert_eq!(written("\"a\"@x"), "a@x");
        assert_eq!(written("\"a b\"@x"), "\"a b\"@x");
        assert_eq!(written("\"a\\\"b\\\\c\"@x"), "\"a\\\"b\\\\c\"@x");
    }

    proptest! {
        #[test]
        fn any_content_survives_display_and_parse(content in "[ -~äß用]{0,60}") {
            let local_part = LocalPart::from_content(&content).unwrap();
            let mailbox = Mailbox { local_part, domain: "example.org".parse().unwrap() };
            prop_assert_eq!(mailbox.to_string().parse::<Mailbox>().unwrap(), mailbox);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = text.parse::<Mailbox>();
        }
    }
}
