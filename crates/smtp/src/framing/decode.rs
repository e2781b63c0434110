//! Message data as they come in: dots undone (RFC 5321 §4.5.2), line ends checked.
//!
//! Only `<CRLF>.<CRLF>` ends the data. `<LF>.<LF>`, `<LF>.<CRLF>`, `<CR>.<CRLF>` and the
//! like are data: a server that took one of them for the end would let a message smuggle
//! another one past the sender's checks. [`Decoder`] also serves chunks (RFC 3030), which
//! know no dots and end by their count.

use memchr::memchr2;

/// What becomes of a CR without LF or an LF without CR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareLineEnd {
    /// The message is refused at its end (RFC 5321 §2.3.8).
    Refuse,
    /// It is made CRLF: what submission does for clients that write local line ends.
    MakeCrlf,
    /// It is kept as it came.
    Keep,
}

/// Where in a line the decoder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// After CRLF, or at the very start.
    LineStart,
    /// After a dot at the start of a line; the dot is held back.
    Dot,
    /// After dot and CR at the start of a line.
    DotCr,
    /// Within a line.
    Middle,
    /// After a CR within a line; the CR is held back.
    Cr,
}

/// Undoes the framing of one message, octet runs at a time.
#[derive(Debug)]
pub struct Decoder {
    at: At,
    dots: bool,
    bare_line_end: BareLineEnd,
    saw_bare_line_end: bool,
}

/// How far one call of [`Decoder::decode`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Octets taken from the input.
    pub used: usize,
    /// Whether the data have ended; what follows is the next command.
    pub ended: bool,
}

impl Decoder {
    /// For data that end with a dot on a line of its own.
    pub fn dotted(bare_line_end: BareLineEnd) -> Decoder {
        Decoder { at: At::LineStart, dots: true, bare_line_end, saw_bare_line_end: false }
    }

    /// For chunks, whose end is counted.
    pub fn chunked(bare_line_end: BareLineEnd) -> Decoder {
        Decoder { dots: false, ..Decoder::dotted(bare_line_end) }
    }

    /// Whether a bare CR or LF was seen so far.
    pub const fn saw_bare_line_end(&self) -> bool {
        self.saw_bare_line_end
    }

    /// Takes octets up to the end of data and appends the message's own to `out`, which
    /// grows by at most twice the input and two.
    pub fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Decoded {
        out.reserve(input.len());
        let mut used = 0;
        while used < input.len() {
            if self.at == At::Middle {
                used += self.run(&input[used..], out);
                continue;
            }
            let octet = input[used];
            if self.at == At::LineStart && !(octet == b'.' && self.dots) {
                self.at = At::Middle;
                continue;
            }
            used += 1;
            if self.octet(octet, out) {
                return Decoded { used, ended: true };
            }
        }
        Decoded { used, ended: false }
    }

    /// The end of the last chunk: a CR that was held back stands alone.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.at == At::Cr {
            self.bare(b'\r', out);
        }
        self.at = At::LineStart;
    }

    /// A run of octets within a line, up to its end or the input's.
    fn run(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let Some(end) = memchr2(b'\r', b'\n', input) else {
            out.extend_from_slice(input);
            return input.len();
        };
        out.extend_from_slice(&input[..end]);
        if input[end..].starts_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
            self.at = At::LineStart;
            return end + 2;
        }
        if input[end] == b'\r' {
            self.at = At::Cr;
        } else {
            self.bare(b'\n', out);
        }
        end + 1
    }

    /// One octet where it matters; true at the end of data.
    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) -> bool {
        match (self.at, octet) {
            (At::LineStart, b'.') if self.dots => self.at = At::Dot,
            (At::Dot, b'\r') => self.at = At::DotCr,
            (At::DotCr, b'\n') => return true,
            (At::Cr, b'\n') => {
                out.extend_from_slice(b"\r\n");
                self.at = At::LineStart;
            }
            // The dot of a line with more on it is dropped; its CR was a bare one.
            (At::DotCr | At::Cr, _) => {
                self.bare(b'\r', out);
                self.within(octet, out);
            }
            (At::LineStart | At::Dot | At::Middle, _) => self.within(octet, out),
        }
        false
    }

    fn within(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.at = At::Middle;
        self.run(&[octet], out);
    }

    /// A CR or LF that stands alone. What follows is not the start of a line.
    fn bare(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.saw_bare_line_end = true;
        self.at = At::Middle;
        match self.bare_line_end {
            BareLineEnd::MakeCrlf => out.extend_from_slice(b"\r\n"),
            BareLineEnd::Refuse | BareLineEnd::Keep => out.push(octet),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Decodes `wire` in pieces of every size: the result must not depend on them.
    fn check(wire: &str, policy: BareLineEnd, expected: &str, ended: bool) {
        for size in 1..=wire.len() {
            let mut decoder = Decoder::dotted(policy);
            let mut out = Vec::new();
            let mut end = false;
            for piece in wire.as_bytes().chunks(size) {
                let decoded = decoder.decode(piece, &mut out);
                end |= decoded.ended;
                assert!(decoded.ended || decoded.used == piece.len());
            }
            let out = String::from_utf8_lossy(&out).into_owned();
            assert_eq!((out.as_str(), end), (expected, ended), "{wire:?} by {size}");
        }
    }

    #[test]
    fn only_a_dot_between_crlfs_ends_the_data() {
        rfc!(5321, "2.3.8");
        rfc!(5321, "4.1.1.4");
        let refuse = BareLineEnd::Refuse;
        check(".\r\n", refuse, "", true);
        check("a\r\n.\r\n", refuse, "a\r\n", true);
        for wire in ["a\n.\n", "a\r\n.\n", "a\n.\r\n", "a\r.\r\n", "a\r.\r", "a\r\n.\r"] {
            let mut decoder = Decoder::dotted(refuse);
            let mut out = Vec::new();
            assert!(!decoder.decode(wire.as_bytes(), &mut out).ended, "{wire:?}");
        }
        check("a\n.\nb\r\n.\r\n", refuse, "a\n.\nb\r\n", true);
        check("a\r\n.\nb\r\n.\r\n", refuse, "a\r\n\nb\r\n", true);
        check("a\n.\r\nb\r\n.\r\n", refuse, "a\n.\r\nb\r\n", true);
        check("a\r.\r\nb\r\n.\r\n", refuse, "a\r.\r\nb\r\n", true);
        check("a\r\n.\r.\r\n.\r\n", refuse, "a\r\n\r.\r\n", true);
    }

    #[test]
    fn doubled_dots_are_undone_at_the_start_of_a_line_only() {
        let keep = BareLineEnd::Keep;
        check("..\r\n.a\r\nb..\r\n.\r\n", keep, ".\r\na\r\nb..\r\n", true);
        check("...\r\n.\r\n", keep, "..\r\n", true);
    }

    #[test]
    fn bare_line_ends_are_made_crlf_where_that_is_wanted() {
        let make = BareLineEnd::MakeCrlf;
        check("a\nb\rc\r\r\n\n.\r\n.\r\n", make, "a\r\nb\r\nc\r\n\r\n\r\n.\r\n", true);
    }

    #[test]
    fn chunks_know_no_dots() {
        let mut decoder = Decoder::chunked(BareLineEnd::Refuse);
        let mut out = Vec::new();
        assert!(!decoder.decode(b".\r\n..\r\n.\r\n\r", &mut out).ended);
        assert!(!decoder.saw_bare_line_end());
        decoder.finish(&mut out);
        assert_eq!(out, b".\r\n..\r\n.\r\n\r");
        assert!(decoder.saw_bare_line_end());
    }

    fn octet() -> impl Strategy<Value = u8> {
        prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), any::<u8>()]
    }

    proptest! {
        #[test]
        fn what_comes_out_does_not_depend_on_the_pieces(
            wire in proptest::collection::vec(octet(), 0..200), cut in 0usize..200,
        ) {
            let mut whole = (Decoder::dotted(BareLineEnd::Refuse), Vec::new());
            let at_once = whole.0.decode(&wire, &mut whole.1);
            let mut split = (Decoder::dotted(BareLineEnd::Refuse), Vec::new());
            let (head, tail) = wire.split_at(cut.min(wire.len()));
            let mut pieces = split.0.decode(head, &mut split.1);
            if !pieces.ended {
                let rest = split.0.decode(tail, &mut split.1);
                pieces = Decoded { used: pieces.used + rest.used, ended: rest.ended };
            }
            prop_assert_eq!(at_once, pieces);
            prop_assert_eq!(whole.1, split.1);
            prop_assert_eq!(whole.0.saw_bare_line_end(), split.0.saw_bare_line_end());
        }
    }
}
