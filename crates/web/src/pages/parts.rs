//! What several pages show: an entry in a line, links to entries, an example dialog.

use reply::explain::dialog::Line;
use reply::explain::entry::{Entry, Topic, entry, topic_in_words, topic_label};
use reply::explain::{concerned_in_words, permanence_in_words, wait_in_words};
use reply::{Language, Permanence};

use super::Frame;
use crate::address::Page;

/// An entry in a line of a list.
pub(crate) struct Short {
    pub(crate) href: String,
    pub(crate) topic: String,
    /// The topic where people say it: a code, a verb; empty for what they name in words.
    pub(crate) written: String,
    pub(crate) name: String,
    pub(crate) permanence: String,
    pub(crate) class: &'static str,
}

/// The line of `topic`.
pub(crate) fn short(topic: Topic, frame: &Frame) -> Short {
    let entry = entry(topic, frame.language);
    Short {
        href: frame.href(Page::Entry(topic)),
        topic: listed(topic, frame.language),
        written: written(topic, frame.language),
        permanence: permanence(&entry, frame.language),
        class: class(entry.facts.permanence),
        name: entry.name,
    }
}

/// A topic as lists write it before its name; empty for what has a name alone.
pub(crate) fn listed(topic: Topic, language: Language) -> String {
    let written = topic.to_string();
    if topic_label(topic, language) == written { written } else { String::new() }
}

/// A topic as it is written, where sentences call it so.
pub(crate) fn written(topic: Topic, language: Language) -> String {
    let written = topic.to_string();
    if topic_in_words(topic, language) == written { written } else { String::new() }
}

/// The permanence in words; nothing where it depends.
pub(crate) fn permanence(entry: &Entry, language: Language) -> String {
    entry.facts.permanence.map(|one| permanence_in_words(one, language)).unwrap_or_default()
}

/// The class of the style sheet for a permanence.
pub(crate) const fn class(permanence: Option<Permanence>) -> &'static str {
    match permanence {
        Some(Permanence::Positive) => "positive",
        Some(Permanence::Transient) => "transient",
        Some(Permanence::Permanent) => "permanent",
        None => "open",
    }
}

/// A remedy: for whom, empty where for all, and what to do.
pub(crate) struct Advice {
    pub(crate) whom: String,
    pub(crate) text: String,
}

/// The remedies of an entry.
pub(crate) fn advice(entry: &Entry, language: Language) -> Vec<Advice> {
    let told = entry.how_to_fix.iter().map(|remedy| Advice {
        whom: remedy.whom.map(|whom| concerned_in_words(whom, language)).unwrap_or_default(),
        text: remedy.text.clone(),
    });
    told.collect()
}

/// A line of an example: who says it, and what.
pub(crate) struct Said {
    pub(crate) class: &'static str,
    pub(crate) who: &'static str,
    pub(crate) text: String,
}

/// The example of an entry.
pub(crate) fn example(entry: &Entry, language: Language) -> Vec<Said> {
    let said = entry.example.iter().map(|line| match line {
        Line::Client(text) => Said { class: "client", who: "C:", text: text.clone() },
        Line::Server(text) => Said { class: "server", who: "S:", text: text.clone() },
        Line::Wait => Said { class: "wait", who: "", text: wait_in_words(language) },
    });
    said.collect()
}
