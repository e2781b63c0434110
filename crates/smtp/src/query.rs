//! What a server session asks the floor above, and what it hears back.
//!
//! The session stops at a [`Query`] and goes on with a [`Decision`]; who decides and how
//! is not known here.

use reply::{Answer, Stage};

use crate::syntax::{
    ForwardPath, HelloName, MailParameters, RecipientParameters, ReversePath, VerifyArgument,
};

/// One question. The session has already refused what breaks the protocol or its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// May this client have a session at all? Asked once, before the greeting.
    Connect,
    /// HELO, EHLO or LHLO.
    Hello {
        /// What the client calls itself.
        name: HelloName,
        /// Which of the three.
        stage: Stage,
    },
    /// MAIL.
    Mail {
        /// Where bounces go.
        reverse_path: ReversePath,
        /// What came with it.
        parameters: MailParameters,
    },
    /// RCPT.
    Recipient {
        /// The transaction's sender.
        reverse_path: ReversePath,
        /// Where the message shall go.
        path: ForwardPath,
        /// What came with it.
        parameters: RecipientParameters,
        /// The size that MAIL declared, in octets (RFC 1870 §6.4).
        declared_octets: Option<u64>,
        /// How many RCPT commands of this transaction came before, refused ones too.
        ordinal: usize,
    },
    /// VRFY, where it is on.
    Verify {
        /// What to verify.
        argument: VerifyArgument,
        /// Whether the reply may hold UTF-8 (RFC 6531 §3.7.4.2).
        smtputf8: bool,
    },
    /// EXPN, where it is on.
    Expand {
        /// The list's name or address, unquoted.
        name: String,
        /// Whether the reply may hold UTF-8.
        smtputf8: bool,
    },
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes: the session gives the positive reply. To VRFY and EXPN: nothing is known (252).
    Proceed,
    /// No, in these words. A 421 also closes.
    Refuse(Answer),
    /// No, in these words, and the session ends.
    RefuseAndClose(Answer),
    /// VRFY and EXPN: the whole answer. To other queries as `Refuse`.
    Answer(Answer),
}
