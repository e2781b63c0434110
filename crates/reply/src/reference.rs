//! The reference pages that are made from declarations, as Markdown: the replies that we
//! can send, the causes, the codes. In English; `secondpost docs` writes them.

use std::fmt::Write;

use crate::catalogue::ROWS;
use crate::explain::entry::{Entry, Topic, entry};
use crate::explain::{
    Language, any_command, cause_in_words, concerned_in_words, text, when_sent, whose_move_in_words,
};
use crate::facts::field::{self, Foreign};
use crate::facts::keyword::Keyword;
use crate::facts::provider;
use crate::{Cause, Code, EnhancedCode, Row, Stage, facts};

const MADE: &str = "<!-- Made by `cargo xtask docs`; do not edit. -->\n";

/// Every reply that the server can send.
pub fn replies() -> String {
    let mut page = format!("# Replies\n\n{MADE}\nEvery reply that the server can send.\n");
    page.push_str("Words in braces are filled in when it is sent.\n\n");
    page.push_str("| reply | sent when | cause | answers | source |\n|---|---|---|---|---|\n");
    for row in ROWS {
        push(&mut page, &reply_cells(row));
    }
    page
}

fn reply_cells(row: &Row) -> [String; 5] {
    let enhanced = row.enhanced_code.map_or_else(String::new, |code| format!(" {code}"));
    [
        format!("`{}{enhanced} {}`", row.code, row.text),
        when_sent(row, Language::En),
        row.cause.map_or_else(String::new, |cause| format!("[{cause}](causes.md#{cause})")),
        answers(row.answers),
        row.source.to_owned(),
    ]
}

fn answers(stages: &[Stage]) -> String {
    if stages.len() == Stage::ALL.len() {
        return any_command(Language::En);
    }
    stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ")
}

/// Every cause: what it is, whose move it is, what to do.
pub fn causes() -> String {
    let mut page = format!("# Causes\n\n{MADE}\nWhy a mail server says what it says.\n");
    for cause in Cause::ALL {
        let entry = entry(Topic::Cause(*cause), Language::En);
        let words = cause_in_words(*cause, Language::En);
        push_entry(&mut page, cause.name(), &entry, &words);
    }
    page
}

/// Every basic code and every enhanced code.
pub fn codes() -> String {
    let mut page = format!("# Codes\n\n{MADE}\n## Basic codes\n");
    for row in facts::CODES {
        let entry = entry(Topic::Code(row.code), Language::En);
        push_entry(&mut page, &row.code.to_string(), &entry, &entry.name);
    }
    page.push_str("\n## Codes of the field, in no specification of SMTP\n");
    for row in field::FIELD_CODES {
        let entry = entry(Topic::Code(row.code), Language::En);
        push_entry(&mut page, &row.code.to_string(), &entry, &entry.name);
    }
    for (code, _) in field::SHORTHANDS {
        let entry = entry(Topic::Code(*code), Language::En);
        push_entry(&mut page, &code.to_string(), &entry, &entry.name);
    }
    for number in Foreign::all() {
        let entry = entry(Topic::Foreign(number), Language::En);
        push_entry(&mut page, &number.value().to_string(), &entry, &entry.name);
    }
    page.push_str("\n## Enhanced codes\n\n");
    page.push_str("| code | name | meaning | causes | source |\n|---|---|---|---|---|\n");
    for row in facts::ENHANCED {
        if let Some(code) = EnhancedCode::new(5, row.number.0, row.number.1) {
            push(&mut page, &enhanced_cells(code, row));
        }
    }
    page.push_str("\n## Enhanced codes as single providers use them\n\n");
    page.push_str("| code | name | meaning | causes | who |\n|---|---|---|---|---|\n");
    provider::PROVIDERS.iter().for_each(|row| push(&mut page, &provider_cells(row)));
    page
}

fn provider_cells(row: &provider::ProviderFacts) -> [String; 5] {
    let text = |part: &str| text(Language::En, &format!("provider-{}{part}", row.id));
    let class = match row.classes {
        [one] => one.to_string(),
        _ => "X".to_owned(),
    };
    let details = row.details.iter().map(|(from, to)| match from == to {
        true => from.to_string(),
        false => format!("{from}–{to}"),
    });
    let details: Vec<String> = details.collect();
    let causes = row.causes.iter().map(|cause| format!("[{cause}](causes.md#{cause})"));
    [
        format!("{class}.{}.{}", row.subject, details.join(", ")),
        text(""),
        text(".meaning"),
        causes.collect::<Vec<_>>().join(", "),
        row.who.to_owned(),
    ]
}

/// Every command and every keyword of EHLO.
pub fn commands() -> String {
    let mut page = format!("# Commands and keywords\n\n{MADE}\n## Commands\n");
    for stage in Stage::ALL {
        let entry = entry(Topic::Command(*stage), Language::En);
        push_entry(&mut page, stage.name(), &entry, &entry.name);
    }
    page.push_str("\n## Keywords of EHLO\n");
    for keyword in Keyword::all() {
        let entry = entry(Topic::Keyword(keyword), Language::En);
        push_entry(&mut page, keyword.name(), &entry, &entry.name);
    }
    page
}

fn enhanced_cells(code: EnhancedCode, row: &facts::EnhancedFacts) -> [String; 5] {
    let entry = entry(Topic::Enhanced(code), Language::En);
    let causes = row.causes.iter().map(|cause| format!("[{cause}](causes.md#{cause})"));
    [
        format!("X.{}.{}", row.number.0, row.number.1),
        entry.name,
        entry.meaning,
        causes.collect::<Vec<_>>().join(", "),
        row.source.to_owned(),
    ]
}

/// A section: what the entry says, then its facts in a line each.
fn push_entry(page: &mut String, heading: &str, entry: &Entry, words: &str) {
    let facts = &entry.facts;
    let codes: Vec<String> = facts.codes.iter().map(Code::to_string).collect();
    let enhanced: Vec<String> = facts.enhanced_codes.iter().map(EnhancedCode::to_string).collect();
    let refusals: Vec<String> =
        entry.refusals.iter().map(|told| format!("*{}:* {}", told.code, told.meaning)).collect();
    let lines = [
        ("In short", words.to_owned()),
        ("When you see it", entry.when_seen.clone()),
        ("How to fix it", fix(entry)),
        ("When refused", refusals.join(" ")),
        ("When next", entry.when_next.clone()),
        ("Whose move", whose_move_in_words(facts.whose_move, Language::En)),
        ("About", facts.scope.name().to_owned()),
        ("Answers", answers(&facts.answers)),
        ("Causes", facts.causes.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")),
        ("Seen with", [codes, enhanced].concat().join(", ")),
        ("Source", entry.source.clone()),
    ];
    // Writing to a String cannot fail.
    let _ = write!(page, "\n### {heading}\n\n{}\n\n", entry.meaning);
    for (label, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        let _ = writeln!(page, "- {label}: {text}");
    }
}

/// How to fix it, for each of those concerned.
fn fix(entry: &Entry) -> String {
    let told = entry.how_to_fix.iter().map(|remedy| match remedy.whom {
        None => remedy.text.clone(),
        Some(whom) => format!("*{}:* {}", concerned_in_words(whom, Language::En), remedy.text),
    });
    told.collect::<Vec<_>>().join(" ")
}

/// A row of a table.
fn push(page: &mut String, cells: &[String; 5]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}
