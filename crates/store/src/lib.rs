//! An append-only log and an expiring table that never lose what they acknowledged.
//!
//! [`disk`] is the seam: a real file system, and one in memory that can crash. [`log`]
//! keeps records in segments, many writers behind one sync; [`table`] keeps expiring
//! entries in memory and in an append log. Nothing here knows of mail, and nothing reads
//! a clock: times are arguments, in milliseconds.
//!
//! docs/design/spool-format.md holds the format byte by byte, and argues the failures.

pub mod disk;
pub mod log;
pub mod table;

pub use disk::{Disk, DiskFile, Faults, FileSystem, Memory};
pub use log::Log;
pub use table::{LoggedTable, MemoryTable, Table, TableError};
