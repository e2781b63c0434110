//! What a server session is told once: its name, its protocol, what it offers, its limits.

use std::time::Duration;

use crate::extension::Extensions;
use crate::framing::decode::BareLineEnd;

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321, from any server.
    Smtp,
    /// RFC 6409, from our own users.
    Submission,
    /// RFC 2033: LHLO, and one reply per recipient after the dot.
    Lmtp,
}

/// How VRFY or EXPN is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// 502: known, and switched off.
    Off,
    /// 252, whatever is asked (RFC 5321 §7.3).
    Noncommittal,
    /// Truly.
    On,
}

/// What becomes of 8-bit octets in a header without SMTPUTF8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EightBitHeaders {
    /// They are taken: the field sends them.
    Accept,
    /// 554 5.6.9.
    Refuse,
}

/// The limits of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest message. 50 MiB: what the large providers take, encoding included.
    pub message_octets: u64,
    /// Most recipients of a transaction. 1,000: ten times what RFC 5321 §4.5.3.1.8 asks.
    pub recipients: usize,
    /// Longest command line with CRLF. 4,096: room for every parameter we know, eight
    /// times RFC 5321 §4.5.3.1.4.
    pub command_line_octets: usize,
    /// Errors in a row without an accepted message before the session ends.
    pub errors: usize,
    /// Received fields that make a loop. 100: RFC 5321 §6.3.
    pub received_fields: usize,
    /// Silence before the session ends. 5 minutes: RFC 5321 §4.5.3.2.7.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_octets: 50 * 1024 * 1024,
            recipients: 1000,
            command_line_octets: 4096,
            errors: 20,
            received_fields: 100,
            idle: Duration::from_secs(300),
        }
    }
}

/// All that a session is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Our name in the greeting.
    pub hostname: String,
    /// What is spoken.
    pub protocol: Protocol,
    /// What EHLO lists.
    pub extensions: Extensions,
    /// The limits.
    pub limits: Limits,
    /// VRFY.
    pub vrfy: Offer,
    /// EXPN.
    pub expn: Offer,
    /// Bare CR and LF in message data.
    pub bare_line_end: BareLineEnd,
    /// 8-bit octets in a header.
    pub eight_bit_headers: EightBitHeaders,
    /// How long the greeting is held back to see who talks first.
    pub greet_delay: Option<Duration>,
}

impl Options {
    /// The defaults of a protocol: submission makes bare line ends CRLF, the others
    /// refuse them.
    pub fn new(hostname: impl Into<String>, protocol: Protocol) -> Options {
        Options {
            hostname: hostname.into(),
            protocol,
            extensions: Extensions::all(),
            limits: Limits::default(),
            vrfy: Offer::Off,
            expn: Offer::Off,
            bare_line_end: match protocol {
                Protocol::Submission => BareLineEnd::MakeCrlf,
                Protocol::Smtp | Protocol::Lmtp => BareLineEnd::Refuse,
            },
            eight_bit_headers: EightBitHeaders::Accept,
            greet_delay: None,
        }
    }
}
