//! What terse servers say: a subject and a verdict with no sentence around them (`IP is
//! rejected`, `host denies relay`, `sequence error`), by kinds of subject. They stand
//! before single words and behind every phrase that says more.

use super::topics::REFUSALS;
use super::{Rank::*, Rule, rule};
use crate::Cause::*;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    // ── the host that sends ──────────────────────────────────────────────────────────
    rule(
        "terse-address-refused", Clear, HostBlocklisted, &[ReputationPoor, PolicyRefused],
        &["invalid ip", "black ip", "ip is black*", "ip is reject*", "ip is den*", "ip is refused", "ip rejected",
          "ip denied", "ip refused", "ip is not allowed", "ip not allowed", "ip forbidden", "ip is forbidden",
          "deny ip", "reject ip", "denied ip", "ip is hang*", "ip hang*", "forbidden ip", "ip restricted",
          "forbidden by your ip", "access ~ forbidden by"],
        &["554 client IP denied", "550 forbidden IP"],
    ).permanent(),
    rule(
        "address-blocked-by-a-filter", Provider, HostBlocklisted, &[ReputationPoor, ContentSpam],
        &["{ip} ~ blocked by", "{ip} ~ rejected by", "{ip} ~ blocked .. anti spam", "{client} ~ blocked by",
          "{client} ~ blocked ~ spam", "{ip} ~ been blocked"],
        &["571 mails from 192.0.2.8 are blocked by our anti-spam gate",
          "550 your server is blocked by the spam filter"],
    ).permanent(),
    rule(
        "refused-for-what-the-host-did", Provider, ReputationPoor, &[HostBlocklisted, PolicyRefused],
        &["connection refused ~ abuse", "connection refused ~ spam", "connection refused ~ reputation",
          "connection rejected ~ abuse", "refused ~ due to abuse", "bypass* ~ mail relay", "provider's mail relay",
          "instead of ~ provider's", "provider's ~ server"],
        &["554 connection refused because of abuse", "550 send through your provider's own server"],
    ).permanent(),
    rule(
        "terse-greeting-refused", Clear, HeloRefused, &[ReverseDnsMissing, SyntaxError],
        &["helohost*", "helo ~ error", "helo ~ check", "helo ~ denied", "helo ~ refused", "helo ~ rejected", "bad helo",
          "invalid helo", "helo ~ invalid", "ehlo ~ invalid", "helo ~ bad", "fake helo", "forged helo"],
        &["550 helo host check failed", "554 fake HELO"],
    ).permanent(),

    // ── relaying ─────────────────────────────────────────────────────────────────────
    rule(
        "terse-relay-refused", Clear, RelayDenied, &[AuthRequired, PolicyRefused],
        &["relay ~ disabled", "relaying ~ disabled", "denies relay*", "deny relay*", "refuses relay*", "no relay*",
          "relay check", "relay ~ check", "relay ~ failed", "not relay", "don't relay", "won't relay", "cannot relay",
          "can't relay", "unable to relay", "rcpthosts", "rcpt hosts", "hosts rcpt", "anfitrioes rcpt",
          "reencaminhamento ~ negad*", "retransmissao ~ negad*", "unauthorized relay", "relay traffic", "relay is not",
          "relay ~ prohibited", "non local domain", "not our domain", "not a local domain", "not hosted here",
          "domain is not hosted", "not handle that domain", "not in our list of domains", "non local address*"],
        &["550 relay is disabled", "553 não está na minha lista de hosts rcpt", "554 we do not relay mail"],
    ).permanent(),

    // ── rates and counts ─────────────────────────────────────────────────────────────
    rule(
        "quota-of-sending", Provider, RateLimited, &[PolicyRefused],
        &["sending quota", "sent quota", "outgoing quota", "outbound quota", "monthly quota", "weekly quota", "outbound ~ quota", "outgoing ~ quota",
          "quota ~ sending", "quota of mails", "quota ~ per day", "quota ~ per hour",
          "quota ~ per month", "send quota", "recipients quota", "rate quota", "credits exceeded", "maximum credits", "out of credits", "credits are used"],
        &["550 your monthly quota is used up", "552 quota exceeded, 100 mails per day"],
    ),
    rule(
        "too-many-of-a-kind", Clear, RateLimited, &[ContentSpam, PolicyRefused],
        &["too many ~ {sending}", "too much ~ {sending}", "excessive ~ {sending}", "too many ~ mails from",
          "too much spam from"],
        &["450 too many similar messages", "552 too many alike mails"],
    ),
    rule(
        "count-of-recipients", Clear, TooManyRecipients, &[RateLimited],
        &["number of rcpt*", "rcpt numbers", "rcpt count", "number of recipients", "recipient count", "count of recipients",
          "allowed rcpt", "max rcpt", "maximum rcpt", "rcpt limit", "max recipients", "maximum recipients",
          "split transaction", "one recipient at a time", "many rcpt", "limit of recipients", "recipients limit", "recipient limit"],
        &["452 the number of RCPT commands is over it", "550 max recipients: 50"],
    ),
    rule(
        "too-many-wrong-recipients", Provider, ReputationPoor, &[SessionAbuse, RateLimited, HostBlocklisted],
        &["too many invalid recipient*", "too many unknown recipient*", "too many bad recipient*",
          "too many unknown rcpt", "too many invalid rcpt", "too many unknown users", "too many invalid addresses",
          "too many invalid users", "too many user unknown", "too many nonexistent"],
        &["421 too many unknown users by this host"],
    ),

    // ── the sender ───────────────────────────────────────────────────────────────────
    rule(
        "terse-sender-refused", Clear, SenderRefused, &[PolicyRefused, SenderDomainUnusable],
        &["mail from invalid", "invalid mail from", "mail from is invalid", "mail from refused", "mail from denied",
          "mail from ~ not allowed", "denies the sender", "denies sender", "deny sender", "sender denied", "refuses the sender", "bad sender",
          "badmailfrom", "bad mail from", "forged sender", "fake sender", "user in blacklist", "sender in blacklist",
          "mailfrom ~ denied", "mailfrom ~ refused", "mail from ~ not permitted", "address ~ badmailfrom"],
        &["553 the host denies such sender: deny sender", "550 forged sender"],
    ).codes(REFUSALS),

    rule(
        "sender-on-a-black-list", Provider, SenderRefused, &[DomainBlocklisted, MailboxPrivate],
        &["sender <@> black*", "sender @ black*", "sender is black*", "from <@> black*", "wm:blu"],
        &["550 5.7.1 sender <ann@example.com> blacklisted", "553 WM:BLU"],
    ),
    rule(
        "recipient-lists-the-sender", Provider, MailboxPrivate, &[SenderRefused, PolicyRefused],
        &["recipient <@> black*", "recipient @ black*", "has blacklisted", "has blocklisted", "have blacklisted",
          "has black listed"],
        &["550 bob has blacklisted ann@example.com", "550 5.7.1 recipient <bob@example.net> blacklisted here"],
    ),
    rule(
        "sender-not-authenticated", Clear, DmarcFailed, &[SpfFailed, DkimFailed, SenderRefused],
        &["sufficient authentication", "prevent forgery", "against forgery", "prevent spoofing", "looks forged",
          "appears forged", "appears to be forged", "possibly forged sender"],
        &["550 no sufficient authentication of ann@example.com", "550 this From: looks forged"],
    ),

    // ── the recipient ────────────────────────────────────────────────────────────────
    rule(
        "terse-recipient-unknown", Clear, MailboxUnknown, &[PolicyRefused],
        &["invalid rcpt*", "rcptto invalid", "rcpt is invalid", "unknown rcpt", "rcpt unknown", "bad rcpt", "rcpt not found",
          "validrcptto", "valid rcpt list", "no redirect entry", "unknown destination address", "no account by that name",
          "no user by that name", "nie ma takiego", "nessun utente con questo nome", "not a member of domain", "no member of domain", "user path ~ exist"],
        &["559 invalid RCPT here", "553 not in my validrcptto list"],
    ).permanent(),
    rule(
        "mailbox-not-available", Likely, MailboxUnknown, &[MailboxDisabled],
        &["mailbox ~ unavailable", "mailbox ~ not available", "recipient ~ unavailable", "recipient ~ not available",
          "user ~ unavailable", "account ~ unavailable", "doesn't have a ~ {box}", "does not have a ~ {box}", "not our customer",
          "not a customer", "no customer", "no longer a customer", "not one of our"],
        &["550 mailbox bob@example.net is unavailable", "550 the person doesn't have a free mailbox",
          "551 bob is no customer of ours"],
    ).permanent(),
    rule(
        "mailbox-not-available-now", Exact, MailboxBusy, &[MailboxDisabled, MailboxUnknown, PolicyTemporary],
        &["mailbox ~ unavailable", "mailbox ~ not available", "user ~ unavailable", "{box} ~ nicht erreichbar",
          "{box} ~ nicht verfugbar", "{box} ~ indisponible", "{box} ~ no disponible", "{box} ~ indisponivel",
          "{box} ~ non disponibile", "{box} ~ недоступен", "{box} ~ недоступна", "{box} ~ unreachable"],
        &["450 mailbox bob@example.net is unavailable", "450 ящик bob@example.net недоступен"],
    ).transient(),
    rule(
        "account-not-allowed", Clear, MailboxDisabled, &[PolicyRefused, MailboxUnknown],
        &["account is not allowed", "account not allowed", "account is not permitted", "cannot receive email", "can't receive mail", "can't receive email"],
        &["550 the account is not allowed here"],
    ).permanent(),
    rule(
        "no-more-mail-goes-in", Clear, MailboxFull, &[MailboxDisabled, ServerFull],
        &["any more mail", "any more messages", "no more mail", "no more messages", "receive any more", "hold any more",
          "space not enough", "not enough space", "not enough room", "not enough disk", "no more space", "ran out of space",
          "run out of space", "exceeded ~ allotted", "over ~ allotment"],
        &["550 bob can't receive any more", "552 there is no more space for bob"],
    ),
    rule(
        "recipient-wants-none", Clear, MailboxPrivate, &[PolicyRefused],
        &["do'nt want", "dont want your", "doesnt want your", "not want your mail", "not want your email",
          "doesn't want ~ mail", "not interested in your", "does not want to receive", "refuses ~ your mail"],
        &["550 she doesn't want such mail"],
    ).permanent(),
    rule(
        "recipient-against-policy", Exact, PolicyRefused, &[MailboxPrivate, MailboxUnknown],
        &["recipient address rejected ~ policy", "recipient rejected ~ policy", "rcpt is rejected", "rcpt rejected",
          "rcpt ~ policy", "recipient ~ prohibited"],
        &["554 5.7.1 Recipient address rejected by the policy of this house"],
    ).permanent(),

    // ── the message ──────────────────────────────────────────────────────────────────
    rule(
        "terse-too-long", Clear, MessageTooBig, &[],
        &["mailsize*", "mail size", "maxsize", "max size", "length of data", "data length", "length ~ maximum", "size ~ maximum", "size ~ exceed*",
          "exceed* ~ size", "length ~ threshold", "size ~ threshold", "file too large", "larger than the space"],
        &["557 the length is over the maximum", "552 exceeding its mailsize"],
    ).permanent(),

    rule(
        "headers-of-many-hops", Provider, MailLoop, &[MessageMalformed],
        &["received: .. exceed*", "received headers ~ exceed*", "received lines ~ exceed*", "many received"],
        &["554 the count of Received: lines exceeds its maximum"],
    ).permanent(),

    rule(
        "nothing-in-it", Clear, MessageMalformed, &[ContentRefused, PolicyRefused],
        &["no subject", "without subject", "without a subject", "empty subject", "empty body", "no body", "blank subject",
          "blank body", "message is empty", "empty message"],
        &["550 mail with an empty body"],
    ).permanent(),

    // ── the server ───────────────────────────────────────────────────────────────────
    rule(
        "terse-server-fault", Likely, ServerFault, &[ServerBusy],
        &["database*", "ldap", "mysql", "postgresql", "sqlite", "out of memory", "memory exhausted", "cannot allocate", "i/o error",
          "permission denied", "core dump*", "segmentation fault", "exit status", "command output", "traceback", "exception",
          "script error", "not configured", "misconfigur*", "configuration error", "configuration problem",
          "not ready", "error processing", "error while processing", "error during processing", "can't open mailbox", "cannot open mailbox", "technical difficulties", "temporary lookup", "lookup failure"],
        &["450 the database says no", "451 LDAP is away"],
    ).transient(),
    rule(
        "terse-dns-failed", Clear, DnsFailed, &[DomainNotFound, SenderDomainUnusable],
        &["dns ~ error", "dns ~ fail*", "dns ~ timeout", "dns ~ unavailable", "dns query", "dns resolve", "dns resolution",
          "by dns", "resolver error", "name server ~ error", "nameserver ~ fail*"],
        &["423 DNS could not resolve, error", "450 by DNS it went wrong"],
    ).transient(),
    rule(
        "terse-dns-knows-no-domain", Clear, DomainNotFound, &[DnsFailed, SenderDomainUnusable],
        &["dns query", "dns resolve", "dns resolution", "by dns", "no data ~ dns", "dns says", "no dns"],
        &["526 by DNS there is no such thing"],
    ).permanent(),

    rule(
        "terse-mail-refused", Vague, PolicyRefused, &[Unknown, ContentSpam],
        &["{mail} ~ {refused}"],
        &["550 your message is turned away"],
    ).permanent(),
    rule(
        "not-on-a-list-of-approved", Clear, PolicyRefused, &[MailboxPrivate, HostBlocklisted],
        &["not in approved list", "not in ~ approved", "not on ~ approved", "not an approved", "no permit"],
        &["550 blocked: not in the list of approved"],
    ).permanent(),

    rule(
        "part-of-the-server-is-late", Clear, ServerFault, &[ServerBusy, ConnectionLost],
        &["plugin timeout", "backend timeout", "filter timeout", "script timeout", "scanner timeout", "milter timeout",
          "plugin timed out", "backend timed out", "filter timed out", "service timed out"],
        &["451 a filter timed out"],
    ).transient(),
    rule(
        "queue-at-its-limit", Clear, ServerBusy, &[ServerFull, RateLimited],
        &["queue capacity", "queue is full", "queue full", "queue limit", "capacity threshold", "queue threshold"],
        &["451 the queue is full, retry later"],
    ),
    rule(
        "next-host-not-reached", Clear, HostUnreachable, &[DnsFailed, ConnectionLost],
        &["could be contacted", "could be reached", "not be contacted", "not be reached", "can be reached", "unable to reach"],
        &["451 none of its hosts could be reached"],
    ),
    rule(
        "other-end-hung-up", Clear, ConnectionLost, &[ServerBusy],
        &["hung up", "hangup", "dropped the connection", "went away"],
        &["451 the other end hung up"],
    ).transient(),
    rule(
        "turned-gray", Likely, Greylisted, &[PolicyTemporary],
        &["to gray", "to grey", "on grey", "on gray", "is grey", "is gray"],
        &["450 4.2.0 the sender is grey"],
    ).transient(),

    // ── the session ──────────────────────────────────────────────────────────────────
    rule(
        "probes-addresses", Exact, SessionAbuse, &[ReputationPoor, HostBlocklisted],
        &["dictionary attack", "harvest attack", "harvesting", "probing for", "address probing", "address enumeration"],
        &["554 this looks like a dictionary attack"],
    ),
    rule(
        "syntax-error-for-now", Clear, SyntaxError, &[],
        &["syntax error", "bad syntax", "invalid syntax"],
        &["431 Syntax error"],
    ).transient(),
    rule(
        "permission-denied-to-a-command", Provider, PolicyRefused, &[AuthRequired, SenderRefused],
        &["permission denied"],
        &["501 5.7.1 Permission denied"],
    ).codes(&[501, 530, 571]),

    rule(
        "terse-bad-sequence", Clear, BadSequence, &[CommandUnknown],
        &["sequence error", "error in sequence", "sequence ~ wrong", "wrong sequence", "order of commands"],
        &["500 wrong sequence"],
    ).permanent(),
    rule(
        "address-too-long", Exact, SyntaxError, &[LineTooLong, SenderRefused],
        &["address is too long", "address too long", "local part too long", "local part is too long", "path too long",
          "path is too long"],
        &["501 the sender's address is too long"],
    ),
    rule(
        "terse-utf8", Clear, Utf8NotSupported, &[ConversionNeeded],
        &["international* ~ unsupported", "international* ~ not supported", "internationali*", "smtputf8"],
        &["550 international senders are unsupported"],
    ).permanent(),
    rule(
        "terse-syntax-error", Clear, SyntaxError, &[MailboxUnknown],
        &["address required", "user required", "bad chars", "illegal chars", "invalid chars", "line parse", "parse fail*", "bad characters", "restricted characters", "forbidden characters", "disallowed characters", "unexpected characters"],
        &["553 an address required", "501 bad chars in it"],
    ).permanent(),
    rule(
        "terse-mechanism-not-offered", Clear, ParameterNotImplemented, &[AuthUnavailable, AuthFailed],
        &["auth mode", "auth method", "auth type", "auth mechanism", "authentication method", "login method"],
        &["451 no such auth method"],
    ),
];
