//! The search: topics by their names first, then by what their entries say, in one language.
//! The same index goes to the browser as JSON, for results as one types: the names at once,
//! the texts where the names do not suffice. What a reader types there goes nowhere.

use std::sync::OnceLock;

use memchr::memmem;
use reply::Language;
use reply::explain::cause_name;
use reply::explain::entry::{Entry, Topic, entry};
use serde::Serialize;

use crate::address::{Page, topics};
use crate::pages::listed;

/// Most results of one search.
const MOST: usize = 40;
/// Most words of one search that are looked for.
const MOST_WORDS: usize = 8;
/// The rank of a word that begins a word of a text; within one, it is one more.
const IN_A_TEXT: usize = 10;
/// Stands between the texts of two entries, and is in none.
const BETWEEN: char = '\0';

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

/// Everything that can be found in one language, and by what.
struct Index {
    found: Vec<Found>,
    /// Topics and names, folded.
    names: Vec<(String, String)>,
    /// What the entries say, folded, one behind the other.
    texts: String,
    /// Where the text of each ends.
    ends: Vec<usize>,
}

/// The index of `language`; made when first asked for.
fn index(language: Language) -> &'static Index {
    const LANGUAGES: usize = Language::COMPLETE.len();
    static MADE: [OnceLock<Index>; LANGUAGES] = [const { OnceLock::new() }; LANGUAGES];
    let at = Language::COMPLETE.iter().position(|one| *one == language).unwrap_or_default();
    MADE[at].get_or_init(|| Index::make(language))
}

impl Index {
    fn make(language: Language) -> Index {
        let topics = topics();
        let mut index = Index {
            found: Vec::with_capacity(topics.len()),
            names: Vec::with_capacity(topics.len()),
            texts: String::new(),
            ends: Vec::with_capacity(topics.len()),
        };
        for topic in topics {
            let entry = entry(topic, language);
            index.texts.push_str(&folded(&text_of(&entry, language)));
            index.ends.push(index.texts.len());
            index.texts.push(BETWEEN);
            index.add(Found {
                href: Page::Entry(topic).href(language),
                topic: listed(topic, language),
                name: entry.name,
            });
        }
        index
    }

    fn add(&mut self, found: Found) {
        self.names.push((found.topic.to_lowercase(), folded(&found.name)));
        self.found.push(found);
    }

    /// The text of the entry `at`.
    fn text(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] + BETWEEN.len_utf8() };
        &self.texts[start..self.ends[at]]
    }

    /// How well `word` fits each entry, 0 best; nothing where it is not there. A short one
    /// need not be there where it is not `alone`.
    fn ranks(&self, word: &str, alone: bool) -> Vec<Option<usize>> {
        let in_texts = if is_looked_for_in_texts(word) {
            self.ranks_in_texts(word)
        } else {
            vec![(!alone).then_some(IN_A_TEXT + 1); self.ends.len()]
        };
        let rank = |((topic, name), in_text): (&(String, String), Option<usize>)| {
            if topic == word {
                Some(0)
            } else if topic.starts_with(word) {
                Some(1)
            } else if name.contains(word) || topic.contains(word) {
                Some(2)
            } else {
                in_text
            }
        };
        self.names.iter().zip(in_texts).map(rank).collect()
    }

    /// The same for what the entries say, in one pass.
    fn ranks_in_texts(&self, word: &str) -> Vec<Option<usize>> {
        let mut ranks = vec![None; self.ends.len()];
        let (finder, texts) = (memmem::Finder::new(word), self.texts.as_bytes());
        let (mut from, mut entry) = (0, 0);
        while let Some(found) = finder.find(&texts[from..]) {
            let at = from + found;
            while self.ends[entry] < at {
                entry += 1;
            }
            let is_within = self.texts[..at].ends_with(char::is_alphanumeric);
            let rank = IN_A_TEXT + usize::from(is_within);
            ranks[entry] = Some(ranks[entry].map_or(rank, |before: usize| before.min(rank)));
            // A word that begins one is as good as it gets: the rest of the text is left out.
            from = if is_within { at + word.len() } else { self.ends[entry] };
        }
        ranks
    }
}

/// What an entry can be found by, besides its name: what it says, the words of software,
/// the codes that it is seen with, and what it is called where it has no name in words.
fn text_of(entry: &Entry, language: Language) -> String {
    let mut parts = vec![entry.topic.to_string(), entry.meaning.clone(), entry.when_seen.clone()];
    parts.extend(entry.how_to_fix.iter().map(|remedy| remedy.text.clone()));
    parts.extend(entry.provider.iter().map(|used| format!("{} {}", used.who, used.meaning)));
    parts.extend(entry.refusals.iter().map(|refusal| refusal.meaning.clone()));
    for wording in &entry.wordings {
        parts.extend(wording.who.map(str::to_owned));
        parts.push(wording.text.to_owned());
    }
    parts.extend(entry.facts.codes.iter().map(ToString::to_string));
    parts.extend(entry.facts.enhanced_codes.iter().map(ToString::to_string));
    if matches!(entry.topic, Topic::Code(_) | Topic::Enhanced(_)) {
        parts.extend(entry.facts.causes.iter().map(|cause| cause_name(*cause, language)));
    }
    parts.join("\n").replace(BETWEEN, "")
}

/// One letter or two are in every text.
fn is_looked_for_in_texts(word: &str) -> bool {
    word.len() > 2
}

/// The names of everything that can be found in `language`.
pub(crate) fn names(language: Language) -> &'static [Found] {
    &index(language).found
}

/// What the entries say, folded, in the order of [`names`].
pub(crate) fn texts(language: Language) -> Vec<&'static str> {
    let index = index(language);
    (0..index.found.len()).map(|at| index.text(at)).collect()
}

/// What fits `query`, the best first: codes and words as they are written, by their
/// beginning, then what the name holds, then what the texts hold.
pub(crate) fn search(query: &str, language: Language) -> Vec<Found> {
    let mut words: Vec<String> = folded(query).split_whitespace().map(str::to_owned).collect();
    words.dedup();
    words.truncate(MOST_WORDS);
    if words.is_empty() {
        return Vec::new();
    }
    let index = index(language);
    let alone = !words.iter().any(|word| is_looked_for_in_texts(word));
    let mut sums = vec![Some(0); index.found.len()];
    for word in &words {
        for (sum, rank) in sums.iter_mut().zip(index.ranks(word, alone)) {
            *sum = sum.zip(rank).map(|(sum, rank)| sum + rank);
        }
    }
    let ranked = sums.into_iter().zip(&index.found);
    let mut ranked: Vec<(usize, &Found)> =
        ranked.filter_map(|(sum, found)| Some((sum?, found))).collect();
    // Codes stand in their order; of names that fit as well, a short one is likelier meant.
    ranked.sort_by_key(|(rank, found)| {
        let by_name = *rank > words.len() && *rank < IN_A_TEXT;
        (*rank, if by_name { found.name.chars().count() } else { 0 })
    });
    ranked.into_iter().map(|(_, found)| found.clone()).take(MOST).collect()
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
        let full = search("満杯", Language::Ja);
        let place = |topic: &str| full.iter().position(|found| found.topic == topic);
        assert!(place("mailbox-full") < place("greylisted"), "{full:?}");
        assert_eq!(first("４５０", Language::Ja), "450");
        assert_eq!(first("ＶＲＦＹ", Language::Ja), "VRFY");
        assert_eq!(first("４．２．０", Language::Ja), "4.2.0");
    }

    #[test]
    fn what_entries_say_is_found_behind_what_they_are_called() {
        let check = |query: &str, language: Language, topic: &str| {
            let found = search(query, language);
            assert!(found.iter().any(|one| one.topic == topic), "{query} {language}: {found:?}");
        };
        // The words of software, an enhanced code of a cause, the name of a product.
        check("over quota", Language::De, "mailbox-full");
        check("postgrey", Language::Fr, "greylisted");
        assert_eq!(first("mailbox-full", Language::Es), "mailbox-full");
        assert_eq!(first("4.2.2", Language::Pt), "4.2.2");
        check("4.2.2", Language::Pt, "mailbox-full");
        // Words of the texts in each language.
        check("Firewall Port 25", Language::De, "110");
        check("papelera", Language::Es, "mailbox-full");
        check("corbeille", Language::Fr, "mailbox-full");
        check("lixeira", Language::Pt, "mailbox-full");
        check("ごみ箱", Language::Ja, "mailbox-full");
        check("trash", Language::En, "mailbox-full");
        // Where a name holds the word, it stands before what only says it.
        let found = search("greylisting", Language::En);
        let named = found.iter().take_while(|one| folded(&one.name).contains("greylisting"));
        assert!(named.count() >= 1 && found.len() > 3, "{found:?}");
        // What has no name of its own in an address is found by that, too.
        let found = search("end of data", Language::De);
        assert!(found.iter().any(|one| one.href == "/de/commands/end-of-data"), "{found:?}");
    }

    #[test]
    fn every_entry_has_its_own_text_in_the_order_of_the_names() {
        for language in Language::COMPLETE {
            let (names, texts) = (names(*language), texts(*language));
            assert_eq!(names.len(), texts.len());
            let at = names.iter().position(|found| found.topic == "greylisted").unwrap();
            let meaning = entry("greylisted".parse().unwrap(), *language).meaning;
            assert!(texts[at].contains(&folded(&meaning)), "{language}: {}", texts[at]);
            assert!(!texts[at + 1].contains(&folded(&meaning)), "{language}");
        }
    }
}
