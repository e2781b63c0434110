//! Settings files: each is refused with its place, or read as what it says.

use std::path::Path;

use config::diagnostic::{Source, show};
use config::render::effective;
use config::{ConfigError, Fault, Loaded};

/// What stands in such files.
pub(super) const WORDS: &[&str] = &[
    "[",
    "[[",
    "]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    "'",
    "=",
    ".",
    "#",
    "\\u0000",
    "-1",
    "1e400",
    "nan",
    "18446744073709551615",
    "1979-05-27",
    "true",
    "\"5m\"",
    "\"1 GiB\"",
    "\"10/1h\"",
    "\"::/0\"",
    "\"192.0.2.0/24\"",
    "\"*.example.org\"",
    "\"hold\"",
    "\"discard\"",
    "\"lmtp:/run/lmtp\"",
    "routes.",
    "rules",
    "action",
    "limits.",
    "retry.",
    "greylist.",
];

/// The octets are a file.
pub(crate) fn run(octets: &[u8]) {
    let (path, text) = (Path::new("mail.toml"), String::from_utf8_lossy(octets));
    let loaded = match Loaded::from_text(path, &text) {
        Ok(loaded) => loaded,
        Err(error) => return assert!(has_places(&error), "{error:?}"),
    };
    let written = effective(&loaded, false);
    match Loaded::from_text(path, &written) {
        Ok(again) => assert_eq!(effective(&again, false), written),
        Err(error) => panic!("what was read as\n{written}\nis refused: {error:?}"),
    }
}

/// Whether what is wrong has a place in the file.
fn has_places(error: &ConfigError) -> bool {
    let ConfigError::Faults(faulty) = error else { return false };
    let source = Source { name: &faulty.name, text: &faulty.text };
    let is_shown = |fault: &Fault| show(source, &fault.span, "wrong").contains("--> mail.toml:");
    !faulty.faults.is_empty() && faulty.faults.iter().all(is_shown)
}
