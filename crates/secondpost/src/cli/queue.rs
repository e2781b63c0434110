//! `secondpost queue`: what waits, why, whose move it is, and when it goes on.

mod words;

use std::io::{self, Write};

use clap::Subcommand;
use mta::control::{Action, QueuedMessage, drop};
use reply::explain::{Language, queued, queued_count};

use super::{Context, Failure, daemon, spool, text};

pub(crate) use words::{
    Labels, advice, block, meaning, next, origin_in_words, reason_in_words, whose_move,
    why_in_words,
};

/// List what waits, or act on it
///
/// Without a further word: each message with its recipients, the last reply and what it
/// means, whose move it is, and when the next attempt is due.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  secondpost queue
  secondpost queue show 3bq8fz4k0000
  secondpost queue retry 3bq8fz4k0000 3bq8fz4k0001"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List every message (the same as no word at all)
    List,
    /// Show these messages in full
    Show(Ids),
    /// Attempt these messages now, whatever the plan says
    Retry(Ids),
    /// Attempt these messages no more until they are released
    Hold(Ids),
    /// Undo a hold
    Release(Ids),
    /// Give up on these messages now and tell their senders
    Bounce(Ids),
    /// Drop these messages and tell nobody
    Remove(Ids),
}

#[derive(clap::Args, Debug)]
struct Ids {
    /// Queue ids, as `secondpost queue` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

/// Runs `queue`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    match &args.what {
        None | Some(What::List) => list(context),
        Some(What::Show(ids)) => show(ids, context),
        Some(What::Retry(ids)) => act(Action::Retry, "done-retry", ids, context),
        Some(What::Hold(ids)) => act(Action::Hold, "done-hold", ids, context),
        Some(What::Release(ids)) => act(Action::Release, "done-release", ids, context),
        Some(What::Bounce(ids)) => act(Action::Bounce, "done-bounce", ids, context),
        Some(What::Remove(ids)) => act(Action::Remove, "done-remove", ids, context),
    }
}

/// The command that attempts what waits.
const SERVE: &str = "`secondpost serve`";

/// Lists the queue, of the daemon or without one of the spool on disk.
pub(crate) fn list(context: &mut Context<'_>) -> Result<(), Failure> {
    let client = daemon::connect(&context.global)?;
    let reading = match client {
        Some(_) => None,
        None => spool::open(&context.global.data_dir, context.global.language())?,
    };
    let folder = context.global.data_dir.join(drop::FOLDER_NAME);
    let dropped = if client.is_some() { 0 } else { drop::list(&folder)?.len() };
    let (json, language) = (context.global.json, context.global.language());
    let mut listing = Listing { out: &mut *context.out, json, language, count: 0 };
    match (client, reading) {
        (Some(mut client), _) => {
            let listed = client.queue(&mut |message| Ok(listing.add(&message)?));
            listed.map_err(|error| list_failure(error, language))?;
        }
        (None, Some(reading)) => {
            reading.messages().try_for_each(|message| listing.add(&message))?;
            listing.note(&queued(language, "no-daemon", &[("command", SERVE)]))?;
        }
        (None, None) if dropped == 0 => return Err(daemon::not_running(&context.global)),
        (None, None) => {}
    }
    if dropped > 0 {
        let folder = format!("`{}`", folder.display());
        let values = [("folder", folder.as_str()), ("command", SERVE)];
        listing.note(&queued_count(language, "dropped", dropped as u64, &values))?;
    }
    Ok(listing.end()?)
}

/// A list under way: text comes as it is read, JSON as one array.
struct Listing<'a> {
    out: &'a mut dyn Write,
    json: bool,
    language: Language,
    count: usize,
}

impl Listing<'_> {
    fn add(&mut self, message: &QueuedMessage) -> io::Result<()> {
        let before = match (self.json, self.count) {
            (true, 0) => "[\n",
            (true, _) => ",\n",
            (false, _) => "",
        };
        self.count += 1;
        let shown = match self.json {
            true => serde_json::to_string(message)?,
            false => block(message, self.language),
        };
        write!(self.out, "{before}{shown}")
    }

    fn note(&mut self, note: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { writeln!(self.out, "{note}") }
    }

    fn end(&mut self) -> io::Result<()> {
        match (self.json, self.count) {
            (true, 0) => writeln!(self.out, "[]"),
            (true, _) => writeln!(self.out, "\n]"),
            (false, 0) => writeln!(self.out, "{}", queued(self.language, "empty", &[])),
            (false, count) => {
                let count = queued_count(self.language, "count", count as u64, &[]);
                writeln!(self.out, "{count}")
            }
        }
    }
}

/// A closed stdout (`| head`) ends the stream, and is no fault of the daemon's.
fn list_failure(error: mta::control::ClientError, language: Language) -> Failure {
    match error {
        mta::control::ClientError::Io(error) => Failure::from(error),
        other => daemon::failure(other, language),
    }
}

fn show(ids: &Ids, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let mut client = daemon::require(&context.global)?;
    let shown = ids.ids.iter().map(|id| client.show(id).map_err(daemon::failed(language)));
    let messages = shown.collect::<Result<Vec<_>, _>>()?;
    if context.global.json {
        return context.json(&messages);
    }
    for message in &messages {
        context.out.write_all(block(message, language).as_bytes())?;
    }
    Ok(())
}

fn act(action: Action, done: &str, ids: &Ids, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let acted = daemon::require(&context.global)?.act(action, &ids.ids);
    let acted = acted.map_err(daemon::failed(language))?;
    if context.global.json {
        context.json(&acted)?;
    } else {
        for one in acted.iter().filter(|one| one.refused.is_none()) {
            writeln!(context.out, "{}", queued(language, done, &[("id", &one.id)]))?;
        }
    }
    let refused = acted.iter().filter_map(|one| Some(one.refused.as_ref()?.to_string()));
    let refused: Vec<String> = refused.collect();
    let next = format!("\n{}", text::beginning("error", language));
    if refused.is_empty() { Ok(()) } else { Err(Failure::new(refused.join(&next))) }
}
