//! Locks on mailboxes that other processes see: fcntl record locks on the whole file
//! (`F_SETLK`), as mail programs and `secondpost mailbox lock` take them.
//!
//! Such a lock belongs to a process: threads share it, and closing *any* descriptor of the
//! file drops it. So every lock of this process is in one table, by path, and a file that
//! is in the table is never opened a second time through here.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::FlockOperation;

/// How often a lock is tried again while it is waited for.
const PAUSE: Duration = Duration::from_millis(20);

/// Locks of this process, which are the process's own: hence not of one value.
static HELD: LazyLock<Mutex<HashMap<PathBuf, Held>>> = LazyLock::new(Mutex::default);

struct Held {
    file: Arc<File>,
    kind: Kind,
    holders: usize,
}

/// Who may hold the lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Many; none while somebody holds it alone. A delivery to a Maildir.
    Shared,
    /// One alone. A delivery to an mbox, or an administrator.
    Exclusive,
}

impl Kind {
    const fn operation(self) -> FlockOperation {
        match self {
            Kind::Shared => FlockOperation::NonBlockingLockShared,
            Kind::Exclusive => FlockOperation::NonBlockingLockExclusive,
        }
    }
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Taken out only when dropped.
    file: Option<Arc<File>>,
}

impl Lock {
    /// Takes the lock on `path` (made where it is missing, for the owner alone), or gives
    /// `None` where somebody else holds it for the whole of `patience`. Blocks so long.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn take(path: &Path, kind: Kind, patience: Duration) -> io::Result<Option<Lock>> {
        wait_for(patience, || Lock::try_take(path, kind))
    }

    fn try_take(path: &Path, kind: Kind) -> io::Result<Option<Lock>> {
        let mut table = table();
        if let Some(held) = table.get_mut(path) {
            let shared = kind == Kind::Shared && held.kind == Kind::Shared;
            held.holders += usize::from(shared);
            return Ok(shared.then(|| Lock::new(path, &held.file)));
        }
        let file = open(path, true)?;
        if !try_lock(&file, kind)? {
            return Ok(None);
        }
        let file = Arc::new(file);
        let lock = Lock::new(path, &file);
        table.insert(path.to_owned(), Held { file, kind, holders: 1 });
        Ok(Some(lock))
    }

    fn new(path: &Path, file: &Arc<File>) -> Lock {
        Lock { path: path.to_owned(), file: Some(Arc::clone(file)) }
    }

    /// The locked file, open for reading and writing. Nothing else in this process may
    /// open it while the lock is held.
    pub fn file(&self) -> Option<&File> {
        self.file.as_deref()
    }
}

impl Drop for Lock {
    /// Closes the file while the table is held: a lock that another thread takes right
    /// after must not fall with our descriptor.
    fn drop(&mut self) {
        let mut table = table();
        drop(self.file.take());
        if let Some(held) = table.get_mut(&self.path) {
            held.holders -= 1;
            if held.holders == 0 {
                table.remove(&self.path);
            }
        }
    }
}

/// Whether another process holds a lock on `path` that would keep `kind` out. A file that
/// is missing is not locked.
///
/// # Errors
/// Those of the file system.
pub fn is_held_elsewhere(path: &Path, kind: Kind) -> io::Result<bool> {
    let table = table();
    if table.contains_key(path) {
        return Ok(false);
    }
    match open(path, false) {
        Ok(file) => Ok(!try_lock(&file, kind)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether this process holds a lock on `path`.
pub fn is_held_here(path: &Path) -> bool {
    table().contains_key(path)
}

/// Tries until something is found or `patience` is over; at least once.
///
/// # Errors
/// Those of `attempt`.
pub fn wait_for<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let tries = patience.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        if let Some(found) = attempt()? {
            return Ok(Some(found));
        }
        thread::sleep(PAUSE);
    }
    attempt()
}

fn table() -> MutexGuard<'static, HashMap<PathBuf, Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(create).mode(0o600).open(path)
}

fn try_lock(file: &File, kind: Kind) -> io::Result<bool> {
    match rustix::fs::fcntl_lock(file, kind.operation()) {
        Ok(()) => Ok(true),
        // POSIX lets a system say either where somebody else holds the lock.
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_it(path: &Path, kind: Kind) -> Option<Lock> {
        Lock::take(path, kind, Duration::ZERO).unwrap()
    }

    #[test]
    fn many_share_and_one_has_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let (first, second) = (try_it(&path, Kind::Shared), try_it(&path, Kind::Shared));
        assert!(first.is_some() && second.is_some());
        assert!(try_it(&path, Kind::Exclusive).is_none());
        drop(first);
        assert!(try_it(&path, Kind::Exclusive).is_none());
        drop(second);
        let alone = try_it(&path, Kind::Exclusive);
        assert!(alone.is_some());
        assert!(try_it(&path, Kind::Shared).is_none());
        assert!(!is_held_elsewhere(&path, Kind::Shared).unwrap());
        drop(alone);
        assert!(try_it(&path, Kind::Shared).is_some());
    }

    #[test]
    fn a_missing_file_is_not_locked_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert!(!is_held_elsewhere(&path, Kind::Exclusive).unwrap());
        assert!(!path.exists());
    }
}
