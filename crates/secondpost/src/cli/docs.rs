//! `secondpost docs`, hidden: prints the reference pages that are made from declarations.

use clap::ValueEnum;

use super::{Context, Failure, reference};
use crate::config::render;

/// Print a generated page of docs/reference
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Which page
    page: Page,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Page {
    /// docs/reference/config.md
    Config,
    /// docs/reference/command-line.md
    CommandLine,
}

/// Runs `docs`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let page = match args.page {
        Page::Config => render::reference(),
        Page::CommandLine => reference::command_line(),
    };
    Ok(context.out.write_all(page.as_bytes())?)
}
