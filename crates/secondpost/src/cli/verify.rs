//! `secondpost verify`: whether an address takes mail, and how sure that is. Asks VRFY,
//! else a RCPT that is taken back, else (with `--send-test`) a real message.

mod test_message;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mta::clock::Clock;
use mta::probe::{Checked, Known, verify};
use mta::resolver::{Dns, ResolveError, Resolver};
use mta::route_to::{NoHost, Ourselves, hosts_of};
use mta::router::Destination;
use reply::compare::stage_in_words;
use reply::explain::{Language, cause_in_words, cli, labelled, wrong};
use serde_json::{Value, json};
use smtp::syntax::{Domain, ForwardPath, Mailbox, ReversePath};

use super::page::Page;
use super::{Context, Failure, address, broken, probe, settings, system, text};
use config::Config;
use config::values::duration;

/// Find out whether an address takes mail, and how sure that is
///
/// Asks the server of the address with VRFY; where VRFY is not implemented or says
/// nothing, with a recipient that is named and taken back (RSET), so that no mail is
/// sent. With --send-test a short message goes through the daemon, and what comes back
/// is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The address
    address: String,

    /// Ask this server and not the one that mail for the address goes to
    #[arg(long, value_name = "HOST[:PORT]")]
    host: Option<String>,

    /// Send a test message that asks for a notification of success and of failure
    #[arg(long, requires = "from")]
    send_test: bool,

    /// A mailbox of your own: the sender of the test message, and of the RCPT probe
    #[arg(long, value_name = "OWN-MAILBOX")]
    from: Option<String>,

    /// How long to wait for what comes of the test message
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = wait)]
    wait: Duration,
}

/// Runs `verify`.
pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<(), Failure> {
    let language = context.global.language();
    let address = address::recipient(&args.address, language)?;
    let mailbox: Mailbox = address.parse().map_err(|problem| {
        let problem = address::in_words(problem, language);
        Failure::usage(labelled(&format!("`{address}`"), &problem, language))
    })?;
    let sender = address::sender(args.from.as_deref().unwrap_or_default(), language)?;
    if args.send_test {
        return test_message::run(&address, &sender, args.wait, context);
    }
    let config = settings::of_daemon(&context.global)?.config;
    let reverse_path = ReversePath(sender.parse().ok());
    let (server, addresses) = server(args, &mailbox, &config, language)?;
    let checked = probe::first_that_answers(&addresses, |address| {
        let options = probe::options(&config);
        probe::wait_for(verify(address, &mailbox, &reverse_path, options, Clock::start()))
    });
    let checked = checked.map_err(|error| probe::unreachable_host(&server, &error, language))?;
    let known = checked.last().map_or(Known::NotKnown, |last| last.known);
    if context.global.json {
        context.json(&as_json(&address, &server, known, &checked))?;
    } else {
        tell(&address, &server, known, &checked, language, context)?;
    }
    if known == Known::DoesNotExist { Err(Failure::silent(1)) } else { Ok(()) }
}

/// The server to ask, and its addresses.
fn server(
    args: &Args,
    mailbox: &Mailbox,
    config: &Config,
    language: Language,
) -> Result<(String, Vec<SocketAddr>), Failure> {
    if let Some(host) = &args.host {
        return Ok((host.clone(), probe::addresses(host, language)?));
    }
    match config.router().destination(&ForwardPath::Mailbox(mailbox.clone())) {
        Destination::Local(_) => {
            let own = config.listen.mx.0.clone();
            Ok((cli(language, "this-server", &[]), own))
        }
        Destination::Host(host) => {
            let host = host.to_string();
            let addresses = probe::addresses(&host, language)?;
            Ok((host, addresses))
        }
        Destination::Address(address) => {
            Ok((address.to_string(), vec![SocketAddr::from((address, 25))]))
        }
        Destination::Lmtp(_) | Destination::Discard => {
            let domain = format!("`{}`", mailbox.domain);
            let told = wrong(language, "route-without-server", &[("domain", &domain)]);
            Err(Failure::new(told).help(wrong(language, "name-a-server", &[ANOTHER_HOST])))
        }
        // Whether mail may be sent there is not asked: a question is no mail.
        Destination::Domain(_) | Destination::Held(_) => mail_servers(&mailbox.domain, language),
    }
}

/// How another server is named.
const ANOTHER_HOST: (&str, &str) = ("option", "`--host HOST:PORT`");

/// The hosts that DNS names for a domain, best first.
fn mail_servers(domain: &Domain, language: Language) -> Result<(String, Vec<SocketAddr>), Failure> {
    let failure = |problem: String| {
        Failure::new(problem).help(wrong(language, "name-a-server-or-check", &[ANOTHER_HOST]))
    };
    let dns = async { Dns::from_system().map_err(io::Error::other) };
    let found = probe::wait_for(async {
        let dns = dns.await?;
        let resolver: &dyn Resolver = &dns;
        Ok(hosts_of(resolver, domain.as_str(), &Ourselves::default(), 0).await)
    });
    let found = found.map_err(|error| {
        let error = system::in_words(&error, language);
        failure(wrong(language, "dns-not-asked", &[("error", &error)]))
    })?;
    let hosts = found.map_err(|none| {
        let why = no_host_in_words(&none, language);
        failure(labelled(&format!("`{domain}`"), &why, language))
    })?;
    let addresses = hosts.iter().flat_map(|host| &host.addresses);
    let addresses = addresses.map(|address| SocketAddr::from((*address, 25))).collect();
    Ok((hosts.first().map_or(String::new(), |host| host.name.clone()), addresses))
}

/// Why a domain has no host, as it stands behind a colon.
fn no_host_in_words(none: &NoHost, language: Language) -> String {
    let (name, why) = match none {
        NoHost::NotFound => ("host-not-found", ""),
        NoHost::NullMx => ("host-null-mx", ""),
        NoHost::Ourselves => ("host-ourselves", ""),
        NoHost::NoAddress => ("host-no-address", ""),
        NoHost::Unresolved(ResolveError::NoSuchName) => ("name-does-not-exist", ""),
        NoHost::Unresolved(ResolveError::TimedOut) => ("name-servers-silent", ""),
        NoHost::Unresolved(ResolveError::Failed(words)) => ("name-not-resolved", words.as_str()),
    };
    wrong(language, name, &[("why", why)])
}

fn tell(
    address: &str,
    server: &str,
    known: Known,
    checked: &[Checked],
    language: Language,
    context: &mut Context<'_>,
) -> io::Result<()> {
    let [asked, result, certainty] =
        ["asked", "known", "how-sure"].map(|label| cli(language, label, &[]));
    let stages: Vec<String> =
        checked.iter().map(|one| stage_in_words(one.stage, language)).collect();
    let labels = [&asked, &result, &certainty].into_iter().chain(&stages);
    let mut page = Page::new(&mut *context.out, labels);
    page.title(address)?;
    page.row(&asked, server)?;
    for (one, stage) in checked.iter().zip(&stages) {
        page.row(stage, &said(one, language))?;
    }
    let (known, sure) = in_words(known, checked, language);
    page.row(&result, &known)?;
    page.row(&certainty, &sure)?;
    Ok(())
}

/// What was said, and what that means.
fn said(checked: &Checked, language: Language) -> String {
    let reply = checked.reply.as_ref().map(|reply| text::printable(&reply.to_string()));
    let positive = reply::Permanence::Positive;
    let verdict = checked.verdict.as_ref().filter(|verdict| verdict.permanence != positive);
    let meaning = verdict.map(|verdict| cause_in_words(verdict.cause, language));
    let trouble = checked.trouble.as_ref().map(|what| broken::trouble(what, language));
    let parts = [reply, meaning, trouble];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// What is known, and how sure it is.
fn in_words(known: Known, checked: &[Checked], language: Language) -> (String, String) {
    let by_vrfy = checked.len() == 1;
    let sure = match known {
        Known::Exists | Known::ExistsUnavailable => "said",
        Known::DoesNotExist if by_vrfy => "said",
        Known::DoesNotExist => "refused",
        Known::Accepted => "accepted",
        Known::NotKnown => "not-known",
    };
    let own = cli(language, "your-address", &[]);
    let command = format!("`--send-test --from {own}`");
    let sure = cli(language, &format!("sure-{sure}"), &[("command", &command)]);
    (cli(language, &format!("mailbox-{}", known.name()), &[]), sure)
}

const fn confidence(known: Known) -> &'static str {
    match known {
        Known::Exists | Known::DoesNotExist | Known::ExistsUnavailable => "high",
        Known::Accepted => "medium",
        Known::NotKnown => "low",
    }
}

fn as_json(address: &str, server: &str, known: Known, checked: &[Checked]) -> Value {
    let steps: Vec<Value> = checked
        .iter()
        .map(|one| {
            json!({
                "stage": one.stage.name(),
                "reply": one.reply.as_ref().map(ToString::to_string),
                "verdict": one.verdict,
                "known": one.known.name(),
                "trouble": one.trouble.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    json!({
        "address": address,
        "server": server,
        "known": known.name(),
        "confidence": confidence(known),
        "steps": steps,
    })
}

fn wait(text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| "expected a duration such as `60s` or `5m`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_domain_has_no_host_is_said_in_every_language_and_in_english_as_ever() {
        let failed = |error| NoHost::Unresolved(error);
        let reasons = [
            NoHost::NotFound,
            NoHost::NullMx,
            NoHost::Ourselves,
            NoHost::NoAddress,
            failed(ResolveError::NoSuchName),
            failed(ResolveError::TimedOut),
            failed(ResolveError::Failed("SERVFAIL".into())),
        ];
        for reason in reasons {
            let english = no_host_in_words(&reason, Language::En).replace('\u{2019}', "'");
            assert_eq!(english, reason.to_string());
            let told = |language: &Language| no_host_in_words(&reason, *language);
            let mut told: Vec<String> = Language::COMPLETE.iter().map(told).collect();
            told.sort();
            told.dedup();
            assert_eq!(told.len(), Language::COMPLETE.len(), "{told:?}");
        }
    }
}
