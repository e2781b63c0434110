//! What the dispatcher needs of the spool, and no more.

use std::io;

use queue::{Message, QueueId, Received};

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

    /// Writes down the state of a message's recipients and whether it is held. When it
    /// returns and `synced` is set, it survives a power cut; otherwise it may be lost.
    ///
    /// # Errors
    /// Where it could not be written; the earlier state stands.
    fn update(&self, message: &Message, synced: bool) -> io::Result<()>;

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
