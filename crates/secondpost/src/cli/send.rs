//! `secondpost send`: a message from a file or stdin into the queue.

use std::io::Read;
use std::path::{Path, PathBuf};

use reply::Language;
use reply::explain::{cli, queued_count, setting, wrong};

use super::message::{Malformed, Message, Reading, prepare};
use super::submit::{Submitted, complete, envelope, submit};
use super::{Context, Failure, address, settings, system};
use config::diagnostic::{self, Source};

/// Put a message into the queue
///
/// The running daemon takes it at once. Without one it is kept, synced to disk, in the
/// data directory, and the next `secondpost serve` picks it up.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost send --from a@example.org --to b@localhost message.eml
  secondpost send --from a@example.org --to b@localhost --notify SUCCESS,FAILURE < message.eml")]
pub(crate) struct Args {
    /// Who it is from, and who hears of failures; "" for nobody
    #[arg(long, value_name = "ADDRESS")]
    from: String,

    /// Whom it is for; repeatable
    #[arg(long, value_name = "ADDRESS", required = true)]
    to: Vec<String>,

    /// When to notify the sender: SUCCESS, FAILURE and DELAY, joined by commas, or NEVER
    #[arg(long, value_name = "WHEN", value_parser = notify)]
    notify: Option<String>,

    /// How much of the message a notification returns: FULL or HDRS
    #[arg(long, value_name = "HOW", value_parser = ["FULL", "HDRS"], ignore_case = true)]
    ret: Option<String>,

    /// The message: a file, or - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
}

/// Runs `send`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let sender = address::sender(&args.from, language)?;
    let recipients: Vec<String> =
        args.to.iter().map(|to| address::recipient(to, language)).collect::<Result<_, _>>()?;
    let config = settings::of_daemon(&context.global)?.config;
    let raw = read(&args.file, config.limits.message.0, language)?;
    let message = prepare(&raw, Reading::Strict)
        .map_err(|why| malformed(&args.file, &raw, &why, language))?;
    let message = complete(message, &config);
    let mut submission = envelope(sender, &recipients, args.notify.as_deref(), &message);
    submission.ret = args.ret.as_ref().map(|ret| ret.to_ascii_uppercase());
    let submitted = submit(&context.global, submission, &message)?;
    tell(&submitted, &message, context)
}

fn tell(
    submitted: &Submitted,
    message: &Message,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let octets = message.octets.len();
    let language = context.global.language();
    match submitted {
        Submitted::Queued(id) if context.global.json => {
            context.json(&serde_json::json!({ "id": id, "octets": octets }))
        }
        Submitted::Dropped(file) if context.global.json => {
            context.json(&serde_json::json!({ "id": null, "file": file, "octets": octets }))
        }
        Submitted::Queued(id) => {
            let command = format!("secondpost why {id}");
            writeln!(context.out, "{}", cli(language, "queued", &[("id", id)]))?;
            Ok(writeln!(context.out, "{}", cli(language, "follow", &[("command", &command)]))?)
        }
        Submitted::Dropped(file) => {
            let file = file.display().to_string();
            let command = ("command", "`secondpost serve`");
            writeln!(context.out, "{}", cli(language, "dropped", &[("file", &file)]))?;
            Ok(writeln!(context.out, "{}", cli(language, "dropped-next", &[command]))?)
        }
    }
}

/// The octets of the file, at most `limit`.
fn read(file: &Path, limit: u64, language: Language) -> Result<Vec<u8>, Failure> {
    let is_stdin = file == Path::new("-");
    let name = match is_stdin {
        true => cli(language, "standard-input", &[]),
        false => format!("`{}`", file.display()),
    };
    let unreadable = |error| {
        let values = [("what", &*name), ("error", &system::in_words(&error, language))];
        Failure::new(wrong(language, "not-read", &values))
    };
    let mut raw = Vec::new();
    let read = |input: &mut dyn Read, raw: &mut Vec<u8>| input.take(limit + 1).read_to_end(raw);
    if is_stdin {
        read(&mut std::io::stdin().lock(), &mut raw).map_err(unreadable)?;
    } else {
        let mut input = std::fs::File::open(file).map_err(unreadable)?;
        read(&mut input, &mut raw).map_err(unreadable)?;
    }
    if raw.len() as u64 > limit {
        return Err(too_big(&name, limit, language));
    }
    Ok(raw)
}

fn too_big(name: &str, limit: u64, language: Language) -> Failure {
    let size = queued_count(language, "octets", limit, &[]);
    let told = wrong(language, "too-big", &[("what", name), ("size", &size)]);
    let help = [("setting", "`limits.message`")];
    Failure::new(told).help(wrong(language, "too-big-help", &help))
}

fn malformed(file: &Path, raw: &[u8], why: &Malformed, language: Language) -> Failure {
    let text = String::from_utf8_lossy(raw).replace('\0', "?");
    let name = if file == Path::new("-") { "(stdin)".into() } else { file.display().to_string() };
    let problem = why.problem.in_words(language);
    let said = wrong(language, "no-message", &[("problem", &problem)]);
    let source = Source { name: &name, text: &text };
    let shown = diagnostic::show(source, &line_span(&text, why.line), &said);
    let expected = why.problem.expected_in_words(language);
    Failure::new(shown).help(setting(language, "expected", &[("what", &expected)]))
}

/// The octets of a line, counted from 1, without its end.
fn line_span(text: &str, line: usize) -> std::ops::Range<usize> {
    let mut start = 0;
    for (index, content) in text.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            return start..start + content.trim_end().len();
        }
        start += content.len();
    }
    start..start
}

/// RFC 3461 §4.1: NEVER alone, or some of the others, each once.
fn notify(text: &str) -> Result<String, String> {
    let upper = text.to_ascii_uppercase();
    let mut words: Vec<&str> = upper.split(',').map(str::trim).collect();
    let known = |word: &&str| matches!(*word, "SUCCESS" | "FAILURE" | "DELAY");
    let count = words.len();
    words.dedup();
    if upper == "NEVER" || words.iter().all(known) && words.len() == count {
        return Ok(words.join(","));
    }
    Err("expected SUCCESS, FAILURE and DELAY, joined by commas, or NEVER".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notify_takes_what_rfc_3461_allows() {
        assert_eq!(notify("success,failure"), Ok("SUCCESS,FAILURE".into()));
        assert_eq!(notify("NEVER"), Ok("NEVER".into()));
        for wrong in ["", "NEVER,DELAY", "SUCCESS,SUCCESS", "ALWAYS"] {
            assert!(notify(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_malformed_message_is_shown_in_its_line() {
        let raw = b"Subject: x\nnonsense\n\nbody\n";
        let why = prepare(raw, Reading::Strict).unwrap_err();
        let shown = format!("{:?}", malformed(Path::new("m.eml"), raw, &why, Language::En));
        assert!(shown.contains("--> m.eml:2:1"), "{shown}");
        assert!(shown.contains("2 | nonsense"), "{shown}");
    }
}
