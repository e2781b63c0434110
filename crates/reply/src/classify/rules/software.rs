//! Fixed texts of mail servers' programs that, read by their words alone, would be taken
//! for something else. What a wording says in any program stands in its subject's table.

use super::topics::REFUSALS;
use super::{Rank::*, Rule, rule};
use crate::Cause::*;

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    // ── commands and their order ─────────────────────────────────────────────────────
    rule(
        "parameter-out-of-bounds", Provider, ParameterNotImplemented, &[SyntaxError],
        &["hold time", "hold for ~ exceed*", "by parameter", "by time ~ exceed*", "priority value", "deliver by"],
        &["501 5.5.4 the hold time asked for exceeds its maximum"],
    ).permanent(),
    rule(
        "refused-as-a-command", Exact, CommandNotImplemented, &[CommandUnknown, PolicyRefused],
        &["disallowed", "turned off", "not allowed", "not permitted", "not offered", "prohibited", "disabled", "forbidden"],
        &["502 TURN is disallowed", "502 5.5.1 ETRN not offered"],
    ).codes(&[502]),
    rule(
        "authentication-off-here", Provider, ParameterNotImplemented, &[AuthUnavailable, BadSequence],
        &["authentication not enabled", "authentication is not enabled", "auth not enabled"],
        &["504 authentication is not enabled"],
    ).codes(&[504]),
    rule(
        "channel-stands-already", Provider, BadSequence, &[],
        &["already secured", "already encrypted", "already secure", "tls already", "already using tls", "no recipient specified",
          "no recipient given", "no recipients were", "sender not yet given", "no greeting"],
        &["503 5.5.1 Invalid command: the channel is already secured", "503 5.5.4 Invalid arguments: no recipient given"],
    ).permanent(),
    rule(
        "credentials-wanted", Provider, AuthRequired, &[BadSequence],
        &["credentials are required", "credentials required", "credentials are needed", "credentials needed"],
        &["503 5.5.1 authentication credentials are needed"],
    ),
    rule(
        "talks-before-its-turn", Provider, SessionAbuse, &[BadSequence],
        &["pre greeting", "pregreet*", "talk too soon", "talks too soon", "talked too soon", "talking too early", "before greeting", "before the greeting", "before our greeting", "before banner",
          "before the banner", "early talker", "earlytalker*", "data before ~ greeting", "not wait for ~ greeting"],
        &["554 5.5.0 rejecting all commands due to pre-greeting traffic", "550 you talked too soon"],
    ),
    rule(
        "address-may-not-contain", Provider, SyntaxError, &[MailboxUnknown, SenderRefused],
        &["address ~ must not contain", "address ~ may not contain", "address ~ cannot contain", "address ~ contains a space", "address ~ contains spaces"],
        &["550 The address is invalid and must not contain blanks"],
    ).permanent(),

    // ── the greeting ─────────────────────────────────────────────────────────────────
    rule(
        "wrong-in-the-greeting", Provider, HeloRefused, &[SyntaxError],
        &["helo ~ does not exist", "ehlo ~ does not exist", "helo ~ not resolve", "ehlo ~ not resolve", "in helo", "in ehlo", "in helo/ehlo", "in ehlo/helo", "in your helo", "in your ehlo", "not who you say", "not who you claim", "who you say you are"],
        &["550 an address of wrong format in HELO", "550 You are hardly who you say you are"],
    ).permanent(),

    // ── the sender and its domain ────────────────────────────────────────────────────
    rule(
        "sender-domain-without-hosts", Provider, SenderDomainUnusable, &[DnsFailed],
        &["mx without a*", "mx without ip*", "mx without address*", "no mx for your from", "no mx for ~ {sender}", "no valid mx for ~ {sender}"],
        &["450 it has an MX without A records", "550 no MX for that sender"],
    ),
    rule(
        "header-unlike-the-envelope", Clear, SenderRefused, &[DmarcFailed, MessageMalformed, SpfFailed],
        &["header ~ not match ~ envelope", "header ~ mismatch ~ envelope", "envelope ~ not match ~ header", "from ~ not match ~ mail from", "from ~ differ* ~ envelope",
          "header from ~ mail from"],
        &["550 the From header does not match its envelope"],
    ).permanent(),
    rule(
        "black-address", Clear, SenderRefused, &[DomainBlocklisted],
        &["black mail address", "black address", "black sender", "blackmail address"],
        &["554 a black mail address"],
    ).permanent(),
    rule(
        "domain-is-banned", Provider, DomainBlocklisted, &[SenderRefused],
        &["the domain ~ is banned", "domain is banned", "sender domain ~ banned", "banned domain", "domain banned"],
        &["550 the domain example.com is banned"],
    ).permanent(),
    rule(
        "bounce-to-several", Provider, MessageMalformed, &[SenderRefused, TooManyRecipients],
        &["multi recipient bounce", "multirecipient bounce", "bounces are never sent", "bounce ~ more than one recipient", "bounces ~ more than one recipient", "bounce ~ multiple recipients", "null sender ~ more than one", "null sender ~ multiple recipients",
          "bounce without", "bounces without", "bounce with invalid", "bounce with ~ return path", "bounce with no", "non empty return path", "bounce message ~ recipient", "bounce ~ without ~ message id"],
        &["550 a bounce never has more than one recipient", "550 bounce without its Message-ID"],
    ).permanent(),

    // ── the recipient ────────────────────────────────────────────────────────────────
    rule(
        "no-member-of-the-domain", Provider, MailboxUnknown, &[],
        &["not a member of domain", "not a member of this domain", "no member of domain", "not a user of this domain"],
        &["550 bob is not a member of domain example.net"],
    ).permanent(),
    rule(
        "list-unknown", Clear, MailboxUnknown, &[],
        &["mailing list not found", "no such mailing list", "no such list", "list ~ does not exist", "unknown mailing list", "unknown list", "no list by that name"],
        &["550 5.1.2 that mailing list: no such list", "550 unknown list"],
    ).permanent(),
    rule(
        "recipients-invalid", Clear, MailboxUnknown, &[BadSequence],
        &["recipients are invalid", "recipients invalid", "all recipients ~ invalid", "all recipients ~ rejected", "recipients ~ unknown"],
        &["503 the recipients are invalid, all of them"],
    ).permanent(),
    rule(
        "unavailable-user", Exact, MailboxUnknown, &[MailboxDisabled],
        &["unavailable mail user", "unavailable user", "unavailable mailbox", "unavailable recipient", "unavailable account", "unavailable address"],
        &["550 unavailable user"],
    ).permanent(),
    rule(
        "domain-of-the-recipient-not-ours", Provider, RelayDenied, &[DomainNotFound, PolicyRefused],
        &["recipient address rejected: no domain", "uucp address*", "uucp path*", "routed address", "source route*", "percent hack", "fake router*", "openrelay*", "open relay check"],
        &["550 5.7.1 UUCP addresses are unwanted", "554 <bob@example.net>: Recipient address rejected: NO-DOMAIN."],
    ).permanent(),
    rule(
        "permissions-lacking", Exact, MailboxPrivate, &[PolicyRefused, SenderRefused],
        &["have permissions to send to", "has no permission to", "have no permission to", "no permissions to", "not have permissions to send to", "not have permission to send to", "not have permission to post", "no right to send to", "no rights to send to", "lacks permission"],
        &["550 you have no permission to write to this list"],
    ).codes(REFUSALS),

    // ── the message ──────────────────────────────────────────────────────────────────
    rule(
        "secrets-in-it", Provider, ContentRefused, &[PolicyRefused],
        &["credential leak*", "leak detected", "leaks credentials", "never send your", "contains your password", "credit card number*", "data loss prevention", "data leak*", "dlp policy", "dlp rule"],
        &["550 Credential leak found: never send your secrets by mail"],
    ).permanent(),
    rule(
        "rejected-by-a-sieve", Exact, PolicyRefused, &[MailboxPrivate, ContentRefused],
        &["rejected by sieve", "refused by sieve", "sieve ~ reject*", "rejected by ~ sieve"],
        &["550 your mail was rejected by a sieve of bob"],
    ).permanent(),

    // ── the server ───────────────────────────────────────────────────────────────────
    rule(
        "host-takes-no-mail", Provider, DomainTakesNoMail, &[PolicyRefused, HostBlocklisted],
        &["esmtp not accepting messages", "esmtp not accepting mail", "esmtp not accepting connections", "smtp not accepting messages", "host does not accept mail", "host accepts no mail"],
        &["554 mx.example.net ESMTP not accepting messages"],
    ).codes(&[521, 554, 556]),
    rule(
        "memory-gone", Provider, ServerFault, &[ServerBusy, ServerFull],
        &["out of memory", "memory exhausted", "memory allocation", "cannot allocate memory", "not enough memory"],
        &["450 out of memory"],
    ).transient(),
    rule(
        "login-errors-for-now", Clear, AuthUnavailable, &[AuthFailed, ServerFault],
        &["auth ~ error", "authentication ~ error", "auth ~ failure"],
        &["451 an AUTH backend error"],
    ).codes(&[421, 450, 451, 454]),
    rule(
        "load-for-now", Clear, ServerBusy, &[PolicyTemporary],
        &["too much load", "load ~ too high", "high ~ load", "under heavy load", "heavy load", "heavily loaded", "load limit"],
        &["451 too much load; please try again later"],
    ).transient(),
    rule(
        "connection-broken", Clear, ConnectionLost, &[HostUnreachable],
        &["connection ~ is broken", "connection ~ broken", "broken pipe", "connection ~ aborted", "connection ~ interrupted"],
        &["451 the connection with mx.example.net is broken"],
    ),
    rule(
        "queue-over-its-quota", Provider, RateLimited, &[ServerBusy, ServerFull],
        &["queue quota", "organization ~ quota", "tenant ~ quota", "connection quota", "message quota ~ hour", "message quota ~ day"],
        &["450 4.7.3 the organization is over its queue quota"],
    ),
    rule(
        "store-properties-missing", Provider, ServerFault, &[MailboxUnknown],
        &["storedriver mdb", "mdb properties"],
        &["550 5.3.2 STOREDRV: bad StoreDriver MDB properties"],
    ),
    rule(
        "policy-of-a-mailbox", Clear, PolicyRefused, &[MailboxPrivate],
        &["mailpolicy", "mail policy", "policy error", "mail policies"],
        &["554 5.2.3 MailPolicy violation"],
    ).permanent(),

    // ── texts of single programs ─────────────────────────────────────────────────────
    rule(
        "empty-sender", Clear, SenderRefused, &[SyntaxError],
        &["empty email address", "empty address", "empty sender", "empty envelope sender*", "empty return path", "null sender"],
        &["550 an empty sender is not taken"],
    ).codes(REFUSALS),
    rule(
        "member-mail-only", Provider, MailboxPrivate, &[SenderRefused],
        &["not member article", "article from non member"],
        &["550 NOT MEMBER article"],
    ),
    rule(
        "mail-from-your-host", Clear, HostBlocklisted, &[ReputationPoor, RateLimited, PolicyRefused],
        &["mail from your ip", "mails from your ip", "email from your ip", "messages from your ip", "mail from your server", "mail from your host", "mail from your network", "mail from this ip",
          "connections from your ip", "connections from your network", "connections from your host"],
        &["421 for now we accept no mail from your IP"],
    ),
    rule(
        "spam-or-virus", Provider, ContentSpam, &[ContentVirus, PolicyRefused],
        &["spam/virus", "virus/spam", "spam or virus", "virus or spam", "spam and virus", "viruses or spam"],
        &["550 looks like spam/virus content"],
    ),
    rule(
        "space-not-had", Clear, MailboxFull, &[ServerFull],
        &["not have enough", "not has enough", "doesn't have enough", "not enough free space", "not have sufficient space", "not have sufficient storage", "no sufficient space"],
        &["550 bob does not have enough space"],
    ).permanent(),
    rule(
        "mime-too-deep", Clear, MessageMalformed, &[ContentRefused, MessageTooBig],
        &["mime complexity", "mime depth", "mime nesting", "mime parts", "nested too deep*", "nested mime", "unnecessary base64", "needless base64", "mime structure"],
        &["552 its MIME parts are nested too deeply"],
    ).permanent(),
    rule(
        "waited-in-vain", Exact, Expired, &[HostUnreachable],
        &["not been collected", "after ~ tries", "queue period", "queue lifetime", "within the allowed queue", "after all retries", "retries exhausted", "retry limit", "number of retries", "retry period"],
        &["550 it was not delivered after 20 tries"],
    ),

    rule(
        "syntax-of-a-command", Provider, SyntaxError, &[MessageMalformed],
        &["syntax error .. violates", "invalid syntax .. violates"],
        &["554 Syntax error: your program violates RFC 821"],
    ).permanent(),
    rule(
        "syntax-of-a-header", Provider, MessageMalformed, &[SyntaxError],
        &["message has ~ syntax error", "mail has ~ syntax error", "email has ~ syntax error", "header ~ syntax error", "syntax error ~ header", "headers ~ syntax", "rfc5322*", "not exactly one", "exactly one ~ header", "exactly one ~ field"],
        &["550 your message has a To: syntax error", "550 5.7.1 RFC5322 says: not exactly one Date field"],
    ).permanent(),
    rule(
        "credentials-of-old", Provider, AuthFailed, &[AuthRequired],
        &["credentials no longer", "login ~ no longer valid", "re authenticate", "reauthenticate"],
        &["550 the credentials no longer hold; re-authenticate"],
    ),
    rule(
        "authentication-failed-by-its-mechanism", Provider, AuthFailed, &[ParameterNotImplemented],
        &["authentication failed"],
        &["535 5.7.8 authentication failed: unsupported mechanism"],
    ).codes(&[535]),
    rule(
        "not-for-the-unauthenticated", Provider, AuthRequired, &[RelayDenied],
        &["denied for unauthenticated", "not for unauthenticated", "unauthenticated users", "unauthenticated clients", "unauthenticated submission"],
        &["503 5.7.0 access is denied for unauthenticated MAIL"],
    ),
    rule(
        "data-in-excess", Clear, SessionAbuse, &[RateLimited, MessageTooBig],
        &["excessive amount of data", "excessive amounts of data", "excessive data", "too much data", "excess data"],
        &["421 an excessive amount of data"],
    ).transient(),
    rule(
        "sender-domain-not-for-mail", Provider, SenderDomainUnusable, &[SenderRefused],
        &["mailfrom domain", "mail from domain ~ not", "{sender} ~ domain not configured"],
        &["550 5.7.27 the mailfrom domain is not configured for mail"],
    ),
    rule(
        "filter-failed-for-now", Clear, ServerFault, &[ServerBusy],
        &["() failed", "failed."],
        &["432 fork() failed."],
    ).codes(&[430, 432]),
    rule(
        "macros-in-it", Provider, ContentRefused, &[ContentVirus],
        &["macro enabled", "with macros", "contains macros", "contains a macro", "vba macro*", "office macro*"],
        &["550 5.7.1 a document with macros"],
    ).permanent(),
    rule(
        "permitted-senders", Provider, MailboxPrivate, &[SenderRefused, PolicyRefused],
        &["list of permitted", "permitted senders", "permitted correspondents", "list of allowed senders", "allowed senders", "list of approved senders", "approved senders", "safe senders", "trusted senders"],
        &["550 5.7.1 ann is not on his list of permitted senders"],
    ).permanent(),
    rule(
        "listed-somewhere", Exact, HostBlocklisted, &[DomainBlocklisted, ReputationPoor],
        &["listed at"],
        &["550 5.7.1 mail.example.com listed at bl.example.org"],
    ),
    rule("octets-of-a-command", Provider, SyntaxError, &[Utf8NotSupported], &["8 bit characters ~ not allowed", "8 bit characters ~ not supported", "8 bit ~ not allowed", "8 bit character*", "8bit character*", "nul characters", "nul character", "token too long", "too many tokens", "illegal character"], &["501 8-bit characters in a command", "500 NUL characters in the command"]).codes(&[500, 501, 553, 555]),
    rule("options-of-a-command", Clear, ParameterNotImplemented, &[SyntaxError], &["option ~ cannot be combined", "cannot be combined with", "unsupported option", "unknown option", "unsupported parameter", "unknown parameter", "notify option", "notify parameter"], &["553 NOTIFY option: it cannot be combined"]).permanent(),
    rule("expansion-of-an-alias", Provider, ServerFault, &[MailboxUnknown], &["alias expansion", "aliases expansion", "error expanding", "alias loop"], &["450 4.6.0 Alias expansion went wrong"]),
    rule("breaks-the-protocol", Likely, SessionAbuse, &[SyntaxError, PolicyRefused], &["violates smtp", "violates the smtp", "protocol violation", "violation of protocol", "violates the protocol"], &["550 it violates SMTP"]).permanent(),
    rule("expired-by-an-administrator", Provider, Expired, &[], &["administratively expired", "message ~ expired ~ administrat*", "expired by an administrator"], &["450 4.7.0 the mail is administratively expired"]),
    rule("host-of-a-name-unknown", Clear, DomainNotFound, &[SenderDomainUnusable], &["host ~ unknown"], &["554 5.3.0 host x unknown"]).codes(&[512, 554]),
    rule("address-away-for-now", Clear, MailboxBusy, &[MailboxDisabled, PolicyTemporary], &["address temporarily unavailable", "address is temporarily unavailable", "address ~ not available"], &["450 address temporarily unavailable"]).transient(),
    rule("addresses-beyond-ascii", Provider, Utf8NotSupported, &[], &["international e mail", "international email", "international address*", "internationalized address*", "internationalised address*", "international ~ unicode", "unicode email", "unicode address*", "unicode e mail"], &["550 there is no support for international addresses"]),
    rule("timed-out-within-a-session", Exact, ConnectionLost, &[HostUnreachable], &["connection timed out during data", "connection timed out during rcpt", "connection timed out during mail", "connection timed out waiting", "connection timed out while", "connection timeout while", "connection timeout waiting", "timed out waiting for", "timeout waiting for", "timed out while reading", "timed out while writing"], &["421 4.4.2 Connection timed out waiting for a command"]),
    rule("sender-address-said-of-spam", Provider, SenderRefused, &[DomainBlocklisted, ContentSpam], &["sender address rejected ~ spam*", "sender rejected ~ spam*", "sender address rejected ~ domain ~ spam*"], &["554 5.7.1 <ann@example.org>: Sender address rejected: spams us daily"]).permanent(),
    rule("mail-comes-first", Exact, BadSequence, &[], &["without mail", "before mail"], &["503 5.5.1 RCPT without MAIL"]).codes(&[500, 501, 502, 503, 554]),
    rule("value-of-a-parameter", Provider, ParameterNotImplemented, &[SyntaxError, ConversionNeeded], &["body=", "ret=", "envid=", "notify=", "orcpt=", "smtputf8 not", "by="], &["504 5.5.4 BODY=FOO"]).codes(&[504, 555]),
    rule("starttls-that-failed", Clear, TlsFailed, &[ServerBusy], &["starttls", "tls", "ssl"], &["454 4.7.0 STARTTLS was of no use to us"]).codes(&[403, 454]),
    rule("helo-for-now", Likely, HeloRefused, &[ReverseDnsMissing, PolicyTemporary], &["helo", "ehlo"], &["450 4.7.1 EHLO of foo, hardly"]).codes(&[450, 451]),
    rule("published-policy", Exact, DmarcFailed, &[SpfFailed, DkimFailed, PolicyRefused], &["published policy", "policy of the domain owner", "domain's policy", "domain owner's policy", "policy published by"], &["550 5.7.1 against the published policy of example.org"]).permanent(),
    rule("refuses-your-mail", Clear, MailboxPrivate, &[SenderRefused], &["refuses mail from you*", "refuses mails from you*", "refuses email from you*", "refuses messages from you*", "must be on the access list", "join the list", "subscribe to the list", "subscribe first"], &["550 5.7.1 bob refuses messages from your domain"]).permanent(),
    rule("so-many-a-unit", Exact, RateLimited, &[PolicyTemporary], &["message flow", "mail flow", "flow ~ restricted", "flow ~ limited", "exceeded ~ per", "message count", "messages count", "daily message", "hourly message", "daily count", "limited to ~ a minute", "limited to ~ an hour", "limited to ~ a day", "limited to ~ per", "at most ~ a minute", "at most ~ an hour", "at most ~ a day", "no more than ~ a minute", "no more than ~ an hour", "more than your share", "this minute"], &["450 4.3.2 mails are limited to 3 a minute"]),
    rule("sessions-that-are-many", Clear, TooManyConnections, &[RateLimited, ServerBusy], &["close some", "your sessions", "your connections", "simultaneous", "clients reached", "number of clients"], &["421 4.3.2 please close some of them"]).codes(&[421, 450, 451]),
    rule("neighbours-of-a-spammer", Provider, HostBlocklisted, &[ReputationPoor], &["known for spam*", "neighbourhood ~ spam", "neighborhood ~ spam", "{ip} ~ known for", "network ~ known for", "your network ~ spam", "this network ~ spam"], &["554 5.7.1 your network is known for spam"]),
    rule("name-of-sender-not-qualified", Provider, SyntaxError, &[SenderDomainUnusable, SenderRefused], &["qualified ~ in mail", "qualified ~ in sender",], &["553 no fully qualified name in MAIL"]).codes(&[501, 504, 550, 553]),
    rule("blocked-by-whom-it-is-for", Exact, MailboxPrivate, &[SenderRefused, PolicyRefused], &["par le destinataire", "por el destinatario", "pelo destinatario", "dal destinatario", "vom empfanger", "durch den empfanger", "door de ontvanger", "przez odbiorc*", "получателем", "受信者によ*", "被收件人", "被收件者", "수신자가", "alici tarafindan", "av mottagaren", "prijemcem"], &["550 Ihre Mail wurde vom Empfänger abgelehnt", "550 bloqué par le destinataire"]).codes(REFUSALS),
    rule("a-server-as-relay", Provider, RelayDenied, &[AuthRequired, PolicyRefused], &["use ~ as relay", "use ~ as a relay", "used as relay", "used as a relay", "server as relay", "server as a relay"], &["550 you may not use it as a relay"]),
    rule("duration-of-a-session", Provider, ConnectionLost, &[HostUnreachable, SessionAbuse], &["timed out ~ session duration", "timeout ~ session duration", "total session duration"], &["421 4.4.1 Connection timed out. Total session duration: 00:09:00"]),
    rule("size-told-by-a-filter", Provider, MessageTooBig, &[], &["message size ~ exceeded", "message size exceeds", "mail size exceeds",], &["552 5.3.4 message size limit exceeded at the spam gateway"]).permanent(),
    rule("recipient-invalid-to-a-filter", Provider, MailboxUnknown, &[], &["invalid recipient ~ (mode: normal)", "invalid recipient ~ mode"], &["554 Invalid recipient: <bob@example.net> (Mode: normal)"]).permanent(),
    rule("octets-in-a-header", Provider, MessageMalformed, &[Utf8NotSupported, SyntaxError], &["characters in header", "character in header", "characters in the header", "character in a header", "chars in header"], &["550 5.6.0 odd characters in header To"]).codes(&[550, 552, 554]),
    rule("files-that-are-encrypted", Provider, ContentRefused, &[ContentVirus, PolicyRefused], &["encrypted zip*", "encrypted archive*", "encrypted file*", "encrypted attachment*", "encrypted pdf*", "encrypted document*", "cannot scan", "cannot be scanned", "could not be scanned", "not be scanned"], &["554 5.7.1 an encrypted archive that cannot be scanned"]).permanent(),
    rule("back-of-the-login", Provider, AuthUnavailable, &[ServerFault], &["sasl ~ down", "auth ~ down", "sasl backend", "auth backend", "authentication backend", "login backend", "sasl ~ unavailable", "auth socket"], &["454 4.7.0 the auth backend is away"]).codes(&[421, 435, 451, 454]),
    rule("destination-elsewhere", Provider, RelayDenied, &[PolicyRefused], &["destination ~ not local", "destination ~ not ours", "you are not trusted", "you're not trusted"], &["554 5.7.1 the destination example.com is not local"]).permanent(),
    rule("file-of-a-wrong-owner", Provider, ServerFault, &[], &["wrong uid", "wrong gid", "wrong owner", "wrong ownership", "wrong permissions", "wrong mode", "is writable by others", "home directory is writable"], &["550 mailbox /var/mail/bob has a wrong owner"]),
    rule("address-told-by-its-syntax", Provider, SyntaxError, &[MailboxUnknown, SenderRefused], &["address syntax", "syntax of the address", "syntax in address", "syntax of address"], &["501 a wrong address syntax"]).codes(&[501]),
    rule("html-not-taken", Exact, ContentRefused, &[PolicyRefused], &["html forms", "html form", "html mail*", "html message*", "html content", "html code", "javascript", "active content", "scripts"], &["550 5.7.1 HTML mails are not permitted"]).permanent(),
    rule("only-private-addresses", Exact, RouteUnusable, &[DomainNotFound, SenderDomainUnusable], &["only private addresses", "only private ip*", "resolves to private", "resolve to private", "private ip address*", "private addresses", "loopback address*", "reserved address*"], &["550 5.4.4 it resolves to private addresses"]),
    rule("mail-from-a-domain", Exact, SenderRefused, &[DomainBlocklisted, PolicyRefused], &["mail from this domain", "mails from this domain", "mail from your domain", "mails from your domain", "mail from that domain", "email from your domain", "email from this domain"], &["553 5.3.0 no mail from your domain"]).codes(REFUSALS),
];
