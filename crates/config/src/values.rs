//! The types that keys can have: how each is written, and how it is shown.

pub mod duration;
pub mod network;
pub mod rules;
pub mod size;
pub mod words;

pub use duration::Patience;
pub use network::{Addresses, HostName, Names, Networks, SocketPath, WebAddress};
pub use rules::{AccessRules, Patterns, Rate, Routes};
pub use size::Size;
pub use words::{BareLineEnd, EightBitHeaders, LogFormat, LogLevel, Offer};

use toml::Spanned;
use toml::de::DeValue;

use super::expected::Expected;
use super::fault::Fault;
use super::field::{Given, Setting};

impl Setting for bool {
    const EXPECTED: Expected = Expected::OneOf(&["true", "false"]);

    fn read(given: &Given<'_>) -> Result<bool, Fault> {
        match given.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            DeValue::String(word) if matches!(&**word, "true" | "on" | "yes") => Ok(true),
            DeValue::String(word) if matches!(&**word, "false" | "off" | "no") => Ok(false),
            _ => Err(wrong::<bool>(given)),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    const EXPECTED: Expected = Expected::Count;

    fn read(given: &Given<'_>) -> Result<u32, Fault> {
        let number = number(given).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number > 0).ok_or_else(|| wrong::<u32>(given))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A whole number that is not negative, with or without quotes.
pub fn number(given: &Given<'_>) -> Option<u64> {
    match given.get_ref() {
        DeValue::Integer(integer) => u64::from_str_radix(integer.as_str(), integer.radix()).ok(),
        DeValue::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The text of a string.
pub fn text<'a, T: Setting>(given: &'a Given<'_>) -> Result<&'a str, Fault> {
    given.get_ref().as_str().ok_or_else(|| wrong::<T>(given))
}

/// The items of a list; anything else is a list of one.
pub fn items<'a, 'i>(given: &'a Given<'i>) -> Vec<&'a Given<'i>> {
    match given.get_ref() {
        DeValue::Array(array) => array.iter().collect(),
        _ => vec![given],
    }
}

/// The value is none that `T` can have.
pub fn wrong<T: Setting>(given: &Given<'_>) -> Fault {
    Fault::not_valid(given).expected(T::EXPECTED)
}

/// A string in TOML.
pub fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A list of strings in TOML.
pub fn toml_list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| toml_string(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

/// A bare string as it is given with `--set KEY=VALUE`.
pub fn bare(text: &str) -> Given<'static> {
    Spanned::new(0..text.len(), DeValue::String(text.to_owned().into()))
}
