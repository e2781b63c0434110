//! Whose turn it is: an index in memory by due time and destination.
//!
//! The spool is the truth and this an index over it, rebuilt at every start: one entry
//! of 16 octets (and the tree's slack) for each message and destination. It hands out
//! leases, at most so many to a destination at once, the destinations in turn, so that
//! a hundred thousand messages to a dead host do not delay one to a live host. It opens
//! no connection and reads no clock.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use reply::Timestamp;

use crate::QueueId;
use crate::retry::{Pace, RetryOptions};

/// How much goes out at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Leases to one destination at once (`limits.connections_per_destination`): 20 is
    /// what large receivers take from one client without complaint.
    pub per_destination: usize,
    /// Leases in all (`limits.outgoing`): each costs a socket and some KiB.
    pub total: usize,
    /// The first pause of a destination that cannot be reached; doubles.
    pub unreachable_pause: Duration,
    /// The longest such pause.
    pub unreachable_longest: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new(20, 500, &RetryOptions::default())
    }
}

impl Limits {
    /// Limits whose pauses are those of the retry settings.
    pub fn new(per_destination: usize, total: usize, retry: &RetryOptions) -> Limits {
        Limits {
            per_destination: per_destination.max(1),
            total: total.max(1),
            unreachable_pause: retry.unreachable_pause,
            unreachable_longest: retry.unreachable_longest,
        }
    }
}

/// Names a destination while it has mail; only the schedule that made it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationId(u32);

/// What to do with a leased message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Deliver it.
    Deliver,
    /// Note that its destination is unreachable, without a connection: the destination
    /// is being left alone, and the message's own delay and lifetime still count.
    NoteUnreachable,
}

/// The right and the duty to work on one message for one destination. Ends with
/// [`Schedule::settle`]; a lost lease blocks the message until the next start.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a lease ends with `settle`"]
pub struct Lease {
    /// The message.
    pub id: QueueId,
    /// The destination.
    pub destination: DestinationId,
    /// What to do.
    pub mode: Mode,
}

/// The index. `now` may jump: forwards everything is due, but goes out under the same
/// limits; backwards all due times move along ([`Schedule::notice_clock`]).
#[derive(Debug)]
pub struct Schedule {
    limits: Limits,
    names: HashMap<Box<str>, DestinationId>,
    destinations: Vec<Destination>,
    /// Slots of `destinations` that are free.
    vacant: Vec<DestinationId>,
    /// When to look at a destination that is not in `turns`.
    wakes: BTreeSet<(Timestamp, DestinationId)>,
    /// Destinations that may have something due, in turn.
    turns: VecDeque<DestinationId>,
    leased: usize,
    waiting: usize,
    latest: Timestamp,
}

#[derive(Debug, Default)]
struct Destination {
    name: Box<str>,
    waiting: BTreeSet<(Timestamp, QueueId)>,
    leased: Vec<QueueId>,
    /// How many leases at once; below the limit after trouble.
    most: usize,
    not_before: Timestamp,
    failures: u32,
    /// Its entry in `wakes`.
    wake: Option<Timestamp>,
    in_turns: bool,
}

/// While a destination is left alone, a message that has been due for this long is noted
/// as not delivered, so that delays are told and lifetimes end.
const NOTE_AFTER: Duration = Duration::from_secs(3600);
/// A clock that goes back by less is being adjusted, not set.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// The pause after "too many connections": those that are open need a moment to end.
const CONNECTIONS_PAUSE: Duration = Duration::from_secs(10);

impl Schedule {
    /// An empty schedule.
    pub fn new(limits: Limits) -> Schedule {
        Schedule {
            limits,
            names: HashMap::new(),
            destinations: Vec::new(),
            vacant: Vec::new(),
            wakes: BTreeSet::new(),
            turns: VecDeque::new(),
            leased: 0,
            waiting: 0,
            latest: Timestamp::EPOCH,
        }
    }

    /// Entries that wait, leased ones not counted.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Leases that are out.
    pub fn leased(&self) -> usize {
        self.leased
    }

    /// The name that a destination was inserted under.
    pub fn name(&self, destination: DestinationId) -> &str {
        &self.destinations[destination.0 as usize].name
    }

    /// Adds a message for a destination. One that is leased for it is left alone: its
    /// lease decides.
    pub fn insert(&mut self, id: QueueId, destination: &str, due: Timestamp) {
        let key = self.intern(destination);
        let slot = &mut self.destinations[key.0 as usize];
        if !slot.leased.contains(&id) && slot.waiting.insert((due, id)) {
            self.waiting += 1;
        }
        self.refresh(key);
    }

    /// Takes a message out for one destination; looks through all that waits for it.
    /// False where it does not wait there (it may be leased).
    pub fn remove(&mut self, id: QueueId, destination: &str) -> bool {
        let Some(key) = self.names.get(destination).copied() else { return false };
        let slot = &mut self.destinations[key.0 as usize];
        let before = slot.waiting.len();
        slot.waiting.retain(|(_, waiting)| *waiting != id);
        let removed = before - slot.waiting.len();
        self.waiting -= removed;
        self.refresh(key);
        removed > 0
    }

    /// Whether a lease on the message for the destination is out.
    pub fn is_leased(&self, id: QueueId, destination: &str) -> bool {
        let key = self.names.get(destination);
        key.is_some_and(|key| self.destinations[key.0 as usize].leased.contains(&id))
    }

    /// A clock that was set back takes the schedule with it: what was due in an hour
    /// stays due in an hour, instead of in an hour and a year. To be called before a time
    /// of the new clock is handed over: else that would be moved with those of the old.
    pub fn notice_clock(&mut self, now: Timestamp) {
        if now + CLOCK_TOLERANCE < self.latest {
            let back = self.latest.since(now);
            for index in 0..self.destinations.len() {
                self.destinations[index].shift_back(back);
                self.refresh(DestinationId(index as u32));
            }
        }
        self.latest = now;
    }

    /// Leases on what is due, at most `room` of them, the destinations in turn.
    pub fn due(&mut self, now: Timestamp, room: usize) -> Vec<Lease> {
        self.notice_clock(now);
        self.wake_up(now);
        let mut room = room.min(self.limits.total.saturating_sub(self.leased));
        let mut leases = Vec::new();
        while room > 0
            && let Some(key) = self.turns.pop_front()
        {
            self.destinations[key.0 as usize].in_turns = false;
            if let Some(lease) = self.lease(key, now) {
                leases.push(lease);
                room -= 1;
                self.take_turn(key);
            } else {
                self.refresh(key);
            }
        }
        leases
    }

    /// When `due` can next have something; `None` while nothing waits that a lease does
    /// not block. A time in the past means now. Ask again after every other call.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.leased >= self.limits.total {
            return None;
        }
        if !self.turns.is_empty() {
            return Some(Timestamp::EPOCH);
        }
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Another message for the same destination, for a connection that has become free:
    /// in place of a lease that is settled. `None` where nothing is due or the
    /// destination's pace forbids it.
    pub fn another(&mut self, destination: DestinationId, now: Timestamp) -> Option<Lease> {
        if self.leased >= self.limits.total {
            return None;
        }
        let lease = self.lease(destination, now);
        self.refresh(destination);
        lease
    }

    /// Ends a lease; `again` is when the message is due for this destination again.
    pub fn settle(&mut self, lease: Lease, again: Option<Timestamp>) {
        let slot = &mut self.destinations[lease.destination.0 as usize];
        if let Some(at) = slot.leased.iter().position(|id| *id == lease.id) {
            slot.leased.swap_remove(at);
            self.leased -= 1;
        }
        if let Some(due) = again
            && slot.waiting.insert((due, lease.id))
        {
            self.waiting += 1;
        }
        self.refresh(lease.destination);
    }

    /// Sets the pace of a destination; call it before `settle`, while the lease keeps the
    /// destination alive.
    pub fn pace(&mut self, destination: DestinationId, pace: Pace, now: Timestamp) {
        let limits = self.limits.clone();
        self.destinations[destination.0 as usize].pace(pace, &limits, now);
        self.refresh(destination);
    }

    /// Forgets why a destination is left alone: somebody asked to try now.
    pub fn wake(&mut self, destination: &str) {
        if let Some(key) = self.names.get(destination).copied() {
            self.destinations[key.0 as usize].not_before = Timestamp::EPOCH;
            self.refresh(key);
        }
    }

    /// Until when the destination is left alone, where it is.
    pub fn left_alone_until(&self, destination: &str, now: Timestamp) -> Option<Timestamp> {
        let slot = &self.destinations[self.names.get(destination)?.0 as usize];
        Some(slot.not_before).filter(|until| *until > now)
    }

    fn intern(&mut self, name: &str) -> DestinationId {
        if let Some(key) = self.names.get(name) {
            return *key;
        }
        let new = Destination {
            name: name.into(),
            most: self.limits.per_destination,
            ..Destination::default()
        };
        let key = match self.vacant.pop() {
            Some(key) => {
                self.destinations[key.0 as usize] = new;
                key
            }
            None => {
                self.destinations.push(new);
                DestinationId(self.destinations.len() as u32 - 1)
            }
        };
        self.names.insert(name.into(), key);
        key
    }

    /// Puts a destination where it belongs after any change: asleep until something can
    /// be leased, or nowhere; forgets it when it is empty and well.
    fn refresh(&mut self, key: DestinationId) {
        let slot = &mut self.destinations[key.0 as usize];
        if slot.in_turns {
            return;
        }
        let wake = slot.wakes_at(self.latest);
        if slot.wake != wake {
            let before = std::mem::replace(&mut slot.wake, wake);
            self.wakes.extend(wake.map(|at| (at, key)));
            if let Some(at) = before {
                self.wakes.remove(&(at, key));
            }
        }
        if slot.is_idle(self.latest) {
            let name = std::mem::take(&mut slot.name);
            // Only a slot that still has its name is given back, once.
            if self.names.remove(&name).is_some() {
                self.vacant.push(key);
            }
        }
    }

    fn wake_up(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.wakes.first().copied()
            && at <= now
        {
            self.wakes.pop_first();
            self.destinations[key.0 as usize].wake = None;
            self.take_turn(key);
        }
    }

    fn take_turn(&mut self, key: DestinationId) {
        let slot = &mut self.destinations[key.0 as usize];
        if !slot.in_turns {
            slot.in_turns = true;
            if let Some(at) = slot.wake.take() {
                self.wakes.remove(&(at, key));
            }
            self.turns.push_back(key);
        }
    }

    fn lease(&mut self, key: DestinationId, now: Timestamp) -> Option<Lease> {
        let slot = &mut self.destinations[key.0 as usize];
        self.waiting -= slot.forget_leased(now);
        let (id, mode) = slot.take(now)?;
        self.waiting -= 1;
        self.leased += 1;
        Some(Lease { id, destination: key, mode })
    }
}

impl Destination {
    /// Takes out what comes next and is leased already; how many that were. A message can
    /// wait twice: an administrator wants it attempted just when it comes, or when it is
    /// found again at a start.
    fn forget_leased(&mut self, now: Timestamp) -> usize {
        let mut forgotten = 0;
        while let Some((due, id)) = self.waiting.first()
            && *due <= now
            && self.leased.contains(id)
        {
            self.waiting.pop_first();
            forgotten += 1;
        }
        forgotten
    }

    /// The next message that may be worked on at `now`, and how.
    fn take(&mut self, now: Timestamp) -> Option<(QueueId, Mode)> {
        let (due, id) = self.waiting.first().copied().filter(|(due, _)| *due <= now)?;
        let mode = if self.not_before <= now { Mode::Deliver } else { Mode::NoteUnreachable };
        let too_early = mode == Mode::NoteUnreachable && due + NOTE_AFTER > now;
        if too_early || self.leased.len() >= self.most {
            return None;
        }
        self.waiting.pop_first();
        self.leased.push(id);
        Some((id, mode))
    }

    /// When `take` can next give something, as far as is known without a settled lease.
    /// An empty destination that is left alone is looked at afterwards, to be forgotten.
    fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let Some((due, _)) = self.waiting.first() else {
            return Some(self.not_before).filter(|at| *at > now && self.leased.is_empty());
        };
        let delivered = self.not_before.max(*due);
        let noted = *due + NOTE_AFTER;
        (self.leased.len() < self.most).then(|| delivered.min(noted))
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        self.waiting.is_empty() && self.leased.is_empty() && self.not_before <= now
    }

    fn pace(&mut self, pace: Pace, limits: &Limits, now: Timestamp) {
        match pace {
            Pace::Normal => {
                self.failures = 0;
                self.most = (self.most * 2).min(limits.per_destination);
                self.not_before = self.not_before.min(now);
            }
            Pace::SlowDown { until } => {
                self.most = 1;
                self.not_before = self.not_before.max(until);
            }
            Pace::FewerConnections => {
                self.most = (self.leased.len() / 2).max(1);
                self.not_before = self.not_before.max(now + CONNECTIONS_PAUSE);
            }
            Pace::Unreachable => self.leave_alone(limits, now),
        }
    }

    /// Twenty connections that fail together are one failure: only one that was tried
    /// after the last pause counts.
    fn leave_alone(&mut self, limits: &Limits, now: Timestamp) {
        self.most = 1;
        if now < self.not_before {
            return;
        }
        let doubled = limits.unreachable_pause.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        self.not_before = now + doubled.min(limits.unreachable_longest);
    }

    fn shift_back(&mut self, by: Duration) {
        let shifted = std::mem::take(&mut self.waiting);
        self.waiting = shifted.into_iter().map(|(due, id)| (due - by, id)).collect();
        self.not_before = self.not_before - by;
    }
}

#[cfg(test)]
mod tests;
