//! Command lines (RFC 5321 §4.1.1): the verb first, then its arguments.
//!
//! A verb that is switched off is refused whatever follows it, so the verb is read alone
//! ([`split`]) and the session calls the reader of its arguments. Whether a command may
//! come *now* is not known here.

use std::fmt;
use std::net::Ipv6Addr;

use reply::{Answer, Stage, catalogue};

use super::parameters::{mail_parameters, recipient_parameters};
use super::path::{forward_path, reverse_path};
use super::{AddressError, Domain, ForwardPath, LocalPart, MailParameters, Mailbox};
use super::{RecipientParameters, ReversePath};
use crate::extension::Extensions;

/// What a client calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloName {
    /// A domain name or an address literal, as it should be.
    Domain(Domain),
    /// What the field sends besides: a trailing dot, an IPv6 address without its tag.
    Other(String),
}

impl HelloName {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        match self {
            HelloName::Domain(domain) => domain.as_str(),
            HelloName::Other(name) => name,
        }
    }
}

impl fmt::Display for HelloName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What VRFY asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyArgument {
    /// An address, with or without angle brackets.
    Mailbox(Mailbox),
    /// A name without a domain, unquoted.
    Name(String),
}

impl fmt::Display for VerifyArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyArgument::Mailbox(mailbox) => mailbox.fmt(f),
            VerifyArgument::Name(name) => f.write_str(name),
        }
    }
}

/// The verb of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A command of a specification: its stage, and the word in upper case.
    Smtp(Stage, &'static str),
    /// A method of HTTP.
    Http,
    /// A word that is no command.
    Unknown,
}

/// Every verb that some specification of SMTP knows.
const VERBS: &[(&str, Stage)] = &[
    ("EHLO", Stage::Ehlo),
    ("HELO", Stage::Helo),
    ("LHLO", Stage::Lhlo),
    ("MAIL", Stage::Mail),
    ("RCPT", Stage::Rcpt),
    ("DATA", Stage::Data),
    ("BDAT", Stage::Bdat),
    ("RSET", Stage::Rset),
    ("NOOP", Stage::Noop),
    ("QUIT", Stage::Quit),
    ("VRFY", Stage::Vrfy),
    ("EXPN", Stage::Expn),
    ("HELP", Stage::Help),
    ("STARTTLS", Stage::StartTls),
    ("AUTH", Stage::Auth),
    ("ETRN", Stage::Etrn),
    ("TURN", Stage::Turn),
    ("ATRN", Stage::Atrn),
    ("SEND", Stage::Send),
    ("SOML", Stage::Send),
    ("SAML", Stage::Send),
];

const HTTP_METHODS: &[&str] =
    &["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH", "TRACE"];

/// Splits a line without its CRLF into the verb and what follows, trailing white space
/// removed (RFC 5321 §4.1.1).
pub fn split(line: &str) -> (Verb, &str) {
    let line = line.trim_end_matches([' ', '\t']);
    let end = line.find(' ').unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let known = VERBS.iter().find(|(verb, _)| word.eq_ignore_ascii_case(verb));
    let verb = match known {
        Some((verb, stage)) => Verb::Smtp(*stage, verb),
        None if is_http(word) => Verb::Http,
        None => Verb::Unknown,
    };
    (verb, rest)
}

/// The method alone says enough: no specification of SMTP has such a command, and what
/// follows it may be anything that a web page made a browser send.
fn is_http(word: &str) -> bool {
    HTTP_METHODS.iter().any(|method| word.eq_ignore_ascii_case(method))
}

/// How a command is written, in ASCII (RFC 5321 §4.1.1, RFC 3030 §2, RFC 2033 §4.1).
pub fn usage(verb: &str) -> &'static str {
    match verb {
        "EHLO" => "EHLO <your domain or [address]>",
        "HELO" => "HELO <your domain>",
        "LHLO" => "LHLO <your domain or [address]>",
        "MAIL" => "MAIL FROM:<address> [parameters]",
        "RCPT" => "RCPT TO:<address> [parameters]",
        "DATA" => "DATA, then the message, then a line with a dot",
        "BDAT" => "BDAT <octets> [LAST], then so many octets",
        "RSET" => "RSET ends the transaction",
        "NOOP" => "NOOP does nothing",
        "QUIT" => "QUIT ends the session",
        "VRFY" => "VRFY <name or address>",
        "EXPN" => "EXPN <mailing list>",
        _ => "HELP [command]",
    }
}

/// The arguments of EHLO, HELO and LHLO.
///
/// # Errors
/// 501.
pub fn hello(rest: &str, verb: &'static str) -> Result<HelloName, Answer> {
    let name = rest.trim_matches(' ');
    if let Ok(domain) = name.parse::<Domain>()
        && domain.is_ascii()
    {
        return Ok(HelloName::Domain(domain));
    }
    if is_tolerated_name(name) {
        return Ok(HelloName::Other(name.to_owned()));
    }
    Err(catalogue::arguments_malformed(verb, "a domain name or an address literal"))
}

/// Departures that the field needs: a domain with the full stop of the root, and an IPv6
/// address that lacks its tag, in brackets or bare.
fn is_tolerated_name(name: &str) -> bool {
    let rooted = name.strip_suffix('.').and_then(|name| name.parse::<Domain>().ok());
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    rooted.is_some_and(|domain| domain.is_ascii() && !domain.is_literal())
        || bare.parse::<Ipv6Addr>().is_ok()
}

/// The arguments of MAIL: `FROM:` and what follows.
///
/// # Errors
/// 501, 555, 550 for an address that needs SMTPUTF8.
pub fn mail(rest: &str, offered: &Extensions) -> Result<(ReversePath, MailParameters), Answer> {
    let path = after_keyword(rest, "FROM:")
        .ok_or_else(|| catalogue::arguments_malformed("MAIL", "FROM:<address>"))?;
    let (path, rest) = reverse_path(path).map_err(catalogue::sender_malformed)?;
    let rest = separated(rest, "MAIL")?;
    let parameters = mail_parameters(rest, offered)?;
    if !path.is_ascii() && !parameters.smtputf8 {
        return Err(catalogue::sender_not_ascii());
    }
    Ok((path, parameters))
}

/// The arguments of RCPT: `TO:` and what follows. `utf8` is whether MAIL had SMTPUTF8.
///
/// # Errors
/// 501, 555, 553 for an address that needs SMTPUTF8.
pub fn rcpt(
    rest: &str,
    offered: &Extensions,
    utf8: bool,
) -> Result<(ForwardPath, RecipientParameters), Answer> {
    let path = after_keyword(rest, "TO:")
        .ok_or_else(|| catalogue::arguments_malformed("RCPT", "TO:<address>"))?;
    let (path, rest) = forward_path(path).map_err(catalogue::recipient_malformed)?;
    let rest = separated(rest, "RCPT")?;
    let parameters = recipient_parameters(rest, offered)?;
    if !path.is_ascii() && !utf8 {
        return Err(catalogue::recipient_not_ascii());
    }
    Ok((path, parameters))
}

/// What follows `FROM:` or `TO:`. White space after the colon is a departure: the field
/// sends it daily.
fn after_keyword<'a>(rest: &'a str, keyword: &str) -> Option<&'a str> {
    let rest = rest.trim_start_matches(' ');
    let start = rest.get(..keyword.len())?;
    start.eq_ignore_ascii_case(keyword).then(|| rest[keyword.len()..].trim_start_matches(' '))
}

/// Parameters stand apart from the path.
fn separated<'a>(rest: &'a str, verb: &'static str) -> Result<&'a str, Answer> {
    if rest.is_empty() || rest.starts_with(' ') {
        return Ok(rest);
    }
    Err(catalogue::arguments_malformed(verb, "a space between the address and the parameters"))
}

/// The arguments of BDAT: the chunk's size in octets, and whether it is the last. The size
/// has any number of digits (RFC 3030 §2: `1*DIGIT`); one that 64 bits cannot hold counts as
/// the largest that they can, so that its octets are never taken for commands.
///
/// # Errors
/// 501.
pub fn bdat(rest: &str) -> Result<(u64, bool), Answer> {
    let malformed = || catalogue::arguments_malformed("BDAT", "a chunk size, then LAST or nothing");
    let mut words = rest.split_ascii_whitespace();
    let size = words.next().ok_or_else(malformed)?;
    if !size.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(malformed());
    }
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(malformed()),
    };
    if words.next().is_some() {
        return Err(malformed());
    }
    Ok((size.parse().unwrap_or(u64::MAX), last))
}

/// The argument of VRFY, and whether it came with SMTPUTF8 (RFC 6531 §3.7.4.2).
///
/// # Errors
/// 501; 252 where the reply would need UTF-8 that SMTPUTF8 did not allow.
pub fn verify(rest: &str) -> Result<(VerifyArgument, bool), Answer> {
    let (text, utf8) = without_smtputf8(rest);
    let argument = verify_argument(text)?;
    let is_ascii = match &argument {
        VerifyArgument::Mailbox(mailbox) => mailbox.is_ascii(),
        VerifyArgument::Name(name) => name.is_ascii(),
    };
    if is_ascii || utf8 { Ok((argument, utf8)) } else { Err(catalogue::utf8_reply_needed()) }
}

fn verify_argument(text: &str) -> Result<VerifyArgument, Answer> {
    let expected = || catalogue::arguments_malformed("VRFY", "a mailbox or a name");
    if text.is_empty() {
        return Err(expected());
    }
    if text.starts_with('<') {
        let (path, rest) = forward_path(text).map_err(catalogue::recipient_malformed)?;
        return match path {
            _ if !rest.is_empty() => Err(expected()),
            ForwardPath::Postmaster => Ok(VerifyArgument::Name("postmaster".into())),
            ForwardPath::Mailbox(mailbox) => Ok(VerifyArgument::Mailbox(mailbox)),
        };
    }
    match text.parse() {
        Ok(mailbox) => Ok(VerifyArgument::Mailbox(mailbox)),
        Err(AddressError::NoDomain) => Ok(VerifyArgument::Name(unquoted(text))),
        Err(_) if !text.contains('@') => Ok(VerifyArgument::Name(unquoted(text))),
        Err(problem) => Err(catalogue::recipient_malformed(problem)),
    }
}

/// The argument of EXPN, unquoted and without brackets, and whether it came with SMTPUTF8.
///
/// # Errors
/// As [`verify`].
pub fn expand(rest: &str) -> Result<(String, bool), Answer> {
    let (text, utf8) = without_smtputf8(rest);
    if text.is_empty() {
        return Err(catalogue::arguments_malformed("EXPN", "the name of a list"));
    }
    let bare = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
    if bare.is_ascii() || utf8 {
        Ok((unquoted(bare), utf8))
    } else {
        Err(catalogue::utf8_reply_needed())
    }
}

fn without_smtputf8(rest: &str) -> (&str, bool) {
    let text = rest.trim_matches(' ');
    match text.rsplit_once(' ') {
        Some((text, word)) if word.eq_ignore_ascii_case("SMTPUTF8") => (text.trim_end(), true),
        _ => (text, false),
    }
}

/// The content of a quoted string, or the text as it is where it is none.
fn unquoted(text: &str) -> String {
    match LocalPart::at_start(text) {
        Ok((content, used)) if used == text.len() => content.as_str().to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_read_in_any_case_and_whatever_follows() {
        rfc!(5321, "2.4");
        rfc!(5321, "4.1.1.1");
        assert_eq!(
            split("mAiL FROM:<a@b.test> \t "),
            (Verb::Smtp(Stage::Mail, "MAIL"), " FROM:<a@b.test>")
        );
        assert_eq!(split("QUIT"), (Verb::Smtp(Stage::Quit, "QUIT"), ""));
        assert_eq!(split("SAML x").0, Verb::Smtp(Stage::Send, "SAML"));
        for line in ["GET / HTTP/1.1", "post /", "OPTIONS", "CONNECT a.test:25 HTTP/1.1"] {
            assert_eq!(split(line).0, Verb::Http, "{line}");
        }
        for line in ["GETS /", "FOO", "", "MAILX FROM:<>", "MAIL\tFROM:<>"] {
            assert_eq!(split(line).0, Verb::Unknown, "{line}");
        }
    }

    #[test]
    fn hello_takes_what_the_field_sends_and_no_more() {
        rfc!(6531, "3.7.1");
        let name = |rest: &str| {
            hello(rest, "EHLO").map(|name| name.to_string()).map_err(|a| a.code().value())
        };
        for lawful in [
            "mx.example.org",
            "[192.0.2.1]",
            "[IPv6:2001:db8::1]",
            "my_pc",
            "[::1]",
            "::1",
            "host.",
        ] {
            assert_eq!(name(&format!(" {lawful}")), Ok(lawful.to_owned()));
        }
        let bad = ["", " ", " a b", " @", " <a>", " -a", " a\u{e9}!", " b\u{fc}cher.test"];
        let bad_too =
            [" a..b", " .", " a..", " [192.0.2.256]", " [192.0.2.1", " [IPv6:1:2]", " a:b"];
        for bad in bad.into_iter().chain(bad_too) {
            assert_eq!(name(bad), Err(501), "{bad}");
        }
    }

    #[test]
    fn mail_and_rcpt_read_their_paths() {
        let mail = |rest| {
            let read = mail(rest, &Extensions::all());
            read.map(|(path, _)| path.to_string())
                .map_err(|a| a.enhanced_code().unwrap().to_string())
        };
        assert_eq!(mail(" FROM:<a@b.test> SIZE=1").as_deref(), Ok("a@b.test"));
        assert_eq!(mail(" from: <>").as_deref(), Ok(""));
        assert_eq!(mail(" FROM:<\u{e9}@b.test> SMTPUTF8").as_deref(), Ok("\u{e9}@b.test"));
        assert_eq!(mail(" FROM:<\u{e9}@b.test>"), Err("5.6.7".into()));
        assert_eq!(mail(" FROM:<a@>"), Err("5.1.7".into()));
        assert_eq!(mail(" FROM:a@b.test"), Err("5.1.7".into()));
        assert_eq!(mail(" TO:<a@b.test>"), Err("5.5.4".into()));
        assert_eq!(mail(" FROM:<a@b.test>SIZE=1"), Err("5.5.4".into()));
        let rcpt = |rest| rcpt(rest, &Extensions::all(), false).map(|(path, _)| path.to_string());
        assert_eq!(rcpt(" TO:<POSTMASTER>").unwrap(), "Postmaster");
        assert_eq!(rcpt(" TO:<>").unwrap_err().enhanced_code().unwrap().to_string(), "5.1.3");
    }

    #[test]
    fn chunk_sizes_do_not_wrap() {
        assert_eq!(bdat(" 0 last"), Ok((0, true)));
        assert_eq!(bdat(" 18446744073709551615"), Ok((u64::MAX, false)));
        assert_eq!(bdat(" 9223372036854775808"), Ok((1 << 63, false)));
        assert_eq!(bdat(" 18446744073709551616"), Ok((u64::MAX, false)));
        assert_eq!(bdat(" 123456789012345678901 LAST"), Ok((u64::MAX, true)));
        assert_eq!(bdat(" 0000000000000000000000005"), Ok((5, false)));
        for bad in ["", " x", " -1", " +1", " 1 2", " 1 LAST x", " 0x5", " 5.0"] {
            assert_eq!(bdat(bad).unwrap_err().code().value(), 501, "{bad}");
        }
    }

    #[test]
    fn vrfy_takes_names_and_addresses() {
        let argument = |rest| verify(rest).map(|(argument, _)| argument);
        assert_eq!(argument(" alice"), Ok(VerifyArgument::Name("alice".into())));
        assert_eq!(argument(" \"alice b\""), Ok(VerifyArgument::Name("alice b".into())));
        assert_eq!(argument(" <a@b.test>").unwrap().to_string(), "a@b.test");
        assert_eq!(argument(" a@b.test SMTPUTF8").unwrap().to_string(), "a@b.test");
        assert_eq!(argument(" a@b@c").unwrap_err().code().value(), 501);
    }
}
