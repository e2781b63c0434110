//! Replies of a word or two (`550 closed`, `452 too many`). In a sentence such words say
//! nothing by themselves; where they stand nearly alone, they are all that is said.

use super::topics::REFUSALS;
use super::{Rank::*, Rule, rule};
use crate::Cause::*;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule(
        "brief-off", Likely, MailboxDisabled, &[MailboxUnknown],
        &["{off}"],
        &["550 closed", "550 suspended!", "550 deactivated"],
    ).codes(REFUSALS).brief(),
    rule(
        "brief-full", Likely, MailboxFull, &[ServerFull],
        &["full", "voll", "plein", "pleine", "lleno", "cheia", "cheio", "pieno", "piena", "pelna", "vol", "満杯", "已满"],
        &["550 full", "550 ist voll", "452 plein"],
    ).brief(),
    rule(
        "brief-locked", Likely, MailboxLocked, &[MailboxBusy],
        &["locked", "gesperrt", "verrouille*", "bloqueado"],
        &["450 locked"],
    ).codes(&[450, 451]).brief(),
    rule(
        "brief-early", Exact, Greylisted, &[PolicyTemporary],
        &["too soon", "too early", "too quick", "not so fast", "not yet", "first attempt", "first try", "zu fruh", "trop tot", "demasiado pronto"],
        &["450 too soon", "451 that was too early", "450 on a first try, no"],
    ).codes(&[450, 451]).brief(),
    rule(
        "brief-pace", Likely, RateLimited, &[TooManyConnections, SessionAbuse],
        &["too much", "enough", "so fast", "calm down", "wait a bit"],
        &["421 enough!", "450 that is too much"],
    ).transient().brief(),
    rule(
        "brief-sessions", Likely, TooManyConnections, &[RateLimited, ServerBusy],
        &["one at a time", "too many"],
        &["421 one at a time"],
    ).codes(&[421]).brief(),
    rule(
        "brief-recipients", Likely, TooManyRecipients, &[RateLimited],
        &["too many", "fewer recipients", "less recipients", "recipients"],
        &["452 too many", "452 fewer recipients, please"],
    ).codes(&[452]).brief(),
    rule(
        "brief-size", Likely, MessageTooBig, &[MailboxFull],
        &["too big", "too large", "too long", "{toobig}"],
        &["552 too large", "554 zu gross"],
    ).codes(&[550, 552, 554, 523, 534]).brief(),
    rule(
        "brief-content", Likely, ContentRefused, &[ContentSpam, PolicyRefused],
        &["links", "urls", "images", "pictures", "videos", "languages", "no html", "{attachment}"],
        &["550 no links", "554 without pictures only"],
    ).codes(REFUSALS).brief(),
    rule(
        "brief-relay", Likely, RelayDenied, &[PolicyRefused],
        &["{relay}"],
        &["554 I am nobody's relay"],
    ).codes(REFUSALS).brief(),
    rule(
        "brief-private", Likely, MailboxPrivate, &[PolicyRefused, SenderRefused],
        &["not for you", "private", "internal", "only for friends"],
        &["550 not for you", "550 private"],
    ).codes(REFUSALS).brief(),
    rule(
        "brief-listed", Likely, HostBlocklisted, &[ReputationPoor, PolicyRefused],
        &["listed", "banned"],
        &["554 listed", "421 banned for good"],
    ).codes(&[421, 550, 554, 571]).brief(),
    rule(
        "brief-dynamic", Likely, ReputationPoor, &[HostBlocklisted, ReverseDnsMissing],
        &["dynamic", "dynip", "dynamisch"],
        &["554 dynamic"],
    ).codes(&[421, 450, 550, 554, 571]).brief(),
    rule(
        "brief-encryption", Likely, EncryptionRequired, &[TlsFailed],
        &["tls", "ssl", "starttls"],
        &["530 TLS!", "550 no TLS"],
    ).codes(&[523, 530, 538, 550, 554]).brief(),
    rule(
        "brief-no-encryption", Likely, TlsFailed, &[ServerBusy],
        &["tls", "ssl", "starttls"],
        &["454 not with TLS"],
    ).codes(&[403, 454]).brief(),
    rule(
        "brief-dns-late", Likely, DnsFailed, &[ServerFault],
        &["dns", "resolver", "nameserver"],
        &["451 DNS!"],
    ).transient().brief(),
    rule(
        "brief-dns-of-yours", Likely, ReverseDnsMissing, &[SenderDomainUnusable, HeloRefused],
        &["fix ~ dns", "repair ~ dns", "bad dns", "broken dns", "wrong dns", "your dns",],
        &["550 repair your DNS"],
    ).codes(&[550, 554]).brief(),
    rule(
        "brief-false-name", Likely, HeloRefused, &[SenderRefused, SpfFailed],
        &["you are not", "you're not", "who are you", "impostor", "liar"],
        &["550 you are not example.org"],
    ).codes(&[501, 550, 554]).brief(),
    rule(
        "brief-which", Likely, MailboxAmbiguous, &[MailboxUnknown],
        &["which"],
        &["553 which Miller?"],
    ).codes(&[553]).brief(),
];
