//! Addresses as they are given on the command line.

use smtp::syntax::Mailbox;

use super::Failure;

/// A reverse-path: an address, or nothing (also `<>`) for the null one.
pub(crate) fn sender(text: &str) -> Result<String, Failure> {
    match bare(text) {
        "" => Ok(String::new()),
        address => checked(address),
    }
}

/// A forward-path: an address, or `postmaster` without a domain.
pub(crate) fn recipient(text: &str) -> Result<String, Failure> {
    match bare(text) {
        address if address.eq_ignore_ascii_case("postmaster") => Ok(address.to_owned()),
        address => checked(address),
    }
}

/// The address of a mailbox as the registry has it: by its content, without quotes.
pub(crate) fn mailbox(text: &str) -> Result<String, Failure> {
    let Mailbox { local_part, domain } = parsed(bare(text))?;
    Ok(format!("{}@{domain}", local_part.as_str()))
}

fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

fn checked(text: &str) -> Result<String, Failure> {
    Ok(parsed(text)?.to_string())
}

fn parsed(text: &str) -> Result<Mailbox, Failure> {
    text.parse().map_err(|problem| {
        Failure::usage(format!("`{text}` is no mail address: {problem}"))
            .help("write it as in `user@example.org`")
    })
}
