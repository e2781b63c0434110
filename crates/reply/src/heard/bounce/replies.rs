//! Replies that a bounce quotes, wherever they stand in a line: after "said:", in
//! quotation marks, on lines of their own, broken over several.

use crate::heard::quoted::{joined_lines, stage_before, without_stage};
use crate::heard::reply::Reply;
use crate::{Class, Code, EnhancedCode, Stage};

/// Most replies that are read in one text.
const MAX_REPLIES: usize = 8;
/// Most lines in which a command is looked for.
const MAX_LINES_OF_A_TEXT: usize = 200;
/// Most lines of one reply.
const MAX_LINES: usize = 24;

/// A reply in a text, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) reply: Reply,
    pub(super) stage: Option<Stage>,
}

/// Every negative reply in `text`, in its order.
pub(super) fn read(text: &str) -> Vec<Quoted> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    let mut stage = None;
    while let Some(line) = lines.next() {
        stage = stage_before(line).or_else(|| stage_of_command(line)).or(stage);
        let Some(begin) = begin(line) else { continue };
        let mut texts = joined_lines(begin.code, begin.more_follows, begin.text);
        let mut more_follows = begin.more_follows;
        while let Some(next) = lines.peek().filter(|_| texts.len() < MAX_LINES) {
            let Some(more) = continued(next, begin.code, more_follows) else { break };
            more_follows &= more.more_follows;
            texts.extend(joined_lines(begin.code, begin.more_follows, more.text));
            lines.next();
        }
        found.push(quoted(begin.code, texts, stage));
        if found.len() == MAX_REPLIES {
            break;
        }
    }
    found
}

fn quoted(code: Code, mut texts: Vec<String>, before: Option<Stage>) -> Quoted {
    let mut stage = before;
    if texts.len() > 1 {
        texts.retain(|text| !text.is_empty());
    }
    if let Some(last) = texts.last_mut() {
        let (text, named) = without_stage(last);
        stage = named.or(stage);
        *last = text.trim_end_matches(['\'', '"', ')']).to_owned();
    }
    Quoted { reply: Reply::of_lines(code, texts), stage }
}

/// What was answered last, of what `text` says.
pub(super) fn stage_in(text: &str) -> Option<Stage> {
    let stage = |line| stage_before(line).or_else(|| stage_of_command(line));
    text.lines().take(MAX_LINES_OF_A_TEXT).filter_map(stage).last()
}

/// "did not like our RCPT TO", "does not like recipient", ">>> RCPT TO:<…>".
fn stage_of_command(line: &str) -> Option<Stage> {
    let names: &[(&str, Stage)] = &[
        (">>> RCPT", Stage::Rcpt),
        (">>> MAIL", Stage::Mail),
        (">>> DATA", Stage::EndOfData),
        (">>> HELO", Stage::Helo),
        (">>> EHLO", Stage::Ehlo),
        ("not like our RCPT TO", Stage::Rcpt),
        ("not like our final DATA", Stage::EndOfData),
        ("not like our DATA", Stage::Data),
        ("not like our MAIL FROM", Stage::Mail),
        ("not like recipient", Stage::Rcpt),
        ("but sender was rejected", Stage::Mail),
        ("failed after I sent the message", Stage::EndOfData),
        ("but greeting failed", Stage::Connection),
        ("SMTP:RCPT", Stage::Rcpt),
    ];
    let lower =
        line.get(..3).is_some_and(|start| start == ">>>").then(|| line.to_ascii_uppercase());
    let line = lower.as_deref().unwrap_or(line);
    names.iter().find(|(words, _)| line.contains(words)).map(|(_, stage)| *stage)
}

/// The beginning of a reply in a line.
#[derive(Clone, Copy)]
struct Begin<'a> {
    code: Code,
    more_follows: bool,
    text: &'a str,
}

/// The first code in `line` that begins a reply.
fn begin(line: &str) -> Option<Begin<'_>> {
    let octets = line.as_bytes();
    for at in memchr::memchr2_iter(b'4', b'5', octets) {
        let digits =
            octets.get(at..at + 3).is_some_and(|three| three.iter().all(u8::is_ascii_digit));
        if digits
            && may_begin(line, at)
            && let Some(begin) = code_at(&line[at..])
        {
            return Some(begin);
        }
    }
    None
}

fn code_at(text: &str) -> Option<Begin<'_>> {
    let code = Code::new(text[..3].parse().ok()?)?;
    let rest = &text[3..];
    let (more_follows, words) = match rest.chars().next() {
        None => (false, ""),
        Some('-') => (true, &rest[1..]),
        Some(c) if c.is_whitespace() || ",:;#)]'\"=".contains(c) => (false, rest),
        Some(_) => return None,
    };
    let words =
        words.trim_start_matches([' ', '\t', ',', ':', ';', ')', ']', '=', '"', '\'']).trim_end();
    let words =
        words.strip_prefix(&text[..3]).filter(|rest| rest.starts_with(' ')).unwrap_or(words);
    let words = words.trim_start();
    let words = words.strip_suffix(" ##").unwrap_or(words);
    // "550 #5.1.0 …" has its enhanced code behind a mark.
    let enhanced = words.strip_prefix('#').filter(|rest| EnhancedCode::at_start(rest).is_some());
    Some(inner(Begin { code, more_follows, text: enhanced.unwrap_or(words) }))
}

/// Sendmail puts its own code before what it heard: "554 <b@example.net>... 550 gone".
fn inner(outer: Begin<'_>) -> Begin<'_> {
    let heard = outer.text.split_once(">... ").map(|(_, rest)| rest);
    let is_reply = |rest: &&str| {
        rest.bytes().take(3).filter(u8::is_ascii_digit).count() == 3
            && rest[3..].starts_with([' ', '-'])
    };
    let found = heard.filter(is_reply).and_then(code_at);
    found.filter(|found| found.code.value() >= 400).unwrap_or(outer)
}

/// The reply within a reply that says only that time ran out: "554 4.4.7 expired <421 …>".
pub(super) fn last_one_in(text: &str) -> Option<Quoted> {
    let found = begin(text)?;
    Some(quoted(found.code, joined_lines(found.code, found.more_follows, found.text), None))
}

/// Words before a code.
const LEADS: &[&str] = &[
    "said",
    "error",
    "code",
    "response",
    "responsecode",
    "was",
    "with",
    "returned",
    "smtp",
    "status",
    "message",
    "reply",
    "answered",
    "replied",
    "server",
    "dsn",
    "fehler",
    "erreur",
];

/// Whether a code at `at` can be a reply's: at the start of the line, behind a mark, or
/// behind a word like "said".
fn may_begin(line: &str, at: usize) -> bool {
    let before = line[..at].trim_end_matches([' ', '\t', '\u{a0}']);
    let decoration: &[char] = &['<', '>', '"', '\'', '-', '*', '(', '[', '|', '#', ' ', '\t'];
    if before.trim_matches(decoration).is_empty() {
        return true;
    }
    let is_apart = before.len() < at;
    if is_apart && (before.ends_with("<--") || has_enhanced(&line[at..])) {
        return true;
    }
    // IronPort quotes behind its own words: "5.1.0 - Unknown address error 550-'5.7.1 …'".
    if is_apart && line[at + 3..].starts_with("-'") {
        return true;
    }
    // "bob@example.net: [192.0.2.7], 554 no spam"
    if is_apart && before.ends_with("],") {
        return true;
    }
    // A sentence may stand before it: "Message blocked. 550 - no such user".
    if is_apart && before.ends_with('.') && line[at + 3..].starts_with(" - ") {
        return true;
    }
    // Exchange ends what it was told with two marks: "mx.example.net #550 gone ##".
    if before.ends_with(" #") && line.trim_end().ends_with("##") {
        return true;
    }
    // Postfix joins a greeting of several lines with other codes: "220-mx 421 …".
    if is_apart
        && before
            .rsplit("220-")
            .next()
            .is_some_and(|host| host.len() < before.len() && !host.contains(' '))
    {
        return true;
    }
    let last = before.chars().next_back().unwrap_or(' ');
    if matches!(last, '(' | '"' | '\'' | '<' | '[' | '“' | '‘' | '«' | ';' | '>' | '：') {
        return true;
    }
    if matches!(last, ':' | '=') {
        // A port stands behind a colon, too.
        return is_apart
            || !before.trim_end_matches(':').ends_with(|c: char| c.is_ascii_digit() || c == ']');
    }
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    is_apart && LEADS.iter().any(|lead| lead.eq_ignore_ascii_case(word))
}

/// Whether an enhanced code of the same class follows a code: no other number has one.
fn has_enhanced(text: &str) -> bool {
    let enhanced = text[3..].strip_prefix(' ').and_then(EnhancedCode::at_start);
    enhanced.is_some_and(|_| text.as_bytes()[0] == text.as_bytes()[4])
}

/// Lines that a program adds under a reply.
const TAILS: &[&str] = &[
    "giving up on",
    "i'm not going to try",
    "(other mxes tried",
    "please ",
    "--",
    "==",
    "**",
    ">>>",
    "...",
    "...while",
    "generating server",
    "original message",
    "reporting-mta",
    "for more information",
    "no action is required",
    "message will be retried",
    "this message has been",
    "bei ",
];

/// A line that goes on with the reply above it: its text, and whether the reply may go on
/// with the same code once more.
fn continued(line: &str, code: Code, more_follows: bool) -> Option<Begin<'_>> {
    let bare = line.trim().trim_start_matches("<<<").trim_start();
    let begins = |words: &&&str| {
        bare.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words))
    };
    if bare.is_empty() || TAILS.iter().find(begins).is_some() {
        return None;
    }
    let digits = bare.get(..3).filter(|three| three.bytes().all(|octet| octet.is_ascii_digit()));
    let next = digits.and_then(|_| code_at(bare));
    match next {
        Some(next) if next.code == code => more_follows.then_some(next),
        Some(next) if matches!(next.code.class(), Class::Transient | Class::Permanent) => None,
        _ => Some(Begin { code, more_follows, text: bare }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let seen: Vec<String> = read(text).iter().map(|quoted| quoted.reply.to_string()).collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn replies_are_found_wherever_they_stand() {
        check("Remote host said: 550 5.1.1 gone\nGiving up on 192.0.2.7.", &["550 5.1.1 gone"]);
        check("host mx [192.0.2.7]: 550-one\n  550-two\n  550 three", &["550 one two three"]);
        check("returned '550 5.1.10 RESOLVER'", &["550 5.1.10 RESOLVER"]);
        check(
            "<<< 550 5.1.1 <b@example.net>... gone\n550 5.1.1 <b@example.net>... gone",
            &["550 5.1.1 <b@example.net>... gone", "550 5.1.1 <b@example.net>... gone"],
        );
        check(
            "said: 550-5.1.1 no such\n    user 550 5.1.1 here (in reply to RCPT TO command)",
            &["550 5.1.1 no such user here"],
        );
        check("554 554 5.7.0 Header error", &["554 5.7.0 Header error"]);
        check("550 :\n   User unknown", &["550 User unknown"]);
        check("12:00:01: <-- 550 box is full", &["550 box is full"]);
        check("b@example.net: [192.0.2.7], 550 5.1.1 gone", &["550 5.1.1 gone"]);
        check("mx.example.net #550 5.1.1 gone ##", &["550 5.1.1 gone"]);
    }

    #[test]
    fn numbers_that_are_no_codes_are_passed_over() {
        check("connect to mx[192.0.2.7]:587: timed out", &[]);
        check("after 450 attempts of 500 octets, 5.5.0", &[]);
        check("id 1P1ce6-000Egt-550 at 12:34:550", &[]);
    }
}
