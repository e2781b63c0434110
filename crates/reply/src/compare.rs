//! Two entries side by side, with the differences that matter. What differs is computed
//! from the facts; how it is said stands in the texts.
//!
//! Each aspect has one sentence per value (`says-permanence-transient`) and one for both
//! (`.both`), so that any two values make sentences that a person would write.

use crate::explain::entry::{Entry, Facts, Topic, entry};
use crate::explain::{Language, enumerated, fill, scope_in_words, sentences, text};
use crate::facts::{self, NextStep};
use crate::{Permanence, Stage};

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
    /// How firmly a command belongs to SMTP.
    Standing,
    /// Which codes may answer a command.
    Replies,
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
            Aspect::Standing => "standing",
            Aspect::Replies => "replies",
        }
    }
}

/// One aspect in which the two differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub aspect: Aspect,
    /// The aspect's heading.
    pub label: String,
    /// The value of the first: the name of the fact, as in JSON.
    pub a: String,
    /// The value of the second.
    pub b: String,
    /// Both in words.
    pub sentence: String,
}

/// Two entries, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The first entry.
    pub a: Entry,
    /// The second entry.
    pub b: Entry,
    /// Where they are one and the same, or have nothing to tell apart: that, in words.
    pub remark: Option<String>,
    /// The differences, the weightiest first.
    pub differences: Vec<Difference>,
    /// What they have in common, in sentences.
    pub in_common: Vec<String>,
    /// When to use which, in sentences.
    pub when_to_use: Vec<String>,
}

/// Compares two topics.
pub fn compare(a: &Topic, b: &Topic, language: Language) -> Comparison {
    let (a, b) = (entry(*a, language), entry(*b, language));
    if a.topic == b.topic {
        let remark = fill(language, "compare-same", &[("it", a.topic.to_string().into())]);
        return Comparison {
            remark: Some(remark),
            differences: Vec::new(),
            in_common: Vec::new(),
            when_to_use: Vec::new(),
            a,
            b,
        };
    }
    let aspects = aspects(&a, &b, language);
    let differences: Vec<Difference> = aspects.iter().filter_map(Told::difference).collect();
    let alike = differences.is_empty() && !aspects.is_empty();
    let remark = relation(&a, &b, language)
        .or_else(|| relation(&b, &a, language))
        .or_else(|| alike.then(|| text(language, "compare-alike")));
    let in_common = aspects.iter().filter_map(Told::common).collect();
    let when_to_use = when_to_use(&a, &b, language);
    Comparison { remark, differences, in_common, when_to_use, a, b }
}

/// How a code stands to a command, or a code to a cause; both may be seen together.
fn relation(code: &Entry, other: &Entry, language: Language) -> Option<String> {
    let key = match (code.topic, other.topic) {
        (Topic::Code(code), Topic::Command(_)) if other.facts.codes.contains(&code) => {
            "relation-answers"
        }
        (Topic::Code(_), Topic::Command(_)) => "relation-answers-not",
        (Topic::Code(code), Topic::Cause(_)) if other.facts.codes.contains(&code) => {
            "relation-tells"
        }
        (Topic::Enhanced(code), Topic::Cause(_)) if other.facts.enhanced_codes.contains(&code) => {
            "relation-tells"
        }
        _ => return None,
    };
    let values =
        [("code", code.topic.to_string().into()), ("other", other.topic.to_string().into())];
    Some(fill(language, key, &values))
}

/// One aspect of both, told.
enum Told {
    Differs(Difference),
    Common(String),
}

impl Told {
    fn difference(&self) -> Option<Difference> {
        match self {
            Told::Differs(difference) => Some(difference.clone()),
            Told::Common(_) => None,
        }
    }

    fn common(&self) -> Option<String> {
        match self {
            Told::Common(sentence) => Some(sentence.clone()),
            Told::Differs(_) => None,
        }
    }
}

/// A value of an aspect: its name, and the command list where it is one.
struct Value {
    name: String,
    list: String,
}

impl Value {
    fn named(name: &str) -> Value {
        Value { name: name.to_owned(), list: String::new() }
    }
}

type Of = fn(&Entry, Language) -> Option<Value>;

fn aspects(a: &Entry, b: &Entry, language: Language) -> Vec<Told> {
    const ASPECTS: [(Aspect, Of); 8] = [
        (Aspect::Permanence, permanence),
        (Aspect::Action, action),
        (Aspect::Scope, scope),
        (Aspect::WhoseMove, whose_move),
        (Aspect::Answers, answers),
        (Aspect::Next, next),
        (Aspect::Standing, standing),
        (Aspect::Replies, replies),
    ];
    let told = ASPECTS.iter().filter_map(|(aspect, of)| {
        let (value_a, value_b) = (of(a, language)?, of(b, language)?);
        Some(tell(*aspect, (a, &value_a), (b, &value_b), language))
    });
    told.collect()
}

fn tell(aspect: Aspect, a: (&Entry, &Value), b: (&Entry, &Value), language: Language) -> Told {
    let key = |value: &Value| {
        let name = if value.list.is_empty() { &value.name } else { "some" };
        format!("says-{}-{name}", aspect.name())
    };
    let say = |key: &str, (entry, value): (&Entry, &Value)| {
        let it = entry.topic.to_string();
        fill(language, key, &[("it", it.into()), ("list", value.list.as_str().into())])
    };
    if a.1.name == b.1.name {
        return Told::Common(say(&format!("{}.both", key(a.1)), a));
    }
    Told::Differs(Difference {
        aspect,
        label: text(language, &format!("aspect-{}", aspect.name())),
        a: a.1.name.clone(),
        b: b.1.name.clone(),
        sentence: sentences(&[say(&key(a.1), a), say(&key(b.1), b)], language),
    })
}

/// Whether it is something that is used, and not said: a command or a keyword.
const fn is_used(entry: &Entry) -> bool {
    matches!(entry.topic, Topic::Command(_) | Topic::Keyword(_))
}

fn permanence(entry: &Entry, _: Language) -> Option<Value> {
    if is_used(entry) {
        return None;
    }
    Some(Value::named(entry.facts.permanence.map_or("either", Permanence::name)))
}

/// Wait, change something, or nothing of both.
fn action(entry: &Entry, _: Language) -> Option<Value> {
    let name = match entry.facts.next? {
        NextStep::RetryLater | NextStep::ReconnectLater => "wait",
        NextStep::GoOn | NextStep::SendMore | NextStep::Close => "nothing",
        _ => "change",
    };
    Some(Value::named(name))
}

fn scope(entry: &Entry, _: Language) -> Option<Value> {
    (!is_used(entry)).then(|| Value::named(entry.facts.scope.name()))
}

fn whose_move(entry: &Entry, _: Language) -> Option<Value> {
    (!is_used(entry)).then(|| Value::named(entry.facts.whose_move.name()))
}

fn answers(entry: &Entry, language: Language) -> Option<Value> {
    let Facts { answers, .. } = &entry.facts;
    if answers.is_empty() {
        return None;
    }
    if answers.len() == Stage::ALL.len() {
        return Some(Value::named("any"));
    }
    let names: Vec<String> = answers.iter().map(|stage| stage_in_words(*stage, language)).collect();
    Some(Value {
        name: answers.iter().map(|s| s.name()).collect::<Vec<_>>().join(" "),
        list: list(&names, language),
    })
}

fn next(entry: &Entry, _: Language) -> Option<Value> {
    Some(Value::named(entry.facts.next?.name()))
}

fn standing(entry: &Entry, _: Language) -> Option<Value> {
    match entry.topic {
        Topic::Command(stage) => Some(Value::named(facts::standing(stage).name())),
        Topic::Keyword(_) => Some(Value::named("keyword")),
        _ => None,
    }
}

/// The codes that may answer a command.
fn replies(entry: &Entry, language: Language) -> Option<Value> {
    let Topic::Command(_) = entry.topic else { return None };
    let codes: Vec<String> = entry.facts.codes.iter().map(ToString::to_string).collect();
    Some(Value { name: codes.join(" "), list: list(&codes, language) })
}

/// A verb as it is; the moments that are none, in words.
pub fn stage_in_words(stage: Stage, language: Language) -> String {
    match stage {
        Stage::Connection | Stage::EndOfData | Stage::Unrecognized => {
            text(language, &format!("stage-{}", stage.name().replace(' ', "-")))
        }
        verb => verb.name().to_owned(),
    }
}

/// "A, B and C".
pub fn list(items: &[String], language: Language) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => {
            let most = enumerated(most, language);
            fill(language, "list-end", &[("most", most.into()), ("last", last.as_str().into())])
        }
    }
}

/// First the question that decides between the two, then each one's own use.
fn when_to_use(a: &Entry, b: &Entry, language: Language) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(deciding_question(a, b, language));
    sentences.extend([a, b].map(|entry| own_use(entry, language)));
    sentences
}

fn deciding_question(a: &Entry, b: &Entry, language: Language) -> Option<String> {
    let negative = |entry: &Entry| entry.facts.permanence.filter(|p| *p != Permanence::Positive);
    let (first, second) = (negative(a)?, negative(b)?);
    let (name_a, name_b) = (a.topic.to_string(), b.topic.to_string());
    if a.facts.scope != b.facts.scope {
        let scope = |entry: &Entry| scope_in_words(entry.facts.scope, language);
        let values = [
            ("a", name_a.into()),
            ("b", name_b.into()),
            ("scope-a", scope(a).into()),
            ("scope-b", scope(b).into()),
        ];
        return Some(fill(language, "choose-by-scope", &values));
    }
    let (transient, permanent) = match (first, second) {
        (Permanence::Transient, Permanence::Permanent) => (name_a, name_b),
        (Permanence::Permanent, Permanence::Transient) => (name_b, name_a),
        _ => return None,
    };
    let values = [("transient", transient.into()), ("permanent", permanent.into())];
    Some(fill(language, "choose-by-permanence", &values))
}

/// When to say it, for basic codes; what it stands for, for all else.
fn own_use(entry: &Entry, language: Language) -> String {
    let said = match entry.topic {
        Topic::Code(code) if facts::of_code(code).is_some() => {
            text(language, &format!("code-{code}.use"))
        }
        _ => entry.meaning.clone(),
    };
    let values = [("it", entry.topic.to_string().into()), ("said", said.into())];
    fill(language, "use-of", &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(a: &str, b: &str, language: Language) -> Comparison {
        compare(&a.parse().unwrap(), &b.parse().unwrap(), language)
    }

    fn all_text(comparison: &Comparison) -> String {
        let mut text = Vec::new();
        text.extend(comparison.differences.iter().map(|one| one.sentence.clone()));
        text.extend(comparison.in_common.clone());
        text.extend(comparison.when_to_use.clone());
        text.join("\n")
    }

    #[test]
    fn locked_mailbox_and_missing_command_differ_in_every_aspect() {
        for language in Language::COMPLETE {
            let comparison = compared("450", "502", *language);
            let aspects: Vec<&str> =
                comparison.differences.iter().map(|one| one.aspect.name()).collect();
            assert_eq!(aspects, ["permanence", "action", "scope", "answers", "next"]);
            assert_eq!(comparison.remark, None);
        }
        let text = all_text(&compared("450", "502", Language::En));
        for fact in ["transient", "permanent", "wait", "change", "mailbox", "command"] {
            assert!(text.contains(fact), "{fact}: {text}");
        }
    }

    #[test]
    fn a_code_compared_with_itself_is_told_so() {
        for language in Language::COMPLETE {
            let comparison = compared("450", "450", *language);
            assert!(comparison.remark.is_some_and(|remark| remark.contains("450")));
            assert!(comparison.differences.is_empty());
        }
    }

    #[test]
    fn commands_differ_in_standing_and_replies_and_are_told_apart_from_codes() {
        let comparison = compared("MAIL", "TURN", Language::En);
        let aspects: Vec<&str> =
            comparison.differences.iter().map(|one| one.aspect.name()).collect();
        assert_eq!(aspects, ["standing", "replies"]);
        let remark = |a, b| compared(a, b, Language::En).remark.unwrap_or_default();
        assert!(remark("VRFY", "502").contains("502 may answer VRFY"));
        assert!(remark("450", "VRFY").contains("450 does not answer VRFY"));
        assert!(
            remark("mailbox-full", "4.2.2").contains("mailbox-full is commonly told with 4.2.2")
        );
        assert_eq!(remark("mailbox-full", "550"), "");
    }

    #[test]
    fn any_two_topics_make_whole_sentences() {
        let topics = [
            "250",
            "354",
            "421",
            "450",
            "502",
            "550",
            "599",
            "4.2.2",
            "5.9.9",
            "greylisted",
            "mailbox-full",
            "unknown",
            "VRFY",
            "connection",
            "PIPELINING",
            "DSN",
            "511",
            "431",
            "101",
            "X.2.X",
            "4.X.X",
            "X.2.2",
            "5.7.606",
        ];
        for language in Language::COMPLETE {
            for (a, b) in topics.iter().flat_map(|a| topics.iter().map(move |b| (a, b))) {
                let text = all_text(&compared(a, b, *language));
                assert!(!text.contains("says-") && !text.contains('{'), "{a} {b}: {text}");
                assert!(!text.contains("choose-") && !text.contains("  "), "{a} {b}: {text}");
            }
        }
    }
}
