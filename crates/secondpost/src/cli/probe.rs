//! `secondpost probe`: what a server offers, explained.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use mta::clock::Clock;
use mta::probe::{Asked, Probed, probe};
use reply::Language;
use reply::explain::entry::{Topic, entry};
use reply::explain::{choices, cli, wrong};
use serde_json::{Value, json};
use smtp::client::{Extension, Options, Timeouts};

use super::page::Page;
use super::{Context, Failure, broken, settings, system, text};
use config::Config;

/// Show what a server offers: its greeting, what EHLO lists, and VRFY, EXPN and TURN
///
/// The optional commands are told apart as offered, switched off (502), unknown (500) or
/// noncommittal (252). TURN is asked last, and any yes to it ends the session.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A name or an address; the port is 25 where none is given
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
}

/// How long one answer is waited for: a person waits.
const PATIENCE: Duration = Duration::from_secs(30);
/// The port of SMTP.
const SMTP_PORT: u16 = 25;

/// Runs `probe`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let config = settings::of_daemon(&context.global)?.config;
    let language = context.global.language();
    let addresses = addresses(&args.host, language)?;
    let probed = first_that_answers(&addresses, |address| {
        wait_for(probe(address, options(&config), Clock::start()))
    });
    let probed = probed.map_err(|error| unreachable_host(&args.host, &error, language))?;
    if context.global.json {
        return context.json(&as_json(&args.host, &probed));
    }
    Ok(tell(&args.host, &probed, context)?)
}

/// What a session of ours is told, with a person's patience.
pub(crate) fn options(config: &Config) -> Options {
    let timeouts = Timeouts {
        greeting: PATIENCE,
        command: PATIENCE,
        mail: PATIENCE,
        recipient: PATIENCE,
        ..Timeouts::default()
    };
    Options { hostname: config.hostname(), timeouts, ..Options::default() }
}

/// The addresses of `HOST[:PORT]`.
pub(crate) fn addresses(host: &str, language: Language) -> Result<Vec<SocketAddr>, Failure> {
    let (name, port) = split(host).ok_or_else(|| {
        let forms = choices(&["`HOST`".to_owned(), "`HOST:PORT`".to_owned()], language);
        let values = [("host", &*format!("`{host}`")), ("form", &forms)];
        Failure::usage(wrong(language, "no-host", &values))
    })?;
    let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => {
            let host = format!("`{name}`");
            Err(Failure::new(wrong(language, "no-address-of-host", &[("host", &host)])))
        }
        Err(error) => {
            let (name, error) = (format!("`{name}`"), system::in_words(&error, language));
            let told = cli(language, "unresolved", &[("host", &name), ("error", &error)]);
            Err(Failure::new(told).help(cli(language, "unresolved-help", &[])))
        }
    }
}

/// `name`, `name:25`, `192.0.2.1:25`, `[2001:db8::1]:25`, `2001:db8::1`.
fn split(host: &str) -> Option<(String, u16)> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some((address.to_string(), SMTP_PORT));
    }
    if let Ok(address) = host.parse::<SocketAddr>() {
        return Some((address.ip().to_string(), address.port()));
    }
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, port.parse().ok().filter(|port| *port > 0)?),
        None => (host, SMTP_PORT),
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| (name.to_owned(), port))
}

/// Tries the addresses in order until one can be connected to.
pub(crate) fn first_that_answers<T>(
    addresses: &[SocketAddr],
    attempt: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "there is no address to try");
    for address in addresses {
        match attempt(*address) {
            Ok(result) => return Ok(result),
            Err(error) => last = store::disk::naming(address, error),
        }
    }
    Err(last)
}

/// Runs one task to its end on a reactor of its own.
pub(crate) fn wait_for<T>(task: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(task)
}

/// No connection could be made.
pub(crate) fn unreachable_host(host: &str, error: &io::Error, language: Language) -> Failure {
    let (host, error) = (format!("`{host}`"), system::in_words(error, language));
    Failure::new(cli(language, "unreachable", &[("host", &host), ("error", &error)])).help(cli(
        language,
        "unreachable-help",
        &[],
    ))
}

fn tell(host: &str, probed: &Probed, context: &mut Context<'_>) -> io::Result<()> {
    let language = context.global.language();
    let [greeting, ehlo, ended_early, nothing] =
        ["greeting", "ehlo", "ended-early", "nothing-said"].map(|name| cli(language, name, &[]));
    let mut page = Page::new(&mut *context.out, [&greeting, &ehlo, &ended_early]);
    page.title(&format!("{host} ({})", probed.address))?;
    let said = |reply: &Option<reply::Reply>| {
        reply.as_ref().map_or(nothing.clone(), |reply| text::printable(&reply.to_string()))
    };
    page.row(&greeting, &said(&probed.greeting))?;
    if let Some(hello) = &probed.hello {
        let first = hello.lines().first().map_or("", String::as_str);
        page.row(&ehlo, &format!("{} {}", hello.code(), text::printable(first)))?;
    }
    page.blank()?;
    tell_extensions(&probed.extensions, language, &mut page)?;
    for asked in &probed.asked {
        page.row(asked.verb, &stand_in_words(asked, language))?;
    }
    if let Some(ended) = &probed.ended {
        page.row(&ended_early, &broken::ended(ended, language))?;
    }
    Ok(())
}

fn tell_extensions(
    extensions: &[Extension],
    language: Language,
    page: &mut Page<'_>,
) -> io::Result<()> {
    if extensions.is_empty() {
        return Ok(());
    }
    page.heading(&cli(language, "offers", &[]))?;
    for extension in extensions {
        let given = extension.parameters.join(" ");
        let meaning = meaning_of(&extension.keyword, language);
        let parameters = if given.is_empty() { given } else { format!("{given}: ") };
        page.row(&extension.keyword, &format!("{}{meaning}", text::printable(&parameters)))?;
    }
    page.blank()
}

/// What an EHLO keyword offers.
fn meaning_of(keyword: &str, language: Language) -> String {
    match keyword.parse::<Topic>() {
        Ok(topic @ (Topic::Keyword(_) | Topic::Command(_))) => entry(topic, language).meaning,
        _ => cli(language, "extension-unknown", &[]),
    }
}

fn stand_in_words(asked: &Asked, language: Language) -> String {
    let stand = cli(language, &format!("stand-{}", asked.stand.name()), &[]);
    match &asked.reply {
        Some(reply) => format!("{stand} · {}", text::printable(&reply.to_string())),
        None => stand,
    }
}

fn as_json(host: &str, probed: &Probed) -> Value {
    let reply = |reply: &Option<reply::Reply>| reply.as_ref().map(ToString::to_string);
    let extensions: Vec<Value> = probed
        .extensions
        .iter()
        .map(|one| json!({ "keyword": one.keyword, "parameters": one.parameters }))
        .collect();
    let asked = probed.asked.iter().map(|asked| {
        let value = json!({ "stand": asked.stand.name(), "reply": reply(&asked.reply) });
        (asked.verb.to_lowercase(), value)
    });
    json!({
        "host": host,
        "address": probed.address.to_string(),
        "greeting": reply(&probed.greeting),
        "ehlo": reply(&probed.hello),
        "extensions": extensions,
        "commands": asked.collect::<serde_json::Map<_, _>>(),
        "ended": probed.ended_in_english(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_in_many_ways() {
        let check = |host: &str, name: &str, port| {
            assert_eq!(split(host), Some((name.to_owned(), port)), "{host}");
        };
        check("mail.example.org", "mail.example.org", 25);
        check("mail.example.org:2525", "mail.example.org", 2525);
        check("192.0.2.1:26", "192.0.2.1", 26);
        check("[2001:db8::1]:26", "2001:db8::1", 26);
        check("2001:db8::1", "2001:db8::1", 25);
        for wrong in ["", ":25", "a:b", "a:0", "a b"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
