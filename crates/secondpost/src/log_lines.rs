//! The log on standard error: a line is made where something happens, and written by a
//! thread of its own, with others that came meanwhile. Neither a session nor a delivery
//! waits for a terminal, and under load one write takes many lines.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tracing_subscriber::fmt::MakeWriter;

/// How many lines may wait; then who has another one waits.
const MOST_WAITING: usize = 8 * 1024;
/// How many octets are written at once.
const AT_ONCE: usize = 64 * 1024;

enum Told {
    Line(Vec<u8>),
    /// What came before is written: says so.
    Flush(SyncSender<()>),
}

/// Takes lines. Dropped, the first one waits until all are written.
pub(crate) struct LogLines(SyncSender<Told>);

/// Hands lines over; what the log's formatter holds.
#[derive(Clone)]
pub(crate) struct Maker(SyncSender<Told>);

impl LogLines {
    /// Writes to `out` from now on.
    ///
    /// # Errors
    /// Where the operating system has no thread for it.
    pub(crate) fn start(out: impl Write + Send + 'static) -> io::Result<LogLines> {
        let (send, receive) = sync_channel(MOST_WAITING);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(out, &receive))?;
        Ok(LogLines(send))
    }

    /// For the log's formatter.
    pub(crate) fn maker(&self) -> Maker {
        Maker(self.0.clone())
    }
}

impl Drop for LogLines {
    fn drop(&mut self) {
        let (done, told) = sync_channel(1);
        // An error is the thread's end: nobody writes any more.
        if self.0.send(Told::Flush(done)).is_ok() {
            let _ = told.recv();
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
        let sent = self.0.send(Told::Line(line.to_vec()));
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(mut out: impl Write, receive: &Receiver<Told>) {
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
        for done in waiting {
            // Who asked may have gone.
            let _ = done.send(());
        }
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
}
