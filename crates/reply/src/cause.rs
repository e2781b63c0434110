//! The closed set of causes: why a mail server says what it says.
//!
//! One name means one thing for what we say and for what we hear. Adding a cause is
//! adding a row here, its texts, and an example in the field's wording.

use std::fmt;
use std::str::FromStr;

/// Whether the same attempt may work later. What was heard decides it, not the cause:
/// a full mailbox may be told with 452 or with 552.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permanence {
    /// It worked, or goes on.
    Positive,
    /// The same may work later.
    Transient,
    /// The same will not work later.
    Permanent,
}

impl Permanence {
    /// Every value.
    pub const ALL: [Permanence; 3] =
        [Permanence::Positive, Permanence::Transient, Permanence::Permanent];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Permanence::Positive => "positive",
            Permanence::Transient => "transient",
            Permanence::Permanent => "permanent",
        }
    }
}

/// Whose turn it is to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhoseMove {
    /// Nothing is to be done.
    Nobody,
    /// The person or program that wrote the message.
    Sender,
    /// The sending software: it comes back, or says it otherwise, by itself.
    SenderSoftware,
    /// Who runs the sending mail server.
    SenderPostmaster,
    /// The person who owns the mailbox.
    Recipient,
    /// Who runs the receiving mail server.
    RecipientPostmaster,
}

impl WhoseMove {
    /// Every value.
    pub const ALL: [WhoseMove; 6] = [
        WhoseMove::Nobody,
        WhoseMove::Sender,
        WhoseMove::SenderSoftware,
        WhoseMove::SenderPostmaster,
        WhoseMove::Recipient,
        WhoseMove::RecipientPostmaster,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            WhoseMove::Nobody => "nobody",
            WhoseMove::Sender => "sender",
            WhoseMove::SenderSoftware => "sender-software",
            WhoseMove::SenderPostmaster => "sender-postmaster",
            WhoseMove::Recipient => "recipient",
            WhoseMove::RecipientPostmaster => "recipient-postmaster",
        }
    }
}

/// What a cause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One recipient's mailbox.
    Recipient,
    /// The whole sending or receiving host.
    Host,
    /// This message.
    Message,
    /// One command.
    Command,
    /// This session.
    Session,
    /// The recipient's domain.
    Domain,
    /// Not known.
    Nothing,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 7] = [
        Scope::Recipient,
        Scope::Host,
        Scope::Message,
        Scope::Command,
        Scope::Session,
        Scope::Domain,
        Scope::Nothing,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Recipient => "recipient",
            Scope::Host => "host",
            Scope::Message => "message",
            Scope::Command => "command",
            Scope::Session => "session",
            Scope::Domain => "domain",
            Scope::Nothing => "unknown",
        }
    }
}

/// Declares the causes: variant, name, scope, whose move, whether waiting alone helps.
macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $scope:ident $whose:ident $wait:literal;)+) => {
        /// Why a mail server says what it says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause { $($(#[$doc])* $variant,)+ }

        impl Cause {
            /// Every cause, in the order of the table.
            pub const ALL: &[Cause] = &[$(Cause::$variant,)+];

            /// The name in JSON, in texts and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Cause::$variant => $name,)+ }
            }

            /// What the cause is about.
            pub const fn scope(self) -> Scope {
                match self { $(Cause::$variant => Scope::$scope,)+ }
            }

            /// Whose turn it is when the cause is heard.
            pub const fn whose_move(self) -> WhoseMove {
                match self { $(Cause::$variant => WhoseMove::$whose,)+ }
            }

            /// Whether waiting is all there is to do: the sending software comes back by itself.
            pub const fn passes_by_itself(self) -> bool {
                match self { $(Cause::$variant => $wait,)+ }
            }
        }
    };
}

causes! {
    /// Another process holds the mailbox's lock.
    MailboxLocked "mailbox-locked" Recipient SenderSoftware true;
    /// The mailbox exists and cannot take mail at this moment.
    MailboxBusy "mailbox-busy" Recipient SenderSoftware true;
    /// Over quota.
    MailboxFull "mailbox-full" Recipient Recipient false;
    /// Suspended, inactive or switched off.
    MailboxDisabled "mailbox-disabled" Recipient RecipientPostmaster false;
    /// No such mailbox.
    MailboxUnknown "mailbox-unknown" Recipient Sender false;
    /// Has a new address.
    MailboxMoved "mailbox-moved" Recipient Sender false;
    /// The address names more than one mailbox.
    MailboxAmbiguous "mailbox-ambiguous" Recipient Sender false;
    /// Takes mail only from some (members-only list, private address, sender not allowed).
    MailboxPrivate "mailbox-private" Recipient Recipient false;
    /// The first attempt is turned away, a later one passes.
    Greylisted "greylisted" Recipient SenderSoftware true;
    /// Too much mail in too little time.
    RateLimited "rate-limited" Host SenderPostmaster false;
    /// Too many sessions at once.
    TooManyConnections "too-many-connections" Host SenderSoftware true;
    /// Send the rest in another transaction.
    TooManyRecipients "too-many-recipients" Message SenderSoftware false;
    /// Overloaded, in maintenance, or shutting down.
    ServerBusy "server-busy" Host SenderSoftware true;
    /// Out of disk or other storage.
    ServerFull "server-full" Host RecipientPostmaster false;
    /// A local error in processing.
    ServerFault "server-fault" Host RecipientPostmaster false;
    /// A temporary policy that names no finer cause.
    PolicyTemporary "policy-temporary" Recipient SenderSoftware true;
    /// A permanent policy that names no finer cause.
    PolicyRefused "policy-refused" Recipient SenderPostmaster false;
    /// No such command.
    CommandUnknown "command-unknown" Command SenderSoftware false;
    /// Known from the specification, not offered here (VRFY, EXPN, TURN …).
    CommandNotImplemented "command-not-implemented" Command SenderSoftware false;
    /// The command is offered, this parameter is not.
    ParameterNotImplemented "parameter-not-implemented" Command SenderSoftware false;
    /// The command's arguments cannot be understood.
    SyntaxError "syntax-error" Command SenderSoftware false;
    /// The right command at the wrong time.
    BadSequence "bad-sequence" Command SenderSoftware false;
    /// A line is longer than is allowed.
    LineTooLong "line-too-long" Command SenderSoftware false;
    /// Larger than the server or the mailbox takes.
    MessageTooBig "message-too-big" Message Sender false;
    /// Not RFC 5322: missing or doubled headers, bare LF, bad MIME.
    MessageMalformed "message-malformed" Message SenderSoftware false;
    /// 8-bit or binary content that cannot go on as it is.
    ConversionNeeded "conversion-needed" Message SenderSoftware false;
    /// Internationalised addresses or headers are not offered.
    Utf8NotSupported "utf8-not-supported" Message SenderSoftware false;
    /// The content looks like spam.
    ContentSpam "content-spam" Message Sender false;
    /// Malware found.
    ContentVirus "content-virus" Message Sender false;
    /// A prohibited attachment, link, charset or wording.
    ContentRefused "content-refused" Message Sender false;
    /// Log in first.
    AuthRequired "auth-required" Session Sender false;
    /// Wrong or expired credentials.
    AuthFailed "auth-failed" Session Sender false;
    /// Authentication is out of order for now.
    AuthUnavailable "auth-unavailable" Session SenderSoftware true;
    /// Use TLS first.
    EncryptionRequired "encryption-required" Session SenderSoftware false;
    /// The TLS handshake, certificate, DANE or MTA-STS check failed.
    TlsFailed "tls-failed" Session SenderPostmaster false;
    /// The server is not responsible for that domain.
    RelayDenied "relay-denied" Recipient SenderPostmaster false;
    /// This sender address is not allowed.
    SenderRefused "sender-refused" Message Sender false;
    /// The sender's domain does not exist, does not resolve or takes no mail.
    SenderDomainUnusable "sender-domain-unusable" Message SenderPostmaster false;
    /// SPF.
    SpfFailed "spf-failed" Message SenderPostmaster false;
    /// DKIM.
    DkimFailed "dkim-failed" Message SenderPostmaster false;
    /// DMARC, or none of several checks passed.
    DmarcFailed "dmarc-failed" Message SenderPostmaster false;
    /// ARC.
    ArcFailed "arc-failed" Message SenderPostmaster false;
    /// No PTR, or it does not point back.
    ReverseDnsMissing "reverse-dns-missing" Host SenderPostmaster false;
    /// The HELO/EHLO name is invalid or does not resolve.
    HeloRefused "helo-refused" Session SenderPostmaster false;
    /// The address is on a block list (DNSBL or the provider's own).
    HostBlocklisted "host-blocklisted" Host SenderPostmaster false;
    /// The sender's domain or a link is on a block list.
    DomainBlocklisted "domain-blocklisted" Message SenderPostmaster false;
    /// Low reputation, unusual volume, dynamic address.
    ReputationPoor "reputation-poor" Host SenderPostmaster false;
    /// The recipient's domain does not exist.
    DomainNotFound "domain-not-found" Domain Sender false;
    /// Null MX, or a host that never takes mail.
    DomainTakesNoMail "domain-takes-no-mail" Domain Sender false;
    /// MX that cannot be used (points to itself, to a private address …).
    RouteUnusable "route-unusable" Domain RecipientPostmaster false;
    /// A directory or DNS server did not answer.
    DnsFailed "dns-failed" Domain SenderSoftware true;
    /// No answer, refused or unreachable.
    HostUnreachable "host-unreachable" Host SenderSoftware true;
    /// Dropped or timed out in mid-session.
    ConnectionLost "connection-lost" Session SenderSoftware true;
    /// Too many hops.
    MailLoop "mail-loop" Message RecipientPostmaster false;
    /// The queue's lifetime is over.
    Expired "expired" Message Sender false;
    /// Too many errors, HTTP on an SMTP port, other misuse of the session.
    SessionAbuse "session-abuse" Session SenderSoftware false;
    /// Accepted, delivered or relayed.
    Delivered "delivered" Message Nobody false;
    /// The reply does not say.
    Unknown "unknown" Nothing SenderPostmaster false;
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no cause of that name; it holds the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchCause(pub String);

impl fmt::Display for NoSuchCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no cause `{}`", self.0)
    }
}

impl std::error::Error for NoSuchCause {}

impl FromStr for Cause {
    type Err = NoSuchCause;
    fn from_str(name: &str) -> Result<Cause, NoSuchCause> {
        let found = Cause::ALL.iter().find(|cause| cause.name() == name);
        found.copied().ok_or_else(|| NoSuchCause(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_its_cause() {
        for cause in Cause::ALL {
            assert_eq!(cause.name().parse(), Ok(*cause));
        }
        assert_eq!("gremlins".parse::<Cause>(), Err(NoSuchCause("gremlins".into())));
    }
}
