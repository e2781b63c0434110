//! What a text holds: the name of one thing, or what was heard in it; as JSON and as pages.
//! The command line and the MCP server tell the same.

use std::io;

use reply::Language;
use reply::explain::entry::{Topic, entry};
use reply::heard::{Heard, read_any};
use serde_json::{Value, json};

use super::object::Place;
use super::unheard::nothing_heard;
use super::{heard_json, tell_entry, tell_heard};
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
            Err(_) => match read_any(octets) {
                heard if heard.is_empty() => Err(nothing_heard(octets, None, language)),
                heard => Ok(Found::Heard(heard)),
            },
        }
    }

    /// How many things are told.
    pub(crate) fn len(&self) -> usize {
        match self {
            Found::Topic(..) => 1,
            Found::Heard(heard) => heard.len(),
        }
    }

    /// What was heard.
    pub(super) fn heard(&self) -> &[Heard] {
        match self {
            Found::Topic(_, heard) => heard.as_deref().map_or(&[], std::slice::from_ref),
            Found::Heard(heard) => heard,
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
