//! A planted bug, three decisions deep: chance alone does not find it.

/// Fails for one size of a last chunk only.
///
/// # Panics
/// For that one.
pub(crate) fn run(octets: &[u8]) {
    let Some(argument) = octets.strip_prefix(b"BDAT ") else { return };
    let mut words = argument.splitn(2, |octet| *octet == b' ');
    let (size, last) = (words.next().unwrap_or_default(), words.next());
    if last == Some(b"LAST") && size == b"9" {
        panic!("the planted bug was found");
    }
}
