//! In what two entries are compared, and which value each has: from the facts alone. An
//! aspect that one of the two does not have is not told.

use super::{list, stage_in_words};
use crate::explain::Language;
use crate::explain::entry::{Entry, Facts, Topic};
use crate::facts::{self, NextStep};
use crate::{Code, Permanence, Stage};

/// What two entries are compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// Transient or permanent.
    Permanence,
    /// Wait or change something.
    Action,
    /// About a mailbox, a command, the message, the session, the host.
    Scope,
    /// Whose move it is.
    WhoseMove,
    /// Which commands it may answer.
    Answers,
    /// What a client does next.
    Next,
    /// What a command or keyword is for.
    Purpose,
    /// When a command may come.
    Moment,
    /// What a command does to session and transaction.
    Effect,
    /// What a client does otherwise because of a keyword.
    Change,
    /// The command and the parameters that a keyword adds.
    Adds,
    /// Who offers it.
    Offered,
    /// How firmly a command belongs to SMTP.
    Standing,
    /// Which codes may answer a command.
    Replies,
    /// Where a command or keyword is specified.
    Source,
}

impl Aspect {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Aspect::Permanence => "permanence",
            Aspect::Action => "action",
            Aspect::Scope => "scope",
            Aspect::WhoseMove => "whose-move",
            Aspect::Answers => "answers",
            Aspect::Next => "next",
            Aspect::Purpose => "purpose",
            Aspect::Moment => "moment",
            Aspect::Effect => "effect",
            Aspect::Change => "change",
            Aspect::Adds => "adds",
            Aspect::Offered => "offered",
            Aspect::Standing => "standing",
            Aspect::Replies => "replies",
            Aspect::Source => "source",
        }
    }
}

/// A value of an aspect.
pub(super) struct Value {
    /// The name of the fact, as in JSON.
    pub(super) name: String,
    /// Which sentence says it.
    pub(super) word: &'static str,
    /// The codes, commands or parameters that the sentence lists, if it does.
    pub(super) list: String,
    /// Whether there is anything to say: all replies of HELO are replies of EHLO, too.
    pub(super) is_told: bool,
}

impl Value {
    fn named(name: &'static str) -> Value {
        Value { name: name.to_owned(), word: name, list: String::new(), is_told: true }
    }

    fn listed(name: String, word: &'static str, list: String) -> Value {
        Value { name, word, list, is_told: true }
    }
}

/// The aspects that both have, the weightiest first.
pub(super) fn aspects(a: &Entry, b: &Entry, language: Language) -> Vec<(Aspect, Value, Value)> {
    const ASPECTS: [(Aspect, Of); 15] = [
        (Aspect::Permanence, permanence),
        (Aspect::Action, action),
        (Aspect::Scope, scope),
        (Aspect::WhoseMove, whose_move),
        (Aspect::Answers, answers),
        (Aspect::Next, next),
        (Aspect::Purpose, purpose),
        (Aspect::Moment, moment),
        (Aspect::Effect, effect),
        (Aspect::Change, change),
        (Aspect::Adds, adds),
        (Aspect::Offered, offered),
        (Aspect::Standing, standing),
        (Aspect::Replies, replies),
        (Aspect::Source, source),
    ];
    let both =
        |(aspect, of): &(Aspect, Of)| Some((*aspect, of(a, b, language)?, of(b, a, language)?));
    ASPECTS.iter().filter_map(both).collect()
}

/// The value of an entry, beside another.
type Of = fn(&Entry, &Entry, Language) -> Option<Value>;

/// Whether it is something that is used, and not said: a command or a keyword.
pub(super) const fn is_used(entry: &Entry) -> bool {
    matches!(entry.topic, Topic::Command(_) | Topic::Keyword(_))
}

fn permanence(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    if is_used(entry) {
        return None;
    }
    Some(Value::named(entry.facts.permanence.map_or("either", Permanence::name)))
}

/// Wait, change something, or nothing of both.
fn action(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    let name = match entry.facts.next? {
        NextStep::RetryLater | NextStep::ReconnectLater => "wait",
        NextStep::GoOn | NextStep::SendMore | NextStep::Close => "nothing",
        _ => "change",
    };
    Some(Value::named(name))
}

fn scope(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    (!is_used(entry)).then(|| Value::named(entry.facts.scope.name()))
}

fn whose_move(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    (!is_used(entry)).then(|| Value::named(entry.facts.whose_move.name()))
}

fn answers(entry: &Entry, _: &Entry, language: Language) -> Option<Value> {
    let Facts { answers, .. } = &entry.facts;
    if answers.is_empty() {
        return None;
    }
    if answers.len() == Stage::ALL.len() {
        return Some(Value::named("any"));
    }
    let words: Vec<String> = answers.iter().map(|stage| stage_in_words(*stage, language)).collect();
    let names = answers.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(" ");
    Some(Value::listed(names, "some", list(&words, language)))
}

fn next(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.facts.next?.name()))
}

fn purpose(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.topic.purpose()?.name()))
}

fn moment(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.topic.role()?.moment.name()))
}

fn effect(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.topic.role()?.effect.name()))
}

fn change(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.topic.keyword()?.change.name()))
}

fn adds(entry: &Entry, _: &Entry, language: Language) -> Option<Value> {
    let keyword = entry.topic.keyword()?;
    let adds = keyword.adds();
    let word = match (keyword.verb, keyword.parameters) {
        ("", []) => return Some(Value::named("nothing")),
        (_, []) => "command",
        _ => "some",
    };
    Some(Value::listed(adds.join(", "), word, list(&adds, language)))
}

fn offered(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.topic.offered()?.name()))
}

fn standing(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    match entry.topic {
        Topic::Command(stage) => Some(Value::named(facts::standing(stage).name())),
        Topic::Keyword(_) => Some(Value::named("keyword")),
        _ => None,
    }
}

/// The codes that may answer a command; listed are those that do not answer the other.
fn replies(entry: &Entry, other: &Entry, language: Language) -> Option<Value> {
    let Topic::Command(_) = entry.topic else { return None };
    let all: Vec<String> = entry.facts.codes.iter().map(Code::to_string).collect();
    let is_own = |code: &&Code| !other.facts.codes.contains(code);
    let own: Vec<String> = entry.facts.codes.iter().filter(is_own).map(Code::to_string).collect();
    let is_same = entry.facts.codes == other.facts.codes;
    let listed = if is_same { &all } else { &own };
    Some(Value {
        is_told: !listed.is_empty(),
        ..Value::listed(all.join(" "), "only", list(listed, language))
    })
}

fn source(entry: &Entry, _: &Entry, _: Language) -> Option<Value> {
    let source = entry.facts.source;
    let word = if entry.facts.specified { "specified" } else { "own" };
    is_used(entry).then(|| Value::listed(source.to_owned(), word, source.to_owned()))
}
