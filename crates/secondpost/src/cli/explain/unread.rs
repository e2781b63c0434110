//! What was not read of an input of which something was, and why: a value, said in the
//! reader's language on standard error and in English in JSON.

use std::{fmt, io};

use reply::Language;
use reply::explain::{cli, cli_count, queued_count};
use reply::heard::Unreadable;

use super::super::system::Said;
use super::super::text::printable;

/// What was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// What comes behind the place where it breaks off, as half of a compressed file does.
    BrokenOff(Behind, Why),
    /// What is longer than is read of one thing.
    BeyondFirst(Mebibytes),
    /// The same of one mail among others, which begins at this octet.
    BeyondFirstOfOne(Mebibytes, u64),
    /// The same of several mails: how many, and where the first begins.
    BeyondFirstOfSome(Mebibytes, u64, u64),
    /// Something in the mail that begins at this octet.
    InMail(Unreadable, u64),
    /// JSON makes no sense at this octet, or is cut off there.
    DamagedJson(usize),
    /// What stands behind this octet.
    Behind(usize),
    /// What is more than so many things.
    BeyondThings(usize),
    /// An octet of a line that no text has, and where in the line.
    OddOctet(u8, usize),
}

/// How much stands before the place where something breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    Octets(u64),
    Lines(u64),
}

/// How much is read of one thing at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mebibytes(usize);

/// Why something breaks off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    UnfoldsTooFar,
    /// What the system or the decompressor says.
    Said(Said),
}

/// A compressed file unfolds to far more than one that somebody needs.
#[derive(Debug)]
pub(super) struct UnfoldsTooFar;

impl fmt::Display for UnfoldsTooFar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cli(Language::En, "unfolds-too-far", &[]))
    }
}

impl std::error::Error for UnfoldsTooFar {}

impl Unread {
    /// It broke off with `error`.
    pub(super) fn broken_off(behind: Behind, error: &io::Error) -> Unread {
        let is_ours = error.get_ref().is_some_and(|inner| inner.is::<UnfoldsTooFar>());
        let why = if is_ours { Why::UnfoldsTooFar } else { Why::Said(Said::of(error)) };
        Unread::BrokenOff(behind, why)
    }

    /// Whether it is damage within a mail of which all that is left was read.
    pub(super) const fn is_damage(&self) -> bool {
        match self {
            Unread::InMail(unreadable, _) => !matches!(unreadable, Unreadable::Parts { .. }),
            _ => false,
        }
    }

    /// As the texts of JSON, which are the same for all.
    pub(super) fn in_english(&self) -> String {
        self.in_words(Language::En)
    }

    /// What was not read, as it stands behind the name of the file.
    pub(super) fn in_words(&self, language: Language) -> String {
        match self {
            Unread::BrokenOff(behind, why) => {
                let (behind, why) = (behind.in_words(language), why.in_words(language));
                cli(language, "broken-off", &[("behind", &behind), ("error", &why)])
            }
            Unread::BeyondFirst(size) => cli(language, "only-first", &[("size", &size.shown())]),
            Unread::BeyondFirstOfOne(size, at) => {
                let values = [("size", &*size.shown()), ("at", &at.to_string())];
                cli(language, "only-first-of-one", &values)
            }
            Unread::BeyondFirstOfSome(size, count, at) => {
                let (count, at) = (count.to_string(), at.to_string());
                let values = [("size", &*size.shown()), ("count", &count), ("at", &at)];
                cli(language, "only-first-of-some", &values)
            }
            Unread::InMail(unreadable, at) => in_mail(unreadable, *at, language),
            Unread::DamagedJson(at) => cli(language, "json-damaged", &[("at", &at.to_string())]),
            Unread::Behind(at) => cli(language, "not-read-behind", &[("at", &at.to_string())]),
            Unread::BeyondThings(count) => {
                let values = [("count", &*count.to_string()), ("option", "`--ndjson`")];
                cli(language, "only-first-things", &values)
            }
            Unread::OddOctet(octet, at) => {
                let values = [("octet", &*shown(*octet)), ("at", &at.to_string())];
                cli(language, "odd-octet", &values)
            }
        }
    }
}

/// An octet as it is written: `0x00`.
pub(super) fn shown(octet: u8) -> String {
    format!("0x{octet:02X}")
}

/// What could not be read in the mail that begins at `at`.
fn in_mail(unreadable: &Unreadable, at: u64, language: Language) -> String {
    let at = at.to_string();
    let say = |name: &str, values: &[(&'static str, &str)]| {
        let mut all = vec![("at", &*at)];
        all.extend_from_slice(values);
        cli(language, name, &all)
    };
    let of_part = |name: &str, part: &usize| say(name, &[("part", &part.to_string())]);
    let of_charset = |name: &str, part: &usize, charset: &str| {
        let charset = format!("`{}`", printable(charset));
        say(name, &[("part", &part.to_string()), ("name", &charset)])
    };
    match unreadable {
        Unreadable::Parts { levels, parts } => {
            let (levels, parts) = (levels.to_string(), parts.to_string());
            say("parts-beyond", &[("levels", &levels), ("parts", &parts)])
        }
        Unreadable::BrokenOff { part } => of_part("mail-broken-off", part),
        Unreadable::Long { part, octets } => {
            let size = format!("{} KiB", octets >> 10);
            say("part-too-long", &[("part", &part.to_string()), ("size", &size)])
        }
        Unreadable::Base64 { part } => of_part("part-base64", part),
        Unreadable::Charset { part, name } => of_charset("part-charset", part, name),
        Unreadable::NotText { part, name } => of_charset("part-not-text", part, name),
    }
}

/// All of it in the texts of JSON; `None` where all was read.
pub(super) fn in_english(all: &[Unread]) -> Option<String> {
    let all: Vec<String> = all.iter().map(Unread::in_english).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

impl Behind {
    fn in_words(self, language: Language) -> String {
        match self {
            Behind::Octets(count) => queued_count(language, "octets", count, &[]),
            Behind::Lines(count) => cli_count(language, "lines", count),
        }
    }
}

impl Mebibytes {
    /// Of a bound in octets that is a whole number of them.
    pub(super) const fn of(octets: usize) -> Mebibytes {
        Mebibytes(octets >> 20)
    }

    fn shown(self) -> String {
        format!("{} MiB", self.0)
    }
}

impl Why {
    fn in_words(&self, language: Language) -> String {
        match self {
            Why::UnfoldsTooFar => cli(language, "unfolds-too-far", &[]),
            Why::Said(said) => said.in_words(language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_is_said_in_every_language_with_all_that_is_known_of_it() {
        let size = Mebibytes::of(4 << 20);
        let half = Unread::broken_off(Behind::Octets(46), &io::Error::other("half"));
        let in_mail = |unreadable| Unread::InMail(unreadable, 71);
        let name = "x-odd".to_owned();
        let cases: [(Unread, &[&str]); 15] = [
            (half, &["46", "half"]),
            (Unread::BrokenOff(Behind::Lines(7), Why::UnfoldsTooFar), &["7"]),
            (Unread::BeyondFirst(size), &["4 MiB"]),
            (Unread::BeyondFirstOfOne(size, 23), &["4 MiB", "23"]),
            (Unread::BeyondFirstOfSome(size, 3, 23), &["4 MiB", "3", "23"]),
            (in_mail(Unreadable::Parts { levels: 16, parts: 64 }), &["16", "64", "71"]),
            (in_mail(Unreadable::BrokenOff { part: 2 }), &["2", "71"]),
            (in_mail(Unreadable::Long { part: 3, octets: 1 << 16 }), &["3", "64 KiB", "71"]),
            (in_mail(Unreadable::Base64 { part: 4 }), &["4", "71", "base64"]),
            (in_mail(Unreadable::Charset { part: 5, name: name.clone() }), &["5", "`x-odd`"]),
            (in_mail(Unreadable::NotText { part: 6, name }), &["6", "71", "`x-odd`"]),
            (Unread::DamagedJson(99), &["99", "JSON"]),
            (Unread::Behind(98), &["98"]),
            (Unread::BeyondThings(10_000), &["10000", "`--ndjson`"]),
            (Unread::OddOctet(0, 17), &["0x00", "17"]),
        ];
        for (unread, facts) in cases {
            let mut told: Vec<String> =
                Language::COMPLETE.iter().map(|language| unread.in_words(*language)).collect();
            for words in &told {
                assert!(facts.iter().all(|fact| words.contains(fact)), "{words}");
            }
            told.sort();
            told.dedup();
            assert_eq!(told.len(), Language::COMPLETE.len(), "{told:?}");
        }
    }

    #[test]
    fn what_unfolds_too_far_is_known_by_its_error() {
        let broken = Unread::broken_off(Behind::Lines(1), &io::Error::other(UnfoldsTooFar));
        assert_eq!(broken, Unread::BrokenOff(Behind::Lines(1), Why::UnfoldsTooFar));
        let told = "it breaks off behind 1 line (it unfolds to far more than a log would; the \
                    rest is not read); what stands before was read";
        assert_eq!(broken.in_english(), told);
    }
}
