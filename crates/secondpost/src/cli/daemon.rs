//! Asking the running daemon.

use std::io;

use mta::control::{Client, ClientError};
use reply::Language;
use reply::explain::{cli, wrong};

use super::{Failure, Global, settings, system};

/// A connection to the daemon; `None` where none runs.
pub(crate) fn connect(global: &Global) -> Result<Option<Client>, Failure> {
    match Client::connect(&global.data_dir) {
        Ok(client) => Ok(Some(client)),
        Err(ClientError::NotRunning) => Ok(None),
        Err(ClientError::Io(error)) => Err(unreachable(global, &error)),
        Err(error) => Err(failure(error, global.language())),
    }
}

/// There is something where the daemon's socket should be, and it cannot be used.
fn unreachable(global: &Global, error: &io::Error) -> Failure {
    let language = global.language();
    let place = format!("`{}`", global.data_dir.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let told = wrong(language, "data-dir-foreign", &[("place", &place)]);
            let help = [("command", "`secondpost serve`")];
            Failure::new(told).help(wrong(language, "data-dir-foreign-help", &help))
        }
        io::ErrorKind::NotADirectory => settings::no_directory(&global.data_dir, language),
        _ => {
            let values = [("place", &*place), ("error", &system::in_words(error, language))];
            Failure::new(wrong(language, "daemon-of-not-asked", &values))
        }
    }
}

/// A connection to the daemon, which must run.
pub(crate) fn require(global: &Global) -> Result<Client, Failure> {
    connect(global)?.ok_or_else(|| not_running(global))
}

/// There is no daemon to ask.
pub(crate) fn not_running(global: &Global) -> Failure {
    let place = global.data_dir.display();
    let language = global.language();
    let place = format!("`{place}`");
    let help = [("command", "`secondpost serve`"), ("option", "`--data-dir DIR`")];
    Failure::new(cli(language, "not-running", &[("place", &place)])).help(cli(
        language,
        "not-running-help",
        &help,
    ))
}

/// As [`failure`], for `map_err`.
pub(crate) fn failed(language: Language) -> impl Fn(ClientError) -> Failure {
    move |error| failure(error, language)
}

/// What went wrong, for people. What the daemon says is in its own words.
pub(crate) fn failure(error: ClientError, language: Language) -> Failure {
    let words = |name: &str, values: &[(&'static str, &str)]| wrong(language, name, values);
    Failure::new(match error {
        ClientError::Refused(refused) => refused.message,
        ClientError::NotRunning => words("daemon-stopped", &[]),
        ClientError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            words("daemon-closed", &[])
        }
        ClientError::Io(error) => {
            words("daemon-not-asked", &[("error", &system::in_words(&error, language))])
        }
        ClientError::Unexpected(what) => words("daemon-answered-oddly", &[("what", &what)]),
    })
}
