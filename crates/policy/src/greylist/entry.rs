//! The entries as octets in the table: `Pending` for an attempt that waits, `White` for a
//! client that passed. The layout is written down in docs/design/greylist.md; octets that
//! do not decode count as no entry.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reply::Timestamp;

use super::Attempt;
use super::key::EntryId;
use super::packed::Addresses;

/// The first octet of the keys of [`Pending`] entries.
pub(super) const PENDING: u8 = b't';
/// The first octet of the keys of [`White`] entries.
pub(super) const WHITE: u8 = b'w';

/// How much of an address is kept for `greylist list`; the key holds a hash of all of it.
const SHOWN_OCTETS: usize = 28;
/// An entry expires after this time even if the settings let it be open for longer: a
/// table's times end, and the first attempt is told from the expiry.
const LONGEST_KEPT: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The last attempt that counts comes when the entry has been open for all of its time.
const JUST_AFTER: Duration = Duration::from_millis(1);

/// An attempt that was told to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// The client's network.
    pub network: IpNet,
    /// The time of the first attempt.
    pub first_seen: Timestamp,
    /// How many there were.
    pub attempts: u8,
    /// The sender as first given, and the recipient; both shortened.
    pub addresses: Addresses,
}

impl Pending {
    /// Before the first attempt is counted.
    pub(super) fn first(network: &IpNet, attempt: &Attempt<'_>, now: Timestamp) -> Pending {
        Pending {
            network: *network,
            first_seen: now,
            attempts: 0,
            addresses: Addresses::new(&shortened(attempt.sender), &shortened(attempt.recipient)),
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

    /// The value of an entry that is open for this time, whole milliseconds, and when it
    /// expires.
    pub(super) fn encode(&self, open_for: Duration) -> (Vec<u8>, Timestamp) {
        let open_for = open_for.min(LONGEST_KEPT);
        let mut out = Vec::with_capacity(64);
        let is_v6 = matches!(self.network, IpNet::V6(_));
        write_number((u64::from(self.attempts) << 1) | u64::from(is_v6), &mut out);
        write_prefix(&self.network, &mut out);
        write_duration(open_for, &mut out);
        out.extend_from_slice(self.addresses.octets());
        (out, self.first_seen + open_for + JUST_AFTER)
    }

    /// What [`Pending::encode`] made, with the entry's expiry.
    pub(super) fn decode(octets: &[u8], expires: Timestamp) -> Option<Pending> {
        let (start, rest) = read_number(octets)?;
        let (network, rest) = read_prefix(start & 1 == 1, rest)?;
        let (open_for, rest) = read_duration(rest)?;
        Some(Pending {
            network,
            first_seen: expires - JUST_AFTER - open_for,
            attempts: u8::try_from(start >> 1).ok()?,
            addresses: Addresses::from_octets(rest),
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
    let mut out = vec![if network.addr().is_ipv4() { 4 } else { 6 }];
    write_prefix(network, &mut out);
    out
}

fn read_network(octets: &[u8]) -> Option<(IpNet, &[u8])> {
    match octets.split_first()? {
        (4, rest) => read_prefix(false, rest),
        (6, rest) => read_prefix(true, rest),
        _ => None,
    }
}

/// The three octets of a /24, or the eight of a /64.
fn write_prefix(network: &IpNet, out: &mut Vec<u8>) {
    match network {
        IpNet::V4(net) => out.extend_from_slice(&net.network().octets()[..3]),
        IpNet::V6(net) => out.extend_from_slice(&net.network().octets()[..8]),
    }
}

fn read_prefix(is_v6: bool, octets: &[u8]) -> Option<(IpNet, &[u8])> {
    if is_v6 {
        let (prefix, rest) = octets.split_first_chunk::<8>()?;
        let address = u128::from(u64::from_be_bytes(*prefix)) << 64;
        let net = Ipv6Net::new(Ipv6Addr::from(address), 64).ok()?;
        return Some((IpNet::V6(net), rest));
    }
    let ([a, b, c], rest) = octets.split_first_chunk::<3>()?;
    let net = Ipv4Net::new(Ipv4Addr::new(*a, *b, *c, 0), 24).ok()?;
    Some((IpNet::V4(net), rest))
}

/// What a duration is counted in, in milliseconds: the largest of which it is a multiple.
const UNITS: [u64; 4] = [1, 1000, 60_000, 3_600_000];

/// A number of units, and in its lowest two bits of which.
fn write_duration(duration: Duration, out: &mut Vec<u8>) {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let unit = UNITS.iter().rposition(|unit| millis % unit == 0).unwrap_or(0);
    write_number(((millis / UNITS[unit]) << 2) | unit as u64, out);
}

fn read_duration(octets: &[u8]) -> Option<(Duration, &[u8])> {
    let (number, rest) = read_number(octets)?;
    let millis = (number >> 2).checked_mul(UNITS[number as usize & 3])?;
    Some((Duration::from_millis(millis), rest))
}

/// Seven bits an octet, the lowest first; all but the last octet have the eighth.
fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_number(octets: &[u8]) -> Option<(u64, &[u8])> {
    let last = octets.iter().take(9).position(|octet| octet & 0x80 == 0)?;
    let (number, rest) = octets.split_at(last + 1);
    let number = number.iter().rev().fold(0, |high, octet| (high << 7) | u64::from(octet & 0x7f));
    Some((number, rest))
}

/// The beginning and the end of `address` with `…` between them, where it is too long.
fn shortened(address: &str) -> Cow<'_, str> {
    const HEAD: usize = 8;
    const TAIL: usize = SHOWN_OCTETS - HEAD - '…'.len_utf8();
    if address.len() <= SHOWN_OCTETS {
        return address.into();
    }
    let boundary = |at: &usize| address.is_char_boundary(*at);
    let head = (0..=HEAD).rev().find(boundary).unwrap_or(0);
    let tail = (address.len() - TAIL..=address.len()).find(boundary).unwrap_or(address.len());
    format!("{}…{}", &address[..head], &address[tail..]).into()
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

    const HOURS: Duration = Duration::from_secs(48 * 3600);

    fn check_octets(client: &str, sender: &str, recipient: &str, octets: usize) {
        let (value, _) = pending(client, sender, recipient).encode(HOURS);
        assert_eq!(Pending::key(EntryId(0)).len() + value.len(), octets, "{sender} {recipient}");
    }

    #[test]
    fn an_entry_with_its_key_takes_at_most_79_octets_and_a_usual_one_40() {
        check_octets("192.0.2.1", "somebody@example.net", "user@example.org", 38);
        check_octets("2001:db8::1", "somebody@example.net", "user@example.org", 43);
        check_octets("192.0.2.1", &"s".repeat(300), &"r".repeat(300), 55);
        check_octets("2001:db8::1", &"S".repeat(300), &"R".repeat(300), 79);
    }

    #[test]
    fn an_entry_of_other_settings_keeps_its_times() {
        let entry = pending("192.0.2.1", "a@example.net", "b@example.org");
        let (value, expires) = entry.encode(HOURS);
        assert_eq!(expires, entry.first_seen + HOURS + Duration::from_millis(1));
        let (other, other_expires) = entry.encode(HOURS - Duration::from_millis(7));
        assert_eq!(other_expires, expires - Duration::from_millis(7));
        assert_eq!(Pending::decode(&value, expires), Pending::decode(&other, other_expires));
    }

    #[test]
    fn a_long_address_keeps_its_beginning_and_its_domain() {
        let entry = pending("192.0.2.1", "bounces-0123456789-0123456789@lists.example.org", "");
        let (sender, recipient) = entry.addresses.read().unwrap();
        assert_eq!((&*sender, &*recipient), ("bounces-…lists.example.org", ""));
    }

    proptest! {
        #[test]
        fn an_entry_is_read_back(
            sender in "\\PC{0,60}",
            recipient in "\\PC{0,60}",
            v6: bool,
            attempts: u8,
            open_for in prop_oneof![
                (0..50_000u64).prop_map(Duration::from_secs),
                any::<u64>().prop_map(Duration::from_millis),
            ],
        ) {
            let client = if v6 { "2001:db8:1:2::3" } else { "192.0.2.1" };
            let entry = Pending { attempts, ..pending(client, &sender, &recipient) };
            prop_assert!(shortened(&sender).len() <= SHOWN_OCTETS);
            let (value, expires) = entry.encode(open_for);
            prop_assert_eq!(Pending::decode(&value, expires), Some(entry));
        }

        #[test]
        fn damaged_octets_are_no_entry_and_no_panic(
            octets in proptest::collection::vec(any::<u8>(), 0..80),
            expires: u64,
        ) {
            let expires = Timestamp::from_millis(expires);
            let _ = (Pending::decode(&octets, expires), White::decode(&octets));
            let _ = (Pending::id(&octets), White::network(&octets));
        }
    }
}
