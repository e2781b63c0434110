//! What the operating system, the resolver and the decompressors say, in the reader's
//! language. What is not common keeps the system's own words.

use std::fmt;
use std::io::{self, ErrorKind};

use reply::Language;
use reply::explain::{labelled, system};
use rustix::io::Errno;

/// The data of a compressed file make no sense.
#[derive(Debug)]
pub(crate) struct DamagedArchive;

impl fmt::Display for DamagedArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&system(Language::En, "damaged-archive"))
    }
}

impl std::error::Error for DamagedArchive {}

/// What is wrong, in words.
pub(crate) fn in_words(error: &io::Error, language: Language) -> String {
    Said::of(error).in_words(language)
}

/// What the system said, to be put into words later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// What it is about, where the error names it.
    before: String,
    name: Option<&'static str>,
    /// The system's own words.
    own: String,
}

impl Said {
    /// Takes down what `error` says.
    pub(crate) fn of(error: &io::Error) -> Said {
        let own = error.to_string();
        let cause = || error.get_ref()?.source()?.downcast_ref::<io::Error>();
        match (name(error), cause()) {
            (None, Some(cause)) if own.ends_with(&cause.to_string()) => {
                let said = Said::of(cause);
                let before = &own[..own.len() - cause.to_string().len()];
                Said { before: format!("{before}{}", said.before), ..said }
            }
            (name, _) => Said { before: String::new(), name, own },
        }
    }

    /// In the reader's language, as far as it is known there.
    pub(crate) fn in_words(&self, language: Language) -> String {
        let said = self.name.map_or_else(|| self.own.clone(), |name| system(language, name));
        match self.before.strip_suffix(": ") {
            Some(what) => labelled(what, &said, language),
            None => format!("{}{said}", self.before),
        }
    }
}

/// The name of what is common. An error that brings words of its own says more than its
/// kind does, and keeps them.
fn name(error: &io::Error) -> Option<&'static str> {
    match error.get_ref() {
        Some(inner) if inner.is::<DamagedArchive>() => Some("damaged-archive"),
        Some(inner) => of_resolver(&inner.to_string()),
        None => of_number(error.raw_os_error()).or_else(|| of_kind(error.kind())),
    }
}

/// How the names of the C library's errors in resolving begin, which have no kind.
const RESOLVER: &[(&str, &str)] = &[
    ("Name or service not known", "name-unknown"),
    ("No address associated with hostname", "name-without-address"),
    ("Temporary failure in name resolution", "name-not-resolved-now"),
];

fn of_resolver(said: &str) -> Option<&'static str> {
    let said = said.strip_prefix("failed to lookup address information: ")?;
    RESOLVER.iter().find(|(words, _)| said == *words).map(|(_, name)| *name)
}

/// What has no kind of its own in the standard library.
fn of_number(number: Option<i32>) -> Option<&'static str> {
    Some(match Errno::from_raw_os_error(number?) {
        Errno::MFILE | Errno::NFILE => "too-many-files",
        Errno::IO => "input-output",
        Errno::LOOP => "link-loop",
        _ => return None,
    })
}

const fn of_kind(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NotFound => "not-found",
        ErrorKind::PermissionDenied => "permission-denied",
        ErrorKind::AlreadyExists => "already-exists",
        ErrorKind::NotADirectory => "not-a-directory",
        ErrorKind::IsADirectory => "is-a-directory",
        ErrorKind::DirectoryNotEmpty => "directory-not-empty",
        ErrorKind::ReadOnlyFilesystem => "read-only",
        ErrorKind::StorageFull => "no-space",
        ErrorKind::QuotaExceeded => "quota-exceeded",
        ErrorKind::FileTooLarge => "file-too-large",
        ErrorKind::InvalidFilename => "name-too-long",
        ErrorKind::ResourceBusy => "busy",
        ErrorKind::UnexpectedEof => "unexpected-end",
        ErrorKind::OutOfMemory => "out-of-memory",
        ErrorKind::AddrInUse => "address-in-use",
        ErrorKind::AddrNotAvailable => "address-not-available",
        ErrorKind::ConnectionRefused => "connection-refused",
        ErrorKind::ConnectionReset => "connection-reset",
        ErrorKind::ConnectionAborted => "connection-aborted",
        ErrorKind::BrokenPipe => "broken-pipe",
        ErrorKind::HostUnreachable => "host-unreachable",
        ErrorKind::NetworkUnreachable => "network-unreachable",
        ErrorKind::NetworkDown => "network-down",
        ErrorKind::TimedOut => "timed-out",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Said in every language, each time in other words, and never by its name.
    fn check(error: &io::Error) {
        assert!(name(error).is_some(), "{error} is not known");
        let mut told: Vec<String> =
            Language::COMPLETE.iter().map(|language| in_words(error, *language)).collect();
        assert!(told.iter().all(|words| !words.contains("system-")), "{told:?}");
        told.sort();
        told.dedup();
        assert_eq!(told.len(), Language::COMPLETE.len(), "{error}: {told:?}");
    }

    #[test]
    fn what_the_system_says_is_said_in_every_language() {
        for number in [
            Errno::NOENT,
            Errno::ACCESS,
            Errno::PERM,
            Errno::EXIST,
            Errno::NOTDIR,
            Errno::ISDIR,
            Errno::NOTEMPTY,
            Errno::ROFS,
            Errno::NOSPC,
            Errno::DQUOT,
            Errno::FBIG,
            Errno::NAMETOOLONG,
            Errno::LOOP,
            Errno::BUSY,
            Errno::MFILE,
            Errno::NFILE,
            Errno::IO,
            Errno::NOMEM,
            Errno::ADDRINUSE,
            Errno::ADDRNOTAVAIL,
            Errno::CONNREFUSED,
            Errno::CONNRESET,
            Errno::CONNABORTED,
            Errno::PIPE,
            Errno::HOSTUNREACH,
            Errno::NETUNREACH,
            Errno::NETDOWN,
            Errno::TIMEDOUT,
        ] {
            check(&io::Error::from(number));
        }
        check(&io::Error::from(ErrorKind::UnexpectedEof));
        check(&io::Error::other(DamagedArchive));
        for (words, _) in RESOLVER {
            check(&io::Error::other(format!("failed to lookup address information: {words}")));
        }
    }

    #[test]
    fn an_error_that_names_what_it_is_about_keeps_the_name() {
        let error = store::disk::naming("127.0.0.1:25", Errno::ACCESS.into());
        assert_eq!(in_words(&error, Language::De), "127.0.0.1:25: keine Berechtigung");
        assert_eq!(in_words(&error, Language::En), "127.0.0.1:25: permission denied");
        let twice = store::disk::naming("the spool", error);
        assert_eq!(
            in_words(&twice, Language::Fr),
            "the spool: 127.0.0.1:25\u{a0}: permission refusée"
        );
    }

    #[test]
    fn what_is_not_common_and_what_has_words_of_its_own_keeps_them() {
        let rare = io::Error::from(Errno::XDEV);
        assert_eq!(in_words(&rare, Language::De), rare.to_string());
        let own = io::Error::new(ErrorKind::NotFound, "there is no address to try");
        assert_eq!(in_words(&own, Language::De), "there is no address to try");
    }
}
