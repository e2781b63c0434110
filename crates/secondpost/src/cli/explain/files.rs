//! Files and folders to explain: mails, mboxes, Maildirs, notices, logs, lists of replies.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use reply::heard::is_mail;

use super::super::Failure;
use super::log::input::{self, Input, PIECE_OCTETS};

/// Most octets that are read of one file.
pub(super) const MAX_FILE_OCTETS: usize = 64 * 1024 * 1024;
/// Most folders within folders.
const MAX_DEPTH: usize = 16;

/// The files in `paths`, in the order of the paths; those of a folder by their names. The
/// folder `tmp` of a Maildir holds what is not delivered yet, and is passed over.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            add_folder(path, 0, &mut files).map_err(|error| failure(path, &error))?;
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn add_folder(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    let is_maildir = folder.join("cur").is_dir() && folder.join("new").is_dir();
    for path in entries {
        if path.is_dir() {
            let is_tmp = is_maildir && path.file_name().is_some_and(|name| name == "tmp");
            if depth < MAX_DEPTH && !is_tmp {
                add_folder(&path, depth + 1, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Its octets, unpacked.
    pub(super) octets: Vec<u8>,
    /// What was not read, and why.
    pub(super) unreadable: Option<String>,
}

/// A file of which the beginning was looked at.
pub(super) enum Opened {
    /// One reply or log line a line, read as they come.
    Lines(BufReader<Input>),
    /// A mail, an mbox, a notice: read as a whole.
    Document(Content),
}

/// Opens a file; gzip and zstd are unpacked, `-` is standard input.
pub(super) fn open(path: &Path) -> Result<Opened, Failure> {
    let named = |error: io::Error| input::failure(path, error);
    let mut reader = BufReader::with_capacity(PIECE_OCTETS, Input::open(path).map_err(named)?);
    let start = reader.fill_buf().map_err(named)?;
    let is_json = matches!(start.trim_ascii_start().first(), Some(b'{' | b'['));
    if is_mail(start) || is_json {
        return Ok(Opened::Document(whole(&mut reader).map_err(named)?));
    }
    Ok(Opened::Lines(reader))
}

/// What a file holds, up to a bound; gzip and zstd are unpacked, `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Content, Failure> {
    let read = Input::open(path).and_then(|mut input| whole(&mut input));
    read.map_err(|error| input::failure(path, error))
}

/// An error counts only where nothing was read before it.
fn whole(from: &mut impl Read) -> io::Result<Content> {
    let mut content = Content::default();
    let mut piece = vec![0; PIECE_OCTETS];
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(content),
            Ok(count) => count,
            Err(error) if content.octets.is_empty() => return Err(error),
            Err(error) => {
                let behind = format!("{} octets", content.octets.len());
                content.unreadable = Some(input::broken_off(&behind, &error));
                return Ok(content);
            }
        };
        let room = MAX_FILE_OCTETS - content.octets.len();
        content.octets.extend_from_slice(&piece[..count.min(room)]);
        if count > room {
            let megabytes = MAX_FILE_OCTETS >> 20;
            content.unreadable = Some(format!("only its first {megabytes} MiB were read"));
            return Ok(content);
        }
    }
}

/// What is wrong with a file or folder.
fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_read_up_to_the_bound_and_told_so() {
        let fits = whole(&mut io::repeat(b'x').take(MAX_FILE_OCTETS as u64)).unwrap();
        assert_eq!((fits.octets.len(), fits.unreadable), (MAX_FILE_OCTETS, None));
        let cut = whole(&mut io::repeat(b'x').take(MAX_FILE_OCTETS as u64 + 1)).unwrap();
        assert_eq!(cut.octets.len(), MAX_FILE_OCTETS);
        assert_eq!(cut.unreadable.as_deref(), Some("only its first 64 MiB were read"));
    }
}
