//! Greylisting (RFC 6647): an unknown client's first attempt is told to come back, a
//! later one passes. The key is the client's network, the folded sender and the
//! recipient; a client that passed once is white for all its mail.
//!
//! Nothing here ever ends in a 5yz, and a store that fails lets mail pass. What is kept,
//! and what happens when clocks jump, is argued in docs/design/greylist.md.
//! `entry` and `packed` hold the octets on disk, `key` what makes two attempts the same, `admin` what
//! `secondpost greylist` does.

pub mod admin;
mod entry;
pub mod key;
mod packed;

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use reply::{Answer, Timestamp, catalogue};
use store::Table;

use crate::access::{AddressPattern, contains};
use entry::{Pending, White};
use key::{EntryId, fold_recipient, fold_sender, network_of};

/// The settings, with defaults as the field recommends them.
#[derive(Clone, Debug)]
pub struct Options {
    /// Off means that everything passes.
    pub enabled: bool,
    /// How long a first-seen sender waits (1 minute: RFC 6647 §5 names it as the least).
    pub window: Duration,
    /// How long after the first attempt a retry still counts (48 hours: some large
    /// senders come back only after a day).
    pub open_for: Duration,
    /// For how long a client that passed is white, from its last mail (35 days: longer
    /// than a monthly newsletter's pause).
    pub white_for: Duration,
    /// The attempt that passes even before the window opens (the third).
    pub passing_attempt: u8,
    /// No attempt after this time waits, however long the window is (30 minutes).
    pub longest_wait: Duration,
    /// Whom it never delays.
    pub exempt: Exempt,
    /// The address of a page that explains; the reply names it.
    pub link: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            enabled: true,
            window: Duration::from_secs(60),
            open_for: Duration::from_secs(48 * 3600),
            white_for: Duration::from_secs(35 * 86_400),
            passing_attempt: 3,
            longest_wait: Duration::from_secs(30 * 60),
            exempt: Exempt::default(),
            link: None,
        }
    }
}

impl Options {
    /// When an entry opens, counted from its first attempt.
    fn opens_after(&self) -> Duration {
        self.window.min(self.longest_wait)
    }
}

/// The administrator's list of those who are never delayed. `postmaster@` and `abuse@`
/// always are on it: who cannot reach a mailbox must be able to tell somebody.
#[derive(Clone, Debug, Default)]
pub struct Exempt {
    /// Networks of clients.
    pub clients: Vec<IpNet>,
    /// Reverse-paths.
    pub senders: Vec<AddressPattern>,
    /// Forward-paths.
    pub recipients: Vec<AddressPattern>,
}

impl Exempt {
    fn holds(&self, attempt: &Attempt<'_>) -> bool {
        let local_part = attempt.recipient.rsplit_once('@').map_or("", |(local, _)| local);
        ["postmaster", "abuse"].iter().any(|role| local_part.eq_ignore_ascii_case(role))
            || self.clients.iter().any(|net| contains(net, attempt.client))
            || self.senders.iter().any(|pattern| pattern.fits(attempt.sender))
            || self.recipients.iter().any(|pattern| pattern.fits(attempt.recipient))
    }
}

/// One RCPT, as greylisting sees it.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// The reverse-path, empty for the null one.
    pub sender: &'a str,
    /// The forward-path.
    pub recipient: &'a str,
}

/// What comes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Take it.
    Pass(Why),
    /// Not yet.
    Wait {
        /// How long until it would pass: whole seconds, at least one.
        remaining: Duration,
        /// The entry, as the reply and `greylist list` name it.
        id: EntryId,
        /// Which attempt this was, from 1.
        attempt: u8,
    },
}

/// Why an attempt passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Greylisting is off.
    Off,
    /// A role address, or on the list of the configuration.
    Exempt,
    /// The administrator allowed it at run time.
    Allowed,
    /// The client passed before.
    White,
    /// It came back after the window.
    CameBack,
    /// It came often enough, though too early.
    Persistent,
    /// The store cannot be used; counted in [`Greylist::store_errors`].
    StoreFailed,
}

/// The entries and the rules.
pub struct Greylist {
    options: Options,
    table: Arc<dyn Table>,
    /// What the administrator allowed, as it is in the table: asked for each attempt.
    allowed: RwLock<Vec<admin::Named>>,
    /// Two first attempts at once must not both count as the first.
    one_at_a_time: Mutex<()>,
    store_errors: AtomicU64,
}

impl Greylist {
    /// Greylisting over `table`, which outlives restarts.
    pub fn new(options: Options, table: Arc<dyn Table>) -> Greylist {
        let (allowed, one_at_a_time) = (RwLock::default(), Mutex::default());
        let store_errors = AtomicU64::new(0);
        let greylist = Greylist { options, table, allowed, one_at_a_time, store_errors };
        greylist.reload_allowed();
        greylist
    }

    /// The settings.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How often the table failed, and mail passed for that.
    pub fn store_errors(&self) -> u64 {
        self.store_errors.load(Ordering::Relaxed)
    }

    /// Decides on an attempt, and remembers it.
    pub fn check(&self, attempt: &Attempt<'_>, now: Timestamp) -> Outcome {
        if !self.options.enabled {
            return Outcome::Pass(Why::Off);
        }
        if self.options.exempt.holds(attempt) {
            return Outcome::Pass(Why::Exempt);
        }
        if self.is_allowed(attempt) {
            return Outcome::Pass(Why::Allowed);
        }
        let _one = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network_of(attempt.client);
        match self.white(&network, now) {
            Some(white) => self.renew(&network, white, now),
            None => self.check_unknown(attempt, &network, now),
        }
    }

    /// The reply of [`Outcome::Wait`].
    pub fn answer(&self, recipient: &str, remaining: Duration, id: EntryId) -> Answer {
        let retry = hms(remaining);
        match &self.options.link {
            Some(link) => catalogue::greylisted_with_link(recipient, retry, id, link),
            None => catalogue::greylisted(recipient, retry, id),
        }
    }

    fn white(&self, network: &IpNet, now: Timestamp) -> Option<White> {
        let value = self.table.get(&White::key(network), now.as_millis())?;
        White::decode(&value).filter(|white| now.since(white.last_mail) <= self.options.white_for)
    }

    /// Each mail renews the white entry, but a busy client writes once a minute at most.
    fn renew(&self, network: &IpNet, white: White, now: Timestamp) -> Outcome {
        let minute = Duration::from_secs(60);
        if now.since(white.last_mail) >= minute || white.last_mail > now {
            self.whiten(network, White { last_mail: now, ..white }, now);
        }
        Outcome::Pass(Why::White)
    }

    fn whiten(&self, network: &IpNet, white: White, now: Timestamp) {
        let expires = now + self.options.white_for + Duration::from_millis(1);
        self.put(&White::key(network), &white.encode(), expires);
    }

    fn check_unknown(&self, attempt: &Attempt<'_>, network: &IpNet, now: Timestamp) -> Outcome {
        let sender = fold_sender(attempt.sender);
        let id = EntryId::of(network, &sender, &fold_recipient(attempt.recipient));
        let before = self.pending(id, now).filter(|entry| self.is_open(entry, now));
        let mut entry = before.unwrap_or_else(|| Pending::first(network, attempt, now));
        entry.attempts = entry.attempts.saturating_add(1);
        // A first attempt in the future was written under a clock that has been set back.
        entry.first_seen = entry.first_seen.min(now);
        match self.passes(&entry, now) {
            Some(why) => {
                self.forget_pending(id);
                self.whiten(network, White { since: now, last_mail: now }, now);
                Outcome::Pass(why)
            }
            None => self.keep_waiting(id, &entry, now),
        }
    }

    /// Whether a retry still counts; exactly 48 hours after the first attempt it does.
    fn is_open(&self, entry: &Pending, now: Timestamp) -> bool {
        now.since(entry.first_seen) <= self.options.open_for
    }

    fn passes(&self, entry: &Pending, now: Timestamp) -> Option<Why> {
        if now.since(entry.first_seen) >= self.options.opens_after() {
            return Some(Why::CameBack);
        }
        (entry.attempts >= self.options.passing_attempt).then_some(Why::Persistent)
    }

    fn keep_waiting(&self, id: EntryId, entry: &Pending, now: Timestamp) -> Outcome {
        let (value, expires) = entry.encode(self.options.open_for);
        if !self.put(&Pending::key(id), &value, expires) {
            return Outcome::Pass(Why::StoreFailed);
        }
        let waited = now.since(entry.first_seen);
        let remaining = up_to_a_second(self.options.opens_after().saturating_sub(waited));
        Outcome::Wait { remaining, id, attempt: entry.attempts }
    }

    fn pending(&self, id: EntryId, now: Timestamp) -> Option<Pending> {
        let found = self.table.get_with_expiry(&Pending::key(id), now.as_millis());
        found.and_then(|(value, expires)| Pending::decode(&value, Timestamp::from_millis(expires)))
    }

    /// Whether it was stored; a failure is counted.
    fn put(&self, key: &[u8], value: &[u8], expires: Timestamp) -> bool {
        self.counted(self.table.put(key, value, expires.as_millis())).is_some()
    }

    fn forget_pending(&self, id: EntryId) {
        self.counted(self.table.remove(&Pending::key(id)));
    }

    fn counted<T, E>(&self, result: Result<T, E>) -> Option<T> {
        if result.is_err() {
            self.store_errors.fetch_add(1, Ordering::Relaxed);
        }
        result.ok()
    }
}

impl fmt::Debug for Greylist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greylist").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Rounded up: who comes back just when we said must not be early.
fn up_to_a_second(duration: Duration) -> Duration {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Duration::from_secs(millis.div_ceil(1000).max(1))
}

/// `hh:mm:ss`, as draft-santos-smtpgrey writes `retry=`; hours take as many digits as
/// they need.
pub fn hms(duration: Duration) -> String {
    let secs = duration.as_secs();
    format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

#[cfg(test)]
mod tests;
