//! Examples of our own making, in every format: `tests/heard/mail/` holds what is read, and
//! `expected.txt` what is heard in it, one line for each recipient.

use std::fs;
use std::path::PathBuf;

use reply::heard::{Heard, read_any};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/heard/mail"))
}

/// `file: kind recipient code enhanced-code permanence cause`, with `-` for what is absent.
fn line(file: &str, heard: &Heard) -> String {
    let absent = || "-".to_owned();
    let verdict = heard.verdict.as_ref();
    let code =
        verdict.and_then(|verdict| verdict.code).map_or_else(absent, |code| code.to_string());
    let enhanced = verdict.and_then(|verdict| verdict.enhanced_code);
    let enhanced = enhanced.map_or_else(absent, |code| code.to_string());
    let permanence = verdict.map_or("-", |verdict| verdict.permanence.name());
    let cause = verdict.map_or("-", |verdict| verdict.cause.name());
    let recipient = heard.recipient.clone().unwrap_or_else(absent);
    format!("{file}: {} {recipient} {code} {enhanced} {permanence} {cause}", heard.kind.name())
}

#[test]
fn every_example_is_heard_as_expected() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expected.txt")
        .collect();
    names.sort();
    let mut seen = String::new();
    for name in &names {
        let octets = fs::read(folder().join(name)).unwrap();
        for heard in read_any(&octets) {
            seen.push_str(&line(name, &heard));
            seen.push('\n');
        }
    }
    let expected = fs::read_to_string(folder().join("expected.txt")).unwrap_or_default();
    for (seen, expected) in seen.lines().zip(expected.lines()) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen, expected, "all that was heard:\n{seen}");
}

/// A notice of delay says until when it is tried (RFC 3464 §2.3.9).
#[test]
fn a_delayed_message_is_tried_until_the_time_that_its_notice_names() {
    let octets = fs::read(folder().join("dsn-delayed-until.eml")).unwrap();
    let heard = read_any(&octets);
    let until = heard[0].verdict.as_ref().and_then(|verdict| verdict.retry_at);
    assert_eq!(until.map(|until| until.to_string()).as_deref(), Some("2026-04-30T12:00:00Z"));
}
