//! `secondpost causes`: every cause with its words, one line each; one in full.

use reply::Cause;
use reply::explain::cause_in_words;
use reply::explain::entry::{Topic, entry};

use super::explain::tell_topic;
use super::page::Page;
use super::{Context, Failure};

/// List the causes: why a mail server says what it says; one of them in full
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost causes
  secondpost causes greylisted --lang de")]
pub(crate) struct Args {
    /// Only this one, and all that is known of it
    #[arg(value_name = "CAUSE")]
    cause: Option<String>,
}

/// Lists the causes.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    if let Some(cause) = &args.cause {
        return tell_topic(cause, context);
    }
    if context.global.json {
        let entries = Cause::ALL.iter().map(|cause| entry(Topic::Cause(*cause), language));
        return context.json(&entries.collect::<Vec<_>>());
    }
    let mut page = Page::new(context.out, Cause::ALL.iter().map(|cause| cause.name()));
    for cause in Cause::ALL {
        page.row(cause.name(), &cause_in_words(*cause, language))?;
    }
    Ok(())
}
