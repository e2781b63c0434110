//! The entries of the reference: what is known of one code, enhanced code, cause or
//! command, in the reader's language.
//!
//! A [`Topic`] names a thing, an [`Entry`] says what is known of it. Codes without an
//! entry of their own are read by their first digit, as RFC 5321 §4.3.2 asks for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::{Language, fill, has, text};
use crate::facts::{self, NextStep};
use crate::{Cause, Class, Code, EnhancedCode, Permanence, Scope, Stage, WhoseMove};

/// Something that has an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A basic code: `450`.
    Code(Code),
    /// An enhanced code: `4.2.0`.
    Enhanced(EnhancedCode),
    /// A cause: `greylisted`.
    Cause(Cause),
    /// A command or a moment of the session: `VRFY`.
    Command(Stage),
}

/// As it is written: `450`, `4.2.0`, `greylisted`, `VRFY`.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Code(code) => code.fmt(f),
            Topic::Enhanced(code) => code.fmt(f),
            Topic::Cause(cause) => cause.fmt(f),
            Topic::Command(stage) => stage.fmt(f),
        }
    }
}

/// Why a text names no topic; each holds the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSuchTopic {
    /// A number that SMTP does not use as a reply code.
    CodeOutsideSmtp(String),
    /// Shaped like an enhanced code, and none.
    NotEnhanced(String),
    /// Neither a code nor a cause nor a command.
    Unknown(String),
}

impl fmt::Display for NoSuchTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoSuchTopic::CodeOutsideSmtp(code) => write!(f, "there is no SMTP reply code `{code}`"),
            NoSuchTopic::NotEnhanced(code) => {
                write!(f, "there is no enhanced status code `{code}`")
            }
            NoSuchTopic::Unknown(text) => {
                write!(f, "`{text}` is no reply code, enhanced code, cause or SMTP command")
            }
        }
    }
}

impl std::error::Error for NoSuchTopic {}

impl NoSuchTopic {
    /// The same in the reader's language.
    pub fn in_words(&self, language: Language) -> String {
        let (key, given) = match self {
            NoSuchTopic::CodeOutsideSmtp(given) => ("no-such-code", given),
            NoSuchTopic::NotEnhanced(given) => ("no-such-enhanced-code", given),
            NoSuchTopic::Unknown(given) => ("no-such-topic", given),
        };
        fill(language, key, &[("given", given.as_str().into())])
    }
}

/// Reads a code, an enhanced code, a cause's name or a verb, in any case. The verbs of
/// RFC 821's SEND family are one entry.
impl FromStr for Topic {
    type Err = NoSuchTopic;
    fn from_str(text: &str) -> Result<Topic, NoSuchTopic> {
        let text = text.trim();
        let of_digits = |text: &str, dots: bool| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || (dots && b == b'.'))
        };
        if of_digits(text, false) {
            let code = text.parse().ok().filter(|_| text.len() == 3).and_then(Code::new);
            return code
                .map(Topic::Code)
                .ok_or_else(|| NoSuchTopic::CodeOutsideSmtp(text.to_owned()));
        }
        if of_digits(text, true) {
            let code = text.parse().map(Topic::Enhanced);
            return code.map_err(|_| NoSuchTopic::NotEnhanced(text.to_owned()));
        }
        named(text).ok_or_else(|| NoSuchTopic::Unknown(text.to_owned()))
    }
}

/// The cause or command of that name.
fn named(text: &str) -> Option<Topic> {
    let lower = text.to_ascii_lowercase().replace(['_', ' '], "-");
    if let Ok(cause) = lower.parse() {
        return Some(Topic::Cause(cause));
    }
    if matches!(lower.as_str(), "soml" | "saml") {
        return Some(Topic::Command(Stage::Send));
    }
    let is_named = |stage: &&Stage| slug(**stage) == lower;
    Stage::ALL.iter().find(is_named).copied().map(Topic::Command)
}

/// The name of a stage in keys and addresses: `vrfy`, `end-of-data`.
pub(crate) fn slug(stage: Stage) -> String {
    stage.name().to_ascii_lowercase().replace(' ', "-")
}

/// What is known of a topic, language apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The first digit's meaning; none where both occur, and for commands.
    pub class: Option<Class>,
    /// Whether the same may work later; none where that depends on the reply.
    pub permanence: Option<Permanence>,
    /// What it is about.
    pub scope: Scope,
    /// Whose move it is when it is heard.
    pub whose_move: WhoseMove,
    /// The commands that it may answer.
    pub answers: Vec<Stage>,
    /// The causes that commonly stand behind it.
    pub causes: Vec<Cause>,
    /// Basic codes that it is commonly seen with.
    pub codes: Vec<Code>,
    /// Enhanced codes that it is commonly seen with.
    pub enhanced_codes: Vec<EnhancedCode>,
    /// What a client does next; none for commands.
    pub next: Option<NextStep>,
    /// RFCs and sections.
    pub source: &'static str,
}

/// How to fix it, for one of those concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// For whom; none where it is the same for all.
    pub whom: Option<WhoseMove>,
    /// What to do.
    pub text: String,
}

/// The entry of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is the entry of.
    pub topic: Topic,
    /// The facts.
    pub facts: Facts,
    /// Its name: "Mailbox unavailable".
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// When one sees it.
    pub when_seen: String,
    /// How to fix it: for all first, then for some.
    pub how_to_fix: Vec<Remedy>,
}

/// Those for whom a remedy may stand apart, in the order of an entry.
pub(crate) const CONCERNED: [WhoseMove; 4] = [
    WhoseMove::Sender,
    WhoseMove::SenderPostmaster,
    WhoseMove::Recipient,
    WhoseMove::RecipientPostmaster,
];

/// The entry of `topic`.
pub fn entry(topic: Topic, language: Language) -> Entry {
    let key = key(topic);
    let advice = advice_key(topic, &key, language);
    Entry {
        topic,
        facts: facts_of(topic),
        name: text(language, &key),
        meaning: text(language, &format!("{key}.meaning")),
        when_seen: text(language, &format!("{advice}.when")),
        how_to_fix: remedies(&advice, language),
    }
}

/// Which message says when one sees it and how to fix it: its own, else that of the
/// commonest cause behind it; a positive enhanced code needs no remedy.
fn advice_key(topic: Topic, own: &str, language: Language) -> String {
    if has(language, &format!("{own}.fix")) {
        return own.to_owned();
    }
    match (topic, topic_causes(topic)) {
        (Topic::Enhanced(code), _) if code.class() == Class::Positive => "cause-delivered".into(),
        (_, [first, ..]) => format!("cause-{}", first.name()),
        _ => own.to_owned(),
    }
}

/// The causes behind an enhanced code; every other topic has advice of its own.
fn topic_causes(topic: Topic) -> &'static [Cause] {
    match topic {
        Topic::Enhanced(code) => facts::of_enhanced(code).map_or(&[], |row| row.causes),
        _ => &[],
    }
}

fn remedies(key: &str, language: Language) -> Vec<Remedy> {
    let mut remedies = vec![Remedy { whom: None, text: text(language, &format!("{key}.fix")) }];
    for whom in CONCERNED {
        let key = format!("{key}.fix-{}", whom.name());
        if has(language, &key) {
            remedies.push(Remedy { whom: Some(whom), text: text(language, &key) });
        }
    }
    remedies
}

/// The message of a topic in the texts; for codes without one, that of their first
/// digit or subject.
pub(crate) fn key(topic: Topic) -> String {
    match topic {
        Topic::Code(code) if facts::of_code(code).is_some() => format!("code-{code}"),
        Topic::Code(code) => format!("class-{}", code.value() / 100),
        Topic::Enhanced(code) if facts::of_enhanced(code).is_some() => {
            format!("enhanced-{}-{}", code.subject(), code.detail())
        }
        Topic::Enhanced(code) => format!("subject-{}", code.subject().min(8)),
        Topic::Cause(cause) => format!("cause-{}", cause.name()),
        Topic::Command(stage) => format!("command-{}", slug(stage)),
    }
}

fn facts_of(topic: Topic) -> Facts {
    match topic {
        Topic::Code(code) => facts_of_code(code),
        Topic::Enhanced(code) => facts_of_enhanced(code),
        Topic::Cause(cause) => facts_of_cause(cause),
        Topic::Command(stage) => facts_of_command(stage),
    }
}

fn facts_of_code(code: Code) -> Facts {
    let Some(row) = facts::of_code(code) else { return facts_of_class(code.class()) };
    let mut enhanced_codes = BTreeSet::new();
    for row in facts::ENHANCED.iter().filter(|row| row.codes.contains(&code)) {
        enhanced_codes.extend(EnhancedCode::new(digit(code.class()), row.number.0, row.number.1));
    }
    Facts {
        class: Some(code.class()),
        permanence: Some(facts::permanence_of(code.class())),
        scope: row.scope,
        whose_move: row.whose_move,
        answers: row.answers.to_vec(),
        causes: row.causes.to_vec(),
        codes: Vec::new(),
        enhanced_codes: enhanced_codes.into_iter().collect(),
        next: Some(row.next),
        source: row.source,
    }
}

/// What the first digit alone says (RFC 5321 §4.2.1).
fn facts_of_class(class: Class) -> Facts {
    let (whose_move, next) = match class {
        Class::Positive => (WhoseMove::Nobody, NextStep::GoOn),
        Class::Intermediate => (WhoseMove::SenderSoftware, NextStep::SendMore),
        Class::Transient => (WhoseMove::SenderSoftware, NextStep::RetryLater),
        Class::Permanent => (WhoseMove::SenderPostmaster, NextStep::GiveBack),
    };
    Facts {
        class: Some(class),
        permanence: Some(facts::permanence_of(class)),
        scope: Scope::Nothing,
        whose_move,
        answers: Vec::new(),
        causes: Vec::new(),
        codes: Vec::new(),
        enhanced_codes: Vec::new(),
        next: Some(next),
        source: "RFC 5321 §4.2.1, §4.3.2",
    }
}

fn facts_of_enhanced(code: EnhancedCode) -> Facts {
    let class = code.class();
    let plain = facts_of_class(class);
    let Some(row) = facts::of_enhanced(code) else {
        return Facts { source: "RFC 3463 §2", ..plain };
    };
    let permanence = facts::permanence_of(class);
    let cause = row.causes.first().copied().unwrap_or(Cause::Unknown);
    let codes: Vec<Code> = row.codes.iter().copied().filter(|code| code.class() == class).collect();
    Facts {
        scope: row.scope,
        whose_move: if class == Class::Positive { WhoseMove::Nobody } else { row.whose_move },
        answers: answers_of(&codes),
        causes: row.causes.to_vec(),
        codes,
        next: Some(facts::next_step(cause, permanence)),
        source: row.source,
        ..plain
    }
}

fn facts_of_cause(cause: Cause) -> Facts {
    let (basic, enhanced, source) = facts::usual_codes(cause);
    let codes: Vec<Code> = basic.iter().copied().filter_map(Code::new).collect();
    let enhanced_codes: Vec<EnhancedCode> =
        enhanced.iter().filter_map(|code| code.parse().ok()).collect();
    let class = class_of_all(&codes, &enhanced_codes);
    let permanence = class.map(facts::permanence_of);
    Facts {
        class,
        permanence,
        scope: cause.scope(),
        whose_move: cause.whose_move(),
        answers: answers_of(&codes),
        causes: Vec::new(),
        codes,
        enhanced_codes,
        next: permanence.map(|permanence| facts::next_step(cause, permanence)),
        source,
    }
}

/// The class that all the codes share.
fn class_of_all(codes: &[Code], enhanced: &[EnhancedCode]) -> Option<Class> {
    let mut classes: Vec<Class> = codes.iter().map(|code| code.class()).collect();
    classes.extend(enhanced.iter().map(|code| code.class()));
    let first = *classes.first()?;
    classes.iter().all(|class| *class == first).then_some(first)
}

fn facts_of_command(stage: Stage) -> Facts {
    let codes = facts::CODES.iter().filter(|row| row.answers.contains(&stage));
    Facts {
        class: None,
        permanence: None,
        scope: Scope::Command,
        whose_move: WhoseMove::SenderSoftware,
        answers: Vec::new(),
        causes: Vec::new(),
        codes: codes.map(|row| row.code).collect(),
        enhanced_codes: Vec::new(),
        next: None,
        source: facts::command_source(stage),
    }
}

/// The commands that any of `codes` may answer, in the order of a session.
fn answers_of(codes: &[Code]) -> Vec<Stage> {
    let rows = codes.iter().filter_map(|code| facts::of_code(*code));
    let stages: BTreeSet<Stage> = rows.flat_map(|row| row.answers.iter().copied()).collect();
    stages.into_iter().collect()
}

const fn digit(class: Class) -> u8 {
    class as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_in_any_case_and_written_back() {
        for (text, written) in [
            ("450", "450"),
            ("4.2.0", "4.2.0"),
            (" Greylisted ", "greylisted"),
            ("vrfy", "VRFY"),
            ("SAML", "SEND"),
            ("end of data", "end of data"),
            ("mailbox_full", "mailbox-full"),
        ] {
            assert_eq!(text.parse::<Topic>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_topic_is_told_apart() {
        let error = |text: &str| text.parse::<Topic>().unwrap_err();
        for text in ["999", "101", "45", "4500", "99999999999999999999"] {
            assert_eq!(error(text), NoSuchTopic::CodeOutsideSmtp(text.into()));
        }
        for text in ["3.1.1", "4.2", "4..0", "."] {
            assert_eq!(error(text), NoSuchTopic::NotEnhanced(text.into()));
        }
        for text in ["", "gremlins", "450 4.2.0", "é"] {
            assert_eq!(error(text), NoSuchTopic::Unknown(text.into()));
        }
    }

    #[test]
    fn a_code_without_an_entry_is_read_by_its_first_digit() {
        let unknown = entry("599".parse().unwrap(), Language::En);
        assert_eq!(unknown.facts.permanence, Some(Permanence::Permanent));
        assert!(!unknown.meaning.is_empty());
        let unregistered = entry("4.7.500".parse().unwrap(), Language::En);
        assert_eq!(unregistered.facts.permanence, Some(Permanence::Transient));
    }
}
