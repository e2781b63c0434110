//! What the pasted text means. It is read, told and forgotten.

use askama::Template;
use reply::explain::entry::Topic;
use reply::explain::{label, web, web_count};
use reply::heard::{Heard, read_any};
use reply::{Explanation, Verdict};

use super::compared::with_name;
use super::form::Given;
use super::parts::class;
use super::{Answered, Frame, Link, html};
use crate::address::Page;
use crate::drawing::{Drawing, drawing};

/// Most things that one page shows.
const MOST_SHOWN: usize = 50;
/// Most characters of the pasted text that stay in the box.
const MOST_ECHOED: usize = 20_000;

/// One thing that was heard.
struct Told {
    kind: String,
    about: String,
    class: &'static str,
    told: Option<Explanation>,
    alternatives: Vec<String>,
    drawing: Option<Drawing>,
    see: Vec<Link>,
}

#[derive(Template)]
#[template(path = "explained.html")]
struct Explained<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    pasted: String,
    count: String,
    more: String,
    told: Vec<Told>,
}

impl Explained<'_> {
    fn label(&self, name: &str) -> String {
        label(self.frame.language, name)
    }
}

/// Tells what `text` of the form means; a code or a name alone has a page of its own.
pub(super) fn answer(given: &Given, frame: &Frame) -> Answered {
    let octets = match given.octets("text") {
        [] => given.octets("q"),
        octets => octets,
    };
    let text = String::from_utf8_lossy(octets);
    if let Ok(topic) = text.trim().parse::<Topic>() {
        return Answered::Elsewhere(Page::Entry(topic));
    }
    let heard = read_any(octets);
    Answered::Page(if heard.is_empty() {
        nothing(&text, frame)
    } else {
        told(&heard, &text, frame)
    })
}

fn nothing(text: &str, frame: &Frame) -> String {
    html(&Explained {
        frame,
        title: frame.web("nothing-heard"),
        description: frame.web("nothing-heard-what"),
        pasted: echoed(text),
        count: frame.web("nothing-heard-what"),
        more: String::new(),
        told: Vec::new(),
    })
}

fn told(heard: &[Heard], text: &str, frame: &Frame) -> String {
    let told: Vec<Told> = heard.iter().take(MOST_SHOWN).map(|one| tell(one, frame)).collect();
    let first = told.first().and_then(|one| one.told.as_ref()).map(|told| told.title.clone());
    let more = heard.len().saturating_sub(MOST_SHOWN);
    html(&Explained {
        frame,
        title: first.unwrap_or_else(|| frame.web("tagline")),
        description: frame.web("lede"),
        pasted: echoed(text),
        count: if told.len() > 1 {
            web_count(frame.language, "heard", heard.len())
        } else {
            String::new()
        },
        more: if more > 0 { web_count(frame.language, "heard-more", more) } else { String::new() },
        told,
    })
}

fn echoed(text: &str) -> String {
    text.chars().take(MOST_ECHOED).collect()
}

fn tell(heard: &Heard, frame: &Frame) -> Told {
    let language = frame.language;
    let verdict = heard.verdict.as_ref();
    let told = heard.explain(language);
    Told {
        kind: frame.web(&format!("kind-{}", heard.kind.name())),
        about: heard.recipient.as_ref().map_or_else(String::new, |recipient| {
            web(language, "heard-for", &[("recipient", recipient)])
        }),
        class: class(verdict.map(|verdict| verdict.permanence)),
        alternatives: told.as_ref().map_or_else(Vec::new, |told| told.deciding.clone()),
        drawing: verdict.map(|verdict| drawing(mover(verdict), language)),
        see: verdict.map_or_else(Vec::new, |verdict| see(verdict, frame)),
        told,
    }
}

/// The entries of what was heard: its cause, its codes.
fn see(verdict: &Verdict, frame: &Frame) -> Vec<Link> {
    let cause = Some(Topic::Cause(verdict.cause));
    let codes = [verdict.code.map(Topic::Code), verdict.enhanced_code.map(Topic::Enhanced)];
    let link = |topic: Topic| Link {
        href: frame.href(Page::Entry(topic)),
        text: with_name(topic, frame.language),
        tag: frame.tag(),
        here: false,
    };
    cause.into_iter().chain(codes.into_iter().flatten()).map(link).collect()
}

fn mover(verdict: &Verdict) -> reply::WhoseMove {
    verdict.whose_move
}
