//! What DNS says about a domain's mail: the seam [`Resolver`] and its two
//! implementations, [`Dns`] and [`StaticTable`].
//!
//! Here are questions and answers only; which hosts follow from them, and in which
//! order, is `route_to`'s matter.

mod dns;
mod table;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

pub use dns::Dns;
pub use table::StaticTable;

/// An MX record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// Lower is tried first.
    pub preference: u16,
    /// The host, without a final dot; empty is the null MX (RFC 7505).
    pub host: String,
}

/// Why there is no answer. "The name exists and has no such record" is an answer: an
/// empty list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// There is no such name (NXDOMAIN).
    NoSuchName,
    /// The server could not tell (SERVFAIL, REFUSED, a broken answer); in its words.
    Failed(String),
    /// No server answered in time.
    TimedOut,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolveError::NoSuchName => f.write_str("the name does not exist"),
            ResolveError::Failed(words) => write!(f, "name resolution failed: {words}"),
            ResolveError::TimedOut => f.write_str("no name server answered in time"),
        }
    }
}

impl std::error::Error for ResolveError {}

/// An answer under way.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, ResolveError>> + Send + 'a>>;

/// Answers questions about names. Names come without a final dot, and are fully
/// qualified: no search list applies (RFC 5321 §5.1).
pub trait Resolver: Send + Sync + 'static {
    /// The MX records of `domain`, CNAMEs followed; empty where there are none.
    fn mx<'a>(&'a self, domain: &'a str) -> Answering<'a, Vec<Mx>>;

    /// The addresses of `host`, in the order in which to try them; empty where there are
    /// none.
    fn addresses<'a>(&'a self, host: &'a str) -> Answering<'a, Vec<IpAddr>>;
}
