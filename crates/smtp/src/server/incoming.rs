//! One message while it comes in: its octets on their way to the draft, and what will
//! refuse it at the end.

use reply::{Answer, catalogue};

use super::options::{EightBitHeaders, Options};
use super::scan::Scan;
use super::step::MessageFacts;
use crate::framing::decode::{BareLineEnd, Decoded, Decoder};

#[derive(Debug)]
pub(super) struct Incoming {
    decoder: Decoder,
    scan: Scan,
    out: Vec<u8>,
    /// How much of `out` the scan has seen.
    seen: usize,
    failed: Option<Answer>,
}

impl Incoming {
    pub(super) fn new(decoder: Decoder) -> Incoming {
        Incoming { decoder, scan: Scan::default(), out: Vec::new(), seen: 0, failed: None }
    }

    /// Takes octets of the wire. True where the message just became hopeless: its draft
    /// can be dropped, and the rest is only read to its end.
    pub(super) fn take(&mut self, input: &[u8], limit: u64) -> (Decoded, bool) {
        let decoded = self.decoder.decode(input, &mut self.out);
        (decoded, self.check(limit))
    }

    /// The end of the last chunk.
    pub(super) fn finish(&mut self, limit: u64) -> bool {
        self.decoder.finish(&mut self.out);
        self.check(limit)
    }

    /// Sees what was decoded; forgets it where it is of no more use.
    fn check(&mut self, limit: u64) -> bool {
        self.scan.see(&self.out[self.seen..]);
        self.seen = self.out.len();
        if self.failed.is_some() {
            self.forget_octets();
            return false;
        }
        let too_big = self.scan.facts().octets > limit;
        if too_big {
            self.fail(catalogue::message_too_big(limit));
        }
        too_big
    }

    /// Whatever else happens, this is said at the end.
    pub(super) fn fail(&mut self, why: Answer) {
        self.forget_octets();
        self.failed.get_or_insert(why);
    }

    /// Why the message is refused though it has not ended, if it is.
    pub(super) fn failure(&self) -> Option<Answer> {
        self.failed.clone()
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.out
    }

    /// Gives the memory back, too: thousands of messages may wait for their next octets.
    pub(super) fn forget_octets(&mut self) {
        self.seen = 0;
        self.out = Vec::new();
    }

    pub(super) const fn facts(&self) -> MessageFacts {
        self.scan.facts()
    }

    /// Why the message is refused now that it is whole, if it is.
    pub(super) fn refusal(&self, options: &Options, smtputf8: bool) -> Option<Answer> {
        let facts = self.facts();
        let refuses_bare = options.bare_line_end == BareLineEnd::Refuse;
        let refuses_headers = options.eight_bit_headers == EightBitHeaders::Refuse && !smtputf8;
        if let Some(answer) = &self.failed {
            Some(answer.clone())
        } else if refuses_bare && self.decoder.saw_bare_line_end() {
            Some(catalogue::bare_line_end())
        } else if facts.received_fields > options.limits.received_fields {
            Some(catalogue::mail_loop())
        } else if refuses_headers && facts.eight_bit_header {
            Some(catalogue::headers_not_ascii())
        } else {
            None
        }
    }
}
