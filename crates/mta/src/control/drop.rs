//! The drop folder: where `send` leaves a message when no daemon runs, and what the next
//! start picks up.
//!
//! A file is one line of JSON (the [`Submission`]) and then the message, CRLF line ends.
//! It is written under a temporary name, synced, renamed to `NAME.msg`, and the folder
//! synced: a file with that ending is whole. It is deleted once the queue has synced the
//! message; a crash between the two submits it twice, and never loses it. A recipient that
//! is refused is told to the sender in a notification. What cannot be read, or is refused
//! with nobody to tell, is renamed to `NAME.bad` and stays for a person to look at.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::protocol::{Refused, RefusedKind, Submission, read_line, write_line};
use super::server::{Handler, Intake};
use crate::clock::Clock;

/// The name of the folder in the data directory.
pub const FOLDER_NAME: &str = "drop";
/// How much of a message is handed on at once.
const CHUNK_OCTETS: usize = 64 * 1024;

/// What became of a message in the drop folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickedUp {
    /// It is in the queue under this id.
    Queued(String),
    /// It is no message, or was refused with nobody to tell; it lies beside as `NAME.bad`.
    SetAside(String),
    /// It cannot be taken now; it stays for the next start.
    Kept(String),
}

/// Puts a message into the drop folder of `data_dir`, which is made if it is missing.
/// Returns the file once it and its name are synced.
///
/// # Errors
/// Those of the file system; nothing half-written is left under a name that is picked up.
pub fn put(data_dir: &Path, submission: &Submission, message: &[u8]) -> io::Result<PathBuf> {
    let folder = data_dir.join(FOLDER_NAME);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let now = Clock::start().now().as_millis();
    let name = format!("{now}-{}", std::process::id());
    let (partial, mut file) = create_new(&folder, &name)?;
    let written = write_line(&mut file, submission)
        .and_then(|()| file.write_all(message))
        .and_then(|()| file.sync_all());
    let path = partial.with_extension("msg");
    let named = written.and_then(|()| fs::rename(&partial, &path));
    if named.is_err() {
        // The first error is the one to tell; a temporary file left over harms nobody.
        let _ = fs::remove_file(&partial);
    }
    named?;
    File::open(&folder)?.sync_all()?;
    Ok(path)
}

/// A file of its own under a temporary name, also for two programs in the same millisecond.
fn create_new(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0;
    loop {
        let path = folder.join(format!("{name}-{attempt}.tmp"));
        let taken = path.with_extension("msg").exists();
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match opened {
            Ok(file) if !taken => return Ok((path, file)),
            Ok(_) => fs::remove_file(&path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        attempt += 1;
    }
}

/// Hands every message of the folder to `handler`, oldest first, and logs what became of
/// each. A folder that does not exist is empty.
///
/// # Errors
/// Where the folder cannot be read, or a file that was queued cannot be deleted.
pub fn pick_up(data_dir: &Path, handler: &dyn Handler) -> io::Result<Vec<(PathBuf, PickedUp)>> {
    let folder = data_dir.join(FOLDER_NAME);
    let mut picked_up = Vec::new();
    for path in list(&folder)? {
        let became = pick_up_file(&path, handler)?;
        log(&path, &became);
        picked_up.push((path, became));
    }
    if !picked_up.is_empty() {
        File::open(&folder)?.sync_all()?;
    }
    Ok(picked_up)
}

/// The messages that wait in the folder, oldest first.
///
/// # Errors
/// Where the folder cannot be read.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let is_message = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "msg");
    let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_message).collect();
    paths.sort();
    Ok(paths)
}

fn pick_up_file(path: &Path, handler: &dyn Handler) -> io::Result<PickedUp> {
    let refused = match submit(path, handler) {
        Ok(id) => {
            fs::remove_file(path)?;
            return Ok(PickedUp::Queued(id));
        }
        Err(refused) => refused,
    };
    match refused.kind {
        RefusedKind::Busy | RefusedKind::Fault => Ok(PickedUp::Kept(refused.message)),
        _ => {
            fs::rename(path, path.with_extension("bad"))?;
            Ok(PickedUp::SetAside(refused.message))
        }
    }
}

fn log(path: &Path, became: &PickedUp) {
    let file = path.display();
    match became {
        PickedUp::Queued(id) => tracing::info!(%id, %file, "queued from the drop folder"),
        PickedUp::SetAside(why) => {
            tracing::error!(%file, why, "set aside as .bad: it cannot be queued");
        }
        PickedUp::Kept(why) => tracing::warn!(%file, why, "stays in the drop folder for now"),
    }
}

/// Reads one file and submits it; the id once the queue has synced it.
fn submit(path: &Path, handler: &dyn Handler) -> Result<String, Refused> {
    let file = File::open(path).map_err(|error| fault(&error))?;
    let length = file.metadata().map_err(|error| fault(&error))?.len();
    let mut input = BufReader::new(file);
    let submission: Submission = read_line(&mut input)
        .map_err(|error| malformed(&format!("its first line is no envelope: {error}")))?
        .ok_or_else(|| malformed("it is empty"))?;
    let octets = submission.octets;
    let position = io::Seek::stream_position(&mut input).map_err(|error| fault(&error))?;
    if position + octets != length {
        let has = length.saturating_sub(position);
        return Err(malformed(&format!("it announces {octets} octets and holds {has}")));
    }
    let mut intake = handler.submit_dropped(submission)?;
    copy(&mut input, &mut *intake)?;
    intake.commit()
}

fn copy(input: &mut impl Read, intake: &mut dyn Intake) -> Result<(), Refused> {
    let mut chunk = vec![0; CHUNK_OCTETS];
    loop {
        match input.read(&mut chunk).map_err(|error| fault(&error))? {
            0 => return Ok(()),
            read => intake.append(&chunk[..read])?,
        }
    }
}

fn fault(error: &io::Error) -> Refused {
    Refused::new(RefusedKind::Fault, error.to_string())
}

fn malformed(problem: &str) -> Refused {
    Refused::new(RefusedKind::BadRequest, problem)
}

#[cfg(test)]
mod tests;
