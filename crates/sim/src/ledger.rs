//! The truth about every message, noted beside the servers and never read by them, and
//! the promises that it is held against.
//!
//! A [`Copy`] is one message in the queue of one server; a [`Part`] one of its
//! recipients. The next hop says what it took, the disk what it kept, the sender what it
//! concluded; where the three do not fit, a promise is broken.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use mta::delivery::Ending;
use mta::dispatcher::notice::kind;
use mta::dispatcher::settle::wishes;
use queue::notify::{Moment, Wishes};
use queue::{QueueId, Received, Status};
use reply::{Permanence, Timestamp};

const HOUR: Duration = Duration::from_secs(3600);
/// `retry.give_up_after`.
const LIFETIME: Duration = Duration::from_secs(5 * 24 * 3600);
/// `retry.delay_notice_after`.
const DELAY_NOTICE: Duration = Duration::from_secs(4 * 3600);
/// The longest wait that a reply can ask for, `retry.hint_longest`.
const LONGEST_HINT: Duration = Duration::from_secs(4 * 3600);
/// The longest pause of the slowest ladder is 12 hours; what may come on top is its
/// spread, and a destination that is left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 3600);
/// More attempts for one recipient in ten minutes are a storm. Greylisting's ladder has
/// two, "too many recipients" six.
const STORM: usize = 8;
const STORM_TIME: Duration = Duration::from_secs(600);

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// What has its 250, or was found after a crash, ends at the next hop, in a mailbox,
    /// or in a notification.
    NothingIsLost,
    /// The next hop takes it once, and once more for each ending that left it open.
    NothingComesTwice,
    /// What arrives is what was sent.
    MessageIsWhole,
    /// One notification for each recipient and kind, and one more for each crash between
    /// the notification and the note of it.
    ToldOnce,
    /// A failure is told to who wants to be told.
    FailureIsTold,
    /// Nothing is told to, or by a sender other than, the null reverse-path.
    NullPathIsNeverTold,
    /// No attempt before the time that was planned and is on disk.
    NeverEarly,
    /// No attempt before the time that the peer named.
    NeverBeforeTheNamedTime,
    /// A 5yz is not tried again, but for "too many recipients".
    RefusalIsFinal,
    /// A 4yz is not bounced, and a delay not told, before its time.
    DelayIsNoFailure,
    /// Attempts do not follow each other without a pause, whatever the clock does.
    NoStorm,
    /// Attempts go on, whatever the clock does.
    RetriesGoOn,
    /// In the end all queues are empty.
    QueueDrains,
    /// A power cut is no damage: what is torn was never acknowledged.
    CutIsNoDamage,
}

/// One message in one server's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leg {
    pub(crate) server: usize,
    pub(crate) id: QueueId,
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", ["a", "b"][self.server], self.id)
    }
}

/// The time on both clocks of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) steady: Timestamp,
    pub(crate) wall: Timestamp,
}

/// A time that lies ahead, on both clocks: it is come when it is come on one of them.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    steady: Timestamp,
    wall: Timestamp,
}

impl Ahead {
    fn at(wall: Timestamp, now: Now) -> Ahead {
        Ahead { wall, steady: now.steady + wall.since(now.wall) }
    }

    fn is_ahead(self, now: Now) -> bool {
        now.wall < self.wall && now.steady < self.steady
    }
}

/// What a message is, before it is known whether the disk has it.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) received: Received,
    pub(crate) octets: Rc<Vec<u8>>,
    /// The message of another queue that it was taken from.
    pub(crate) from: Option<Leg>,
    /// What it tells of, where it is a notification.
    pub(crate) about: Option<(Leg, Vec<usize>, Moment)>,
}

/// An attempt under way.
#[derive(Debug, Default)]
struct Attempt {
    told: Vec<Moment>,
}

#[derive(Debug)]
struct Part {
    path: String,
    wishes: Wishes,
    /// How often the next hop took it.
    taken: u32,
    /// Endings after which it may have been taken and we cannot know.
    open_endings: u32,
    attempt: Option<Attempt>,
    /// Starts of attempts, the last ones.
    starts: VecDeque<Timestamp>,
    first: Option<Timestamp>,
    /// Since when nothing was heard of it; the times that may be added to a pause.
    last_sign: Timestamp,
    excuse: Duration,
    planned: Option<Ahead>,
    named: Option<Ahead>,
    /// Times that peers named; only the first is held to: a later one is believed only
    /// where the first was kept and helped.
    namings: u32,
    /// What was last submitted to the disk as its state.
    fate: Option<Status>,
    is_refused: bool,
    told: BTreeMap<&'static str, u32>,
    /// Notifications that a crash parted from the note of them.
    parted: BTreeMap<&'static str, u32>,
}

struct Copy {
    octets: Rc<Vec<u8>>,
    has_null_path: bool,
    parts: Vec<Part>,
    is_gone: bool,
}

/// What happened, for the tests: that a world was worth running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) taken: u32,
    pub(crate) twice: u32,
    pub(crate) attempts: u32,
    pub(crate) failed: u32,
    pub(crate) expired: u32,
    pub(crate) delays_told: u32,
    pub(crate) cuts: u32,
    pub(crate) jumps: u32,
    pub(crate) named: u32,
    pub(crate) found_after_cut: u32,
    pub(crate) relayed: u32,
}

#[derive(Default)]
pub(crate) struct Ledger {
    copies: BTreeMap<Leg, Copy>,
    live: BTreeSet<Leg>,
    offers: BTreeMap<Leg, Offer>,
    /// All jumps forward so far, for what may have aged by them.
    forward: [Duration; 2],
    /// Clocks that were set back at some time.
    went_back: [bool; 2],
    pub(crate) counts: Counts,
    /// The first promise that was broken, and how.
    pub(crate) broken: Option<(Promise, String)>,
}

impl Ledger {
    pub(crate) fn require(&mut self, holds: bool, promise: Promise, how: impl fmt::Display) {
        if !holds && self.broken.is_none() {
            self.broken = Some((promise, how.to_string()));
        }
    }

    /// A message is on its way to the disk.
    pub(crate) fn offered(&mut self, leg: Leg, offer: Offer) {
        self.offers.insert(leg, offer);
    }

    pub(crate) fn withdrawn(&mut self, leg: Leg) {
        self.offers.remove(&leg);
    }

    /// It is on disk.
    pub(crate) fn kept(&mut self, leg: Leg, now: Now) {
        let Some(offer) = self.offers.remove(&leg) else { return };
        let Offer { received, octets, from, about } = offer;
        let recipients = &received.envelope.recipients;
        let parts = recipients.iter().map(|recipient| Part {
            path: recipient.path.to_string(),
            wishes: wishes(&recipient.parameters),
            taken: 0,
            open_endings: 0,
            attempt: None,
            starts: VecDeque::new(),
            first: None,
            last_sign: now.steady,
            excuse: Duration::ZERO,
            planned: None,
            named: None,
            namings: 0,
            fate: None,
            is_refused: false,
            told: BTreeMap::new(),
            parted: BTreeMap::new(),
        });
        let has_null_path = received.envelope.reverse_path.is_null();
        let copy =
            Copy { octets: octets.clone(), has_null_path, parts: parts.collect(), is_gone: false };
        if let Some(from) = from {
            let paths: Vec<String> = copy.parts.iter().map(|part| part.path.clone()).collect();
            self.taken(from, &paths, now);
            self.counts.relayed += 1;
        }
        if let Some((about, indexes, moment)) = about {
            self.told(about, &indexes, moment, has_null_path, now);
        }
        self.copies.insert(leg, copy);
        self.live.insert(leg);
    }

    /// A message arrived at the next hop, whole or not.
    pub(crate) fn arrived(&mut self, leg: Leg, octets: &[u8], may_be_converted: bool) {
        let Some(copy) = self.copies.get(&leg) else { return };
        let is_whole = match may_be_converted && !copy.octets.is_ascii() {
            true => octets.is_ascii() && octets.len() > copy.octets.len(),
            false => octets == &copy.octets[..],
        };
        let how = format!("{leg} arrived as {} octets", octets.len());
        self.require(is_whole, Promise::MessageIsWhole, how);
    }

    /// The next hop has it now.
    pub(crate) fn taken(&mut self, leg: Leg, paths: &[String], now: Now) {
        let Some(copy) = self.copies.get_mut(&leg) else { return };
        let mut twice = Vec::new();
        for part in copy.parts.iter_mut().filter(|part| paths.contains(&part.path)) {
            part.taken += 1;
            self.counts.taken += 1;
            self.counts.twice += u32::from(part.taken > 1);
            if part.taken > 1 + part.open_endings {
                twice.push(format!("{leg} for {} at {}", part.path, now.steady));
            }
        }
        for how in twice {
            self.require(false, Promise::NothingComesTwice, how);
        }
    }

    /// A notification is on disk.
    fn told(
        &mut self,
        about: Leg,
        indexes: &[usize],
        moment: Moment,
        by_null_path: bool,
        now: Now,
    ) {
        self.require(by_null_path, Promise::NullPathIsNeverTold, "a notification has a sender");
        let forward = self.forward[about.server];
        let Some(copy) = self.copies.get_mut(&about) else { return };
        let has_null_path = copy.has_null_path;
        let mut often = false;
        let mut lived = Duration::MAX;
        for index in indexes {
            let part = &mut copy.parts[*index];
            let told = part.told.entry(kind(moment)).or_default();
            *told += 1;
            match &mut part.attempt {
                Some(attempt) => attempt.told.push(moment),
                None => *part.parted.entry(kind(moment)).or_default() += 1,
            }
            let parted = part.parted.get(kind(moment)).copied().unwrap_or_default();
            often |= *told > 1 + parted;
            lived = lived.min(part.lived(now) + forward);
        }
        let how = format!("{about} by {}", kind(moment));
        self.require(!often, Promise::ToldOnce, &how);
        self.require(!has_null_path, Promise::NullPathIsNeverTold, &how);
        let is_delay = moment == Moment::Delayed;
        self.require(!is_delay || lived >= DELAY_NOTICE, Promise::DelayIsNoFailure, &how);
        self.counts.delays_told += u32::from(is_delay);
    }

    /// An attempt begins: a real one, or the note that a destination is left alone.
    pub(crate) fn attempted(&mut self, leg: Leg, tried: &[usize], is_real: bool, now: Now) {
        let Some(copy) = self.copies.get_mut(&leg) else { return };
        self.counts.attempts += u32::from(is_real);
        let mut broken = Vec::new();
        for index in tried {
            let part = &mut copy.parts[*index];
            broken.extend(part.attempted(is_real, now));
        }
        for promise in broken {
            self.require(false, promise, format!("{leg} was tried at {}", now.wall));
        }
    }

    /// Nobody was asked: nothing counts.
    pub(crate) fn let_be(&mut self, leg: Leg, tried: &[usize]) {
        let Some(copy) = self.copies.get_mut(&leg) else { return };
        for index in tried {
            copy.parts[*index].attempt = None;
            copy.parts[*index].starts.pop_back();
        }
    }

    /// What the sender concluded for one recipient, before it is on disk.
    pub(crate) fn concluded(
        &mut self,
        leg: Leg,
        index: usize,
        ending: &Ending,
        status: &Status,
        now: Now,
    ) {
        let forward = self.forward[leg.server];
        let Some(copy) = self.copies.get_mut(&leg) else { return };
        let part = &mut copy.parts[index];
        part.fate = Some(status.clone());
        part.namings += u32::from(status.due().is_some() && named_wait(&ending.words).is_some());
        part.open_endings += u32::from(is_open(ending));
        let how = format!("{leg} for {}: `{}` led to {status:?}", part.path, ending.words);
        let lived = part.lived(now) + forward;
        let is_failed = matches!(status, Status::Failed { .. });
        let is_refused = is_refused(ending);
        let is_early = is_failed && is_for_now(ending) && lived < LIFETIME;
        self.counts.failed += u32::from(is_failed);
        self.counts.expired += u32::from(is_failed && is_for_now(ending));
        let waits = status.due().is_some();
        self.require(!(is_refused && waits), Promise::RefusalIsFinal, &how);
        self.require(!is_early, Promise::DelayIsNoFailure, &how);
    }

    /// What was concluded is on disk.
    pub(crate) fn settled(&mut self, leg: Leg, index: usize, ending: &Ending, now: Now) {
        let Some(copy) = self.copies.get_mut(&leg) else { return };
        let part = &mut copy.parts[index];
        part.attempt = None;
        part.is_refused |= is_refused(ending);
        let due = part.fate.as_ref().and_then(Status::due);
        part.planned = due.map(|due| Ahead::at(due, now));
        part.named = None;
        if let Some(wait) = named_wait(&ending.words)
            && due.is_some()
            && part.namings == 1
        {
            part.named = Some(Ahead::at(now.wall + wait.min(LONGEST_HINT), now));
            self.counts.named += 1;
        }
    }

    /// Power failed: what was under way has no end that the server knows of.
    pub(crate) fn power_cut(&mut self, server: usize, downtime: Duration) {
        self.counts.cuts += 1;
        for leg in self.live.iter().filter(|leg| leg.server == server) {
            for part in self.copies.get_mut(leg).into_iter().flat_map(|copy| &mut copy.parts) {
                part.excuse += downtime;
                let Some(attempt) = part.attempt.take() else { continue };
                part.open_endings += 1;
                part.planned = None;
                part.named = None;
                for moment in attempt.told {
                    *part.parted.entry(kind(moment)).or_default() += 1;
                }
            }
        }
    }

    /// What the disk has after a power cut: messages without a receipt among it.
    pub(crate) fn found(&mut self, server: usize, ids: &[QueueId], now: Now) {
        if self.went_back[server] {
            self.excuse(server);
        }
        let offers: Vec<Leg> =
            self.offers.keys().copied().filter(|leg| leg.server == server).collect();
        for leg in offers {
            if ids.contains(&leg.id) {
                self.counts.found_after_cut += 1;
                self.kept(leg, now);
            } else {
                self.withdrawn(leg);
            }
        }
    }

    /// A server's wall clock was set.
    pub(crate) fn clock_jumped(&mut self, server: usize, millis: i64) {
        self.counts.jumps += 1;
        if millis > 0 {
            self.forward[server] += Duration::from_millis(millis.unsigned_abs());
        } else {
            self.went_back[server] = true;
            self.excuse(server);
        }
    }

    /// A pause that was planned by a clock of tomorrow may begin again.
    fn excuse(&mut self, server: usize) {
        for leg in self.live.iter().filter(|leg| leg.server == server) {
            for part in self.copies.get_mut(leg).into_iter().flat_map(|copy| &mut copy.parts) {
                part.excuse += LONGEST_PAUSE;
            }
        }
    }

    /// What is not in the queue any more must have ended; `ids` is what is there.
    pub(crate) fn check(&mut self, server: usize, ids: &[QueueId]) {
        let ended = |leg: &&Leg| leg.server == server && ids.binary_search(&leg.id).is_err();
        let ended: Vec<Leg> = self.live.iter().filter(ended).copied().collect();
        for leg in ended {
            self.live.remove(&leg);
            self.check_end(leg);
        }
    }

    fn check_end(&mut self, leg: Leg) {
        let Some(copy) = self.copies.get_mut(&leg) else { return };
        copy.is_gone = true;
        let mut broken = Vec::new();
        for part in &copy.parts {
            let is_wanted = part.wishes.failure && !copy.has_null_path;
            let is_told = part.told.contains_key(kind(Moment::Failed));
            let promise = match &part.fate {
                Some(Status::Delivered { .. }) if part.taken > 0 => continue,
                Some(Status::Failed { .. }) if is_told || !is_wanted => continue,
                Some(Status::Failed { .. }) => Promise::FailureIsTold,
                _ => Promise::NothingIsLost,
            };
            broken.push((promise, format!("{leg} for {}: {:?}", part.path, part.fate)));
        }
        for (promise, how) in broken {
            self.require(false, promise, how);
        }
    }

    pub(crate) fn live(&self) -> usize {
        self.live.len()
    }
}

impl Part {
    fn lived(&self, now: Now) -> Duration {
        self.first.map_or(Duration::ZERO, |first| now.steady.since(first))
    }

    /// The promises that an attempt now breaks.
    fn attempted(&mut self, is_real: bool, now: Now) -> Vec<Promise> {
        self.attempt = Some(Attempt::default());
        self.first.get_or_insert(now.steady);
        let pause = now.steady.since(self.last_sign);
        let is_late = pause > LONGEST_PAUSE + self.excuse;
        (self.last_sign, self.excuse) = (now.steady, Duration::ZERO);
        if !is_real {
            return if is_late { vec![Promise::RetriesGoOn] } else { Vec::new() };
        }
        self.starts.push_back(now.steady);
        self.starts.retain(|start| *start + STORM_TIME > now.steady);
        let ahead = |time: Option<Ahead>| time.is_some_and(|time| time.is_ahead(now));
        let found = [
            (ahead(self.named), Promise::NeverBeforeTheNamedTime),
            (ahead(self.planned), Promise::NeverEarly),
            (self.is_refused, Promise::RefusalIsFinal),
            (self.starts.len() > STORM, Promise::NoStorm),
            (is_late, Promise::RetriesGoOn),
        ];
        found.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, promise)| promise).collect()
    }
}

/// The connection ended where a reply to the whole message was due.
fn is_open(ending: &Ending) -> bool {
    ending.reply.is_none() && ending.stage == Some(reply::Stage::EndOfData)
}

fn code(ending: &Ending) -> Option<u16> {
    ending.reply.as_ref().map(|reply| reply.code().value())
}

/// A 5yz, but for "too many recipients" (RFC 5321 §4.5.3.1.10).
fn is_refused(ending: &Ending) -> bool {
    let is_too_many = ending.words.to_lowercase().contains("too many recipients");
    code(ending).is_some_and(|code| code >= 500) && !is_too_many
}

/// A 4yz, or our own word for what passes.
fn is_for_now(ending: &Ending) -> bool {
    match code(ending) {
        Some(_) => !is_refused(ending),
        None => ending.verdict.permanence == Permanence::Transient,
    }
}

/// `in 300 seconds` or `retry=00:05:00`: read here anew, and not by the rules that the
/// sender reads it with.
fn named_wait(words: &str) -> Option<Duration> {
    let after = |mark: &str| words.split_once(mark).map(|(_, rest)| rest);
    if let Some((secs, _)) = after("again in ").and_then(|rest| rest.split_once(" seconds")) {
        return secs.parse().ok().map(Duration::from_secs);
    }
    let mut clock = after("retry=")?.split(|c: char| !c.is_ascii_digit());
    let mut next = || clock.next()?.parse::<u32>().ok();
    Some(HOUR * next()? + Duration::from_secs(60) * next()? + Duration::from_secs(1) * next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_waits_are_read_from_the_words() {
        let check = |words, secs| assert_eq!(named_wait(words), Some(Duration::from_secs(secs)));
        check("450 4.7.1 Greylisted, please try again in 90 seconds", 90);
        check("450 4.2.0 <a@b> is greylisted; retry=01:02:03 id=x", 3723);
        assert_eq!(named_wait("451 4.7.1 Please try again later"), None);
    }
}
