//! `secondpost commands`: the commands of SMTP and the keywords of EHLO, with what they are
//! for; one of them in full.

use std::io;

use reply::explain::entry::{Entry, Topic, entry, topic_label, topic_named};
use reply::explain::{cli, sentences, web};
use reply::facts::keyword::Keyword;
use reply::{Language, Stage};
use serde_json::json;

use super::explain::{near, tell_entry};
use super::page::Page;
use super::{Context, Failure};

/// List the commands of SMTP and the keywords of EHLO with what they are for
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost commands
  secondpost commands vrfy
  secondpost commands pipelining --lang de")]
pub(crate) struct Args {
    /// Only this one, and all that is known of it
    name: Option<String>,
}

/// Lists the commands and keywords, or tells of one.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    if let Some(name) = &args.name {
        let entry = entry(named(name, language)?, language);
        return match context.global.json {
            true => context.json(&entry),
            false => Ok(tell_entry(&entry, language, context.out)?),
        };
    }
    let commands = entries(Stage::ALL.iter().map(|stage| Topic::Command(*stage)), language);
    let keywords = entries(Keyword::all().map(Topic::Keyword), language);
    if context.global.json {
        return context.json(&json!({ "commands": commands, "keywords": keywords }));
    }
    let names = commands.iter().chain(&keywords).map(|entry| topic_label(entry.topic, language));
    let mut page = Page::new(context.out, names);
    tell(&web(language, "nav-commands", &[]), &commands, language, &mut page)?;
    page.blank()?;
    Ok(tell(&web(language, "keywords", &[]), &keywords, language, &mut page)?)
}

fn named(name: &str, language: Language) -> Result<Topic, Failure> {
    let given = format!("`{name}`");
    match topic_named(name, language) {
        Ok(topic @ (Topic::Command(_) | Topic::Keyword(_))) => Ok(topic),
        Ok(_) => {
            let command = format!("`secondpost explain {name}`");
            let failure = Failure::usage(cli(language, "other-topic", &[("name", &given)]));
            Err(failure.help(cli(language, "other-topic-help", &[("command", &command)])))
        }
        Err(_) => {
            let command = ("command", "`secondpost commands`");
            let failure = Failure::usage(cli(language, "no-command", &[("name", &given)]));
            let listed = cli(language, "no-command-help", &[command]);
            let help = near::did_you_mean(name, language).into_iter().chain([listed]);
            Err(failure.help(sentences(&help.collect::<Vec<_>>(), language)))
        }
    }
}

fn entries(topics: impl Iterator<Item = Topic>, language: Language) -> Vec<Entry> {
    topics.map(|topic| entry(topic, language)).collect()
}

fn tell(title: &str, entries: &[Entry], language: Language, page: &mut Page<'_>) -> io::Result<()> {
    page.title(title)?;
    entries
        .iter()
        .try_for_each(|entry| page.row(&topic_label(entry.topic, language), &entry.meaning))
}
