//! `secondpost explain`: what a reply, a code, a cause or a command means, whose move it
//! is and what to do. The meaning is made in `reply`; here it is read in and laid out.

mod files;
mod found;
mod lines;
mod list;
mod log;
mod mails;
pub(crate) mod object;
mod sisimai;
mod told;
mod unread;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use reply::classify::hint::hint;
use reply::compare::{list, stage_in_words};
use reply::explain::dialog::Line;
use reply::explain::entry::{Entry, Remedy, Topic, topic_label};
use reply::explain::wording::Wording;
use reply::explain::{
    cause_name, cli, concerned_in_words, enumerated, label, label_at, label_refused, labelled,
    permanence_in_words, quoted, wait_in_words, web, whose_move_in_words,
};
use reply::heard::Heard;
use reply::{Explanation, Language, Reply, Scope, Stage};
use serde_json::{Value, json};

use super::page::Page;
use super::{Context, Failure};
use files::{Content, Opened};
pub(crate) use found::Found;
use found::heard_in;
use log::input;
use object::Place;
use unread::Unread;

/// Say what a reply, a code, a cause or a command means, whose move it is, what to do
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost explain 450 4.2.0 Greylisted, try again in 300 seconds
  secondpost explain 502
  secondpost explain mailbox-full --lang de
  tail -n 1 reply.txt | secondpost explain -
  secondpost explain --log /var/log/mail.log /var/log/mail.log.1.gz --since 2d
  journalctl -u postfix -o json | secondpost explain --log - --to example.net")]
pub(crate) struct Args {
    /// A reply, a code (450, 4.2.0), a cause (greylisted) or a command (VRFY); `-` reads
    /// standard input
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    /// Read what to explain from this file or folder: mails, mboxes, Maildirs, notices of
    /// mail services, replies; repeatable. Names of files may also stand in place of TEXT
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Vec<PathBuf>,

    /// Read one reply or log line per line (a JSON string where it spans lines) and write one
    /// JSON object per line, in order; of mails, one object per recipient
    #[arg(long)]
    ndjson: bool,

    /// Write JSON under the names of this program
    #[arg(long, value_name = "NAME")]
    format: Option<Format>,

    #[command(flatten)]
    log: log::LogArgs,
}

/// Whose names the JSON has.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Our own (docs/reference/explain.schema.json)
    Secondpost,
    /// Sisimai's
    Sisimai,
}

/// Explains what the arguments, the file or standard input hold.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    if args.log.is_given() {
        return log::run(&args.log, args.ndjson, context);
    }
    let language = context.global.language();
    let paths = args.paths();
    if !paths.is_empty() {
        return told::tell_files(args, &paths, context);
    }
    let content = match input(args, language)? {
        Opened::Document(content) if !args.ndjson || !args.is_stdin() => content,
        opened => return told::tell_stdin(args, opened, context),
    };
    if args.writes_json(context) {
        let mut list = list::List::of(args.ndjson);
        for value in values(args, &content, language)? {
            list.add(&value, context.out)?;
        }
        list.end(context.out)?;
    } else {
        let found = Found::of(&content.octets, language)?;
        found.tell(found.len(), language, context.out)?;
    }
    content.unreadable.map_or(Ok(()), |what| {
        Err(input::partly(Path::new("-"), &what.in_words(language), language))
    })
}

/// What a text holds as JSON; with the entry of a code, where no names were asked for.
fn values(args: &Args, content: &Content, language: Language) -> Result<Vec<Value>, Failure> {
    if !args.ndjson && args.format.is_none() {
        return Ok(Found::of(&content.octets, language)?.values(language));
    }
    let unreadable = content.unreadable.as_ref().map(Unread::in_english);
    let place = Place { path: None, unreadable: unreadable.as_deref() };
    let heard = heard_in(&content.octets, language)?;
    Ok(heard.iter().map(|heard| args.value(heard, place)).collect())
}

impl Args {
    /// The files and folders that are named: by the option, or as texts that are all paths.
    fn paths(&self) -> Vec<PathBuf> {
        if !self.file.is_empty() {
            return self.file.clone();
        }
        // "450" and "greylisted" are topics, whatever files there are.
        let is_there = |text: &String| Path::new(text).exists();
        let may_be = |text: &String| {
            text.parse::<Topic>().is_err() && (is_there(text) || text.contains(['/', '.']))
        };
        let are_paths = self.text.iter().any(is_there) && self.text.iter().all(may_be);
        if are_paths { self.text.iter().map(PathBuf::from).collect() } else { Vec::new() }
    }

    fn is_stdin(&self) -> bool {
        matches!(self.text.as_slice(), []) || self.text == ["-"]
    }

    fn writes_json(&self, context: &Context<'_>) -> bool {
        context.global.json || self.ndjson || self.format.is_some()
    }

    /// What was heard as JSON, under the names that were asked for.
    fn value(&self, heard: &Heard, place: Place<'_>) -> Value {
        match self.format {
            Some(Format::Sisimai) => sisimai::value(heard, place.path),
            Some(Format::Secondpost) | None => heard_json(heard, place),
        }
    }
}

/// What to explain: the arguments joined, or standard input.
fn input(args: &Args, language: Language) -> Result<Opened, Failure> {
    if args.text.is_empty() && io::stdin().is_terminal() && !args.ndjson {
        return Err(
            Failure::usage(cli(language, "nothing-to-explain", &[])).help(expected(language))
        );
    }
    if args.is_stdin() {
        return files::open(Path::new("-"), args.ndjson, language);
    }
    Ok(Opened::Document(Content { octets: args.text.join(" ").into_bytes(), unreadable: None }))
}

/// What can be explained.
fn expected(language: Language) -> String {
    let values = [
        ("example", "`450 4.2.0 Greylisted`"),
        ("codes", "`secondpost codes`"),
        ("causes", "`secondpost causes`"),
    ];
    cli(language, "expected", &values)
}

/// The verdict with the kind, the recipient and the file's path.
pub(crate) fn heard_json(heard: &Heard, place: Place<'_>) -> Value {
    serde_json::to_value(object::Object::of(heard, place)).unwrap_or_else(|_| json!({}))
}

fn tell_heard(heard: &Heard, language: Language, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(verdict) = &heard.verdict else {
        let whom = heard.recipient.as_ref().map(|whom| format!(" <{whom}>")).unwrap_or_default();
        let kind = web(language, &format!("kind-{}", heard.kind.name()), &[]);
        return writeln!(out, "{kind}{whom}");
    };
    if let Some(recipient) = &heard.recipient {
        writeln!(out, "<{recipient}>")?;
    }
    let mut told = verdict.explain(language);
    if let Some(words) = heard.reply.as_ref().and_then(hint_words) {
        told.evidence = enumerated(&[told.evidence, quoted(&words, language)], language);
    }
    tell_explanation(&told, language, out)
}

/// The words of a reply that say when to come back.
fn hint_words(reply: &Reply) -> Option<String> {
    hint(&reply.text(), None).map(|(_, words)| words.to_owned())
}

/// The explanation as a page.
pub(crate) fn tell_explanation(
    told: &Explanation,
    language: Language,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let label = |name: &str| label(language, name);
    let sure = format!("{} · {}", told.evidence, told.confidence);
    let code = if told.code_meaning.is_empty() {
        String::new()
    } else {
        labelled(&told.name, &told.code_meaning, language)
    };
    let mut rows = vec![
        (label("meaning"), told.meaning.clone()),
        (label("code"), code),
        (label("whose-move"), told.whose_move.clone()),
        (label("what-to-do"), told.what_to_do.clone()),
        (label("when-next"), told.when_next.clone()),
        (label("evidence"), sure),
    ];
    for (index, cause) in told.deciding.iter().enumerate() {
        let label = if index == 0 { label("alternatives") } else { String::new() };
        rows.push((label, cause.clone()));
    }
    rows.push((label("source"), told.source.clone()));
    tell_rows(&told.title, &rows, out)
}

fn tell_rows(title: &str, rows: &[(String, String)], out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(out, rows.iter().map(|(label, _)| label));
    page.title(title)?;
    rows.iter().try_for_each(|(label, text)| page.row(label, text))
}

/// An entry of the reference as a page.
pub(crate) fn tell_entry(
    entry: &Entry,
    language: Language,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    tell_rows(&entry_title(entry, language), &entry_rows(entry, language), out)
}

/// `450 · transient · Mailbox unavailable`.
pub(crate) fn entry_title(entry: &Entry, language: Language) -> String {
    let mut parts = vec![topic_label(entry.topic, language)];
    parts.extend(entry.facts.permanence.map(|known| permanence_in_words(known, language)));
    parts.push(entry.name.clone());
    parts.dedup();
    parts.join(" · ")
}

fn entry_rows(entry: &Entry, language: Language) -> Vec<(String, String)> {
    let label = |name: &str| label(language, name);
    let facts = &entry.facts;
    let command = matches!(entry.topic, Topic::Command(_) | Topic::Keyword(_));
    let mut rows = vec![
        (label("meaning"), entry.meaning.clone()),
        (label("when-seen"), entry.when_seen.clone()),
    ];
    for (index, remedy) in entry.how_to_fix.iter().enumerate() {
        let label = if index == 0 { label("how-to-fix") } else { String::new() };
        rows.push((label, remedy_in_words(remedy, language)));
    }
    rows.extend(
        entry
            .refusals
            .iter()
            .map(|refusal| (label_refused(refusal.code, language), refusal.meaning.clone())),
    );
    if let Some(provider) = &entry.provider {
        rows.push((label_at(provider.who, language), provider.meaning.clone()));
    }
    if !command {
        rows.push((label("whose-move"), whose_move_in_words(facts.whose_move, language)));
    }
    rows.push((label("when-next"), entry.when_next.clone()));
    if !command && facts.scope != Scope::Nothing {
        rows.push((label("about"), reply::explain::scope_in_words(facts.scope, language)));
    }
    rows.push((label("answers"), answers_in_words(&facts.answers, language)));
    let causes: Vec<String> = facts.causes.iter().map(|c| cause_name(*c, language)).collect();
    rows.push((label("causes"), enumerated(&causes, language)));
    let mut codes: Vec<String> = facts.codes.iter().map(ToString::to_string).collect();
    codes.extend(facts.enhanced_codes.iter().map(ToString::to_string));
    rows.push((label("codes"), enumerated(&codes, language)));
    rows.push((label("adds"), adds(entry, language)));
    for (index, wording) in entry.wordings.iter().enumerate() {
        let label = if index == 0 { label("wordings") } else { String::new() };
        rows.push((label, wording_in_words(wording, language)));
    }
    for (index, line) in entry.example.iter().enumerate() {
        let label = if index == 0 { label("example") } else { String::new() };
        rows.push((label, line_in_words(line, language)));
    }
    rows.push((label("source"), entry.source.clone()));
    rows
}

/// What a keyword of EHLO adds: a command, parameters.
fn adds(entry: &Entry, language: Language) -> String {
    match entry.topic {
        Topic::Keyword(keyword) => enumerated(&keyword.facts().adds(), language),
        _ => String::new(),
    }
}

fn wording_in_words(wording: &Wording, language: Language) -> String {
    match wording.who {
        Some(who) => labelled(who, wording.text, language),
        None => wording.text.to_owned(),
    }
}

/// A line of an example: who says it, and what.
fn line_in_words(line: &Line, language: Language) -> String {
    match line {
        Line::Client(text) => format!("C: {text}"),
        Line::Server(text) => format!("S: {text}"),
        Line::Wait => wait_in_words(language),
    }
}

/// The remedy, behind the name of those whom it is for.
pub(crate) fn remedy_in_words(remedy: &Remedy, language: Language) -> String {
    match remedy.whom {
        None => remedy.text.clone(),
        Some(whom) => labelled(&concerned_in_words(whom, language), &remedy.text, language),
    }
}

fn answers_in_words(answers: &[Stage], language: Language) -> String {
    if answers.len() == Stage::ALL.len() {
        return reply::explain::any_command(language);
    }
    let names: Vec<String> = answers.iter().map(|stage| stage_in_words(*stage, language)).collect();
    list(&names, language)
}
