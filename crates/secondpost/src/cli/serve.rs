//! `secondpost serve`: the server, in the foreground.

use std::io::IsTerminal;

use reply::Language;

use super::settings::{self, Flags};
use super::{Context, Failure};
use crate::log_lines::LogLines;
use config::Config;
use config::values::LogFormat;

/// Take mail, deliver it, and keep what cannot be delivered yet
///
/// Runs in the foreground and logs to standard error. Without any settings it listens on
/// 127.0.0.1:2525 (mail from other servers) and 127.0.0.1:2587 (mail from programs of
/// this machine), keeps everything in one data directory, and sends nothing elsewhere.
/// It stops cleanly on SIGTERM and SIGINT.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost serve
  secondpost serve --domain example.org --listen-mx 0.0.0.0:25
  secondpost serve --set relay=smarthost.example.net:25")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) flags: Flags,
}

/// Runs `serve` until it is told to stop.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let loaded = settings::own(&context.global, &args.flags)?;
    // What is made below the data directory is its owner's alone, too.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    settings::make_data_dir(&context.global)?;
    // Dropped at the end: then the last lines are written.
    let _log = start_log(&loaded.config, context.global.language())?;
    crate::wire::serve(&loaded, context)
}

/// Logs to standard error, in the form and from the level that the settings say. RUST_LOG
/// goes before the setting, for who looks for a fault.
fn start_log(config: &Config, language: Language) -> Result<LogLines, Failure> {
    use tracing_subscriber::EnvFilter;
    let lines = LogLines::start(std::io::stderr());
    let lines = lines.map_err(|error| Failure::of_part("log-thread", &error, language))?;
    let level = config.log.level.word();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines.maker());
    match config.log.format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
    }
    Ok(lines)
}
