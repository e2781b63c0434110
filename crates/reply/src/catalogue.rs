//! Every reply that we can send, one row each: the only place where they stand.
//!
//! From a row come its constructor (the placeholders are its arguments), the reference
//! page and `secondpost replies`. A row whose class digit and enhanced class disagree
//! does not compile. Texts are plain words in under 200 characters: what happened, and
//! when or what next.

use std::fmt::Display;

use crate::cause::Cause::*;
use crate::stage::Stage::*;
use crate::{Answer, Cause, Code, EnhancedCode, Row, Stage};

/// Declares the rows: `name(placeholders) = code [enhanced] text => cause, commands, source`.
macro_rules! catalogue {
    ($($(#[doc = $when:literal])+
       $id:ident($($placeholder:ident),*) = $code:literal [$($enhanced:literal)?] $text:literal
       $(=> $cause:ident)?, $answers:expr, $source:literal;)+) => {
        $(
            $(#[doc = $when])+
            pub fn $id($($placeholder: impl Display),*) -> Answer {
                static ROW: &Row = &Row {
                    id: stringify!($id),
                    when: concat!($($when, "\n"),+),
                    code: Code::literal($code),
                    enhanced_code: catalogue!(@enhanced $($enhanced)?),
                    text: $text,
                    cause: catalogue!(@cause $($cause)?),
                    answers: $answers,
                    source: $source,
                };
                Answer::new(ROW, format!($text))
            }
        )+

        /// Every row, in the order of this file.
        pub static ROWS: &[Row] = &[$(Row {
            id: stringify!($id),
            when: concat!($($when, "\n"),+),
            code: Code::literal($code),
            enhanced_code: catalogue!(@enhanced $($enhanced)?),
            text: $text,
            cause: catalogue!(@cause $($cause)?),
            answers: $answers,
            source: $source,
        }),+];
    };
    (@enhanced $enhanced:literal) => { Some(EnhancedCode::literal($enhanced)) };
    (@enhanced) => { None };
    (@cause $cause:ident) => { Some($cause) };
    (@cause) => { None };
}

const _: () = {
    let mut index = 0;
    while index < ROWS.len() {
        assert!(ROWS[index].is_lawful(), "a row of the catalogue contradicts itself");
        index += 1;
    }
};

/// The commands that may be refused for their form, their time or their absence.
const ANY_COMMAND: &[Stage] = &[
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Rcpt,
    Data,
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
    Send,
    Unrecognized,
];
/// Any moment at all: replies after which we close (RFC 5321 §3.8, §4.2.1).
const ANY_MOMENT: &[Stage] = Stage::ALL;

catalogue! {
    // ── positive and intermediate ────────────────────────────────────────────────

    /// The greeting of an SMTP listener.
    greeting(hostname) = 220 [] "{hostname} ESMTP Secondpost",
        &[Connection], "RFC 5321 §4.2, §4.3.1";
    /// The greeting of an LMTP listener.
    lmtp_greeting(hostname) = 220 [] "{hostname} LMTP Secondpost",
        &[Connection], "RFC 2033 §4.1";
    /// EHLO or LHLO; the keywords follow as lines.
    hello_extended(hostname, client) = 250 [] "{hostname} greets {client}",
        &[Ehlo, Lhlo], "RFC 5321 §4.1.1.1";
    /// HELO.
    hello(hostname, client) = 250 [] "{hostname} greets {client}",
        &[Helo], "RFC 5321 §4.1.1.1";
    /// MAIL was accepted.
    sender_ok(sender) = 250 ["2.1.0"] "<{sender}> sender ok",
        &[Mail], "RFC 5321 §3.3";
    /// RCPT was accepted.
    recipient_ok(recipient) = 250 ["2.1.5"] "<{recipient}> recipient ok",
        &[Rcpt], "RFC 5321 §3.3";
    /// DATA was accepted; the message may come.
    start_mail_input() = 354 [] "start mail input; end with <CRLF>.<CRLF>",
        &[Data], "RFC 5321 §4.1.1.4";
    /// The message is on disk and synced.
    message_accepted(id) = 250 ["2.0.0"] "queued as {id}",
        &[EndOfData], "RFC 5321 §4.2.5";
    /// LMTP: the message is on disk and synced for this recipient.
    message_accepted_for(recipient, id) = 250 ["2.0.0"] "<{recipient}> queued as {id}",
        &[EndOfData], "RFC 2033 §4.2";
    /// A BDAT chunk that is not the last was taken.
    chunk_received(octets) = 250 ["2.0.0"] "{octets} octets received",
        &[Bdat], "RFC 3030 §2";
    /// RSET.
    reset() = 250 ["2.0.0"] "transaction reset",
        &[Rset], "RFC 5321 §4.1.1.5";
    /// NOOP.
    noop() = 250 ["2.0.0"] "ok",
        &[Noop], "RFC 5321 §4.1.1.9";
    /// QUIT.
    goodbye(hostname) = 221 ["2.0.0"] "{hostname} closing connection",
        &[Quit], "RFC 5321 §4.1.1.10";
    /// HELP; the commands follow as lines.
    help(about) = 214 ["2.0.0"] "{about}",
        &[Help], "RFC 5321 §4.1.1.8";
    /// VRFY is on and the mailbox exists.
    verified(mailbox) = 250 ["2.1.5"] "<{mailbox}>",
        &[Vrfy], "RFC 5321 §3.5.3";
    /// VRFY is on; mail for the address is forwarded from here.
    verified_forwarded(mailbox) = 251 ["2.1.5"] "not local; will forward to <{mailbox}>",
        &[Vrfy], "RFC 5321 §3.4";
    /// VRFY or EXPN is `noncommittal`, or the answer is not known here.
    cannot_verify() = 252 ["2.5.0"] "cannot verify; will take the message and try to deliver it",
        &[Vrfy, Expn], "RFC 5321 §7.3";
    /// VRFY or EXPN of something beyond ASCII without SMTPUTF8: the reply could not name it.
    utf8_reply_needed() = 252 ["2.6.8"]
        "a UTF-8 reply would be needed and was not allowed; will try to deliver the message",
        &[Vrfy, Expn], "RFC 6531 §3.7.4.2";
    /// EXPN is on and the list exists; further members follow as lines.
    expanded(member) = 250 ["2.1.5"] "<{member}>",
        &[Expn], "RFC 5321 §3.5.3";

    // ── the mailbox ──────────────────────────────────────────────────────────────

    /// Another process holds the mailbox's lock for longer than a moment.
    mailbox_locked(recipient) = 450 ["4.2.0"]
        "<{recipient}> mailbox is locked by another process; try again in a few minutes"
        => MailboxLocked, &[Rcpt, EndOfData], "RFC 5321 §4.2.3";
    /// As many deliveries to the mailbox are under way as its limit allows.
    mailbox_busy(recipient) = 450 ["4.2.0"]
        "<{recipient}> mailbox is busy with other deliveries; try again in a few minutes"
        => MailboxBusy, &[Rcpt, EndOfData], "RFC 5321 §4.2.3";
    /// The administrator disabled the mailbox for a while.
    mailbox_disabled_for_now(recipient) = 450 ["4.2.1"]
        "<{recipient}> mailbox is disabled for now; try again later"
        => MailboxDisabled, &[Rcpt, EndOfData], "RFC 3463 §3.3";
    /// The administrator disabled the mailbox for good.
    mailbox_disabled(recipient) = 550 ["5.2.1"]
        "<{recipient}> mailbox is disabled"
        => MailboxDisabled, &[Rcpt, EndOfData, Vrfy], "RFC 3463 §3.3";
    /// The mailbox is over its quota.
    mailbox_full(recipient) = 452 ["4.2.2"]
        "<{recipient}> mailbox is full; try again when its owner has made room"
        => MailboxFull, &[Rcpt, EndOfData], "RFC 5321 §4.2.3, RFC 3463 §3.3";
    /// The mailbox is over its quota and the administrator made that final.
    mailbox_full_finally(recipient) = 552 ["5.2.2"]
        "<{recipient}> mailbox is full"
        => MailboxFull, &[Rcpt, EndOfData], "RFC 5321 §4.2.3, RFC 3463 §3.3";
    /// A domain of ours has no such mailbox.
    mailbox_unknown(recipient) = 550 ["5.1.1"]
        "<{recipient}> no such mailbox here"
        => MailboxUnknown, &[Rcpt, Vrfy, EndOfData], "RFC 3463 §3.2";
    /// EXPN is on and there is no such list.
    list_unknown(name) = 550 ["5.1.1"]
        "<{name}> no such mailing list here"
        => MailboxUnknown, &[Expn], "RFC 5321 §3.5.1";
    /// VRFY of an address whose mail is not handled here.
    not_local(address) = 551 ["5.1.6"]
        "<{address}> is not local to this server; ask the server of its domain"
        => MailboxMoved, &[Vrfy], "RFC 5321 §3.5.3";
    /// VRFY of a name that fits several mailboxes.
    mailbox_ambiguous(name) = 553 ["5.1.4"]
        "<{name}> fits more than one mailbox; give the domain as well"
        => MailboxAmbiguous, &[Vrfy], "RFC 5321 §3.5.1";

    // ── greylisting and temporary policy ─────────────────────────────────────────

    /// An unknown sender's first attempt, or one before the window opens; the time is
    /// what remains.
    greylisted(recipient, retry, id) = 450 ["4.2.0"]
        "<{recipient}> greylisted, please come back later, retry={retry} (id {id})"
        => Greylisted, &[Rcpt, EndOfData], "RFC 6647 §2, §5";
    /// The same when a web address is configured.
    greylisted_with_link(recipient, retry, id, link) = 450 ["4.2.0"]
        "<{recipient}> greylisted, please come back later, retry={retry} (id {id}), see {link}"
        => Greylisted, &[Rcpt, EndOfData], "RFC 6647 §2, §5";
    /// `access` defers this recipient.
    policy_temporary_recipient(recipient) = 450 ["4.7.1"]
        "<{recipient}> not taken now for a temporary policy; try again later"
        => PolicyTemporary, &[Rcpt, EndOfData], "RFC 5321 §4.2.3";
    /// `access` defers this sender.
    policy_temporary_sender(sender) = 451 ["4.7.1"]
        "<{sender}> not taken now for a temporary policy; try again later"
        => PolicyTemporary, &[Mail], "RFC 5321 §4.2.3";
    /// `access` or a content rule defers this message.
    policy_temporary_message() = 450 ["4.7.1"]
        "message not taken now for a temporary policy; try again later"
        => PolicyTemporary, &[EndOfData], "RFC 5321 §4.2.3";
    /// `rate` is used up when a recipient is named.
    rate_limited_recipient(recipient, retry) = 450 ["4.7.1"]
        "<{recipient}> too much mail in too little time; slow down, retry={retry}"
        => RateLimited, &[Rcpt], "RFC 5321 §4.2.3";
    /// `rate` is used up when a transaction begins.
    rate_limited_sender(retry) = 451 ["4.7.1"]
        "too much mail in too little time; slow down, retry={retry}"
        => RateLimited, &[Mail], "RFC 5321 §4.2.3";
    /// `rate` is used up at the end of data.
    rate_limited_message(retry) = 450 ["4.7.1"]
        "too much mail in too little time; slow down, retry={retry}"
        => RateLimited, &[EndOfData], "RFC 5321 §4.2.3";
    /// One client has more connections than `limits.connections_per_client`.
    too_many_connections() = 421 ["4.7.0"]
        "too many connections from your address; close some and try again"
        => TooManyConnections, &[Connection], "RFC 5321 §3.8";

    // ── refusals by policy ───────────────────────────────────────────────────────

    /// A recipient that is not ours, from a client that may not relay.
    relay_denied(recipient) = 550 ["5.7.1"]
        "<{recipient}> relaying denied: this server is not responsible for that domain"
        => RelayDenied, &[Rcpt], "RFC 5321 §3.6.2, §7.4";
    /// A submitted recipient elsewhere while the setting `relay` is "off".
    relay_off(recipient) = 550 ["5.7.1"]
        "<{recipient}> relaying denied: sending elsewhere is off here; set `relay` or a route"
        => RelayDenied, &[Rcpt], "RFC 5321 §7.4";
    /// The submission listener was reached from another machine.
    submission_denied() = 550 ["5.7.1"]
        "relaying denied: submission is open to this machine only"
        => RelayDenied, &[Mail], "RFC 6409 §4.1";
    /// `access` refuses this client's mail at MAIL.
    client_refused() = 550 ["5.7.1"]
        "mail from your address is refused by local policy"
        => PolicyRefused, &[Mail], "RFC 5321 §7.9";
    /// `access` refuses this sender.
    sender_refused(sender) = 550 ["5.7.1"]
        "<{sender}> sender address is refused by local policy"
        => SenderRefused, &[Mail], "RFC 5321 §7.9";
    /// `access` refuses this recipient.
    recipient_refused(recipient) = 550 ["5.7.1"]
        "<{recipient}> recipient is refused by local policy"
        => PolicyRefused, &[Rcpt], "RFC 5321 §7.9";

    // ── commands ─────────────────────────────────────────────────────────────────

    /// A command that we know and do not offer: VRFY and EXPN by default, TURN, ETRN …
    command_not_implemented(verb) = 502 ["5.5.1"]
        "{verb} is not implemented here; see the EHLO reply for what is"
        => CommandNotImplemented,
        &[Vrfy, Expn, Turn, Send, Etrn, Atrn, Bdat, StartTls, Auth, Help], "RFC 5321 §4.2.4";
    /// The same for VRFY, with the alternative.
    vrfy_off() = 502 ["5.5.1"]
        "VRFY is switched off here; send a test message instead of verifying"
        => CommandNotImplemented, &[Vrfy], "RFC 5321 §4.2.4, §7.3";
    /// The same for EXPN, with the alternative.
    expn_off() = 502 ["5.5.1"]
        "EXPN is switched off here; ask the owner of the list for its members"
        => CommandNotImplemented, &[Expn], "RFC 5321 §4.2.4, §7.3";
    /// A word that is no SMTP command; HELO and EHLO on LMTP, LHLO on SMTP.
    command_unknown() = 500 ["5.5.2"]
        "command not recognized"
        => CommandUnknown, &[Unrecognized, Ehlo, Helo, Lhlo], "RFC 5321 §4.2.4";
    /// A command line over its limit; the session goes on.
    line_too_long(limit) = 500 ["5.5.2"]
        "line too long: at most {limit} octets with CRLF"
        => LineTooLong, ANY_COMMAND, "RFC 5321 §4.5.3.1, §4.2.2";
    /// Arguments that do not parse.
    arguments_malformed(verb, expected) = 501 ["5.5.4"]
        "syntax error in the arguments of {verb}: expected {expected}"
        => SyntaxError, ANY_COMMAND, "RFC 5321 §4.2.2";
    /// DATA, RSET, QUIT with an argument.
    argument_not_allowed(verb) = 501 ["5.5.4"]
        "{verb} takes no argument"
        => SyntaxError, &[Data, Rset, Quit, StartTls], "RFC 5321 §4.1.1";
    /// The forward-path does not parse.
    recipient_malformed(problem) = 501 ["5.1.3"]
        "recipient address does not parse: {problem}"
        => SyntaxError, &[Rcpt, Vrfy], "RFC 5321 §4.1.2, RFC 3463 §3.2";
    /// The reverse-path does not parse.
    sender_malformed(problem) = 501 ["5.1.7"]
        "sender address does not parse: {problem}"
        => SyntaxError, &[Mail], "RFC 5321 §4.1.2, RFC 3463 §3.2";
    /// NUL, other control characters, bare CR or LF in a command.
    control_characters() = 501 ["5.5.2"]
        "syntax error: control characters are not allowed in a command"
        => SyntaxError, ANY_COMMAND, "RFC 5321 §4.1.2";
    /// Non-ASCII octets in a command where SMTPUTF8 does not allow them.
    command_not_ascii() = 501 ["5.5.2"]
        "syntax error: only ASCII is allowed in this command"
        => SyntaxError, ANY_COMMAND, "RFC 5321 §2.4";
    /// The right command at the wrong time.
    bad_sequence(expected) = 503 ["5.5.1"]
        "bad sequence of commands: send {expected} first"
        => BadSequence, &[Mail, Rcpt, Data, Bdat, StartTls, Auth], "RFC 5321 §4.1.4";
    /// A second MAIL in a transaction.
    sender_already_given() = 503 ["5.5.1"]
        "bad sequence of commands: a transaction is open; end it or send RSET"
        => BadSequence, &[Mail], "RFC 5321 §4.1.4";
    /// DATA or RCPT in the middle of BDAT; DATA in LMTP without a valid recipient.
    wrong_now(problem) = 503 ["5.5.1"]
        "bad sequence of commands: {problem}"
        => BadSequence, &[Mail, Rcpt, Data, Bdat], "RFC 3030 §2, RFC 5321 §4.1.4";
    /// DATA after RCPTs of which none was accepted.
    no_valid_recipients() = 554 ["5.5.1"]
        "no valid recipients"
        => BadSequence, &[Data, Bdat, EndOfData], "RFC 5321 §3.3, RFC 2920 §3.1";
    /// A MAIL or RCPT parameter that we do not know or did not advertise.
    parameter_unknown(name) = 555 ["5.5.4"]
        "parameter {name} is not recognized or not implemented"
        => ParameterNotImplemented, &[Mail, Rcpt], "RFC 5321 §4.1.1.11";
    /// A known parameter with a bad value.
    parameter_malformed(name, expected) = 501 ["5.5.4"]
        "bad value of {name}: expected {expected}"
        => SyntaxError, &[Mail, Rcpt], "RFC 5321 §4.1.1.11";
    /// A known parameter, twice.
    parameter_repeated(name) = 501 ["5.5.4"]
        "parameter {name} is given twice"
        => SyntaxError, &[Mail, Rcpt], "RFC 1870 §5, RFC 3461 §4";
    /// A value that is not implemented, where 504 is listed (HELP, VRFY, EXPN, AUTH).
    argument_not_implemented(verb) = 504 ["5.5.4"]
        "this argument of {verb} is not implemented"
        => ParameterNotImplemented, &[Help, Vrfy, Expn, Auth], "RFC 5321 §4.3.2";

    // ── the message ──────────────────────────────────────────────────────────────

    /// SIZE= says more than we take.
    declared_size_too_big(limit) = 552 ["5.3.4"]
        "message is too big: this server takes at most {limit} octets"
        => MessageTooBig, &[Mail], "RFC 1870 §6.1";
    /// The message turned out to be bigger than we take.
    message_too_big(limit) = 552 ["5.3.4"]
        "message is too big: this server takes at most {limit} octets"
        => MessageTooBig, &[EndOfData, Bdat], "RFC 1870 §6.2, §6.3";
    /// More recipients than `limits.recipients` in one transaction.
    too_many_recipients(limit) = 452 ["4.5.3"]
        "too many recipients: at most {limit} a transaction; send the rest in another"
        => TooManyRecipients, &[Rcpt], "RFC 5321 §4.5.3.1.10";
    /// More than 100 Received fields.
    mail_loop() = 554 ["5.4.6"]
        "mail loop: too many Received fields"
        => MailLoop, &[EndOfData], "RFC 5321 §6.3";
    /// A bare LF or CR in message data, where the listener refuses it.
    bare_line_end() = 550 ["5.6.0"]
        "message has a bare LF or CR; lines must end with CRLF"
        => MessageMalformed, &[EndOfData], "RFC 5321 §2.3.8";
    /// A non-ASCII reverse-path without SMTPUTF8.
    sender_not_ascii() = 550 ["5.6.7"]
        "non-ASCII sender address without SMTPUTF8"
        => Utf8NotSupported, &[Mail], "RFC 6531 §3.5";
    /// A non-ASCII forward-path without SMTPUTF8.
    recipient_not_ascii() = 553 ["5.6.7"]
        "non-ASCII recipient address without SMTPUTF8"
        => Utf8NotSupported, &[Rcpt], "RFC 6531 §3.5";
    /// Raw 8-bit octets in the header without SMTPUTF8, where a setting refuses them.
    headers_not_ascii() = 554 ["5.6.9"]
        "message header has 8-bit octets without SMTPUTF8"
        => Utf8NotSupported, &[EndOfData], "RFC 6531 §3.5";

    // ── the server ───────────────────────────────────────────────────────────────

    /// No space left for the spool; nothing is half-written.
    server_full() = 452 ["4.3.1"]
        "not enough storage for mail on this server; try again later"
        => ServerFull, &[Mail, Data, Bdat, EndOfData], "RFC 5321 §4.2.3";
    /// The spool or a mailbox could not be read or written.
    server_fault() = 451 ["4.3.0"]
        "local error in processing; try again later"
        => ServerFault, &[Mail, Rcpt, Data, Bdat, EndOfData], "RFC 5321 §4.2.3";
    /// `limits.connections`, memory or descriptors are used up.
    server_busy() = 421 ["4.3.2"]
        "server is busy; try again later"
        => ServerBusy, ANY_MOMENT, "RFC 5321 §3.8";
    /// SIGTERM or SIGINT.
    shutting_down() = 421 ["4.3.2"]
        "server is shutting down; try again later"
        => ServerBusy, ANY_MOMENT, "RFC 5321 §3.8";
    /// Nothing heard for `limits.idle`.
    idle_too_long() = 421 ["4.4.2"]
        "nothing heard for too long; closing connection"
        => ConnectionLost, ANY_MOMENT, "RFC 5321 §4.5.3.2.7";
    /// `limits.errors` in a row without an accepted message.
    too_many_errors() = 421 ["4.7.0"]
        "too many errors; closing connection"
        => SessionAbuse, ANY_MOMENT, "RFC 5321 §4.2.1, §7.8";
    /// An HTTP request on an SMTP port.
    not_http() = 421 ["4.7.0"]
        "this is SMTP, not HTTP; closing connection"
        => SessionAbuse, &[Unrecognized], "RFC 5321 §7.8";
    /// Talking before the greeting, with `greet_delay` set; then 503 until QUIT.
    talked_too_early() = 554 []
        "no SMTP service for you: you spoke before the greeting"
        => SessionAbuse, &[Connection], "RFC 5321 §3.1, §4.3.1";
    /// Every command but QUIT after a 554 greeting.
    no_service() = 503 ["5.5.1"]
        "bad sequence of commands: no SMTP service for you, send QUIT"
        => BadSequence, ANY_COMMAND, "RFC 5321 §3.1";
}

/// The row of that name.
pub fn row(id: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.id == id)
}

/// Every row that names `cause`.
pub fn rows_of(cause: Cause) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.cause == Some(cause))
}
