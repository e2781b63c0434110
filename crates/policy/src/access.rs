//! The administrator's rules: who may send to whom. A rule names clients, HELO names,
//! senders and recipients; it fits where each of those that it names fits. The first
//! rule that fits decides.
//!
//! `accept` spares a message the rate limits and greylisting. It never opens a relay and
//! never makes a mailbox exist. Which reply is given stands in `decide`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take it without rate limits and greylisting.
    Accept,
    /// Not now (4yz).
    Defer,
    /// Never (5yz).
    Refuse,
}

impl FromStr for Action {
    type Err = BadPattern;
    fn from_str(word: &str) -> Result<Action, BadPattern> {
        match word {
            "accept" => Ok(Action::Accept),
            "defer" => Ok(Action::Defer),
            "refuse" => Ok(Action::Refuse),
            _ => Err(BadPattern::new(word, "`accept`, `defer` or `refuse`")),
        }
    }
}

/// One rule. An empty list means "any".
#[derive(Clone, Debug)]
pub struct Rule {
    /// Networks of clients.
    pub clients: Vec<IpNet>,
    /// Names given with EHLO or HELO.
    pub hellos: Vec<DomainPattern>,
    /// Reverse-paths.
    pub senders: Vec<AddressPattern>,
    /// Forward-paths.
    pub recipients: Vec<AddressPattern>,
    /// What it says.
    pub action: Action,
}

impl Rule {
    /// A rule that fits everything, to be narrowed.
    pub const fn new(action: Action) -> Rule {
        Rule {
            clients: Vec::new(),
            hellos: Vec::new(),
            senders: Vec::new(),
            recipients: Vec::new(),
            action,
        }
    }

    fn fits(&self, who: &Subject<'_>) -> Fit {
        let fits = fits_any(&self.clients, |net| contains(net, who.client))
            && fits_any(&self.hellos, |name| who.hello.is_some_and(|hello| name.fits(hello)))
            && fits_any(&self.senders, |pattern| pattern.fits(who.sender));
        match who.recipient {
            _ if !fits => Fit::No,
            None if !self.recipients.is_empty() => Fit::NotYetKnown,
            None => Fit::Yes,
            Some(to) if fits_any(&self.recipients, |pattern| pattern.fits(to)) => Fit::Yes,
            Some(_) => Fit::No,
        }
    }
}

enum Fit {
    Yes,
    No,
    /// It depends on the recipient, who is not named yet.
    NotYetKnown,
}

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The client's address, in its canonical form.
    pub client: IpAddr,
    /// The name of EHLO or HELO.
    pub hello: Option<&'a str>,
    /// The reverse-path; empty for the null one.
    pub sender: &'a str,
    /// The forward-path; `None` at MAIL.
    pub recipient: Option<&'a str>,
}

/// The rules, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// First fit decides.
    pub rules: Vec<Rule>,
}

impl Access {
    /// The action of the first rule that fits, and its place in the list (from 1). At
    /// MAIL a rule that waits for a recipient ends the search: what comes after it must
    /// not decide before it.
    pub fn find(&self, who: &Subject<'_>) -> Option<(Action, usize)> {
        for (index, rule) in self.rules.iter().enumerate() {
            match rule.fits(who) {
                Fit::Yes => return Some((rule.action, index + 1)),
                Fit::NotYetKnown => return None,
                Fit::No => {}
            }
        }
        None
    }
}

/// Whether `net` holds `address`; an IPv4 address mapped into IPv6 counts as IPv4.
pub fn contains(net: &IpNet, address: IpAddr) -> bool {
    net.contains(&address.to_canonical())
}

fn fits_any<T>(list: &[T], fits: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(fits)
}

/// `example.org`, or `.example.org` for it and everything below it. ASCII case is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainPattern {
    name: String,
    below: bool,
}

impl DomainPattern {
    /// Whether `domain` fits.
    pub fn fits(&self, domain: &str) -> bool {
        let domain = domain.to_lowercase();
        let is_below = || domain.strip_suffix(&self.name).is_some_and(|head| head.ends_with('.'));
        domain == self.name || self.below && is_below()
    }
}

impl FromStr for DomainPattern {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<DomainPattern, BadPattern> {
        let name = text.strip_prefix('.').unwrap_or(text).to_lowercase();
        let may_stand = |c: char| c.is_alphanumeric() || "-_[:]".contains(c);
        if !name.split('.').all(|label| !label.is_empty() && label.chars().all(may_stand)) {
            return Err(BadPattern::new(text, "a domain, or `.domain` for all below it too"));
        }
        Ok(DomainPattern { below: text.starts_with('.'), name })
    }
}

/// `user@example.org`, `user@` in any domain, `@example.org` or `example.org`,
/// `.example.org`, or `<>` for the null reverse-path. Case is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPattern {
    local_part: Option<String>,
    domain: Option<DomainPattern>,
}

impl AddressPattern {
    /// Whether `address` (without angle brackets; empty for the null path) fits.
    pub fn fits(&self, address: &str) -> bool {
        let (local_part, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let local_part = local_part.to_lowercase();
        let local_fits = self.local_part.as_ref().is_none_or(|own| *own == local_part);
        let null_fits = self.domain.is_some() || !address.is_empty() || self.is_null();
        local_fits && null_fits && self.domain.as_ref().is_none_or(|own| own.fits(domain))
    }

    fn is_null(&self) -> bool {
        self.domain.is_none() && self.local_part.as_deref() == Some("")
    }
}

impl FromStr for AddressPattern {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<AddressPattern, BadPattern> {
        let expected = "`user@domain`, `user@`, `@domain`, `.domain` or `<>`";
        if text == "<>" {
            return Ok(AddressPattern { local_part: Some(String::new()), domain: None });
        }
        let (local_part, domain) = text.rsplit_once('@').unwrap_or(("", text));
        if local_part.is_empty() && domain.is_empty() || text.contains(char::is_whitespace) {
            return Err(BadPattern::new(text, expected));
        }
        let domain = if domain.is_empty() { None } else { Some(domain.parse()?) };
        let local_part = (!local_part.is_empty()).then(|| local_part.to_lowercase());
        Ok(AddressPattern { local_part, domain })
    }
}

/// A word of the configuration that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern {
    /// What was given.
    pub given: String,
    /// What would have been right.
    pub expected: &'static str,
}

impl BadPattern {
    pub(crate) fn new(given: &str, expected: &'static str) -> BadPattern {
        BadPattern { given: given.to_owned(), expected }
    }
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.given, self.expected)
    }
}

impl std::error::Error for BadPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fits: &[&str], does_not: &[&str]) {
        let pattern: AddressPattern = pattern.parse().unwrap();
        for address in fits {
            assert!(pattern.fits(address), "{pattern:?} {address}");
        }
        for address in does_not {
            assert!(!pattern.fits(address), "{pattern:?} {address}");
        }
    }

    #[test]
    fn patterns_fit_addresses_whatever_their_case() {
        check("user@example.org", &["USER@Example.ORG"], &["user@example.net", "a@example.org"]);
        check("@example.org", &["any@example.org"], &["any@sub.example.org", ""]);
        check("example.org", &["any@example.org"], &["any@sub.example.org", ""]);
        check(".example.org", &["a@example.org", "a@b.example.org"], &["a@badexample.org", ""]);
        check("postmaster@", &["Postmaster@example.net", "postmaster"], &["a@example.net", ""]);
        check("<>", &[""], &["a@example.org"]);
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for bad in ["", "@", "a b@example.org", ".", "a@b..example", "192.0.2.3649/32"] {
            assert!(bad.parse::<AddressPattern>().is_err(), "{bad}");
        }
        let error = "perhaps".parse::<Action>().unwrap_err();
        assert_eq!(error.to_string(), "`perhaps` is not `accept`, `defer` or `refuse`");
    }

    fn rules() -> Access {
        let mut spared = Rule::new(Action::Accept);
        spared.recipients = vec!["abuse@".parse().unwrap()];
        let mut refused = Rule::new(Action::Refuse);
        refused.clients = vec!["192.0.2.0/24".parse().unwrap()];
        let mut deferred = Rule::new(Action::Defer);
        deferred.hellos = vec![".example.net".parse().unwrap()];
        Access { rules: vec![spared, refused, deferred] }
    }

    fn subject<'a>(client: &str, recipient: Option<&'a str>) -> Subject<'a> {
        let hello = Some("mx.example.net");
        Subject { client: client.parse().unwrap(), hello, sender: "a@example.com", recipient }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let find = |client, to| rules().find(&subject(client, Some(to)));
        assert_eq!(find("192.0.2.7", "abuse@example.org"), Some((Action::Accept, 1)));
        assert_eq!(find("192.0.2.7", "user@example.org"), Some((Action::Refuse, 2)));
        assert_eq!(find("::ffff:192.0.2.7", "user@example.org"), Some((Action::Refuse, 2)));
        assert_eq!(find("198.51.100.7", "user@example.org"), Some((Action::Defer, 3)));
    }

    #[test]
    fn a_rule_that_waits_for_the_recipient_holds_back_those_behind_it() {
        assert_eq!(rules().find(&subject("192.0.2.7", None)), None);
        let behind = Access { rules: rules().rules.split_off(1) };
        assert_eq!(behind.find(&subject("192.0.2.7", None)), Some((Action::Refuse, 1)));
    }
}
