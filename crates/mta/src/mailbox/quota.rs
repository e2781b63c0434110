//! What a mailbox holds, against its quota. For a Maildir it is kept in the file
//! `maildirsize` as the Maildir++ specification says, so that other programs which keep to
//! it (Courier, Dovecot) count with us; for an mbox it is the file itself.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reply::Timestamp;

use super::Quota;

/// The file's name in the Maildir.
const FILE_NAME: &str = "maildirsize";
/// A file of this length or more is counted anew (Maildir++, "Calculating maildirsize").
const MAX_FILE_OCTETS: u64 = 5120;
/// Over quota is believed for so long; then it is counted anew.
const BELIEVED_FOR: Duration = Duration::from_secs(15 * 60);

/// What a mailbox holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Octets of all messages, as they lie on disk.
    pub octets: u64,
    /// How many messages.
    pub messages: u64,
}

impl Usage {
    /// Whether one more message of `incoming` octets fits. A size that is not known
    /// counts as one octet.
    pub fn leaves_room(self, quota: &Quota, incoming: Option<u64>) -> bool {
        let octets = self.octets.saturating_add(incoming.unwrap_or(1));
        quota.octets.is_none_or(|limit| octets <= limit)
            && quota.messages.is_none_or(|limit| self.messages < limit)
    }
}

/// Whether there is any limit to look at.
pub fn is_limited(quota: &Quota) -> bool {
    quota.octets.is_some() || quota.messages.is_some()
}

/// What the Maildir holds by its `maildirsize`, which is counted anew where it is missing,
/// of another quota, damaged, too long, or says "over quota" and is not fresh.
///
/// # Errors
/// Those of the file system.
pub fn of_maildir(maildir: &Path, quota: &Quota, now: Timestamp) -> io::Result<Usage> {
    let path = maildir.join(FILE_NAME);
    match read(&path, quota)? {
        Some(kept) if !is_doubtful(&kept, quota, now) => Ok(kept.usage),
        _ => recount(maildir, quota),
    }
}

/// Notes that a message of `octets` came in: one short append, so that two at once do not
/// mix. Without a file there is nothing to note; it is counted when it is asked for.
///
/// # Errors
/// Those of the file system.
pub fn note_delivery(maildir: &Path, octets: u64) -> io::Result<()> {
    match OpenOptions::new().append(true).open(maildir.join(FILE_NAME)) {
        Ok(mut file) => file.write_all(format!("{octets} 1\n").as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// What an mbox holds. Its messages are counted only where the quota limits them: that
/// reads the whole file.
///
/// # Errors
/// Those of the file system; a missing file holds nothing.
pub fn of_mbox(file: &File, quota: &Quota) -> io::Result<Usage> {
    let octets = file.metadata()?.len();
    let messages = match quota.messages {
        Some(_) => count_from_lines(file)?,
        None => 0,
    };
    Ok(Usage { octets, messages })
}

fn count_from_lines(file: &File) -> io::Result<u64> {
    use std::os::unix::fs::FileExt;
    const FROM: &[u8] = b"\nFrom ";
    let mut chunk = vec![0; 64 * 1024];
    // As if a line end came before the first octet; then the end of the chunk before.
    let mut carried = b"\n".to_vec();
    let (mut count, mut at) = (0, 0);
    loop {
        let read = file.read_at(&mut chunk, at)?;
        if read == 0 {
            return Ok(count);
        }
        at += read as u64;
        carried.extend_from_slice(&chunk[..read]);
        count += carried.windows(FROM.len()).filter(|window| *window == FROM).count() as u64;
        carried.drain(..carried.len().saturating_sub(FROM.len() - 1));
    }
}

/// A `maildirsize` that could be read.
struct Kept {
    usage: Usage,
    lines: usize,
    written: Timestamp,
}

/// Over quota by an old file, or by one to which others added: to be sure, it is counted.
fn is_doubtful(kept: &Kept, quota: &Quota, now: Timestamp) -> bool {
    let stale = now.since(kept.written) > BELIEVED_FOR;
    !kept.usage.leaves_room(quota, None) && (kept.lines > 1 || stale)
}

fn read(path: &Path, quota: &Quota) -> io::Result<Option<Kept>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if metadata.len() >= MAX_FILE_OCTETS {
        return Ok(None);
    }
    let written = timestamp(metadata.modified()?);
    let lines: Vec<Vec<u8>> = BufReader::new(file).split(b'\n').collect::<io::Result<_>>()?;
    Ok(sum(&lines, quota).map(|usage| Kept { usage, lines: lines.len() - 1, written }))
}

/// The sum of the lines after the first, or `None` where the first is of another quota or
/// a line is none.
fn sum(lines: &[Vec<u8>], quota: &Quota) -> Option<Usage> {
    let (first, rest) = lines.split_first()?;
    if *first != definition(quota).as_bytes() {
        return None;
    }
    let (mut octets, mut messages) = (0i64, 0i64);
    for line in rest {
        let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        octets = octets.checked_add(words.next()?.parse().ok()?)?;
        messages = messages.checked_add(words.next()?.parse().ok()?)?;
    }
    let positive = |number: i64| u64::try_from(number).ok();
    Some(Usage { octets: positive(octets)?, messages: positive(messages)? })
}

/// The quota as the first line has it: `1073741824S,10000C`.
fn definition(quota: &Quota) -> String {
    let octets = quota.octets.map(|limit| format!("{limit}S"));
    let messages = quota.messages.map(|limit| format!("{limit}C"));
    octets.into_iter().chain(messages).collect::<Vec<_>>().join(",")
}

/// Counts the messages and writes the file. Where a folder changed meanwhile, the count
/// may be wrong, and the file is taken away again: the next one to ask counts anew.
fn recount(maildir: &Path, quota: &Quota) -> io::Result<Usage> {
    let folders = message_folders(maildir)?;
    let before = changed_last(&folders);
    let mut usage = Usage::default();
    for folder in &folders {
        count_folder(folder, &mut usage)?;
    }
    write(maildir, quota, usage)?;
    if changed_last(&folders) != before {
        let _ = fs::remove_file(maildir.join(FILE_NAME));
    }
    Ok(usage)
}

fn write(maildir: &Path, quota: &Quota, usage: Usage) -> io::Result<()> {
    let partial = maildir.join("tmp").join(format!("{FILE_NAME}.{}", std::process::id()));
    let text = format!("{}\n{} {}\n", definition(quota), usage.octets, usage.messages);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(text.as_bytes())?;
    fs::rename(partial, maildir.join(FILE_NAME))
}

/// `new` and `cur` of the Maildir and of its folders; those of `.Trash` do not count.
fn message_folders(maildir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut roots = vec![maildir.to_owned()];
    for entry in fs::read_dir(maildir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_folder = name.as_encoded_bytes().starts_with(b".") && name != ".Trash";
        if is_folder && entry.path().join("cur").is_dir() {
            roots.push(entry.path());
        }
    }
    let both = |root: PathBuf| [root.join("new"), root.join("cur")];
    Ok(roots.into_iter().flat_map(both).filter(|folder| folder.is_dir()).collect())
}

fn changed_last(folders: &[PathBuf]) -> Vec<Option<SystemTime>> {
    let changed = |folder: &PathBuf| fs::metadata(folder).and_then(|m| m.modified()).ok();
    folders.iter().map(changed).collect()
}

fn count_folder(folder: &Path, usage: &mut Usage) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || is_trashed(&name) {
            continue;
        }
        // A message that its reader moved away meanwhile is none.
        let by_disk = || entry.metadata().ok().map(|metadata| metadata.len());
        if let Some(octets) = size_in_name(&name).or_else(by_disk) {
            usage.octets = usage.octets.saturating_add(octets);
            usage.messages += 1;
        }
    }
    Ok(())
}

/// The flag `T` after `:2,`: marked to be deleted.
fn is_trashed(name: &str) -> bool {
    name.rsplit_once(":2,").is_some_and(|(_, flags)| flags.contains('T'))
}

/// `,S=123` in the name, which spares a look at the file.
fn size_in_name(name: &str) -> Option<u64> {
    let (base, _) = name.split_once(':').unwrap_or((name, ""));
    base.split(',').find_map(|part| part.strip_prefix("S=")).and_then(|size| size.parse().ok())
}

fn timestamp(at: SystemTime) -> Timestamp {
    let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maildir(messages: &[(&str, usize)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["tmp", "new", "cur", ".Sent/cur", ".Sent/new", ".Trash/cur"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for (name, octets) in messages {
            fs::write(folder.path().join(name), vec![b'x'; *octets]).unwrap();
        }
        folder
    }

    fn quota(octets: u64, messages: u64) -> Quota {
        Quota { octets: Some(octets), messages: Some(messages), is_final: false }
    }

    /// Later than any file of a test.
    const LATER: Timestamp = Timestamp::from_secs(99_999_999_999);

    fn check(maildir: &Path, quota: &Quota, now: Timestamp, octets: u64, messages: u64) {
        let usage = of_maildir(maildir, quota, now).unwrap();
        assert_eq!(usage, Usage { octets, messages });
    }

    #[test]
    fn messages_of_all_folders_count_but_not_what_is_thrown_away() {
        let folder = maildir(&[
            ("new/1.a.host", 10),
            ("cur/2.b.host:2,S", 20),
            ("cur/3.c.host,S=1000:2,", 1),
            ("cur/4.d.host:2,ST", 7),
            (".Sent/cur/5.e.host:2,S", 30),
            (".Trash/cur/6.f.host:2,S", 9),
            ("tmp/7.g.host", 9),
        ]);
        check(folder.path(), &quota(9999, 99), LATER, 1060, 4);
        let file = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(file, "9999S,99C\n1060 4\n");
    }

    #[test]
    fn a_delivery_is_one_more_line() {
        let folder = maildir(&[("new/1.a.host", 10)]);
        note_delivery(folder.path(), 5).unwrap();
        check(folder.path(), &quota(100, 9), LATER, 10, 1);
        note_delivery(folder.path(), 32).unwrap();
        check(folder.path(), &quota(100, 9), LATER, 42, 2);
    }

    #[test]
    fn another_quota_or_a_damaged_file_is_counted_anew() {
        let folder = maildir(&[("new/1.a.host", 10)]);
        let file = folder.path().join(FILE_NAME);
        for text in ["50S,9C\n99 9\n", "100S,9C\nmany 1\n", "100S,9C\n-5 1\n", "", "100S,9C"] {
            fs::write(&file, text).unwrap();
            let expected = if text == "100S,9C" { (0, 0) } else { (10, 1) };
            check(folder.path(), &quota(100, 9), LATER, expected.0, expected.1);
        }
        fs::write(&file, format!("100S,9C\n{}", "0 0\n".repeat(1300))).unwrap();
        check(folder.path(), &quota(100, 9), LATER, 10, 1);
    }

    #[test]
    fn over_quota_is_believed_when_fresh_and_counted_when_old_or_added_to() {
        let folder = maildir(&[("new/1.a.host", 10)]);
        let file = folder.path().join(FILE_NAME);
        fs::write(&file, "100S,9C\n500 1\n").unwrap();
        check(folder.path(), &quota(100, 9), Timestamp::EPOCH, 500, 1);
        check(folder.path(), &quota(100, 9), LATER, 10, 1);
        fs::write(&file, "100S,9C\n400 1\n100 1\n").unwrap();
        check(folder.path(), &quota(100, 9), Timestamp::EPOCH, 10, 1);
    }

    #[test]
    fn a_message_fits_up_to_the_last_octet() {
        let usage = Usage { octets: 90, messages: 3 };
        assert!(usage.leaves_room(&quota(100, 4), Some(10)));
        assert!(!usage.leaves_room(&quota(100, 4), Some(11)));
        assert!(!usage.leaves_room(&quota(100, 3), Some(1)));
        assert!(!usage.leaves_room(&quota(90, 9), None));
        assert!(usage.leaves_room(&Quota::default(), Some(u64::MAX)));
    }

    #[test]
    fn messages_of_an_mbox_are_its_from_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mbox");
        let filler = "y".repeat(64 * 1024 - 2);
        fs::write(&path, format!("From a\n{filler}\nFrom b\n>From c\nnot From d\n")).unwrap();
        let usage = of_mbox(&File::open(&path).unwrap(), &quota(1, 1)).unwrap();
        assert_eq!(usage.messages, 2);
    }
}
