//! The envelope: what MAIL and RCPT said and was accepted. Not the message's header.

use crate::syntax::{ForwardPath, MailParameters, RecipientParameters, ReversePath};

/// One transaction's envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go.
    pub reverse_path: ReversePath,
    /// The parameters of MAIL.
    pub mail: MailParameters,
    /// The accepted recipients, in their order; the same one may come twice.
    pub recipients: Vec<Recipient>,
}

/// One accepted RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where the message goes.
    pub path: ForwardPath,
    /// The parameters of RCPT.
    pub parameters: RecipientParameters,
}
