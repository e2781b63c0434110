//! What is left of the raw disk where those who write messages and the one who syncs them
//! are threads: a batch under a lock, a write, a sync, and word to each writer. No record,
//! no index, no checksum, no limit, and no guess at who is still to come: what no spool on
//! this machine that syncs one batch after the other can be much faster than.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::writers::{self, Ends};
use crate::disk::RawDisk;

/// How often it is looked who is there before one that does not come is given up.
const MOST_LOOKS: u32 = 10_000;

/// What waits to be written.
#[derive(Default)]
struct Batch {
    octets: Vec<u8>,
    ends: Vec<Ends>,
    is_over: bool,
}

/// Its file.
pub(super) struct HandOver(RawDisk);

impl HandOver {
    /// Lays the file out in `folder`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn new(folder: &Path) -> Result<HandOver, String> {
        RawDisk::new(folder, "hand-over").map(HandOver)
    }

    /// So many writers, a message each on its way, for a time; messages per second.
    pub(super) fn run(
        &mut self,
        message: &[u8],
        writers: usize,
        time: Duration,
    ) -> Result<f64, String> {
        let waiting = Mutex::default();
        thread::scope(|scope| {
            let thread = scope.spawn(|| self.write_all(&waiting, writers));
            let rate = writers::run(writers, time, &|ends: &Ends| {
                let mut batch = lock(&waiting);
                batch.octets.extend_from_slice(message);
                batch.ends.push(ends.clone());
                Ok(())
            });
            lock(&waiting).is_over = true;
            thread.join().map_err(|_| "error: the writer of batches panicked")?;
            rate
        })
    }

    /// Until it is over. Who waits is told of an error, too.
    fn write_all(&mut self, waiting: &Mutex<Batch>, writers: usize) {
        let mut batch = Batch::default();
        while take(waiting, &mut batch, writers) {
            let end = self.0.write(&batch.octets).map_err(|error| format!("error: {error}"));
            batch.octets.clear();
            for ends in batch.ends.drain(..) {
                // A writer that heard of an error waits for no other end.
                let _ = ends.send(end.clone());
            }
        }
    }
}

/// Waits awake until all have handed in, and leaves an empty batch for what comes next. In
/// the end some have stopped: what there is after a while is taken, too. `false` where it
/// is over.
fn take(waiting: &Mutex<Batch>, empty: &mut Batch, writers: usize) -> bool {
    let mut looks = 0;
    loop {
        let mut batch = lock(waiting);
        looks += 1;
        let is_late = looks > MOST_LOOKS && !batch.ends.is_empty();
        if batch.ends.len() >= writers || is_late {
            std::mem::swap(&mut *batch, empty);
            return true;
        }
        if batch.is_over {
            return false;
        }
        drop(batch);
        thread::yield_now();
    }
}

fn lock(waiting: &Mutex<Batch>) -> MutexGuard<'_, Batch> {
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
        assert!(disk.run(b"message", 3, Duration::ZERO).unwrap() > 0.0);
        let written = std::fs::read(folder.path().join("hand-over")).unwrap();
        assert!(written.starts_with(b"messagemessagemessage\0"));
    }
}
