//! Settings files that nobody should write, made from one that has every key: each is read,
//! or refused with its place; and what is read can be written down and is read as the same.
//!
//! `SECONDPOST_TORTURE=100` tries a hundred times as many.

use super::*;
use crate::render::effective;

const FILES: u64 = 150;
/// What a mutation puts in.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    "#",
    "\n",
    "\0",
    "\\u0000",
    "\u{fffd}",
    "-1",
    "1e400",
    "nan",
    "99999999999999999999",
    "18446744073709551615",
    "1979-05-27",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"*\"",
    "\"5m\"",
    "\"0s\"",
    "\"99999999999d\"",
    "\"99999999GiB\"",
    "[\"::/0\"]",
    "[{action=\"refuse\"}]",
    "{\"a.test\"=\"b:25\"}",
];

/// Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

/// Some lines of `text`, changed here and there.
fn mutated(text: &str, random: &mut Random) -> String {
    let all: Vec<&str> = text.lines().collect();
    let start = random.below(all.len());
    let count = 1 + random.below(6);
    let mut lines: Vec<String> =
        all.iter().skip(start).take(count).map(|line| (*line).to_owned()).collect();
    for _ in 0..1 + random.below(3) {
        let (at, from) = (random.below(lines.len()), random.below(all.len()));
        match random.below(4) {
            // The value of another key, or no value of anything.
            0 => {
                let value = all[from].split_once('=').map_or(all[from], |(_, value)| value);
                let key = lines[at].split_once('=').map_or("x", |(key, _)| key).to_owned();
                lines[at] = format!("{key}={value}");
            }
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                let key = lines[at].split_once('=').map_or("x", |(key, _)| key).to_owned();
                lines[at] = format!("{key}= {piece}");
            }
            2 => {
                let piece = PIECES[random.below(PIECES.len())];
                let places: Vec<usize> = lines[at].char_indices().map(|(place, _)| place).collect();
                let place = places.get(random.below(places.len())).copied().unwrap_or(0);
                lines[at].insert_str(place, piece);
            }
            _ => lines[at] = all[from].to_owned(),
        }
    }
    lines.join("\n")
}

fn load(text: &str) -> Result<Loaded, ConfigError> {
    Loaded::from_text(Path::new("mail.toml"), text)
}

/// Whether each fault has its place in the file.
fn has_places(error: &ConfigError, text: &str) -> bool {
    let ConfigError::Faults(faulty) = error else { return false };
    let is_within = |fault: &Fault| {
        let source = diagnostic::Source { name: &faulty.name, text: &faulty.text };
        fault.span.start <= text.len()
            && diagnostic::show(source, &fault.span, "wrong").contains("--> mail.toml:")
    };
    faulty.text == text && !faulty.faults.is_empty() && faulty.faults.iter().all(is_within)
}

fn values(loaded: &Loaded) -> Vec<(String, String)> {
    loaded.values().map(|(field, value)| (field.key, value)).collect()
}

#[test]
fn a_mutated_file_is_refused_with_its_place_or_read_as_what_it_says() {
    let default = Loaded::default();
    let every_key = default.values();
    let lines: Vec<String> =
        every_key.map(|(field, value)| format!("{} = {value}", field.key)).collect();
    let whole = lines.join("\n");
    let times = std::env::var("SECONDPOST_TORTURE").ok().and_then(|times| times.parse().ok());
    let (mut read, mut refused) = (0, 0);
    for seed in 0..FILES * times.unwrap_or(1) {
        let text = mutated(&whole, &mut Random(seed));
        match load(&text) {
            Err(error) => {
                assert!(has_places(&error, &text), "seed {seed}: {error:?}\n{text}");
                refused += 1;
            }
            Ok(loaded) => {
                let again = load(&effective(&loaded, false));
                let again = again.unwrap_or_else(|error| panic!("seed {seed}: {error:?}\n{text}"));
                assert_eq!(values(&again), values(&loaded), "seed {seed}\n{text}");
                read += 1;
            }
        }
    }
    println!("\ncounted: {read} mutated settings files were read, {refused} refused");
    assert!(read > 10 && refused > 10, "{read} read, {refused} refused");
}
