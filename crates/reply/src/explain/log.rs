//! The words of a log's summary. What is counted stands in `heard::log`; the shell lays out.

use fluent_bundle::FluentValue;

use super::{Language, duration_in_words, enumerated, fill, sentences, text};
use crate::explain::clock_time;
use crate::{Cause, Timestamp};

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

/// The remedies of a cause: for all, for who sends, for who runs the sending server.
pub fn remedy(language: Language, cause: Cause) -> String {
    let entry = super::entry::entry(super::entry::Topic::Cause(cause), language);
    let is_ours = |whom: Option<crate::WhoseMove>| {
        whom.is_none_or(|whom| whom == crate::WhoseMove::SenderPostmaster)
    };
    let ours = entry.how_to_fix.iter().filter(|remedy| is_ours(remedy.whom));
    let texts: Vec<String> = ours.map(|remedy| remedy.text.clone()).collect();
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
    fn numbers_are_grouped_and_have_their_plural_forms() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(grouped(123), "123");
        assert_eq!(counted(Language::En, "attempts", 1), "one failed attempt");
        assert_eq!(counted(Language::De, "attempts", 1200), "1\u{202f}200 gescheiterte Versuche");
        assert_eq!(title(Language::En, 2, None), "2 lines, without times that could be read");
        assert_eq!(bar(Language::De, 2), "je Balken 2 Stunden");
    }
}
