//! SQLite as a yardstick: what many a queue is kept in.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::clock;
use crate::statistics::per_second;

/// A table of messages.
pub(super) struct Yardstick(Connection);

impl Yardstick {
    pub(super) fn open(folder: &Path) -> Result<Yardstick, String> {
        let path = folder.join("yardstick.sqlite");
        let opened = Connection::open(&path).and_then(|connection| {
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE message (id INTEGER PRIMARY KEY, envelope TEXT, octets BLOB);",
            )?;
            Ok(Yardstick(connection))
        });
        opened.map_err(|error| format!("error: {}: {error}", path.display()))
    }

    /// Inserts messages for a time, so many in a transaction; how many per second.
    pub(super) fn run(
        &mut self,
        message: &[u8],
        batch: usize,
        time: Duration,
    ) -> Result<f64, String> {
        let (start, mut count) = (clock::now(), 0);
        while start.elapsed() < time {
            self.insert(message, batch).map_err(|error| format!("error: SQLite: {error}"))?;
            count += batch as u64;
        }
        let rate = per_second(count, start.elapsed());
        self.empty().map_err(|error| format!("error: SQLite: {error}"))?;
        Ok(rate)
    }

    fn insert(&mut self, message: &[u8], batch: usize) -> rusqlite::Result<()> {
        let transaction = self.0.transaction()?;
        let mut insert =
            transaction.prepare_cached("INSERT INTO message (envelope, octets) VALUES (?, ?)")?;
        for _ in 0..batch {
            insert.execute(("recipient@domain.test", message))?;
        }
        drop(insert);
        transaction.commit()
    }

    fn empty(&mut self) -> rusqlite::Result<()> {
        self.0.execute_batch("DELETE FROM message; PRAGMA wal_checkpoint(TRUNCATE);")
    }
}
