//! Domain names and address literals (RFC 5321 §4.1.2, §4.1.3; U-labels of RFC 6531).
//!
//! Departure: an underscore is taken where RFC 5321 wants a letter, digit or hyphen,
//! since names with one send mail daily. Whether a domain exists is not known here.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::AddressError;

/// Longest domain, in octets (RFC 5321 §4.5.3.1.2).
pub const MAX_DOMAIN_OCTETS: usize = 255;
/// Longest label, in octets (RFC 1035 §2.3.4).
const MAX_LABEL_OCTETS: usize = 63;

/// A domain name, with U-labels too, or an address literal in its brackets. Equal
/// ignoring ASCII case; displayed as it was given.
#[derive(Clone, Debug)]
pub struct Domain(String);

impl Domain {
    /// The domain as it was given, a literal with its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an address literal.
    pub fn is_literal(&self) -> bool {
        self.0.starts_with('[')
    }

    /// The address of an IPv4 or IPv6 literal.
    pub fn address(&self) -> Option<IpAddr> {
        literal_address(self.0.strip_prefix('[')?.strip_suffix(']')?)
    }

    /// Whether it has no U-label.
    pub fn is_ascii(&self) -> bool {
        self.0.is_ascii()
    }
}

impl FromStr for Domain {
    type Err = AddressError;

    /// Reads a whole domain or literal.
    ///
    /// # Errors
    /// `AddressError::Domain`, `AddressError::Literal` or `AddressError::DomainTooLong`.
    fn from_str(text: &str) -> Result<Domain, AddressError> {
        if text.len() > MAX_DOMAIN_OCTETS {
            return Err(AddressError::DomainTooLong);
        }
        if text.starts_with('[') {
            return is_literal(text).then(|| Domain(text.to_owned())).ok_or(AddressError::Literal);
        }
        text.split('.').all(is_label).then(|| Domain(text.to_owned())).ok_or(AddressError::Domain)
    }
}

/// `sub-domain`, with the underscore; U-labels count by their octets in UTF-8, which is
/// never less than their A-label may have characters.
fn is_label(label: &str) -> bool {
    let fits =
        label.len() <= MAX_LABEL_OCTETS || (!label.is_ascii() && label.chars().count() <= 59);
    fits && !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(is_label_character)
}

fn is_label_character(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '-' || c == '_' } else { is_u_label(c) }
}

/// What IDNA surely forbids is refused: controls, white space, other full stops, private
/// and non-characters. The rest is for the resolver.
fn is_u_label(c: char) -> bool {
    let joiner = matches!(c, '\u{200c}' | '\u{200d}');
    let punctuation = matches!(c, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3002}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff61}');
    let outside =
        matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..);
    joiner || !(c.is_control() || c.is_whitespace() || punctuation || outside)
}

/// `address-literal` with its brackets.
fn is_literal(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return false;
    };
    match inner.split_once(':') {
        None => is_ipv4(inner),
        Some((tag, _)) if tag.eq_ignore_ascii_case("IPv6") => literal_address(inner).is_some(),
        Some((tag, content)) => {
            is_tag(tag) && !content.is_empty() && content.bytes().all(is_dcontent)
        }
    }
}

/// `Snum 3("." Snum)`: leading zeros are decimal, so `Ipv4Addr`'s parser is too strict.
fn is_ipv4(text: &str) -> bool {
    ipv4(text).is_some()
}

fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        *octet = digits.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

fn literal_address(inner: &str) -> Option<IpAddr> {
    match inner.split_once(':') {
        None => ipv4(inner).map(IpAddr::V4),
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6") => {
            address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        Some(_) => None,
    }
}

/// `Standardized-tag`. None but IPv6 was ever registered; others parse all the same.
fn is_tag(tag: &str) -> bool {
    !tag.ends_with('-')
        && !tag.is_empty()
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_dcontent(octet: u8) -> bool {
    matches!(octet, 33..=90 | 94..=126)
}

impl PartialEq for Domain {
    fn eq(&self, other: &Domain) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Domain {}

impl Hash for Domain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl PartialEq<str> for Domain {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(valid: bool, texts: &[&str]) {
        for text in texts {
            assert_eq!(text.parse::<Domain>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn names_of_letters_digits_hyphens_and_underscores_parse() {
        check(true, &["example.org", "localhost", "a-b.test", "x", "1.2.test", "_dmarc.a_b.test"]);
        check(
            false,
            &["", ".", "a..b", "a.", ".a", "-a.test", "a-.test", "a b", "a/b", "a@b", "a,b"],
        );
        check(true, &["bücher.example.org", "例え.test"]);
        check(false, &["a\u{3002}b", "a\u{a0}b", "a\u{7f}b", "\u{2028}.test"]);
    }

    #[test]
    fn lengths_are_limited_as_in_the_dns() {
        rfc!(5321, "4.5.3.1");
        let label = "a".repeat(63);
        check(true, &[&label, &format!("{label}.{label}.{label}.{label}")]);
        check(false, &[&"a".repeat(64), &format!("{label}.{label}.{label}.{label}.a")]);
    }

    #[test]
    fn address_literals_parse() {
        check(true, &["[192.0.2.1]", "[192.000.002.001]", "[IPv6:2001:db8::1]", "[ipv6:::]"]);
        check(true, &["[IPv6:::ffff:192.0.2.1]", "[X400:foo/bar]"]);
        check(
            false,
            &["[192.0.2]", "[192.0.2.256]", "[192.0.2.1", "[]", "[2001:db8::1]x", "[IPv6:x]"],
        );
        check(false, &["[192.0.2.1.5]", "[IPv6:1:2]", "[tag:]", "[tag:a b]", "[-:a[b]"]);
        let address = |text: &str| text.parse::<Domain>().unwrap().address().unwrap().to_string();
        assert_eq!(address("[192.0.2.001]"), "192.0.2.1");
        assert_eq!(address("[IPv6:2001:db8::1]"), "2001:db8::1");
    }

    #[test]
    fn case_does_not_distinguish_domains() {
        let read = |text: &str| text.parse::<Domain>().unwrap();
        let (a, b) = (read("Example.ORG"), read("example.org"));
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "Example.ORG");
    }
}
