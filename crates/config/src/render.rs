//! Settings as text: a commented example, the effective values, the reference page.

use super::expected::Expected;
use super::field::{Field, Section};
use super::load::{Loaded, Origin};
use super::settings::Config;
use super::values::HostName;
use reply::explain::wrapped;

/// How what is expected is said.
pub type Words<'a> = &'a dyn Fn(Expected) -> String;

/// A config file with every key at its default, commented out and described.
pub fn example(words: Words<'_>) -> String {
    let mut text = String::from(
        "# Every setting with its default. Take away a `#` in front of a key to set it.\n\
         # Settings are put on each other in this order: defaults, this file, options such\n\
         # as `--domain`, then `--set KEY=VALUE`.\n",
    );
    let mut section = String::new();
    for field in Config::fields("") {
        let (prefix, name) = field.key.rsplit_once('.').unwrap_or(("", &field.key));
        if prefix != section {
            text.push_str(&format!("\n[{prefix}]\n"));
            section = prefix.to_owned();
        }
        text.push('\n');
        text.push_str(&commented(&field, words));
        text.push_str(&format!("#{name} = {}\n", field.default));
    }
    text
}

fn commented(field: &Field, words: Words<'_>) -> String {
    let expected = format!("Expected: {}.", words(field.expected));
    let mut paragraphs = vec![sentence(&field.doc), expected];
    if !field.reason.is_empty() {
        paragraphs.push(format!("Why this default: {}.", field.reason));
    }
    let lines = paragraphs.iter().flat_map(|paragraph| wrapped(paragraph, 78));
    lines.map(|line| format!("# {line}\n")).collect()
}

/// One line for each key: value, and where it came from if that is asked.
pub fn effective(loaded: &Loaded, with_origin: bool) -> String {
    let mut text = String::new();
    let mut section = String::new();
    for (field, value) in loaded.values() {
        let (prefix, name) = field.key.rsplit_once('.').unwrap_or(("", &field.key));
        if prefix != section {
            text.push_str(&format!("\n[{prefix}]\n"));
            section = prefix.to_owned();
        }
        let line = format!("{name} = {value}");
        let origin = with_origin.then(|| loaded.origin(&field.key).to_string());
        let remarks: Vec<String> =
            origin.into_iter().chain(in_effect(loaded, &field.key)).collect();
        match remarks.is_empty() {
            true => text.push_str(&format!("{line}\n")),
            false => text.push_str(&format!("{line:<44} # {}\n", remarks.join(": "))),
        }
    }
    text
}

/// What an empty value stands for on this machine.
fn in_effect(loaded: &Loaded, key: &str) -> Option<String> {
    let config = &loaded.config;
    match key {
        "hostname" if config.hostname == HostName::automatic() => Some(config.hostname()),
        "domains" if config.domains.0.is_empty() => Some(config.domains().join(", ")),
        _ => None,
    }
}

/// The same for programs: `{key: {value, origin}}`, values as JSON.
pub fn json(loaded: &Loaded) -> serde_json::Value {
    let entry = |(field, value): (Field, String)| {
        let origin = loaded.origin(&field.key);
        let place = match &origin {
            Origin::Default => "default",
            Origin::File { .. } => "file",
            Origin::Flag(_) => "flag",
            Origin::Set => "set",
        };
        let value = serde_json::json!({
            "value": to_json(&value),
            "origin": origin.to_string(),
            "origin_kind": place,
        });
        (field.key, value)
    };
    serde_json::Value::Object(loaded.values().map(entry).collect())
}

/// A value in TOML as JSON.
fn to_json(value: &str) -> serde_json::Value {
    let table = format!("x = {value}").parse::<toml::Table>().ok();
    let value = table.and_then(|mut table| table.remove("x"));
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default()
}

/// docs/reference/config.md.
pub fn reference(words: Words<'_>) -> String {
    let mut text = String::from(
        "# Settings\n\n\
         This page is made from the declarations in `crates/config/src/settings.rs`\n\
         by `cargo xtask docs`; a test fails where it is stale.\n\n\
         Settings are put on each other in this order, the last wins: defaults; a TOML file\n\
         (`--config FILE`, else `secondpost.toml` in the data directory, if it exists);\n\
         options (`--domain`, `--listen-mx`, `--listen-submission`, `--log-format`);\n\
         `--set KEY=VALUE`, where VALUE is a TOML value, else a bare string. A list replaces\n\
         the list before it. An unknown key is an error.\n\n\
         `secondpost serve` writes what it started with to `run/settings.toml` in the data\n\
         directory; the other subcommands read it there unless `--config` names a file.\n\n\
         Durations are written as `30s`, `5m`, `1h30m`, `35d` or `500ms`; a bare number is\n\
         seconds. Sizes are written as `4096`, `50MiB` or `1G`; KiB, MiB, GiB and the single\n\
         letters count in powers of 1024, kB, MB, GB in powers of 1000.\n",
    );
    for field in Config::fields("") {
        text.push_str(&format!("\n## `{}`\n\n{}\n\n", field.key, sentence(&field.doc)));
        text.push_str(&format!("- Expected: {}\n", words(field.expected)));
        text.push_str(&format!("- Default: `{}`\n", field.default));
        if !field.reason.is_empty() {
            text.push_str(&format!("- Why that default: {}\n", field.reason));
        }
    }
    text
}

/// The lines of a doc comment as one paragraph that ends in a full stop.
fn sentence(doc: &str) -> String {
    let text = doc.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
    if text.is_empty() || text.ends_with('.') { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Sources;

    /// Loads a file with `text` in it.
    fn load(text: &str) -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.toml");
        std::fs::write(&path, text).unwrap();
        Loaded::from(&Sources { file: Some(path), ..Sources::default() }).unwrap()
    }

    #[test]
    fn the_example_loads_as_it_is_and_with_every_key_set() {
        let example = example(&|expected| expected.name().to_owned());
        load(&example);
        let is_key = |line: &str| line.starts_with('#') && !line.starts_with("# ");
        let set: String = example
            .lines()
            .map(|line| if is_key(line) { &line[1..] } else { line })
            .map(|line| format!("{line}\n"))
            .collect();
        let loaded = load(&set);
        for (field, value) in loaded.values() {
            assert_eq!(value, field.default, "{}", field.key);
            assert_ne!(loaded.origin(&field.key), Origin::Default, "{}", field.key);
        }
    }

    #[test]
    fn effective_settings_load_to_themselves() {
        let sets = ["routes.example.net=hold", "limits.message=1G", "greylist.enabled=false"];
        let set = sets.map(str::to_owned).to_vec();
        let loaded = Loaded::from(&Sources { set, ..Sources::default() }).unwrap();
        let text = effective(&loaded, false);
        assert_eq!(effective(&load(&text), false), text);
    }

    #[test]
    fn every_setting_is_described_and_most_say_why() {
        for field in Config::fields("") {
            assert!(!field.doc.trim().is_empty(), "{} has no description", field.key);
            let is_elsewhere = field.key.starts_with("retry."); // described in `queue::retry`
            assert!(is_elsewhere || !field.reason.is_empty(), "{} has no reason", field.key);
        }
    }
}
