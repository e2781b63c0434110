//! What is left of the raw disk where those who write messages and the one who syncs them
//! are threads: a batch under a lock, a write, a sync, and word to each writer. No record,
//! no index, no checksum, no limit, and no guess at who is still to come; around the
//! system's cache, as the spool writes. What no spool on this machine that syncs one batch after the other can be much faster than.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::writers::{self, Ends};
use crate::disk::{Batch, RawDisk};

/// How often it is looked who is there before one that does not come is given up.
const MOST_LOOKS: u32 = 10_000;

/// What waits to be written.
struct Waiting {
    batch: Batch,
    ends: Vec<Ends>,
    is_over: bool,
}

impl Waiting {
    fn with_room(octets: usize) -> Waiting {
        Waiting { batch: Batch::with_room(octets), ends: Vec::new(), is_over: false }
    }
}

/// Its file.
pub(super) struct HandOver(RawDisk);

impl HandOver {
    /// Lays the file out in `folder`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn new(folder: &Path) -> Result<HandOver, String> {
        RawDisk::around_cache(folder, "hand-over").map(HandOver)
    }

    /// So many writers, a message each on its way, for a time; messages per second.
    pub(super) fn run(
        &mut self,
        message: &[u8],
        writers: usize,
        time: Duration,
    ) -> Result<f64, String> {
        let room = message.len() * writers;
        let waiting = Mutex::new(Waiting::with_room(room));
        thread::scope(|scope| {
            let thread =
                scope.spawn(|| self.write_all(&waiting, Waiting::with_room(room), writers));
            let rate = writers::run(writers, time, &|ends: &Ends| {
                let mut waiting = lock(&waiting);
                waiting.batch.extend(message);
                waiting.ends.push(ends.clone());
                Ok(())
            });
            lock(&waiting).is_over = true;
            thread.join().map_err(|_| "error: the writer of batches panicked")?;
            rate
        })
    }

    /// Until it is over. Who waits is told of an error, too.
    fn write_all(&mut self, waiting: &Mutex<Waiting>, mut taken: Waiting, writers: usize) {
        while take(waiting, &mut taken, writers) {
            let end = self.0.write(&taken.batch).map_err(|error| format!("error: {error}"));
            taken.batch.clear();
            for ends in taken.ends.drain(..) {
                // A writer that heard of an error waits for no other end.
                let _ = ends.send(end.clone());
            }
        }
    }
}

/// Waits awake until all have handed in, and leaves an empty batch for what comes next. In
/// the end some have stopped: what there is after a while is taken, too. `false` where it
/// is over.
fn take(waiting: &Mutex<Waiting>, empty: &mut Waiting, writers: usize) -> bool {
    let mut looks = 0;
    loop {
        let mut there = lock(waiting);
        looks += 1;
        let is_late = looks > MOST_LOOKS && !there.ends.is_empty();
        if there.ends.len() >= writers || is_late {
            std::mem::swap(&mut *there, empty);
            return true;
        }
        if there.is_over {
            return false;
        }
        drop(there);
        thread::yield_now();
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn every_writer_is_told_where_the_disk_fails() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let run = HandOver(RawDisk::of(full)).run(b"message", 5, Duration::from_secs(60));
        assert!(run.unwrap_err().contains("No space left"));
    }

    #[test]
    fn what_is_handed_in_is_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = HandOver::new(folder.path()).unwrap();
        assert!(disk.run(&[b'm'; 4096], 3, Duration::ZERO).unwrap() > 0.0);
        let written = std::fs::read(folder.path().join("hand-over")).unwrap();
        assert!(written.starts_with(&[b'm'; 3 * 4096]) && written[3 * 4096] == 0);
    }
}
