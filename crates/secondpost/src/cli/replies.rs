//! `secondpost replies`: every reply that our server can send, from the catalogue.

use reply::Row;
use reply::catalogue::ROWS;
use serde_json::{Value, json};

use super::page::Page;
use super::{Context, Failure};

/// List every reply that this server can send
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Lists the catalogue. Its wire texts and the comments on them are English, as on the wire.
pub(crate) fn run(_args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    if context.global.json {
        return context.json(&Value::Array(ROWS.iter().map(row_json).collect()));
    }
    let mut page = Page::new(context.out, ROWS.iter().map(codes));
    for row in ROWS {
        page.row(&codes(row), row.text)?;
        page.row("", &row.when.replace('\n', " "))?;
    }
    Ok(())
}

fn codes(row: &Row) -> String {
    match row.enhanced_code {
        Some(enhanced) => format!("{} {enhanced}", row.code),
        None => row.code.to_string(),
    }
}

fn row_json(row: &Row) -> Value {
    json!({
        "id": row.id,
        "code": row.code.value(),
        "enhanced_code": row.enhanced_code.map(|code| code.to_string()),
        "text": row.text,
        "when": row.when.split_whitespace().collect::<Vec<_>>().join(" "),
        "cause": row.cause.map(|cause| cause.name()),
        "answers": row.answers.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
        "source": row.source,
    })
}
