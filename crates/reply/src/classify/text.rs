//! The text of a reply made plain, so that one spelling of a phrase finds all: lower
//! case, no diacritics, white space and hyphens folded, addresses masked, URLs kept.
//! Every octet remembers where it came from: evidence is quoted as it was heard.

use std::ops::Range;

/// Most octets of a reply's text that are looked at. A longer one has said it by then.
pub(crate) const MAX_OCTETS: usize = 4096;

/// A text made plain.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    text: String,
    origin: Vec<u32>,
}

impl Plain {
    /// `source` made plain; what lies beyond [`MAX_OCTETS`] is left out.
    pub(crate) fn of(source: &str) -> Plain {
        let source = &source[..floor_char_boundary(source, MAX_OCTETS)];
        let mut plain = Plain {
            text: String::with_capacity(source.len() + 8),
            origin: Vec::with_capacity(source.len() + 8),
        };
        let mut at = 0;
        let has_address = source.contains('@');
        while let Some(c) = source[at..].chars().next() {
            let may_mask = has_address && starts_token(source, at);
            let masked = if may_mask { address_len(&source[at..]) } else { 0 };
            if masked > 0 {
                plain.push('@', at);
                at += masked;
            } else {
                plain.fold(source, at, c);
                at += c.len_utf8();
            }
        }
        plain
    }

    /// The plain text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the octets `range` of the plain text stand in the source they came from.
    pub(crate) fn origin(&self, range: Range<usize>, source: &str) -> Range<usize> {
        let start = self.origin.get(range.start).map_or(source.len(), |at| *at as usize);
        let last = range.end.checked_sub(1).and_then(|at| self.origin.get(at));
        let last = last.map_or(start, |at| *at as usize).max(start);
        let width = source[last..].chars().next().map_or(0, char::len_utf8);
        start..last + width
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        let width = c.len_utf8();
        // The source is at most `MAX_OCTETS` long, so that every offset fits.
        self.origin.extend(std::iter::repeat_n(at as u32, width));
    }

    fn space(&mut self, at: usize) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.push(' ', at);
        }
    }

    fn fold(&mut self, source: &str, at: usize, c: char) {
        match c {
            'a'..='z' | '0'..='9' => self.push(c, at),
            'A'..='Z' => self.push(c.to_ascii_lowercase(), at),
            '-' if is_hyphen_of_email(source, at) => {}
            '-' | '_' | '\u{a0}' | '\u{2010}'..='\u{2015}' | '\u{3000}' => self.space(at),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' => self.push('\'', at),
            _ if c.is_whitespace() || c.is_control() => self.space(at),
            _ if c.is_ascii() => self.push(c, at),
            _ => c.to_lowercase().for_each(|c| self.without_diacritic(c, at)),
        }
    }

    fn without_diacritic(&mut self, c: char, at: usize) {
        let base = match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
            'ç' | 'ć' | 'č' => 'c',
            'ď' => 'd',
            'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
            'ì'..='ï' | 'ı' => 'i',
            'ł' => 'l',
            'ñ' | 'ń' | 'ň' => 'n',
            'ò'..='ö' | 'ø' | 'ő' => 'o',
            'ř' => 'r',
            'ś' | 'š' | 'ş' => 's',
            'ţ' | 'ť' => 't',
            'ù'..='ü' | 'ů' | 'ű' => 'u',
            'ý' | 'ÿ' => 'y',
            'ź' | 'ż' | 'ž' => 'z',
            'ё' => 'е',
            'ß' => {
                self.push('s', at);
                's'
            }
            '\u{300}'..='\u{36f}' => return,
            other => other,
        };
        self.push(base, at);
    }
}

/// The greatest character boundary of `text` that is not beyond `at`.
pub(crate) fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ends_token(octet: u8) -> bool {
    octet.is_ascii_whitespace() || b"<>()[]{}\"',;:=|\\".contains(&octet)
}

fn starts_token(source: &str, at: usize) -> bool {
    at == 0 || ends_token(source.as_bytes()[at - 1])
}

/// How many octets of an address stand at the start of `text`; 0 where none does. Its
/// words (`quota@`, `unknown@`) must not be taken for the server's.
fn address_len(text: &str) -> usize {
    let end = text.bytes().position(ends_token).unwrap_or(text.len());
    match text[..end].find('@') {
        Some(at) if at > 0 && at + 1 < end && !text.starts_with("//") => end,
        _ => 0,
    }
}

/// `e-mail` and `email` are one word.
fn is_hyphen_of_email(source: &str, at: usize) -> bool {
    let octets = source.as_bytes();
    let before = at >= 1
        && octets[at - 1].eq_ignore_ascii_case(&b'e')
        && (at < 2 || !octets[at - 2].is_ascii_alphanumeric());
    before && octets.get(at + 1..at + 5).is_some_and(|word| word.eq_ignore_ascii_case(b"mail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, plain: &str) {
        assert_eq!(Plain::of(source).text(), plain);
    }

    #[test]
    fn case_white_space_and_diacritics_are_folded() {
        check("Mailbox\u{a0} \t FULL", "mailbox full");
        check(
            "Boîte pleine, Postfach überfüllt, große",
            "boite pleine, postfach uberfullt, grosse",
        );
        check("black-listed E-Mail user_unknown", "black listed email user unknown");
        check("Ящик Переполнен", "ящик переполнен");
        check("ユーザー不明", "ユーザー不明");
    }

    #[test]
    fn addresses_are_masked_and_urls_are_kept() {
        check("<quota@example.org>: unknown-user@example.net", "<@>: @");
        check("see https://example.org/a@b", "see https://example.org/a@b");
        check("@ alone", "@ alone");
    }

    #[test]
    fn evidence_is_found_in_the_source() {
        let source = "Boîte   PLEINE !";
        let plain = Plain::of(source);
        let at = plain.text().find("te pleine").unwrap();
        assert_eq!(&source[plain.origin(at..at + 9, source)], "te   PLEINE");
        assert_eq!(plain.origin(500..501, source), source.len()..source.len());
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert!(Plain::of(&"é".repeat(10_000)).text().len() <= MAX_OCTETS);
    }
}
