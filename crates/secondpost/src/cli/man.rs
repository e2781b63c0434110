//! `secondpost man [DIR]`: the manual pages, made from the declarations of the command line
//! and of the faces `sendmail` and `mailq`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;
use reply::explain::{cli, cli_count};

use super::{Cli, Context, Failure, sendmail};

/// Write the manual page, or all manual pages into a folder
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost man | man -l -
  secondpost man /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// Where to: secondpost.1, one page for each subcommand, sendmail.1 and mailq.1
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Writes the pages.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let Some(folder) = &args.folder else {
        return Ok(context.out.write_all(&text_of(&page(built())))?);
    };
    let language = context.global.language();
    let pages = pages();
    for (name, text) in &pages {
        write(&folder.join(name), text).map_err(|error| {
            Failure::of_thing(&format!("`{}`", folder.display()), &error, language)
        })?;
    }
    if context.global.json {
        let names: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
        return context.json(&names);
    }
    let pages = cli_count(language, "pages", pages.len() as u64);
    let folder = folder.display().to_string();
    let told = cli(language, "man-written", &[("pages", &pages), ("folder", &folder)]);
    Ok(writeln!(context.out, "{told}")?)
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

/// The command line with its whole names.
fn built() -> clap::Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// Every page: its file name and its text.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut commands = vec![built(), sendmail::sendmail(), sendmail::mailq()];
    let mut pages = Vec::new();
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned());
        let page = page(command);
        pages.push((page.get_filename(), text_of(&page)));
    }
    pages.sort();
    pages
}

/// The page as it is written. It has no date, and says so: else what stands behind it in the
/// title line, the version, would be taken for one.
fn text_of(page: &Man) -> Vec<u8> {
    let mut text = Vec::new();
    // A Vec takes whatever is written.
    let _ = page.render(&mut text);
    String::from_utf8_lossy(&text).replacen(" 1  \"", " 1 \"\" \"", 1).into_bytes()
}

/// `secondpost queue` has the page secondpost-queue(1).
fn page(command: clap::Command) -> Man {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    Man::new(command)
        .title(name.to_uppercase())
        .source(concat!("secondpost ", env!("CARGO_PKG_VERSION")))
        .manual("Secondpost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_line_has_a_date_a_version_and_a_manual() {
        for (name, text) in pages() {
            let text = String::from_utf8(text).unwrap();
            let title = text.lines().find(|line| line.starts_with(".TH ")).unwrap();
            let version =
                concat!(" 1 \"\" \"secondpost ", env!("CARGO_PKG_VERSION"), "\" Secondpost");
            assert!(title.ends_with(version), "{name}: {title}");
        }
    }

    #[test]
    fn every_subcommand_and_both_faces_have_a_page() {
        let names: Vec<String> = pages().into_iter().map(|(name, _)| name).collect();
        for name in [
            "secondpost.1",
            "secondpost-queue.1",
            "secondpost-mailbox-lock.1",
            "sendmail.1",
            "mailq.1",
        ] {
            assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("docs") || name.contains("help")));
    }
}
