//! Addresses as they are given on the command line.

use reply::Language;
use reply::explain::{labelled, wrong};
use smtp::syntax::{AddressError, Mailbox};

use super::Failure;

/// A reverse-path: an address, or nothing (also `<>`) for the null one.
pub(crate) fn sender(text: &str, language: Language) -> Result<String, Failure> {
    match bare(text) {
        "" => Ok(String::new()),
        address => checked(address, language),
    }
}

/// A forward-path: an address, or `postmaster` without a domain.
pub(crate) fn recipient(text: &str, language: Language) -> Result<String, Failure> {
    match bare(text) {
        address if address.eq_ignore_ascii_case("postmaster") => Ok(address.to_owned()),
        address => checked(address, language),
    }
}

/// The address of a mailbox as the registry has it: by its content, without quotes.
pub(crate) fn mailbox(text: &str, language: Language) -> Result<String, Failure> {
    let Mailbox { local_part, domain } = parsed(bare(text), language)?;
    Ok(format!("{}@{domain}", local_part.as_str()))
}

fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

fn checked(text: &str, language: Language) -> Result<String, Failure> {
    Ok(parsed(text, language)?.to_string())
}

fn parsed(text: &str, language: Language) -> Result<Mailbox, Failure> {
    text.parse().map_err(|problem| {
        let told = labelled(&no_address(text, language), &in_words(problem, language), language);
        let help = [("example", "`user@example.org`")];
        Failure::usage(told).help(wrong(language, "no-address-help", &help))
    })
}

/// That a text is no address.
pub(crate) fn no_address(text: &str, language: Language) -> String {
    wrong(language, "no-address", &[("address", &format!("`{text}`"))])
}

/// What is wrong with an address, as it stands behind a colon.
pub(crate) fn in_words(error: AddressError, language: Language) -> String {
    let name = match error {
        AddressError::Brackets => "brackets",
        AddressError::Null => "null",
        AddressError::NoDomain => "no-domain",
        AddressError::LocalPart => "local-part",
        AddressError::Domain => "domain",
        AddressError::Literal => "literal",
        AddressError::Route => "route",
        AddressError::LocalPartTooLong => "local-part-too-long",
        AddressError::DomainTooLong => "domain-too-long",
        AddressError::NotUtf8 => "not-utf8",
    };
    wrong(language, &format!("address-{name}"), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_an_address_is_said_in_english_as_ever_and_in_no_two_ways_alike() {
        let errors = [
            AddressError::Brackets,
            AddressError::Null,
            AddressError::NoDomain,
            AddressError::LocalPart,
            AddressError::Domain,
            AddressError::Literal,
            AddressError::Route,
            AddressError::LocalPartTooLong,
            AddressError::DomainTooLong,
            AddressError::NotUtf8,
        ];
        for error in errors {
            assert_eq!(in_words(error, Language::En), error.to_string());
            let mut told: Vec<String> =
                Language::COMPLETE.iter().map(|language| in_words(error, *language)).collect();
            told.sort();
            told.dedup();
            assert_eq!(told.len(), Language::COMPLETE.len(), "{told:?}");
        }
    }
}
