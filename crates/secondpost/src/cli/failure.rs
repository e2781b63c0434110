//! What a subcommand returns where something is wrong: what is wrong, where, what was
//! expected, and on a line of its own what to do.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::error::ErrorKind;
use reply::Language;
use reply::explain::{label, labelled, wrong};

use super::system;
use super::text::{bold, styled, under};

/// How the word that begins an error looks on a terminal.
const RED: Style = AnsiColor::Red.on_default().bold();

/// The exit status for wrong usage and wrong settings.
pub(crate) const USAGE: u8 = 2;
/// The exit status for everything else.
pub(crate) const FAILED: u8 = 1;

/// Why a subcommand did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
    help: Option<String>,
    /// What the system said, where that is the whole message: it is put into the reader's
    /// words when it is told.
    system: Option<io::Error>,
}

impl Failure {
    /// Something is wrong; lower case, no full stop, values in backticks.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { status: FAILED, message: message.into(), help: None, system: None }
    }

    /// A part of the program cannot do its work: `reactor`, `queue` and others by name.
    pub(crate) fn of_part(name: &str, error: &io::Error, language: Language) -> Failure {
        let part = wrong(language, &format!("part-{name}"), &[]);
        Failure::of_thing(&part, error, language)
    }

    /// The same of something with a name of its own, as a file.
    pub(crate) fn of_thing(thing: &str, error: &io::Error, language: Language) -> Failure {
        Failure::new(labelled(thing, &system::in_words(error, language), language))
    }

    /// An argument or a setting is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { status: USAGE, ..Failure::new(message) }
    }

    /// What the parser of the command line found: its first paragraph is what is wrong, the
    /// others are tips and the usage.
    pub(crate) fn of_arguments(error: &clap::Error) -> Failure {
        let text = error.render().to_string().replace('\'', "`");
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let line = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut paragraphs = text.split("\n\n").map(line).filter(|one| !one.is_empty());
        let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        let wrong = if is_help { None } else { paragraphs.next() };
        let failure = Failure::usage(wrong.unwrap_or_else(|| "a subcommand is missing".to_owned()));
        failure.help(paragraphs.collect::<Vec<_>>().join("; "))
    }

    /// The output is complete and its result is a failure, as of a `verify` that found
    /// no mailbox: nothing more is said.
    pub(crate) fn silent(status: u8) -> Failure {
        Failure { status, ..Failure::new("") }
    }

    /// The same where what is wrong was told already.
    pub(crate) fn silenced(self) -> Failure {
        Failure::silent(self.status)
    }

    /// The same with another exit status.
    pub(crate) fn with_status(self, status: u8) -> Failure {
        Failure { status, ..self }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// Whether there is nothing to tell and the exit status is 0 (a closed pipe).
    pub(crate) fn is_success(&self) -> bool {
        self.status == 0
    }

    /// What is wrong.
    pub(crate) fn message(&self, language: Language) -> String {
        match &self.system {
            Some(error) => system::in_words(error, language),
            None => self.message.clone(),
        }
    }

    /// What is wrong and what to do, in one text.
    pub(crate) fn whole(&self, language: Language) -> String {
        let message = self.message(language);
        match &self.help {
            Some(help) => format!("{message}; {help}"),
            None => message,
        }
    }

    /// Tells it on stderr, to people or as one JSON object; returns the exit status.
    pub(crate) fn report(self, json: bool, language: Language) -> ExitCode {
        self.tell(json, language);
        ExitCode::from(self.status)
    }

    /// Tells it on stderr as a warning: what was asked is done all the same.
    pub(crate) fn warn(&self, language: Language) {
        let word = label(language, "warning");
        let said = under("warning", &self.message(language), language);
        let said = said.replacen(&word, &bold(&word), 1);
        // Where stderr is closed there is nobody left to tell.
        let _ = anstream::stderr().write_all(format!("{said}\n").as_bytes());
    }

    /// Tells it on stderr, where the work goes on.
    pub(crate) fn tell(&self, json: bool, language: Language) {
        let message = self.message(language);
        let mut text = String::new();
        if json && !message.is_empty() {
            let told = serde_json::json!({ "error": message, "help": self.help });
            text = format!("{told}\n");
        } else {
            if !message.is_empty() {
                let word = label(language, "error");
                let said = match io::stderr().is_terminal() && !message.contains('\n') {
                    true => {
                        under("error", &message, language).replacen(&word, &styled(&word, RED), 1)
                    }
                    false => labelled(&styled(&word, RED), &message, language),
                };
                text = format!("{said}\n");
            }
            if let Some(help) = &self.help {
                let word = label(language, "help");
                let help = under("help", help, language).replacen(&word, &bold(&word), 1);
                text.push_str(&format!("{help}\n"));
            }
        }
        // Where stderr is closed there is nobody left to tell.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
}

/// A closed pipe is no failure: its reader has seen enough.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::silent(0),
            _ => Failure { system: Some(error), ..Failure::new("") },
        }
    }
}
