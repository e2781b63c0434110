//! What is wrong with the arguments, as the parser of the command line found it, in the
//! reader's language.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use reply::Language;
use reply::explain::{choices, cli, enumerated, sentences, wrong};

use super::Failure;
use super::explain::{WHEN_EXPECTED, near};

/// The language that the arguments ask for, also where they cannot be understood as a whole;
/// else the locale's.
pub(super) fn language(args: &[OsString]) -> Language {
    let texts: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let behind = texts.windows(2).find(|pair| pair[0] == "--lang").map(|pair| pair[1]);
    let joined = || texts.iter().find_map(|arg| arg.strip_prefix("--lang="));
    let asked = behind.or_else(joined).and_then(|tag| tag.parse().ok());
    asked.or_else(super::of_locale).unwrap_or_default()
}

/// What is wrong, with what was expected and how to learn more.
pub(super) fn failure(error: &clap::Error, language: Language) -> Failure {
    let found = Found { error, language };
    let Some(message) = found.message() else { return Failure::of_arguments(error) };
    let help: Vec<String> =
        [found.meant(), found.expected(), found.usage()].into_iter().flatten().collect();
    Failure::usage(message).help(sentences(&help, language))
}

/// An error of the parser, and who reads of it.
struct Found<'a> {
    error: &'a clap::Error,
    language: Language,
}

impl Found<'_> {
    fn message(&self) -> Option<String> {
        let say =
            |name: &str, values: &[(&'static str, &str)]| Some(wrong(self.language, name, values));
        let argument = || self.shown(ContextKind::InvalidArg);
        match self.error.kind() {
            ErrorKind::InvalidSubcommand => {
                say("subcommand", &[("given", &self.shown(ContextKind::InvalidSubcommand)?)])
            }
            ErrorKind::UnknownArgument => say("argument", &[("given", &argument()?)]),
            ErrorKind::MissingRequiredArgument => {
                say("argument-missing", &[("given", &argument()?)])
            }
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => self.wrong_value(),
            ErrorKind::ArgumentConflict => {
                let other = self.shown(ContextKind::PriorArg)?;
                match argument()? {
                    argument if argument == other => say("argument-twice", &[("given", &other)]),
                    argument => say("conflict", &[("option", &argument), ("other", &other)]),
                }
            }
            ErrorKind::TooManyValues => {
                let value = self.shown(ContextKind::InvalidValue)?;
                say("value-too-many", &[("option", &argument()?), ("given", &value)])
            }
            ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
                say("value-missing", &[("option", &argument()?)])
            }
            ErrorKind::InvalidUtf8 => say("argument-not-text", &[]),
            ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                say("subcommand-missing", &[])
            }
            _ => None,
        }
    }

    /// `--format cannot be x`, with the reason where the value's own reader gives one.
    fn wrong_value(&self) -> Option<String> {
        let option = self.shown(ContextKind::InvalidArg)?;
        let value = self.texts(ContextKind::InvalidValue).join("");
        if value.is_empty() {
            return Some(wrong(self.language, "value-missing", &[("option", &option)]));
        }
        let value = format!("`{value}`");
        let values = [("option", &*option), ("given", &*value)];
        // What these say of their values, the help says in the reader's language.
        let is_told = ["--cause", "--lang"].iter().any(|known| option.contains(known));
        let why = self.error.source().map(ToString::to_string).filter(|_| !is_told);
        let Some(why) = why else {
            return Some(wrong(self.language, "value", &values));
        };
        let why = match why == WHEN_EXPECTED {
            true => wrong(self.language, "expected-time", &[]),
            false => why,
        };
        let values = [values[0], values[1], ("why", &*why)];
        Some(wrong(self.language, "value-why", &values))
    }

    /// What was probably meant.
    fn meant(&self) -> Option<String> {
        let kinds = [
            ContextKind::SuggestedSubcommand,
            ContextKind::SuggestedArg,
            ContextKind::SuggestedValue,
        ];
        let names = kinds.iter().map(|kind| self.texts(*kind)).find(|names| !names.is_empty());
        match names {
            Some(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let names = choices(&names, self.language);
                Some(cli(self.language, "did-you-mean", &[("names", &names)]))
            }
            None => {
                let value = self.texts(ContextKind::InvalidValue).join("");
                let is_cause = self.texts(ContextKind::InvalidArg).join("").starts_with("--cause");
                is_cause.then(|| near::did_you_mean(&value, self.language))?
            }
        }
    }

    /// The values that there are.
    fn expected(&self) -> Option<String> {
        let is_language = self.texts(ContextKind::InvalidArg).join("").starts_with("--lang");
        let valid = match is_language {
            true => Language::COMPLETE.iter().map(|language| language.tag().to_owned()).collect(),
            false => self.texts(ContextKind::ValidValue),
        };
        let valid: Vec<String> = valid.iter().map(|name| format!("`{name}`")).collect();
        let valid = choices(&valid, self.language);
        (!valid.is_empty()).then(|| wrong(self.language, "expected-one", &[("choices", &valid)]))
    }

    /// How it is called, and where more is told.
    fn usage(&self) -> Option<String> {
        let usage = self.texts(ContextKind::Usage).join(" ");
        let usage = usage.split_whitespace().collect::<Vec<_>>().join(" ");
        let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
        let words = usage.split(' ').take_while(|word| !word.starts_with(['[', '<', '-']));
        let command = words.collect::<Vec<_>>().join(" ");
        let command = if command.is_empty() { "secondpost" } else { &command };
        let more =
            wrong(self.language, "usage-more", &[("command", &format!("`{command} --help`"))]);
        let usage = (!usage.is_empty())
            .then(|| wrong(self.language, "usage", &[("usage", &format!("`{usage}`"))]));
        let all: Vec<String> = usage.into_iter().chain([more]).collect();
        Some(sentences(&all, self.language))
    }

    /// What the parser names there, in backticks.
    fn shown(&self, kind: ContextKind) -> Option<String> {
        let texts = self.texts(kind);
        let shown: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
        (!shown.is_empty()).then(|| enumerated(&shown, self.language))
    }

    fn texts(&self, kind: ContextKind) -> Vec<String> {
        match self.error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
            Some(ContextValue::StyledStrs(texts)) => {
                texts.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;
    use super::*;

    fn told(args: &[&str], language: Language) -> String {
        let args = std::iter::once("secondpost").chain(args.iter().copied());
        failure(&Cli::try_parse_from(args).unwrap_err(), language).whole(language)
    }

    #[test]
    fn what_is_wrong_with_arguments_is_said_in_every_language() {
        let cases: [(&[&str], &[&str]); 10] = [
            (&["codes", "--lang", "tlh"], &["`tlh`", "`de`"]),
            (&["frobnicate"], &["`frobnicate`"]),
            (&["explian"], &["`explian`", "`explain`"]),
            (&["explain", "--frobnicate"], &["`--frobnicate`", "secondpost explain"]),
            (&["explain", "--ndjsn"], &["`--ndjsn`", "`--ndjson`"]),
            (&["compare", "450"], &["`<B>`"]),
            (&["explain", "--format", "xml"], &["`xml`", "`sisimai`"]),
            (&["explain", "--log", "x", "--since", "noon"], &["`noon`", "2026-11-24"]),
            (&["explain", "--log", "x", "--cause", "greylist"], &["`greylist`", "`greylisted`"]),
            (&["codes", "--basic", "--enhanced"], &["`--basic`", "`--enhanced`"]),
        ];
        for (args, facts) in cases {
            let mut all: Vec<String> =
                Language::COMPLETE.iter().map(|language| told(args, *language)).collect();
            for words in &all {
                assert!(facts.iter().all(|fact| words.contains(fact)), "{args:?}: {words}");
                assert!(!words.contains("wrong-"), "{args:?}: {words}");
            }
            all.sort();
            all.dedup();
            assert_eq!(all.len(), Language::COMPLETE.len(), "{args:?}: {all:?}");
        }
    }

    #[test]
    fn the_language_is_found_in_arguments_that_make_no_sense() {
        let of = |args: &[&str]| language(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["secondpost", "--lang", "de", "frobnicate"]), Language::De);
        assert_eq!(of(&["secondpost", "frobnicate", "--lang=ja"]), Language::Ja);
    }
}
