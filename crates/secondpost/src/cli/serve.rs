//! `secondpost serve`: the server, in the foreground.

use super::settings::{self, Flags};
use super::{Context, Failure};

/// Take mail, deliver it, and keep what cannot be delivered yet
///
/// Runs in the foreground and logs to standard error. Without any settings it listens on
/// 127.0.0.1:2525 (mail from other servers) and 127.0.0.1:2587 (mail from programs of
/// this machine), keeps everything in one data directory, and sends nothing elsewhere.
/// It stops cleanly on SIGTERM and SIGINT.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) flags: Flags,
}

/// Runs `serve` until it is told to stop.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let loaded = settings::own(&context.global, &args.flags)?;
    settings::make_data_dir(&context.global.data_dir)?;
    loaded.keep_running(&context.global.data_dir)?;
    Err(Failure::new("the listeners are not wired yet"))
}
