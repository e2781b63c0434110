//! Every key that can be set, declared once: what it sets, its type, its default, and
//! why that default. `config example` and docs/reference/config.md are made from here.

use std::time::Duration;

use mta::router::Relay;
use queue::retry::RetryOptions;

use super::expected::Expected;
use super::fault::Fault;
use super::field::{Field, Given, Section, Setting, section};
use super::values::{
    AccessRules, Addresses, BareLineEnd, EightBitHeaders, HostName, LogFormat, LogLevel, Names,
    Networks, Offer, Patience, Patterns, Rate, Routes, Size, SocketPath, WebAddress,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

section! {
    /// Everything that can be set.
    Config {
        /// The name this server gives itself, in its greeting and with EHLO; empty is the
        /// name of this machine.
        hostname: HostName = HostName::automatic(),
            "the machine's name is right wherever it resolves, as RFC 5321 §4.1.4 asks";
        /// The domains whose mail is delivered here; empty is `localhost` and the host name.
        domains: Names = Names::default(),
            "enough to try it on one machine, and no other site's mail is taken by mistake";
        /// Where mail for other domains goes: `off` (nowhere: refused), `direct` (to the
        /// hosts that DNS names) or `host:port` (all to that smarthost).
        relay: Relay = Relay::Off,
            "nothing is sent to the Internet until somebody decides that it shall be";
        /// Routes by domain (or `*.domain`, or `*`), before the mailbox lookup: `host:port`,
        /// `mx`, `lmtp:PATH`, `local`, `hold` or `discard`.
        routes: Routes = Routes::default(),
            "without a route the domains that are ours are local and the rest follows `relay`";
        /// What VRFY is answered: `off` (502), `noncommittal` (252) or `on` (the truth).
        vrfy: Offer = Offer::Off,
            "an address list is worth money to spammers; RFC 5321 §7.3 would rather have \
             `noncommittal`, which tells the sender nothing either, but sounds like a maybe";
        /// What EXPN is answered: `off` (502), `noncommittal` (252) or `on` (the members).
        expn: Offer = Offer::Off,
            "as for `vrfy`, and the members of a list are their own business";
        /// Wait so long before the greeting and refuse who talks earlier; `0s` is off.
        greet_delay: Duration = Duration::ZERO,
            "it keeps simple spamware out and costs every honest sender the same time";
        /// Raw 8-bit octets in a header without SMTPUTF8: `accept` or `refuse` (554 5.6.9).
        eight_bit_headers: EightBitHeaders = EightBitHeaders::Accept,
            "such mail is wrong and common, and most readers show it well enough";
        /// Networks whose clients are never greylisted.
        own_networks: Networks = Networks::default(),
            "none, not even loopback, so that greylisting can be seen from this machine";
        /// Rules in order, the first that fits decides: `action` is `accept`, `defer` or
        /// `refuse`; `clients`, `hellos`, `senders`, `recipients` narrow it. `accept` opens no relay.
        access: AccessRules = AccessRules::default(),
            "whom to refuse is each site's own knowledge";
        @sections {
            /// Where connections are taken.
            listen: Listen;
            /// Bare CR or LF in message data.
            bare_line_end: BareLineEnds;
            /// Greylisting.
            greylist: Greylist;
            /// Limits.
            limits: Limits;
            /// How long another server is waited for.
            timeouts: Timeouts;
            /// Rate limits.
            rate: Rates;
            /// When undelivered mail is attempted again.
            retry: RetryOptions;
            /// Mailboxes.
            mailbox: MailboxSettings;
            /// The story of each message.
            history: History;
            /// The log.
            log: Log;
            /// Web pages.
            web: Web;
        }
    }
}

section! {
    /// Where connections are taken.
    Listen {
        /// Mail from other servers: an address with a port, a list of them, or `off`.
        mx: Addresses = Addresses::loopback(2525),
            "reachable from this machine only and without privileges, until told otherwise";
        /// Mail from programs of this machine: an address with a port, a list, or `off`.
        submission: Addresses = Addresses::loopback(2587),
            "only loopback may submit until clients can log in";
        /// Web pages that explain replies: an address with a port, a list, or `off`.
        web: Addresses = Addresses::loopback(2580),
            "who reads a log on this machine can look a code up beside it; where another \
             program has this port already, the pages are left out and the mail goes on";
        /// LMTP on a unix socket: a path (relative to the data directory) or `off`.
        lmtp: SocketPath = SocketPath::at("lmtp.sock"),
            "in the data directory, so that only its owner reaches it";
    }
}

section! {
    /// What a bare CR or LF in message data leads to: `refuse` (550 5.6.0) or `make-crlf`.
    BareLineEnds {
        /// On the MX listener.
        mx: BareLineEnd = BareLineEnd::Refuse,
            "servers disagree on what such a line end is, and that smuggles messages";
        /// On the submission listener.
        submission: BareLineEnd = BareLineEnd::MakeCrlf,
            "programs of this machine write LF and mean CRLF";
        /// On the LMTP socket.
        lmtp: BareLineEnd = BareLineEnd::MakeCrlf,
            "what feeds the socket runs on this machine, as for submission";
    }
}

section! {
    /// Greylisting: the first attempt of an unknown sender is turned away, a later one passes.
    Greylist {
        /// Whether it is done.
        enabled: bool = true,
            "it costs an honest sender one retry, and much spam is never sent twice";
        /// An attempt passes so long after the first.
        window: Duration = Duration::from_secs(MINUTE),
            "what never comes back does not come back after a minute either";
        /// A retry counts until so long after the first attempt; then it is a first one again.
        open: Duration = Duration::from_secs(48 * HOUR),
            "slow queues come back once a day";
        /// A client that passed is known for so long after its last mail.
        white: Duration = Duration::from_secs(35 * DAY),
            "a monthly newsletter stays known";
        /// This attempt passes, however early it comes.
        attempts: u32 = 3,
            "who comes three times within a minute does come back";
        /// No attempt waits for longer than this, however long `window` is.
        longest_wait: Duration = Duration::from_secs(30 * MINUTE),
            "after half an hour people begin to ask where their mail is";
        /// Networks that are never greylisted.
        exempt_clients: Networks = Networks::default(),
            "`own_networks` is the usual place";
        /// Senders that are never greylisted.
        exempt_senders: Patterns = Patterns::default(),
            "a sender's address is easily forged";
        /// Recipients whose mail is never greylisted; `postmaster@` and `abuse@` never are.
        exempt_recipients: Patterns = Patterns::default(),
            "who has trouble sending can reach the postmaster as it is";
    }
}

section! {
    /// Limits, each with its reason.
    Limits {
        /// The largest message, told with SIZE.
        message: Size = Size::mebibytes(50),
            "what large providers take; more belongs on a file server";
        /// Recipients in one transaction, told with LIMITS RCPTMAX; more get 452 4.5.3.
        recipients: u32 = 1000,
            "RFC 5321 §4.5.3.1.8 asks for 100 at least; one list in one transaction";
        /// Octets in a command line with CRLF; a longer one gets 500 5.5.2.
        command_line: Size = Size::octets(4096),
            "RFC 5321 §4.5.3.1.4 asks for 512 and extensions add to it; room for long UTF-8 paths";
        /// Connections at once, all listeners together; more get 421 4.3.2.
        connections: u32 = 4000,
            "a session costs a few KiB; one client alone cannot use them all up";
        /// Connections of one client address at once, loopback not exempt; more get 421 4.7.0.
        connections_per_client: u32 = 1000,
            "far above what any sender needs, far below what hurts";
        /// Errors in a row without an accepted message; then 421 4.7.0.
        errors: u32 = 20,
            "a person at telnet stays below, an address harvester does not";
        /// Silence of a client; then 421 4.4.2.
        idle: Patience = Patience::secs(5 * MINUTE),
            "RFC 5321 §4.5.3.2.7 asks for at least 5 minutes";
        /// Received fields in a message; more are a loop, 554 5.4.6.
        received: u32 = 100,
            "RFC 5321 §6.3 asks for at least 100";
        /// Connections to one destination at once.
        destination_connections: u32 = 20,
            "more looks like an attack to small sites";
        /// Connections to all destinations at once.
        outgoing_connections: u32 = 200,
            "each may last minutes; 200 keep a full queue moving";
    }
}

section! {
    /// How long mail that goes out waits for another server.
    Timeouts {
        /// The longest time until a connection to another server is made.
        connect: Patience = Patience::secs(30),
            "RFC 5321 names no time; the system's own two minutes are long where a destination \
             has twenty addresses to try";
        /// The longest time until another server's greeting has come.
        greeting: Patience = Patience::secs(5 * MINUTE),
            "RFC 5321 §4.5.3.2.1; a busy server lets clients wait for it rather than turn them away";
        /// The longest time until another server has answered EHLO, HELO, LHLO or RSET.
        command: Patience = Patience::secs(5 * MINUTE),
            "as for `greeting`";
        /// The longest time until another server has answered MAIL.
        mail: Patience = Patience::secs(5 * MINUTE),
            "RFC 5321 §4.5.3.2.2";
        /// The longest time until another server has answered RCPT.
        recipient: Patience = Patience::secs(5 * MINUTE),
            "RFC 5321 §4.5.3.2.3; longer where aliases and lists are only looked up later";
        /// The longest time until another server has answered DATA.
        data: Patience = Patience::secs(2 * MINUTE),
            "RFC 5321 §4.5.3.2.4";
        /// The longest time until another server has taken a piece of the message, or has
        /// answered BDAT.
        block: Patience = Patience::secs(3 * MINUTE),
            "RFC 5321 §4.5.3.2.5";
        /// The longest time until another server has answered the end of the message.
        end_of_data: Patience = Patience::secs(10 * MINUTE),
            "RFC 5321 §4.5.3.2.6: it may deliver now, and who gives up too soon sends it twice";
        /// The longest time until another server has answered QUIT.
        quit: Patience = Patience::secs(10),
            "nothing depends on it any more";
    }
}

section! {
    /// Messages in a time, as in `100/h` or `20/10m`; more get 450 or 451 4.7.1.
    Rates {
        /// Mail transactions of one client address.
        client: Rate = Rate::off(),
            "how much is too much is each site's own knowledge";
        /// Mail transactions of one sender; the null reverse-path is never limited.
        sender: Rate = Rate::off(),
            "as above";
        /// Messages to one recipient.
        recipient: Rate = Rate::off(),
            "as above";
    }
}

section! {
    /// Mailboxes of this machine.
    MailboxSettings {
        /// A mailbox whose lock is held for longer is answered as locked.
        lock_wait: Duration = Duration::from_millis(500),
            "a delivery or an append ends within it; a sender waits at RCPT meanwhile";
        /// Deliveries to one mailbox at once; more are told that it is busy.
        deliveries: u32 = 32,
            "more than `limits.destination_connections`, so that a burst of our own defers no \
             mail; and one slow mailbox must not hold up all others";
    }
}

section! {
    /// The story of each message, which `secondpost why` tells.
    History {
        /// So long after its end a message's story is kept.
        keep: Duration = Duration::from_secs(7 * DAY),
            "who misses a message asks within a week";
    }
}

section! {
    /// The log on stderr.
    Log {
        /// `text`, or `json` for one object a line.
        format: LogFormat = LogFormat::Text,
            "a person reads it first";
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: LogLevel = LogLevel::Info,
            "one line for what happens to a message, none for each command";
    }
}

section! {
    /// Web pages that explain replies.
    Web {
        /// The address that links in replies begin with, as in `https://mail.example.org`;
        /// empty is no links.
        address: WebAddress = WebAddress::none(),
            "a link that leads nowhere is worse than none";
    }
}

impl Config {
    /// The name this server gives itself.
    pub fn hostname(&self) -> String {
        self.hostname.or_machine()
    }

    /// The domains whose mail is delivered here, in lower case.
    pub fn domains(&self) -> Vec<String> {
        if !self.domains.0.is_empty() {
            return self.domains.0.clone();
        }
        let mut domains = vec!["localhost".to_owned()];
        let hostname = self.hostname();
        if !domains.contains(&hostname) {
            domains.push(hostname);
        }
        domains
    }
}

/// The retry settings are declared where they are used, in `queue::retry`; here each is
/// named once more to be read and shown.
macro_rules! retry_section {
    ($($name:ident: $kind:ty,)+) => {
        impl Section for RetryOptions {
            fn fields(prefix: &str) -> Vec<Field> {
                let default = RetryOptions::default();
                vec![$(retry_field(
                    format!("{prefix}{}", stringify!($name)),
                    <$kind as Setting>::EXPECTED,
                    default.$name.show(),
                ),)+]
            }

            fn set(&mut self, key: &str, given: &Given<'_>) -> Option<Result<(), Fault>> {
                match super::field::split(key) {
                    $((stringify!($name), None) => Some(
                        <$kind as Setting>::read(given).map(|value| self.$name = value)
                    ),
                    (stringify!($name), Some(part)) => self.$name.set_part(part, given),)+
                    _ => None,
                }
            }

            fn show(&self, key: &str) -> Option<String> {
                match key {
                    $(stringify!($name) => Some(self.$name.show()),)+
                    _ => None,
                }
            }
        }
    };
}

retry_section! {
    greylisted: queue::retry::Ladder,
    short: queue::retry::Ladder,
    standard: queue::retry::Ladder,
    slow: queue::retry::Ladder,
    rate_limited: queue::retry::Ladder,
    hint_safety: Duration,
    hint_longest: Duration,
    least_pause: Duration,
    give_up_after: Duration,
    delay_notice_after: Duration,
    window_kept: Duration,
    fallback_kept: Duration,
    unreachable_pause: Duration,
    unreachable_longest: Duration,
}

fn retry_field(key: String, expected: Expected, default: String) -> Field {
    let declared = RetryOptions::SETTINGS.iter().find(|setting| setting.name == key);
    let text = declared.map_or("", |setting| setting.reason);
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let (doc, reason) = text.split_once(": ").unwrap_or((&text, ""));
    Field { key, doc: doc.trim().to_owned(), reason: reason.to_owned(), expected, default }
}
