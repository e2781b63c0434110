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
          "instead of ~ provider's", "provider's ~ server",
          "too much spam from", "so much spam from", "source of spam", "sends spam", "sending spam to us"],
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
        &["relay ~ disabled", "relaying ~ disabled", "denies relay*", "deny relay*", "refuses relay*", "no relay*", "no longer relay*", "stopped relaying",
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
        &["quota for the day", "quota for this day", "quota for the hour", "quota for this hour", "quota ~ for today", "sender quota", "quota of the sender", "quota of outgoing", "quota of outbound", "quota ~ outgoing", "quota ~ outbound", "daily quota", "hourly quota", "quota ~ messages per", "sending quota", "sent quota", "outgoing quota", "outbound quota", "monthly quota", "weekly quota", "outbound ~ quota", "outgoing ~ quota", "messages for today", "mails for today", "emails for today", "of your ~ messages today",
          "quota ~ sending", "quota of mails", "quota ~ per day", "quota ~ per hour",
          "quota ~ per month", "send quota", "recipients quota", "rate quota", "credits exceeded", "maximum credits", "out of credits", "credits are used"],
        &["550 your monthly quota is used up", "552 quota exceeded, 100 mails per day"],
    ),
    rule(
        "too-many-of-a-kind", Clear, RateLimited, &[ContentSpam, PolicyRefused],
        &["too many ~ {sending}", "too much ~ {sending}", "excessive ~ {sending}", "too many ~ mails from",
          "too many spams from"],
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
          "badmailfrom", "bad mail from", "bogus mail from", "bogus sender", "forged sender", "fake sender", "user in blacklist", "sender in blacklist",
          "mailfrom ~ denied", "mailfrom ~ refused", "mail from ~ not permitted", "address ~ badmailfrom"],
        &["553 the host denies such sender: deny sender", "550 forged sender"],
    ).codes(REFUSALS),

    rule(
        "sender-on-a-black-list", Provider, SenderRefused, &[DomainBlocklisted, MailboxPrivate],
        &["sender <@> black*", "sender @ black*", "sender is black*", "sender is in my black*", "sender is in our black*", "sender is on our black*", "sender is on my black*", "from an address that has been black*", "from <@> black*", "wm:blu"],
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
          "validrcptto", "valid rcpt list", "no redirect entry", "unknown destination address", "wrong rcpt*", "wrong recipient*", "nosuchuser", "unresolvable address", "no account by that name",
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
          "space not enough", "not enough space", "not enough room", "not enough disk", "not enough diskspace", "no diskspace", "no disk space", "no more space", "buzon sin espacio", "{box} ~ sin espacio", "{box} ~ sem espaco", "ran out of space",
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
        &["mailsize*", "mail size", "maxsize", "max size", "length of data", "data length", "length ~ maximum", "length ~ exceed*", "size ~ maximum", "size ~ exceed*",
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
        "terse-greeting-unknown-to-dns", Clear, HeloRefused, &[SenderDomainUnusable, DnsFailed],
        &["or dns says", "dns says"],
        &["501 <mail.local> DNS says no"],
    ).codes(&[501]),
    rule(
        "terse-host-unknown-to-dns", Clear, SenderDomainUnusable, &[ReverseDnsMissing, DnsFailed],
        &["no dns a data", "no a data", "no dns a record", "no a record returned"],
        &["474 mail.example.org: no DNS A-data returned"],
    ),
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
        &["queue too long", "queue is too long", "queue capacity", "queue is full", "queue full", "queue limit", "capacity threshold", "queue threshold"],
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
    rule(
        "no-valid-recipients-by-address", Provider, MailboxUnknown, &[BadSequence],
        &["no valid recipients", "no valid recipient"],
        &["550 no valid recipients here"],
    ).codes(&[550, 551, 553]),
    rule(
        "deactivated-for-abuse", Provider, MailboxDisabled, &[SenderRefused, PolicyRefused],
        &["deactivated due to", "disabled due to", "suspended due to", "deactivated for abuse", "deactivated because"],
        &["553 bob was deactivated due to abuse", "550 suspended due to spam complaints"],
    ).permanent(),
    rule(
        "local-users-or-login", Provider, AuthRequired, &[RelayDenied, MailboxPrivate],
        &["local user only ~ authentication", "local users only ~ authentication", "local users only ~ login", "local user only ~ login"],
        &["550 local users only, or by authentication"],
    ).permanent(),
    rule(
        "filtered-as-spam", Provider, ContentSpam, &[ContentRefused, PolicyRefused],
        &["filtered .. spam", "filtered as junk", "spam filtered"],
        &["553 your mail was filtered, see our page on spam"],
    ).permanent(),
    rule(
        "takes-mail-no-longer", Clear, MailboxDisabled, &[MailboxUnknown, MailboxMoved],
        &["no longer accept* ~ mail", "no longer accept* ~ message*", "no longer receiv* ~ mail", "no longer receiv* ~ message*", "not accepting mail any more",
          "no longer accept email", "no longer accepts email", "no longer monitored"],
        &["550 bob@example.net no longer accepts mail", "550 this address is no longer monitored"],
    ).permanent(),
    rule(
        "data-came-too-late", Provider, ConnectionLost, &[ServerBusy],
        &["incoming data timeout", "data timeout ~ abandoned", "timeout ~ message abandoned"],
        &["421 data timeout, message abandoned"],
    ),
    rule(
        "one-at-a-time", Provider, TooManyRecipients, &[RateLimited, PolicyTemporary],
        &["only one ~ recipient domain", "only one ~ recipient per", "only one recipient", "one ~ domain per message", "one domain per transaction", "one domain at a time",
          "one recipient per", "single recipient per", "multiple recipients not", "multiple recipients are not", "separate transaction"],
        &["451 only one recipient domain goes into a message", "452 one recipient per mail"],
    ),
    rule(
        "login-out-of-order", Provider, AuthUnavailable, &[ServerFault, AuthFailed],
        &["authenticat* ~ temporar*", "temporar* ~ authenticat*", "authenticat* ~ unavailable", "authenticat* ~ try again later", "authentication server ~ down", "authentication backend"],
        &["454 4.7.0 cannot authenticate you: temporary trouble"],
    ).codes(&[432, 435, 454]),
    rule(
        "prohibited-for-now", Clear, PolicyTemporary, &[Greylisted, ServerFault],
        &["administrative prohibition", "administratively prohibited", "administratively denied", "access denied", "not allowed at this time", "not permitted at this time"],
        &["451 administrative prohibition", "450 not allowed at this time"],
    ).transient(),
    rule(
        "address-of-a-wrong-form", Clear, SyntaxError, &[MailboxUnknown, SenderRefused],
        &["address ~ invalid format", "address ~ wrong format", "address ~ bad format", "invalid ~ address format", "wrong ~ address format", "bad ~ address format", "address format",
          "format of the address", "format of address", "address is improperly formed", "improperly formatted address", "address ~ not well formed"],
        &["501 that address has an invalid format", "550 wrong address format"],
    ).permanent(),
    rule(
        "intruder", Clear, SessionAbuse, &[ReputationPoor, PolicyRefused],
        &["intrusive", "intrusion", "intruder", "brute force", "bruteforce"],
        &["571 too many intrusive attempts by you"],
    ),
    rule(
        "not-implemented-under-504", Exact, ParameterNotImplemented, &[SyntaxError, CommandNotImplemented],
        &["not understood", "unimplemented", "not implemented", "not supported", "unsupported", "unknown", "unrecognized", "not recognized", "not available"],
        &["504 auth type unimplemented", "504 such a mechanism is not available"],
    ).codes(&[504, 555]),
    rule(
        "extension-switched-off", Exact, ParameterNotImplemented, &[SyntaxError, CommandNotImplemented],
        &["has been disabled", "is disabled here", "is not enabled", "not enabled here", "extension ~ disabled", "parameter ~ disabled"],
        &["501 5.5.4 REQUIRETLS has been disabled", "501 the extension is disabled"],
    ).codes(&[501]),
    rule(
        "eight-bits-not-taken", Provider, ConversionNeeded, &[MessageMalformed],
        &["8 bit ~ not supported", "8 bit ~ not accepted", "8 bit ~ not allowed", "8bit ~ not supported", "8bitmime ~ not", "8 bit ~ unsupported"],
        &["556 8-bit mail is not supported"],
    ).permanent(),
    rule(
        "not-allowed-in-this-order", Clear, BadSequence, &[PolicyRefused, CommandUnknown],
        &["not allowed", "not permitted", "multiple mail", "second mail", "one mail command", "only once", "more than once", "already"],
        &["503 5.5.1 a second MAIL is not permitted", "503 EHLO only once"],
    ).codes(&[503]),
    rule(
        "takes-none-now", Likely, ServerBusy, &[ServerFault, PolicyTemporary, Greylisted],
        &["unable to accept ~ at this time", "unable to accept ~ right now", "unable to accept ~ now", "cannot accept ~ at this time", "can't accept ~ at this time", "not accepting ~ at this time",
          "not accepting ~ at the moment", "cannot accept ~ right now", "not accepting ~ right now", "unable to process ~ at this time", "unable to handle ~ at this time"],
        &["452 we are unable to accept mail at this time", "421 not accepting connections at the moment"],
    ).transient(),
    rule(
        "session-of-long", Clear, ConnectionLost, &[SessionAbuse, ServerBusy, RateLimited],
        &["session open ~ too long", "open for too long", "session ~ too long", "session duration", "session time limit", "connected for too long", "connection open ~ too long"],
        &["421 the session was open for too long"],
    ).transient(),
    rule(
        "limit-of-transfer", Provider, RateLimited, &[SessionAbuse],
        &["transfer quota", "transfer limit", "bandwidth limit", "bandwidth quota", "limiting sends", "limiting ~ {sending}", "limiting your", "data volume"],
        &["451 limiting sends of the account", "452 session went over its transfer quota"],
    ),
    rule(
        "helo-unlike-its-address", Provider, HeloRefused, &[ReverseDnsMissing],
        &["helo ~ not match", "helo ~ mismatch", "ehlo ~ not match", "ehlo ~ mismatch", "helo ~ not match your rdns", "helo ~ not match ~ reverse dns", "ehlo ~ not match ~ rdns"],
        &["550 the HELO you gave does not match your rDNS"],
    ),
    rule(
        "from-this-sender", Exact, SenderRefused, &[MailboxPrivate, PolicyRefused],
        &["not accept* ~ from this sender", "no mail ~ from this sender", "not accept* ~ from that sender", "not accept* ~ from your address", "messages from this sender", "mail from <@> ~ refused",
          "mail from @ ~ refused", "mail from @ ~ denied", "mail from <@> ~ denied"],
        &["550 we do not accept mails from this sender", "550 mail from ann@example.org is refused"],
    ).permanent(),
    rule(
        "receiver-said-no", Exact, MailboxPrivate, &[PolicyRefused, SenderRefused],
        &["receiver denied", "receiver refused", "receiver rejected", "receiver has denied", "receiver blocks", "recipient denied your", "user reject", "user rejects"],
        &["550 5.7.1 from 192.0.2.8: the receiver denied this mail"],
    ).permanent(),
    rule(
        "recipient-denied", Clear, PolicyRefused, &[MailboxUnknown, MailboxPrivate],
        &["recipient <@> denied", "recipient @ denied", "recipient denied", "rcpt <@> denied", "rcpt denied", "recipient <@> refused", "recipient refused"],
        &["550 recipient <bob@example.net> denied"],
    ).permanent(),
    rule(
        "source-of-spam", Exact, HostBlocklisted, &[ReputationPoor, ContentSpam],
        &["spam origin", "spam host", "spam relay", "spamming host", "open proxy"],
        &["554 spam origin", "550 your host is an open proxy"],
    ).permanent(),
    rule(
        "restrictions-of-content", Provider, ContentRefused, &[ContentSpam, PolicyRefused],
        &["content restriction*", "content polic*", "content rule*", "filter rejection", "filter rejected", "content filter reject*", "attachment filtering", "attachment polic*"],
        &["550 refused due to content restrictions", "550 filter rejection"],
    ).permanent(),
    rule(
        "score-of-the-mail", Provider, ContentSpam, &[PolicyRefused],
        &["mail score", "message score", "messagescor*", "this message scored", "scored too high", "score exceeded", "score exceeds", "score over", "score too high", "scoring"],
        &["554 5.7.1 the mail score is over the upper limit"],
    ),
    rule(
        "server-will-not-take-it", Likely, PolicyRefused, &[ContentSpam, SenderRefused, Unknown],
        &["won't accept this", "won't accept your", "will not accept this", "will not accept your", "not willing to accept", "refuses to accept", "refuse to accept", "cannot accept this", "does not accept this"],
        &["550 this server won't accept this mail"],
    ).permanent(),
    rule(
        "suspected-spam", Exact, ContentSpam, &[PolicyRefused, ReputationPoor],
        &["suspected spams", "suspicion of spam", "suspected as spam", "suspected to be spam", "spam suspected", "spam suspect"],
        &["543 suspected spams or an exception", "550 suspicion of spam"],
    ).permanent(),
    rule(
        "field-of-the-sender", Clear, MessageMalformed, &[SenderRefused, SyntaxError],
        &["invalid message", "malformed message", "message is malformed", "message is invalid", "message ~ cannot be parsed", "message ~ could not be parsed", "invalid 'from'", "invalid ~ from field", "invalid from field", "invalid from header", "from header is missing", "from header ~ invalid", "from field ~ invalid", "invalid ~ sender field", "missing from field"],
        &["550 invalid `from` field", "550 the From header is missing"],
    ).permanent(),
    rule(
        "address-is-invalid", Likely, MailboxUnknown, &[SyntaxError, PolicyRefused],
        &["email is invalid", "email address is invalid", "email is not valid", "address is not valid", "mailbox is invalid", "is marked as invalid", "not present in directory", "address not present"],
        &["554 subscriber's email is invalid"],
    ).permanent(),
    rule(
        "takes-only-some-senders", Clear, MailboxPrivate, &[PolicyRefused, SenderRefused],
        &["nur emails von", "nur e mails von", "nur mails von", "nur nachrichten von", "only accept* ~ from specific", "only accept* ~ from certain", "accepts mail only from", "accepts mails only from",
          "accepts email only from", "only mail from", "only emails from", "solo correos de", "uniquement les messages de", "somente mensagens de"],
        &["550 nur E-Mails von bestimmten Adressen", "550 bob accepts mail only from friends"],
    ).permanent(),
    rule(
        "sending-for-local-users", Clear, RelayDenied, &[AuthRequired, PolicyRefused],
        &["sending only allowed", "sending is only allowed", "only allowed for local users", "allowed for local users only", "only local users may send"],
        &["550 mail sending only allowed for locals"],
    ).permanent(),
    rule(
        "images-not-taken", Clear, ContentRefused, &[MailboxPrivate, ContentSpam],
        &["embedded image*", "inline image*", "eingebetteten bildern", "eingebettete bilder", "images not allowed", "images are not allowed", "imagenes incrustadas", "images integrees"],
        &["550 keine Mails mit eingebetteten Bildern", "550 embedded images are unwanted"],
    ).permanent(),
    // ── in other words ───────────────────────────────────────────────────────────────
    rule("box-at-this-moment", Exact, MailboxBusy, &[MailboxDisabled, PolicyTemporary], &["{box} ~ at this moment", "{box} ~ at the moment", "{box} ~ momentarily", "{box} ~ being migrated", "{box} ~ being moved", "{box} ~ maintenance"], &["450 4.2.1 the recipient takes nothing at this moment"]).transient(),
    rule("no-room-for-somebody", Provider, MailboxFull, &[ServerFull], &["no space left for", "no room left for", "no room for", "cannot hold", "can't hold", "can not hold", "hold no more", "holds no more"], &["550 5.2.2 he has no space left for this", "550 bob's box can't hold it"]),
    rule("several-are-meant", Exact, MailboxAmbiguous, &[MailboxUnknown], &["several users", "several mailboxes", "several people", "several recipients match", "more than one user", "more than one person", "more than one recipient matches", "be more specific"], &["553 several mailboxes are named so"]).permanent(),
    rule("only-some-may-write", Clear, MailboxPrivate, &[PolicyRefused, SenderRefused], &["only from internal", "only from members", "only from inside", "internal senders", "internal addresses", "senders inside", "from inside only", "only ~ may write", "only ~ may post", "only ~ may send", "only ~ can write", "only ~ can post", "only ~ can send", "only ~ are allowed to", "only ~ is allowed to", "limited to ~ members", "limited to the", "restricted to ~ members", "only employees", "only staff", "only colleagues", "open to members", "open to employees"], &["550 5.7.1 only colleagues may write here", "550 posts are limited to the owners"]).permanent(),
    rule("not-met-before", Exact, Greylisted, &[PolicyTemporary], &["new to us", "you are new here", "new to this server", "not met before", "never met", "met you before", "met before", "correspondents", "never talked to", "not talked before", "not know you yet", "don't know you", "first attempt ~ refused", "first attempt ~ rejected"], &["451 we never met before"]).transient(),
    rule("deliver-it-again", Likely, Greylisted, &[PolicyTemporary, ServerBusy], &["at the next attempt", "on the next attempt", "gets in at the next", "next attempt", "deliver again", "deliver it again", "deliver this again", "send again", "send it again", "resend", "resend it", "redeliver"], &["450 4.7.1 please deliver it again"]).codes(&[450, 451]),
    rule("counted-by-the-hour", Exact, RateLimited, &[TooManyRecipients], &["messages per ~ seconds", "messages per ~ minutes", "mails per ~ seconds", "mails per ~ minutes", "emails per ~ seconds", "emails per ~ minutes", "recipients an hour", "messages an hour", "mails an hour", "emails an hour", "recipients a day", "messages a day", "mails a day", "emails a day", "messages a minute", "mails a minute", "for this hour", "for this day", "within the hour", "within an hour", "each hour", "each day"], &["550 5.1.1 it sends 500 mails a day"]),
    rule("channels-that-are-open", Clear, TooManyConnections, &[RateLimited, ServerBusy], &["channels open", "open channels", "hold ~ open", "already ~ connections", "already ~ sessions", "already connected ~ times", "concurrency"], &["421 4.3.2 you hold enough lines open"]).transient(),
    rule("the-rest-in-another-transaction", Exact, TooManyRecipients, &[RateLimited], &["remaining recipients", "rest of the recipients", "other recipients ~ transaction", "in a new transaction", "in another transaction", "in a separate transaction", "recipients ~ next transaction"], &["451 the others in another transaction, please"]),
    rule("file-system-is-full", Exact, ServerFull, &[ServerFault], &["partition ~ full", "file system ~ full", "filesystem ~ full", "volume ~ full", "queue ~ full", "spool ~ full", "disk ~ full", "device ~ full", "spool device", "disc ~ full"], &["452 its spool is full today"]),
    rule("longer-than-a-line", Exact, LineTooLong, &[SyntaxError], &["line ~ longer than", "lines longer than", "line is longer", "command ~ longer than", "too long a line", "overlong line"], &["500 a line that is longer than 512"]).codes(&[500, 501, 554, 550]),
    rule("so-many-octets", Exact, MessageTooBig, &[], &["octets ~ limit", "bytes ~ limit", "bytes is over", "octets is over", "bytes exceed*", "octets exceed*", "above ~ megabytes", "over ~ megabytes", "more than ~ megabytes",], &["552 its 900 octets are over the limit of 800"]).permanent(),
    rule("a-field-twice", Clear, MessageMalformed, &[], &["two subject", "two from", "two date", "two to headers", "second subject", "second from header", "subject lines", "from lines"], &["554 two From lines"]).codes(REFUSALS),
    rule("score-over-another", Clear, ContentSpam, &[PolicyRefused], &["sa score", "spam points", "score ~ above", "score ~ over", "score ~ exceeds", "score ~ higher", "points ~ above"], &["550 an SA score of 7"]).permanent(),
    rule("kinds-of-files", Exact, ContentRefused, &[PolicyRefused, ContentVirus], &["file ~ been blocked", "file ~ is blocked", "file ~ not allowed", "file ~ is not permitted", "files ~ not allowed", "files ~ blocked", "mime type", "content type", "mime types", "content types", "files of type", "file of type", "files with the ending", "files ending with", "files named", "language ~ not accepted", "language ~ not allowed", "language ~ message", "charset ~ not accepted", "charset ~ not allowed", "in that language", "in this language", "languages we"], &["552 5.7.0 files of type .scr, no"]).permanent(),
    rule("name-and-password-first", Clear, AuthRequired, &[AuthFailed, RelayDenied], &["user name and password", "username and password", "with your password", "log on", "sign on", "sign in", "log in first", "login first"], &["550 first give username and password"]).codes(&[530, 550, 551, 553, 554]),
    rule("exchanger-of-another", Exact, RelayDenied, &[PolicyRefused, DomainNotFound], &["handles ~ only", "not served by", "not served here", "serves only", "domain is no customer", "domain ~ no customer", "not the mail exchanger", "not a mail exchanger", "not an mx", "not the mx", "not mx for", "send through us", "through our server", "through our servers", "mail through this server", "through this host", "not belong here", "domain is not ours", "not one of our domains", "none of our domains", "no domain of ours"], &["550 5.7.1 this host is not the MX for example.com"]).codes(REFUSALS),
    rule("domain-of-the-return-address", Exact, SenderDomainUnusable, &[SenderRefused], &["return address ~ domain", "{sender} ~ domain ~ registered", "{sender} ~ domain ~ nobody", "your domain ~ no way to receive", "your domain ~ no mail server", "your domain ~ not registered", "your domain ~ not exist"], &["553 the return address is of no domain"]),
    rule("spammer-by-address", Provider, HostBlocklisted, &[ReputationPoor, ContentSpam], &["reported as a spammer", "reported as spammer", "{ip} ~ spammer", "known as a spammer", "listed as a spammer"], &["554 5.7.1 192.0.2.8 is a spammer"]),
    rule("on-a-local-list", Exact, HostBlocklisted, &[ReputationPoor, PolicyRefused], &["list of bad", "bad hosts", "our local list", "on our list of", "in our list of", "list of spammers", "list of blocked", "list of banned", "list of refused"], &["550 you stand in our list of hosts"]).permanent(),
    rule("links-on-a-list", Provider, DomainBlocklisted, &[ContentSpam, ContentRefused], &["web address ~ list", "link ~ on a list", "links ~ on a list", "list of phishing", "phishing sites", "phishing site", "url ~ on a list", "a url ~ list", "website ~ list"], &["554 5.7.1 this web address is on a list"]).permanent(),
    rule("volume-of-a-host", Exact, ReputationPoor, &[RateLimited], &["volume ~ unusual", "unusual volume", "unusual ~ volume", "your volume", "sudden volume", "volume ~ suspicious"], &["421 4.7.0 the volume seems unusual"]),
    rule("not-to-be-resolved", Likely, DomainNotFound, &[SenderDomainUnusable, DnsFailed, ReverseDnsMissing], &["cannot be resolved", "could not be resolved", "can't be resolved", "couldn't be resolved", "unable to resolve", "does not resolve", "doesn't resolve"], &["550 nosuch.invalid could not be resolved"]).codes(&[550, 551, 554]),
    rule("exchangers-lead-back", Exact, RouteUnusable, &[MailLoop, DomainNotFound], &["leads back to", "lead back to", "mxs ~ back", "mxs ~ lead", "mxs ~ point", "all mx ~ back", "exchangers ~ back to", "back to this host", "points back to us", "leads back to us"], &["550 5.4.4 the exchangers lead back to us"]),
    rule("name-servers-are-late", Exact, DnsFailed, &[ServerFault], &["name server ~ time", "name servers ~ time", "nameserver ~ time", "nameservers ~ time", "name servers ~ answer", "name server ~ answer", "nameserver ~ answer", "nameservers ~ answer"], &["451 4.4.3 its name servers do not answer"]),
    rule("through-many-servers", Exact, MailLoop, &[], &["went through ~ servers", "went through ~ hosts", "passed through ~ servers", "passed through ~ hosts", "passed ~ times", "servers already", "hosts already", "relays already", "been here before", "seen this message before", "seen this mail before"], &["554 it passed through 40 hosts"]),
    rule("field-not-well-formed", Exact, MessageMalformed, &[ContentRefused], &["malformed ~ header", "broken ~ header", "comma missing", "visible recipient*", "undisclosed recipients", "no recipients in", "empty to header", "empty from header", "unparseable", "unparsable"], &["550 a malformed Cc: header"]).permanent(),
    rule("filter-gives-no-answer", Provider, ServerFault, &[ServerBusy], &["connect to ~ filter", "connect to ~ scanner", "connect to ~ milter", "connect to ~ antivirus", "connect to ~ database", "connect to ~ policy", "reach ~ filter", "reach ~ scanner", "reach ~ database", "clamd ~ answer", "clamav ~ answer", "clamd ~ unavailable", "clamd ~ not running", "scanner ~ answer", "scanner ~ not running", "filter ~ answer", "milter ~ answer", "scanner ~ down", "clamd ~ down", "clamav ~ down", "filter ~ down"], &["451 4.3.0 clamd gives no answer"]).transient(),
    rule("lines-at-a-time", Exact, TooManyConnections, &[RateLimited, ServerBusy], &["connection count", "connections count", "count of connections", "connections ~ at a time", "sessions ~ at a time", "connections ~ at once", "sessions ~ at once", "too many sockets", "too many channels", "too many lines", "so many connections", "so many sessions", "connections from one", "sessions from one", "connections in parallel", "sessions in parallel"], &["421 4.7.0 three sessions at a time", "421 these are too many sockets"]),
    rule("host-in-a-trap", Provider, HostBlocklisted, &[ReputationPoor, ContentSpam], &["{client} ~ spam trap*", "{client} ~ spamtrap*", "{ip} ~ spam trap*", "{ip} ~ spamtrap*", "{client} ~ honeypot*", "{ip} ~ honeypot*", "{client} ~ trap"], &["554 5.7.1 your server mails to spam traps"]),
    rule("domain-too-young", Provider, DomainBlocklisted, &[ReputationPoor, SenderRefused], &["registered yesterday", "registered today", "registered only", "registered ~ days ago", "domain ~ too young", "domain ~ too new", "young domain", "recently registered", "domain ~ recently created", "domain age"], &["550 5.7.1 example.org was registered 3 days ago"]),
    rule("line-over-a-count", Exact, LineTooLong, &[SyntaxError, MessageMalformed], &["line over ~ characters", "line over ~ octets", "line of more than", "lines of more than", "line over"], &["500 a line of more than 512 octets"]).codes(&[500, 501, 550, 552, 554]),
    rule("waits-for-no-banner", Exact, SessionAbuse, &[BadSequence], &["wait for the banner", "wait for our banner", "wait for my banner", "wait for the greeting", "wait for our greeting", "wait your turn", "waiting for the banner", "waiting for the greeting"], &["421 4.7.0 you could not wait for our banner"]),
    rule("write-to-another-address", Exact, MailboxMoved, &[MailboxUnknown], &["write to @", "write to <@>", "mail to @ instead", "send it to @", "send mail to @", "reach ~ at @", "reached at @", "reachable at @"], &["551 5.7.1 he can be reached at bob@example.org"]).codes(&[251, 551, 550]),
];
