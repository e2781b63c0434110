//! Tests of classification: every rule's own examples, our own voice, the corpus that
//! lies beside the checkout, and properties.

use proptest::prelude::*;

use super::*;
use crate::catalogue::ROWS;

/// A whole reply as it stands in a table: lines joined by the two characters `\n`.
fn reply(text: &str) -> Reply {
    Reply::parse(text.replace("\\n", "\n").as_bytes())
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn check(text: &str, stage: Option<Stage>, cause: Cause) -> Verdict {
    let verdict = classify(&reply(text), &Context { stage, now: None });
    assert_eq!(verdict.cause, cause, "{text}: {:?}", verdict.evidence);
    verdict
}

#[test]
fn every_rule_decides_its_own_examples() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        for example in rule.examples {
            let verdict = classify(&reply(example), &Context { stage: rule.a_stage(), now: None });
            if verdict.cause != rule.cause {
                wrong.push(format!(
                    "{}: {example} => {} by {:?}",
                    rule.name, verdict.cause, verdict.evidence
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_patterns_examples_and_a_name_of_its_own() {
    let mut names = std::collections::HashSet::new();
    let mut unlike = Vec::new();
    for rule in rules::all() {
        assert!(names.insert(rule.name), "two rules are named {}", rule.name);
        assert!(!rule.name.contains(' '), "`{}` is no name of a rule", rule.name);
        assert!(!rule.examples.is_empty(), "{} has no example", rule.name);
        let parts = rule
            .patterns
            .iter()
            .flat_map(|pattern| pattern.split(if pattern.contains('~') { "~" } else { ".." }));
        let classes = rules::classes::CLASSES;
        for part in parts.map(|part| part.trim_matches(['*', ' '])) {
            if let Some(class) = part.strip_prefix('{') {
                let named = |(name, _): &(&str, &[&str])| class.strip_suffix('}') == Some(*name);
                assert!(classes.iter().any(named), "{}: there is no class {part}", rule.name);
                continue;
            }
            assert!(part.len() > 2, "{}: a part is too short to be found", rule.name);
            assert!(!part.contains('*'), "{}: {part} has a `*` that is read as itself", rule.name);
            if part != Plain::of(part).text() {
                unlike.push(format!("{}: {part} is not {}", rule.name, Plain::of(part).text()));
            }
        }
    }
    let members = rules::classes::CLASSES.iter().flat_map(|(_, members)| members.iter());
    for member in members.map(|member| member.trim_matches('*')) {
        assert!(member.len() > 2, "{member} is too short to be found");
        assert!(!member.contains('*'), "{member} has a `*` that is read as itself");
        if member != Plain::of(member).text() {
            unlike.push(format!("{member} is not {}", Plain::of(member).text()));
        }
    }
    assert!(unlike.is_empty(), "patterns that are not plain:\n{}", unlike.join("\n"));
}

#[test]
fn we_understand_our_own_voice() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let Some(cause) = row.cause else { continue };
        let enhanced = row.enhanced_code.map_or(String::new(), |code| format!("{code} "));
        let wire = format!("{} {enhanced}{}\r\n", row.code, filled(row.text));
        let stages = row.answers.iter().copied().map(Some).chain([None]);
        for stage in stages {
            let verdict = classify(&reply(&wire), &Context { stage, now: None });
            if verdict.cause != cause {
                wrong.push(format!(
                    "{} at {stage:?}: {} by {:?}",
                    row.id, verdict.cause, verdict.evidence
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The text of a row with something lawful in its placeholders.
fn filled(text: &str) -> String {
    let values = [
        ("recipient", "quota@example.net"),
        ("sender", "spam@example.org"),
        ("address", "bob@example.net"),
        ("retry", "00:05:00"),
        ("link", "https://example.net/greylisted"),
        ("limit", "100"),
        ("verb", "TURN"),
        ("name", "bob"),
        ("problem", "unexpected `>`"),
        ("expected", "an address"),
        ("id", "4x7"),
    ];
    values
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

#[test]
fn the_first_digit_decides_permanence_but_for_552_too_many_recipients() {
    let permanence = |text: &str| {
        check(text, None, classify(&reply(text), &Context::default()).cause).permanence
    };
    assert_eq!(permanence("552 too many recipients"), Permanence::Transient);
    assert_eq!(permanence("550 too many recipients"), Permanence::Permanent);
    assert_eq!(permanence("450 5.1.1 user unknown"), Permanence::Transient);
    assert_eq!(permanence("550 4.2.2 mailbox full"), Permanence::Permanent);
    assert_eq!(permanence("250 2.0.0 mailbox full"), Permanence::Positive);
}

#[test]
fn the_stage_narrows_a_code_without_words() {
    check("550", Some(Stage::Rcpt), Cause::MailboxUnknown);
    check("550", Some(Stage::Mail), Cause::SenderRefused);
    check("554", Some(Stage::Connection), Cause::PolicyRefused);
    check("552", Some(Stage::EndOfData), Cause::MessageTooBig);
}

#[test]
fn words_beat_the_enhanced_code_and_it_beats_the_basic_code() {
    check("452 4.2.2 Greylisted, please wait", None, Cause::Greylisted);
    check("550 5.2.2 no", None, Cause::MailboxFull);
    check("550 sorry (#5.2.2)", None, Cause::MailboxFull);
}

#[test]
fn a_word_broken_by_a_line_end_is_read() {
    check("450-4.7.1 you are grey\n450 4.7.1 listed", None, Cause::Greylisted);
}

#[test]
fn the_evidence_is_quoted_as_it_was_heard() {
    let verdict = check("552 5.2.2 Ihr Postfach ist  VOLL", None, Cause::MailboxFull);
    assert_eq!(
        verdict.evidence,
        Evidence { rule: "mailbox-full".into(), text: "Postfach ist VOLL".into() }
    );
}

#[test]
fn the_last_word_of_the_evidence_is_whole() {
    let words = |text: &str| check(text, None, Cause::Greylisted).evidence.text;
    assert_eq!(words("450 4.2.0 Greylisted for 5 minutes"), "Greylisted");
    assert_eq!(words("451 4.7.1 Greylisting in action"), "Greylisting");
}

#[test]
fn a_policy_is_named_by_the_class_of_the_reply() {
    check("450 4.7.1 Administrative prohibition", None, Cause::PolicyTemporary);
    check("550 5.7.1 Administrative prohibition", None, Cause::PolicyRefused);
}

#[test]
fn an_address_of_a_host_is_told_from_other_numbers() {
    check("550 blocked: 2001:db8::8", None, Cause::HostBlocklisted);
    check("550 blocked 192.0.2.8", None, Cause::HostBlocklisted);
    check("550 blocked by build 1.2.3", None, Cause::Unknown);
    check("550 mailbox unavailable (-0123456789:2222:-0123)", None, Cause::MailboxUnknown);
}

#[test]
fn a_guess_from_a_code_is_unsure_and_a_phrase_is_sure() {
    let confidence = |text: &str| classify(&reply(text), &Context::default()).confidence;
    assert_eq!(confidence("550"), Confidence::Low);
    assert_eq!(confidence("550 no"), Confidence::Low);
    assert_eq!(confidence("550 5.2.2"), Confidence::Medium);
    assert_eq!(confidence("552 5.2.2 Mailbox full"), Confidence::High);
}

/// Hostile replies cost what their first octets cost: each of these is read in well
/// under a second even in a debug build, or the test would not end.
#[test]
fn hostile_texts_are_read_in_bounded_time() {
    let words = [
        "mailbox ",
        "user unknown ",
        "(",
        "((()",
        ":",
        "= : ",
        "retry=",
        "4.",
        "550-",
        "@",
        "a@b ",
        "not ",
        "\u{e9}",
        "存在しません",
    ];
    for word in words {
        let text = format!("550 {}", word.repeat(1_000_000 / word.len()));
        let heard = crate::heard::read_any(text.as_bytes());
        assert!(heard.iter().all(|heard| heard.verdict.is_some()), "{word}");
        let _ = hint::hint(&text, Some(Timestamp::EPOCH));
    }
}

#[test]
fn words_of_names_and_what_is_denied_decide_nothing() {
    check("550 5.1.1 mx.greylist.example.org: no such user", None, Cause::MailboxUnknown);
    check("421 greylist.example.org Service not available", None, Cause::ServerBusy);
    check("550 User full@blocked.example does not exist", None, Cause::MailboxUnknown);
    check("554 5.7.1 your host is not on any blocklist", None, Cause::PolicyRefused);
}

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic_and_always_alike(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(crate::heard::read_any(&octets), crate::heard::read_any(&octets));
    }

    #[test]
    fn any_text_is_classified(code in 200u16..600, text in "[a-z0-9 :=<>@.\\-\\\\n\u{e4}\u{5206}]{0,120}") {
        let heard = crate::heard::read_any(format!("{code} {text}").as_bytes());
        let verdict = heard.first().and_then(|heard| heard.verdict.as_ref());
        prop_assert_eq!(verdict.and_then(|verdict| verdict.code).map(Code::value), Some(code));
        let _ = hint::hint(&text, Some(Timestamp::EPOCH));
    }
}

mod corpus;
mod wordings;

#[test]
fn a_positive_enhanced_code_within_words_names_no_refusal() {
    let verdict = classify_text(None, "0012,250 2.1.0 Ok,", &Context::default());
    assert!(verdict.is_none_or(|verdict| verdict.cause == Cause::Delivered));
}
