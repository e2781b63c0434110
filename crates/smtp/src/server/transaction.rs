//! A mail transaction: what MAIL and RCPT said since the last one ended.

use crate::envelope::{Envelope, Recipient};
use crate::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};

/// What the recipients of a transaction may take of memory, in octets. Room for the 100
/// that RFC 5321 §4.5.3.1.8 asks for at their longest, original recipients included, and
/// for thousands of usual ones; a peer that makes all of them long is told to send the rest
/// in another transaction.
const ENVELOPE_OCTETS: usize = 128 * 1024;

#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    /// RCPT commands that parsed, refused ones too: what RCPTMAX counts (RFC 9422).
    attempts: usize,
    /// Of the accepted recipients' addresses.
    octets: usize,
    /// Whether a chunk came: then only chunks may follow (RFC 3030 §2).
    chunked: bool,
}

impl Transaction {
    pub(super) fn new(reverse_path: ReversePath, mail: MailParameters) -> Transaction {
        let envelope = Envelope { reverse_path, mail, recipients: Vec::new() };
        Transaction { envelope, attempts: 0, octets: 0, chunked: false }
    }

    pub(super) const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(super) const fn attempts(&self) -> usize {
        self.attempts
    }

    pub(super) fn attempt(&mut self) -> usize {
        self.attempts += 1;
        self.attempts - 1
    }

    pub(super) fn accept(&mut self, path: ForwardPath, parameters: RecipientParameters) {
        self.octets += octets_of(&path, &parameters);
        self.envelope.recipients.push(Recipient { path, parameters });
    }

    pub(super) fn has_recipients(&self) -> bool {
        !self.envelope.recipients.is_empty()
    }

    /// Whether a further recipient could take too much memory.
    pub(super) const fn is_full(&self) -> bool {
        self.octets >= ENVELOPE_OCTETS
    }

    pub(super) const fn is_chunked(&self) -> bool {
        self.chunked
    }

    pub(super) fn begin_chunks(&mut self) {
        self.chunked = true;
    }
}

fn octets_of(path: &ForwardPath, parameters: &RecipientParameters) -> usize {
    let address = path
        .mailbox()
        .map_or(0, |mailbox| mailbox.local_part.as_str().len() + mailbox.domain.as_str().len());
    let original = parameters.orcpt.as_ref();
    address + original.map_or(0, |orcpt| orcpt.address_type.len() + orcpt.xtext.len())
}
