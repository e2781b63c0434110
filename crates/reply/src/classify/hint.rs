//! The time in a reply's text: after how long, or when, to come back.
//!
//! A number is a hint only when it is joined to a unit of time, or to `retry=`, and when
//! the words before it speak of coming back: ids, ports, sizes, limits and rates ("100
//! messages in 60 seconds") are none, nor is a time that has passed ("timed out after 30
//! seconds"). How far a hint is trusted is decided on the floor above.

use std::time::Duration;

use crate::Timestamp;

pub(crate) mod date;
mod words;

use words::{Token, Tokens};

/// When a text says to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// So long after the reply.
    After(Duration),
    /// At that time.
    At(Timestamp),
}

/// The time in `text` and the words that say it. `now` gives a time of day without a
/// date its meaning. A retry tag (`retry=00:05:00`) beats other words.
pub fn hint(text: &str, now: Option<Timestamp>) -> Option<(Hint, &str)> {
    let tokens = Tokens::of(text);
    if !tokens.may_tell_a_time() {
        return None;
    }
    tag(text, &tokens)
        .or_else(|| duration(text, &tokens))
        .or_else(|| date::after_words(text, &tokens, now))
}

/// Every name of a unit of time that can stand alone, as it is in a plain text.
pub(crate) fn units() -> impl Iterator<Item = &'static str> {
    words::units()
}

/// Whether a digit follows the mark at `at`, and before it stands what may be the end of
/// `retry`, `after`, `wait`, `in`.
pub(crate) fn is_before_value_of_tag(octets: &[u8], at: usize) -> bool {
    let before = octets[..at].iter().rfind(|octet| !b" \"".contains(octet));
    let after = octets[at + 1..].iter().find(|octet| !b" \"'(<".contains(octet));
    before.is_some_and(|octet| b"yrtn".contains(octet)) && after.is_some_and(u8::is_ascii_digit)
}

/// `retry=hh:mm:ss`, `retry = 300`, `retry-after: 120s` (draft-santos-smtpgrey).
fn tag<'a>(text: &'a str, tokens: &Tokens<'a>) -> Option<(Hint, &'a str)> {
    let all = tokens.all();
    let marks = (1..all.len()).filter(|at| matches!(all[*at].mark(), Some('=' | ':')));
    marks.into_iter().find_map(|at| {
        let mut name = at - 1;
        if all[name].mark() == Some('"') {
            name = name.checked_sub(1)?;
        }
        if name > 1 && all[name].is_any(&["seconds", "secs", "sec"]) && is_joint(&all[name - 1..]) {
            name -= 2;
        }
        if all[name].is_any(&["after", "in", "delay"]) {
            let joint = usize::from(name > 0 && is_joint(&all[name - 1..]));
            let first = name.checked_sub(1 + joint);
            name = first.filter(|first| all[*first].is_any(TAGS)).unwrap_or(name);
        }
        if !all[name].is_any(TAGS) {
            return None;
        }
        let quoted = matches!(all.get(at + 1)?.mark(), Some('"' | '\'' | '(' | '<'));
        let value = at + 1 + usize::from(quoted);
        let (after, used) = value_of_tag(all, value)?;
        Some((Hint::After(after), &text[all[name].start..all[value + used - 1].end]))
    })
}

/// Whether `tokens` begin with what joins the words of a name.
fn is_joint(tokens: &[Token<'_>]) -> bool {
    matches!(tokens.first().and_then(Token::mark), Some('-' | '_'))
}

/// Names before `=` and a time.
const TAGS: &[&str] = &["retry", "retryafter", "delay", "wait"];

fn value_of_tag(all: &[Token<'_>], at: usize) -> Option<(Duration, usize)> {
    if let Some(after) = all.get(at)?.clock() {
        return Some((after, 1));
    }
    if let Some((after, end)) = words::amount(all, at) {
        return Some((after, end - at));
    }
    let seconds = all.get(at)?.whole_number()?;
    Some((Duration::from_secs(seconds), 1))
}

/// `in 300 seconds`, `for 5 minutes`, `1 hour 25 minutes`, `in 00:05:00`.
fn duration<'a>(text: &'a str, tokens: &Tokens<'a>) -> Option<(Hint, &'a str)> {
    let all = tokens.all();
    let mut at = 0;
    while at < all.len() {
        let found = words::amount(all, at).or_else(|| all[at].clock().map(|after| (after, at + 1)));
        let Some((after, end)) = found else {
            at += 1;
            continue;
        };
        if tokens.speaks_of_coming_back(at, end) {
            let start = if at > 0 && all[at - 1].is_preposition() { at - 1 } else { at };
            return Some((Hint::After(after), &text[all[start].start..all[end - 1].end]));
        }
        at = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: impl Into<Option<u64>>) {
        let after = hint(text, None).map(|(hint, _)| hint);
        assert_eq!(
            after,
            seconds.into().map(|secs| Hint::After(Duration::from_secs(secs))),
            "{text}"
        );
    }

    #[test]
    fn durations_are_read_in_every_notation() {
        check("Greylisted for 300 seconds (see http://example.org/)", 300);
        check("greylisted, retry=00:05:00, see https://example.org/1", 300);
        check("retry=\"00:01:30\"", 90);
        check("Retry = 120", 120);
        check("retry-after: 120s", 120);
        check("Retry-After: 300", 300);
        check("please retry in 1 h 30 min", 5400);
        check("please come back in 01:00:00", 3600);
        check("Your mail will be accepted in 287s", 287);
        check("try again in 15 min.", 900);
        check("try again in 1 hour(s) 25 minute(s)", 5100);
        check("try again in 1h30m", 5400);
        check("wait 300 seconds", 300);
        check("please try again after five minutes", 300);
        check("try again in an hour", 3600);
        check("come back in half an hour", 1800);
        check("bitte in einer halben Stunde erneut", 1800);
        check("try again in 1.5 hours", 5400);
        check("throttled, retry after 5-10 minutes", 600);
        check("mailbox busy, please retry in 2 days", 172_800);
        check("300 seconds before you may retry", 300);
        check("in 300 seconds", 300);
        check("Please retry, retry=00:00:00", 0);
        check("deferred, retry_after=300", 300);
        check("throttled {\"retryAfter\": 120}", 120);
        check("retry no sooner than 5 minutes", 300);
        check("Greylisted [300 seconds remaining]", 300);
        check("please retry after PT5M", 300);
        check("retry-after: PT1H30M", 5400);
        check("come back in a quarter of an hour", 900);
        check("revenez dans un quart d'heure", 900);
        check("in einer Viertelstunde erneut", 900);
        check("try again in an hour and a half", 5400);
        check("10分以上経ってから再送してください", 600);
        check("10분 뒤에 다시 보내 주세요", 600);
        check("resend it in five to ten minutes", 600);
        check("delaying mail of unknown hosts for 300 seconds", 300);
        check("deferred, retry_after_seconds: 240", 240);
        check("it expires in 4 hours. retry in 1 minute", 60);
        check("resend it after 120 seconds and before 36 hours", 120);
    }

    #[test]
    fn durations_are_read_in_other_languages() {
        check("Bitte versuchen Sie es in 5 Minuten erneut", 300);
        check("in einer Stunde wieder", 3600);
        check("réessayez dans 10 minutes", 600);
        check("reintente en 30 segundos", 30);
        check("tente novamente em 2 horas", 7200);
        check("riprovare tra 5 minuti", 300);
        check("повторите через 5 минут", 300);
        check("5分後にもう一度お試しください", 300);
        check("请在10分钟后重试", 600);
        check("请稍等30秒", 30);
        check("5분 후에 다시 시도하십시오", 300);
        check("veuillez patienter 5 minutes", 300);
        check("riprovare tra un'ora", 3600);
        check("повторите попытку через час", 3600);
        check("proszę czekać 10 minut", 600);
        check("wacht 5 minuten", 300);
        check("vui lòng thử lại sau 5 phút", 300);
        check("กรุณาลองใหม่ใน 5 นาที", 300);
        check("yritä uudelleen 5 minuutin kuluttua", 300);
    }

    #[test]
    fn numbers_that_are_no_times_are_no_hints() {
        check("try again in a few minutes", None);
        check("try again later #552", None);
        check("too many mails: 100 messages in 60 seconds", None);
        check("limit of 20 connections per 10 minutes, try again later", None);
        check("more than 50 messages within the last 24 hours", None);
        check("connection timed out after 30 seconds", None);
        check("unable to deliver in 840 minutes", None);
        check("idle for 300 seconds; closing", None);
        check("the hold time exceeds a maximum of 3600 seconds", None);
        check("please retry within 24 hours", None);
        check("the mailbox has been over quota for 14 days", None);
        check("innerhalb von 4 Stunden noch einmal versuchen", None);
        check("could not connect for 4 hours, try later", None);
        check("we will retry for 3 days", None);
        check("we will keep trying for 5 days", None);
        check("no more than 5 messages in 10 minutes", None);
        check("user 7's hour is over, retry", None);
        check("mailbox is full: 105 MB of 100 MB (90 %), port 25, try again", None);
        check("service 192.0.2.25 4m123abc.5 unavailable", None);
        check("[AM0 2024-06-24T08:58:06.389Z 08DC93087F48F48A] try again", None);
        check("greylisted at 12:30:15", None);
        check("try again: queue id PT5Mab at host PT7", None);
    }

    #[test]
    fn dates_are_read_where_the_words_speak_of_coming_back() {
        let check = |text: &str, at: &str| {
            let now = Timestamp::from_secs(1_764_000_000); // 2025-11-24T16:00:00Z
            let Some((Hint::At(found), _)) = hint(text, Some(now)) else { panic!("{text}") };
            assert_eq!(found.to_string(), at, "{text}");
        };
        check("do not retry until 2025-11-24T18:00:00Z", "2025-11-24T18:00:00Z");
        check("try again after 2025-11-24 18:00:00 +0100", "2025-11-24T17:00:00Z");
        check("blocked until Mon, 24 Nov 2025 18:00:00 +0000", "2025-11-24T18:00:00Z");
        check("come back at 18:30 UTC", "2025-11-24T18:30:00Z");
        check("retry after 08:00 UTC", "2025-11-25T08:00:00Z");
    }
}
