//! A scoreboard over other people's replies, read where they lie beside the checkout
//! (or in `SECONDPOST_CORPUS`); skipped, with a line that says so, where they do not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::heard::read_any;

/// Part of the rows whose first cause must be one of the fair ones.
const FLOOR: f64 = 0.97;

/// Where the corpus lies when the checkout stands beside it.
const BESIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");

fn corpus(name: &str) -> Option<String> {
    let folder =
        std::env::var_os("SECONDPOST_CORPUS").map_or_else(|| PathBuf::from(BESIDE), PathBuf::from);
    let text = std::fs::read_to_string(folder.join(name)).ok();
    if text.is_none() {
        println!("skipped: no {name} in {}", folder.display());
    }
    text
}

/// Scores a table of cause, hint in seconds, reply.
fn score(name: &str) {
    let Some(text) = corpus(name) else { return };
    let mut board: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let (mut right, mut all) = (0u32, 0u32);
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [causes, hint, reply, ..] = fields[..] else { continue };
        let heard = read_any(reply.as_bytes());
        let verdict = heard.first().and_then(|heard| heard.verdict.as_ref());
        let cause = verdict.map_or("nothing", |verdict| verdict.cause.name());
        let seconds = verdict
            .and_then(|verdict| verdict.retry_after)
            .map(|after| after.as_secs().to_string());
        let fair =
            causes.split('|').any(|fair| fair == cause) && seconds.unwrap_or_default() == hint;
        if !fair {
            println!(
                "{causes} {hint} <> {cause} by {:?}: {reply}",
                verdict.map(|verdict| &verdict.evidence)
            );
        }
        let first = causes.split('|').next().unwrap_or_default().to_owned();
        let entry = board.entry(first).or_default();
        (entry.0, entry.1) = (entry.0 + u32::from(fair), entry.1 + 1);
        (right, all) = (right + u32::from(fair), all + 1);
    }
    for (cause, (right, all)) in board {
        println!("{cause:28} {right:3} of {all:3}");
    }
    println!("{name}: {right} of {all}");
    assert!(f64::from(right) >= FLOOR * f64::from(all), "{name}: {right} of {all}");
}

#[test]
fn replies_of_the_field_are_understood() {
    score("replies.tsv");
}

#[test]
fn greylisting_wordings_and_their_hints_are_understood() {
    score("greylist_wordings.tsv");
}

/// The replies that bounces quote (RFC 3464 §2.3.6), of bounces about one recipient.
#[test]
fn diagnostics_in_bounces_are_understood() {
    let Some(expected) = corpus("bounces/expected.tsv") else { return };
    let rows: Vec<Vec<&str>> =
        expected.lines().skip(1).map(|row| row.split('\t').collect()).collect();
    let (mut right, mut all) = (0u32, 0u32);
    for row in &rows {
        let [path, .., causes, _] = row[..] else { continue };
        let is_alone = rows.iter().filter(|other| other[0] == path).count() == 1;
        let Some(diagnostic) = diagnostic(path).filter(|_| is_alone && !causes.starts_with('('))
        else {
            continue;
        };
        let verdict = read_any(diagnostic.as_bytes()).into_iter().find_map(|heard| heard.verdict);
        let cause = verdict.as_ref().map_or("nothing", |verdict| verdict.cause.name());
        let fair = causes.split('|').any(|fair| fair == cause);
        if !fair {
            println!(
                "{causes} <> {cause} by {:?}: {diagnostic}",
                verdict.map(|verdict| verdict.evidence)
            );
        }
        (right, all) = (right + u32::from(fair), all + 1);
    }
    println!("diagnostics in bounces: {right} of {all}");
    assert!(f64::from(right) >= 0.9 * f64::from(all), "{right} of {all}");
}

/// The only Diagnostic-Code field of a mail, unfolded.
fn diagnostic(path: &str) -> Option<String> {
    let folder =
        std::env::var_os("SECONDPOST_CORPUS").map_or_else(|| PathBuf::from(BESIDE), PathBuf::from);
    let octets = std::fs::read(folder.join("bounces").join(path)).ok()?;
    let text = String::from_utf8_lossy(&octets).replace("\r\n", "\n").replace('\r', "\n");
    let (_, rest) = text.split_once("\nDiagnostic-Code:")?;
    let folded =
        rest.lines().enumerate().take_while(|(at, line)| *at == 0 || line.starts_with([' ', '\t']));
    Some(folded.map(|(_, line)| line.trim()).collect::<Vec<_>>().join(" "))
}
