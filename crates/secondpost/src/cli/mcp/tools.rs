//! The tools: what each takes, and what it tells. The structured part is what `--json`
//! writes, the text is the page that a terminal shows, without its colours.

use std::io;
use std::sync::Arc;

use reply::Language;
use reply::compare::compare;
use reply::explain::entry::{Topic, entry};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use crate::cli::compare::tell_comparison;
use crate::cli::explain::{Found, tell_entry};

/// Most octets of one text.
const MAX_TEXT_OCTETS: usize = 4 * 1024 * 1024;
/// Most things that are told in words; the structured part holds all.
const MAX_IN_WORDS: usize = 20;

/// What a tool answers.
#[derive(Debug)]
pub(super) struct Told {
    /// For programs.
    pub(super) value: Value,
    /// For readers.
    pub(super) text: String,
}

type Arguments = Map<String, Value>;

/// The tools, as they are listed.
pub(super) fn all() -> Vec<Tool> {
    let text = "The text as it is: a reply, a bounce with its headers, log lines, a webhook's JSON";
    let name = "A code (450), an enhanced code (4.2.2, X.1.1), a cause (greylisted, \
        mailbox-full), a command (VRFY) or a keyword of EHLO (PIPELINING)";
    vec![
        tool(
            "explain",
            "What a mail server said",
            "Explains SMTP replies, bounces (DSNs and older forms), lines of mail logs and \
             webhooks of mail services: for each recipient the cause, whether it is transient or \
             permanent, whose move it is, what to do, when the next attempt makes sense, and the \
             words that decided.",
            &[("text", text)],
        ),
        tool(
            "compare",
            "Two codes, causes or commands side by side",
            "Sets two SMTP codes, causes, commands or keywords side by side and says what tells \
             them apart, computed from facts, and when to use which.",
            &[("a", name), ("b", "The other one")],
        ),
        tool(
            "look_up",
            "One code, cause or command",
            "All that is known of one SMTP reply code, enhanced status code, cause, command or \
             keyword: meaning, when one sees it, how to fix it, who says it in which words, an \
             example dialogue, RFC and section.",
            &[("name", name)],
        ),
    ]
}

fn tool(name: &'static str, title: &str, about: &'static str, takes: &[(&str, &str)]) -> Tool {
    let mut properties: Arguments = takes
        .iter()
        .map(|(name, about)| {
            ((*name).to_owned(), json!({ "type": "string", "description": about }))
        })
        .collect();
    let tags: Vec<&str> = Language::COMPLETE.iter().map(|language| language.tag()).collect();
    properties.insert(
        "lang".to_owned(),
        json!({ "type": "string", "enum": tags, "description": "The language of the answer" }),
    );
    let required: Vec<&str> = takes.iter().map(|(name, _)| *name).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    });
    let schema = schema.as_object().cloned().unwrap_or_default();
    let hints = ToolAnnotations::new().read_only(true).idempotent(true).open_world(false);
    Tool::new(name, about, Arc::new(schema)).with_title(title).with_annotations(hints)
}

/// Calls a tool; `None` where there is none of that name. An error is for the caller: what
/// is wrong, and what was expected.
pub(super) fn call(
    name: &str,
    arguments: &Arguments,
    language: Language,
) -> Option<Result<Told, String>> {
    let takes: &[&str] = match name {
        "explain" => &["text"],
        "compare" => &["a", "b"],
        "look_up" => &["name"],
        _ => return None,
    };
    Some(texts(takes, arguments).and_then(|texts| {
        let language = language_of(arguments, language)?;
        match texts.as_slice() {
            [a, b] => compare_two(a, b, language),
            [one] if name == "explain" => explain(one, language),
            [one] => look_up(one, language),
            _ => Err(format!("`{name}` takes {}", takes.join(", "))),
        }
    }))
}

/// The strings under the names that a tool takes; no other name is let pass, since an
/// argument that is not heeded misleads whoever gave it.
fn texts<'a>(takes: &[&str], arguments: &'a Arguments) -> Result<Vec<&'a str>, String> {
    let stranger = arguments.keys().find(|name| *name != "lang" && !takes.contains(&name.as_str()));
    if let Some(name) = stranger {
        return Err(format!("there is no argument `{name}`: expected {}", takes.join(", ")));
    }
    let text = |name: &&str| match arguments.get(*name) {
        None => Err(format!("`{name}` is missing: expected a text")),
        Some(Value::String(text)) if text.trim().is_empty() => Err(format!("`{name}` is empty")),
        Some(Value::String(text)) if text.len() > MAX_TEXT_OCTETS => {
            Err(format!("`{name}` has more than {MAX_TEXT_OCTETS} octets: give a part of it"))
        }
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(format!("`{name}` is no string")),
    };
    takes.iter().map(text).collect()
}

fn language_of(arguments: &Arguments, usual: Language) -> Result<Language, String> {
    match arguments.get("lang") {
        None | Some(Value::Null) => Ok(usual),
        Some(Value::String(tag)) => {
            tag.parse().map_err(|error: reply::explain::NoSuchLanguage| error.in_words(usual))
        }
        Some(_) => Err("`lang` is no string".to_owned()),
    }
}

fn explain(text: &str, language: Language) -> Result<Told, String> {
    let found = Found::of(text.as_bytes(), language).map_err(|failure| failure.whole(language))?;
    let value = json!({ "results": found.values(language) });
    let rest = found.len().saturating_sub(MAX_IN_WORDS);
    let mut text = page(|out| found.tell(MAX_IN_WORDS, language, out))?;
    if rest > 0 {
        text.push_str(&format!("\n({rest} more, in the structured content)\n"));
    }
    Ok(Told { value, text })
}

fn compare_two(a: &str, b: &str, language: Language) -> Result<Told, String> {
    let comparison = compare(&topic(a, language)?, &topic(b, language)?, language);
    let text = page(|out| tell_comparison(&comparison, language, out))?;
    Ok(Told { value: json!(comparison), text })
}

fn look_up(name: &str, language: Language) -> Result<Told, String> {
    let entry = entry(topic(name, language)?, language);
    let text = page(|out| tell_entry(&entry, language, out))?;
    Ok(Told { value: json!(entry), text })
}

fn topic(name: &str, language: Language) -> Result<Topic, String> {
    name.parse().map_err(|error: reply::explain::entry::NoSuchTopic| error.in_words(language))
}

/// A page as plain text.
fn page(tell: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<String, String> {
    let mut octets = Vec::new();
    tell(&mut anstream::StripStream::new(&mut octets)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
