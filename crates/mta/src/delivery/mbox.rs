//! Delivery into an mbox, as in `/var/mail`: under an fcntl lock on the file and a dotlock
//! beside it, appended, synced.
//!
//! A power cut in the middle of an append leaves part of a message at the end. So that a
//! delivery done again can tell, the second line of each message is a field that says
//! `incomplete` until all the rest is synced, and is then overwritten with `complete`:
//! a complete one is not delivered again, an incomplete one at the end is cut off first.
//! That costs a second sync; the alternatives (a journal beside the mbox, or comparing
//! lengths) write more or trust a length that a reader may change.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use policy::MailboxState;
use reply::Timestamp;
use reply::time::Civil;
use rustix::process::{Pid, test_kill_process};

use super::local::{LocalMail, Target, Trouble, delivery_fields, delivery_id, not_now};
use super::unix_text::{CopyError, UnixText, copy};
use crate::mailbox::locks::{self, Kind, Lock};
use crate::mailbox::quota::{self, Usage};
use crate::mailbox::{MailboxOptions, Quota};

const FIELD: &str = "X-Secondpost-Delivery:";
const INCOMPLETE: &str = "incomplete";
/// As long as the other, so that it can be written over it.
const COMPLETE: &str = "complete  ";

/// Delivers; whether it was there already.
pub(crate) fn deliver(
    target: &Target<'_>,
    mail: &LocalMail<'_>,
    body: &mut dyn Read,
    now: Timestamp,
) -> Result<bool, Trouble> {
    let in_file = |error: io::Error| Trouble::io(&target.path, &error);
    let locked = || not_now(MailboxState::Locked, mail.recipient);
    let patience = target.options.delivery_lock_wait;
    let lock = Lock::take(&target.path, Kind::Exclusive, patience).map_err(in_file)?;
    let lock = lock.ok_or_else(locked)?;
    let _dotlock =
        locks::wait_for(patience, || Dotlock::try_take(&target.path, target.options, now))
            .map_err(in_file)?
            .ok_or_else(locked)?;
    let Some(file) = lock.file() else { return Err(Trouble::fault(&"a lock without its file")) };
    if mail.may_be_there && settle_earlier(file, &delivery_id(mail)).map_err(in_file)? {
        return Ok(true);
    }
    target.check_quota(mail, || quota::of_mbox(file, &target.quota))?;
    append(file, target, mail, body)?;
    Ok(false)
}

/// What the mbox holds. It is read under a shared lock: opening it any other way, and
/// closing it, would drop the lock of a delivery that begins meanwhile. Where one is under
/// way, nothing is counted: it looks at the quota itself.
pub(crate) fn usage(path: &Path, quota: &Quota) -> io::Result<Usage> {
    let lock = Lock::take(path, Kind::Shared, Duration::ZERO)?;
    let file = lock.as_ref().and_then(Lock::file);
    file.map_or(Ok(Usage::default()), |file| quota::of_mbox(file, quota))
}

/// Whether another process holds the fcntl lock or a dotlock that is not stale.
pub(crate) fn is_locked_elsewhere(
    path: &Path,
    options: &MailboxOptions,
    now: Timestamp,
) -> io::Result<bool> {
    if locks::is_held_here(path) {
        return Ok(false);
    }
    let dotlock = dotlock_of(path);
    let dotlocked = dotlock.exists() && !is_stale(&dotlock, options.stale_dotlock, now);
    Ok(dotlocked || locks::is_held_elsewhere(path, Kind::Exclusive)?)
}

/// Appends the message; where that fails, the mbox is cut back to what it was.
fn append(
    file: &File,
    target: &Target<'_>,
    mail: &LocalMail<'_>,
    body: &mut dyn Read,
) -> Result<(), Trouble> {
    let end = file.metadata().map_err(|error| Trouble::io(&target.path, &error))?.len();
    let appended =
        write(file, end, mail, body).map_err(|error| Trouble::copying(&target.path, error));
    appended.map_err(|trouble| {
        let restored = file.set_len(end).and_then(|()| file.sync_all());
        Trouble { may_have_delivered: restored.is_err(), ..trouble }
    })
}

fn write(
    mut file: &File,
    end: u64,
    mail: &LocalMail<'_>,
    body: &mut dyn Read,
) -> Result<(), CopyError> {
    let gap = gap_before(file, end).map_err(CopyError::Write)?;
    let head = format!("{gap}{}{FIELD} {} ", from_line(mail), delivery_id(mail));
    let state_at = end + head.len() as u64;
    file.seek(SeekFrom::Start(end)).map_err(CopyError::Write)?;
    let head = format!("{head}{INCOMPLETE}\n");
    file.write_all(head.as_bytes()).map_err(CopyError::Write)?;
    copy(&delivery_fields(mail), body, UnixText::new(true), &mut file)?;
    let finish = |mut file: &File| {
        file.write_all(b"\n")?;
        file.sync_all()?;
        file.write_all_at(COMPLETE.as_bytes(), state_at)?;
        file.sync_all()
    };
    finish(file).map_err(CopyError::Write)
}

/// What is missing of the empty line before the next message.
fn gap_before(file: &File, end: u64) -> io::Result<&'static str> {
    let mut last = [b'\n'; 2];
    let known = usize::try_from(end.min(2)).unwrap_or(2);
    file.read_exact_at(&mut last[2 - known..], end - known as u64)?;
    Ok(match &last {
        b"\n\n" => "",
        [_, b'\n'] => "\n",
        _ => "\n\n",
    })
}

/// `From sender Mon Nov 23 23:50:00 2026`, in UTC.
fn from_line(mail: &LocalMail<'_>) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let sender = match &mail.reverse_path.0 {
        Some(mailbox) => mailbox.to_string().replace(char::is_whitespace, "_"),
        None => "MAILER-DAEMON".to_owned(),
    };
    let at = Civil::of(mail.arrival);
    let day = DAYS[at.weekday as usize % 7];
    let month = MONTHS[(at.month as usize + 11) % 12];
    let Civil { year, day: date, hour, minute, second, .. } = at;
    format!("From {sender} {day} {month} {date:2} {hour:02}:{minute:02}:{second:02} {year}\n")
}

/// Looks for an earlier attempt. A complete one is there (true). An incomplete one is cut
/// off where nothing came after it; otherwise it stays, as part of a message is better
/// than none of somebody else's.
fn settle_earlier(file: &File, id: &str) -> io::Result<bool> {
    let needle = format!("\n{FIELD} {id} ");
    let mut from = 0;
    while let Some(found) = find(file, needle.as_bytes(), from)? {
        from = found + 1;
        let Some(start) = start_of_message(file, found)? else { continue };
        if state_at(file, found + needle.len() as u64)? == COMPLETE.as_bytes() {
            return Ok(true);
        }
        if find(file, b"\n\nFrom ", from)?.is_none() {
            file.set_len(start)?;
            file.sync_all()?;
            return Ok(false);
        }
    }
    Ok(false)
}

fn state_at(file: &File, at: u64) -> io::Result<[u8; COMPLETE.len()]> {
    let mut state = [0; COMPLETE.len()];
    let mut filled = 0;
    while filled < state.len() {
        match file.read_at(&mut state[filled..], at + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(state)
}

/// Where the line that ends at `line_end` begins, if it is one that begins a message.
fn start_of_message(file: &File, line_end: u64) -> io::Result<Option<u64>> {
    const LONGEST: u64 = 8 * 1024;
    let from = line_end.saturating_sub(LONGEST);
    let mut before = vec![0; usize::try_from(line_end - from).unwrap_or(0)];
    file.read_exact_at(&mut before, from)?;
    let begin = before.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    Ok(before[begin..].starts_with(b"From ").then_some(from + begin as u64))
}

/// The place of `needle` in the file at or after `from`.
fn find(file: &File, needle: &[u8], from: u64) -> io::Result<Option<u64>> {
    let mut chunk = vec![0; 64 * 1024];
    let (mut carried, mut carried_at) = (Vec::new(), from);
    loop {
        let read = file.read_at(&mut chunk, carried_at + carried.len() as u64)?;
        if read == 0 {
            return Ok(None);
        }
        carried.extend_from_slice(&chunk[..read]);
        if let Some(at) = carried.windows(needle.len()).position(|window| window == needle) {
            return Ok(Some(carried_at + at as u64));
        }
        let done = carried.len().saturating_sub(needle.len() - 1);
        carried.drain(..done);
        carried_at += done as u64;
    }
}

/// The file `<mbox>.lock`, for programs that know no fcntl. Removed when dropped.
#[derive(Debug)]
struct Dotlock {
    path: PathBuf,
}

impl Dotlock {
    /// Makes a file of our own and links it to the lock's name: link() fails where the
    /// name exists, also on NFS. A stale lock is taken away; the next try takes its place.
    fn try_take(mbox: &Path, options: &MailboxOptions, now: Timestamp) -> io::Result<Option<Self>> {
        let path = dotlock_of(mbox);
        let own = own_file_of(&path);
        let made = make_and_link(&own, &path);
        let _ = fs::remove_file(&own);
        match made {
            Ok(true) => return Ok(Some(Dotlock { path })),
            Ok(false) => {}
            Err(error) => return Err(error),
        }
        if is_stale(&path, options.stale_dotlock, now) {
            tracing::warn!(path = %path.display(), "a stale dotlock is taken away");
            // We hold the fcntl lock: of those who take both, nobody else does this now.
            let _ = fs::remove_file(&path);
        }
        Ok(None)
    }
}

impl Drop for Dotlock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn dotlock_of(mbox: &Path) -> PathBuf {
    let mut name = mbox.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn own_file_of(dotlock: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = dotlock.as_os_str().to_owned();
    name.push(format!(".{}.{count}", std::process::id()));
    PathBuf::from(name)
}

/// Whether the link was made. Its count decides, not the result: over NFS a link can be
/// made and its reply lost.
fn make_and_link(own: &Path, dotlock: &Path) -> io::Result<bool> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(own)?;
    writeln!(file, "{}", std::process::id())?;
    match fs::hard_link(own, dotlock) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(file.metadata()?.nlink() == 2),
    }
}

/// Older than `after`, and the process that it names is gone (or it names none).
fn is_stale(dotlock: &Path, after: Duration, now: Timestamp) -> bool {
    let Ok(modified) = fs::metadata(dotlock).and_then(|metadata| metadata.modified()) else {
        return false;
    };
    let made = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let age = now.since(Timestamp::EPOCH + made);
    age > after && !fs::read_to_string(dotlock).is_ok_and(|text| names_a_live_process(&text))
}

fn names_a_live_process(text: &str) -> bool {
    let number = text.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
    let Some(pid) = number.filter(|number| *number > 0).and_then(Pid::from_raw) else {
        return false;
    };
    // Not ours to signal, but there.
    matches!(test_kill_process(pid), Ok(()) | Err(rustix::io::Errno::PERM))
}
