//! What a text holds: the name of one thing, or what was heard in it; as JSON and as pages.
//! The command line and the MCP server tell the same.

use std::io;

use reply::explain::cli;
use reply::explain::entry::{NoSuchTopic, Topic, entry};
use reply::heard::{Heard, read_any};
use reply::{Cause, Language};
use serde_json::{Value, json};

use super::object::Place;
use super::{expected, heard_json, tell_entry, tell_heard};
use crate::cli::Failure;

/// What was found in a text.
pub(crate) enum Found {
    /// A code, a cause, a command alone; and what is heard where a reply may be as short.
    Topic(Topic, Option<Box<Heard>>),
    /// Replies, bounces, log lines.
    Heard(Vec<Heard>),
}

impl Found {
    /// Reads `octets`; where nothing can be explained, what was expected.
    pub(crate) fn of(octets: &[u8], language: Language) -> Result<Found, Failure> {
        let text = String::from_utf8_lossy(octets);
        match text.trim().parse::<Topic>() {
            Ok(topic @ (Topic::Code(_) | Topic::Enhanced(_))) => {
                Ok(Found::Topic(topic, read_any(octets).into_iter().next().map(Box::new)))
            }
            Ok(topic) => Ok(Found::Topic(topic, None)),
            Err(_) => Ok(Found::Heard(heard_in(octets, language)?)),
        }
    }

    /// How many things are told.
    pub(crate) fn len(&self) -> usize {
        match self {
            Found::Topic(..) => 1,
            Found::Heard(heard) => heard.len(),
        }
    }

    /// Everything as JSON.
    pub(crate) fn values(&self, language: Language) -> Vec<Value> {
        match self {
            Found::Topic(topic, heard) => {
                let mut object = heard
                    .as_ref()
                    .map_or_else(|| json!({}), |heard| heard_json(heard, Place::default()));
                object["entry"] = json!(entry(*topic, language));
                vec![object]
            }
            Found::Heard(heard) => {
                heard.iter().map(|heard| heard_json(heard, Place::default())).collect()
            }
        }
    }

    /// The first `most` things as pages.
    pub(crate) fn tell(
        &self,
        most: usize,
        language: Language,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        match self {
            Found::Topic(topic, _) => tell_entry(&entry(*topic, language), language, out),
            Found::Heard(heard) => tell_all(&heard[..most.min(heard.len())], language, out),
        }
    }
}

/// What is heard in `octets`; where that is nothing, what was expected.
pub(super) fn heard_in(octets: &[u8], language: Language) -> Result<Vec<Heard>, Failure> {
    let heard = read_any(octets);
    let text = String::from_utf8_lossy(octets);
    if heard.is_empty() || is_made_up(&text, &heard) {
        return Err(nothing_heard(&text, language));
    }
    Ok(heard)
}

/// Pages, an empty line between them.
pub(super) fn tell_all(
    heard: &[Heard],
    language: Language,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for (index, heard) in heard.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        tell_heard(heard, language, out)?;
    }
    Ok(())
}

/// Whether it is a bare number outside SMTP that means nothing to anybody: 999, but not
/// 101, under which programs say that they could not connect.
fn is_made_up(text: &str, heard: &[Heard]) -> bool {
    let means_nothing = |heard: &Heard| {
        heard.verdict.as_ref().is_none_or(|verdict| verdict.cause == Cause::Unknown)
    };
    matches!(text.parse::<Topic>(), Err(NoSuchTopic::CodeOutsideSmtp(_)))
        && heard.iter().all(means_nothing)
}

fn nothing_heard(text: &str, language: Language) -> Failure {
    let text = text.trim();
    let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    match text.parse::<Topic>() {
        Err(error) if !shown.is_empty() && !text.contains(char::is_whitespace) => {
            Failure::usage(error.in_short(language)).help(error.in_words(language))
        }
        _ if shown.is_empty() => {
            Failure::usage(cli(language, "nothing-to-explain", &[])).help(expected(language))
        }
        _ => {
            let shown = format!("`{shown}`");
            let told = cli(language, "no-reply", &[("text", &shown)]);
            Failure::usage(told).help(expected(language))
        }
    }
}
