//! What the dispatcher needs of the spool, and no more.

use std::io;

use queue::spool::Durability;
use queue::{Message, QueueId, Received, Spool, SpoolError};
use store::Disk;

use crate::delivery::body::ReadMessage;

/// The messages that wait. Every method blocks and is called on a thread that may.
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

    /// Writes down what differs between the message as it `was` got and `now`: the state
    /// of its recipients and whether it is held. When it returns, it survives a power cut.
    ///
    /// # Errors
    /// Where it could not be written; the earlier state stands.
    fn update(&self, was: &Message, now: &Message) -> io::Result<()>;

    /// Puts a message into the queue, synced.
    ///
    /// # Errors
    /// Where it could not be kept; nothing of it is in the queue.
    fn put(&self, received: Received, octets: &[u8]) -> io::Result<QueueId>;

    /// Takes a message out for good.
    ///
    /// # Errors
    /// Where that could not be written; it may come back at the next start.
    fn remove(&self, id: QueueId) -> io::Result<()>;
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

    fn update(&self, was: &Message, now: &Message) -> io::Result<()> {
        self.update_now(was, now, Durability::Synced).map_err(as_io)
    }

    fn put(&self, received: Received, octets: &[u8]) -> io::Result<QueueId> {
        self.put_now(received, octets).map(|committed| committed.id()).map_err(as_io)
    }

    fn remove(&self, id: QueueId) -> io::Result<()> {
        self.remove_now(id, Durability::Synced).map_err(as_io)
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
