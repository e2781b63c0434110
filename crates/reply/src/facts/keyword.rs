//! The keywords of EHLO: which parameters and commands each adds, and where it is
//! specified. Those that are also a command (STARTTLS, AUTH …) are told under it.

use std::fmt;

use super::role::{Change, Offered, Purpose};
use crate::stage::Stage::{self, *};

/// A keyword of the reply to EHLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyword(&'static str);

/// What is known of a keyword.
#[derive(Debug, PartialEq, Eq)]
pub struct KeywordFacts {
    /// As it is written.
    pub name: &'static str,
    /// What it is for.
    pub purpose: Purpose,
    /// What a client does otherwise because of it.
    pub change: Change,
    /// Who offers it.
    pub offered: Offered,
    /// The command that it adds, if any.
    pub verb: &'static str,
    /// The parameters that it adds, each with its command.
    pub parameters: &'static [(Stage, &'static str)],
    /// RFC and section, or whose invention it is.
    pub source: &'static str,
}

macro_rules! keywords {
    ($($name:literal $purpose:ident $change:ident $offered:ident
       $verb:literal [$($stage:ident $parameter:literal),*] $source:literal;)+) => {
        /// The keywords, in alphabetical order.
        pub static KEYWORDS: &[KeywordFacts] = &[$(KeywordFacts {
            name: $name,
            purpose: Purpose::$purpose,
            change: Change::$change,
            offered: Offered::$offered,
            verb: $verb,
            parameters: &[$(($stage, $parameter)),*],
            source: $source,
        }),+];
    };
}

keywords! {
    "8BITMIME" Content Content NearlyAll "" [Mail "BODY=8BITMIME"] "RFC 6152 §2";
    "BINARYMIME" Content Content Few "" [Mail "BODY=BINARYMIME"] "RFC 3030 §3";
    "BURL" Transfer Transfer Few "BURL" [] "RFC 4468 §3";
    "CHECKPOINT" Transfer Transfer Hardly "" [Mail "TRANSID="] "RFC 1845 §3";
    "CHUNKING" Transfer Transfer Many "BDAT" [] "RFC 3030 §2";
    "CONNEG" Content Parameter Hardly "" [Rcpt "CONNEG"] "RFC 4141 §3";
    "CONPERM" Content Parameter Hardly "" [Mail "CONPERM"] "RFC 4141 §2";
    "DELIVERBY" Schedule Parameter Few "" [Mail "BY="] "RFC 2852 §3";
    "DSN" Feedback Parameter Many "" [Mail "RET=", Mail "ENVID=", Rcpt "NOTIFY=", Rcpt "ORCPT="] "RFC 3461 §4";
    "ENHANCEDSTATUSCODES" Feedback Reading NearlyAll "" [] "RFC 2034 §3";
    "FUTURERELEASE" Schedule Parameter Few "" [Mail "HOLDFOR=", Mail "HOLDUNTIL="] "RFC 4865 §4";
    "LIMITS" Limits Restraint Few "" [] "RFC 9422";
    "MT-PRIORITY" Schedule Parameter Few "" [Mail "MT-PRIORITY="] "RFC 6710 §3";
    "MTRK" Feedback Parameter Hardly "" [Mail "MTRK="] "RFC 3885 §3";
    "NO-SOLICITING" Limits Parameter Hardly "" [Mail "SOLICIT="] "RFC 3865 §2";
    "PIPELINING" Speed Order NearlyAll "" [] "RFC 2920 §2";
    "REQUIRETLS" Trust Parameter Few "" [Mail "REQUIRETLS"] "RFC 8689 §2";
    "RRVS" Trust Parameter Few "" [Rcpt "RRVS="] "RFC 7293 §3";
    "SIZE" Limits Parameter NearlyAll "" [Mail "SIZE="] "RFC 1870 §3";
    "SMTPUTF8" Content Content Many "" [Mail "SMTPUTF8", Vrfy "SMTPUTF8", Expn "SMTPUTF8"] "RFC 6531 §3";
    "SUBMITTER" Identity Parameter Hardly "" [Mail "SUBMITTER="] "RFC 4405 §4";
    "UTF8SMTP" Content Content Hardly "" [Mail "ALT-ADDRESS="] "RFC 5336 §3";
    "X-EXPS" Trust Identity Inside "X-EXPS" [] "Microsoft Exchange";
    "XCLIENT" Identity Identity Inside "XCLIENT" [] "Postfix";
    "XFORWARD" Identity Identity Inside "XFORWARD" [] "Postfix";
    "XVERP" Envelope Parameter Few "" [Mail "XVERP"] "Postfix";
}

impl Keyword {
    /// The keyword of that name, in any case.
    pub fn named(name: &str) -> Option<Keyword> {
        let found = KEYWORDS.iter().find(|row| row.name.eq_ignore_ascii_case(name));
        found.map(|row| Keyword(row.name))
    }

    /// Every keyword.
    pub fn all() -> impl Iterator<Item = Keyword> {
        KEYWORDS.iter().map(|row| Keyword(row.name))
    }

    /// As it is written.
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// What is known of it.
    pub fn facts(self) -> &'static KeywordFacts {
        // A `Keyword` is made of a row alone, so that one is found.
        KEYWORDS.iter().find(|row| row.name == self.0).unwrap_or(&KEYWORDS[0])
    }
}

impl KeywordFacts {
    /// What it adds, as it is written: its command, then its parameters, each behind the
    /// command that takes it: `BDAT`, `MAIL … RET=`.
    pub fn adds(&self) -> Vec<String> {
        let verb = (!self.verb.is_empty()).then(|| self.verb.to_owned());
        let parameters = self.parameters.iter().map(|(stage, name)| format!("{stage} … {name}"));
        verb.into_iter().chain(parameters).collect()
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_found_in_any_case() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert_eq!(Keyword::named("pipelining").map(Keyword::name), Some("PIPELINING"));
        assert_eq!(Keyword::named("STARTTLS"), None);
    }
}
