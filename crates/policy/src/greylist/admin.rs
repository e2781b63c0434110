//! `secondpost greylist list|allow|forget`: what the administrator sees and changes while
//! the server runs.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::PoisonError;

use ipnet::IpNet;
use reply::Timestamp;
use store::TableError;

use super::entry::{PENDING, Pending, WHITE, White};
use super::key::EntryId;
use super::{Attempt, Greylist};
use crate::access::{AddressPattern, BadPattern, contains};

/// The first octet of the keys of what the administrator allowed; the words follow.
const ALLOWED: u8 = b'a';

/// How an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Told to come back.
    Waiting,
    /// A client that passed.
    Passed,
    /// Allowed by the administrator.
    Allowed,
}

impl State {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Passed => "passed",
            State::Allowed => "allowed",
        }
    }
}

/// One entry, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// How it stands.
    pub state: State,
    /// The id that the reply named; only where it waits.
    pub id: Option<EntryId>,
    /// The client's network, or what was allowed.
    pub client: String,
    /// The sender, shortened where it is long; only where it waits.
    pub sender: Option<String>,
    /// The recipient, likewise.
    pub recipient: Option<String>,
    /// Attempts until now; 0 where it does not wait.
    pub attempts: u8,
    /// The first attempt, or when the client passed.
    pub first_seen: Option<Timestamp>,
    /// From when on a retry passes.
    pub opens_at: Option<Timestamp>,
    /// When it is forgotten; `None` is never.
    pub expires_at: Option<Timestamp>,
}

/// What the administrator names: an entry, clients, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`.
    Clients(IpNet),
    /// A sender or recipient: `user@domain`, `user@`, `@domain`, `.domain`.
    Address(AddressPattern),
    /// The id of an entry that waits.
    Entry(EntryId),
}

impl FromStr for Named {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Named, BadPattern> {
        let text = text.trim();
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Named::Clients(net.trunc()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Named::Clients(address.to_canonical().into()));
        }
        if let Ok(id) = text.parse::<EntryId>() {
            return Ok(Named::Entry(id));
        }
        let expected = "an address, a network, a domain, a mail address or the id of an entry";
        // No domain ends in a number (RFC 3696 §2): an address that is none, or half of one.
        let is_number = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
        if text.rsplit('.').next().is_some_and(is_number) {
            return Err(BadPattern::new(text, expected));
        }
        text.parse().map(Named::Address).map_err(|_| BadPattern::new(text, expected))
    }
}

/// Why nothing was allowed or forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminError {
    /// What was named is nothing that can be.
    Bad(BadPattern),
    /// No entry of that id waits (any more).
    NoSuchEntry(EntryId),
    /// The table failed.
    Store(TableError),
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminError::Bad(what) => what.fmt(f),
            AdminError::NoSuchEntry(id) => write!(f, "there is no greylist entry `{id}`"),
            AdminError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AdminError {}

impl Greylist {
    /// Shows every entry, until `each` says no: first what was allowed, then what waits,
    /// then the white clients.
    pub fn list(&self, now: Timestamp, each: &mut dyn FnMut(Listed) -> bool) {
        let mut go_on = true;
        for kind in [ALLOWED, PENDING, WHITE] {
            self.table.scan(&[kind], now.as_millis(), &mut |key, value, expires| {
                let listed = self.listed(kind, key, value, Timestamp::from_millis(expires));
                go_on = listed.is_none_or(&mut *each);
                go_on
            });
            if !go_on {
                return;
            }
        }
    }

    /// Lets clients, senders or recipients in without waiting, until it is forgotten. Of
    /// an entry's id: its client, from now on like one that passed.
    ///
    /// # Errors
    /// Where `what` names nothing, or the table fails.
    pub fn allow(&self, what: &str, now: Timestamp) -> Result<(), AdminError> {
        match what.parse().map_err(AdminError::Bad)? {
            Named::Entry(id) => {
                let entry = self.pending(id, now).ok_or(AdminError::NoSuchEntry(id))?;
                let white = White { since: now, last_mail: now };
                let expires = now + self.options.white_for;
                self.store(&White::key(&entry.network), &white.encode(), expires)
            }
            Named::Clients(net) => self.store_allowed(&net.to_string(), now),
            Named::Address(_) => self.store_allowed(&what.trim().to_lowercase(), now),
        }
    }

    /// Forgets every entry of `what` (and what was allowed in just these words); how many
    /// there were.
    ///
    /// # Errors
    /// Where `what` names nothing, or the table fails.
    pub fn forget(&self, what: &str, now: Timestamp) -> Result<u64, AdminError> {
        let named: Named = what.parse().map_err(AdminError::Bad)?;
        let mut keys = Vec::new();
        self.table.scan(&[], now.as_millis(), &mut |key, value, expires| {
            if is_of(&named, key, value, Timestamp::from_millis(expires)) {
                keys.push(key.to_vec());
            }
            true
        });
        let mut forgotten = 0;
        for key in keys {
            forgotten += u64::from(self.table.remove(&key).map_err(AdminError::Store)?);
        }
        self.reload_allowed();
        Ok(forgotten)
    }

    /// Whether the administrator allowed the client, the sender or the recipient.
    pub(super) fn is_allowed(&self, attempt: &Attempt<'_>) -> bool {
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        allowed.iter().any(|named| fits(named, attempt))
    }

    /// What was allowed never expires, so that any time sees all of it.
    pub(super) fn reload_allowed(&self) {
        let mut allowed = Vec::new();
        self.table.scan(&[ALLOWED], 0, &mut |key, _, _| {
            allowed.extend(allowed_words(key));
            true
        });
        *self.allowed.write().unwrap_or_else(PoisonError::into_inner) = allowed;
    }

    fn store_allowed(&self, words: &str, now: Timestamp) -> Result<(), AdminError> {
        let since = now.as_millis().to_be_bytes();
        self.store(&[&[ALLOWED], words.as_bytes()].concat(), &since, Timestamp::MAX)?;
        self.reload_allowed();
        Ok(())
    }

    fn store(&self, key: &[u8], value: &[u8], expires: Timestamp) -> Result<(), AdminError> {
        self.table.put(key, value, expires.as_millis()).map_err(AdminError::Store)
    }

    fn listed(&self, kind: u8, key: &[u8], value: &[u8], expires: Timestamp) -> Option<Listed> {
        match kind {
            PENDING => self.listed_pending(key, value, expires),
            WHITE => listed_white(key, value, expires),
            _ => listed_allowed(key, value),
        }
    }

    fn listed_pending(&self, key: &[u8], value: &[u8], expires: Timestamp) -> Option<Listed> {
        let entry = Pending::decode(value, expires)?;
        let (sender, recipient) = entry.addresses.read()?;
        Some(Listed {
            state: State::Waiting,
            id: Pending::id(key),
            client: entry.network.to_string(),
            sender: Some(sender),
            recipient: Some(recipient),
            attempts: entry.attempts,
            first_seen: Some(entry.first_seen),
            opens_at: Some(entry.first_seen + self.options.opens_after()),
            expires_at: Some(expires),
        })
    }
}

fn listed_white(key: &[u8], value: &[u8], expires: Timestamp) -> Option<Listed> {
    let white = White::decode(value)?;
    let client = White::network(key)?.to_string();
    Some(Listed {
        first_seen: Some(white.since),
        expires_at: Some(expires),
        ..Listed::of(State::Passed, client)
    })
}

fn listed_allowed(key: &[u8], value: &[u8]) -> Option<Listed> {
    let words = std::str::from_utf8(key.strip_prefix(&[ALLOWED])?).ok()?;
    let since = value.try_into().ok().map(u64::from_be_bytes).map(Timestamp::from_millis);
    Some(Listed { first_seen: since, ..Listed::of(State::Allowed, words.to_owned()) })
}

impl Listed {
    fn of(state: State, client: String) -> Listed {
        Listed {
            state,
            id: None,
            client,
            sender: None,
            recipient: None,
            attempts: 0,
            first_seen: None,
            opens_at: None,
            expires_at: None,
        }
    }
}

fn allowed_words(key: &[u8]) -> Option<Named> {
    std::str::from_utf8(key.strip_prefix(&[ALLOWED])?).ok()?.parse().ok()
}

fn fits(named: &Named, attempt: &Attempt<'_>) -> bool {
    match named {
        Named::Clients(net) => contains(net, attempt.client),
        Named::Address(pattern) => pattern.fits(attempt.sender) || pattern.fits(attempt.recipient),
        Named::Entry(_) => false,
    }
}

/// Whether an entry is one of those named. Addresses are compared as far as they are kept.
fn is_of(named: &Named, key: &[u8], value: &[u8], expires: Timestamp) -> bool {
    if allowed_words(key).is_some_and(|words| words == *named) {
        return true;
    }
    let pending = || Pending::id(key).and_then(|_| Pending::decode(value, expires));
    match named {
        Named::Entry(id) => Pending::id(key) == Some(*id),
        Named::Clients(net) => White::network(key)
            .or_else(|| pending().map(|entry| entry.network))
            .is_some_and(|of| touches(net, &of)),
        Named::Address(pattern) => pending()
            .and_then(|entry| entry.addresses.read())
            .is_some_and(|(sender, recipient)| pattern.fits(&sender) || pattern.fits(&recipient)),
    }
}

/// An entry stands for a whole network: it is meant by any part of it, or any whole.
fn touches(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_address_and_is_none_is_no_domain() {
        for bad in ["192.0.2.3649", "192.0.2.3649/32", "192.0.2", "192.0.2.0/33", "2001:db8::/129"]
        {
            assert!(bad.parse::<Named>().is_err(), "{bad}");
        }
        for good in ["192.0.2.0/24", "2001:db8::/32", "example.org", ".b\u{fc}cher.example", "a@"] {
            assert!(!matches!(good.parse::<Named>(), Ok(Named::Entry(_)) | Err(_)), "{good}");
        }
    }
}
