//! DNS by hickory, with the machine's own name servers.

use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RData;

use super::{Answering, Mx, ResolveError, Resolver};

/// How long one question may take in all, retries and CNAMEs included.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the name servers of `/etc/resolv.conf`.
#[derive(Clone)]
pub struct Dns {
    resolver: TokioResolver,
}

impl Dns {
    /// Reads the machine's configuration.
    ///
    /// # Errors
    /// Where `/etc/resolv.conf` cannot be read or understood; in words.
    pub fn from_system() -> Result<Dns, String> {
        let mut builder = TokioResolver::builder_tokio().map_err(|error| error.to_string())?;
        builder.options_mut().ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
        let resolver = builder.build().map_err(|error| error.to_string())?;
        Ok(Dns { resolver })
    }

    async fn ask_mx(&self, domain: &str) -> Result<Vec<Mx>, NetError> {
        let found = self.resolver.mx_lookup(qualified(domain)).await?;
        let mx = found.answers().iter().filter_map(|record| match &record.data {
            RData::MX(mx) => Some(Mx {
                preference: mx.preference,
                host: mx.exchange.to_utf8().trim_end_matches('.').to_owned(),
            }),
            _ => None,
        });
        Ok(mx.collect())
    }

    async fn ask_addresses(&self, host: &str) -> Result<Vec<IpAddr>, NetError> {
        let found = self.resolver.lookup_ip(qualified(host)).await?;
        Ok(found.iter().collect())
    }
}

impl Resolver for Dns {
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, Vec<Mx>> {
        Box::pin(async move {
            let asked = tokio::time::timeout(PATIENCE, self.ask_mx(domain)).await;
            or_empty(asked.unwrap_or(Err(NetError::Timeout)))
        })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, Vec<IpAddr>> {
        Box::pin(async move {
            let asked = tokio::time::timeout(PATIENCE, self.ask_addresses(host)).await;
            or_empty(asked.unwrap_or(Err(NetError::Timeout)))
        })
    }
}

/// With the final dot, so that no search list is tried.
fn qualified(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// "No such record" is an empty answer; what else went wrong is told apart.
fn or_empty<T>(answer: Result<Vec<T>, NetError>) -> Result<Vec<T>, ResolveError> {
    match answer {
        Ok(found) => Ok(found),
        Err(error) if error.is_nx_domain() => Err(ResolveError::NoSuchName),
        Err(error) if error.is_no_records_found() => Ok(Vec::new()),
        Err(NetError::Timeout) => Err(ResolveError::TimedOut),
        Err(error) => Err(ResolveError::Failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::IntoName;

    #[test]
    fn a_domain_beyond_ascii_is_asked_for_by_its_a_labels() {
        rfc!(6531, "3.2");
        let asked = qualified("b\u{fc}cher.example").into_name().unwrap();
        assert_eq!(asked.to_ascii(), "xn--bcher-kva.example.");
        assert!(asked.is_fqdn());
    }
}
