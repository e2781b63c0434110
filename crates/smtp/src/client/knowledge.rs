//! What was learned about a server and is worth remembering beyond one session: which
//! alternative works where the first choice was refused. The shell keeps it, with an
//! expiry; a refusal of MAIL itself is never in it (RFC 5321 §4.5.4.1).

use std::fmt;
use std::str::FromStr;

/// A parameter of MAIL or RCPT that the message can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are the keywords of RFC 1870 and RFC 3461
pub enum Parameter {
    Size,
    Ret,
    Envid,
    Notify,
    Orcpt,
}

impl Parameter {
    /// Every parameter.
    pub const ALL: &[Parameter] =
        &[Parameter::Size, Parameter::Ret, Parameter::Envid, Parameter::Notify, Parameter::Orcpt];

    /// The keyword on the wire.
    pub const fn keyword(self) -> &'static str {
        match self {
            Parameter::Size => "SIZE",
            Parameter::Ret => "RET",
            Parameter::Envid => "ENVID",
            Parameter::Notify => "NOTIFY",
            Parameter::Orcpt => "ORCPT",
        }
    }
}

/// What is known about a server before a session, or after one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostKnowledge {
    /// EHLO was refused and HELO worked.
    pub no_ehlo: bool,
    /// CHUNKING was listed and BDAT refused with 500, 502 or 504: use DATA.
    pub no_chunking: bool,
    /// These were refused where they were offered; the same without them worked.
    pub refused: Vec<Parameter>,
}

impl HostKnowledge {
    /// Whether nothing out of the ordinary is known.
    pub fn is_empty(&self) -> bool {
        *self == HostKnowledge::default()
    }

    pub(crate) fn remember(&mut self, refused: &[Parameter]) {
        self.refused.extend_from_slice(refused);
        self.refused.sort_unstable();
        self.refused.dedup();
    }
}

/// As it is kept: words separated by spaces, as in `no-ehlo without-SIZE`.
impl fmt::Display for HostKnowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        words.extend(self.no_ehlo.then(|| "no-ehlo".to_owned()));
        words.extend(self.no_chunking.then(|| "no-chunking".to_owned()));
        words.extend(self.refused.iter().map(|refused| format!("without-{}", refused.keyword())));
        f.write_str(&words.join(" "))
    }
}

/// Words that are not understood are passed over: a newer version may have written them.
impl FromStr for HostKnowledge {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<HostKnowledge, Self::Err> {
        let has = |word: &str| text.split_ascii_whitespace().any(|other| other == word);
        let refused = |parameter: &&Parameter| has(&format!("without-{}", parameter.keyword()));
        Ok(HostKnowledge {
            no_ehlo: has("no-ehlo"),
            no_chunking: has("no-chunking"),
            refused: Parameter::ALL.iter().filter(refused).copied().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowledge_is_read_back_as_it_was_written() {
        let mut known = HostKnowledge { no_chunking: true, ..HostKnowledge::default() };
        known.remember(&[Parameter::Orcpt, Parameter::Size, Parameter::Orcpt]);
        assert_eq!(known.to_string(), "no-chunking without-SIZE without-ORCPT");
        assert_eq!(format!("{known} from-tomorrow").parse(), Ok(known));
        assert!(HostKnowledge::default().is_empty());
    }
}
