//! The command line: one file a subcommand, each with its `Args` and its `run`.
//!
//! A subcommand writes to `Context::out` and returns a [`Failure`] where something is
//! wrong; what a failure looks like and which exit status it has is told in `failure`.

pub(crate) mod failure;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use failure::Failure;

/// Mail transfer that understands replies.
#[derive(Parser, Debug)]
#[command(name = "secondpost", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What may stand before or after any subcommand.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Global {
    /// Everything the server keeps lives here: spool, mailboxes, settings, admin socket
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SECONDPOST_DATA_DIR",
        hide_env_values = true,
        default_value = "./secondpost-data"
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

    /// The language of explanations [default: from LC_ALL, LC_MESSAGES, LANG]
    #[arg(long, global = true, value_name = "LANG")]
    pub(crate) lang: Option<String>,
}

/// What a subcommand gets beside its arguments.
pub(crate) struct Context<'a> {
    /// The options that stand before or after any subcommand.
    pub(crate) global: Global,
    /// Standard output. A failed write is returned, never a panic: `| head` closes it.
    pub(crate) out: &'a mut dyn Write,
}

#[derive(Subcommand, Debug)]
enum Command {}

/// Runs what the arguments ask; the exit status says how it went.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let mut out = anstream::stdout().lock();
    let context = Context { global: cli.global, out: &mut out };
    match dispatch(cli.command, context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(command: Command, _context: Context<'_>) -> Result<(), Failure> {
    match command {}
}
