//! Where in a session a reply stands: the command that it answers, or the moment.

use std::fmt;

/// What a reply answers. `Data` is the command; `EndOfData` is the final dot or the
/// last BDAT chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are the verbs of their RFCs
pub enum Stage {
    /// The greeting.
    Connection,
    Ehlo,
    Helo,
    /// RFC 2033.
    Lhlo,
    Mail,
    Rcpt,
    Data,
    /// The final dot, or BDAT … LAST.
    EndOfData,
    Bdat,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
    StartTls,
    Auth,
    Etrn,
    Turn,
    Atrn,
    /// SEND, SOML and SAML of RFC 821.
    Send,
    /// A word that is no SMTP command.
    Unrecognized,
}

impl Stage {
    /// Every stage, in the order of the enum.
    pub const ALL: &[Stage] = &[
        Stage::Connection,
        Stage::Ehlo,
        Stage::Helo,
        Stage::Lhlo,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::EndOfData,
        Stage::Bdat,
        Stage::Rset,
        Stage::Noop,
        Stage::Quit,
        Stage::Vrfy,
        Stage::Expn,
        Stage::Help,
        Stage::StartTls,
        Stage::Auth,
        Stage::Etrn,
        Stage::Turn,
        Stage::Atrn,
        Stage::Send,
        Stage::Unrecognized,
    ];

    /// The verb as it is written on the wire, or words for the stages that are none.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Connection => "connection",
            Stage::Ehlo => "EHLO",
            Stage::Helo => "HELO",
            Stage::Lhlo => "LHLO",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data => "DATA",
            Stage::EndOfData => "end of data",
            Stage::Bdat => "BDAT",
            Stage::Rset => "RSET",
            Stage::Noop => "NOOP",
            Stage::Quit => "QUIT",
            Stage::Vrfy => "VRFY",
            Stage::Expn => "EXPN",
            Stage::Help => "HELP",
            Stage::StartTls => "STARTTLS",
            Stage::Auth => "AUTH",
            Stage::Etrn => "ETRN",
            Stage::Turn => "TURN",
            Stage::Atrn => "ATRN",
            Stage::Send => "SEND",
            Stage::Unrecognized => "unrecognized command",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
