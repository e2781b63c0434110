//! The page of one entry.

use askama::Template;
use reply::compare::stage_in_words;
use reply::explain::entry::{Entry, Topic, entry};
use reply::explain::wording::Wording;
use reply::explain::{
    any_command, enumerated, label, label_at, label_refused, labelled, scope_in_words,
};
use reply::{Code, Language, Scope, Stage};
use serde_json::json;

use super::parts::{Advice, Said, Short, advice, class, example, permanence, short, written};
use super::{Frame, Link, compared, html};
use crate::address::Page;
use crate::drawing::{Drawing, drawing};

/// A heading and a paragraph.
struct Told {
    label: String,
    text: String,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    entry: &'a Entry,
    topic: String,
    permanence: String,
    class: &'static str,
    drawing: Option<Drawing>,
    advice: Vec<Advice>,
    told: Vec<Told>,
    answers: Vec<Link>,
    any_command: String,
    causes: Vec<Short>,
    codes: Vec<Short>,
    wordings: &'a [Wording],
    example: Vec<Said>,
    compared: Vec<Link>,
    json_ld: String,
    source: String,
}

impl EntryPage<'_> {
    fn label(&self, name: &str) -> String {
        label(self.frame.language, name)
    }

    /// The language of a server's words: English where they are ASCII, else untold.
    fn language_of(&self, words: &str) -> &'static str {
        if words.is_ascii() { "en" } else { "" }
    }
}

/// The page of `topic`.
pub(super) fn page(topic: Topic, frame: &Frame) -> String {
    let language = frame.language;
    let entry = entry(topic, language);
    let spoken = !matches!(topic, Topic::Command(_) | Topic::Keyword(_));
    let any = entry.facts.answers.len() == Stage::ALL.len();
    html(&EntryPage {
        title: title(topic, &entry.name, language),
        description: entry.meaning.clone(),
        topic: match topic {
            Topic::Cause(cause) => cause.to_string(),
            _ => written(topic, language),
        },
        permanence: permanence(&entry, language),
        class: class(entry.facts.permanence),
        drawing: spoken.then(|| drawing(entry.facts.whose_move, language)),
        advice: advice(&entry, language),
        told: told(&entry, frame),
        answers: if any { Vec::new() } else { commands(&entry, frame) },
        any_command: if any { any_command(language) } else { String::new() },
        causes: entry.facts.causes.iter().map(|c| short(Topic::Cause(*c), frame)).collect(),
        codes: codes(&entry, frame),
        wordings: &entry.wordings,
        example: example(&entry, language),
        compared: compared(topic, &entry, frame),
        json_ld: json_ld(topic, &entry, frame),
        source: labelled(&label(language, "source"), &entry.source, language),
        entry: &entry,
        frame,
    })
}

/// `450: Mailbox unavailable`; what sentences call by its name, by that alone.
fn title(topic: Topic, name: &str, language: Language) -> String {
    match written(topic, language) {
        code if code.is_empty() => name.to_owned(),
        code => labelled(&code, name, language),
    }
}

/// Short facts, each under its heading.
fn told(entry: &Entry, frame: &Frame) -> Vec<Told> {
    let language = frame.language;
    let mut told = Vec::new();
    let mut tell = |label: String, text: String| {
        if !text.is_empty() {
            told.push(Told { label, text });
        }
    };
    tell(label(language, "when-next"), entry.when_next.clone());
    for refusal in &entry.refusals {
        tell(label_refused(refusal.code, language), refusal.meaning.clone());
    }
    if let Some(provider) = &entry.provider {
        tell(label_at(provider.who, language), provider.meaning.clone());
    }
    let named = entry.facts.scope != Scope::Nothing && entry.facts.scope != Scope::Command;
    if named {
        tell(label(language, "about"), scope_in_words(entry.facts.scope, language));
    }
    tell(label(language, "adds"), adds(entry, language));
    told
}

/// What a keyword of EHLO adds: a command, parameters.
fn adds(entry: &Entry, language: Language) -> String {
    match entry.topic {
        Topic::Keyword(keyword) => enumerated(&keyword.facts().adds(), language),
        _ => String::new(),
    }
}

fn commands(entry: &Entry, frame: &Frame) -> Vec<Link> {
    let link = |stage: &Stage| Link {
        href: frame.href(Page::Entry(Topic::Command(*stage))),
        text: stage_in_words(*stage, frame.language),
        tag: frame.tag(),
        here: false,
    };
    entry.facts.answers.iter().map(link).collect()
}

fn codes(entry: &Entry, frame: &Frame) -> Vec<Short> {
    let basic = entry.facts.codes.iter().map(|code: &Code| Topic::Code(*code));
    let enhanced = entry.facts.enhanced_codes.iter().map(|code| Topic::Enhanced(*code));
    basic.chain(enhanced).map(|topic| short(topic, frame)).collect()
}

/// What the entry is worth comparing with: its neighbours, and what it is confused with.
fn compared(topic: Topic, entry: &Entry, frame: &Frame) -> Vec<Link> {
    compared::partners(topic, entry)
        .into_iter()
        .map(|partner| compared::link(topic, partner, frame))
        .collect()
}

/// What search engines are told: a term of a set of terms (schema.org).
fn json_ld(topic: Topic, entry: &Entry, frame: &Frame) -> String {
    let term = json!({
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "termCode": topic.to_string(),
        "name": entry.name,
        "description": entry.meaning,
        "inLanguage": frame.tag(),
        "url": frame.canonical(),
        "inDefinedTermSet": format!("{}{}", frame.origin, frame.home()),
    });
    // In a script element only `</` could end it early.
    term.to_string().replace("</", "<\\/")
}
