//! Scores over other people's mail and replies, read where they lie beside the checkout
//! (or in `SECONDPOST_CORPUS`). The tests hold them to floors; `cargo xtask scoreboard`
//! prints them with every miss.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use reply::heard::{Heard, read_any};

/// Right of all, per cause, and what was missed.
#[derive(Debug, Default)]
pub(crate) struct Board {
    causes: BTreeMap<String, Tally>,
    pub(crate) cause: Tally,
    pub(crate) recipient: Tally,
    pub(crate) code: Tally,
    pub(crate) status: Tally,
    pub(crate) hint: Tally,
    pub(crate) permanence: Tally,
    pub(crate) misses: Vec<String>,
}

/// How many are right, of how many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) right: u32,
    pub(crate) all: u32,
}

impl Tally {
    fn count(&mut self, is_right: bool) -> bool {
        self.right += u32::from(is_right);
        self.all += 1;
        is_right
    }

    /// The right part of all; 1 of nothing.
    pub(crate) fn part(self) -> f64 {
        if self.all == 0 { 1.0 } else { f64::from(self.right) / f64::from(self.all) }
    }
}

impl Board {
    fn cause(&mut self, fair: &str, heard: Option<&Heard>, what: &str) {
        let seen = heard.map_or("nothing".to_owned(), seen);
        let is_fair = fair.split('|').any(|cause| cause == seen);
        let first = fair.split('|').next().unwrap_or_default().to_owned();
        self.causes.entry(first).or_default().count(is_fair);
        if !self.cause.count(is_fair) {
            let evidence = heard.and_then(|heard| heard.verdict.as_ref());
            let evidence = evidence
                .map(|verdict| format!("{}: {:?}", verdict.evidence.rule, verdict.evidence.text));
            self.miss("cause", fair, &format!("{seen} by {}", evidence.unwrap_or_default()), what);
        }
    }

    fn miss(&mut self, of: &str, expected: &str, seen: &str, what: &str) {
        self.misses.push(format!("{of}: {expected} <> {seen}: {what}"));
    }

    /// The board in words: per cause, in sum, and every miss.
    pub(crate) fn print(&self, name: &str) {
        println!("\n{name}");
        for (cause, tally) in &self.causes {
            println!("  {cause:28} {:3} of {:3}", tally.right, tally.all);
        }
        let sums = [
            ("cause", self.cause),
            ("recipient", self.recipient),
            ("reply code", self.code),
            ("status code", self.status),
            ("hint", self.hint),
            ("permanence", self.permanence),
        ];
        for (of, tally) in sums.iter().filter(|(_, tally)| tally.all > 0) {
            println!(
                "  {of:12} {:5} of {:5}  {:5.1} %",
                tally.right,
                tally.all,
                tally.part() * 100.0
            );
        }
        for miss in &self.misses {
            println!("  - {miss}");
        }
    }
}

/// The cause, or in brackets the kind that carries none.
fn seen(heard: &Heard) -> String {
    match &heard.verdict {
        Some(verdict) => verdict.cause.name().to_owned(),
        None => format!("({})", heard.kind.name()),
    }
}

/// The file of that name, or a line that says that it is not there.
pub(crate) fn corpus(name: &str) -> Option<Vec<u8>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let folder =
        std::env::var_os("SECONDPOST_CORPUS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let octets = fs::read(folder.join(name)).ok();
    if octets.is_none() {
        println!("skipped: no {name} in {}", folder.display());
    }
    octets
}

fn table(name: &str) -> Option<Vec<Vec<String>>> {
    let text = String::from_utf8_lossy(&corpus(name)?).into_owned();
    let cells = |row: &str| row.split('\t').map(str::to_owned).collect();
    Some(text.lines().skip(1).map(cells).collect())
}

/// A table of cause, hint in seconds, reply.
pub(crate) fn replies(name: &str) -> Option<Board> {
    let mut board = Board::default();
    for row in table(name)? {
        let [causes, hint, reply, ..] = &row[..] else { continue };
        let heard = read_any(reply.as_bytes());
        board.cause(causes, heard.first(), reply);
        let after = heard.first().and_then(|heard| heard.verdict.as_ref()?.retry_after);
        let after = after.map(|after| after.as_secs().to_string()).unwrap_or_default();
        if (!hint.is_empty() || !after.is_empty()) && !board.hint.count(after == *hint) {
            board.miss("hint", hint, &after, reply);
        }
    }
    Some(board)
}

/// Log lines.
pub(crate) fn log_lines() -> Option<Board> {
    let mut board = Board::default();
    for row in table("loglines.tsv")? {
        let [_, causes, line, ..] = &row[..] else { continue };
        board.cause(causes, read_any(line.replace("\\n", "\n").as_bytes()).first(), line);
    }
    Some(board)
}

/// Whole bounces; `wanted` chooses files by their path.
pub(crate) fn bounces(wanted: impl Fn(&str) -> bool) -> Option<Board> {
    let mut board = Board::default();
    let rows = table("bounces/expected.tsv")?;
    for file in rows.chunk_by(|a, b| a[0] == b[0]).filter(|file| wanted(&file[0][0])) {
        let octets = corpus(&format!("bounces/{}", file[0][0]))?;
        let heard = read_any(&octets);
        for (at, row) in file.iter().enumerate() {
            let same = |heard: &&Heard| {
                heard.recipient.as_ref().is_some_and(|seen| seen.eq_ignore_ascii_case(&row[2]))
            };
            board.bounce(row, heard.iter().find(same).or(heard.get(at)), &octets);
        }
    }
    Some(board)
}

impl Board {
    /// One row: path, index, recipient, status code, reply code, reason, hard bounce, causes.
    fn bounce(&mut self, row: &[String], heard: Option<&Heard>, octets: &[u8]) {
        let [path, _, recipient, status, code, _, hard, causes, ..] = row else { return };
        let words = heard.and_then(|heard| heard.diagnostic.clone()).unwrap_or_default();
        let what = format!("{path} {}", words.chars().take(160).collect::<String>());
        self.cause(causes, heard, &what);
        let named = heard.and_then(|heard| heard.recipient.clone()).unwrap_or_default();
        let is_guess = recipient.is_empty() || recipient.starts_with("undisclosed");
        if !is_guess && !self.recipient.count(named.eq_ignore_ascii_case(recipient)) {
            self.miss("recipient", recipient, &named, path);
        }
        let verdict = heard.and_then(|heard| heard.verdict.as_ref());
        let seen = verdict
            .and_then(|verdict| verdict.code)
            .map(|code| code.to_string())
            .unwrap_or_default();
        if !code.is_empty() && !self.code.count(seen == *code) {
            self.miss("reply code", code, &seen, &what);
        }
        let is_invented =
            status.rsplit('.').next().is_some_and(|last| last.len() == 3 && last.starts_with('9'));
        let seen = verdict.and_then(|verdict| verdict.enhanced_code).map(|code| code.to_string());
        let seen = seen.unwrap_or_default();
        if !status.is_empty() && !is_invented && !self.status.count(seen == *status) {
            self.miss("status code", status, &seen, &what);
        }
        if let Some(permanence) = verdict.map(|verdict| verdict.permanence.name()) {
            let expected = expected_permanence(octets, hard);
            if expected.is_some_and(|expected| !self.permanence.count(expected == permanence)) {
                self.miss("permanence", expected.unwrap_or_default(), permanence, &what);
            }
        }
    }
}

/// By the only action of a notification, else by Sisimai's word for hard bounces.
fn expected_permanence(octets: &[u8], hard: &str) -> Option<&'static str> {
    let text = String::from_utf8_lossy(octets).to_ascii_lowercase();
    let actions: Vec<&str> = text
        .split(['\n', '\r'])
        .filter_map(|line| line.strip_prefix("action:"))
        .map(str::trim)
        .collect();
    match actions[..] {
        ["failed" | "expired"] => Some("permanent"),
        ["delayed"] => Some("transient"),
        [] if hard == "1" => Some("permanent"),
        _ => None,
    }
}
