//! `secondpost config`: check, show, and an example to begin with.

use clap::Subcommand;
use reply::Language;
use reply::explain::cli;

use super::settings::{self, Flags, words};
use super::{Context, Failure, text};
use config::render;

/// Check, show or begin the settings
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  secondpost config example > secondpost.toml
  secondpost config check --config secondpost.toml
  secondpost config show --origin --set relay=direct")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Read the settings and say what is wrong with them; exit status 0 or 2
    Check {
        #[command(flatten)]
        flags: Flags,
    },
    /// Show every setting with the value that `serve` would use
    Show {
        /// Add where each value comes from: default, file and line, option or --set
        #[arg(long)]
        origin: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Print a config file with every setting, its default and its description
    Example,
}

/// Runs `config`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    match &args.what {
        What::Check { flags } => check(flags, context),
        What::Show { origin, flags } => show(*origin, flags, context),
        // As the descriptions in it, which are the declarations' own.
        What::Example => {
            let example = render::example(&|expected| words::expected(expected, Language::En));
            Ok(context.out.write_all(example.as_bytes())?)
        }
    }
}

fn check(flags: &Flags, context: &mut Context<'_>) -> Result<(), Failure> {
    let loaded = match settings::own(&context.global, flags) {
        Err(failure) if context.global.json => {
            let problem = failure.whole(context.global.language());
            context.json(&serde_json::json!({ "valid": false, "problem": problem }))?;
            return Err(failure.silenced());
        }
        loaded => loaded?,
    };
    let set = loaded.values().filter(|(field, _)| loaded.is_set(&field.key)).count();
    if context.global.json {
        return context.json(&serde_json::json!({ "valid": true, "keys_set": set }));
    }
    let language = context.global.language();
    let file = loaded.file().map(|file| file.display().to_string());
    let file = file.unwrap_or_else(|| cli(language, "no-settings-file", &[]));
    let values = [("file", file.as_str()), ("set", &set.to_string())];
    let told = cli(language, "settings-valid", &values);
    Ok(writeln!(context.out, "{}", text::hanging("", &told))?)
}

fn show(origin: bool, flags: &Flags, context: &mut Context<'_>) -> Result<(), Failure> {
    let loaded = settings::own(&context.global, flags)?;
    if context.global.json {
        return context.json(&render::json(&loaded));
    }
    Ok(context.out.write_all(render::effective(&loaded, origin).as_bytes())?)
}
