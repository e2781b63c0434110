//! A spool on a disk in memory, its writer stepped inline, and power that may fail in
//! the middle of any of its operations. What a caller is not told may still be on disk.

use std::sync::mpsc::{Receiver, channel};

use queue::spool::Body;
use queue::spool::Durability;
use queue::{Message, QueueId, Received, Spool};
use store::disk::memory::{Faults, Memory};
use store::log::{Options, Writer};

use crate::random::Random;

const SEGMENT_OCTETS: u32 = 128 * 1024;
const CAPACITY_OCTETS: u64 = 1 << 30;
/// One operation in so many meets a power cut.
const OPERATIONS_PER_CRASH: u64 = 25;

/// Small segments: worlds fill several, and a power cut has less to look at.
fn small() -> Options {
    Options { segment_octets: SEGMENT_OCTETS, ..Options::default() }
}

pub(crate) struct Machine {
    random: Random,
    disk: Memory,
    pub(crate) spool: Spool<Memory>,
    writer: Writer<Memory>,
    pub(crate) crashes: u32,
}

impl Machine {
    pub(crate) fn new(seed: u64) -> Machine {
        let disk = Memory::new(seed, CAPACITY_OCTETS);
        let (spool, writer, _) = Spool::open_with(disk.clone(), small()).unwrap();
        Machine { random: Random(seed), disk, spool, writer, crashes: 0 }
    }

    /// The name of the message, where the receipt was given.
    pub(crate) fn put(&mut self, received: Received, octets: &[u8]) -> Option<QueueId> {
        let mut draft = self.spool.begin(received);
        draft.append(octets).unwrap();
        let (send, told) = channel();
        let will_crash = self.endanger();
        draft.commit(Box::new(move |done| drop(send.send(done.map(|receipt| receipt.id())))));
        self.finish(will_crash, &told)
    }

    /// Whether the note is known to be synced.
    pub(crate) fn update(&mut self, was: &Message, now: &Message) -> bool {
        let (send, told) = channel();
        let will_crash = self.endanger();
        let done = Box::new(move |done| drop(send.send(done)));
        self.spool.update(was, now, Durability::Synced, done);
        self.finish(will_crash, &told).is_some()
    }

    /// Whether the end is known to be synced.
    pub(crate) fn remove(&mut self, id: QueueId) -> bool {
        let (send, told) = channel();
        let will_crash = self.endanger();
        let done = Box::new(move |done| drop(send.send(done)));
        self.spool.remove(id, Durability::Synced, done);
        self.finish(will_crash, &told).is_some()
    }

    pub(crate) fn body(&self, id: QueueId) -> Vec<u8> {
        let mut body: Body<Memory> = self.spool.body(id).unwrap();
        let mut octets = vec![0; self.spool.get(id).unwrap().octets as usize];
        let read = body.read_at(0, &mut octets).unwrap();
        octets.truncate(read);
        octets
    }

    fn endanger(&mut self) -> bool {
        let will_crash = self.random.one_in(OPERATIONS_PER_CRASH);
        if will_crash {
            let cut_at = Some(self.random.below(6));
            self.disk.set_faults(Faults { cut_at, ..Faults::default() });
        }
        will_crash
    }

    fn finish<T, E>(&mut self, crashes: bool, told: &Receiver<Result<T, E>>) -> Option<T> {
        while self.writer.step() {}
        let result = told.try_recv().ok().and_then(Result::ok);
        if crashes {
            self.crash();
        }
        result
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.disk = self.disk.crash(self.random.next());
        (self.spool, self.writer, _) = Spool::open_with(self.disk.clone(), small()).unwrap();
    }
}
