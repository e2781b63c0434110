//! `secondpost mailbox`: which mailboxes there are, and what the administrator says of
//! each. Works on the registry with and without a daemon; a running one is told.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::Subcommand;
use mta::clock::Clock;
use mta::mailbox::{Disabled, Format, Quota, Registered, Registry, RegistryError};
use reply::explain::{cli, cli_count, enumerated, wrong};
use reply::{Language, Timestamp};

use super::page::Page;
use super::{Context, Failure, address, daemon, settings, system, text};
use config::values::{Size, duration as durations};

/// Add, list and remove mailboxes; disable, enable and lock them
///
/// A change takes effect at once, while the daemon runs and without one.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost mailbox add alice@example.org --quota 1G,10000
  secondpost mailbox add bob@example.org --format mbox --path /var/mail/bob
  secondpost mailbox disable alice@example.org --for 2h
  secondpost mailbox lock alice@example.org -- tar -cf alice.tar mail/example.org/alice")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Make a mailbox
    Add(Add),
    /// List the mailboxes with their state
    List,
    /// Forget a mailbox; its mail stays where it lies
    Remove {
        /// Its address
        address: String,
    },
    /// Take no mail for a mailbox: for a time (450 4.2.1), or until it is enabled (550 5.2.1)
    Disable {
        /// Its address
        address: String,
        /// For how long, as in 2h or 3d
        #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
        period: Option<Duration>,
    },
    /// Take mail for a disabled mailbox again
    Enable {
        /// Its address
        address: String,
    },
    /// Hold a mailbox's lock while a command runs: mail for it is told 450 4.2.0 meanwhile
    Lock(Lock),
}

#[derive(clap::Args, Debug)]
struct Add {
    /// Its address
    address: String,

    /// How mail lies in it: maildir (a file a message) or mbox (one file for all)
    #[arg(long, value_name = "FORMAT", default_value = "maildir", value_parser = format)]
    format: Format,

    /// Where it lies [default: mail/DOMAIN/USER in the data directory]
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,

    /// How much it may hold: a size, a number of messages, or both, as in 1G,10000
    #[arg(long, value_name = "SIZE,COUNT", value_parser = quota)]
    quota: Option<Quota>,

    /// Over quota is final (552 5.2.2): senders get their mail back at once
    #[arg(long, requires = "quota")]
    quota_final: bool,
}

#[derive(clap::Args, Debug)]
struct Lock {
    /// Its address
    address: String,

    /// What to run while the lock is held
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

/// Runs `mailbox`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let registry = Registry::in_dir(&context.global.data_dir);
    match &args.what {
        What::Add(add) => run_add(add, &registry, context),
        What::List => list(&registry, context),
        What::Remove { address } => remove(address, &registry, context),
        What::Disable { address, period } => disable(address, *period, &registry, context),
        What::Enable { address } => enable(address, &registry, context),
        What::Lock(lock) => run_lock(lock, &registry, context.global.language()),
    }
}

fn run_add(add: &Add, registry: &Registry, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let address = address::mailbox(&add.address, language)?;
    let mut mailbox = Registered::new(&address).map_err(failed(language))?;
    mailbox.format = add.format;
    mailbox.quota = Quota { is_final: add.quota_final, ..add.quota.unwrap_or_default() };
    if let Some(path) = &add.path {
        // The daemon may have another working directory than the one who adds.
        mailbox.path = std::path::absolute(path)?;
    }
    let added = registry.add(mailbox.clone());
    added.map_err(failed(language))?;
    let path = mailbox.path_in(registry.data_dir());
    let path = path.display().to_string();
    changed(&mailbox.address, "added", "added", &[("path", &path)], context)?;
    warn_of_foreign_domain(&mailbox.address, context)
}

/// A mailbox of a domain that is not ours gets no mail; better said now than wondered at.
fn warn_of_foreign_domain(address: &str, context: &Context<'_>) -> Result<(), Failure> {
    let config = settings::of_daemon(&context.global)?.config;
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    if config.domains().iter().any(|ours| ours == domain) {
        return Ok(());
    }
    let [quoted_domain, quoted_address] = [domain, address].map(|name| format!("`{name}`"));
    let command = format!("`serve --domain {domain}`");
    let values = [
        ("domain", quoted_domain.as_str()),
        ("address", &quoted_address),
        ("setting", "`domains`"),
        ("command", &command),
    ];
    let language = context.global.language();
    let warning = cli(language, "foreign-domain", &values);
    // Where stderr is closed there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{}", text::under("warning", &warning, language));
    Ok(())
}

fn remove(address: &str, registry: &Registry, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let removed =
        registry.remove(&address::mailbox(address, language)?).map_err(failed(language))?;
    let path = removed.path_in(registry.data_dir());
    let path = path.display().to_string();
    changed(&removed.address, "removed", "removed", &[("path", &path)], context)
}

fn disable(
    address: &str,
    period: Option<Duration>,
    registry: &Registry,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let until = period.map(|period| Clock::start().now() + period);
    let language = context.global.language();
    let disabled = Disabled { until_millis: until.map(Timestamp::as_millis) };
    let address = &address::mailbox(address, language)?;
    registry.set_disabled(address, Some(disabled)).map_err(failed(language))?;
    match until.map(|until| until.to_string()) {
        None => changed(address, "disabled", "disabled", &[], context),
        Some(until) => {
            changed(address, "disabled", "disabled-until", &[("until", &until)], context)
        }
    }
}

fn enable(address: &str, registry: &Registry, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let address = &address::mailbox(address, language)?;
    registry.set_disabled(address, None).map_err(failed(language))?;
    changed(address, "enabled", "enabled", &[], context)
}

/// Tells a running daemon, and then the user: what was done in a word, and in the sentence
/// of that name.
fn changed(
    address: &str,
    done: &str,
    sentence: &str,
    values: &[(&'static str, &str)],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    if let Some(mut client) = daemon::connect(&context.global)? {
        client.mailboxes_changed().map_err(daemon::failed(context.global.language()))?;
    }
    if context.global.json {
        let registry = Registry::in_dir(&context.global.data_dir);
        let mailbox = registry.find(address).ok();
        return context.json(&serde_json::json!({
            "address": address, "done": done, "mailbox": mailbox,
        }));
    }
    let values = [values, &[("address", address)]].concat();
    Ok(writeln!(context.out, "{}", cli(context.global.language(), sentence, &values))?)
}

fn list(registry: &Registry, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let mailboxes = registry.read().map_err(failed(language))?;
    if context.global.json {
        return context.json(&mailboxes);
    }
    if mailboxes.is_empty() {
        let place = format!("`{}`", registry.data_dir().display());
        let values = [("place", place.as_str()), ("command", "`mailbox add`")];
        let none = cli(language, "no-mailbox", &values);
        return Ok(writeln!(context.out, "{}", text::hanging("", &none))?);
    }
    let now = Clock::start().now();
    let [lies_in, quota, state] =
        ["lies-in", "quota", "state"].map(|name| format!("  {}", cli(language, name, &[])));
    let mut page = Page::new(&mut *context.out, [&lies_in, &quota, &state]);
    for mailbox in &mailboxes {
        let path = mailbox.path_in(registry.data_dir());
        page.title(&mailbox.address)?;
        page.row(&lies_in, &format!("{} ({})", path.display(), mailbox.format.name()))?;
        page.row(&quota, &quota_in_words(mailbox.quota, language))?;
        page.row(&state, &state_in_words(mailbox, now, language))?;
    }
    Ok(())
}

/// Empty where there is no limit.
fn quota_in_words(quota: Quota, language: Language) -> String {
    let octets = quota.octets.map(|octets| text::size(octets, language));
    let messages = quota.messages.map(|count| cli_count(language, "quota-messages", count));
    let mut parts: Vec<String> = octets.into_iter().chain(messages).collect();
    if quota.is_final && !parts.is_empty() {
        parts.push(cli(language, "quota-final", &[]));
    }
    enumerated(&parts, language)
}

/// Empty where it takes mail.
fn state_in_words(mailbox: &Registered, now: Timestamp, language: Language) -> String {
    match mailbox.disabled_at(now).map(Disabled::until) {
        None => String::new(),
        Some(None) => cli(language, "state-disabled", &[]),
        Some(Some(until)) => {
            cli(language, "state-disabled-until", &[("until", &until.to_string())])
        }
    }
}

/// The exit status that shells have for a command that cannot be run.
const NOT_RUN: u8 = 127;

/// Holds the lock while the command runs, and ends with the command's status.
fn run_lock(lock: &Lock, registry: &Registry, language: Language) -> Result<(), Failure> {
    let mailbox =
        registry.find(&address::mailbox(&lock.address, language)?).map_err(failed(language))?;
    let file = mailbox.lock_file(registry.data_dir());
    let waits = || {
        // Where stderr is closed there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "{}", cli(language, "lock-waits", &[]));
    };
    let held = mailbox.lock(registry.data_dir(), waits);
    let _held = held.map_err(|error| {
        let file = format!("`{}`", file.display());
        let values = [("file", &*file), ("error", &system::in_words(&error, language))];
        Failure::new(wrong(language, "lock-not-taken", &values))
    })?;
    let Some((program, args)) = lock.command.split_first() else { return Ok(()) };
    let status = Command::new(program).args(args).status().map_err(|error| {
        let program = format!("`{}`", program.to_string_lossy());
        let values = [("program", &*program), ("error", &system::in_words(&error, language))];
        Failure::new(wrong(language, "not-run", &values)).with_status(NOT_RUN)
    })?;
    // Ended by a signal, a command has no status of its own.
    let code = status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1));
    if status.success() { Ok(()) } else { Err(Failure::silent(code)) }
}

/// As [`failure`], for `map_err`.
fn failed(language: Language) -> impl Fn(RegistryError) -> Failure {
    move |error| failure(&error, language)
}

/// What is wrong with the registry of mailboxes, in words.
pub(crate) fn failure(error: &RegistryError, language: Language) -> Failure {
    let words = |name: &str, values: &[(&'static str, &str)]| wrong(language, name, values);
    let of = |name: &str, address: &str| words(name, &[("address", &format!("`{address}`"))]);
    match error {
        RegistryError::NotAnAddress(text) => Failure::new(address::no_address(text, language)),
        RegistryError::TooLong(address) => Failure::new(of("no-folder-name", address)),
        RegistryError::Exists(address) => Failure::new(of("mailbox-is-there", address)),
        RegistryError::Unknown(address) => {
            let help = [("command", "`secondpost mailbox list`")];
            Failure::new(of("no-such-mailbox", address)).help(words("no-such-mailbox-help", &help))
        }
        RegistryError::Damaged(path, why) => {
            let file = format!("`{}`", path.display());
            Failure::new(words("registry-damaged", &[("file", &file), ("why", why)]))
                .help(words("registry-damaged-help", &[("file", &file)]))
        }
        RegistryError::Io(path, error) => {
            Failure::of_thing(&format!("`{}`", path.display()), error, language)
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = durations::parse(text).filter(|period| !period.is_zero());
    parsed.ok_or_else(|| "expected a duration such as `30m`, `2h` or `3d`".to_owned())
}

fn format(text: &str) -> Result<Format, String> {
    let known = [Format::Maildir, Format::Mbox].into_iter().find(|format| format.name() == text);
    known.ok_or_else(|| "expected `maildir` or `mbox`".to_owned())
}

/// `1G`, `1G,10000` or `,10000`. A bare number before the comma is a size in octets.
fn quota(text: &str) -> Result<Quota, String> {
    let wrong = || "expected a size, a number of messages, or both, as in `1G,10000`".to_owned();
    let (size, count) = text.split_once(',').unwrap_or((text, ""));
    let (size, count) = (size.trim(), count.trim());
    let octets = (!size.is_empty()).then(|| Size::parse(size).ok_or_else(wrong)).transpose()?;
    let messages = (!count.is_empty()).then(|| count.parse().map_err(|_| wrong())).transpose()?;
    if octets.is_none() && messages.is_none_or(|count: u64| count == 0) {
        return Err(wrong());
    }
    Ok(Quota { octets: octets.map(|size| size.0), messages, is_final: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_a_size_a_count_or_both() {
        let check = |text, octets, messages| {
            assert_eq!(quota(text), Ok(Quota { octets, messages, is_final: false }), "{text}");
        };
        check("1G,10000", Some(1 << 30), Some(10_000));
        check("50MiB", Some(50 << 20), None);
        check(",10", None, Some(10));
        for wrong in ["", ",", "much", "1G,many", ",0", "0"] {
            assert!(quota(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn states_and_quotas_are_told_in_words() {
        let mut mailbox = Registered::new("a@example.org").unwrap();
        assert_eq!(state_in_words(&mailbox, Timestamp::EPOCH, Language::En), "");
        mailbox.disabled = Some(Disabled { until_millis: Some(60_000) });
        let until = "disabled until 1970-01-01T00:01:00Z";
        assert_eq!(state_in_words(&mailbox, Timestamp::EPOCH, Language::En), until);
        assert_eq!(state_in_words(&mailbox, Timestamp::from_secs(60), Language::En), "");
        let quota = Quota { octets: Some(1 << 20), messages: Some(5), is_final: true };
        assert_eq!(quota_in_words(quota, Language::En), "1.0 MiB, 5 messages, final");
    }

    #[test]
    fn what_is_wrong_with_the_registry_is_said_in_every_language_and_in_english_as_ever() {
        let address = || "a@example.org".to_owned();
        let path = || PathBuf::from("mailboxes.json");
        let errors = [
            RegistryError::NotAnAddress(address()),
            RegistryError::TooLong(address()),
            RegistryError::Exists(address()),
            RegistryError::Unknown(address()),
            RegistryError::Damaged(path(), "version 9".into()),
            RegistryError::Io(path(), std::io::ErrorKind::PermissionDenied.into()),
        ];
        for error in errors {
            assert_eq!(failure(&error, Language::En).message(Language::En), error.to_string());
            let told = |language: &Language| failure(&error, *language).message(*language);
            let mut told: Vec<String> = Language::COMPLETE.iter().map(told).collect();
            told.sort();
            told.dedup();
            assert_eq!(told.len(), Language::COMPLETE.len(), "{told:?}");
        }
    }
}
