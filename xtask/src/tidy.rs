//! `cargo xtask tidy`: style as a test, not a plea. Each check returns what it found,
//! one line each, with the file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use crate::{coverage, portable};

/// Which floors a floor may stand on. What is not listed here is refused, also for a
/// new crate: it is added with its floor or not at all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("secondpost-reply", &[]),
    ("secondpost-smtp", &["reply"]),
    ("secondpost-store", &[]),
    ("secondpost-policy", &["reply", "smtp", "store"]),
    ("secondpost-queue", &["reply", "smtp", "store"]),
    ("secondpost-mta", &["reply", "smtp", "store", "policy", "queue"]),
    ("secondpost-sim", &["reply", "smtp", "store", "policy", "queue", "mta"]),
    ("secondpost-config", &["reply", "smtp", "store", "policy", "queue", "mta"]),
    ("secondpost-fuzz", &["reply", "smtp", "store", "queue", "config"]),
    ("secondpost-memory", &[]),
    ("secondpost-bench", &["reply", "smtp", "store", "policy", "queue", "memory"]),
    ("secondpost-web", &["reply", "queue", "mta"]),
    (
        "secondpost",
        &["reply", "smtp", "store", "policy", "queue", "mta", "web", "config", "memory"],
    ),
    ("xtask", &[]),
];

/// Runtimes and sockets have no place below the shell.
const SHELL_ONLY: &[&str] = &["tokio", "hickory-resolver", "socket2", "tracing"];
const SHELL: &[&str] = &["secondpost-mta", "secondpost-web", "secondpost"];
const VAGUE_NAMES: &[&str] = &["common", "utils", "util", "helpers", "types", "misc"];
const MAX_PACKAGES: usize = 350;

/// Runs every check.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let sources = sources(root)?;
    let mut found = layering(root)?;
    found.extend(sources.iter().flat_map(|(path, text)| file_checks(path, text)));
    found.extend(architecture(root));
    found.extend(lock_file(root));
    found.extend(links(root));
    found.extend(portable::run(root)?);
    found.extend(rfc_coverage(root, &sources));
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("error: the tree is not tidy\n  {}", found.join("\n  ")))
}

/// Every Rust file outside target/, by its path below the root.
pub(crate) fn sources(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|e| format!("error: {}: {e}", folder.display()))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).map_err(|e| format!("error: {e}"))?;
                let below = path.strip_prefix(root).unwrap_or(&path);
                files.insert(below.to_string_lossy().into_owned(), text);
            }
        }
    }
    Ok(files)
}

/// Whether the page of RFC coverage is what the marks say.
fn rfc_coverage(root: &Path, sources: &BTreeMap<String, String>) -> Option<String> {
    let kept = fs::read_to_string(root.join(coverage::PATH)).unwrap_or_default();
    let stale = kept != coverage::page(root, sources);
    stale.then(|| format!("{}: is stale; run `cargo xtask docs`", coverage::PATH))
}

/// Links between our pages that lead nowhere.
fn links(root: &Path) -> Vec<String> {
    let folders = ["", "docs", "docs/design", "docs/guide", "docs/reference"];
    let pages =
        folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).into_iter().flatten());
    let pages = pages.filter_map(|entry| Some(entry.ok()?.path()));
    pages
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .flat_map(|page| broken_links(&page, &fs::read_to_string(&page).unwrap_or_default()))
        .collect()
}

/// The targets of `[text](target)` that are files and do not exist, or that name a test or
/// function (`file.rs#name`) which is not there.
fn broken_links(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().unwrap_or(page);
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files
        .filter(|target| !leads_somewhere(folder, target))
        .map(|target| format!("{}: the link to `{target}` leads nowhere", page.display()))
        .collect()
}

fn leads_somewhere(folder: &Path, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = folder.join(path);
    let names_a_function = anchor.starts_with(|c: char| c.is_ascii_lowercase());
    match path.ends_with(".rs") && names_a_function {
        true => fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {anchor}("))),
        false => file.exists(),
    }
}

/// The arrows between the crates, from cargo's own graph.
fn layering(root: &Path) -> Result<Vec<String>, String> {
    let manifest = root.join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec();
    let metadata = metadata.map_err(|error| format!("error: cargo metadata: {error}"))?;
    let mut found = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let Some((_, below)) = MAY_USE.iter().find(|(crate_name, _)| *crate_name == name) else {
            found.push(format!("{name}: has no floor in xtask/src/tidy.rs"));
            continue;
        };
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            let ours = MAY_USE.iter().any(|(crate_name, _)| *crate_name == used);
            let floor = used.trim_start_matches("secondpost-");
            let is_test = dependency.kind == cargo_metadata::DependencyKind::Development;
            if ours && !below.contains(&floor) {
                found.push(format!("{name}: may not use {used}: an arrow only points down"));
            }
            if SHELL_ONLY.contains(&used) && !SHELL.contains(&name) && !is_test {
                found.push(format!("{name}: {used} belongs to the shell"));
            }
        }
    }
    Ok(found)
}

fn file_checks(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if VAGUE_NAMES.contains(&stem) {
        found.push(format!("{path}: a file is named after the thing it holds"));
    }
    if !text.starts_with("//!") {
        found.push(format!("{path}:1: the first lines say what lives here (`//!`)"));
    }
    if !may_hold_replies(path) {
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        let literals = product.lines().enumerate().filter(|(_, line)| holds_reply(line));
        found.extend(
            literals
                .map(|(at, _)| format!("{path}:{}: a reply stands outside the catalogue", at + 1)),
        );
    }
    found
}

/// The catalogue, the examples of the classify rules, and tests.
fn may_hold_replies(path: &str) -> bool {
    path.ends_with("catalogue.rs")
        || path.contains("/classify/")
        || path.contains("/tests")
        || path.contains("/benches/")
        || path.starts_with("crates/sim/")
        || path.starts_with("crates/fuzz/")
        || path.starts_with("crates/bench/")
}

/// Whether a line of code holds a string literal that begins like a reply.
fn holds_reply(line: &str) -> bool {
    let code = line.trim_start();
    if code.starts_with("//") {
        return false;
    }
    code.match_indices('"').any(|(at, _)| {
        let rest = &code.as_bytes()[at + 1..];
        rest.len() > 4
            && matches!(rest[0], b'2'..=b'5')
            && rest[1].is_ascii_digit()
            && rest[2].is_ascii_digit()
            && matches!(rest[3], b' ' | b'-')
            && rest[4].is_ascii_alphanumeric()
    })
}

/// Every crate stands in ARCHITECTURE.md.
fn architecture(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    let entries = fs::read_dir(root.join("crates")).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| !text.contains(&format!("`{name}`")))
        .map(|name| format!("ARCHITECTURE.md: does not name the crate `{name}`"))
        .collect()
}

fn lock_file(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    let packages = text.matches("[[package]]").count();
    (packages > MAX_PACKAGES)
        .then(|| format!("Cargo.lock: {packages} packages, at most {MAX_PACKAGES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_literal_is_seen_and_other_strings_are_not() {
        assert!(holds_reply(r#"    send("250 ok")"#));
        assert!(holds_reply(r#"x = "450-4.2.0 later";"#));
        for line in [r#"// "250 ok""#, r#""1250 apples""#, r#""250""#, r#""200 - x""#] {
            assert!(!holds_reply(line), "{line}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("page.md");
        let text = "[a](src/main.rs) [b](src/main.rs#L1) [c](https://x.test/) [d](gone.md) [e](#f) \
                    [g](src/main.rs#main) [h](src/main.rs#gone)";
        let found = broken_links(&page, text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with("the link to `gone.md` leads nowhere"), "{found:?}");
        assert!(found[1].ends_with("the link to `src/main.rs#gone` leads nowhere"), "{found:?}");
    }
}
