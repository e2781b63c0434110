//! A fixed table of names: tests, simulations, and places without DNS.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Answering, Mx, ResolveError, Resolver};

/// Names and what they resolve to; every other name does not exist.
#[derive(Clone, Debug, Default)]
pub struct StaticTable {
    mx: HashMap<String, Vec<Mx>>,
    addresses: HashMap<String, Vec<IpAddr>>,
    failing: HashMap<String, ResolveError>,
}

impl StaticTable {
    /// A table without names.
    pub fn new() -> StaticTable {
        StaticTable::default()
    }

    /// Adds an MX record; an empty host is the null MX.
    #[must_use]
    pub fn with_mx(mut self, domain: &str, preference: u16, host: &str) -> StaticTable {
        let records = self.mx.entry(domain.to_ascii_lowercase()).or_default();
        records.push(Mx { preference, host: host.to_owned() });
        self
    }

    /// Adds an address.
    #[must_use]
    pub fn with_address(mut self, host: &str, address: IpAddr) -> StaticTable {
        self.addresses.entry(host.to_ascii_lowercase()).or_default().push(address);
        self
    }

    /// Makes every question about `name` fail.
    #[must_use]
    pub fn with_failure(mut self, name: &str, error: ResolveError) -> StaticTable {
        self.failing.insert(name.to_ascii_lowercase(), error);
        self
    }

    /// What `records` say of `name`: an empty list where only other records know it.
    fn answer<T: Clone>(
        &self,
        records: &HashMap<String, Vec<T>>,
        name: &str,
    ) -> Result<Vec<T>, ResolveError> {
        let name = name.to_ascii_lowercase();
        if let Some(error) = self.failing.get(&name) {
            return Err(error.clone());
        }
        let known = self.mx.contains_key(&name) || self.addresses.contains_key(&name);
        match records.get(&name) {
            Some(found) => Ok(found.clone()),
            None if known => Ok(Vec::new()),
            None => Err(ResolveError::NoSuchName),
        }
    }
}

impl Resolver for StaticTable {
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, Vec<Mx>> {
        Box::pin(async move { self.answer(&self.mx, domain) })
    }

    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, Vec<IpAddr>> {
        Box::pin(async move { self.answer(&self.addresses, host) })
    }
}
