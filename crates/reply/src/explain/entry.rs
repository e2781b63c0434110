//! The entries of the reference: what is known of one code, enhanced code, cause or
//! command, in the reader's language.
//!
//! A [`Topic`] names a thing, an [`Entry`] says what is known of it. Codes without an
//! entry of their own are read by their first digit, as RFC 5321 §4.3.2 asks for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::dialog::{self, Line};
use super::refusal::{self, Refusal};
use super::wording::{self, Wording};
use super::{Language, fill, has, quoted, text, when_refused};
use crate::facts::field::{self, Foreign};
use crate::facts::keyword::{Keyword, KeywordFacts};
use crate::facts::provider;
use crate::facts::role::{self, Offered, Purpose, Role};
use crate::facts::{self, CodeFacts, NextStep};
use crate::{Cause, Class, Code, EnhancedCode, Permanence, Scope, Stage, WhoseMove};

/// Something that has an entry; read from a text, in any case.
///
/// ```
/// use reply::{Cause, Topic};
///
/// assert_eq!("greylisted".parse(), Ok(Topic::Cause(Cause::Greylisted)));
/// assert_eq!("x.2.2".parse::<Topic>()?.to_string(), "X.2.2");
/// assert!("620".parse::<Topic>().is_err());
/// # Ok::<(), reply::explain::entry::NoSuchTopic>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A basic code: `450`.
    Code(Code),
    /// An enhanced code: `4.2.0`.
    Enhanced(EnhancedCode),
    /// Many enhanced codes: `4.X.X`, `X.1.X`, `X.2.2`.
    Pattern(Pattern),
    /// A cause: `greylisted`.
    Cause(Cause),
    /// A command or a moment of the session: `VRFY`.
    Command(Stage),
    /// A keyword of EHLO that is no command: `PIPELINING`.
    Keyword(Keyword),
    /// A number that is shown like a code and is none: `101`.
    Foreign(Foreign),
}

impl Topic {
    /// What is known of a command as one, if it is.
    pub fn role(self) -> Option<Role> {
        match self {
            Topic::Command(stage) => role::of_command(stage),
            _ => None,
        }
    }

    /// What is known of a keyword of EHLO, if it is one.
    pub fn keyword(self) -> Option<&'static KeywordFacts> {
        match self {
            Topic::Keyword(keyword) => Some(keyword.facts()),
            _ => None,
        }
    }

    /// What a command or keyword is for.
    pub fn purpose(self) -> Option<Purpose> {
        let of_keyword = || self.keyword().map(|keyword| keyword.purpose);
        self.role().map(|role| role.purpose).or_else(of_keyword)
    }

    /// Who offers a command or keyword.
    pub fn offered(self) -> Option<Offered> {
        let of_keyword = || self.keyword().map(|keyword| keyword.offered);
        self.role().map(|role| role.offered).or_else(of_keyword)
    }
}

/// Enhanced codes that share some of their numbers; what they do not share is `X`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    class: Option<Class>,
    subject: Option<u16>,
    detail: Option<u16>,
}

impl Pattern {
    /// Every code of a class: `4.X.X`.
    pub const fn of_class(class: Class) -> Pattern {
        Pattern { class: Some(class), subject: None, detail: None }
    }

    /// Every code of a subject: `X.1.X`.
    pub const fn of_subject(subject: u16) -> Pattern {
        Pattern { class: None, subject: Some(subject), detail: None }
    }

    /// Subject and detail under any class: `X.2.2`.
    pub const fn of_number(subject: u16, detail: u16) -> Pattern {
        Pattern { class: None, subject: Some(subject), detail: Some(detail) }
    }

    /// Reads `4.X.X`, `x.1.x`, `X.2.2`: three parts, one an X at least. A detail means
    /// nothing without its subject.
    fn parse(text: &str) -> Option<Pattern> {
        let mut parts = text.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |part: &str| match part {
            "x" | "X" => Some(None),
            _ => part.parse::<u16>().ok().filter(|number| *number <= 999).map(Some),
        };
        let class = match number(class)? {
            None => None,
            Some(2) => Some(Class::Positive),
            Some(4) => Some(Class::Transient),
            Some(5) => Some(Class::Permanent),
            Some(_) => return None,
        };
        let (subject, detail) = (number(subject)?, number(detail)?);
        let whole = class.is_some() && subject.is_some() && detail.is_some();
        let says_nothing = class.is_none() && subject.is_none();
        let is_one = parts.next().is_none() && !whole && !says_nothing;
        let detail_alone = detail.is_some() && subject.is_none();
        (is_one && !detail_alone).then_some(Pattern { class, subject, detail })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |number: Option<u16>| number.map_or("X".to_owned(), |n| n.to_string());
        let class = part(self.class.map(|class| class as u16));
        write!(f, "{class}.{}.{}", part(self.subject), part(self.detail))
    }
}

/// As it is written: `450`, `4.2.0`, `greylisted`, `VRFY`.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Code(code) => code.fmt(f),
            Topic::Enhanced(code) => code.fmt(f),
            Topic::Pattern(pattern) => pattern.fmt(f),
            Topic::Cause(cause) => cause.fmt(f),
            Topic::Command(stage) => stage.fmt(f),
            Topic::Keyword(keyword) => keyword.fmt(f),
            Topic::Foreign(number) => number.value().fmt(f),
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
    /// What is wrong in a short sentence in the reader's language, what was given in backticks.
    pub fn in_short(&self, language: Language) -> String {
        let (name, given) = match self {
            NoSuchTopic::CodeOutsideSmtp(given) => ("no-code", given),
            NoSuchTopic::NotEnhanced(given) => ("no-enhanced-code", given),
            NoSuchTopic::Unknown(given) => ("no-topic", given),
        };
        super::cli(language, name, &[("given", &format!("`{given}`"))])
    }

    /// The same with what there is, in the reader's language.
    pub fn in_words(&self, language: Language) -> String {
        let (key, given) = match self {
            NoSuchTopic::CodeOutsideSmtp(given) => ("no-such-code", given),
            NoSuchTopic::NotEnhanced(given) => ("no-such-enhanced-code", given),
            NoSuchTopic::Unknown(given) => ("no-such-topic", given),
        };
        fill(language, key, &[("given", given.as_str().into())])
    }

    /// The same, and which subcommands list what there is.
    pub fn at_a_prompt(&self, language: Language) -> String {
        let told = self.in_words(language);
        match self {
            NoSuchTopic::Unknown(_) => {
                super::sentences(&[told, text(language, "no-such-topic-listed")], language)
            }
            NoSuchTopic::CodeOutsideSmtp(_) | NoSuchTopic::NotEnhanced(_) => told,
        }
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
            let number = text.parse().ok().filter(|_| text.len() == 3);
            let code = number.and_then(Code::new).map(Topic::Code);
            return code
                .or_else(|| number.and_then(Foreign::new).map(Topic::Foreign))
                .ok_or_else(|| NoSuchTopic::CodeOutsideSmtp(text.to_owned()));
        }
        if of_digits(text, true) {
            let code = text.parse().map(Topic::Enhanced);
            return code.map_err(|_| NoSuchTopic::NotEnhanced(text.to_owned()));
        }
        let pattern = Pattern::parse(text).map(Topic::Pattern);
        pattern.or_else(|| named(text)).ok_or_else(|| NoSuchTopic::Unknown(text.to_owned()))
    }
}

/// The cause, command or keyword of that name.
fn named(text: &str) -> Option<Topic> {
    let lower = text.to_ascii_lowercase().replace(['_', ' '], "-");
    if let Ok(cause) = lower.parse() {
        return Some(Topic::Cause(cause));
    }
    if matches!(lower.as_str(), "soml" | "saml") {
        return Some(Topic::Command(Stage::Send));
    }
    let is_named = |stage: &&Stage| slug(**stage) == lower;
    let command = Stage::ALL.iter().find(is_named).copied().map(Topic::Command);
    command.or_else(|| Keyword::named(text).map(Topic::Keyword))
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
    /// Whether a specification defines it.
    pub specified: bool,
    /// RFCs and sections; for what no specification defines, who was seen to use it.
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
    /// When the next attempt makes sense; empty where none is needed, or where it depends.
    pub when_next: String,
    /// What a provider means by it, where that is not what the registry says.
    pub provider: Option<ProviderUse>,
    /// What some refusals mean for a command or a keyword.
    pub refusals: Vec<Refusal>,
    /// How servers say it.
    pub wordings: Vec<Wording>,
    /// A dialog with it.
    pub example: Vec<Line>,
    /// Where it is written, or who was seen to use it.
    pub source: String,
}

/// What one provider means by a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUse {
    /// Who.
    pub who: &'static str,
    /// What it means there.
    pub meaning: String,
    /// The causes behind it there.
    pub causes: &'static [Cause],
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
    let facts = facts_of(topic);
    let advice = advice_key(topic, language);
    Entry {
        name: name(topic, language),
        meaning: meaning(topic, language),
        when_seen: text(language, &format!("{advice}.when")),
        how_to_fix: how_to_fix(topic, &facts, &advice, language),
        when_next: when_next(topic, &facts, language),
        provider: provider_use(topic, language),
        refusals: refusal::of(topic, language),
        wordings: wording::of(topic),
        example: dialog::of(topic, &facts),
        source: source(&facts, language),
        topic,
        facts,
    }
}

/// A topic as a sentence names it: codes, verbs and keywords as they are written; what has
/// no more than a name in the reader's language, by that in quotation marks.
pub fn topic_in_words(topic: Topic, language: Language) -> String {
    if matches!(topic, Topic::Cause(_)) || is_a_moment(topic) {
        quoted(&name(topic, language), language)
    } else {
        topic.to_string()
    }
}

/// A topic as a heading or a list names it: as it is written, but for the moments of a
/// session that no command stands for, which have a name in the reader's language.
pub fn topic_label(topic: Topic, language: Language) -> String {
    if is_a_moment(topic) { name(topic, language) } else { topic.to_string() }
}

/// The topic that `text` names, as it is written or by the name that lists show.
///
/// # Errors
/// That of reading a topic, where it is neither.
pub fn topic_named(text: &str, language: Language) -> Result<Topic, NoSuchTopic> {
    let moments = Stage::ALL.iter().map(|stage| Topic::Command(*stage)).filter(|t| is_a_moment(*t));
    let named = |topic: &Topic| name(*topic, language).to_lowercase() == text.trim().to_lowercase();
    text.parse().or_else(|error| moments.into_iter().find(named).ok_or(error))
}

/// Whether it is a moment that a reply may stand at, and no command.
fn is_a_moment(topic: Topic) -> bool {
    matches!(topic, Topic::Command(Stage::Connection | Stage::EndOfData | Stage::Unrecognized))
}

fn name(topic: Topic, language: Language) -> String {
    match stands_for(topic) {
        Some(enhanced) => text(language, &key(Topic::Enhanced(enhanced))),
        None => text(language, &key(topic)),
    }
}

/// The enhanced code that a basic one is written for without its dots.
fn stands_for(topic: Topic) -> Option<EnhancedCode> {
    match topic {
        Topic::Code(code) => field::shorthand_of(code),
        _ => None,
    }
}

fn meaning(topic: Topic, language: Language) -> String {
    let Some(enhanced) = stands_for(topic) else {
        return text(language, &format!("{}.meaning", key(topic)));
    };
    let of_enhanced = text(language, &format!("{}.meaning", key(Topic::Enhanced(enhanced))));
    let values = [
        ("code", topic.to_string().into()),
        ("enhanced", enhanced.to_string().into()),
        ("meaning", of_enhanced.into()),
    ];
    fill(language, "field-shorthand", &values)
}

/// Which message says when one sees it and how to fix it: its own, else that of the
/// commonest cause behind it; a positive enhanced code needs no remedy.
fn advice_key(topic: Topic, language: Language) -> String {
    let own = key(stands_for(topic).map_or(topic, Topic::Enhanced));
    if has(language, &format!("{own}.fix")) {
        return own;
    }
    match (topic, facts_of(topic).causes.first()) {
        (Topic::Enhanced(code), _) if code.class() == Class::Positive => "cause-delivered".into(),
        (_, Some(first)) => format!("cause-{}", first.name()),
        _ => own,
    }
}

fn when_next(topic: Topic, facts: &Facts, language: Language) -> String {
    match (facts.permanence, facts.next) {
        (None, _) if matches!(topic, Topic::Pattern(_)) && facts.causes != [Cause::Delivered] => {
            text(language, "when-next-by-class")
        }
        (Some(Permanence::Transient), _) => {
            let cause = facts.causes.first().copied().unwrap_or(Cause::Unknown);
            text(language, when_refused(cause))
        }
        (Some(Permanence::Permanent), Some(next)) => {
            text(language, &format!("when-next-{}", next.name()))
        }
        _ => String::new(),
    }
}

fn provider_use(topic: Topic, language: Language) -> Option<ProviderUse> {
    let Topic::Enhanced(code) = topic else { return None };
    // Where the registry knows nothing, the provider's meaning is the entry's own.
    let row = provider::of_provider(code).filter(|_| facts::of_enhanced(code).is_some())?;
    let meaning = text(language, &format!("provider-{}.meaning", row.id));
    Some(ProviderUse { who: row.who, meaning, causes: row.causes })
}

fn source(facts: &Facts, language: Language) -> String {
    match (facts.specified, facts.source) {
        (true, source) => source.to_owned(),
        (false, "") => text(language, "source-field"),
        (false, who) => fill(language, "source-field-with", &[("who", who.into())]),
    }
}

/// What the message `advice` says; where that is to wait and the refusal is for good, what is
/// left to do then.
fn how_to_fix(topic: Topic, facts: &Facts, advice: &str, language: Language) -> Vec<Remedy> {
    let mut remedies = remedies(advice, language);
    let waits = facts.causes.first().is_some_and(|cause| {
        cause.passes_by_itself() && advice == format!("cause-{}", cause.name())
    });
    let for_good = facts.permanence == Some(Permanence::Permanent);
    if waits && for_good && matches!(topic, Topic::Enhanced(_)) {
        remedies[0].text = text(language, "fix-gave-up");
    }
    remedies
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
        Topic::Code(code) if field::of_field_code(code).is_some() => format!("field-{code}"),
        Topic::Code(code) => format!("class-{}", code.value() / 100),
        Topic::Enhanced(code) => key_of_enhanced(code),
        Topic::Pattern(Pattern { subject: Some(subject), detail: Some(detail), .. })
            if facts::of_number(subject, detail).is_some() =>
        {
            format!("enhanced-{subject}-{detail}")
        }
        Topic::Pattern(Pattern { subject: Some(subject), .. }) => {
            format!("enhanced-subject-{}", subject.min(8))
        }
        Topic::Pattern(Pattern { class, .. }) => {
            format!("enhanced-class-{}", class.map_or(5, |class| class as u16))
        }
        Topic::Cause(cause) => format!("cause-{}", cause.name()),
        Topic::Command(stage) => format!("command-{}", slug(stage)),
        Topic::Keyword(keyword) => format!("keyword-{}", keyword.name().to_ascii_lowercase()),
        Topic::Foreign(number) => format!("foreign-{}", number.value()),
    }
}

fn key_of_enhanced(code: EnhancedCode) -> String {
    if facts::of_enhanced(code).is_some() {
        return format!("enhanced-{}-{}", code.subject(), code.detail());
    }
    match provider::of_provider(code) {
        Some(row) => format!("provider-{}", row.id),
        None => format!("subject-{}", code.subject().min(8)),
    }
}

fn facts_of(topic: Topic) -> Facts {
    match topic {
        Topic::Code(code) => facts_of_code(code),
        Topic::Enhanced(code) => facts_of_enhanced(code),
        Topic::Pattern(pattern) => facts_of_pattern(pattern),
        Topic::Cause(cause) => facts_of_cause(cause),
        Topic::Command(stage) => facts_of_command(stage),
        Topic::Keyword(keyword) => facts_of_keyword(keyword),
        Topic::Foreign(number) => facts_of_foreign(number),
    }
}

fn facts_of_code(code: Code) -> Facts {
    if let Some(enhanced) = field::shorthand_of(code) {
        return Facts {
            codes: Vec::new(),
            enhanced_codes: vec![enhanced],
            specified: false,
            source: "",
            ..facts_of_enhanced(enhanced)
        };
    }
    match (facts::of_code(code), field::of_field_code(code)) {
        (Some(row), _) => facts_of_row(row, true),
        (None, Some(row)) => facts_of_row(row, false),
        (None, None) => facts_of_class(code.class()),
    }
}

fn facts_of_row(row: &CodeFacts, specified: bool) -> Facts {
    let class = row.code.class();
    let mut enhanced_codes = BTreeSet::new();
    for enhanced in facts::ENHANCED.iter().filter(|other| other.codes.contains(&row.code)) {
        let (subject, detail) = enhanced.number;
        enhanced_codes.extend(EnhancedCode::new(digit(class), subject, detail));
    }
    Facts {
        class: Some(class),
        permanence: Some(facts::permanence_of(class)),
        scope: row.scope,
        whose_move: row.whose_move,
        answers: row.answers.to_vec(),
        causes: row.causes.to_vec(),
        codes: Vec::new(),
        enhanced_codes: enhanced_codes.into_iter().collect(),
        next: Some(row.next),
        specified,
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
        specified: true,
        source: "RFC 5321 §4.2.1, §4.3.2",
    }
}

fn facts_of_enhanced(code: EnhancedCode) -> Facts {
    let class = code.class();
    let plain = facts_of_class(class);
    let Some(row) = facts::of_enhanced(code) else {
        return facts_of_unregistered(code, plain);
    };
    let permanence = facts::permanence_of(class);
    // What passes by itself is seldom refused for good.
    let mut causes = row.causes.to_vec();
    causes.sort_by_key(|cause| class == Class::Permanent && cause.passes_by_itself());
    let cause = causes.first().copied().unwrap_or(Cause::Unknown);
    let codes: Vec<Code> = row.codes.iter().copied().filter(|code| code.class() == class).collect();
    Facts {
        scope: row.scope,
        whose_move: match class {
            Class::Positive => WhoseMove::Nobody,
            Class::Transient if cause.passes_by_itself() => WhoseMove::SenderSoftware,
            Class::Permanent
                if cause.passes_by_itself() && row.whose_move == WhoseMove::SenderSoftware =>
            {
                WhoseMove::Sender
            }
            _ => row.whose_move,
        },
        answers: answers_of(&codes),
        causes,
        codes,
        next: Some(facts::next_step(cause, permanence)),
        source: row.source,
        ..plain
    }
}

/// A code outside the registry: a provider's own, or nobody's.
fn facts_of_unregistered(code: EnhancedCode, plain: Facts) -> Facts {
    let Some(row) = provider::of_provider(code) else {
        return Facts { source: "RFC 3463 §2", ..plain };
    };
    let cause = row.causes.first().copied().unwrap_or(Cause::Unknown);
    Facts {
        scope: cause.scope(),
        whose_move: cause.whose_move(),
        answers: answers_of(row.codes),
        causes: row.causes.to_vec(),
        codes: row.codes.to_vec(),
        next: Some(facts::next_step(cause, facts::permanence_of(code.class()))),
        specified: false,
        source: row.who,
        ..plain
    }
}

/// The enhanced code of a pattern under the class that it is mostly seen with, and its facts;
/// nothing for a pattern of several.
pub(super) fn usual(pattern: Pattern) -> Option<(EnhancedCode, Facts)> {
    let (subject, detail) = (pattern.subject?, pattern.detail?);
    let row = facts::of_number(subject, detail)?;
    let class = match row.causes.first() {
        Some(Cause::Delivered) => Class::Positive,
        Some(cause) if cause.passes_by_itself() => Class::Transient,
        _ => Class::Permanent,
    };
    let code = EnhancedCode::new(digit(class), subject, detail)?;
    Some((code, facts_of_enhanced(code)))
}

/// What many enhanced codes share.
fn facts_of_pattern(pattern: Pattern) -> Facts {
    let shared = pattern.class.map(facts_of_class);
    let row = match (pattern.subject, pattern.detail) {
        (Some(subject), Some(detail)) => facts::of_number(subject, detail),
        _ => None,
    };
    Facts {
        class: pattern.class,
        permanence: pattern.class.map(facts::permanence_of),
        scope: row.map_or(Scope::Nothing, |row| row.scope),
        whose_move: match (row, &shared) {
            (Some(row), _) => row.whose_move,
            (None, Some(shared)) => shared.whose_move,
            (None, None) => WhoseMove::SenderPostmaster,
        },
        answers: row.map_or_else(Vec::new, |row| answers_of(row.codes)),
        causes: row.map_or_else(Vec::new, |row| row.causes.to_vec()),
        codes: row.map_or_else(Vec::new, |row| row.codes.to_vec()),
        enhanced_codes: Vec::new(),
        next: shared.and_then(|shared| shared.next),
        specified: true,
        source: row.map_or("RFC 3463 §2, RFC 5248", |row| row.source),
    }
}

fn facts_of_keyword(keyword: Keyword) -> Facts {
    let source = keyword.facts().source;
    Facts {
        specified: source.starts_with("RFC"),
        answers: Vec::new(),
        codes: Vec::new(),
        source,
        ..facts_of_command(Stage::Ehlo)
    }
}

fn facts_of_foreign(number: Foreign) -> Facts {
    let row = number.facts();
    let permanence = match row.next {
        NextStep::GiveBack => Permanence::Permanent,
        _ => Permanence::Transient,
    };
    Facts {
        class: None,
        permanence: Some(permanence),
        scope: row.scope,
        whose_move: row.whose_move,
        answers: Vec::new(),
        causes: row.cause.into_iter().collect(),
        codes: Vec::new(),
        enhanced_codes: Vec::new(),
        next: Some(row.next),
        specified: false,
        source: row.source,
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
        specified: true,
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
        specified: true,
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
            ("pipelining", "PIPELINING"),
            ("x.2.2", "X.2.2"),
            ("4.x.x", "4.X.X"),
            ("101", "101"),
        ] {
            assert_eq!(text.parse::<Topic>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_topic_is_told_apart() {
        let error = |text: &str| text.parse::<Topic>().unwrap_err();
        for text in ["999", "102", "45", "4500", "99999999999999999999"] {
            assert_eq!(error(text), NoSuchTopic::CodeOutsideSmtp(text.into()));
        }
        for text in ["3.1.1", "4.2", "4..0", "."] {
            assert_eq!(error(text), NoSuchTopic::NotEnhanced(text.into()));
        }
        for text in ["", "gremlins", "450 4.2.0", "é", "X.X.X", "3.X.X", "X.X.1", "4.X.X.X"] {
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
