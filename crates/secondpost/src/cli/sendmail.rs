//! The faces `sendmail`, `mailq` and `newaliases`: what programs that were written for Sendmail expect.
//! Options as in its manual, exit statuses as in sysexits.h.

mod manual;
mod options;
mod recipients;
mod session;

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) use self::manual::{mailq, sendmail};
use self::options::{Mode, Options};
use super::message::{Malformed, Message, Reading, prepare};
use super::submit::{SubmitError, Submitted, complete, envelope, submit};
use super::{
    Context, DEFAULT_DATA_DIR, Failure, Global, address, daemon, queue, settings, system, user,
};
use config::Config;
use mta::control::{Action, RefusedKind};
use reply::Language;
use reply::explain::{cli, labelled, queued_count, wrong};
use smtp::message::header::Header;

/// Wrong options or no recipients.
pub(crate) const EX_USAGE: u8 = 64;
/// A message or an address that cannot be understood.
pub(crate) const EX_DATAERR: u8 = 65;
/// No such recipient.
pub(crate) const EX_NOUSER: u8 = 67;
/// The service refuses.
pub(crate) const EX_UNAVAILABLE: u8 = 69;
/// Reading the input failed.
pub(crate) const EX_IOERR: u8 = 74;
/// Try again later.
pub(crate) const EX_TEMPFAIL: u8 = 75;
/// The settings are wrong.
pub(crate) const EX_CONFIG: u8 = 78;

/// Why the face did not do it: the exit status and the words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    status: u8,
    words: String,
}

impl Exit {
    fn new(status: u8, words: impl Into<String>) -> Exit {
        Exit { status, words: words.into() }
    }

    fn of(failure: &Failure, status: u8, language: Language) -> Exit {
        Exit::new(status, failure.message(language))
    }

    fn of_input(error: &io::Error, language: Language) -> Exit {
        let input = cli(language, "standard-input", &[]);
        Exit::new(EX_IOERR, labelled(&input, &system::in_words(error, language), language))
    }
}

/// `sendmail …`
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    let result = Options::parse(&args).and_then(|options| match options.mode {
        Mode::List => list(),
        Mode::Session => speak(),
        Mode::Flush => flush(),
        Mode::Aliases => Ok(()),
        Mode::Deliver => deliver(&options),
    });
    report(result)
}

/// `mailq`
pub(crate) fn run_mailq() -> ExitCode {
    report(list())
}

/// `newaliases`: programs that install mail software call it; there is nothing to rebuild.
pub(crate) fn run_newaliases() -> ExitCode {
    ExitCode::SUCCESS
}

fn report(result: Result<(), Exit>) -> ExitCode {
    let Err(exit) = result else { return ExitCode::SUCCESS };
    // Where stderr is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "sendmail: {}", exit.words);
    ExitCode::from(exit.status)
}

/// The face has no long options: data directory and settings come from the environment.
fn global() -> Global {
    let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Global {
        data_dir: path("SECONDPOST_DATA_DIR").unwrap_or_else(|| DEFAULT_DATA_DIR.into()),
        config: path("SECONDPOST_CONFIG"),
        set: Vec::new(),
        json: false,
        lang: None,
    }
}

fn list() -> Result<(), Exit> {
    let mut out = anstream::stdout().lock();
    let mut context = Context { global: global(), out: &mut out };
    let language = context.global.language();
    match queue::list(&mut context) {
        Err(failure) if !failure.is_success() => Err(Exit::of(&failure, EX_UNAVAILABLE, language)),
        _ => Ok(()),
    }
}

fn deliver(options: &Options) -> Result<(), Exit> {
    let global = global();
    let language = global.language();
    let loaded = settings::of_daemon(&global);
    let config = loaded.map_err(|failure| Exit::of(&failure, EX_CONFIG, language))?.config;
    let limit = config.limits.message.0;
    let raw = read(&mut std::io::stdin().lock(), !options.ignore_dots, limit, language)?;
    // One word may hold a list, as in a header.
    let named = options.recipients.iter().flat_map(|word| match recipients::addresses(word) {
        read if read.is_empty() => vec![word.clone()],
        read => read,
    });
    let named: Vec<String> = named.collect();
    let (raw, mut given) = match options.recipients_from_header {
        true => recipients::take(&raw, &named),
        false => (raw, named),
    };
    given.dedup();
    let message = prepare(&raw, Reading::Sendmail)
        .map_err(|why| Exit::new(EX_DATAERR, in_line(&why, language)))?;
    let recipients = addresses(&given, &config, language)?;
    let sender = options.sender.clone().unwrap_or_else(user::calling);
    let sender = if sender.is_empty() { sender } else { qualified(&sender, &config, language)? };
    let message = complete(with_from(message, &sender, options.full_name.as_deref()), &config);
    let mut submission = envelope(sender, &recipients, options.notify.as_deref(), &message);
    submission.ret.clone_from(&options.ret);
    submission.envid.clone_from(&options.envid);
    submit(&global, submission, &message)
        .map(|_: Submitted| ())
        .map_err(|error| exit_of(&error, language))
}

/// As Sendmail does, names the writer where the message does not: the sender, with the
/// name of `-F`.
fn with_from(message: Message, sender: &str, full_name: Option<&str>) -> Message {
    if sender.is_empty() || Header::scan(&message.octets).has("From") {
        return message;
    }
    let plain = |name: &&str| name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    let name = full_name.filter(plain).filter(|name| !name.is_empty());
    let quoted =
        name.map(|name| format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\"")));
    let field = format!("From: {}<{sender}>\r\n", quoted.unwrap_or_default()).into_bytes();
    Message {
        header_octets: field.len() + message.header_octets,
        octets: [field, message.octets].concat(),
    }
}

/// `-q`: everything that waits is attempted now.
fn flush() -> Result<(), Exit> {
    let global = global();
    let language = global.language();
    let failed = |failure: Failure| Exit::of(&failure, EX_UNAVAILABLE, language);
    let mut client = daemon::require(&global).map_err(failed)?;
    let mut ids = Vec::new();
    let listed = client.queue(&mut |message| {
        ids.push(message.id);
        Ok(())
    });
    listed
        .and_then(|()| client.act(Action::Retry, &ids))
        .map_err(|error| failed(daemon::failure(error, language)))?;
    Ok(())
}

fn speak() -> Result<(), Exit> {
    let global = global();
    let language = global.language();
    let loaded = settings::of_daemon(&global);
    let config = loaded.map_err(|failure| Exit::of(&failure, EX_CONFIG, language))?.config;
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    session::run(&global, &config, &mut input, &mut output)
        .map_err(|error| Exit::new(EX_IOERR, system::in_words(&error, language)))
}

fn addresses(given: &[String], config: &Config, language: Language) -> Result<Vec<String>, Exit> {
    if given.is_empty() {
        let told = wrong(language, "no-recipients", &[("option", "-t")]);
        return Err(Exit::new(EX_USAGE, told));
    }
    given.iter().map(|address| qualified(address, config, language)).collect()
}

/// A name without a domain is a mailbox of this machine.
fn qualified(address: &str, config: &Config, language: Language) -> Result<String, Exit> {
    let bare = address.trim().trim_start_matches('<').trim_end_matches('>');
    let whole = match bare.contains('@') {
        true => bare.to_owned(),
        false => format!("{bare}@{}", own_domain(config)),
    };
    let read = address::recipient(&whole, language);
    read.map_err(|failure| Exit::of(&failure, EX_DATAERR, language))
}

/// What is wrong with a message, with its line.
fn in_line(why: &Malformed, language: Language) -> String {
    let (line, problem) = (why.line.to_string(), why.problem.in_words(language));
    wrong(language, "line-of-message", &[("line", &line), ("problem", &problem)])
}

fn own_domain(config: &Config) -> String {
    let (hostname, domains) = (config.hostname(), config.domains());
    let ours = domains.contains(&hostname) || domains.is_empty();
    if ours { hostname } else { domains.into_iter().next().unwrap_or(hostname) }
}

fn exit_of(error: &SubmitError, language: Language) -> Exit {
    match error {
        SubmitError::Refused(refused) => {
            Exit::new(status_of(refused.kind, &refused.message), &refused.message)
        }
        SubmitError::Fault(failure) => Exit::of(failure, EX_TEMPFAIL, language),
    }
}

/// The sysexits of a refusal: for an unknown mailbox its own, else by the reply's class.
fn status_of(kind: RefusedKind, message: &str) -> u8 {
    match kind {
        RefusedKind::BadRequest => EX_DATAERR,
        RefusedKind::NotFound => EX_NOUSER,
        RefusedKind::Busy | RefusedKind::Fault => EX_TEMPFAIL,
        RefusedKind::Policy if message.starts_with('4') => EX_TEMPFAIL,
        RefusedKind::Policy if message.contains("5.1.1") => EX_NOUSER,
        RefusedKind::Policy => EX_UNAVAILABLE,
    }
}

/// Reads the message; where dots count, a line with a dot alone ends it.
fn read(
    input: &mut impl BufRead,
    dot_ends: bool,
    limit: u64,
    language: Language,
) -> Result<Vec<u8>, Exit> {
    let unreadable = |error| Exit::of_input(&error, language);
    let mut raw = Vec::new();
    loop {
        let start = raw.len();
        let rest = (limit + 1).saturating_sub(start as u64);
        let mut limited = std::io::Read::take(&mut *input, rest);
        if limited.read_until(b'\n', &mut raw).map_err(unreadable)? == 0 {
            break;
        }
        if dot_ends && matches!(&raw[start..], b".\n" | b".\r\n" | b".") {
            raw.truncate(start);
            break;
        }
    }
    if raw.len() as u64 > limit {
        let what = cli(language, "standard-input", &[]);
        let size = queued_count(language, "octets", limit, &[]);
        let told = wrong(language, "too-big", &[("what", &what), ("size", &size)]);
        return Err(Exit::new(EX_DATAERR, told));
    }
    Ok(raw)
}

#[cfg(test)]
mod tests;
