//! `secondpost codes`: every basic and enhanced code with an entry, one line each; one in
//! full.

use reply::explain::entry::{Entry, Topic, entry};
use reply::explain::permanence_in_words;
use reply::{EnhancedCode, Language, facts};
use serde_json::json;

use super::explain::tell_topic;
use super::page::padded;
use super::{Context, Failure};

/// List the reply codes and enhanced status codes with their names; one of them in full
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost codes
  secondpost codes --enhanced --lang de
  secondpost codes 4.2.2")]
pub(crate) struct Args {
    /// Only this one, and all that is known of it
    #[arg(value_name = "CODE", conflicts_with_all = ["enhanced", "basic"])]
    code: Option<String>,
    /// Only the enhanced codes
    #[arg(long, conflicts_with = "basic")]
    enhanced: bool,
    /// Only the basic codes
    #[arg(long)]
    basic: bool,
}

/// Lists the codes.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    if let Some(code) = &args.code {
        return tell_topic(code, context);
    }
    let basic = if args.enhanced { Vec::new() } else { basic(language) };
    let enhanced = if args.basic { Vec::new() } else { enhanced(language) };
    if context.global.json {
        return context.json(&json!({ "basic": basic, "enhanced": enhanced }));
    }
    for entry in &basic {
        let permanence = entry.facts.permanence.map(|one| permanence_in_words(one, language));
        let permanence = padded(&permanence.unwrap_or_default(), 15);
        writeln!(context.out, "{:<7} {permanence} {}", entry.topic.to_string(), entry.name)?;
    }
    if !basic.is_empty() && !enhanced.is_empty() {
        writeln!(context.out)?;
    }
    for entry in &enhanced {
        let number = entry.topic.to_string();
        writeln!(context.out, "X{:<6} {}", number.trim_start_matches(['2', '4', '5']), entry.name)?;
    }
    Ok(())
}

fn basic(language: Language) -> Vec<Entry> {
    facts::CODES.iter().map(|row| entry(Topic::Code(row.code), language)).collect()
}

/// Each enhanced code once, as a refusal; where only a positive one makes sense, as that.
fn enhanced(language: Language) -> Vec<Entry> {
    let codes = facts::ENHANCED.iter().filter_map(|row| {
        let positive = row.causes == [reply::Cause::Delivered];
        EnhancedCode::new(if positive { 2 } else { 5 }, row.number.0, row.number.1)
    });
    codes.map(|code| entry(Topic::Enhanced(code), language)).collect()
}
