//! What files and standard input say, told as they are read: mails one by one, lines one by
//! one, other documents as a whole.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use reply::Language;
use reply::heard::log::{Format as LogFormat, Line, LogReader};
use reply::heard::{Heard, Kind, read_any, read_notices};

use super::files::{self, Content, Opened, Started};
use super::found::tell_all;
use super::lines::{self, Broken};
use super::list::List;
use super::log::{damage_in_english, input};
use super::mails::{PIECE_OCTETS, Step, each_mail};
use super::object::{Object, Place};
use super::unheard::{self, nothing_heard};
use super::unread::{self, Behind, Unread};
use super::{Args, Format, sisimai};
use crate::cli::{Context, Failure};

/// Tells what the files say, one after the other. What cannot be read is told as it is met,
/// and all else is told all the same.
pub(super) fn tell_files(
    args: &Args,
    paths: &[PathBuf],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let files = files::files(paths, context.global.language());
    let (is_json, language) = (args.writes_json(context), context.global.language());
    let mut told =
        Told { args, context, is_json, list: List::of(args.ndjson), are_many: files.len() > 1 };
    let mut wrong = None;
    for item in files {
        match item.and_then(|file| told.tell_file(&file, language)) {
            Ok(()) => {}
            Err(closed) if closed.is_success() => return Err(closed),
            Err(failure) => {
                failure.tell(told.context.global.json, language);
                wrong.get_or_insert(failure.silenced());
            }
        }
    }
    told.end(wrong.is_none())?;
    wrong.map_or(Ok(()), Err)
}

/// Tells what standard input says.
pub(super) fn tell_stdin(
    args: &Args,
    opened: Opened,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let is_json = args.writes_json(context);
    let mut told = Told { args, context, is_json, list: List::of(args.ndjson), are_many: false };
    let result = told.tell(opened, Path::new("-"));
    told.end(result.is_ok())?;
    result
}

/// What was told so far.
struct Told<'a, 'b> {
    args: &'a Args,
    context: &'a mut Context<'b>,
    is_json: bool,
    list: List,
    are_many: bool,
}

impl Told<'_, '_> {
    /// Opens a file and tells what it says.
    fn tell_file(&mut self, file: &Path, language: Language) -> Result<(), Failure> {
        let opened = files::open(file, self.args.ndjson, language)?;
        self.tell(opened, file)
    }

    /// Tells what one file says.
    fn tell(&mut self, opened: Opened, file: &Path) -> Result<(), Failure> {
        match opened {
            Opened::Mails(mails) => self.tell_mails(mails, file),
            Opened::Lines(lines) => self.tell_lines(lines, file),
            Opened::Log(log) => self.tell_log(log, file),
            Opened::Document(content) => self.tell_document(&content, file),
        }
    }

    /// Tells what each mail says, before the next is read.
    fn tell_mails(&mut self, mails: Started, file: &Path) -> Result<(), Failure> {
        let path = path_of(file);
        let mut count = 0;
        let not_read = each_mail(mails, |step| match step {
            Step::Mail(heard, not_read) => {
                let unreadable = unread::in_english(not_read);
                let place = Place { path: path.as_deref(), unreadable: unreadable.as_deref() };
                self.tell_heard(heard, place, &mut count, file)
            }
            Step::Waiting => self.context.out.flush(),
        })?;
        self.end_file(count)?;
        told_not_read(&not_read, file, self.context.global.language())
    }

    /// Tells what each line of a log says of a delivery, as it comes.
    fn tell_log(&mut self, mut log: Started, file: &Path) -> Result<(), Failure> {
        let language = self.context.global.language();
        let path = path_of(file);
        let (mut count, mut octets) = (0, 0);
        let mut reader = LogReader::new(None);
        let mut result = Ok(());
        let mut tell = |line: Line<'_>| {
            if result.is_ok() {
                let unreadable = line.damage.map(damage_in_english);
                let place = Place { path: path.as_deref(), unreadable };
                result = self.tell_heard(&of_line(line), place, &mut count, file);
            }
        };
        let mut piece = vec![0; PIECE_OCTETS];
        let broken = loop {
            match log.read(&mut piece) {
                Ok(0) => break None,
                Ok(read) => {
                    octets += read as u64;
                    reader.push(&piece[..read], &mut tell);
                }
                Err(error) => break Some(Unread::broken_off(Behind::Octets(octets), &error)),
            }
        };
        reader.finish(&mut tell);
        result?;
        self.end_file(count)?;
        if count == 0 && broken.is_none() {
            return Err(unheard::of_file("no-delivery", file, language));
        }
        told_not_read(broken.as_slice(), file, language)
    }

    /// Tells what each line of a file says.
    fn tell_lines(&mut self, from: impl BufRead, file: &Path) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(&mut *self.context.out);
        let path = path_of(file);
        let (mut is_heard, mut odd, mut is_empty) = (false, None, true);
        let told = lines::each_line(from, |heard, unread| {
            is_empty = false;
            let unreadable = unread.map(Unread::in_english);
            let place = Place { path: path.as_deref(), unreadable: unreadable.as_deref() };
            is_heard |= heard.is_some();
            odd = odd.take().or_else(|| unread.cloned());
            match (self.args.format, heard) {
                (Some(Format::Sisimai), heard) => {
                    let nothing = Heard::of(Kind::NotABounce);
                    let value = sisimai::value(heard.unwrap_or(&nothing), place.path);
                    lines::write_line(&mut out, &value)
                }
                (_, Some(heard)) => lines::write_line(&mut out, &Object::of(heard, place)),
                (_, None) => lines::write_line(&mut out, &Object::of_nothing(place)),
            }
        });
        out.flush()?;
        match told {
            Ok(()) if is_empty && path.is_some() => {
                Err(unheard::of_file("is-empty", file, self.context.global.language()))
            }
            Ok(()) if is_heard => Ok(()),
            Ok(()) => match odd {
                Some(odd) => told_not_read(&[odd], file, self.context.global.language()),
                None => Ok(()),
            },
            Err(Broken::Writing(error)) => Err(error.into()),
            Err(Broken::Reading(count, error)) => {
                let what = Unread::broken_off(Behind::Lines(count), &error);
                told_not_read(&[what], file, self.context.global.language())
            }
        }
    }

    /// Tells what a document says that was read as a whole.
    fn tell_document(&mut self, content: &Content, file: &Path) -> Result<(), Failure> {
        let language = self.context.global.language();
        let notices = read_notices(&content.octets);
        if notices.is_none() && self.args.ndjson {
            self.tell_lines(content.octets.as_slice(), file)?;
            return told_not_read(content.unreadable.as_slice(), file, language);
        }
        let (heard, end) = match notices {
            Some(notices) => {
                let end = |at| {
                    if notices.is_damaged { Unread::DamagedJson(at) } else { Unread::Behind(at) }
                };
                let end = notices.ends_at.map(end);
                (notices.heard, end)
            }
            None => (read_any(&content.octets), None),
        };
        let not_read: Vec<Unread> = content.not_read(&heard, end);
        if heard.is_empty() && !matches!(not_read.first(), Some(Unread::DamagedJson(_))) {
            return Err(nothing_heard(&content.octets, Some(file), language));
        }
        let path = path_of(file);
        let unreadable = unread::in_english(&not_read);
        let place = Place { path: path.as_deref(), unreadable: unreadable.as_deref() };
        let mut count = 0;
        self.tell_heard(&heard, place, &mut count, file)?;
        self.end_file(count)?;
        told_not_read(&not_read, file, language)
    }

    /// The name of a file stands over what it says, where there are several.
    fn begin(&mut self, file: &Path) -> io::Result<()> {
        if self.is_json || !self.are_many {
            return Ok(());
        }
        writeln!(self.context.out, "{}", file.display())
    }

    /// Tells what was heard in `place`, behind `count` other things of that file.
    fn tell_heard(
        &mut self,
        heard: &[Heard],
        place: Place<'_>,
        count: &mut usize,
        file: &Path,
    ) -> io::Result<()> {
        let before = std::mem::replace(count, *count + heard.len());
        if before == 0 && !heard.is_empty() {
            self.begin(file)?;
        }
        if self.is_json {
            let mut each = heard.iter().map(|heard| self.args.value(heard, place));
            return each.try_for_each(|value| self.list.add(&value, self.context.out));
        }
        if before > 0 && !heard.is_empty() {
            writeln!(self.context.out)?;
        }
        tell_all(heard, self.context.global.language(), self.context.out)
    }

    /// An empty line between files.
    fn end_file(&mut self, count: usize) -> io::Result<()> {
        if self.is_json || !self.are_many || count == 0 {
            return Ok(());
        }
        writeln!(self.context.out)
    }

    /// Ends a list; where nothing was read, nothing is written.
    fn end(self, is_well: bool) -> io::Result<()> {
        if !self.is_json || (self.list.is_empty() && !is_well) {
            return Ok(());
        }
        self.list.end(self.context.out)
    }
}

/// What a line of a log says of each recipient.
fn of_line(line: Line<'_>) -> Vec<Heard> {
    match line.entry {
        Some(entry) if entry.format != LogFormat::Other => entry.into_heard(),
        _ => read_any(line.octets),
    }
}

/// What was not read of a file of which something was.
pub(super) fn told_not_read(
    what: &[Unread],
    file: &Path,
    language: Language,
) -> Result<(), Failure> {
    let in_words = |what: Vec<&Unread>| -> Option<Failure> {
        let all: Vec<String> = what.iter().map(|unread| unread.in_words(language)).collect();
        (!all.is_empty()).then(|| input::partly(file, &all.join("; "), language))
    };
    let (damaged, left_out) = what.iter().partition(|unread| unread.is_damage());
    if let Some(warning) = in_words(damaged) {
        warning.warn(language);
    }
    in_words(left_out).map_or(Ok(()), Err)
}

/// A file's name in JSON; standard input has none.
fn path_of(file: &Path) -> Option<String> {
    (file != Path::new("-")).then(|| file.display().to_string())
}
