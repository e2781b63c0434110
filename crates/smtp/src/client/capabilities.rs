//! What a server offers, read from its reply to EHLO or LHLO (RFC 5321 §4.1.1.1).
//! What it does not list, we do not use. Lines that make no sense are kept and ignored.

use reply::Reply;

/// One line of the reply: a keyword and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// In upper case; keywords are compared ignoring case.
    pub keyword: String,
    /// As they were written.
    pub parameters: Vec<String>,
}

/// The extensions that a server lists; empty after HELO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    extensions: Vec<Extension>,
}

impl Capabilities {
    /// Reads the lines after the first, which is the server's name and greeting.
    pub fn from_reply(reply: &Reply) -> Capabilities {
        let lines = reply.lines().iter().skip(1);
        Capabilities { extensions: lines.filter_map(|line| extension(line)).collect() }
    }

    /// All of them, in the server's order.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Whether `keyword` is listed.
    pub fn has(&self, keyword: &str) -> bool {
        self.parameters(keyword).is_some()
    }

    /// The parameters of `keyword`, if it is listed.
    pub fn parameters(&self, keyword: &str) -> Option<&[String]> {
        let mut listed = self.extensions.iter();
        let found = listed.find(|extension| extension.keyword.eq_ignore_ascii_case(keyword))?;
        Some(&found.parameters)
    }

    /// Groups of commands may be sent without waiting (RFC 2920).
    pub fn pipelining(&self) -> bool {
        self.has("PIPELINING")
    }

    /// A message may have 8-bit octets in its body (RFC 6152).
    pub fn eight_bit_mime(&self) -> bool {
        self.has("8BITMIME")
    }

    /// Addresses and headers may have UTF-8 (RFC 6531).
    pub fn smtputf8(&self) -> bool {
        self.has("SMTPUTF8")
    }

    /// NOTIFY, ORCPT, RET and ENVID are understood (RFC 3461).
    pub fn dsn(&self) -> bool {
        self.has("DSN")
    }

    /// BDAT is understood (RFC 3030).
    pub fn chunking(&self) -> bool {
        self.has("CHUNKING")
    }

    /// SIZE= is understood (RFC 1870).
    pub fn size(&self) -> bool {
        self.has("SIZE")
    }

    /// The largest message in octets, where the server names one; 0 means no limit.
    pub fn max_octets(&self) -> Option<u64> {
        self.parameters("SIZE")?.first()?.parse().ok().filter(|octets| *octets > 0)
    }

    /// The most recipients of one transaction, where the server names it (RFC 9422).
    pub fn max_recipients(&self) -> Option<usize> {
        self.limit("RCPTMAX")
    }

    /// The most transactions of one session, where the server names it (RFC 9422).
    pub fn max_transactions(&self) -> Option<usize> {
        self.limit("MAILMAX")
    }

    /// The most domains of recipients in one session, where the server names it (RFC 9422).
    pub fn max_domains(&self) -> Option<usize> {
        self.limit("RCPTDOMAINMAX")
    }

    fn limit(&self, name: &str) -> Option<usize> {
        let limits = self.parameters("LIMITS")?.iter();
        let mut pairs = limits.filter_map(|limit| limit.split_once('='));
        let (_, number) = pairs.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        number.parse().ok().filter(|most| *most > 0)
    }

    /// The mechanisms of AUTH (RFC 4954), in upper case.
    pub fn auth_mechanisms(&self) -> Vec<String> {
        let listed = self.parameters("AUTH").unwrap_or_default();
        listed.iter().map(|mechanism| mechanism.to_ascii_uppercase()).collect()
    }
}

/// The field also writes `AUTH=LOGIN`: there the first parameter follows a `=`.
fn extension(line: &str) -> Option<Extension> {
    let mut words = line.split_ascii_whitespace();
    let first = words.next()?;
    let (keyword, glued) = match first.split_once('=') {
        Some((keyword, parameter)) => (keyword, Some(parameter)),
        None => (first, None),
    };
    let parameters = glued.into_iter().chain(words).map(str::to_owned).collect();
    Some(Extension { keyword: keyword.to_ascii_uppercase(), parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities(wire: &str) -> Capabilities {
        Capabilities::from_reply(&Reply::parse(wire.as_bytes()).unwrap())
    }

    #[test]
    fn keywords_are_read_in_any_case_with_their_parameters() {
        let offered = capabilities(
            "250-mx.example.org greets you\r\n250-pipelining\r\n250-SIZE 1000\r\n\
             250-AUTH=LOGIN plain\r\n250-LIMITS MAILMAX=5 rcptmax=20\r\n250 8BitMime\r\n",
        );
        assert!(offered.pipelining() && offered.eight_bit_mime());
        assert!(!offered.chunking() && !offered.dsn() && !offered.smtputf8());
        assert_eq!(offered.max_octets(), Some(1000));
        assert_eq!(offered.max_recipients(), Some(20));
        assert_eq!(offered.max_transactions(), Some(5));
        assert_eq!(offered.max_domains(), None);
        assert_eq!(offered.auth_mechanisms(), ["LOGIN", "PLAIN"]);
    }

    #[test]
    fn the_servers_name_is_no_keyword_and_garbage_is_harmless() {
        rfc!(9422, "3");
        let offered = capabilities(
            "250-DSN\r\n250-\r\n250-=\r\n250-SIZE 99999999999999999999999\r\n\
             250-LIMITS RCPTMAX RCPTMAX=0\r\n250 \u{fc}\u{1}\r\n",
        );
        assert!(!offered.dsn());
        assert!(offered.size());
        assert_eq!(offered.max_octets(), None);
        assert_eq!(offered.max_recipients(), None);
    }
}
