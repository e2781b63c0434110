//! Points in time in a text: RFC 3339 and ISO, RFC 5322, a time of day. Log stamps are
//! full of dates, so that only one right after "until", "after", "at" … is a hint.

use super::Hint;
use super::words::Tokens;
use crate::Timestamp;

const DAY_SECS: i64 = 86_400;
const LEADS: &[&str] = &[
    "until",
    "after",
    "at",
    "before",
    "by",
    "till",
    "bis",
    "nach",
    "um",
    "après",
    "apres",
    "jusqu",
    "hasta",
    "después",
    "despues",
    "após",
    "dopo",
    "fino",
    "после",
    "до",
];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The date of a field of a mail (RFC 5322 §3.3), or one of RFC 3339.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim_start();
    let (secs, _) = internet(text).or_else(|| iso(text))?;
    u64::try_from(secs).ok().map(Timestamp::from_secs)
}

/// The first date or time of day that follows such a word, if it is not before `now`.
pub(super) fn after_words<'a>(
    text: &'a str,
    tokens: &Tokens<'a>,
    now: Option<Timestamp>,
) -> Option<(Hint, &'a str)> {
    if !text.contains(':') {
        return None;
    }
    let leads = tokens.all().iter().filter(|token| token.is_any(LEADS));
    leads.map(|token| (token.start, token.end)).find_map(|(start, end)| {
        let rest = text[end..].trim_start_matches([' ', ':', '\'', '"', '<', '(']);
        let (at, used) =
            iso(rest).or_else(|| internet(rest)).or_else(|| time_of_day(rest, now?))?;
        let from = text.len() - rest.len();
        let hint = Hint::At(Timestamp::from_secs(u64::try_from(at).ok()?));
        Some((hint, &text[start..from + used]))
    })
}

/// Reads characters one after another.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let rest = self.text.get(self.at..)?;
        let len = rest.bytes().take(max).take_while(u8::is_ascii_digit).count();
        let value = rest.get(..len).filter(|_| len >= min)?.parse().ok()?;
        self.at += len;
        Some(value)
    }

    fn any(&mut self, marks: &[u8]) -> Option<u8> {
        let octet = *self.text.as_bytes().get(self.at).filter(|octet| marks.contains(octet))?;
        self.at += 1;
        Some(octet)
    }

    fn spaces(&mut self) {
        while self.any(b" ").is_some() {}
    }

    fn word(&mut self) -> &str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let len = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        self.at += len;
        &rest[..len]
    }

    /// Seconds of the day.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.number(1, 2)?;
        self.any(b":")?;
        let minute = self.number(2, 2)?;
        let second = if self.any(b":").is_some() { self.number(2, 2)? } else { 0 };
        if self.any(b".,").is_some() && self.number(1, 9).is_none() {
            self.at -= 1;
        }
        (hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
    }

    /// The zone's offset in seconds; UTC where none is given.
    fn zone(&mut self) -> i64 {
        let before = self.at;
        self.spaces();
        if let Some(sign) = self.any(b"+-") {
            if let Some(hours) = self.number(2, 2) {
                self.any(b":");
                let minutes = self.number(2, 2).unwrap_or(0);
                let offset = hours * 3600 + minutes * 60;
                return if sign == b'-' { -offset } else { offset };
            }
        } else if ["Z", "UTC", "GMT"].contains(&self.word()) {
            return 0;
        }
        self.at = before;
        0
    }
}

/// `2026-11-24T10:00:00Z`, `2026-11-24 10:00 +0100`.
fn iso(text: &str) -> Option<(i64, usize)> {
    let mut cursor = Cursor { text, at: 0 };
    let year = cursor.number(4, 4)?;
    cursor.any(b"-/")?;
    let month = cursor.number(2, 2)?;
    cursor.any(b"-/")?;
    let day = cursor.number(2, 2)?;
    cursor.any(b"Tt ")?;
    let second = cursor.clock()?;
    let offset = cursor.zone();
    Some((days(year, month, day)? * DAY_SECS + second - offset, cursor.at))
}

/// `Tue, 24 Nov 2026 10:00:00 +0000` (RFC 5322 §3.3), with or without the weekday.
fn internet(text: &str) -> Option<(i64, usize)> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.word();
    cursor.any(b",");
    cursor.spaces();
    let day = cursor.number(1, 2)?;
    cursor.spaces();
    let name = cursor.word().to_ascii_lowercase();
    let month = MONTHS.iter().position(|month| name.starts_with(month))? as i64 + 1;
    cursor.spaces();
    let year = cursor.number(4, 4)?;
    cursor.spaces();
    let second = cursor.clock()?;
    let offset = cursor.zone();
    Some((days(year, month, day)? * DAY_SECS + second - offset, cursor.at))
}

/// `18:30 UTC`: the next one after `now`.
fn time_of_day(text: &str, now: Timestamp) -> Option<(i64, usize)> {
    let mut cursor = Cursor { text, at: 0 };
    let second = cursor.clock()?;
    let before_zone = cursor.at;
    let offset = cursor.zone();
    // Without a zone it may be anything: a stamp, or a clock of somewhere else.
    if cursor.at == before_zone {
        return None;
    }
    let now = i64::try_from(now.as_secs()).ok()?;
    let today = now - now.rem_euclid(DAY_SECS) + second - offset;
    Some((if today < now { today + DAY_SECS } else { today }, cursor.at))
}

/// Days since 1970-01-01, by H. Hinnant's `days_from_civil`; years 1970 to 9999.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let exists =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year % 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    exists.then_some(era * 146_097 + day_of_era - 719_468)
}
