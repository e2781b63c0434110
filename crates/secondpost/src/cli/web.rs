//! `secondpost web`: the pages that explain replies, without a mail server beside them,
//! or as files for any web host.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use reply::explain::{cli, cli_count, wrong};

use super::{Context, Failure, system, text};

/// Show the web pages that explain replies, or write them as files
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  secondpost web
  secondpost web --listen 127.0.0.1:8080
  secondpost web export ./site --origin https://replies.example.org"
)]
pub(crate) struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2580")]
    listen: SocketAddr,

    /// Where the site is for the world: the address that search engines are told
    #[arg(long, value_name = "URL", value_parser = origin)]
    origin: Option<String>,

    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Write the whole reference as static files
    Export {
        /// The folder that they are written below
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Where the files will be for the world
        #[arg(long, value_name = "URL", value_parser = origin, default_value = "http://localhost")]
        origin: String,
    },
}

/// An address without a path: pages link to each other from the root.
fn origin(text: &str) -> Result<String, String> {
    let address = text.trim_end_matches('/');
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b))
    };
    match host.filter(|host| is_host(host)) {
        Some(_) => Ok(address.to_owned()),
        None => Err("expected `https://` and a host name, without a path".to_owned()),
    }
}

/// Serves the pages until a signal comes, or writes them.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    match &args.action {
        Some(Action::Export { folder, origin }) => export(folder, origin, context),
        None => serve(args, context),
    }
}

fn export(
    folder: &std::path::Path,
    origin: &str,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let language = context.global.language();
    let written = web::export::export(folder, origin).map_err(|error| {
        let error = system::in_words(&error, language);
        Failure::new(wrong(language, "pages-not-written", &[("error", &error)]))
    })?;
    let (pages, octets) = (written.pages, written.octets);
    if context.global.json {
        return context.json(&serde_json::json!({ "pages": pages, "size_bytes": octets }));
    }
    let (pages, size) = (cli_count(language, "pages", pages as u64), text::size(octets, language));
    let folder = folder.display().to_string();
    let values = [("pages", pages.as_str()), ("size", &size), ("folder", &folder)];
    writeln!(context.out, "{}", cli(language, "exported", &values))?;
    Ok(())
}

fn serve(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let runtime = Runtime::new();
    let runtime = runtime.map_err(|error| Failure::of_part("reactor", &error, language))?;
    let _reactor = runtime.enter();
    let listener = mta::listener::bind(args.listen).map_err(|error| {
        let error = system::in_words(&error, language);
        let help = [("option", "`--listen`")];
        Failure::new(wrong(language, "cannot-listen", &[("error", &error)])).help(wrong(
            language,
            "cannot-listen-option",
            &help,
        ))
    })?;
    let at = listener.local_addr()?;
    let name = concat!("secondpost ", env!("CARGO_PKG_VERSION"));
    let values = [("name", name), ("address", &format!("http://{at}/"))];
    writeln!(context.out, "{}", cli(language, "shows", &values))?;
    context.out.flush()?;
    let site = Arc::new(web::Site::new(args.origin.clone()));
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopped = async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    };
    runtime.block_on(web::serve(listener, site, stopped));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        assert_eq!(
            origin("https://replies.example.org/"),
            Ok("https://replies.example.org".into())
        );
        assert_eq!(origin("http://[::1]:8080"), Ok("http://[::1]:8080".into()));
        for wrong in ["replies.example.org", "https://", "ftp://x", "https://x/y", "https://x\"y"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
