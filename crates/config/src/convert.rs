//! The settings as each floor takes them: `smtp`'s session options, `policy`'s rules,
//! `mta`'s router. No setting is decided here.

use std::sync::Arc;
use std::time::Duration;

use mta::router::Router;
use policy::greylist::{self, Exempt};
use policy::rate::Limit;
use policy::{Access, Rates};
use smtp::client;
use smtp::framing::decode;
use smtp::server::{self, Limits, Options, Protocol};
use store::Table;

use super::settings::Config;
use super::values::{BareLineEnd, EightBitHeaders, Offer, Rate};

impl Config {
    /// What a session of that protocol is told.
    pub fn session_options(&self, protocol: Protocol) -> Options {
        let bare_line_end = match protocol {
            Protocol::Smtp => self.bare_line_end.mx,
            Protocol::Submission => self.bare_line_end.submission,
            Protocol::Lmtp => self.bare_line_end.lmtp,
        };
        // Only strangers are made to wait for the greeting.
        let delay = Some(self.greet_delay).filter(|delay| !delay.is_zero());
        Options {
            limits: self.session_limits(),
            vrfy: offer(self.vrfy),
            expn: offer(self.expn),
            bare_line_end: match bare_line_end {
                BareLineEnd::Refuse => decode::BareLineEnd::Refuse,
                BareLineEnd::MakeCrlf => decode::BareLineEnd::MakeCrlf,
            },
            eight_bit_headers: match self.eight_bit_headers {
                EightBitHeaders::Accept => server::EightBitHeaders::Accept,
                EightBitHeaders::Refuse => server::EightBitHeaders::Refuse,
            },
            greet_delay: delay.filter(|_| protocol == Protocol::Smtp),
            ..Options::new(self.hostname(), protocol)
        }
    }

    fn session_limits(&self) -> Limits {
        let limits = &self.limits;
        Limits {
            message_octets: limits.message.0,
            recipients: count(limits.recipients),
            command_line_octets: usize::try_from(limits.command_line.0).unwrap_or(usize::MAX),
            errors: count(limits.errors),
            received_fields: count(limits.received),
            idle: limits.idle.0,
        }
    }

    /// What a session with another server is told.
    pub fn client_options(&self) -> client::Options {
        let waits = &self.timeouts;
        let timeouts = client::Timeouts {
            connect: waits.connect.0,
            greeting: waits.greeting.0,
            command: waits.command.0,
            mail: waits.mail.0,
            recipient: waits.recipient.0,
            data: waits.data.0,
            block: waits.block.0,
            end_of_data: waits.end_of_data.0,
            quit: waits.quit.0,
        };
        client::Options { hostname: self.hostname(), timeouts, ..client::Options::default() }
    }

    /// Which way mail goes.
    pub fn router(&self) -> Router {
        let addresses = self.listen.mx.0.iter().map(std::net::SocketAddr::ip);
        let own_addresses = addresses.filter(|address| !address.is_unspecified()).collect();
        Router::new(self.routes.0.clone(), self.domains(), own_addresses, self.relay.clone())
    }

    /// Who may send to whom.
    pub fn access(&self) -> Access {
        Access { rules: self.access.0.iter().map(|rule| rule.rule.clone()).collect() }
    }

    /// Greylisting.
    pub fn greylist_options(&self) -> greylist::Options {
        let settings = &self.greylist;
        greylist::Options {
            enabled: settings.enabled,
            window: settings.window,
            open_for: settings.open,
            white_for: settings.white,
            passing_attempt: u8::try_from(settings.attempts).unwrap_or(u8::MAX),
            longest_wait: settings.longest_wait,
            exempt: Exempt {
                clients: settings.exempt_clients.0.clone(),
                senders: settings.exempt_senders.patterns().to_vec(),
                recipients: settings.exempt_recipients.patterns().to_vec(),
            },
            link: self.web.address.address().map(|address| format!("{address}/causes/greylisted")),
        }
    }

    /// The rate limits, with `buckets` to keep them in.
    pub fn rates(&self, buckets: Arc<dyn Table>) -> Rates {
        let limit = |rate: Rate| {
            let (count, per): (u32, Duration) = rate.limit()?;
            Limit::new(count, per)
        };
        let mut rates = Rates::new(buckets);
        rates.client = limit(self.rate.client);
        rates.sender = limit(self.rate.sender);
        rates.recipient = limit(self.rate.recipient);
        rates
    }
}

const fn offer(offer: Offer) -> server::Offer {
    match offer {
        Offer::Off => server::Offer::Off,
        Offer::Noncommittal => server::Offer::Noncommittal,
        Offer::On => server::Offer::On,
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mta::router::{Destination, Route};
    use smtp::syntax::ForwardPath;
    use store::MemoryTable;

    use super::*;
    use crate::{Loaded, Sources};

    fn config(set: &[&str]) -> Config {
        let set = set.iter().map(|set| (*set).to_owned()).collect();
        Loaded::from(&Sources { set, ..Sources::default() }).unwrap().config
    }

    #[test]
    fn the_defaults_of_the_settings_are_those_of_the_floors() {
        let config = config(&["hostname=mail.test"]);
        for protocol in [Protocol::Smtp, Protocol::Submission] {
            assert_eq!(config.session_options(protocol), Options::new("mail.test", protocol));
        }
        let (ours, theirs) = (config.greylist_options(), greylist::Options::default());
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }

    #[test]
    fn settings_reach_the_floor_that_they_are_for() {
        let config = config(&[
            "limits.message=1KiB",
            "vrfy=on",
            "greet_delay=2s",
            "rate.client=5/m",
            "greylist.exempt_senders=[\"@example.org\"]",
            "web.address=https://mail.test/",
            "access=[{action=\"refuse\",clients=[\"192.0.2.0/24\"]}]",
        ]);
        let mx = config.session_options(Protocol::Smtp);
        assert_eq!((mx.limits.message_octets, mx.vrfy), (1024, server::Offer::On));
        assert_eq!(mx.greet_delay, Some(Duration::from_secs(2)));
        assert_eq!(config.session_options(Protocol::Submission).greet_delay, None);
        assert!(config.rates(Arc::new(MemoryTable::default())).client.is_some());
        assert_eq!(config.access().rules[0].clients.len(), 1);
        let greylist = config.greylist_options();
        assert_eq!(greylist.exempt.senders.len(), 1);
        assert_eq!(greylist.link.as_deref(), Some("https://mail.test/causes/greylisted"));
    }

    /// RFC 5321 §4.5.3.2: they "SHOULD be easily reconfigurable".
    #[test]
    fn another_server_is_waited_for_as_long_as_is_set() {
        assert_eq!(config(&[]).client_options().timeouts, client::Timeouts::default());
        let names = ["connect", "greeting", "command", "mail", "recipient", "data", "block"];
        let names = names.iter().chain(&["end_of_data", "quit"]).zip(1..);
        let set: Vec<String> =
            names.map(|(name, secs)| format!("timeouts.{name}={secs}s")).collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let secs = Duration::from_secs;
        let expected = client::Timeouts {
            connect: secs(1),
            greeting: secs(2),
            command: secs(3),
            mail: secs(4),
            recipient: secs(5),
            data: secs(6),
            block: secs(7),
            end_of_data: secs(8),
            quit: secs(9),
        };
        assert_eq!(config(&set).client_options().timeouts, expected);
    }

    #[test]
    fn routes_lead_where_they_say() {
        let config =
            config(&["domains=a.test", "routes={\"b.test\"=\"hold\",\"*.c.test\"=\"mx\"}"]);
        let expected = BTreeMap::from([
            ("*.c.test".to_owned(), Route::Mx),
            ("b.test".to_owned(), Route::Hold),
        ]);
        assert_eq!(config.routes.0, expected);
        let to = |address: &str| {
            config.router().destination(&ForwardPath::Mailbox(address.parse().unwrap()))
        };
        assert!(matches!(to("x@a.test"), Destination::Local(_)));
        assert!(matches!(to("x@y.c.test"), Destination::Domain(_)));
        assert!(matches!(to("x@b.test"), Destination::Held(_)));
    }
}
