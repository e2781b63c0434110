//! A spool on a disk in memory, its writer stepped inline, and power that may fail at any
//! call to the disk. What a caller was not told may still be on disk.

use queue::Spool;
use queue::spool::Upkeep;
use store::disk::memory::{Faults, Memory};
use store::log::{Options, Writer};

use crate::random::Random;

const CAPACITY_OCTETS: u64 = 1 << 30;
/// One operation in so many ends in a power cut, at one of the next calls to the disk.
const OPERATIONS_PER_CUT: u64 = 30;
const CALLS_TO_CUT: u64 = 8;

pub(crate) struct Machine {
    random: Random,
    disk: Memory,
    spool: Spool<Memory>,
    writer: Writer<Memory>,
    forgets_syncs: bool,
    cut_at: Option<u64>,
    pub(crate) cuts: u32,
}

/// Small segments: worlds fill several, and a power cut has less to look at.
fn small() -> Options {
    Options { segment_octets: 128 * 1024, ..Options::default() }
}

impl Machine {
    pub(crate) fn new(seed: u64, forgets_syncs: bool) -> Machine {
        let disk = Memory::new(seed, CAPACITY_OCTETS);
        disk.set_faults(Faults { forgets_syncs, ..Faults::default() });
        let (spool, writer, _) = Spool::open_with(disk.clone(), small()).unwrap();
        let (random, cut_at, cuts) = (Random(seed), None, 0);
        Machine { random, disk, spool, writer, forgets_syncs, cut_at, cuts }
    }

    pub(crate) fn spool(&self) -> Spool<Memory> {
        self.spool.clone()
    }

    /// Something was submitted: it may be the last.
    pub(crate) fn endanger(&mut self) {
        if self.cut_at.is_none() && self.random.one_in(OPERATIONS_PER_CUT) {
            self.cut_at = Some(self.random.below(CALLS_TO_CUT));
            let (cut_at, forgets_syncs) = (self.cut_at, self.forgets_syncs);
            self.disk.set_faults(Faults { cut_at, forgets_syncs, ..Faults::default() });
        }
    }

    /// One batch to the disk; whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        self.writer.step()
    }

    /// Upkeep until it has to wait for the writer or has nothing to do.
    pub(crate) fn upkeep(&mut self) {
        while self.has_power() && self.spool.upkeep() == Upkeep::Now {}
    }

    pub(crate) fn has_power(&self) -> bool {
        let calls = self.disk.calls();
        let count = calls.changes + calls.syncs + calls.dir_syncs;
        self.cut_at.is_none_or(|at| count < at)
    }

    /// Begins again from what a power cut at this moment leaves; what it finds damaged.
    pub(crate) fn restart(&mut self) -> Option<String> {
        self.cuts += 1;
        self.cut_at = None;
        self.disk = self.disk.crash(self.random.next());
        let forgets_syncs = self.forgets_syncs;
        self.disk.set_faults(Faults { forgets_syncs, ..Faults::default() });
        let report;
        (self.spool, self.writer, report) = Spool::open_with(self.disk.clone(), small()).unwrap();
        (!report.damage.is_empty()).then(|| report.to_string())
    }
}
