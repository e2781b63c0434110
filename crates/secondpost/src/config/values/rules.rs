//! Settings that decide about mail: where it goes, who may send it, and how much.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::de::DeValue;

use super::network::is_domain;
use super::{items, text, toml_list, toml_string, wrong};
use crate::config::field::{Fault, Given, Setting};

/// `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// The host without brackets.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

impl HostPort {
    /// Reads `host:port`.
    pub(crate) fn parse(text: &str) -> Option<HostPort> {
        let (host, port) = text.rsplit_once(':')?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let right = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_domain(host),
        };
        let port = port.parse().ok().filter(|port| *port > 0)?;
        right.then(|| HostPort { host: bracketed.unwrap_or(host).to_owned(), port })
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let HostPort { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Where mail for other domains goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Relay {
    /// Nowhere.
    Off,
    /// To the hosts that DNS names.
    Direct,
    /// To a smarthost.
    Host(HostPort),
}

impl Setting for Relay {
    const EXPECTED: &'static str = "`off`, `direct` or `host:port`";

    fn read(given: &Given<'_>) -> Result<Relay, Fault> {
        match text::<Relay>(given)? {
            "off" => Ok(Relay::Off),
            "direct" => Ok(Relay::Direct),
            host => HostPort::parse(host).map(Relay::Host).ok_or_else(|| wrong::<Relay>(given)),
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

/// Where one domain's mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To one host, by SMTP.
    Host(HostPort),
    /// To the hosts that DNS names.
    Mx,
    /// To a unix socket, by LMTP.
    Lmtp(PathBuf),
    /// To the mailboxes of this machine.
    Local,
    /// Nowhere until it is released.
    Hold,
    /// Nowhere, and nobody is told.
    Discard,
}

impl Route {
    fn parse(text: &str) -> Option<Route> {
        match (text, text.strip_prefix("lmtp:")) {
            ("mx", _) => Some(Route::Mx),
            ("local", _) => Some(Route::Local),
            ("hold", _) => Some(Route::Hold),
            ("discard", _) => Some(Route::Discard),
            (_, Some(path)) => (!path.is_empty()).then(|| Route::Lmtp(PathBuf::from(path))),
            _ => HostPort::parse(text).map(Route::Host),
        }
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Route::Host(host) => host.fmt(f),
            Route::Mx => f.write_str("mx"),
            Route::Lmtp(path) => write!(f, "lmtp:{}", path.display()),
            Route::Local => f.write_str("local"),
            Route::Hold => f.write_str("hold"),
            Route::Discard => f.write_str("discard"),
        }
    }
}

/// Routes by domain in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routes(pub(crate) BTreeMap<String, Route>);

impl Routes {
    fn insert(&mut self, domain: &str, given: &Given<'_>) -> Result<(), Fault> {
        let route = Route::parse(text::<Routes>(given)?).ok_or_else(|| {
            let expected = "`host:port`, `mx`, `lmtp:PATH`, `local`, `hold` or `discard`";
            Fault { help: None, ..wrong::<Routes>(given) }.expected(expected)
        })?;
        self.0.insert(domain.to_lowercase(), route);
        Ok(())
    }
}

impl Setting for Routes {
    const EXPECTED: &'static str =
        "a table, as in `{ \"example.net\" = \"relay.example.net:25\" }`";

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
            format!("{} = {}", toml_string(domain), toml_string(&route.to_string()))
        };
        let routes: Vec<String> = self.0.iter().map(route).collect();
        if routes.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", routes.join(", ")) }
    }

    fn set_part(&mut self, part: &str, given: &Given<'_>) -> Option<Result<(), Fault>> {
        let domain = part.trim_matches('"');
        is_domain(domain).then(|| self.insert(domain, given))
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
    if !is_domain(&domain) {
        let fault = Fault { span, message: format!("`{domain}` is no domain"), help: None };
        return Err(fault.expected("a domain such as `example.net`"));
    }
    routes.insert(&domain, given)
}

/// Clients, senders or recipients, as the lists of `policy` read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patterns(pub(crate) Vec<String>);

impl Patterns {
    /// Patterns known when compiling.
    pub(crate) fn of(patterns: &[&str]) -> Patterns {
        Patterns(patterns.iter().map(|pattern| (*pattern).to_owned()).collect())
    }
}

impl Setting for Patterns {
    const EXPECTED: &'static str =
        "a list of `192.0.2.0/24`, `user@domain`, `user@`, `@domain` or `.domain`";

    fn read(given: &Given<'_>) -> Result<Patterns, Fault> {
        let pattern = |item: &Given<'_>| match text::<Patterns>(item)? {
            pattern if is_pattern(pattern) => Ok(pattern.to_owned()),
            _ => Err(wrong::<Patterns>(item)),
        };
        items(given).into_iter().map(pattern).collect::<Result<Vec<_>, _>>().map(Patterns)
    }

    fn show(&self) -> String {
        toml_list(&self.0)
    }
}

fn is_pattern(text: &str) -> bool {
    !text.is_empty() && text != "@" && !text.contains(char::is_whitespace)
}

/// So many in a time, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(Option<(u32, std::time::Duration)>);

impl Rate {
    /// No limit.
    pub(crate) const fn off() -> Rate {
        Rate(None)
    }

    /// The count and the time, where there is a limit.
    pub(crate) const fn limit(self) -> Option<(u32, std::time::Duration)> {
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
    const EXPECTED: &'static str = "a rate such as `100/h` or `20/10m`, or `off`";

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccessRules(pub(crate) Vec<AccessRule>);

/// One rule; an empty list fits everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccessRule {
    /// `accept`, `defer` or `refuse`.
    pub(crate) action: String,
    /// Networks of clients.
    pub(crate) clients: Vec<String>,
    /// Names given with EHLO or HELO.
    pub(crate) hellos: Vec<String>,
    /// Reverse-paths.
    pub(crate) senders: Vec<String>,
    /// Forward-paths.
    pub(crate) recipients: Vec<String>,
}

impl AccessRule {
    fn list(&mut self, name: &str) -> Option<&mut Vec<String>> {
        match name {
            "clients" | "client" => Some(&mut self.clients),
            "hellos" | "hello" => Some(&mut self.hellos),
            "senders" | "sender" => Some(&mut self.senders),
            "recipients" | "recipient" => Some(&mut self.recipients),
            _ => None,
        }
    }

    fn read(given: &Given<'_>) -> Result<AccessRule, Fault> {
        let DeValue::Table(table) = given.get_ref() else {
            return Err(wrong::<AccessRules>(given));
        };
        let mut rule = AccessRule::default();
        for (name, value) in table {
            let name_text: &str = name.get_ref();
            if name_text == "action" {
                rule.action = read_action(value)?;
            } else if let Some(list) = rule.list(name_text) {
                *list = items(value)
                    .into_iter()
                    .map(|item| read_pattern(name_text, item))
                    .collect::<Result<_, _>>()?;
            } else {
                let message = format!("unknown key `{name_text}`");
                let fault = Fault { span: name.span(), message, help: None };
                return Err(
                    fault.expected("`action`, `clients`, `hellos`, `senders`, `recipients`")
                );
            }
        }
        if rule.action.is_empty() {
            let fault = Fault::at(given, "this rule has no `action`");
            return Err(fault.expected("`accept`, `defer` or `refuse`"));
        }
        Ok(rule)
    }
}

fn read_action(given: &Given<'_>) -> Result<String, Fault> {
    match given.get_ref().as_str() {
        Some(action @ ("accept" | "defer" | "refuse")) => Ok(action.to_owned()),
        _ => Err(Fault { help: None, ..wrong::<AccessRules>(given) }
            .expected("`accept`, `defer` or `refuse`")),
    }
}

fn read_pattern(list: &str, given: &Given<'_>) -> Result<String, Fault> {
    let pattern = text::<Patterns>(given)?;
    let client = list.starts_with("client");
    if client && super::network::network(pattern).is_none() {
        return Err(wrong::<super::Networks>(given));
    }
    let right = pattern == "<>" || is_pattern(pattern);
    right.then(|| pattern.to_owned()).ok_or_else(|| wrong::<Patterns>(given))
}

impl Setting for AccessRules {
    const EXPECTED: &'static str =
        "a list of rules, as in `[{ action = \"refuse\", clients = [\"192.0.2.0/24\"] }]`";

    fn read(given: &Given<'_>) -> Result<AccessRules, Fault> {
        let rules = items(given).into_iter().map(AccessRule::read);
        rules.collect::<Result<Vec<_>, _>>().map(AccessRules)
    }

    fn show(&self) -> String {
        let rules: Vec<String> = self.0.iter().map(show_rule).collect();
        format!("[{}]", rules.join(", "))
    }
}

fn show_rule(rule: &AccessRule) -> String {
    let mut parts = vec![format!("action = {}", toml_string(&rule.action))];
    let lists = [
        ("clients", &rule.clients),
        ("hellos", &rule.hellos),
        ("senders", &rule.senders),
        ("recipients", &rule.recipients),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        parts.push(format!("{name} = {}", toml_list(list)));
    }
    format!("{{ {} }}", parts.join(", "))
}
