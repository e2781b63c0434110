//! What the dispatcher needs of the spool, and no more.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use queue::spool::Durability;
use queue::{Message, QueueId, Received, Spool, SpoolError};
use store::Disk;

use crate::delivery::body::ReadMessage;

/// Told once of what was submitted: that it survives a power cut, or why it could not be
/// written; then the earlier state stands. From any thread, also at once: to be brief.
pub type Written = Box<dyn FnOnce(io::Result<()>) + Send>;

/// The messages that wait. Methods that return an [`io::Result`] block, and are called on
/// a thread that may.
pub trait Backlog: ReadMessage {
    /// Shows every message that is not done, oldest first.
    ///
    /// # Errors
    /// Where the spool cannot be read.
    fn scan(&self, visit: &mut dyn FnMut(Message)) -> io::Result<()>;

    /// One message; `None` where it is not in the queue any more.
    ///
    /// # Errors
    /// Where the spool cannot be read.
    fn get(&self, id: QueueId) -> io::Result<Option<Message>>;

    /// What [`Backlog::get`] gives, where that needs no look at the disk.
    fn recall(&self, id: QueueId) -> Option<Message>;

    /// All data of a message, where that needs no look at the disk.
    fn recall_data(&self, id: QueueId) -> Option<Arc<Vec<u8>>>;

    /// Submits what differs between the message as it `was` got and `now`: the state of its
    /// recipients and whether it is held. Read back from now on.
    fn submit_update(&self, was: &Message, now: &Message, written: Written);

    /// Submits the end of a message; it is gone from now on.
    fn submit_removal(&self, id: QueueId, haste: Haste, written: Written);

    /// Puts a message into the queue, synced.
    ///
    /// # Errors
    /// Where it could not be kept; nothing of it is in the queue.
    fn put(&self, received: Received, octets: &[u8]) -> io::Result<QueueId>;

    /// As [`Backlog::submit_update`], and waits until it is written.
    ///
    /// # Errors
    /// Where it could not be written; the earlier state stands.
    fn update(&self, was: &Message, now: &Message) -> io::Result<()> {
        let (written, wait) = awaited();
        self.submit_update(was, now, written);
        wait()
    }

    /// As [`Backlog::submit_removal`], and waits until it is written.
    ///
    /// # Errors
    /// Where that could not be written; it may come back at the next start.
    fn remove(&self, id: QueueId) -> io::Result<()> {
        let (written, wait) = awaited();
        self.submit_removal(id, Haste::Synced, written);
        wait()
    }
}

/// When the end of a message is to be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// As soon as can be: a second delivery would be noticed.
    Synced,
    /// With what else is written, at most a moment later: nobody would notice.
    WithOthers,
}

/// What is told, and what waits for it; that blocks.
pub(super) fn awaited() -> (Written, impl FnOnce() -> io::Result<()>) {
    let (send, receive) = sync_channel(1);
    let written: Written = Box::new(move |written| drop(send.send(written)));
    let closed = |_| Err(io::Error::other("the spool is closed"));
    (written, move || receive.recv().unwrap_or_else(closed))
}

impl<D: Disk> ReadMessage for Spool<D> {
    fn read_at(&self, id: QueueId, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut body = self.body(id).map_err(as_io)?;
        body.read_at(offset, into).map_err(as_io)
    }
}

/// The embedded spool.
impl<D: Disk> Backlog for Spool<D> {
    /// A message that is damaged was reported when the spool was opened; the others go on.
    fn scan(&self, visit: &mut dyn FnMut(Message)) -> io::Result<()> {
        for id in self.ids() {
            match self.get(id) {
                Ok(message) => visit(message),
                Err(SpoolError::NotFound(_)) => {}
                Err(error) => tracing::error!(%id, %error, "a message cannot be read"),
            }
        }
        Ok(())
    }

    fn get(&self, id: QueueId) -> io::Result<Option<Message>> {
        match Spool::get(self, id) {
            Ok(message) => Ok(Some(message)),
            Err(SpoolError::NotFound(_)) => Ok(None),
            Err(error) => Err(as_io(error)),
        }
    }

    fn recall(&self, id: QueueId) -> Option<Message> {
        Spool::recall(self, id)
    }

    fn recall_data(&self, id: QueueId) -> Option<Arc<Vec<u8>>> {
        Spool::recall_data(self, id)
    }

    fn submit_update(&self, was: &Message, now: &Message, written: Written) {
        let told = Box::new(|result: Result<_, _>| written(result.map_err(as_io)));
        Spool::update(self, was, now, Durability::Synced, told);
    }

    fn submit_removal(&self, id: QueueId, haste: Haste, written: Written) {
        let durability = match haste {
            Haste::Synced => Durability::Synced,
            Haste::WithOthers => Durability::Written,
        };
        let told = Box::new(|result: Result<_, _>| written(result.map_err(as_io)));
        Spool::remove(self, id, durability, told);
    }

    fn put(&self, received: Received, octets: &[u8]) -> io::Result<QueueId> {
        self.put_now(received, octets).map(|committed| committed.id()).map_err(as_io)
    }
}

fn as_io(error: SpoolError) -> io::Error {
    let kind = match &error {
        SpoolError::Full => io::ErrorKind::StorageFull,
        SpoolError::NotFound(_) => io::ErrorKind::NotFound,
        SpoolError::Fault(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
