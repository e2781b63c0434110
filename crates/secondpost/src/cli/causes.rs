//! `secondpost causes`: every cause with its words, one line each.

use reply::Cause;
use reply::explain::cause_in_words;
use reply::explain::entry::{Topic, entry};

use super::page::Page;
use super::{Context, Failure};

/// List the causes: why a mail server says what it says
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Lists the causes.
pub(crate) fn run(_args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
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
