//! What stands before a program's own words: the time, the host and the program that
//! syslog (RFC 3164, RFC 5424), journald and containers add.

use super::time;
use super::time::Reference;
use crate::Timestamp;

/// A line taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix<'a> {
    pub(super) time: Option<Timestamp>,
    /// Without its process id; empty where none is named.
    pub(super) program: &'a str,
    pub(super) message: &'a str,
}

/// Cuts the `mail-1  | ` of `docker compose logs` and the stream of Kubernetes' logs.
pub(super) fn without_container(line: &str) -> &str {
    match line.as_bytes().iter().take(48).position(|octet| *octet == b'|') {
        Some(at) if at > 0 => {
            let name = line[..at].trim_end();
            let is_name = !name.contains(char::is_whitespace) && !name.contains(['<', '=', ',']);
            if is_name && line[at + 1..].starts_with(' ') {
                line[at + 2..].trim_start()
            } else {
                line
            }
        }
        _ => line,
    }
}

/// Takes `line` apart.
pub(super) fn split<'a>(line: &'a str, reference: Option<&Reference>) -> Prefix<'a> {
    let (rest, is_5424) = without_priority(line);
    let (time, rest) = leading_time(rest, reference);
    if is_5424 {
        return structured(time, rest);
    }
    let rest = without_stream(rest);
    // A container's time before the program's own.
    let (time, rest) = match leading_time(rest, reference) {
        (Some(inner), after) => (Some(inner), after),
        (None, after) => (time, after),
    };
    let (program, message) = program_and_message(rest, time.is_some() || rest.len() < line.len());
    Prefix { time, program, message: without_solaris_id(message) }
}

/// `<PRI>` and, in RFC 5424 §6.2.2, the version.
fn without_priority(line: &str) -> (&str, bool) {
    let Some(rest) = line.strip_prefix('<') else { return (line, false) };
    let Some((digits, rest)) = rest.split_once('>') else { return (line, false) };
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|octet| octet.is_ascii_digit())
    {
        return (line, false);
    }
    match rest.strip_prefix("1 ") {
        Some(rest) => (rest, true),
        None => (rest, false),
    }
}

fn leading_time<'a>(rest: &'a str, reference: Option<&Reference>) -> (Option<Timestamp>, &'a str) {
    match time::at_start(rest, reference) {
        Some((time, used)) => (time, rest[used..].trim_start()),
        None => (None, rest),
    }
}

/// `stdout F ` of the container runtime interface.
fn without_stream(rest: &str) -> &str {
    ["stdout F ", "stderr F ", "stdout P ", "stderr P "]
        .iter()
        .find_map(|stream| rest.strip_prefix(stream))
        .unwrap_or(rest)
}

/// RFC 5424 §6: `HOST APP PROCID MSGID SD MSG` behind the time.
fn structured(time: Option<Timestamp>, rest: &str) -> Prefix<'_> {
    let mut words = rest.splitn(5, ' ');
    let (_host, program) = (words.next(), words.next().unwrap_or_default());
    let _ids = (words.next(), words.next());
    let message = without_structured_data(words.next().unwrap_or_default());
    Prefix { time, program, message: message.trim_start_matches('\u{feff}') }
}

fn without_structured_data(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest.trim_start();
    }
    let mut rest = text;
    while rest.starts_with('[') {
        let Some(end) = rest.find(']') else { return rest };
        rest = &rest[end + 1..];
    }
    rest.trim_start()
}

/// `HOST PROGRAM[PID]: MESSAGE`, with or without the host; `after_time` allows a program
/// without a process id.
fn program_and_message(rest: &str, after_time: bool) -> (&str, &str) {
    let (first, after) = word(without_level(rest));
    if let Some(program) = tag(first) {
        let is_program = first.contains('[') || program.starts_with("postfix/");
        if is_program {
            return (program, after);
        }
    }
    let (second, after) = word(after);
    let may_be_host = !first.ends_with([':', ']']) && !first.contains('=');
    match tag(second) {
        Some(program) if may_be_host && (after_time || second.contains('[')) => (program, after),
        _ => ("", rest),
    }
}

/// `<mail.info> ` of `syslogd -v`, and `mail.info ` of busybox.
fn without_level(rest: &str) -> &str {
    let (first, after) = word(rest);
    let is_level = (first.starts_with('<') && first.ends_with('>') && first.contains('.'))
        || first.starts_with("mail.");
    if is_level { after } else { rest }
}

fn word(text: &str) -> (&str, &str) {
    match text.as_bytes().iter().position(|octet| *octet == b' ') {
        Some(at) => (&text[..at], text[at..].trim_start_matches(' ')),
        None => (text, ""),
    }
}

/// The program of `name[123]:` and `name:`.
fn tag(word: &str) -> Option<&str> {
    let name = word.strip_suffix(':')?;
    let name = match name.split_once('[') {
        Some((name, pid)) => {
            let pid = pid.strip_suffix(']')?;
            (pid.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')).then_some(name)?
        }
        None => name,
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-_./+@<>()".contains(&octet));
    is_name.then_some(name)
}

/// `[ID 197553 mail.info] ` of Solaris.
fn without_solaris_id(message: &str) -> &str {
    match message.strip_prefix("[ID ").and_then(|rest| rest.split_once("] ")) {
        Some((_, rest)) => rest,
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, program: &str, message: &str) {
        let prefix = split(without_container(line), None);
        assert_eq!((prefix.program, prefix.message), (program, message), "{line}");
    }

    #[test]
    fn host_and_program_are_cut_off_in_both_forms_of_syslog() {
        check("Nov  3 18:06:25 mail postfix/smtp[14]: A: to=<x>", "postfix/smtp", "A: to=<x>");
        check("<22>Nov  3 18:06:25 mail sm-mta[14]: A: to=<x>", "sm-mta", "A: to=<x>");
        check(
            "<22>1 2026-04-25T22:16:21.66Z mail postfix/qmgr 9 - [a b=\"c\"] A: removed",
            "postfix/qmgr",
            "A: removed",
        );
        check(
            "2026-04-25T22:16:21+02:00 h exim[7]: 1x-2y-3z Completed",
            "exim",
            "1x-2y-3z Completed",
        );
        check("Nov  3 18:06:25 <mail.info> h smtpd[1]: x", "smtpd", "x");
        check("Nov  3 18:06:25 h sendmail[1]: [ID 197553 mail.info] x", "sendmail", "x");
        check("postfix/smtp[14]: A: removed", "postfix/smtp", "A: removed");
    }

    #[test]
    fn containers_add_a_name_a_time_or_a_stream() {
        check("mail-1  | Nov  3 18:06:25 h postfix/smtp[1]: x", "postfix/smtp", "x");
        check("2026-04-25T22:16:21.1Z stdout F postfix/smtp[1]: x", "postfix/smtp", "x");
        check("2026-04-25T22:16:21.1Z Nov  3 18:06:25 h postfix/smtp[1]: x", "postfix/smtp", "x");
    }

    #[test]
    fn a_line_without_a_program_is_all_message() {
        check("4E74613FE76: to=<a@example.net>", "", "4E74613FE76: to=<a@example.net>");
        check("2026-02-13 14:39:57 1RwtJY-0009RI-E4 => a", "", "1RwtJY-0009RI-E4 => a");
        check("", "", "");
    }
}
