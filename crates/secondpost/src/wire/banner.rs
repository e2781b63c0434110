//! What `serve` says when it listens: where, where mail lands, and what to try.

use std::io;
use std::path::Path;

use super::Sockets;
use crate::config::Config;

/// The listeners by name, with the addresses that they really have.
pub(super) fn listeners(
    sockets: &Sockets,
    config: &Config,
    data_dir: &Path,
) -> Vec<(&'static str, String)> {
    let address = |listener: &tokio::net::TcpListener| {
        listener.local_addr().map_or_else(|error| error.to_string(), |at| at.to_string())
    };
    let mx = sockets.mx.iter().map(|listener| ("MX", address(listener)));
    let submission = sockets.submission.iter().map(|listener| ("submission", address(listener)));
    let lmtp = config.listen.lmtp.below(data_dir).filter(|_| sockets.lmtp.is_some());
    let lmtp = lmtp.map(|path| ("LMTP", path.display().to_string()));
    mx.chain(submission).chain(lmtp).collect()
}

/// Prints it, and makes sure that it is seen at once.
pub(super) fn print(
    listeners: &[(&'static str, String)],
    data_dir: &Path,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let data_dir = data_dir.display();
    writeln!(out, "secondpost {} listens:", env!("CARGO_PKG_VERSION"))?;
    for (name, at) in listeners {
        writeln!(out, "  {name:<11} {at}")?;
    }
    writeln!(out, "  mail lands in {data_dir}/mail/<domain>/<local part>/new")?;
    writeln!(out, "try, in another terminal:")?;
    let port = listeners.iter().find(|(name, _)| *name == "MX");
    let server = port.map_or("127.0.0.1:2525", |(_, at)| at.as_str());
    writeln!(out, "  swaks --server {server} --from a@example.org --to $USER@localhost")?;
    writeln!(out, "  secondpost queue")?;
    writeln!(out, "  secondpost explain 450 4.2.0 greylisted")?;
    out.flush()
}
