//! The page of two entries side by side, and the form that leads to it.

use askama::Template;
use reply::compare::{Comparison, compare};
use reply::explain::entry::{Entry, Topic, entry, topic_in_words};
use reply::explain::{label, sentences, web};
use reply::facts;
use reply::{Cause, Class, EnhancedCode, Language, Stage};

use super::form::Given;
use super::parts::{Advice, advice, class, listed, permanence, written};
use super::{Answered, Frame, Link, html};
use crate::address::{Page, topics};

/// One of the two.
struct Side {
    href: String,
    topic: String,
    name: String,
    permanence: String,
    class: &'static str,
    meaning: String,
    when_seen: String,
    advice: Vec<Advice>,
}

#[derive(Template)]
#[template(path = "compare.html")]
struct Compared<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    sides: [Side; 2],
    comparison: &'a Comparison,
}

impl Compared<'_> {
    fn label(&self, name: &str) -> String {
        label(self.frame.language, name)
    }
}

#[derive(Template)]
#[template(path = "compare-form.html")]
struct Form<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    first: String,
    second: String,
    complaint: String,
    names: Vec<String>,
    often: Vec<Link>,
}

/// Two entries side by side.
pub(super) fn page(a: Topic, b: Topic, frame: &Frame) -> String {
    let comparison = compare(&a, &b, frame.language);
    let [first, second] = [a, b].map(|topic| topic_in_words(topic, frame.language));
    let title = web(frame.language, "compare-title", &[("a", &first), ("b", &second)]);
    let told: Vec<String> =
        comparison.differences.iter().take(2).map(|one| one.sentence.clone()).collect();
    let description = sentences(&told, frame.language);
    let sides = [side(&comparison.a, frame), side(&comparison.b, frame)];
    html(&Compared { frame, title, description, sides, comparison: &comparison })
}

fn side(entry: &Entry, frame: &Frame) -> Side {
    Side {
        href: frame.href(Page::Entry(entry.topic)),
        topic: listed(entry.topic, frame.language),
        name: entry.name.clone(),
        permanence: permanence(entry, frame.language),
        class: class(entry.facts.permanence),
        meaning: entry.meaning.clone(),
        when_seen: entry.when_seen.clone(),
        advice: advice(entry, frame.language),
    }
}

/// The two fields.
pub(super) fn form(frame: &Frame) -> String {
    form_with("", "", String::new(), frame)
}

fn form_with(first: &str, second: &str, complaint: String, frame: &Frame) -> String {
    let often = often_compared().map(|(a, b)| link(a, b, frame));
    html(&Form {
        frame,
        title: frame.web("compare-heading"),
        description: frame.web("compare-lede"),
        first: first.to_owned(),
        second: second.to_owned(),
        complaint,
        names: topics().into_iter().map(|topic| topic.to_string()).collect(),
        often: often.collect(),
    })
}

/// What readers compare most, those of the start page among them.
pub(crate) fn often_compared() -> impl Iterator<Item = (Topic, Topic)> {
    const OFTEN: [(&str, &str); 8] = [
        ("450", "502"),
        ("450", "550"),
        ("421", "450"),
        ("450", "451"),
        ("500", "502"),
        ("4.2.2", "5.2.2"),
        ("greylisted", "rate-limited"),
        ("VRFY", "EXPN"),
    ];
    OFTEN.iter().filter_map(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)))
}

/// The form was sent: to the page of the two, or what is wrong with them.
pub(super) fn answer(given: &Given, frame: &Frame) -> Answered {
    let (first, second) = (given.text("a"), given.text("b"));
    if first.is_empty() && second.is_empty() {
        return Answered::Page(form(frame));
    }
    match (first.parse::<Topic>(), second.parse::<Topic>()) {
        (Ok(a), Ok(b)) => Answered::Elsewhere(Page::Pair(a, b)),
        (Err(error), _) | (_, Err(error)) => {
            let complaint = error.in_words(frame.language);
            Answered::Page(form_with(&first, &second, complaint, frame))
        }
    }
}

/// A link to the comparison of two.
pub(super) fn link(a: Topic, b: Topic, frame: &Frame) -> Link {
    Link {
        href: frame.href(Page::pair(a, b)),
        text: format!("{} – {}", with_name(a, frame.language), with_name(b, frame.language)),
        tag: frame.tag(),
        here: false,
    }
}

/// `450 (Mailbox unavailable)`; what is called by its name alone, by that.
pub(super) fn with_name(topic: Topic, language: Language) -> String {
    let name = entry(topic, language).name;
    let written = written(topic, language);
    if written.is_empty() { name } else { format!("{written} ({name})") }
}

/// What an entry is worth comparing with, four at most.
pub(crate) fn partners(topic: Topic, entry: &Entry) -> Vec<Topic> {
    let mut partners: Vec<Topic> = match topic {
        Topic::Code(code) => {
            let near = facts::CODES.iter().filter(|row| {
                let apart = row.code.value().abs_diff(code.value());
                apart != 0 && (apart <= 2 || apart == 100)
            });
            near.map(|row| Topic::Code(row.code)).collect()
        }
        Topic::Enhanced(code) => {
            under_the_other_class(code).map(Topic::Enhanced).into_iter().collect()
        }
        Topic::Cause(cause) => {
            let alike = Cause::ALL
                .iter()
                .filter(|other| **other != cause && other.scope() == cause.scope());
            alike.map(|cause| Topic::Cause(*cause)).collect()
        }
        Topic::Command(stage) => {
            let alike = Stage::ALL.iter().filter(|other| {
                **other != stage && facts::standing(**other) == facts::standing(stage)
            });
            alike.map(|stage| Topic::Command(*stage)).collect()
        }
        _ => Vec::new(),
    };
    partners.extend(entry.facts.codes.iter().map(|code| Topic::Code(*code)));
    partners.retain(|partner| *partner != topic);
    partners.truncate(4);
    partners
}

/// 5.2.2 for 4.2.2, where the registry knows the number and it is no success.
fn under_the_other_class(code: EnhancedCode) -> Option<EnhancedCode> {
    let other = match code.class() {
        Class::Transient => 5,
        Class::Permanent => 4,
        Class::Positive | Class::Intermediate => return None,
    };
    let row = facts::of_enhanced(code)?;
    let is_success = row.causes == [Cause::Delivered];
    EnhancedCode::new(other, code.subject(), code.detail()).filter(|_| !is_success)
}
