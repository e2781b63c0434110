//! Which way a recipient's mail goes: routes by domain, our own mailboxes, relaying.
//!
//! A route beats the mailbox lookup; else our own domains are delivered here; else the
//! setting `relay` decides. No DNS: the hosts of a domain are found at each attempt.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use smtp::syntax::{Domain, ForwardPath, Mailbox};

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HostPort { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Where the mail of a domain goes, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To one host, by SMTP.
    Host(HostPort),
    /// To the hosts that DNS names.
    Mx,
    /// To a unix socket, by LMTP.
    Lmtp(PathBuf),
    /// To the mailboxes of this machine.
    Local,
    /// Nowhere until it is released.
    Hold,
    /// Nowhere, and nobody is told.
    Discard,
}

/// Where mail for other domains goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Relay {
    /// Nowhere.
    #[default]
    Off,
    /// To the hosts that DNS names.
    Direct,
    /// To a smarthost.
    Host(HostPort),
}

/// Where one recipient's mail goes. Displayed it is the destination's name in the
/// schedule: recipients with the same one share connections and their pace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A mailbox of this machine.
    Local(Mailbox),
    /// One host.
    Host(HostPort),
    /// The hosts of a domain, in lower case.
    Domain(String),
    /// An address literal.
    Address(IpAddr),
    /// A unix socket, by LMTP.
    Lmtp(PathBuf),
    /// It waits, and why.
    Held(Held),
    /// It is dropped.
    Discard,
}

/// Why a recipient's mail is held by its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    /// The route says `hold`.
    Route,
    /// The setting `relay` is "off", and no route leads there.
    RelayOff,
    /// An address literal that is no address.
    NoAddress,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Held::Route => "its route says `hold`",
            Held::RelayOff => "sending elsewhere is off here; set `relay` or a route",
            Held::NoAddress => "its address literal is of a kind that cannot be connected to",
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Local(mailbox) => write!(f, "local:{mailbox}"),
            Destination::Host(host) => write!(f, "host:{host}"),
            Destination::Domain(domain) => write!(f, "mx:{domain}"),
            Destination::Address(address) => write!(f, "address:{address}"),
            Destination::Lmtp(path) => write!(f, "lmtp:{}", path.display()),
            Destination::Held(_) => f.write_str("hold"),
            Destination::Discard => f.write_str("discard"),
        }
    }
}

/// Knows the ways.
#[derive(Clone, Debug, Default)]
pub struct Router {
    routes: Vec<(Pattern, Route)>,
    own_domains: Vec<String>,
    own_addresses: Vec<IpAddr>,
    relay: Relay,
}

/// A domain, `*.domain` (all below it), or `*`; in lower case. Declared in the order in
/// which the more special one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    Below(String),
    Anything,
}

impl Pattern {
    fn parse(text: &str) -> Pattern {
        let text = text.to_lowercase();
        match (text.as_str(), text.strip_prefix("*.")) {
            ("*", _) => Pattern::Anything,
            (_, Some(parent)) => Pattern::Below(format!(".{parent}")),
            _ => Pattern::Exactly(text),
        }
    }

    fn matches(&self, domain: &str) -> bool {
        match self {
            Pattern::Exactly(exactly) => domain == exactly,
            Pattern::Below(suffix) => domain.ends_with(suffix) && domain.len() > suffix.len(),
            Pattern::Anything => true,
        }
    }

    /// Greater is more special: an exact domain, then the longest suffix.
    fn speciality(&self) -> usize {
        match self {
            Pattern::Exactly(_) => usize::MAX,
            Pattern::Below(suffix) => suffix.len(),
            Pattern::Anything => 0,
        }
    }
}

impl Router {
    /// A router for `own_domains` (the first one is the server's own), with `routes` by
    /// domain, `*.domain` or `*`; the most special one wins. `own_addresses` are those
    /// whose literals are ours.
    pub fn new(
        routes: impl IntoIterator<Item = (String, Route)>,
        own_domains: Vec<String>,
        own_addresses: Vec<IpAddr>,
        relay: Relay,
    ) -> Router {
        let mut routes: Vec<(Pattern, Route)> =
            routes.into_iter().map(|(domain, route)| (Pattern::parse(&domain), route)).collect();
        routes.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.speciality()));
        Router { routes, own_domains, own_addresses, relay }
    }

    /// The route of a domain, where one is configured.
    pub fn route(&self, domain: &str) -> Option<&Route> {
        let domain = domain.to_lowercase();
        let matching = self.routes.iter().find(|(pattern, _)| pattern.matches(&domain));
        matching.map(|(_, route)| route)
    }

    /// Whether the domain's mailboxes are ours (it may have a route all the same).
    pub fn is_own(&self, domain: &Domain) -> bool {
        match domain.address() {
            Some(address) => self.own_addresses.contains(&address),
            None => self.own_domains.iter().any(|own| own.eq_ignore_ascii_case(domain.as_str())),
        }
    }

    /// Whether mail for domains without a route goes anywhere.
    pub fn relays(&self) -> bool {
        self.relay != Relay::Off
    }

    /// Which way a recipient's mail goes.
    pub fn destination(&self, path: &ForwardPath) -> Destination {
        let mailbox = match path {
            ForwardPath::Mailbox(mailbox) => mailbox.clone(),
            ForwardPath::Postmaster => match self.postmaster() {
                Some(mailbox) => mailbox,
                None => return Destination::Held(Held::RelayOff),
            },
        };
        match self.route(mailbox.domain.as_str()) {
            Some(Route::Host(host)) => Destination::Host(host.clone()),
            Some(Route::Mx) => by_dns(&mailbox.domain),
            Some(Route::Lmtp(path)) => Destination::Lmtp(path.clone()),
            Some(Route::Local) => Destination::Local(mailbox),
            Some(Route::Hold) => Destination::Held(Held::Route),
            Some(Route::Discard) => Destination::Discard,
            None if self.is_own(&mailbox.domain) => Destination::Local(self.named(mailbox)),
            None => self.elsewhere(&mailbox.domain),
        }
    }

    /// The way of a recipient whose message was released: the hold of its route is passed,
    /// as if that route were not there.
    pub fn destination_when_released(&self, path: &ForwardPath) -> Destination {
        match (self.destination(path), path.mailbox()) {
            (Destination::Held(Held::Route), Some(mailbox)) if self.is_own(&mailbox.domain) => {
                Destination::Local(self.named(mailbox.clone()))
            }
            (Destination::Held(Held::Route), Some(mailbox)) => self.elsewhere(&mailbox.domain),
            (destination, _) => destination,
        }
    }

    /// The server's own postmaster (RFC 5321 §4.5.1).
    fn postmaster(&self) -> Option<Mailbox> {
        format!("postmaster@{}", self.own_domains.first()?).parse().ok()
    }

    /// A mailbox at one of our address literals is the one at our first domain.
    fn named(&self, mailbox: Mailbox) -> Mailbox {
        let first = self.own_domains.first().and_then(|domain| domain.parse().ok());
        match first.filter(|_| mailbox.domain.is_literal()) {
            Some(domain) => Mailbox { domain, ..mailbox },
            None => mailbox,
        }
    }

    fn elsewhere(&self, domain: &Domain) -> Destination {
        match &self.relay {
            Relay::Off => Destination::Held(Held::RelayOff),
            Relay::Direct => by_dns(domain),
            Relay::Host(host) => Destination::Host(host.clone()),
        }
    }
}

fn by_dns(domain: &Domain) -> Destination {
    match (domain.address(), domain.is_literal()) {
        (Some(address), _) => Destination::Address(address),
        (None, true) => Destination::Held(Held::NoAddress),
        (None, false) => Destination::Domain(domain.as_str().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(relay: Relay) -> Router {
        let host = |host: &str| Route::Host(HostPort { host: host.to_owned(), port: 2526 });
        let routes = [
            ("*", Route::Hold),
            ("*.example.net", host("wild.test")),
            ("*.deep.example.net", host("deep.test")),
            ("Example.NET", Route::Mx),
            ("lists.example.org", Route::Lmtp("/run/lists".into())),
            ("gone.test", Route::Discard),
            ("here.test", Route::Local),
        ];
        // The catch-all is only wanted where `relay` is not under test.
        let skip = usize::from(relay != Relay::Off);
        let routes =
            routes.into_iter().skip(skip).map(|(domain, route)| (domain.to_owned(), route));
        let own = vec!["example.org".to_owned(), "lists.example.org".to_owned()];
        Router::new(routes, own, vec![IpAddr::from([192, 0, 2, 1])], relay)
    }

    fn way(router: &Router, address: &str) -> String {
        let path = match address {
            "Postmaster" => ForwardPath::Postmaster,
            mailbox => ForwardPath::Mailbox(mailbox.parse().unwrap()),
        };
        router.destination(&path).to_string()
    }

    #[test]
    fn the_most_special_route_wins_and_beats_our_own_mailboxes() {
        let router = router(Relay::Off);
        assert_eq!(way(&router, "a@example.net"), "mx:example.net");
        assert_eq!(way(&router, "a@x.example.net"), "host:wild.test:2526");
        assert_eq!(way(&router, "a@x.DEEP.example.net"), "host:deep.test:2526");
        assert_eq!(way(&router, "a@lists.example.org"), "lmtp:/run/lists");
        assert_eq!(way(&router, "a@gone.test"), "discard");
        assert_eq!(way(&router, "a@here.test"), "local:a@here.test");
        assert_eq!(way(&router, "a@unknown.test"), "hold");
    }

    #[test]
    fn without_a_route_our_own_domains_are_local_and_relay_decides_the_rest() {
        let smart = HostPort { host: "2001:db8::1".to_owned(), port: 25 };
        let check = |relay: Relay, address: &str, expected: &str| {
            assert_eq!(way(&router(relay), address), expected, "{address}");
        };
        check(Relay::Direct, "b@example.org", "local:b@example.org");
        check(Relay::Direct, "Postmaster", "local:postmaster@example.org");
        check(Relay::Direct, "b@[192.0.2.1]", "local:b@example.org");
        check(Relay::Direct, "b@[192.0.2.9]", "address:192.0.2.9");
        check(Relay::Direct, "b@Elsewhere.test", "mx:elsewhere.test");
        check(Relay::Host(smart), "b@elsewhere.test", "host:[2001:db8::1]:25");
    }

    #[test]
    fn what_may_not_leave_is_held_with_the_reason() {
        let router = Router::new([], vec!["example.org".to_owned()], vec![], Relay::Off);
        let path = ForwardPath::Mailbox("a@example.com".parse().unwrap());
        let destination = router.destination(&path);
        assert_eq!(destination, Destination::Held(Held::RelayOff));
        assert!(Held::RelayOff.to_string().contains("`relay`"));
    }
}
