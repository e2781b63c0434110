//! `secondpost docs DIR` (hidden): writes the pages of the reference that are made from
//! declarations. `cargo xtask docs` runs it; a test holds the committed pages to it.

use std::path::{Path, PathBuf};

use reply::Language;
use reply::reference::{causes, codes, commands, replies};

use super::settings::words;
use super::{Context, Failure, reference};
use config::render;

/// Writes the generated pages of the reference
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where to
    directory: PathBuf,
}

/// Every generated page: its file name and its text.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("replies.md", replies()),
        ("causes.md", causes()),
        ("codes.md", codes()),
        ("commands.md", commands()),
        ("config.md", render::reference(&|expected| words::expected(expected, Language::En))),
        ("command-line.md", reference::command_line()),
        ("explain.schema.json", format!("{:#}\n", super::explain::object::schema())),
    ]
}

/// Writes the pages.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let failure = |path: &Path, error: std::io::Error| {
        Failure::of_thing(&format!("`{}`", path.display()), &error, language)
    };
    std::fs::create_dir_all(&args.directory).map_err(|error| failure(&args.directory, error))?;
    for (name, text) in pages() {
        let path = args.directory.join(name);
        std::fs::write(&path, text).map_err(|error| failure(&path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pages_are_those_that_the_declarations_make() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
        for (name, made) in pages() {
            let committed = std::fs::read_to_string(root.join(name)).unwrap_or_default();
            assert!(committed == made, "docs/reference/{name} is stale: run `cargo xtask docs`");
        }
    }
}
