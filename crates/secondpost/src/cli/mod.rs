//! The command line: one file a subcommand, each with its `Args` and its `run`.
//!
//! A subcommand writes to `Context::out` and returns a [`Failure`] where something is
//! wrong; what a failure looks like and which exit status it has is told in `failure`.
//! Called as `sendmail`, `mailq` or `newaliases` the program is that face (`sendmail`).

mod address;
mod arguments;
mod broken;
mod causes;
mod codes;
mod commands;
mod compare;
mod completions;
mod config;
mod daemon;
mod docs;
mod explain;
pub(crate) mod failure;
mod greylist;
pub(crate) mod mailbox;
mod man;
mod mcp;
mod message;
pub(crate) mod page;
mod probe;
mod queue;
mod reference;
mod replies;
mod send;
mod sendmail;
mod serve;
pub(crate) mod settings;
pub(crate) mod spool;
mod submit;
pub(crate) mod system;
pub(crate) mod text;
pub(crate) mod user;
mod verify;
mod web;
mod why;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use reply::explain::Language;

pub(crate) use failure::Failure;

/// Mail transfer that understands replies.
///
/// A mail server that knows what the other side's words mean: told 450, it comes back
/// just after the window; told 502, it takes the alternative; and it says so.
#[derive(Parser, Debug)]
#[command(name = "secondpost", version, max_term_width = 80, after_help = BEGIN)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const BEGIN: &str = "\
To begin:
  secondpost serve           take and deliver mail, in the foreground
  secondpost queue           what waits, why, and until when
  secondpost explain 450     what a reply means

Exit status: 0 done, 1 failed or found wanting, 2 wrong usage or settings.
Called as `sendmail` or `mailq` it takes their options and has the statuses of
sysexits.h.";

/// Where everything is kept, unless it is said where.
pub(crate) const DEFAULT_DATA_DIR: &str = "./secondpost-data";

/// What may stand before or after any subcommand.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Everything the server keeps lives here: spool, mailboxes, settings, admin socket
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SECONDPOST_DATA_DIR",
        hide_env_values = true,
        default_value = DEFAULT_DATA_DIR
    )]
    pub(crate) data_dir: PathBuf,

    /// Read settings from this TOML file [default: DIR/secondpost.toml, if it exists]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SECONDPOST_CONFIG",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,

    /// Set one key: a TOML value, else a bare string; a list replaces; repeatable
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Write JSON with stable names instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The language of explanations and errors: en, de, es, fr, ja or pt
    /// [default: from LANGUAGE, LC_ALL, LC_MESSAGES, LANG]
    #[arg(
        long,
        global = true,
        value_name = "LANG",
        value_parser = OfLanguage,
        hide_possible_values = true
    )]
    pub(crate) lang: Option<Language>,
}

impl Global {
    /// The language of what is said: what was asked for, else the locale's, else English.
    pub(crate) fn language(&self) -> Language {
        self.lang.or_else(of_locale).unwrap_or_default()
    }
}

/// The language that the environment asks for. As gettext has it, the list in LANGUAGE goes
/// before the locale, unless that is C: then programs are to be read by programs.
fn named_by(variable: impl Fn(&str) -> Option<String>) -> Option<Language> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set)?;
    let is_plain = matches!(locale.split('.').next(), Some("C" | "POSIX"));
    let wishes = set("LANGUAGE").filter(|_| !is_plain).unwrap_or_default();
    let wished = wishes.split(':').find_map(|wish| wish.parse().ok());
    wished.or_else(|| locale.parse().ok())
}

/// Reads a language by its tag, with or without a region; shells complete the tags.
#[derive(Clone)]
struct OfLanguage;

impl TypedValueParser for OfLanguage {
    type Value = Language;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Language, clap::Error> {
        let language = |text: String| text.parse::<Language>();
        StringValueParser::new().try_map(language).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let tags = Language::COMPLETE.iter().map(|language| PossibleValue::new(language.tag()));
        Some(Box::new(tags))
    }
}

/// The language of the locale, where it is one that is known.
fn of_locale() -> Option<Language> {
    named_by(|name| std::env::var(name).ok())
}

/// What a subcommand gets beside its arguments.
pub(crate) struct Context<'a> {
    /// The options that stand before or after any subcommand.
    pub(crate) global: Global,
    /// Standard output. A failed write is returned, never a panic: `| head` closes it.
    pub(crate) out: &'a mut dyn Write,
}

impl Context<'_> {
    /// Writes a value as indented JSON.
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
        Ok(writeln!(self.out, "{text}")?)
    }
}

#[derive(Subcommand, Debug)]
enum Command {
    Serve(serve::Args),
    Send(send::Args),
    Queue(queue::Args),
    Why(why::Args),
    Mailbox(mailbox::Args),
    Greylist(greylist::Args),
    Probe(probe::Args),
    Verify(verify::Args),
    Spool(spool::Args),
    Config(config::Args),
    Explain(explain::Args),
    Compare(compare::Args),
    Codes(codes::Args),
    Causes(causes::Args),
    Commands(commands::Args),
    Replies(replies::Args),
    Web(web::Args),
    Mcp(mcp::Args),
    Completions(completions::Args),
    Man(man::Args),
    #[command(hide = true)]
    Docs(docs::Args),
}

/// Runs what the arguments ask; the exit status says how it went.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter().peekable();
    let name =
        args.peek().and_then(|name| Path::new(name).file_name()?.to_str().map(str::to_owned));
    match name.as_deref() {
        Some("sendmail") => return sendmail::run(args.skip(1)),
        Some("mailq") => return sendmail::run_mailq(),
        Some("newaliases") => return sendmail::run_newaliases(),
        _ => {}
    }
    let args: Vec<OsString> = args.collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && asks_for_json(&args) => {
            return arguments::failure(&error, Language::En).report(true, Language::En);
        }
        // Help and version are no failures, and are what the parser makes of our own words.
        Err(error) if !error.use_stderr() || is_help(&error) => error.exit(),
        Err(error) => {
            let language = arguments::language(&args);
            return arguments::failure(&error, language).report(false, language);
        }
    };
    let mut out = anstream::stdout().lock();
    let json = cli.global.json;
    let language = cli.global.language();
    let mut context = Context { global: cli.global, out: &mut out };
    let result = dispatch(&cli.command, &mut context);
    match result.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json, language),
    }
}

/// Whether the help is shown because nothing was asked for.
fn is_help(error: &clap::Error) -> bool {
    error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// Whether the arguments, which could not be understood as a whole, ask for JSON.
fn asks_for_json(args: &[OsString]) -> bool {
    args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json")
}

fn dispatch(command: &Command, context: &mut Context<'_>) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args, context),
        Command::Send(args) => send::run(args, context),
        Command::Queue(args) => queue::run(args, context),
        Command::Why(args) => why::run(args, context),
        Command::Mailbox(args) => mailbox::run(args, context),
        Command::Greylist(args) => greylist::run(args, context),
        Command::Probe(args) => probe::run(args, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Spool(args) => spool::run(args, context),
        Command::Config(args) => config::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Compare(args) => compare::run(args, context),
        Command::Codes(args) => codes::run(args, context),
        Command::Causes(args) => causes::run(args, context),
        Command::Commands(args) => commands::run(args, context),
        Command::Replies(args) => replies::run(args, context),
        Command::Web(args) => self::web::run(args, context),
        Command::Mcp(args) => mcp::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(args, context),
        Command::Docs(args) => docs::run(args, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_language_as_gettext_has_it() {
        let check = |set: &[(&str, &str)], wanted: Option<&str>| {
            let variable = |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(named_by(variable).map(Language::tag), wanted, "{set:?}");
        };
        check(&[], None);
        check(&[("LANG", "de_DE.UTF-8")], Some("de"));
        check(&[("LANG", "de_DE.UTF-8"), ("LC_MESSAGES", "es_ES")], Some("es"));
        check(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "fr_FR"), ("LC_MESSAGES", "es")], Some("fr"));
        check(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "")], Some("de"));
        check(&[("LANG", "en_US.UTF-8"), ("LANGUAGE", "tlh:pt_BR:de")], Some("pt"));
        check(&[("LANG", "de_DE.UTF-8"), ("LANGUAGE", "tlh")], Some("de"));
        check(&[("LANG", "C.UTF-8"), ("LANGUAGE", "de")], Some("en"));
        check(&[("LANGUAGE", "de")], None);
        check(&[("LC_ALL", "tlh"), ("LANG", "de_DE")], None);
    }

    #[test]
    fn a_language_is_read_with_its_region_and_completed_by_its_tag() {
        use clap::CommandFactory;
        let told = Cli::try_parse_from(["secondpost", "explain", "450", "--lang", "de-AT"]);
        assert_eq!(told.unwrap().global.lang, Some(Language::De));
        assert!(Cli::try_parse_from(["secondpost", "explain", "450", "--lang", "tlh"]).is_err());
        let command = Cli::command();
        let lang = command.get_arguments().find(|one| one.get_id() == "lang").unwrap();
        assert_eq!(lang.get_possible_values().len(), Language::COMPLETE.len());
    }
}
