//! The two addresses of an entry in as few octets as may be: six bits for each piece of an
//! address out of a table of 64, or plain where that is shorter. The table is on disk, so
//! it may not change; docs/design/greylist.md has the layout.

/// Ends the sender, and fills up the last octet.
const END: u8 = 0;
/// The next eight bits are an octet that no piece has.
const ESCAPE: u8 = 1;

/// What a symbol stands for. Letters and figures are those of all addresses, `…` is in
/// each that was shortened, and the longer ones save the most in addresses at large. A
/// longer piece stands before a shorter one with which it begins.
#[rustfmt::skip]
const PIECES: [&str; 64] = [
    "", "", "@gmail.com", "bounce", "mail", ".com", ".net", ".org",
    "al", "an", "ar", "de", "en", "er", "es", "in", "on", "or", "re", "st", "te", "…",
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
    "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z",
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "@", ".", "-", "_", "+", "=",
];

/// The symbols whose piece begins with an octet, in the order of the table; then ends.
const BEGINNING_WITH: [[u8; 4]; 256] = beginning_with();

/// Plain addresses follow. No symbols begin like this: two ends would be two empty
/// addresses, of which the second needs none.
const PLAIN: [u8; 2] = [0, 0];
/// Stands between plain addresses; no UTF-8 has it.
const BETWEEN: u8 = 0xff;

/// A sender and a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses(Vec<u8>);

impl Addresses {
    /// At most three octets more than the two have.
    pub(super) fn new(sender: &str, recipient: &str) -> Addresses {
        let plain_octets = PLAIN.len() + sender.len() + 1 + recipient.len();
        let mut bits = Writer { out: Vec::with_capacity(plain_octets), held: 0, count: 0 };
        bits.text(sender);
        bits.put(END, 6);
        bits.text(recipient);
        let packed = bits.end();
        if packed.len() <= plain_octets {
            return Addresses(packed);
        }
        Addresses([&PLAIN, sender.as_bytes(), &[BETWEEN], recipient.as_bytes()].concat())
    }

    /// Those of which these are the [`Addresses::octets`].
    pub(super) fn from_octets(octets: &[u8]) -> Addresses {
        Addresses(octets.to_vec())
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The sender and the recipient; `None` where the octets are none that were made here.
    pub(super) fn read(&self) -> Option<(String, String)> {
        if let Some(plain) = self.0.strip_prefix(&PLAIN) {
            let mut parts = plain.splitn(2, |octet| *octet == BETWEEN);
            let mut part = || String::from_utf8(parts.next()?.to_vec()).ok();
            return Some((part()?, part()?));
        }
        let mut bits = Reader { octets: self.0.iter(), held: 0, count: 0 };
        Some((bits.text()?, bits.text()?))
    }
}

const fn beginning_with() -> [[u8; 4]; 256] {
    let mut all = [[END; 4]; 256];
    let mut symbol = ESCAPE + 1;
    while (symbol as usize) < PIECES.len() {
        let symbols = &mut all[PIECES[symbol as usize].as_bytes()[0] as usize];
        let mut place = 0;
        while symbols[place] != END {
            place += 1;
        }
        symbols[place] = symbol;
        symbol += 1;
    }
    all
}

/// The symbol with whose piece `text` begins, and the octets of that piece.
fn symbol_of(text: &[u8]) -> Option<(u8, usize)> {
    let symbols = BEGINNING_WITH[usize::from(*text.first()?)];
    let known = symbols.into_iter().take_while(|symbol| *symbol != END);
    let mut known = known.map(|symbol| (symbol, PIECES[usize::from(symbol)].as_bytes()));
    let (symbol, piece) = known.find(|(_, piece)| text.starts_with(piece))?;
    Some((symbol, piece.len()))
}

/// Bits, the highest of an octet first.
struct Writer {
    out: Vec<u8>,
    /// The lowest `count` bits of it are not in `out` yet.
    held: u32,
    count: u32,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(first) = rest.first() {
            if let Some((symbol, octets)) = symbol_of(rest) {
                self.put(symbol, 6);
                rest = &rest[octets..];
            } else {
                self.put(ESCAPE, 6);
                self.put(*first, 8);
                rest = &rest[1..];
            }
        }
    }

    fn put(&mut self, bits: u8, count: u32) {
        self.held = (self.held << count) | u32::from(bits);
        self.count += count;
        if self.count >= 8 {
            self.count -= 8;
            self.out.push((self.held >> self.count) as u8);
        }
    }

    fn end(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
        self.out
    }
}

struct Reader<'a> {
    octets: std::slice::Iter<'a, u8>,
    /// The lowest `count` bits of it are not taken yet.
    held: u32,
    count: u32,
}

impl Reader<'_> {
    /// Up to an end, or to where no whole symbol is left.
    fn text(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            match self.take(6).unwrap_or(END) {
                END => return String::from_utf8(text).ok(),
                ESCAPE => text.push(self.take(8)?),
                symbol => text.extend_from_slice(PIECES[usize::from(symbol)].as_bytes()),
            }
        }
    }

    /// The next bits, at most eight.
    fn take(&mut self, count: u32) -> Option<u8> {
        if self.count < count {
            self.held = (self.held << 8) | u32::from(*self.octets.next()?);
            self.count += 8;
        }
        self.count -= count;
        Some((self.held >> self.count) as u8 & (0xff >> (8 - count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Read back; how many octets they took.
    fn packed_octets(sender: &str, recipient: &str) -> usize {
        let packed = Addresses::new(sender, recipient);
        assert_eq!(packed.read(), Some((sender.into(), recipient.into())));
        assert_eq!(Addresses::from_octets(packed.octets()), packed);
        packed.octets().len()
    }

    fn check(sender: &str, recipient: &str, octets: usize) {
        assert_eq!(packed_octets(sender, recipient), octets, "{sender} {recipient}");
    }

    #[test]
    fn usual_addresses_take_less_than_six_bits_a_character() {
        check("", "", 1);
        check("", "user@example.org", 10);
        check("somebody@example.net", "user@example.org", 23);
        check("bounces-…lists.example.org", "somebody@gmail.com", 21);
        check("John.Smith@example.com", "user@example.org", 26);
        check("MAILER-DAEMON@EXAMPLE.ORG", "USER@EXAMPLE.ORG", 44);
        check("grüße@example.org", "用户@example.org", 34);
    }

    #[test]
    fn every_piece_is_used() {
        for (symbol, piece) in PIECES.iter().enumerate().skip(2) {
            assert_eq!(symbol_of(piece.as_bytes()), Some((symbol as u8, piece.len())), "{piece}");
        }
    }

    proptest! {
        #[test]
        fn any_two_strings_are_read_back(sender: String, recipient: String) {
            let limit = sender.len() + recipient.len() + 3;
            prop_assert!(packed_octets(&sender, &recipient) <= limit);
        }

        #[test]
        fn any_two_addresses_are_read_back(
            sender in "[a-z0-9@.…A-]{0,9}(bounce|@gmail.com|.co|\u{0}|)[a-z.]{0,9}",
            recipient in "[a-z0-9@.…A-]{0,20}",
        ) {
            packed_octets(&sender, &recipient);
        }

        #[test]
        fn damaged_octets_are_no_panic(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Addresses::from_octets(&octets).read();
        }
    }
}
