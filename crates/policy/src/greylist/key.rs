//! What makes two attempts the same: the client's network, the folded sender and the
//! recipient, hashed to 8 octets. The hash is written to disk, so it may never change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The client's /24, or its /64 for IPv6: what one sending site usually retries from. An
/// IPv4 address mapped into IPv6 counts as IPv4.
pub fn network_of(client: IpAddr) -> IpNet {
    match client.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), 24))
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), 64))
        }
    }
}

/// The sender in the form that all messages of one mailing list share: lower case, the
/// tag of BATV gone, numbers and long hexadecimal words as `#`. The domain stays.
pub fn fold_sender(sender: &str) -> String {
    let sender = sender.to_lowercase();
    let (local_part, domain) = match sender.rsplit_once('@') {
        Some((local_part, domain)) => (local_part, Some(domain)),
        None => (sender.as_str(), None),
    };
    let local_part = without_batv_tag(local_part);
    let mut folded = String::with_capacity(sender.len());
    for word in local_part.split_inclusive(|c: char| !c.is_alphanumeric()) {
        fold_word(word, &mut folded);
    }
    if let Some(domain) = domain {
        folded.push('@');
        folded.push_str(domain);
    }
    folded
}

/// The recipient as it is compared.
pub fn fold_recipient(recipient: &str) -> String {
    recipient.to_lowercase()
}

/// `prvs=0123abcdef=user` is `user` (draft-levine-smtp-batv).
fn without_batv_tag(local_part: &str) -> &str {
    let tagged = local_part.strip_prefix("prvs=").and_then(|rest| rest.split_once('='));
    tagged.map_or(local_part, |(_tag, user)| user)
}

/// Appends one word and the separator that ends it. Eight hexadecimal digits with a
/// number among them are taken for an identifier; shorter ones for part of a name, of
/// which only the digits are folded.
fn fold_word(word: &str, folded: &mut String) {
    let stem = word.trim_end_matches(|c: char| !c.is_alphanumeric());
    let is_hex = stem.len() >= 8 && stem.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex && stem.bytes().any(|b| b.is_ascii_digit()) {
        folded.push('#');
    } else {
        fold_digits(stem, folded);
    }
    folded.push_str(&word[stem.len()..]);
}

fn fold_digits(stem: &str, folded: &mut String) {
    let mut in_number = false;
    for c in stem.chars() {
        let digit = c.is_ascii_digit();
        match (digit, in_number) {
            (true, false) => folded.push('#'),
            (true, true) => {}
            (false, _) => folded.push(c),
        }
        in_number = digit;
    }
}

/// The identity of an attempt, which the reply names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    /// Of a folded sender and recipient, from that network.
    pub fn of(network: &IpNet, sender: &str, recipient: &str) -> EntryId {
        let mut hash = Fnv::new();
        for part in [network.to_string().as_str(), sender, recipient] {
            hash.eat(part.as_bytes());
            hash.eat(&[0]); // no address holds a NUL: the parts cannot run into each other
        }
        EntryId(hash.end())
    }
}

/// Thirteen characters: digits and letters without the look-alikes i, l, o and u.
impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for shift in (0..13).rev() {
            let digit = (self.0 >> (shift * 5)) & 31;
            let digit = char::from(ALPHABET[digit as usize]);
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl std::str::FromStr for EntryId {
    type Err = crate::access::BadPattern;
    fn from_str(text: &str) -> Result<EntryId, Self::Err> {
        let bad = || crate::access::BadPattern::new(text, "the id of a greylist entry");
        if text.len() != 13 {
            return Err(bad());
        }
        let mut id = 0u64;
        for byte in text.bytes() {
            let byte = byte.to_ascii_lowercase();
            let digit = ALPHABET.iter().position(|known| *known == byte).ok_or_else(bad)?;
            let room = id.checked_mul(32).ok_or_else(bad)?;
            id = room | digit as u64;
        }
        Ok(EntryId(id))
    }
}

/// FNV-1a of 64 bits, with the last mixing step of MurmurHash3 so that short keys spread.
/// Who can make two keys collide gains nothing: they could as well just come back.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn eat(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    const fn end(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_network(client: &str, expected: &str) {
        let network = network_of(client.parse().unwrap());
        assert_eq!(network.to_string(), expected, "{client}");
    }

    #[test]
    fn a_client_counts_as_its_network() {
        check_network("192.0.2.255", "192.0.2.0/24");
        check_network("::ffff:192.0.2.1", "192.0.2.0/24");
        check_network("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check_network("2001:db8:1:2:ffff::", "2001:db8:1:2::/64");
    }

    fn check_fold(sender: &str, expected: &str) {
        assert_eq!(fold_sender(sender), expected, "{sender}");
    }

    #[test]
    fn messages_of_one_list_have_one_sender() {
        check_fold("", "");
        check_fold("User@Example.ORG", "user@example.org");
        check_fold("list-return-4711-user=example.net@Lists.example.org", {
            "list-return-#-user=example.net@lists.example.org"
        });
        check_fold("bounce+7f3a9c2e1b.4-x@example.org", "bounce+#.#-x@example.org");
        check_fold("prvs=0123abcdef=user@example.org", "user@example.org");
        check_fold("deadbeef@example.org", "deadbeef@example.org");
        check_fold("user2@mail4.example.org", "user#@mail4.example.org");
        check_fold("a@b@example.org", "a@b@example.org");
        check_fold("grüße9@example.org", "grüße#@example.org");
    }

    #[test]
    fn the_hash_on_disk_stays_what_it_is() {
        let network = network_of("192.0.2.1".parse().unwrap());
        let id = EntryId::of(&network, "a@example.org", "b@example.net");
        assert_eq!(id.to_string(), "fmjx7csfeb415");
    }

    #[test]
    fn what_is_no_address_is_folded_once_and_for_all() {
        for nonsense in ["@", "@@", "a@", "@a", "a@@b", "@1@"] {
            let once = fold_sender(nonsense);
            assert_eq!(fold_sender(&once), once, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_and_never_panics(sender in "\\PC{0,40}") {
            let once = fold_sender(&sender);
            if !once.starts_with("prvs=") {
                prop_assert_eq!(fold_sender(&once), once);
            }
        }

        #[test]
        fn an_id_is_read_back(id: u64) {
            prop_assert_eq!(EntryId(id).to_string().parse(), Ok(EntryId(id)));
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in "\\PC{0,20}") {
            let _ = text.parse::<EntryId>();
        }
    }
}
