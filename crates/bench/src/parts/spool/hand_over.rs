//! What is left of the raw disk where writers and the one who writes are two threads: a
//! batch under a lock, a write, a sync, and word to each writer. No record, no index, no
//! checksum, no limit: what no spool on this machine can be faster than.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::fdatasync;

use crate::clock;
use crate::disk;
use crate::statistics::per_second;

/// What waits to be written.
#[derive(Default)]
struct Batch {
    octets: Vec<u8>,
    writers: usize,
    is_over: bool,
}

type Waiting = Arc<(Mutex<Batch>, Condvar)>;

/// The two threads' file.
pub(super) struct HandOver {
    file: Arc<File>,
    offset: u64,
}

impl HandOver {
    /// Lays the file out in `folder`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn new(folder: &Path) -> Result<HandOver, String> {
        let path = folder.join("hand-over");
        let file = disk::zeroed_file(&path);
        let file = file.map_err(|error| format!("error: {}: {error}", path.display()))?;
        Ok(HandOver { file: Arc::new(file), offset: 0 })
    }

    /// So many writers, a message each on its way, for a time; messages per second.
    pub(super) fn run(
        &mut self,
        message: &[u8],
        writers: usize,
        time: Duration,
    ) -> Result<f64, String> {
        let (waiting, (send, ends)) = (Waiting::default(), channel());
        let thread = self.writer(Arc::clone(&waiting), send);
        let (start, mut ended, mut begun) = (clock::now(), 0, writers as u64);
        (0..writers).for_each(|_| hand_in(&waiting, message));
        while ended < begun && next(&ends) {
            ended += 1;
            if start.elapsed() < time {
                hand_in(&waiting, message);
                begun += 1;
            }
        }
        let rate = per_second(ended, start.elapsed());
        batch(&waiting).is_over = true;
        waiting.1.notify_one();
        let written = thread.join().map_err(|_| "error: the writer of batches panicked")?;
        self.offset = written.map_err(|error| format!("error: hand-over: {error}"))?;
        Ok(rate)
    }

    fn writer(&self, waiting: Waiting, ends: Sender<()>) -> JoinHandle<io::Result<u64>> {
        let (file, mut offset) = (Arc::clone(&self.file), self.offset);
        thread::spawn(move || {
            let mut octets = Vec::new();
            loop {
                let idle = |batch: &mut Batch| batch.writers == 0 && !batch.is_over;
                let taken = waiting.1.wait_while(batch(&waiting), idle);
                let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
                let writers = std::mem::take(&mut taken.writers);
                octets.clear();
                std::mem::swap(&mut octets, &mut taken.octets);
                drop(taken);
                if writers == 0 {
                    return Ok(offset);
                }
                if offset + octets.len() as u64 > disk::FILE_OCTETS {
                    offset = 0;
                }
                file.write_all_at(&octets, offset)?;
                offset += octets.len() as u64;
                fdatasync(&file)?;
                for _ in 0..writers {
                    // Who waits for them is there until the last.
                    let _ = ends.send(());
                }
            }
        })
    }
}

fn batch(waiting: &Waiting) -> std::sync::MutexGuard<'_, Batch> {
    waiting.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hand_in(waiting: &Waiting, message: &[u8]) {
    let mut batch = batch(waiting);
    batch.octets.extend_from_slice(message);
    batch.writers += 1;
    drop(batch);
    waiting.1.notify_one();
}

/// Whether another one was written.
fn next(ends: &Receiver<()>) -> bool {
    ends.recv().is_ok()
}
