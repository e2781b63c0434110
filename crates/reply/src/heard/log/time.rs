//! The time at the start of a log line, in the notations of syslog and of the programs.
//! Nothing here reads a clock: a [`Reference`] gives the year and the zone that are
//! missing from a line.

use crate::Timestamp;

/// What a line without a year or a zone is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// When the log is read: a date without a year is the last one that is not after
    /// tomorrow.
    pub now: Timestamp,
    /// How far local time is ahead of UTC.
    pub offset_secs: i64,
}

const DAY_SECS: i64 = 86_400;

/// A time and how many octets of the line it took.
pub(super) type Found = (Option<Timestamp>, usize);

/// Reads a time at the start of `text`. `None` where none stands there; no timestamp in
/// the result where it cannot be told without a reference.
pub(super) fn at_start(text: &str, reference: Option<&Reference>) -> Option<Found> {
    let octets = text.as_bytes();
    match octets.first()? {
        b'0'..=b'9' => iso(octets, reference).or_else(|| epoch(octets)),
        b'@' => tai64n(octets),
        b'[' => bracketed(octets, reference),
        b'A'..=b'Z' => syslog(octets, reference),
        _ => None,
    }
}

fn digits(octets: &[u8], at: usize, count: usize) -> Option<i64> {
    let digits = octets.get(at..at + count)?;
    digits.iter().try_fold(0i64, |value, octet| {
        octet.is_ascii_digit().then(|| value * 10 + i64::from(octet - b'0'))
    })
}

/// `hh:mm:ss` in seconds.
fn clock(octets: &[u8], at: usize) -> Option<i64> {
    let (hour, minute) = (digits(octets, at, 2)?, digits(octets, at + 3, 2)?);
    let second = digits(octets, at + 6, 2)?;
    let colons = octets.get(at + 2) == Some(&b':') && octets.get(at + 5) == Some(&b':');
    (colons && hour < 24 && minute < 60 && second <= 60)
        .then_some(hour * 3600 + minute * 60 + second)
}

/// `2026-04-25T22:16:21.664823+02:00`, `2026-04-25 22:16:21,664`, `… +0100`, `…Z`.
fn iso(octets: &[u8], reference: Option<&Reference>) -> Option<Found> {
    let (year, month, day) = (digits(octets, 0, 4)?, digits(octets, 5, 2)?, digits(octets, 8, 2)?);
    let separators =
        matches!(octets.get(4), Some(b'-' | b'/')) && matches!(octets.get(7), Some(b'-' | b'/'));
    if !separators || !matches!(octets.get(10), Some(b'T' | b' ')) {
        return None;
    }
    let second = clock(octets, 11)?;
    let mut at = 19;
    if matches!(octets.get(at), Some(b'.' | b',')) {
        at += 1 + octets[at + 1..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    }
    let (offset, at) = zone(octets, at, reference);
    Some((offset.and_then(|offset| timestamp(year, month, day, second - offset)), at))
}

/// The zone behind a time, and where it ends; local time where there is none.
fn zone(octets: &[u8], at: usize, reference: Option<&Reference>) -> (Option<i64>, usize) {
    if octets.get(at) == Some(&b'Z') {
        return (Some(0), at + 1);
    }
    let start = at + usize::from(octets.get(at) == Some(&b' '));
    let sign = match octets.get(start) {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (reference.map(|reference| reference.offset_secs), at),
    };
    let colon = usize::from(octets.get(start + 3) == Some(&b':'));
    match (digits(octets, start + 1, 2), digits(octets, start + 3 + colon, 2)) {
        (Some(hours), Some(minutes)) => {
            (Some(sign * (hours * 3600 + minutes * 60)), start + 5 + colon)
        }
        _ => (reference.map(|reference| reference.offset_secs), at),
    }
}

/// Seconds since 1970 with a fraction, as multilog and tai64nlocal's siblings write.
fn epoch(octets: &[u8]) -> Option<Found> {
    let length = octets.iter().take_while(|octet| octet.is_ascii_digit()).count();
    if length != 10 || octets.get(length) != Some(&b'.') {
        return None;
    }
    let fraction = octets[length + 1..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    let end = length + 1 + fraction;
    let ends = matches!(octets.get(end), None | Some(b' '));
    let secs = u64::try_from(digits(octets, 0, length)?).ok()?;
    (fraction > 0 && ends).then_some((Some(Timestamp::from_secs(secs)), end))
}

/// An external TAI64N label: `@` and 24 hexadecimal digits; its seconds count from 2^62
/// and are ten ahead of Unix time.
fn tai64n(octets: &[u8]) -> Option<Found> {
    let label = std::str::from_utf8(octets.get(1..25)?).ok()?;
    let secs = u64::from_str_radix(label.get(..16)?, 16).ok()?;
    u32::from_str_radix(label.get(16..)?, 16).ok()?;
    let secs = secs.checked_sub((1 << 62) + 10)?;
    Some((Some(Timestamp::from_secs(secs)), 25))
}

/// `[17/May/2017 19:44:25]`, `[17/May/2017:19:44:25 +0200]`, `[2026-04-25 22:16:21]`.
fn bracketed(octets: &[u8], reference: Option<&Reference>) -> Option<Found> {
    let inner = octets.get(1..)?;
    let (time, used) = iso(inner, reference).or_else(|| apache(inner, reference))?;
    let end = inner.get(used..)?.iter().position(|octet| *octet == b']')?;
    (end < 8).then_some((time, 1 + used + end + 1))
}

fn apache(octets: &[u8], reference: Option<&Reference>) -> Option<Found> {
    let (day, month, year) =
        (digits(octets, 0, 2)?, month(octets.get(3..6)?)?, digits(octets, 7, 4)?);
    if octets.get(2) != Some(&b'/') || octets.get(6) != Some(&b'/') {
        return None;
    }
    let second = clock(octets, 12)?;
    let (offset, at) = zone(octets, 20, reference);
    Some((offset.and_then(|offset| timestamp(year, month, day, second - offset)), at))
}

/// `Nov  3 18:06:25` (RFC 3164 §4.1.2), with a year behind the day or behind the time
/// where somebody added one.
fn syslog(octets: &[u8], reference: Option<&Reference>) -> Option<Found> {
    let start = if weekday(octets) { 4 } else { 0 };
    let month = month(octets.get(start..start + 3)?)?;
    let mut at = start + 3;
    at += usize::from(octets.get(at) == Some(&b'.'));
    at += octets[at..].iter().take_while(|octet| **octet == b' ').count();
    let length = octets[at..].iter().take(2).take_while(|octet| octet.is_ascii_digit()).count();
    let day = digits(octets, at, length).filter(|day| (1..=31).contains(day))?;
    at += length + 1;
    let year = digits(octets, at, 4).filter(|_| octets.get(at + 4) == Some(&b' '));
    at += if year.is_some() { 5 } else { 0 };
    let second = clock(octets, at)?;
    at += 8;
    if octets.get(at) == Some(&b'.') {
        at += 1 + octets[at + 1..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    }
    let late = digits(octets, at + 1, 4).filter(|year| {
        (1990..2100).contains(year) && octets.get(at + 5).is_none_or(|next| *next == b' ')
    });
    at += if late.is_some() { 5 } else { 0 };
    Some((with_year(year.or(late), month, day, second, reference), at))
}

fn weekday(octets: &[u8]) -> bool {
    let names: [&[u8]; 7] = [b"Mon ", b"Tue ", b"Wed ", b"Thu ", b"Fri ", b"Sat ", b"Sun "];
    names.iter().any(|name| octets.starts_with(name))
}

/// The local time; without a year, in the year that puts it last before tomorrow.
fn with_year(
    year: Option<i64>,
    month: i64,
    day: i64,
    second: i64,
    reference: Option<&Reference>,
) -> Option<Timestamp> {
    let reference = reference?;
    let second = second - reference.offset_secs;
    if let Some(year) = year {
        return timestamp(year, month, day, second);
    }
    let this_year = crate::time::Civil::of(reference.now).year;
    let tomorrow = Timestamp::from_secs(reference.now.as_secs() + DAY_SECS as u64);
    let times = [this_year + 1, this_year, this_year - 1]
        .into_iter()
        .filter_map(|year| timestamp(year, month, day, second));
    times.filter(|time| *time <= tomorrow).max()
}

/// The month's number; also of the German, French and Spanish short names that a
/// program under such a locale writes.
fn month(name: &[u8]) -> Option<i64> {
    let name: [u8; 3] = name.try_into().ok()?;
    Some(match &name.map(|octet| octet.to_ascii_lowercase()) {
        b"jan" | b"ene" => 1,
        b"feb" | b"fev" => 2,
        b"mar" | b"mrz" | b"m\xc3\xa4" => 3,
        b"apr" | b"avr" | b"abr" => 4,
        b"may" | b"mai" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" | b"ago" => 8,
        b"sep" => 9,
        b"oct" | b"okt" => 10,
        b"nov" => 11,
        b"dec" | b"dez" | b"dic" => 12,
        _ => return None,
    })
}

/// The time of a date and a second of the day in UTC.
fn timestamp(year: i64, month: i64, day: i64, second: i64) -> Option<Timestamp> {
    let secs = days(year, month, day)? * DAY_SECS + second;
    u64::try_from(secs).ok().map(Timestamp::from_secs)
}

/// Days since 1970-01-01, by H. Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year % 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read on 2026-01-10 in a zone one hour ahead.
    const REFERENCE: Reference =
        Reference { now: Timestamp::from_secs(1_768_003_200), offset_secs: 3600 };

    #[track_caller]
    fn check(text: &str, time: &str, rest: &str) {
        let (found, used) = at_start(text, Some(&REFERENCE)).unwrap();
        assert_eq!(found.map(|time| time.to_string()).as_deref(), Some(time), "{text}");
        assert_eq!(&text[used..], rest, "{text}");
    }

    #[test]
    fn times_of_syslog_get_their_year_from_the_reference() {
        check("Jan  9 12:00:00 host", "2026-01-09T11:00:00Z", " host");
        check("Dec 31 23:59:59 host", "2025-12-31T22:59:59Z", " host");
        check("Okt 15 23:48:15 c3", "2025-10-15T22:48:15Z", " c3");
        check("Mon Nov  3 2025 18:06:25 x", "2025-11-03T17:06:25Z", " x");
        check("Nov  3 18:06:25.123 2025 x", "2025-11-03T17:06:25Z", " x");
        assert_eq!(at_start("Jan  9 12:00:00 host", None), Some((None, 15)));
    }

    #[test]
    fn times_with_a_zone_need_no_reference() {
        check("2026-04-25T22:16:21.664823+02:00 x", "2026-04-25T20:16:21Z", " x");
        check("2026-05-04 13:37:00 +0100 x", "2026-05-04T12:37:00Z", " x");
        check("2026-05-04 13:37:00,123 x", "2026-05-04T12:37:00Z", " x");
        check("[17/May/2025 19:44:25] x", "2025-05-17T18:44:25Z", " x");
        check("1054194596.057500 delivery", "2003-05-29T07:49:56Z", " delivery");
        check("@40000000419f13a508f3214c delivery", "2004-11-20T09:51:23Z", " delivery");
    }

    #[test]
    fn what_is_no_time_is_left_alone() {
        for text in
            ["", "Mayor of the town", "2026-13", "450 4.2.0 no", "@4", "[x]", "12E9Un-0004Wq-00 =="]
        {
            assert_eq!(at_start(text, Some(&REFERENCE)), None, "{text}");
        }
    }
}
