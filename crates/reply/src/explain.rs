//! What we tell people: an [`Explanation`], made from a [`Verdict`] in the reader's
//! language. The facts come from the verdict and from [`crate::facts`]; only the prose
//! stands in the `.ftl` files, so that a translation cannot change what is so.
//!
//! Start reading at [`explain`]; the entries of the reference are in [`entry`].

pub mod dialog;
pub mod dsn;
pub mod entry;
mod json;
mod kind;
mod language;
mod lines;
pub mod log;
mod near;
pub mod refusal;
mod texts;
pub mod wording;
mod words;

use crate::classify::hint::hint;
use crate::facts::{self, NextStep, Pace};
use crate::heard::{Heard, read_any};
use crate::{Cause, Class, Code, EnhancedCode, Permanence, Reply, Timestamp, Verdict, WhoseMove};

pub use kind::explain_kind;
pub use language::{Language, NoSuchLanguage};
pub use lines::wrapped;
pub use near::near;
pub use texts::{
    choices, cli, cli_count, enumerated, label, label_at, label_refused, labelled, queued,
    queued_count, sentences, setting, story, system, web, web_count, wrong,
};
pub(crate) use texts::{fill, has, text};
pub use words::{
    any_command, cause_in_words, cause_name, class_name, concerned_in_words, confidence_in_words,
    duration_from_now, duration_in_words, permanence_in_words, scope_in_words, wait_in_words,
    when_sent, whose_move_in_words,
};

/// A verdict in words. Every field is a sentence or a paragraph without line breaks;
/// empty where there is nothing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Codes, permanence and cause in short: `450 4.2.0 · transient · Greylisting`.
    pub title: String,
    /// The code's name, as in "Mailbox unavailable"; the cause's where no code was heard.
    pub name: String,
    /// What the cause means.
    pub meaning: String,
    /// What the basic code alone says; empty where none was heard.
    pub code_meaning: String,
    /// When one sees it.
    pub when_seen: String,
    /// Whose turn it is.
    pub whose_move: String,
    /// What to do.
    pub what_to_do: String,
    /// When the next attempt makes sense.
    pub when_next: String,
    /// The words or the code that decided, in the language's quotation marks.
    pub evidence: String,
    /// How sure, in a word or two.
    pub confidence: String,
    /// Other causes that are fair, each by its name.
    pub alternatives: Vec<String>,
    /// For each of them its name and when it is seen: what would decide for it.
    pub deciding: Vec<String>,
    /// RFCs and sections.
    pub source: String,
}

/// Everything that `text` holds, explained: a reply or several, a bounce (one explanation
/// for each recipient), lines of a log. Empty where nothing in it can be understood.
///
/// [`crate::read_any`] says more of each: its kind, the recipient, the reply itself, and
/// the verdict, which has the facts behind the words.
///
/// ```
/// use reply::Language;
///
/// for told in reply::explain("450 4.2.0 Greylisted, come back in 300 seconds", Language::En) {
///     println!("{}: {}", told.title, told.what_to_do);
/// }
/// # let told = reply::explain("450 4.2.0 Greylisted, come back in 300 seconds", Language::De);
/// # assert_eq!(told[0].title, "450 4.2.0 · vorübergehend · Greylisting");
/// ```
pub fn explain(text: impl AsRef<[u8]>, language: Language) -> Vec<Explanation> {
    read_any(text.as_ref()).iter().filter_map(|heard| heard.explain(language)).collect()
}

impl Heard {
    /// What was heard in the reader's language: its verdict, else what its kind means. Beside
    /// the words that decided stand those that say when to come back.
    pub fn explain(&self, language: Language) -> Option<Explanation> {
        let Some(verdict) = &self.verdict else { return explain_kind(self.kind, language) };
        let mut told = verdict.explain(language);
        let reply = self.reply.as_ref().map(Reply::text);
        if let Some((_, words)) = reply.as_deref().and_then(|text| hint(text, None)) {
            told.evidence = enumerated(&[told.evidence, quoted(words, language)], language);
        }
        Some(told)
    }
}

impl Verdict {
    /// The verdict in the reader's language.
    pub fn explain(&self, language: Language) -> Explanation {
        let cause = self.cause;
        let part = |name: &str| text(language, &format!("cause-{}.{name}", cause.name()));
        let of_code = self.code.map_or_else(String::new, |code| {
            entry::entry(entry::Topic::Code(code), language).meaning
        });
        let (meaning, code_meaning) = match says_no_more_than_its_code(self) {
            true => (of_code, String::new()),
            false => (part("meaning"), of_code),
        };
        let code_meaning = sentences_of(code_meaning, disagreement(self, language), language);
        Explanation {
            title: title(self, language),
            name: self.code.map_or_else(
                || cause_name(cause, language),
                |code| entry::entry(entry::Topic::Code(code), language).name,
            ),
            meaning,
            code_meaning,
            when_seen: part("when"),
            whose_move: whose_move(self, language),
            what_to_do: what_to_do(self, language),
            when_next: when_next(self, language),
            evidence: evidence(self, language),
            confidence: confidence_in_words(self.confidence, language),
            alternatives: self
                .alternatives
                .iter()
                .map(|cause| cause_name(*cause, language))
                .collect(),
            deciding: self.alternatives.iter().map(|cause| deciding(*cause, language)).collect(),
            source: source(self),
        }
    }
}

/// That the enhanced code is of another class than the basic one; empty where it is not.
fn disagreement(verdict: &Verdict, language: Language) -> String {
    let both = verdict.code.zip(verdict.enhanced_code);
    let Some((code, enhanced)) = both.filter(|(code, other)| code.class() != other.class()) else {
        return String::new();
    };
    let other = permanence_in_words(facts::permanence_of(enhanced.class()), language);
    let values = [
        ("enhanced", enhanced.to_string().into()),
        ("other", other.into()),
        ("code", code.to_string().into()),
    ];
    fill(language, "codes-disagree", &values)
}

/// Both sentences, or the one that there is.
fn sentences_of(first: String, second: String, language: Language) -> String {
    match (first.is_empty(), second.is_empty()) {
        (false, false) => sentences(&[first, second], language),
        _ => format!("{first}{second}"),
    }
}

/// `Mailbox full: With neglected mailboxes and with big attachments.`
fn deciding(cause: Cause, language: Language) -> String {
    let when = text(language, &format!("cause-{}.when", cause.name()));
    labelled(&cause_name(cause, language), &when, language)
}

/// Whether it is a positive reply that does not tell of a message: 354, 220, the 250 of MAIL.
fn says_no_more_than_its_code(verdict: &Verdict) -> bool {
    let of_message = |code: EnhancedCode| matches!(code.to_string().as_str(), "2.0.0" | "2.6.0");
    let may_be_of_message = match verdict.code.map(Code::value) {
        Some(250) => verdict.enhanced_code.is_none_or(of_message),
        Some(251) | None => true,
        Some(_) => false,
    };
    verdict.cause == Cause::Delivered && !may_be_of_message
}

fn title(verdict: &Verdict, language: Language) -> String {
    let mut codes = Vec::new();
    codes.extend(verdict.code.map(|code| code.to_string()));
    codes.extend(verdict.enhanced_code.map(|code| code.to_string()));
    let mut parts = vec![codes.join(" ")];
    parts.push(permanence_in_words(verdict.permanence, language));
    parts.push(match verdict.code.map(Code::class) {
        Some(Class::Positive | Class::Intermediate) => name_of_code(verdict.code, language),
        _ => cause_name(verdict.cause, language),
    });
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

fn name_of_code(code: Option<Code>, language: Language) -> String {
    code.map_or_else(String::new, |code| text(language, &entry::key(entry::Topic::Code(code))))
}

/// Whose turn it is, as a sentence. Where waiting is all there is to do and the refusal
/// is transient, it is nobody's: the sending server comes back by itself.
fn whose_move(verdict: &Verdict, language: Language) -> String {
    let software = verdict.whose_move == WhoseMove::SenderSoftware;
    let key = match verdict.permanence {
        Permanence::Positive if software => "move-goes-on".to_owned(),
        Permanence::Transient if software && verdict.cause.passes_by_itself() => {
            "move-waits".to_owned()
        }
        Permanence::Permanent if software && verdict.cause.passes_by_itself() => {
            "move-gave-up".to_owned()
        }
        _ => format!("move-{}", verdict.whose_move.name()),
    };
    text(language, &key)
}

/// The remedy of the cause: for all, then for whose move it is, if that stands apart.
fn what_to_do(verdict: &Verdict, language: Language) -> String {
    if let Some(code) = verdict.code.filter(|code| code.class() == Class::Intermediate) {
        return text(language, &format!("{}.fix", entry::key(entry::Topic::Code(code))));
    }
    if verdict.cause == Cause::Delivered {
        return String::new();
    }
    if verdict.permanence == Permanence::Permanent && verdict.cause.passes_by_itself() {
        return text(language, "fix-gave-up");
    }
    let key = format!("cause-{}.fix", verdict.cause.name());
    let apart = format!("{key}-{}", verdict.whose_move.name());
    let mut paragraph = text(language, &key);
    if has(language, &apart) {
        paragraph = sentences(&[paragraph, text(language, &apart)], language);
    }
    paragraph
}

fn when_next(verdict: &Verdict, language: Language) -> String {
    match verdict.permanence {
        Permanence::Positive => String::new(),
        Permanence::Permanent => {
            let next = facts::next_step(verdict.cause, verdict.permanence);
            let named = (next == NextStep::GiveBack)
                .then(|| at_the_named_time(verdict, "when-anew", language));
            named.flatten().unwrap_or_else(|| text(language, &format!("when-next-{}", next.name())))
        }
        Permanence::Transient => when_transient(verdict, language),
    }
}

/// What the reply says about the time, else how long the cause tends to last.
fn when_transient(verdict: &Verdict, language: Language) -> String {
    at_the_named_time(verdict, "when", language)
        .unwrap_or_else(|| text(language, when_refused(verdict.cause)))
}

/// The sentence `key-after` or `key-at` where the reply names a time.
fn at_the_named_time(verdict: &Verdict, key: &str, language: Language) -> Option<String> {
    let (name, value, words) = match (verdict.retry_after, verdict.retry_at) {
        (Some(after), _) => ("after", "in", duration_from_now(after, language)),
        (None, Some(at)) => ("at", "at", clock_time(at)),
        (None, None) => return None,
    };
    Some(fill(language, &format!("{key}-{name}"), &[(value, words.into())]))
}

/// The text that says how long a transient refusal for `cause` tends to last.
pub(crate) const fn when_refused(cause: Cause) -> &'static str {
    match facts::pace(cause) {
        Pace::AtOnce => "when-at-once",
        Pace::Minutes => "when-minutes",
        Pace::Hours => "when-hours",
    }
}

/// A point in time for people, in UTC: `2026-11-23 23:50 UTC`.
fn clock_time(at: Timestamp) -> String {
    let full = at.to_string();
    let date = full.get(..10).unwrap_or(&full);
    let time = full.get(11..16).unwrap_or_default();
    format!("{date} {time} UTC")
}

fn evidence(verdict: &Verdict, language: Language) -> String {
    match verdict.evidence.text.trim() {
        "" => text(language, "evidence-first-digit"),
        words => quoted(words, language),
    }
}

/// Text in the language's quotation marks, without what would turn round the text behind it.
pub fn quoted(words: &str, language: Language) -> String {
    let words: String = words.chars().filter(|c| !turns_round(*c)).collect();
    fill(language, "quoted", &[("text", words.into())])
}

/// Whether it only sets the direction of the characters behind it (UAX #9 §2).
const fn turns_round(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The sources of the code and of the cause, each once.
fn source(verdict: &Verdict) -> String {
    let (_, _, of_cause) = facts::usual_codes(verdict.cause);
    let of_code = verdict.code.and_then(facts::of_code).map_or("", |row| row.source);
    let mut parts: Vec<&str> = of_code.split(", ").collect();
    parts.extend(of_cause.split(", "));
    sources_once(&parts)
}

/// Joins `RFC 5321 §4.2.3` and bare `§3.8` (of the RFC before) without saying one twice.
fn sources_once(parts: &[&str]) -> String {
    let mut known: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut rfc = "";
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let section = part.find('§').map_or("", |at| &part[at..]);
        let named = part[..part.len() - section.len()].trim();
        rfc = if named.is_empty() { rfc } else { named };
        match known.iter_mut().find(|(known, _)| *known == rfc) {
            Some((_, sections)) if !sections.contains(&section) => sections.push(section),
            Some(_) => {}
            None => known.push((rfc, vec![section])),
        }
    }
    let each = known.iter().map(|(rfc, sections)| format!("{rfc} {}", sections.join(", ")));
    each.map(|one| one.trim().to_owned()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "explain/tests.rs"]
mod tests;
