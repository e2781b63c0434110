//! The texts: one Fluent file per language, read once and kept. A key is a message
//! (`code-450`) or an attribute of one (`code-450.when`).
//!
//! No prose and no fact lives here. What a language lacks is said in English; that a
//! complete language lacks nothing is the business of the tests.

use std::borrow::Cow;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use super::Language;

type Bundle = FluentBundle<FluentResource>;

fn bundle(language: Language) -> &'static Bundle {
    static BUNDLES: [OnceLock<Bundle>; Language::COMPLETE.len()] =
        [const { OnceLock::new() }; Language::COMPLETE.len()];
    BUNDLES[language as usize].get_or_init(|| read(language))
}

/// Isolation marks are off: they show up as rubbish in terminals and in copied text.
/// A file with a syntax error gives the messages that could be read.
fn read(language: Language) -> Bundle {
    let tag = language.tag().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![tag]);
    bundle.set_use_isolating(false);
    let resource = match FluentResource::try_new(language.source().to_owned()) {
        Ok(resource) => resource,
        Err((resource, _)) => resource,
    };
    bundle.add_resource_overriding(resource);
    bundle
}

/// Whether `language` itself has the text `key`.
pub(crate) fn has(language: Language, key: &str) -> bool {
    let bundle = bundle(language);
    match key.split_once('.') {
        None => bundle.get_message(key).is_some_and(|message| message.value().is_some()),
        Some((id, attribute)) => {
            bundle.get_message(id).is_some_and(|message| message.get_attribute(attribute).is_some())
        }
    }
}

/// The text `key`, which has no placeholders.
pub(crate) fn text(language: Language, key: &str) -> String {
    fill(language, key, &[])
}

/// The text `key` with its placeholders filled. Without such a text in the language:
/// the English one; without that: the key.
pub(crate) fn fill(
    language: Language,
    key: &str,
    values: &[(&'static str, FluentValue<'_>)],
) -> String {
    let args: FluentArgs<'_> = values.iter().cloned().collect();
    format(language, key, &args)
        .or_else(|| format(Language::En, key, &args))
        .unwrap_or_else(|| key.to_owned())
}

fn format(language: Language, key: &str, args: &FluentArgs<'_>) -> Option<String> {
    let bundle = bundle(language);
    let pattern = match key.split_once('.') {
        None => bundle.get_message(key)?.value()?,
        Some((id, attribute)) => bundle.get_message(id)?.get_attribute(attribute)?.value(),
    };
    let mut errors = Vec::new();
    Some(Cow::into_owned(bundle.format_pattern(pattern, Some(args), &mut errors)))
}

/// The words of a label or heading of the command line, as in `label-what-to-do`.
pub fn label(language: Language, name: &str) -> String {
    text(language, &format!("label-{name}"))
}

/// The label of what a word means at one provider: "At Gmail".
pub fn label_at(who: &str, language: Language) -> String {
    fill(language, "label-provider", &[("who", who.into())])
}

/// The label of what a refusal means for a command: "502 means".
pub fn label_refused(code: crate::Code, language: Language) -> String {
    fill(language, "label-refused", &[("code", code.to_string().into())])
}

/// A name and what is said of it, with the language's own colon.
pub fn labelled(label: &str, said: &str, language: Language) -> String {
    fill(language, "labelled", &[("label", label.into()), ("said", said.into())])
}

/// Sentences one after the other, with the language's own space between them.
pub fn sentences(sentences: &[String], language: Language) -> String {
    sentences.join(&text(language, "sentence-space"))
}

/// Names one after the other, without an "and".
pub fn enumerated(items: &[String], language: Language) -> String {
    items.join(&text(language, "list-separator"))
}

/// Names of which one is to be chosen: "`off`, `direct` or `host:port`".
pub fn choices(items: &[String], language: Language) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => {
            let most = enumerated(most, language);
            fill(language, "list-choice", &[("most", most.into()), ("last", last.as_str().into())])
        }
    }
}

/// The words of a web page, as in `web-box-button`, with placeholders filled in.
pub fn web(language: Language, name: &str, values: &[(&'static str, &str)]) -> String {
    phrase(language, &format!("web-{name}"), values)
}

/// The words of a web page about a number of things, as in `web-heard`.
pub fn web_count(language: Language, name: &str, count: usize) -> String {
    fill(language, &format!("web-{name}"), &[("count", count.into())])
}

/// What the command line did or found, as in `cli-queued`, with placeholders filled in.
pub fn cli(language: Language, name: &str, values: &[(&'static str, &str)]) -> String {
    phrase(language, &format!("cli-{name}"), values)
}

/// The same about a number of things, as in `cli-segments`.
pub fn cli_count(language: Language, name: &str, count: u64) -> String {
    fill(language, &format!("cli-{name}"), &[("count", count.into())])
}

/// What is wrong with settings, as in `setting-unknown-key`, with placeholders filled in.
pub fn setting(language: Language, name: &str, values: &[(&'static str, &str)]) -> String {
    phrase(language, &format!("setting-{name}"), values)
}

/// What a subcommand could not do, as in `wrong-not-read`, with placeholders filled in.
pub fn wrong(language: Language, name: &str, values: &[(&'static str, &str)]) -> String {
    phrase(language, &format!("wrong-{name}"), values)
}

/// What the operating system says, as in `system-not-found`.
pub fn system(language: Language, name: &str) -> String {
    text(language, &format!("system-{name}"))
}

/// The words about what waits, as in `queue-next`, with placeholders filled in.
pub fn queued(language: Language, name: &str, values: &[(&'static str, &str)]) -> String {
    phrase(language, &format!("queue-{name}"), values)
}

/// The words about a number of things that wait, as in `queue-count`, with other
/// placeholders filled in.
pub fn queued_count(
    language: Language,
    name: &str,
    count: u64,
    values: &[(&'static str, &str)],
) -> String {
    let mut values: Vec<_> = values.iter().map(|(key, value)| (*key, (*value).into())).collect();
    values.push(("count", count.into()));
    fill(language, &format!("queue-{name}"), &values)
}

/// The words about what became of a message, as in `story-held`, with placeholders
/// filled in.
pub fn story(language: Language, name: &str, values: &[(&'static str, &str)]) -> String {
    phrase(language, &format!("story-{name}"), values)
}

fn phrase(language: Language, key: &str, values: &[(&'static str, &str)]) -> String {
    let values: Vec<_> = values.iter().map(|(key, value)| (*key, (*value).into())).collect();
    fill(language, key, &values)
}
