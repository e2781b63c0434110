//! Message octets on their way out: lines end in CRLF and nothing else, and for DATA a
//! line that begins with a dot gets another one (RFC 5321 §2.3.8, §4.5.2).
//!
//! A spool may hold what a lenient listener took: a bare LF, a bare CR, a run of CRs.
//! Each of them becomes one CRLF here, so that no peer can see a line end where we see
//! none (SMTP smuggling). The inverse of dot-stuffing lives with the server.

use memchr::memchr2;

/// How the message is framed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// DATA: dots are stuffed, the end is a line with a lone dot.
    Dot,
    /// BDAT: octets are counted, dots stay as they are (RFC 3030 §2).
    Counted,
}

/// Encodes one message, piece by piece. A lawful message is copied in whole runs; only
/// a dot at the start of a line or a bad line end breaks a run.
#[derive(Clone, Debug)]
pub struct Encoder {
    framing: Framing,
    /// The last thing written was CRLF, or nothing was written yet.
    at_line_start: bool,
    /// The last octet taken was a CR whose fate the next octet decides.
    pending_cr: bool,
}

impl Encoder {
    /// An encoder at the beginning of a message.
    pub const fn new(framing: Framing) -> Encoder {
        Encoder { framing, at_line_start: true, pending_cr: false }
    }

    /// Appends the encoded form of the message's next octets to `out`.
    pub fn encode(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        if input.is_empty() {
            return;
        }
        out.reserve(input.len() + input.len() / 64 + 16);
        if self.pending_cr {
            input = self.settle_cr(input, out);
        }
        while !input.is_empty() {
            let used = self.run(input, out);
            input = &input[used..];
        }
    }

    /// Ends the message: its last line gets a CRLF where it has none, and with
    /// [`Framing::Dot`] the lone dot follows.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.pending_cr || !self.at_line_start {
            self.line_end(out);
        }
        if self.framing == Framing::Dot {
            out.extend_from_slice(b".\r\n");
        }
    }

    /// Decides on a CR that ended the last piece; further CRs belong to the same run.
    fn settle_cr<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let crs = input.iter().take_while(|octet| **octet == b'\r').count();
        match input.get(crs) {
            None => &[],
            Some(octet) => {
                self.line_end(out);
                &input[crs + usize::from(*octet == b'\n')..]
            }
        }
    }

    fn line_end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        self.pending_cr = false;
        self.at_line_start = true;
    }

    /// Copies as many octets as stand rightly one after another, then mends what stopped
    /// it. Returns how many octets of `input` it dealt with, at least one.
    fn run(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        if self.at_line_start && self.framing == Framing::Dot && input[0] == b'.' {
            out.push(b'.');
        }
        let mut at = 0;
        while let Some(found) = memchr2(b'\r', b'\n', &input[at..]) {
            let end = at + found;
            if input[end..].starts_with(b"\r\n") {
                at = end + 2;
                self.at_line_start = true;
                if self.framing == Framing::Dot && input.get(at) == Some(&b'.') {
                    break;
                }
                continue;
            }
            out.extend_from_slice(&input[..end]);
            return end + self.bad_line_end(&input[end..], out);
        }
        self.copy_run(input, at, out)
    }

    /// Copies up to a dot that needs another one (`at`), or all that is left.
    fn copy_run(&mut self, input: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
        let stopped_at_dot = at > 0 && self.framing == Framing::Dot && input.get(at) == Some(&b'.');
        let end = if stopped_at_dot { at } else { input.len() };
        out.extend_from_slice(&input[..end]);
        self.at_line_start = end == at && at > 0;
        end
    }

    /// `rest` begins with a line end that is not CRLF: writes CRLF for it.
    fn bad_line_end(&mut self, rest: &[u8], out: &mut Vec<u8>) -> usize {
        if rest[0] == b'\n' {
            self.line_end(out);
            return 1;
        }
        self.pending_cr = true;
        let left = self.settle_cr(&rest[1..], out);
        rest.len() - left.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(framing: Framing, pieces: &[&[u8]]) -> Vec<u8> {
        let mut encoder = Encoder::new(framing);
        let mut out = Vec::new();
        for piece in pieces {
            encoder.encode(piece, &mut out);
        }
        encoder.finish(&mut out);
        out
    }

    /// The message as lines with CRLF, said as plainly as possible.
    fn mended(message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < message.len() {
            let crs = message[at..].iter().take_while(|o| **o == b'\r').count();
            let lf = message.get(at + crs) == Some(&b'\n');
            if crs > 0 || lf {
                out.extend_from_slice(b"\r\n");
                at += crs + usize::from(lf);
            } else {
                out.push(message[at]);
                at += 1;
            }
        }
        if !out.is_empty() && !out.ends_with(b"\r\n") {
            out.extend_from_slice(b"\r\n");
        }
        out
    }

    fn unstuffed(wire: &[u8]) -> Vec<u8> {
        let body = wire.strip_suffix(b".\r\n").expect("a lone dot ends the data");
        assert!(body.is_empty() || body.ends_with(b"\r\n"));
        let lines = body.split_inclusive(|octet| *octet == b'\n');
        lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect()
    }

    #[test]
    fn dots_are_stuffed_and_line_ends_are_made_crlf() {
        rfc!(5321, "2.3.8");
        rfc!(5321, "4.1.1.4");
        let check = |message: &[u8], wire: &[u8]| {
            assert_eq!(encode(Framing::Dot, &[message]), wire, "{}", message.escape_ascii());
        };
        check(b"", b".\r\n");
        check(b".", b"..\r\n.\r\n");
        check(b"a\r\n.\r\n..b\r\n", b"a\r\n..\r\n...b\r\n.\r\n");
        check(b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n");
        check(b"a\r.\r\nb\r", b"a\r\n..\r\nb\r\n.\r\n");
        check(b"a\r\r\nb\r\r", b"a\r\nb\r\n.\r\n");
        check(b"\r\n\r\n", b"\r\n\r\n.\r\n");
    }

    #[test]
    fn counted_octets_keep_their_dots() {
        assert_eq!(encode(Framing::Counted, &[b".a\r\n.\r\n"]), b".a\r\n.\r\n");
        assert_eq!(encode(Framing::Counted, &[b"a\nb"]), b"a\r\nb\r\n");
    }

    proptest! {
        #[test]
        fn what_is_unstuffed_is_the_message_with_lawful_line_ends(
            message in proptest::collection::vec(prop_oneof![
                Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a'), any::<u8>()], 0..60),
            cuts in proptest::collection::vec(0usize..60, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
            cuts.extend([0, message.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &message[cut[0]..cut[1]]).collect();
            let wire = encode(Framing::Dot, &pieces);
            prop_assert_eq!(unstuffed(&wire), mended(&message));
            prop_assert_eq!(&wire, &encode(Framing::Dot, &[&message]));
            prop_assert_eq!(encode(Framing::Counted, &pieces), mended(&message));
        }
    }
}
