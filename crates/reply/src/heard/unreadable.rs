//! What could not be read of something that was read, and where: a value, to be put into
//! words by whoever tells it.

use std::borrow::Cow;

use encoding_rs::{ISO_2022_JP, WINDOWS_1252};

/// What could not be read of a mail. Parts are counted from 1, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unreadable {
    /// Parts beyond so many levels, or beyond so many of them.
    Parts {
        /// How deep parts are read.
        levels: usize,
        /// How many of them.
        parts: usize,
    },
    /// What comes behind the place in this part where the mail ends, before its last
    /// boundary, as half a file does.
    BrokenOff {
        /// The part in which it ends.
        part: usize,
    },
    /// What this part says beyond so many octets.
    Long {
        /// The part.
        part: usize,
        /// How many are read.
        octets: usize,
    },
    /// Base64 that ends in the middle, or holds what is none.
    Base64 {
        /// The part that is so written.
        part: usize,
    },
    /// The charset that this part names is not known; it was taken for another.
    Charset {
        /// The part.
        part: usize,
        /// The name.
        name: String,
    },
    /// Octets that the charset of this part does not have.
    NotText {
        /// The part.
        part: usize,
        /// The charset.
        name: String,
    },
}

/// The first octet of `octets` that no text has, and where it stands: a control character, or
/// what is no UTF-8. `None` where all is text, also where it is that of an older charset.
pub fn first_odd_octet(octets: &[u8]) -> Option<(u8, usize)> {
    let is_control = |octet: &u8| {
        octet.is_ascii_control()
            && !matches!(octet, b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c' | b'\x1b')
    };
    let control = octets.iter().position(is_control);
    let invalid = std::str::from_utf8(octets).err().map(|error| error.valid_up_to());
    let invalid = invalid.filter(|_| control.is_some() || !may_be_latin(octets));
    let at = control.into_iter().chain(invalid).min()?;
    Some((octets[at], at))
}

/// `octets` as text. What is no UTF-8 is read as ISO-2022-JP where it has that charset's
/// signs, and as Windows-1252 where it has as few octets beyond ASCII as a western language
/// does: so the words are still there.
pub(super) fn text(octets: &[u8]) -> Cow<'_, str> {
    if memchr::memmem::find(octets, b"\x1b$").is_some() {
        return ISO_2022_JP.decode_without_bom_handling(octets).0;
    }
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if may_be_latin(octets) => WINDOWS_1252.decode_without_bom_handling(octets).0,
        Err(_) => String::from_utf8_lossy(octets),
    }
}

/// Whether few enough octets are beyond ASCII for a text in a western language.
fn may_be_latin(octets: &[u8]) -> bool {
    let beyond = octets.iter().filter(|octet| !octet.is_ascii()).count();
    beyond * 6 <= octets.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_found_with_its_place() {
        assert_eq!(first_odd_octet(b"\0\0\0"), Some((0, 0)));
        assert_eq!(first_odd_octet(b"\x89PNG\r\n\x1a\n"), Some((0x89, 0)));
        assert_eq!(first_odd_octet(b"550 no\x01"), Some((1, 6)));
        assert_eq!(first_odd_octet("550 Boîte\n".as_bytes()), None);
        assert_eq!(first_odd_octet(b"550 Bo\xeete pleine\n"), None);
    }

    #[test]
    fn a_text_of_an_older_charset_keeps_its_words() {
        assert_eq!(text(b"550 Bo\xeete pleine"), "550 Boîte pleine");
        assert_eq!(text(b"550 \x1b$B%a!<%k\x1b(B"), "550 メール");
        assert_eq!(text(b"\xff\xfe\xfd"), "\u{fffd}\u{fffd}\u{fffd}");
    }
}
