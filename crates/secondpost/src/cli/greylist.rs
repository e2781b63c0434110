//! `secondpost greylist`: what greylisting remembers.

use clap::Subcommand;
use mta::control::GreylistItem;
use reply::Language;
use reply::explain::{cli, cli_count};
use unicode_width::UnicodeWidthStr;

use super::{Context, Failure, daemon, text};

/// Show and change what greylisting remembers
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost greylist list
  secondpost greylist allow 192.0.2.0/24 example.org
  secondpost greylist forget a@example.org")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// List who waits for the window, who passed, and who is always let in
    List,
    /// Let a client, network, sender or recipient in without waiting, from now on
    Allow {
        /// An address or network, a domain, or a mail address
        #[arg(required = true, value_name = "WHAT")]
        what: Vec<String>,
    },
    /// Forget what is remembered of a client, network, sender or recipient
    Forget {
        /// An address or network, a domain, or a mail address
        #[arg(required = true, value_name = "WHAT")]
        what: Vec<String>,
    },
}

/// Runs `greylist`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    match &args.what {
        What::List => list(context),
        What::Allow { what } => allow(what, context),
        What::Forget { what } => forget(what, context),
    }
}

fn list(context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let mut items = Vec::new();
    daemon::require(&context.global)?
        .greylist(&mut |item: GreylistItem| {
            items.push(item);
            Ok(())
        })
        .map_err(daemon::failed(language))?;
    if context.global.json {
        return context.json(&items);
    }
    if items.is_empty() {
        return Ok(writeln!(context.out, "{}", cli(language, "greylist-empty", &[]))?);
    }
    for item in &items {
        context.out.write_all(block(item, language).as_bytes())?;
    }
    Ok(())
}

/// One entry: its state and client, then whom it is between, then when.
fn block(item: &GreylistItem, language: Language) -> String {
    let words = |name: &str| cli(language, &format!("greylist-{name}"), &[]);
    let labels = ["from", "opens", "expires", "attempts"];
    let width = labels.iter().map(|name| words(name).width()).max().unwrap_or_default();
    let state = text::bold(&words(&item.state));
    let mut shown = format!("{state} {}\n", text::printable(&item.client));
    let sender = item.sender.as_deref().map(text::address);
    let recipient = item.recipient.as_deref().map(text::address);
    match (sender, recipient) {
        (None, None) => {}
        (from, to) => {
            let any = || words("anybody");
            let (from, to) = (from.unwrap_or_else(any), to.unwrap_or_else(any));
            let between = cli(language, "greylist-between", &[("from", &from), ("to", &to)]);
            shown.push_str(&text::labelled(2, &words("from"), width, &between));
        }
    }
    let when = [("opens", &item.opens_at), ("expires", &item.expires_at)];
    for (label, at) in when {
        if let Some(at) = at {
            shown.push_str(&text::labelled(2, &words(label), width, at));
        }
    }
    if item.attempts > 0 {
        let attempts = item.attempts.to_string();
        shown.push_str(&text::labelled(2, &words("attempts"), width, &attempts));
    }
    shown
}

fn allow(what: &[String], context: &mut Context<'_>) -> Result<(), Failure> {
    let mut client = daemon::require(&context.global)?;
    let language = context.global.language();
    for one in what {
        client.greylist_allow(one).map_err(daemon::failed(language))?;
    }
    if context.global.json {
        return context.json(&serde_json::json!({ "allowed": what }));
    }
    what.iter().try_for_each(|one| {
        Ok(writeln!(context.out, "{}", cli(language, "passes", &[("what", one)]))?)
    })
}

fn forget(what: &[String], context: &mut Context<'_>) -> Result<(), Failure> {
    let mut client = daemon::require(&context.global)?;
    let language = context.global.language();
    let mut forgotten = 0;
    for one in what {
        forgotten += client.greylist_forget(one).map_err(daemon::failed(language))?;
    }
    if context.global.json {
        return context.json(&serde_json::json!({ "forgotten": forgotten }));
    }
    let told = cli_count(language, "forgotten", forgotten);
    Ok(writeln!(context.out, "{told}")?)
}
