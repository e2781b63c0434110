//! The admin socket: what the command line asks of a running daemon, and the drop folder
//! for what it leaves where none runs.
//!
//! `protocol` is what is said (JSON lines), `view` how a queued message is shown,
//! `server` answers on threads of its own through a [`Handler`], `client` asks (blocking,
//! for the command line), `drop` is the synced folder. Nothing here decides anything: a
//! request is handed to the handler, which knows the spool and the dispatcher.

pub mod client;
pub mod drop;
pub mod protocol;
pub mod server;
mod submission;
pub mod view;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientError};
pub use protocol::{
    Acted, Action, GreylistItem, Refused, RefusedKind, Request, Status, Submission,
};
pub use server::{Handler, Intake, Server};
pub use view::{HOST_LEFT_ALONE, QueuedMessage, QueuedRecipient, VerdictView};

/// A path of a unix socket may have 107 octets; one in a deep directory is named through
/// that directory's open descriptor. The file must stay open while the path is used.
fn short_path(
    path: &std::path::Path,
) -> std::io::Result<(Option<std::fs::File>, std::path::PathBuf)> {
    use std::os::fd::AsRawFd;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok((None, path.to_owned()));
    };
    if path.as_os_str().len() < 100 {
        return Ok((None, path.to_owned()));
    }
    let folder = std::fs::File::open(folder)?;
    let short = std::path::PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    Ok((Some(folder), short.join(name)))
}
