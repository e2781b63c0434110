//! `secondpost spool`: whether everything on disk is whole, and how much there is. Reads
//! the files under the spool's lock, so the daemon must not run for `check`; a running
//! one is asked for `stat`.

use std::path::Path;

use clap::Subcommand;
use mta::clock::Clock;
use mta::control::QueuedMessage;
use queue::Spool;
use queue::spool::{OpenError, SpoolRecovery, SpoolStat};
use reply::Language;
use reply::explain::{cli, cli_count, queued_count, wrong};
use serde_json::json;
use store::{Disk, FileSystem};

use super::page::Page;
use super::{Context, Failure, daemon, system, text};

/// The folder of the spool in the data directory.
pub(crate) const FOLDER_NAME: &str = "spool";

/// Check the spool on disk, or tell how much it holds
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Read everything and name what is damaged (the daemon must be stopped); changes nothing
    Check,
    /// Tell how many messages and octets the spool holds
    Stat,
}

/// Runs `spool`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    match args.what {
        What::Check => check(context),
        What::Stat => stat(context),
    }
}

/// A spool that is read and not written: its writer does not run. The lock keeps a
/// daemon from starting meanwhile.
pub(crate) struct Reading {
    spool: Spool<FileSystem>,
    found: SpoolRecovery,
}

/// Opens the spool of a data directory that no daemon runs on; `None` where there is
/// none yet.
pub(crate) fn open(data_dir: &Path, language: Language) -> Result<Option<Reading>, Failure> {
    let folder = data_dir.join(FOLDER_NAME);
    if !folder.is_dir() {
        return Ok(None);
    }
    let disk = FileSystem::new(&folder)?;
    let opened = Spool::open_to_read(disk).map_err(|error| held(&folder, &error, language))?;
    let (spool, _writer, found) = opened;
    Ok(Some(Reading { spool, found }))
}

fn held(folder: &Path, error: &OpenError, language: Language) -> Failure {
    let place = format!("`{}`", folder.display());
    match error {
        OpenError::Held(_) => Failure::new(cli(language, "spool-held", &[("place", &place)]))
            .help(cli(language, "spool-held-help", &[])),
        OpenError::Io(error) => {
            let values = [("place", &*place), ("error", &system::in_words(error, language))];
            Failure::new(wrong(language, "spool-not-read", &values))
        }
    }
}

impl Reading {
    /// Every message that can be read, oldest first.
    pub(crate) fn messages(&self) -> impl Iterator<Item = QueuedMessage> {
        let now = Clock::start().now();
        let read = self.spool.ids().into_iter().filter_map(|id| self.spool.get(id).ok());
        read.map(move |message| QueuedMessage::of(&message, now))
    }

    /// How many messages there are, and their octets.
    fn stat(&self) -> SpoolStat {
        self.spool.stat()
    }
}

fn none(context: &Context<'_>) -> Failure {
    let language = context.global.language();
    let place = format!("`{}`", context.global.data_dir.display());
    Failure::new(cli(language, "no-spool", &[("place", &place)])).help(cli(
        language,
        "no-spool-help",
        &[("option", "`--data-dir DIR`")],
    ))
}

fn check(context: &mut Context<'_>) -> Result<(), Failure> {
    let Some(reading) = open(&context.global.data_dir, context.global.language())? else {
        return Err(none(context));
    };
    let (found, checked) = (&reading.found, reading.spool.check());
    let mut all: Vec<String> = found.damage.iter().map(ToString::to_string).collect();
    all.extend(checked.damaged.iter().map(ToString::to_string));
    all.sort();
    all.dedup();
    let damage = all;
    let unreadable = checked.unreadable.iter().map(|(id, why)| format!("{id}: {why}"));
    let incomplete: Vec<String> =
        found.incomplete.iter().map(ToString::to_string).chain(unreadable).collect();
    let whole = damage.is_empty() && incomplete.is_empty();
    if context.global.json {
        context.json(&json!({
            "whole": whole, "messages": found.messages, "segments": found.segments,
            "records": found.records, "damage": damage, "incomplete": incomplete,
        }))?;
    } else {
        let language = context.global.language();
        writeln!(context.out, "{}", queued_count(language, "count", found.messages as u64, &[]))?;
        let segments = cli_count(language, "segments", found.segments as u64);
        let records = cli_count(language, "records", found.records as u64);
        let read = [("segments", segments.as_str()), ("records", &records)];
        writeln!(context.out, "{}", cli(language, "spool-read", &read))?;
        for one in &damage {
            let what = text::printable(one);
            writeln!(context.out, "{}", cli(language, "damaged", &[("what", &what)]))?;
        }
        for id in &incomplete {
            writeln!(context.out, "{}", cli(language, "lost", &[("id", id)]))?;
        }
        if whole {
            writeln!(context.out, "{}", cli(language, "whole", &[]))?;
        }
    }
    if whole { Ok(()) } else { Err(Failure::silent(1)) }
}

fn stat(context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    if let Some(mut client) = daemon::connect(&context.global)? {
        let status = client.status().map_err(daemon::failed(language))?;
        let numbers = (status.queued_messages, status.spool_octets, status.spool_segments);
        return tell_stat(numbers, true, context);
    }
    let Some(reading) = open(&context.global.data_dir, language)? else {
        return Err(none(context));
    };
    let stat = reading.stat();
    let numbers = (stat.messages as u64, stat.octets, stat.segments as u64);
    tell_stat(numbers, false, context)
}

fn tell_stat(
    (messages, octets, segments): (u64, u64, u64),
    running: bool,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let folder = context.global.data_dir.join(FOLDER_NAME);
    let free = FileSystem::new(&folder).and_then(|disk| disk.free_octets())?;
    if context.global.json {
        return context.json(&json!({
            "messages": messages, "octets": octets, "segments": segments,
            "free_octets": free, "daemon": running,
        }));
    }
    let language = context.global.language();
    let words = |name: &str| cli(language, &format!("spool-{name}"), &[]);
    let labels = ["messages", "on-disk", "free", "daemon"].map(words);
    let (count, size) = (messages.to_string(), text::size(octets, language));
    let counts = cli(language, "spool-counts", &[("messages", &count), ("size", &size)]);
    let folder = folder.display().to_string();
    let segments = cli_count(language, "segments", segments);
    let place = cli(language, "spool-place", &[("segments", &segments), ("folder", &folder)]);
    let daemon = words(if running { "running" } else { "stopped" });
    let mut page = Page::new(&mut *context.out, &labels);
    let texts = [counts, place, text::size(free, language), daemon];
    labels.iter().zip(&texts).try_for_each(|(label, text)| Ok(page.row(label, text)?))
}
