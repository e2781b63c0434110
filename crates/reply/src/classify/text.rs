//! The text of a reply made plain, so that one spelling of a phrase finds all: lower
//! case, no diacritics, white space and hyphens folded, addresses masked. Host names and
//! addresses of pages are kept and marked: their words are not the server's.

use std::ops::Range;

use super::tree::PADDING;

/// Most octets of a reply's text that are looked at. A longer one has said it by then.
pub(crate) const MAX_OCTETS: usize = 4096;
/// Most host names and addresses of pages that are marked in one text.
const MAX_NAMES: usize = 8;

/// What stands behind a plain text.
const ZEROS: &str = "\0\0\0\0\0\0\0\0";
const _: () = assert!(ZEROS.len() == PADDING);

/// A text made plain.
#[derive(Debug, Default)]
pub(crate) struct Plain {
    /// With [`PADDING`] behind it.
    text: String,
    len: usize,
    names: [(u16, u16); MAX_NAMES],
    named: usize,
    /// Where the plain text and its source go apart: from this octet of the plain text
    /// on, that octet of the source is meant.
    seams: Vec<(u16, u16)>,
}

impl Plain {
    /// `source` made plain.
    #[cfg(test)]
    pub(crate) fn of(source: &str) -> Plain {
        let mut plain = Plain::default();
        plain.read(source);
        plain
    }

    /// Reads `source`, in the room that an earlier one left; what lies beyond
    /// [`MAX_OCTETS`] is left out.
    pub(crate) fn read(&mut self, source: &str) {
        let source = &source[..floor_char_boundary(source, MAX_OCTETS)];
        let mut fold = Fold::new(source, self);
        self.named = 0;
        loop {
            fold.skip_plain();
            if fold.at >= source.len() {
                break;
            }
            let start = fold.len();
            if let Token::Name { .. } = fold.token() {
                self.mark(start, fold.len());
            }
            fold.delimiter();
        }
        fold.flush();
        self.len = fold.out.len();
        fold.out.push_str(ZEROS);
        self.text = fold.out;
        self.seams = fold.seams;
    }

    fn mark(&mut self, start: usize, end: usize) {
        if let Some(name) = self.names.get_mut(self.named) {
            // The plain text of `MAX_OCTETS` is at most half as long again, so that it fits.
            *name = (start as u16, end as u16);
            self.named += 1;
        }
    }

    /// The plain text.
    pub(crate) fn text(&self) -> &str {
        &self.text[..self.len]
    }

    /// The octets of the plain text, and [`PADDING`] octets of zero behind them.
    pub(crate) fn padded(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Whether the octet `at` is one of a host name, or of the address of a page.
    pub(crate) fn is_in_a_name(&self, at: usize) -> bool {
        let is_in = |(start, end): &(u16, u16)| (*start as usize..*end as usize).contains(&at);
        self.named > 0 && self.names[..self.named].iter().any(is_in)
    }

    /// Where the octets `range` of the plain text stand in the source that it was made of.
    pub(crate) fn origin(&self, range: Range<usize>, source: &str) -> Range<usize> {
        let start = floor_char_boundary(source, self.place(range.start));
        let end = self.place(range.end).max(start);
        start..floor_char_boundary(source, end)
    }

    fn place(&self, at: usize) -> usize {
        let seams = self.seams.partition_point(|(plain, _)| *plain as usize <= at);
        let before = seams.checked_sub(1).map_or((0, 0), |seam| self.seams[seam]);
        before.1 as usize + (at - before.0 as usize)
    }
}

/// What stands between two delimiters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Letters, digits and marks that stay as they are but for their case.
    Plain,
    Words,
    /// An address; it is masked.
    Address,
    /// A host name, or the address of a page.
    Name {
        is_plain: bool,
    },
}

/// Makes a text plain, piece by piece.
struct Fold<'a> {
    source: &'a str,
    at: usize,
    /// Where in the source begins what stays as it is but for its case, up to `at`: it is
    /// copied when something changes, most often all at once.
    kept: usize,
    out: String,
    /// How much longer the source is than the plain text up to here.
    shift: usize,
    seams: Vec<(u16, u16)>,
}

impl<'a> Fold<'a> {
    /// Reads `source` into the room of `plain`, which is left empty.
    fn new(source: &'a str, plain: &mut Plain) -> Fold<'a> {
        let mut out = std::mem::take(&mut plain.text);
        let mut seams = std::mem::take(&mut plain.seams);
        out.clear();
        seams.clear();
        out.reserve(source.len() + PADDING);
        Fold { source, at: 0, kept: 0, out, shift: 0, seams }
    }

    /// The octets of the plain text up to here.
    fn len(&self) -> usize {
        self.out.len() + (self.at - self.kept)
    }

    /// Goes on to the first token that does not stay as it is, or may be a name.
    fn skip_plain(&mut self) {
        let octets = self.source.as_bytes();
        let (mut at, mut start) = (self.at, self.at);
        while let Some(octet) = octets.get(at) {
            match OF_TOKENS[*octet as usize] {
                PLAIN => {}
                SLASH if at > start || octets.get(at + 1) != Some(&b'/') => {}
                SPACE if at > self.kept && octets[at - 1] != b' ' => start = at + 1,
                ENDS if octet.is_ascii_graphic() => start = at + 1,
                _ => {
                    self.at = start;
                    return;
                }
            }
            at += 1;
        }
        self.at = at;
    }

    /// Reads up to the end of the token that begins here.
    fn token(&mut self) -> Token {
        let (len, token) = token(&self.source.as_bytes()[self.at..]);
        let end = self.at + len;
        match token {
            Token::Plain | Token::Name { is_plain: true } => self.at = end,
            Token::Address => {
                self.flush();
                self.out.push('@');
                (self.at, self.kept) = (end, end);
                self.note_seam();
            }
            Token::Words | Token::Name { is_plain: false } => self.steps(end),
        }
        token
    }

    /// Reads what ended a token: most often one that stays as it is.
    fn delimiter(&mut self) {
        match self.source.as_bytes().get(self.at) {
            Some(octet) if octet.is_ascii_graphic() => self.at += 1,
            Some(b' ') if self.last().is_some_and(|last| last != b' ') => self.at += 1,
            _ => self.steps(self.at + 1),
        }
    }

    /// The last octet of the plain text up to here, perhaps in upper case.
    fn last(&self) -> Option<u8> {
        if self.at > self.kept {
            return Some(self.source.as_bytes()[self.at - 1]);
        }
        self.out.as_bytes().last().copied()
    }

    /// Copies what stays as it is but for its case.
    fn flush(&mut self) {
        let start = self.out.len();
        self.out.push_str(&self.source[self.kept..self.at]);
        self.out[start..].make_ascii_lowercase();
        self.kept = self.at;
    }

    /// Reads up to `end`, character by character where it does not stay as it is.
    fn steps(&mut self, end: usize) {
        let octets = self.source.as_bytes();
        while let Some(octet) = octets[..end.min(octets.len())].get(self.at) {
            if octet.is_ascii_graphic() && OF_TOKENS[*octet as usize] != CHANGES {
                self.at += 1;
                continue;
            }
            if self.kept < self.at {
                self.flush();
            }
            self.step();
            self.kept = self.at;
        }
    }

    /// Notes where the plain text and the source go apart.
    fn note_seam(&mut self) {
        let shift = self.at.wrapping_sub(self.out.len());
        if shift != self.shift {
            self.shift = shift;
            self.seams.push((self.out.len() as u16, self.at as u16));
        }
    }

    /// Reads one character.
    fn step(&mut self) {
        let Some(octet) = self.source.as_bytes().get(self.at) else { return };
        match octet {
            b'a'..=b'z' | b'0'..=b'9' => self.out.push(char::from(*octet)),
            b'A'..=b'Z' => self.out.push(char::from(octet.to_ascii_lowercase())),
            b'-' if is_hyphen_of_email(self.source, self.at) => {}
            b'-' | b'_' => self.space(),
            b'`' => self.out.push('\''),
            _ if octet.is_ascii_graphic() => self.out.push(char::from(*octet)),
            _ if octet.is_ascii() => self.space(),
            _ => self.step_beyond_ascii(),
        }
        self.at += usize::from(octet.is_ascii());
        self.note_seam();
    }

    fn step_beyond_ascii(&mut self) {
        let Some(c) = self.source[self.at..].chars().next() else { return };
        self.at += c.len_utf8();
        match c {
            '\u{a0}' | '\u{2010}'..='\u{2015}' | '\u{3000}' => self.space(),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {}
            '\u{2018}' | '\u{2019}' | '\u{b4}' => self.out.push('\''),
            '\u{ff01}'..='\u{ff5e}' => self.full_width(c),
            // Cyrillic, and scripts without cases.
            'а'..='я' | '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}' => self.push(c),
            _ if c.is_whitespace() || c.is_control() => self.space(),
            _ => c.to_lowercase().for_each(|c| self.without_diacritic(c)),
        }
    }

    /// The wide forms of ASCII that Japanese and Chinese texts are written with.
    fn full_width(&mut self, c: char) {
        let narrow = char::from_u32(u32::from(c) - 0xfee0);
        self.out.extend(narrow.map(|c| c.to_ascii_lowercase()));
    }

    fn space(&mut self) {
        if self.out.as_bytes().last().is_some_and(|last| *last != b' ') {
            self.out.push(' ');
        }
    }

    fn push(&mut self, c: char) {
        self.out.push(c);
    }

    fn without_diacritic(&mut self, c: char) {
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
                self.push('s');
                's'
            }
            '\u{300}'..='\u{36f}' => return,
            other => other,
        };
        self.push(base);
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

/// Where the word ends that `text` has up to `at`: "Greylist" is said with "ed" behind it.
pub(crate) fn end_of_word(text: &str, at: usize) -> usize {
    let (before, after) = text.split_at(at);
    if !before.chars().next_back().is_some_and(is_of_a_word) {
        return at;
    }
    let rest = after.char_indices().find(|(_, c)| !is_of_a_word(*c));
    at + rest.map_or(after.len(), |(end, _)| end)
}

/// Scripts without spaces between words have no ends of words.
pub(crate) fn is_of_a_word(c: char) -> bool {
    match c {
        '\0'..='\u{7f}' => c.is_ascii_alphanumeric(),
        // Cyrillic, and beyond it the scripts that have no spaces.
        '\u{400}'..='\u{52f}' => true,
        '\u{e00}'..='\u{edf}' | '\u{2e80}'.. => false,
        _ => c.is_alphanumeric(),
    }
}

/// The token at the start of `octets`: its length, and what it is.
fn token(octets: &[u8]) -> (usize, Token) {
    if octets.starts_with(b"//") {
        let ends = |octet: &u8| octet.is_ascii_whitespace() || b"<>\"'()".contains(octet);
        return (
            octets.iter().position(ends).unwrap_or(octets.len()),
            Token::Name { is_plain: false },
        );
    }
    let (mut at_sign, mut has_dot, mut is_plain) = (0, false, true);
    let mut len = 0;
    while let Some(plain) = octets[len..].iter().position(|o| OF_TOKENS[*o as usize] != PLAIN) {
        len += plain;
        match OF_TOKENS[octets[len] as usize] {
            ENDS | SPACE => return (len, kind(&octets[..len], at_sign, has_dot, is_plain)),
            AT_SIGN if at_sign == 0 => at_sign = len,
            DOT => has_dot = true,
            CHANGES => is_plain = false,
            _ => {}
        }
        len += 1;
    }
    (octets.len(), kind(octets, at_sign, has_dot, is_plain))
}

/// What `token` is, by what stands in it; `at_sign` is where its first one stands.
fn kind(token: &[u8], at_sign: usize, has_dot: bool, is_plain: bool) -> Token {
    let is_address = at_sign > 0 && at_sign + 1 < token.len();
    match () {
        () if is_address => Token::Address,
        () if has_dot && is_host_name(token) => Token::Name { is_plain },
        () if is_plain => Token::Plain,
        () => Token::Words,
    }
}

/// What ends a token, and what tells which it is.
const OF_TOKENS: [u8; 256] = of_tokens();
const PLAIN: u8 = 0;
const ENDS: u8 = 1;
const AT_SIGN: u8 = 2;
const DOT: u8 = 3;
const CHANGES: u8 = 4;
const SLASH: u8 = 5;
const SPACE: u8 = 6;

const fn of_tokens() -> [u8; 256] {
    let ends = b" \t\n\r\x0b\x0c<>()[]{}\"',;:=|\\";
    let mut table = [CHANGES; 256];
    let mut octet = b'!';
    while octet <= b'~' {
        if octet != b'-' && octet != b'_' && octet != b'`' {
            table[octet as usize] = PLAIN;
        }
        octet += 1;
    }
    let mut at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = ENDS;
        at += 1;
    }
    table[b'@' as usize] = AT_SIGN;
    table[b'.' as usize] = DOT;
    table[b'/' as usize] = SLASH;
    table[b' ' as usize] = SPACE;
    table
}

/// Ends of names with a single dot in them; else the dot is more likely a sentence's.
const TOP_LEVEL: &[&str] = &[
    "com",
    "net",
    "org",
    "info",
    "biz",
    "edu",
    "gov",
    "mil",
    "example",
    "test",
    "invalid",
    "localhost",
    "local",
    "lan",
    "internal",
    "io",
    "co",
    "app",
    "dev",
    "cloud",
    "email",
    "de",
    "fr",
    "jp",
    "ru",
    "cn",
    "uk",
    "eu",
    "nl",
    "ch",
    "pl",
    "br",
    "es",
    "se",
    "cz",
    "ca",
    "au",
    "kr",
    "tw",
    "ua",
    "tr",
    "mx",
];

/// Whether `token` is the name of a host, perhaps with a path after it.
fn is_host_name(token: &[u8]) -> bool {
    let path = token.iter().position(|octet| matches!(octet, b'/' | b'?'));
    let host = &token[..path.unwrap_or(token.len())];
    let host = host.strip_suffix(b".").unwrap_or(host);
    let Some(dot) = host.iter().rposition(|octet| *octet == b'.') else { return false };
    let (before, last) = (&host[..dot], &host[dot + 1..]);
    let letters = (2..=10).contains(&last.len())
        && (last.iter().all(u8::is_ascii_lowercase) || last.iter().all(u8::is_ascii_uppercase));
    let is_of_a_host =
        |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'*');
    let is_known = || TOP_LEVEL.iter().any(|known| last.eq_ignore_ascii_case(known.as_bytes()));
    letters
        && !before.is_empty()
        && before.iter().all(is_of_a_host)
        && !before.windows(2).any(|marks| marks == b"..")
        && (before.contains(&b'.') || is_known())
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
    fn words_in_names_are_marked() {
        let names = |source: &str| {
            let plain = Plain::of(source);
            let marked = |(at, c): (usize, char)| if plain.is_in_a_name(at) { '_' } else { c };
            plain.text().char_indices().map(marked).collect::<String>()
        };
        assert_eq!(
            names("host spam.example.org[192.0.2.1] said"),
            "host ________________[192.0.2.1] said"
        );
        assert_eq!(
            names("see https://full.example/a=b@c, mailbox"),
            "see https:_____________________ mailbox"
        );
        assert_eq!(
            names("mailbox full.Please wait. Full.net"),
            "mailbox full.please wait. ________"
        );
        assert_eq!(
            names("STOREDRV.Deliver; 4.7.1 queue.expired"),
            "storedrv.deliver; 4.7.1 queue.expired"
        );
    }

    #[test]
    fn evidence_is_found_in_the_source() {
        let source = "Boîte   PLEINE !";
        let plain = Plain::of(source);
        let at = plain.text().find("te pleine").unwrap();
        assert_eq!(&source[plain.origin(at..at + 9, source)], "te   PLEINE");
        let source = "<bob@example.net>: Straße <eve@example.net> full";
        let plain = Plain::of(source);
        assert_eq!(plain.text(), "<@>: strasse <@> full");
        assert_eq!(&source[plain.origin(5..16, source)], "Straße <eve@example.net>");
        assert_eq!(&source[plain.origin(5..10, source)], "Stra");
        assert_eq!(&source[plain.origin(1..2, source)], "bob@example.net");
        assert_eq!(&source[plain.origin(17..21, source)], "full");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert!(Plain::of(&"é".repeat(10_000)).text().len() <= MAX_OCTETS);
    }
}
