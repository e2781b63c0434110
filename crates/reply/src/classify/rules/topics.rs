//! Single words that tell what a reply is about where no phrase tells more. They come
//! last, so that of the rules of their rank each other decides before them.

use super::{Rank::*, Rule, rule};
use crate::Cause::*;

/// Codes that turn mail away; those of a command's own are about that command.
pub(super) const REFUSALS: &[u16] =
    &[511, 521, 541, 542, 543, 550, 551, 552, 553, 554, 556, 557, 558, 559, 570, 571, 577, 591];

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule(
        "about-reverse-dns", Likely, ReverseDnsMissing, &[DnsFailed, HostBlocklisted],
        &["ptr", "rdns", "reverse dns", "valid reverse", "ip must resolve", "host can't be resolved",
          "host cannot be resolved"],
        &["554 PTR wanted for such connections"],
    ),
    rule(
        "about-sessions", Likely, TooManyConnections, &[RateLimited, ServerBusy],
        &["parallel sessions", "parallel connections", "sessions per", "connections per", "open connections", "open sessions"],
        &["421 three parallel sessions are enough"],
    ),
    rule(
        "about-mistakes", Likely, SessionAbuse, &[],
        &["mistakes", "too many mistakes", "misbehav*"],
        &["421 so many mistakes"],
    ),
    rule(
        "about-mail-limits", Clear, RateLimited, &[PolicyTemporary],
        &["mail limit", "message limit ~ reached", "inbound limit", "receiving limit", "sending speed", "sending rate", "slow your", "limit of mails", "limit of messages"],
        &["450 4.2.1 the mail limit of bob is reached"],
    ),
    rule(
        "about-residents", Clear, ReputationPoor, &[HostBlocklisted, PolicyRefused],
        &["residential"],
        &["550 5.7.1 no mail from residential networks"],
    ).codes(REFUSALS),
    rule(
        "about-loops", Likely, MailLoop, &[],
        &["received:", "received lines", "loop count", "hops", "loop", "looping", "loops"],
        &["554 count of hops"],
    ),
    rule(
        "about-fields", Likely, MessageMalformed, &[SenderRefused, PolicyRefused],
        &["message id", "from header", "from field", "from: header", "date header", "date field", "to header",
          "subject header", "subject line", "subject is", "reply to header", "header field*"],
        &["550 something about the Date header"],
    ).codes(REFUSALS),
    rule(
        "about-attachments", Likely, ContentRefused, &[ContentVirus, PolicyRefused],
        &["attachment*", "attached", "macros", "macro", "office document*", "executable*", "exe", "exe file*", "zip file*"],
        &["554 the attachments, no"],
    ),
    rule(
        "about-content", Likely, ContentRefused, &[ContentSpam, PolicyRefused],
        &["content", "contents", "html", "one of the words", "sensitive words", "quarantin*", "conversion failure",
          "phone number", "keyword*"],
        &["554 contents of it", "553 sensitive words in it"],
    ),
    rule(
        "about-bulk", Likely, ContentSpam, &[PolicyRefused, ReputationPoor],
        &["was scored", "scored by", "by our filter", "our filter", "bulk", "advert*", "newsletter*", "filter processing", "filter rules", "filtered", "held for human"],
        &["554 is bulk"],
    ),
    rule(
        "about-quota", Likely, MailboxFull, &[ServerFull, MessageTooBig],
        &["quota", "mailbox size", "disk space", "storage"],
        &["550 its quota"],
    ),
    rule(
        "about-inactivity", Likely, MailboxDisabled, &[MailboxUnknown],
        &["cancelled", "canceled", "lapsed", "inactive", "inactivity", "never logged", "not logged in for", "hasn't entered", "dormant"],
        &["550 inactive here", "550 bob never logged in"],
    ),
    rule(
        "about-encryption", Likely, EncryptionRequired, &[TlsFailed],
        &["in the clear", "clear text connection", "cleartext connection", "starttls", "encrypted", "unencrypted"],
        &["550 you came unencrypted"],
    ),
    rule(
        "about-logins", Likely, AuthRequired, &[RelayDenied, AuthFailed],
        &["authentication", "authenticate", "with authentication", "receive your mail before"],
        &["550 sending only with authentication"],
    ).codes(REFUSALS),
    rule(
        "about-helo", Likely, HeloRefused, &[ReverseDnsMissing],
        &["helo", "ehlo", "introduced yourself", "introduce yourself", "greet me", "greet us"],
        &["550 your word at EHLO"],
    ).codes(REFUSALS),
    rule(
        "about-lists", Likely, MailboxPrivate, &[PolicyRefused, SenderRefused],
        &["contact list", "list of contacts", "trusted senders", "mailing list", "distribution list", "known senders", "moderator"],
        &["550 bob is a mailing list"],
    ).codes(REFUSALS),
    rule(
        "about-senders", Likely, SenderRefused, &[PolicyRefused, SenderDomainUnusable],
        &["mails from @", "messages from @", "emails from @", "mail from @ is", "email from @ is", "message from @ is", "sender", "return path", "return address", "postmaster verification"],
        &["550 your return address"],
    ).codes(REFUSALS),
    rule(
        "about-hosts", Likely, HostBlocklisted, &[PolicyRefused, ReputationPoor],
        &["your ip", "client ip", "from ip", "ip address", "ip addresses", "client host", "connecting host", "listed in", "listed on", "listed by"],
        &["554 your IP comes from elsewhere"],
    ).codes(REFUSALS),
    rule(
        "about-sizes", Likely, MessageTooBig, &[],
        &["oversize*", "size", "megabytes", "kilobytes"],
        &["550 its size"],
    ).codes(REFUSALS),
    rule(
        "about-rules", Likely, PolicyRefused, &[ContentRefused, MailboxPrivate],
        &["rule", "rules", "imposed"],
        &["550 against the rules"],
    ).codes(REFUSALS),
    rule("about-a-mail-that-was-refused", Likely, PolicyRefused, &[ContentRefused, ContentSpam, Unknown], &["mail rejected", "mail rejete*", "message rejete*", "mail refused", "message rejected", "message refused"], &["550 5.2.0 Mail rejected.", "550 5.1.0 message refused"]).codes(REFUSALS),
    rule("protection-that-delays", Provider, Greylisted, &[PolicyTemporary, ContentSpam], &["anti spam delay*", "antispam delay*", "one more time", "once more in", "protection against spam", "spam protection", "spam defence", "spam defense", "spam prevention", "anti spam measure*", "antispam measure*", "your first mail from", "first mail from this", "first mail from your", "first message from this", "first message from your", "genuine servers", "real mail servers"], &["450 4.7.1 a measure of spam protection: resend it in a while"]).transient(),
    rule("asks-for-another-attempt", Likely, ServerBusy, &[PolicyTemporary, Greylisted, Unknown], &["try again later", "please try later"], &["421 try again later"]).transient(),
    rule("asks-in-vain-for-another-attempt", Vague, ServerBusy, &[PolicyRefused, Unknown], &["try again later", "please try later"], &["550 try again later"]).permanent(),
    rule("about-a-limit", Likely, RateLimited, &[PolicyTemporary, ServerBusy], &["limit ~ exceeded", "limit ~ reached", "limits ~ exceeded", "exceed* ~ limit"], &["421 4.7.0 the limit of 30/min is exceeded"]).transient(),
];
