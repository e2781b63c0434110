//! Chores of the repository: `cargo xtask test`, `tidy`, `docs`, `fuzz`, `torture`,
//! `bench`, `scoreboard`.
//!
//! Each chore is a file. None of this is part of the product.

mod axe;
mod bench;
mod coverage;
mod docs;
mod fuzz;
mod packages;
mod portable;
mod scoreboard;
mod suite;
mod tidy;
mod torture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <chore>

  test [--no-install] [FILTER]  install what the tests need, then run all of them
  tidy                          check layering, reply literals, names, file heads, wasm32
  docs                          write the generated pages of docs/reference/
  fuzz [-s SECONDS] [--canary] [TARGET ...]
                                octets that nobody should send, into every reader
  bench [PART ...] [--rounds N] [--json FILE] [--quick]
                                measure us beside Postfix and Exim; docs/benchmarks.md
  torture [--list] [--debug] [-x TIMES] [-s SECONDS] [PART ...]
                                the long forms of the tests that nothing is lost
  scoreboard                    how much of the corpus is understood, with every miss";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chore = arguments.first().map(String::as_str);
    let done = match chore {
        Some("test") => suite::run(&root(), &arguments[1..]),
        Some("tidy") => tidy::run(&root()),
        Some("docs") => docs::run(&root()),
        Some("fuzz") => fuzz::run(&root(), &arguments[1..]),
        Some("bench") => bench::run(&root(), &arguments[1..]),
        Some("torture") => torture::run(&root(), &arguments[1..]),
        Some("scoreboard") => scoreboard::run(&root()),
        Some("-h" | "--help" | "help") => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}
