//! A log as it grows: what fails is told on a line each. A file that was rotated away is
//! opened anew under its name.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reply::Language;
use reply::explain::{cause_name, cli, whose_move_in_words};
use reply::heard::log::{Line, LogEntry, LogReader, Meaning, Meanings, Reference, Status};

use super::super::super::text::printable;
use super::super::super::{Context, Failure};
use super::filter::Filter;
use super::input;

/// How many failures are shown that were there before, as `tail -f` shows lines.
const MAX_BEFORE: usize = 10;
/// How often a file is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// Reads the files to their ends, then the last one for as long as it goes on.
pub(super) fn run(
    files: &[PathBuf],
    filter: &Filter,
    reference: Reference,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let language = context.global.language();
    let json = context.global.json;
    let mut teller = Teller::of(filter, language, json);
    let mut reader = LogReader::new(Some(reference));
    let Some((last, earlier)) = files.split_last() else { return Ok(()) };
    let mut progress = input::Progress::of(&[]);
    for file in earlier {
        let mut pieces = Vec::new();
        super::each_piece(file, language, &mut progress, |piece| {
            pieces.push(teller.push(&mut reader, piece, context.out));
        })?;
        pieces.into_iter().collect::<io::Result<()>>()?;
    }
    if last == Path::new("-") {
        // What comes through a pipe comes now; only of files before it is there something already.
        match earlier.is_empty() {
            true => teller.before = None,
            false => teller.catch_up(last, context.out)?,
        }
        return follow_input(&mut io::stdin(), &mut teller, &mut reader, context.out);
    }
    follow_file(last, &mut teller, &mut reader, context.out)
}

/// A pipe says itself when it ends.
fn follow_input(
    source: &mut dyn Read,
    teller: &mut Teller<'_>,
    reader: &mut LogReader,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut piece = vec![0; input::PIECE_OCTETS];
    loop {
        let count = source.read(&mut piece)?;
        if count == 0 {
            return Ok(teller.finish(reader, out)?);
        }
        teller.push(reader, &piece[..count], out)?;
    }
}

fn follow_file(
    path: &Path,
    teller: &mut Teller<'_>,
    reader: &mut LogReader,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let language = teller.language;
    let named = |error: io::Error| input::failure(path, error, language);
    let mut followed = Followed::open(path).map_err(named)?;
    loop {
        match followed.step().map_err(named)? {
            Step::Piece(piece) => teller.push(reader, piece, out)?,
            Step::Anew => teller.finish(reader, out)?,
            Step::Idle => {
                teller.catch_up(path, out)?;
                std::thread::sleep(PAUSE);
            }
        }
    }
}

/// A file that grows, under a name that may pass to another.
struct Followed<'a> {
    path: &'a Path,
    file: File,
    /// The file that has the name now, while the old one is read to its end: its writer may
    /// write on until it opens the new one.
    next: Option<File>,
    piece: Vec<u8>,
}

/// What a look at the file brought.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    /// Octets that were added.
    Piece(&'a [u8]),
    /// What comes next is the beginning of a file; what was read ended before.
    Anew,
    /// Nothing new.
    Idle,
}

impl<'a> Followed<'a> {
    fn open(path: &'a Path) -> io::Result<Followed<'a>> {
        let file = File::open(path)?;
        Ok(Followed { path, file, next: None, piece: vec![0; input::PIECE_OCTETS] })
    }

    fn step(&mut self) -> io::Result<Step<'_>> {
        let count = self.file.read(&mut self.piece)?;
        if count > 0 {
            return Ok(Step::Piece(&self.piece[..count]));
        }
        if let Some(next) = self.next.take() {
            self.file = next;
            return Ok(Step::Anew);
        }
        let (here, at) = (self.file.metadata()?, self.file.stream_position()?);
        if here.len() < at {
            self.file.rewind()?;
            return Ok(Step::Anew);
        }
        self.next = self.renamed(&here)?;
        match self.next {
            // Once more: it was written to between the last reading and now.
            Some(_) => self.step(),
            None => Ok(Step::Idle),
        }
    }

    /// The file that has the name now, where it is another.
    fn renamed(&self, here: &Metadata) -> io::Result<Option<File>> {
        match std::fs::metadata(self.path) {
            Ok(there) if (there.dev(), there.ino()) != (here.dev(), here.ino()) => {
                File::open(self.path).map(Some)
            }
            // Between the renaming and the new file there is none.
            _ => Ok(None),
        }
    }
}

struct Teller<'a> {
    meanings: Meanings,
    filter: &'a Filter,
    language: Language,
    json: bool,
    before: Option<Before>,
}

/// What failed before the end of the log was come to: the last of it waits to be shown.
#[derive(Default)]
struct Before {
    count: u64,
    last: VecDeque<String>,
}

impl<'a> Teller<'a> {
    /// Tells what passes `filter`; of what is there already only the last, unless it is said
    /// from when on.
    fn of(filter: &'a Filter, language: Language, json: bool) -> Teller<'a> {
        let before = filter.since.is_none().then(Before::default);
        Teller { meanings: Meanings::default(), filter, language, json, before }
    }

    /// The end of what is there is come to: shows the last of it, and says on standard error
    /// what is followed and how much is not shown.
    fn catch_up(&mut self, file: &Path, out: &mut dyn Write) -> io::Result<()> {
        let Some(before) = self.before.take() else { return Ok(()) };
        before.last.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        out.flush()?;
        let (count, shown) = (before.count.to_string(), before.last.len().to_string());
        let file = input::name(file, self.language);
        let values =
            [("file", &*file), ("count", &count), ("shown", &shown), ("option", "`--since`")];
        // Where stderr is closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{}", cli(self.language, "following", &values));
        Ok(())
    }

    /// Writes a line, or keeps it until the end of what is there is come to.
    fn write(&mut self, line: String, out: &mut dyn Write) -> io::Result<()> {
        let Some(before) = &mut self.before else { return writeln!(out, "{line}") };
        before.count += 1;
        if before.last.len() == MAX_BEFORE {
            before.last.pop_front();
        }
        before.last.push_back(line);
        Ok(())
    }

    fn push(
        &mut self,
        reader: &mut LogReader,
        piece: &[u8],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut result = Ok(());
        reader.push(piece, &mut |line| {
            if result.is_ok() {
                result = self.tell(&line, out);
            }
        });
        result.and_then(|()| out.flush())
    }

    fn finish(&mut self, reader: &mut LogReader, out: &mut dyn Write) -> io::Result<()> {
        let mut result = Ok(());
        reader.finish(&mut |line| result = self.tell(&line, out));
        result
    }

    /// One line for what failed, nothing for the rest.
    fn tell(&mut self, line: &Line<'_>, out: &mut dyn Write) -> io::Result<()> {
        let Some(entry) = &line.entry else { return Ok(()) };
        match entry.each() {
            Some(each) => each.iter().try_for_each(|entry| self.tell_entry(line, entry, out)),
            None => self.tell_entry(line, entry, out),
        }
    }

    fn tell_entry(
        &mut self,
        line: &Line<'_>,
        entry: &LogEntry<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Some(meaning) = self.meanings.of(entry) else { return Ok(()) };
        let is_failure = entry.status.is_outcome() && entry.status != Status::Sent;
        if !is_failure || !self.filter.takes(entry, Some(meaning.cause)) {
            return Ok(());
        }
        if self.json {
            let object = super::lines::object(line, Some(entry), Path::new("-"));
            return self.write(object.to_string(), out);
        }
        let time = entry.time.map_or(String::new(), |time| format!("{time}  "));
        let recipient =
            entry.recipients.first().map_or(String::new(), |to| format!("<{}> ", printable(to)));
        let told = format!("{time}{recipient}{}", self.words(meaning));
        self.write(told, out)
    }

    /// `550 5.1.1 · No such mailbox · the sender`.
    fn words(&self, meaning: Meaning) -> String {
        let mut codes: Vec<String> = meaning.code.iter().map(ToString::to_string).collect();
        codes.extend(meaning.enhanced_code.map(|code| code.to_string()));
        let mut parts = vec![codes.join(" ")];
        parts.push(cause_name(meaning.cause, self.language));
        parts.push(whose_move_in_words(meaning.whose_move, self.language));
        parts.retain(|part| !part.is_empty());
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

    use super::*;

    /// A line of Postfix about a recipient that failed.
    fn line(recipient: &str) -> String {
        format!(
            "Nov 23 08:00:01 mail postfix/smtp[7]: 4A2B3C4D5E: to=<{recipient}>, \
             relay=mx.example.net[192.0.2.7]:25, delay=1, dsn=5.1.1, status=bounced (host \
             mx.example.net[192.0.2.7] said: 550 5.1.1 no such user (in reply to RCPT TO command))\n"
        )
    }

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// A follower, and what it told of whom.
    struct Watch<'a> {
        followed: Followed<'a>,
        reader: LogReader,
    }

    impl<'a> Watch<'a> {
        fn of(path: &'a Path) -> Watch<'a> {
            Watch { followed: Followed::open(path).unwrap(), reader: LogReader::new(None) }
        }

        /// Whom the lines are about that are new since the last look.
        fn look(&mut self) -> Vec<String> {
            let filter = Filter::default();
            let mut teller = Teller::of(&filter, Language::En, false);
            teller.before = None;
            let mut out = Vec::new();
            loop {
                match self.followed.step().unwrap() {
                    Step::Piece(piece) => teller.push(&mut self.reader, piece, &mut out).unwrap(),
                    Step::Anew => teller.finish(&mut self.reader, &mut out).unwrap(),
                    Step::Idle => break,
                }
            }
            let text = String::from_utf8(out).unwrap();
            let whom = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            text.lines().map(whom).collect()
        }
    }

    #[test]
    fn of_what_is_there_already_the_last_ten_are_told() {
        let filter = Filter::default();
        let mut teller = Teller::of(&filter, Language::En, false);
        let (mut reader, mut out) = (LogReader::new(None), Vec::new());
        let told = |out: &[u8]| String::from_utf8_lossy(out).lines().count();
        for number in 0..25 {
            let line = line(&format!("a{number}@example.net"));
            teller.push(&mut reader, line.as_bytes(), &mut out).unwrap();
        }
        assert_eq!(told(&out), 0);
        teller.catch_up(Path::new("mail.log"), &mut out).unwrap();
        assert_eq!(told(&out), MAX_BEFORE);
        assert!(String::from_utf8_lossy(&out).starts_with("<a15@example.net>"));
        teller.push(&mut reader, line("b@example.net").as_bytes(), &mut out).unwrap();
        assert_eq!(told(&out), MAX_BEFORE + 1);
        let filter = Filter { since: Some(reply::Timestamp::from_millis(0)), ..Filter::default() };
        assert!(Teller::of(&filter, Language::En, false).before.is_none());
    }

    #[test]
    fn what_is_added_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        append(&path, &line("a@example.net"));
        let mut watch = Watch::of(&path);
        assert_eq!(watch.look(), ["a@example.net"]);
        assert_eq!(watch.look(), [""; 0]);
        let (half, rest) = (line("b@example.net"), line("c@example.net"));
        append(&path, &half[..40]);
        assert_eq!(watch.look(), [""; 0]);
        append(&path, &format!("{}{rest}", &half[40..]));
        assert_eq!(watch.look(), ["b@example.net", "c@example.net"]);
    }

    #[test]
    fn a_log_that_is_renamed_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("mail.log"), folder.path().join("mail.log.1"));
        append(&path, &line("a@example.net"));
        let mut watch = Watch::of(&path);
        assert_eq!(watch.look(), ["a@example.net"]);
        fs::rename(&path, &old).unwrap();
        assert_eq!(watch.look(), [""; 0]);
        // The writer still has the old file.
        append(&old, &line("b@example.net"));
        assert_eq!(watch.look(), ["b@example.net"]);
        append(&old, &line("c@example.net"));
        append(&path, &line("d@example.net"));
        assert_eq!(watch.look(), ["c@example.net", "d@example.net"]);
        append(&path, &line("e@example.net"));
        assert_eq!(watch.look(), ["e@example.net"]);
    }

    #[test]
    fn a_log_that_is_cut_is_read_from_its_beginning_and_its_last_half_line_is_no_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.log");
        append(&path, &format!("{}{}", line("a@example.net"), &line("x@example.net")[..40]));
        let mut watch = Watch::of(&path);
        assert_eq!(watch.look(), ["a@example.net"]);
        OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        append(&path, &line("b@example.net"));
        assert_eq!(watch.look(), ["b@example.net"]);
    }
}
