//! The pages: each a template that is checked when compiling, filled from the knowledge.
//!
//! Everything that comes from a reader is escaped by the templates. A page knows its
//! language and its address; nothing else about the request.

mod compared;
mod entries;
mod explained;
mod form;
mod lists;
mod parts;

use askama::Template;
use reply::Language;
use reply::explain::web;

use crate::address::Page;
use crate::assets::{Assets, assets};
use crate::search::{Found, search};
use crate::trouble::Trouble;
pub(crate) use compared::{often_compared, partners};
pub(crate) use form::Given;
pub(crate) use parts::listed;

/// What every page is framed by.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The language.
    pub(crate) language: Language,
    /// Which page it is; none for one that is not there.
    pub(crate) page: Option<Page>,
    /// The site's public address.
    pub(crate) origin: String,
}

/// A link of the navigation, or to another language.
pub(crate) struct Link {
    pub(crate) href: String,
    pub(crate) text: String,
    pub(crate) tag: &'static str,
    pub(crate) here: bool,
}

impl Frame {
    /// Words of the page in its language.
    fn web(&self, name: &str) -> String {
        web(self.language, name, &[])
    }

    fn tag(&self) -> &'static str {
        self.language.tag()
    }

    fn assets(&self) -> &'static Assets {
        assets()
    }

    /// The page that search engines are to know.
    fn known(&self) -> Option<Page> {
        self.page.filter(|page| !matches!(page, Page::Search | Page::Explain)).map(Page::canonical)
    }

    /// Its address.
    fn canonical(&self) -> Option<String> {
        Some(format!("{}{}", self.origin, self.known()?.href(self.language)))
    }

    /// Its addresses in all languages by their tags, and the one for whom none of them suits.
    fn alternates(&self) -> Vec<(&'static str, String)> {
        let Some(page) = self.known() else { return Vec::new() };
        let address = |language: Language| format!("{}{}", self.origin, page.href(language));
        let all = Language::COMPLETE.iter().map(|language| (language.tag(), address(*language)));
        all.chain([("x-default", address(Language::default()))]).collect()
    }

    /// The same page in every language.
    fn languages(&self) -> Vec<Link> {
        let page = self.page.unwrap_or(Page::Home);
        let link = |language: &Language| Link {
            href: page.href(*language),
            text: language.own_name().to_owned(),
            tag: language.tag(),
            here: *language == self.language,
        };
        Language::COMPLETE.iter().map(link).collect()
    }

    fn navigation(&self) -> Vec<Link> {
        let pages = [
            (Page::Codes, "nav-codes"),
            (Page::EnhancedCodes, "nav-enhanced"),
            (Page::Causes, "nav-causes"),
            (Page::Commands, "nav-commands"),
            (Page::Compare, "nav-compare"),
        ];
        let link = |(page, name): (Page, &str)| Link {
            href: page.href(self.language),
            text: self.web(name),
            tag: self.tag(),
            here: self.page == Some(page),
        };
        pages.into_iter().map(link).collect()
    }

    fn href(&self, page: Page) -> String {
        page.href(self.language)
    }

    fn home(&self) -> String {
        Page::Home.href(self.language)
    }

    fn explain(&self) -> String {
        Page::Explain.href(self.language)
    }

    fn compare(&self) -> String {
        Page::Compare.href(self.language)
    }

    fn search(&self) -> String {
        Page::Search.href(self.language)
    }
}

/// The start page.
#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    pasted: String,
    often: Vec<parts::Short>,
    compared: Vec<Link>,
}

/// Something is not as it should be: one heading, one sentence.
#[derive(Template)]
#[template(path = "trouble.html")]
struct Troubled<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    pasted: String,
}

/// What a search found.
#[derive(Template)]
#[template(path = "search.html")]
struct Searched<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    query: String,
    found: Vec<Found>,
}

/// A page that depends on its address alone.
pub(crate) fn render(page: Page, frame: &Frame) -> String {
    match page {
        Page::Home | Page::Explain | Page::Search => home(frame),
        Page::Codes => lists::codes(frame),
        Page::EnhancedCodes => lists::enhanced(frame),
        Page::Causes => lists::causes(frame),
        Page::Commands => lists::commands(frame),
        Page::Compare => compared::form(frame),
        Page::Entry(topic) => entries::page(topic, frame),
        Page::Pair(a, b) => compared::page(a, b, frame),
    }
}

/// What a form is answered with.
pub(crate) enum Answered {
    /// This page.
    Page(String),
    /// Another address.
    Elsewhere(Page),
}

/// A page that depends on what the reader gave.
pub(crate) fn answer(page: Page, given: &Given, frame: &Frame) -> Answered {
    match page {
        Page::Compare => compared::answer(given, frame),
        Page::Explain => explained::answer(given, frame),
        _ => Answered::Page(searched(&given.text("q"), frame)),
    }
}

/// The same where the reader gave nothing.
pub(crate) fn unasked(page: Page, frame: &Frame) -> String {
    match answer(page, &Given::default(), frame) {
        Answered::Page(html) => html,
        Answered::Elsewhere(page) => render(page, frame),
    }
}

/// The page of a trouble.
pub(crate) fn trouble(trouble: Trouble, frame: &Frame) -> String {
    let language = frame.language;
    let (title, description) = (trouble.title(language), trouble.told(language));
    html(&Troubled { frame, title, description, pasted: String::new() })
}

fn home(frame: &Frame) -> String {
    const OFTEN: [&str; 12] = [
        "450",
        "421",
        "451",
        "550",
        "554",
        "502",
        "4.2.0",
        "5.1.1",
        "5.7.1",
        "greylisted",
        "mailbox-full",
        "VRFY",
    ];
    const COMPARED: [(&str, &str); 4] =
        [("450", "502"), ("450", "550"), ("451", "450"), ("greylisted", "rate-limited")];
    let often = OFTEN.iter().filter_map(|text| Some(parts::short(text.parse().ok()?, frame)));
    let compared = COMPARED
        .iter()
        .filter_map(|(a, b)| Some(compared::link(a.parse().ok()?, b.parse().ok()?, frame)));
    html(&Home {
        frame,
        title: frame.web("tagline"),
        description: frame.web("lede"),
        pasted: String::new(),
        often: often.collect(),
        compared: compared.collect(),
    })
}

fn searched(query: &str, frame: &Frame) -> String {
    let query: String = query.chars().filter(|c| !c.is_control()).take(80).collect();
    let quoted = reply::explain::quoted(&query, frame.language);
    let found = search(&query, frame.language);
    let name = if found.is_empty() { "search-none" } else { "search-heading" };
    let title = web(frame.language, name, &[("query", &quoted)]);
    html(&Searched { frame, title, description: frame.web("lede"), query, found })
}

/// A template that is checked when compiling fails only where a formatter does; none here does.
fn html(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}
