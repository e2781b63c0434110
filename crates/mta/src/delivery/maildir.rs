//! Delivery into a Maildir: written to `tmp`, synced, renamed to `new`, the folder synced.
//! A reader never sees half a message, and a power cut leaves all of it or none.
//!
//! The name comes from the queue id and the recipient, so a delivery that is done again
//! finds its message, in `new` or (with any flags) in `cur`.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use policy::MailboxState;
use reply::Timestamp;

use super::local::{LocalMail, Target, Trouble, delivery_fields, delivery_id, not_now};
use super::unix_text::{UnixText, copy};
use crate::mailbox::locks::{Kind, Lock};
use crate::mailbox::quota;
use crate::mailbox::registry::MAILDIR_LOCK_NAME;

/// Delivers; whether it was there already.
pub(crate) fn deliver(
    target: &Target<'_>,
    mail: &LocalMail<'_>,
    body: &mut dyn Read,
    now: Timestamp,
) -> Result<bool, Trouble> {
    let path = &target.path;
    create_folders(path).map_err(|error| Trouble::io(path, &error))?;
    let _lock = lock(target, mail)?;
    let name = name(target, mail);
    if mail.may_be_there && is_there(path, &name.unique).map_err(|e| Trouble::io(path, &e))? {
        return Ok(true);
    }
    target.check_quota(mail, || quota::of_maildir(path, &target.quota, now))?;
    let octets = write_and_move(path, &name, mail, body)?;
    if quota::is_limited(&target.quota)
        && let Err(error) = quota::note_delivery(path, octets)
    {
        // The message is in; the count is put right when it is next made.
        tracing::warn!(path = %path.display(), %error, "maildirsize could not be added to");
    }
    Ok(false)
}

/// Deliveries share the administrator's lock among each other.
fn lock(target: &Target<'_>, mail: &LocalMail<'_>) -> Result<Lock, Trouble> {
    let path = target.path.join(MAILDIR_LOCK_NAME);
    let lock = Lock::take(&path, Kind::Shared, target.options.delivery_lock_wait);
    let lock = lock.map_err(|error| Trouble::io(&path, &error))?;
    lock.ok_or_else(|| not_now(MailboxState::Locked, mail.recipient))
}

/// The parts of a message's name.
struct Name {
    /// Time, queue id and recipient: what a delivery done again has in common.
    unique: String,
    host: String,
}

fn name(target: &Target<'_>, mail: &LocalMail<'_>) -> Name {
    // As the Maildir convention writes what cannot stand in a name.
    let host = target.options.hostname.replace('/', "\\057").replace(':', "\\072");
    let host: String = host.chars().filter(|c| *c != ',' && !c.is_control()).take(64).collect();
    Name { unique: format!("{}.{}", mail.arrival.as_secs(), delivery_id(mail)), host }
}

/// Whether an earlier attempt left the message in `new` or `cur`.
fn is_there(maildir: &Path, unique: &str) -> io::Result<bool> {
    for folder in ["new", "cur"] {
        for entry in fs::read_dir(maildir.join(folder))? {
            let name = entry?.file_name();
            let rest = name.as_encoded_bytes().strip_prefix(unique.as_bytes());
            if rest.is_some_and(|rest| rest.starts_with(b".")) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Writes the message and moves it to `new`; how many octets it has.
fn write_and_move(
    maildir: &Path,
    name: &Name,
    mail: &LocalMail<'_>,
    body: &mut dyn Read,
) -> Result<u64, Trouble> {
    let partial = maildir.join("tmp").join(format!("{}.{}", name.unique, name.host));
    let written = write(&partial, mail, body).and_then(|octets| {
        let finished = maildir.join("new");
        move_to(&partial, &finished, &format!("{}.{},S={octets}", name.unique, name.host))
            .map_err(|error| Trouble {
                may_have_delivered: true,
                ..Trouble::io(&finished, &error)
            })?;
        Ok(octets)
    });
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

/// A lease lets one attempt at a time run for a message, so what lies in `tmp` under our
/// name was left by an attempt that died.
fn write(partial: &Path, mail: &LocalMail<'_>, body: &mut dyn Read) -> Result<u64, Trouble> {
    let in_file = |error: io::Error| Trouble::io(partial, &error);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(partial).map_err(in_file)?;
    let copied = copy(&delivery_fields(mail), body, UnixText::new(false), &mut file);
    let octets = copied.map_err(|error| Trouble::copying(partial, error))?;
    file.sync_all().map_err(in_file)?;
    Ok(octets)
}

/// Only after the folder is synced is the message there for good.
fn move_to(partial: &Path, folder: &Path, name: &str) -> io::Result<()> {
    fs::rename(partial, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Makes what is missing of the Maildir, for the owner alone, and syncs each new folder's
/// parent, so that a message is not lost with the folder it lies in.
fn create_folders(maildir: &Path) -> io::Result<()> {
    for name in ["tmp", "new", "cur"] {
        create_synced(&maildir.join(name))?;
    }
    Ok(())
}

fn create_synced(folder: &Path) -> io::Result<()> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut at = folder;
    while !at.is_dir() {
        missing.push(at.to_owned());
        let Some(parent) = at.parent() else { break };
        at = parent;
    }
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        if let Some(parent) = folder.parent() {
            File::open(parent)?.sync_all()?;
        }
    }
    Ok(())
}
