//! What was not read of an input of which something was, and why: a value, said in the
//! reader's language on standard error and in English in JSON.

use std::{fmt, io};

use reply::Language;
use reply::explain::{cli, cli_count, queued_count};

use super::super::system::Said;

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
    /// Parts of a mail, beyond so many levels and so many of them; where it begins.
    Parts { levels: usize, parts: usize, at: u64 },
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
            Unread::Parts { levels, parts, at } => {
                let (levels, parts, at) = (levels.to_string(), parts.to_string(), at.to_string());
                let values = [("levels", &*levels), ("parts", &parts), ("at", &at)];
                cli(language, "parts-beyond", &values)
            }
        }
    }
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
        let cases: [(Unread, &[&str]); 5] = [
            (half, &["46", "half"]),
            (Unread::BrokenOff(Behind::Lines(7), Why::UnfoldsTooFar), &["7"]),
            (Unread::BeyondFirst(size), &["4 MiB"]),
            (Unread::BeyondFirstOfOne(size, 23), &["4 MiB", "23"]),
            (Unread::BeyondFirstOfSome(size, 3, 23), &["4 MiB", "3", "23"]),
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
