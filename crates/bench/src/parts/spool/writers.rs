//! Writers in a closed loop: each has one message on its way, and begins the next when that
//! one is synced. They share threads, one for each core, as the server's sessions do.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::clock;
use crate::statistics::per_second;

/// Told of a message's end.
pub(super) type Ends = Sender<Result<(), String>>;

/// Lets so many writers begin messages for a time, and waits for the last. Messages a
/// second.
///
/// # Errors
/// The first that a message ended with.
pub(super) fn run(
    writers: usize,
    time: Duration,
    begin: &(impl Fn(&Ends) -> Result<(), String> + Sync),
) -> Result<f64, String> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(writers);
    let start = clock::now();
    let ended: Result<u64, String> = thread::scope(|scope| {
        let shares = (0..threads).map(|at| (writers + at) / threads);
        let all: Vec<_> =
            shares.map(|share| scope.spawn(move || share_of(share, start, time, begin))).collect();
        all.into_iter().map(joined).sum()
    });
    Ok(per_second(ended?, start.elapsed()))
}

fn joined(thread: ScopedJoinHandle<'_, Result<u64, String>>) -> Result<u64, String> {
    thread.join().unwrap_or_else(|_| Err("error: a writer panicked".into()))
}

/// The writers of one thread; how many messages were synced.
fn share_of(
    writers: usize,
    start: Instant,
    time: Duration,
    begin: &impl Fn(&Ends) -> Result<(), String>,
) -> Result<u64, String> {
    let (send, ends) = channel();
    (0..writers).try_for_each(|_| begin(&send))?;
    let (mut begun, mut ended) = (writers as u64, 0);
    while ended < begun {
        ends.recv().map_err(|error| format!("error: {error}"))??;
        ended += 1;
        if start.elapsed() < time {
            begin(&send)?;
            begun += 1;
        }
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn each_writer_has_one_message_on_its_way() {
        let begun = AtomicU64::new(0);
        let rate = run(7, Duration::ZERO, &|ends: &Ends| {
            begun.fetch_add(1, Ordering::Relaxed);
            ends.send(Ok(())).map_err(|error| error.to_string())
        });
        assert!(rate.unwrap() > 0.0);
        assert_eq!(begun.into_inner(), 7);
    }

    #[test]
    fn an_error_ends_the_run() {
        let run = run(3, Duration::from_secs(60), &|ends: &Ends| {
            ends.send(Err("error: the disk".into())).map_err(|error| error.to_string())
        });
        assert_eq!(run.unwrap_err(), "error: the disk");
    }
}
