//! The hosts of a domain, best first (RFC 5321 §5.1): MX by preference, equals in a
//! random order, the implicit MX, null MX (RFC 7505), and never back to ourselves.

use std::fmt;
use std::net::IpAddr;

use reply::classify::verdict_of;
use reply::{Cause, Evidence, Permanence, Verdict};

use crate::resolver::{Mx, ResolveError, Resolver};

/// Most MX hosts of a domain that are tried; RFC 5321 §5.1 allows a limit, and a domain
/// with hundreds of dead ones must not hold a connection slot for hours.
const MAX_HOSTS: usize = 10;
/// Most addresses that are tried in all.
const MAX_ADDRESSES: usize = 20;

/// A host that may take the mail, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name; for an address literal the address.
    pub name: String,
    /// In the order in which they are tried.
    pub addresses: Vec<IpAddr>,
}

/// The names and addresses by which this server is known to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ourselves {
    /// Host names, in any case.
    pub names: Vec<String>,
    /// Addresses that our MX listener is reached by.
    pub addresses: Vec<IpAddr>,
    /// Take MX records that point to loopback addresses for what they say. Only where
    /// everything runs on one machine, as in tests: elsewhere they lead back to us.
    pub loopback_is_another: bool,
}

impl Ourselves {
    /// Whether `name` is one of ours.
    pub fn is_name(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether a connection to `address` would end here.
    pub fn is_address(&self, address: IpAddr) -> bool {
        let here = address.is_loopback() || address.is_unspecified();
        self.addresses.contains(&address) || (here && !self.loopback_is_another)
    }
}

/// Why a domain has no host to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoHost {
    /// The domain does not exist, or has neither MX nor address.
    NotFound,
    /// It takes no mail (RFC 7505).
    NullMx,
    /// Its best MX is this server, which does not know the domain: a loop.
    Ourselves,
    /// It has MX records, and none of their hosts has an address.
    NoAddress,
    /// DNS did not tell.
    Unresolved(ResolveError),
}

impl fmt::Display for NoHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoHost::NotFound => f.write_str("the domain does not exist or has no mail server"),
            NoHost::NullMx => f.write_str("the domain takes no mail (null MX)"),
            NoHost::Ourselves => {
                f.write_str("the domain's best mail server is this one, which does not serve it")
            }
            NoHost::NoAddress => f.write_str("no mail server of the domain has an address"),
            NoHost::Unresolved(error) => error.fmt(f),
        }
    }
}

impl NoHost {
    /// What it means for the mail: only what DNS did not tell may be different later.
    pub fn verdict(&self) -> Verdict {
        let (cause, permanence) = match self {
            NoHost::NotFound => (Cause::DomainNotFound, Permanence::Permanent),
            NoHost::NullMx => (Cause::DomainTakesNoMail, Permanence::Permanent),
            NoHost::Ourselves | NoHost::NoAddress => (Cause::RouteUnusable, Permanence::Permanent),
            NoHost::Unresolved(_) => (Cause::DnsFailed, Permanence::Transient),
        };
        let evidence = Evidence { rule: "route".into(), text: self.to_string() };
        verdict_of(cause, permanence, evidence)
    }
}

/// The hosts of `domain`, best first; `seed` decides the order among equals.
///
/// # Errors
/// Why there is none.
pub async fn hosts_of(
    resolver: &dyn Resolver,
    domain: &str,
    ourselves: &Ourselves,
    seed: u64,
) -> Result<Vec<Host>, NoHost> {
    let records = match resolver.mx(domain).await {
        Ok(records) => records,
        Err(ResolveError::NoSuchName) => return Err(NoHost::NotFound),
        Err(error) => return Err(NoHost::Unresolved(error)),
    };
    let implicit = records.is_empty();
    let names =
        if implicit { vec![domain.to_owned()] } else { in_order(records, ourselves, seed)? };
    let hosts = with_addresses(resolver, names, ourselves).await;
    match hosts {
        // The implicit MX that has no address either: no mail server at all.
        Err(NoHost::NoAddress) if implicit => Err(NoHost::NotFound),
        hosts => hosts,
    }
}

/// The hosts of MX records in the order of RFC 5321 §5.1: by preference, equals by
/// `seed`; from our own preference on they are left out.
///
/// # Errors
/// Null MX, or nothing but ourselves is left.
pub fn in_order(
    mut records: Vec<Mx>,
    ourselves: &Ourselves,
    seed: u64,
) -> Result<Vec<String>, NoHost> {
    if records.iter().all(|mx| mx.host.is_empty()) {
        return Err(NoHost::NullMx);
    }
    records.retain(|mx| !mx.host.is_empty());
    let own = records.iter().filter(|mx| ourselves.is_name(&mx.host));
    if let Some(preference) = own.map(|mx| mx.preference).min() {
        records.retain(|mx| mx.preference < preference);
    }
    if records.is_empty() {
        return Err(NoHost::Ourselves);
    }
    records.sort_by_cached_key(|mx| (mx.preference, shuffled(&mx.host, seed)));
    records.truncate(MAX_HOSTS);
    Ok(records.into_iter().map(|mx| mx.host).collect())
}

/// A number that depends on the name and the seed (FNV-1a).
fn shuffled(name: &str, seed: u64) -> u64 {
    let octets = seed.to_le_bytes().into_iter().chain(name.bytes());
    octets.fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Looks the hosts up, in their order. A host that does not resolve is passed over, as
/// long as another does. One whose address is our own ends the list: it is us under
/// another name, and what follows is less preferred than us.
async fn with_addresses(
    resolver: &dyn Resolver,
    names: Vec<String>,
    ourselves: &Ourselves,
) -> Result<Vec<Host>, NoHost> {
    let mut hosts = Vec::new();
    let mut trouble = NoHost::NoAddress;
    let mut room = MAX_ADDRESSES;
    for name in names {
        match resolver.addresses(&name).await {
            Ok(addresses) if addresses.iter().any(|address| ourselves.is_address(*address)) => {
                trouble = NoHost::Ourselves;
                break;
            }
            Ok(mut addresses) => {
                addresses.truncate(room);
                room -= addresses.len();
                hosts.extend((!addresses.is_empty()).then_some(Host { name, addresses }));
            }
            Err(ResolveError::NoSuchName) => {}
            Err(error) => trouble = NoHost::Unresolved(error),
        }
    }
    if hosts.is_empty() { Err(trouble) } else { Ok(hosts) }
}

#[cfg(test)]
mod tests;
