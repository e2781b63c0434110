//! Fails the build where a language lacks a text that English has, or has one of its own:
//! what a reader is told must not depend on the language.
//!
//! Remedies for some (`.fix-sender`) count as well, so that no language says less.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, process};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&root).join("src/texts");
    println!("cargo:rerun-if-changed={}", folder.display());
    let english = keys(&folder.join("en.ftl"));
    let Ok(files) = fs::read_dir(&folder) else { fail(&format!("no {}", folder.display())) };
    for path in files.filter_map(|file| Some(file.ok()?.path())) {
        let own = keys(&path);
        report(&path, "lacks", english.difference(&own));
        report(&path, "alone has", own.difference(&english));
    }
}

fn report<'a>(path: &Path, what: &str, keys: impl Iterator<Item = &'a String>) {
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    if !keys.is_empty() {
        let count = keys.len();
        let shown = keys[..count.min(20)].join(", ");
        fail(&format!("{} {what} {count} texts that English does not: {shown}", path.display()));
    }
}

fn fail(why: &str) -> ! {
    println!("cargo:warning={why}");
    eprintln!("{why}");
    process::exit(1);
}

/// Messages and their attributes: `code-450`, `code-450.when`.
fn keys(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| {
        fail(&format!("{}: {error}", path.display()));
    });
    let (mut keys, mut message) = (BTreeSet::new(), String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, _)) = line.split_once(" =") else { continue };
        if let Some(attribute) = name.trim_start().strip_prefix('.') {
            keys.insert(format!("{message}.{attribute}"));
        } else if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            name.clone_into(&mut message);
            keys.insert(message.clone());
        }
    }
    keys
}
