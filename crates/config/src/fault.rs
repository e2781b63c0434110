//! What is wrong with settings, as values: where it stands, what it is, what would be
//! right. How that is said, and in which language, is the shell's: no prose lives here.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use toml::de::DeValue;

use super::expected::Expected;
use super::field::Given;
use super::syntax::Syntax;

/// What is wrong with the settings.
#[derive(Debug)]
pub enum ConfigError {
    /// A file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A file is no text.
    NotUtf8(PathBuf),
    /// What was given with `--set` has no `=`.
    NoEquals(String),
    /// A source was read, and these are its faults.
    Faults(Faulty),
}

/// A source with what is wrong in it, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faulty {
    /// A path, or the option as it was given.
    pub name: String,
    /// All of it.
    pub text: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

/// What is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Octets of the source that are wrong.
    pub span: Range<usize>,
    /// The key whose value it is, where the source holds many.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: Problem,
    /// What would be right, where that is known.
    pub hint: Option<Hint>,
}

/// Ways to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The text is no TOML.
    NotToml(Syntax),
    /// The same in the words of the parser, where nothing else is known.
    NotTomlAsSaid(String),
    /// There is no such setting.
    UnknownKey(String),
    /// A value has no such part.
    UnknownPart(String),
    /// A value lacks this part.
    MissingPart(&'static str),
    /// The type of the key does not take this value.
    NotValid(Written),
    /// This names no domain.
    NoDomain(String),
    /// A step of a ladder is not later than the one before it.
    StepsDoNotRise,
}

/// A value as it can be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A scalar, as it stands there.
    Value(String),
    /// Several values.
    List,
    /// Keys and values.
    Table,
}

/// What helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// This can be written.
    Expected(Expected),
    /// The key is a group, and these are its keys.
    KeysOfGroup(Vec<String>),
    /// This key is nearly the same.
    NearKey(String),
    /// This group of keys is.
    NearGroup(String),
    /// No key is; the example has them all.
    SeeExample,
    /// How strings are written in TOML.
    StringsAreQuoted,
}

impl Faulty {
    /// A source with one fault.
    pub(crate) fn one(name: &str, text: String, fault: Fault) -> Faulty {
        Faulty { name: name.to_owned(), text, faults: vec![fault] }
    }
}

impl Fault {
    /// Something is wrong with the value at `given`.
    pub fn at(given: &Given<'_>, problem: Problem) -> Fault {
        Fault { span: given.span(), key: None, problem, hint: None }
    }

    /// The value at `given` is not valid there.
    pub fn not_valid(given: &Given<'_>) -> Fault {
        Fault::at(given, Problem::NotValid(Written::of(given)))
    }

    /// Adds what was expected.
    #[must_use]
    pub fn expected(mut self, expected: Expected) -> Fault {
        self.hint = Some(Hint::Expected(expected));
        self
    }
}

impl Written {
    fn of(given: &Given<'_>) -> Written {
        match given.get_ref() {
            DeValue::String(text) => Written::Value(text.to_string()),
            DeValue::Integer(number) => Written::Value(number.to_string()),
            DeValue::Float(number) => Written::Value(number.to_string()),
            DeValue::Boolean(value) => Written::Value(value.to_string()),
            DeValue::Datetime(value) => Written::Value(value.to_string()),
            DeValue::Array(_) => Written::List,
            DeValue::Table(_) => Written::Table,
        }
    }
}
