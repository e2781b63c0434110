//! `secondpost explain`: what a reply, a code, a cause or a command means, whose move it
//! is and what to do. The meaning is made in `reply`; here it is read in and laid out.

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;

use reply::classify::hint::hint;
use reply::compare::{list, stage_in_words};
use reply::explain::dialog::Line;
use reply::explain::entry::{Entry, NoSuchTopic, Remedy, Topic, entry};
use reply::explain::wording::Wording;
use reply::explain::{
    cause_name, concerned_in_words, enumerated, label, label_at, label_refused, labelled,
    permanence_in_words, quoted, wait_in_words, whose_move_in_words,
};
use reply::heard::{Heard, read_any};
use reply::{Cause, Explanation, Language, Reply, Scope, Stage, explain};
use serde_json::{Value, json};

use super::page::Page;
use super::{Context, Failure};

/// Most octets that are read from a file or from standard input.
const MAX_INPUT_OCTETS: u64 = 64 * 1024 * 1024;

/// Say what a reply, a code, a cause or a command means, whose move it is, what to do
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost explain 450 4.2.0 Greylisted, try again in 300 seconds
  secondpost explain 502
  secondpost explain mailbox-full --lang de
  tail -n 1 reply.txt | secondpost explain -")]
pub(crate) struct Args {
    /// A reply, a code (450, 4.2.0), a cause (greylisted) or a command (VRFY); `-` reads
    /// standard input
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    /// Read what to explain from this file
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
}

/// Explains what the arguments, the file or standard input hold.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let octets = input(args)?;
    let text = String::from_utf8_lossy(&octets);
    if let Ok(topic) = text.trim().parse::<Topic>() {
        return tell_topic(topic, &octets, language, context);
    }
    let path = args.file.as_ref().map(|path| path.display().to_string());
    let heard = read_any(&octets);
    if heard.is_empty() || is_made_up(&text, &heard) {
        return Err(nothing_heard(&text, language));
    }
    if context.global.json {
        let all: Vec<Value> =
            heard.iter().map(|heard| heard_json(heard, path.as_deref())).collect();
        return context.json(&one_or_all(all));
    }
    for (index, heard) in heard.iter().enumerate() {
        if index > 0 {
            writeln!(context.out)?;
        }
        tell_heard(heard, language, context)?;
    }
    Ok(())
}

/// The octets to explain: the arguments joined, the file, or standard input.
fn input(args: &Args) -> Result<Vec<u8>, Failure> {
    if let Some(path) = &args.file {
        let named = |error: io::Error| Failure::new(format!("`{}`: {error}", path.display()));
        return bounded(std::fs::File::open(path).map_err(named)?).map_err(named);
    }
    let from_stdin = match args.text.as_slice() {
        [] if io::stdin().is_terminal() => {
            let failure = Failure::usage(
                "nothing to explain: expected a reply, a code, a cause or a command",
            );
            return Err(failure.help(EXPECTED));
        }
        [] => true,
        [one] => one == "-",
        _ => false,
    };
    if from_stdin { Ok(bounded(io::stdin().lock())?) } else { Ok(args.text.join(" ").into_bytes()) }
}

fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    from.take(MAX_INPUT_OCTETS).read_to_end(&mut octets)?;
    Ok(octets)
}

/// Whether it is a bare number outside SMTP that means nothing to anybody: 999, but not
/// 101, under which programs say that they could not connect.
fn is_made_up(text: &str, heard: &[Heard]) -> bool {
    let means_nothing = |heard: &Heard| {
        heard.verdict.as_ref().is_none_or(|verdict| verdict.cause == Cause::Unknown)
    };
    matches!(text.parse::<Topic>(), Err(NoSuchTopic::CodeOutsideSmtp(_)))
        && heard.iter().all(means_nothing)
}

fn nothing_heard(text: &str, language: Language) -> Failure {
    let text = text.trim();
    let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    match text.parse::<Topic>() {
        Err(error) if !shown.is_empty() && !text.contains(char::is_whitespace) => {
            Failure::usage(error.to_string()).help(error.in_words(language))
        }
        _ if shown.is_empty() => Failure::usage("there is nothing to explain").help(EXPECTED),
        _ => Failure::usage(format!("there is no SMTP reply in `{shown}`")).help(EXPECTED),
    }
}

/// What can be explained.
const EXPECTED: &str = "expected a reply like `450 4.2.0 Greylisted`, a code, a cause or a \
    command; `secondpost codes` and `secondpost causes` list them";

/// One thing as it is, several as a list.
fn one_or_all(mut all: Vec<Value>) -> Value {
    if all.len() == 1 { all.remove(0) } else { Value::Array(all) }
}

/// The verdict with the kind, the recipient and the file's path.
pub(crate) fn heard_json(heard: &Heard, path: Option<&str>) -> Value {
    let verdict = heard.verdict.as_ref().and_then(|verdict| serde_json::to_value(verdict).ok());
    let mut object = verdict.unwrap_or_else(|| json!({}));
    object["kind"] = json!(heard.kind.name());
    object["recipient"] = json!(heard.recipient);
    object["path"] = json!(path);
    object
}

fn tell_heard(heard: &Heard, language: Language, context: &mut Context<'_>) -> io::Result<()> {
    let Some(verdict) = &heard.verdict else {
        return writeln!(context.out, "{}", heard.kind.name());
    };
    if let Some(recipient) = &heard.recipient {
        writeln!(context.out, "<{recipient}>")?;
    }
    let mut told = explain(verdict, language);
    if let Some(words) = heard.reply.as_ref().and_then(hint_words) {
        told.evidence = format!("{}, {}", told.evidence, quoted(&words, language));
    }
    tell_explanation(&told, language, context.out)
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
    let rows = [
        (label("meaning"), told.meaning.clone()),
        (label("code"), code),
        (label("whose-move"), told.whose_move.clone()),
        (label("what-to-do"), told.what_to_do.clone()),
        (label("when-next"), told.when_next.clone()),
        (label("evidence"), sure),
        (label("alternatives"), enumerated(&told.alternatives, language)),
        (label("source"), told.source.clone()),
    ];
    tell_rows(&told.title, &rows, out)
}

fn tell_rows(title: &str, rows: &[(String, String)], out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(out, rows.iter().map(|(label, _)| label));
    page.title(title)?;
    rows.iter().try_for_each(|(label, text)| page.row(label, text))
}

fn tell_topic(
    topic: Topic,
    octets: &[u8],
    language: Language,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let entry = entry(topic, language);
    if context.global.json {
        let mut object = match read_any(octets).first() {
            Some(heard) if matches!(topic, Topic::Code(_) | Topic::Enhanced(_)) => {
                heard_json(heard, None)
            }
            _ => json!({}),
        };
        object["entry"] = entry_json(&entry);
        return context.json(&object);
    }
    let rows = entry_rows(&entry, language);
    tell_rows(&entry_title(&entry, language), &rows, context.out)?;
    Ok(())
}

/// `450 · transient · Mailbox unavailable`.
pub(crate) fn entry_title(entry: &Entry, language: Language) -> String {
    let mut parts = vec![entry.topic.to_string()];
    parts.extend(entry.facts.permanence.map(|known| permanence_in_words(known, language)));
    parts.push(entry.name.clone());
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
    rows.push((label("adds"), adds(entry)));
    for (index, wording) in entry.wordings.iter().enumerate() {
        let label = if index == 0 { label("wordings") } else { String::new() };
        rows.push((label, wording_in_words(wording)));
    }
    for (index, line) in entry.example.iter().enumerate() {
        let label = if index == 0 { label("example") } else { String::new() };
        rows.push((label, line_in_words(line, language)));
    }
    rows.push((label("source"), entry.source.clone()));
    rows
}

/// What a keyword of EHLO adds: a command, parameters.
fn adds(entry: &Entry) -> String {
    let Topic::Keyword(keyword) = entry.topic else { return String::new() };
    let facts = keyword.facts();
    let verb = (!facts.verb.is_empty()).then(|| facts.verb.to_owned());
    let parameters = facts.parameters.iter().map(|(stage, name)| format!("{stage} … {name}"));
    verb.into_iter().chain(parameters).collect::<Vec<_>>().join(", ")
}

fn wording_in_words(wording: &Wording) -> String {
    match wording.who {
        Some(who) => format!("{who}: {}", wording.text),
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

fn line_json(line: &Line) -> Value {
    match line {
        Line::Client(text) => json!({ "client": text }),
        Line::Server(text) => json!({ "server": text }),
        Line::Wait => json!({ "wait": "minutes" }),
    }
}

/// The entry with stable names.
pub(crate) fn entry_json(entry: &Entry) -> Value {
    let facts = &entry.facts;
    let remedies = entry
        .how_to_fix
        .iter()
        .map(|remedy| json!({ "whom": remedy.whom.map(|whom| whom.name()), "text": remedy.text }));
    json!({
        "topic": entry.topic.to_string(),
        "name": entry.name,
        "meaning": entry.meaning,
        "when_seen": entry.when_seen,
        "how_to_fix": remedies.collect::<Vec<_>>(),
        "permanence": facts.permanence.map(|permanence| permanence.name()),
        "scope": facts.scope.name(),
        "whose_move": facts.whose_move.name(),
        "answers": facts.answers.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
        "causes": facts.causes.iter().map(|cause| cause.name()).collect::<Vec<_>>(),
        "codes": facts.codes.iter().map(|code| code.value()).collect::<Vec<_>>(),
        "enhanced_codes": facts.enhanced_codes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "next": facts.next.map(|next| next.name()),
        "when_next": entry.when_next,
        "provider": entry.provider.as_ref().map(|provider| json!({
            "who": provider.who,
            "meaning": provider.meaning,
            "causes": provider.causes.iter().map(|cause| cause.name()).collect::<Vec<_>>(),
        })),
        "refusals": entry.refusals.iter().map(|refusal| json!({
            "code": refusal.code.value(), "meaning": refusal.meaning,
        })).collect::<Vec<_>>(),
        "wordings": entry.wordings.iter().map(|wording| json!({
            "who": wording.who, "text": wording.text,
        })).collect::<Vec<_>>(),
        "example": entry.example.iter().map(line_json).collect::<Vec<_>>(),
        "specified": facts.specified,
        "source": entry.source,
    })
}
