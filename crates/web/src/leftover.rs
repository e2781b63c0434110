//! No page holds English in another language: what the English page says in three words
//! or more, no other language's page says in the same words. Not compared is what no
//! language changes and the templates mark so: the words of servers, names of topics.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use reply::Language;

use crate::address::Page;
use crate::export::every_page;
use crate::pages::{self, Answered, Frame, Given};
use crate::trouble::Trouble;

/// Of the comparisons, which are many and alike, only each of so many is looked at.
const EACH_PAIR: usize = 40;
/// What is the same in every language: the name of a registry, and pasted words, which are
/// quoted as what decided.
const SAME: &[&str] = &["SMTP Enhanced Status Codes", "too many connections"];

#[test]
fn no_page_of_another_language_says_what_the_english_one_says() {
    let of = |language| everything().iter().filter(move |page| page.language == language);
    let english: HashSet<&String> = of(Language::En).flat_map(|page| &page.said).collect();
    assert!(english.len() > 2000, "too little was read: {}", english.len());
    let mut left: HashMap<&String, &String> = HashMap::new();
    for page in everything().iter().filter(|page| page.language != Language::En) {
        let same = page.said.iter().filter(|words| english.contains(words));
        left.extend(same.map(|words| (words, &page.address)));
    }
    left.retain(|words, _| !SAME.contains(&words.as_str()));
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn no_cause_is_called_by_its_identifier_in_a_sentence() {
    let names = reply::Cause::ALL.iter().map(|cause| cause.name());
    let identifiers: Vec<&str> = names.filter(|name| name.contains('-')).collect();
    for page in everything() {
        for sentence in &page.said {
            let named = sentence.split(' ').find(|word| identifiers.contains(word));
            assert_eq!(named, None, "{}: {sentence}", page.address);
        }
    }
}

/// A page as it was read.
struct Said {
    language: Language,
    address: String,
    said: Vec<String>,
}

/// Every page that is looked at in every language; read once for all tests.
fn everything() -> &'static [Said] {
    static READ: OnceLock<Vec<Said>> = OnceLock::new();
    READ.get_or_init(|| {
        let pages = looked_at();
        Language::COMPLETE.iter().flat_map(|language| said_in(*language, &pages)).collect()
    })
}

/// Everything but most of the comparisons.
fn looked_at() -> Vec<Page> {
    let is_pair = |page: &Page| matches!(page, Page::Pair(..));
    let (pairs, mut pages): (Vec<Page>, Vec<Page>) = every_page().into_iter().partition(is_pair);
    pages.extend(pairs.into_iter().step_by(EACH_PAIR));
    pages
}

/// What each page says in a language.
fn said_in(language: Language, pages: &[Page]) -> Vec<Said> {
    let frame = |page| Frame { language, page, origin: String::new() };
    let said = |address, html: &str| Said { language, address, said: sentences(html) };
    let entries = pages
        .iter()
        .map(|page| said(page.href(language), &pages::render(*page, &frame(Some(*page)))));
    let troubles = Trouble::ALL
        .map(|trouble| said(format!("{trouble:?}"), &pages::trouble(trouble, &frame(None))));
    let asked = ASKED.iter().map(|(page, form)| {
        let given = Given::parse(form.as_bytes());
        let Answered::Page(html) = pages::answer(*page, &given, &frame(Some(*page))) else {
            panic!("{form} is answered elsewhere")
        };
        said(format!("{} {form}", page.href(language)), &html)
    });
    entries.chain(troubles).chain(asked).collect()
}

/// What readers ask.
const ASKED: &[(Page, &str)] = &[
    (Page::Search, "q=4.2"),
    (Page::Search, "q=gremlins"),
    (Page::Compare, "a=450&b=gremlins"),
    (Page::Compare, "a=620&b=450"),
    (Page::Explain, "text=gremlins"),
    (Page::Explain, "text=450+4.2.0+Greylisted,+try+again+in+300+seconds"),
    (Page::Explain, "text=550+5.1.1+%3Cbob@example.net%3E:+user+unknown"),
    (Page::Explain, "text=552+5.2.2+mailbox+full%0A%0A421+4.7.0+too+many+connections"),
    (Page::Explain, "text=554+5.7.1+blocked+using+zen.spamhaus.org"),
    (Page::Explain, "text=250+2.0.0+Ok:+queued+as+12345"),
    (Page::Explain, "text=550+gremlins"),
];

/// What a page says in three words or more: a sentence, or what marks set apart in one.
fn sentences(html: &str) -> Vec<String> {
    let ends = |c: char| ".,;:!?()“”„«»‘’\"–—·\n\0".contains(c);
    let words = |part: &str| part.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_word = |word: &&String| word.chars().any(|c| c.is_ascii_lowercase());
    let text = text(html);
    let parts = text.split(ends).map(words);
    parts
        .filter(|part| part.iter().filter(is_word).count() >= 3)
        .map(|part| part.join(" "))
        .collect()
}

/// The text of a page, and what its attributes say, without what is marked as no part of
/// its language; elements end with a mark of their own.
fn text(html: &str) -> String {
    let (mut text, mut inside) = (String::new(), Vec::new());
    for part in html.split('<').skip(1) {
        let (tag, rest) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap_or_default();
        if tag.starts_with('/') {
            inside.pop();
        } else {
            let apart = inside.last() == Some(&true) || is_apart(name, tag);
            if !apart {
                text.extend(spoken(tag).map(|value| format!("{value}\0")));
            }
            if !(VOID.contains(&name) || tag.ends_with('/')) {
                inside.push(apart);
            }
        }
        text.push('\0');
        if inside.last() != Some(&true) {
            text.push_str(rest);
        }
    }
    text
}

/// Elements without an end.
const VOID: [&str; 5] = ["!doctype", "meta", "link", "input", "br"];

/// Whether what is in the element is in no language, or in one of its own.
fn is_apart(name: &str, tag: &str) -> bool {
    let own = name != "html" && tag.contains(" lang=");
    own || tag.contains(" translate=\"no\"") || name == "script"
}

/// The attributes that are read out.
fn spoken(tag: &str) -> impl Iterator<Item = &str> {
    ["content", "aria-label", "placeholder"].into_iter().filter_map(move |name| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()
    })
}
