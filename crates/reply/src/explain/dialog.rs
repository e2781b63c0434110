//! Example dialogs, made from the facts: the command that a code answers, the reply, and
//! what the client does next. Nothing in them belongs to a language but the waiting.

use super::entry::{Facts, Topic};
use crate::catalogue::ROWS;
use crate::classify::examples;
use crate::facts::NextStep;
use crate::{Cause, Code, EnhancedCode, Row, Stage};

/// One line of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The client says.
    Client(String),
    /// The server says.
    Server(String),
    /// Some minutes pass.
    Wait,
}

/// Where a reply is shown, if it may stand there: where mail is mostly refused, first.
const SHOWN_AT: [Stage; 8] = [
    Stage::Rcpt,
    Stage::EndOfData,
    Stage::Data,
    Stage::Mail,
    Stage::Auth,
    Stage::StartTls,
    Stage::Vrfy,
    Stage::Ehlo,
];

/// What a server says: code, enhanced code, words, and after which commands.
struct Said {
    code: Code,
    enhanced: Option<EnhancedCode>,
    words: String,
    answers: Vec<Stage>,
}

/// A dialog with `topic`; empty where none makes sense.
pub(crate) fn of(topic: Topic, facts: &Facts) -> Vec<Line> {
    let said = match topic {
        Topic::Code(code) => of_code(code, facts),
        Topic::Enhanced(enhanced) => of_enhanced(enhanced, facts),
        Topic::Cause(cause) => of_cause(cause, facts),
        Topic::Command(stage) => return of_command(stage),
        Topic::Pattern(_) | Topic::Keyword(_) | Topic::Foreign(_) => None,
    };
    said.map_or_else(Vec::new, |said| dialog(&said, facts))
}

fn of_code(code: Code, facts: &Facts) -> Option<Said> {
    if facts.answers.is_empty() {
        return None;
    }
    let row = ROWS.iter().find(|row| row.code == code);
    Some(row.map_or_else(|| in_phrase(code, None, facts), of_row))
}

fn of_enhanced(enhanced: EnhancedCode, facts: &Facts) -> Option<Said> {
    let row = ROWS.iter().find(|row| row.enhanced_code == Some(enhanced));
    let code = facts.codes.first().copied();
    row.map(of_row).or_else(|| Some(in_phrase(code?, Some(enhanced), facts)))
}

/// In our own words where we have a row for the cause, else in those of the field.
fn of_cause(cause: Cause, facts: &Facts) -> Option<Said> {
    let row = ROWS.iter().find(|row| row.cause == Some(cause));
    row.map(of_row).or_else(|| {
        let said = examples(cause).find_map(|(_, texts)| texts.iter().find_map(|text| read(text)));
        said.map(|said| Said { answers: facts.answers.clone(), ..said })
    })
}

fn of_row(row: &Row) -> Said {
    Said {
        code: row.code,
        enhanced: row.enhanced_code,
        words: in_words(row),
        answers: row.answers.to_vec(),
    }
}

fn in_phrase(code: Code, enhanced: Option<EnhancedCode>, facts: &Facts) -> Said {
    Said { code, enhanced, words: phrase(code).to_owned(), answers: facts.answers.clone() }
}

/// A one-line example of the field's wording.
fn read(text: &str) -> Option<Said> {
    let code = text.get(..3)?.parse().ok().and_then(Code::new)?;
    let rest = text.get(3..)?.strip_prefix(' ').filter(|rest| !rest.contains('\n'))?;
    let (enhanced, words) = match EnhancedCode::at_start(rest) {
        Some((enhanced, used)) => (Some(enhanced), rest[used..].trim_start()),
        None => (None, rest),
    };
    Some(Said { code, enhanced, words: words.to_owned(), answers: Vec::new() })
}

/// The command and the reply that means success; where we never offer it, our refusal.
fn of_command(stage: Stage) -> Vec<Line> {
    let good = ROWS.iter().find(|row| row.answers.contains(&stage) && row.code.value() < 400);
    let not_offered = || ROWS.iter().find(|row| row.cause == Some(Cause::CommandNotImplemented));
    let answer = good.or_else(not_offered).map(|row| Line::Server(of_row(row).line()));
    let command = command(stage).map(|command| Line::Client(command.to_owned()));
    command.into_iter().chain(answer).collect()
}

fn dialog(said: &Said, facts: &Facts) -> Vec<Line> {
    let shown = SHOWN_AT.iter().find(|stage| said.answers.contains(stage));
    let stage = shown.or(said.answers.first()).copied();
    let command = stage.and_then(command).map(|command| Line::Client(command.to_owned()));
    let mut lines: Vec<Line> = command.clone().into_iter().collect();
    lines.push(Line::Server(said.line()));
    if said.code.value() >= 400 {
        lines.extend(after(facts.next, stage, command));
    }
    lines
}

/// What follows a refusal: the wait, and where a second attempt is short, that.
fn after(next: Option<NextStep>, stage: Option<Stage>, command: Option<Line>) -> Vec<Line> {
    let later = matches!(next, Some(NextStep::RetryLater | NextStep::ReconnectLater));
    let mut lines = if later { vec![Line::Wait] } else { Vec::new() };
    if next == Some(NextStep::RetryLater) && stage == Some(Stage::Rcpt) {
        let taken = ROWS.iter().find(|row| row.id == "recipient_ok");
        lines.extend(command);
        lines.extend(taken.map(|row| Line::Server(of_row(row).line())));
    }
    lines
}

impl Said {
    fn line(&self) -> String {
        let enhanced = self.enhanced.map_or_else(String::new, |code| format!("{code} "));
        format!("{} {enhanced}{}", self.code, self.words)
    }
}

/// A row's text with something plausible for each placeholder.
fn in_words(row: &Row) -> String {
    let mut words = String::new();
    let mut rest = row.text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        words.push_str(before);
        words.push_str(filler(name, row.code.value()));
        rest = behind;
    }
    words + rest
}

fn filler(placeholder: &str, code: u16) -> &'static str {
    match placeholder {
        "name" if matches!(code, 501 | 555) => "SOLICIT",
        "name" => "bob",
        "about" => "see RFC 5321 and the EHLO reply",
        "problem" => "there is no @ in it",
        "expected" => "MAIL",
        "link" => "https://mx.example.net/greylist",
        "recipient" | "mailbox" | "address" | "member" => "bob@example.net",
        "sender" => "alice@example.org",
        "hostname" => "mx.example.net",
        "client" => "192.0.2.25",
        "id" => "4bXq1z",
        "retry" => "00:05:00",
        "verb" => "VRFY",
        "limit" | "octets" => "1000",
        _ => "",
    }
}

/// A command that `stage` is.
const fn command(stage: Stage) -> Option<&'static str> {
    let command = match stage {
        Stage::Connection => return None,
        Stage::Ehlo => "EHLO client.example.org",
        Stage::Helo => "HELO client.example.org",
        Stage::Lhlo => "LHLO client.example.org",
        Stage::Mail => "MAIL FROM:<alice@example.org>",
        Stage::Rcpt => "RCPT TO:<bob@example.net>",
        Stage::Data => "DATA",
        Stage::EndOfData => ".",
        Stage::Bdat => "BDAT 1024 LAST",
        Stage::Rset => "RSET",
        Stage::Noop => "NOOP",
        Stage::Quit => "QUIT",
        Stage::Vrfy => "VRFY bob",
        Stage::Expn => "EXPN staff",
        Stage::Help => "HELP",
        Stage::StartTls => "STARTTLS",
        Stage::Auth => "AUTH PLAIN AGFsaWNlAHNlY3JldA==",
        Stage::Etrn => "ETRN example.org",
        Stage::Turn => "TURN",
        Stage::Atrn => "ATRN example.org",
        Stage::Send => "SEND FROM:<alice@example.org>",
        Stage::Unrecognized => "XYZZY",
    };
    Some(command)
}

/// Words for a code that we never send.
const fn phrase(code: Code) -> &'static str {
    match code.value() {
        235 => "Authentication succeeded",
        253 => "3 pending messages for example.org started",
        334 => "UGFzc3dvcmQ6",
        432 => "A password transition is needed",
        453 => "You have no mail",
        454 => "TLS not available due to temporary reason",
        455 => "Cannot accommodate these parameters now",
        458 => "Unable to queue messages for example.org",
        459 => "Node example.org not allowed",
        521 => "This host takes no mail",
        523 | 524 | 538 => "Encryption is required for this mechanism",
        525 => "This account is disabled",
        530 => "Authentication required",
        534 => "This mechanism is too weak",
        535 => "Authentication credentials invalid",
        556 => "This domain takes no mail",
        200..400 => "OK",
        400..500 => "Not now, please try again later",
        _ => "Not accepted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Language;
    use crate::explain::entry::entry;

    fn example(topic: &str) -> Vec<Line> {
        entry(topic.parse().unwrap(), Language::En).example
    }

    #[test]
    fn a_transient_refusal_is_waited_for_and_then_passes() {
        let lines = example("450");
        assert_eq!(lines[0], Line::Client("RCPT TO:<bob@example.net>".into()));
        assert_eq!(lines[2], Line::Wait);
        assert!(matches!(&lines[4], Line::Server(text) if text.starts_with("250 2.1.5 ")));
    }

    #[test]
    fn every_reply_of_an_example_is_what_it_is_an_example_of() {
        for row in crate::facts::CODES {
            let code = row.code.to_string();
            let said = example(&code).into_iter().find_map(|line| match line {
                Line::Server(text) => Some(text),
                _ => None,
            });
            assert!(said.is_some_and(|text| text.starts_with(&code)), "{code}");
        }
    }

    #[test]
    fn no_placeholder_is_left_open_or_empty() {
        for row in ROWS {
            let words = in_words(row);
            assert!(!words.contains(['{', '}']) && !words.contains("<>"), "{words}");
        }
    }
}
