//! Names and addresses: host names, domains, sockets, networks, a web address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::{items, text, toml_list, toml_string, wrong};
use crate::expected::Expected;
use crate::fault::Fault;
use crate::field::{Given, Setting};

/// Whether `name` can be a domain: labels of letters, digits, hyphens and underscores
/// (the field uses them), or of UTF-8.
pub fn is_domain(name: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let label = |part: &str| !part.is_empty() && part.len() <= 63 && part.chars().all(letter);
    name.len() <= 255 && name.split('.').all(label)
}

/// Our own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// The machine's name.
    pub const fn automatic() -> HostName {
        HostName(String::new())
    }

    /// The name that was set, else the machine's, else `localhost`.
    pub fn or_machine(&self) -> String {
        if !self.0.is_empty() {
            return self.0.clone();
        }
        let name = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        if is_host(&name) { name } else { "localhost".to_owned() }
    }
}

impl Setting for HostName {
    const EXPECTED: Expected = Expected::HostName;

    fn read(given: &Given<'_>) -> Result<HostName, Fault> {
        let name = text::<HostName>(given)?.to_lowercase();
        let right = name.is_empty() || is_host(&name);
        right.then_some(HostName(name)).ok_or_else(|| wrong::<HostName>(given))
    }

    fn show(&self) -> String {
        toml_string(&self.0)
    }
}

/// We give our name before it is known what the other side reads (RFC 6531 §3.7.1).
fn is_host(name: &str) -> bool {
    name.is_ascii() && is_domain(name)
}

/// Domains, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Setting for Names {
    const EXPECTED: Expected = Expected::Domains;

    fn read(given: &Given<'_>) -> Result<Names, Fault> {
        let name = |item: &Given<'_>| match text::<Names>(item)? {
            name if is_domain(name) => Ok(name.to_lowercase()),
            _ => Err(wrong::<Names>(item)),
        };
        items(given).into_iter().map(name).collect::<Result<Vec<_>, _>>().map(Names)
    }

    fn show(&self) -> String {
        toml_list(&self.0)
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub Vec<SocketAddr>);

impl Addresses {
    /// `127.0.0.1` with that port.
    pub fn loopback(port: u16) -> Addresses {
        Addresses(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))])
    }
}

/// `127.0.0.1:25`, `[::1]:25`, `localhost:25`, or `*:25` and `:25` for every address.
fn socket_address(text: &str) -> Option<Vec<SocketAddr>> {
    if let Ok(address) = text.parse() {
        return Some(vec![address]);
    }
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    match host {
        "localhost" => Some(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]),
        "*" | "" => Some(vec![SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, port))]),
        _ => None,
    }
}

impl Setting for Addresses {
    const EXPECTED: Expected = Expected::Addresses;

    fn read(given: &Given<'_>) -> Result<Addresses, Fault> {
        if given.get_ref().as_str() == Some("off") {
            return Ok(Addresses(Vec::new()));
        }
        let mut addresses = Vec::new();
        for item in items(given) {
            let address = socket_address(text::<Addresses>(item)?);
            addresses.extend(address.ok_or_else(|| wrong::<Addresses>(item))?);
        }
        Ok(Addresses(addresses))
    }

    fn show(&self) -> String {
        match self.0.as_slice() {
            [] => toml_string("off"),
            [one] => toml_string(&one.to_string()),
            more => toml_list(more.iter().map(ToString::to_string)),
        }
    }
}

/// Networks of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

/// A network, or one address.
pub fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl Setting for Networks {
    const EXPECTED: Expected = Expected::Networks;

    fn read(given: &Given<'_>) -> Result<Networks, Fault> {
        let one = |item: &Given<'_>| {
            network(text::<Networks>(item)?).ok_or_else(|| wrong::<Networks>(item))
        };
        items(given).into_iter().map(one).collect::<Result<Vec<_>, _>>().map(Networks)
    }

    fn show(&self) -> String {
        toml_list(self.0.iter().map(ToString::to_string))
    }
}

/// Where a unix socket stands, if anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketPath(Option<PathBuf>);

impl SocketPath {
    /// At `path`.
    pub fn at(path: &str) -> SocketPath {
        SocketPath(Some(PathBuf::from(path)))
    }

    /// The path, a relative one below `data_dir`.
    pub fn below(&self, data_dir: &Path) -> Option<PathBuf> {
        self.0.as_ref().map(|path| data_dir.join(path))
    }
}

impl Setting for SocketPath {
    const EXPECTED: Expected = Expected::Path;

    fn read(given: &Given<'_>) -> Result<SocketPath, Fault> {
        match text::<SocketPath>(given)? {
            "off" => Ok(SocketPath(None)),
            "" => Err(wrong::<SocketPath>(given)),
            path => Ok(SocketPath::at(path)),
        }
    }

    fn show(&self) -> String {
        let path = self.0.as_ref().map_or("off".into(), |path| path.to_string_lossy());
        toml_string(&path)
    }
}

/// What links in replies begin with; without the last slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress(Option<String>);

impl WebAddress {
    /// No links.
    pub const fn none() -> WebAddress {
        WebAddress(None)
    }

    /// The address, where one is set.
    pub fn address(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl Setting for WebAddress {
    const EXPECTED: Expected = Expected::WebAddress;

    fn read(given: &Given<'_>) -> Result<WebAddress, Fault> {
        let address = text::<WebAddress>(given)?.trim_end_matches('/');
        let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
        match (address, host) {
            ("", _) => Ok(WebAddress(None)),
            // A reply has 512 octets in all, and the link is the last thing in it.
            (_, Some(host)) if !host.is_empty() && address.len() <= 200 && printable(address) => {
                Ok(WebAddress(Some(address.to_owned())))
            }
            _ => Err(wrong::<WebAddress>(given)),
        }
    }

    fn show(&self) -> String {
        toml_string(self.0.as_deref().unwrap_or_default())
    }
}

fn printable(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_graphic())
}
