//! docs/reference/command-line.md, made from the declarations of the subcommands.

use clap::CommandFactory;

use super::Cli;

/// The page: every subcommand with its `--help`.
pub(crate) fn command_line() -> String {
    let mut text = String::from(
        "# Command line\n\n\
         This page is made from the declarations in `crates/secondpost/src/cli/` by\n\
         `cargo xtask docs`; a test fails where it is stale. The options of every command\n\
         stand once, under `secondpost`.\n",
    );
    let mut command = Cli::command().term_width(80);
    command.build();
    add(&mut text, &mut command);
    text
}

fn add(text: &mut String, command: &mut clap::Command) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set()) {
        if sub.get_name() != "help" {
            // What may follow every command is told once, above.
            *sub = sub.clone().mut_args(|arg| match arg.is_global_set() {
                true => arg.hide(true),
                false => arg,
            });
            add(text, sub);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_help_that_fits_a_terminal() {
        Cli::command().debug_assert();
        let page = command_line();
        for line in page.lines().filter(|line| !line.contains("---")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for name in
            ["serve", "send", "queue", "why", "mailbox", "greylist", "config", "probe", "verify"]
        {
            assert!(page.contains(&format!("\n## `secondpost {name}`\n")), "{name}");
        }
    }
}
