//! Replies as they come from the wire (RFC 5321 §4.2), in pieces of any length.
//!
//! It looks at codes alone: what the words mean is what the bench does not measure.

/// What is not a reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoReply(pub(crate) String);

/// No line of a server is longer; one that is means that we read something else.
const LONGEST_LINE: usize = 4096;

/// Takes octets, gives the code of each reply that is whole.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    /// The line that is not whole yet.
    line: Vec<u8>,
    /// What the last whole reply said, for who must complain about it.
    last: Vec<u8>,
    offers_pipelining: bool,
}

impl Replies {
    /// Takes from the front of `octets` up to the end of the next reply: its code, or none
    /// where more is needed.
    pub(crate) fn next(&mut self, octets: &mut &[u8]) -> Result<Option<u16>, NoReply> {
        while let Some(end) = memchr::memchr(b'\n', octets) {
            let (line, rest) = octets.split_at(end + 1);
            self.line.extend_from_slice(line);
            *octets = rest;
            if let Some(code) = self.end_line()? {
                return Ok(Some(code));
            }
        }
        self.line.extend_from_slice(octets);
        *octets = &[];
        if self.line.len() > LONGEST_LINE { Err(self.complaint()) } else { Ok(None) }
    }

    /// The code, where the line is the last one of a reply.
    fn end_line(&mut self) -> Result<Option<u16>, NoReply> {
        let digits = self.line.get(..3).filter(|code| code.iter().all(u8::is_ascii_digit));
        let Some(digits) = digits else { return Err(self.complaint()) };
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let goes_on = self.line.get(3) == Some(&b'-');
        self.offers_pipelining |= self.line[3..].ends_with(b"PIPELINING\r\n");
        std::mem::swap(&mut self.line, &mut self.last);
        self.line.clear();
        Ok((!goes_on).then_some(code))
    }

    /// Whether a reply so far was of a server that takes groups of commands (RFC 2920).
    pub(crate) fn offers_pipelining(&self) -> bool {
        self.offers_pipelining
    }

    /// The last line of the last reply.
    pub(crate) fn last(&self) -> String {
        String::from_utf8_lossy(&self.last).trim_end().to_owned()
    }

    fn complaint(&self) -> NoReply {
        NoReply(String::from_utf8_lossy(&self.line).trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(replies: &mut Replies, mut octets: &[u8]) -> Vec<u16> {
        let mut codes = Vec::new();
        while let Some(code) = replies.next(&mut octets).unwrap() {
            codes.push(code);
        }
        assert!(octets.is_empty());
        codes
    }

    #[test]
    fn replies_are_found_wherever_the_octets_are_split() {
        let wire = b"220 a\r\n250-b\r\n250-PIPELINING\r\n250 SIZE 5\r\n354 go\r\n250 2.0.0 ok\r\n";
        for first in 0..wire.len() {
            for second in first..wire.len() {
                let mut replies = Replies::default();
                let parts = [&wire[..first], &wire[first..second], &wire[second..]];
                let heard = parts.map(|part| codes(&mut replies, part)).concat();
                assert_eq!(heard, [220, 250, 354, 250], "{first} {second}");
                assert!(replies.offers_pipelining());
                assert_eq!(replies.last(), "250 2.0.0 ok");
            }
        }
    }

    #[test]
    fn what_is_no_reply_is_told() {
        for wire in ["hello\r\n", "25\r\n", "\r\n"] {
            assert!(Replies::default().next(&mut wire.as_bytes()).is_err(), "{wire:?}");
        }
        let endless = "2".repeat(LONGEST_LINE + 1);
        assert!(Replies::default().next(&mut endless.as_bytes()).is_err());
    }
}
