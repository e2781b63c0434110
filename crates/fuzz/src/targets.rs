//! The targets. Each file reads one kind of thing.

mod canary;
mod dsn;
mod grammar;
mod heard;
mod peer;
mod session;
mod settings;
mod spool;

use crate::{Seeds, Target};

const DIALOGS: &str = "tests/dialogs";
const MAILS: &str = "crates/reply/tests/heard/mail";
const REPLIES: &str = "crates/reply/tests/heard/replies.tsv";
const LOGS: &str = "crates/reply/tests/heard/logs.tsv";

const VERBS: &[&str] = &[
    "EHLO ",
    "HELO ",
    "LHLO ",
    "MAIL FROM:<",
    "RCPT TO:<",
    "DATA\r\n",
    "BDAT ",
    " LAST\r\n",
    "RSET\r\n",
    "VRFY ",
    "EXPN ",
    "NOOP",
    "QUIT\r\n",
    "HELP",
    "TURN",
    "AUTH ",
    "STARTTLS",
    " SIZE=",
    " BODY=8BITMIME",
    " SMTPUTF8",
    " RET=HDRS",
    " ENVID=",
    " NOTIFY=NEVER",
    " ORCPT=rfc822;",
    "\r\n.\r\n",
    "\n.\n",
    "\r",
    "\0",
    "18446744073709551615",
    "@[IPv6:",
    "\"",
];
const REPLY_WORDS: &[&str] = &[
    "220 ",
    "250-",
    "250 ",
    "354 ",
    "421 ",
    "450 4.2.0 ",
    "452 4.2.2 ",
    "500 ",
    "502 5.5.1 ",
    "550 5.1.1 ",
    "552 ",
    "\r\n",
    "Greylisted",
    "retry=00:05:00",
    "in 300 seconds",
    "PIPELINING",
    "CHUNKING",
    "8BITMIME",
    "SIZE 10",
    "SMTPUTF8",
    "DSN",
    "LIMITS RCPTMAX=1",
];
const MAIL_WORDS: &[&str] = &[
    "From: MAILER-DAEMON\n",
    "Content-Type: multipart/report; boundary=b\n",
    "\n--b\n",
    "--b--",
    "Content-Type: message/delivery-status\n\n",
    "Final-Recipient: rfc822; ",
    "Action: failed\n",
    "Status: 5.1.1\n",
    "Diagnostic-Code: smtp; ",
    "Content-Transfer-Encoding: base64\n",
    "Content-Type: message/rfc822\n\n",
    "=?utf-8?b?",
    "charset=iso-2022-jp",
    "said: 550 ",
    "\nFrom a@b Thu Jan  1 00:00:00 1970\n",
    "{\"notificationType\":\"Bounce\"",
    "<html>",
];
const LOG_WORDS: &[&str] = &[
    "Nov 24 10:00:00 mx postfix/smtp[1]: ",
    "status=deferred (host ",
    " said: 450 4.7.1 ",
    "to=<",
    "NOQUEUE: reject: ",
    "2026-11-24T10:00:00Z ",
    " == ",
    " ** ",
    "SMTP error from remote",
    "{\"type\":\"TransientFailure\"",
    "dsn=4.2.0",
    "relay=",
    "stat=Deferred: ",
];

/// A bug that was planted: what the engine must find.
pub const CANARY: Target = Target {
    name: "canary",
    run: canary::run,
    seeds: &[Seeds::Words(&["BDAT 1"])],
    words: canary::WORDS,
};

/// Every target of the product.
pub const TARGETS: &[Target] = &[
    Target { name: "session", run: session::run, seeds: &[Seeds::Clients(DIALOGS)], words: VERBS },
    Target { name: "peer", run: peer::run, seeds: &[Seeds::Servers(DIALOGS)], words: REPLY_WORDS },
    Target {
        name: "commands",
        run: grammar::commands,
        seeds: &[Seeds::Commands(DIALOGS)],
        words: VERBS,
    },
    Target {
        name: "addresses",
        run: grammar::addresses,
        seeds: &[Seeds::Words(&[
            "a@example.org",
            "\"a b\"@example.org",
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
            "\"\\\"\"@b\u{fc}cher.example",
            "<@one,@two:a@example.org>",
            "Postmaster",
        ])],
        words: VERBS,
    },
    Target {
        name: "replies",
        run: heard::reply,
        seeds: &[Seeds::Lines(REPLIES)],
        words: REPLY_WORDS,
    },
    Target { name: "mail", run: heard::mail, seeds: &[Seeds::Files(MAILS)], words: MAIL_WORDS },
    Target {
        name: "anything",
        run: heard::anything,
        seeds: &[Seeds::Files(MAILS), Seeds::Lines(LOGS), Seeds::Lines(REPLIES)],
        words: MAIL_WORDS,
    },
    Target {
        name: "mailbox",
        run: heard::mailbox,
        seeds: &[Seeds::Mailbox(MAILS), Seeds::Files(MAILS)],
        words: MAIL_WORDS,
    },
    Target { name: "logs", run: heard::log, seeds: &[Seeds::Lines(LOGS)], words: LOG_WORDS },
    Target { name: "dsn", run: dsn::run, seeds: &[Seeds::Files(MAILS)], words: MAIL_WORDS },
    Target {
        name: "settings",
        run: settings::run,
        seeds: &[Seeds::Settings],
        words: settings::WORDS,
    },
    Target {
        name: "spool",
        run: spool::run,
        seeds: &[Seeds::Words(&[
            "\0",
            "\u{1}\u{8}\u{40}flip",
            "\u{2}\u{2}\u{2}\u{2}\u{2}\u{2}\u{2}\u{2}",
            "\u{10}\u{20}\u{30}cut and grown again",
            "many many octets over the middle of the first record and what is behind it",
        ])],
        words: &[],
    },
];
