//! Reverse-paths and forward-paths (RFC 5321 §4.1.2): a mailbox in angle brackets, the
//! null path, `<Postmaster>`. Source routes are read and forgotten (Appendix C).

use std::fmt;

use super::{AddressError, Domain, LocalPart, Mailbox};

/// Where bounces go; `None` is the null path `<>`. Displayed without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReversePath(pub Option<Mailbox>);

impl ReversePath {
    /// Whether it is `<>`: such mail is never answered.
    pub const fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// Whether SMTP without SMTPUTF8 can carry it.
    pub fn is_ascii(&self) -> bool {
        self.0.as_ref().is_none_or(Mailbox::is_ascii)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |mailbox| mailbox.fmt(f))
    }
}

/// Where a message goes. Displayed without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain, in any case: the server's own (RFC 5321 §4.5.1).
    Postmaster,
    /// A mailbox.
    Mailbox(Mailbox),
}

impl ForwardPath {
    /// Whether SMTP without SMTPUTF8 can carry it.
    pub fn is_ascii(&self) -> bool {
        match self {
            ForwardPath::Postmaster => true,
            ForwardPath::Mailbox(mailbox) => mailbox.is_ascii(),
        }
    }

    /// The mailbox, unless it is the server's own postmaster.
    pub const fn mailbox(&self) -> Option<&Mailbox> {
        match self {
            ForwardPath::Postmaster => None,
            ForwardPath::Mailbox(mailbox) => Some(mailbox),
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ForwardPath::Postmaster => f.write_str("Postmaster"),
            ForwardPath::Mailbox(mailbox) => mailbox.fmt(f),
        }
    }
}

/// Reads a reverse-path in its brackets at the start of `text`; also gives what follows.
///
/// # Errors
/// What is wrong with it.
pub fn reverse_path(text: &str) -> Result<(ReversePath, &str), AddressError> {
    if let Some(rest) = text.strip_prefix("<>") {
        return Ok((ReversePath(None), rest));
    }
    let (mailbox, rest) = path(text)?;
    Ok((ReversePath(Some(mailbox)), rest))
}

/// Reads a forward-path in its brackets at the start of `text`; also gives what follows.
///
/// # Errors
/// What is wrong with it.
pub fn forward_path(text: &str) -> Result<(ForwardPath, &str), AddressError> {
    const POSTMASTER: &str = "<postmaster>";
    if text.get(..POSTMASTER.len()).is_some_and(|start| start.eq_ignore_ascii_case(POSTMASTER)) {
        return Ok((ForwardPath::Postmaster, &text[POSTMASTER.len()..]));
    }
    let (mailbox, rest) = path(text)?;
    Ok((ForwardPath::Mailbox(mailbox), rest))
}

/// `"<" [ A-d-l ":" ] Mailbox ">"`.
fn path(text: &str) -> Result<(Mailbox, &str), AddressError> {
    let text = text.strip_prefix('<').ok_or(AddressError::Brackets)?;
    if text.starts_with('>') {
        return Err(AddressError::Null);
    }
    let text = if text.starts_with('@') { after_route(text)? } else { text };
    let (local_part, used) = LocalPart::at_start(text)?;
    let text = &text[used..];
    let Some(text) = text.strip_prefix('@') else {
        return Err(if text.starts_with('>') {
            AddressError::NoDomain
        } else {
            AddressError::LocalPart
        });
    };
    let (domain, rest) = text.split_once('>').ok_or(AddressError::Brackets)?;
    Ok((Mailbox { local_part, domain: domain.parse()? }, rest))
}

/// What follows `A-d-l ":"`. The hosts must be domains, and are ignored. Address literals
/// hold colons, so the colon that ends a host is looked for after its bracket.
fn after_route(mut text: &str) -> Result<&str, AddressError> {
    loop {
        text = text.strip_prefix('@').ok_or(AddressError::Route)?;
        let literal =
            if text.starts_with('[') { text.find(']').ok_or(AddressError::Route)? } else { 0 };
        let end = text[literal..].find([',', ':']).ok_or(AddressError::Route)? + literal;
        text[..end].parse::<Domain>().map_err(|_| AddressError::Route)?;
        let last = text[end..].starts_with(':');
        text = &text[end + 1..];
        if last {
            return Ok(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_forward(text: &str, expected: Result<(&str, &str), AddressError>) {
        let read = forward_path(text).map(|(path, rest)| (path.to_string(), rest));
        let read = read.as_ref().map(|(path, rest)| (path.as_str(), *rest)).map_err(|e| *e);
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn source_routes_are_read_and_forgotten() {
        rfc!(5321, "3.3");
        rfc!(5321, "4.1.1.3");
        check_forward("<@a.test,@b.test:u@c.test>", Ok(("u@c.test", "")));
        check_forward("<@[IPv6:2001:db8::1]:u@c.test> X", Ok(("u@c.test", " X")));
        for text in ["<@a.test>", "<@a.test:>", "<@a,b:u@c>", "<@:u@c>", "<@a..b:u@c>", "<@a,:u@c>"]
        {
            assert!(forward_path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn postmaster_needs_no_domain_and_no_case() {
        check_forward("<POSTmaster> NOTIFY=NEVER", Ok(("Postmaster", " NOTIFY=NEVER")));
        check_forward("<Postmaster@example.org>", Ok(("Postmaster@example.org", "")));
        check_forward("<postmasters>", Err(AddressError::NoDomain));
        assert_eq!(reverse_path("<postmaster>").unwrap_err(), AddressError::NoDomain);
    }

    #[test]
    fn the_null_path_is_only_for_senders() {
        assert_eq!(reverse_path("<> SIZE=1").unwrap(), (ReversePath(None), " SIZE=1"));
        check_forward("<>", Err(AddressError::Null));
    }

    #[test]
    fn brackets_belong_to_the_path_and_may_be_quoted_inside() {
        check_forward("u@example.org", Err(AddressError::Brackets));
        check_forward("<u@example.org", Err(AddressError::Brackets));
        check_forward("<< u@example.org>>", Err(AddressError::LocalPart));
        check_forward("<\"a>b\"@example.org>", Ok(("\"a>b\"@example.org", "")));
        check_forward("<u@[192.0.2.1]>", Ok(("u@[192.0.2.1]", "")));
    }
}
