//! Why nothing was heard in something: it is empty, it is no text, or its text says nothing
//! that can be explained.

use std::path::Path;

use reply::Language;
use reply::explain::cli;
use reply::explain::entry::Topic;
use reply::heard::first_odd_octet;

use super::log::input;
use super::unread::shown;
use super::{expected, near};
use crate::cli::Failure;

/// Most characters of a text that are shown again.
const MAX_SHOWN: usize = 60;

/// What is wrong with `octets`, in which nothing was heard; they stood in `file`, or among the
/// arguments.
pub(super) fn nothing_heard(octets: &[u8], file: Option<&Path>, language: Language) -> Failure {
    let text = String::from_utf8_lossy(octets);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let odd = first_odd_octet(octets);
    match (file, odd) {
        (None, None) if text.is_empty() => {
            Failure::usage(cli(language, "nothing-to-explain", &[])).help(expected(language))
        }
        (Some(file), None) if text.is_empty() => {
            let name = if octets.is_empty() { "is-empty" } else { "is-blank" };
            of_file(name, file, language)
        }
        (_, Some((octet, at))) => {
            let file = file.map(|file| input::name(file, language));
            let file = file.unwrap_or_else(|| cli(language, "given-text", &[]));
            let values = [("file", &*file), ("octet", &shown(octet)), ("at", &at.to_string())];
            Failure::new(cli(language, "not-text", &values)).help(expected(language))
        }
        (_, None) => no_topic(text, file, language),
    }
}

/// What is said of a text that names nothing, and in which no reply stands.
fn no_topic(text: &str, file: Option<&Path>, language: Language) -> Failure {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_number =
        first.len() <= 12 && first.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    let is_name = file.is_none() && !text.contains(char::is_whitespace);
    match (first.parse::<Topic>(), file) {
        (Err(error), _) if (is_name || is_number) && text.len() <= 200 => {
            near::failure(first, &error, language)
        }
        (_, Some(file)) => of_file("nothing-in-file", file, language),
        _ => {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
            let told = cli(language, "no-reply", &[("text", &format!("`{shown}`"))]);
            Failure::usage(told).help(expected(language))
        }
    }
}

/// A sentence about a file.
pub(super) fn of_file(name: &str, file: &Path, language: Language) -> Failure {
    let file = input::name(file, language);
    Failure::new(cli(language, name, &[("file", &file)])).help(expected(language))
}
