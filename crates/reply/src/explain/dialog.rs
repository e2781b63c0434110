//! Example dialogs, made from the facts: the command that a code answers, the reply, and
//! what the client does next. Nothing in them belongs to a language but the waiting.

use super::entry::{Facts, Topic, usual};
use super::wording;
use crate::catalogue::ROWS;
use crate::classify::examples;
use crate::facts::keyword::Keyword;
use crate::facts::{self, NextStep};
use crate::{Cause, Class, Code, EnhancedCode, Row, Stage};

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
    Stage::StartTls,
    Stage::Auth,
    Stage::Vrfy,
    Stage::Ehlo,
];

/// What a server says: code, enhanced code, words, and after which commands.
struct Said {
    code: Code,
    enhanced: Option<EnhancedCode>,
    words: String,
    answers: Vec<Stage>,
    /// The client's line, where the words speak of what is in it.
    provoked_by: Option<&'static str>,
}

/// A dialog with `topic`; empty where none makes sense.
pub(crate) fn of(topic: Topic, facts: &Facts) -> Vec<Line> {
    let said = match topic {
        Topic::Code(code) => of_code(code, facts),
        Topic::Enhanced(enhanced) => of_enhanced(enhanced, facts),
        Topic::Cause(cause) => of_cause(cause, facts),
        Topic::Command(stage) => return of_command(stage),
        Topic::Keyword(keyword) => return of_keyword(keyword),
        Topic::Pattern(pattern) => {
            let usual = usual(pattern);
            return usual.map_or_else(Vec::new, |(code, facts)| of(Topic::Enhanced(code), &facts));
        }
        Topic::Foreign(_) => None,
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

/// In our own words where we have a row for the cause, else in those of the field that
/// have a code under which the cause is commonly seen.
fn of_cause(cause: Cause, facts: &Facts) -> Option<Said> {
    if let Some(row) = ROWS.iter().find(|row| row.cause == Some(cause)) {
        return Some(of_row(row));
    }
    let said = examples(cause)
        .flat_map(|(rule, texts)| texts.iter().map(move |text| (wording::whose(rule), text)))
        .filter_map(|(who, text)| Some((who.is_none(), read(text)?)))
        .filter(|(_, said)| facts.codes.is_empty() || facts.codes.contains(&said.code))
        .min_by_key(|(for_all, said)| oddity(*for_all, said, facts))
        .map(|(_, said)| said);
    let code =
        said.as_ref().map_or_else(|| facts.codes.first().copied(), |said| Some(said.code))?;
    let enhanced = facts.enhanced_codes.iter().find(|known| known.class() == code.class());
    let said = said.unwrap_or_else(|| in_phrase(code, enhanced.copied(), facts));
    Some(Said { answers: answers_of(code, facts), ..said })
}

/// How little a wording of the field serves as an example: one provider's, under another
/// enhanced code, a link or a number in place of words.
fn oddity(for_all: bool, said: &Said, facts: &Facts) -> u8 {
    let usual = said.enhanced.is_some_and(|code| facts.enhanced_codes.contains(&code));
    let speaks = !said.words.contains("http") && said.words.split(' ').count() > 3;
    2 * u8::from(!speaks) + 2 * u8::from(!for_all) + u8::from(!usual)
}

fn of_row(row: &Row) -> Said {
    Said {
        code: row.code,
        enhanced: row.enhanced_code,
        words: in_words(row, filler(row, "verb")),
        answers: row.answers.to_vec(),
        provoked_by: provoking(row),
    }
}

fn in_phrase(code: Code, enhanced: Option<EnhancedCode>, facts: &Facts) -> Said {
    Said {
        code,
        enhanced,
        words: phrase(code).to_owned(),
        answers: answers_of(code, facts),
        provoked_by: (code.value() == 455).then_some("RCPT TO:<bob@example.net> NOTIFY=SUCCESS"),
    }
}

/// What `code` may answer; where nothing is known of it, what the topic may.
fn answers_of(code: Code, facts: &Facts) -> Vec<Stage> {
    let known = facts::of_code(code).map(|row| row.answers).filter(|known| !known.is_empty());
    match code.value() {
        521 => vec![Stage::Connection],
        530 => vec![Stage::Mail],
        _ => known.map_or_else(|| facts.answers.clone(), <[Stage]>::to_vec),
    }
}

/// A one-line example of the field's wording.
fn read(text: &str) -> Option<Said> {
    let code = text.get(..3)?.parse().ok().and_then(Code::new)?;
    let rest = text.get(3..)?.strip_prefix(' ').filter(|rest| !rest.contains('\n'))?;
    let (enhanced, words) = match EnhancedCode::at_start(rest) {
        Some((enhanced, used)) => (Some(enhanced), rest[used..].trim_start()),
        None => (None, rest),
    };
    let words = words.to_owned();
    Some(Said { code, enhanced, words, answers: Vec::new(), provoked_by: None })
}

/// The command and the reply that means success; where nobody offers it, the refusal.
fn of_command(stage: Stage) -> Vec<Line> {
    let positive = |row: &&Row| row.answers.contains(&stage) && row.code.value() < 400;
    let done = ROWS.iter().filter(positive).min_by_key(|row| row.code.value() != 250);
    let answer = match (done, success(stage)) {
        (Some(row), _) => Some(of_row(row).line()),
        (None, Some(line)) => Some(line),
        (None, None) => refused(stage).map(|said| said.line()),
    };
    let command = command(stage).map(|command| Line::Client(command.to_owned()));
    command.into_iter().chain(answer.map(Line::Server)).collect()
}

/// How a server lists it.
fn of_keyword(keyword: Keyword) -> Vec<Line> {
    let asked = command(Stage::Ehlo).map(|command| Line::Client(command.to_owned()));
    let done = 250;
    let greets = format!("{done}-mx.example.net greets client.example.org");
    let listed = format!("{done} {}", keyword.name());
    asked.into_iter().chain([Line::Server(greets), Line::Server(listed)]).collect()
}

/// Success of a command that we do not offer ourselves.
fn success(stage: Stage) -> Option<String> {
    let (code, words) = match stage {
        Stage::StartTls => (220, "2.0.0 ready to start TLS"),
        Stage::Auth => (235, "2.7.0 authentication succeeded"),
        Stage::Etrn => (250, "2.0.0 queuing for example.org started"),
        Stage::Atrn => (250, "2.0.0 now reversing the connection"),
        _ => return None,
    };
    Some(format!("{code} {words}"))
}

fn refused(stage: Stage) -> Option<Said> {
    let cause = match stage {
        Stage::Unrecognized => Cause::CommandUnknown,
        _ => Cause::CommandNotImplemented,
    };
    let row = ROWS.iter().find(|row| row.cause == Some(cause))?;
    let verb = command(stage)?.split(' ').next().unwrap_or_default();
    Some(Said { words: in_words(row, verb), ..of_row(row) })
}

fn dialog(said: &Said, facts: &Facts) -> Vec<Line> {
    let shown = SHOWN_AT.iter().find(|stage| said.answers.contains(stage));
    let stage = shown.or(said.answers.first()).copied();
    let command = said.provoked_by.or_else(|| stage.and_then(command));
    let command = command.map(|command| Line::Client(command.to_owned()));
    let mut lines: Vec<Line> = command.clone().into_iter().collect();
    lines.push(Line::Server(said.line()));
    if said.code.class() == Class::Transient {
        let closes = said.code.value() == 421;
        lines.extend(after(facts.next, stage.filter(|_| !closes), command));
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
fn in_words(row: &Row, verb: &str) -> String {
    let mut words = String::new();
    let mut rest = row.text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        words.push_str(before);
        words.push_str(if name == "verb" { verb } else { filler(row, name) });
        rest = behind;
    }
    words + rest
}

fn filler(row: &Row, placeholder: &str) -> &'static str {
    match (placeholder, row.id) {
        ("name", "parameter_unknown") => "SOLICIT",
        ("name", "parameter_malformed" | "parameter_repeated") => "SIZE",
        ("expected", "parameter_malformed") => "digits",
        ("verb", "arguments_malformed") => "MAIL",
        ("expected", "arguments_malformed") => "FROM:<address>",
        ("limit", "declared_size_too_big" | "message_too_big") => "26214400",
        ("name", _) => "bob",
        ("about", _) => "see RFC 5321 and the EHLO reply",
        ("problem", _) => "there is no @ in it",
        ("expected", _) => "MAIL",
        ("link", _) => "https://mx.example.net/greylist",
        ("recipient" | "mailbox" | "address" | "member", _) => "bob@example.net",
        ("sender", _) => "alice@example.org",
        ("hostname", _) => "mx.example.net",
        ("client", _) => "192.0.2.25",
        ("id", _) => "4bXq1z",
        ("retry", _) => "00:05:00",
        ("verb", _) => "VRFY",
        ("octets", _) => "1024",
        ("limit", _) => "1000",
        _ => "",
    }
}

/// What a client says to hear `row`, where the usual command would not do.
fn provoking(row: &Row) -> Option<&'static str> {
    let line = match row.id {
        "command_unknown" => "XYZZY",
        "command_not_implemented" | "argument_not_implemented" => "VRFY bob",
        "arguments_malformed" => "MAIL alice@example.org",
        "recipient_malformed" => "RCPT TO:<bob>",
        "sender_malformed" => "MAIL FROM:<alice>",
        "parameter_unknown" => "MAIL FROM:<alice@example.org> SOLICIT=org.example:ADV",
        "declared_size_too_big" => "MAIL FROM:<alice@example.org> SIZE=52428800",
        "sender_not_ascii" => "MAIL FROM:<zoë@example.org>",
        "no_valid_recipients" => "DATA",
        "line_too_long" => "NOOP xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…",
        _ => return None,
    };
    Some(line)
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
        Stage::Bdat => "BDAT 1024",
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
    fn a_number_without_a_class_is_shown_under_its_usual_one_and_a_keyword_as_it_is_listed() {
        let said = |topic: &str| -> Vec<String> {
            let server = |line| match line {
                Line::Server(text) => Some(text),
                _ => None,
            };
            example(topic).into_iter().filter_map(server).collect()
        };
        assert!(said("X.1.1")[0].starts_with("550 5.1.1 "), "{:?}", said("X.1.1"));
        assert!(said("X.2.0")[0].starts_with("450 4.2.0 "), "{:?}", said("X.2.0"));
        assert_eq!(said("PIPELINING").last().map(String::as_str), Some("250 PIPELINING"));
        assert!(said("X.1.X").is_empty());
    }

    #[test]
    fn a_reply_that_names_what_it_answers_stands_behind_that() {
        let said = |topic: &str| match example(topic).as_slice() {
            [Line::Client(client), Line::Server(server), ..] => format!("{client} | {server}"),
            other => panic!("{topic}: {other:?}"),
        };
        for topic in ["502", "504", "5.5.1", "command-not-implemented", "TURN", "SEND"] {
            let said = said(topic);
            let verb = said.split(' ').next().unwrap();
            assert!(said.matches(verb).count() == 2, "{topic}: {said}");
        }
        assert!(said("501").starts_with(
            "MAIL alice@example.org | 501 5.5.4 syntax error in the arguments of MAIL: "
        ));
        assert!(said("500").starts_with("XYZZY | 500 "));
        assert!(said("555").contains(" SOLICIT=") && said("555").contains("parameter SOLICIT "));
        assert!(said("STARTTLS").starts_with("STARTTLS | 220 "));
        assert!(said("AUTH").starts_with("AUTH PLAIN AGFsaWNlAHNlY3JldA== | 235 "));
        assert!(said("EXPN").starts_with("EXPN staff | 250 "));
    }

    #[test]
    fn a_cause_is_shown_under_a_code_that_is_usual_for_it_and_no_refusal_for_good_is_waited_for() {
        for cause in Cause::ALL {
            let found = entry(Topic::Cause(*cause), Language::En);
            let said = found.example.iter().find_map(|line| match line {
                Line::Server(text) => text.get(..3)?.parse::<u16>().ok(),
                _ => None,
            });
            let Some(code) = said else { continue };
            let usual = |known: &Code| known.value() == code;
            let in_row = ROWS.iter().any(|row| row.cause == Some(*cause));
            let codes = &found.facts.codes;
            assert!(in_row || codes.is_empty() || codes.iter().any(usual), "{cause}: {code}");
            assert!(code < 500 || !found.example.contains(&Line::Wait), "{cause}");
        }
    }

    #[test]
    fn no_placeholder_is_left_open_or_empty() {
        for row in ROWS {
            let words = in_words(row, filler(row, "verb"));
            assert!(!words.contains(['{', '}']) && !words.contains("<>"), "{words}");
        }
    }
}
