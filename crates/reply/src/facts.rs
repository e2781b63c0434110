//! The facts behind codes, enhanced codes, causes and commands: what a thing is about,
//! whose move it is, which commands it may answer, what a client does next, where it is
//! written. Prose stands in the texts and never repeats a fact as its only place.
//!
//! Rows first, look-ups below. What a *cause* is about and whose move it is stands in
//! [`crate::cause`]; this file adds the codes that it is commonly seen under.

pub mod field;
pub mod keyword;
pub mod provider;
pub mod role;

use crate::cause::Cause::{self, *};
use crate::cause::{Scope, WhoseMove};
use crate::stage::Stage::{self, *};
use crate::{Class, Code, EnhancedCode, Permanence};

/// What a client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextStep {
    /// Goes on with the next command.
    GoOn,
    /// Sends what was asked for: the message, or an answer to a challenge.
    SendMore,
    /// Closes the connection.
    Close,
    /// Keeps the message and tries again later.
    RetryLater,
    /// The connection closes; keeps the message and connects again later.
    ReconnectLater,
    /// Sends the rest in another transaction.
    AnotherTransaction,
    /// Repeats the command without the parameter.
    WithoutParameter,
    /// Reaches the goal by another command.
    OtherCommand,
    /// Corrects the command or the order.
    CorrectCommand,
    /// Logs in, or starts TLS, and then repeats the command.
    SecureFirst,
    /// Gives the message back to its sender.
    GiveBack,
}

impl NextStep {
    /// Every step.
    pub const ALL: &[NextStep] = &[
        NextStep::GoOn,
        NextStep::SendMore,
        NextStep::Close,
        NextStep::RetryLater,
        NextStep::ReconnectLater,
        NextStep::AnotherTransaction,
        NextStep::WithoutParameter,
        NextStep::OtherCommand,
        NextStep::CorrectCommand,
        NextStep::SecureFirst,
        NextStep::GiveBack,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            NextStep::GoOn => "go-on",
            NextStep::SendMore => "send-more",
            NextStep::Close => "close",
            NextStep::RetryLater => "retry-later",
            NextStep::ReconnectLater => "reconnect-later",
            NextStep::AnotherTransaction => "another-transaction",
            NextStep::WithoutParameter => "without-parameter",
            NextStep::OtherCommand => "other-command",
            NextStep::CorrectCommand => "correct-command",
            NextStep::SecureFirst => "secure-first",
            NextStep::GiveBack => "give-back",
        }
    }
}

/// How long a transient refusal tends to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pace {
    /// Come back at once, in another transaction.
    AtOnce,
    /// It passes within minutes.
    Minutes,
    /// It passes within hours, or when somebody acted.
    Hours,
}

/// How firmly a command belongs to SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Every server must have it (RFC 5321 §4.5.1), or LMTP's.
    Required,
    /// A server may switch it off.
    Optional,
    /// It comes with an extension and is there only where EHLO lists it.
    Extension,
    /// Nobody should offer it any more.
    Obsolete,
    /// No command, but a moment of the session.
    Moment,
}

impl Standing {
    /// Every standing.
    pub const ALL: &[Standing] = &[
        Standing::Required,
        Standing::Optional,
        Standing::Extension,
        Standing::Obsolete,
        Standing::Moment,
    ];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Required => "required",
            Standing::Optional => "optional",
            Standing::Extension => "extension",
            Standing::Obsolete => "obsolete",
            Standing::Moment => "moment",
        }
    }
}

/// How firmly `stage` belongs to SMTP. VRFY is in RFC 5321's required list, and in §3.5.2
/// and §7.3 a site may switch it off: it is optional in all but name.
pub const fn standing(stage: Stage) -> Standing {
    match stage {
        Ehlo | Helo | Lhlo | Mail | Rcpt | Data | Rset | Noop | Quit => Standing::Required,
        Vrfy | Expn | Help => Standing::Optional,
        Bdat | StartTls | Auth | Etrn | Atrn => Standing::Extension,
        Turn | Send => Standing::Obsolete,
        Connection | EndOfData | Unrecognized => Standing::Moment,
    }
}

/// What is known of a basic code.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeFacts {
    /// The code.
    pub code: Code,
    /// What it is about.
    pub scope: Scope,
    /// Whose move it is, where no cause says more.
    pub whose_move: WhoseMove,
    /// What a client does next.
    pub next: NextStep,
    /// The commands it may answer (RFC 5321 §4.3.2 and the extensions' RFCs).
    pub answers: &'static [Stage],
    /// The causes that commonly stand behind it, the commonest first.
    pub causes: &'static [Cause],
    /// RFCs and sections.
    pub source: &'static str,
}

/// Any command, for its form, or because the server goes away.
const ANY: &[Stage] = Stage::ALL;
/// The commands that an SMTP server may know and not offer.
const OPTIONAL: &[Stage] = &[Vrfy, Expn, Help, Turn, Send, Etrn, Atrn, Bdat, StartTls, Auth, Ehlo];

/// Declares the rows: code, scope, whose move, next step, commands, causes, source.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident:
     $($code:literal $scope:ident $whose:ident $next:ident $answers:expr, [$($cause:ident)*], $source:literal;)+) => {
        $(#[$doc])*
        pub static $name: &[CodeFacts] = &[$(CodeFacts {
            code: Code::literal($code),
            scope: Scope::$scope,
            whose_move: WhoseMove::$whose,
            next: NextStep::$next,
            answers: $answers,
            causes: &[$($cause),*],
            source: $source,
        }),+];
    };
}
use codes;

codes! {
    /// Every basic code that a specification defines, by number.
    CODES:
    211 Command Nobody GoOn &[Help], [], "RFC 5321 §4.2.3";
    214 Command Nobody GoOn &[Help], [], "RFC 5321 §4.2.3, §4.1.1.8";
    220 Session Nobody GoOn &[Connection, StartTls], [], "RFC 5321 §4.2.3, RFC 3207 §4";
    221 Session Nobody Close &[Quit], [], "RFC 5321 §4.2.3, §4.1.1.10";
    235 Session Nobody GoOn &[Auth], [], "RFC 4954 §4, §6";
    250 Command Nobody GoOn
        &[Ehlo, Helo, Lhlo, Mail, Rcpt, EndOfData, Bdat, Rset, Noop, Vrfy, Expn, Etrn, Atrn],
        [Delivered], "RFC 5321 §4.2.3";
    251 Recipient Nobody GoOn &[Rcpt, Vrfy, Etrn], [MailboxMoved], "RFC 5321 §4.2.3, §3.4";
    252 Recipient Nobody GoOn &[Vrfy, Expn, Etrn], [], "RFC 5321 §4.2.3, §3.5.3, §7.3";
    253 Host Nobody GoOn &[Etrn], [], "RFC 1985 §6";
    334 Session SenderSoftware SendMore &[Auth], [], "RFC 4954 §4";
    354 Message SenderSoftware SendMore &[Data], [], "RFC 5321 §4.2.3, §4.1.1.4";
    421 Session SenderSoftware ReconnectLater ANY,
        [ServerBusy TooManyConnections RateLimited ReputationPoor ConnectionLost SessionAbuse],
        "RFC 5321 §4.2.3, §3.8";
    432 Session Sender SecureFirst &[Auth], [AuthFailed], "RFC 4954 §6";
    450 Recipient SenderSoftware RetryLater &[Rcpt, EndOfData, Atrn],
        [Greylisted MailboxBusy MailboxLocked PolicyTemporary MailboxDisabled RateLimited],
        "RFC 5321 §4.2.3, RFC 6647 §2";
    451 Host SenderSoftware RetryLater &[Mail, Rcpt, Data, EndOfData, Bdat, Vrfy, Expn, Atrn],
        [ServerFault Greylisted DnsFailed PolicyTemporary RateLimited],
        "RFC 5321 §4.2.3";
    452 Host SenderSoftware RetryLater &[Mail, Rcpt, Data, EndOfData, Bdat],
        [TooManyRecipients MailboxFull ServerFull],
        "RFC 5321 §4.2.3, §4.5.3.1.10";
    453 Host Nobody Close &[Atrn], [], "RFC 2645 §6";
    454 Session SenderSoftware RetryLater &[StartTls, Auth], [TlsFailed AuthUnavailable],
        "RFC 3207 §4, RFC 4954 §6";
    455 Command SenderSoftware WithoutParameter &[Mail, Rcpt], [ParameterNotImplemented],
        "RFC 5321 §4.2.3, §4.1.1.11";
    458 Host SenderSoftware RetryLater &[Etrn], [ServerFault], "RFC 1985 §6";
    459 Host SenderPostmaster GiveBack &[Etrn], [PolicyRefused], "RFC 1985 §6";
    500 Command SenderSoftware CorrectCommand ANY, [CommandUnknown LineTooLong SyntaxError],
        "RFC 5321 §4.2.3, §4.2.4";
    501 Command SenderSoftware CorrectCommand ANY, [SyntaxError HeloRefused],
        "RFC 5321 §4.2.3, §4.1.2";
    502 Command SenderSoftware OtherCommand OPTIONAL, [CommandNotImplemented],
        "RFC 5321 §4.2.3, §4.2.4, §7.3";
    503 Command SenderSoftware CorrectCommand ANY, [BadSequence SessionAbuse],
        "RFC 5321 §4.2.3, §4.1.4, §3.1";
    504 Command SenderSoftware WithoutParameter &[Ehlo, Vrfy, Expn, Help, Auth],
        [ParameterNotImplemented], "RFC 5321 §4.2.3, RFC 4954 §4";
    521 Host Sender GiveBack ANY, [DomainTakesNoMail HostBlocklisted], "RFC 7504 §3";
    523 Session SenderSoftware SecureFirst &[Auth, Mail], [EncryptionRequired], "RFC 5248 §3";
    524 Session SenderSoftware SecureFirst &[Auth], [EncryptionRequired], "RFC 5248 §3";
    525 Session Sender SecureFirst &[Auth], [AuthFailed], "RFC 5248 §3";
    530 Session SenderSoftware SecureFirst
        &[Mail, Rcpt, Data, Bdat, Vrfy, Expn, Help, Etrn, Atrn, Auth],
        [AuthRequired EncryptionRequired], "RFC 4954 §6, RFC 3207 §4";
    534 Session Sender SecureFirst &[Auth], [AuthFailed], "RFC 4954 §6";
    535 Session Sender SecureFirst &[Auth], [AuthFailed], "RFC 4954 §6";
    538 Session SenderSoftware SecureFirst &[Auth], [EncryptionRequired], "RFC 4954 §6";
    550 Recipient Sender GiveBack &[Ehlo, Mail, Rcpt, EndOfData, Vrfy, Expn],
        [MailboxUnknown PolicyRefused MailboxDisabled RelayDenied HostBlocklisted ContentSpam
         SpfFailed DmarcFailed], "RFC 5321 §4.2.3";
    551 Recipient Sender GiveBack &[Rcpt, Vrfy], [MailboxMoved RelayDenied],
        "RFC 5321 §4.2.3, §3.4";
    552 Message Sender GiveBack &[Mail, Rcpt, EndOfData, Bdat],
        [MailboxFull MessageTooBig TooManyRecipients ContentRefused],
        "RFC 5321 §4.2.3, §4.5.3.1.10, RFC 1870 §6";
    553 Recipient Sender GiveBack &[Mail, Rcpt, Vrfy, Expn],
        [SyntaxError SenderRefused SenderDomainUnusable MailboxAmbiguous RelayDenied],
        "RFC 5321 §4.2.3";
    554 Message Sender GiveBack &[Connection, Data, EndOfData, Bdat],
        [PolicyRefused ContentSpam HostBlocklisted MailLoop BadSequence],
        "RFC 5321 §4.2.3, §3.1";
    555 Command SenderSoftware WithoutParameter &[Mail, Rcpt], [ParameterNotImplemented],
        "RFC 5321 §4.2.3, §4.1.1.11";
    556 Domain Sender GiveBack &[Rcpt], [DomainTakesNoMail], "RFC 7504 §4, RFC 7505 §3";
}

/// What is known of an enhanced code, whatever its class.
#[derive(Debug, PartialEq, Eq)]
pub struct EnhancedFacts {
    /// Subject and detail: X.2.2 is (2, 2).
    pub number: (u16, u16),
    /// What it is about.
    pub scope: Scope,
    /// Whose move it is after a negative reply, where no cause says more.
    pub whose_move: WhoseMove,
    /// The causes that commonly stand behind it, the commonest first.
    pub causes: &'static [Cause],
    /// The basic codes that it commonly stands beside.
    pub codes: &'static [Code],
    /// RFC and section.
    pub source: &'static str,
}

/// Declares the rows: subject, detail, scope, whose move, causes, basic codes, source.
macro_rules! enhanced {
    ($($subject:literal $detail:literal $scope:ident $whose:ident [$($cause:ident)*] [$($code:literal)*] $source:literal;)+) => {
        /// Every registered enhanced code, by number (the registry of RFC 5248).
        pub static ENHANCED: &[EnhancedFacts] = &[$(EnhancedFacts {
            number: ($subject, $detail),
            scope: Scope::$scope,
            whose_move: WhoseMove::$whose,
            causes: &[$($cause),*],
            codes: &[$(Code::literal($code)),*],
            source: $source,
        }),+];
    };
}

enhanced! {
    0 0 Nothing SenderPostmaster [] [221 250 421 451 550] "RFC 3463 §3.1";
    1 0 Recipient Sender [MailboxUnknown SenderRefused] [250 550] "RFC 3463 §3.2";
    1 1 Recipient Sender [MailboxUnknown] [450 550] "RFC 3463 §3.2";
    1 2 Domain Sender [DomainNotFound] [550] "RFC 3463 §3.2";
    1 3 Command Sender [SyntaxError MailboxUnknown] [501 553] "RFC 3463 §3.2";
    1 4 Recipient Sender [MailboxAmbiguous] [553] "RFC 3463 §3.2";
    1 5 Recipient Nobody [Delivered] [250] "RFC 3463 §3.2";
    1 6 Recipient Sender [MailboxMoved] [551] "RFC 3463 §3.2";
    1 7 Command SenderSoftware [SyntaxError] [501 553] "RFC 3463 §3.2";
    1 8 Message SenderPostmaster [SenderDomainUnusable] [450 501 553] "RFC 3463 §3.2";
    1 9 Message Nobody [Delivered] [250] "RFC 3886 §3.3.4";
    1 10 Domain Sender [DomainTakesNoMail] [556] "RFC 7505 §4.1";
    2 0 Recipient RecipientPostmaster [Greylisted MailboxBusy MailboxLocked] [450] "RFC 3463 §3.3";
    2 1 Recipient RecipientPostmaster [MailboxDisabled MailboxBusy] [450 550] "RFC 3463 §3.3";
    2 2 Recipient Recipient [MailboxFull] [452 552] "RFC 3463 §3.3";
    2 3 Message Sender [MessageTooBig] [552] "RFC 3463 §3.3";
    2 4 Recipient RecipientPostmaster [ServerFault] [450 452] "RFC 3463 §3.3";
    3 0 Host RecipientPostmaster [ServerFault] [421 451 554] "RFC 3463 §3.4";
    3 1 Host RecipientPostmaster [ServerFull] [452] "RFC 3463 §3.4";
    3 2 Host RecipientPostmaster [ServerBusy DomainTakesNoMail] [421 453 521] "RFC 3463 §3.4";
    3 3 Message SenderSoftware [ConversionNeeded ParameterNotImplemented] [554 555] "RFC 3463 §3.4";
    3 4 Message Sender [MessageTooBig] [552 554] "RFC 3463 §3.4";
    3 5 Host RecipientPostmaster [ServerFault] [451 554] "RFC 3463 §3.4";
    3 6 Message Nobody [Delivered] [250 251] "RFC 6710 §10";
    4 0 Host RecipientPostmaster [HostUnreachable RouteUnusable] [451] "RFC 3463 §3.5";
    4 1 Host SenderSoftware [HostUnreachable] [451] "RFC 3463 §3.5";
    4 2 Session SenderSoftware [ConnectionLost] [421] "RFC 3463 §3.5";
    4 3 Domain SenderSoftware [DnsFailed] [451 550] "RFC 3463 §3.5";
    4 4 Domain RecipientPostmaster [RouteUnusable DomainNotFound] [451 550] "RFC 3463 §3.5";
    4 5 Host SenderSoftware [ServerBusy] [451] "RFC 3463 §3.5";
    4 6 Message RecipientPostmaster [MailLoop] [554] "RFC 3463 §3.5, RFC 5321 §6.3";
    4 7 Message Sender [Expired] [554] "RFC 3463 §3.5";
    5 0 Command SenderSoftware [] [250 252 451 501 503 554] "RFC 3463 §3.6";
    5 1 Command SenderSoftware [CommandNotImplemented BadSequence CommandUnknown]
        [500 502 503 554] "RFC 3463 §3.6";
    5 2 Command SenderSoftware [CommandUnknown SyntaxError LineTooLong] [500 501] "RFC 3463 §3.6";
    5 3 Message SenderSoftware [TooManyRecipients] [452] "RFC 3463 §3.6, RFC 5321 §4.5.3.1.10";
    5 4 Command SenderSoftware [SyntaxError ParameterNotImplemented] [501 504 555] "RFC 3463 §3.6";
    5 5 Session SenderSoftware [ServerFault] [554] "RFC 3463 §3.6";
    5 6 Command SenderSoftware [LineTooLong] [500] "RFC 4954 §6";
    6 0 Message Sender [MessageMalformed ContentRefused] [550 554] "RFC 3463 §3.7";
    6 1 Message Sender [ConversionNeeded ContentRefused] [550 554] "RFC 3463 §3.7";
    6 2 Message Sender [ConversionNeeded] [554] "RFC 3463 §3.7";
    6 3 Message SenderSoftware [ConversionNeeded] [554] "RFC 3463 §3.7";
    6 4 Message Sender [ConversionNeeded] [250] "RFC 3463 §3.7";
    6 5 Message RecipientPostmaster [ConversionNeeded] [554] "RFC 3463 §3.7";
    6 6 Message SenderSoftware [ServerFault] [554] "RFC 4468 §5";
    6 7 Message SenderSoftware [Utf8NotSupported] [550 553] "RFC 6531 §3.5, §4.2";
    6 8 Command SenderSoftware [Utf8NotSupported] [252 550 553] "RFC 6531 §4.2";
    6 9 Message SenderSoftware [Utf8NotSupported] [550 554] "RFC 6531 §4.2";
    6 10 Command SenderSoftware [Utf8NotSupported] [550] "RFC 6531 §4.2";
    7 0 Session SenderPostmaster [PolicyTemporary TlsFailed RateLimited SessionAbuse]
        [421 450 454 530 550] "RFC 3463 §3.8";
    7 1 Recipient SenderPostmaster
        [PolicyRefused RelayDenied HostBlocklisted ContentSpam PolicyTemporary]
        [450 451 550 554] "RFC 3463 §3.8";
    7 2 Recipient Recipient [MailboxPrivate] [550] "RFC 3463 §3.8";
    7 3 Session SenderSoftware [EncryptionRequired AuthFailed] [535] "RFC 3463 §3.8";
    7 4 Session SenderSoftware [ParameterNotImplemented] [504] "RFC 3463 §3.8";
    7 5 Session SenderPostmaster [TlsFailed] [454] "RFC 3463 §3.8";
    7 6 Message SenderPostmaster [TlsFailed] [554] "RFC 3463 §3.8";
    7 7 Message SenderPostmaster [DkimFailed MessageMalformed] [554] "RFC 3463 §3.8";
    7 8 Session Sender [AuthFailed] [535] "RFC 4954 §6";
    7 9 Session Sender [AuthFailed] [534] "RFC 4954 §6";
    7 10 Session SenderSoftware [EncryptionRequired] [523] "RFC 5248 §3";
    7 11 Session SenderSoftware [EncryptionRequired] [538 524] "RFC 4954 §6";
    7 12 Session Sender [AuthFailed] [432] "RFC 4954 §6";
    7 13 Session Sender [AuthFailed] [525] "RFC 5248 §3";
    7 14 Session SenderPostmaster [AuthRequired] [535 554] "RFC 5248 §3";
    7 15 Message Sender [PolicyTemporary PolicyRefused] [450 550] "RFC 6710 §10";
    7 16 Message Sender [MessageTooBig] [552] "RFC 6710 §10";
    7 17 Recipient Sender [MailboxPrivate] [550] "RFC 7293 §14.4";
    7 18 Domain Sender [PolicyRefused] [550] "RFC 7293 §14.4";
    7 19 Recipient Sender [PolicyRefused PolicyTemporary] [450 550] "RFC 7293 §14.4";
    7 20 Message SenderPostmaster [DkimFailed] [550] "RFC 7372 §3.1";
    7 21 Message SenderPostmaster [DkimFailed] [550] "RFC 7372 §3.1";
    7 22 Message SenderPostmaster [DkimFailed] [550] "RFC 7372 §3.1";
    7 23 Message SenderPostmaster [SpfFailed] [550] "RFC 7372 §3.2";
    7 24 Message SenderPostmaster [SpfFailed] [451 550] "RFC 7372 §3.2";
    7 25 Host SenderPostmaster [ReverseDnsMissing] [550] "RFC 7372 §3.3";
    7 26 Message SenderPostmaster [DmarcFailed] [550] "RFC 7372 §3.4";
    7 27 Message SenderPostmaster [SenderDomainUnusable] [550] "RFC 7505 §4.2";
    7 28 Message SenderPostmaster [RateLimited ReputationPoor] [421 550] "IANA, SMTP Enhanced Status Codes";
    7 29 Message SenderPostmaster [ArcFailed] [550] "RFC 8617 §10.3";
    7 30 Message Sender [TlsFailed] [550] "RFC 8689 §6";
}

/// The codes under which a cause is commonly seen: basic, enhanced, the source.
/// Words count more than any of them.
pub const fn usual_codes(cause: Cause) -> (&'static [u16], &'static [&'static str], &'static str) {
    match cause {
        MailboxLocked => (&[450], &["4.2.0"], "RFC 5321 §4.2.3"),
        MailboxBusy => (&[450], &["4.2.0", "4.2.1"], "RFC 5321 §4.2.3"),
        MailboxFull => (&[452, 552], &["4.2.2", "5.2.2"], "RFC 5321 §4.2.3, RFC 3463 §3.3"),
        MailboxDisabled => (&[450, 550], &["4.2.1", "5.2.1"], "RFC 3463 §3.3"),
        MailboxUnknown => (&[550], &["5.1.1", "5.1.0"], "RFC 5321 §4.2.3, RFC 3463 §3.2"),
        MailboxMoved => (&[251, 551], &["2.1.5", "5.1.6"], "RFC 5321 §3.4"),
        MailboxAmbiguous => (&[553], &["5.1.4"], "RFC 5321 §3.5.1"),
        MailboxPrivate => (&[550], &["5.7.1", "5.7.2"], "RFC 3463 §3.8"),
        Greylisted => (&[450, 451], &["4.2.0", "4.7.1"], "RFC 6647 §2"),
        RateLimited => (&[421, 450, 451, 452], &["4.7.0", "4.7.1"], "RFC 5321 §4.2.3"),
        TooManyConnections => (&[421], &["4.7.0", "4.3.2"], "RFC 5321 §3.8"),
        TooManyRecipients => (&[452, 552], &["4.5.3"], "RFC 5321 §4.5.3.1.10"),
        ServerBusy => (&[421, 451], &["4.3.2"], "RFC 5321 §3.8"),
        ServerFull => (&[452], &["4.3.1"], "RFC 5321 §4.2.3"),
        ServerFault => (&[451, 554], &["4.3.0", "4.3.5"], "RFC 5321 §4.2.3"),
        PolicyTemporary => (&[450, 451], &["4.7.0", "4.7.1"], "RFC 5321 §4.2.3"),
        PolicyRefused => (&[550, 554], &["5.7.1", "5.7.0"], "RFC 5321 §7.9"),
        CommandUnknown => (&[500], &["5.5.1", "5.5.2"], "RFC 5321 §4.2.4"),
        CommandNotImplemented => (&[502], &["5.5.1"], "RFC 5321 §4.2.4"),
        ParameterNotImplemented => (&[504, 555], &["5.5.4"], "RFC 5321 §4.1.1.11"),
        SyntaxError => (&[501], &["5.5.2", "5.5.4", "5.1.3", "5.1.7"], "RFC 5321 §4.2.2"),
        BadSequence => (&[503], &["5.5.1"], "RFC 5321 §4.1.4"),
        LineTooLong => (&[500], &["5.5.2", "5.5.6"], "RFC 5321 §4.5.3.1"),
        MessageTooBig => (&[552], &["5.3.4", "5.2.3"], "RFC 1870 §6"),
        MessageMalformed => (&[550, 554], &["5.6.0"], "RFC 5322 §3.6, RFC 5321 §2.3.8"),
        ConversionNeeded => (&[550, 554], &["5.6.1", "5.6.3"], "RFC 6152 §3"),
        Utf8NotSupported => (&[550, 553], &["5.6.7", "5.6.9"], "RFC 6531 §3.5"),
        ContentSpam | ContentVirus => (&[550, 554], &["5.7.1"], "RFC 5321 §7.9"),
        ContentRefused => (&[550, 552], &["5.7.1", "5.7.0"], "RFC 5321 §7.9"),
        AuthRequired => (&[530], &["5.7.0", "5.7.1"], "RFC 4954 §6"),
        AuthFailed => (&[535], &["5.7.8"], "RFC 4954 §6"),
        AuthUnavailable => (&[454], &["4.7.0"], "RFC 4954 §6"),
        EncryptionRequired => (&[530, 538, 523], &["5.7.0", "5.7.11", "5.7.10"], "RFC 3207 §4"),
        TlsFailed => (&[454], &["4.7.0", "4.7.5"], "RFC 3207 §4, RFC 8461 §5"),
        RelayDenied => (&[550, 554], &["5.7.1"], "RFC 5321 §3.6.2"),
        SenderRefused => (&[550, 553], &["5.1.0", "5.7.1"], "RFC 5321 §7.9"),
        SenderDomainUnusable => (&[450, 553], &["4.1.8", "5.1.8", "5.7.27"], "RFC 3463 §3.2"),
        SpfFailed => (&[550], &["5.7.23", "5.7.24"], "RFC 7208 §8.4, RFC 7372 §3.2"),
        DkimFailed => (&[550], &["5.7.20", "5.7.21", "5.7.22"], "RFC 6376 §6, RFC 7372 §3.1"),
        DmarcFailed => (&[550], &["5.7.1", "5.7.26"], "RFC 7489 §10.3"),
        ArcFailed => (&[550], &["5.7.29"], "RFC 8617 §10.3"),
        ReverseDnsMissing => (&[450, 550], &["4.7.25", "5.7.25"], "RFC 7372 §3.3"),
        HeloRefused => (&[450, 501, 550], &["5.7.1"], "RFC 5321 §4.1.4"),
        HostBlocklisted => (&[550, 554], &["5.7.1"], "RFC 5782 §2"),
        DomainBlocklisted => (&[550, 554], &["5.7.1"], "RFC 5782 §2.2"),
        ReputationPoor => (&[421, 450, 550], &["4.7.0", "5.7.1"], "RFC 5321 §7.9"),
        DomainNotFound => (&[550], &["5.1.2", "5.4.4"], "RFC 5321 §5.1"),
        DomainTakesNoMail => (&[556, 521], &["5.1.10", "5.3.2"], "RFC 7505 §3, RFC 7504 §3"),
        RouteUnusable => (&[], &["4.4.4", "5.4.4"], "RFC 5321 §5.1"),
        DnsFailed => (&[451], &["4.4.3"], "RFC 5321 §5.1"),
        HostUnreachable => (&[], &["4.4.1"], "RFC 5321 §4.5.4.1"),
        ConnectionLost => (&[421], &["4.4.2"], "RFC 5321 §3.8, §4.5.3.2"),
        MailLoop => (&[554], &["5.4.6"], "RFC 5321 §6.3"),
        Expired => (&[], &["4.4.7", "5.4.7"], "RFC 5321 §4.5.4.1"),
        SessionAbuse => (&[421, 554], &["4.7.0", "5.7.0"], "RFC 5321 §7.8"),
        Delivered => (&[250], &["2.0.0", "2.1.5"], "RFC 5321 §4.2.5"),
        Unknown => (&[], &[], "RFC 5321 §4.3.2"),
    }
}

/// Where a command, or moment of a session, is specified.
pub const fn command_source(stage: Stage) -> &'static str {
    match stage {
        Connection => "RFC 5321 §3.1",
        Ehlo | Helo => "RFC 5321 §4.1.1.1",
        Lhlo => "RFC 2033 §4.1",
        Mail => "RFC 5321 §4.1.1.2",
        Rcpt => "RFC 5321 §4.1.1.3",
        Data | EndOfData => "RFC 5321 §4.1.1.4",
        Bdat => "RFC 3030 §2",
        Rset => "RFC 5321 §4.1.1.5",
        Noop => "RFC 5321 §4.1.1.9",
        Quit => "RFC 5321 §4.1.1.10",
        Vrfy => "RFC 5321 §4.1.1.6, §3.5, §7.3",
        Expn => "RFC 5321 §4.1.1.7, §3.5, §7.3",
        Help => "RFC 5321 §4.1.1.8",
        StartTls => "RFC 3207 §4",
        Auth => "RFC 4954 §4",
        Etrn => "RFC 1985 §5",
        Turn => "RFC 5321 appendix F.1",
        Atrn => "RFC 2645 §5",
        Send => "RFC 5321 appendix F.6",
        Unrecognized => "RFC 5321 §4.2.4",
    }
}

/// The row of a basic code, if it has one.
pub fn of_code(code: Code) -> Option<&'static CodeFacts> {
    CODES.iter().find(|row| row.code == code)
}

/// Whether `code` may answer `stage` by its specification.
pub fn may_answer(code: Code, stage: Stage) -> bool {
    of_code(code).is_some_and(|row| row.answers.contains(&stage))
}

/// The row of an enhanced code, if it is registered.
pub fn of_enhanced(code: EnhancedCode) -> Option<&'static EnhancedFacts> {
    of_number(code.subject(), code.detail())
}

/// The row of a subject and detail, under whatever class.
pub fn of_number(subject: u16, detail: u16) -> Option<&'static EnhancedFacts> {
    ENHANCED.iter().find(|row| row.number == (subject, detail))
}

/// Whether what was heard with this class may work later.
pub const fn permanence_of(class: Class) -> Permanence {
    match class {
        Class::Positive | Class::Intermediate => Permanence::Positive,
        Class::Transient => Permanence::Transient,
        Class::Permanent => Permanence::Permanent,
    }
}

/// What a client does next when it hears `cause`.
pub const fn next_step(cause: Cause, permanence: Permanence) -> NextStep {
    match (permanence, cause) {
        (Permanence::Positive, _) => NextStep::GoOn,
        (_, CommandUnknown | CommandNotImplemented) => NextStep::OtherCommand,
        (_, ParameterNotImplemented) => NextStep::WithoutParameter,
        (_, SyntaxError | BadSequence | LineTooLong) => NextStep::CorrectCommand,
        (_, AuthRequired | AuthFailed | EncryptionRequired) => NextStep::SecureFirst,
        (_, TooManyRecipients) => NextStep::AnotherTransaction,
        (Permanence::Permanent, _) => NextStep::GiveBack,
        (_, ServerBusy | TooManyConnections | ConnectionLost | SessionAbuse) => {
            NextStep::ReconnectLater
        }
        (Permanence::Transient, _) => NextStep::RetryLater,
    }
}

/// How long a transient refusal for `cause` tends to last.
pub const fn pace(cause: Cause) -> Pace {
    match cause {
        TooManyRecipients => Pace::AtOnce,
        MailboxFull | MailboxDisabled | ServerFull | RateLimited | ReputationPoor
        | HostBlocklisted | SenderDomainUnusable | ReverseDnsMissing | SpfFailed | TlsFailed
        | RouteUnusable | DomainNotFound => Pace::Hours,
        _ => Pace::Minutes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn rows_are_sorted_and_stand_once() {
        assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(ENHANCED.windows(2).all(|pair| pair[0].number < pair[1].number));
    }

    #[test]
    fn every_code_that_we_send_has_facts_that_allow_it() {
        for row in catalogue::ROWS {
            let facts = of_code(row.code).unwrap_or_else(|| panic!("{} has no facts", row.code));
            for stage in row.answers {
                assert!(facts.answers.contains(stage), "{}: {stage} is not listed", row.id);
            }
            if let Some(enhanced) = row.enhanced_code {
                assert!(of_enhanced(enhanced).is_some(), "{enhanced} has no facts");
            }
        }
    }

    #[test]
    fn the_next_step_of_a_code_agrees_with_its_class() {
        for row in CODES {
            let waits = matches!(row.next, NextStep::RetryLater | NextStep::ReconnectLater);
            let gives_back = row.next == NextStep::GiveBack;
            assert!(!waits || row.code.class() == Class::Transient, "{}", row.code);
            assert!(!gives_back || row.code.class() != Class::Positive, "{}", row.code);
        }
    }

    #[test]
    fn the_codes_of_a_cause_can_be_read() {
        for cause in Cause::ALL {
            let (basic, enhanced, _) = usual_codes(*cause);
            assert!(basic.iter().all(|code| Code::new(*code).and_then(of_code).is_some()));
            for code in enhanced {
                let code: EnhancedCode = code.parse().unwrap();
                assert!(of_enhanced(code).is_some(), "{cause}: {code}");
            }
        }
    }
}
