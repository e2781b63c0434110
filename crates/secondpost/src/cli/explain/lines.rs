//! `--ndjson`: one reply or log line a line, one object a line in the same order.

use std::io::{self, BufRead, Write};

use reply::heard::log::{Format, recognise};
use reply::heard::{Heard, Kind, read_any};
use reply::{Cause, Confidence, Evidence, Permanence, verdict_of};

/// Most octets of one line; what is longer is cut.
const MAX_LINE_OCTETS: u64 = 1024 * 1024;

/// Why not all lines were told.
#[derive(Debug)]
pub(super) enum Broken {
    /// Reading failed behind so many lines.
    Reading(u64, io::Error),
    /// What is told cannot be written.
    Writing(io::Error),
}

/// Reads `from` line by line, and hands what each line says to `tell`: always one thing.
pub(super) fn each_line(
    mut from: impl BufRead,
    mut tell: impl FnMut(&Heard) -> io::Result<()>,
) -> Result<(), Broken> {
    let mut line = Vec::new();
    let mut count = 0;
    loop {
        match next_line(&mut from, &mut line) {
            Ok(true) => tell(&of_line(&line)).map_err(Broken::Writing)?,
            Ok(false) => return Ok(()),
            Err(error) => return Err(Broken::Reading(count, error)),
        }
        count += 1;
    }
}

/// The next line without its end, up to a bound; what lies beyond is passed over.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = io::Read::take(&mut *from, MAX_LINE_OCTETS).read_until(b'\n', line)?;
    if line.last() != Some(&b'\n') && read as u64 == MAX_LINE_OCTETS {
        from.skip_until(b'\n')?;
    }
    let end =
        line.len() - line.iter().rev().take_while(|octet| matches!(octet, b'\n' | b'\r')).count();
    line.truncate(end);
    Ok(read > 0)
}

/// What a line says: a JSON string is a text of several lines.
fn of_line(line: &[u8]) -> Heard {
    let text = match line.first() {
        Some(b'"') => serde_json::from_slice::<String>(line).ok(),
        _ => None,
    };
    let octets = text.as_ref().map_or(line, |text| text.as_bytes());
    let heard = read_any(octets).into_iter().next();
    heard.or_else(|| note(octets)).unwrap_or_else(nothing)
}

/// A line of a log that tells of no delivery: it carries no cause.
fn note(octets: &[u8]) -> Option<Heard> {
    let line = String::from_utf8_lossy(octets);
    let entry = recognise(&line, None)?;
    (entry.format != Format::Other).then(|| entry.heard())
}

/// A line in which nothing was heard has its object, too.
fn nothing() -> Heard {
    let evidence = Evidence { rule: "nothing-heard".into(), text: String::new() };
    let mut verdict = verdict_of(Cause::Unknown, Permanence::Transient, evidence);
    verdict.confidence = Confidence::Low;
    Heard { verdict: Some(verdict), ..Heard::of(Kind::Reply) }
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
        each_line(input, |heard| {
            seen.push(heard.verdict.as_ref().map_or("", |verdict| verdict.cause.name()));
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
            ["greylisted", "unknown", "mailbox-unknown", "unknown", "mailbox-full"]
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
        assert_eq!(causes(&input), ["unknown", "mailbox-unknown"]);
    }
}
