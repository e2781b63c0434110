//! The words of a log's summary. What is counted stands in `heard::log`; the shell lays out.

use fluent_bundle::FluentValue;

use super::{Language, duration_in_words, enumerated, fill, sentences, text};
use crate::explain::clock_time;
use crate::heard::log::ToDo;
use crate::{Timestamp, WhoseMove};

/// A heading or label: `causes`, `sent`, `to-do`.
pub fn word(language: Language, name: &str) -> String {
    text(language, &format!("log-{name}"))
}

/// A sentence about a number of things: `unknown`, `too-long`, `not-text`, `forgotten`,
/// `kept-too-little`, `attempts`, `refusals`.
pub fn counted(language: Language, name: &str, count: u64) -> String {
    let values = [("count", FluentValue::from(count)), ("shown", grouped(count).into())];
    fill(language, &format!("log-{name}"), &values)
}

/// That names fell out of a table, and by how much a count may be short.
pub fn fell_out(language: Language, count: u64, missed: u64) -> String {
    let values = [
        ("count", FluentValue::from(count)),
        ("shown", grouped(count).into()),
        ("missed", grouped(missed).into()),
    ];
    fill(language, "log-fell-out", &values)
}

/// How many lines, and from when to when.
pub fn title(language: Language, lines: u64, span: Option<(Timestamp, Timestamp)>) -> String {
    let mut values = vec![("count", FluentValue::from(lines)), ("lines", grouped(lines).into())];
    let Some((first, last)) = span else { return fill(language, "log-title-timeless", &values) };
    values.push(("first", clock_time(first).into()));
    values.push(("last", clock_time(last).into()));
    fill(language, "log-title", &values)
}

/// From when to when.
pub fn between(language: Language, first: Timestamp, last: Timestamp) -> String {
    if clock_time(first) == clock_time(last) {
        return clock_time(first);
    }
    let values = [("first", clock_time(first).into()), ("last", clock_time(last).into())];
    fill(language, "log-between", &values)
}

/// "3 of 5 failed".
pub fn failed_of(language: Language, failed: u64, total: u64) -> String {
    let values = [("failed", grouped(failed).into()), ("total", grouped(total).into())];
    fill(language, "log-failed-of", &values)
}

/// "each bar is 2 hours".
pub fn bar(language: Language, hours: u64) -> String {
    let duration = std::time::Duration::from_secs(hours.saturating_mul(3600));
    fill(language, "log-bar", &[("duration", duration_in_words(duration, language).into())])
}

/// "mostly a.example (3), b.example (1)"; empty without names.
pub fn mostly(language: Language, names: &[(String, u64)]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let named: Vec<String> =
        names.iter().map(|(name, count)| format!("{name} ({})", grouped(*count))).collect();
    let list = enumerated(&named, language);
    fill(language, "log-mostly", &[("names", list.into())])
}

/// What the reader of a log can do about a cause: for failed attempts what all, who sends and
/// who runs the sending server can; for refusals of the own server what who runs that can.
pub fn remedy(language: Language, to_do: &ToDo) -> String {
    let topic = super::entry::Topic::Cause(to_do.cause);
    let entry = super::entry::entry(topic, language);
    let of = |whom: Option<WhoseMove>| {
        entry.how_to_fix.iter().filter(move |remedy| remedy.whom == whom).map(|r| r.text.clone())
    };
    let mut texts = Vec::new();
    if to_do.attempts > 0 {
        texts.extend(of(None).chain(of(Some(WhoseMove::SenderPostmaster))));
    }
    if to_do.refusals > 0 {
        texts.push(word(language, "refusals-fix"));
        texts.extend(of(Some(WhoseMove::RecipientPostmaster)));
    }
    sentences(&texts, language)
}

/// A number in groups of three, parted as ISO 80000-1 has it, which every language reads.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_own_server_refused_is_not_the_readers_to_mend() {
        let to_do = |attempts, refusals| {
            let cause = crate::Cause::HostBlocklisted;
            let to_do = ToDo { cause, worth: 1, attempts, refusals, destinations: Vec::new() };
            remedy(Language::En, &to_do)
        };
        assert!(to_do(1, 0).contains("ask the list named in the text for removal"));
        assert!(to_do(0, 1).starts_with("Your own server refused these:"));
        assert!(!to_do(0, 1).contains("removal"));
        assert!(to_do(1, 1).contains("removal") && to_do(1, 1).contains("Your own server"));
    }

    #[test]
    fn one_moment_is_said_once() {
        let (first, later) = (Timestamp::from_secs(0), Timestamp::from_secs(3600));
        assert_eq!(between(Language::En, first, first), "1970-01-01 00:00 UTC");
        assert_eq!(
            between(Language::En, first, later),
            "1970-01-01 00:00 UTC to 1970-01-01 01:00 UTC"
        );
    }

    #[test]
    fn numbers_are_grouped_and_have_their_plural_forms() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
        assert_eq!(counted(Language::En, "attempts", 1), "one failed attempt");
        assert_eq!(counted(Language::De, "attempts", 1200), "1\u{202f}200 gescheiterte Versuche");
        assert_eq!(title(Language::En, 2, None), "2 lines, without times that could be read");
        assert_eq!(bar(Language::De, 2), "je Balken 2 Stunden");
    }
}
