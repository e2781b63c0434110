//! A planted bug, three decisions deep: chance alone does not find it. Each decision stays
//! one of its own, however well the compiler does its work.

use std::hint::black_box;

/// What a client would say; the size that fails is not among it.
pub(super) const WORDS: &[&str] = &["BDAT ", " LAST"];

/// Fails for one size of a last chunk only.
///
/// # Panics
/// For that one.
pub(crate) fn run(octets: &[u8]) {
    let Some(argument) = octets.strip_prefix(b"BDAT ") else { return };
    let mut words = argument.splitn(2, |octet| *octet == b' ');
    let (size, last) = (words.next().unwrap_or_default(), words.next());
    if black_box(last != Some(b"LAST")) {
        return;
    }
    if black_box(size == b"9") {
        panic!("the planted bug was found");
    }
}
