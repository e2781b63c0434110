//! Settings that decide about mail: where it goes, who may send it, and how much.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mta::router::{HostPort, Relay, Route};
use policy::access::{Action, AddressPattern, DomainPattern, Rule};
use toml::de::DeValue;

use super::Networks;
use super::network::is_domain;
use super::{items, text, toml_list, toml_string, wrong};
use crate::expected::Expected;
use crate::fault::{Fault, Hint, Problem};
use crate::field::{Given, Setting};

/// Reads `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets.
fn host_port(text: &str) -> Option<HostPort> {
    let (host, port) = text.rsplit_once(':')?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let right = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_domain(host),
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    right.then(|| HostPort { host: bracketed.unwrap_or(host).to_owned(), port })
}

impl Setting for Relay {
    const EXPECTED: Expected = Expected::OneOf(&["off", "direct", "host:port"]);

    fn read(given: &Given<'_>) -> Result<Relay, Fault> {
        match text::<Relay>(given)? {
            "off" => Ok(Relay::Off),
            "direct" => Ok(Relay::Direct),
            host => host_port(host).map(Relay::Host).ok_or_else(|| wrong::<Relay>(given)),
        }
    }

    fn show(&self) -> String {
        match self {
            Relay::Off => toml_string("off"),
            Relay::Direct => toml_string("direct"),
            Relay::Host(host) => toml_string(&host.to_string()),
        }
    }
}

/// The ways of a domain's mail.
const ROUTE: Expected =
    Expected::OneOf(&["host:port", "mx", "lmtp:PATH", "local", "hold", "discard"]);

fn parse_route(text: &str) -> Option<Route> {
    match (text, text.strip_prefix("lmtp:")) {
        ("mx", _) => Some(Route::Mx),
        ("local", _) => Some(Route::Local),
        ("hold", _) => Some(Route::Hold),
        ("discard", _) => Some(Route::Discard),
        (_, Some(path)) => (!path.is_empty()).then(|| Route::Lmtp(PathBuf::from(path))),
        _ => host_port(text).map(Route::Host),
    }
}

fn show_route(route: &Route) -> String {
    match route {
        Route::Host(host) => host.to_string(),
        Route::Mx => "mx".to_owned(),
        Route::Lmtp(path) => format!("lmtp:{}", path.display()),
        Route::Local => "local".to_owned(),
        Route::Hold => "hold".to_owned(),
        Route::Discard => "discard".to_owned(),
    }
}

/// A domain, `*.domain` for all below it, or `*` for all that have no other route.
fn is_domain_pattern(text: &str) -> bool {
    text == "*" || is_domain(text.strip_prefix("*.").unwrap_or(text))
}

/// Routes by domain in lower case, `*.domain` or `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(pub BTreeMap<String, Route>);

impl Routes {
    fn insert(&mut self, domain: &str, given: &Given<'_>) -> Result<(), Fault> {
        let route = parse_route(text::<Routes>(given)?);
        let route = route.ok_or_else(|| Fault::not_valid(given).expected(ROUTE))?;
        self.0.insert(domain.to_lowercase(), route);
        Ok(())
    }
}

impl Setting for Routes {
    const EXPECTED: Expected = Expected::Routes;

    fn read(given: &Given<'_>) -> Result<Routes, Fault> {
        let DeValue::Table(table) = given.get_ref() else { return Err(wrong::<Routes>(given)) };
        let mut routes = Routes::default();
        for (domain, route) in table {
            read_route(&mut routes, "", domain.get_ref(), domain.span(), route)?;
        }
        Ok(routes)
    }

    fn show(&self) -> String {
        let route = |(domain, route): (&String, &Route)| {
            format!("{} = {}", toml_string(domain), toml_string(&show_route(route)))
        };
        let routes: Vec<String> = self.0.iter().map(route).collect();
        if routes.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", routes.join(", ")) }
    }

    fn set_part(&mut self, part: &str, given: &Given<'_>) -> Option<Result<(), Fault>> {
        let domain = part.trim_matches('"');
        is_domain_pattern(domain).then(|| self.insert(domain, given))
    }
}

/// An unquoted `example.net = …` is a table `example` with a key `net`: the same is meant.
fn read_route(
    routes: &mut Routes,
    prefix: &str,
    name: &str,
    span: std::ops::Range<usize>,
    given: &Given<'_>,
) -> Result<(), Fault> {
    let domain = format!("{prefix}{name}");
    if let DeValue::Table(table) = given.get_ref() {
        let prefix = format!("{domain}.");
        return table.iter().try_for_each(|(name, route)| {
            read_route(routes, &prefix, name.get_ref(), name.span(), route)
        });
    }
    if !is_domain_pattern(&domain) {
        let hint = Some(Hint::Expected(Expected::DomainPattern));
        return Err(Fault { span, key: None, problem: Problem::NoDomain(domain), hint });
    }
    routes.insert(&domain, given)
}

/// Patterns of addresses, as they were written and as `policy` compares them.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    written: Vec<String>,
    patterns: Vec<AddressPattern>,
}

impl Patterns {
    /// The patterns.
    pub fn patterns(&self) -> &[AddressPattern] {
        &self.patterns
    }
}

impl Setting for Patterns {
    const EXPECTED: Expected = Expected::Patterns;

    fn read(given: &Given<'_>) -> Result<Patterns, Fault> {
        let mut read = Patterns::default();
        for item in items(given) {
            let written = text::<Patterns>(item)?;
            read.patterns.push(written.parse().map_err(|_| wrong::<Patterns>(item))?);
            read.written.push(written.to_owned());
        }
        Ok(read)
    }

    fn show(&self) -> String {
        toml_list(&self.written)
    }
}

/// So many in a time, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Option<(u32, std::time::Duration)>);

impl Rate {
    /// No limit.
    pub const fn off() -> Rate {
        Rate(None)
    }

    /// The count and the time, where there is a limit.
    pub const fn limit(self) -> Option<(u32, std::time::Duration)> {
        self.0
    }

    fn parse(text: &str) -> Option<Rate> {
        let (count, per) = text.split_once('/')?;
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        let per = per.trim();
        let one = format!("1{per}");
        let per = if per.starts_with(|c: char| c.is_ascii_digit()) { per } else { &one };
        let per = super::duration::parse(per).filter(|per| !per.is_zero())?;
        Some(Rate(Some((count, per))))
    }
}

impl Setting for Rate {
    const EXPECTED: Expected = Expected::Rate;

    fn read(given: &Given<'_>) -> Result<Rate, Fault> {
        match text::<Rate>(given)? {
            "off" => Ok(Rate::off()),
            rate => Rate::parse(rate).ok_or_else(|| wrong::<Rate>(given)),
        }
    }

    fn show(&self) -> String {
        let rate = |(count, per)| format!("{count}/{}", super::duration::show(per));
        toml_string(&self.0.map_or("off".to_owned(), rate))
    }
}

/// Who may send to whom: the rules in order.
#[derive(Clone, Debug, Default)]
pub struct AccessRules(pub Vec<AccessRule>);

/// One rule, and as it is written.
#[derive(Clone, Debug)]
pub struct AccessRule {
    written: String,
    /// As `policy` compares it.
    pub rule: Rule,
}

impl AccessRule {
    fn read(given: &Given<'_>) -> Result<AccessRule, Fault> {
        let DeValue::Table(table) = given.get_ref() else {
            return Err(wrong::<AccessRules>(given));
        };
        let Some(action) = table.get("action") else {
            return Err(Fault::at(given, Problem::MissingPart("action")).expected(ACTION));
        };
        let mut rule = Rule::new(read_action(action)?);
        let mut parts = vec![format!("action = {}", toml_string(text::<AccessRules>(action)?))];
        for (name, value) in table {
            match name.get_ref().as_ref() {
                "action" => continue,
                "clients" => rule.clients = Networks::read(value)?.0,
                "hellos" => rule.hellos = read_hellos(value)?,
                "senders" => rule.senders = Patterns::read(value)?.patterns,
                "recipients" => rule.recipients = Patterns::read(value)?.patterns,
                _ => return Err(unknown_part(name.get_ref(), name.span())),
            }
            let written = items(value).into_iter().filter_map(|item| item.get_ref().as_str());
            parts.push(format!("{} = {}", name.get_ref(), toml_list(written)));
        }
        Ok(AccessRule { written: format!("{{ {} }}", parts.join(", ")), rule })
    }
}

fn unknown_part(name: &str, span: std::ops::Range<usize>) -> Fault {
    let parts = Expected::OneOf(&["action", "clients", "hellos", "senders", "recipients"]);
    let problem = Problem::UnknownPart(name.to_owned());
    Fault { span, key: None, problem, hint: Some(Hint::Expected(parts)) }
}

/// What a rule of access decides.
const ACTION: Expected = Expected::OneOf(&["accept", "defer", "refuse"]);

fn read_action(given: &Given<'_>) -> Result<Action, Fault> {
    let action = given.get_ref().as_str().and_then(|word| word.parse().ok());
    action.ok_or_else(|| Fault::not_valid(given).expected(ACTION))
}

fn read_hellos(given: &Given<'_>) -> Result<Vec<DomainPattern>, Fault> {
    let hello = |item: &Given<'_>| {
        let hello = text::<AccessRules>(item)?.parse();
        hello.map_err(|_| Fault::not_valid(item).expected(Expected::Hellos))
    };
    items(given).into_iter().map(hello).collect()
}

impl Setting for AccessRules {
    const EXPECTED: Expected = Expected::AccessRules;

    fn read(given: &Given<'_>) -> Result<AccessRules, Fault> {
        let rules = items(given).into_iter().map(AccessRule::read);
        rules.collect::<Result<Vec<_>, _>>().map(AccessRules)
    }

    fn show(&self) -> String {
        let rules: Vec<&str> = self.0.iter().map(|rule| rule.written.as_str()).collect();
        format!("[{}]", rules.join(", "))
    }
}
