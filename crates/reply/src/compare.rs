//! Two entries side by side, with the differences that matter. What differs is computed
//! from the facts; how it is said stands in the texts.
//!
//! Each aspect has one sentence per value (`says-permanence-transient`) and one for both
//! (`.both`), so that any two values make sentences that a person would write.

mod aspect;

pub use aspect::Aspect;

use crate::explain::entry::{Entry, Topic, entry, topic_in_words};
use crate::explain::refusal::Refusal;
use crate::explain::{Language, enumerated, fill, scope_in_words, sentences, text};
use crate::{Permanence, Stage, facts};
use aspect::{Value, aspects, is_used};

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

/// Compares two topics: codes, enhanced codes, causes, commands, keywords of EHLO.
///
/// ```
/// use reply::Language;
///
/// let compared = reply::compare(&"450".parse()?, &"502".parse()?, Language::En);
/// assert_eq!(compared.differences[0].label, "Transient or permanent");
/// assert_eq!((compared.differences[0].a.as_str(), compared.differences[0].b.as_str()),
///            ("transient", "permanent"));
/// println!("{}", compared.differences[0].sentence);
/// # Ok::<(), reply::explain::entry::NoSuchTopic>(())
/// ```
pub fn compare(a: &Topic, b: &Topic, language: Language) -> Comparison {
    let (a, b) = (entry(*a, language), entry(*b, language));
    if a.topic == b.topic {
        let remark =
            fill(language, "compare-same", &[("it", topic_in_words(a.topic, language).into())]);
        return Comparison {
            remark: Some(remark),
            differences: Vec::new(),
            in_common: Vec::new(),
            when_to_use: Vec::new(),
            a,
            b,
        };
    }
    let aspects = told(&a, &b, language);
    let differences: Vec<Difference> = aspects.iter().filter_map(Told::difference).collect();
    let alike = differences.is_empty() && !aspects.is_empty();
    let remark = relation(&a, &b, language)
        .or_else(|| relation(&b, &a, language))
        .or_else(|| alike.then(|| text(language, "compare-alike")));
    let in_common = aspects.iter().filter_map(Told::common).collect();
    let when_to_use = when_to_use(&a, &b, language);
    Comparison { remark, differences, in_common, when_to_use, a, b }
}

/// How what is said stands to a command, or a code to a cause; both may be seen together.
fn relation(code: &Entry, other: &Entry, language: Language) -> Option<String> {
    let key = match (code.topic, other.topic) {
        (Topic::Code(code), Topic::Command(_)) if other.facts.codes.contains(&code) => {
            "relation-answers"
        }
        (Topic::Code(_), Topic::Command(_)) => "relation-answers-not",
        (Topic::Enhanced(_) | Topic::Cause(_), Topic::Command(stage)) => {
            let is_told = code.facts.answers.contains(&stage);
            if is_told { "relation-told-after" } else { "relation-told-after-not" }
        }
        (Topic::Command(_) | Topic::Keyword(_), _) => return None,
        (_, Topic::Keyword(_)) => "relation-said-and-offered",
        (Topic::Code(code), Topic::Cause(_)) if other.facts.codes.contains(&code) => {
            "relation-tells"
        }
        (Topic::Enhanced(code), Topic::Cause(_)) if other.facts.enhanced_codes.contains(&code) => {
            "relation-tells"
        }
        _ => return None,
    };
    let values = [
        ("code", topic_in_words(code.topic, language).into()),
        ("other", topic_in_words(other.topic, language).into()),
    ];
    let mut told = vec![fill(language, key, &values)];
    told.extend(refused(code.topic, other).map(|refusal| refusal.meaning.clone()));
    Some(sentences(&told, language))
}

/// What the code means for a command or a keyword, where that is known: 502 for VRFY.
fn refused(code: Topic, other: &Entry) -> Option<&Refusal> {
    other.refusals.iter().find(|refusal| Topic::Code(refusal.code) == code)
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

/// The aspects that both have, told.
fn told(a: &Entry, b: &Entry, language: Language) -> Vec<Told> {
    let told = aspects(a, b, language)
        .into_iter()
        .map(|(aspect, value_a, value_b)| tell(aspect, (a, &value_a), (b, &value_b), language));
    told.collect()
}

fn tell(aspect: Aspect, a: (&Entry, &Value), b: (&Entry, &Value), language: Language) -> Told {
    let say = |part: &str, (entry, value): (&Entry, &Value)| {
        let key = format!("says-{}-{}{part}", aspect.name(), value.word);
        let it = topic_in_words(entry.topic, language);
        fill(language, &key, &[("it", it.into()), ("list", value.list.as_str().into())])
    };
    if a.1.name == b.1.name {
        return Told::Common(say(".both", a));
    }
    let said: Vec<String> =
        [a, b].into_iter().filter(|(_, value)| value.is_told).map(|one| say("", one)).collect();
    Told::Differs(Difference {
        aspect,
        label: text(language, &format!("aspect-{}", aspect.name())),
        a: a.1.name.clone(),
        b: b.1.name.clone(),
        sentence: sentences(&said, language),
    })
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

/// First the question that decides between the two, then each one's own use. Between what is
/// said and what is used there is nothing to choose.
fn when_to_use(a: &Entry, b: &Entry, language: Language) -> Vec<String> {
    if is_used(a) != is_used(b) {
        return Vec::new();
    }
    let mut sentences: Vec<String> = deciding_question(a, b, language).into_iter().collect();
    // 4.4.7 and 5.4.7 stand for one thing: the question has told them apart.
    if own_use(a, language) != own_use(b, language) || sentences.is_empty() {
        sentences.extend([a, b].map(|entry| named_use(entry, language)));
    }
    sentences
}

fn deciding_question(a: &Entry, b: &Entry, language: Language) -> Option<String> {
    let negative = |entry: &Entry| entry.facts.permanence.filter(|p| *p != Permanence::Positive);
    let (first, second) = (negative(a)?, negative(b)?);
    let (name_a, name_b) = (topic_in_words(a.topic, language), topic_in_words(b.topic, language));
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

/// The same behind its name.
fn named_use(entry: &Entry, language: Language) -> String {
    let (it, said) = (topic_in_words(entry.topic, language), own_use(entry, language));
    if said.starts_with(&it) {
        return said;
    }
    fill(language, "use-of", &[("it", it.into()), ("said", said.into())])
}

/// When to say it, for basic codes; what it stands for, for all else.
fn own_use(entry: &Entry, language: Language) -> String {
    match entry.topic {
        Topic::Code(code) if facts::of_code(code).is_some() => {
            text(language, &format!("code-{code}.use"))
        }
        _ => entry.meaning.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::keyword::Keyword;

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
    fn commands_and_keywords_differ_in_what_they_are_for_and_who_offers_them() {
        let aspects = |a, b| -> Vec<&str> {
            let comparison = compared(a, b, Language::En);
            comparison.differences.iter().map(|one| one.aspect.name()).collect()
        };
        assert_eq!(aspects("MAIL", "RSET"), ["purpose", "moment", "effect", "replies", "source"]);
        assert_eq!(aspects("VRFY", "EXPN"), ["offered", "replies", "source"]);
        assert_eq!(aspects("PIPELINING", "SIZE"), ["purpose", "change", "adds", "source"]);
        assert_eq!(aspects("8BITMIME", "BINARYMIME"), ["adds", "offered", "source"]);
        assert_eq!(aspects("CHUNKING", "DATA"), ["offered", "standing", "source"]);
    }

    #[test]
    fn any_two_commands_or_keywords_differ_in_more_than_their_source() {
        let commands = Stage::ALL.iter().map(|stage| Topic::Command(*stage));
        let all: Vec<Topic> = commands.chain(Keyword::all().map(Topic::Keyword)).collect();
        for (index, a) in all.iter().enumerate() {
            for b in &all[index + 1..] {
                let differences = compare(a, b, Language::En).differences;
                let is_more = differences.iter().any(|one| one.aspect != Aspect::Source);
                assert!(is_more, "{a} {b}: {differences:?}");
                assert!(differences.iter().all(|one| !one.sentence.is_empty()), "{a} {b}");
            }
        }
    }

    #[test]
    fn only_the_replies_that_the_other_does_not_have_are_listed() {
        let told = |a, b| -> String {
            let comparison = compared(a, b, Language::En);
            let replies = comparison.differences.iter().find(|one| one.aspect == Aspect::Replies);
            replies.map(|one| one.sentence.clone()).unwrap_or_default()
        };
        assert_eq!(told("VRFY", "EXPN"), "Only VRFY is answered with 251 and 551.");
        assert_eq!(told("EXPN", "VRFY"), told("VRFY", "EXPN"));
        assert_eq!(told("NOOP", "RSET"), "");
        assert!(
            compared("NOOP", "RSET", Language::En).in_common.iter().any(|one| one.contains("250"))
        );
    }

    #[test]
    fn commands_are_told_apart_from_codes() {
        let remark = |a, b| compared(a, b, Language::En).remark.unwrap_or_default();
        assert!(remark("VRFY", "502").contains("502 may answer VRFY"));
        assert!(remark("450", "VRFY").contains("450 does not answer VRFY"));
        assert!(
            remark("mailbox-full", "4.2.2").contains("“Mailbox full” is commonly told with 4.2.2")
        );
        assert_eq!(remark("mailbox-full", "550"), "");
        assert_eq!(remark("RCPT", "greylisted"), "“Greylisting” may be told after RCPT.");
        assert_eq!(remark("5.1.1", "QUIT"), "5.1.1 is not told after QUIT.");
        assert!(remark("PIPELINING", "450").starts_with("450 is what a server says"));
    }

    #[test]
    fn what_a_code_means_for_a_command_is_told_instead_of_a_choice() {
        for language in Language::COMPLETE {
            let comparison = compared("VRFY", "502", *language);
            let refusals = comparison.a.refusals.iter().find(|one| one.code.value() == 502);
            let meaning = &refusals.unwrap().meaning;
            assert!(comparison.remark.is_some_and(|remark| remark.ends_with(meaning)));
            assert!(comparison.when_to_use.is_empty(), "{language}");
        }
    }

    #[test]
    fn what_both_stand_for_is_not_told_twice() {
        for language in Language::COMPLETE {
            assert_eq!(compared("4.4.7", "5.4.7", *language).when_to_use.len(), 1, "{language}");
            assert_eq!(compared("450", "502", *language).when_to_use.len(), 3, "{language}");
        }
    }

    #[test]
    fn a_code_that_is_written_without_dots_is_named_once() {
        for language in Language::COMPLETE {
            let uses = compared("571", "550", *language).when_to_use;
            let own = uses.iter().find(|one| one.contains("5.7.1")).unwrap();
            assert_eq!(own.matches("571").count(), 1, "{own}");
        }
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
