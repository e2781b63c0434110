//! Small things in words: durations, causes, whose move it is, permanence. Plural forms
//! follow the language's own rules (Fluent's selectors).

use std::time::Duration;

use fluent_bundle::FluentValue;

use super::{Language, fill, text};
use crate::{Cause, Confidence, Permanence, Row, Scope, WhoseMove};

const MINUTE_SECS: u64 = 60;
const HOUR_SECS: u64 = 60 * MINUTE_SECS;
const DAY_SECS: u64 = 24 * HOUR_SECS;

/// The units of a duration, the largest first.
const UNITS: [(&str, u64); 4] =
    [("days", DAY_SECS), ("hours", HOUR_SECS), ("minutes", MINUTE_SECS), ("seconds", 1)];

/// A cause in a few words: "the mailbox is locked by another process".
pub fn cause_in_words(cause: Cause, language: Language) -> String {
    text(language, &format!("cause-{}.words", cause.name()))
}

/// The name of a cause, as a heading: "Mailbox locked".
pub fn cause_name(cause: Cause, language: Language) -> String {
    text(language, &format!("cause-{}", cause.name()))
}

/// When we send a reply of ours, as a sentence: "The mailbox is over its quota."
pub fn when_sent(row: &Row, language: Language) -> String {
    text(language, &format!("answer-{}", row.id))
}

/// Whose move it is, as a noun: "the sending software".
pub fn whose_move_in_words(whose: WhoseMove, language: Language) -> String {
    text(language, &format!("whose-{}", whose.name()))
}

/// Whom a remedy is for, as it stands before a colon: "Sending postmaster".
pub fn concerned_in_words(whom: WhoseMove, language: Language) -> String {
    text(language, &format!("for-{}", whom.name()))
}

/// "transient", "permanent", "positive".
pub fn permanence_in_words(permanence: Permanence, language: Language) -> String {
    text(language, &format!("permanence-{}", permanence.name()))
}

/// What something is about, as a noun: "the mailbox".
pub fn scope_in_words(scope: Scope, language: Language) -> String {
    text(language, &format!("scope-{}", scope.name()))
}

/// "any command", where a code may answer all of them.
pub fn any_command(language: Language) -> String {
    text(language, "any-command")
}

/// The name of the codes that begin with `digit`, 2 to 5: "Transient negative reply".
pub fn class_name(digit: u16, language: Language) -> String {
    text(language, &format!("class-{}", digit.clamp(2, 5)))
}

/// That some minutes pass, as a line of an example dialog.
pub fn wait_in_words(language: Language) -> String {
    text(language, "dialog-wait")
}

/// How sure, in a word or two.
pub fn confidence_in_words(confidence: Confidence, language: Language) -> String {
    text(language, &format!("confidence-{}", confidence.name()))
}

/// How long: "5 minutes", "1 hour and 30 minutes". The two largest units count, the
/// rest is rounded away.
pub fn duration_in_words(duration: Duration, language: Language) -> String {
    duration_with(duration, language, "plain")
}

/// The same counted from now: "in 5 minutes".
pub fn duration_from_now(duration: Duration, language: Language) -> String {
    let words = duration_with(duration, language, "after");
    fill(language, "from-now", &[("duration", words.into())])
}

/// `form` is `plain`, or `after` where the language bends the word behind "in".
fn duration_with(duration: Duration, language: Language, form: &'static str) -> String {
    let secs = rounded_secs(duration);
    let first = UNITS.iter().position(|(_, size)| secs >= *size).unwrap_or(UNITS.len() - 1);
    let (name, size) = UNITS[first];
    let large = count(secs / size, name, language, form);
    let rest = UNITS.get(first + 1).map(|(name, size_below)| (name, secs % size / size_below));
    match rest {
        Some((name, number)) if number > 0 => {
            let small = count(number, name, language, form);
            fill(language, "duration-pair", &[("large", large.into()), ("small", small.into())])
        }
        _ => large,
    }
}

/// Whole seconds, rounded to the second largest unit; a part of a second is one.
fn rounded_secs(duration: Duration) -> u64 {
    let secs = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    let unit = match secs {
        DAY_SECS.. => HOUR_SECS,
        HOUR_SECS.. => MINUTE_SECS,
        _ => 1,
    };
    secs.saturating_add(unit / 2) / unit * unit
}

fn count(number: u64, unit: &str, language: Language, form: &'static str) -> String {
    let key = format!("duration-{unit}");
    fill(language, &key, &[("count", FluentValue::from(number)), ("form", form.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_plural_forms_of_the_language() {
        let check = |secs, en: &str, de: &str| {
            let duration = Duration::from_secs(secs);
            assert_eq!(duration_from_now(duration, Language::En), en);
            assert_eq!(duration_from_now(duration, Language::De), de);
        };
        check(1, "in 1 second", "in 1 Sekunde");
        check(300, "in 5 minutes", "in 5 Minuten");
        check(90, "in 1 minute and 30 seconds", "in 1 Minute und 30 Sekunden");
        check(5400, "in 1 hour and 30 minutes", "in 1 Stunde und 30 Minuten");
        check(2 * DAY_SECS, "in 2 days", "in 2 Tagen");
        check(DAY_SECS + 3 * HOUR_SECS + 59, "in 1 day and 3 hours", "in 1 Tag und 3 Stunden");
        check(2 * DAY_SECS - 1, "in 2 days", "in 2 Tagen");
        assert_eq!(duration_in_words(Duration::from_secs(2 * DAY_SECS), Language::De), "2 Tage");
        assert_eq!(duration_in_words(Duration::ZERO, Language::En), "0 seconds");
        assert!(!duration_in_words(Duration::MAX, Language::De).is_empty());
    }

    #[test]
    fn durations_have_the_plural_forms_of_spanish() {
        let check = |secs, es: &str| {
            assert_eq!(duration_from_now(Duration::from_secs(secs), Language::Es), es);
        };
        check(1, "dentro de 1 segundo");
        check(300, "dentro de 5 minutos");
        check(5400, "dentro de 1 hora y 30 minutos");
        check(2 * DAY_SECS, "dentro de 2 días");
        check(DAY_SECS + 3 * HOUR_SECS + 59, "dentro de 1 día y 3 horas");
        check(0, "dentro de 0 segundos");
    }

    #[test]
    fn french_counts_zero_like_one() {
        let check = |secs, told: &str| {
            assert_eq!(duration_from_now(Duration::from_secs(secs), Language::Fr), told);
        };
        check(0, "dans 0 seconde");
        check(1, "dans 1 seconde");
        check(300, "dans 5 minutes");
        check(90, "dans 1 minute et 30 secondes");
        check(5400, "dans 1 heure et 30 minutes");
        check(DAY_SECS + 3 * HOUR_SECS, "dans 1 jour et 3 heures");
        check(2 * DAY_SECS, "dans 2 jours");
    }

    #[test]
    fn portuguese_counts_zero_like_one() {
        let check = |secs, told: &str| {
            assert_eq!(duration_from_now(Duration::from_secs(secs), Language::Pt), told);
        };
        check(0, "daqui a 0 segundo");
        check(1, "daqui a 1 segundo");
        check(300, "daqui a 5 minutos");
        check(90, "daqui a 1 minuto e 30 segundos");
        check(5400, "daqui a 1 hora e 30 minutos");
        check(DAY_SECS + 3 * HOUR_SECS, "daqui a 1 dia e 3 horas");
        check(2 * DAY_SECS, "daqui a 2 dias");
    }

    #[test]
    fn japanese_durations_have_one_form_and_no_spaces() {
        let check = |secs, told: &str| {
            assert_eq!(duration_from_now(Duration::from_secs(secs), Language::Ja), told);
        };
        check(0, "0秒後");
        check(1, "1秒後");
        check(300, "5分後");
        check(5400, "1時間30分後");
        check(DAY_SECS + 3 * HOUR_SECS, "1日3時間後");
        check(2 * DAY_SECS, "2日後");
        assert_eq!(duration_in_words(Duration::from_secs(90), Language::Ja), "1分30秒");
    }
}
