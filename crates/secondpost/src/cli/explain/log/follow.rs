//! A log as it grows: what fails is told on a line each. A file that was rotated away is
//! opened anew under its name.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reply::Language;
use reply::explain::{cause_name, whose_move_in_words};
use reply::heard::log::{Line, LogReader, Meaning, Meanings, Reference, Status};

use super::super::super::text::printable;
use super::super::super::{Context, Failure};
use super::filter::Filter;
use super::input;

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
    let mut teller =
        Teller { meanings: Meanings::default(), filter, language, json: context.global.json };
    let mut reader = LogReader::new(Some(reference));
    let Some((last, earlier)) = files.split_last() else { return Ok(()) };
    let mut progress = input::Progress::of(&[]);
    for file in earlier {
        let mut pieces = Vec::new();
        super::each_piece(file, &mut progress, |piece| {
            pieces.push(teller.push(&mut reader, piece, context.out));
        })?;
        pieces.into_iter().collect::<io::Result<()>>()?;
    }
    if last == Path::new("-") {
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
    let named = |error: io::Error| input::failure(path, error);
    let mut file = File::open(path).map_err(named)?;
    let mut piece = vec![0; input::PIECE_OCTETS];
    loop {
        let count = file.read(&mut piece).map_err(named)?;
        teller.push(reader, &piece[..count], out)?;
        if count > 0 {
            continue;
        }
        if let Some(next) = rotated(path, &mut file).map_err(named)? {
            teller.finish(reader, out)?;
            file = next;
            continue;
        }
        std::thread::sleep(PAUSE);
    }
}

/// The file that now has the name, where it is another; one that was cut begins anew.
fn rotated(path: &Path, file: &mut File) -> io::Result<Option<File>> {
    let (here, at) = (file.metadata()?, file.stream_position()?);
    if here.len() < at {
        file.rewind()?;
        return Ok(None);
    }
    match std::fs::metadata(path) {
        Ok(there) if (there.dev(), there.ino()) != (here.dev(), here.ino()) => {
            File::open(path).map(Some)
        }
        // Between the renaming and the new file there is none.
        _ => Ok(None),
    }
}

struct Teller<'a> {
    meanings: Meanings,
    filter: &'a Filter,
    language: Language,
    json: bool,
}

impl Teller<'_> {
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
        let Some(meaning) = self.meanings.of(entry) else { return Ok(()) };
        let is_failure = entry.status.is_outcome() && entry.status != Status::Sent;
        if !is_failure || !self.filter.takes(entry, Some(meaning.cause)) {
            return Ok(());
        }
        if self.json {
            return writeln!(out, "{}", super::lines::object(line, Path::new("-")));
        }
        let time = entry.time.map_or(String::new(), |time| format!("{time}  "));
        let recipient =
            entry.recipients.first().map_or(String::new(), |to| format!("<{}> ", printable(to)));
        writeln!(out, "{time}{recipient}{}", self.words(meaning))
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
