//! Files and folders to explain: mails, mboxes, Maildirs, notices, logs, lists of replies.

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use reply::Language;
use reply::heard::is_mail;

use super::super::Failure;
use super::log::input::{self, Input};
use super::mails::PIECE_OCTETS;
use super::unread::{Behind, Mebibytes, Unread};

/// Most octets that are read of one file that is read as a whole.
const MAX_WHOLE_OCTETS: usize = 64 * 1024 * 1024;
/// What is looked at to tell mails from other things; a header says it sooner.
const START_OCTETS: usize = 32 * 1024;
/// Most folders within folders.
const MAX_DEPTH: usize = 16;

/// The files in `paths`, in the order of the paths; those of a folder by their names. The
/// folder `tmp` of a Maildir holds what is not delivered yet, and is passed over.
pub(super) fn files(paths: &[PathBuf], language: Language) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let read = add_folder(path, 0, &mut files);
            read.map_err(|error| input::failure(path, error, language))?;
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
    pub(super) unreadable: Option<Unread>,
}

/// A file of which the beginning was looked at.
pub(super) enum Opened {
    /// A mail, an mbox: read as it comes.
    Mails(Started),
    /// One reply or log line a line, read as they come.
    Lines(BufReader<Started>),
    /// A notice, a text: read as a whole.
    Document(Content),
}

/// Opens a file; gzip and zstd are unpacked, `-` is standard input. Whether it holds lines of
/// which each is answered or one text, its octets do not tell: `by_line` does.
pub(super) fn open(path: &Path, by_line: bool, language: Language) -> Result<Opened, Failure> {
    let named = |error: io::Error| input::failure(path, error, language);
    let mut input = Started {
        start: Vec::new(),
        given: 0,
        broken: None,
        rest: Input::open(path).map_err(named)?,
    };
    // Who writes lines slowly shall not wait until there are many of them.
    let most = if by_line { 1 } else { START_OCTETS };
    input.start(most).map_err(named)?;
    if input.start.starts_with(b"From ") {
        input.start(START_OCTETS).map_err(named)?;
    }
    let is_json = matches!(input.start.trim_ascii_start().first(), Some(b'{' | b'['));
    if is_mail(&input.start) {
        return Ok(Opened::Mails(input));
    }
    if by_line && !is_json {
        return Ok(Opened::Lines(BufReader::with_capacity(PIECE_OCTETS, input)));
    }
    Ok(Opened::Document(whole(&mut input).map_err(named)?))
}

/// An input of which the start was looked at, and is given again.
pub(super) struct Started {
    start: Vec<u8>,
    given: usize,
    broken: Option<io::Error>,
    rest: Input,
}

impl Started {
    /// Reads until so many octets are there, or no more come. An error counts at once where
    /// there is nothing before it.
    fn start(&mut self, least: usize) -> io::Result<()> {
        let mut piece = vec![0; PIECE_OCTETS];
        while self.start.len() < least && self.broken.is_none() {
            match self.rest.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => self.start.extend_from_slice(&piece[..count]),
                Err(error) if self.start.is_empty() => return Err(error),
                Err(error) => self.broken = Some(error),
            }
        }
        Ok(())
    }
}

impl Read for Started {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let mut left = &self.start[self.given..];
        if !left.is_empty() {
            let count = left.read(piece)?;
            self.given += count;
            return Ok(count);
        }
        self.broken.take().map_or_else(|| self.rest.read(piece), Err)
    }
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
                let behind = Behind::Octets(content.octets.len() as u64);
                content.unreadable = Some(Unread::broken_off(behind, &error));
                return Ok(content);
            }
        };
        let room = MAX_WHOLE_OCTETS - content.octets.len();
        content.octets.extend_from_slice(&piece[..count.min(room)]);
        if count > room {
            content.unreadable = Some(Unread::BeyondFirst(Mebibytes::of(MAX_WHOLE_OCTETS)));
            return Ok(content);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_as_a_whole_is_read_up_to_the_bound_and_told_so() {
        let fits = whole(&mut io::repeat(b'x').take(MAX_WHOLE_OCTETS as u64)).unwrap();
        assert_eq!((fits.octets.len(), fits.unreadable), (MAX_WHOLE_OCTETS, None));
        let cut = whole(&mut io::repeat(b'x').take(MAX_WHOLE_OCTETS as u64 + 1)).unwrap();
        assert_eq!(cut.octets.len(), MAX_WHOLE_OCTETS);
        let told = cut.unreadable.map(|unread| unread.in_english());
        assert_eq!(told.as_deref(), Some("only the first 64 MiB were read"));
    }
}
