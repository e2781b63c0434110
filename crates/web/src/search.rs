//! The search: topics by their names and words, in one language. The same index goes to
//! the browser as JSON, for results as one types.

use std::sync::OnceLock;

use reply::Language;
use reply::explain::entry::{Topic, entry};
use serde::Serialize;

use crate::address::{Page, topics};
use crate::pages::listed;

/// Most results of one search.
const MOST: usize = 40;

/// How far the full-width forms stand from the ASCII characters that they mean.
const FULL_WIDTH: u32 = '！' as u32 - '!' as u32;

/// A topic as it can be found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    /// Where its page is.
    pub(crate) href: String,
    /// `450`, `greylisted`, `VRFY`; empty for what has a name alone.
    pub(crate) topic: String,
    /// Its name in the language.
    pub(crate) name: String,
}

/// Everything that can be found in `language`; made when first asked for.
pub(crate) fn index(language: Language) -> &'static [Found] {
    const LANGUAGES: usize = Language::COMPLETE.len();
    static MADE: [OnceLock<Vec<Found>>; LANGUAGES] = [const { OnceLock::new() }; LANGUAGES];
    let found = |topic: Topic| Found {
        href: Page::Entry(topic).href(language),
        topic: listed(topic, language),
        name: entry(topic, language).name,
    };
    let at = Language::COMPLETE.iter().position(|one| *one == language).unwrap_or_default();
    MADE[at].get_or_init(|| topics().into_iter().map(found).collect())
}

/// What fits `query`, the best first: by its beginning, then by what its name holds.
pub(crate) fn search(query: &str, language: Language) -> Vec<Found> {
    let words: Vec<String> = folded(query).split_whitespace().map(str::to_owned).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, &Found)> =
        index(language).iter().filter_map(|found| Some((rank(found, &words)?, found))).collect();
    // Codes stand in their order; of names that fit as well, a short one is likelier meant.
    ranked.sort_by_key(|(rank, found)| {
        let by_name = *rank > words.len();
        (*rank, if by_name { found.name.chars().count() } else { 0 })
    });
    ranked.into_iter().map(|(_, found)| found.clone()).take(MOST).collect()
}

/// How well it fits, 0 best; nothing where a word is missing.
fn rank(found: &Found, words: &[String]) -> Option<usize> {
    let (topic, name) = (found.topic.to_lowercase(), folded(&found.name));
    let of_word = |word: &String| {
        if topic == *word {
            Some(0)
        } else if topic.starts_with(word.as_str()) {
            Some(1)
        } else if name.contains(word.as_str()) || topic.contains(word.as_str()) {
            Some(2)
        } else {
            None
        }
    };
    words.iter().map(of_word).sum()
}

/// In lower case, and with the full-width letters, digits and marks that a Japanese
/// keyboard writes (`４５０`, `ＶＲＦＹ`) as those of ASCII.
fn folded(text: &str) -> String {
    let narrow = |c: char| match c {
        '！'..='～' => char::from_u32(u32::from(c) - FULL_WIDTH).unwrap_or(c),
        _ => c,
    };
    text.chars().map(narrow).collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(query: &str, language: Language) -> String {
        search(query, language).first().map(|found| found.topic.clone()).unwrap_or_default()
    }

    #[test]
    fn a_code_a_word_and_a_part_of_one_are_found() {
        assert_eq!(first("450", Language::En), "450");
        assert_eq!(first("4.2", Language::En), "4.2.0");
        assert_eq!(first("vrf", Language::En), "VRFY");
        let full = search("postfach voll", Language::De);
        assert!(full.iter().any(|found| found.topic == "mailbox-full"), "{full:?}");
        assert!(search("gremlins", Language::En).is_empty());
        assert!(search(" ", Language::En).is_empty());
    }

    #[test]
    fn japanese_words_are_found_within_names_and_full_width_codes_as_codes() {
        let finds = |query, topic: &str| {
            search(query, Language::Ja).iter().any(|found| found.topic == topic)
        };
        assert!(finds("グレイリスティング", "greylisted"));
        assert!(finds("満杯", "mailbox-full"));
        assert!(finds("メールボックス\u{3000}満杯", "4.2.2"));
        assert!(finds("中継拒否", "relay-denied"));
        assert!(finds("（恒久的）", "550"));
        assert!(!finds("満杯", "greylisted"));
        assert_eq!(first("４５０", Language::Ja), "450");
        assert_eq!(first("ＶＲＦＹ", Language::Ja), "VRFY");
        assert_eq!(first("４．２．０", Language::Ja), "4.2.0");
    }
}
