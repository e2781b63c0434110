//! A mail transaction: what MAIL and RCPT said since the last one ended.

use crate::envelope::{Envelope, Recipient};
use crate::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};

#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    /// RCPT commands that parsed, refused ones too: what RCPTMAX counts (RFC 9422).
    attempts: usize,
    /// Whether a chunk came: then only chunks may follow (RFC 3030 §2).
    chunked: bool,
}

impl Transaction {
    pub(super) fn new(reverse_path: ReversePath, mail: MailParameters) -> Transaction {
        let envelope = Envelope { reverse_path, mail, recipients: Vec::new() };
        Transaction { envelope, attempts: 0, chunked: false }
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
        self.envelope.recipients.push(Recipient { path, parameters });
    }

    pub(super) fn has_recipients(&self) -> bool {
        !self.envelope.recipients.is_empty()
    }

    pub(super) const fn is_chunked(&self) -> bool {
        self.chunked
    }

    pub(super) fn begin_chunks(&mut self) {
        self.chunked = true;
    }
}
