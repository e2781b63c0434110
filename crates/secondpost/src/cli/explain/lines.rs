//! `--ndjson`: one reply or log line a line, one object a line in the same order.

use std::io::{self, BufRead, Write};

use reply::heard::log::{Format, LogReader, recognise};
use reply::heard::{Heard, first_odd_octet, read_any, read_notices};

use super::unread::{Mebibytes, Unread};

/// Most octets of one line; what is longer is cut.
const MAX_LINE_OCTETS: usize = 1024 * 1024;

/// Why not all lines were told.
#[derive(Debug)]
pub(super) enum Broken {
    /// Reading failed behind so many lines.
    Reading(u64, io::Error),
    /// What is told cannot be written.
    Writing(io::Error),
}

/// Reads `from` line by line, and hands what each says to `tell`, with what was not read of
/// it: one thing, or one for each recipient of whom a row or a notice tells something of his
/// own. `None` where nothing was heard.
pub(super) fn each_line(
    mut from: impl BufRead,
    mut tell: impl FnMut(Option<&Heard>, Option<&Unread>) -> io::Result<()>,
) -> Result<(), Broken> {
    let (mut line, mut rows) = (Vec::new(), None);
    let mut count = 0;
    loop {
        match next_line(&mut from, &mut line) {
            Ok(Some(is_cut)) => {
                let heard = of_row(&line, &mut rows).unwrap_or_else(|| of_line(&line));
                tell_line(&line, is_cut, &heard, &mut tell).map_err(Broken::Writing)?;
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err(Broken::Reading(count, error)),
        }
        count += 1;
    }
}

fn tell_line(
    line: &[u8],
    is_cut: bool,
    heard: &[Heard],
    tell: &mut impl FnMut(Option<&Heard>, Option<&Unread>) -> io::Result<()>,
) -> io::Result<()> {
    let odd = first_odd_octet(line).map(|(octet, at)| Unread::OddOctet(octet, at));
    let cut = is_cut.then(|| Unread::BeyondFirst(Mebibytes::of(MAX_LINE_OCTETS)));
    let unread = cut.or(odd);
    if heard.is_empty() {
        return tell(None, unread.as_ref());
    }
    heard.iter().try_for_each(|heard| tell(Some(heard), unread.as_ref()))
}

/// The next line without its end, up to a bound; what lies beyond is passed over, and whether
/// something does is told.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let read = io::Read::take(&mut *from, MAX_LINE_OCTETS as u64).read_until(b'\n', line)?;
    let is_full = line.last() != Some(&b'\n') && read == MAX_LINE_OCTETS;
    let is_cut = is_full && from.skip_until(b'\n')? > 0;
    let end =
        line.len() - line.iter().rev().take_while(|octet| matches!(octet, b'\n' | b'\r')).count();
    line.truncate(end);
    Ok((read > 0).then_some(is_cut))
}

/// What a line says: a JSON string is a text of several lines.
fn of_line(line: &[u8]) -> Vec<Heard> {
    let text = match line.first() {
        Some(b'"') => serde_json::from_slice::<String>(line).ok(),
        _ => None,
    };
    let octets = text.as_ref().map_or(line, |text| text.as_bytes());
    let mut heard = read_any(octets);
    let is_of_each = heard.len() > 1 && (read_notices(octets).is_some() || is_row(octets));
    heard.truncate(if is_of_each { heard.len() } else { 1 });
    if heard.is_empty() {
        heard.extend(note(octets));
    }
    heard
}

/// What a row of Exchange's CSV says, whose columns a line above it names: `rows` reads from
/// the first such line on. `None` for all other lines.
fn of_row(line: &[u8], rows: &mut Option<LogReader>) -> Option<Vec<Heard>> {
    if rows.is_none() && line.starts_with(b"#Fields:") {
        *rows = Some(LogReader::new(None));
    }
    let mut heard = None;
    rows.as_mut()?.push(&[line, b"\n"].concat(), &mut |line| {
        let entry = line.entry.filter(|entry| entry.format == Format::Exchange);
        heard = entry.map(|entry| match entry.status.is_outcome() {
            true => entry.into_heard(),
            false => vec![entry.heard()],
        });
    });
    heard
}

/// Whether a line is one of Exchange's, which tells of several recipients at once.
fn is_row(octets: &[u8]) -> bool {
    let line = String::from_utf8_lossy(octets);
    recognise(&line, None).is_some_and(|entry| entry.format == Format::Exchange)
}

/// A line of a log that tells of no delivery: it carries no cause.
fn note(octets: &[u8]) -> Option<Heard> {
    let line = String::from_utf8_lossy(octets);
    let entry = recognise(&line, None)?;
    (entry.format != Format::Other).then(|| entry.heard())
}

/// Writes one value on a line.
pub(super) fn write_line(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(input: &[u8]) -> Vec<&'static str> {
        let mut seen = Vec::new();
        each_line(input, |heard, _| {
            let verdict = heard.map(|heard| heard.verdict.as_ref());
            let cause = |verdict: Option<&reply::Verdict>| verdict.map_or("", |v| v.cause.name());
            seen.push(verdict.map_or("nothing", cause));
            Ok(())
        })
        .unwrap();
        seen
    }

    #[test]
    fn every_line_has_one_object_in_its_order() {
        let input = b"450 4.2.0 Greylisted\n\n\"550-5.1.1 no such\\n550 5.1.1 user\"\r\ngood morning\n552 5.2.2 mailbox full";
        assert_eq!(
            causes(input),
            ["greylisted", "nothing", "mailbox-unknown", "nothing", "mailbox-full"]
        );
    }

    #[test]
    fn a_line_of_a_log_that_tells_of_no_delivery_is_no_transient_failure() {
        let input = b"Nov 28 10:00:01 mx postfix/smtpd[100]: connect from unknown[192.0.2.50]\n#Fields: date-time,recipient-count\n";
        assert_eq!(causes(input), ["", ""]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_is_read() {
        let mut input = vec![b'x'; 3 * 1024 * 1024];
        input.extend_from_slice(b"\n550 5.1.1 user unknown\n");
        assert_eq!(causes(&input), ["nothing", "mailbox-unknown"]);
        let mut cut = Vec::new();
        each_line(&input[..], |_, unread| {
            cut.push(unread.map(Unread::in_english));
            Ok(())
        })
        .unwrap();
        assert_eq!(cut, [Some("only the first 1 MiB were read".to_owned()), None]);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place_in_the_line() {
        let mut told = Vec::new();
        each_line(&b"450 4.2.0 Greylisted\n450 \0\x01 4.2.0\n"[..], |_, unread| {
            told.push(unread.cloned());
            Ok(())
        })
        .unwrap();
        assert_eq!(told, [None, Some(Unread::OddOctet(0, 4))]);
    }

    #[test]
    fn each_recipient_of_a_row_of_exchange_and_of_a_notice_has_its_object() {
        let row = b"2026-11-28T10:00:03.000Z,,,,,,,SMTP,FAIL,7,<a@b>,,bob@example.net;carl@example.net,\
                    550 5.1.1 User unknown;452 4.2.2 Mailbox full,1,2,,,x,ann@example.org,ann@example.org\n";
        assert_eq!(causes(row), ["mailbox-unknown", "mailbox-full"]);
        let named = b"#Fields: date-time,event-id,recipient-status,recipient-address\n\
                      2026-11-28T10:00:03.000Z,FAIL,452 4.2.2 Mailbox full,bob@example.net\n\
                      550 5.1.1 user unknown\n";
        assert_eq!(causes(named), ["", "mailbox-full", "mailbox-unknown"]);
        let sendmail = b"Nov 28 10:00:01 mx sendmail[1]: xAT3LkQw012345: to=<a@example.net>,<b@example.net>, dsn=4.2.2, stat=Deferred: 452 4.2.2 Mailbox full\n";
        assert_eq!(causes(sendmail), ["mailbox-full"]);
    }
}
