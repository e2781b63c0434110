//! `secondpost why ID`: the whole story of one message in order, each reply explained,
//! and what comes next. Reads what the daemon wrote, so it needs none to be running.

mod story;

use mta::control::QueuedMessage;
use queue::QueueId;
use reply::Language;
use reply::explain::{cli, wrong};

use super::{Context, Failure, daemon, system};

/// Tell the story of one message: what happened, why, and what comes next
///
/// It is known until `history.keep` (7 days) after its end, also without a daemon.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Queue id, as the 250 reply, `send` and `queue` show it
    #[arg(value_name = "ID")]
    id: String,
}

/// Runs `why`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let id: QueueId = args.id.parse().map_err(|_| no_queue_id(&args.id, language))?;
    let data_dir = &context.global.data_dir;
    let events = mta::events::story(data_dir, id).map_err(|error| {
        let place = format!("`{}`", data_dir.join(mta::events::FOLDER_NAME).display());
        let values = [("place", &*place), ("error", &system::in_words(&error, language))];
        Failure::new(wrong(language, "stories-not-read", &values))
    })?;
    let waiting = waiting(id, context)?;
    if events.is_empty() && waiting.is_none() {
        let id = format!("`{id}`");
        let place = format!("`{}`", context.global.data_dir.display());
        let told = cli(language, "unknown-message", &[("id", &id), ("place", &place)]);
        let setting = [("setting", "`history.keep`")];
        return Err(Failure::new(told).help(cli(language, "unknown-message-help", &setting)));
    }
    if context.global.json {
        let events: Vec<_> = events.iter().map(|(at, event)| story::json(*at, event)).collect();
        return context.json(&serde_json::json!({
            "id": id.to_string(), "events": events, "queued": waiting,
        }));
    }
    let text = story::tell(id, &events, waiting.as_ref(), language);
    Ok(context.out.write_all(text.as_bytes())?)
}

/// How a queue id looks.
const QUEUE_ID: &str = "3bq8fz4k0000";

fn no_queue_id(given: &str, language: Language) -> Failure {
    let (given, count) = (format!("`{given}`"), QUEUE_ID.len().to_string());
    let example = format!("`{QUEUE_ID}`");
    let values = [("given", given.as_str()), ("count", &count), ("example", &example)];
    let help = [("command", "`secondpost queue`")];
    Failure::usage(wrong(language, "no-queue-id", &values)).help(wrong(
        language,
        "no-queue-id-help",
        &help,
    ))
}

/// What the daemon has of it; `None` without a daemon, or where it is out of the queue.
fn waiting(id: QueueId, context: &Context<'_>) -> Result<Option<QueuedMessage>, Failure> {
    Ok(match daemon::connect(&context.global)? {
        Some(mut client) => client.show(&id.to_string()).ok(),
        None => None,
    })
}
