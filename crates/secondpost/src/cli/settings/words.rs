//! What is wrong with settings, in the reader's language: `config` says what and where,
//! the texts have the words, and here they are put together.

use config::diagnostic::{self, Source};
use config::expected::Expected;
use config::fault::{ConfigError, Fault, Faulty, Hint, Problem, Written};
use reply::Language;
use reply::explain::{choices, enumerated, labelled, setting};

use super::super::{Failure, system, text};

/// What is wrong with the settings, each fault with its place and what helps.
pub(crate) fn failure(error: &ConfigError, language: Language) -> Failure {
    match error {
        ConfigError::Unreadable(path, why) => {
            let (file, why) = (quoted(&path.display()), system::in_words(why, language));
            Failure::usage(setting(language, "unreadable", &[("file", &file), ("error", &why)]))
        }
        ConfigError::NotUtf8(path) => {
            let file = quoted(&path.display());
            Failure::usage(setting(language, "not-utf8", &[("file", &file)]))
        }
        ConfigError::NoEquals(set) => {
            let given = quoted(&format_args!("--set {set}"));
            let told = setting(language, "no-equals", &[("given", &given), ("sign", "`=`")]);
            let form = [("form", SET_FORM), ("example", SET_EXAMPLE)];
            Failure::usage(told).help(setting(language, "no-equals-help", &form))
        }
        ConfigError::Faults(faulty) => of_source(faulty, language),
    }
}

/// How `--set` is written.
const SET_FORM: &str = "`--set KEY=VALUE`";
const SET_EXAMPLE: &str = "`--set greylist.window=5m`";

/// The faults of a source, one below the other, each with its place and its help.
fn of_source(faulty: &Faulty, language: Language) -> Failure {
    let source = Source { name: &faulty.name, text: &faulty.text };
    let shown = faulty.faults.iter().map(|fault| {
        let said = diagnostic::show(source, &fault.span, &said(fault, language));
        match fault.hint.as_ref().map(|one| hint(one, language)) {
            Some(help) => format!("{said}\n{}", text::under("help", &help, language)),
            None => said,
        }
    });
    let next = format!("\n\n{}", text::beginning("error", language));
    Failure::usage(shown.collect::<Vec<_>>().join(&next))
}

/// What is wrong, behind the key whose value it is.
fn said(fault: &Fault, language: Language) -> String {
    let problem = problem(&fault.problem, language);
    match &fault.key {
        Some(key) => labelled(&quoted(key), &problem, language),
        None => problem,
    }
}

fn problem(problem: &Problem, language: Language) -> String {
    let words = |name, values: &[(&'static str, &str)]| setting(language, name, values);
    match problem {
        Problem::NotToml(syntax) => {
            let why = setting(language, &format!("syntax-{}", syntax.name()), &[]);
            words("not-toml", &[("why", &why)])
        }
        Problem::NotTomlAsSaid(said) => words("not-toml", &[("why", said)]),
        Problem::UnknownKey(key) | Problem::UnknownPart(key) => {
            words("unknown-key", &[("key", &quoted(key))])
        }
        Problem::MissingPart(key) => words("missing-part", &[("key", &quoted(key))]),
        Problem::NotValid(Written::Value(value)) => {
            words("not-valid", &[("value", &quoted(value))])
        }
        Problem::NotValid(Written::List) => words("not-valid-list", &[]),
        Problem::NotValid(Written::Table) => words("not-valid-table", &[]),
        Problem::NoDomain(name) => words("no-domain", &[("name", &quoted(name))]),
        Problem::StepsDoNotRise => words("steps", &[]),
    }
}

fn hint(hint: &Hint, language: Language) -> String {
    let words = |name, values: &[(&'static str, &str)]| setting(language, name, values);
    match hint {
        Hint::Expected(one) => words("expected", &[("what", &expected(*one, language))]),
        Hint::KeysOfGroup(keys) => {
            let keys: Vec<String> = keys.iter().map(quoted).collect();
            words("group-keys", &[("keys", &enumerated(&keys, language))])
        }
        Hint::NearKey(key) => words("near-key", &[("key", &quoted(key))]),
        Hint::NearGroup(group) => words("near-group", &[("key", &quoted(group))]),
        Hint::SeeExample => words("see-example", &[("command", "`secondpost config example`")]),
        Hint::StringsAreQuoted => words("quotes", &[("example", "`relay = \"direct\"`")]),
    }
}

/// What can be written for a value.
pub(crate) fn expected(expected: Expected, language: Language) -> String {
    let choice = |literals: &[&str]| {
        let shown = |literal: &&str| match expected {
            Expected::Count => (*literal).to_owned(), // among words, a number needs no marks
            _ => quoted(literal),
        };
        choices(&literals.iter().map(shown).collect::<Vec<_>>(), language)
    };
    let (examples, words) = (choice(expected.examples()), choice(expected.words()));
    let values = [("examples", examples.as_str()), ("words", &words)];
    setting(language, &format!("expects-{}", expected.name()), &values)
}

/// A literal among words, without what could change a terminal.
fn quoted(literal: &(impl std::fmt::Display + ?Sized)) -> String {
    format!("`{}`", text::printable(&literal.to_string()))
}

#[cfg(test)]
mod tests;
