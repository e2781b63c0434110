//! Replies within texts: pasted with a prompt or quotes, in a sentence of another
//! program ("host x said: 450 …"), on several lines or with the lines joined.

use std::borrow::Cow;

use super::reply::Reply;
use crate::classify::{Context, classify, classify_text};
use crate::{Cause, Code, Confidence, EnhancedCode, Permanence, Stage, Verdict};

use super::{Heard, Kind, unreadable};

/// Most octets that are read; a longer text is cut.
pub const MAX_OCTETS: usize = 1024 * 1024;
/// Most things that are heard in one text.
pub const MAX_HEARD: usize = 10_000;

/// Whether `octets` begin with a reply's code: most of what is read does, and needs no
/// other reader to look at it.
pub(super) fn begins_as_a_reply(octets: &[u8]) -> bool {
    matches!(octets, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..])
}

/// Reads every reply in `text`, in its order. Lines that say nothing are left out.
pub(super) fn read(octets: &[u8]) -> Vec<Heard> {
    let octets = &octets[..octets.len().min(MAX_OCTETS)];
    let text = unreadable::text(octets);
    let text = unescaped(&text);
    let mut heard = Vec::new();
    let mut open: Option<Quoted> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if heard.len() == MAX_HEARD {
            return heard;
        }
        match (quoted(line), &mut open) {
            (Some(next), Some(before)) if before.goes_on_with(&next) => before.add(next),
            (None, Some(before)) if before.more_follows || line.starts_with([' ', '\t']) => {
                before.texts.push(line.trim().to_owned());
            }
            (next, _) => {
                let closed = std::mem::replace(&mut open, next);
                heard.extend(closed.map(Quoted::into_heard));
                if open.is_none() {
                    heard.extend(without_code(line));
                }
            }
        }
    }
    heard.extend(open.map(Quoted::into_heard));
    heard
}

/// The first reply in `text`, with all its lines, and what it answered.
pub(super) fn reply_in(text: &str) -> Option<(Reply, Option<Stage>)> {
    let text = unescaped(text);
    let mut open: Option<Quoted> = None;
    for line in text.lines() {
        match (quoted(line), &mut open) {
            (Some(next), Some(before)) if before.goes_on_with(&next) => before.add(next),
            (None, Some(before)) => before.texts.push(line.trim().to_owned()),
            (next, None) => open = next,
            (Some(_), Some(_)) => break,
        }
    }
    open.map(|found| (Reply::of_lines(found.code, found.texts), found.stage))
}

/// A `\n` in two characters before a code, or at the end, is a line end (tables, JSON, Exim's logs).
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\n") {
        let after = &rest[at + 2..];
        let is_line_end = after.is_empty() || code_at_start(after.trim_start()).is_some();
        out.push_str(rest[..at].strip_suffix("\\r").unwrap_or(&rest[..at]));
        out.push_str(if is_line_end { "\n" } else { "\\n" });
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A reply that was found on a line, and may go on with the next.
struct Quoted {
    code: Code,
    more_follows: bool,
    texts: Vec<String>,
    stage: Option<Stage>,
    recipient: Option<String>,
    kind: Kind,
    /// Nothing but decoration stood before it.
    bare: bool,
}

impl Quoted {
    /// A line with the same code goes on, also where the program that wrote it lost the hyphen.
    fn goes_on_with(&self, next: &Quoted) -> bool {
        next.bare && self.code == next.code && (self.more_follows || self.is_like(next))
    }

    /// Without the hyphen two replies are told apart by their enhanced codes and addresses.
    fn is_like(&self, next: &Quoted) -> bool {
        let is_whole = |text: &String| EnhancedCode::at_start(text).is_some() || text.contains('@');
        self.code.value() >= 400 && !next.texts.iter().chain(&self.texts).any(is_whole)
    }

    fn add(&mut self, next: Quoted) {
        self.more_follows = next.more_follows;
        self.texts.extend(next.texts);
        self.stage = self.stage.or(next.stage);
    }

    fn into_heard(self) -> Heard {
        let reply = Reply::of_lines(self.code, self.texts);
        let verdict = classify(&reply, &Context { stage: self.stage, now: None });
        Heard {
            recipient: self.recipient,
            reply: Some(reply),
            verdict: Some(verdict),
            stage: self.stage,
            ..Heard::of(self.kind)
        }
    }
}

/// The three digits at the start of `text`, as the code of a reply line: the code, whether
/// more lines follow, and the text.
fn code_at_start(text: &str) -> Option<(Code, bool, &str)> {
    let code = Code::new(
        text.get(..3)?
            .parse()
            .ok()
            .filter(|_| text.as_bytes()[..3].iter().all(u8::is_ascii_digit))?,
    )?;
    let rest = &text[3..];
    match rest.as_bytes().first() {
        None => Some((code, false, "")),
        Some(b'-')
            if !rest[1..]
                .starts_with(|c: char| c.is_ascii_digit() && !begins_enhanced(&rest[1..])) =>
        {
            Some((code, true, rest[1..].trim()))
        }
        Some(b' ' | b'\t') => Some((code, false, rest.trim())),
        Some(b'#' | b',' | b':' | b'.' | b';' | b'"' | b'\'' | b')' | b'>') => {
            let text = rest.trim_matches(|c: char| c.is_whitespace() || ",:.;\"')>".contains(c));
            let is_number = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
            (!is_number || rest.starts_with('#')).then_some((code, false, text))
        }
        Some(_) => None,
    }
}

fn begins_enhanced(text: &str) -> bool {
    EnhancedCode::at_start(text).is_some() || text.starts_with(|c: char| c.is_ascii_digit())
}

/// What stands around a reply on a line: prompts, arrows, quotes.
const DECORATION: &[char] = &[
    ' ', '\t', '<', '>', '"', '\'', '`', '«', '»', '“', '”', '‘', '’', '-', '*', '•', '←', '=',
    '(', '[', '|', ':', '#', '~', '{',
];
/// Names that logs and prompts put before what a server said.
const SPEAKERS: &[&str] = &[
    "server:",
    "s:",
    "smtp;",
    "smtp:",
    "response:",
    "reply:",
    "remote:",
    "error:",
    "recv:",
    "in:",
];
/// Words after which a program quotes a reply; the earliest in the line counts.
const QUOTES: &[&str] = &[
    "said:",
    "refused to talk to me:",
    "responded:",
    "responded with:",
    "response:",
    "response was:",
    "replied:",
    "reply:",
    "answered:",
    "diagnostic-code: smtp;",
    "smtp;",
    "remote host said:",
    "stat=deferred:",
    "stat=",
    "rejected:",
    "error from remote server:",
    "smtp error from remote server:",
    "with error:",
    "returned:",
    "error:",
    "details:",
    "reason:",
    "<<<",
    "<-",
    "got:",
    "status=sent",
    "c=\"",
    "reject:",
    "said_",
    "from remote server",
];

fn quoted(line: &str) -> Option<Quoted> {
    // The number of a local program is its exit status.
    if starts_with(line.trim_start(), "x-unix;") {
        return None;
    }
    let bare = undecorated(line);
    if let Some((code, more_follows, text)) = code_at_start(bare) {
        return Some(found(line, code, more_follows, text, true));
    }
    let (code, more_follows, text) = after_quote(line).or_else(|| after_colon(line))?;
    Some(found(line, code, more_follows, text, false))
}

fn undecorated(line: &str) -> &str {
    if line.starts_with(|c: char| c.is_ascii_digit()) {
        return line;
    }
    let mut rest = without_type(line.trim_start_matches(DECORATION)).trim_start_matches(DECORATION);
    while let Some(speaker) = SPEAKERS.iter().find(|speaker| starts_with(rest, speaker)) {
        rest = rest[speaker.len()..].trim_start_matches(DECORATION);
    }
    rest
}

/// Cuts the type of a diagnostic (RFC 3464 §2.3.6), as in `x-unix; ` and `smtp; `.
fn without_type(text: &str) -> &str {
    let Some((name, rest)) = text.split_once(';') else { return text };
    let is_type = starts_with(name, "x-")
        || name.eq_ignore_ascii_case("smtp")
        || name.eq_ignore_ascii_case("lmtp");
    if is_type && !name.contains(' ') { rest.trim_start() } else { text }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn after_quote(line: &str) -> Option<(Code, bool, &str)> {
    let lower = line.to_ascii_lowercase();
    let ends = QUOTES.iter().filter_map(|quote| lower.find(quote).map(|at| at + quote.len()));
    let mut ends: Vec<usize> = ends.collect();
    ends.sort_unstable();
    ends.into_iter()
        .find_map(|end| code_at_start(undecorated(line.get(end..)?.trim_start_matches('_'))))
}

/// After a colon, bracket or quotation mark and a space: "…RCPT TO:<b@example.net>: 550 …".
fn after_colon(line: &str) -> Option<(Code, bool, &str)> {
    let ends = |at: &usize| {
        matches!(line.as_bytes()[*at], b':' | b'(' | b'"' | b'\'' | b'>' | b';' | b'=')
    };
    (0..line.len()).filter(ends).find_map(|at| {
        let rest = line.get(at + 1..)?;
        let (code, more_follows, text) = code_at_start(rest.trim_start_matches([' ', '"', '\'']))?;
        (!text.is_empty() && code.value() >= 400).then_some((code, more_follows, text))
    })
}

/// A reply on `line`, with what the line says beside it.
fn found(line: &str, code: Code, more_follows: bool, text: &str, bare: bool) -> Quoted {
    let text = text.trim_end_matches(['"', '\'']);
    let (text, stage) = without_stage(text);
    let texts = joined_lines(code, more_follows, text);
    let more_follows = more_follows && texts.len() == 1 && bare;
    let is_log = !bare
        && ["status=", "postfix/", " == ", " ** ", "stat=", "sm-mta", "sendmail[", "smtpd["]
            .iter()
            .any(|mark| line.contains(mark));
    Quoted {
        code,
        more_follows,
        texts,
        stage: stage.or_else(|| if bare { None } else { stage_before(line) }),
        recipient: if bare { None } else { recipient(line) },
        kind: if is_log { Kind::Log } else { Kind::Reply },
        bare,
    }
}

/// Postfix joins the lines of a reply with spaces: "550-5.7.1 one 550-5.7.1 two 550 5.7.1 three".
pub(super) fn joined_lines(code: Code, more_follows: bool, text: &str) -> Vec<String> {
    if !more_follows {
        return vec![text.to_owned()];
    }
    let code = code.to_string();
    let begins = |after: &[u8]| {
        after.starts_with(code.as_bytes()) && matches!(after.get(code.len()), Some(b'-' | b' '))
    };
    let next = |rest: &str| {
        let octets = rest.as_bytes();
        memchr::memchr_iter(b' ', octets).find(|space| begins(&octets[space + 1..]))
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = next(rest) {
        lines.push(rest[..at].trim().to_owned());
        rest = &rest[at + code.len() + 2..];
    }
    lines.push(rest.trim().to_owned());
    lines
}

/// Cuts "(in reply to RCPT TO command)", which tells the stage.
pub(super) fn without_stage(text: &str) -> (&str, Option<Stage>) {
    let begins = |at: &usize| text[*at..].starts_with("(in reply to ");
    let mut brackets = memchr::memrchr_iter(b'(', text.as_bytes());
    let Some(at) = brackets.find(begins) else { return (text, None) };
    (text[..at].trim_end(), stage_of(&text[at..]))
}

/// "… after RCPT TO:<b@example.net>: host …", "… after end of data: …".
pub(super) fn stage_before(line: &str) -> Option<Stage> {
    let at = line.find(" after ").or_else(|| line.find("refused to talk to me"))?;
    stage_of(&line[at..])
}

fn stage_of(words: &str) -> Option<Stage> {
    let begins = words.get(..80).unwrap_or(words).to_ascii_lowercase();
    let names = [
        ("end of data", Stage::EndOfData),
        ("end-of-message", Stage::EndOfData),
        ("rcpt", Stage::Rcpt),
        ("mail from", Stage::Mail),
        ("pipelined mail", Stage::Mail),
        ("data", Stage::Data),
        ("ehlo", Stage::Ehlo),
        ("helo", Stage::Helo),
        ("starttls", Stage::StartTls),
        ("auth", Stage::Auth),
        ("refused to talk", Stage::Connection),
        ("initial connection", Stage::Connection),
        ("greeting", Stage::Connection),
    ];
    names.iter().find(|(name, _)| begins.contains(name)).map(|(_, stage)| *stage)
}

/// The address after `to=<` or `RCPT TO:<`.
fn recipient(line: &str) -> Option<String> {
    ["to=<", "RCPT TO:<", "rcpt to:<", "recipient <"].iter().find_map(|mark| {
        let at = line.find(mark)? + mark.len();
        let end = line[at..].find('>')?;
        Some(line[at..at + end].to_owned()).filter(|address| !address.is_empty())
    })
}

/// A bare enhanced code, a number that is no code, or words alone.
fn without_code(line: &str) -> Option<Heard> {
    if is_no_text(line) {
        return None;
    }
    let bare = undecorated(line).trim_end_matches(['"', '\'', ' ']);
    let enhanced = EnhancedCode::at_start(bare);
    let text = enhanced.map_or(bare, |(_, used)| bare[used..].trim());
    let enhanced = enhanced.map(|(enhanced, _)| enhanced);
    let verdict = match outside_smtp(bare) {
        Some((digits, rest)) => odd_number(digits, rest),
        None => classify_text(enhanced, text, &Context::default()),
    }?;
    Some(Heard { recipient: recipient(line), verdict: Some(verdict), ..Heard::of(Kind::Reply) })
}

/// Whether a line is of octets that nobody wrote as words: control characters, or more than
/// an eighth that is no UTF-8. What looks like a word in it is chance.
fn is_no_text(line: &str) -> bool {
    let is_control =
        |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}');
    let odd = line.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    line.contains(is_control) || odd * 8 > line.chars().count()
}

/// Three digits outside SMTP. Programs have some numbers of their own (1yz: a socket's error,
/// 6yz: a sending service that did not even try); the others mean nothing to anybody, and the
/// words behind them alone may tell something. The code is not heard, so that it is absent.
fn odd_number(digits: &str, rest: &str) -> Option<Verdict> {
    let by_words = classify_text(None, rest, &Context::default());
    if let Some(words) = by_words.filter(|verdict| verdict.confidence > Confidence::Low) {
        return Some(words);
    }
    let (cause, also, permanence) = of_programs(digits.parse().ok()?)?;
    let evidence = crate::Evidence { rule: "number-outside-smtp".into(), text: digits.to_owned() };
    let mut verdict = crate::verdict_of(cause, permanence, evidence);
    verdict.alternatives = also.to_vec();
    verdict.confidence = Confidence::Low;
    Some(verdict)
}

/// The number and the words behind it, where `bare` begins with three digits that no reply
/// has.
fn outside_smtp(bare: &str) -> Option<(&str, &str)> {
    let digits =
        bare.get(..3).filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()))?;
    let rest =
        bare[3..].strip_prefix([' ', '-', ':']).or_else(|| bare[3..].is_empty().then_some(""))?;
    let is_code = digits.parse().ok().and_then(Code::new).is_some();
    (!is_code).then_some((digits, rest))
}

/// What programs mean by a number outside SMTP.
const fn of_programs(number: u16) -> Option<(Cause, &'static [Cause], Permanence)> {
    Some(match number {
        101 | 110 | 111 | 113 => {
            (Cause::HostUnreachable, &[Cause::ConnectionLost], Permanence::Transient)
        }
        104 => (Cause::ConnectionLost, &[Cause::HostUnreachable], Permanence::Transient),
        605 => {
            let also = &[Cause::MailboxUnknown, Cause::PolicyRefused];
            (Cause::Unknown, also, Permanence::Permanent)
        }
        606 | 607 => {
            let also = &[Cause::MailboxPrivate, Cause::PolicyRefused];
            (Cause::Unknown, also, Permanence::Permanent)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::heard::{Kind, read_any};
    use crate::{Cause, Stage};

    #[track_caller]
    fn check(text: &str, replies: &[(Option<u16>, &str, Cause)]) {
        let heard = read_any(text.as_bytes());
        let seen: Vec<_> = heard
            .iter()
            .map(|heard| {
                let verdict = heard.verdict.as_ref().unwrap();
                let enhanced = verdict.enhanced_code.map_or(String::new(), |code| code.to_string());
                (verdict.code.map(|code| code.value()), enhanced, verdict.cause)
            })
            .collect();
        let expected: Vec<_> = replies
            .iter()
            .map(|(code, enhanced, cause)| (*code, (*enhanced).to_owned(), *cause))
            .collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn a_reply_is_read_in_any_quoting() {
        let full = [(Some(452), "4.2.2", Cause::MailboxFull)];
        for text in [
            "452 4.2.2 mailbox full",
            "452-4.2.2 mailbox\r\n452 4.2.2 full\r\n",
            "452-4.2.2 mailbox\\n452 4.2.2 full",
            "<<< 452 4.2.2 mailbox full",
            "S: 452 4.2.2 mailbox full",
            "\"452 4.2.2 mailbox full\"",
            "  > 452 4.2.2 mailbox full",
            "smtp; 452 4.2.2 mailbox full",
            "host mx.example.net[192.0.2.7] said: 452 4.2.2 mailbox full (in reply to RCPT TO command)",
            "SMTP error from remote mail server after RCPT TO:<bob@example.net>: host mx.example.net [192.0.2.7]: 452 4.2.2 mailbox full",
            "452 4.2.2 mailbox\n  full",
        ] {
            check(text, &full);
        }
    }

    #[test]
    fn bare_codes_and_numbers_are_read() {
        check("502", &[(Some(502), "", Cause::CommandNotImplemented)]);
        check("4.2.0", &[(None, "4.2.0", Cause::MailboxBusy)]);
        check("5.1.1 bob is gone", &[(None, "5.1.1", Cause::MailboxUnknown)]);
        check("101", &[(None, "", Cause::HostUnreachable)]);
        check("605", &[(None, "", Cause::Unknown)]);
        for nonsense in ["999 foo", "000", "620 no", "199 go on", "102"] {
            check(nonsense, &[]);
        }
        check("999 user unknown", &[(None, "", Cause::MailboxUnknown)]);
        check("connect: Connection refused", &[(None, "", Cause::HostUnreachable)]);
        check("", &[]);
        check("hello, world", &[]);
        check("\u{1}\u{2}user unknown\u{7f}\u{fffd}", &[]);
        check("\u{fffd}\u{fffd}G\u{fffd} spam\u{fffd}\u{fffd}\u{fffd}", &[]);
        check("bo\u{fffd}te inexistante: user unknown", &[(None, "", Cause::MailboxUnknown)]);
    }

    #[test]
    fn several_replies_are_told_apart() {
        let two =
            [(Some(250), "2.1.0", Cause::Delivered), (Some(550), "5.1.1", Cause::MailboxUnknown)];
        check("250 2.1.0 ok\r\n550 5.1.1 bob: no such user\r\n", &two);
    }

    #[test]
    fn a_log_line_gives_recipient_and_joined_lines() {
        let line = "postfix/smtp[9]: 4X: to=<bob@example.net>, relay=mx.example.net[192.0.2.7]:25, dsn=5.2.1, status=bounced \
                    (host mx.example.net[192.0.2.7] said: 550-5.2.1 The account is 550 5.2.1 disabled. (in reply to RCPT TO command))";
        let heard = read_any(line.as_bytes());
        assert_eq!(heard.len(), 1);
        assert_eq!(
            (heard[0].kind, heard[0].recipient.as_deref()),
            (Kind::Log, Some("bob@example.net"))
        );
        assert_eq!(
            heard[0].reply.as_ref().unwrap().to_string(),
            "550 5.2.1 The account is disabled."
        );
        assert_eq!(super::stage_of("(in reply to end of DATA command)"), Some(Stage::EndOfData));
    }
}
