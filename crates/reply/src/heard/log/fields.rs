//! Small pieces that several logs share: `key=value` fields, addresses in angle brackets,
//! a host with its address, the command that a reply answered.

use std::borrow::Cow;

use super::Peer;
use crate::Stage;

/// The text between `open` and `close`, and what follows.
pub(super) fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let start = text.find(open)? + open.len();
    let end = text[start..].find(close)?;
    Some(&text[start..start + end])
}

/// The value of `key=` up to a comma and a space, or up to a space. The key must begin a word.
pub(super) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let rest = &text[after_key(text, key)?..];
    let end = match rest.as_bytes().first()? {
        b'<' => rest.find('>')? + 1,
        b'"' => return rest[1..].find('"').map(|end| &rest[1..1 + end]),
        _ => memchr::memchr2(b',', b' ', rest.as_bytes()).unwrap_or(rest.len()),
    };
    Some(&rest[..end])
}

/// Where the value of `key=` begins.
pub(super) fn after_key(text: &str, key: &str) -> Option<usize> {
    let octets = text.as_bytes();
    let ends_key = |equals: &usize| {
        let Some(before) = octets[..*equals].strip_suffix(key.as_bytes()) else { return false };
        before.last().is_none_or(|octet| matches!(octet, b' ' | b',' | b';' | b'(' | b'{'))
    };
    memchr::memchr_iter(b'=', octets).find(ends_key).map(|equals| equals + 1)
}

/// The address in `<a@example.net>`, also without the brackets.
pub(super) fn address(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').map_or(text, |rest| rest.split('>').next().unwrap_or(rest))
}

/// An address that says something: not `-`, `(hidden)` or a lone placeholder.
pub(super) fn known(address: &str) -> Option<Cow<'_, str>> {
    let is_known = !address.is_empty() && address != "-" && !address.starts_with('(');
    is_known.then_some(Cow::Borrowed(address))
}

/// `mx.example.net[192.0.2.7]:25`, `mx.example.net [192.0.2.7]`, `[192.0.2.7]`, `none`.
pub(super) fn peer(text: &str) -> Peer<'_> {
    let (name, address) = match text.split_once('[') {
        Some((name, rest)) => (name.trim(), rest.split(']').next()),
        None => (text.trim(), None),
    };
    let name = name.trim_end_matches('.').trim_matches(['(', ')']);
    let is_address = address.is_some_and(|address| {
        address.bytes().all(|octet| octet.is_ascii_hexdigit() || b".:%".contains(&octet))
            || address.starts_with("IPv6:")
    });
    Peer {
        name: Some(name).filter(|name| !matches!(*name, "" | "none" | "unknown")),
        address: address.filter(|_| is_address),
    }
}

/// The stage that a verb or a program's name for a moment stands for.
pub(super) fn stage(word: &str) -> Option<Stage> {
    let named =
        |name: &str| word.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let names = [
        ("end of data", Stage::EndOfData),
        ("end-of-message", Stage::EndOfData),
        ("content", Stage::EndOfData),
        ("connect", Stage::Connection),
        ("greeting", Stage::Connection),
        ("ehlo", Stage::Ehlo),
        ("helo", Stage::Helo),
        ("lhlo", Stage::Lhlo),
        ("mail", Stage::Mail),
        ("rcpt", Stage::Rcpt),
        ("data", Stage::Data),
        ("bdat", Stage::Bdat),
        ("starttls", Stage::StartTls),
        ("auth", Stage::Auth),
        ("vrfy", Stage::Vrfy),
        ("etrn", Stage::Etrn),
    ];
    names.into_iter().find(|(name, _)| named(name)).map(|(_, stage)| stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_the_program_ends_them() {
        let line = "to=<a, b@example.net>, orig_to=<c>, relay=mx[1.2.3.4]:25, stat=\"a b\"";
        assert_eq!(value(line, "to"), Some("<a, b@example.net>"));
        assert_eq!(value(line, "relay"), Some("mx[1.2.3.4]:25"));
        assert_eq!(value(line, "stat"), Some("a b"));
        assert_eq!(value(line, "o"), None);
    }

    #[test]
    fn peers_have_a_name_an_address_or_both() {
        let check = |text, name, address| assert_eq!(peer(text), Peer { name, address }, "{text}");
        check("mx.example.net[192.0.2.7]:25", Some("mx.example.net"), Some("192.0.2.7"));
        check("mx.example.net. [192.0.2.7]", Some("mx.example.net"), Some("192.0.2.7"));
        check("unknown[2001:db8::1]", None, Some("2001:db8::1"));
        check("c3.example.org[private/dovecot-lmtp]", Some("c3.example.org"), None);
        check("none", None, None);
    }
}
