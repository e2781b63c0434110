//! The story of each message, for people: one JSON line an event, in a file a day.
//!
//! Written without a sync of its own: a power cut may cost the last lines of a story,
//! never mail. Readable while the daemon runs and without it. Lines that are torn or
//! foreign are passed over. What the events are is `mta::events`' matter; here they are
//! JSON objects that a time and a queue id are added to.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reply::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::QueueId;

/// One event of a message's story.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The message.
    pub id: QueueId,
    /// The event's own fields.
    pub event: Map<String, Value>,
}

/// A line as it is written.
#[derive(Serialize)]
struct Written<'a, E> {
    at: u64,
    id: String,
    #[serde(flatten)]
    event: &'a E,
}

/// Writes the stories. One writer a folder.
#[derive(Debug)]
pub struct Stories {
    folder: PathBuf,
    today: Mutex<Option<(u64, File)>>,
}

/// The longest line that is read; a longer one is damage.
const MAX_LINE_OCTETS: u64 = 1024 * 1024;
/// Ends the name of every day's file.
const SUFFIX: &str = ".jsonl";

impl Stories {
    /// Stories in `folder`, which is made where it is missing.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Stories> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        Ok(Stories { folder, today: Mutex::new(None) })
    }

    /// Adds events to the stories of their messages, each an object of its own fields, in
    /// their order; those of one day with one write.
    ///
    /// # Errors
    /// The operating system's; the stories then lack lines.
    pub fn tell<E: Serialize>(&self, told: &[(Timestamp, QueueId, E)]) -> io::Result<()> {
        let mut lines = Vec::new();
        for of_a_day in told.chunk_by(|(a, ..), (b, ..)| day_number(*a) == day_number(*b)) {
            lines.clear();
            for (at, id, event) in of_a_day {
                let line = Written { at: at.as_millis(), id: id.to_string(), event };
                serde_json::to_writer(&mut lines, &line)?;
                lines.push(b'\n');
            }
            self.append(of_a_day[0].0, &lines)?;
        }
        Ok(())
    }

    fn append(&self, at: Timestamp, lines: &[u8]) -> io::Result<()> {
        let number = day_number(at);
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((open, file)) = today.as_mut()
            && *open == number
        {
            return file.write_all(lines);
        }
        let mut file = open_day(&self.folder.join(format!("{}{SUFFIX}", day(at))))?;
        file.write_all(lines)?;
        *today = Some((number, file));
        Ok(())
    }

    /// Deletes the days that are older than `keep`, unless they tell of a message that
    /// still is in the queue (`is_live`) or had an event within `keep`: a story is kept
    /// whole for `keep` after its end. Returns how many files it deleted.
    ///
    /// # Errors
    /// The operating system's.
    pub fn prune(
        &self,
        now: Timestamp,
        keep: Duration,
        is_live: impl Fn(QueueId) -> bool,
    ) -> io::Result<usize> {
        let oldest = day(now - keep);
        let (recent, old): (Vec<_>, Vec<_>) =
            days(&self.folder)?.into_iter().partition(|path| day_of(path) >= oldest.as_str());
        if old.is_empty() {
            return Ok(0);
        }
        let mut told = HashSet::new();
        for path in recent {
            each_line(&path, |line| told.extend(parse(line).map(|line| line.id)))?;
        }
        let mut deleted = 0;
        for path in old {
            let mut needed = false;
            each_line(&path, |line| {
                let id = parse(line).map(|line| line.id);
                needed |= id.is_some_and(|id| told.contains(&id) || is_live(id));
            })?;
            if !needed {
                fs::remove_file(&path)?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}

/// The story of one message, in order; empty where nothing is known of it. Needs no
/// [`Stories`]: it reads what is there.
///
/// # Errors
/// The operating system's; a folder that does not exist is an empty one.
pub fn story(folder: &Path, id: QueueId) -> io::Result<Vec<Line>> {
    // A clock that was set back may have told the rest of a story a little earlier.
    let first = day(id.arrived() - Duration::from_secs(86_400));
    let wanted = id.to_string();
    let mut lines = Vec::new();
    for path in days(folder)?.iter().filter(|path| day_of(path) >= first.as_str()) {
        each_line(path, |line| {
            // Most lines are of other messages, and need not be parsed.
            if contains(line, wanted.as_bytes()) {
                lines.extend(parse(line).filter(|line| line.id == id));
            }
        })?;
    }
    lines.sort_by_key(|line: &Line| line.at);
    Ok(lines)
}

fn contains(line: &[u8], wanted: &[u8]) -> bool {
    line.windows(wanted.len()).any(|window| window == wanted)
}

/// The date of `at` in UTC, as in `2026-11-24`.
fn day(at: Timestamp) -> String {
    at.to_string().split('T').next().unwrap_or_default().to_owned()
}

fn day_number(at: Timestamp) -> u64 {
    at.as_millis() / 86_400_000
}

fn day_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_suffix(SUFFIX).unwrap_or(name)
}

/// The files of a folder, oldest first.
fn days(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths: io::Result<Vec<PathBuf>> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == &SUFFIX[1..]));
    paths.sort();
    Ok(paths)
}

/// Opens a day's file at its end; a line that a crash has torn is ended first.
fn open_day(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

fn each_line(path: &Path, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.by_ref().take(MAX_LINE_OCTETS).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        visit(line.strip_suffix(b"\n").unwrap_or(&line));
    }
}

fn parse(line: &[u8]) -> Option<Line> {
    let mut event: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let at = Timestamp::from_millis(event.remove("at")?.as_u64()?);
    let id = event.remove("id")?.as_str()?.parse().ok()?;
    Some(Line { at, id, event })
}

#[cfg(test)]
mod tests;
