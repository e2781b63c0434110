//! Asking the running daemon.

use mta::control::{Client, ClientError};
use reply::explain::cli;

use super::{Failure, Global};

/// A connection to the daemon; `None` where none runs.
pub(crate) fn connect(global: &Global) -> Result<Option<Client>, Failure> {
    match Client::connect(&global.data_dir) {
        Ok(client) => Ok(Some(client)),
        Err(ClientError::NotRunning) => Ok(None),
        Err(ClientError::Io(error)) => Err(unreachable(global, &error)),
        Err(error) => Err(failure(error)),
    }
}

/// There is something where the daemon's socket should be, and it cannot be used.
fn unreachable(global: &Global, error: &std::io::Error) -> Failure {
    let place = global.data_dir.display();
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Failure::new(format!("the data directory `{place}` belongs to another user"))
                .help("run this as the user that runs `secondpost serve`")
        }
        std::io::ErrorKind::NotADirectory => {
            Failure::new(format!("the data directory `{place}` is not a directory"))
                .help("name another one with `--data-dir DIR`")
        }
        _ => Failure::new(format!("the daemon of `{place}` cannot be asked: {error}")),
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

/// What went wrong, for people.
pub(crate) fn failure(error: ClientError) -> Failure {
    match error {
        ClientError::Refused(refused) => Failure::new(refused.message),
        ClientError::NotRunning => Failure::new("the daemon stopped meanwhile"),
        ClientError::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Failure::new("the daemon closed the connection")
        }
        other => Failure::new(other.to_string()),
    }
}
