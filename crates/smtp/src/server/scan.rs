//! What a session must know of a message while its octets pass: how many, how many
//! Received fields, and where octets above 127 stand.

/// Facts about a message that has come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageFacts {
    /// Octets of the message as it came, dots undone.
    pub octets: u64,
    /// Received fields in its header.
    pub received_fields: usize,
    /// Whether its header has octets above 127.
    pub eight_bit_header: bool,
    /// Whether its body has octets above 127.
    pub eight_bit_body: bool,
}

const RECEIVED: &[u8] = b"received:";

/// Watches the octets of one message.
#[derive(Debug, Default)]
pub(super) struct Scan {
    facts: MessageFacts,
    in_body: bool,
    /// Octets of the current header line, as far as they are looked at: its length up to
    /// the field name's, and whether they spell it so far.
    line_octets: usize,
    spells_received: bool,
}

impl Scan {
    pub(super) const fn facts(&self) -> MessageFacts {
        self.facts
    }

    /// The next octets, in the order in which they came.
    pub(super) fn see(&mut self, octets: &[u8]) {
        self.facts.octets += octets.len() as u64;
        let body = if self.in_body { octets } else { &octets[self.header(octets)..] };
        self.facts.eight_bit_body |= !body.is_ascii();
    }

    /// Looks at the header's part; returns how long it is.
    fn header(&mut self, octets: &[u8]) -> usize {
        for (at, octet) in octets.iter().enumerate() {
            match octet {
                b'\n' if self.line_octets == 0 => {
                    self.in_body = true;
                    return at + 1;
                }
                b'\n' => self.line_octets = 0,
                b'\r' => {}
                octet => self.header_octet(*octet),
            }
        }
        octets.len()
    }

    fn header_octet(&mut self, octet: u8) {
        self.facts.eight_bit_header |= !octet.is_ascii();
        if self.line_octets < RECEIVED.len() {
            let spells = octet.eq_ignore_ascii_case(&RECEIVED[self.line_octets]);
            self.spells_received = spells && (self.spells_received || self.line_octets == 0);
            self.line_octets += 1;
            if self.line_octets == RECEIVED.len() && self.spells_received {
                self.facts.received_fields += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, received_fields: usize, header: bool, body: bool) {
        for size in 1..=message.len() {
            let mut scan = Scan::default();
            message.as_bytes().chunks(size).for_each(|piece| scan.see(piece));
            let octets = message.len() as u64;
            let expected = MessageFacts {
                octets,
                received_fields,
                eight_bit_header: header,
                eight_bit_body: body,
            };
            assert_eq!(scan.facts(), expected, "{message:?} by {size}");
        }
    }

    #[test]
    fn received_fields_are_counted_in_the_header_alone() {
        rfc!(5321, "3.3");
        rfc!(5321, "6.4");
        check(
            "RECEIVED: a\r\n b\r\nreceived: c\r\nXReceived: d\r\n\r\nReceived: e\r\n",
            2,
            false,
            false,
        );
        check("received : a\r\nre\r\n\r\n", 0, false, false);
    }

    #[test]
    fn octets_above_127_are_told_apart_by_place() {
        check("Subject: \u{e9}\r\n\r\na\r\n", 0, true, false);
        check("Subject: a\r\n\r\n\u{e9}\r\n", 0, false, true);
    }
}
