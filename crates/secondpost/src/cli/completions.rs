//! `secondpost completions SHELL`: what a shell needs to complete the command line, made from
//! its declarations.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, Context, Failure};

/// Write what a shell needs to complete this command line
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost completions bash > /etc/bash_completion.d/secondpost
  secondpost completions zsh > /usr/local/share/zsh/site-functions/_secondpost
  secondpost completions fish > ~/.config/fish/completions/secondpost.fish")]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

/// Writes the script.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    // The generator panics where it cannot write, so that it writes into memory.
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "secondpost", &mut script);
    Ok(context.out.write_all(&script)?)
}
