//! Wordings of the field with their causes and hints, in our own words where it matters
//! not and with made-up names: `tests/heard/replies.tsv`. Every row must be understood.

use std::time::Duration;

use crate::heard::read_any;
use crate::{Cause, Permanence, Verdict};

const TABLE: &str = include_str!("../../../tests/heard/replies.tsv");

/// One row: the causes that are fair, the hint in seconds, the reply.
struct Row {
    causes: &'static str,
    hint: Option<u64>,
    reply: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [causes, hint, reply] = fields[..] else { panic!("no row: {line}") };
        let hint = (!hint.is_empty()).then(|| hint.parse().expect("seconds"));
        Row { causes, hint, reply }
    })
}

fn verdict(row: &Row) -> Option<Verdict> {
    read_any(row.reply.as_bytes()).into_iter().next().and_then(|heard| heard.verdict)
}

/// What is wrong in the verdict of `row`.
fn wrong(row: &Row) -> Option<String> {
    let Some(verdict) = verdict(row) else {
        return Some(format!("{} <> nothing: {}", row.causes, row.reply));
    };
    let cause = row.causes.split('|').any(|cause| cause == verdict.cause.name());
    let hint = verdict.retry_after.as_ref().map(Duration::as_secs) == row.hint;
    (!cause || !hint).then(|| {
        let (causes, reply) = (row.causes, row.reply);
        let (heard, after, evidence) = (verdict.cause, verdict.retry_after, verdict.evidence);
        format!("{causes} {:?} <> {heard} {after:?} by {evidence:?}: {reply}", row.hint)
    })
}

#[test]
fn wordings_of_the_field_are_understood() {
    let wrong: Vec<String> = rows().filter_map(|row| wrong(&row)).collect();
    let all = rows().count();
    assert!(wrong.is_empty(), "{} of {all} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_first_digit_decides_the_permanence_of_every_wording() {
    for row in rows() {
        let Some(verdict) = verdict(&row) else { continue };
        let is_552 = row.reply.starts_with("552") && verdict.cause == Cause::TooManyRecipients;
        let expected = match row.reply.as_bytes()[0] {
            b'2' => Permanence::Positive,
            b'5' if !is_552 && row.reply.as_bytes()[3] != b'.' => Permanence::Permanent,
            b'4' => Permanence::Transient,
            _ => continue,
        };
        assert_eq!(verdict.permanence, expected, "{}", row.reply);
    }
}

#[test]
fn every_cause_of_the_table_exists() {
    for row in rows() {
        for cause in row.causes.split('|') {
            assert!(cause.parse::<Cause>().is_ok(), "{cause}");
        }
    }
}
