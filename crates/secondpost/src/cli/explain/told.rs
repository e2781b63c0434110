//! What files and standard input say, told as they are read: mails one by one, lines one by
//! one, other documents as a whole.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use reply::Language;
use reply::explain::cli;
use reply::heard::{Heard, read_any, read_document, read_mail};

use super::files::{self, Content, Opened, Started};
use super::found::tell_all;
use super::lines::{self, Broken};
use super::list::List;
use super::log::input;
use super::mails::{Step, each_mail};
use super::object::{Object, Place};
use super::unread::{Behind, Unread};
use super::{Args, Format, expected, sisimai};
use crate::cli::{Context, Failure};

/// Tells what the files say, one after the other. What cannot be read is told as it is met,
/// and all else is told all the same.
pub(super) fn tell_files(
    args: &Args,
    paths: &[PathBuf],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let files = files::files(paths, context.global.language())?;
    let (is_json, language) = (args.writes_json(context), context.global.language());
    let mut told =
        Told { args, context, is_json, list: List::of(args.ndjson), are_many: files.len() > 1 };
    let mut wrong = None;
    for file in &files {
        let opened = files::open(file, args.ndjson, language);
        match opened.and_then(|opened| told.tell(opened, file)) {
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
    /// Tells what one file says.
    fn tell(&mut self, opened: Opened, file: &Path) -> Result<(), Failure> {
        match opened {
            Opened::Mails(mails) => self.tell_mails(mails, file),
            Opened::Lines(lines) => self.tell_lines(lines, file),
            Opened::Document(content) => self.tell_document(&content, file),
        }
    }

    /// Tells what each mail says, before the next is read.
    fn tell_mails(&mut self, mails: Started, file: &Path) -> Result<(), Failure> {
        let path = path_of(file);
        self.begin(file)?;
        let mut count = 0;
        let not_read = each_mail(mails, |step| match step {
            Step::Mail(octets, unreadable) => {
                let heard = read_mail(octets);
                let unreadable = unreadable.map(Unread::in_english);
                let place = Place { path: path.as_deref(), unreadable: unreadable.as_deref() };
                self.tell_heard(&heard, place, count)?;
                count += heard.len();
                Ok(())
            }
            Step::Waiting => self.context.out.flush(),
        })?;
        self.end_file(file, count)?;
        told_not_read(&not_read, file, self.context.global.language())
    }

    /// Tells what each line of a file says.
    fn tell_lines(&mut self, from: impl BufRead, file: &Path) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(&mut *self.context.out);
        let name = path_of(file);
        let place = Place { path: name.as_deref(), unreadable: None };
        let told = lines::each_line(from, |heard| match self.args.format {
            Some(Format::Sisimai) => {
                lines::write_line(&mut out, &sisimai::value(heard, place.path))
            }
            _ => lines::write_line(&mut out, &Object::of(heard, place)),
        });
        out.flush()?;
        match told {
            Ok(()) => Ok(()),
            Err(Broken::Writing(error)) => Err(error.into()),
            Err(Broken::Reading(count, error)) => {
                let what = Unread::broken_off(Behind::Lines(count), &error);
                told_not_read(&[what], file, self.context.global.language())
            }
        }
    }

    /// Tells what a document says that was read as a whole.
    fn tell_document(&mut self, content: &Content, file: &Path) -> Result<(), Failure> {
        let path = path_of(file);
        let unreadable = content.unreadable.as_ref().map(Unread::in_english);
        let place = Place { path: path.as_deref(), unreadable: unreadable.as_deref() };
        let document = read_document(&content.octets);
        if document.is_none() && self.args.ndjson {
            self.tell_lines(content.octets.as_slice(), file)?;
        } else {
            let heard = document.unwrap_or_else(|| read_any(&content.octets));
            self.begin(file)?;
            self.tell_heard(&heard, place, 0)?;
            self.end_file(file, heard.len())?;
        }
        told_not_read(content.unreadable.as_slice(), file, self.context.global.language())
    }

    /// The name of a file stands over what it says, where there are several.
    fn begin(&mut self, file: &Path) -> io::Result<()> {
        if self.is_json || !self.are_many {
            return Ok(());
        }
        writeln!(self.context.out, "{}", file.display())
    }

    /// Tells what was heard in `place`, behind `before` other things.
    fn tell_heard(&mut self, heard: &[Heard], place: Place<'_>, before: usize) -> io::Result<()> {
        if self.is_json {
            let mut each = heard.iter().map(|heard| self.args.value(heard, place));
            return each.try_for_each(|value| self.list.add(&value, self.context.out));
        }
        if before > 0 && !heard.is_empty() {
            writeln!(self.context.out)?;
        }
        tell_all(heard, self.context.global.language(), self.context.out)
    }

    /// An empty line between files; where nothing was heard in the only one, what was expected.
    fn end_file(&mut self, file: &Path, count: usize) -> Result<(), Failure> {
        if self.is_json {
            return Ok(());
        }
        if self.are_many {
            return Ok(writeln!(self.context.out)?);
        }
        if count > 0 {
            return Ok(());
        }
        let language = self.context.global.language();
        let file = format!("`{}`", file.display());
        let told = cli(language, "nothing-in-file", &[("file", &file)]);
        Err(Failure::usage(told).help(expected(language)))
    }

    /// Ends a list; where nothing was read, nothing is written.
    fn end(self, is_well: bool) -> io::Result<()> {
        if !self.is_json || (self.list.is_empty() && !is_well) {
            return Ok(());
        }
        self.list.end(self.context.out)
    }
}

/// What was not read of a file of which something was.
fn told_not_read(what: &[Unread], file: &Path, language: Language) -> Result<(), Failure> {
    let all: Vec<String> = what.iter().map(|unread| unread.in_words(language)).collect();
    if all.is_empty() { Ok(()) } else { Err(input::partly(file, &all.join("; "), language)) }
}

/// A file's name in JSON; standard input has none.
fn path_of(file: &Path) -> Option<String> {
    (file != Path::new("-")).then(|| file.display().to_string())
}
