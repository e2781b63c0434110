//! What codes say where words do not: enhanced codes (RFC 3463, its registry, and those
//! of single providers), then basic codes with the stage at which they were said.

use super::rules::Rank;
use crate::Cause::{self, *};
use crate::{Class, Code, EnhancedCode, Stage};

/// What a code says: how much it says, the cause, and others that are fair.
pub(crate) type Said = (Rank, Cause, &'static [Cause]);

const EXACT: Rank = Rank::ExactEnhanced;
const BROAD: Rank = Rank::BroadEnhanced;

/// What an enhanced code says beside the basic code `basic`.
pub(crate) fn by_enhanced_code(enhanced: EnhancedCode, basic: Option<Code>) -> Option<Said> {
    let basic = basic.map_or(0, Code::value);
    let transient = enhanced.class() == Class::Transient;
    let detail = enhanced.detail();
    if detail >= 100 {
        return of_one_provider(enhanced.subject(), detail, transient);
    }
    match enhanced.subject() {
        // 454 is about a login or TLS, whatever failed behind it.
        3 if basic == 454 => None,
        1 => of_address(detail, transient),
        2 => of_mailbox(detail, transient),
        3 => of_system(detail, transient),
        4 => of_network(detail, transient),
        5 => of_protocol(detail, basic),
        6 => of_content(detail),
        7 => of_security(detail, transient, basic),
        // Yahoo's, from its sender reputation: 4.16.50 to 4.16.56.
        16 => Some((BROAD, ReputationPoor, &[RateLimited, PolicyTemporary])),
        _ => None,
    }
}

/// RFC 3463 §3.2.
fn of_address(detail: u16, transient: bool) -> Option<Said> {
    Some(match detail {
        0 => (BROAD, MailboxUnknown, &[SenderRefused, PolicyRefused]),
        1 if transient => (EXACT, MailboxUnknown, &[PolicyTemporary, Greylisted, ServerFault]),
        1 => (EXACT, MailboxUnknown, &[MailboxDisabled]),
        2 => (EXACT, DomainNotFound, &[MailboxUnknown, DomainTakesNoMail]),
        3 => (EXACT, SyntaxError, &[MailboxUnknown]),
        4 => (EXACT, MailboxAmbiguous, &[]),
        6 => (EXACT, MailboxMoved, &[MailboxUnknown]),
        7 => (EXACT, SyntaxError, &[SenderRefused]),
        8 => (EXACT, SenderDomainUnusable, &[SenderRefused]),
        10 => (EXACT, DomainTakesNoMail, &[MailboxUnknown]),
        90 => (EXACT, RateLimited, &[]),
        _ => return None,
    })
}

/// RFC 3463 §3.3.
fn of_mailbox(detail: u16, transient: bool) -> Option<Said> {
    Some(match detail {
        0 if transient => (BROAD, MailboxBusy, &[Greylisted, MailboxLocked, PolicyTemporary]),
        0 => (BROAD, MailboxUnknown, &[MailboxDisabled, PolicyRefused]),
        // Said of much that passes: words say more, even vague ones.
        1 if transient => (BROAD, MailboxDisabled, &[MailboxBusy, RateLimited, Greylisted]),
        1 => (EXACT, MailboxDisabled, &[MailboxUnknown]),
        2 => (EXACT, MailboxFull, &[]),
        3 => (EXACT, MessageTooBig, &[]),
        4 => (EXACT, ServerFault, &[MailboxPrivate]),
        _ => return None,
    })
}

/// RFC 3463 §3.4.
fn of_system(detail: u16, transient: bool) -> Option<Said> {
    Some(match detail {
        0 if transient => (BROAD, ServerFault, &[PolicyTemporary, Greylisted]),
        0 => (BROAD, ServerFault, &[PolicyRefused]),
        1 => (EXACT, ServerFull, &[]),
        2 if transient => (EXACT, ServerBusy, &[TooManyConnections]),
        2 => (EXACT, DomainTakesNoMail, &[ServerBusy, PolicyRefused]),
        3 => (EXACT, ConversionNeeded, &[ParameterNotImplemented]),
        4 => (EXACT, MessageTooBig, &[]),
        5 => (EXACT, ServerFault, &[]),
        _ => return None,
    })
}

/// RFC 3463 §3.5.
fn of_network(detail: u16, transient: bool) -> Option<Said> {
    Some(match detail {
        0 => (BROAD, RouteUnusable, &[HostUnreachable, DnsFailed]),
        1 if transient => (EXACT, HostUnreachable, &[ConnectionLost]),
        // Microsoft's directory-based edge blocking; elsewhere a host that is not reached.
        1 => (EXACT, MailboxUnknown, &[PolicyRefused, HostUnreachable]),
        2 => (EXACT, ConnectionLost, &[]),
        3 => (EXACT, DnsFailed, &[ServerFault, RouteUnusable]),
        4 if transient => (EXACT, RouteUnusable, &[DnsFailed]),
        4 => (EXACT, DomainNotFound, &[RouteUnusable, DomainTakesNoMail]),
        5 => (EXACT, ServerBusy, &[RateLimited]),
        6 | 14 => (EXACT, MailLoop, &[]),
        24 | 25 | 28 if transient => (EXACT, ServerFault, &[ServerBusy]),
        7 => (EXACT, Expired, &[]),
        8 => (EXACT, PolicyTemporary, &[ReputationPoor]),
        _ => return None,
    })
}

/// RFC 3463 §3.6; x.5.0 to x.5.2 say less than the basic codes that they go with.
fn of_protocol(detail: u16, basic: u16) -> Option<Said> {
    let own_code = matches!(basic, 500..=504 | 521..=539 | 555);
    Some(match detail {
        0..=2 | 4 if own_code => return None,
        1 => (BROAD, BadSequence, &[CommandUnknown]),
        2 => (BROAD, SyntaxError, &[MessageMalformed]),
        3 => (EXACT, TooManyRecipients, &[RateLimited]),
        4 => (BROAD, SyntaxError, &[ParameterNotImplemented]),
        5 => (EXACT, ParameterNotImplemented, &[]),
        6 => (EXACT, LineTooLong, &[AuthFailed]),
        _ => return None,
    })
}

/// RFC 3463 §3.7, RFC 6531 §4.2.
fn of_content(detail: u16) -> Option<Said> {
    Some(match detail {
        0 => (BROAD, MessageMalformed, &[ContentRefused, ContentSpam]),
        1 => (BROAD, ConversionNeeded, &[ContentRefused]),
        2..=5 => (EXACT, ConversionNeeded, &[]),
        6 => (EXACT, ContentRefused, &[MessageMalformed]),
        11 => (Rank::Provider, MessageMalformed, &[]),
        7..=10 => (EXACT, Utf8NotSupported, &[]),
        _ => return None,
    })
}

/// RFC 3463 §3.8, RFC 4954 §6, RFC 7372, and Gmail's transient ones of the same numbers.
fn of_security(detail: u16, transient: bool, basic: u16) -> Option<Said> {
    let at_login = matches!(basic, 432 | 454 | 530 | 534 | 535);
    Some(match detail {
        0..=1 if matches!(basic, 454 | 500..=504 | 530 | 534 | 535 | 538 | 555) => return None,
        0 if transient => (BROAD, PolicyTemporary, &[RateLimited, ReputationPoor, Greylisted]),
        1 if transient => (BROAD, PolicyTemporary, &[Greylisted, RateLimited, ReputationPoor]),
        0 | 1 => (BROAD, PolicyRefused, &[ContentSpam, ReputationPoor, HostBlocklisted]),
        2 => (EXACT, MailboxPrivate, &[]),
        4 if transient => (EXACT, TlsFailed, &[EncryptionRequired]),
        4 => (BROAD, ParameterNotImplemented, &[AuthFailed]),
        5 | 6 => (EXACT, TlsFailed, &[]),
        7 => (EXACT, DkimFailed, &[ContentRefused]),
        3 | 8 | 14 => (EXACT, AuthFailed, &[]),
        9 if !at_login => (EXACT, PolicyRefused, &[DmarcFailed, SpfFailed]),
        9 | 12 => (EXACT, AuthFailed, &[PolicyTemporary]),
        10 | 11 => (EXACT, EncryptionRequired, &[]),
        13 => (EXACT, MailboxDisabled, &[AuthFailed]),
        15 => (EXACT, PolicyTemporary, &[ServerBusy]),
        16 => (EXACT, MessageTooBig, &[]),
        17 | 18 => (EXACT, MailboxMoved, &[MailboxUnknown]),
        19 => (EXACT, PolicyRefused, &[MailboxMoved]),
        20..=22 => (EXACT, DkimFailed, &[]),
        30 if transient => (EXACT, DkimFailed, &[RateLimited]),
        27 if transient => (EXACT, SpfFailed, &[RateLimited]),
        29 if transient => (EXACT, EncryptionRequired, &[RateLimited]),
        23 if basic == 421 => (EXACT, ReverseDnsMissing, &[SpfFailed, RateLimited]),
        23 | 24 => (EXACT, SpfFailed, &[]),
        25 => (EXACT, ReverseDnsMissing, &[]),
        26 | 32 | 40 => (Rank::Provider, DmarcFailed, &[SpfFailed, DkimFailed]),
        27 => (EXACT, SenderDomainUnusable, &[]),
        28 => (EXACT, RateLimited, &[ReputationPoor]),
        29 => (EXACT, ArcFailed, &[]),
        30 => (EXACT, TlsFailed, &[EncryptionRequired]),
        51 => (EXACT, PolicyRefused, &[TlsFailed, RelayDenied, HostBlocklisted]),
        57 => (EXACT, AuthRequired, &[]),
        54 | 64 => (EXACT, RelayDenied, &[]),
        60 => (EXACT, AuthFailed, &[SenderRefused]),
        _ => return None,
    })
}

/// Details of three digits are no standard's: Exchange, Microsoft 365, Outlook.com.
fn of_one_provider(subject: u16, detail: u16, transient: bool) -> Option<Said> {
    Some(match (subject, detail) {
        (0, 350) => (BROAD, PolicyRefused, &[Unknown, ContentSpam]),
        (1, 351) => (EXACT, MailboxUnknown, &[MailboxDisabled]),
        (3, 190) => (EXACT, PolicyRefused, &[ServerFault]),
        (2, 121 | 122) => (EXACT, RateLimited, &[MailboxBusy]),
        (4, 300..=309) => (EXACT, Expired, &[ConnectionLost, HostUnreachable]),
        (4, 310) => (EXACT, DomainNotFound, &[]),
        (4, 311 | 312) => (EXACT, DnsFailed, &[]),
        (4, 315 | 316) => (EXACT, HostUnreachable, &[Expired]),
        (4, 317 | 318) => (EXACT, ConnectionLost, &[Expired, TlsFailed]),
        (7, 139) => (EXACT, AuthFailed, &[]),
        (7, 105..=138) => (Rank::Provider, MailboxPrivate, &[PolicyRefused, SenderRefused]),
        (7, 193..=199) => (EXACT, PolicyRefused, &[]),
        (7, 320..=329) => (EXACT, TlsFailed, &[]),
        (7, 500) if transient => (EXACT, RateLimited, &[ServerBusy, ReputationPoor]),
        (7, 504 | 505) => (EXACT, PolicyRefused, &[MailboxUnknown]),
        (7, 501..=503 | 513 | 606..=649) => (EXACT, HostBlocklisted, &[ReputationPoor]),
        (7, 506) => (EXACT, HeloRefused, &[]),
        (7, 507 | 511) => (EXACT, HostBlocklisted, &[ReputationPoor, SenderRefused]),
        (7, 508 | 652..=659 | 700..=702 | 705) => {
            (EXACT, RateLimited, &[TooManyConnections, ReputationPoor])
        }
        (7, 509 | 515) => (EXACT, DmarcFailed, &[SpfFailed, DkimFailed]),
        (7, 510) => (EXACT, PolicyRefused, &[HostBlocklisted]),
        (7, 512) => (EXACT, MessageMalformed, &[]),
        (7, 650 | 651 | 708 | 850..=869) => {
            (EXACT, ReputationPoor, &[RateLimited, PolicyTemporary])
        }
        (7, 703 | 750) => (EXACT, PolicyRefused, &[SenderRefused]),
        (7, _) if transient => (BROAD, ReputationPoor, &[RateLimited, PolicyTemporary]),
        (7, _) => (BROAD, PolicyRefused, &[ReputationPoor, HostBlocklisted]),
        _ => return None,
    })
}

/// What a basic code says at `stage`. `addressed`: the text names an address, so that it
/// is probably about a recipient.
pub(crate) fn by_basic_code(code: Code, stage: Option<Stage>, addressed: bool) -> Option<Said> {
    let at_stage = stage.and_then(|stage| narrowed(code.value(), stage));
    if let Some((cause, also)) = at_stage {
        return Some((Rank::Stage, cause, also));
    }
    let (cause, also) = plain_code(code.value(), addressed)?;
    Some((Rank::BasicCode, cause, also))
}

type Causes = (Cause, &'static [Cause]);

/// Codes that mean something narrower at some stages (RFC 5321 §4.3.2, §3.1).
fn narrowed(code: u16, stage: Stage) -> Option<Causes> {
    use Stage::*;
    Some(match (code, stage) {
        (421, Connection) => (ServerBusy, &[TooManyConnections, RateLimited, ReputationPoor]),
        (450 | 451, Connection | Ehlo | Helo) => (PolicyTemporary, &[ServerBusy, Greylisted]),
        (450 | 451, Mail) => (PolicyTemporary, &[SenderDomainUnusable, RateLimited, Greylisted]),
        (450, EndOfData) => (PolicyTemporary, &[Greylisted, MailboxBusy]),
        (452, Rcpt) => (TooManyRecipients, &[MailboxFull, ServerFull]),
        (454, StartTls) => (TlsFailed, &[]),
        (454, Auth) => (AuthUnavailable, &[]),
        (454, Rcpt) => (RelayDenied, &[]),
        (501 | 553, Mail) => (SyntaxError, &[SenderRefused]),
        (550 | 554, Connection | Ehlo | Helo) => {
            (PolicyRefused, &[HostBlocklisted, ReputationPoor])
        }
        (550 | 554, Mail) => {
            (SenderRefused, &[PolicyRefused, HostBlocklisted, SenderDomainUnusable])
        }
        (550, Rcpt) => (MailboxUnknown, &[PolicyRefused, RelayDenied]),
        (554, Rcpt) => (PolicyRefused, &[MailboxUnknown, RelayDenied]),
        (554, Data) => (BadSequence, &[PolicyRefused]),
        (550 | 554, EndOfData | Bdat) => (PolicyRefused, &[ContentSpam, ContentRefused]),
        (552, Mail | EndOfData | Bdat) => (MessageTooBig, &[MailboxFull]),
        (552, Rcpt) => (MailboxFull, &[TooManyRecipients]),
        (550 | 553 | 554, Vrfy | Expn) => (MailboxUnknown, &[]),
        _ => return None,
    })
}

/// The codes of RFC 5321 §4.2, of the extensions, and those the field made up.
fn plain_code(code: u16, addressed: bool) -> Option<Causes> {
    Some(match code {
        251 => (MailboxMoved, &[Delivered]),
        200..=399 => (Delivered, &[]),
        400 => (PolicyTemporary, &[Unknown]),
        403 | 456 => (PolicyTemporary, &[Greylisted]),
        412 | 471 => (PolicyTemporary, &[Greylisted]),
        417 | 475 | 478 => (DnsFailed, &[DomainNotFound, ServerFault]),
        420 | 442 => (ConnectionLost, &[]),
        421 => (ServerBusy, &[TooManyConnections, RateLimited, Unknown]),
        422 => (MailboxFull, &[Greylisted, AuthFailed]),
        424 => (ServerFault, &[]),
        426 | 441 => (HostUnreachable, &[ConnectionLost]),
        430 | 432 => (RateLimited, &[ServerFault]),
        431 => (ServerFull, &[]),
        435 => (AuthUnavailable, &[]),
        440 => (TlsFailed, &[]),
        446 => (MailLoop, &[]),
        447 => (Expired, &[]),
        449 => (RouteUnusable, &[]),
        450 => (
            MailboxBusy,
            &[Greylisted, MailboxLocked, PolicyTemporary, MailboxDisabled, MailboxFull],
        ),
        451 => (ServerFault, &[Greylisted, PolicyTemporary, ServerBusy]),
        452 => (ServerFull, &[TooManyRecipients, MailboxFull]),
        453 | 458 | 459 => (ServerBusy, &[]),
        454 => (AuthUnavailable, &[TlsFailed, RelayDenied]),
        455 => (ParameterNotImplemented, &[]),
        500 => (CommandUnknown, &[SyntaxError, LineTooLong]),
        501 => (SyntaxError, &[]),
        502 => (CommandNotImplemented, &[CommandUnknown]),
        503 => (BadSequence, &[]),
        504 => (ParameterNotImplemented, &[]),
        510 | 511 | 515 => (MailboxUnknown, &[]),
        512 | 577 => (DomainNotFound, &[]),
        513 => (RelayDenied, &[SyntaxError]),
        517 => (SenderDomainUnusable, &[SenderRefused]),
        518 => (SenderRefused, &[SenderDomainUnusable]),
        521 | 556 => (DomainTakesNoMail, &[PolicyRefused]),
        522 => (MailboxFull, &[]),
        523 | 538 => (EncryptionRequired, &[]),
        524 => (ServerFault, &[EncryptionRequired]),
        525 => (MailboxDisabled, &[AuthFailed]),
        530 => (AuthRequired, &[EncryptionRequired]),
        531 => (ServerFull, &[TooManyRecipients]),
        533 => (PolicyRefused, &[]),
        534 | 535 => (AuthFailed, &[]),
        540 => (TlsFailed, &[]),
        541 | 543 => (ContentSpam, &[PolicyRefused]),
        542 => (PolicyRefused, &[Unknown]),
        544 => (RouteUnusable, &[DomainNotFound]),
        546 => (MailLoop, &[]),
        547 => (Expired, &[]),
        550 if addressed => (MailboxUnknown, &[PolicyRefused, Unknown]),
        550 => (MailboxUnknown, &[PolicyRefused, MailboxDisabled, Unknown]),
        551 => (MailboxMoved, &[RelayDenied]),
        552 => (MailboxFull, &[MessageTooBig, TooManyRecipients]),
        553 => (MailboxUnknown, &[SyntaxError, SenderRefused]),
        554 => (PolicyRefused, &[ContentSpam, Unknown]),
        555 => (ParameterNotImplemented, &[SyntaxError]),
        557 => (ContentRefused, &[PolicyRefused]),
        558 => (MessageMalformed, &[]),
        571 => (PolicyRefused, &[ContentSpam]),
        591 => (HostBlocklisted, &[]),
        _ => return None,
    })
}
