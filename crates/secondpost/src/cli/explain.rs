//! `secondpost explain`: what a reply, a code, a cause or a command means, whose move it
//! is and what to do. The meaning is made in `reply`; here it is read in and laid out.

mod files;
mod found;
mod lines;
mod list;
mod log;
mod mails;
pub(crate) mod near;
pub(crate) mod object;
mod sisimai;
mod told;
mod unheard;
mod unread;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use reply::compare::{list, stage_in_words};
use reply::explain::dialog::Line;
use reply::explain::entry::{Entry, NoSuchTopic, Remedy, Topic, entry, topic_label};
use reply::explain::wording::Wording;
use reply::explain::{
    cause_name, cli, concerned_in_words, enumerated, label, label_at, label_refused, labelled,
    permanence_in_words, sentences, wait_in_words, web, whose_move_in_words,
};
use reply::heard::Heard;
use reply::{Explanation, Language, Reply, Scope, Stage};
use serde_json::{Value, json};

use super::page::Page;
use super::text::address;
use super::{Context, Failure};
use files::{Content, Opened};
pub(crate) use found::Found;
pub(super) use log::WHEN_EXPECTED;
use object::Place;

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

/// How the names of files end that are asked about.
const ENDINGS: &[&str] = &["eml", "mbox", "log", "gz", "zst", "txt", "json", "ndjson", "csv"];

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
        Opened::Document(content) if !args.is_stdin() || names_a_topic(&content, args) => content,
        opened => return told::tell_stdin(args, opened, context),
    };
    let found = Found::of(&content.octets, language)?;
    if !args.writes_json(context) {
        return Ok(found.tell(found.len(), language, context.out)?);
    }
    let mut list = list::List::of(args.ndjson);
    let values = match args.ndjson || args.format.is_some() {
        true => found.heard().iter().map(|heard| args.value(heard, Place::default())).collect(),
        false => found.values(language),
    };
    values.iter().try_for_each(|value| list.add(value, context.out))?;
    Ok(list.end(context.out)?)
}

/// Whether standard input holds the name of one thing, and no lines are asked for.
fn names_a_topic(content: &Content, args: &Args) -> bool {
    !args.ndjson && String::from_utf8_lossy(&content.octets).parse::<Topic>().is_ok()
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
        let is_meant = |text: &String| {
            let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
            text.starts_with(['/', '~']) || text.starts_with("./") || ENDINGS.contains(&ending)
        };
        let are_paths = are_paths || matches!(self.text.as_slice(), [one] if is_meant(one));
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
    if let Some(recipient) = &heard.recipient {
        writeln!(out, "{}", address(recipient))?;
    }
    let Some(mut told) = heard.explain(language) else {
        return writeln!(out, "{}", web(language, &format!("kind-{}", heard.kind.name()), &[]));
    };
    if let Some(odd) = heard.reply.as_ref().and_then(odd_enhanced_code) {
        let parts = [told.code_meaning, odd.in_words(language)].into_iter();
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        told.code_meaning = sentences(&parts, language);
    }
    tell_explanation(&told, language, out)
}

/// What stands at the place of an enhanced code and cannot be one: half of it, a class that
/// there is not.
fn odd_enhanced_code(reply: &Reply) -> Option<NoSuchTopic> {
    let text = reply.text();
    let first = text.split_whitespace().next()?.trim_matches(['(', ')', '[', ']', '#', ':', ',']);
    let is_number = |part: &str| {
        (1..=4).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit())
    };
    // Two numbers alone may be a size or a version.
    let is_whole = first.split('.').count() == 3;
    let is_half = first.split('.').count() == 2 && first.starts_with(['2', '4', '5']);
    let is_like_one = (is_whole || is_half) && first.split('.').all(is_number);
    first.parse::<Topic>().err().filter(|_| is_like_one)
}

/// The explanation as a page.
pub(crate) fn tell_explanation(
    told: &Explanation,
    language: Language,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let label = |name: &str| label(language, name);
    let sure = match told.evidence.is_empty() {
        true => String::new(),
        false => format!("{} · {}", told.evidence, told.confidence),
    };
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

/// The entry of what `name` names, as a page or as JSON.
pub(crate) fn tell_topic(name: &str, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let topic: Topic = name.parse().map_err(|error| near::failure(name, &error, language))?;
    let entry = entry(topic, language);
    match context.global.json {
        true => context.json(&entry),
        false => Ok(tell_entry(&entry, language, context.out)?),
    }
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
    let near = reply::explain::near(&entry.topic.to_string());
    let near: Vec<String> = near.iter().map(|topic| named(*topic, language)).collect();
    rows.push((label("near"), enumerated(&near, language)));
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

/// `4.2.2 (Mailbox full)`.
fn named(topic: Topic, language: Language) -> String {
    format!("{topic} ({})", entry(topic, language).name)
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
