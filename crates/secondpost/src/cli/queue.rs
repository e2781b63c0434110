//! `secondpost queue`: what waits, why, whose move it is, and when it goes on.

use std::io::{self, Write};
use std::time::Duration;

use clap::Subcommand;
use mta::control::{Action, QueuedMessage, QueuedRecipient, VerdictView, drop};
use reply::explain::{
    Language, cause_in_words, duration_from_now, duration_in_words, whose_move_in_words,
};
use reply::{Cause, WhoseMove};

use super::{Context, Failure, daemon, spool, text};

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
        Some(What::Retry(ids)) => act(Action::Retry, "will be attempted now", ids, context),
        Some(What::Hold(ids)) => act(Action::Hold, "held", ids, context),
        Some(What::Release(ids)) => act(Action::Release, "released", ids, context),
        Some(What::Bounce(ids)) => act(Action::Bounce, "bounced", ids, context),
        Some(What::Remove(ids)) => act(Action::Remove, "removed", ids, context),
    }
}

/// Lists the queue, of the daemon or without one of the spool on disk.
pub(crate) fn list(context: &mut Context<'_>) -> Result<(), Failure> {
    let client = daemon::connect(&context.global)?;
    let reading = match client {
        Some(_) => None,
        None => spool::open(&context.global.data_dir)?,
    };
    let folder = context.global.data_dir.join(drop::FOLDER_NAME);
    let dropped = if client.is_some() { 0 } else { drop::list(&folder)?.len() };
    let (json, language) = (context.global.json, context.global.language());
    let mut listing = Listing { out: &mut *context.out, json, language, count: 0 };
    match (client, reading) {
        (Some(mut client), _) => {
            let listed = client.queue(&mut |message| Ok(listing.add(&message)?));
            listed.map_err(list_failure)?;
        }
        (None, Some(reading)) => {
            reading.messages().try_for_each(|message| listing.add(&message))?;
            listing.note("no daemon is running: nothing is attempted until `secondpost serve`")?;
        }
        (None, None) if dropped == 0 => return Err(daemon::not_running(&context.global)),
        (None, None) => {}
    }
    if dropped > 0 {
        let messages =
            if dropped == 1 { "1 message waits" } else { &format!("{dropped} messages wait") };
        let folder = folder.display();
        listing.note(&format!("{messages} in `{folder}` for the next `secondpost serve`"))?;
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
            (false, 0) => writeln!(self.out, "the queue is empty"),
            (false, 1) => writeln!(self.out, "1 message"),
            (false, count) => writeln!(self.out, "{count} messages"),
        }
    }
}

/// A closed stdout (`| head`) ends the stream, and is no fault of the daemon's.
fn list_failure(error: mta::control::ClientError) -> Failure {
    match error {
        mta::control::ClientError::Io(error) => Failure::from(error),
        other => daemon::failure(other),
    }
}

fn show(ids: &Ids, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut client = daemon::require(&context.global)?;
    let shown = ids.ids.iter().map(|id| client.show(id).map_err(daemon::failure));
    let messages = shown.collect::<Result<Vec<_>, _>>()?;
    if context.global.json {
        return context.json(&messages);
    }
    let language = context.global.language();
    for message in &messages {
        context.out.write_all(block(message, language).as_bytes())?;
    }
    Ok(())
}

fn act(action: Action, done: &str, ids: &Ids, context: &mut Context<'_>) -> Result<(), Failure> {
    let acted = daemon::require(&context.global)?.act(action, &ids.ids).map_err(daemon::failure)?;
    if context.global.json {
        context.json(&acted)?;
    } else {
        for one in acted.iter().filter(|one| one.refused.is_none()) {
            writeln!(context.out, "{} {done}", one.id)?;
        }
    }
    let refused = acted.iter().filter_map(|one| Some(one.refused.as_ref()?.to_string()));
    let refused: Vec<String> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(Failure::new(refused.join("\nerror: "))) }
}

/// How a message came in.
pub(crate) fn origin_in_words(origin: &str) -> String {
    match origin {
        "local" => "from this machine".to_owned(),
        "notification" => "a notification of our own".to_owned(),
        listener => format!("over {listener}"),
    }
}

/// One message for people, a block of lines of at most 80 columns.
pub(crate) fn block(message: &QueuedMessage, language: Language) -> String {
    let age = duration_in_words(text::seconds(message.age_seconds), language);
    let size = text::size(message.octets);
    let id = text::bold(&message.id);
    let origin = origin_in_words(&message.origin);
    let mut shown = format!("{id}  {age} old, {size}, {origin}\n");
    shown.push_str(&text::labelled(2, "from", LABEL, &text::address(&message.sender)));
    if let Some(reason) = &message.held {
        shown.push_str(&text::labelled(2, "held", LABEL, &text::printable(reason)));
    }
    for recipient in &message.recipients {
        shown.push_str(&recipient_block(recipient, message.held.is_some(), language));
    }
    shown.push('\n');
    shown
}

const LABEL: usize = 6;

fn recipient_block(recipient: &QueuedRecipient, held: bool, language: Language) -> String {
    let status = match recipient.status.as_str() {
        "waiting" => String::new(),
        other => format!(" ({other})"),
    };
    let name = format!("{}{status}", text::address(&recipient.address));
    let mut shown = text::labelled(2, "to", LABEL, &name);
    let mut line = |label: &str, text: &str| {
        shown.push_str(&text::labelled(4, label, LABEL, text));
    };
    if let Some(reply) = &recipient.last_reply {
        line("said", &text::printable(reply));
    }
    if let Some(verdict) = &recipient.verdict {
        line("means", &meaning(verdict, language));
        line("move", &whose_move(verdict, language));
    }
    if recipient.status == "waiting" && !held {
        line("next", &next(recipient, language));
    }
    if let Some(advice) = advice(recipient) {
        line("note", &advice);
    }
    shown
}

/// The cause in words.
pub(crate) fn meaning(verdict: &VerdictView, language: Language) -> String {
    match verdict.cause() {
        Some(cause) => cause_in_words(cause, language),
        None => verdict.cause.clone(),
    }
}

/// Whose move it is, in words.
pub(crate) fn whose_move(verdict: &VerdictView, language: Language) -> String {
    let whose = WhoseMove::ALL.into_iter().find(|whose| whose.name() == verdict.whose_move);
    whose.map_or(verdict.whose_move.clone(), |whose| whose_move_in_words(whose, language))
}

/// When the next attempt is due, and why then.
pub(crate) fn next(recipient: &QueuedRecipient, language: Language) -> String {
    let due = match recipient.next_attempt_in_seconds.map(Duration::from_secs) {
        None => "not planned".to_owned(),
        Some(Duration::ZERO) => "now".to_owned(),
        Some(wait) => duration_from_now(wait, language),
    };
    let at = recipient.next_attempt_at.as_ref().map(|at| format!(", at {at}"));
    let why = recipient.next_attempt_why.as_ref().map(|why| format!(" ({why})"));
    format!("{due}{}{}", at.unwrap_or_default(), why.unwrap_or_default())
}

/// After the third 450 in a row a mailbox that is full or disabled is likelier than one
/// that is busy.
pub(crate) fn advice(recipient: &QueuedRecipient) -> Option<String> {
    let verdict = recipient.verdict.as_ref()?;
    let persists = recipient.transient_in_a_row >= 3 && verdict.code == Some(450);
    let known = matches!(verdict.cause(), Some(Cause::MailboxFull | Cause::MailboxDisabled));
    (persists && !known && recipient.status == "waiting").then(|| {
        format!(
            "told 450 {} times: the mailbox may be full or disabled; \
             ask with `secondpost verify {}`",
            recipient.transient_in_a_row, recipient.address
        )
    })
}

#[cfg(test)]
mod tests;
