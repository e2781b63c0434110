//! `secondpost explain --log`: what a log says altogether, or each of its lines as JSON.
//! Logs are read in `heard::log`; here files are opened, lines chosen, and counts laid out.

mod filter;
mod follow;
pub(super) mod input;
mod lines;
mod page;
mod wide;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mta::clock::Clock;
use reply::explain::cli;
use reply::heard::first_odd_octet;
use reply::heard::log::{Counts, Line, LogEntry, LogReader, Meanings, Reference, Summary};
use reply::{Cause, Language, Timestamp};

use super::super::{Context, Failure};
use super::unread::{Behind, Unread, shown};
pub(in crate::cli) use filter::EXPECTED as WHEN_EXPECTED;
use filter::{Filter, When};
use input::{Input, Progress};
pub(super) use lines::damage_in_english;

/// What may stand beside `--log`.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Reading logs")]
pub(crate) struct LogArgs {
    /// Summarise the logs of a mail server: Postfix, Exim, Sendmail, OpenSMTPD, qmail,
    /// Exchange, Haraka and others, as files, gzip or zstd; `-` reads standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["text", "file"])]
    pub(crate) log: Vec<PathBuf>,

    /// Only what happened at or after this time: 2026-11-24, 2026-11-24T18:00, or 2d ago
    #[arg(long, value_name = "TIME", requires = "log")]
    since: Option<When>,

    /// Only what happened before this time
    #[arg(long, value_name = "TIME", requires = "log")]
    until: Option<When>,

    /// Only mail from this address or domain
    #[arg(long, value_name = "ADDRESS", requires = "log")]
    from: Option<String>,

    /// Only mail to this address or domain
    #[arg(long, value_name = "ADDRESS", requires = "log")]
    to: Option<String>,

    /// Only mail to this domain or through this host
    #[arg(long, value_name = "NAME", requires = "log")]
    destination: Option<String>,

    /// Only what has this cause, as in `secondpost causes`
    #[arg(long, value_name = "CAUSE", requires = "log")]
    cause: Option<Cause>,

    /// Tell what fails as it is written to the log, a line each, until interrupted: first the
    /// last ten failures that are there, as `tail -f` does, or with --since all from then on
    #[arg(long, requires = "log", conflicts_with = "ndjson")]
    follow: bool,
}

impl LogArgs {
    /// Whether a log is to be read.
    pub(crate) fn is_given(&self) -> bool {
        !self.log.is_empty()
    }

    fn filter(&self, reference: &Reference) -> Filter {
        let at = |when: &Option<When>| when.map(|when| when.at(reference));
        Filter {
            since: at(&self.since),
            until: at(&self.until),
            from: self.from.as_deref().map(str::to_lowercase),
            to: self.to.as_deref().map(str::to_lowercase),
            destination: self.destination.as_deref().map(str::to_lowercase),
            cause: self.cause,
        }
    }
}

/// Reads the logs.
pub(crate) fn run(args: &LogArgs, ndjson: bool, context: &mut Context<'_>) -> Result<(), Failure> {
    let reference = reference(Clock::start().now());
    let filter = args.filter(&reference);
    if args.follow {
        return follow::run(&args.log, &filter, reference, context);
    }
    if ndjson {
        return lines::run(&args.log, &filter, reference, context);
    }
    summarise(&args.log, &filter, reference, context)
}

/// Times of a log are local where they name no zone.
fn reference(now: Timestamp) -> Reference {
    let at = i64::try_from(now.as_millis()).ok().map(jiff::Timestamp::from_millisecond);
    let offset = |at| jiff::tz::TimeZone::system().to_offset(at).seconds();
    let offset_secs = at.and_then(Result::ok).map_or(0, offset);
    Reference { now, offset_secs: i64::from(offset_secs) }
}

fn summarise(
    files: &[PathBuf],
    filter: &Filter,
    reference: Reference,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let language = context.global.language();
    let mut summary = Summary::default();
    let mut meanings = Meanings::default();
    let mut reader = LogReader::new(Some(reference));
    let mut add = |line: Line<'_>| {
        let Some(entry) = line.entry else { return };
        let mut count = |entry: &LogEntry<'_>| {
            let meaning = meanings.of(entry);
            if filter.takes(entry, meaning.map(|meaning| meaning.cause)) {
                summary.add(entry, meaning);
            }
        };
        match entry.each() {
            Some(each) => each.iter().for_each(count),
            None => count(&entry),
        }
    };
    let mut progress = Progress::of(files);
    let (mut wrong, mut silent) = (None, Vec::new());
    for file in files {
        let before = reader.counts();
        let push = |piece: &[u8]| reader.push(piece, &mut add);
        let read = each_piece(file, language, &mut progress, push);
        reader.finish(&mut add);
        let is_understood = understood(&reader.counts()) > understood(&before);
        match read {
            Ok(seen) => silent.extend(seen.silence(is_understood, file, language)),
            Err(failure) => {
                progress.clear();
                failure.tell(context.global.json, language);
                wrong.get_or_insert(failure.silenced());
            }
        }
    }
    progress.clear();
    silent.iter().for_each(|failure| failure.warn(language));
    let counts = reader.counts();
    match wrong {
        // Nothing was read, and of nothing there is no summary.
        Some(failure) if counts.octets == 0 => return Err(failure),
        _ if context.global.json => context.json(&summary.to_json(&counts))?,
        _ => page::tell(&summary, &counts, language, context.out)?,
    }
    wrong.map_or(Ok(()), Err)
}

/// How many lines had a form that is known.
const fn understood(counts: &Counts) -> u64 {
    counts.lines - counts.unknown
}

/// What was seen of a file as a whole.
#[derive(Default)]
struct Seen {
    octets: u64,
    /// The first octet that no text has, near its beginning.
    odd: Option<(u8, usize)>,
}

impl Seen {
    /// Why nothing was heard in it: it is empty, or no text.
    fn silence(&self, is_understood: bool, file: &Path, language: Language) -> Option<Failure> {
        let file = input::name(file, language);
        match self.odd.filter(|_| !is_understood) {
            Some((octet, at)) => {
                let (octet, at) = (shown(octet), at.to_string());
                let values = [("file", &*file), ("octet", &*octet), ("at", &*at)];
                Some(Failure::new(cli(language, "not-text", &values)))
            }
            None => (self.octets == 0)
                .then(|| Failure::new(cli(language, "is-empty", &[("file", &file)]))),
        }
    }
}

/// Reads a file to its end, piece by piece.
fn each_piece(
    file: &Path,
    language: Language,
    progress: &mut Progress,
    mut push: impl FnMut(&[u8]),
) -> Result<Seen, Failure> {
    let named = |error: io::Error| input::failure(file, error, language);
    let mut input = Input::open(file).map_err(named)?;
    let mut piece = vec![0; input::PIECE_OCTETS];
    let mut seen = Seen::default();
    loop {
        let count = match input.read(&mut piece) {
            Ok(0) => return Ok(seen),
            Ok(count) => count,
            Err(error) if seen.octets == 0 => return Err(named(error)),
            Err(error) => {
                let what = Unread::broken_off(Behind::Octets(seen.octets), &error);
                return Err(input::partly(file, &what.in_words(language), language));
            }
        };
        if seen.octets == 0 {
            seen.odd = first_odd_octet(&piece[..count]);
        }
        seen.octets += count as u64;
        push(&piece[..count]);
        progress.show(count as u64, input.octets_read());
    }
}
