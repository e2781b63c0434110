//! Writes the corpus and the dictionary that a target begins with: `seeds TARGET FOLDER`.
//! Without arguments it lists the targets.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use secondpost_fuzz::{TARGETS, Target, seeds};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [] => {
            TARGETS.iter().for_each(|target| println!("{}", target.name));
            Ok(())
        }
        [name, folder] => match Target::named(name) {
            Some(target) => write(&target, Path::new(folder)).map_err(|error| error.to_string()),
            None => Err(format!("there is no target `{name}`")),
        },
        _ => Err("usage: seeds [TARGET FOLDER]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn write(target: &Target, folder: &Path) -> std::io::Result<()> {
    let corpus = folder.join("corpus");
    fs::create_dir_all(&corpus)?;
    for (number, seed) in seeds(target).iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number:04}")), seed)?;
    }
    if target.words.is_empty() {
        return Ok(());
    }
    let mut dictionary = String::new();
    for word in target.words {
        let octets = word.bytes().fold(String::new(), |mut text, octet| {
            // A `String` takes what is written to it.
            let _ = write!(text, "\\x{octet:02x}");
            text
        });
        dictionary.push_str(&format!("\"{octets}\"\n"));
    }
    fs::write(folder.join("words.dict"), dictionary)
}
