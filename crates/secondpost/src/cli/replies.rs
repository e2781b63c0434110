//! `secondpost replies`: every reply that our server can send, from the catalogue.

use reply::catalogue::ROWS;
use reply::explain::when_sent;
use reply::{Language, Row};
use serde_json::{Value, json};

use super::page::Page;
use super::{Context, Failure};

/// List every reply that this server can send
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Lists the catalogue: its wire texts in English, as on the wire, and when each is sent.
pub(crate) fn run(_args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    if context.global.json {
        let rows = ROWS.iter().map(|row| row_json(row, language));
        return context.json(&Value::Array(rows.collect()));
    }
    let mut page = Page::new(context.out, ROWS.iter().map(codes));
    for row in ROWS {
        page.row(&codes(row), row.text)?;
        page.row("", &when_sent(row, language))?;
    }
    Ok(())
}

fn codes(row: &Row) -> String {
    match row.enhanced_code {
        Some(enhanced) => format!("{} {enhanced}", row.code),
        None => row.code.to_string(),
    }
}

fn row_json(row: &Row, language: Language) -> Value {
    json!({
        "id": row.id,
        "code": row.code.value(),
        "enhanced_code": row.enhanced_code.map(|code| code.to_string()),
        "text": row.text,
        "when": when_sent(row, language),
        "cause": row.cause.map(|cause| cause.name()),
        "answers": row.answers.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
        "source": row.source,
    })
}
