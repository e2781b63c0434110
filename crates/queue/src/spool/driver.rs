//! The spool's two threads in production: the writer, and upkeep.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use store::Disk;
use store::log::Writer;

use super::{Spool, Upkeep};

/// How often upkeep looks whether there is something to do.
const UPKEEP_EVERY: Duration = Duration::from_millis(500);

/// Whether the threads are to end, and a bell for it.
type Stop = Arc<(Mutex<bool>, Condvar)>;

/// The threads of a spool. [`Driver::stop`] ends them cleanly; dropped, it does the same.
pub struct Driver<D: Disk> {
    spool: Spool<D>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
}

impl<D: Disk> std::fmt::Debug for Driver<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Driver({} threads)", self.threads.len())
    }
}

impl<D: Disk> Spool<D> {
    /// Gives the writer, and upkeep, a thread each. `held_up` is called, again and again,
    /// while the disk holds up somebody who [commits to lead](super::Draft::commit_to_lead):
    /// others may need what that thread did for them. It is dropped when the writer ends:
    /// after [`Spool::close`], or where a thread that the spool needs has panicked.
    ///
    /// # Errors
    /// Where the operating system has no thread for them.
    pub fn start(
        &self,
        writer: Writer<D>,
        held_up: impl Fn() + Send + 'static,
    ) -> io::Result<Driver<D>> {
        let stop = Stop::default();
        let mut driver =
            Driver { spool: self.clone(), stop: Arc::clone(&stop), threads: Vec::new() };
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        driver.threads.push(named("spool-writer").spawn(move || writer.run(held_up))?);
        let kept = ClosedByPanic(self.clone());
        driver.threads.push(named("spool-upkeep").spawn(move || keep_up(&kept.0, &stop))?);
        Ok(driver)
    }
}

/// A spool that nobody keeps up would fill the disk: it is rather closed.
struct ClosedByPanic<D: Disk>(Spool<D>);

impl<D: Disk> Drop for ClosedByPanic<D> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
        }
    }
}

fn keep_up<D: Disk>(spool: &Spool<D>, stop: &Stop) {
    let (stopped, bell) = &**stop;
    let stopped = || stopped.lock().unwrap_or_else(PoisonError::into_inner);
    while !*stopped() {
        match spool.upkeep() {
            Upkeep::Now => {}
            Upkeep::AfterWriter => spool.wait_for_writer(),
            Upkeep::Later => drop(bell.wait_timeout_while(stopped(), UPKEEP_EVERY, |stop| !*stop)),
        }
    }
}

impl<D: Disk> Driver<D> {
    /// Takes no more, writes what was submitted, ends the last segment with a footer, and
    /// waits for both threads.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let (stopped, bell) = &*self.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        bell.notify_all();
        self.spool.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl<D: Disk> Drop for Driver<D> {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use store::disk::{Faults, Memory};

    use super::*;

    /// Patience with what another thread is to do.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn the_writer_ends_where_upkeep_has_panicked() {
        let disk = Memory::new(1, 64 << 20);
        let (spool, writer, _) = Spool::open(disk.clone()).unwrap();
        disk.set_faults(Faults { panics_at_sync: true, ..Faults::default() });
        let (alive, ends) = channel::<()>();
        let driver = spool.start(writer, move || drop(alive.clone())).unwrap();
        assert_eq!(ends.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
        drop(driver);
    }
}
