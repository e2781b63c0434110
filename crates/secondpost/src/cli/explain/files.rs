//! Files and folders to explain: mails, mboxes, Maildirs, notices, logs, lists of replies.

use std::fs;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use reply::Language;
use reply::heard::log::{Format, recognise};
use reply::heard::{Heard, Kind, MAX_HEARD_OF_TEXT, MAX_TEXT_OCTETS, is_mail, read_notices};
use serde::de::IgnoredAny;

use super::super::Failure;
use super::log::input::{self, Input};
use super::mails::PIECE_OCTETS;
use super::unheard;
use super::unread::{Behind, Mebibytes, Unread};

/// Most octets that are read of one file that is read as a whole.
const MAX_WHOLE_OCTETS: usize = 64 * 1024 * 1024;
/// What is looked at to tell mails from other things; a header says it sooner.
const START_OCTETS: usize = 32 * 1024;
/// Most folders within folders.
const MAX_DEPTH: usize = 16;

/// Something to read, or what is wrong with it.
pub(super) type Item = Result<PathBuf, Failure>;

/// The files in `paths`, in the order of the paths; those of a folder by their names. Of a
/// Maildir only the mails count: `tmp` holds what is not delivered yet, and beside the folders
/// stand the notes of the programs that keep it.
pub(super) fn files(paths: &[PathBuf], language: Language) -> Vec<Item> {
    let mut walk = Walk { items: Vec::new(), within: Vec::new(), language };
    for path in paths {
        let before = walk.items.len();
        if !path.is_dir() {
            walk.items.push(Ok(path.clone()));
            continue;
        }
        walk.folder(path);
        if walk.items.len() == before {
            walk.items.push(Err(unheard::of_file("no-file", path, language)));
        }
    }
    walk.items
}

/// A walk through folders.
struct Walk {
    items: Vec<Item>,
    /// The folders around, so that one that leads back to itself is known.
    within: Vec<(u64, u64)>,
    language: Language,
}

impl Walk {
    fn folder(&mut self, folder: &Path) {
        match self.entries(folder) {
            Ok(entries) => {
                let is_maildir = folder.join("cur").is_dir() && folder.join("new").is_dir();
                entries.into_iter().for_each(|path| self.entry(path, is_maildir));
                self.within.pop();
            }
            Err(error) => self.wrong(folder, error),
        }
    }

    /// What is in a folder, by its names. The folder counts as one that is walked in.
    fn entries(&mut self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let is = fs::metadata(folder)?;
        let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        self.within.push((is.dev(), is.ino()));
        Ok(entries)
    }

    fn entry(&mut self, path: PathBuf, is_maildir: bool) {
        match fs::metadata(&path) {
            Ok(is) if is.is_dir() => {
                let is_tmp = is_maildir && path.file_name().is_some_and(|name| name == "tmp");
                if is_tmp || self.within.contains(&(is.dev(), is.ino())) {
                } else if self.within.len() < MAX_DEPTH {
                    self.folder(&path);
                } else {
                    let failure = unheard::of_file("folder-too-deep", &path, self.language);
                    self.items.push(Err(failure));
                }
            }
            Ok(is) if is.is_file() && !is_maildir => self.items.push(Ok(path)),
            // Sockets, pipes and devices hold no mail.
            Ok(_) => {}
            Err(error) => self.wrong(&path, error),
        }
    }

    fn wrong(&mut self, path: &Path, error: io::Error) {
        self.items.push(Err(input::failure(path, error, self.language)));
    }
}

/// What was read of a file.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Its octets, unpacked.
    pub(super) octets: Vec<u8>,
    /// What was not read, and why.
    pub(super) unreadable: Option<Unread>,
}

impl Content {
    /// What was not read, where `heard` was heard and the reader stopped at `end`.
    pub(super) fn not_read(&self, heard: &[Heard], end: Option<Unread>) -> Vec<Unread> {
        let is_text = heard.first().is_some_and(|heard| heard.kind == Kind::Reply);
        let of_text = if heard.len() >= MAX_HEARD_OF_TEXT {
            Some(Unread::BeyondThings(MAX_HEARD_OF_TEXT))
        } else if is_text && self.octets.len() > MAX_TEXT_OCTETS {
            Some(Unread::BeyondFirst(Mebibytes::of(MAX_TEXT_OCTETS)))
        } else {
            None
        };
        end.or(of_text).into_iter().chain(self.unreadable.clone()).collect()
    }
}

/// A file of which the beginning was looked at.
pub(super) enum Opened {
    /// A mail, an mbox: read as it comes.
    Mails(Started),
    /// One reply or log line a line, read as they come.
    Lines(BufReader<Started>),
    /// A log, read as it comes.
    Log(Started),
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
    let is_file = path != Path::new("-");
    if by_line && is_file && input.start.contains(&0) {
        return Err(unheard::nothing_heard(&input.start, Some(path), language));
    }
    if by_line && is_json {
        input.start_line().map_err(named)?;
    }
    if by_line && (!is_json || is_json_line(first_line(&input.start))) {
        return Ok(Opened::Lines(BufReader::with_capacity(PIECE_OCTETS, input)));
    }
    if is_log(&input.start) {
        return Ok(Opened::Log(input));
    }
    Ok(Opened::Document(whole(&mut input).map_err(named)?))
}

/// The first line that is not empty.
fn first_line(start: &[u8]) -> &[u8] {
    let mut lines = start.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Whether a line is one of a log that is known, and no notice of a mail service.
fn is_log(start: &[u8]) -> bool {
    let line = first_line(start);
    let entry = recognise(&String::from_utf8_lossy(line), None).map(|entry| entry.format);
    entry.is_some_and(|format| format != Format::Other) && read_notices(line).is_none()
}

/// Whether a line is JSON that does not go on in the next.
fn is_json_line(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_ok()
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
        self.start_until(|start| start.len() >= least)
    }

    /// Reads on until the first line is whole, or as much is there as is looked at.
    fn start_line(&mut self) -> io::Result<()> {
        self.start_until(|start| start.len() >= START_OCTETS || start.contains(&b'\n'))
    }

    fn start_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        let mut piece = vec![0; PIECE_OCTETS];
        while !is_enough(&self.start) && self.broken.is_none() {
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
