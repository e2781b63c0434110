//! The log on standard error: a line is made where something happens, and written by a
//! thread of its own, with others that came meanwhile. Neither a session nor a delivery
//! waits for a terminal, and under load one write takes many lines.
//!
//! A pipe that nobody reads stops neither mail nor the end of the server: when very many
//! lines wait, the next ones are lost, and a line says how many.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How many lines may wait; more are lost.
const MOST_WAITING: usize = 64 * 1024;
/// How many octets are written at once.
const AT_ONCE: usize = 64 * 1024;
/// For how long lines gather behind one that was written: to be woken for each of them costs
/// who writes them more than the line.
const GATHERING: Duration = Duration::from_millis(5);
/// For how long the last lines may wait for who reads them.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often is looked meanwhile whether there is room.
const PAUSE: Duration = Duration::from_millis(10);

enum Told {
    Line(Vec<u8>),
    /// What came before is written: says so.
    Flush(SyncSender<()>),
}

/// The log's thread. Dropped, it waits a moment until all lines are written.
pub(crate) struct LogLines(Maker);

/// Hands lines over; what the log's formatter holds.
#[derive(Clone)]
pub(crate) struct Maker {
    send: SyncSender<Told>,
    /// Lines that found no room, and were not told of yet.
    lost: Arc<AtomicU64>,
}

impl LogLines {
    /// Writes to `out` from now on.
    ///
    /// # Errors
    /// Where the operating system has no thread for it.
    pub(crate) fn start(out: impl Write + Send + 'static) -> io::Result<LogLines> {
        let (send, receive) = sync_channel(MOST_WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let maker = Maker { send, lost: Arc::clone(&lost) };
        let thread = thread::Builder::new().name("log".to_owned());
        thread.spawn(move || write_all(out, &receive, &lost))?;
        Ok(LogLines(maker))
    }

    /// For the log's formatter.
    pub(crate) fn maker(&self) -> Maker {
        self.0.clone()
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        let (done, told) = sync_channel(1);
        let mut flush = Told::Flush(done);
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            flush = match self.0.send.try_send(flush) {
                Ok(()) => {
                    // An error is the end of patience, or of the thread.
                    let _ = told.recv_timeout(PATIENCE);
                    return;
                }
                Err(TrySendError::Full(flush)) => flush,
                Err(TrySendError::Disconnected(_)) => return,
            };
            thread::sleep(PAUSE);
        }
    }
}

impl<'a> MakeWriter<'a> for Maker {
    type Writer = &'a Maker;

    fn make_writer(&'a self) -> &'a Maker {
        self
    }
}

/// The formatter writes a line with one call.
impl Write for &Maker {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.send.try_send(Told::Line(line.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            Err(TrySendError::Disconnected(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(mut out: impl Write, receive: &Receiver<Told>, lost: &AtomicU64) {
    let mut lines = Vec::new();
    while let Ok(first) = receive.recv() {
        let mut waiting = Vec::new();
        for told in [first].into_iter().chain(receive.try_iter()) {
            match told {
                Told::Line(line) => lines.extend_from_slice(&line),
                Told::Flush(done) => waiting.push(done),
            }
            if lines.len() >= AT_ONCE || !waiting.is_empty() {
                break;
            }
        }
        // A log that nobody reads does not stop mail.
        let _ = out.write_all(&lines).and_then(|()| out.flush());
        lines.clear();
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            tracing::warn!(lines = count, "lines of the log were lost: nobody read them in time");
        }
        for done in waiting {
            // Who asked may have gone.
            let _ = done.send(());
        }
        thread::sleep(GATHERING);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_before_it_is_dropped() {
        let kept = Kept::default();
        let lines = LogLines::start(kept.clone()).unwrap();
        let maker = lines.maker();
        let expected: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
        for line in expected.split_inclusive('\n') {
            maker.make_writer().write_all(line.as_bytes()).unwrap();
        }
        drop(lines);
        assert!(*kept.0.lock().unwrap() == expected.as_bytes());
        let late = maker.make_writer().write_all(b"late\n");
        assert!(late.is_ok(), "who still holds it may log on");
    }

    /// Takes nothing until it is let go.
    struct Stuck(std::sync::mpsc::Receiver<()>, Kept);

    impl Write for Stuck {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            // An error means that it was let go before.
            let _ = self.0.recv();
            self.1.write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_reads_holds_up_nobody_and_what_is_lost_is_counted() {
        let (let_go, stuck) = std::sync::mpsc::channel();
        let kept = Kept::default();
        let lines = LogLines::start(Stuck(stuck, kept.clone())).unwrap();
        let maker = lines.maker();
        let count = 2 * MOST_WAITING;
        (0..count).for_each(|_| maker.make_writer().write_all(b"line\n").unwrap());
        let lost = usize::try_from(maker.lost.load(Ordering::Relaxed)).unwrap();
        assert!(lost > 0 && lost < count, "{lost} of {count}");
        drop(let_go);
        drop(lines);
        assert_eq!(kept.0.lock().unwrap().len(), (count - lost) * b"line\n".len());
    }
}
