//! The lists: every code, every enhanced code, every cause, every command.

use askama::Template;
use reply::explain::cause_in_words;
use reply::explain::entry::Topic;
use reply::facts::field::Foreign;
use reply::facts::keyword::Keyword;
use reply::{Cause, Stage, facts};

use super::parts::{Short, short};
use super::{Frame, html};
use crate::address;

/// A part of a list under a heading; the first has none.
struct Group {
    heading: String,
    rows: Vec<Short>,
}

#[derive(Template)]
#[template(path = "list.html")]
struct List<'a> {
    frame: &'a Frame,
    title: String,
    description: String,
    groups: Vec<Group>,
}

fn group(heading: String, topics: impl IntoIterator<Item = Topic>, frame: &Frame) -> Group {
    Group { heading, rows: topics.into_iter().map(|topic| short(topic, frame)).collect() }
}

fn list(name: &str, groups: Vec<Group>, frame: &Frame) -> String {
    html(&List { frame, title: frame.web(name), description: frame.web("lede"), groups })
}

/// Every basic code, by its first digit, then those of no specification.
pub(super) fn codes(frame: &Frame) -> String {
    let of_digit = |digit: u16| {
        let rows = facts::CODES.iter().filter(move |row| row.code.value() / 100 == digit);
        rows.map(|row| Topic::Code(row.code))
    };
    let class = |digit: u16| reply::explain::class_name(digit, frame.language);
    let mut groups: Vec<Group> =
        (2..=5).map(|digit| group(class(digit), of_digit(digit), frame)).collect();
    let field = address::field_codes().into_iter().map(Topic::Code);
    groups.push(group(frame.web("field-codes"), field, frame));
    let foreign = Foreign::all().map(Topic::Foreign);
    groups.push(group(frame.web("foreign-numbers"), foreign, frame));
    list("nav-codes", groups, frame)
}

/// Classes and subjects, every registered code, then those of single providers.
pub(super) fn enhanced(frame: &Frame) -> String {
    let groups = vec![
        group(frame.web("patterns"), address::patterns(), frame),
        group(frame.web("nav-enhanced"), address::enhanced_numbers(), frame),
        group(frame.web("provider-codes"), address::provider_codes(), frame),
    ];
    list("nav-enhanced", groups, frame)
}

/// Every cause, in words.
pub(super) fn causes(frame: &Frame) -> String {
    let row = |cause: &Cause| Short {
        permanence: cause_in_words(*cause, frame.language),
        class: "words",
        ..short(Topic::Cause(*cause), frame)
    };
    let rows = Cause::ALL.iter().map(row).collect();
    list("nav-causes", vec![Group { heading: String::new(), rows }], frame)
}

/// Every command, then the keywords of EHLO.
pub(super) fn commands(frame: &Frame) -> String {
    let commands = Stage::ALL.iter().map(|stage| Topic::Command(*stage));
    let groups = vec![
        group(String::new(), commands, frame),
        group(frame.web("keywords"), Keyword::all().map(Topic::Keyword), frame),
    ];
    list("nav-commands", groups, frame)
}
