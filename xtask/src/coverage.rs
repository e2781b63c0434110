//! docs/reference/rfc-coverage.md: which tests prove which sections of which RFCs.
//!
//! Made from the marks `rfc!(5321, "4.1.4")` in the sources and the lines
//! `rfc: 5321 4.1.4` of the dialogs; tidy fails where the page is stale.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const HEAD: &str = "# RFC coverage

<!-- Made by `cargo xtask docs`; do not edit. -->

Sections whose rules a test proves, and the test; the rules themselves, and where they are
kept, stand in [conformance](conformance.md).
";

/// What RFCs of mail say and this server does not do, and what the reply is then.
const NOT_DONE: &str = "
## What is not offered

| what | reply |
|---|---|
| VRFY and EXPN, unless switched on: our one departure from RFC 5321 §7.3 | 502 |
| TURN, SEND, SOML, SAML (RFC 821), ETRN (RFC 1985), ATRN (RFC 2645) | 502 |
| BODY=BINARYMIME (RFC 3030 §3) | 501 |
| parameters that are not in the EHLO reply | 555 |

## What is taken beside the grammar

Departures from RFC 5321 §4.1.2 that daily mail needs; each is read in one place, where the
source says \"departure\".

| what | where it is read |
|---|---|
| white space after the colon: `MAIL FROM: <a@example.org>` | `crates/smtp/src/syntax/command.rs` |
| white space at the end of a line, tabs too (§4.1.1 recommends it) | `crates/smtp/src/server/input.rs` |
| an underscore in a domain | `crates/smtp/src/syntax/domain.rs` |
| a local part of up to 255 octets (§4.5.3.1.1 asks for 64 at least) | `crates/smtp/src/syntax/mailbox.rs` |
| a domain of one label in a submitted envelope, taken as it is: `localhost` and the machine's name are ours (RFC 6409 §4.2 calls it a local convention) | `crates/policy/src/relay.rs` |
| in HELO, EHLO and LHLO a full stop after the domain, or an IPv6 address without its tag | `crates/smtp/src/syntax/command.rs` |
";

/// Section to the tests that prove it, by RFC; sections in their own order.
type Marks = BTreeMap<u32, BTreeMap<Vec<u32>, Vec<String>>>;

/// The page.
pub(crate) fn page(root: &Path, sources: &BTreeMap<String, String>) -> String {
    let mut marks = Marks::new();
    for (path, text) in sources.iter().filter(|(path, _)| !path.starts_with("xtask/")) {
        text.lines().filter_map(in_source).for_each(|mark| note(&mut marks, mark, path));
    }
    for (path, text) in dialogs(root) {
        text.lines().filter_map(in_dialog).for_each(|mark| note(&mut marks, mark, &path));
    }
    let mut page = HEAD.to_owned();
    for (number, sections) in &marks {
        page.push_str(&format!("\n## RFC {number}\n\n| section | proved by |\n|---|---|\n"));
        for (section, tests) in sections {
            page.push_str(&format!("| §{} | {} |\n", dotted(section), tests.join(", ")));
        }
    }
    page + NOT_DONE
}

/// Where the page stands below the root.
pub(crate) const PATH: &str = "docs/reference/rfc-coverage.md";

fn note(marks: &mut Marks, (number, section): (u32, Vec<u32>), path: &str) {
    let name = path.rsplit('/').next().unwrap_or(path);
    let link = format!("[{name}](../../{path})");
    let tests = marks.entry(number).or_default().entry(section).or_default();
    if !tests.contains(&link) {
        tests.push(link);
    }
}

/// `rfc!(5321, "4.1.4");`
fn in_source(line: &str) -> Option<(u32, Vec<u32>)> {
    let (number, section) = line.trim().strip_prefix("rfc!(")?.split_once(", \"")?;
    Some((number.parse().ok()?, section_of(section.strip_suffix("\");")?)?))
}

/// `rfc: 5321 4.1.4`
fn in_dialog(line: &str) -> Option<(u32, Vec<u32>)> {
    let (number, section) = line.strip_prefix("rfc: ")?.split_once(' ')?;
    Some((number.parse().ok()?, section_of(section)?))
}

fn section_of(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

fn dotted(section: &[u32]) -> String {
    section.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

fn dialogs(root: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(root.join("tests/dialogs")) else { return BTreeMap::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let dialogs = paths.filter(|path| path.extension().is_some_and(|name| name == "smtp"));
    let read = |path: std::path::PathBuf| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        Some((format!("tests/dialogs/{name}"), fs::read_to_string(&path).ok()?))
    };
    dialogs.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_in_both_forms() {
        let mark = Some((5321, vec![4, 1, 4]));
        assert_eq!(in_source("    rfc!(5321, \"4.1.4\");"), mark);
        assert_eq!(in_dialog("rfc: 5321 4.1.4"), mark);
        assert_eq!(in_source("macro_rules! rfc {"), None);
        assert_eq!(in_dialog("rfc: 5321"), None);
    }
}
