//! One JSON object for each line of a log, in order.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use reply::heard::log::{Damage, Line, LogEntry, LogReader, Reference};
use reply::heard::{Heard, Kind, read_any};
use serde_json::{Value, json};

use super::super::super::{Context, Failure};
use super::super::object::{Object, Place};
use super::filter::Filter;
use super::input::Progress;

/// Writes the objects of all files.
pub(super) fn run(
    files: &[PathBuf],
    filter: &Filter,
    reference: Reference,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let language = context.global.language();
    let mut reader = LogReader::new(Some(reference));
    let mut progress = Progress::of(files);
    let mut wrong = None;
    for file in files {
        let mut result = Ok(());
        let mut tell = |line: Line<'_>| {
            if result.is_ok() {
                result = tell_line(&line, file, filter, context.out);
            }
        };
        let push = |piece: &[u8]| reader.push(piece, &mut tell);
        let read = super::each_piece(file, language, &mut progress, push);
        reader.finish(&mut tell);
        result?;
        match read {
            // What is no text is told of each of its lines.
            Ok(seen) => seen.silence(true, file, language).into_iter().for_each(|failure| {
                progress.clear();
                failure.warn(language);
            }),
            Err(failure) => {
                progress.clear();
                failure.tell(context.global.json, language);
                wrong.get_or_insert(failure.silenced());
            }
        }
    }
    progress.clear();
    wrong.map_or(Ok(()), Err)
}

fn tell_line(line: &Line<'_>, file: &Path, filter: &Filter, out: &mut dyn Write) -> io::Result<()> {
    let each = line.entry.as_ref().and_then(LogEntry::each);
    let Some(each) = each else {
        return tell_entry(line, line.entry.as_ref(), file, filter, out);
    };
    each.iter().try_for_each(|entry| tell_entry(line, Some(entry), file, filter, out))
}

fn tell_entry(
    line: &Line<'_>,
    entry: Option<&LogEntry<'_>>,
    file: &Path,
    filter: &Filter,
    out: &mut dyn Write,
) -> io::Result<()> {
    let object = object(line, entry, file);
    let cause = object["cause"].as_str().and_then(|cause| cause.parse().ok());
    let is_taken = match entry {
        Some(entry) => filter.takes(entry, cause),
        None => filter.is_open(),
    };
    if !is_taken {
        return Ok(());
    }
    writeln!(out, "{object}")
}

/// The verdict of a line, with what else it says. A line of no known form is read as what
/// somebody pasted.
pub(super) fn object(line: &Line<'_>, entry: Option<&LogEntry<'_>>, file: &Path) -> Value {
    let path = file.to_string_lossy();
    let heard = match entry {
        Some(entry) => Some(entry.heard()),
        None => read_any(line.octets).into_iter().next(),
    };
    let heard = Heard { kind: Kind::Log, ..heard.unwrap_or(Heard::of(Kind::Log)) };
    let path = Some(&*path).filter(|path| *path != "-");
    let place = Place { path, unreadable: line.damage.map(damage_in_english) };
    // An object of plain fields is always JSON.
    let mut object = serde_json::to_value(Object::of(&heard, place)).unwrap_or_default();
    object["line"] = json!(line.number);
    if let Some(entry) = entry {
        add_entry(&mut object, entry);
    }
    object
}

fn add_entry(object: &mut Value, entry: &LogEntry<'_>) {
    object["time"] = json!(entry.time.map(|time| time.to_string()));
    object["format"] = json!(entry.format.name());
    object["program"] = json!(entry.program);
    object["queue_id"] = json!(entry.queue_id);
    object["status"] = json!(entry.status.name());
    object["sender"] = json!(entry.sender);
    object["recipients"] = json!(entry.recipients);
    object["host"] = json!(entry.peer_name);
    object["address"] = json!(entry.peer_address);
    object["kept_too_little"] = json!(entry.keeps_too_little());
}

/// What was unreadable in a line, as the texts of JSON.
pub(in crate::cli::explain) const fn damage_in_english(damage: Damage) -> &'static str {
    match damage {
        Damage::TooLong => "the line is longer than is read; its beginning was read",
        Damage::NotText => "the line holds octets that are no text; the rest was read",
    }
}
