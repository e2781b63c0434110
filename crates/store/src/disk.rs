//! The seam under the log and the table: files by name in one directory.
//!
//! [`FileSystem`] is a real directory. [`Memory`] lives in memory and can crash at any
//! write or sync, tear sectors, run full and fail. Nothing above this module calls the
//! operating system.

use std::{fmt, io};

pub mod file_system;
pub mod memory;

pub use file_system::FileSystem;
pub use memory::{Calls, Faults, Memory, Survival};

/// Octets of a block: as much as disks and file systems want at least, and at multiples of,
/// where they are written to around the system's cache.
pub const BLOCK_OCTETS: usize = 4096;

/// A directory of files, without folders below it. Cheap to clone: clones are the same
/// directory.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file; it stays readable after its name is gone.
    type File: DiskFile;
    /// Held while this process owns the directory.
    type Lock: Send + Sync + 'static;

    /// Opens the file `name`, which must exist, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Opens it for writes of whole blocks of [`BLOCK_OCTETS`], from memory that begins at
    /// a multiple of that, which go around the system's cache; `None` where it has no such
    /// way. What is written is durable after [`DiskFile::sync_data`] of this file or of any
    /// other that is open under that name, and read by all. A disk that turns out not to
    /// take them says [`io::ErrorKind::InvalidInput`].
    fn open_for_blocks(&self, _name: &str) -> io::Result<Option<Self::File>> {
        Ok(None)
    }

    /// Creates the empty file `name`, which must not exist, for reading and writing. The
    /// name is durable only after [`Disk::sync_dir`].
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Names of all files, in no order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Gives the file `from` the name `to`, in place of whatever had it; durable after
    /// [`Disk::sync_dir`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes the name; durable after [`Disk::sync_dir`].
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations, renames and removals so far durable.
    fn sync_dir(&self) -> io::Result<()>;

    /// Octets that can still be allocated.
    fn free_octets(&self) -> io::Result<u64>;

    /// Takes the directory for this process until the lock is dropped. `Err` names the
    /// path; its kind is [`io::ErrorKind::WouldBlock`] when another process holds it.
    fn lock(&self) -> io::Result<Self::Lock>;

    /// Where the file `name` is, for people.
    fn path_of(&self, name: &str) -> String;

    /// A number that a peer cannot guess. Checksums are salted with it, so that the
    /// content of a record cannot be made to look like a record.
    fn salt(&self) -> u64;
}

/// An open file of a [`Disk`].
pub trait DiskFile: Send + Sync + 'static {
    /// Reads at `offset`; how many octets, 0 at the end of the file.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes at `offset`; how many octets, perhaps fewer than given.
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<usize>;

    /// Makes what was written durable. After an error nothing written since the last
    /// success may be trusted, not even when a later sync succeeds.
    fn sync_data(&self) -> io::Result<()>;

    /// Makes the file `octets` long, with space for all of it: later writes within that
    /// length do not fail for want of space. New octets read as 0.
    fn allocate(&self, octets: u64) -> io::Result<()>;

    /// The file's length.
    fn octets(&self) -> io::Result<u64>;

    /// Cuts the file to `octets`.
    fn truncate(&self, octets: u64) -> io::Result<()>;

    /// Writes all of `octets` at `offset`, in as many writes as it takes.
    fn write_all_at(&self, mut offset: u64, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            match self.write_at(offset, octets) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    octets = octets.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until `into` is full or the file ends; how many octets.
    fn read_full_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < into.len() {
            match self.read_at(offset + done as u64, &mut into[done..]) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// The same error of the system, told of `what`, which its text then begins with. Its kind
/// stays, and it is the source of the new one.
pub fn naming(what: impl fmt::Display, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Named { what: what.to_string(), error })
}

/// An error of the system and what it is about.
#[derive(Debug)]
struct Named {
    what: String,
    error: io::Error,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Named {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Whether `error` says that there is no space left (or no quota).
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Whether `error` says that a file does not take whole blocks around the system's cache,
/// though it was opened for them (see [`Disk::open_for_blocks`]).
pub fn refuses_blocks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_told_of_something_keeps_its_kind_and_is_the_source() {
        let error = naming("spool/lock", io::ErrorKind::PermissionDenied.into());
        assert_eq!(error.to_string(), "spool/lock: permission denied");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let source = error.get_ref().and_then(std::error::Error::source);
        assert!(source.is_some_and(<dyn std::error::Error>::is::<io::Error>));
    }
}
