//! The most frequent of very many names, in bounded memory. When the table is full its
//! rarer half falls out; what fell out is counted, and no name that is not in the table
//! can have been seen more often than [`Top::at_most_missed`].

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Status;

/// Longest name that is kept.
const MAX_NAME_OCTETS: usize = 255;

/// How often, by what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Delivered.
    pub sent: u64,
    /// Not delivered for now.
    pub deferred: u64,
    /// Given up.
    pub bounced: u64,
    /// Refused by this server.
    pub rejected: u64,
}

impl Tally {
    /// One of a status; nothing for a status that is no outcome.
    pub(super) fn of(status: Status) -> Tally {
        let mut tally = Tally::default();
        match status {
            Status::Sent => tally.sent = 1,
            Status::Deferred => tally.deferred = 1,
            Status::Bounced => tally.bounced = 1,
            Status::Rejected | Status::RejectedForNow => tally.rejected = 1,
            Status::Received | Status::Ended | Status::Trouble | Status::Note => {}
        }
        tally
    }

    pub(super) fn add(&mut self, other: Tally, times: u64) {
        self.sent += other.sent * times;
        self.deferred += other.deferred * times;
        self.bounced += other.bounced * times;
        self.rejected += other.rejected * times;
    }

    /// Attempts that did not deliver, and refusals.
    pub const fn failed(&self) -> u64 {
        self.deferred + self.bounced + self.rejected
    }

    /// All together.
    pub const fn total(&self) -> u64 {
        self.sent + self.failed()
    }
}

/// The most frequent names, each with its tally.
#[derive(Clone, Debug)]
pub struct Top {
    tallies: HashMap<Box<str>, Tally, RandomState>,
    capacity: usize,
    fell_out: u64,
    at_most_missed: u64,
}

impl Top {
    /// A table that ranks at least `capacity` / 2 names.
    pub(super) fn new(capacity: usize) -> Top {
        let tallies = HashMap::default();
        Top { tallies, capacity: capacity.max(2), fell_out: 0, at_most_missed: 0 }
    }

    /// Adds to a name, in lower case.
    pub(super) fn add(&mut self, name: &str, tally: Tally, times: u64) {
        let name = &name[..crate::classify::floor_char_boundary(name, MAX_NAME_OCTETS)];
        if let Some(known) = self.tallies.get_mut(name) {
            return known.add(tally, times);
        }
        let lower = name.to_lowercase();
        if let Some(known) = self.tallies.get_mut(&*lower) {
            return known.add(tally, times);
        }
        if self.tallies.len() >= self.capacity {
            self.shrink();
        }
        let mut first = Tally::default();
        first.add(tally, times);
        self.tallies.insert(lower.into(), first);
    }

    /// Lets the rarer half fall out.
    fn shrink(&mut self) {
        let mut totals: Vec<u64> = self.tallies.values().map(Tally::total).collect();
        let middle = totals.len() / 2;
        let (_, bound, _) = totals.select_nth_unstable(middle);
        let bound = *bound;
        // Of those at the bound some stay, so that about half the room is free.
        let above = totals.iter().filter(|total| **total > bound).count();
        let mut room = middle.saturating_sub(above);
        let (mut fell_out, mut most) = (0, 0);
        self.tallies.retain(|_, tally| {
            let total = tally.total();
            let stays_at_bound = total == bound && room > 0;
            room -= usize::from(stays_at_bound);
            if total > bound || stays_at_bound {
                return true;
            }
            (fell_out, most) = (fell_out + 1, total.max(most));
            false
        });
        self.fell_out += fell_out;
        // A name may fall out again and again.
        self.at_most_missed += most;
    }

    /// The `count` most frequent by what failed, then by all; of equals the first in the alphabet.
    pub fn best(&self, count: usize) -> Vec<(&str, Tally)> {
        let mut all: Vec<(&str, Tally)> =
            self.tallies.iter().map(|(name, tally)| (&**name, *tally)).collect();
        all.sort_by(|(a, x), (b, y)| {
            (y.failed(), y.total()).cmp(&(x.failed(), x.total())).then_with(|| a.cmp(b))
        });
        all.truncate(count);
        all
    }

    /// How many names the table holds.
    pub fn len(&self) -> usize {
        self.tallies.len()
    }

    /// Whether no name was added.
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    /// How many times a name fell out of the full table.
    pub const fn fell_out(&self) -> u64 {
        self.fell_out
    }

    /// How often a name that is missing, or the lack of one that is not, may have been seen.
    pub const fn at_most_missed(&self) -> u64 {
        self.at_most_missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_stay_and_what_falls_out_is_counted() {
        let mut top = Top::new(100);
        let failed = Tally::of(Status::Bounced);
        for number in 0..10_000u32 {
            top.add(&format!("{number}.example"), failed, 1);
            top.add("Often.Example", failed, 1);
        }
        assert!(top.len() <= 100);
        let (name, tally) = top.best(1)[0];
        assert_eq!((name, tally.bounced), ("often.example", 10_000));
        assert_eq!(top.fell_out() + top.len() as u64, 10_001);
        assert!(top.at_most_missed() > 0);
    }
}
