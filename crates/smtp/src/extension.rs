//! Service extensions: what the reply to EHLO lists is made from what is switched on,
//! and what is not listed is refused.

use crate::server::Limits;

/// What is switched on. PIPELINING, ENHANCEDSTATUSCODES and HELP cost nothing and have
/// no switch of their own in the config; tests have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is one keyword
pub struct Extensions {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 1870.
    pub size: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 2034.
    pub enhanced_status_codes: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 3030, BDAT alone: BINARYMIME is not offered.
    pub chunking: bool,
    /// RFC 5321 §4.1.1.8.
    pub help: bool,
    /// RFC 9422.
    pub limits: bool,
}

impl Extensions {
    /// Everything that works.
    pub const fn all() -> Extensions {
        Extensions {
            pipelining: true,
            size: true,
            eight_bit_mime: true,
            smtputf8: true,
            enhanced_status_codes: true,
            dsn: true,
            chunking: true,
            help: true,
            limits: true,
        }
    }

    /// Nothing, as after HELO.
    pub const fn none() -> Extensions {
        Extensions {
            pipelining: false,
            size: false,
            eight_bit_mime: false,
            smtputf8: false,
            enhanced_status_codes: false,
            dsn: false,
            chunking: false,
            help: false,
            limits: false,
        }
    }

    /// The lines after the first of the reply to EHLO or LHLO. EXPN stands there where it
    /// is on; VRFY is required and stands there where it is not refused.
    pub fn keywords(&self, limits: &Limits, vrfy: bool, expn: bool) -> Vec<String> {
        let switched = [
            (self.pipelining, "PIPELINING".to_owned()),
            (self.size, format!("SIZE {}", limits.message_octets)),
            (self.eight_bit_mime, "8BITMIME".to_owned()),
            (self.smtputf8, "SMTPUTF8".to_owned()),
            (self.enhanced_status_codes, "ENHANCEDSTATUSCODES".to_owned()),
            (self.dsn, "DSN".to_owned()),
            (self.chunking, "CHUNKING".to_owned()),
            (vrfy, "VRFY".to_owned()),
            (expn, "EXPN".to_owned()),
            (self.limits, format!("LIMITS RCPTMAX={}", limits.recipients.clamp(1, 999_999))),
            (self.help, "HELP".to_owned()),
        ];
        switched.into_iter().filter(|(on, _)| *on).map(|(_, keyword)| keyword).collect()
    }
}
