//! Dates as mail writes them (RFC 5322 §3.3). The time and the offset from UTC are
//! arguments; nothing here reads a clock or a time zone.

use std::time::Duration;

use reply::Timestamp;
use reply::time::Civil;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Largest offset from UTC that is written, in minutes: a day.
const MAX_OFFSET_MINUTES: i32 = 23 * 60 + 59;

/// `at` as in `Mon, 23 Nov 2026 23:50:00 +0100`, in a zone `offset_minutes` east of UTC
/// (negative: west; more than a day is cut to a day).
pub fn rfc5322_date(at: Timestamp, offset_minutes: i32) -> String {
    let mut date = String::new();
    push_rfc5322_date(&mut date, at, offset_minutes);
    date
}

/// Appends the same. Every message gets one: the formatter's way takes four times as long.
pub(super) fn push_rfc5322_date(into: &mut String, at: Timestamp, offset_minutes: i32) {
    let offset = offset_minutes.clamp(-MAX_OFFSET_MINUTES, MAX_OFFSET_MINUTES);
    let by = Duration::from_secs(u64::from(offset.unsigned_abs()) * 60);
    let local = Civil::of(if offset < 0 { at - by } else { at + by });
    let minutes = offset.unsigned_abs();
    into.extend([DAYS[local.weekday as usize % DAYS.len()], ", "]);
    push_digits(into, local.day, if local.day < 10 { 1 } else { 2 });
    let month = MONTHS[(local.month as usize).saturating_sub(1) % MONTHS.len()];
    into.extend([" ", month, " "]);
    let year = u32::try_from(local.year).unwrap_or(u32::MAX);
    push_digits(into, year, year.max(1000).ilog10() + 1);
    let clock = [local.hour, local.minute, local.second];
    for (before, number) in [' ', ':', ':'].into_iter().zip(clock) {
        into.push(before);
        push_digits(into, number, 2);
    }
    into.push_str(if offset < 0 { " -" } else { " +" });
    push_digits(into, minutes / 60, 2);
    push_digits(into, minutes % 60, 2);
}

/// The last `count` digits of a number, zeros before them where it has fewer.
fn push_digits(into: &mut String, number: u32, count: u32) {
    let digit = |place: u32| char::from_digit(number / 10u32.pow(place) % 10, 10);
    into.extend((0..count).rev().filter_map(digit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_the_zone_that_was_asked_for() {
        let at = Timestamp::from_secs(951_827_696);
        assert_eq!(rfc5322_date(at, 0), "Tue, 29 Feb 2000 12:34:56 +0000");
        assert_eq!(rfc5322_date(at, 330), "Tue, 29 Feb 2000 18:04:56 +0530");
        assert_eq!(rfc5322_date(at, -13 * 60), "Mon, 28 Feb 2000 23:34:56 -1300");
        assert_eq!(rfc5322_date(Timestamp::EPOCH, 0), "Thu, 1 Jan 1970 00:00:00 +0000");
    }
}
