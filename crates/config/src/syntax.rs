//! What keeps a text from being TOML. The parser says it in English prose alone; what it
//! says is sorted here into kinds, and a test holds each kind to an example.

use std::ops::Range;

/// Why a text is no TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// A string stands without quotes.
    UnquotedString,
    /// A string has no end.
    OpenString,
    /// A backslash in a string begins nothing.
    NoSuchEscape,
    /// A list, a table or a heading has no end.
    OpenBracket,
    /// A key is there already.
    HasValueAlready,
    /// A key has no value.
    NoValue,
    /// What stands there cannot be a key.
    NoKey,
    /// What stands there looks like a number and is none.
    NoNumber,
    /// What stands there looks like a date or a time and is none.
    NoDate,
    /// Two values of a list or a table follow each other.
    MissingComma,
    /// A comma stands where none may.
    ExtraComma,
    /// A character that no text of TOML may hold.
    ForbiddenCharacter,
    /// Lists and tables in each other, more than anybody needs.
    TooDeep,
    /// Something else should stand there, or nothing.
    Unexpected,
}

/// What the parser says of a word without quotes, and of no value at all.
const NO_QUOTES: &str = "string values must be quoted";

/// How the parser begins what it says of each kind; the first that fits decides.
const KINDS: &[(&str, Syntax)] = &[
    (NO_QUOTES, Syntax::UnquotedString),
    ("missing opening quote", Syntax::UnquotedString),
    ("invalid boolean", Syntax::UnquotedString),
    ("invalid basic string, expected `", Syntax::OpenString),
    ("invalid literal string, expected `", Syntax::OpenString),
    ("invalid multi-line basic string, expected `", Syntax::OpenString),
    ("invalid multi-line literal string, expected `", Syntax::OpenString),
    ("invalid basic string, expected non-", Syntax::ForbiddenCharacter),
    ("invalid literal string, expected non-", Syntax::ForbiddenCharacter),
    ("invalid multi-line basic string, expected non-", Syntax::ForbiddenCharacter),
    ("invalid multi-line literal string, expected non-", Syntax::ForbiddenCharacter),
    ("invalid comment character", Syntax::ForbiddenCharacter),
    ("carriage return must be followed", Syntax::ForbiddenCharacter),
    ("missing escaped value", Syntax::NoSuchEscape),
    ("too few unicode value digits", Syntax::NoSuchEscape),
    ("unclosed ", Syntax::OpenBracket),
    ("duplicate key", Syntax::HasValueAlready),
    ("cannot extend value", Syntax::HasValueAlready),
    ("key with no value", Syntax::NoValue),
    ("missing value", Syntax::NoValue),
    ("invalid unquoted key", Syntax::NoKey),
    ("unquoted keys cannot be empty", Syntax::NoKey),
    ("keys cannot be multi-line", Syntax::NoKey),
    ("invalid key-value pair", Syntax::NoKey),
    ("missing key", Syntax::NoKey),
    ("invalid integer", Syntax::NoNumber),
    ("invalid hexadecimal", Syntax::NoNumber),
    ("invalid octal", Syntax::NoNumber),
    ("invalid binary", Syntax::NoNumber),
    ("invalid float", Syntax::NoNumber),
    ("invalid mantissa", Syntax::NoNumber),
    ("invalid fraction", Syntax::NoNumber),
    ("invalid exponent", Syntax::NoNumber),
    ("integers with a radix", Syntax::NoNumber),
    ("radix must be lowercase", Syntax::NoNumber),
    ("redundant ", Syntax::NoNumber),
    ("unexpected leading zero", Syntax::NoNumber),
    ("unexpected sign", Syntax::NoNumber),
    ("`_` may only go between digits", Syntax::NoNumber),
    ("invalid date", Syntax::NoDate),
    ("invalid time", Syntax::NoDate),
    ("missing comma", Syntax::MissingComma),
    ("extra comma", Syntax::ExtraComma),
    ("cannot recurse further", Syntax::TooDeep),
    ("recursion limit", Syntax::TooDeep),
    ("unexpected ", Syntax::Unexpected),
    ("extra ", Syntax::Unexpected),
    ("missing assignment", Syntax::Unexpected),
    ("invalid inline table element", Syntax::Unexpected),
    ("invalid value", Syntax::Unexpected),
    ("missing array opening", Syntax::Unexpected),
    ("missing inline table opening", Syntax::Unexpected),
    ("missing table open", Syntax::Unexpected),
];

impl Syntax {
    /// Every kind.
    pub const ALL: &[Syntax] = &[
        Syntax::UnquotedString,
        Syntax::OpenString,
        Syntax::NoSuchEscape,
        Syntax::OpenBracket,
        Syntax::HasValueAlready,
        Syntax::NoValue,
        Syntax::NoKey,
        Syntax::NoNumber,
        Syntax::NoDate,
        Syntax::MissingComma,
        Syntax::ExtraComma,
        Syntax::ForbiddenCharacter,
        Syntax::TooDeep,
        Syntax::Unexpected,
    ];

    /// The kind of what the parser says of that place, where it is known.
    pub(crate) fn of(said: &str, place: &Range<usize>) -> Option<Syntax> {
        if place.is_empty() && said.starts_with(NO_QUOTES) {
            return Some(Syntax::NoValue);
        }
        KINDS.iter().find(|(beginning, _)| said.starts_with(beginning)).map(|(_, kind)| *kind)
    }

    /// Whether a string without its quotes, as in `window = 5m`, can be what is meant.
    pub(crate) const fn may_be_an_unquoted_string(self) -> bool {
        use Syntax::{NoDate, NoNumber, OpenString, Unexpected, UnquotedString};
        matches!(self, UnquotedString | OpenString | NoNumber | NoDate | Unexpected)
    }

    /// The name of the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Syntax::UnquotedString => "unquoted-string",
            Syntax::OpenString => "open-string",
            Syntax::NoSuchEscape => "no-such-escape",
            Syntax::OpenBracket => "open-bracket",
            Syntax::HasValueAlready => "has-value-already",
            Syntax::NoValue => "no-value",
            Syntax::NoKey => "no-key",
            Syntax::NoNumber => "no-number",
            Syntax::NoDate => "no-date",
            Syntax::MissingComma => "missing-comma",
            Syntax::ExtraComma => "extra-comma",
            Syntax::ForbiddenCharacter => "forbidden-character",
            Syntax::TooDeep => "too-deep",
            Syntax::Unexpected => "unexpected",
        }
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    fn check(text: &str, expected: Syntax) {
        let error = DeTable::parse(text).unwrap_err();
        let (said, place) = (error.message(), error.span().unwrap());
        assert_eq!(Syntax::of(said, &place), Some(expected), "{text:?}: {said}");
    }

    #[test]
    fn what_the_parser_says_is_sorted_into_kinds() {
        check("relay = direct\n", Syntax::UnquotedString);
        check("relay = direct\"\n", Syntax::UnquotedString);
        check("vrfy = truly\n", Syntax::UnquotedString);
        check("relay = \"direct\n", Syntax::OpenString);
        check("relay = 'direct\n", Syntax::OpenString);
        check("relay = \"\"\"direct\n", Syntax::OpenString);
        check("relay = \"di\\rect\\q\"\n", Syntax::NoSuchEscape);
        check("relay = \"\\u00\"\n", Syntax::NoSuchEscape);
        check("[greylist\n", Syntax::OpenBracket);
        check("domains = [\"a.test\"\n", Syntax::OpenBracket);
        check("routes = { a = \"mx\"\n", Syntax::OpenBracket);
        check("vrfy = \"on\"\nvrfy = \"off\"\n", Syntax::HasValueAlready);
        check("vrfy = \"on\"\nvrfy.x = \"off\"\n", Syntax::HasValueAlready);
        check("[log]\n[log]\n", Syntax::HasValueAlready);
        check("relay\n", Syntax::NoValue);
        check("relay =\n", Syntax::NoValue);
        check("a b = 1\n", Syntax::NoValue);
        check("= 1\n", Syntax::NoKey);
        check("a@b = 1\n", Syntax::NoKey);
        check("a = 01\n", Syntax::NoNumber);
        check("a = 1_\n", Syntax::NoNumber);
        check("a = 0xzz\n", Syntax::NoNumber);
        check("a = 1.x\n", Syntax::NoNumber);
        check("a = 1979-05-27x\n", Syntax::NoDate);
        check("a = 12:xx\n", Syntax::NoDate);
        check("a = [\"1\" \"2\"]\n", Syntax::MissingComma);
        check("a = [1,,2]\n", Syntax::ExtraComma);
        check("a = \"\u{1}\"\n", Syntax::ForbiddenCharacter);
        check("a = 1 # \u{1}\n", Syntax::ForbiddenCharacter);
        check("a = 1\rb = 2\n", Syntax::ForbiddenCharacter);
        check(&format!("a = {}1{}\n", "[".repeat(200), "]".repeat(200)), Syntax::TooDeep);
        check("a = \"1\" 2\n", Syntax::Unexpected);
        check("a = = 1\n", Syntax::Unexpected);
        check("a = ]\n", Syntax::Unexpected);
        check("a = }\n", Syntax::Unexpected);
        check("a = [1 = 2]\n", Syntax::Unexpected);
    }

    #[test]
    fn every_kind_is_told_apart_and_what_is_of_none_is_not_guessed() {
        for kind in Syntax::ALL {
            assert!(KINDS.iter().any(|(_, known)| known == kind), "{kind:?}");
        }
        assert_eq!(Syntax::of("moon phase", &(0..1)), None);
    }
}
