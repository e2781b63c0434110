//! [`Mailboxes`]: the mailboxes as the server sees them. Finds the one of an address, tells
//! how it stands (the seam `policy::MailboxDirectory`) and delivers to it. Everything here
//! may block (files, locks that are waited for): never call it on the reactor's threads.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use policy::{MailboxDirectory, MailboxState};
use reply::{Timestamp, catalogue};
use smtp::syntax::Mailbox;

use super::locks::{self, Kind};
use super::registry::{FILE_NAME, normal};
use super::{Format, Registered, Registry, RegistryError, quota};
use crate::delivery::local::{self, Delivery, LocalMail, Trouble};
use crate::delivery::{maildir, mbox};

/// The settings.
#[derive(Clone, Debug)]
pub struct MailboxOptions {
    /// The name of this host, for the names of messages in a Maildir.
    pub hostname: String,
    /// For how long a mailbox's lock is waited for at RCPT: what is held for longer is
    /// answered as locked.
    pub lock_wait: Duration,
    /// For how long it is waited for at a delivery (10 seconds: the message lies safe in
    /// the queue, and a mail reader that rewrites its mbox takes a while).
    pub delivery_lock_wait: Duration,
    /// Deliveries to one mailbox at once.
    pub deliveries: usize,
    /// A dotlock is stale when it is older and its process is gone (5 minutes).
    pub stale_dotlock: Duration,
}

impl Default for MailboxOptions {
    fn default() -> MailboxOptions {
        MailboxOptions {
            hostname: "localhost".into(),
            lock_wait: Duration::from_millis(500),
            delivery_lock_wait: Duration::from_secs(10),
            deliveries: 32,
            stale_dotlock: Duration::from_secs(300),
        }
    }
}

/// The mailboxes of one data directory.
#[derive(Debug)]
pub struct Mailboxes {
    registry: Registry,
    options: MailboxOptions,
    known: Mutex<Option<Known>>,
    under_way: Mutex<HashMap<String, usize>>,
    opened_at: Timestamp,
    /// Deliveries that failed here and may yet have left their message: what is there is
    /// looked for when they are done again.
    doubtful: Mutex<HashSet<String>>,
}

type ByAddress = Arc<HashMap<String, Registered>>;

/// The registry as it was read last.
#[derive(Debug)]
struct Known {
    by_address: ByAddress,
    /// Kept open so that its inode cannot be used again while we compare it.
    file: Option<File>,
    /// As it was when it was read: it may have been written over in place since then.
    identity: Option<Identity>,
}

/// Device, inode, length and time of change.
type Identity = (u64, u64, u64, i64, i64);

impl Mailboxes {
    /// The mailboxes of `data_dir`, which a server opens at `now`.
    ///
    /// # Errors
    /// Where the registry cannot be read or understood.
    pub fn open(
        data_dir: impl Into<PathBuf>,
        options: MailboxOptions,
        now: Timestamp,
    ) -> Result<Mailboxes, RegistryError> {
        let mailboxes = Mailboxes {
            registry: Registry::in_dir(data_dir),
            options,
            known: Mutex::default(),
            under_way: Mutex::default(),
            opened_at: now,
            doubtful: Mutex::default(),
        };
        mailboxes.current()?;
        Ok(mailboxes)
    }

    /// When they were opened: messages that came before may have been delivered by the
    /// process before us.
    pub const fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// The mailbox of `address`: of the very address, else of the part before a `+`, else,
    /// for `postmaster`, one that every domain has (RFC 5321 §4.5.1). Case is ignored.
    ///
    /// # Errors
    /// Where the registry cannot be read and never could; or where it cannot be read now,
    /// and the mailbox was not in it before: then nobody knows that there is none.
    pub fn find(&self, address: &Mailbox) -> Result<Option<Registered>, RegistryError> {
        let (known, unread) = self.current()?;
        find_in(&known, address, unread)
    }

    /// The addresses of the registry whose local part is `name`, for a VRFY without a
    /// domain.
    ///
    /// # Errors
    /// As [`Mailboxes::find`].
    pub fn named(&self, name: &str) -> Result<Vec<String>, RegistryError> {
        let name = name.to_lowercase();
        let is_named = |address: &&String| {
            address.rsplit_once('@').is_some_and(|(local_part, _)| local_part == name)
        };
        let mut named: Vec<_> = self.current()?.0.keys().filter(is_named).cloned().collect();
        named.sort();
        Ok(named)
    }

    /// Delivers one message to the mailbox of `mail.recipient`. Doing it again for the same
    /// queue id and recipient delivers nothing more.
    pub fn deliver(&self, mail: &LocalMail<'_>, body: &mut dyn Read, now: Timestamp) -> Delivery {
        let id = local::delivery_id(mail);
        let is_doubtful = held(&self.doubtful).contains(&id);
        let mail = LocalMail { may_be_there: mail.may_be_there || is_doubtful, ..*mail };
        match self.try_deliver(&mail, body, now) {
            Ok(already) => {
                held(&self.doubtful).remove(&id);
                Delivery::Delivered { already }
            }
            Err(trouble) => {
                if trouble.may_have_delivered {
                    held(&self.doubtful).insert(id);
                }
                trouble.into_delivery()
            }
        }
    }

    fn try_deliver(
        &self,
        mail: &LocalMail<'_>,
        body: &mut dyn Read,
        now: Timestamp,
    ) -> Result<bool, Trouble> {
        let recipient = mail.recipient;
        let found = self.find(recipient).map_err(|error| Trouble::fault(&error))?;
        let Some(mailbox) = found else {
            let answer = catalogue::mailbox_unknown(recipient);
            return Err(Trouble::new(answer, format!("there is no mailbox {recipient}")));
        };
        if let Some(state) = switched_off(&mailbox, now) {
            return Err(local::not_now(state, recipient));
        }
        let busy = || local::not_now(MailboxState::Busy, recipient);
        let _slot = self.slot(&mailbox.address).ok_or_else(busy)?;
        let target = local::Target {
            path: mailbox.path_in(self.registry.data_dir()),
            quota: mailbox.quota,
            options: &self.options,
        };
        match mailbox.format {
            Format::Maildir => maildir::deliver(&target, mail, body, now),
            Format::Mbox => mbox::deliver(&target, mail, body, now),
        }
    }

    /// A place among the deliveries to that mailbox, until it is dropped.
    fn slot(&self, address: &str) -> Option<Slot<'_>> {
        let mut under_way = held(&self.under_way);
        let count = under_way.entry(address.to_owned()).or_default();
        if *count >= self.options.deliveries.max(1) {
            return None;
        }
        *count += 1;
        Some(Slot { mailboxes: self, address: address.to_owned() })
    }

    fn is_busy(&self, address: &str) -> bool {
        let under_way = held(&self.under_way).get(address).copied().unwrap_or_default();
        under_way >= self.options.deliveries.max(1)
    }

    /// What the registry holds now. A change is seen at once, by its file's identity; one
    /// that cannot be read is told to the log and given back, and the last good one stays
    /// in force.
    fn current(&self) -> Result<(ByAddress, Option<RegistryError>), RegistryError> {
        let mut known = held(&self.known);
        let path = self.registry.data_dir().join(FILE_NAME);
        if let Some(known) = known.as_ref().filter(|known| known.is_of(&path)) {
            return Ok((Arc::clone(&known.by_address), None));
        }
        match (self.read_after(known.as_ref(), &path), known.as_ref()) {
            (Ok(fresh), _) => {
                let by_address = Arc::clone(&fresh.by_address);
                *known = Some(fresh);
                Ok((by_address, None))
            }
            (Err(error), None) => Err(error),
            (Err(error), Some(last_good)) => {
                tracing::error!(%error, "the registry of mailboxes stays as it was");
                Ok((Arc::clone(&last_good.by_address), Some(error)))
            }
        }
    }

    /// Reads what comes after `before`: changes replace the file and never take it away, so
    /// one that is gone is a fault (a folder that is not mounted) and not an empty registry.
    fn read_after(&self, before: Option<&Known>, path: &Path) -> Result<Known, RegistryError> {
        let fresh = self.read(path)?;
        let was_there = before.is_some_and(|before| before.file.is_some());
        if was_there && fresh.file.is_none() {
            return Err(RegistryError::Io(path.to_owned(), io::ErrorKind::NotFound.into()));
        }
        Ok(fresh)
    }

    fn read(&self, path: &Path) -> Result<Known, RegistryError> {
        // Opened first: a change between the two is then seen the next time.
        let file = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(RegistryError::Io(path.to_owned(), error)),
        };
        let metadata = file.as_ref().and_then(|file| file.metadata().ok());
        let identity = metadata.map(|metadata| identity(&metadata));
        let all = self.registry.read()?;
        let by_address = all.into_iter().map(|one| (one.address.clone(), one)).collect();
        Ok(Known { by_address: Arc::new(by_address), file, identity })
    }

    fn state_of(
        &self,
        mailbox: &Registered,
        incoming: Option<u64>,
        now: Timestamp,
    ) -> io::Result<MailboxState> {
        if let Some(state) = switched_off(mailbox, now) {
            return Ok(state);
        }
        if self.is_locked(mailbox, now)? {
            return Ok(MailboxState::Locked);
        }
        if self.is_busy(&mailbox.address) {
            return Ok(MailboxState::Busy);
        }
        let full = match mailbox.quota.is_final {
            true => MailboxState::FullFinally,
            false => MailboxState::Full,
        };
        Ok(if self.has_room(mailbox, incoming, now)? { MailboxState::Ready } else { full })
    }

    /// Whether another process holds the lock for longer than a moment.
    fn is_locked(&self, mailbox: &Registered, now: Timestamp) -> io::Result<bool> {
        let path = mailbox.lock_file(self.registry.data_dir());
        let free = locks::wait_for(self.options.lock_wait, || {
            let held = match mailbox.format {
                Format::Maildir => locks::is_held_elsewhere(&path, Kind::Shared)?,
                Format::Mbox => mbox::is_locked_elsewhere(&path, &self.options, now)?,
            };
            Ok((!held).then_some(()))
        });
        Ok(free?.is_none())
    }

    fn has_room(
        &self,
        mailbox: &Registered,
        incoming: Option<u64>,
        now: Timestamp,
    ) -> io::Result<bool> {
        let path = mailbox.path_in(self.registry.data_dir());
        if !quota::is_limited(&mailbox.quota) || !path.exists() {
            return Ok(true);
        }
        let usage = match mailbox.format {
            Format::Maildir => quota::of_maildir(&path, &mailbox.quota, now)?,
            Format::Mbox => mbox::usage(&path, &mailbox.quota)?,
        };
        Ok(usage.leaves_room(&mailbox.quota, incoming))
    }
}

/// See [`Mailboxes::find`]; `unread` is why `known` may be out of date.
fn find_in(
    known: &HashMap<String, Registered>,
    address: &Mailbox,
    unread: Option<RegistryError>,
) -> Result<Option<Registered>, RegistryError> {
    let local_part = address.local_part.as_str();
    let full = |local_part: &str| normal(&format!("{local_part}@{}", address.domain));
    let without_tag = local_part.split_once('+').map(|(user, _tag)| user);
    let without_tag = without_tag.filter(|user| !user.is_empty());
    let found = [Some(local_part), without_tag].into_iter().flatten();
    let found = found.filter_map(|local_part| known.get(&full(local_part))).next();
    if found.is_some() || !without_tag.unwrap_or(local_part).eq_ignore_ascii_case("postmaster") {
        return match (found, unread) {
            (None, Some(error)) => Err(error),
            _ => Ok(found.cloned()),
        };
    }
    Ok(Registered::new(&full("postmaster")).ok())
}

impl MailboxDirectory for Mailboxes {
    fn state(
        &self,
        address: &Mailbox,
        incoming_octets: Option<u64>,
        now: Timestamp,
    ) -> Option<MailboxState> {
        let fault = |error: &dyn std::fmt::Display| {
            tracing::error!(%address, %error, "a mailbox cannot be looked at");
            MailboxState::Fault
        };
        match self.find(address) {
            Ok(None) => None,
            Ok(Some(mailbox)) => {
                let state = self.state_of(&mailbox, incoming_octets, now);
                Some(state.unwrap_or_else(|error| fault(&error)))
            }
            Err(error) => Some(fault(&error)),
        }
    }

    /// A look at the registry file's change, which lies in the system's memory, and none at
    /// a mailbox.
    fn is_plainly_unknown(&self, address: &Mailbox) -> bool {
        let Ok(known) = self.known.try_lock() else { return false };
        let path = self.registry.data_dir().join(FILE_NAME);
        let current = known.as_ref().filter(|known| known.is_of(&path));
        current.is_some_and(|known| matches!(find_in(&known.by_address, address, None), Ok(None)))
    }
}

impl Known {
    fn is_of(&self, path: &Path) -> bool {
        self.identity == path.metadata().ok().map(|metadata| identity(&metadata))
    }
}

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

fn switched_off(mailbox: &Registered, now: Timestamp) -> Option<MailboxState> {
    mailbox.disabled_at(now).map(|disabled| match disabled.until() {
        Some(_) => MailboxState::DisabledForNow,
        None => MailboxState::Disabled,
    })
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One delivery among those under way.
struct Slot<'a> {
    mailboxes: &'a Mailboxes,
    address: String,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut under_way = held(&self.mailboxes.under_way);
        if let Some(count) = under_way.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.address);
            }
        }
    }
}
