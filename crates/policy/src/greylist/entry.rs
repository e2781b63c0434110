//! The entries as octets in the table: `Pending` for an attempt that waits, `White` for a
//! client that passed. The layout is written down in docs/design/greylist.md; octets that
//! do not decode count as no entry.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reply::Timestamp;

use super::Attempt;
use super::key::EntryId;

/// The first octet of the keys of [`Pending`] entries.
pub(super) const PENDING: u8 = b'p';
/// The first octet of the keys of [`White`] entries.
pub(super) const WHITE: u8 = b'w';

/// How much of an address is kept for `greylist list`; the key holds a hash of all of it.
const SHOWN_OCTETS: usize = 28;

/// An attempt that was told to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// The client's network.
    pub network: IpNet,
    /// The time of the first attempt.
    pub first_seen: Timestamp,
    /// How many there were.
    pub attempts: u8,
    /// The sender as first given, shortened.
    pub sender: String,
    /// The recipient, shortened.
    pub recipient: String,
}

impl Pending {
    /// Before the first attempt is counted.
    pub(super) fn first(network: &IpNet, attempt: &Attempt<'_>, now: Timestamp) -> Pending {
        Pending {
            network: *network,
            first_seen: now,
            attempts: 0,
            sender: shortened(attempt.sender),
            recipient: shortened(attempt.recipient),
        }
    }

    pub(super) fn key(id: EntryId) -> Vec<u8> {
        [&[PENDING], &id.0.to_be_bytes()[..]].concat()
    }

    /// The id in a key that [`Pending::key`] made.
    pub(super) fn id(key: &[u8]) -> Option<EntryId> {
        let id = key.strip_prefix(&[PENDING])?.try_into().ok()?;
        Some(EntryId(u64::from_be_bytes(id)))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![self.attempts];
        out.extend_from_slice(&short_time(self.first_seen));
        out.extend_from_slice(&network_octets(&self.network));
        out.push(self.sender.len() as u8); // at most SHOWN_OCTETS
        out.extend_from_slice(self.sender.as_bytes());
        out.extend_from_slice(self.recipient.as_bytes());
        out
    }

    pub(super) fn decode(octets: &[u8]) -> Option<Pending> {
        let (attempts, rest) = octets.split_first()?;
        let (first_seen, rest) = read_time(rest)?;
        let (network, rest) = read_network(rest)?;
        let (sender_len, rest) = rest.split_first()?;
        let (sender, recipient) = rest.split_at_checked(usize::from(*sender_len))?;
        Some(Pending {
            network,
            first_seen,
            attempts: *attempts,
            sender: String::from_utf8(sender.to_vec()).ok()?,
            recipient: String::from_utf8(recipient.to_vec()).ok()?,
        })
    }
}

/// A client that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct White {
    /// When it passed.
    pub since: Timestamp,
    /// Its last mail, or a minute before that.
    pub last_mail: Timestamp,
}

impl White {
    pub(super) fn key(network: &IpNet) -> Vec<u8> {
        [&[WHITE], &network_octets(network)[..]].concat()
    }

    /// The network in a key that [`White::key`] made.
    pub(super) fn network(key: &[u8]) -> Option<IpNet> {
        let (network, rest) = read_network(key.strip_prefix(&[WHITE])?)?;
        rest.is_empty().then_some(network)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [short_time(self.since), short_time(self.last_mail)].concat()
    }

    pub(super) fn decode(octets: &[u8]) -> Option<White> {
        let (since, rest) = read_time(octets)?;
        let (last_mail, rest) = read_time(rest)?;
        rest.is_empty().then_some(White { since, last_mail })
    }
}

/// Milliseconds in six octets: they last until the year 10889.
fn short_time(at: Timestamp) -> [u8; 6] {
    let millis = at.as_millis().min((1 << 48) - 1).to_be_bytes();
    [millis[2], millis[3], millis[4], millis[5], millis[6], millis[7]]
}

fn read_time(octets: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (time, rest) = octets.split_first_chunk::<6>()?;
    let millis = time.iter().fold(0u64, |millis, octet| millis << 8 | u64::from(*octet));
    Some((Timestamp::from_millis(millis), rest))
}

/// `4` and the three octets of a /24, or `6` and the eight of a /64.
fn network_octets(network: &IpNet) -> Vec<u8> {
    match network {
        IpNet::V4(net) => [&[4], &net.network().octets()[..3]].concat(),
        IpNet::V6(net) => [&[6], &net.network().octets()[..8]].concat(),
    }
}

fn read_network(octets: &[u8]) -> Option<(IpNet, &[u8])> {
    let (family, rest) = octets.split_first()?;
    match family {
        4 => {
            let ([a, b, c], rest) = rest.split_first_chunk::<3>()?;
            let net = Ipv4Net::new(Ipv4Addr::new(*a, *b, *c, 0), 24).ok()?;
            Some((IpNet::V4(net), rest))
        }
        6 => {
            let (prefix, rest) = rest.split_first_chunk::<8>()?;
            let address = u128::from(u64::from_be_bytes(*prefix)) << 64;
            let net = Ipv6Net::new(Ipv6Addr::from(address), 64).ok()?;
            Some((IpNet::V6(net), rest))
        }
        _ => None,
    }
}

/// The beginning and the end of `address` with `…` between them, where it is too long.
fn shortened(address: &str) -> String {
    const HEAD: usize = 8;
    const TAIL: usize = SHOWN_OCTETS - HEAD - '…'.len_utf8();
    if address.len() <= SHOWN_OCTETS {
        return address.to_owned();
    }
    let boundary = |at: &usize| address.is_char_boundary(*at);
    let head = (0..=HEAD).rev().find(boundary).unwrap_or(0);
    let tail = (address.len() - TAIL..=address.len()).find(boundary).unwrap_or(address.len());
    format!("{}…{}", &address[..head], &address[tail..])
}

#[cfg(test)]
mod tests {
    use super::super::key::network_of;
    use super::*;
    use proptest::prelude::*;

    fn pending(client: &str, sender: &str, recipient: &str) -> Pending {
        let client = client.parse().unwrap();
        let attempt = Attempt { client, sender, recipient };
        let at = Timestamp::from_millis(1_800_000_000_123);
        Pending::first(&network_of(client), &attempt, at)
    }

    #[test]
    fn an_entry_with_its_key_takes_at_most_82_octets_and_a_usual_one_64() {
        let usual = pending("192.0.2.1", "somebody@example.net", "user@example.org");
        assert!(usual.encode().len() + 9 <= 64, "{}", usual.encode().len() + 9);
        let longest = pending("2001:db8::1", &"s".repeat(300), &"r".repeat(300));
        assert!(longest.encode().len() + 9 <= 82, "{}", longest.encode().len() + 9);
    }

    #[test]
    fn a_long_address_keeps_its_beginning_and_its_domain() {
        let entry = pending("192.0.2.1", "bounces-0123456789-0123456789@lists.example.org", "");
        assert_eq!(entry.sender, "bounces-…lists.example.org");
    }

    proptest! {
        #[test]
        fn an_entry_is_read_back(sender in "\\PC{0,60}", recipient in "\\PC{0,60}", v6: bool) {
            let client = if v6 { "2001:db8:1:2::3" } else { "192.0.2.1" };
            let entry = pending(client, &sender, &recipient);
            prop_assert!(entry.sender.len() <= SHOWN_OCTETS);
            prop_assert_eq!(Pending::decode(&entry.encode()), Some(entry));
        }

        #[test]
        fn damaged_octets_are_no_entry_and_no_panic(
            octets in proptest::collection::vec(any::<u8>(), 0..80)
        ) {
            let _ = (Pending::decode(&octets), White::decode(&octets));
            let _ = (Pending::id(&octets), White::network(&octets));
        }
    }
}
