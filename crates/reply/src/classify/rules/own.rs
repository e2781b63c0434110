//! Words that sending programs write into their own logs where nobody answered them, or
//! where they did not get as far as asking.

use super::{Rank::*, Rule, rule};
use crate::Cause::*;

pub(super) const RULES: &[Rule] = &[
    rule(
        "own-tls-failed",
        Provider,
        TlsFailed,
        &[EncryptionRequired],
        &[
            "tls engine is unavailable",
            "ssl connect error to",
            "cannot start tls",
            "tls session (gnutls handshake)",
            "tls session: (gnutls handshake)",
            "tls session: (ssl connect)",
            "tls error on connection",
            "certificate verification failed for",
        ],
        &[
            "454 TLS is required, but our TLS engine is unavailable",
            "454 TLS session: (gnutls_handshake): A TLS fatal alert has been received.",
        ],
    ),
    rule(
        "own-name-lookup",
        Provider,
        DnsFailed,
        &[],
        &[
            "host not found, try again",
            "host lookup did not complete",
            "host name lookup failure",
            "temporary failure in mx lookup",
            "temporary dns failure",
            "mx lookup failed .. timeout",
        ],
        &[
            "450 Host or domain name not found. Name service error for name=mx.example.net type=A: Host not found, try again",
            "450 host lookup did not complete",
        ],
    ),
    rule(
        "own-no-such-host",
        Provider,
        DomainNotFound,
        &[RouteUnusable],
        &["couldn't find any host named", "could not find any host named"],
        &["550 Sorry, I couldn't find any host named nodomain.example. (#5.1.2)"],
    ),
    rule(
        "own-no-usable-route",
        Provider,
        RouteUnusable,
        &[DomainNotFound],
        &[
            "all relevant mx records point to non existent hosts",
            "an mx or srv record indicated no smtp service",
            "lowest numbered mx record points to local host",
            "loop detected .. mx record",
        ],
        &["550 all relevant MX records point to non-existent hosts"],
    ),
    rule(
        "own-no-connection",
        Provider,
        HostUnreachable,
        &[RouteUnusable],
        &[
            "network error on destination mxs",
            "no connection could be made",
            "winsock error code: 10060",
            "winsock error code: 10061",
        ],
        &["450 Network error on destination MXs"],
    ),
    rule(
        "own-program-too-slow",
        Provider,
        ServerFault,
        &[],
        &["command time limit exceeded:", "child process .. timed out"],
        &["451 4.3.0 Command time limit exceeded: \"/usr/bin/filter\""],
    ),
    rule(
        "own-expansion-failed",
        Clear,
        ServerFault,
        &[],
        &["expansion failed", "failed to expand", "operation not permitted", "setgid", "setuid"],
        &["451 failed to expand a string"],
    ),
    rule(
        "own-no-address",
        Clear,
        RouteUnusable,
        &[DomainNotFound, DnsFailed],
        &["no address associated with", "no address for host"],
        &["550 mx.example.net: No address associated with hostname"],
    ),
];
